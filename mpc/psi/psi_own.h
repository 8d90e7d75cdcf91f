/* What the files of this folder share: a side's state, points, messages. */
#ifndef FIRMIANA_MPC_PSI_PSI_OWN_H
#define FIRMIANA_MPC_PSI_PSI_OWN_H

#include "mpc/curve/curve.h"
#include "mpc/paillier/cipher.h"
#include "mpc/psi/psi.h"

enum { PSI_POINT = 32, PSI_CHUNK = 256 /* rows whose ciphertexts are made or read at once */ };

/* Messages: u8 version 1, u8 type, 32 bytes of the terms' hash, then as psi.h draws them. */
enum psi_message {
    PSI_POINTS = 1, /* 32 n */
    PSI_ANSWER,     /* 32 n, 32 m; with columns: u32 length and key, u32 length and proof, and the
                       ciphertexts (cipher.h) of PSI_CHUNK rows at a time, row by row */
    PSI_SUM,        /* u64 size, 32 m, ciphertexts */
    PSI_OPENED,     /* nothing, or plaintexts */
    PSI_MASKS,      /* nothing, or plaintexts */
    PSI_TOO_FEW     /* in place of PSI_SUM */
};
enum { PSI_HEAD = 34 };

struct psi_point {
    uint8_t p[PSI_POINT];
    uint32_t row; /* of the side that made it; rows->n and more: filled up */
};

/* A group of prime order in which psi.h's scalars multiply (groups.c). Points are 32 bytes with one
 * form each; who is neither neutral nor such a form is no point. */
struct psi_group {
    const char *name; /* as it stands in errors */
    const char *dst;  /* of hashing to it: RFC 9380, 3.1 */
    /* Uniform but for 2^-128, from 64 uniform bytes; 0 with a chance of 2^-252. */
    fm_status (*scalar)(uint8_t scalar32[32], const uint8_t wide64[64], struct base_err *err);
    /* z[i] = scalar H(message i), scalar x[i], i < n <= MPC_PSI_BATCH (curve.h); messages: of len
     * bytes each. *bad: bit i is set where number i is no point, or the product is neutral. */
    fm_status (*times_hash)(unsigned *bad, uint8_t z[][PSI_POINT], const uint8_t *messages,
                            size_t len, size_t n, const uint8_t scalar32[32], struct base_err *err);
    fm_status (*times)(unsigned *bad, uint8_t z[][PSI_POINT], const uint8_t x[][PSI_POINT],
                       size_t n, const uint8_t scalar32[32], struct base_err *err);
};
extern const struct psi_group mpc_psi_ristretto255, mpc_psi_sm2;
/* The profile's (base/profile.h). */
const struct psi_group *mpc_psi_group(void);

enum psi_state { PSI_WORKS, PSI_DONE, PSI_REFUSED, PSI_BROKEN };

struct mpc_psi {
    enum mpc_psi_side side;
    enum psi_state state;
    unsigned stage; /* of the side's list of messages (psi.c) */
    struct mpc_psi_terms terms;
    uint8_t terms32[32];
    const struct psi_group *group;
    unsigned threads;
    const struct base_random *random;
    uint8_t scalar[32], salt[32];
    uint8_t commitment[32];
    struct mpc_pai_slots slots; /* with columns */
    size_t groups;
    struct mpc_psi_key key;   /* the holder's */
    struct mpc_pai_djn *peer; /* the matcher's copy of it, once it has come */
    struct base_buf ready;    /* own points (matcher), points, key, proof, ciphertexts (holder) */
    uint8_t *both;            /* holder: abH(v), sorted */
    struct mpc_pai_plain masks, masked;
    size_t size;
    int64_t *sums; /* columns of them, once opened */
};

/* groups.c. hash_to_ristretto255 (RFC 9380, appendix B) of SHA-512. */
void mpc_psi_hash_to_group(uint8_t out32[32], const void *message, size_t len, const void *dst,
                           size_t dst_len);
/* points.c. What stands in for the identifier of row `index` where the set is filled up. */
void mpc_psi_filler(uint8_t out32[32], const struct mpc_psi *psi, size_t index);
/* Calls range on [0, n) in up to `threads` pieces, one a thread; the first error counts. */
fm_status mpc_psi_share_out(size_t n, unsigned threads,
                            fm_status (*range)(void *ctx, size_t from, size_t to,
                                               struct base_err *err),
                            void *ctx, struct base_err *err) FM_CHECK;
/* points: `declared` of them, of the rows and then filled up, times the scalar, sorted. FM_E_ARG if
 * two are equal. */
fm_status mpc_psi_own_points(struct psi_point *points, const struct mpc_psi *psi, size_t declared,
                             const struct mpc_psi_rows *rows, struct base_err *err) FM_CHECK;
/* The peer's n points, checked to be points in ascending order, times the scalar: to, in the same
 * order, row counted. */
fm_status mpc_psi_times(struct psi_point *to, const struct mpc_psi *psi, const uint8_t *from,
                        size_t n, struct base_err *err) FM_CHECK;
fm_status mpc_psi_ascending(const uint8_t *points, size_t n, struct base_err *err) FM_CHECK;
void mpc_psi_sort(struct psi_point *points, size_t n);

/* psi.c */
void mpc_psi_head(struct base_buf *out, const struct mpc_psi *psi, enum psi_message type);
/* masked - masks, to sums. */
fm_status mpc_psi_unmask(struct mpc_psi *psi, struct base_err *err) FM_CHECK;

/* One for each message that comes in; cur: behind the head, to be used up. */
typedef fm_status psi_handler(struct mpc_psi *psi, struct base_cur *cur, struct base_buf *out,
                              struct base_err *err);
psi_handler mpc_psi_matcher_points, mpc_psi_matcher_sum, mpc_psi_matcher_masks,
    mpc_psi_holder_answer, mpc_psi_holder_open, mpc_psi_holder_close;
/* Everything that the holder can make before it hears of the matcher. */
fm_status mpc_psi_holder_prepare(struct mpc_psi *psi, const struct mpc_psi_rows *rows,
                                 struct base_err *err) FM_CHECK;

#endif
