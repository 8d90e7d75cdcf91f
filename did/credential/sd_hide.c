/* Making SD-JWTs: what sd_jwt.h says of issuers. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/credential/jwk.h"
#include "did/credential/pointer.h"
#include "did/credential/sd_jwt.h"

struct hider {
    struct base_buf *out;
    const struct credential_sd_wish *wish;
    enum did_digest digest;
    const struct base_random *random;
    json_t *pointers; /* each once, as members */
};

/* ---- one claim ---- */

static fm_status put_salt(struct base_buf *out, const struct base_random *random,
                          struct base_err *err)
{
    uint8_t salt[CREDENTIAL_SD_SALT];
    fm_status st = base_random_fill(random, salt, sizeof salt, err);

    if (st == FM_OK)
        base_base64url(out, salt, sizeof salt);
    return st;
}

/* Appends the Disclosure of [salt, name, value] or [salt, value]; digest: its digest. */
static fm_status disclose(struct hider *h, struct base_buf *digest, const char *name, json_t *value,
                          struct base_err *err)
{
    struct base_buf salt = {0}, json = {0};
    size_t from = h->out->len;
    json_t *content = NULL;
    fm_status st = put_salt(&salt, h->random, err);

    if (st == FM_OK) {
        content = name != NULL ? json_pack("[s,s,O]", base_buf_cstr(&salt), name, value)
                               : json_pack("[s,O]", base_buf_cstr(&salt), value);
        st = content == NULL ? base_err_memory(err, "Disclosure")
                             : base_json_canonical(&json, content, err);
    }
    if (st == FM_OK) {
        base_base64url(h->out, json.p, json.len);
        st = base_buf_status(h->out, "Disclosures", err);
    }
    if (st == FM_OK)
        st = credential_sd_digest(digest, (const char *)h->out->p + from, h->out->len - from,
                                  h->digest, err);
    base_buf_put_u8(h->out, '~');
    json_decref(content);
    base_buf_release_secret(&salt);
    base_buf_release_secret(&json);
    return st != FM_OK ? st : base_buf_status(h->out, "Disclosures", err);
}

/* A digest of nothing: as random as a digest of what has a salt. */
static fm_status decoy(struct hider *h, struct base_buf *digest, struct base_err *err)
{
    struct base_buf salt = {0};
    fm_status st = put_salt(&salt, h->random, err);

    if (st == FM_OK)
        st = credential_sd_digest(digest, base_buf_cstr(&salt), salt.len, h->digest, err);
    base_buf_release_secret(&salt);
    return st;
}

/* Appends a digest in its form: text in "_sd", {"...": text} in an array. */
static fm_status append(json_t *array, const struct base_buf *digest, bool is_element,
                        struct base_err *err)
{
    json_t *text = json_stringn((const char *)digest->p, digest->len);

    if (json_array_append_new(array, is_element ? json_pack("{s:o}", "...", text) : text) != 0)
        return base_err_memory(err, "digests");
    return FM_OK;
}

static fm_status hide_member(struct hider *h, json_t *object, const char *name,
                             struct base_err *err)
{
    json_t *digests = json_object_get(object, "_sd");
    struct base_buf digest = {0};
    fm_status st = disclose(h, &digest, name, json_object_get(object, name), err);

    if (st == FM_OK && digests == NULL &&
        json_object_set_new(object, "_sd", digests = json_array()) != 0)
        st = base_err_memory(err, "digests");
    if (st == FM_OK)
        st = append(digests, &digest, false, err);
    if (st == FM_OK)
        (void)json_object_del(object, name);
    base_buf_release(&digest);
    return st;
}

static fm_status hide_element(struct hider *h, json_t *array, size_t index, struct base_err *err)
{
    struct base_buf digest = {0};
    fm_status st = disclose(h, &digest, NULL, json_array_get(array, index), err);

    if (st == FM_OK &&
        json_array_set_new(array, index,
                           json_pack("{s:s%}", "...", (const char *)digest.p, digest.len)) != 0)
        st = base_err_memory(err, "digests");
    base_buf_release(&digest);
    return st;
}

/* ---- which claims ---- */

/* Adds the pointers that names[i..] stand for below `value`, which stands at `at`. As deep as the
 * wish's pointer, which is no deeper than BASE_JSON_MAX_DEPTH. */
static fm_status expand(struct hider *h, const json_t *value, struct base_buf *at,
                        const struct credential_pointer *wanted, size_t i, struct base_err *err)
{
    size_t len = at->len, count = json_is_array(value) ? json_array_size(value) : 0;
    bool all = i < wanted->count && strcmp(wanted->names[i], "*") == 0;
    const json_t *below;
    const char *name;
    fm_status st = base_buf_status(at, "claims", err);

    if (st == FM_OK && i == wanted->count)
        return json_object_set_new(h->pointers, base_buf_cstr(at), json_true()) == 0
                   ? FM_OK
                   : base_err_memory(err, "claims");
    for (size_t k = 0; st == FM_OK && all && k < count; k++) {
        credential_pointer_put_index(at, k);
        st = expand(h, json_array_get(value, k), at, wanted, i + 1, err);
        at->len = len;
    }
    json_object_foreach((json_t *)(uintptr_t)(all ? value : NULL), name, below)
    {
        credential_pointer_put(at, name);
        st = st != FM_OK ? st : expand(h, below, at, wanted, i + 1, err);
        at->len = len;
    }
    if (st != FM_OK || all)
        return st;
    below = credential_pointer_step(value, wanted->names[i]);
    if (below == NULL)
        return base_err_set(err, FM_E_ARG, "no claim is there");
    credential_pointer_put(at, wanted->names[i]);
    st = expand(h, below, at, wanted, i + 1, err);
    at->len = len;
    return st;
}

static fm_status expand_all(struct hider *h, const json_t *claims, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < h->wish->hidden_count; i++) {
        struct credential_pointer wanted;
        struct base_buf at = {0};
        st = credential_pointer_parse(&wanted, h->wish->hidden[i], err);
        if (st != FM_OK)
            return st;
        st = wanted.count == 0
                 ? base_err_set(err, FM_E_ARG, "claims can be hidden one by one, not all as one")
                 : expand(h, claims, &at, &wanted, 0, err);
        base_buf_release(&at);
        credential_pointer_release(&wanted);
        if (st != FM_OK)
            return base_err_prefix(err, "%.100s", h->wish->hidden[i]);
    }
    return st;
}

/* Deeper ones first: what is hidden inside another hidden claim needs its own digest there. */
static int by_depth(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    size_t deep_x = 0, deep_y = 0;

    for (const char *p = *x; *p != '\0'; p++)
        deep_x += *p == '/';
    for (const char *p = *y; *p != '\0'; p++)
        deep_y += *p == '/';
    return deep_x != deep_y ? (deep_x < deep_y ? 1 : -1) : strcmp(*x, *y);
}

/* ---- decoys and order ---- */

/* Fills up to a multiple of the wish's. */
static fm_status fill(struct hider *h, json_t *digests, size_t hidden, bool is_element,
                      struct base_err *err)
{
    size_t each = h->wish->decoys, missing = each == 0 ? 0 : (each - hidden % each) % each;
    struct base_buf digest = {0};
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < missing; i++) {
        base_buf_clear(&digest);
        st = decoy(h, &digest, err);
        if (st == FM_OK)
            st = append(digests, &digest, is_element, err);
    }
    base_buf_release(&digest);
    return st;
}

static int by_text(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;

    return strcmp(json_string_value(*x), json_string_value(*y));
}

/* The order of the claims tells something about them: digests are sorted. */
static fm_status sort_digests(json_t *digests, struct base_err *err)
{
    size_t n = json_array_size(digests);
    json_t **items = calloc(n + 1, sizeof(json_t *)), *sorted = json_array();
    fm_status st = items == NULL || sorted == NULL ? base_err_memory(err, "digests") : FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i++)
        items[i] = json_array_get(digests, i);
    if (st == FM_OK)
        qsort(items, n, sizeof(json_t *), by_text);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        if (json_array_append(sorted, items[i]) != 0)
            st = base_err_memory(err, "digests");
    if (st == FM_OK && (json_array_clear(digests) != 0 || json_array_extend(digests, sorted) != 0))
        st = base_err_memory(err, "digests");
    free(items);
    json_decref(sorted);
    return st;
}

/* Decoys and order of the object or array in which claims were hidden, before it is hidden itself.
 */
static fm_status finish(struct hider *h, json_t *value, struct base_err *err)
{
    json_t *digests = json_object_get(value, "_sd"), *one;
    size_t hidden = 0, i;
    fm_status st;

    if (digests != NULL) {
        st = fill(h, digests, json_array_size(digests), false, err);
        return st != FM_OK ? st : sort_digests(digests, err);
    }
    json_array_foreach(value, i, one) hidden += json_object_get(one, "...") != NULL;
    return fill(h, value, hidden, true, err);
}

/* ---- all of it ---- */

/* Hides the claim at `text`; *above: what it stands in. */
static fm_status hide_one(struct hider *h, json_t **above, json_t *claims, const char *text,
                          struct base_err *err)
{
    struct credential_pointer at;
    size_t index = 0;
    fm_status st = credential_pointer_parse(&at, text, err);

    if (st != FM_OK)
        return st;
    *above = credential_pointer_find(claims, &at, at.count - 1);
    if (json_is_array(*above) && credential_pointer_index(&index, at.names[at.count - 1]))
        st = hide_element(h, *above, index, err);
    else
        st = hide_member(h, *above, at.names[at.count - 1], err);
    credential_pointer_release(&at);
    return st;
}

/* Do both stand in the same object or array? */
static bool are_siblings(const char *a, const char *b)
{
    size_t len = (size_t)(strrchr(a, '/') - a);

    return (size_t)(strrchr(b, '/') - b) == len && strncmp(a, b, len) == 0;
}

static fm_status hide_all(struct hider *h, json_t *claims, struct base_err *err)
{
    size_t count = json_object_size(h->pointers), n = 0;
    const char **order = calloc(count + 1, sizeof *order), *name;
    json_t *value, *above;
    fm_status st = order == NULL ? base_err_memory(err, "claims") : FM_OK;

    if (st == FM_OK && count > CREDENTIAL_SD_PARTS_MAX)
        st = base_err_set(err, FM_E_LIMIT, "more than %d claims to hide", CREDENTIAL_SD_PARTS_MAX);
    if (st == FM_OK) {
        json_object_foreach(h->pointers, name, value) order[n++] = name;
        qsort(order, count, sizeof *order, by_depth);
    }
    for (size_t i = 0; st == FM_OK && i < count; i++) {
        st = hide_one(h, &above, claims, order[i], err);
        if (st == FM_OK && (i + 1 == count || !are_siblings(order[i], order[i + 1])))
            st = finish(h, above, err);
    }
    free(order);
    return st;
}

/* No claim has a name that SD-JWTs use themselves. */
static fm_status check_names(const json_t *value, unsigned depth, struct base_err *err)
{
    const json_t *below;
    const char *name;
    size_t i;
    fm_status st = FM_OK;

    if (depth > BASE_JSON_MAX_DEPTH)
        return base_err_set(err, FM_E_INPUT, "claims are nested deeper than %d levels",
                            BASE_JSON_MAX_DEPTH);
    json_object_foreach((json_t *)(uintptr_t)value, name, below)
    {
        if (strcmp(name, "_sd") == 0 || strcmp(name, "_sd_alg") == 0 || strcmp(name, "...") == 0)
            return base_err_set(err, FM_E_INPUT, "a claim has the reserved name '%s'", name);
        st = st != FM_OK ? st : check_names(below, depth + 1, err);
    }
    json_array_foreach(value, i, below) st = st != FM_OK ? st : check_names(below, depth + 1, err);
    return st;
}

fm_status credential_sd_hide(struct base_buf *out, json_t *claims,
                             const struct credential_sd_wish *wish, enum did_digest digest,
                             const struct base_random *random, struct base_err *err)
{
    struct hider h = {out, wish, digest, random, json_object()};
    const char *hash = digest == DID_DIGEST_SM3 ? CREDENTIAL_HASH_SM3 : "sha-256";
    fm_status st = check_names(claims, 0, err);

    if (st == FM_OK && (wish->decoys == 1 || wish->decoys > CREDENTIAL_SD_PARTS_MAX))
        st = base_err_set(err, FM_E_ARG, "decoys fill up to a multiple of 2 to %d",
                          CREDENTIAL_SD_PARTS_MAX);
    if (st == FM_OK && h.pointers == NULL)
        st = base_err_memory(err, "claims");
    if (st == FM_OK)
        st = expand_all(&h, claims, err);
    if (st == FM_OK)
        st = hide_all(&h, claims, err);
    if (st == FM_OK && json_object_set_new(claims, "_sd_alg", json_string(hash)) != 0)
        st = base_err_memory(err, "claims");
    json_decref(h.pointers);
    return st;
}
