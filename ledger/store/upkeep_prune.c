#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/upkeep_impl.h"

/* ---- what is still needed ---- */

enum verdict { ERASE, ALREADY, IDENTITY, NEEDED };

struct prune {
    struct ledger_chain *chain;
    struct ledger_prune_report *report;
    const struct ledger_progress *progress;
    uint64_t *leaves; /* to erase */
    size_t n, cap;
    uint64_t end;
};

/* An object of the state, NULL if there is none. The caller owns it. */
static fm_status value_of(const struct prune *p, json_t **out, const char *kind, const char *id,
                          struct base_err *err)
{
    char key[160];

    *out = NULL;
    if (id == NULL || (size_t)snprintf(key, sizeof key, "%s/%s", kind, id) >= sizeof key)
        return FM_OK;
    return ledger_store_value(p->chain->store, out, key, err);
}

static bool in_future(const struct prune *p, const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name)) > p->chain->tip.time_ms;
}

static bool text_is(const json_t *object, const char *name, const char *text)
{
    const char *there = json_string_value(json_object_get(object, name));

    return there != NULL && strcmp(there, text) == 0;
}

static fm_status query_needs(const struct prune *p, bool *needed, const char *id,
                             struct base_err *err)
{
    json_t *query;
    fm_status st = value_of(p, &query, "query", id, err);

    *needed = query != NULL && text_is(query, "status", "open");
    json_decref(query);
    return st;
}

static fm_status contract_needs(const struct prune *p, bool *needed, const char *id,
                                struct base_err *err)
{
    json_t *value;
    fm_status st = value_of(p, &value, "contract", id, err);

    *needed = in_future(p, json_object_get(value, "contract"), "expires");
    json_decref(value);
    return st;
}

static fm_status consent_needs(const struct prune *p, bool *needed, const char *id,
                               struct base_err *err)
{
    json_t *value;
    fm_status st = value_of(p, &value, "consent", id, err);

    *needed = in_future(p, json_object_get(value, "consent"), "expires") &&
              text_is(value, "status", "active") &&
              json_integer_value(json_object_get(value, "left")) > 0;
    json_decref(value);
    return st;
}

static fm_status dataset_needs(const struct prune *p, bool *needed, const char *alias,
                               const json_t *body, struct base_err *err)
{
    const char *name = json_string_value(json_object_get(body, "dataset"));
    char id[128];
    json_t *value = NULL;
    fm_status st = FM_OK;

    *needed = true;
    if (name == NULL || (size_t)snprintf(id, sizeof id, "%s/%s", alias, name) >= sizeof id)
        return FM_OK;
    st = value_of(p, &value, "dataset", id, err);
    *needed = value == NULL || json_integer_value(json_object_get(body, "data_version")) >=
                                   json_integer_value(json_object_get(value, "data_version"));
    json_decref(value);
    return st;
}

/* Ids of inner objects: the hash without the proof, or with all there is. */
static bool id_of(char hex[65], const json_t *object)
{
    struct base_err ignored;
    json_t *bare = json_copy((json_t *)(uintptr_t)object);
    uint8_t hash[32];
    bool good;

    (void)json_object_del(bare, "proof");
    good = bare != NULL && base_json_hash(hash, bare, &ignored) == FM_OK;
    if (good)
        base_hex(hex, hash, sizeof hash);
    json_decref(bare);
    return good;
}

/* By type; what is not known is needed. */
static fm_status type_needs(const struct prune *p, bool *needed,
                            const struct ledger_store_leaf *leaf, const json_t *body,
                            struct base_err *err)
{
    const json_t *inner;
    char id[65];

    *needed = true;
    base_hex(id, leaf->id, 32);
    if (strcmp(leaf->type, "query.open") == 0)
        return query_needs(p, needed, id, err);
    if (strcmp(leaf->type, "query.close") == 0 || strcmp(leaf->type, "query.receipt") == 0) {
        inner = json_object_get(body, "receipt");
        return query_needs(p, needed, json_string_value(json_object_get(inner, "query")), err);
    }
    if (strcmp(leaf->type, "contract.propose") == 0)
        return id_of(id, body) ? contract_needs(p, needed, id, err) : FM_OK;
    if (strcmp(leaf->type, "authorization.grant") == 0 ||
        strcmp(leaf->type, "authorization.revoke") == 0)
        return contract_needs(p, needed, json_string_value(json_object_get(body, "contract")), err);
    if (strcmp(leaf->type, "consent.grant") == 0)
        return id_of(id, json_object_get(body, "consent")) ? consent_needs(p, needed, id, err)
                                                           : FM_OK;
    if (strcmp(leaf->type, "consent.revoke") == 0) {
        json_t *consent;
        fm_status st;

        inner = json_object_get(body, "revocation");
        st = value_of(p, &consent, "consent", json_string_value(json_object_get(inner, "consent")),
                      err);
        *needed = in_future(p, json_object_get(consent, "consent"), "expires");
        json_decref(consent);
        return st;
    }
    if (strcmp(leaf->type, "dataset.publish") == 0)
        return dataset_needs(p, needed, leaf->alias, body, err);
    return FM_OK;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool ledger_prune_always_keeps(const char *type)
{
    return starts(type, "member.") || starts(type, "did.") || starts(type, "epoch") ||
           starts(type, LEDGER_MISBEHAVIOR_TYPE);
}

static fm_status judge(const struct prune *p, enum verdict *out,
                       const struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct base_err why;
    json_t *tx, *result = NULL;
    bool needed = false;
    fm_status st = FM_OK;

    *out = leaf->erased ? ALREADY : IDENTITY;
    if (leaf->erased || ledger_prune_always_keeps(leaf->type))
        return FM_OK;
    if (base_json_parse_canonical(&tx, leaf->payload.p, leaf->payload.len, &why) != FM_OK ||
        base_json_parse_canonical(&result, leaf->result.p, leaf->result.len, &why) != FM_OK) {
        st = ledger_store_corrupt(p->chain->store, "a payload or result is not JSON", err);
    } else if (json_integer_value(json_object_get(tx, "not_after")) >= p->chain->tip.time_ms) {
        needed = true;
    } else if (text_is(result, "code", "ok")) { /* what was refused has changed nothing */
        st = type_needs(p, &needed, leaf, json_object_get(tx, "body"), err);
    }
    *out = needed ? NEEDED : ERASE;
    json_decref(tx);
    json_decref(result);
    return st;
}

fm_status ledger_prune_keeps(struct ledger_store *store, const struct ledger_tip *tip,
                             const struct ledger_store_leaf *leaf, bool *keeps,
                             struct base_err *err)
{
    struct ledger_chain chain = {.store = store, .tip = *tip};
    const struct prune p = {.chain = &chain};
    enum verdict verdict = ERASE;
    fm_status st = judge(&p, &verdict, leaf, err);

    *keeps = verdict == IDENTITY || verdict == NEEDED;
    return st;
}

static fm_status take_leaf(void *ctx, struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct prune *p = ctx;
    enum verdict verdict = ERASE;
    fm_status st = leaf->is_block ? FM_OK : judge(p, &verdict, leaf, err);

    if (leaf->leaf % 1024 == 0)
        ledger_tell(p->progress, "leaf", leaf->leaf, p->end);
    if (st != FM_OK || leaf->is_block)
        return st;
    p->report->already += verdict == ALREADY;
    p->report->identity += verdict == IDENTITY;
    p->report->needed += verdict == NEEDED;
    if (verdict != ERASE)
        return FM_OK;
    if (p->n == p->cap) {
        size_t cap = p->cap == 0 ? 1024 : 2 * p->cap;
        uint64_t *leaves = realloc(p->leaves, cap * sizeof *leaves);

        if (leaves == NULL)
            return base_err_memory(err, "prune");
        p->leaves = leaves;
        p->cap = cap;
    }
    p->leaves[p->n++] = leaf->leaf;
    return FM_OK;
}

/* ---- erasing ---- */

static uint64_t file_size(const struct ledger_store *store)
{
    struct stat info;

    return stat(store->path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* Undo goes too: old values of the state repeat what payloads said. */
static fm_status erase_rows(struct prune *p, struct base_err *err)
{
    struct ledger_store *store = p->chain->store;
    fm_status st = ledger_store_begin_write(store, err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; st == FM_OK && i < p->n; i++) {
        if (i % 1024 == 0)
            ledger_tell(p->progress, "payload", i, p->n);
        st = ledger_store_erase_row(store, p->leaves[i], err);
    }
    if (st == FM_OK && p->report->before > 0)
        st = ledger_store_drop_undo(store, p->report->before - 1, err);
    if (st == FM_OK)
        return ledger_store_commit(store, err);
    ledger_store_rollback(store);
    return st;
}

/* The chain's own reader is let go meanwhile, so that nobody holds the file but this connection. */
static fm_status erase(struct prune *p, struct base_err *err)
{
    struct ledger_chain *chain = p->chain;
    fm_status st;

    ledger_reader_close(chain->reader);
    chain->reader = NULL;
    st = ledger_store_scrub(chain->store, LEDGER_SCRUB_BEGIN, err);
    if (st == FM_OK && p->n > 0)
        st = erase_rows(p, err);
    if (st == FM_OK)
        st = ledger_store_scrub(chain->store, LEDGER_SCRUB_END, err);
    if (st == FM_OK)
        p->report->erased = p->n;
    return ledger_reader_make(&chain->reader, chain->store->path, err) == FM_OK ? st : err->code;
}

fm_status ledger_prune(struct ledger_chain *chain, uint64_t before_height, unsigned flags,
                       struct ledger_prune_report *report, const struct ledger_progress *progress,
                       struct base_err *err)
{
    struct prune p = {.chain = chain, .report = report, .progress = progress};
    struct ledger_store_block block, final = {0};
    fm_status st = FM_OK;

    memset(report, 0, sizeof *report);
    report->before = before_height;
    report->bytes_before = file_size(chain->store);
    if (chain->final_size > 0)
        st = ledger_block_ending(chain->store, &final, chain->final_size, err);
    if (st != FM_OK)
        return st;
    if (before_height > final.height)
        return base_err_set(err, FM_E_ARG,
                            "blocks up to %llu are final, and only below that is anything pruned",
                            (unsigned long long) final.height);
    st = ledger_store_get_block(chain->store, &block, before_height, err);
    p.end = block.first_leaf;
    if (st == FM_OK)
        st = ledger_store_each_leaf(chain->store, 0, p.end, take_leaf, &p, err);
    if (st == FM_OK && (flags & LEDGER_PRUNE_DRY) != 0)
        report->erased = p.n;
    else if (st == FM_OK)
        st = erase(&p, err);
    report->bytes_after = file_size(chain->store);
    free(p.leaves);
    return st;
}

fm_status ledger_height_at(struct ledger_reader *reader, uint64_t *height, int64_t time_ms,
                           struct base_err *err)
{
    struct ledger_head head;
    struct ledger_store_block block;
    uint64_t low = 0, high;
    fm_status st = ledger_reader_head(reader, &head, err);

    high = st == FM_OK ? head.height + 1 : 0;
    while (st == FM_OK && low < high) { /* times rise with heights */
        uint64_t middle = low + (high - low) / 2;

        st = ledger_store_get_block(reader->store, &block, middle, err);
        if (st == FM_OK && block.time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *height = low;
    return st;
}
