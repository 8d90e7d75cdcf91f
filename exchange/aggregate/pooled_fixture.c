#include "exchange/aggregate/pooled_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

struct pooled_world pooled;

static uint64_t state = 88172645463325252u;
static uint64_t draw(uint64_t below) /* xorshift64 */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

void pooled_ok(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", pooled.err.text);
}

/* ---- the world ---- */

static void put_catalog(struct base_buf *out)
{
    base_buf_put_str(out, "{\"datasets\":[");
    for (unsigned b = 0; b < pooled.banks; b++)
        base_buf_putf(
            out,
            "%s{\"member\":\"%s\",\"name\":\"u\",\"version\":1,\"rows\":%d,\"columns\":["
            "{\"name\":\"id\",\"type\":\"INTEGER\",\"range\":[0,1000]},"
            "{\"name\":\"x\",\"type\":\"INTEGER\",\"range\":[-500,500],\"nullable\":true},"
            "{\"name\":\"g\",\"type\":\"INTEGER\",\"range\":[1,4],\"nullable\":true},"
            "{\"name\":\"f\",\"type\":\"BOOLEAN\"},"
            "{\"name\":\"y\",\"type\":\"TEXT(4)\",\"nullable\":true}],"
            "\"subject\":{\"column\":\"id\",\"scheme\":\"s\"},\"max_rows_per_subject\":1}",
            b > 0 ? "," : "", pooled.names[pooled.sources[b]], POOLED_ROWS);
    base_buf_put_str(out, "]}");
}

static void make_rows(void)
{
    static const char *const words[] = {"a", "b", "ab", ""};

    for (size_t b = 0; b < pooled.banks; b++) {
        pooled.counts[b] = 20 + draw(POOLED_ROWS - 20);
        for (size_t i = 0; i < pooled.counts[b]; i++) {
            struct pooled_row *r = &pooled.rows[b][i];
            *r = (struct pooled_row){.x_null = draw(5) == 0,
                                     .g_null = draw(9) == 0,
                                     .y_null = draw(7) == 0,
                                     .f = draw(2),
                                     .id = (int64_t)draw(1001),
                                     .x = (int64_t)draw(1001) - 500,
                                     .g = 1 + (int64_t)draw(3)}; /* nobody has group 4 */
            (void)snprintf(r->y, sizeof r->y, "%s", words[draw(4)]);
        }
    }
}

/* Half as long as any real key, and of primes that everybody knows: proofs take a fifth of the
 * time, and safe primes are not sought. */
static void deal(void)
{
    static const char p_hex[] = "F000AB7FEAE43A12F78109D9D05F04A51DBE52AA174B749616F95BD16832C76F"
                                "E023AB74B6D35DA57112E29311B8DD43496D07973A8EE325EF7256E8A9D66D93";
    static const char q_hex[] = "E9A105B76C2D6CE3582640F55EF5A9828E71D4AC1B04C97C8B6D976B439D6F7F"
                                "8011275153A987B2CB09AB46BBF30B6132FA954C2118526BDB37DF9250648C3F";
    mpz_t p, q;

    mpc_pai_gmp_init();
    mpz_init_set_str(p, p_hex, 16);
    mpz_init_set_str(q, q_hex, 16);
    pooled_ok(mpc_pai_thr_deal_with(&pooled.key, pooled.shares, 2, 3, p, q, "the notary", NULL,
                                    &pooled.err));
    mpz_clears(p, q, NULL);
}

void pooled_make(unsigned parties, const char *const *names, unsigned banks)
{
    struct base_buf text = {0};
    json_t *json;

    pooled.parties = parties, pooled.names = names, pooled.banks = banks;
    put_catalog(&text);
    pooled_ok(base_json_parse(&json, base_buf_cstr(&text), text.len, &pooled.err));
    pooled_ok(sql_catalog_from_json(&pooled.catalog, json, &pooled.err));
    json_decref(json);
    base_buf_release(&text);
    deal();
    make_rows();
}

void pooled_release(void)
{
    mpc_pai_thr_free(pooled.key);
    for (unsigned i = 0; i < 3; i++)
        mpc_pai_thr_share_free(pooled.shares[i]);
    sql_catalog_release(&pooled.catalog);
}

void pooled_compile(struct sql_plan *plan, struct aggregate_shape *shape, const char *text,
                    int64_t minimum)
{
    struct sql_param_decl decl = {.type = "INTEGER"};
    const char *recipient = pooled.names[pooled.recipient];
    struct sql_request r = {.text = text,
                            .len = strlen(text),
                            .catalog = &pooled.catalog,
                            .minimum = minimum,
                            .recipients = &recipient,
                            .recipient_count = 1,
                            .params = &decl,
                            .param_count = strchr(text, '$') != NULL};

    pooled_ok(sql_plan_compile(plan, &r, &pooled.err));
    pooled_ok(aggregate_shape_of(shape, plan, &pooled.err));
}

/* ---- one run ---- */

struct bank {
    const struct sql_plan *plan;
    size_t bank, next;
};

static struct sql_cell cell_of(const struct pooled_row *r, char column)
{
    switch (column) {
    case 'x':
        return (struct sql_cell){.null = r->x_null, .value = r->x};
    case 'g':
        return (struct sql_cell){.null = r->g_null, .value = r->g};
    case 'f':
        return (struct sql_cell){.value = r->f};
    case 'y':
        return (struct sql_cell){.null = r->y_null, .text = r->y, .len = strlen(r->y)};
    default:
        return (struct sql_cell){.value = r->id};
    }
}

static fm_status bank_next(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
{
    struct bank *b = ctx;
    size_t i = b->next++;

    (void)err;
    *end = i == pooled.counts[b->bank];
    for (size_t c = 0; !*end && c < b->plan->column_count; c++)
        cells[c] = cell_of(&pooled.rows[b->bank][i], b->plan->columns[c].name[0]);
    return FM_OK;
}

struct aggregate_config pooled_config(const struct pooled_party *p)
{
    static const uint32_t key_party[] = {1, 2, 3};

    return (struct aggregate_config){.shape = p->shape,
                                     .transport = p->transport,
                                     .session32 = {7},
                                     .key = pooled.key,
                                     .decryptors = p->decryptors,
                                     .key_party = key_party,
                                     .minimum = p->minimum,
                                     .sources = pooled.sources,
                                     .recipients = &pooled.recipient,
                                     .values = &p->value,
                                     .random = base_random_system(),
                                     .may_open = p->may_open,
                                     .ctx = p->ctx};
}

static void *party_main(void *arg)
{
    struct pooled_party *p = arg;
    struct bank bank = {.plan = p->shape->plan};
    struct sql_rows own = {bank_next, &bank};
    const struct sql_rows *rows[AGGREGATE_SOURCES] = {NULL};
    struct mpc_pai_thr_share *lie = NULL;
    struct aggregate_config c = pooled_config(p);

    if (p->instead != NULL) {
        p->instead(p, p->ctx);
        return NULL;
    }
    c.rows = rows;
    for (size_t b = 0; b < pooled.banks; b++)
        if (pooled.sources[b] == p->self) {
            bank.bank = b;
            rows[b] = &own;
        }
    if (p->self < p->decryptors)
        c.share = pooled.shares[p->self];
    if (p->lies) {
        lie = malloc(sizeof *lie);
        *lie = *c.share;
        lie->x[0] ^= 1;
        c.share = lie;
    }
    p->status = aggregate_run(&p->result, &p->record, &c, &p->err);
    net_stats_get(p->transport, &p->stats);
    free(lie);
    return NULL;
}

void pooled_run(struct pooled_party *parties, const struct aggregate_shape *shape,
                unsigned decryptors, struct pooled_fault *fault)
{
    struct net_loop *loop;
    pthread_t threads[NET_MAX_PARTIES];

    pooled_ok(net_loop_new(&loop, pooled.parties, pooled.names, &pooled.err));
    if (fault != NULL)
        net_loop_set_fault(loop, fault->kind, fault->party, fault->at, fault->bit);
    for (unsigned i = 0; i < pooled.parties; i++) {
        struct pooled_party *p = &parties[i];
        p->shape = shape, p->transport = net_loop_transport(loop, i), p->self = i;
        p->decryptors = decryptors, p->value.value = -100;
        assert_int_equal(pthread_create(&threads[i], NULL, party_main, p), 0);
    }
    for (unsigned i = 0; i < pooled.parties; i++)
        (void)pthread_join(threads[i], NULL);
    if (fault != NULL)
        fault->fired = net_loop_fault_fired(loop);
    net_loop_free(loop);
}

void pooled_results_release(struct pooled_party *parties)
{
    for (unsigned i = 0; i < pooled.parties; i++)
        sql_result_release(&parties[i].result);
}
