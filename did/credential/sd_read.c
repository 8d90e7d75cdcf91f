/* Reading SD-JWTs: what sd_jwt.h says of holders and verifiers. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json_any.h"
#include "base/sm3.h"
#include "did/credential/jwk.h"
#include "did/credential/jwt.h"
#include "did/credential/pointer.h"
#include "did/credential/sd_jwt.h"

#define TILDE '~'

/* ---- the form ---- */

void credential_sd_release(struct credential_sd *sd)
{
    for (size_t i = 0; i < sd->count; i++) {
        free(sd->parts[i].text);
        free(sd->parts[i].pointer);
        json_decref(sd->parts[i].content);
    }
    free(sd->parts);
    free(sd->jwt);
    free(sd->binding);
    *sd = (struct credential_sd){0};
}

/* A Disclosure's array; of what form it must be, its digest's place decides. */
static fm_status read_part(struct credential_sd_part *part, const char *text, size_t len,
                           struct base_err *err)
{
    struct base_buf json = {0};
    fm_status st = FM_OK;

    part->within = CREDENTIAL_SD_NOWHERE;
    part->text = strndup(text, len);
    if (part->text == NULL)
        return base_err_memory(err, "Disclosure");
    if (len == 0 || !base_unbase64url(&json, text, len))
        st = base_err_set(err, FM_E_INPUT, "not base64url without padding");
    if (st == FM_OK)
        st = base_json_any_parse(&part->content, (const char *)json.p, json.len, err);
    if (st == FM_OK && !json_is_string(json_array_get(part->content, 0)))
        st = base_err_set(err, FM_E_INPUT, "must be an array that begins with its salt");
    base_buf_release(&json);
    return st;
}

static fm_status read_parts(struct credential_sd *sd, const char *at, const char *end,
                            struct base_err *err)
{
    size_t count = 0;

    for (const char *p = at; p < end; p++)
        count += *p == TILDE;
    if (count > CREDENTIAL_SD_PARTS_MAX)
        return base_err_set(err, FM_E_LIMIT, "more than %d Disclosures", CREDENTIAL_SD_PARTS_MAX);
    sd->parts = calloc(count + 1, sizeof *sd->parts);
    if (sd->parts == NULL)
        return base_err_memory(err, "Disclosures");
    while (at < end) {
        const char *tilde = memchr(at, TILDE, (size_t)(end - at));
        fm_status st;
        sd->count++;
        st = read_part(&sd->parts[sd->count - 1], at, (size_t)(tilde - at), err);
        if (st != FM_OK)
            return base_err_prefix(err, "Disclosure %zu", sd->count);
        at = tilde + 1;
    }
    return FM_OK;
}

fm_status credential_sd_split(struct credential_sd *out, const char *text, struct base_err *err)
{
    const char *first = strchr(text, TILDE), *last = strrchr(text, TILDE);
    fm_status st;

    *out = (struct credential_sd){0};
    if (first == NULL || strlen(text) > CREDENTIAL_JWT_MAX)
        return base_err_set(err, FM_E_INPUT,
                            "not an SD-JWT: a JWT and Disclosures, each with '~' behind it, at "
                            "most %u bytes",
                            CREDENTIAL_JWT_MAX);
    out->bound_len = (size_t)(last + 1 - text);
    out->jwt = strndup(text, (size_t)(first - text));
    out->binding = last[1] != '\0' ? strdup(last + 1) : NULL;
    st = out->jwt == NULL || (last[1] != '\0' && out->binding == NULL)
             ? base_err_memory(err, "SD-JWT")
             : read_parts(out, first + 1, last + 1, err);
    if (st != FM_OK)
        credential_sd_release(out);
    return st;
}

fm_status credential_sd_digest(struct base_buf *out, const char *text, size_t len,
                               enum did_digest digest, struct base_err *err)
{
    uint8_t hash[BASE_HASH_SIZE];
    fm_status st = FM_OK;

    if (digest == DID_DIGEST_SM3)
        st = base_sm3(hash, &(struct base_sm3_part){text, len}, 1, err);
    else
        base_sha256(hash, text, len);
    if (st == FM_OK)
        base_base64url(out, hash, sizeof hash);
    return st != FM_OK ? st : base_buf_status(out, "digest", err);
}

/* ---- what digests and Disclosures say together ---- */

struct reader {
    struct credential_sd *sd;
    json_t *by_digest;  /* the number of each part */
    json_t *met;        /* the digests that stood somewhere */
    struct base_buf at; /* where we are: a pointer */
    size_t within;
};

static fm_status read_value(struct reader *r, json_t *value, unsigned depth, struct base_err *err);

static fm_status refuse(struct reader *r, struct base_err *err, const char *rule)
{
    return base_err_set(err, FM_E_INPUT, "SD-JWT: %.100s: %s",
                        r->at.len == 0 ? "the claims" : base_buf_cstr(&r->at), rule);
}

/* The part of a digest; NULL: none, so it stays undisclosed. */
static fm_status find_part(struct reader *r, struct credential_sd_part **part, const json_t *digest,
                           struct base_err *err)
{
    const char *text = json_string_value(digest);
    const json_t *number;

    *part = NULL;
    if (text == NULL)
        return refuse(r, err, "a digest must be a string");
    if (json_object_get(r->met, text) != NULL)
        return refuse(r, err, "a digest stands there twice");
    if (json_object_set_new(r->met, text, json_true()) != 0)
        return base_err_memory(err, "digests");
    number = json_object_get(r->by_digest, text);
    if (number != NULL)
        *part = &r->sd->parts[json_integer_value(number)];
    return FM_OK;
}

/* Goes on inside a value that a part disclosed, which now stands at r->at. */
static fm_status read_disclosed(struct reader *r, struct credential_sd_part *part, json_t *value,
                                unsigned depth, struct base_err *err)
{
    size_t outer = r->within;
    fm_status st;

    part->within = outer;
    part->pointer = strdup(base_buf_cstr(&r->at));
    if (part->pointer == NULL)
        return base_err_memory(err, "Disclosures");
    r->within = (size_t)(part - r->sd->parts);
    st = read_value(r, value, depth + 1, err);
    r->within = outer;
    return st;
}

static void back_to(struct reader *r, size_t len)
{
    r->at.len = len;
}

/* One digest of an object's "_sd". */
static fm_status read_member(struct reader *r, json_t *object, const json_t *digest, unsigned depth,
                             struct base_err *err)
{
    struct credential_sd_part *part;
    const char *name;
    size_t len = r->at.len;
    json_t *value;
    fm_status st = find_part(r, &part, digest, err);

    if (st != FM_OK || part == NULL)
        return st;
    name = json_string_value(json_array_get(part->content, 1));
    value = json_array_get(part->content, 2);
    if (json_array_size(part->content) != 3 || name == NULL)
        return refuse(r, err, "the Disclosure of a member must be [salt, name, value]");
    if (strcmp(name, "_sd") == 0 || strcmp(name, "_sd_alg") == 0 || strcmp(name, "...") == 0)
        return refuse(r, err, "a Disclosure has the reserved name '_sd', '_sd_alg' or '...'");
    if (json_object_get(object, name) != NULL)
        return refuse(r, err, "a Disclosure has a name that is there already");
    if (json_object_set(object, name, value) != 0)
        return base_err_memory(err, "claims");
    credential_pointer_put(&r->at, name);
    st = read_disclosed(r, part, value, depth, err);
    back_to(r, len);
    return st;
}

static fm_status read_object(struct reader *r, json_t *object, unsigned depth, struct base_err *err)
{
    const json_t *digests = json_object_get(object, "_sd"), *digest;
    const char *name;
    json_t *value;
    size_t i, len = r->at.len;
    fm_status st = FM_OK;

    if (json_object_get(object, "...") != NULL || (digests != NULL && !json_is_array(digests)) ||
        (depth > 0 && json_object_get(object, "_sd_alg") != NULL))
        return refuse(r, err, "'_sd', '_sd_alg' or '...' stands where it must not");
    json_object_foreach(object, name, value)
    {
        if (value == digests)
            continue;
        credential_pointer_put(&r->at, name);
        st = read_value(r, value, depth + 1, err);
        back_to(r, len);
        if (st != FM_OK)
            return st;
    }
    json_array_foreach(digests, i, digest)
    {
        st = read_member(r, object, digest, depth, err);
        if (st != FM_OK)
            return st;
    }
    if (digests != NULL)
        (void)json_object_del(object, "_sd");
    return FM_OK;
}

/* One element {"...": digest}; *gone: it stays undisclosed. */
static fm_status read_element(struct reader *r, json_t *array, size_t i, bool *gone, unsigned depth,
                              struct base_err *err)
{
    json_t *element = json_array_get(array, i), *value;
    struct credential_sd_part *part;
    fm_status st;

    if (json_object_size(element) != 1)
        return refuse(r, err, "an element with '...' must have no other member");
    st = find_part(r, &part, json_object_get(element, "..."), err);
    *gone = part == NULL;
    if (st != FM_OK || part == NULL)
        return st;
    value = json_array_get(part->content, 1);
    if (json_array_size(part->content) != 2)
        return refuse(r, err, "the Disclosure of an element must be [salt, value]");
    if (json_array_set(array, i, value) != 0)
        return base_err_memory(err, "claims"); /* UNTESTED: setting allocates nothing */
    return read_disclosed(r, part, value, depth, err);
}

/* An array with a thousand undisclosed elements is made anew once, not moved a thousand times. */
static fm_status read_array(struct reader *r, json_t *array, unsigned depth, struct base_err *err)
{
    size_t len = r->at.len, kept = 0, count = json_array_size(array);
    json_t *rest = json_array();
    fm_status st = rest == NULL ? base_err_memory(err, "claims") : FM_OK;

    for (size_t i = 0; st == FM_OK && i < count; i++) {
        bool gone = false;
        credential_pointer_put_index(&r->at, kept);
        if (json_object_get(json_array_get(array, i), "...") != NULL)
            st = read_element(r, array, i, &gone, depth, err);
        else
            st = read_value(r, json_array_get(array, i), depth + 1, err);
        back_to(r, len);
        if (st == FM_OK && !gone && json_array_append(rest, json_array_get(array, i)) != 0)
            st = base_err_memory(err, "claims");
        kept += !gone;
    }
    if (st == FM_OK && kept < count &&
        (json_array_clear(array) != 0 || json_array_extend(array, rest) != 0))
        st = base_err_memory(err, "claims");
    json_decref(rest);
    return st;
}

/* Recursion is as deep as the value, and no deeper than base/json.h's subset. */
static fm_status read_value(struct reader *r, json_t *value, unsigned depth, struct base_err *err)
{
    if (depth > BASE_JSON_MAX_DEPTH)
        return base_err_set(err, FM_E_INPUT, "SD-JWT: claims are nested deeper than %d levels",
                            BASE_JSON_MAX_DEPTH);
    return json_is_object(value)  ? read_object(r, value, depth, err)
           : json_is_array(value) ? read_array(r, value, depth, err)
                                  : FM_OK;
}

/* SHA-256 where nothing is said. */
static fm_status read_hash(enum did_digest *out, const json_t *payload, struct base_err *err)
{
    const json_t *named = json_object_get(payload, "_sd_alg");
    const char *name = named == NULL ? "sha-256" : json_string_value(named);

    *out = DID_DIGEST_SHA256;
    if (name == NULL)
        return base_err_set(err, FM_E_INPUT, "_sd_alg must be a string");
    if (strcmp(name, "sha-256") == 0)
        return FM_OK;
    *out = DID_DIGEST_SM3;
    return strcmp(name, CREDENTIAL_HASH_SM3) == 0
               ? FM_OK
               : base_err_set(
                     err, FM_E_UNSUPPORTED,
                     "_sd_alg is '%.40s'; known here are 'sha-256' and '" CREDENTIAL_HASH_SM3 "'",
                     name);
}

static fm_status index_parts(struct reader *r, enum did_digest digest, struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < r->sd->count; i++) {
        const char *part = r->sd->parts[i].text;
        base_buf_clear(&text);
        st = credential_sd_digest(&text, part, strlen(part), digest, err);
        if (st == FM_OK && json_object_get(r->by_digest, base_buf_cstr(&text)) != NULL)
            st = base_err_set(err, FM_E_INPUT, "SD-JWT: Disclosure %zu is there twice", i + 1);
        if (st == FM_OK && json_object_set_new(r->by_digest, base_buf_cstr(&text),
                                               json_integer((json_int_t)i)) != 0)
            st = base_err_memory(err, "digests");
    }
    base_buf_release(&text);
    return st;
}

fm_status credential_sd_read(struct credential_sd *sd, enum did_digest *digest, json_t *payload,
                             struct base_err *err)
{
    struct reader r = {.sd = sd,
                       .by_digest = json_object(),
                       .met = json_object(),
                       .within = CREDENTIAL_SD_NOWHERE};
    fm_status st = read_hash(digest, payload, err);

    if (st == FM_OK && (r.by_digest == NULL || r.met == NULL))
        st = base_err_memory(err, "digests");
    if (st == FM_OK)
        st = index_parts(&r, *digest, err);
    if (st == FM_OK)
        st = read_value(&r, payload, 0, err);
    for (size_t i = 0; st == FM_OK && i < sd->count; i++)
        if (sd->parts[i].pointer == NULL)
            st =
                base_err_set(err, FM_E_INPUT, "SD-JWT: Disclosure %zu belongs to no digest", i + 1);
    if (st == FM_OK)
        st = base_buf_status(&r.at, "SD-JWT", err);
    if (st == FM_OK)
        (void)json_object_del(payload, "_sd_alg");
    json_decref(r.by_digest);
    json_decref(r.met);
    base_buf_release(&r.at);
    return st;
}
