/* What a holder does with an SD-JWT: sd_vc.h. */
#include <string.h>

#include "base/json_any.h"
#include "did/credential/credential_own.h"
#include "did/credential/jwk.h"
#include "did/credential/pointer.h"
#include "did/credential/sd_vc.h"

struct held {
    struct credential_sd sd;
    enum did_digest digest;
    json_t *claims;
};

static void held_release(struct held *h)
{
    credential_sd_release(&h->sd);
    json_decref(h->claims);
}

/* On failure too, held_release(). */
static fm_status held_read(struct held *h, const char *text, struct base_err *err)
{
    struct credential_jws jws;
    fm_status st;

    memset(h, 0, sizeof *h);
    st = credential_sd_split(&h->sd, text, err);
    if (st != FM_OK)
        return st;
    if (h->sd.binding != NULL)
        return base_err_set(err, FM_E_INPUT,
                            "it is a presentation, which was made for one verifier already");
    st = credential_jws_split(&jws, h->sd.jwt, err);
    if (st != FM_OK)
        return st;
    st = base_json_any_parse(&h->claims, (const char *)jws.payload.p, jws.payload.len, err);
    credential_jws_release(&jws);
    return st != FM_OK ? st : credential_sd_read(&h->sd, &h->digest, h->claims, err);
}

/* The last element: [salt, name, value] or [salt, value]. */
static json_t *value_of(const struct credential_sd_part *part)
{
    return json_array_get(part->content, json_array_size(part->content) - 1);
}

fm_status credential_sd_list(json_t **out, const char *text, struct base_err *err)
{
    struct held h;
    fm_status st = held_read(&h, text, err);

    *out = json_array();
    for (size_t i = 0; st == FM_OK && i < h.sd.count; i++) {
        const struct credential_sd_part *part = &h.sd.parts[i];
        const char *inside =
            part->within == CREDENTIAL_SD_NOWHERE ? NULL : h.sd.parts[part->within].pointer;
        if (json_array_append_new(*out, json_pack("{s:s, s:O, s:s*}", "pointer", part->pointer,
                                                  "value", value_of(part), "inside", inside)) != 0)
            st = base_err_memory(err, "Disclosures");
    }
    if (st == FM_OK && *out == NULL)
        st = base_err_memory(err, "Disclosures");
    held_release(&h);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

/* ---- choosing ---- */

/* Chooses the claim at `text`: what is inside it, and what it is inside of. Open claims are shown
 * anyway. */
static fm_status choose(bool *chosen, const struct held *h, const char *text, struct base_err *err)
{
    struct credential_pointer at;
    bool is_there;
    fm_status st = credential_pointer_parse(&at, text, err);

    if (st != FM_OK)
        return st;
    is_there = credential_pointer_find(h->claims, &at, at.count) != NULL;
    credential_pointer_release(&at);
    if (!is_there)
        return base_err_set(err, FM_E_NOT_FOUND, "%.100s: the credential has no such claim", text);
    for (size_t i = 0; i < h->sd.count; i++)
        if (credential_pointer_within(h->sd.parts[i].pointer, text) ||
            credential_pointer_within(text, h->sd.parts[i].pointer))
            chosen[i] = true;
    return FM_OK;
}

static void put_chosen(struct base_buf *out, const bool *chosen, const struct credential_sd *sd)
{
    base_buf_put_str(out, sd->jwt);
    base_buf_put_u8(out, '~');
    for (size_t i = 0; i < sd->count; i++) {
        if (!chosen[i])
            continue;
        base_buf_put_str(out, sd->parts[i].text);
        base_buf_put_u8(out, '~');
    }
}

/* ---- Key Binding ---- */

static fm_status check_own(const json_t *claims, const struct did_secret *secret,
                           struct base_err *err)
{
    struct did_key named;
    const json_t *jwk = json_object_get(json_object_get(claims, "cnf"), "jwk");
    fm_status st;

    if (jwk == NULL)
        return base_err_set(err, FM_E_INPUT, "cnf has no key: it is bound to no holder");
    st = credential_jwk_read(&named, jwk, DID_RULES_VERSION, err);
    if (st != FM_OK)
        return base_err_prefix(err, "cnf");
    return did_key_equal(&named, did_secret_key(secret))
               ? FM_OK
               : base_err_set(err, FM_E_AUTH,
                              "the key is not the one that cnf names: only its "
                              "holder may show this credential");
}

/* Appends the JWT over the first `len` bytes of out from `from` on. */
static fm_status bind(struct base_buf *out, size_t from, enum did_digest digest,
                      const struct did_secret *secret, const struct credential_sd_request *request,
                      int64_t now_s, struct base_err *err)
{
    struct base_buf hash = {0}, header = {0}, payload = {0};
    json_t *head = json_pack("{s:s, s:s}", "alg", credential_alg(did_secret_key(secret)->suite),
                             "typ", "kb+jwt");
    json_t *claims = NULL;
    fm_status st = head == NULL ? base_err_memory(err, "Key Binding")
                                : base_json_canonical(&header, head, err);

    if (st == FM_OK)
        st = credential_sd_digest(&hash, (const char *)out->p + from, out->len - from, digest, err);
    if (st == FM_OK) {
        claims =
            json_pack("{s:s, s:I, s:s, s:s}", "aud", request->audience, "iat", (json_int_t)now_s,
                      "nonce", request->nonce, "sd_hash", base_buf_cstr(&hash));
        st = claims == NULL ? base_err_memory(err, "Key Binding")
                            : base_json_canonical(&payload, claims, err);
    }
    if (st == FM_OK)
        st = credential_jws_sign(out, header.p, header.len, payload.p, payload.len, secret, err);
    json_decref(head);
    json_decref(claims);
    base_buf_release(&hash);
    base_buf_release(&header);
    base_buf_release(&payload);
    return st;
}

fm_status credential_sd_present(struct base_buf *out, const char *text, const char *const *shown,
                                size_t shown_count, const struct did_secret *secret,
                                const struct credential_sd_request *request, int64_t now_s,
                                struct base_err *err)
{
    bool chosen[CREDENTIAL_SD_PARTS_MAX] = {false};
    size_t from = out->len;
    struct held h;
    fm_status st = held_read(&h, text, err);

    for (size_t i = 0; st == FM_OK && shown == NULL && i < h.sd.count; i++)
        chosen[i] = true;
    for (size_t i = 0; st == FM_OK && i < shown_count; i++)
        st = choose(chosen, &h, shown[i], err);
    if (st == FM_OK && request != NULL)
        st = check_own(h.claims, secret, err);
    if (st == FM_OK) {
        put_chosen(out, chosen, &h.sd);
        st = base_buf_status(out, "presentation", err);
    }
    if (st == FM_OK && request != NULL)
        st = bind(out, from, h.digest, secret, request, now_s, err);
    held_release(&h);
    return st;
}
