/* did.resolve: a DID's versions on the ledger, and the document of one of them. Only what is final
 * counts. Versions and heights stand in the state (format.md section 6, did/DID/N); an older
 * document in the transaction that brought it, found in its block by its hash. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/draft.h"
#include "did/resolution.h"
#include "exchange/node/requests_own.h"

/* ---- the versions ---- */

struct listing {
    struct did_history history;
    int64_t final_height;
};

/* Keys come in byte order (1, 10, 2), so each goes to its place. */
static fm_status add_version(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct listing *l = ctx;
    long long number = strtoll(strrchr(key, '/') + 1, NULL, 10);
    struct did_version v = {0};
    fm_status st = base_json_get_hex(v.hash32, 32, value, "hash", err);

    if (st == FM_OK)
        st = base_json_get_int(&v.height, value, "height", err);
    if (st != FM_OK || v.height > l->final_height)
        return st;
    while (st == FM_OK && (long long)l->history.n < number)
        st = did_history_add(&l->history, &(struct did_version){.height = -1}, err);
    if (st == FM_OK)
        l->history.versions[number - 1] = v;
    return st;
}

static fm_status block_of(struct ledger_reader *reader, int64_t height, json_t **block,
                          uint64_t *leaf, struct base_err *err)
{
    struct base_buf payload = {0};
    fm_status st = ledger_reader_block_leaf(reader, &payload, leaf, (uint64_t)height, err);

    *block = NULL;
    if (st == FM_OK)
        st = base_json_parse(block, base_buf_cstr(&payload), payload.len, err);
    base_buf_release(&payload);
    return st;
}

static fm_status list_versions(struct did_history *out, struct ledger_reader *reader,
                               const char *did, struct base_err *err)
{
    struct listing l = {0};
    char prefix[DID_FIRMIANA_TEXT + 8];
    uint64_t size, height;
    fm_status st = ledger_reader_final(reader, &size, &height, NULL, err);

    *out = l.history;
    if (st == FM_OK)
        l.final_height = (int64_t)height;
    else if (st != FM_E_NOT_FOUND) /* nothing final yet: the genesis is */
        return st;
    (void)snprintf(prefix, sizeof prefix, "did/%s/", did);
    st = ledger_reader_list(reader, prefix, add_version, &l, err);
    for (size_t i = 0; st == FM_OK && i < l.history.n; i++)
        if (l.history.versions[i].height < 0)
            st = base_err_set(err, FM_E_CORRUPT, "version %zu of %s is missing", i + 1, did);
    if (st == FM_OK && l.history.n == 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "%s is no DID of this ledger", did);
    if (st != FM_OK)
        did_history_release(&l.history);
    *out = l.history;
    return st;
}

/* ---- where a version came from ---- */

static bool is_that(const json_t *document, const uint8_t hash32[32])
{
    uint8_t hash[32];
    struct base_err err = {0};

    return json_is_object(document) && base_json_hash(hash, document, &err) == FM_OK &&
           memcmp(hash, hash32, 32) == 0;
}

static json_t *proposal_of(struct ledger_reader *reader, const struct ledger_entry *entry,
                           const json_t *body)
{
    const char *voted = json_string_value(json_object_get(body, "proposal"));
    struct base_err err = {0};
    char key[80], id[65];
    json_t *value = NULL;

    base_hex(id, entry->id, 32);
    (void)snprintf(key, sizeof key, "proposal/%.64s", voted != NULL ? voted : id);
    return ledger_reader_get(reader, &value, key, &err) == FM_OK ? value : NULL;
}

/* What this transaction brought, if it is that document: *document is then the caller's. */
static void look_at(struct ledger_reader *reader, struct did_version *v, json_t **document,
                    const struct ledger_entry *entry, const char *alias)
{
    bool is_own = strncmp(entry->type, "did.", 4) == 0 && strcmp(entry->alias, alias) == 0;
    const json_t *body, *found;
    json_t *tx = NULL, *proposal = NULL;
    struct base_err err = {0};

    if (entry->rule[0] != '\0' || (!is_own && strncmp(entry->type, "member.", 7) != 0))
        return;
    if (!entry->erased &&
        base_json_parse(&tx, (const char *)entry->payload.p, entry->payload.len, &err) != FM_OK)
        return;
    body = json_object_get(tx, "body");
    if (!is_own)
        proposal = proposal_of(reader, entry, body);
    found = json_object_get(is_own ? body : json_object_get(proposal, "body"), "document");
    if (is_that(found, v->hash32)) {
        json_decref(*document);
        *document = json_deep_copy(found);
    }
    if (is_that(found, v->hash32) || (is_own && found == NULL && v->by[0] == '\0'))
        (void)snprintf(v->by, sizeof v->by, "%s",
                       is_own ? entry->type : json_string_value(json_object_get(proposal, "kind")));
    json_decref(proposal);
    json_decref(tx);
}

static fm_status find_in_genesis(struct ledger_reader *reader, struct did_version *v,
                                 json_t **document, const char *did, struct base_err *err)
{
    struct did_document *raw = NULL, *bound = NULL;
    struct base_buf text = {0};
    json_t *genesis = NULL, *member;
    size_t i;
    fm_status st = ledger_reader_genesis(reader, &text, err);

    if (st == FM_OK)
        st = base_json_parse(&genesis, base_buf_cstr(&text), text.len, err);
    json_array_foreach(json_object_get(genesis, "members"), i, member)
    {
        json_t *json = json_object_get(member, "document");
        const char *id = json_string_value(json_object_get(json, "id"));
        if (st != FM_OK || id == NULL || strcmp(strrchr(id, ':'), strrchr(did, ':')) != 0)
            continue;
        st = did_document_parse(&raw, json, DID_RULES_VERSION, err);
        if (st == FM_OK)
            st = did_document_bind(&bound, raw, ledger_reader_id(reader), DID_RULES_VERSION, err);
        if (st == FM_OK)
            *document = json_deep_copy(did_document_json(bound));
        break;
    }
    (void)snprintf(v->by, sizeof v->by, "genesis");
    did_document_free(raw);
    did_document_free(bound);
    json_decref(genesis);
    base_buf_release(&text);
    return st;
}

/* Fills time and by of a version; *document: what brought it says it, unless that was erased. */
static fm_status find_version(struct ledger_reader *reader, struct did_version *v,
                              json_t **document, const char *did, const char *alias,
                              struct base_err *err)
{
    json_t *block = NULL;
    uint64_t leaf = 0;
    int64_t txs = 0;
    fm_status st = block_of(reader, v->height, &block, &leaf, err);

    *document = NULL;
    if (st == FM_OK)
        st = base_json_get_int(&v->time_ms, block, "time", err);
    if (st == FM_OK)
        st = base_json_get_int(&txs, block, "txs", err);
    json_decref(block);
    if (st == FM_OK && v->height == 0)
        return find_in_genesis(reader, v, document, did, err);
    for (uint64_t at = leaf - (uint64_t)txs; st == FM_OK && at < leaf; at++) {
        struct ledger_entry entry = {0};
        st = ledger_reader_leaf(reader, &entry, at, err);
        if (st == FM_OK)
            look_at(reader, v, document, &entry, alias);
        ledger_entry_release(&entry);
    }
    return st;
}

/* ---- the answer ---- */

/* The document after did.deactivate is in no transaction: everyone computes the same one. */
static fm_status last_document(json_t **out, const json_t *before, struct base_err *err)
{
    struct did_document *doc = NULL, *last = NULL;
    struct did_draft draft = {0};
    fm_status st = did_document_parse(&doc, before, DID_RULES_VERSION, err);

    if (st == FM_OK)
        st = did_draft_next(&draft, doc, err);
    if (st == FM_OK) {
        did_draft_deactivate(&draft);
        st = did_draft_build(&last, &draft, DID_RULES_VERSION, err);
    }
    if (st == FM_OK)
        *out = json_deep_copy(did_document_json(last));
    did_draft_release(&draft);
    did_document_free(last);
    did_document_free(doc);
    return st;
}

struct finding {
    struct ledger_reader *reader;
    const char *did, *alias;
    struct did_history history;
    json_t *newest;   /* did/DID */
    json_t *document; /* the one that is asked for */
    size_t at;
};

/* Of a version whose time and type are filled; FM_E_NOT_FOUND if it was erased. */
static fm_status document_of(struct finding *f, size_t at, struct base_err *err)
{
    const json_t *current = json_object_get(f->newest, "document");
    struct did_version *v = &f->history.versions[at];
    json_t *before = NULL;
    fm_status st = FM_OK;

    if (is_that(current, v->hash32))
        f->document = json_deep_copy(current);
    else
        st = find_version(f->reader, v, &f->document, f->did, f->alias, err);
    if (st == FM_OK && f->document == NULL && at > 0 && strcmp(v->by, "did.deactivate") == 0) {
        st = find_version(f->reader, v - 1, &before, f->did, f->alias, err);
        if (st == FM_OK && before != NULL)
            st = last_document(&f->document, before, err);
        json_decref(before);
    }
    if (st == FM_OK && !is_that(f->document, v->hash32))
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "version %zu: its document was erased from this node's ledger", at + 1);
    return st;
}

static fm_status find_all(struct finding *f, const struct did_which *which, struct base_err *err)
{
    fm_status st = FM_OK;

    f->alias = json_string_value(json_object_get(
        json_object_get(json_object_get(f->newest, "document"), "firmiana"), "alias"));
    for (size_t i = 0; st == FM_OK && i < f->history.n; i++) {
        json_t *document = NULL;
        st = find_version(f->reader, &f->history.versions[i], &document, f->did, f->alias, err);
        json_decref(document);
    }
    if (st == FM_OK)
        st = did_history_pick(&f->at, &f->history, which, err);
    return st == FM_OK ? document_of(f, f->at, err) : st;
}

static fm_status read_which(struct did_which *out, const json_t *request, struct base_err *err)
{
    static const struct {
        const char *name;
        int by;
    } members[] = {{"version", DID_AT_VERSION}, {"height", DID_AT_HEIGHT}, {"time", DID_AT_TIME}};

    *out = (struct did_which){0};
    for (size_t i = 0; i < 3; i++) {
        fm_status st;
        if (json_object_get(request, members[i].name) == NULL)
            continue;
        st = base_json_get_int(&out->value, request, members[i].name, err);
        if (st != FM_OK)
            return st;
        out->by = members[i].by;
    }
    return FM_OK;
}

void node_request_did_resolve(struct node *node, const json_t *request,
                              const struct node_reply *reply)
{
    struct finding f = {.reader = ledger_chain_reader(node->chain)};
    struct base_err err = {0};
    struct did_which which;
    json_t *versions = NULL;
    fm_status st = base_json_get_str(&f.did, request, "did", &err);

    if (st == FM_OK && !did_is_member(f.did))
        st = base_err_set(&err, FM_E_ARG, "'%.80s' is no did:firmiana", f.did);
    if (st == FM_OK)
        st = read_which(&which, request, &err);
    if (st == FM_OK)
        st = list_versions(&f.history, f.reader, f.did, &err);
    if (st == FM_OK)
        st = node_state(node, &f.newest, &err, "did/%s", f.did);
    if (st == FM_OK)
        st = find_all(&f, &which, &err);
    if (st == FM_OK)
        st = did_history_json(&versions, &f.history, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:I, s:O, s:o}", "at", (json_int_t)f.at, "document",
                                          f.document, "versions", versions));
    else
        node_reply_error(reply, &err);
    json_decref(f.newest);
    json_decref(f.document);
    did_history_release(&f.history);
}
