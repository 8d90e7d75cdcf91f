#include "ledger/machine/test_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* ---- state ---- */

static fm_status get(void *ctx, struct base_buf *value, bool *found, const char *key,
                     struct base_err *e)
{
    const json_t *text = json_object_get(((struct memory *)ctx)->state, key);

    (void)e;
    *found = text != NULL;
    if (text != NULL)
        base_buf_put_str(value, json_string_value(text));
    return FM_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static fm_status list(void *ctx, const char *prefix,
                      fm_status (*fn)(void *fn_ctx, const char *key, const void *value, size_t len,
                                      struct base_err *e),
                      void *fn_ctx, struct base_err *e)
{
    json_t *state = ((struct memory *)ctx)->state;
    const char **keys = calloc(json_object_size(state) + 1, sizeof *keys);
    const char *key;
    json_t *value;
    size_t i, n = 0;
    fm_status st = FM_OK;

    assert_non_null(keys);
    json_object_foreach(state, key, value) if (strncmp(key, prefix, strlen(prefix)) == 0)
        keys[n++] = key;
    qsort(keys, n, sizeof *keys, compare_keys);
    for (i = 0; st == FM_OK && i < n; i++) {
        const char *text = json_string_value(json_object_get(state, keys[i]));

        st = fn(fn_ctx, keys[i], text, strlen(text), e);
    }
    free(keys);
    return st;
}

static fm_status expired(void *ctx, int64_t before_ms,
                         fm_status (*fn)(void *fn_ctx, const char *id, struct base_err *e),
                         void *fn_ctx, struct base_err *e)
{
    json_t *state = ((struct memory *)ctx)->state;
    const char *key;
    json_t *value;

    json_object_foreach(state, key, value)
    {
        long long not_after;

        if (strncmp(key, "seen/", 5) != 0)
            continue;
        assert_int_equal(sscanf(json_string_value(value), "{\"not_after\":%lld}", &not_after), 1);
        if (not_after < before_ms)
            must(fn(fn_ctx, key + 5, e));
    }
    return FM_OK;
}

static fm_status seen(void *ctx, bool *found, const uint8_t id[32], int64_t not_after,
                      struct base_err *e)
{
    char key[70] = "seen/", text[48];
    struct base_buf value = {0};
    fm_status st;

    base_hex(key + 5, id, 32);
    st = get(ctx, &value, found, key, e);
    (void)snprintf(text, sizeof text, "{\"not_after\":%lld}", (long long)not_after);
    assert_true(!*found || (value.len == strlen(text) && memcmp(value.p, text, value.len) == 0));
    base_buf_release(&value);
    return st;
}

static fm_status log_at(void *ctx, bool *ends, struct ledger_epoch_head *out, uint64_t size,
                        struct base_err *e)
{
    const struct memory *m = ctx;

    (void)e;
    *ends = false;
    if (size == 0)
        size = m->ends[m->n_ends - 1].size;
    for (size_t i = 0; i < m->n_ends; i++)
        if (m->ends[i].size == size) {
            *ends = true;
            *out = m->ends[i];
        }
    return FM_OK;
}

static void note_end(struct memory *m)
{
    if (m->n_ends > 0 && m->ends[m->n_ends - 1].size == m->tip.log.size)
        return;
    m->ends = realloc(m->ends, (m->n_ends + 1) * sizeof *m->ends);
    assert_non_null(m->ends);
    m->ends[m->n_ends] = (struct ledger_epoch_head){m->tip.epoch, m->tip.log.size, {0}};
    ledger_log_root(m->ends[m->n_ends++].root, &m->tip.log);
}

/* ---- pages ---- */

static fm_status page_get(void *ctx, uint8_t *out, size_t *len, const uint8_t *id, size_t id_len,
                          struct base_err *e)
{
    char hex[2 * LEDGER_STATE_ID_MAX + 1];
    const char *page;

    (void)e;
    base_hex(hex, id, id_len);
    page = json_string_value(json_object_get(((struct memory *)ctx)->pages, hex));
    *len = page == NULL ? 0 : strlen(page) / 2;
    assert_true(page == NULL || base_unhex(out, *len, page, strlen(page)));
    return FM_OK;
}

static fm_status page_put(void *ctx, const uint8_t *id, size_t id_len, const uint8_t *page,
                          size_t len, struct base_err *e)
{
    char hex[2 * LEDGER_STATE_ID_MAX + 1], text[2 * LEDGER_STATE_PAGE_MAX + 1];

    (void)e;
    base_hex(hex, id, id_len);
    base_hex(text, page, len);
    assert_int_equal(json_object_set_new(((struct memory *)ctx)->pages, hex, json_string(text)), 0);
    return FM_OK;
}

static fm_status page_del(void *ctx, const uint8_t *id, size_t id_len, struct base_err *e)
{
    char hex[2 * LEDGER_STATE_ID_MAX + 1];

    (void)e;
    base_hex(hex, id, id_len);
    assert_int_equal(json_object_del(((struct memory *)ctx)->pages, hex), 0);
    return FM_OK;
}

/* ---- the log ---- */

static fm_status take_leaf(void *ctx, const struct ledger_seal_leaf *leaf, struct base_err *e)
{
    struct memory *m = ctx;

    (void)e;
    assert_int_equal(leaf->leaf, m->leaves++);
    return FM_OK;
}

static fm_status take_node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32],
                           struct base_err *e)
{
    (void)ctx;
    (void)index;
    (void)hash32;
    (void)e;
    assert_in_range(level, 1, 63);
    return FM_OK;
}

/* ---- blocks ---- */

static void apply(struct memory *m, struct ledger_step *step)
{
    size_t i;

    for (i = 0; i < step->n_updates; i++) {
        const struct ledger_update *u = &step->updates[i];

        if (i > 0)
            assert_true(strcmp(step->updates[i - 1].key, u->key) < 0);
        if (u->value == NULL)
            assert_int_equal(json_object_del(m->state, u->key), 0);
        else
            assert_int_equal(
                json_object_set_new(m->state, u->key, json_stringn((const char *)u->value, u->len)),
                0);
    }
    ledger_machine_applied(m->machine, step);
    ledger_step_release(step);
}

void memory_init(struct memory *m, const json_t *genesis, const uint8_t chain[32])
{
    struct ledger_state_pages pages = {page_get, page_put, page_del, m, NULL};
    struct ledger_seal_sink sink = {take_leaf, take_node, m};
    struct ledger_step step = {0};

    memset(m, 0, sizeof *m);
    m->state = json_object();
    m->pages = json_object();
    m->source = (struct ledger_state_source){get, list, expired, seen, log_at, m};
    must(ledger_machine_new(&m->machine, &m->source, chain, &err));
    must(ledger_machine_genesis(m->machine, &step, genesis, &err));
    must(ledger_seal_genesis(&m->tip, json_integer_value(json_object_get(genesis, "time")), &step,
                             &sink, &pages, &err));
    apply(m, &step);
    note_end(m);
}

void memory_release(struct memory *m)
{
    ledger_machine_free(m->machine);
    json_decref(m->state);
    json_decref(m->pages);
    free(m->ends);
}

void memory_execute(struct memory *m, struct ledger_outcome *outcomes,
                    const struct ledger_block *block)
{
    struct ledger_state_pages pages = {page_get, page_put, page_del, m, NULL};
    struct ledger_seal_sink sink = {take_leaf, take_node, m};
    struct ledger_step step = {0};

    must(ledger_machine_follows(m->machine, m->tip.height, m->tip.time_ms, block, &err));
    must(ledger_machine_step(m->machine, &step, outcomes, block, m->tip.log.size, &err));
    must(ledger_seal_block(&m->tip, block, outcomes, &step, &sink, &pages, &err));
    apply(m, &step);
    note_end(m);
}
