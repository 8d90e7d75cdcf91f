/* The invariants of machine.h, asserted by their numbers over a whole state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/document.h"
#include "ledger/machine/test_memory.h"

#define HOLDS(number, key, condition)                                    \
    do {                                                                 \
        if (!(condition))                                                \
            fail_msg("%s is broken at %s: %s", number, key, #condition); \
    } while (0)

/* The whole state, parsed: key -> value. */
static json_t *parse_state(const struct memory *m)
{
    json_t *all = json_object();
    const char *key;
    json_t *text, *value;
    struct base_err err;

    json_object_foreach(m->state, key, text)
    {
        const char *bytes = json_string_value(text);

        if (base_json_parse_canonical(&value, bytes, strlen(bytes), &err) != FM_OK)
            fail_msg("%s: %s", key, err.text);
        assert_int_equal(json_object_set_new(all, key, value), 0);
    }
    return all;
}

static const json_t *get(const json_t *all, const char *prefix, const char *name)
{
    char key[256];

    (void)snprintf(key, sizeof key, "%s/%s", prefix, name);
    return json_object_get(all, key);
}

static const char *text(const json_t *value, const char *name)
{
    const char *t = json_string_value(json_object_get(value, name));

    return t != NULL ? t : "";
}

static bool is(const json_t *value, const char *name, const char *what)
{
    return strcmp(text(value, name), what) == 0;
}

static json_int_t number(const json_t *value, const char *name)
{
    return json_integer_value(json_object_get(value, name));
}

/* What is Firmiana's own in a did/DID value's document (did/method.md). */
static const json_t *own(const json_t *value)
{
    return json_object_get(json_object_get(value, "document"), "firmiana");
}

static void hash_text(char out[65], const json_t *value)
{
    struct base_err err;
    uint8_t hash[32];

    assert_int_equal(base_json_hash(hash, value, &err), FM_OK);
    base_hex(out, hash, 32);
}

static bool names_has(const json_t *array, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(array, i, item) if (strcmp(json_string_value(item), name) == 0) return true;
    return false;
}

static bool is_provider(const json_t *contract, const char *alias)
{
    size_t i;
    json_t *table;

    json_array_foreach(json_object_get(contract, "tables"), i,
                       table) if (is(table, "provider", alias)) return true;
    return false;
}

/* ---- one kind of key each ---- */

static void check_consent(const json_t *all, const char *id, const json_t *v)
{
    json_int_t uses = number(json_object_get(v, "consent"), "uses"), taken = 0;
    const char *key;
    json_t *query, *item;
    char hash[65];
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)all, key, query)
    {
        if (strncmp(key, "query/", 6) != 0)
            continue;
        json_array_foreach(json_object_get(query, "consents"), i, item)
        {
            if (is(item, "consent", id) && !json_is_true(json_object_get(query, "refunded")))
                taken++;
        }
    }
    HOLDS("M1", id, number(v, "left") >= 0 && number(v, "left") <= uses);
    HOLDS("M1", id, uses - number(v, "left") == taken);
    hash_text(hash, json_object_get(v, "consent"));
    HOLDS("M1", id, strcmp(hash, id) == 0);
}

static void check_authorization(const json_t *all, const char *rest, const json_t *v)
{
    char id[65];
    const json_t *contract;

    HOLDS("M2", rest, strlen(rest) > 65 && rest[64] == '/');
    (void)snprintf(id, sizeof id, "%.64s", rest);
    contract = json_object_get(get(all, "contract", id), "contract");
    HOLDS("M2", rest, is_provider(contract, rest + 65));
    HOLDS("M2", rest, number(v, "used") >= 0 && number(v, "used") <= number(v, "runs"));
}

static void check_query(const json_t *all, const char *id, const json_t *v)
{
    const json_t *contract = json_object_get(get(all, "contract", text(v, "contract")), "contract");
    const json_t *open = json_object_get(get(all, "asker", text(v, "asker")), "open");
    const char *before = "";
    size_t i, listed = 0;
    json_t *item;

    HOLDS("M3", id,
          is(v, "status", "open") || is(v, "status", "done") || is(v, "status", "refused") ||
              is(v, "status", "aborted"));
    json_array_foreach(open, i, item)
    {
        if (!is(item, "query", id))
            continue;
        listed++;
        HOLDS("M3", id, number(item, "deadline") == number(v, "deadline"));
    }
    HOLDS("M3", id, listed == (is(v, "status", "open") ? 1 : 0));
    json_array_foreach(json_object_get(v, "receipts"), i, item)
    {
        const char *alias = json_string_value(item);

        HOLDS("M11", id, strcmp(before, alias) < 0);
        HOLDS("M11", id,
              is(contract, "asker", alias) || is_provider(contract, alias) ||
                  names_has(json_object_get(contract, "compute"), alias) ||
                  names_has(json_object_get(contract, "recipients"), alias));
        before = alias;
    }
}

static void check_asker(const json_t *all, const char *alias, const json_t *v)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(v, "open"), i, item)
    {
        const json_t *query = get(all, "query", text(item, "query"));

        HOLDS("M3", alias, is(query, "asker", alias) && is(query, "status", "open"));
    }
}

static void check_member(const json_t *all, const char *alias, const json_t *v)
{
    const json_t *did = get(all, "did", text(v, "did"));
    const char *key;
    json_t *other;
    size_t owners = 0;

    HOLDS("M6", alias, is(own(did), "alias", alias));
    HOLDS("M6", alias, is(v, "status", "active") || is(v, "status", "suspended"));
    json_object_foreach((json_t *)(uintptr_t)all, key, other) if (strncmp(key, "member/", 7) == 0 &&
                                                                  is(other, "did", text(v, "did")))
        owners++;
    HOLDS("M6", alias, owners == 1);
}

static void check_did(const json_t *all, const char *did, const json_t *v)
{
    json_int_t n, version = number(own(v), "version"), before = 0;
    const json_t *member = get(all, "member", text(own(v), "alias"));
    char hash[65], key[160];

    hash_text(hash, json_object_get(v, "document"));
    HOLDS("M7", did, is(v, "hash", hash));
    HOLDS("M7", did, version >= 1);
    for (n = 1; n <= version; n++) {
        const json_t *entry;

        (void)snprintf(key, sizeof key, "%s/%lld", did, (long long)n);
        entry = get(all, "did", key);
        HOLDS("M7", key, entry != NULL && number(entry, "height") >= before);
        before = number(entry, "height");
        if (n == version)
            HOLDS("M7", key, is(entry, "hash", hash) && before == number(v, "height"));
    }
    HOLDS("M7", did, is(member, "did", did));
    if (is(v, "status", "deactivated"))
        HOLDS("M7", did, is(member, "status", "suspended"));
}

static void check_dataset(const json_t *all, const char *rest, const json_t *v)
{
    const json_t *version;
    char alias[40], hash[65], key[160];

    (void)snprintf(alias, sizeof alias, "%.*s", (int)strcspn(rest, "/"), rest);
    HOLDS("M9", rest, get(all, "member", alias) != NULL);
    hash_text(hash, json_object_get(v, "schema"));
    HOLDS("M9", rest, is(v, "schema_hash", hash));
    HOLDS("M9", rest, number(v, "data_version") >= 1);
    (void)snprintf(key, sizeof key, "%s/%lld", rest, (long long)number(v, "data_version"));
    version = get(all, "version", key);
    if (number(json_object_get(all, "param"), "rules_version") >= 2 && number(v, "height") > 0 &&
        version != NULL)
        HOLDS("M9", key,
              is(version, "root", text(v, "root")) && is(version, "schema_hash", hash) &&
                  number(version, "rows") == number(v, "rows"));
}

static void check_misbehavior(const json_t *all, const char *id, const json_t *v)
{
    HOLDS("M13", id, number(v, "height") < number(v, "recorded"));
    HOLDS("M13", id,
          json_object_get(v, "member") == NULL || get(all, "member", text(v, "member")) != NULL);
}

static void check_proposal(const json_t *all, const char *id, const json_t *v)
{
    const char *alias = text(json_object_get(v, "body"), "alias");

    if (alias[0] == '\0')
        alias = "*";
    if (is(v, "status", "open"))
        HOLDS("M8", id, is(get(all, "pending", alias), "proposal", id));
    else
        HOLDS("M8", id, is(v, "status", "accepted") || is(v, "status", "rejected"));
}

static void check_pending(const json_t *all, const char *alias, const json_t *v)
{
    const json_t *proposal = get(all, "proposal", text(v, "proposal"));

    HOLDS("M8", alias, is(proposal, "status", "open"));
    HOLDS("M8", alias,
          is(json_object_get(proposal, "body"), "alias", strcmp(alias, "*") == 0 ? "" : alias));
}

static void check_epoch(const json_t *all, const char *n, const json_t *v)
{
    const json_t *param = json_object_get(all, "param");
    json_int_t epoch = strtoll(n, NULL, 10);
    const char *key;
    json_t *other;

    HOLDS("M12", n, epoch >= 1 && epoch <= number(param, "epoch"));
    if (epoch == number(param, "epoch"))
        HOLDS("M12", n, is(param, "sequencer", text(v, "sequencer")));
    json_object_foreach((json_t *)(uintptr_t)all, key, other)
    {
        if (strncmp(key, "epoch/", 6) == 0 && strtoll(key + 6, NULL, 10) > epoch)
            HOLDS("M12", n, number(other, "base") >= number(v, "base"));
    }
}

void memory_check(const struct memory *m, int64_t now)
{
    static const struct {
        const char *prefix;
        void (*check)(const json_t *all, const char *rest, const json_t *value);
    } checks[] = {{"consent/", check_consent},
                  {"authorization/", check_authorization},
                  {"query/", check_query},
                  {"asker/", check_asker},
                  {"member/", check_member},
                  {"dataset/", check_dataset},
                  {"proposal/", check_proposal},
                  {"misbehavior/", check_misbehavior},
                  {"pending/", check_pending},
                  {"epoch/", check_epoch},
                  {"misbehavior/", check_misbehavior}};
    json_t *all = parse_state(m);
    const json_t *param = json_object_get(all, "param");
    const char *key;
    json_t *value;
    json_int_t active = 0;
    size_t i;

    json_object_foreach(all, key, value)
    {
        for (i = 0; i < sizeof checks / sizeof checks[0]; i++) {
            size_t n = strlen(checks[i].prefix);

            if (strncmp(key, checks[i].prefix, n) == 0)
                checks[i].check(all, key + n, value);
        }
        if (strncmp(key, "did/", 4) == 0 && strchr(key + 4, '/') == NULL)
            check_did(all, key + 4, value);
        if (strncmp(key, "seen/", 5) == 0)
            HOLDS("M4", key, number(value, "not_after") >= now);
        if (strncmp(key, "member/", 7) == 0 && is(value, "status", "active"))
            active++;
        if (strncmp(key, "quota/", 6) == 0)
            HOLDS("M10", key,
                  number(value, "refused") <=
                      number(json_object_get(param, "limits"), "refused_per_day"));
    }
    if (number(param, "epoch") > 0) {
        char name[24];
        (void)snprintf(name, sizeof name, "%lld", (long long)number(param, "epoch"));
        HOLDS("M12", "param", get(all, "epoch", name) != NULL);
    }
    HOLDS("M6", "param", active >= number(param, "quorum"));
    if (number(param, "rules_version") >= 2)
        HOLDS("M6", "param", active < 2 * number(param, "quorum"));
    json_decref(all);
}
