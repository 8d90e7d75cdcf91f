#include "exchange/node/answers_sealed.h"

#include "base/bytes.h"
#include "base/json.h"

#define KIND "answer"
enum { HOUR_MS = 3600000 };
#define WEEK_MS (7LL * 24 * HOUR_MS)

fm_status node_answer_seal(struct node *node, const struct answer *a, struct base_err *err)
{
    json_t *value = json_pack("{s:I,s:[sss]}", "height", (json_int_t)a->height, "text", a->text[0],
                              a->text[1], a->text[2]);
    struct base_buf bytes = {0};
    fm_status st =
        value != NULL ? base_json_canonical(&bytes, value, err) : base_err_memory(err, "answer");

    if (st == FM_OK)
        st = node_sealed_put(node->started, KIND, a->query_hex, bytes.p, bytes.len, NULL, 0,
                             base_clock_unix_ms(node->config.clock), err);
    base_buf_release_secret(&bytes);
    json_decref(value);
    return st == FM_E_CONFLICT ? FM_OK : st; /* it is here already */
}

fm_status node_answer_unseal(struct node *node, json_t **out, const char *query_hex,
                             struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = node_sealed_get(&bytes, node->started, KIND, query_hex, err);

    *out = NULL;
    if (st == FM_OK)
        st = base_json_parse(out, base_buf_cstr(&bytes), bytes.len, err);
    base_buf_release_secret(&bytes);
    return st;
}

void node_answers_expire(struct node *node)
{
    int64_t now = base_clock_unix_ms(node->config.clock);
    struct base_err err = {0};

    if (now < node->answers_expire_ms)
        return;
    node->answers_expire_ms = now + HOUR_MS;
    if (node_sealed_expire(node->started, KIND, now - WEEK_MS, &err) != FM_OK)
        node_step_error(node, "forgetting old answers", &err);
}
