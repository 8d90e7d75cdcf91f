#include "ledger/proof/lottery.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"

void ledger_lottery_commit(uint8_t out32[32], const uint8_t lottery32[32], const char *alias,
                           const uint8_t share32[32])
{
    static const char domain[] = "firmiana/lottery/share/1"; /* with its NUL */
    struct base_hash h;

    base_hash_init(&h);
    base_hash_update(&h, domain, sizeof domain);
    base_hash_update(&h, lottery32, 32);
    base_hash_update(&h, alias, strlen(alias) + 1);
    base_hash_update(&h, share32, 32);
    base_hash_final(&h, out32);
}

fm_status ledger_lottery_seed(uint8_t out32[32], const uint8_t lottery32[32], const json_t *members,
                              const json_t *shares, struct base_err *err)
{
    static const char domain[] = "firmiana/lottery/seed/1";
    struct base_hash h;
    fm_status st = FM_OK;

    base_hash_init(&h);
    base_hash_update(&h, domain, sizeof domain);
    base_hash_update(&h, lottery32, 32);
    for (size_t i = 0; st == FM_OK && i < json_array_size(members); i++) {
        const char *alias = json_string_value(json_array_get(members, i));
        uint8_t share[32];

        if (json_object_get(shares, alias) == NULL)
            st = base_err_set(err, FM_E_NOT_FOUND, "%s has not revealed its share", alias);
        else
            st = base_json_get_hex(share, 32, shares, alias, err);
        if (st == FM_OK)
            base_hash_update(&h, share, 32);
    }
    base_hash_final(&h, out32);
    return st;
}

/* ---- the draw ---- */

struct stream {
    uint8_t block[40]; /* seed, then the counter */
    uint8_t out[32];
    uint64_t n;
    unsigned left; /* of out's four numbers */
};

static uint64_t next(struct stream *s)
{
    if (s->left == 0) {
        base_store_u64(s->block + 32, s->n++);
        base_hash(s->out, s->block, sizeof s->block);
        s->left = 4;
    }
    s->left--;
    return base_load_u64(s->out + 8 * (3 - s->left));
}

/* Uniform below n: 2^64 mod n numbers too many would favour the low ones, so the last are drawn
 * again. */
static uint64_t below(struct stream *s, uint64_t n)
{
    uint64_t extra = (UINT64_MAX % n + 1) % n, v;

    do
        v = next(s);
    while (v > UINT64_MAX - extra);
    return v % n;
}

fm_status ledger_lottery_draw(uint32_t *out, const uint8_t seed32[32], uint32_t count,
                              uint32_t winners, struct base_err *err)
{
    struct stream s = {.n = 0};
    uint32_t *place;

    if (winners < 1 || winners > count || count > LEDGER_LOTTERY_ENTRIES_MAX)
        return base_err_set(err, FM_E_ARG, "1 to %lu winners of at most %d entries",
                            (unsigned long)count, LEDGER_LOTTERY_ENTRIES_MAX);
    place = malloc((size_t)count * sizeof *place);
    if (place == NULL)
        return base_err_memory(err, "draw");
    for (uint32_t i = 0; i < count; i++)
        place[i] = i;
    memcpy(s.block, seed32, 32);
    for (uint32_t j = 0; j < winners; j++) {
        uint32_t at = j + (uint32_t)below(&s, count - j), kept = place[at];

        place[at] = place[j];
        place[j] = kept;
        out[j] = kept;
    }
    free(place);
    return FM_OK;
}
