/* audit.list and audit.export: the trail, for people and for the verifier. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/moment.h"
#include "exchange/node/audit_wanted.h"
#include "exchange/node/requests_own.h"
#include "ledger/store/export.h"

enum { ENTRIES_A_CALL = 200 };

struct page {
    json_t *entries;
    uint64_t end;  /* of what is final */
    uint64_t next; /* leaf after the last one looked at */
};

static fm_status put_entry(struct page *page, struct ledger_entry *e, struct base_err *err)
{
    char when[DID_MOMENT_TEXT], line[BASE_ERR_TEXT + 256];
    json_t *item;

    if (did_moment_format(when, e->time_ms / 1000, err) != FM_OK)
        return err->code;
    (void)snprintf(line, sizeof line, "%s  %6llu  %-10s  %-22s  %s%s%s", when,
                   (unsigned long long)e->leaf, e->alias, e->type,
                   e->rule[0] != '\0' ? "REFUSED " : "", e->rule[0] != '\0' ? e->rule : "ok ", "");
    (void)snprintf(line + strlen(line), sizeof line - strlen(line), "  %s",
                   e->summary.len > 0 ? base_buf_cstr(&e->summary) : e->detail);
    item = json_pack("{s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s}", "leaf", (json_int_t)e->leaf, "height",
                     (json_int_t)e->height, "time", (json_int_t)e->time_ms, "alias", e->alias,
                     "type", e->type, "rule", e->rule, "detail", e->detail, "line", line);
    return json_array_append_new(page->entries, item) == 0 ? FM_OK : base_err_memory(err, "audit");
}

static fm_status take_entry(void *ctx, struct ledger_entry *entry, struct base_err *err)
{
    struct page *page = ctx;

    if (entry->leaf >= page->end || json_array_size(page->entries) >= ENTRIES_A_CALL)
        return base_err_set(err, FM_E_CANCELLED, "enough");
    page->next = entry->leaf + 1;
    return entry->is_block ? FM_OK : put_entry(page, entry, err);
}

void node_request_audit_list(struct node *node, const json_t *request,
                             const struct node_reply *reply)
{
    struct base_err err = {0};
    struct page page = {json_array(), node->final_size, 0};
    int64_t from;
    fm_status st = base_json_get_int(&from, request, "from", &err);

    if (st == FM_OK && from < 0)
        st = base_err_set(&err, FM_E_ARG, "leaves are counted from 0");
    page.next = (uint64_t)from;
    if (st == FM_OK)
        st = ledger_reader_entries(ledger_chain_reader(node->chain), (uint64_t)from, take_entry,
                                   &page, &err);
    if (st == FM_OK || st == FM_E_CANCELLED)
        node_reply_value(reply,
                         json_pack("{s:O,s:I,s:b}", "entries", page.entries, "next",
                                   (json_int_t)page.next, "more", (int)(page.next < page.end)));
    else
        node_reply_error(reply, &err);
    json_decref(page.entries);
}

/* An export under way, over a connection of its own. */
struct exporting {
    char ledger[HOME_PATH];
    int file;
    json_t *wanted; /* audit_wanted.h; NULL: the whole trail */
    struct ledger_export_report report;
};

static fm_status export_wanted(struct exporting *x, struct ledger_reader *reader,
                               struct base_err *err)
{
    struct audit_wanted wanted;
    fm_status st = audit_wanted_find(&wanted, reader, x->wanted, err);

    if (st == FM_OK)
        st = ledger_export_entries(reader, x->file, (const uint8_t(*)[32])wanted.id, wanted.n,
                                   &x->report, err);
    audit_wanted_release(&wanted);
    return st;
}

static fm_status export_run(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct exporting *x = ctx;
    struct ledger_reader *reader;
    fm_status st = ledger_reader_open(&reader, x->ledger, err);

    (void)stop;
    if (st != FM_OK)
        return st;
    st = x->wanted != NULL ? export_wanted(x, reader, err)
                           : ledger_export_to(reader, x->file, NULL, &x->report, err);
    ledger_reader_close(reader);
    return st;
}

static void export_done(struct node *node, void *ctx, const struct node_reply *reply,
                        const struct base_err *why)
{
    struct exporting *x = ctx;
    struct base_err err = *why;

    (void)node;
    if (reply != NULL && err.code != FM_OK)
        node_reply_error(reply, &err);
    else if (reply != NULL)
        node_reply_value(reply, json_pack("{s:I,s:I,s:I,s:I}", "leaves", (json_int_t)x->report.size,
                                          "height", (json_int_t)x->report.height, "disclosed",
                                          (json_int_t)x->report.disclosed, "bytes",
                                          (json_int_t)x->report.bytes));
    (void)close(x->file);
    json_decref(x->wanted);
    free(x);
}

void node_request_audit_export(struct node *node, const json_t *request,
                               const struct node_reply *reply)
{
    struct chore_work work = {export_run, export_done, NULL};
    struct exporting *x = calloc(1, sizeof *x);
    struct base_err err = {0};
    fm_status st = x != NULL ? home_path(x->ledger, node->config.home.dir, "ledger.db", &err)
                             : base_err_memory(&err, "export");

    if (st == FM_OK && reply->file < 0)
        st = base_err_set(&err, FM_E_ARG, "audit.export: the request brings no file to write to");
    if (st == FM_OK) {
        x->file = fcntl(reply->file, F_DUPFD_CLOEXEC, 3); /* the request's own goes with it */
        st = x->file >= 0 ? FM_OK : base_err_errno(&err, "audit.export");
        /* A tree of its own: another thread reads it. */
        x->wanted = json_deep_copy(json_object_get(request, "only"));
        work.ctx = x;
    }
    if (st == FM_OK) {
        st = node_chore_start(node, &work, reply, reply->ctx, &err);
        if (st != FM_OK)
            (void)close(x->file);
    }
    if (st != FM_OK) {
        if (x != NULL)
            json_decref(x->wanted);
        free(x);
        node_reply_error(reply, &err);
    }
}
