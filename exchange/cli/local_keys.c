#include "exchange/cli/local_keys.h"

#include "exchange/data/distinct.h"

/* Distinct values that are counted exactly, over all columns: 16 bytes each. */
enum { SLOTS = 1 << 22 };

static bool holds_query(const struct sql_syntax *s)
{
    if (s == NULL)
        return false;
    if (s->query != NULL)
        return true;
    for (size_t i = 0; i < s->arg_count; i++) {
        if (holds_query(s->args[i]))
            return true;
    }
    return false;
}

bool local_keys_matter(const struct sql_query *query)
{
    return query->with_count > 0 || query->left != NULL || query->limit != NULL ||
           query->from_count != 1 || query->from[0]->left != NULL ||
           query->from[0]->query != NULL || holds_query(query->where) || holds_query(query->having);
}

static fm_status add_row(struct data_distinct *counts, const struct data_cell *row, size_t n,
                         struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i++) {
        if (row[i].null)
            continue;
        if (row[i].text != NULL)
            st = data_distinct_add(&counts[i], row[i].text, row[i].len, err);
        else
            st = data_distinct_add(&counts[i], (const char *)&row[i].value, sizeof row[i].value,
                                   err);
    }
    return st;
}

fm_status local_keys_count(struct data_schema *schema, struct data_store *store, const char *table,
                           struct base_err *err)
{
    struct data_distinct counts[DATA_KEYS_MAX];
    size_t columns[DATA_KEYS_MAX], n = 0, pool = SLOTS;
    const struct data_cell *row = NULL;
    struct data_rows *rows;
    fm_status st;

    for (size_t c = 0; c < schema->column_count && n < DATA_KEYS_MAX; c++) {
        enum data_kind kind = schema->columns[c].type.kind;
        if (kind == DATA_DECIMAL || kind == DATA_BOOLEAN)
            continue;
        data_distinct_init(&counts[n], &pool);
        columns[n++] = c;
    }
    if (n == 0)
        return FM_OK;
    st = data_rows_open(&rows, store, table, schema, columns, n, err);
    while (st == FM_OK && (st = data_rows_next(&row, NULL, rows, err)) == FM_OK && row != NULL)
        st = add_row(counts, row, n, err);
    data_rows_free(rows);
    for (size_t i = 0; i < n; i++) {
        uint64_t most = data_distinct_most_rows(&counts[i]);
        if (st == FM_OK && most > 0 && data_distinct_exact(&counts[i]))
            schema->keys[schema->key_count++] = (struct data_key){columns[i], (int64_t)most};
        data_distinct_release(&counts[i]);
    }
    return st;
}
