/* `psi-sum`, the protocol: one party's part; mpc/psi has the messages. Parties that are neither
 * side have nothing to do. Below the minimum nothing is decrypted, and every cell of the answer is
 * suppressed.
 *
 * Identifiers: INTEGER, DECIMAL, DATE and BOOLEAN as 8 bytes, big-endian; TEXT as its SHA-256. Rows
 * without one match nothing.
 *
 * Learnt: both sides the size of the intersection, or that it is below the minimum (the matcher
 * then its size); recipients the sums. Cost: 5 messages, bytes as mpc/psi says. */
#ifndef FIRMIANA_EXCHANGE_INTERSECT_RUN_H
#define FIRMIANA_EXCHANGE_INTERSECT_RUN_H

#include "exchange/intersect/shape.h"
#include "exchange/run/run.h"
#include "mpc/psi/psi.h"
#include "net/transport.h"

enum { INTERSECT_KEY_BITS = 2048 };

struct intersect_config {
    const struct intersect_shape *shape;
    struct net_transport *transport;
    unsigned stream;
    uint8_t session32[32];
    unsigned sides[2];                  /* party of each side */
    bool receives[2];                   /* is that side a recipient? */
    const struct sql_value *values;     /* of the plan's parameters */
    const struct sql_rows *const *rows; /* for each source: its rows at its provider, else NULL */
    const struct base_random *random;
    fm_status (*may_open)(void *ctx, struct base_err *err); /* before each message but the first */
    void (*progress)(void *ctx, unsigned at, unsigned of, const char *name);
    void *ctx;
};

/* What the receipt commits to; both sides hold all of it. */
struct intersect_record {
    bool runs;                        /* this party is a side */
    uint8_t input[2][32];             /* of each side (mpc_psi_commitment) */
    uint8_t messages[32];             /* SHA-256 over all messages, in their order */
    uint8_t opening[MPC_PSI_OPENING]; /* of the own input (mpc_psi_opening): secret, to be kept and
                                         wiped */
};

/* What the contract and the plan make of it. FM_E_LIMIT where sums might leave 62 bits. */
fm_status intersect_terms(struct mpc_psi_terms *out, const struct intersect_shape *shape,
                          const bool receives[2], struct base_err *err) FM_CHECK;

/* A side's own rows, as its commitment holds them: those that its WHERE leaves, in the file's
 * order. */
struct intersect_rows {
    size_t n, most, id_len, columns;
    uint8_t *ids;
    int64_t *sums; /* columns one after the other, `most` rows each */
    const int64_t *column[INTERSECT_MAX_ITEMS];
};
/* rows: of that side's source. To be released whatever it returns; wiped then. */
fm_status intersect_rows_load(struct intersect_rows *out, const struct intersect_shape *shape,
                              enum intersect_side side, const struct sql_rows *rows,
                              const struct sql_value *values, struct base_err *err) FM_CHECK;
void intersect_rows_release(struct intersect_rows *rows);

/* *out is initialised at sides that are recipients, {0} elsewhere. After a failure of its own this
 * party has aborted the transport. */
fm_status intersect_run(struct sql_result *out, struct intersect_record *record,
                        const struct intersect_config *config, struct base_err *err) FM_CHECK;

#endif
