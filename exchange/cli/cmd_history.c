/* firmiana dataset history, check: the versions of a dataset, and a row of one of them that its
 * owner opened (cmd_prove.c). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/moment.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/trail.h"
#include "exchange/data/root.h"
#include "ledger/verify/verify.h"

/* ---- history ---- */

static void print_moment(int64_t ms)
{
    char text[DID_MOMENT_TEXT] = "-";
    struct base_err err = {0};

    if (did_moment_format(text, ms / 1000, &err) == FM_OK)
        printf("%s", text);
}

static fm_status history(const struct cli_args *args, struct base_err *err)
{
    const char *member = cli_value(args, "member");
    json_t *request = json_pack("{s:s}", "dataset", args->operands[0]), *value = NULL, *item;
    size_t i;
    fm_status st;

    if (member != NULL)
        (void)json_object_set_new(request, "member", json_string(member));
    st = cli_call(&value, args, "dataset.history", request, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        printf("%7s %8s  %-20s %-16s  %s\n", "version", "height", "time", "root", "change set");
        json_array_foreach(json_object_get(value, "versions"), i, item)
        {
            printf("%7lld %8lld  ",
                   (long long)json_integer_value(json_object_get(item, "data_version")),
                   (long long)json_integer_value(json_object_get(item, "height")));
            print_moment(json_integer_value(json_object_get(item, "time")));
            printf(" %.16s  %.16s\n", cli_text(item, "root"),
                   cli_text(item, "changes")[0] != '\0' ? cli_text(item, "changes") : "-");
        }
    }
    json_decref(value);
    return st;
}

static const struct cli_option history_options[] = {
    CLI_HOME_OPTION,
    {"member", "ALIAS", "whose dataset (default: one's own)", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_dataset_history = {
    "dataset history",
    "DATASET",
    1,
    1,
    "every published version: when, its salted root, the digest of what changed",
    NULL,
    history_options,
    history};

/* ---- checking one ---- */

struct published {
    const char *did, *dataset;
    int64_t data_version;
    json_t *body; /* of the dataset.publish; owned */
    int64_t time_ms;
};

static bool is_it(const struct published *p, const struct ledger_bundle_reader *r)
{
    const json_t *body = json_object_get(r->payload, "body");

    return strcmp(cli_text(r->payload, "type"), "dataset.publish") == 0 &&
           strcmp(cli_text(r->payload, "sender"), p->did) == 0 &&
           strcmp(cli_text(r->result, "code"), "ok") == 0 &&
           strcmp(cli_text(body, "dataset"), p->dataset) == 0 &&
           json_integer_value(json_object_get(body, "data_version")) == p->data_version;
}

/* In a bundle that is known to be valid. */
static fm_status find(struct published *p, FILE *f, struct base_err *err)
{
    const struct ledger_bundle_source source = {cli_trail_read, f};
    struct ledger_bundle_reader r;
    fm_status st;

    ledger_bundle_reader_init(&r, &source);
    do {
        st = ledger_bundle_next(&r, err);
        if (st != FM_OK || r.kind != LEDGER_BUNDLE_LEAF || r.payload == NULL)
            continue;
        if (p->body != NULL && p->time_ms == 0 && r.result == NULL)
            p->time_ms = json_integer_value(json_object_get(r.payload, "time"));
        if (p->body == NULL && r.result != NULL && is_it(p, &r))
            p->body = json_incref(json_object_get(r.payload, "body"));
    } while (st == FM_OK && r.kind != LEDGER_BUNDLE_END);
    ledger_bundle_reader_release(&r);
    if (st == FM_OK && p->body == NULL)
        st = base_err_set(err, FM_E_NOT_FOUND, "the trail does not show version %lld of %s",
                          (long long)p->data_version, p->dataset);
    return st;
}

static fm_status check_row(json_t **row, const json_t *file, const struct published *p,
                           struct base_err *err)
{
    struct data_schema schema = {0};
    uint8_t root[32];
    fm_status st = data_schema_from_json(&schema, json_object_get(p->body, "schema"), err);

    if (st == FM_OK)
        st = base_json_get_hex(root, 32, p->body, "root", err);
    if (st == FM_OK)
        st = data_root_verify(row, json_object_get(file, "proof"), root, &schema, err);
    if (st == FM_E_INPUT)
        st = err->code = FM_E_INVALID;
    data_schema_release(&schema);
    return st;
}

static void print_row(const json_t *file, const struct published *p, const json_t *row)
{
    const char *name;
    json_t *value;
    size_t i;

    printf("valid: row %lld of %s of %s, version %lld, published ",
           (long long)json_integer_value(json_object_get(row, "index")), p->dataset,
           cli_text(file, "member"), (long long)p->data_version);
    print_moment(p->time_ms);
    printf("\n");
    if (!json_is_true(json_object_get(row, "present")))
        puts("  there was no such row");
    json_object_foreach(json_object_get(row, "values"), name, value)
        printf("  %-24s %s\n", name, json_string_value(value));
    json_array_foreach(json_object_get(row, "null"), i, value)
        printf("  %-24s NULL\n", json_string_value(value));
}

static fm_status check_in(const struct cli_args *args, const json_t *file, FILE *f,
                          struct base_err *err)
{
    struct published p = {.dataset = cli_text(file, "dataset"),
                          .data_version =
                              json_integer_value(json_object_get(file, "data_version"))};
    struct ledger_verified *report = NULL;
    const struct ledger_identity *member = NULL;
    uint8_t chain[32];
    json_t *row = NULL;
    fm_status st = base_json_get_hex(chain, 32, file, "chain", err);

    if (st == FM_OK)
        st = cli_trail_verify(&report, args, f, err);
    if (st == FM_OK && memcmp(chain, report->chain, sizeof chain) != 0)
        st = base_err_set(err, FM_E_INVALID, "%s: the row is of another ledger than the trail",
                          args->operands[0]);
    if (st == FM_OK) {
        member = ledger_members_by_alias(report->members, cli_text(file, "member"));
        if (member == NULL)
            st = base_err_set(err, FM_E_INVALID, "%s is no member", cli_text(file, "member"));
    }
    if (st == FM_OK) {
        p.did = did_document_id(member->doc);
        st = find(&p, f, err);
    }
    if (st == FM_OK)
        st = check_row(&row, file, &p, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(row, err);
    else if (st == FM_OK)
        print_row(file, &p, row);
    if (st == FM_OK)
        cli_trail_print(cli_flag(args, "json") ? stderr : stdout, args, report);
    json_decref(row);
    json_decref(p.body);
    ledger_verified_free(report);
    return st;
}

static fm_status check(const struct cli_args *args, struct base_err *err)
{
    json_t *file;
    FILE *f;
    fm_status st = cli_verdict(base_json_load_file(&file, args->operands[0], 64 << 20, err), err);

    if (st != FM_OK)
        return st;
    f = fopen(args->operands[1], "rb");
    if (strcmp(cli_text(file, "type"), "FirmianaRow") != 0)
        st = base_err_set(err, FM_E_INPUT, "%s: it is not what dataset prove wrote",
                          args->operands[0]);
    else
        st = f == NULL ? base_err_errno(err, args->operands[1]) : check_in(args, file, f, err);
    if (f != NULL)
        (void)fclose(f);
    json_decref(file);
    return st;
}

static const struct cli_option check_options[] = {CLI_CHAIN_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_dataset_check = {
    "dataset check",
    "ROW TRAIL",
    2,
    2,
    "check a row that its owner opened against an exported trail, and show it",
    "No node and no network: the trail is checked whole, as firmiana-verify does; the row must be "
    "under the root that\nits owner published then. Exit code 1: it is not.",
    check_options,
    check};
