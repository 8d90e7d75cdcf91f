/* "Did you mean ...?": the nearest known word to one that is not known. */
#ifndef FIRMIANA_BASE_NEAREST_H
#define FIRMIANA_BASE_NEAREST_H

/* The word of a NULL-terminated list with the least edit distance (at most 3 changes, a third of
 * the word's letters, a quarter where its first letter is another; words of up to 31 bytes), or
 * NULL. */
const char *base_nearest(const char *word, const char *const *words);

#endif
