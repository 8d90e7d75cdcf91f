#include "ledger/abci/validators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/machine/validator.h"

void ledger_validators_release(struct ledger_validators *v)
{
    free(v->at);
    *v = (struct ledger_validators){0};
}

/* ---- a list of them ---- */

/* A document that names a key wrongly orders nothing: a rule of before let it in. */
static fm_status add(struct ledger_validators *v, const char *alias, const json_t *document,
                     struct base_err *err)
{
    struct ledger_validator *grown, one = {0};
    struct base_err why = {0};
    bool found;

    if (ledger_validator_read(one.key, &found, document, &why) != FM_OK || !found)
        return FM_OK;
    (void)snprintf(one.alias, sizeof one.alias, "%s", alias);
    grown = realloc(v->at, (v->n + 1) * sizeof *grown);
    if (grown == NULL)
        return base_err_memory(err, "validators");
    v->at = grown;
    v->at[v->n++] = one;
    return FM_OK;
}

static int compare(const void *a, const void *b)
{
    const struct ledger_validator *x = a, *y = b;
    int order = memcmp(x->key, y->key, sizeof x->key);

    return order != 0 ? order : strcmp(x->alias, y->alias);
}

static void settle(struct ledger_validators *v)
{
    size_t n = 0;

    if (v->n == 0)
        return;
    qsort(v->at, v->n, sizeof *v->at, compare);
    for (size_t i = 0; i < v->n; i++)
        if (n == 0 || memcmp(v->at[n - 1].key, v->at[i].key, sizeof v->at[i].key) != 0)
            v->at[n++] = v->at[i];
    v->n = n;
}

fm_status ledger_validators_first(struct ledger_validators *out, const json_t *genesis,
                                  struct base_err *err)
{
    const json_t *item, *members = json_object_get(genesis, "members");
    fm_status st = FM_OK;

    *out = (struct ledger_validators){0};
    for (size_t i = 0; st == FM_OK && (item = json_array_get(members, i)) != NULL; i++)
        st = add(out, json_string_value(json_object_get(item, "alias")),
                 json_object_get(item, "document"), err);
    settle(out);
    return st;
}

static fm_status of_genesis(struct ledger_validators *out, struct ledger_reader *reader,
                            struct base_err *err)
{
    struct base_buf bytes = {0};
    json_t *genesis = NULL;
    fm_status st = ledger_reader_genesis(reader, &bytes, err);

    ledger_validators_release(out);
    if (st == FM_OK)
        st = base_json_parse(&genesis, (const char *)bytes.p, bytes.len, err);
    if (st == FM_OK)
        st = ledger_validators_first(out, genesis, err);
    json_decref(genesis);
    base_buf_release(&bytes);
    return st;
}

/* ---- the state ---- */

struct walk {
    struct ledger_validators *out;
    struct ledger_reader *reader;
    const json_t *staged;
    bool any_status;
};

/* The value under a key after the staged block, new; NULL: there is none. */
static fm_status value_of(const struct walk *w, json_t **out, const char *key, struct base_err *err)
{
    json_t *changed = json_object_get(w->staged, key);
    fm_status st;

    *out = NULL;
    if (changed != NULL) {
        *out = json_is_null(changed) ? NULL : json_incref(changed);
        return FM_OK;
    }
    st = ledger_reader_get(w->reader, out, key, err);
    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

static fm_status add_member(const struct walk *w, const char *alias, const json_t *member,
                            struct base_err *err)
{
    const char *status = json_string_value(json_object_get(member, "status"));
    const char *did = json_string_value(json_object_get(member, "did"));
    struct base_buf key = {0};
    json_t *value = NULL;
    fm_status st;

    if (status == NULL || did == NULL || (!w->any_status && strcmp(status, "active") != 0))
        return FM_OK;
    base_buf_putf(&key, "did/%s", did);
    st = base_buf_status(&key, "key", err);
    if (st == FM_OK)
        st = value_of(w, &value, base_buf_cstr(&key), err);
    if (st == FM_OK)
        st = add(w->out, alias, json_object_get(value, "document"), err);
    json_decref(value);
    base_buf_release(&key);
    return st;
}

static fm_status on_member(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    const struct walk *w = ctx;

    return json_object_get(w->staged, key) != NULL
               ? FM_OK /* below */
               : add_member(w, key + strlen("member/"), value, err);
}

fm_status ledger_validators_of(struct ledger_validators *out, struct ledger_reader *reader,
                               const json_t *staged, struct base_err *err)
{
    struct walk w = {out, reader, staged, false};
    json_t *param = NULL, *value;
    const char *key;
    bool first = false;
    fm_status st = value_of(&w, &param, "param", err);

    *out = (struct ledger_validators){0};
    if (st == FM_OK)
        first = json_integer_value(json_object_get(param, "rules_version")) < /* V1 */
                LEDGER_VALIDATORS_SINCE;
    json_decref(param);
    if (st == FM_OK && !first)
        st = ledger_reader_list(reader, "member/", on_member, &w, err);
    json_object_foreach((json_t *)(uintptr_t)staged, key, value)
    {
        if (st == FM_OK && !first && strncmp(key, "member/", 7) == 0)
            st = add_member(&w, key + 7, value, err);
    }
    settle(out);                    /* V2 */
    if (st == FM_OK && out->n == 0) /* V1, V3 */
        st = of_genesis(out, reader, err);
    if (st != FM_OK)
        ledger_validators_release(out);
    return st;
}

bool ledger_validators_touched(const json_t *staged)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)staged, key, value)
    {
        if (strncmp(key, "member/", 7) == 0 || strncmp(key, "did/", 4) == 0 ||
            strcmp(key, "param") == 0)
            return true;
    }
    return false;
}

/* ---- names ---- */

static void find(char out[33], const struct ledger_validators *v, const uint8_t address[20])
{
    for (size_t i = 0; i < v->n && out[0] == '\0'; i++) {
        uint8_t its[20];
        ledger_validator_address(its, v->at[i].key);
        if (memcmp(its, address, sizeof its) == 0)
            memcpy(out, v->at[i].alias, sizeof v->at[i].alias);
    }
}

struct owner {
    const char *did;
    char *alias; /* 33 */
};

static fm_status is_owner(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    const struct owner *o = ctx;
    const char *did = json_string_value(json_object_get(value, "did"));

    (void)err;
    if (did != NULL && strcmp(did, o->did) == 0)
        (void)snprintf(o->alias, 33, "%s", key + strlen("member/"));
    return FM_OK;
}

/* A key that its member's document no longer names. */
static fm_status find_past(char out[33], struct ledger_reader *reader, const uint8_t address[20],
                           struct base_err *err)
{
    struct owner o = {.alias = out};
    char key[LEDGER_VALIDATOR_KEY_TEXT];
    json_t *value = NULL;
    fm_status st;

    ledger_validator_key(key, address);
    st = ledger_reader_get(reader, &value, key, err);
    if (st == FM_E_NOT_FOUND)
        return FM_OK;
    o.did = json_string_value(json_object_get(value, "did"));
    if (st == FM_OK && o.did != NULL)
        st = ledger_reader_list(reader, "member/", is_owner, &o, err);
    json_decref(value);
    return st;
}

fm_status ledger_validator_name(char out[33], struct ledger_reader *reader,
                                const uint8_t address20[20], struct base_err *err)
{
    struct ledger_validators v = {0};
    struct walk w = {&v, reader, NULL, true};
    fm_status st = ledger_reader_list(reader, "member/", on_member, &w, err);

    memset(out, 0, 33);
    find(out, &v, address20);
    if (st == FM_OK && out[0] == '\0')
        st = find_past(out, reader, address20, err);
    if (st == FM_OK && out[0] == '\0')
        st = of_genesis(&v, reader, err);
    if (st == FM_OK)
        find(out, &v, address20);
    ledger_validators_release(&v);
    return st;
}
