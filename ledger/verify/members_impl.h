/* Inside members.h: shared by members.c (genesis, look-up, documents) and members_vote.c
 * (proposals). */
#ifndef FIRMIANA_LEDGER_MEMBERS_IMPL_H
#define FIRMIANA_LEDGER_MEMBERS_IMPL_H

#include "ledger/verify/members.h"

struct ledger_ballot {
    size_t voter; /* index of the member */
    bool accept;
};

struct ledger_proposal {
    uint8_t id[32];
    bool join; /* member.propose; else member.suspend */
    char alias[DID_ALIAS_MAX + 1];
    json_t *document; /* of a join, owned */
    struct ledger_ballot *ballot;
    size_t n;
};

struct ledger_members {
    struct ledger_terms terms;
    json_t *genesis; /* what terms.name points into */
    uint8_t chain[32];
    struct ledger_identity *member;
    size_t n, cap;
    struct ledger_proposal *open; /* proposals not yet decided */
    size_t n_open, cap_open;
};

fm_status ledger_members_refute(struct base_err *err, const char *why);

/* Adds a member with its first document, which it takes. Alias and DID are new. */
fm_status ledger_members_join(struct ledger_members *m, const char *alias, struct did_document *doc,
                              struct base_err *err) FM_CHECK;

/* Whether one more member may stop being active. */
bool ledger_members_can_leave(const struct ledger_members *m);

fm_status ledger_members_propose(struct ledger_members *m, const struct ledger_tx *tx,
                                 size_t sender, struct base_err *err) FM_CHECK;
fm_status ledger_members_vote(struct ledger_members *m, const struct ledger_tx *tx, size_t sender,
                              struct base_err *err) FM_CHECK;
void ledger_proposal_release(struct ledger_proposal *p);

/* Room for one more item of `size` bytes; false when memory is out. */
bool ledger_members_room(void **array, size_t *cap, size_t n, size_t size) FM_CHECK;

#endif
