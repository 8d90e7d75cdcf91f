/* Inside members.h: shared by members.c (genesis, look-up, documents) and members_vote.c
 * (proposals). */
#ifndef FIRMIANA_LEDGER_MEMBERS_IMPL_H
#define FIRMIANA_LEDGER_MEMBERS_IMPL_H

#include "did/succession.h"
#include "ledger/verify/members.h"

struct ledger_ballot {
    size_t voter; /* index of the member */
    bool accept;
};

struct ledger_proposal {
    uint8_t id[32];
    enum ledger_tx_type kind;
    char alias[DID_ALIAS_MAX + 1]; /* whom it is about; "" for the parameters */
    json_t *body;                  /* owned */
    struct ledger_ballot *ballot;
    size_t n;
};

struct ledger_members {
    struct ledger_terms terms;
    json_t *limits; /* of the next block: a vote's begin when its block has ended */
    int64_t next_rules, next_rules_height; /* voted; 0: none */
    bool joined, quorum_set;               /* in this block */
    uint64_t quorum_since;                 /* the block that set it; 0: genesis */
    json_t *genesis;                       /* what terms.name points into */
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

/* members_param.c: parameter.propose. Whether it is possible, and doing it. */
bool ledger_members_can_change(const struct ledger_members *m, const json_t *body);
fm_status ledger_members_change(struct ledger_members *m, const json_t *body,
                                struct base_err *err) FM_CHECK;
/* Sets the terms that genesis or a vote gives as limits. */
void ledger_members_set_limits(struct ledger_members *m, const json_t *limits);

/* A member's next document, by whose authority: did.update and its like, and member.rekey. */
fm_status ledger_members_succeed(struct ledger_members *m, struct ledger_identity *member,
                                 const json_t *document, enum did_authority authority,
                                 struct base_err *err) FM_CHECK;

fm_status ledger_members_propose(struct ledger_members *m, const struct ledger_tx *tx,
                                 size_t sender, struct base_err *err) FM_CHECK;
fm_status ledger_members_vote(struct ledger_members *m, const struct ledger_tx *tx, size_t sender,
                              struct base_err *err) FM_CHECK;
void ledger_proposal_release(struct ledger_proposal *p);

/* Room for one more item of `size` bytes; false when memory is out. */
bool ledger_members_room(void **array, size_t *cap, size_t n, size_t size) FM_CHECK;

#endif
