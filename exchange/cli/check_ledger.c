/* Genesis and replica: do they belong together, and is this member one of the ledger's? */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "exchange/cli/check.h"
#include "ledger/proof/profile.h"
#include "ledger/store/chain.h"

enum { GENESIS_MAX = 16 << 20 };

static const char *alias_of(const json_t *member)
{
    const char *alias = json_string_value(json_object_get(member, "alias"));

    return alias != NULL ? alias : "";
}

enum genesis_found { GENESIS_NONE, GENESIS_BAD, GENESIS_GOOD };

/* genesis.json: the chain that it begins, and this member's first document. */
static enum genesis_found read_genesis(struct check *c, uint8_t chain[32], bool *is_member)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};
    char path[HOME_PATH];
    json_t *genesis = NULL, *member;
    size_t i;
    bool good, there;

    good = home_path(path, c->home->dir, "genesis.json", &err) == FM_OK &&
           base_file_read_filled(&bytes, path, GENESIS_MAX, &err) == FM_OK &&
           base_json_parse_canonical(&genesis, bytes.p, bytes.len, &err) == FM_OK;

    *is_member = false;
    if (good)
        good = ledger_genesis_chain(chain, bytes.p, bytes.len, &err) == FM_OK;
    else if (bytes.len > 0) /* it was read, so the path is not in the text yet */
        (void)base_err_prefix(&err, "%s", path);
    json_array_foreach(json_object_get(genesis, "members"), i, member)
    {
        if (strcmp(alias_of(member), c->home->alias) == 0) {
            *is_member = true;
            c->document = json_incref(json_object_get(member, "document"));
        }
    }
    there = access(path, F_OK) == 0;
    if (!good)
        check_tell(c, there ? CHECK_BAD : CHECK_WARN, "genesis", err.code, "%s", err.text);
    json_decref(genesis);
    base_buf_release(&bytes);
    return good ? GENESIS_GOOD : there ? GENESIS_BAD : GENESIS_NONE;
}

static void use_member(struct check *c, struct ledger_reader *reader)
{
    struct base_err err = {0};
    json_t *member;

    if (ledger_reader_member(reader, &member, c->home->alias, &err) != FM_OK) {
        check_tell(c, CHECK_BAD, "ledger", FM_E_NOT_FOUND, "%s is not a member of this ledger",
                   c->home->alias);
        return;
    }
    json_decref(c->document);
    c->document = json_incref(json_object_get(member, "document"));
    if (strcmp(json_string_value(json_object_get(member, "status")), "active") != 0)
        check_tell(c, CHECK_WARN, "ledger", FM_OK, "%s is suspended", c->home->alias);
    if (home_port(c->home->listen) !=
        home_port(json_string_value(json_object_get(member, "endpoint"))))
        check_tell(
            c, CHECK_WARN, "ledger", FM_OK,
            "the others reach %s at %s, and node.json listens on %s: is that port forwarded?",
            c->home->alias, json_string_value(json_object_get(member, "endpoint")),
            c->home->listen);
    json_decref(member);
}

static void check_replica(struct check *c, const char *path, const uint8_t *genesis_chain)
{
    struct ledger_reader *reader;
    struct ledger_head head;
    struct base_err err = {0};

    if (ledger_reader_open(&reader, path, &err) != FM_OK) {
        check_tell(c, CHECK_BAD, "ledger", err.code, "%s", err.text);
        return;
    }
    if (ledger_reader_head(reader, &head, &err) != FM_OK)
        check_tell(c, CHECK_BAD, "ledger", err.code, "%s: %s", path, err.text);
    else if (genesis_chain != NULL && memcmp(ledger_reader_id(reader), genesis_chain, 32) != 0)
        check_tell(
            c, CHECK_BAD, "ledger", FM_E_CONFLICT,
            "%s is not the ledger that genesis.json begins: which of the two files belongs to "
            "another consortium?",
            path);
    else {
        c->newest_block_ms = head.time_ms;
        use_member(c, reader);
        check_tell(c, CHECK_GOOD, "ledger", FM_OK, "height %llu, %llu entries, rules %llu",
                   (unsigned long long)head.height, (unsigned long long)head.log_size,
                   (unsigned long long)head.rules_version);
    }
    ledger_reader_close(reader);
}

void check_ledger(struct check *c)
{
    struct base_err err = {0};
    uint8_t chain[32];
    char path[HOME_PATH], hex[65];
    bool is_member;
    enum genesis_found found = read_genesis(c, chain, &is_member);

    if (home_path(path, c->home->dir, "ledger.db", &err) != FM_OK) {
        check_tell(c, CHECK_BAD, "ledger", err.code, "%s", err.text);
        return;
    }
    if (found == GENESIS_GOOD) {
        base_hex(hex, chain, 32);
        check_tell(c, CHECK_GOOD, "genesis", FM_OK, "of chain %s", hex);
    }
    if (access(path, F_OK) == 0) {
        check_replica(c, path, found == GENESIS_GOOD ? chain : NULL);
    } else if (found == GENESIS_NONE) {
        check_tell(c, CHECK_BAD, "ledger", FM_E_NOT_FOUND,
                   "%s: no ledger here yet: put the consortium's genesis.json into this home",
                   path);
    } else if (found == GENESIS_GOOD && !is_member) {
        check_tell(c, CHECK_BAD, "ledger", FM_E_NOT_FOUND, "%s is not a member of the genesis",
                   c->home->alias);
    } else if (found == GENESIS_GOOD) {
        check_tell(c, CHECK_GOOD, "ledger", FM_OK,
                   "not there yet: the node makes it from the genesis");
    }
}
