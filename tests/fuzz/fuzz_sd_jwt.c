/* SD-JWTs of others, and what digests and Disclosures say together. A text that begins with a brace
 * is {"claims": ..., "parts": [...]}: the contents of Disclosures, with "%N" in claims and in later
 * parts for the digest of part N, so that mutations reach what stands behind a signature. Anything
 * else is an SD-JWT.
 *
 * Laws: what is valid has the JWT of a specimen and Disclosures of that specimen alone, and, bound
 * to a request, is the specimen itself; what a holder shows of it is valid again. Of claims that
 * were read, nothing is left of digests, and each Disclosure's value stands where its pointer
 * says. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/credential/pointer.h"
#include "did/credential/sd_vc.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 1795168260 };

static struct person {
    struct did_secret *secret;
    char did[DID_KEY_DID_TEXT], method[DID_KEY_METHOD_TEXT];
} issuer, holder;

static struct base_buf issued, shown;
static const struct credential_sd_request request = {"n-1", "bank-b.example"};
static const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
static const struct credential_verifier verifier = {&resolver, NULL, 1, NOW};

/* ---- texts ---- */

/* The JWT and each Disclosure of a valid text are the issued one's, in any choice. */
static void check_parts(const char *text)
{
    const char *whole = base_buf_cstr(&issued);

    for (size_t len; *text != '\0'; text += len + (text[len] == '~')) {
        const char *at = whole;
        bool found = false;
        len = strcspn(text, "~");
        for (; !found && *at != '\0'; at += strcspn(at, "~") + 1)
            found = strcspn(at, "~") == len && strncmp(at, text, len) == 0;
        fuzz_law(found, "what is valid was issued so");
    }
}

static void check_shown_again(const char *text)
{
    struct base_buf again = {0};
    struct credential_sd_facts facts;
    struct base_err err = {0};
    json_t *claims, *list;

    fuzz_law(credential_sd_list(&list, text, &err) == FM_OK, "what is valid can be listed");
    json_decref(list);
    fuzz_law(credential_sd_present(&again, text, NULL, 0, holder.secret, &request, NOW, &err) ==
                     FM_OK &&
                 credential_sd_verify(&facts, &claims, base_buf_cstr(&again), &request, &verifier,
                                      &err) == FM_OK,
             "what is valid can be shown, and is valid then");
    json_decref(claims);
    base_buf_release(&again);
}

static void run_text(const char *text)
{
    struct credential_sd_facts facts;
    struct base_err err = {0};
    json_t *claims;

    if (credential_sd_verify(&facts, &claims, text, NULL, &verifier, &err) == FM_OK) {
        check_parts(text);
        check_shown_again(text);
    } else {
        fuzz_law(claims == NULL && err.text[0] != '\0', "a refusal says why");
    }
    json_decref(claims);
    if (credential_sd_verify(&facts, &claims, text, &request, &verifier, &err) == FM_OK)
        fuzz_law(strcmp(text, base_buf_cstr(&shown)) == 0, "a presentation is as it was signed");
    json_decref(claims);
}

/* ---- claims and parts ---- */

/* Puts digests in the place of "%N"; as deep as the input, which is no deeper than any JSON. */
static void put_digests(json_t *value, const json_t *digests)
{
    json_t *below;
    const char *name;
    size_t i;

    if (json_is_string(value) && json_string_value(value)[0] == '%') {
        const json_t *digest =
            json_array_get(digests, (size_t)strtoul(json_string_value(value) + 1, NULL, 10));
        if (digest != NULL)
            (void)json_string_set(value, json_string_value(digest));
    }
    json_array_foreach(value, i, below) put_digests(below, digests);
    json_object_foreach(value, name, below) put_digests(below, digests);
}

/* The text of an SD-JWT whose JWT says nothing, with these parts. */
static void make_parts(struct base_buf *text, json_t *digests, json_t *parts)
{
    struct base_err err = {0};
    json_t *part;
    size_t i;

    base_buf_put_str(text, "e30.e30.AA~");
    json_array_foreach(parts, i, part)
    {
        struct base_buf json = {0}, digest = {0};
        size_t from = text->len;
        put_digests(part, digests);
        if (base_json_canonical(&json, part, &err) == FM_OK) {
            base_base64url(text, json.p, json.len);
            fuzz_law(credential_sd_digest(&digest, (const char *)text->p + from, text->len - from,
                                          DID_DIGEST_SHA256, &err) == FM_OK,
                     err.text);
            base_buf_put_u8(text, '~');
            (void)json_array_append_new(digests, json_string(base_buf_cstr(&digest)));
        }
        base_buf_release(&json);
        base_buf_release(&digest);
    }
}

static void is_clean(const json_t *value, unsigned depth)
{
    const json_t *below;
    const char *name;
    size_t i;

    fuzz_law(depth <= BASE_JSON_MAX_DEPTH, "claims are no deeper than any JSON");
    json_array_foreach(value, i, below) is_clean(below, depth + 1);
    json_object_foreach((json_t *)(uintptr_t)value, name, below)
    {
        fuzz_law(strcmp(name, "_sd") != 0 && strcmp(name, "...") != 0 &&
                     strcmp(name, "_sd_alg") != 0,
                 "nothing is left of digests");
        is_clean(below, depth + 1);
    }
}

static void check_read(const struct credential_sd *sd, const json_t *claims)
{
    is_clean(claims, 0);
    for (size_t i = 0; i < sd->count; i++) {
        const json_t *content = sd->parts[i].content;
        struct credential_pointer at;
        struct base_err err = {0};
        fuzz_law(credential_pointer_parse(&at, sd->parts[i].pointer, &err) == FM_OK, err.text);
        fuzz_law(credential_pointer_find(claims, &at, at.count) ==
                     json_array_get(content, json_array_size(content) - 1),
                 "a Disclosure's value stands where its pointer says");
        credential_pointer_release(&at);
    }
}

static void run_claims(json_t *input)
{
    json_t *claims = json_object_get(input, "claims"), *digests = json_array();
    struct base_buf text = {0};
    struct credential_sd sd = {0};
    struct base_err err = {0};
    enum did_digest digest;

    make_parts(&text, digests, json_object_get(input, "parts"));
    put_digests(claims, digests);
    if (json_is_object(claims) && credential_sd_split(&sd, base_buf_cstr(&text), &err) == FM_OK &&
        credential_sd_read(&sd, &digest, claims, &err) == FM_OK)
        check_read(&sd, claims);
    credential_sd_release(&sd);
    base_buf_release(&text);
    json_decref(digests);
}

static void run(const uint8_t *data, size_t size)
{
    char text[8193];
    struct base_err err = {0};
    json_t *input;

    if (size >= sizeof text)
        return;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (text[0] != '{') {
        run_text(text);
    } else if (base_json_parse(&input, text, size, &err) == FM_OK) {
        run_claims(input);
        json_decref(input);
    }
}

/* ---- specimens ---- */

static void make_person(struct person *p, uint8_t seed)
{
    uint8_t secret[32] = {seed};
    struct base_err err = {0};

    fuzz_law(did_secret_import(&p->secret, did_suite_ed25519(), secret, sizeof secret, &err) ==
                     FM_OK &&
                 did_key_did_encode(p->did, did_secret_key(p->secret), &err) == FM_OK &&
                 did_key_method_encode(p->method, did_secret_key(p->secret), &err) == FM_OK,
             err.text);
}

static fm_status count_up(void *ctx, void *out, size_t len, struct base_err *err)
{
    static uint8_t next;

    (void)ctx;
    (void)err;
    memset(out, ++next, len);
    return FM_OK;
}

static const char *const hidden[] = {"/name", "/address/street", "/address", "/degrees/*"};
static const char *const specimens[] = {
    "{\"claims\":{\"_sd\":[\"%0\",\"decoy\"],\"a\":1},\"parts\":[[\"s\",\"b\",[true]]]}",
    "{\"claims\":{\"a\":[1,{\"...\":\"%0\"},{\"...\":\"x\"},[{\"...\":\"%1\"}]]},"
    "\"parts\":[[\"s\",\"x\"],[\"t\",{}]]}",
    "{\"claims\":{\"_sd\":[\"%2\"],\"_sd_alg\":\"sha-256\"},\"parts\":[[\"s\",\"c\",1],"
    "[\"t\",\"b\",{\"_sd\":[\"%0\"]}],[\"u\",\"a\",[{\"_sd\":[\"%1\"]},2]]]}",
};

static void begin(struct fuzz_corpus *corpus)
{
    const struct base_random random = {count_up, NULL};
    const struct credential_sd_wish wish = {hidden, 4, 4};
    struct base_err err = {0};
    json_t *claims =
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:[s, s], s:i}", "vct", "kyc", "name", "Li", "address",
                  "street", "1", "city", "S", "degrees", "BSc", "PhD", "exp", NOW + 60);

    make_person(&issuer, 1);
    make_person(&holder, 2);
    fuzz_law(credential_sd_issue(&issued, claims, &wish, did_secret_key(holder.secret),
                                 issuer.secret, issuer.method, NOW, &random, &err) == FM_OK &&
                 credential_sd_present(&shown, base_buf_cstr(&issued), &hidden[0], 1, holder.secret,
                                       &request, NOW, &err) == FM_OK,
             err.text);
    json_decref(claims);
    (void)base_buf_cstr(&shown);
    fuzz_add(corpus, issued.p, issued.len);
    fuzz_add(corpus, shown.p, shown.len);
    for (size_t i = 0; i < sizeof specimens / sizeof specimens[0]; i++)
        fuzz_add(corpus, specimens[i], strlen(specimens[i]));
}

static const char *const words[] = {"_sd", "_sd_alg", "...", "%0",  "%1",      "%2",  "~",
                                    "~~",  ".",       "=",   "vct", "sha-256", "cnf", "[\"s\",1]",
                                    "exp", "iss",     "/",   "~0",  NULL};
const struct fuzz_target fuzz_target = {"sd_jwt", FUZZ_JSON, 8192, words, begin, run};
