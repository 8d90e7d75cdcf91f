/* A town whose log has seen everything that a compact bundle must cope with, and such bundles of
 * it. */
#ifndef FIRMIANA_LEDGER_TEST_EXPORT_COMPACT_H
#define FIRMIANA_LEDGER_TEST_EXPORT_COMPACT_H

#include "ledger/store/test_town.h"
#include "ledger/verify/verify.h"

extern struct town compact_town;
extern struct base_err compact_err;
void compact_must(fm_status st);
int compact_set_up(void **state);
int compact_tear_down(void **state);

/* Members come, go and change their keys; rules change twice; blocks of 1 to 8 between. */
void compact_tell(void);
/* A quorum cosigns. */
void compact_finish(void);

/* The compact bundle of these entries; of the newest refused and the newest accepted publication.
 */
struct base_buf compact_export_of(const uint8_t id[][32], size_t n);
struct base_buf compact_two_of_them(void);

fm_status compact_verify(struct ledger_verified **out, const uint8_t *p, size_t len);
bool compact_is_valid(const struct base_buf *bundle);
void compact_refused(const struct base_buf *bundle, const char *text);

/* Lines, each with its newline; how many. */
size_t compact_split(struct ledger_bytes *line, size_t room, const struct base_buf *bundle);

/* Tests of lies: what is hidden, and lines that say what they may not. */
void test_hidden(void **state);
void test_shapes(void **state);

#endif
