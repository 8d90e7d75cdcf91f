#include "ledger/store/test_town.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/test_profile.h"
#include "did/draft.h"
#include "did/multibase.h"
#include "did/scid.h"
#include "ledger/store/chain_impl.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

struct did_secret *town_secret(struct town *t)
{
    struct did_secret *secret;
    uint8_t seed[32];

    t->secrets++;
    base_hash(seed, &t->secrets, sizeof t->secrets);
    must(did_secret_import(&secret, did_suite_usual(), seed, sizeof seed, &err));
    return secret;
}

int64_t town_seconds(const struct town *t)
{
    return t->time_ms / 1000;
}

void town_older_program(struct ledger_chain *chain, uint32_t newest_rules)
{
    ledger_machine_set_newest_rules(chain->machine, newest_rules);
}

/* ---- people ---- */

struct did_secret *town_validator_secret(int who, int n)
{
    char text[32];
    uint8_t seed[32];
    struct did_secret *secret;

    (void)snprintf(text, sizeof text, "validator %d %d", who, n);
    base_hash(seed, text, strlen(text));
    must(did_secret_import(&secret, did_suite_ed25519(), seed, sizeof seed, &err));
    return secret;
}

void town_validator_key(uint8_t out32[32], int who, int n)
{
    struct did_secret *secret = town_validator_secret(who, n);

    memcpy(out32, did_secret_key(secret)->bytes, 32);
    did_secret_free(secret);
}

static json_t *validator_service(const char *did, int who, int n)
{
    char id[DID_FIRMIANA_TEXT + 16], multikey[DID_MULTIKEY_TEXT], uri[DID_MULTIKEY_TEXT + 16];
    struct did_key key;
    uint8_t bytes[32];

    town_validator_key(bytes, who, n);
    must(did_key_make(&key, did_suite_ed25519(), bytes, 32, DID_RULES_VERSION, &err));
    must(did_multikey_encode(multikey, &key, &err));
    (void)snprintf(id, sizeof id, "%s#validator", did);
    (void)snprintf(uri, sizeof uri, "ed25519://%s", multikey);
    return json_pack("[{s:s,s:s,s:s}]", "id", id, "type", "CometBFTValidator", "serviceEndpoint",
                     uri);
}

json_t *town_validator_document(struct town *t, int who, int whose, int n)
{
    struct town_person *p = &t->who[who];
    struct did_draft draft = {0};
    struct did_document *next;
    json_t *json;

    must(did_draft_next(&draft, p->doc, &err));
    json_decref(draft.service);
    draft.service = n < 0 ? NULL : validator_service(did_document_id(p->doc), whose, n);
    must(did_draft_build(&next, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
    json = json_incref((json_t *)(uintptr_t)did_document_json(next));
    did_document_free(p->doc);
    p->doc = next;
    return json;
}

static void make_person(struct town *t, int i, const char *alias, const char *chain)
{
    struct town_person *p = &t->who[i];
    struct did_draft draft = {0};
    uint8_t commit[32];

    p->alias = alias;
    p->channel = town_secret(t);
    p->node = town_secret(t);
    p->officer[0] = town_secret(t);
    p->officer[1] = town_secret(t);
    p->recovery = town_secret(t);
    did_recovery_commit(commit, did_secret_key(p->recovery));
    must(did_draft_first(&draft, chain, alias, commit, &err));
    must(did_draft_add(&draft, did_secret_key(p->channel), DID_ROLE_AUTHENTICATION, &err));
    must(did_draft_add(&draft, did_secret_key(p->node), DID_ROLE_ASSERTION, &err));
    must(did_draft_add(&draft, did_secret_key(p->officer[0]), DID_ROLE_INVOCATION, &err));
    must(did_draft_add(&draft, did_secret_key(p->officer[1]), DID_ROLE_INVOCATION, &err));
    draft.threshold = i == BANK_A ? 2 : 1;
    if (t->validators)
        draft.service = validator_service(DID_TEMPLATE, i, 0);
    must(did_draft_build(&p->doc, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
}

static json_t *member_json(const struct town *t, int i)
{
    json_t *roles = i == REGULATOR ? json_pack("[s]", "regulator")
                                   : json_pack("[s, s, s]", "asker", "provider", "compute");

    return json_pack("{s:s, s:O, s:o, s:s}", "alias", t->who[i].alias, "document",
                     did_document_json(t->who[i].doc), "roles", roles, "endpoint",
                     "127.0.0.1:7000");
}

static void make_genesis(struct town *t, int rules)
{
    json_t *members = json_array();
    int i;

    for (i = 0; i < NEWCOMER; i++)
        assert_int_equal(json_array_append_new(members, member_json(t, i)), 0);
    t->genesis = json_pack(
        "{s:i, s:s, s:I, s:i, s:o, s:i, s:s, s:{s:i, s:i, s:i, s:I, s:i, s:i, s:i, s:i, s:I, s:i}}",
        "format", 1, "name", "town", "time", (json_int_t)t->time_ms, "rules_version", rules,
        "members", members, "quorum", 3, "sequencer", "bank_a", "limits", "tx_bytes", 32768,
        "block_txs", 2000, "block_bytes", 1 << 23, "not_after_ms", (json_int_t)DAY_MS,
        "refused_per_day", 200, "open_queries", 4, "unreceipted_queries", 2, "consent_uses", 5,
        "deadline_ms", (json_int_t)HOUR_MS, "minimum_group", 2);
    assert_non_null(t->genesis);
    test_profile_say(t->genesis);
    must(base_json_canonical(&t->genesis_bytes, t->genesis, &err));
    base_hash(t->chain_id, t->genesis_bytes.p, t->genesis_bytes.len);
}

static void init(struct town *t, const char *path, int rules)
{
    static const char *const aliases[] = {"bank_a", "bank_b", "bank_c", "regulator", "newcomer"};
    char chain[DID_CHAIN_TEXT];
    int i;

    if (test_profile_adopt() && rules < 2)
        rules = 2; /* the first that know the profile */
    t->time_ms = t->busy_ms = 1790000000000;
    for (i = 0; i < NEWCOMER; i++)
        make_person(t, i, aliases[i], NULL);
    make_genesis(t, rules);
    did_chain_text(chain, t->chain_id);
    make_person(t, NEWCOMER, aliases[NEWCOMER], chain);
    for (i = 0; i < NEWCOMER; i++) {
        struct did_document *bound;

        must(did_document_bind(&bound, t->who[i].doc, t->chain_id, DID_RULES_VERSION, &err));
        did_document_free(t->who[i].doc);
        t->who[i].doc = bound;
    }
    memory_init(&t->memory, t->genesis, t->chain_id);
    memory_check(&t->memory, t->busy_ms);
    if (path != NULL)
        must(ledger_chain_create(&t->chain, path, t->genesis_bytes.p, t->genesis_bytes.len, &err));
}

void town_init(struct town *t, const char *path)
{
    town_init_rules(t, path, 1);
}

void town_init_rules(struct town *t, const char *path, int rules)
{
    memset(t, 0, sizeof *t);
    init(t, path, rules);
}

void town_init_validators(struct town *t, const char *path, int rules)
{
    memset(t, 0, sizeof *t);
    t->validators = true;
    init(t, path, rules);
}

void town_release(struct town *t)
{
    int i;

    for (i = 0; i < TOWN_PEOPLE; i++) {
        struct town_person *p = &t->who[i];

        did_secret_free(p->channel);
        did_secret_free(p->node);
        did_secret_free(p->officer[0]);
        did_secret_free(p->officer[1]);
        did_secret_free(p->recovery);
        did_document_free(p->doc);
    }
    json_decref(t->genesis);
    base_buf_release(&t->genesis_bytes);
    memory_release(&t->memory);
    ledger_chain_close(t->chain);
}

/* ---- transactions ---- */

json_t *town_unsigned(struct town *t, enum ledger_tx_type type, int sender, json_t *body)
{
    json_t *tx;

    assert_non_null(body);
    must(ledger_tx_build(&tx, t->chain_id, type, did_document_id(t->who[sender].doc),
                         t->time_ms + HOUR_MS + (int64_t)t->salt++ % 1000, body, &err));
    json_decref(body);
    return tx;
}

struct base_buf town_bytes(json_t *tx)
{
    struct base_buf bytes = {0};

    must(base_json_canonical(&bytes, tx, &err));
    json_decref(tx);
    return bytes;
}

struct base_buf town_tx(struct town *t, enum ledger_tx_type type, int sender, json_t *body)
{
    json_t *tx = town_unsigned(t, type, sender, body);
    const struct town_person *p = &t->who[sender];
    size_t i;

    switch (ledger_tx_type_authority(type)) {
    case LEDGER_BY_NODE:
        must(ledger_tx_sign(tx, p->node, town_seconds(t), &err));
        break;
    case LEDGER_BY_RECOVERY:
        must(ledger_tx_sign(tx, p->recovery, town_seconds(t), &err));
        break;
    case LEDGER_BY_OFFICERS:
        for (i = 0; i < did_document_threshold(p->doc); i++)
            must(ledger_tx_sign(tx, p->officer[i], town_seconds(t), &err));
        break;
    }
    return town_bytes(tx);
}

/* ---- blocks ---- */

static void compare(const struct town *t, const struct ledger_outcome *a,
                    const struct ledger_outcome *b, size_t n)
{
    const struct ledger_head *head = ledger_chain_head(t->chain);
    uint8_t root[32];
    size_t i;

    ledger_log_root(root, &t->memory.tip.log);
    assert_int_equal(head->height, t->memory.tip.height);
    assert_int_equal(head->time_ms, t->memory.tip.time_ms);
    assert_int_equal(head->log_size, t->memory.tip.log.size);
    assert_memory_equal(head->app_hash, root, 32);
    assert_memory_equal(head->state_root, t->memory.tip.state_root, 32);
    for (i = 0; i < n; i++) {
        assert_int_equal(a[i].verdict, b[i].verdict);
        assert_int_equal(a[i].rule, b[i].rule);
        assert_int_equal(a[i].leaf, b[i].leaf);
        assert_string_equal(a[i].detail, b[i].detail);
    }
}

void town_block(struct town *t, struct ledger_outcome *outcomes, struct base_buf *txs, size_t n,
                int64_t step_ms)
{
    struct ledger_bytes *list = calloc(n + 1, sizeof *list);
    struct ledger_outcome *mine = calloc(n + 1, sizeof *mine);
    struct ledger_outcome *theirs = calloc(n + 1, sizeof *theirs);
    struct ledger_block block = {t->memory.tip.height + 1, t->time_ms + step_ms, list, n,
                                 t->vouched};
    uint64_t leaves = t->memory.tip.log.size;
    size_t i;

    assert_true(list != NULL && mine != NULL && theirs != NULL);
    for (i = 0; i < n; i++)
        list[i] = (struct ledger_bytes){txs[i].p, txs[i].len};
    t->vouched = 0;
    memory_execute(&t->memory, mine, &block);
    t->time_ms = block.time_ms;
    if (t->memory.tip.log.size != leaves)
        t->busy_ms = block.time_ms;
    if (!t->unchecked)
        memory_check(&t->memory, t->busy_ms);
    if (t->chain != NULL) {
        must(ledger_chain_execute(t->chain, theirs, &block, &err));
        compare(t, mine, theirs, n);
    }
    if (outcomes != NULL)
        memcpy(outcomes, mine, n * sizeof *mine);
    for (i = 0; i < n; i++)
        base_buf_release(&txs[i]);
    free(list);
    free(mine);
    free(theirs);
}

bool town_hit[LEDGER_RULE_COUNT];

struct ledger_outcome town_run(struct town *t, struct base_buf tx)
{
    struct ledger_outcome outcome;

    town_block(t, &outcome, &tx, 1, 1000);
    town_hit[outcome.rule] = true;
    return outcome;
}

void town_ok(struct town *t, struct base_buf tx)
{
    struct ledger_outcome o = town_run(t, tx);

    if (o.verdict != LEDGER_OK)
        fail_msg("%s: %s: %s", o.type != NULL ? o.type : "?", ledger_rule_code(o.rule), o.detail);
}

/* Every difference between two states is a remembered id or a quota. */
static void assert_untouched(const json_t *before, const json_t *after)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)after, key, value)
    {
        if (strncmp(key, "seen/", 5) != 0 && strncmp(key, "quota/", 6) != 0 &&
            !json_equal(value, json_object_get(before, key)))
            fail_msg("a refused transaction changed %s", key);
    }
    json_object_foreach((json_t *)(uintptr_t)before, key, value)
    {
        if (strncmp(key, "seen/", 5) != 0 && json_object_get(after, key) == NULL)
            fail_msg("a refused transaction removed %s", key);
    }
}

void town_refused(struct town *t, struct base_buf tx, enum ledger_rule rule)
{
    json_t *before = json_copy(t->memory.state);
    struct ledger_outcome o = town_run(t, tx);

    assert_untouched(before, t->memory.state);
    json_decref(before);

    if (o.rule != rule)
        fail_msg("%s: expected %s, got %s: %s", o.type != NULL ? o.type : "?",
                 ledger_rule_code(rule), ledger_rule_code(o.rule), o.detail);
    assert_int_equal(o.verdict, ledger_rule_drops(rule) ? LEDGER_DROPPED : LEDGER_REFUSED);
    assert_true(o.detail[0] != '\0');
}

void town_wait(struct town *t, int64_t ms)
{
    town_block(t, NULL, NULL, 0, ms);
}

/* ---- ids ---- */

struct town_id town_hash(const json_t *value)
{
    struct town_id id;
    uint8_t hash[32];

    must(base_json_hash(hash, value, &err));
    base_hex(id.text, hash, 32);
    return id;
}

struct town_id town_inner_id(const json_t *inner)
{
    struct town_id id;
    uint8_t hash[32];

    must(ledger_tx_id(hash, inner, &err));
    base_hex(id.text, hash, 32);
    return id;
}

struct town_id town_tx_id(const struct base_buf *tx)
{
    struct town_id id;
    json_t *json;

    must(base_json_parse(&json, (const char *)tx->p, tx->len, &err));
    id = town_inner_id(json);
    json_decref(json);
    return id;
}
