#include "exchange/aggregate/key.h"

#include <string.h>

#include "base/bytes.h"
#include "base/json.h"

static fm_status read_parties(struct aggregate_key_public *k, const json_t *json,
                              struct base_err *err)
{
    json_t *list, *item;
    size_t i;

    if (base_json_get_array(&list, json, "parties", err) != FM_OK)
        return err->code;
    if (json_array_size(list) < 1 || json_array_size(list) > AGGREGATE_KEY_PARTIES)
        return base_err_set(err, FM_E_LIMIT, "a key has 1 to %d parties", AGGREGATE_KEY_PARTIES);
    json_array_foreach(list, i, item)
    {
        k->parties[i] = json_string_value(item);
        if (k->parties[i] == NULL)
            return base_err_set(err, FM_E_INPUT, "member 'parties' must hold aliases");
        if (aggregate_key_party(k, k->parties[i]) != 0)
            return base_err_set(err, FM_E_INPUT, "member 'parties' names %s twice", k->parties[i]);
        k->party_count++;
    }
    return FM_OK;
}

enum { SIGNED = 2 /* mpc_pai_thr_put()'s own first byte is 1 */ };

/* thr: the key's bytes, within bytes; proof: what follows them. */
static fm_status take_public(struct base_buf *bytes, struct base_cur *thr, struct base_cur *proof,
                             const json_t *json, struct base_err *err)
{
    const char *text;
    fm_status st = base_json_get_str(&text, json, "public", err);
    struct base_cur cur;
    size_t len;

    if (st == FM_OK && !base_unbase64url(bytes, text, strlen(text)))
        st = base_err_set(err, FM_E_INPUT, "member 'public' must be base64url");
    if (st != FM_OK)
        return st;
    *thr = cur = base_cur_make(bytes->p, bytes->len);
    *proof = base_cur_make(NULL, 0);
    if (base_cur_u8(&cur) != SIGNED)
        return FM_OK;
    len = base_cur_u32(&cur);
    *thr = base_cur_make(base_cur_take(&cur, len), len);
    *proof = base_cur_make(cur.p, cur.left);
    return cur.bad || cur.left == 0 ? base_err_set(err, FM_E_INPUT, "member 'public' is cut short")
                                    : FM_OK;
}

fm_status aggregate_key_split(json_t **bare, json_t **proof, const json_t *json,
                              struct base_err *err)
{
    struct base_buf bytes = {0}, text = {0};
    struct base_cur thr, said;
    fm_status st = take_public(&bytes, &thr, &said, json, err);

    *bare = *proof = NULL;
    if (st == FM_OK) {
        base_base64url(&text, thr.p, thr.left);
        *bare = json_copy((json_t *)(uintptr_t)json);
        if (*bare == NULL ||
            json_object_set_new(*bare, "public", json_string(base_buf_cstr(&text))) != 0)
            st = base_err_memory(err, "key");
    }
    if (st == FM_OK && said.left > 0)
        st = base_json_parse(proof, (const char *)said.p, said.left, err);
    if (st != FM_OK) {
        json_decref(*bare);
        *bare = NULL;
    }
    base_buf_release(&bytes);
    base_buf_release(&text);
    return st;
}

fm_status aggregate_key_join(json_t **out, const json_t *bare, const json_t *proof,
                             struct base_err *err)
{
    struct base_buf bytes = {0}, said = {0}, whole = {0}, text = {0};
    struct base_cur thr, none;
    fm_status st = take_public(&bytes, &thr, &none, bare, err);

    *out = NULL;
    if (st == FM_OK)
        st = base_json_canonical(&said, proof, err);
    if (st == FM_OK) {
        base_buf_put_u8(&whole, SIGNED);
        base_buf_put_u32(&whole, (uint32_t)thr.left);
        base_buf_put(&whole, thr.p, thr.left);
        base_buf_put(&whole, said.p, said.len);
        base_base64url(&text, whole.p, whole.len);
        *out = json_copy((json_t *)(uintptr_t)bare);
        if (*out == NULL || whole.failed ||
            json_object_set_new(*out, "public", json_string(base_buf_cstr(&text))) != 0)
            st = base_err_memory(err, "key");
    }
    base_buf_release(&bytes);
    base_buf_release(&said);
    base_buf_release(&whole);
    base_buf_release(&text);
    return st;
}

static fm_status read_public(struct aggregate_key_public *k, const json_t *json,
                             struct base_err *err)
{
    struct base_buf bytes = {0};
    struct base_cur thr, proof;
    fm_status st = take_public(&bytes, &thr, &proof, json, err);

    if (st == FM_OK)
        st = mpc_pai_thr_get(&k->thr, thr.p, thr.left, err);
    base_buf_release(&bytes);
    return st;
}

static fm_status compare(const struct aggregate_key_public *k, int64_t threshold, int64_t bits,
                         const char *kind, struct base_err *err)
{
    const struct mpc_pai_modulus *n = mpc_pai_std_modulus(mpc_pai_thr_as_std(k->thr));

    if (strcmp(kind, "threshold") != 0)
        return base_err_set(err, FM_E_INPUT, "member 'kind' must be threshold");
    if (threshold != (int64_t)mpc_pai_thr_needed(k->thr) ||
        bits != (int64_t)mpc_pai_modulus_bits(n) || k->party_count != mpc_pai_thr_parties(k->thr) ||
        strcmp(k->dealer, mpc_pai_thr_dealer(k->thr)) != 0)
        return base_err_set(err, FM_E_INPUT,
                            "'public' is a key of %u bits, %u of %u, dealt by %s: bits, threshold, "
                            "parties and dealer must say the same",
                            mpc_pai_modulus_bits(n), mpc_pai_thr_needed(k->thr),
                            mpc_pai_thr_parties(k->thr), mpc_pai_thr_dealer(k->thr));
    return FM_OK;
}

fm_status aggregate_key_open(struct aggregate_key_public *out, const json_t *json,
                             struct base_err *err)
{
    static const char *const names[] = {"bits",   "dealer",    "kind", "parties",
                                        "public", "threshold", NULL};
    const char *kind;
    int64_t threshold, bits;
    fm_status st = base_json_only(json, names, err);

    *out = (struct aggregate_key_public){0};
    if (st == FM_OK)
        st = base_json_get_str(&kind, json, "kind", err);
    if (st == FM_OK)
        st = base_json_get_str(&out->dealer, json, "dealer", err);
    if (st == FM_OK)
        st = base_json_get_int(&threshold, json, "threshold", err);
    if (st == FM_OK)
        st = base_json_get_int(&bits, json, "bits", err);
    if (st == FM_OK)
        st = read_parties(out, json, err);
    if (st == FM_OK)
        st = read_public(out, json, err);
    if (st == FM_OK)
        st = compare(out, threshold, bits, kind, err);
    if (st != FM_OK) {
        aggregate_key_close(out);
        return base_err_prefix(err, "key");
    }
    out->threshold = (unsigned)threshold;
    base_hex(out->id_hex, mpc_pai_modulus_id32(mpc_pai_std_modulus(mpc_pai_thr_as_std(out->thr))),
             32);
    return FM_OK;
}

void aggregate_key_close(struct aggregate_key_public *key)
{
    mpc_pai_thr_free(key->thr);
    key->thr = NULL;
}

fm_status aggregate_key_json(json_t **out, const struct mpc_pai_thr *thr,
                             const char *const *parties, struct base_err *err)
{
    struct base_buf bytes = {0}, text = {0};
    json_t *list = json_array();
    fm_status st = mpc_pai_thr_put(&bytes, thr, err);

    *out = NULL;
    for (unsigned i = 0; st == FM_OK && i < mpc_pai_thr_parties(thr); i++)
        if (json_array_append_new(list, json_string(parties[i])) != 0)
            st = base_err_set(err, FM_E_ARG, "an alias must be UTF-8");
    if (st == FM_OK) {
        base_base64url(&text, bytes.p, bytes.len);
        *out = json_pack("{s:i,s:s,s:s,s:O,s:s,s:i}", "bits",
                         (int)mpc_pai_modulus_bits(mpc_pai_std_modulus(mpc_pai_thr_as_std(thr))),
                         "dealer", mpc_pai_thr_dealer(thr), "kind", "threshold", "parties", list,
                         "public", base_buf_cstr(&text), "threshold", (int)mpc_pai_thr_needed(thr));
        if (*out == NULL)
            st = base_err_memory(err, "key");
    }
    base_buf_release(&bytes);
    base_buf_release(&text);
    json_decref(list);
    return st;
}

uint32_t aggregate_key_party(const struct aggregate_key_public *key, const char *alias)
{
    for (unsigned i = 0; i < key->party_count; i++)
        if (strcmp(key->parties[i], alias) == 0)
            return i + 1;
    return 0;
}
