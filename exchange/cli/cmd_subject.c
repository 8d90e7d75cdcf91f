/* firmiana audit subject, firmiana audit query: an auditor answers a complaint. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "did/moment.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"

static const char *moment(char out[DID_MOMENT_TEXT], const json_t *object, const char *name)
{
    struct base_err err = {0};

    if (did_moment_format(out, json_integer_value(json_object_get(object, name)) / 1000, &err) !=
        FM_OK)
        (void)snprintf(out, DID_MOMENT_TEXT, "(no such time)");
    return out;
}

static void print_consent(const json_t *c)
{
    const char *attestor = cli_text(c, "attestor");
    char until[DID_MOMENT_TEXT];

    printf("    consent    %.12s, %s%s%s, for %s until %s, now %s; the subject's own: %s\n",
           cli_text(c, "id"), cli_text(c, "mode"), attestor[0] != '\0' ? " by " : " by a key alone",
           attestor, cli_text(c, "grantee"), moment(until, c, "expires"), cli_text(c, "status"),
           cli_text(c, "subject"));
    if (json_is_true(json_object_get(c, "self_attested")))
        printf("    FLAG       attested by the very member that it permits to ask\n");
}

static void print_parameters(const json_t *item)
{
    const json_t *list = json_object_get(item, "parameters");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        const char *value = json_string_value(json_object_get(p, "value"));
        printf("    parameter  %s = %s\n", cli_text(p, "name"),
               value != NULL ? value : "(hidden from this member)");
    }
}

static void print_query(const json_t *item)
{
    const char *rule = cli_text(item, "rule"), *party = cli_text(item, "party");
    const json_t *consents = json_object_get(item, "consents");
    char when[DID_MOMENT_TEXT];

    printf("%s  query %.16s by %s: %s%s%s%s%s%s\n", moment(when, item, "time"),
           cli_text(item, "query"), cli_text(item, "asker"), cli_text(item, "outcome"),
           rule[0] != '\0' ? " (" : "", rule, rule[0] != '\0' ? ")" : "",
           party[0] != '\0' ? ", naming " : "", party);
    printf("    contract   %.12s \"%s\", for \"%s\"\n", cli_text(item, "contract"),
           cli_text(item, "name"), cli_text(item, "purpose"));
    if (json_object_get(item, "requester") != NULL)
        printf("    asked by   %s, ticket %s\n", cli_text(item, "requester"),
               cli_text(item, "ticket"));
    else
        printf("    asked by   somebody whom %s must name: it has committed to whom\n",
               cli_text(item, "asker"));
    print_parameters(item);
    for (size_t i = 0; i < json_array_size(consents); i++)
        print_consent(json_array_get(consents, i));
    printf("    on ledger  height %lld, leaf %lld: %s\n",
           (long long)json_integer_value(json_object_get(item, "height")),
           (long long)json_integer_value(json_object_get(item, "leaf")), cli_text(item, "verdict"));
}

static void print_authorizations(const json_t *item)
{
    const char *alias;
    json_t *a, *filed;
    size_t i;

    json_object_foreach(json_object_get(item, "authorizations"), alias, a)
    {
        char until[DID_MOMENT_TEXT];
        printf("    allowed    by %s at height %lld: %lld of %lld runs used, until %s, now %s\n",
               alias, (long long)json_integer_value(json_object_get(a, "height")),
               (long long)json_integer_value(json_object_get(a, "used")),
               (long long)json_integer_value(json_object_get(a, "runs")),
               moment(until, a, "expires"), cli_text(a, "status"));
    }
    if (json_object_get(item, "receipts") == NULL)
        return;
    printf("    receipts   ");
    json_array_foreach(json_object_get(item, "receipts"), i, filed)
        printf("%s%s", i > 0 ? ", " : "", json_string_value(filed));
    printf("%s\n", i == 0 ? "none yet" : "");
}

/* The member's signed answer, for whoever checks it against a bundle. */
static fm_status write_statement(const struct cli_args *args, const json_t *value,
                                 struct base_err *err)
{
    const char *out = cli_value(args, "out");

    if (out == NULL)
        return FM_OK;
    if (access(out, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", out);
    return cli_write_json(out, json_object_get(value, "statement"), 0600, err);
}

static void say_statement(const struct cli_args *args)
{
    if (cli_value(args, "out") != NULL)
        printf("%s: signed by this member; a bundle exported from now on bears it out: "
               "firmiana-verify --opening %s BUNDLE\n",
               cli_value(args, "out"), cli_value(args, "out"));
}

/* The identifier itself, or from a file, where no other user of the machine sees it. */
static fm_status identifier(struct base_buf *out, const struct cli_args *args, struct base_err *err)
{
    const char *id = cli_value(args, "id"), *path = cli_value(args, "id-file");
    fm_status st = FM_OK;

    if ((id == NULL) == (path == NULL))
        return base_err_set(err, FM_E_ARG, "audit subject needs exactly one of --id and --id-file");
    if (id != NULL)
        base_buf_put_str(out, id);
    else
        st = base_file_read(out, path, 4096, err);
    while (out->len > 0 && (out->p[out->len - 1] == '\n' || out->p[out->len - 1] == '\r'))
        out->len--;
    return st == FM_OK ? base_buf_status(out, "identifier", err) : st;
}

static fm_status subject(const struct cli_args *args, struct base_err *err)
{
    struct base_buf id = {0};
    json_t *value = NULL, *request;
    const json_t *queries;
    fm_status st = identifier(&id, args, err);

    if (st == FM_OK) {
        request = json_pack("{s:s%}", "identifier", (const char *)id.p, id.len);
        st = request != NULL ? cli_call(&value, args, "audit.subject", request, err)
                             : base_err_set(err, FM_E_ARG, "the identifier is not valid UTF-8");
    }
    base_buf_release_secret(&id);
    if (st == FM_OK)
        st = write_statement(args, value, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        queries = json_object_get(value, "queries");
        printf("about %s, as %s's node knows it, ledger final at height %lld: %zu quer%s\n",
               cli_text(value, "subject"), cli_text(value, "alias"),
               (long long)json_integer_value(json_object_get(value, "final_height")),
               json_array_size(queries), json_array_size(queries) == 1 ? "y" : "ies");
        for (size_t i = 0; i < json_array_size(queries); i++)
            print_query(json_array_get(queries, i));
        printf("queries that name nobody (aggregates over many), and those in which this member "
               "neither asked nor provided, are not in this list\n");
        say_statement(args);
    }
    json_decref(value);
    return st;
}

static const struct cli_option subject_options[] = {
    CLI_HOME_OPTION,
    {"id", "IDENTIFIER", "the person's identifier, as the datasets hold it", CLI_OPTIONAL},
    {"id-file", "FILE", "the same from a file: arguments can be seen by every user of this machine",
     CLI_OPTIONAL},
    {"out", "FILE", "write the answer as a signed statement", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_audit_subject = {
    "audit subject",
    "",
    0,
    0,
    "who asked about this person, when, under which contract, consent and ticket, and how it ended",
    "For a complaint. The answer comes from the openings that this node keeps, sealed, of the "
    "queries that its member asked\n"
    "or provided data for; each is held against the commitments on the ledger: 'proved', or what "
    "does not match.\n"
    "Who asked under which ticket is known to the asker's own node alone.",
    subject_options,
    subject};

static fm_status query(const struct cli_args *args, struct base_err *err)
{
    json_t *value;
    const json_t *item;
    fm_status st =
        cli_call(&value, args, "audit.query", json_pack("{s:s}", "query", args->operands[0]), err);

    if (st == FM_OK)
        st = write_statement(args, value, err);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        item = json_array_get(json_object_get(value, "queries"), 0);
        print_query(item);
        print_authorizations(item);
        say_statement(args);
    }
    json_decref(value);
    return st;
}

static const struct cli_option query_options[] = {
    CLI_HOME_OPTION,
    {"out", "FILE", "write what this node knows of it as a signed statement", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_audit_query = {"audit query",
                                            "QUERY",
                                            1,
                                            1,
                                            "one query's whole story",
                                            "QUERY is a query's id, or enough of its first digits "
                                            "(all 64 for one that the ledger refused).",
                                            query_options,
                                            query};
