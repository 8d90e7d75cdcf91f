/* dataset.history: every version of a dataset that was published. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/requests_own.h"

static fm_status add(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    json_t *item = json_copy((json_t *)(uintptr_t)value);
    json_int_t version = strtoll(strrchr(key, '/') + 1, NULL, 10);

    if (item == NULL || json_object_set_new(item, "data_version", json_integer(version)) != 0 ||
        json_array_append_new(ctx, item) != 0)
        return base_err_memory(err, "history");
    return FM_OK;
}

static int by_version(const void *a, const void *b)
{
    json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "data_version"));
    json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "data_version"));

    return (x > y) - (x < y);
}

/* Keys come in byte order: 1, 10, 2. */
static json_t *sorted(const json_t *list)
{
    size_t n = json_array_size(list);
    json_t **items = calloc(n + 1, sizeof *items), *out = json_array();

    for (size_t i = 0; items != NULL && i < n; i++)
        items[i] = json_array_get(list, i);
    if (items != NULL)
        qsort(items, n, sizeof *items, by_version);
    for (size_t i = 0; items != NULL && i < n; i++)
        (void)json_array_append(out, items[i]);
    free(items);
    return out;
}

/* Why there is no version, and where to look. */
static fm_status nothing_published(struct node *node, const char *member, const char *dataset,
                                   struct base_err *err)
{
    json_t *value = NULL;
    fm_status st = node_state(node, &value, err, "member/%s", member);

    json_decref(value);
    if (st == FM_E_NOT_FOUND)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "%.32s is no member of this ledger: firmiana member list names them",
                            member);
    return st == FM_OK
               ? base_err_set(
                     err, FM_E_NOT_FOUND,
                     "%.32s published no version of %.64s (since rules version 2): firmiana "
                     "dataset list shows what is published",
                     member, dataset)
               : st;
}

void node_request_dataset_history(struct node *node, const json_t *request,
                                  const struct node_reply *reply)
{
    const char *member = json_string_value(json_object_get(request, "member")), *dataset;
    json_t *list = json_array();
    struct base_err err = {0};
    char prefix[128];
    fm_status st = base_json_get_str(&dataset, request, "dataset", &err);

    if (member == NULL)
        member = node->config.home.alias;
    if (st == FM_OK)
        (void)snprintf(prefix, sizeof prefix, "version/%.32s/%.64s/", member, dataset);
    if (st == FM_OK)
        st = ledger_reader_list(ledger_chain_reader(node->chain), prefix, add, list, &err);
    if (st == FM_OK && json_array_size(list) == 0)
        st = nothing_published(node, member, dataset, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:s, s:s, s:o}", "member", member, "dataset", dataset,
                                          "versions", sorted(list)));
    else
        node_reply_error(reply, &err);
    json_decref(list);
}
