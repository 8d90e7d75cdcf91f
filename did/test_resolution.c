/* DID URLs, did:web, histories and results. Laws over generated texts and histories; the examples
 * of DID Core and of the did:web method as given there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/key_did.h"
#include "did/moment.h"
#include "did/resolution.h"
#include "did/test_tools.h"
#include "did/web.h"

/* ---- DID URLs ---- */

static void same(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        assert_true(a == b);
    else
        assert_string_equal(a, b);
}

static void urls_come_apart(void **state)
{
    static const struct {
        const char *text, *did, *method, *id, *path, *query, *fragment;
    } good[] = {
        {"did:example:123", "did:example:123", "example", "123", NULL, NULL, NULL},
        {"did:example:123456/path", "did:example:123456", "example", "123456", "path", NULL, NULL},
        {"did:example:123456?versionId=1", "did:example:123456", "example", "123456", NULL,
         "versionId=1", NULL},
        {"did:example:123#public-key-0", "did:example:123", "example", "123", NULL, NULL,
         "public-key-0"},
        {"did:example:123?service=agent&relativeRef=/credentials#degree", "did:example:123",
         "example", "123", NULL, "service=agent&relativeRef=/credentials", "degree"},
        {"did:a1::x:%41.-_/a//b?c?d#e/f?g", "did:a1::x:%41.-_", "a1", ":x:%41.-_", "a//b", "c?d",
         "e/f?g"},
        {"did:x:y/?#", "did:x:y", "x", "y", "", "", ""},
    };
    static const char *const bad[] = {"",           "did",          "did:",           "did::x",
                                      "did:x",      "did:x:",       "did:X:y",        "DID:x:y",
                                      "did:x-y:z",  "did:x:y:",     "did:x:y z",      "did:x:%4",
                                      "did:x:%zz",  "did:x:{SCID}", "did:x:y#a#b",    "did:x:y#a b",
                                      "did:x:y?\"", "did:x:y/\\",   "did:x:\xc3\xa4", " did:x:y",
                                      "did:x:y\n",  "http://x/"};
    struct base_err err = {0};
    struct did_url url;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(did_url_parse(&url, good[i].text, &err), FM_OK);
        same(url.did, good[i].did);
        same(url.method, good[i].method);
        same(url.id, good[i].id);
        same(url.path, good[i].path);
        same(url.query, good[i].query);
        same(url.fragment, good[i].fragment);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(did_url_parse(&url, bad[i], &err), FM_E_ARG);
}

/* Whatever is parsed goes together again, and one byte changed gives the same or is refused. */
static void urls_go_together(void **state)
{
    static const char chars[] = "ad:/?#&%4Z.-_=~ \"";
    struct tools_random r;
    struct base_err err = {0};
    struct did_url url;
    size_t taken = 0;

    (void)state;
    tools_random_init(&r, 1);
    for (int i = 0; i < 20000; i++) {
        char text[40] = "did:a:b", again[200];
        size_t len = 6 + (size_t)tools_random_below(&r, 20);
        for (size_t c = 6; c < len; c++)
            text[c] = chars[tools_random_below(&r, sizeof chars - 1)];
        text[len] = '\0';
        if (did_url_parse(&url, text, &err) != FM_OK)
            continue;
        taken++;
        (void)snprintf(again, sizeof again, "%s%s%s%s%s%s%s", url.did, url.path ? "/" : "",
                       url.path ? url.path : "", url.query ? "?" : "", url.query ? url.query : "",
                       url.fragment ? "#" : "", url.fragment ? url.fragment : "");
        assert_string_equal(again, text);
        assert_null(strpbrk(url.did, "/?#"));
    }
    assert_true(taken > 200);
    {
        char *text = malloc(DID_URL_TEXT + 1);
        memset(text, 'x', DID_URL_TEXT);
        memcpy(text, "did:x:", 6);
        text[DID_URL_TEXT - 1] = '\0';
        assert_int_equal(did_url_parse(&url, text, &err), FM_OK);
        text[DID_URL_TEXT - 1] = 'x';
        text[DID_URL_TEXT] = '\0';
        assert_int_equal(did_url_parse(&url, text, &err), FM_E_ARG);
        free(text);
    }
}

static void parameters(void **state)
{
    static const char *const known[] = {"a", "bc", NULL};
    struct base_err err = {0};
    struct did_url url;
    char out[8], other[64];

    (void)state;
    assert_int_equal(did_url_parse(&url, "did:x:y?a=%31%2F2&bc=&d&&=7", &err), FM_OK);
    assert_int_equal(did_url_parameter(out, sizeof out, &url, "a", &err), FM_OK);
    assert_string_equal(out, "1/2");
    assert_int_equal(did_url_parameter(out, 3, &url, "a", &err), FM_E_ARG);
    assert_int_equal(did_url_parameter(out, 4, &url, "a", &err), FM_OK);
    assert_int_equal(did_url_parameter(out, sizeof out, &url, "b", &err), FM_OK);
    assert_string_equal(out, "");
    did_url_other_parameter(other, &url, known);
    assert_string_equal(other, "d");
    assert_int_equal(did_url_parse(&url, "did:x:y?a=1&bc=2&a=1", &err), FM_OK);
    tools_expect(did_url_parameter(out, sizeof out, &url, "a", &err), FM_E_ARG, &err, "twice");
    assert_int_equal(did_url_parse(&url, "did:x:y?a=%00", &err), FM_OK);
    assert_int_equal(did_url_parameter(out, sizeof out, &url, "a", &err), FM_E_ARG);
}

/* ---- did:web ---- */

static void web_addresses(void **state)
{
    /* The first four are the method's own examples. */
    static const char *const good[][2] = {
        {"w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"},
        {"w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"},
        {"example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"},
        {"example.com%3A3000", "https://example.com:3000/.well-known/did.json"},
        {"localhost%3a1", "https://localhost:1/.well-known/did.json"},
        {"a-b.example", "https://a-b.example/.well-known/did.json"}};
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "0x7f000001",
                                      "127.0x1",
                                      "a.1",
                                      "1",
                                      "Example.com",
                                      "a..b",
                                      ".a",
                                      "a.",
                                      "-a",
                                      "a-",
                                      "a%3A",
                                      "a%3A0",
                                      "a%3A65536",
                                      "a%3A080",
                                      "a%3A1x",
                                      "a%2Fb",
                                      "a:",
                                      "a::b",
                                      "a:..:b",
                                      "a:.",
                                      "a:b%2F..",
                                      "a%3A1%3A",
                                      "a_b",
                                      "a:b:..",
                                      "a%40evil.example",
                                      "[::1]",
                                      "a%3A123456"};
    char out[DID_URL_TEXT], did[DID_URL_TEXT], file[DID_URL_TEXT];
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(did_web_address(out, good[i][0], &err), FM_OK);
        assert_string_equal(out, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(did_web_address(out, bad[i], &err), FM_E_ARG);
        assert_string_equal(out, "");
    }
    assert_int_equal(did_web_place(did, file, "a.example:8443/x/y", &err), FM_OK);
    assert_string_equal(did, "did:web:a.example%3A8443:x:y");
    assert_string_equal(file, "x/y/did.json");
    assert_int_equal(did_web_place(did, file, "a.example", &err), FM_OK);
    assert_string_equal(did, "did:web:a.example");
    assert_string_equal(file, ".well-known/did.json");
    assert_int_equal(did_web_place(did, file, "a.example/../x", &err), FM_E_ARG);
    assert_int_equal(did_web_place(did, file, "a.example/", &err), FM_E_ARG);
    assert_int_equal(did_web_place(did, file, "a.example//x", &err), FM_E_ARG);
    assert_int_equal(did_web_place(did, file, "10.0.0.1", &err), FM_E_ARG);
}

static void web_documents(void **state)
{
    const char *did = "did:web:bank-a.example";
    struct tools_random r;
    struct tools_member m;
    struct base_err err = {0};
    struct base_buf text = {0};
    json_t *out, *back;
    const json_t *method;

    (void)state;
    tools_random_init(&r, 2);
    tools_member_init(&m, &r, "bank_a");
    assert_int_equal(did_web_export(&out, m.doc, did, &err), FM_OK);
    assert_int_equal(base_json_canonical(&text, out, &err), FM_OK);
    assert_int_equal(did_web_parse(&back, did, text.p, text.len, &err), FM_OK);
    assert_true(json_equal(out, back));
    assert_null(json_object_get(out, "firmiana"));
    assert_string_equal(json_string_value(json_array_get(json_object_get(out, "alsoKnownAs"), 0)),
                        did_document_id(m.doc));
    /* Nowhere else the old DID; every relationship names a method that is there. */
    assert_int_equal(json_object_del(back, "alsoKnownAs"), 0);
    {
        char *dump = json_dumps(back, 0);
        assert_null(strstr(dump, "did:firmiana:"));
        free(dump);
    }
    for (size_t i = 0; i < json_array_size(json_object_get(back, "assertionMethod")); i++) {
        const char *id =
            json_string_value(json_array_get(json_object_get(back, "assertionMethod"), i));
        assert_int_equal(did_dereference(&method, back, did, strchr(id, '#') + 1, &err), FM_OK);
        assert_string_equal(json_string_value(json_object_get(method, "id")), id);
    }
    assert_int_equal(did_dereference(&method, back, did, "other", &err), FM_E_NOT_FOUND);
    json_decref(back);
    tools_expect(did_web_parse(&back, "did:web:other.example", text.p, text.len, &err), FM_E_INPUT,
                 &err, "is that of");
    tools_expect(did_web_parse(&back, did, text.p, text.len - 1, &err), FM_E_INPUT, &err, "line 1");
    tools_expect(did_web_parse(&back, did, text.p, DID_WEB_DOCUMENT_MAX + 1, &err), FM_E_INPUT,
                 &err, "longer");
    tools_expect(did_web_parse(&back, did, "[]", 2, &err), FM_E_INPUT, &err, "not a JSON object");
    json_decref(out);
    base_buf_release(&text);
    tools_member_release(&m);
}

/* ---- histories ---- */

static void make_history(struct did_history *h, size_t n)
{
    struct base_err err = {0};

    *h = (struct did_history){0};
    for (size_t i = 0; i < n; i++) {
        struct did_version v = {.height = (int64_t)i * 10, .time_ms = (int64_t)i * 100000};
        memset(v.hash32, (int)i, 32);
        (void)snprintf(v.by, sizeof v.by, "%s", i == 0 ? "genesis" : "did.update");
        assert_int_equal(did_history_add(h, &v, &err), FM_OK);
    }
}

/* At every height and time: the last version that had begun. */
static void versions_are_picked(void **state)
{
    struct did_history h, back;
    struct base_err err = {0};
    struct did_which which;
    json_t *json;
    size_t at;

    (void)state;
    for (size_t n = 1; n < 9; n++) {
        make_history(&h, n);
        for (int64_t height = 0; height < 100; height++) {
            size_t want = (size_t)(height / 10) < n ? (size_t)(height / 10) : n - 1;
            which = (struct did_which){DID_AT_HEIGHT, height};
            assert_int_equal(did_history_pick(&at, &h, &which, &err), FM_OK);
            assert_int_equal(at, want);
            which = (struct did_which){DID_AT_TIME, height * 10000};
            assert_int_equal(did_history_pick(&at, &h, &which, &err), FM_OK);
            assert_int_equal(at, want);
        }
        for (int64_t version = 0; version <= (int64_t)n + 1; version++) {
            which = (struct did_which){DID_AT_VERSION, version};
            if (version == 0 || version > (int64_t)n) {
                assert_int_equal(did_history_pick(&at, &h, &which, &err), FM_E_NOT_FOUND);
                continue;
            }
            assert_int_equal(did_history_pick(&at, &h, &which, &err), FM_OK);
            assert_int_equal(at, version - 1);
        }
        assert_int_equal(did_history_pick(&at, &h, &(struct did_which){0}, &err), FM_OK);
        assert_int_equal(at, n - 1);
        assert_int_equal(did_history_json(&json, &h, &err), FM_OK);
        assert_int_equal(did_history_parse(&back, json, &err), FM_OK);
        assert_int_equal(back.n, n);
        assert_memory_equal(back.versions, h.versions, n * sizeof *h.versions);
        if (n > 1) { /* one that goes back in time is none */
            assert_int_equal(json_object_set_new(json_array_get(json, n - 1), "height",
                                                 json_integer((json_int_t)(n - 2) * 10 - 1)),
                             0);
            did_history_release(&back);
            assert_int_equal(did_history_parse(&back, json, &err), FM_E_INPUT);
        }
        json_decref(json);
        did_history_release(&back);
        did_history_release(&h);
    }
    h = (struct did_history){0};
    assert_int_equal(did_history_pick(&at, &h, &(struct did_which){0}, &err), FM_E_NOT_FOUND);
    make_history(&h, 1);
    h.versions[0].height = 5;
    which = (struct did_which){DID_AT_HEIGHT, 4};
    tools_expect(did_history_pick(&at, &h, &which, &err), FM_E_NOT_FOUND, &err, "did not exist");
    did_history_release(&h);
}

static void which_is_read(void **state)
{
    static const char *const bad[] = {"", "0", "01", "-1", "1x", "1234567890123456", " 1"};
    struct base_err err = {0};
    struct did_which which;

    (void)state;
    assert_int_equal(did_which_version(&which, "12", &err), FM_OK);
    assert_int_equal(which.value, 12);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(did_which_version(&which, bad[i], &err), FM_E_ARG);
    assert_int_equal(did_which_time(&which, "2026-11-20T09:51:00Z", &err), FM_OK);
    assert_int_equal(which.value, (int64_t)TOOLS_WHEN * 1000 + 999);
    assert_int_equal(did_which_time(&which, "yesterday", &err), FM_E_ARG);
}

/* A recovery overrides what officers changed less than 72 hours before, and nothing else. */
static void recovery_overrides(void **state)
{
    const int64_t edge[] = {DID_OVERRIDE_MS - 1, DID_OVERRIDE_MS};
    struct did_history h;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        make_history(&h, 5);
        (void)strcpy(h.versions[3].by, "did.recover");
        h.versions[3].time_ms = h.versions[1].time_ms + edge[i];
        h.versions[4].time_ms = h.versions[3].time_ms + 1;
        assert_true(did_history_override(&h, 0) == SIZE_MAX); /* the beginning stays */
        assert_true(did_history_override(&h, 1) == (i == 0 ? 3 : SIZE_MAX));
        assert_int_equal(did_history_override(&h, 2), 3);
        assert_true(did_history_override(&h, 3) == SIZE_MAX); /* the recovery itself */
        assert_true(did_history_override(&h, 4) == SIZE_MAX); /* what came after it */
        (void)strcpy(h.versions[2].by, "member.rekey");       /* the members voted */
        assert_true(did_history_override(&h, 2) == SIZE_MAX);
        did_history_release(&h);
    }
}

/* ---- results ---- */

/* A member with two versions; the second rotates the node's key. */
static void two_versions(struct tools_member *m, struct did_document **next, struct did_history *h)
{
    struct tools_random r;
    struct did_draft draft = {0};
    struct did_secret *fresh;
    struct base_err err = {0};

    tools_random_init(&r, 3);
    tools_member_init(m, &r, "bank_a");
    fresh = tools_secret(&r);
    assert_int_equal(did_draft_next(&draft, m->doc, &err), FM_OK);
    assert_int_equal(did_draft_rotate(&draft, did_secret_key(m->node), did_secret_key(fresh), &err),
                     FM_OK);
    assert_int_equal(did_draft_build(next, &draft, DID_RULES_VERSION, &err), FM_OK);
    did_draft_release(&draft);
    did_secret_free(fresh);
    make_history(h, 2);
    memcpy(h->versions[0].hash32, did_document_hash32(m->doc), 32);
    memcpy(h->versions[1].hash32, did_document_hash32(*next), 32);
}

static const char *metadata(const json_t *result, const char *name)
{
    return json_string_value(json_object_get(json_object_get(result, "didDocumentMetadata"), name));
}

static void members_results(void **state)
{
    struct tools_member m;
    struct did_document *next;
    struct did_history h;
    struct base_err err = {0};
    const char *did;
    json_t *result;

    (void)state;
    two_versions(&m, &next, &h);
    did = did_document_id(m.doc);
    assert_int_equal(did_resolution_of_member(&result, did, &h, 0, did_document_json(m.doc), &err),
                     FM_OK);
    assert_string_equal(metadata(result, "created"), "1970-01-01T00:00:00Z");
    assert_string_equal(metadata(result, "versionId"), "1");
    assert_string_equal(metadata(result, "nextVersionId"), "2");
    assert_string_equal(metadata(result, "nextUpdate"), "1970-01-01T00:01:40Z");
    assert_null(metadata(result, "updated"));
    assert_true(json_equal(json_object_get(result, "didDocument"), did_document_json(m.doc)));
    json_decref(result);
    assert_int_equal(did_resolution_of_member(&result, did, &h, 1, did_document_json(next), &err),
                     FM_OK);
    assert_string_equal(metadata(result, "updated"), "1970-01-01T00:01:40Z");
    assert_null(metadata(result, "nextVersionId"));
    assert_false(did_resolution_is_deactivated(result));
    json_decref(result);
    /* A source that lies is found out. */
    tools_expect(did_resolution_of_member(&result, did, &h, 1, did_document_json(m.doc), &err),
                 FM_E_INVALID, &err, "not version 2");
    tools_expect(did_resolution_of_member(&result, "did:firmiana:x:y", &h, 0,
                                          did_document_json(m.doc), &err),
                 FM_E_INVALID, &err, "the document is did:firmiana:");
    h.versions[0].hash32[0] ^= 1;
    tools_expect(did_resolution_of_member(&result, did, &h, 1, did_document_json(next), &err),
                 FM_E_INVALID, &err, "does not follow");
    did_history_release(&h);
    did_document_free(next);
    tools_member_release(&m);
}

static void failures_have_names(void **state)
{
    static const struct {
        fm_status code;
        const char *error;
    } all[] = {{FM_E_ARG, "invalidDid"},
               {FM_E_UNSUPPORTED, "methodNotSupported"},
               {FM_E_NOT_FOUND, "notFound"},
               {FM_E_INPUT, "invalidDidDocument"},
               {FM_E_INVALID, "invalidDidDocument"},
               {FM_E_TIMEOUT, "internalError"}};
    struct base_err err = {0};
    json_t *result;

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct base_err why = {0};
        (void)base_err_set(&why, all[i].code, "why");
        assert_int_equal(did_resolution_failed(&result, &why, &err), FM_OK);
        assert_true(json_is_null(json_object_get(result, "didDocument")));
        assert_string_equal(json_string_value(json_object_get(
                                json_object_get(result, "didResolutionMetadata"), "error")),
                            all[i].error);
        json_decref(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_come_apart), cmocka_unit_test(urls_go_together),
        cmocka_unit_test(parameters),      cmocka_unit_test(web_addresses),
        cmocka_unit_test(web_documents),   cmocka_unit_test(versions_are_picked),
        cmocka_unit_test(which_is_read),   cmocka_unit_test(recovery_overrides),
        cmocka_unit_test(members_results), cmocka_unit_test(failures_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
