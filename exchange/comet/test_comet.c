/* What names a member's CometBFT, the files that follow from it, and what its RPC says. That
 * CometBFT itself takes the files, tests/cometbft.sh shows. */
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

#include "base/json.h"
#include "exchange/comet/files.h"
#include "exchange/comet/process.h"
#include "exchange/comet/rpc.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* cometbft init made this pair: name, key. */
static void test_names_of_keys(void **state)
{
    static const uint8_t key[32] = {0xdb, 0xf0, 0xc1, 0xce, 0xb2, 0xd8, 0xbd, 0xc8,
                                    0x07, 0x42, 0xef, 0xe6, 0x0c, 0x7f, 0x27, 0xab,
                                    0xa0, 0xbb, 0x8f, 0x54, 0x48, 0x4c, 0x4d, 0x81,
                                    0x0c, 0x0f, 0x00, 0xc4, 0xf7, 0xeb, 0xa8, 0x91};
    struct base_buf text = {0};
    char name[COMET_ID];

    (void)state;
    comet_key_name(name, key);
    assert_string_equal(name, "0a91ead5980304df934ead028b90f6223c54c079");
    comet_base64(&text, key, sizeof key);
    assert_string_equal(base_buf_cstr(&text), "2/DBzrLYvcgHQu/mDH8nq6C7j1RITE2BDA8AxPfrqJE=");
    base_buf_release(&text);
}

static json_t *genesis_of(const json_t *services, size_t with, size_t without)
{
    json_t *members = json_array();

    for (size_t i = 0; i < with + without; i++) {
        char alias[16];
        (void)snprintf(alias, sizeof alias, "bank_%zu", i);
        (void)json_array_append_new(
            members, json_pack("{s:s,s:o}", "alias", alias, "document",
                               i < with ? json_pack("{s:O}", "service", services) : json_object()));
    }
    return json_pack("{s:o,s:I,s:{s:i}}", "members", members, "time", (json_int_t)1790000000999,
                     "limits", "block_bytes", 4194304);
}

static void test_members(void **state)
{
    static const char *const bad[] = {
        "tcp://00@h:1",
        "tcp://0a91ead5980304df934ead028b90f6223c54c07g@h:1",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@h",
        "http://h:1",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@h:1,x",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@127.0.0.1:99999",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@a:b:1",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@127.0.0.1:",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@a@h:1",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@[::1:1",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@[]:1",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@h:0",
        "tcp://0a91ead5980304df934ead028b90f6223c54c079@h:1/x"};
    static const char *const good[] = {"h:65535", "127.0.0.1:1", "[::1]:26656"};
    struct comet_keys keys;
    struct comet_member m;
    json_t *genesis, *document, *node;
    bool asks, found;

    (void)state;
    must(comet_keys_new(&keys, "tcp://bank.example:26656", &err));
    document = json_pack("{s:O}", "service", keys.services);
    must(comet_member_read(&m, &found, document, &err));
    assert_true(found);
    assert_string_equal(m.address, "bank.example:26656");
    assert_memory_equal(m.validator, did_secret_key(keys.validator)->bytes, 32);
    for (size_t i = 0; i < 3; i++) {
        genesis = genesis_of(keys.services, i, 2 - i);
        assert_int_equal(comet_genesis_asks(&asks, genesis, &err), i == 1 ? FM_E_INPUT : FM_OK);
        assert_true(asks == (i == 2));
        json_decref(genesis);
    }
    assert_true(strstr(err.text, "bank_0 is prepared for CometBFT and bank_1 is not") != NULL);
    node = json_array_get(keys.services, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)json_object_set_new(node, "serviceEndpoint", json_string(bad[i]));
        assert_int_equal(comet_member_read(&m, &found, document, &err), FM_E_INPUT);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char uri[128] = "tcp://0a91ead5980304df934ead028b90f6223c54c079@";
        (void)json_object_set_new(node, "serviceEndpoint", json_string(strcat(uri, good[i])));
        must(comet_member_read(&m, &found, document, &err));
        assert_true(found);
        assert_string_equal(m.address, good[i]);
    }
    json_decref(document);
    comet_keys_release(&keys);
}

/* The genesis is the same at all members, and is JSON with what CometBFT wants. */
static void test_genesis(void **state)
{
    static const uint8_t chain[32] = {1, 2, 3};
    struct base_buf a = {0};
    struct comet_keys keys;
    json_t *genesis, *out;

    (void)state;
    must(comet_keys_new(&keys, "tcp://bank.example:26656", &err));
    genesis = genesis_of(keys.services, 4, 0);
    must(comet_genesis_write(&a, genesis, chain, &err));
    out = json_loadb((const char *)a.p, a.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(out);
    assert_string_equal(json_string_value(json_object_get(out, "genesis_time")),
                        "2026-09-21T14:13:21.000Z"); /* a millisecond after block 0 */
    assert_string_equal(json_string_value(json_object_get(out, "chain_id")),
                        "firmiana-01020300000000000000000000000000");
    assert_int_equal(json_array_size(json_object_get(out, "validators")), 4);
    json_decref(out);
    json_decref(genesis);
    base_buf_release(&a);
    comet_keys_release(&keys);
}

static void test_config(void **state)
{
    struct comet_settings s = {
        .home = "/h", .alias = "a", .listen = "tcp://1.2.3.4:5", .rpc = "", .commit_ms = 100};
    struct base_buf text = {0};

    (void)state;
    must(comet_config_write(&text, &s, "id@h:1", &err));
    assert_non_null(strstr(base_buf_cstr(&text), "laddr = \"unix:///h/cometbft/rpc.sock\""));
    assert_non_null(strstr(base_buf_cstr(&text), "persistent_peers = \"id@h:1\""));
    assert_non_null(strstr(base_buf_cstr(&text), "create_empty_blocks_interval = \"10s\""));
    assert_non_null(strstr(base_buf_cstr(&text), "filter_peers = true"));
    assert_non_null(strstr(base_buf_cstr(&text), "[statesync]\nenable = false"));
    base_buf_release(&text);
}

static void test_keys_on_disk(void **state)
{
    static const char *const names[] = {"node_key.json", "priv_validator_key.json"};
    char dir[] = "/tmp/firmiana-comet-XXXXXX", path[128];
    struct comet_keys keys;
    struct stat info;

    (void)state;
    assert_non_null(mkdtemp(dir));
    must(comet_keys_new(&keys, "tcp://h:1", &err));
    must(comet_keys_save(&keys, dir, &err));
    assert_int_equal(comet_keys_save(&keys, dir, &err), FM_E_CONFLICT);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/cometbft/config/%s", dir, names[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        assert_int_equal(unlink(path), 0);
    }
    (void)snprintf(path, sizeof path, "%s/cometbft/config", dir);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof path, "%s/cometbft", dir);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(dir), 0);
    comet_keys_release(&keys);
}

static void test_answers(void **state)
{
    static const struct {
        const char *text;
        enum ledger_receipt_status status;
    } said[] = {
        {"{\"result\":{\"code\":0,\"log\":\"\"}}", LEDGER_RECEIPT_ADMITTED},
        {"{\"result\":{\"code\":1,\"log\":\"tx.expired: x\"}}", LEDGER_RECEIPT_DROPPED},
        {"{\"error\":{\"code\":-32603,\"data\":\"tx already exists in cache\"}}",
         LEDGER_RECEIPT_KNOWN},
        {"{\"error\":{\"code\":-32603,\"data\":\"mempool is full: number of txs 5\"}}",
         LEDGER_RECEIPT_FULL},
        {"{\"result\":{\"code\":2,\"log\":\"later again\"}}", LEDGER_RECEIPT_FULL},
        {"{\"result\":{}}", LEDGER_RECEIPT_FULL},
        {"[]", LEDGER_RECEIPT_FULL},
        {"<html>", LEDGER_RECEIPT_FULL},
        {"", LEDGER_RECEIPT_FULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        struct comet_told told = {0};
        comet_rpc_judge(&told, said[i].text, strlen(said[i].text));
        assert_int_equal(told.status, said[i].status);
        assert_true((strcmp(told.detail, "tx.expired: x") == 0) ==
                    (told.status == LEDGER_RECEIPT_DROPPED));
    }
}

/* Programs that are none, too old, or of another series. */
static void test_versions(void **state)
{
    static const struct {
        const char *says;
        fm_status st;
    } programs[] = {
        {"0.38.21", FM_OK},          {"0.38.25", FM_OK},           {"0.38.20", FM_E_UNSUPPORTED},
        {"1.0.1", FM_E_UNSUPPORTED}, {"0.39.0", FM_E_UNSUPPORTED}, {"hello", FM_E_NOT_FOUND}};
    char path[] = "/tmp/firmiana-comet-XXXXXX", version[32];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "#!/bin/sh\n[ -z \"$FIRMIANA_PASSPHRASE\" ] && echo %s\n", programs[i].says);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, 0700), 0);
        assert_int_equal(comet_version_check(version, path, &err), programs[i].st);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(comet_version_check(version, path, &err), FM_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_keys), cmocka_unit_test(test_members),
        cmocka_unit_test(test_genesis),       cmocka_unit_test(test_config),
        cmocka_unit_test(test_keys_on_disk),  cmocka_unit_test(test_answers),
        cmocka_unit_test(test_versions),
    };
    (void)setenv("FIRMIANA_PASSPHRASE", "none of its business", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
