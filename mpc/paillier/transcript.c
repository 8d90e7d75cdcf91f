#include "mpc/paillier/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void mpc_pai_transcript_put(struct mpc_pai_transcript *t, const void *bytes, size_t len)
{
    uint8_t head[8];

    base_store_u64(head, len);
    base_hash_update(&t->h, head, sizeof head);
    base_hash_update(&t->h, bytes, len);
}

void mpc_pai_transcript_init(struct mpc_pai_transcript *t, const char *proof,
                             const struct mpc_pai_bond *bond)
{
    uint8_t party[8];

    base_hash_init(&t->h);
    mpc_pai_transcript_put(t, "firmiana paillier proof 1", 25);
    mpc_pai_transcript_put(t, proof, strlen(proof));
    mpc_pai_transcript_put(t, bond->session32, sizeof bond->session32);
    base_store_u64(party, bond->party);
    mpc_pai_transcript_put(t, party, sizeof party);
}

void mpc_pai_transcript_put_mpz(struct mpc_pai_transcript *t, const mpz_t v)
{
    uint8_t bytes[4096];
    size_t len = (mpz_sizeinbase(v, 2) + 7) / 8;

    if (len > sizeof bytes) /* our bug: nothing here has more than 4 * 4096 bits and its masks */
        abort();
    mpz_export(bytes, &len, 1, 1, 1, 0, v);
    mpc_pai_transcript_put(t, bytes, len);
}

fm_status mpc_pai_transcript_put_cipher(struct mpc_pai_transcript *t,
                                        const struct mpc_pai_cipher *c, struct base_err *err)
{
    struct base_buf b = {0};
    fm_status st = mpc_pai_cipher_put(&b, c, err);

    if (st == FM_OK)
        mpc_pai_transcript_put(t, b.p, b.len);
    base_buf_release(&b);
    return st;
}

void mpc_pai_transcript_end(struct mpc_pai_transcript *t, uint8_t seed32[32])
{
    base_hash_final(&t->h, seed32);
}

void mpc_pai_expand(void *out, size_t len, const uint8_t seed32[32], const char *what)
{
    uint8_t *to = out, block[32];

    for (uint64_t i = 0; len > 0; i++) {
        size_t n = len < sizeof block ? len : sizeof block;
        struct base_hash h;
        uint8_t counter[8];
        base_store_u64(counter, i);
        base_hash_init(&h);
        base_hash_update(&h, seed32, 32);
        base_hash_update(&h, counter, sizeof counter);
        base_hash_update(&h, what, strlen(what));
        base_hash_final(&h, block);
        memcpy(to, block, n);
        to += n, len -= n;
    }
}
