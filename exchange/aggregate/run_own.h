/* What run.c (the steps), vector.c (a provider's vector, made, sent and taken), open.c (sums,
 * decrypted) and answer.c (rows) share. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_RUN_OWN_H
#define FIRMIANA_EXCHANGE_AGGREGATE_RUN_OWN_H

#include "exchange/aggregate/pack.h"
#include "exchange/aggregate/run.h"

enum { AGGREGATE_SOURCES = NET_MAX_PARTIES };

struct aggregate_run {
    const struct aggregate_config *c;
    const struct aggregate_shape *shape;
    struct aggregate_record *record;
    struct aggregate_pack pack;
    bool decrypts, receives;
    bool apart; /* decryptors that are recipients do not see sums of guards */
    size_t source_count;
    struct mpc_pai_generators *generators; /* of range proofs, where some are made or checked */
    struct mpc_pai_cipher vectors[AGGREGATE_SOURCES];
    bool have[AGGREGATE_SOURCES];
    size_t total;     /* numbers of a vector */
    int64_t *numbers; /* sums, as far as they were decrypted here; others are 0 */
    bool *reached;    /* of each guard; at decryptors and recipients */
    uint32_t wrong;   /* bit i: decryptor i's part was not right */
};

static inline bool aggregate_party_in(unsigned party, const unsigned *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == party)
            return true;
    return false;
}
bool aggregate_receives(const struct aggregate_run *r, unsigned party);
static inline bool aggregate_decrypts(const struct aggregate_run *r, unsigned party)
{
    return party < r->c->decryptors;
}

/* Does that party see the sums of guards? */
static inline bool aggregate_judges(const struct aggregate_run *r, unsigned party)
{
    return aggregate_decrypts(r, party) && !(r->apart && aggregate_receives(r, party));
}

/* Bytes with their length in front; at most `most` of them. */
fm_status aggregate_send(struct aggregate_run *r, unsigned to, const struct base_buf *bytes,
                         struct base_err *err) FM_CHECK;
/* *out is cleared first. */
fm_status aggregate_recv(struct aggregate_run *r, unsigned from, struct base_buf *out, size_t most,
                         struct base_err *err) FM_CHECK;
/* Names the party that an error of kind FM_E_INPUT or FM_E_PEER in its message is about. */
fm_status aggregate_blame(const struct aggregate_run *r, unsigned party, struct base_err *err);
/* SHA-256(label | 0 | session32 | bytes): bonds and commitments. */
void aggregate_hash(uint8_t out32[32], const struct aggregate_run *r, const char *label,
                    const void *bytes, size_t len);

/* vector.c */
fm_status aggregate_exchange_vectors(struct aggregate_run *r, struct base_err *err) FM_CHECK;

/* open.c */
fm_status aggregate_open_guards(struct aggregate_run *r, struct base_err *err) FM_CHECK;
fm_status aggregate_open_values(struct aggregate_run *r, struct base_err *err) FM_CHECK;
/* Is value number v of that group behind guards that were reached? */
bool aggregate_is_open(const struct aggregate_run *r, size_t group, size_t item);

/* answer.c */
fm_status aggregate_answer(struct sql_result *out, const struct aggregate_run *r,
                           struct base_err *err) FM_CHECK;

#endif
