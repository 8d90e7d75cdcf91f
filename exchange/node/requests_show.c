/* query.show and query.answer: one query, as the ledger and this node know it, and its answer. */
#include <string.h>

#include "base/json.h"
#include "exchange/node/answers_sealed.h"
#include "exchange/node/requests_own.h"

enum { LEAST_DIGITS = 8 };

struct match {
    char hex[65];
    json_t *value;
    unsigned count;
};

static fm_status take_match(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct match *m = ctx;

    if (m->count++ > 0)
        return FM_OK;
    (void)snprintf(m->hex, sizeof m->hex, "%s", strchr(key, '/') + 1);
    m->value = json_deep_copy(value);
    return m->value != NULL ? FM_OK : base_err_memory(err, "value");
}

fm_status node_find_by_digits(struct node *node, json_t **value, char id_hex[65], const char *kind,
                              const json_t *request, struct base_err *err)
{
    struct match m = {.count = 0};
    char prefix[16 + 65];
    const char *digits;
    fm_status st = base_json_get_str(&digits, request, kind, err);

    *value = NULL;
    if (st == FM_OK && (strlen(digits) < LEAST_DIGITS || strlen(digits) > 64 ||
                        strspn(digits, "0123456789abcdef") != strlen(digits)))
        st = base_err_set(err, FM_E_ARG,
                          "the id of a %s is hexadecimal: give its first %d digits or more", kind,
                          LEAST_DIGITS);
    if (st != FM_OK)
        return st;
    (void)snprintf(prefix, sizeof prefix, "%s/%s", kind, digits);
    st = ledger_reader_list(ledger_chain_reader(node->chain), prefix, take_match, &m, err);
    if (st == FM_OK && m.count == 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "no %s on the ledger begins with %s", kind, digits);
    if (st == FM_OK && m.count > 1)
        st = base_err_set(err, FM_E_ARG, "%u of kind %s begin with %s: give more digits", m.count,
                          kind, digits);
    memcpy(id_hex, m.hex, 65);
    if (st == FM_OK)
        *value = m.value;
    else
        json_decref(m.value);
    return st;
}

/* The query that the request means. m->value is the caller's. */
static fm_status find(struct match *m, struct node *node, const json_t *request,
                      struct base_err *err)
{
    *m = (struct match){.count = 0};
    return node_find_by_digits(node, &m->value, m->hex, "query", request, err);
}

static const char *answer_state(const struct node *node, const char *hex)
{
    const struct answer *a = answers_find(&node->answers, hex);

    return a == NULL ? "not here" : a->done ? "here" : "here, and not final on the ledger yet";
}

void node_request_query_show(struct node *node, const json_t *request,
                             const struct node_reply *reply)
{
    struct base_err err = {0};
    const struct node_query *q;
    char where[128] = "";
    struct match m;

    if (find(&m, node, request, &err) != FM_OK) {
        json_decref(m.value);
        node_reply_error(reply, &err);
        return;
    }
    q = node_query_find(node, m.hex);
    if (q != NULL && !q->ending)
        node_progress_text(where, sizeof where, node, q);
    if (json_object_set_new(m.value, "query", json_string(m.hex)) != 0 ||
        json_object_set_new(m.value, "where", json_string(where)) != 0 ||
        json_object_set_new(m.value, "answer", json_string(answer_state(node, m.hex))) != 0) {
        json_decref(m.value);
        m.value = NULL;
    }
    node_reply_value(reply, m.value);
}

static fm_status not_here(const char *hex, const json_t *value, const struct answer *a,
                          struct base_err *err)
{
    const char *status = json_string_value(json_object_get(value, "status"));
    const char *rule = json_string_value(json_object_get(value, "rule"));

    if (a != NULL || (status != NULL && strcmp(status, "open") == 0))
        return base_err_set(err, FM_E_CONFLICT,
                            "query %.16s is still open on the ledger: its answer is shown when it "
                            "is done",
                            hex);
    if (status != NULL && strcmp(status, "done") != 0)
        return base_err_set(err, FM_E_REFUSED, "query %.16s has no answer: it was %s%s%s", hex,
                            status, rule != NULL ? ", " : "", rule != NULL ? rule : "");
    return base_err_set(err, FM_E_NOT_FOUND,
                        "query %.16s is done, but its answer is not here: this member is no "
                        "recipient, or too much time lies between (an hour for what was shown, a "
                        "week for what nobody has seen)",
                        hex);
}

void node_request_query_answer(struct node *node, const json_t *request,
                               const struct node_reply *reply)
{
    const char *format = json_string_value(json_object_get(request, "format"));
    const struct answer *a = NULL;
    struct base_err err = {0};
    struct match m;
    int which = format == NULL                ? JOB_TABLE
                : strcmp(format, "json") == 0 ? JOB_JSON
                : strcmp(format, "csv") == 0  ? JOB_CSV
                                              : JOB_TABLE;
    json_t *sealed = NULL;
    fm_status st = find(&m, node, request, &err);

    if (st == FM_OK)
        a = answers_find(&node->answers, m.hex);
    if (st == FM_OK && a == NULL && node_answer_unseal(node, &sealed, m.hex, &err) == FM_E_CORRUPT)
        st = err.code;
    if (st == FM_OK && sealed == NULL && (a == NULL || !a->done))
        st = not_here(m.hex, m.value, a, &err);
    if (st == FM_OK && sealed != NULL)
        node_reply_value(reply,
                         json_pack("{s:s,s:O,s:O}", "query", m.hex, "text",
                                   json_array_get(json_object_get(sealed, "text"), (size_t)which),
                                   "height", json_object_get(sealed, "height")));
    else if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:s,s:s,s:I}", "query", m.hex, "text", a->text[which],
                                          "height", (json_int_t)a->height));
    else
        node_reply_error(reply, &err);
    json_decref(sealed);
    json_decref(m.value);
}
