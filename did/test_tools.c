#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "did/multibase.h"
#include "did/test_tools.h"

const struct did_kdf tools_kdf = {1u << 14, 8, 1};

static fm_status fill(void *ctx, void *out, size_t len, struct base_err *err)
{
    struct tools_random *r = ctx;
    uint8_t *p = out;

    (void)err;
    while (len > 0) {
        uint8_t in[16], block[32];
        size_t take = len < 32 ? len : 32;
        base_store_u64(in, r->seed);
        base_store_u64(in + 8, r->counter++);
        base_hash(block, in, sizeof in);
        memcpy(p, block, take);
        p += take;
        len -= take;
    }
    return FM_OK;
}

void tools_random_init(struct tools_random *r, uint64_t seed)
{
    r->random = (struct base_random){fill, r};
    r->seed = seed;
    r->counter = 0;
}

uint64_t tools_random_below(struct tools_random *r, uint64_t bound)
{
    uint8_t bytes[8];
    struct base_err err = {0};

    assert_int_equal(base_random_fill(&r->random, bytes, sizeof bytes, &err), FM_OK);
    return base_load_u64(bytes) % bound;
}

static FILE *open_or_skip(const char *name)
{
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof path, VECTORS "%s", name);
    f = fopen(path, "rb");
    if (f == NULL) {
        print_message("SKIPPED: %s not here\n", path);
        skip();
    }
    return f;
}

json_t *tools_vectors(const char *name)
{
    FILE *f = open_or_skip(name);
    json_error_t at;
    json_t *v = json_loadf(f, 0, &at);

    (void)fclose(f);
    if (v == NULL)
        fail_msg("%s: line %d: %s", name, at.line, at.text);
    return v;
}

char *tools_text(const char *name)
{
    enum { MOST = 1 << 20 };
    FILE *f = open_or_skip(name);
    char *text = calloc(1, MOST);
    size_t len;

    assert_non_null(text);
    len = fread(text, 1, MOST - 1, f);
    assert_true(feof(f));
    (void)fclose(f);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    return text;
}

struct did_secret *tools_secret(struct tools_random *r)
{
    struct did_secret *secret;
    struct base_err err = {0};

    if (did_secret_generate(&secret, did_suite_usual(), &r->random, &err) != FM_OK)
        fail_msg("%s", err.text);
    return secret;
}

const uint8_t tools_genesis32[32] = {0xf1, 0x42, 0x31, 0xa1, 0xa0, 0x01, 0x02, 0x03, 0x04, 0x05,
                                     0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};

void tools_member_init(struct tools_member *m, struct tools_random *r, const char *alias)
{
    struct did_draft draft = {0};
    struct base_err err = {0};
    char chain[DID_CHAIN_TEXT];
    uint8_t commit[32];
    fm_status st;

    m->channel = tools_secret(r);
    m->node = tools_secret(r);
    m->recovery = tools_secret(r);
    did_chain_text(chain, tools_genesis32);
    did_recovery_commit(commit, did_secret_key(m->recovery));
    assert_int_equal(did_draft_first(&draft, chain, alias, commit, &err), FM_OK);
    assert_int_equal(
        did_draft_add(&draft, did_secret_key(m->channel), DID_ROLE_AUTHENTICATION, &err), FM_OK);
    assert_int_equal(did_draft_add(&draft, did_secret_key(m->node), DID_ROLE_ASSERTION, &err),
                     FM_OK);
    for (size_t i = 0; i < 3; i++) {
        m->officer[i] = tools_secret(r);
        assert_int_equal(
            did_draft_add(&draft, did_secret_key(m->officer[i]), DID_ROLE_INVOCATION, &err), FM_OK);
    }
    draft.threshold = 2;
    st = did_draft_build(&m->doc, &draft, DID_RULES_VERSION, &err);
    if (st != FM_OK)
        fail_msg("%s", err.text);
    did_draft_release(&draft);
}

void tools_member_release(struct tools_member *m)
{
    did_secret_free(m->channel);
    did_secret_free(m->node);
    did_secret_free(m->recovery);
    for (size_t i = 0; i < 3; i++)
        did_secret_free(m->officer[i]);
    did_document_free(m->doc);
}

const char *tools_method(const struct did_document *doc, const struct did_secret *secret)
{
    static char ids[8][DID_METHOD_TEXT];
    static size_t next;
    char multikey[DID_MULTIKEY_TEXT];
    struct base_err err = {0};

    next = (next + 1) % 8;
    assert_int_equal(did_multikey_encode(multikey, did_secret_key(secret), &err), FM_OK);
    (void)snprintf(ids[next], sizeof ids[next], "%s#%s", did_document_id(doc), multikey);
    return ids[next];
}

void tools_expect(fm_status got, fm_status wanted, const struct base_err *err, const char *text)
{
    if (got != wanted || strstr(err->text, text) == NULL)
        fail_msg("%s '%s', wanted %s '%s'", fm_status_name(got), err->text, fm_status_name(wanted),
                 text);
}

static bool has_flag(const json_t *test, const char *flag)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(test, "flags"), i, one)
    {
        if (strcmp(json_string_value(one), flag) == 0)
            return true;
    }
    return false;
}

void tools_expect_reason(const struct tools_reason *rows, size_t count, const json_t *test,
                         size_t len, const struct base_err *err)
{
    const char *comment = json_string_value(json_object_get(test, "comment"));
    char wanted[128];
    size_t i = 0;

    while (i < count &&
           (!has_flag(test, rows[i].flag) || strstr(comment, rows[i].comment) == NULL ||
            strncmp(json_string_value(json_object_get(test, "sig")), rows[i].hex,
                    strlen(rows[i].hex)) != 0))
        i++;
    if (i == count)
        fail_msg("no reason is known for '%s', which we refuse with '%s'", comment, err->text);
    if (strcmp(rows[i].text, TOOLS_LENGTH) == 0)
        (void)snprintf(wanted, sizeof wanted, "signature has %zu bytes, not 64", len);
    else
        (void)snprintf(wanted, sizeof wanted, "%s", rows[i].text);
    if (strstr(err->text, wanted) == NULL)
        fail_msg("tcId %lld, '%s': refused with '%s', not '%s'",
                 (long long)json_integer_value(json_object_get(test, "tcId")), comment, err->text,
                 wanted);
}

void tools_expect_refusal(const struct did_document *doc, void (*change)(json_t *doc),
                          fm_status code, const char *text)
{
    json_t *json = json_deep_copy(did_document_json(doc));
    struct did_document *parsed;
    struct base_err err = {0};

    change(json);
    tools_expect(did_document_parse(&parsed, json, DID_RULES_VERSION, &err), code, &err, text);
    assert_null(parsed);
    json_decref(json);
}
