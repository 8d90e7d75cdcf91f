/* Mutations: 10^4 damaged copies each of a DID document, of an object with one proof and of one
 * with a proof set. A damaged copy may be accepted only if it is the same canonical JSON. The seed
 * is printed; FIRMIANA_SEED=n repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/document.h"
#include "did/test_tools.h"

#define ROUNDS 10000

static struct tools_random rnd;
static struct tools_member member;

static int setup(void **state)
{
    const char *given = getenv("FIRMIANA_SEED");
    uint64_t seed = given == NULL ? 20261120 : strtoull(given, NULL, 10);

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    tools_random_init(&rnd, seed);
    tools_member_init(&member, &rnd, "bank_a");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tools_member_release(&member);
    return 0;
}

static size_t below(size_t bound)
{
    return (size_t)tools_random_below(&rnd, bound);
}

/* One to three of: flip a bit, overwrite, insert, delete, copy a stretch elsewhere. */
static void mutate(struct base_buf *text)
{
    static const char spice[] = "\"\\{}[],:01z#\n\xe2\x82\xac\xff \0u";

    for (size_t n = 1 + below(3); n > 0 && text->len > 2; n--) {
        size_t at = below(text->len);
        switch (below(5)) {
        case 0:
            text->p[at] ^= (uint8_t)(1u << below(8));
            break;
        case 1:
            text->p[at] = (uint8_t)spice[below(sizeof spice)];
            break;
        case 2:
            if (base_buf_extend(text, 1) == NULL)
                break;
            memmove(text->p + at + 1, text->p + at, text->len - 1 - at);
            text->p[at] = (uint8_t)spice[below(sizeof spice)];
            break;
        case 3:
            memmove(text->p + at, text->p + at + 1, text->len - at - 1);
            text->len--;
            break;
        default: {
            size_t from = below(text->len), most = text->len - (at > from ? at : from);
            memmove(text->p + at, text->p + from, 1 + below(most < 64 ? most : 64));
        }
        }
    }
}

typedef fm_status (*accept_fn)(const json_t *value, struct base_err *err);

static void run(const json_t *original, accept_fn accept)
{
    struct base_buf good = {0}, bad = {0}, again = {0};
    struct base_err err = {0};
    size_t parsed = 0, same = 0;

    assert_int_equal(base_json_canonical(&good, original, &err), FM_OK);
    assert_int_equal(accept(original, &err), FM_OK);
    for (size_t i = 0; i < ROUNDS; i++) {
        json_t *value;
        base_buf_clear(&bad);
        base_buf_put(&bad, good.p, good.len);
        mutate(&bad);
        if (base_json_parse(&value, (const char *)bad.p, bad.len, &err) != FM_OK)
            continue;
        parsed++;
        if (accept(value, &err) == FM_OK) {
            base_buf_clear(&again);
            assert_int_equal(base_json_canonical(&again, value, &err), FM_OK);
            assert_int_equal(again.len, good.len);
            assert_memory_equal(again.p, good.p, good.len);
            same++;
        }
        json_decref(value);
    }
    print_message("%d mutations: %zu still JSON, %zu of them the same and accepted\n", ROUNDS,
                  parsed, same);
    assert_true(parsed > ROUNDS / 20); /* else nothing behind the parser was tried */
    base_buf_release(&good);
    base_buf_release(&bad);
    base_buf_release(&again);
}

static fm_status accept_document(const json_t *value, struct base_err *err)
{
    struct did_document *doc;
    fm_status st = did_document_parse(&doc, value, DID_RULES_VERSION, err);

    did_document_free(doc);
    return st;
}

static void documents(void **state)
{
    (void)state;
    run(did_document_json(member.doc), accept_document);
}

static fm_status accept_one(const json_t *value, struct base_err *err)
{
    struct did_resolver resolver = did_document_resolver(member.doc);
    struct did_proof proof;

    return did_proof_verify(&proof, value, DID_ROLE_ASSERTION, DID_RULES_VERSION, &resolver, err);
}

static void single_proofs(void **state)
{
    json_t *tx = json_pack("{s:s, s:[i,s]}", "type", "query.close", "body", 17, "n=1");
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_proof_add(tx, member.node, tools_method(member.doc, member.node),
                                   DID_ROLE_ASSERTION, 0, &err),
                     FM_OK);
    run(tx, accept_one);
    json_decref(tx);
}

static fm_status accept_officers(const json_t *value, struct base_err *err)
{
    return did_document_verify_officers(member.doc, NULL, value, DID_RULES_VERSION, err);
}

static void proof_sets(void **state)
{
    json_t *tx = json_pack("{s:s, s:{s:b}}", "type", "member.propose", "body", "in", 1);
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(did_proof_add_to_set(tx, member.officer[i],
                                              tools_method(member.doc, member.officer[i]),
                                              DID_ROLE_INVOCATION, 0, &err),
                         FM_OK);
    run(tx, accept_officers);
    json_decref(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(single_proofs),
        cmocka_unit_test(proof_sets),
    };
    return cmocka_run_group_tests_name("did mutations", tests, setup, teardown);
}
