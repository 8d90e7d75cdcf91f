/* What a statement that was borne out says, for people and for programs. */
#include <string.h>

#include "did/moment.h"
#include "ledger/verify/verify_print.h"

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const struct ledger_verified_query *query_of(const struct ledger_verified *r, const char *id)
{
    char hex[65];

    for (size_t i = 0; i < r->n_queries; i++) {
        base_hex(hex, r->queries[i].id, 32);
        if (strcmp(hex, id) == 0)
            return &r->queries[i];
    }
    return NULL;
}

static void print_parameters(FILE *out, const json_t *opening)
{
    const json_t *list = json_object_get(opening, "parameters");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        const char *value = text(p, "value");
        (void)fprintf(out, "%s%s = %s", i > 0 ? ", " : "    ", text(p, "name"),
                      value != NULL ? value : "(hidden)");
    }
    if (json_array_size(list) > 0)
        (void)fputs("\n", out);
}

static void print_query(FILE *out, const struct ledger_verified *r, const json_t *item)
{
    const json_t *opening = json_object_get(item, "opening");
    const struct ledger_verified_query *q = query_of(r, text(item, "query"));
    char when[DID_MOMENT_TEXT] = "(refused)";
    struct base_err err = {0};

    if (q != NULL && did_moment_format(when, q->opened_ms / 1000, &err) != FM_OK)
        when[0] = '\0';
    (void)fprintf(out, "  %s  query %.12s: %s", when, text(item, "query"), text(item, "outcome"));
    if (text(item, "rule") != NULL)
        (void)fprintf(out, " (%s)", text(item, "rule"));
    if (text(opening, "requester") != NULL)
        (void)fprintf(out, ", asked by %s, ticket %s", text(opening, "requester"),
                      text(opening, "ticket"));
    (void)fputs("\n", out);
    print_parameters(out, opening);
}

void ledger_statement_print(FILE *out, const struct ledger_statement *s,
                            const struct ledger_verified *report)
{
    const json_t *queries = json_object_get(ledger_statement_json(s), "queries");
    const char *subject = ledger_statement_subject(s);

    (void)fprintf(out, "statement by %s at %llu leaves%s%s: proved\n", ledger_statement_member(s),
                  (unsigned long long)ledger_statement_size(s),
                  subject != NULL ? ", about subject " : "", subject != NULL ? subject : "");
    for (size_t i = 0; i < json_array_size(queries); i++)
        print_query(out, report, json_array_get(queries, i));
    (void)fprintf(out,
                  "  %zu queries, as committed on the ledger when they were asked; %zu consents "
                  "shown to be the subject's\n"
                  "  not proved: that %s has said everything it knows\n",
                  ledger_statement_count(s), ledger_statement_consents(s),
                  ledger_statement_member(s));
}

json_t *ledger_statement_report(const struct ledger_statement *s)
{
    return json_pack("{s:s, s:I, s:s*, s:I, s:I}", "member", ledger_statement_member(s), "size",
                     (json_int_t)ledger_statement_size(s), "subject", ledger_statement_subject(s),
                     "queries", (json_int_t)ledger_statement_count(s), "consents_shown",
                     (json_int_t)ledger_statement_consents(s));
}
