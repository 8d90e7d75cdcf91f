/* The end of a query: the rows go to the recipients, and to nobody else.
 *
 * WHAT IS SEEN. All `rows` places are opened. A place whose row does not exist shows zeros and
 * nothing else. Rows that are in an order of the query's come in it, those that exist first; else
 * all places are shuffled first, so that neither the order of the providers nor which of the places
 * are empty says anything. NULL and suppressed values are zeros too, inside the computation. Beside
 * the rows recipients get the flags of relation.h.
 *
 * Cost: 1 AND and one product a word, 32 bytes a word for the shuffle, 8 bytes a word and recipient
 * for the opening, words of bits packed 64 rows. */
#ifndef FIRMIANA_EXCHANGE_RUN_REVEAL_H
#define FIRMIANA_EXCHANGE_RUN_REVEAL_H

#include "exchange/run/relation.h"

enum run_reveal_order { RUN_SHUFFLED, RUN_AS_ORDERED };

/* Zeros where nothing is to be seen; shuffles. What is revealed next, and what receipts cover. */
fm_status run_veil(struct run_relation *r, enum run_reveal_order order,
                   struct base_err *err) FM_CHECK;
/* Rows with equal keys must not show how they stood before: to be called before run_order(), unless
 * the order is total or shuffled is what follows anyway. 32 bytes a word. */
fm_status run_shuffle(struct run_relation *r, struct base_err *err) FM_CHECK;

/* What a recipient sees. */
struct run_rows {
    size_t rows;
    size_t columns;
    size_t *word_counts; /* of column c; 0: it has a value */
    int64_t **value;     /* of column c, then row; NULL where it is a text with words */
    int64_t **known;     /* 0 or 1; NULL: never NULL */
    int64_t **shown;     /* 0 where suppressed; NULL: nothing is */
    int64_t ***word;     /* of column c, word k */
    int64_t *valid;
    bool flag[RUN_FLAGS];
};

/* Opens a veiled relation. out is filled in at recipients, {0} elsewhere; the caller releases it.
 * A hash is never opened: FM_E_ARG for a TEXT without words. 1 round, after the check of protocols
 * that have one. */
fm_status run_reveal(struct run_rows *out, const struct run_relation *r, const unsigned *recipients,
                     size_t recipient_count, struct base_err *err) FM_CHECK;
void run_rows_release(struct run_rows *rows);
/* Text of a value of words: at most 7 * word_count bytes and a NUL. */
void run_rows_text(char *out, const struct run_rows *rows, size_t column, size_t row);

#endif
