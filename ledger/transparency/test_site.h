/* A small log that is published, and its members. */
#ifndef FIRMIANA_LEDGER_TEST_SITE_H
#define FIRMIANA_LEDGER_TEST_SITE_H

#include "ledger/proof/test_world.h"
#include "ledger/transparency/published.h"

enum { SITE_MEMBERS = 3 };

/* Its nodes and entries: entry i is the hash of i. */
extern const struct ledger_tile_log site_log;

/* Over the first `size` entries, cosigned by every member. */
fm_status site_checkpoint(struct ledger_checkpoint *out, const struct world *w, uint64_t size,
                          struct base_err *err) FM_CHECK;
/* The members' keys. */
void site_keys(struct ledger_vkey out[SITE_MEMBERS], const struct world *w);

#endif
