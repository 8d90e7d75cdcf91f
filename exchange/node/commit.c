#include "exchange/node/commit.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

enum { INPUT = 0, RESULT = 1 };

static const char *const domains[2] = {"firmiana/receipt/input/v1", "firmiana/receipt/result/v1"};

static void begin(struct base_hash *h, int kind, const uint8_t salt[32])
{
    base_hash_init(h);
    base_hash_update(h, domains[kind], strlen(domains[kind]) + 1);
    base_hash_update(h, salt, 32);
}

/* held[0] is the component with this party's own number: it draws that one's salts, and gets the
 * next one's. */
static fm_status agree_on_salts(struct commitments *c, struct net_transport *t, unsigned stream,
                                const struct base_random *random, struct base_err *err)
{
    unsigned before = (t->self + 2) % 3, after = (t->self + 1) % 3;

    if (base_random_fill(random, c->salt[0], sizeof c->salt[0], err) != FM_OK ||
        net_send(t, stream, before, c->salt[0], sizeof c->salt[0], err) != FM_OK ||
        net_recv(t, stream, after, c->salt[1], sizeof c->salt[1], err) != FM_OK)
        return base_err_prefix(err, "salts of the receipt");
    return FM_OK;
}

fm_status commitments_open(struct commitments *c, struct mpc_session *mpc, struct net_transport *t,
                           unsigned stream, const struct base_random *random, size_t sources,
                           struct base_err *err)
{
    unsigned held[MPC_MAX_COMPONENTS];
    unsigned n = mpc_session_held(mpc, held);

    *c = (struct commitments){.computes = mpc_session_computes(mpc)};
    if (!c->computes)
        return FM_OK;
    if (n != 2 || t->self > 2 || held[0] != t->self || held[1] != (t->self + 1) % 3)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "receipts are made for replicated sharing among three");
    memcpy(c->component, held, sizeof c->component);
    if (agree_on_salts(c, t, stream, random, err) != FM_OK)
        return err->code;
    c->sources = sources;
    for (unsigned k = 0; k < 2; k++) {
        for (size_t i = 0; i < sources; i++)
            begin(&c->input[i][k], INPUT, c->salt[k][INPUT]);
        begin(&c->result[k], RESULT, c->salt[k][RESULT]);
    }
    return FM_OK;
}

static fm_status add(struct base_hash *h, const struct commitments *c, unsigned k, int kind,
                     const struct mpc_share *share, struct base_err *err)
{
    uint8_t digest[32];

    if (mpc_share_digest(share, c->component[k], c->salt[k][kind], digest, err) != FM_OK)
        return err->code;
    base_hash_update(h, digest, sizeof digest);
    return FM_OK;
}

/* The first source with the same member's dataset. */
static size_t first_mention(const struct sql_plan *plan, size_t source)
{
    const struct sql_source *s = &plan->sources[source];
    size_t i = 0;

    while (strcmp(plan->sources[i].member, s->member) != 0 ||
           strcmp(plan->sources[i].dataset, s->dataset) != 0)
        i++;
    return i;
}

fm_status commitments_add_input(struct commitments *c, const struct sql_plan *plan, size_t source,
                                const struct mpc_share *share, struct base_err *err)
{
    source = first_mention(plan, source);
    for (unsigned k = 0; c->computes && k < 2; k++)
        if (add(&c->input[source][k], c, k, INPUT, share, err) != FM_OK)
            return err->code;
    return FM_OK;
}

fm_status commitments_add_result(struct commitments *c, const struct mpc_share *share,
                                 struct base_err *err)
{
    for (unsigned k = 0; c->computes && k < 2; k++)
        if (add(&c->result[k], c, k, RESULT, share, err) != FM_OK)
            return err->code;
    return FM_OK;
}

static void finish(char hex[65], struct base_hash *h)
{
    uint8_t hash[32];

    base_hash_final(h, hash);
    base_hex(hex, hash, 32);
}

fm_status commitments_close(json_t **inputs, json_t **result, struct commitments *c,
                            const struct sql_plan *plan, struct base_err *err)
{
    char hex[65];
    bool failed = false;

    *inputs = json_array();
    *result = json_array();
    for (unsigned k = 0; c->computes && k < 2; k++) {
        for (size_t i = 0; i < c->sources; i++) {
            const struct sql_source *s = &plan->sources[i];
            finish(hex, &c->input[i][k]);
            if (first_mention(plan, i) != i)
                continue;
            failed |= json_array_append_new(
                          *inputs, json_pack("{s:s,s:s,s:i,s:s}", "provider", s->member, "table",
                                             plan->tables[s->table].name, "component",
                                             (int)c->component[k], "commitment", hex)) != 0;
        }
        finish(hex, &c->result[k]);
        failed |=
            json_array_append_new(*result, json_pack("{s:i,s:s}", "component", (int)c->component[k],
                                                     "commitment", hex)) != 0;
    }
    return failed ? base_err_memory(err, "receipt") : FM_OK;
}

void commitments_release(struct commitments *c)
{
    uint8_t nowhere[32];

    for (unsigned k = 0; k < 2; k++) {
        for (size_t i = 0; i < c->sources; i++)
            if (c->input[i][k].ctx != NULL)
                base_hash_final(&c->input[i][k], nowhere);
        if (c->result[k].ctx != NULL)
            base_hash_final(&c->result[k], nowhere);
    }
    base_wipe(c->salt, sizeof c->salt);
}
