#include "exchange/wallet/trail.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/wallet/consent.h"

/* ---- reading ---- */

/* The transactions of a block, until its leaf says height and time. */
struct block {
    struct wallet_entry *items;
    json_t **rules; /* keep the entries' texts */
    size_t count, cap;
};

static void block_clear(struct block *b)
{
    for (size_t i = 0; i < b->count; i++) {
        json_decref((json_t *)(uintptr_t)b->items[i].tx);
        json_decref(b->rules[i]);
    }
    b->count = 0;
}

static fm_status block_grow(struct block *b, struct base_err *err)
{
    size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
    struct wallet_entry *items = realloc(b->items, cap * sizeof *items);
    json_t **rules;

    if (items == NULL)
        return base_err_memory(err, "trail");
    b->items = items;
    rules = realloc(b->rules, cap * sizeof(json_t *));
    if (rules == NULL)
        return base_err_memory(err, "trail");
    b->rules = rules;
    b->cap = cap;
    return FM_OK;
}

static fm_status block_add(struct block *b, const struct ledger_bundle_reader *r,
                           struct base_err *err)
{
    json_t *rule = json_object_get(r->result, "rule");

    if (r->payload == NULL)
        return FM_OK;
    if (b->count == b->cap && block_grow(b, err) != FM_OK)
        return err->code;
    b->items[b->count] = (struct wallet_entry){.leaf = r->leaf,
                                               .tx = json_incref((json_t *)(uintptr_t)r->payload),
                                               .rule = json_string_value(rule)};
    b->rules[b->count++] = json_incref(rule);
    return FM_OK;
}

fm_status wallet_trail_walk(const struct ledger_bundle_source *source,
                            fm_status (*visit)(void *ctx, const struct wallet_entry *entry,
                                               struct base_err *err),
                            void *ctx, struct base_err *err)
{
    struct ledger_bundle_reader r;
    struct block b = {0};
    fm_status st;

    ledger_bundle_reader_init(&r, source);
    do {
        st = ledger_bundle_next(&r, err);
        if (st != FM_OK || r.kind != LEDGER_BUNDLE_LEAF)
            continue;
        if (r.result != NULL) {
            st = block_add(&b, &r, err);
            continue;
        }
        for (size_t i = 0; st == FM_OK && i < b.count; i++) {
            b.items[i].height = (uint64_t)json_integer_value(json_object_get(r.payload, "height"));
            b.items[i].time_ms = json_integer_value(json_object_get(r.payload, "time"));
            st = visit(ctx, &b.items[i], err);
        }
        block_clear(&b);
    } while (st == FM_OK && r.kind != LEDGER_BUNDLE_END);
    ledger_bundle_reader_release(&r);
    block_clear(&b);
    free(b.items);
    free(b.rules);
    return st;
}

/* ---- finding what is ours ---- */

struct find {
    struct wallet_search search;
    size_t news;
};

static fm_status note(struct find *f, json_t *record, const char *what,
                      const struct wallet_entry *e, struct base_err *err)
{
    if (json_object_get(record, what) != NULL)
        return FM_OK;
    f->news++;
    return json_object_set_new(record, what,
                               json_pack("{s:I,s:I,s:I}", "height", (json_int_t)e->height, "leaf",
                                         (json_int_t)e->leaf, "time", (json_int_t)e->time_ms)) == 0
               ? FM_OK
               : base_err_memory(err, "wallet");
}

static fm_status see(void *ctx, const struct wallet_entry *e, struct base_err *err)
{
    const char *type = wallet_text(e->tx, "type"), *id;
    const json_t *body = json_object_get(e->tx, "body");
    struct find *f = ctx;
    json_t *record = NULL;
    size_t i;
    fm_status st;

    if (e->rule != NULL)
        return FM_OK;
    if (strcmp(type, "consent.grant") == 0) {
        st = wallet_search_consent(&record, &f->search, json_object_get(body, "consent"), err);
        return st == FM_OK && record != NULL ? note(f, record, "granted", e, err) : st;
    }
    if (strcmp(type, "consent.revoke") != 0)
        return FM_OK;
    id = wallet_text(json_object_get(body, "revocation"), "consent");
    json_array_foreach(wallet_list(f->search.w, "consents"), i,
                       record) if (strcmp(wallet_text(record, "id"), id) ==
                                   0) return note(f, record, "withdrawn", e, err);
    return FM_OK;
}

fm_status wallet_trail_find(size_t *news, struct wallet *w, const struct ledger_verified *report,
                            const struct ledger_bundle_source *source, struct base_err *err)
{
    bool whole = !report->compact && report->skipped == 0 && report->hidden_accepted == 0;
    struct find f = {.news = 0};
    fm_status st;

    *news = 0;
    if (wallet_is_unsearched(w) && !whole)
        return base_err_set(err, FM_E_INVALID,
                            "the trail leaves out entries: a recovered wallet needs a whole one "
                            "(audit export without --entry)");
    st = wallet_search_begin(&f.search, w, err);
    if (st == FM_OK)
        st = wallet_trail_walk(source, see, &f, err);
    if (st == FM_OK && wallet_is_unsearched(w) &&
        json_object_set_new(w->content, "recovered", json_false()) != 0)
        st = base_err_memory(err, "wallet");
    wallet_search_release(&f.search);
    *news = f.news;
    return st;
}
