#include "ledger/machine/machine_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* What the cache may hold, in bytes of canonical JSON (a parsed tree takes several times that). It
 * is emptied when full: what is hot comes back. */
#define CACHE_BYTES ((size_t)4 << 20)

/* Keys that transactions read over and over. The others (seen, consent, query, ...) are read about
 * once in their lives. */
static bool is_hot(const char *key)
{
    static const char *const hot[] = {"param",     "member/",        "did/",   "dataset/",
                                      "contract/", "authorization/", "asker/", "quota/"};
    size_t i;

    for (i = 0; i < sizeof hot / sizeof hot[0]; i++)
        if (strncmp(key, hot[i], strlen(hot[i])) == 0)
            return true;
    return false;
}

fm_status ledger_view_init(struct ledger_view *view, const struct ledger_state_source *source,
                           struct base_err *err)
{
    memset(view, 0, sizeof *view);
    view->source = source;
    view->cache = json_object();
    view->loan = json_object();
    view->block = json_object();
    view->tx = json_object();
    if (view->cache == NULL || view->loan == NULL || view->block == NULL || view->tx == NULL) {
        ledger_view_release(view);
        return base_err_memory(err, "ledger machine");
    }
    return FM_OK;
}

void ledger_view_release(struct ledger_view *view)
{
    json_decref(view->cache);
    json_decref(view->loan);
    json_decref(view->block);
    json_decref(view->tx);
    memset(view, 0, sizeof *view);
}

static fm_status read_source(struct ledger_view *view, const json_t **value, const char *key,
                             struct base_err *err)
{
    struct base_buf bytes = {0};
    json_t *json = NULL;
    bool found = false;
    bool hot = is_hot(key);
    fm_status st;

    *value = NULL;
    st = view->source->get(view->source->ctx, &bytes, &found, key, err);
    if (st == FM_OK && found) {
        st = base_json_parse(&json, (const char *)bytes.p, bytes.len, err);
        if (st == FM_E_INPUT) {
            err->code = FM_E_CORRUPT;
            st = base_err_prefix(err, "state %s", key);
        }
    }
    if (st == FM_OK && found) {
        *value = json;
        if (json_object_set_new(hot ? view->cache : view->loan, key, json) != 0) {
            *value = NULL;
            st = base_err_memory(err, "ledger machine");
        } else if (hot) {
            view->cache_bytes += bytes.len;
        }
    }
    base_buf_release(&bytes);
    return st;
}

fm_status ledger_view_get(struct ledger_view *view, const json_t **value, const char *key,
                          struct base_err *err)
{
    const json_t *const layers[] = {view->tx, view->block, view->cache, view->loan};
    size_t i;

    for (i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        const json_t *found = json_object_get(layers[i], key);
        if (found != NULL) {
            *value = json_is_null(found) ? NULL : found;
            return FM_OK;
        }
    }
    return read_source(view, value, key, err);
}

const json_t *ledger_view_changed(const struct ledger_view *view, const char *key)
{
    const json_t *found = json_object_get(view->tx, key);

    if (found == NULL)
        found = json_object_get(view->block, key);
    return json_is_null(found) ? NULL : found;
}

fm_status ledger_view_put(struct ledger_view *view, const char *key, json_t *value,
                          struct base_err *err)
{
    if (value == NULL || json_object_set_new(view->tx, key, value) != 0)
        return base_err_memory(err, "ledger machine");
    return FM_OK;
}

fm_status ledger_view_remove(struct ledger_view *view, const char *key, struct base_err *err)
{
    return ledger_view_put(view, key, json_null(), err);
}

/* ---- listing ---- */

struct listing {
    struct ledger_view *view;
    const char *prefix;
    fm_status (*fn)(void *ctx, const char *key, const json_t *value, struct base_err *err);
    void *ctx;
};

static fm_status list_stored(void *ctx, const char *key, const void *bytes, size_t len,
                             struct base_err *err)
{
    struct listing *l = ctx;
    json_t *value;
    fm_status st;

    /* What the block or the transaction changed comes from there. */
    if (json_object_get(l->view->block, key) != NULL || json_object_get(l->view->tx, key) != NULL)
        return FM_OK;
    st = base_json_parse(&value, bytes, len, err);
    if (st != FM_OK)
        return base_err_prefix(err, "state %s", key);
    st = l->fn(l->ctx, key, value, err);
    json_decref(value);
    return st;
}

static fm_status list_layer(const struct listing *l, json_t *layer, const json_t *above,
                            struct base_err *err)
{
    size_t prefix_len = strlen(l->prefix);
    const char *key;
    json_t *value;

    json_object_foreach(layer, key, value)
    {
        fm_status st;

        if (strncmp(key, l->prefix, prefix_len) != 0 || json_is_null(value))
            continue;
        if (above != NULL && json_object_get(above, key) != NULL)
            continue;
        st = l->fn(l->ctx, key, value, err);
        if (st != FM_OK)
            return st;
    }
    return FM_OK;
}

fm_status ledger_view_list(struct ledger_view *view, const char *prefix,
                           fm_status (*fn)(void *ctx, const char *key, const json_t *value,
                                           struct base_err *err),
                           void *ctx, struct base_err *err)
{
    struct listing l = {view, prefix, fn, ctx};
    fm_status st;

    st = view->source->list(view->source->ctx, prefix, list_stored, &l, err);
    if (st == FM_OK)
        st = list_layer(&l, view->block, view->tx, err);
    if (st == FM_OK)
        st = list_layer(&l, view->tx, NULL, err);
    return st;
}

bool ledger_view_has_changed(const struct ledger_view *view, const char *prefix)
{
    const char *key;
    json_t *value;

    json_object_foreach(view->block, key, value)
    {
        if (strncmp(key, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

/* ---- ends ---- */

fm_status ledger_view_keep(struct ledger_view *view, struct base_err *err)
{
    if (json_object_update(view->block, view->tx) != 0)
        return base_err_memory(err, "ledger machine");
    ledger_view_drop(view);
    return FM_OK;
}

void ledger_view_undo(struct ledger_view *view)
{
    (void)json_object_clear(view->tx);
}

void ledger_view_drop(struct ledger_view *view)
{
    (void)json_object_clear(view->tx);
    (void)json_object_clear(view->loan);
    if (view->cache_bytes > CACHE_BYTES) {
        (void)json_object_clear(view->cache);
        view->cache_bytes = 0;
    }
}

void ledger_view_reset(struct ledger_view *view)
{
    ledger_view_drop(view);
    (void)json_object_clear(view->block);
}

struct change {
    const char *key;
    const json_t *value;
    size_t at, len; /* in the step's bytes */
};

static int compare_changes(const void *a, const void *b)
{
    return strcmp(((const struct change *)a)->key, ((const struct change *)b)->key);
}

/* A key made and removed within the block, or removed without ever having been there, is no change:
 * whether it is depends on the source alone. */
static fm_status worth_telling(struct ledger_view *view, bool *worth, const char *key,
                               const json_t *value, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = FM_OK;

    *worth = true;
    if (json_is_null(value))
        st = view->source->get(view->source->ctx, &bytes, worth, key, err);
    base_buf_release(&bytes);
    return st;
}

static fm_status gather(struct ledger_view *view, struct change *changes, size_t *n,
                        struct base_buf *bytes, struct base_err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach(view->block, key, value)
    {
        struct change *c = &changes[*n];
        bool worth;
        fm_status st = worth_telling(view, &worth, key, value, err);

        if (st != FM_OK)
            return st;
        if (!worth)
            continue;
        *c = (struct change){key, value, bytes->len, 0};
        base_buf_put(bytes, key, strlen(key) + 1);
        if (!json_is_null(value)) {
            st = base_json_canonical(bytes, value, err);
            if (st != FM_OK)
                return base_err_prefix(err, "state %s", key);
        }
        c->len = bytes->len - c->at;
        (*n)++;
    }
    return base_buf_status(bytes, "state updates", err);
}

fm_status ledger_view_updates(struct ledger_view *view, struct ledger_step *out,
                              struct base_err *err)
{
    size_t room = json_object_size(view->block);
    struct change *changes = calloc(room + 1, sizeof *changes);
    struct ledger_update *updates = calloc(room + 1, sizeof *updates);
    size_t i, n = 0;
    fm_status st;

    if (changes == NULL || updates == NULL) {
        st = base_err_memory(err, "state updates");
        goto fail;
    }
    st = gather(view, changes, &n, &out->bytes, err);
    if (st != FM_OK)
        goto fail;
    qsort(changes, n, sizeof *changes, compare_changes);
    for (i = 0; i < n; i++) {
        const uint8_t *at = out->bytes.p + changes[i].at;
        size_t key_len = strlen((const char *)at) + 1;

        updates[i].key = (const char *)at;
        if (!json_is_null(changes[i].value)) {
            updates[i].value = at + key_len;
            updates[i].len = changes[i].len - key_len;
        }
    }
    free(changes);
    out->updates = updates;
    out->n_updates = n;
    out->values = view->block;
    view->block = json_object();
    if (view->block == NULL) {
        view->block = out->values;
        out->values = NULL;
        return base_err_memory(err, "ledger machine");
    }
    return FM_OK;

fail:
    free(changes);
    free(updates);
    return st;
}

void ledger_view_applied(struct ledger_view *view, const json_t *values)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)values, key, value)
    {
        /* Forgetting what could not be replaced keeps the cache right when memory is out. */
        if (json_is_null(value) || !is_hot(key) || json_object_set(view->cache, key, value) != 0)
            (void)json_object_del(view->cache, key);
        else
            view->cache_bytes += 512;
    }
}
