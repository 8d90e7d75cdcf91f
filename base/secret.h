/* Secret memory: wiping that the compiler cannot remove, comparison in constant time, and pages
 * that stay out of swap and core files. */
#ifndef FIRMIANA_BASE_SECRET_H
#define FIRMIANA_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Overwrites len bytes with zeros. len may be 0, p may then be NULL. */
void base_wipe(void *p, size_t len);

/* True if the two blocks are equal. Time depends on len alone. */
bool base_equal(const void *a, const void *b, size_t len);

/* Whole pages, zeroed, locked into memory where the limit allows, excluded from core files and
 * forks. Returns NULL when memory is out. Free with base_secret_free(), which wipes them. */
void *base_secret_alloc(size_t len);
void base_secret_free(void *p, size_t len);

/* No core files and no ptrace for this process: called first thing in main() by every program that
 * ever holds a key or a share. */
fm_status base_secret_harden_process(struct base_err *err) FM_CHECK;

#endif
