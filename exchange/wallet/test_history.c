/* Consents and history in a small world (ledger/proof/test_world.h) that writes what it is told:
 * what a wallet signs is what the ledger accepts and a member opens; what is on the log is found
 * again from the phrase alone, though others' consents lie between; what one trail hides another
 * shows; two logs under the same signatures are told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "exchange/wallet/history.h"
#include "exchange/wallet/ledger.h"
#include "ledger/verify/test_story.h"

static const char identifier[] = "11010519491231002X";
static struct wallet wallet;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* A wallet of that seed, as recovered or as made. */
static void make(struct wallet *out, uint8_t seed)
{
    const struct did_kdf cheap = {1u << 14, 1, 1};
    uint8_t secret[32];
    struct base_buf genesis = {0};
    struct did_passphrase *pass;

    memset(secret, seed, sizeof secret);
    must(did_passphrase_from_bytes(&pass, "x", 1, &err));
    must(wallet_new(out, secret, did_suite_ed25519(), 1795168260, pass, &cheap,
                    base_random_system(), &err));
    must(base_json_canonical(&genesis, w->genesis, &err));
    must(wallet_ledger_trust(out, genesis.p, genesis.len, &err));
    base_buf_release(&genesis);
    did_passphrase_free(pass);
}

static int set_up(void **state)
{
    (void)story_set_up(state);
    make(&wallet, 0x21);
    (void)json_object_del(wallet.content, "recovered");
    return 0;
}

static int tear_down(void **state)
{
    wallet_release(&wallet);
    return story_tear_down(state);
}

static struct ledger_consent permission(const uint8_t nonce32[32], const char *grantee)
{
    struct ledger_consent c = {.scheme = "cn.id",
                               .grantee = grantee,
                               .purpose = "credit decision",
                               .not_before = w->time_ms,
                               .expires = w->time_ms + 3600000,
                               .uses = 2};

    memcpy(c.chain, w->chain, 32);
    ledger_subject_commit(c.commitment, w->chain, identifier, strlen(identifier), nonce32);
    return c;
}

static const json_t *grant(struct wallet *from, const char *grantee)
{
    struct ledger_consent c;
    struct wallet_draft d;
    const json_t *record;

    must(wallet_consent_begin(&d, from, grantee, NULL, w->time_ms, &err));
    c = permission(d.nonce, grantee);
    must(wallet_consent_sign(&record, from, &d, &c, identifier, &err));
    wallet_draft_release(&d);
    return record;
}

static json_t *document_of(const json_t *record)
{
    return json_incref(json_object_get(record, "consent"));
}

static json_t *asked(const json_t *contract, const json_t *record)
{
    json_t *tx = world_open(w, contract), *body = json_incref(json_object_get(tx, "body"));

    json_decref(tx);
    assert_int_equal(json_array_append_new(json_object_get(body, "consents"),
                                           json_pack("{s:i,s:s}", "parameter", 1, "consent",
                                                     wallet_text(record, "id"))),
                     0);
    return world_tx(w, LEDGER_TX_QUERY_OPEN, 0, body);
}

/* ---- reading the bundle ---- */

struct memory {
    const uint8_t *p;
    size_t left;
};

static fm_status read_memory(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    struct memory *m = ctx;

    (void)e;
    *got = len < m->left ? len : m->left;
    memcpy(out, m->p, *got);
    m->p += *got;
    m->left -= *got;
    return FM_OK;
}

static fm_status find_in(size_t *news, struct wallet *in)
{
    struct memory m = {w->bundle.p, w->bundle.len};
    const struct ledger_bundle_source source = {read_memory, &m};
    struct ledger_verified *report;
    fm_status st;

    must(story_verify(&report, w->bundle.p, w->bundle.len, 65536));
    st = wallet_trail_find(news, in, report, &source, &err);
    ledger_verified_free(report);
    return st;
}

static size_t found_in(struct wallet *in)
{
    size_t news;

    must(find_in(&news, in));
    return news;
}

static fm_status read_trail(struct wallet_history *h, const struct base_buf *bundle)
{
    struct memory m = {bundle->p, bundle->len};
    const struct ledger_bundle_source source = {read_memory, &m};
    struct ledger_verified *report;
    fm_status st;

    must(story_verify(&report, bundle->p, bundle->len, 65536));
    st = wallet_history_read(h, &source, report, &err);
    ledger_verified_free(report);
    return st;
}

static void expect_events(const struct wallet_history *h, const char *wanted)
{
    struct base_buf text = {0};
    const json_t *e;
    json_t *events;
    size_t i;

    must(wallet_history_events(&events, h, &err));
    json_array_foreach(events, i, e)
        base_buf_putf(&text, "%s %s%s%s;", wallet_text(e, "what"), wallet_text(e, "member"),
                      wallet_text(e, "outcome"), wallet_text(e, "rule"));
    assert_string_equal(base_buf_cstr(&text), wanted);
    base_buf_release(&text);
    json_decref(events);
}

/* ---- tests ---- */

static void what_is_signed_is_accepted_and_opens(void **state)
{
    const json_t *one = grant(&wallet, "bank_a"), *two = grant(&wallet, "bank_a"), *revocation;
    struct ledger_consent parsed[2];
    uint8_t nonce[32], commitment[32];
    json_t *opening;

    (void)state;
    must(ledger_consent_parse(&parsed[0], json_object_get(one, "consent"), &err));
    must(ledger_consent_parse(&parsed[1], json_object_get(two, "consent"), &err));
    must(ledger_consent_verify(&parsed[0], json_object_get(one, "consent"), NULL, DID_RULES_VERSION,
                               &err));
    assert_string_not_equal(parsed[0].subject, parsed[1].subject);
    assert_memory_not_equal(parsed[0].commitment, parsed[1].commitment, 32);
    must(wallet_consent_opening(&opening, &wallet, one, &err));
    must(base_json_get_hex(nonce, 32, opening, "nonce", &err));
    ledger_subject_commit(commitment, w->chain, identifier, strlen(identifier), nonce);
    assert_memory_equal(commitment, parsed[0].commitment, 32);
    json_decref(opening);
    must(wallet_consent_revoke(&revocation, &wallet, (json_t *)(uintptr_t)one, w->time_ms / 1000,
                               &err));
    must(ledger_revocation_verify(revocation, parsed[0].subject, NULL, DID_RULES_VERSION, &err));
    assert_int_equal(
        ledger_revocation_verify(revocation, parsed[1].subject, NULL, DID_RULES_VERSION, &err),
        FM_E_AUTH);
}

/* Of 50 signed, the second and the last get on the ledger, and one between is refused there: a
 * phrase finds these two however many are missing between them. */
static void a_phrase_finds_what_is_on_the_ledger(void **state)
{
    struct did_secret *other = world_secret(w);
    struct wallet again, stranger;

    (void)state;
    make(&again, 0x21);
    make(&stranger, 0x22);
    for (int i = 1; i <= 50; i++) {
        const json_t *record = grant(&wallet, "bank_a");
        if (i == 2 || i == 50)
            (void)world_put(w, story_consent(document_of(record)), LEDGER_RULE_OK);
        if (i == 45)
            (void)world_put(w, story_consent(document_of(record)), LEDGER_RULE_CONSENT_EXPIRED);
        (void)world_put(w, story_consent(world_consent(w, other)), LEDGER_RULE_OK);
        w->time_ms++;
    }
    story_finish();
    assert_int_equal(found_in(&stranger), 0);
    assert_int_equal(found_in(&again), 2);
    assert_int_equal(json_array_size(wallet_list(&again, "consents")), 2);
    assert_int_equal(found_in(&again), 0);
    assert_int_equal(found_in(&wallet), 2);
    assert_int_equal(json_array_size(wallet_list(&wallet, "consents")), 50);
    for (size_t i = 0; i < 2; i++) { /* what was found opens and withdraws as the first one did */
        json_t *record = json_array_get(wallet_list(&again, "consents"), i), *opened[2];
        const json_t *signed_by[2];
        json_t *first = json_array_get(wallet_list(&wallet, "consents"), i == 0 ? 1 : 49);
        assert_int_equal(json_object_size(record), 7);
        must(wallet_consent_opening(&opened[0], &again, record, &err));
        must(wallet_consent_opening(&opened[1], &wallet, first, &err));
        must(wallet_consent_revoke(&signed_by[0], &again, record, 1795168260, &err));
        must(wallet_consent_revoke(&signed_by[1], &wallet, first, 1795168260, &err));
        assert_true(json_equal(opened[0], opened[1]) && json_equal(signed_by[0], signed_by[1]));
        json_decref(opened[0]);
        json_decref(opened[1]);
    }
    wallet_release(&again);
    wallet_release(&stranger);
    did_secret_free(other);
}

static void once(json_t *seen, const json_t *record, const char *member)
{
    const char *text = wallet_text(json_object_get(record, "consent"), member);

    assert_true(text[0] != '\0');
    assert_null(json_object_get(seen, text));
    assert_int_equal(json_object_set_new(seen, text, json_true()), 0);
}

/* Whatever a recovered wallet was shown, a trail older than 60 consents or none, it uses none of
 * their keys and nonces: also within one millisecond for one grantee. */
static void no_key_is_used_again(void **state)
{
    struct did_secret *other = world_secret(w);
    json_t *seen = json_object();
    struct wallet again[2];

    (void)state;
    make(&again[0], 0x21);
    make(&again[1], 0x21);
    (void)world_put(w, story_consent(world_consent(w, other)), LEDGER_RULE_OK);
    story_finish();
    assert_int_equal(found_in(&again[1]), 0);
    for (int i = 0; i < 20; i++) { /* the clock stands still for each three */
        for (int of = 0; of < 3; of++) {
            const json_t *record = grant(&wallet, of == 0 ? "bank_b" : "bank_a");
            once(seen, record, "subject");
            once(seen, record, "commitment");
        }
        w->time_ms += 2;
    }
    for (int who = 0; who < 2; who++) {
        for (int i = 0; i < 20; i++) {
            const json_t *record = grant(&again[who], "bank_a");
            once(seen, record, "subject");
            once(seen, record, "commitment");
        }
        w->time_ms += 20; /* two copies at once have one clock's milliseconds between them */
        wallet_release(&again[who]);
    }
    json_decref(seen);
    did_secret_free(other);
}

/* A DID for a mandate stands in an entry that the trail leaves out: whoever takes this for all
 * would give it once more. A wallet that knows its numbers may read such a trail. */
static void a_trail_that_leaves_out_entries_recovers_nothing(void **state)
{
    const json_t *hidden = grant(&wallet, "bank_a"), *shown = grant(&wallet, "bank_b");
    struct wallet again;
    const char *did;
    size_t news;

    (void)state;
    make(&again, 0x21);
    (void)world_hide(w, story_consent(document_of(hidden)), LEDGER_RULE_OK);
    (void)world_put(w, story_consent(document_of(shown)), LEDGER_RULE_OK);
    story_finish();
    assert_int_equal(find_in(&news, &again), FM_E_INVALID);
    assert_non_null(strstr(err.text, "a recovered wallet needs a whole one"));
    assert_int_equal(json_array_size(wallet_list(&again, "consents")), 0);
    assert_int_equal(wallet_identity(&did, &again, WALLET_MANDATE, "did:example:x", &err),
                     FM_E_CONFLICT);
    must(wallet_identity(&did, &again, WALLET_PAIRWISE, "did:example:x", &err));
    assert_int_equal(found_in(&wallet), 1);
    wallet_release(&again);
}

/* An old trail is whole, and has nothing of that counterpart yet: 19 DIDs for mandates that may
 * have come after it are not given again. That is well within what the next search looks for. */
static void an_old_trail_recovers_with_room(void **state)
{
    static const char peer[] = "did:example:x";
    struct did_secret *other = world_secret(w);
    char wanted[DID_KEY_DID_TEXT];
    struct wallet again;
    const char *did;

    (void)state;
    make(&again, 0x21);
    (void)world_put(w, story_consent(world_consent(w, other)), LEDGER_RULE_OK);
    story_finish();
    assert_int_equal(found_in(&again), 0);
    for (uint64_t i = 19; i <= 20; i++) {
        must(wallet_did(wanted, &again, WALLET_MANDATE, peer, i, &err));
        must(wallet_identity(&did, &again, WALLET_MANDATE, peer, &err));
        assert_string_equal(did, wanted);
    }
    wallet_release(&again);
    did_secret_free(other);
}

static void other_profiles_and_ledgers_are_refused(void **state)
{
    const struct did_kdf cheap = {1u << 14, 1, 1};
    const uint8_t secret[32] = {1};
    struct ledger_verified *report;
    struct base_buf genesis = {0};
    struct did_passphrase *pass;
    struct wallet national;
    json_t *altered = json_deep_copy(w->genesis);

    (void)state;
    must(did_passphrase_from_bytes(&pass, "x", 1, &err));
    must(wallet_new(&national, secret, did_suite_sm2(), 1795168260, pass, &cheap,
                    base_random_system(), &err));
    must(base_json_canonical(&genesis, w->genesis, &err));
    assert_int_equal(wallet_ledger_trust(&national, genesis.p, genesis.len, &err), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "make one with --profile international"));
    must(wallet_ledger_trust(&wallet, genesis.p, genesis.len, &err)); /* once more is fine */
    base_buf_clear(&genesis);
    assert_int_equal(json_object_set_new(altered, "name", json_string("another")), 0);
    must(base_json_canonical(&genesis, altered, &err));
    assert_int_equal(wallet_ledger_trust(&wallet, genesis.p, genesis.len, &err), FM_E_CONFLICT);
    assert_non_null(strstr(err.text, "the wallet deals with another ledger"));
    assert_int_equal(wallet_ledger_trust(&wallet, genesis.p, genesis.len - 1, &err), FM_E_INPUT);
    world_checkpoint(w, ALL);
    must(story_verify(&report, w->bundle.p, w->bundle.len, 65536));
    must(wallet_ledger_learn(&wallet, report->chain, report->members, &err));
    report->chain[0] ^= 1;
    assert_int_equal(wallet_ledger_learn(&wallet, report->chain, report->members, &err),
                     FM_E_INVALID);
    ledger_verified_free(report);
    wallet_release(&national);
    did_passphrase_free(pass);
    json_decref(altered);
    base_buf_release(&genesis);
}

static void tell(bool hidden, const char *first)
{
    json_t *contract = world_contract(w), *open;
    const json_t *one = grant(&wallet, first), *two = grant(&wallet, "bank_b");

    (void)world_put(w, world_tx(w, LEDGER_TX_CONTRACT_PROPOSE, 0, json_incref(contract)),
                    LEDGER_RULE_OK);
    (void)world_put(w, story_consent(document_of(one)), LEDGER_RULE_OK);
    (void)world_put(w, story_consent(document_of(two)), LEDGER_RULE_OK);
    (void)world_block(w);
    open = asked(contract, one);
    (void)world_put(w, json_incref(open), LEDGER_RULE_OK);
    (void)world_put(w, story_close(world_receipt(w, open, LEDGER_RECEIPT_DONE, 7)), LEDGER_RULE_OK);
    (void)world_block(w);
    json_decref(open);
    w->time_ms++;
    open = asked(contract, one);
    if (hidden)
        (void)world_hide(w, open, LEDGER_RULE_CONSENT_REVOKED);
    else
        (void)world_put(w, open, LEDGER_RULE_CONSENT_REVOKED);
    story_finish();
    json_decref(contract);
}

/* The same world once more, from its seed. */
static struct base_buf told_again(void **state, bool hidden, const char *first)
{
    struct base_buf bundle = {0};

    make(&wallet, 0x21);
    (void)json_object_del(wallet.content, "recovered");
    tell(hidden, first);
    bundle = w->bundle;
    w->bundle = (struct base_buf){0};
    wallet_release(&wallet);
    (void)story_tear_down(state);
    (void)story_set_up(state);
    return bundle;
}

static void several_trails_tell_one_history(void **state)
{
    static const char all[] = "granted bank_a;granted bank_b;asked bank_aanswered;"
                              "asked bank_arefusedconsent.revoked;";
    struct base_buf whole, part, other;
    struct wallet_history h;

    wallet_release(&wallet);
    part = told_again(state, true, "bank_a");
    whole = told_again(state, false, "bank_a");
    other = told_again(state, false, "bank_c");
    make(&wallet, 0x21);
    must(wallet_history_begin(&h, &wallet, &err));
    must(read_trail(&h, &part));
    expect_events(&h, "granted bank_a;granted bank_b;asked bank_aanswered;");
    must(read_trail(&h, &whole));
    expect_events(&h, all);
    must(read_trail(&h, &part));
    expect_events(&h, all);
    assert_int_equal(read_trail(&h, &other), FM_E_INVALID);
    assert_non_null(strstr(err.text, "is not what it is in a trail before"));
    wallet_history_release(&h);
    base_buf_release(&whole);
    base_buf_release(&part);
    base_buf_release(&other);
}

#define H(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        H(what_is_signed_is_accepted_and_opens),
        H(a_phrase_finds_what_is_on_the_ledger),
        H(no_key_is_used_again),
        H(a_trail_that_leaves_out_entries_recovers_nothing),
        H(an_old_trail_recovers_with_room),
        H(other_profiles_and_ledgers_are_refused),
        H(several_trails_tell_one_history),
    };

    return cmocka_run_group_tests_name("wallet history", tests, NULL, NULL);
}
