/* firmiana local query: all parties on this machine, for newcomers and researchers. firmiana
 * demo-data. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <ctype.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/local_schema.h"
#include "exchange/cli/profile.h"
#include "exchange/cli/throwaway.h"
#include "exchange/data/demo_data.h"
#include "exchange/sql/parse/syntax.h"

/* "data/Bank-A.db" -> "bank_a"; made different from the aliases before it. */
static void alias_from(char out[HOME_ALIAS], const struct throwaway *t, const char *path)
{
    char copy[PATH_MAX], base[24];
    size_t n = 0;

    (void)snprintf(copy, sizeof copy, "%s", path);
    for (const char *s = basename(copy); *s != '\0' && *s != '.' && n < sizeof base - 1; s++)
        base[n++] = isalnum((unsigned char)*s) ? (char)tolower((unsigned char)*s) : '_';
    base[n] = '\0';
    if (n == 0 || base[0] < 'a' || base[0] > 'z')
        (void)snprintf(base, sizeof base, "party");
    (void)snprintf(out, HOME_ALIAS, "%s", base);
    for (unsigned k = 2;; k++) {
        bool taken = false;
        for (size_t i = 0; i < t->count; i++)
            taken = taken || strcmp(t->members[i].alias, out) == 0;
        if (!taken)
            return;
        (void)snprintf(out, HOME_ALIAS, "%s_%u", base, k);
    }
}

/* One member a file, and more that only compute until there are three. */
static fm_status fill_members(struct throwaway *t, size_t *providers, const struct cli_args *args,
                              struct base_err *err)
{
    const char *path;

    for (size_t i = 0; (path = cli_value_at(args, "data", i)) != NULL; i++) {
        char full[PATH_MAX];
        if (t->count == THROWAWAY_MAX)
            return base_err_set(err, FM_E_LIMIT, "local query takes at most %d --data files",
                                THROWAWAY_MAX);
        if (realpath(path, full) == NULL)
            return base_err_errno(err, path);
        if (strlen(full) >= HOME_PATH)
            return base_err_set(err, FM_E_ARG, "%s: path too long", path);
        alias_from(t->members[t->count].alias, t, path);
        memcpy(t->members[t->count].data, full, strlen(full) + 1);
        t->count++;
    }
    *providers = t->count;
    while (t->count < 3) {
        alias_from(t->members[t->count].alias, t, "compute");
        t->count++;
    }
    return FM_OK;
}

static fm_status publish(const struct throwaway *t, size_t providers,
                         const struct local_schemas *schemas, const char *table,
                         struct base_err *err)
{
    for (size_t i = 0; i < providers; i++) {
        json_t *value;
        fm_status st;
        if (schemas->json[i] == NULL)
            continue;
        st = throwaway_call(&value, t, i,
                            json_pack("{s:s,s:s,s:O}", "do", "dataset.publish", "table", table,
                                      "schema", schemas->json[i]),
                            err);
        if (st == FM_OK && cli_text(value, "rule")[0] != '\0')
            st = base_err_set(err, FM_E_REFUSED, "%s: %s", cli_text(value, "rule"),
                              cli_text(value, "detail"));
        json_decref(value);
        if (st != FM_OK)
            return base_err_prefix(err, "%s", t->members[i].alias);
    }
    return FM_OK;
}

/* All parties are this one person: no consent, no minimum group. */
static json_t *contract_spec(const struct throwaway *t, const char *sql, const char *link)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:[sss],s:[s],s:i,s:{s:s,s:s}}", "link",
                     link != NULL ? link : "lan", "name", "local", "purpose", "local query", "sql",
                     sql, "compute", t->members[0].alias, t->members[1].alias, t->members[2].alias,
                     "recipients", t->members[0].alias, "minimum_group", 1, "consent",
                     "requirement", "none", "basis", "throwaway consortium on one machine");
}

static fm_status propose(char id[65], const struct throwaway *t, const char *sql, const char *link,
                         struct base_err *err)
{
    json_t *draft = NULL, *value = NULL;
    fm_status st = throwaway_call(
        &draft, t, 0,
        json_pack("{s:s,s:o}", "do", "contract.draft", "spec", contract_spec(t, sql, link)), err);

    if (st == FM_OK)
        st = throwaway_call(&value, t, 0,
                            json_pack("{s:s,s:s,s:O}", "do", "tx.sign", "type", "contract.propose",
                                      "body", json_object_get(draft, "contract")),
                            err);
    if (st == FM_OK && cli_text(value, "rule")[0] != '\0')
        st = base_err_set(err, FM_E_REFUSED, "%s: %s", cli_text(value, "rule"),
                          cli_text(value, "detail"));
    if (st == FM_OK)
        (void)snprintf(id, 65, "%s", cli_text(draft, "id"));
    json_decref(draft);
    json_decref(value);
    return st;
}

/* The tables of a query, and who has which. */
struct asked {
    struct sql_named_tables named;
    struct local_schemas schemas[SQL_MAX_NAMED_TABLES];
};

static bool provides(const struct asked *a, const struct throwaway *t, size_t member)
{
    for (size_t i = 0; i < a->named.count; i++) {
        const char *owner = a->named.tables[i].owner;
        if (a->schemas[i].json[member] != NULL &&
            (owner == NULL || strcmp(owner, t->members[member].alias) == 0))
            return true;
    }
    return false;
}

static fm_status authorize(const struct throwaway *t, size_t providers, const struct asked *a,
                           const char *id, struct base_err *err)
{
    for (size_t i = 0; i < providers; i++) {
        json_t *value;
        fm_status st;
        if (!provides(a, t, i))
            continue;
        st = throwaway_call(&value, t, i,
                            json_pack("{s:s,s:s}", "do", "officer.authorize", "contract", id), err);
        if (st == FM_OK && cli_text(value, "rule")[0] != '\0')
            st = base_err_set(err, FM_E_REFUSED, "%s: %s", cli_text(value, "rule"),
                              cli_text(value, "detail"));
        json_decref(value);
        if (st != FM_OK)
            return base_err_prefix(err, "%s", t->members[i].alias);
    }
    return FM_OK;
}

static fm_status print_stats(const struct throwaway *t, const json_t *answer, struct base_err *err)
{
    fprintf(stderr, "%-16s %10s %8s %14s %14s\n", "party", "seconds", "rounds", "bytes sent",
            "bytes received");
    for (size_t i = 0; i < t->count; i++) {
        json_t *value;
        if (throwaway_call(
                &value, t, i,
                json_pack("{s:s,s:s}", "do", "query.stats", "query", cli_text(answer, "query")),
                err) != FM_OK)
            return err->code;
        fprintf(stderr, "%-16s %10.3f %8lld %14lld %14lld\n", t->members[i].alias,
                (double)json_integer_value(json_object_get(value, "microseconds")) / 1e6,
                (long long)json_integer_value(json_object_get(value, "rounds")),
                (long long)json_integer_value(json_object_get(value, "bytes_sent")),
                (long long)json_integer_value(json_object_get(value, "bytes_received")));
        json_decref(value);
    }
    return FM_OK;
}

static fm_status ask(const struct throwaway *t, const struct cli_args *args, const char *id,
                     struct base_err *err)
{
    const char *format = cli_flag(args, "json") ? "json" : cli_flag(args, "csv") ? "csv" : "table";
    json_t *value;
    fm_status st = throwaway_call(&value, t, 0,
                                  json_pack("{s:s,s:s,s:[],s:[],s:s,s:s,s:i}", "do", "query.run",
                                            "contract", id, "parameters", "consents", "ticket",
                                            "none", "format", format, "timeout_ms", 3000000),
                                  err);

    if (st == FM_OK && fputs(cli_text(value, "text"), stdout) == EOF)
        st = base_err_errno(err, "standard output");
    (void)fflush(stdout);
    if (st == FM_OK && cli_flag(args, "stats"))
        st = print_stats(t, value, err);
    json_decref(value);
    return st;
}

/* Is the table read or published already, under another owner? */
static bool is_repeated(const struct asked *a, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(a->named.tables[k].table, a->named.tables[i].table) == 0)
            return true;
    }
    return false;
}

static fm_status read_schemas(struct asked *a, const struct throwaway *t, size_t providers,
                              const struct sql_query *query, struct base_err *err)
{
    fm_status st = FM_OK;

    sql_query_tables(&a->named, query);
    if (a->named.more)
        return base_err_set(err, FM_E_LIMIT, "the query names more than %d tables",
                            SQL_MAX_NAMED_TABLES);
    for (size_t i = 0; st == FM_OK && i < a->named.count; i++)
        st = local_schemas_read(&a->schemas[i], t, providers, query, a->named.tables[i].table, err);
    return st;
}

static fm_status publish_all(const struct throwaway *t, size_t providers, const struct asked *a,
                             struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < a->named.count; i++) {
        if (!is_repeated(a, i))
            st = publish(t, providers, &a->schemas[i], a->named.tables[i].table, err);
    }
    return st;
}

static fm_status local_query(const struct cli_args *args, struct base_err *err)
{
    struct throwaway t = {0};
    struct asked asked = {0};
    const char *sql = args->operands[0];
    size_t providers = 0;
    struct sql_arena arena = {0};
    struct sql_query *query;
    char id[65];
    fm_status st = sql_parse(&query, &arena, sql, strlen(sql), err);

    if (st == FM_OK)
        st = fill_members(&t, &providers, args, err);
    if (st == FM_OK)
        st = read_schemas(&asked, &t, providers, query, err);
    if (st == FM_OK)
        st = throwaway_start(&t, err);
    if (st == FM_OK)
        st = publish_all(&t, providers, &asked, err);
    if (st == FM_OK)
        st = propose(id, &t, sql, cli_value(args, "link"), err);
    if (st == FM_OK)
        st = authorize(&t, providers, &asked, id, err);
    if (st == FM_OK)
        st = ask(&t, args, id, err);
    throwaway_stop(&t);
    if (st != FM_OK && throwaway_signalled() != 0)
        st = base_err_set(err, FM_E_CANCELLED, "ended by signal %d before the answer was there",
                          throwaway_signalled());
    for (size_t i = 0; i < asked.named.count; i++)
        local_schemas_release(&asked.schemas[i]);
    sql_arena_release(&arena);
    return st;
}

static const struct cli_option local_options[] = {
    {"data", "FILE", "a party's SQLite file; the party is named by the file",
     CLI_REQUIRED | CLI_REPEATED},
    {"csv", NULL, "print CSV: a header line, NULL is empty", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {"link", "LINK", "go by what would be quickest over such a link: lan (default), metro, wan",
     CLI_OPTIONAL},
    {"stats", NULL, "print seconds, rounds and bytes of each party on standard error",
     CLI_OPTIONAL},
    CLI_PROFILE_OPTION,
    {0}};

const struct cli_command cli_local_query = {
    "local query",
    "SQL",
    1,
    1,
    "ask one question over several files: every party a real process, nothing to set up",
    "Each file is one party. A table without a declared schema gets types and ranges from its "
    "data, and a note says so\n"
    "(published datasets must declare). There are always three compute processes. Example:\n"
    "  firmiana local query --data bank_a.db --data bank_b.db --data bank_c.db \\\n"
    "      \"SELECT COUNT(*), SUM(balance) FROM loans WHERE overdue_days > 30\"",
    local_options,
    local_query};

static fm_status demo_data(const struct cli_args *args, struct base_err *err)
{
    int64_t seed = 1, banks = 3, rows = 1000;
    struct data_demo demo;
    fm_status st = cli_int(&seed, args, "seed", 0, INT64_MAX, err);

    if (st == FM_OK)
        st = cli_int(&banks, args, "banks", 1, DATA_DEMO_BANKS_MAX, err);
    if (st == FM_OK)
        st = cli_int(&rows, args, "rows", 1, DATA_DEMO_ROWS_MAX, err);
    if (st != FM_OK)
        return st;
    demo = (struct data_demo){.folder = args->operands[0],
                              .seed = (uint64_t)seed,
                              .banks = (unsigned)banks,
                              .rows = (uint32_t)rows,
                              .mode = DATA_IMPORT_NEW};
    st = data_demo_write(&demo, err);
    if (st == FM_OK)
        printf("%s: %lld banks with %lld rows of '%s' each (CSV, schema, SQLite); subject %lld is "
               "at every bank\n",
               demo.folder, (long long)banks, (long long)rows, DATA_DEMO_TABLE,
               (long long)data_demo_subject(demo.seed));
    return st;
}

static const struct cli_option demo_options[] = {
    {"seed", "N", "another seed, another consortium (default 1)", CLI_OPTIONAL},
    {"banks", "N", "how many (default 3)", CLI_OPTIONAL},
    {"rows", "N", "rows of each bank (default 1000)", CLI_OPTIONAL},
    {0}};

const struct cli_command cli_demo_data = {
    "demo-data", "FOLDER",     1,        1, "make a synthetic consortium's data",
    NULL,        demo_options, demo_data};
