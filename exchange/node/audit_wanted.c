#include "exchange/node/audit_wanted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"

void audit_wanted_release(struct audit_wanted *wanted)
{
    free(wanted->id);
    *wanted = (struct audit_wanted){0};
}

static fm_status add(struct audit_wanted *w, const uint8_t id[32], struct base_err *err)
{
    if (w->n == w->cap) {
        size_t more = w->cap == 0 ? 16 : 2 * w->cap;
        void *p = realloc(w->id, more * sizeof *w->id);
        if (p == NULL)
            return base_err_memory(err, "bundle");
        w->id = p;
        w->cap = more;
    }
    memcpy(w->id[w->n++], id, 32);
    return FM_OK;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* ---- leaves ---- */

static fm_status find_entries(struct audit_wanted *out, struct ledger_reader *reader,
                              const json_t *entries, struct base_err *err)
{
    const json_t *item;
    size_t i;
    fm_status st = FM_OK;

    json_array_foreach(entries, i, item)
    {
        struct ledger_entry entry;
        json_int_t leaf = json_integer_value(item);
        if (!json_is_integer(item) || leaf < 0)
            return base_err_set(err, FM_E_ARG, "entries are counted from 0");
        st = ledger_reader_leaf(reader, &entry, (uint64_t)leaf, err);
        if (st == FM_OK && entry.is_block)
            st = base_err_set(err, FM_E_ARG, "leaf %lld is a block's own", (long long)leaf);
        if (st == FM_OK)
            st = add(out, entry.id, err);
        ledger_entry_release(&entry);
        if (st != FM_OK)
            return st;
    }
    return st;
}

/* ---- a lottery ---- */

struct lotteries {
    struct audit_wanted *out;
    const char *root;
    json_t *same; /* ids of lotteries over that list */
};

static fm_status take_lottery(void *ctx, struct ledger_entry *entry, struct base_err *err)
{
    struct lotteries *l = ctx;
    struct base_err ignored = {0};
    json_t *payload = NULL;
    const json_t *body;
    char id[65];
    bool wanted;
    fm_status st = FM_OK;

    if (entry->is_block || strncmp(entry->type, "lottery.", 8) != 0 || entry->rule[0] != '\0' ||
        base_json_parse(&payload, (const char *)entry->payload.p, entry->payload.len, &ignored) !=
            FM_OK)
        return FM_OK;
    body = json_object_get(payload, "body");
    base_hex(id, entry->id, 32);
    if (strcmp(entry->type, "lottery.open") == 0) {
        wanted = strcmp(text_of(body, "root"), l->root) == 0;
        if (wanted && json_object_set_new(l->same, id, json_true()) != 0)
            st = base_err_memory(err, "bundle");
    } else {
        wanted = json_object_get(l->same, text_of(body, "lottery")) != NULL;
    }
    json_decref(payload);
    return st == FM_OK && wanted ? add(l->out, entry->id, err) : st;
}

struct found {
    json_t *value; /* of the first */
    unsigned n;
};

static fm_status take_found(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct found *f = ctx;

    (void)key;
    (void)err;
    if (f->n++ == 0)
        f->value = json_incref((json_t *)(uintptr_t)value);
    return FM_OK;
}

static fm_status find_lottery(struct audit_wanted *out, struct ledger_reader *reader,
                              const char *id, struct base_err *err)
{
    struct lotteries l = {out, NULL, json_object()};
    struct found found = {NULL, 0};
    json_t *value = NULL;
    char key[80];
    fm_status st = l.same != NULL ? FM_OK : base_err_memory(err, "bundle");

    (void)snprintf(key, sizeof key, "lottery/%.64s", id);
    if (st == FM_OK && strlen(id) < 8)
        st = base_err_set(err, FM_E_ARG, "a lottery is named by 8 digits of its id or more");
    if (st == FM_OK)
        st = ledger_reader_list(reader, key, take_found, &found, err);
    value = found.value;
    if (st == FM_OK && found.n != 1)
        st = base_err_set(err, found.n == 0 ? FM_E_NOT_FOUND : FM_E_ARG,
                          found.n == 0 ? "there is no lottery %.64s"
                                       : "more than one lottery begins with %.64s",
                          id);
    l.root = text_of(value, "root");
    if (st == FM_OK)
        st = ledger_reader_entries(reader, 0, take_lottery, &l, err);
    json_decref(value);
    json_decref(l.same);
    return st;
}

/* ---- a version of a dataset ---- */

static bool publishes(const struct ledger_entry *entry, const char *member, const char *dataset,
                      int64_t version)
{
    struct base_err ignored = {0};
    json_t *payload = NULL;
    const json_t *body;
    bool it;

    if (strcmp(entry->type, "dataset.publish") != 0 || strcmp(entry->alias, member) != 0 ||
        entry->rule[0] != '\0' ||
        base_json_parse(&payload, (const char *)entry->payload.p, entry->payload.len, &ignored) !=
            FM_OK)
        return false;
    body = json_object_get(payload, "body");
    it = strcmp(text_of(body, "dataset"), dataset) == 0 &&
         json_integer_value(json_object_get(body, "data_version")) == version;
    json_decref(payload);
    return it;
}

/* The state says in which block; its entries stand before its leaf. */
static fm_status find_version(struct audit_wanted *out, struct ledger_reader *reader,
                              const json_t *wanted, struct base_err *err)
{
    const char *member = text_of(wanted, "member"), *dataset = text_of(wanted, "dataset");
    int64_t version = json_integer_value(json_object_get(wanted, "data_version"));
    struct base_buf ignored = {0};
    json_t *value = NULL;
    uint64_t height = 0, leaf = 0;
    char key[192];
    fm_status st;

    (void)snprintf(key, sizeof key, "version/%.32s/%.64s/%lld", member, dataset,
                   (long long)version);
    st = ledger_reader_get(reader, &value, key, err);
    if (st == FM_E_NOT_FOUND)
        (void)base_err_set(err, FM_E_NOT_FOUND, "%s published no version %lld of %s", member,
                           (long long)version, dataset);
    if (st == FM_OK) {
        height = (uint64_t)json_integer_value(json_object_get(value, "height"));
        st = ledger_reader_block_leaf(reader, &ignored, &leaf, height, err);
    }
    base_buf_release(&ignored);
    json_decref(value);
    while (st == FM_OK && leaf > 0 && out->n == 0) {
        struct ledger_entry entry;
        st = ledger_reader_leaf(reader, &entry, --leaf, err);
        if (st == FM_OK && (entry.is_block || entry.height != height))
            st = base_err_set(err, FM_E_CORRUPT, "block %llu does not have what the state says",
                              (unsigned long long)height);
        if (st == FM_OK && publishes(&entry, member, dataset, version))
            st = add(out, entry.id, err);
        ledger_entry_release(&entry);
    }
    return st;
}

fm_status audit_wanted_find(struct audit_wanted *out, struct ledger_reader *reader,
                            const json_t *wanted, struct base_err *err)
{
    const json_t *entries = json_object_get(wanted, "entries");
    const char *lottery = json_string_value(json_object_get(wanted, "lottery"));
    const json_t *version = json_object_get(wanted, "version");
    fm_status st;

    *out = (struct audit_wanted){0};
    if (json_array_size(entries) > 0)
        st = find_entries(out, reader, entries, err);
    else if (lottery != NULL)
        st = find_lottery(out, reader, lottery, err);
    else if (json_is_object(version))
        st = find_version(out, reader, version, err);
    else
        st = base_err_set(err, FM_E_ARG, "audit.export: nothing of the trail is asked for");
    if (st != FM_OK)
        audit_wanted_release(out);
    return st;
}
