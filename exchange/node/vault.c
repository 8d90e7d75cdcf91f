#include "exchange/node/vault.h"

#include <limits.h>
#include <string.h>

#include "base/aead.h"
#include "base/hash.h"
#include "base/secret.h"
#include "net/seal.h"

fm_status vault_init(struct vault *v, const uint8_t secret32[32], struct base_err *err)
{
    memcpy(v->secret, secret32, sizeof v->secret);
    return net_expand(v->key, sizeof v->key, secret32, "firmiana vault v1", NULL, 0, err);
}

void vault_release(struct vault *v)
{
    base_wipe(v, sizeof *v);
}

fm_status vault_tag(const struct vault *v, uint8_t out[VAULT_TAG], const char *text,
                    struct base_err *err)
{
    uint8_t hash[32];

    base_hash(hash, text, strlen(text));
    return net_expand(out, VAULT_TAG, v->secret, "firmiana vault tag v1", hash, sizeof hash, err);
}

/* What is authenticated beside the content; the caller releases it. */
static struct base_aead_with what_for(struct base_buf *out, const char *kind, const char *name)
{
    base_buf_put(out, kind, strlen(kind) + 1);
    base_buf_put_str(out, name);
    return (struct base_aead_with){out->p, out->len};
}

fm_status vault_seal(const struct vault *v, struct base_buf *out, const char *kind,
                     const char *name, const void *bytes, size_t len,
                     const struct base_random *random, struct base_err *err)
{
    struct base_buf with = {0};
    struct base_aead_with what = what_for(&with, kind, name);
    uint8_t *box = NULL;
    fm_status st = base_buf_status(&with, "vault", err);

    if (st == FM_OK && len > INT_MAX - VAULT_OVERHEAD)
        st = base_err_set(err, FM_E_LIMIT, "vault: %zu bytes are too many", len);
    if (st == FM_OK && (box = base_buf_extend(out, len + VAULT_OVERHEAD)) == NULL)
        st = base_err_memory(err, "vault");
    if (st == FM_OK)
        st = base_random_fill(random, box, BASE_AEAD_NONCE, err);
    if (st == FM_OK)
        st = base_aead_seal(base_aead_usual(), box + BASE_AEAD_NONCE, v->key, box, what, bytes, len,
                            err);
    base_buf_release(&with);
    return st;
}

fm_status vault_open(const struct vault *v, struct base_buf *out, const char *kind,
                     const char *name, const void *box, size_t len, struct base_err *err)
{
    const uint8_t *p = box;
    size_t inside = len - VAULT_OVERHEAD, before = out->len;
    struct base_buf with = {0};
    struct base_aead_with what;
    uint8_t *plain;
    fm_status st;

    if (len < VAULT_OVERHEAD || len > INT_MAX)
        return base_err_set(err, FM_E_CORRUPT, "%s %.16s: too short to be sealed", kind, name);
    what = what_for(&with, kind, name);
    plain = base_buf_extend(out, inside);
    st = plain == NULL ? base_err_memory(err, "vault") : base_buf_status(&with, "vault", err);
    if (st == FM_OK)
        st = base_aead_open(base_aead_usual(), plain, v->key, p, what, p + BASE_AEAD_NONCE, inside,
                            err);
    base_buf_release(&with);
    if (st == FM_OK)
        return FM_OK;
    if (plain != NULL)
        base_wipe(plain, inside);
    out->len = before;
    if (st != FM_E_AUTH)
        return st;
    return base_err_set(err, FM_E_CORRUPT,
                        "%s %.16s does not open: it was altered, or sealed under another key", kind,
                        name);
}
