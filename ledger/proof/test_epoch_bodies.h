/* Epoch transactions, right ones and ones with one fault each, for the machine's test and the
 * verifier's: both must judge them alike. Members 0 to 3 of either world, quorum 3; member 0's
 * officers sign two by two. */
#ifndef FIRMIANA_LEDGER_TEST_EPOCH_BODIES_H
#define FIRMIANA_LEDGER_TEST_EPOCH_BODIES_H

#include "ledger/proof/epoch.h"
#include "ledger/proof/tx.h"

struct epoch_maker {
    void *ctx;
    /* A signed transaction of a member; officers: how many of its officers sign, 0: as many as they
     * must. Takes body. */
    json_t *(*tx)(void *ctx, enum ledger_tx_type type, size_t sender, json_t *body, int officers);
    const char *(*alias)(void *ctx, size_t member);
    uint64_t epoch;                     /* that the good one opens */
    struct ledger_epoch_head head, old; /* the newest state, and an earlier one of its epoch */
};

/* The one fault. */
struct epoch_case {
    const char *name;
    enum ledger_rule rule; /* that refuses it; OK: it is good */
};
extern const struct epoch_case epoch_cases[];
extern const size_t n_epoch_cases;

/* The signed transaction of that case, by the sequencer it names (member 1, but for one case). */
json_t *epoch_case_tx(const struct epoch_maker *maker, size_t at);

#endif
