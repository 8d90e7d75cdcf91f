/* A validator's next key takes the place of the present one when the ledger says so, and not before
 * (key.h); what was proven of validators is remembered (record.h); and a member whose document is
 * wrong is no peer, and keeps nobody else from being one (files.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "did/draft.h"
#include "exchange/comet/files.h"
#include "exchange/comet/key.h"
#include "exchange/comet/record.h"
#include "ledger/store/test_town.h"

static struct base_err err;
static char home[64], ledger[96];
static struct town t;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static int begin(int rules)
{
    char path[128];

    (void)snprintf(home, sizeof home, "%s/firmiana-keys-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(home));
    (void)snprintf(ledger, sizeof ledger, "%s/ledger.db", home);
    (void)snprintf(path, sizeof path, "%s/cometbft", home);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/cometbft/config", home);
    assert_int_equal(mkdir(path, 0700), 0);
    town_init_validators(&t, ledger, rules);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return begin(2);
}

/* Version 1 takes validators that are none. */
static int set_up_old(void **state)
{
    (void)state;
    return begin(1);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    town_release(&t);
    (void)snprintf(command, sizeof command, "rm -r %s", home);
    return system(command);
}

/* ---- files ---- */

static const char *path_of(const char *name)
{
    static char path[160];

    (void)snprintf(path, sizeof path, "%s/cometbft/config/%s", home, name);
    return path;
}

static void put_key(const char *name, int who, int n)
{
    struct did_secret *secret = town_validator_secret(who, n);
    struct base_buf text = {0};

    comet_key_file(&text, secret);
    must(base_file_write(path_of(name), text.p, text.len, 0600, &err));
    base_buf_release(&text);
    did_secret_free(secret);
}

static bool holds(const char *name, int who, int n)
{
    struct base_buf file = {0}, key = {0};
    uint8_t bytes[32];
    bool there;

    town_validator_key(bytes, who, n);
    comet_base64(&key, bytes, sizeof bytes);
    must(base_file_read(&file, path_of(name), 4096, &err));
    there = strstr(base_buf_cstr(&file), base_buf_cstr(&key)) != NULL;
    base_buf_release(&file);
    base_buf_release(&key);
    return there;
}

#define PRESENT "priv_validator_key.json"
#define NEXT "priv_validator_key.next.json"

static enum comet_key settle(const char *alias)
{
    enum comet_key key;

    must(comet_key_settle(&key, home, alias, t.chain, &err));
    return key;
}

static void refused(fm_status st, const char *alias, const char *text)
{
    enum comet_key key;

    assert_int_equal(comet_key_settle(&key, home, alias, t.chain, &err), st);
    assert_non_null(strstr(err.text, text));
}

static void update(int who, int n)
{
    uint8_t hash[32];

    memcpy(hash, did_document_hash32(t.who[who].doc), sizeof hash);
    town_ok(&t, town_tx(&t, LEDGER_TX_DID_UPDATE, who,
                        town_update(hash, town_validator_document(&t, who, who, n))));
}

/* ---- keys ---- */

static void test_changes_in_time(void **state)
{
    (void)state;
    refused(FM_E_NOT_FOUND, "bank_b", "no keys of CometBFT");
    put_key(PRESENT, BANK_B, 0);
    refused(FM_E_NOT_FOUND, "bank_b", "no keys of CometBFT");
    put_key("node_key.json", BANK_B, 5);
    assert_int_equal(settle("bank_b"), COMET_KEY_GOOD);
    assert_int_equal(settle("newcomer"), COMET_KEY_GOOD); /* not a member yet */
    assert_int_equal(settle("bank_a"), COMET_KEY_OTHER);
    put_key(NEXT, BANK_B, 1); /* the ledger does not name it */
    assert_true(comet_key_waits(home));
    assert_int_equal(settle("bank_b"), COMET_KEY_GOOD);
    assert_int_equal(settle("bank_a"), COMET_KEY_OTHER);
    update(BANK_B, 1);
    for (int i = 0; i < 2; i++) { /* for the next block the old one still counts */
        assert_int_equal(settle("bank_b"), COMET_KEY_SOON);
        assert_true(holds(PRESENT, BANK_B, 0));
    }
    town_wait(&t, 10000);
    assert_int_equal(settle("bank_b"), COMET_KEY_CHANGED);
    assert_true(holds(PRESENT, BANK_B, 1));
    assert_false(comet_key_waits(home));
    assert_int_equal(settle("bank_b"), COMET_KEY_GOOD);
    update(BANK_B, 0); /* and nobody has that one any more */
    assert_int_equal(settle("bank_b"), COMET_KEY_OTHER);
    assert_true(holds(PRESENT, BANK_B, 1));
}

static void test_next_is_made_once(void **state)
{
    struct stat info;
    uint8_t a[32], b[32];

    (void)state;
    assert_int_equal(comet_key_next(a, home, did_document_json(t.who[BANK_B].doc), &err),
                     FM_E_NOT_FOUND);
    put_key(PRESENT, BANK_B, 0);
    put_key("node_key.json", BANK_B, 5);
    must(comet_key_next(a, home, did_document_json(t.who[BANK_B].doc), &err));
    must(comet_key_next(b, home, did_document_json(t.who[BANK_B].doc), &err)); /* refused before */
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(stat(path_of(NEXT), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(holds(PRESENT, BANK_B, 0));
    put_key(NEXT, BANK_B, 1);
    update(BANK_B, 1);
    assert_int_equal(comet_key_next(a, home, did_document_json(t.who[BANK_B].doc), &err),
                     FM_E_CONFLICT);
    assert_true(holds(NEXT, BANK_B, 1));
}

/* ---- members ---- */

#define NODE_B "0a91ead5980304df934ead028b90f6223c54c079"
#define NODE_C "1a91ead5980304df934ead028b90f6223c54c079"
#define NODE_R "2a91ead5980304df934ead028b90f6223c54c079"

static json_t *service(const struct did_document *of, const char *name, const char *type,
                       const char *uri)
{
    char id[160];

    (void)snprintf(id, sizeof id, "%s#%s", did_document_id(of), name);
    return json_pack("{s:s,s:s,s:s}", "id", id, "type", type, "serviceEndpoint", uri);
}

/* The member's document names these; validator: NULL: as before. */
static void name_services(int who, const char *node, const char *validator)
{
    struct town_person *p = &t.who[who];
    struct did_draft draft = {0};
    struct did_document *next;
    uint8_t hash[32];

    memcpy(hash, did_document_hash32(p->doc), sizeof hash);
    must(did_draft_next(&draft, p->doc, &err));
    if (validator != NULL) {
        json_decref(draft.service);
        draft.service =
            json_pack("[o]", service(p->doc, "validator", "CometBFTValidator", validator));
    }
    (void)json_array_append_new(draft.service, service(p->doc, "cometbft", "CometBFTNode", node));
    must(did_draft_build(&next, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
    did_document_free(p->doc);
    p->doc = next;
    town_ok(&t, town_tx(&t, LEDGER_TX_DID_UPDATE, who,
                        town_update(hash,
                                    json_incref((json_t *)(uintptr_t)did_document_json(p->doc)))));
}

static void peers_are(const char *peers)
{
    struct comet_settings s = {
        .home = home, .alias = "bank_a", .listen = "tcp://1.2.3.4:5", .rpc = "", .commit_ms = 100};
    struct base_buf file = {0};
    char line[256];

    must(comet_files_write(&s, t.chain, &err));
    must(base_file_read(&file, path_of("config.toml"), 1 << 16, &err));
    (void)snprintf(line, sizeof line, "persistent_peers = \"%s\"\n", peers);
    assert_non_null(strstr(base_buf_cstr(&file), line));
    base_buf_release(&file);
}

static bool is_member(const char *id)
{
    bool yes;

    must(comet_is_member(&yes, ledger_chain_reader(t.chain), id, &err));
    return yes;
}

static void test_wrong_documents(void **state)
{
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/cometbft/data", home); /* as if it had run */
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/cometbft/data/blockstore.db", home);
    assert_int_equal(mkdir(path, 0700), 0);
    name_services(BANK_B, "tcp://" NODE_B "@bank-b.example:26656", NULL);
    assert_true(is_member(NODE_B));
    name_services(BANK_C, "tcp://" NODE_C "@bank-c.example:66666", NULL);
    assert_true(is_member(NODE_B));
    assert_false(is_member(NODE_C));
    peers_are(NODE_B "@bank-b.example:26656");
    name_services(REGULATOR, "tcp://" NODE_R "@regulator.example:26656", "ed25519://z6Mk");
    assert_true(is_member(NODE_B));
    assert_false(is_member(NODE_R));
    peers_are(NODE_B "@bank-b.example:26656");
}

/* ---- what was proven ---- */

static void test_record(void **state)
{
    struct ledger_abci_misbehavior what = {{.member = "bank_c"}, .in_block = 9};
    struct comet_record r;
    char path[128];
    bool fresh;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/misbehavior.json", home);
    must(comet_record_open(&r, path, &err));
    assert_int_equal(json_array_size(r.list), 0);
    for (int i = 0; i < 3; i++) {
        must(comet_record_add(&r, &fresh, &what, &err));
        assert_true(fresh == (i == 0));
        comet_record_close(&r);
        must(comet_record_open(&r, path, &err));
        assert_int_equal(json_array_size(r.list), 1);
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(r.list, 0), "member")),
                        "bank_c");
    for (what.what.height = 1; what.what.height <= COMET_RECORDS_MAX; what.what.height++) {
        must(comet_record_add(&r, &fresh, &what, &err));
        assert_true(fresh);
    }
    assert_int_equal(json_array_size(r.list), COMET_RECORDS_MAX); /* the oldest is gone */
    assert_int_equal(json_integer_value(json_object_get(json_array_get(r.list, 0), "height")), 1);
    comet_record_close(&r);
    must(base_file_write(path, "{}", 2, 0600, &err));
    assert_int_equal(comet_record_open(&r, path, &err), FM_E_CORRUPT);
    comet_record_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_next_is_made_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_documents, set_up_old, tear_down),
        cmocka_unit_test_setup_teardown(test_record, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
