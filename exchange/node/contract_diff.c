#include "exchange/node/contract_diff.h"

#include <string.h>

#include "base/bytes.h"
#include "base/json.h"

enum { SHOWN = 400 }; /* characters of a value */

static const char *text(const json_t *object, const char *name)
{
    const char *t = json_string_value(json_object_get(object, name));

    return t != NULL ? t : "";
}

struct earlier {
    struct node *node;
    const struct contract *c;
    json_t *contract; /* the newest one found so far */
    json_int_t height;
    char id[65];
};

static fm_status consider(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct earlier *e = ctx;
    const json_t *other = json_object_get(value, "contract");
    const char *id = key + strlen("contract/");
    struct base_err none = {0};
    json_t *authorization = NULL;
    json_int_t height;
    fm_status st;

    if (strcmp(text(other, "name"), e->c->name) != 0 ||
        strcmp(text(other, "asker"), e->c->asker) != 0 || json_equal(other, e->c->json))
        return FM_OK;
    st = node_state(e->node, &authorization, &none, "authorization/%.64s/%.32s", id,
                    e->node->config.home.alias);
    height = json_integer_value(json_object_get(authorization, "height"));
    if (st == FM_OK && height >= e->height) {
        json_decref(e->contract);
        e->contract = json_incref((json_t *)(uintptr_t)other);
        e->height = height;
        (void)snprintf(e->id, sizeof e->id, "%.64s", id);
    }
    json_decref(authorization);
    if (st == FM_E_NOT_FOUND)
        return FM_OK;
    if (st != FM_OK)
        *err = none;
    return st;
}

/* As much of it as is shown, in whole characters. */
static int shown(const char *t)
{
    size_t len = strnlen(t, SHOWN);

    while (len > 0 && ((unsigned char)t[len] & 0xc0) == 0x80)
        len--;
    return (int)len;
}

static void put_value(struct base_buf *out, char sign, const json_t *value)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};

    if (value == NULL)
        base_buf_putf(out, "    %c (nothing)\n", sign);
    else if (json_is_string(value))
        base_buf_putf(out, "    %c %.*s\n", sign, shown(json_string_value(value)),
                      json_string_value(value));
    else if (base_json_canonical(&bytes, value, &err) == FM_OK)
        base_buf_putf(out, "    %c %.*s\n", sign, shown(base_buf_cstr(&bytes)),
                      base_buf_cstr(&bytes));
    base_buf_release(&bytes);
}

static void compare(struct base_buf *out, const char *what, const json_t *before,
                    const json_t *after)
{
    if (json_equal((json_t *)(uintptr_t)before, (json_t *)(uintptr_t)after))
        return;
    base_buf_putf(out, "  %s\n", what);
    put_value(out, '-', before);
    put_value(out, '+', after);
}

/* The plan follows from the SQL; a new expiry and version are in every new version. */
static void put_diff(struct base_buf *out, const struct earlier *e)
{
    static const char *const members[] = {"purpose",       "sql",        "protocol", "link",
                                          "compute",       "recipients", "tables",   "parameters",
                                          "minimum_group", "consent"};
    const char *alias = e->node->config.home.alias;
    size_t before;

    base_buf_putf(out,
                  "\nagainst %.12s, version %lld of it, which this member allowed at height "
                  "%lld:\n",
                  e->id, (long long)json_integer_value(json_object_get(e->contract, "version")),
                  (long long)e->height);
    before = out->len;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        compare(out, members[i], json_object_get(e->contract, members[i]),
                json_object_get(e->c->json, members[i]));
    compare(out, "uses of your columns",
            json_object_get(json_object_get(e->contract, "uses"), alias),
            json_object_get(json_object_get(e->c->json, "uses"), alias));
    if (out->len == before)
        base_buf_put_str(out, "  the same but for version and expiry\n");
}

fm_status node_contract_diff(struct node *node, struct base_buf *out, const struct contract *c,
                             struct base_err *err)
{
    struct earlier e = {.node = node, .c = c};
    fm_status st =
        ledger_reader_list(ledger_chain_reader(node->chain), "contract/", consider, &e, err);

    if (st == FM_OK && e.contract != NULL)
        put_diff(out, &e);
    json_decref(e.contract);
    return st == FM_OK ? base_buf_status(out, "contract", err) : st;
}
