#include "exchange/cli/did_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/cli/common.h"
#include "exchange/cli/trail.h"
#include "ledger/proof/misbehavior.h"

/* ---- a node ---- */

static json_t *make_request(const char *did, const struct did_which *which)
{
    static const char *const names[] = {
        [DID_AT_VERSION] = "version", [DID_AT_HEIGHT] = "height", [DID_AT_TIME] = "time"};
    json_t *request = json_pack("{s:s}", "did", did);

    if (which->by != DID_NEWEST)
        (void)json_object_set_new(request, names[which->by],
                                  json_integer((json_int_t)which->value));
    return request;
}

fm_status cli_did_from_node(void *ctx, struct resolve_found *out, const char *did,
                            const struct did_which *which, struct base_err *err)
{
    json_t *value = NULL, *document;
    int64_t at = 0;
    fm_status st = cli_call(&value, ctx, "did.resolve", make_request(did, which), err);

    *out = (struct resolve_found){0};
    if (st == FM_OK)
        st = did_history_parse(&out->history, json_object_get(value, "versions"), err);
    if (st == FM_OK)
        st = base_json_get_int(&at, value, "at", err);
    if (st == FM_OK)
        st = base_json_get_object(&document, value, "document", err);
    if (st == FM_OK && (at < 0 || (uint64_t)at >= out->history.n))
        st = base_err_set(err, FM_E_PEER, "the node names a version that it does not list");
    if (st == FM_OK) {
        out->at = (size_t)at;
        out->document = json_incref(document);
    }
    json_decref(value);
    return st;
}

/* ---- a trail ---- */

/* A second walk over a trail that is valid, following the members to see their documents change. */
struct walk {
    const char *did;
    struct ledger_members *members;
    struct did_history history;
    json_t *documents; /* one a version */
    size_t placed;     /* versions whose block has ended */
};

static fm_status see_change(struct walk *w, const char *by, struct base_err *err)
{
    const struct ledger_identity *member = ledger_members_by_did(w->members, w->did);
    struct did_version v = {0};

    if (member == NULL)
        return FM_OK;
    memcpy(v.hash32, did_document_hash32(member->doc), 32);
    if (w->history.n > 0 && memcmp(w->history.versions[w->history.n - 1].hash32, v.hash32, 32) == 0)
        return FM_OK;
    (void)snprintf(v.by, sizeof v.by, "%s", by);
    if (json_array_append_new(w->documents, json_deep_copy(did_document_json(member->doc))) != 0)
        return base_err_memory(err, "trail");
    return did_history_add(&w->history, &v, err);
}

static fm_status follow_tx(struct walk *w, const struct ledger_bundle_reader *r,
                           struct base_err *err)
{
    struct ledger_tx tx = {0};
    fm_status st = ledger_tx_parse_json(&tx, (json_t *)(uintptr_t)r->payload, err);

    if (st == FM_OK)
        st = ledger_members_apply(w->members, &tx, err);
    if (st == FM_OK && strcmp(tx.sender, w->did) == 0 &&
        strncmp(ledger_tx_type_name(tx.type), "did.", 4) == 0)
        st = see_change(w, ledger_tx_type_name(tx.type), err);
    else if (st == FM_OK) /* by a vote: the first document, or new keys for one that lost its own */
        st = see_change(w, w->history.n == 0 ? "member.propose" : "member.rekey", err);
    ledger_tx_release(&tx);
    return st;
}

static fm_status end_block(struct walk *w, const json_t *block, struct base_err *err)
{
    int64_t height = json_integer_value(json_object_get(block, "height"));

    for (; w->placed < w->history.n; w->placed++) {
        w->history.versions[w->placed].height = height;
        w->history.versions[w->placed].time_ms = json_integer_value(json_object_get(block, "time"));
    }
    if (height == 0)
        return FM_OK;
    return ledger_members_end_block(w->members, (uint64_t)height,
                                    json_integer_value(json_object_get(block, "time")), err);
}

static fm_status walk_trail(struct walk *w, FILE *f, struct base_err *err)
{
    const struct ledger_bundle_source source = {cli_trail_read, f};
    struct ledger_bundle_reader r;
    fm_status st;

    ledger_bundle_reader_init(&r, &source);
    do {
        st = ledger_bundle_next(&r, err);
        if (st == FM_OK && r.kind == LEDGER_BUNDLE_GENESIS) {
            st = ledger_members_new(&w->members, r.genesis, r.chain, err);
            if (st == FM_OK)
                st = see_change(w, "genesis", err);
        }
        if (st != FM_OK || r.kind != LEDGER_BUNDLE_LEAF || r.payload == NULL)
            continue;
        if (r.result == NULL)
            st = end_block(w, r.payload, err);
        else if (strcmp(cli_text(r.result, "code"), "ok") == 0 &&
                 !ledger_misbehavior_is(r.payload)) /* no transaction: nobody's document changes */
            st = follow_tx(w, &r, err);
    } while (st == FM_OK && r.kind != LEDGER_BUNDLE_END);
    ledger_bundle_reader_release(&r);
    return st;
}

fm_status cli_did_from_trail(void *ctx, struct resolve_found *out, const char *did,
                             const struct did_which *which, struct base_err *err)
{
    const struct cli_args *args = ctx;
    const char *path = cli_value(args, "trail");
    struct walk w = {.did = did, .documents = json_array()};
    struct ledger_verified *report = NULL;
    FILE *f = fopen(path, "rb");
    fm_status st = f != NULL ? cli_trail_verify(&report, args, f, err) : base_err_errno(err, path);

    *out = (struct resolve_found){0};
    if (st == FM_OK)
        st = ledger_verified_complete(report, err);
    if (st != FM_OK && f != NULL)
        (void)base_err_prefix(err, "%s", path);
    if (st == FM_OK)
        cli_trail_print(stderr, args, report);
    if (st == FM_OK)
        st = walk_trail(&w, f, err);
    if (st == FM_OK && w.history.n == 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "%s is no DID of that trail's ledger", did);
    if (st == FM_OK)
        st = did_history_pick(&out->at, &w.history, which, err);
    if (st == FM_OK) {
        out->document = json_incref(json_array_get(w.documents, out->at));
        out->history = w.history;
        w.history = (struct did_history){0};
    }
    if (f != NULL)
        (void)fclose(f);
    did_history_release(&w.history);
    json_decref(w.documents);
    ledger_members_free(w.members);
    ledger_verified_free(report);
    return st;
}

struct resolve_sources cli_did_sources(const struct cli_args *args)
{
    struct resolve_sources sources = {.ctx = (void *)(uintptr_t)args,
                                      .ca_file = cli_value(args, "ca")};

    if (cli_value(args, "trail") != NULL)
        sources.member = cli_did_from_trail;
    else if (cli_value(args, "home") != NULL || getenv("FIRMIANA_HOME") != NULL)
        sources.member = cli_did_from_node;
    return sources;
}
