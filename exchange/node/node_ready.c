/* What another party's `ready` says of its data, held against the ledger before any share moves. */
#include <string.h>

#include "base/json.h"
#include "exchange/node/node_own.h"

/* The one entry that this table's provider must have sent. */
static fm_status check_entry(struct node *node, const struct node_query *q,
                             const struct contract_table *t, const json_t *entry,
                             struct base_err *err)
{
    json_t *value, *want = NULL;
    fm_status st = node_state(node, &value, err, "dataset/%s/%s", t->provider, t->dataset);

    if (st == FM_OK && (uint64_t)json_integer_value(json_object_get(value, "height")) >
                           session_get_facts(q->session)->height)
        st = base_err_set(err, FM_E_PEER, "table %s was published anew after the query was opened",
                          t->dataset);
    if (st == FM_OK) {
        want = json_pack("{s:s,s:O,s:O}", "table", t->table, "data_version",
                         json_object_get(value, "data_version"), "root",
                         json_object_get(value, "root"));
        if (want == NULL)
            st = base_err_memory(err, "inputs");
    }
    if (st == FM_OK && !json_equal(want, entry))
        st = base_err_set(err, FM_E_PEER,
                          "its ready names other data of table %s than it has published",
                          t->dataset);
    json_decref(want);
    json_decref(value);
    return st;
}

fm_status node_check_inputs(struct node *node, const struct node_query *q, const char *alias,
                            const json_t *inputs, struct base_err *err)
{
    size_t n = 0;

    for (unsigned i = 0; i < q->contract.table_count; i++)
        if (strcmp(q->contract.tables[i].provider, alias) == 0 &&
            check_entry(node, q, &q->contract.tables[i], json_array_get(inputs, n++), err) != FM_OK)
            return err->code;
    if (n != json_array_size(inputs))
        return base_err_set(err, FM_E_PEER, "its ready names data that the contract does not");
    return FM_OK;
}
