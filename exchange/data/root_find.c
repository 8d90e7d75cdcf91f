#include <string.h>

#include "exchange/data/root.h"

enum { NAMED = 8 }; /* of several rows that have the value */

struct key {
    size_t column;
    struct data_cell cell;
};

static fm_status read_key(struct key *key, const struct data_schema *schema, const char *text,
                          struct base_err *err)
{
    const char *equals = strchr(text, '=');
    char name[DATA_NAME_MAX + 1] = "";
    size_t len = equals != NULL ? (size_t)(equals - text) : 0;
    const struct data_column *column;
    fm_status st;

    *key = (struct key){.column = DATA_NO_COLUMN};
    if (equals == NULL || len >= sizeof name)
        return base_err_set(err, FM_E_ARG, "--key must be COLUMN=VALUE");
    memcpy(name, text, len);
    key->column = data_schema_find(schema, name);
    if (key->column == DATA_NO_COLUMN)
        return base_err_set(err, FM_E_ARG, "--key: that version has no column %s", name);
    column = &schema->columns[key->column];
    key->cell.len = strlen(equals + 1);
    if (column->type.kind == DATA_TEXT) {
        key->cell.text = equals + 1;
        st = data_text_check(&column->type, equals + 1, key->cell.len, err);
    } else {
        st = data_value_parse(&key->cell.value, &column->type, equals + 1, key->cell.len, err);
    }
    if (st == FM_E_INPUT) {
        err->code = FM_E_ARG;
        st = base_err_prefix(err, "--key, column %s", name);
    }
    return st;
}

static bool has(const struct data_cell *row, const struct key *key)
{
    const struct data_cell *cell = &row[key->column];

    if (cell->null || (cell->text == NULL) != (key->cell.text == NULL))
        return false;
    return cell->text != NULL
               ? cell->len == key->cell.len && memcmp(cell->text, key->cell.text, cell->len) == 0
               : cell->value == key->cell.value;
}

static fm_status several(const uint64_t *found, uint64_t n, const char *column,
                         struct base_err *err)
{
    struct base_buf list = {0};
    fm_status st;

    for (uint64_t i = 0; i < n && i < NAMED; i++)
        base_buf_putf(&list, "%s%llu", i > 0 ? ", " : "", (unsigned long long)found[i]);
    if (n > NAMED)
        base_buf_putf(&list, " and %llu more", (unsigned long long)(n - NAMED));
    st = base_err_set(err, FM_E_CONFLICT,
                      "--key, column %s: %llu rows have that value: say which with --row: %s",
                      column, (unsigned long long)n, base_buf_cstr(&list));
    base_buf_release(&list);
    return st;
}

fm_status data_root_find(uint64_t *index, const struct data_row_source *source,
                         const struct data_schema *schema, const char *key, struct base_err *err)
{
    uint64_t found[NAMED], n = 0, at = 0;
    const struct data_cell *row = NULL;
    struct key wanted;
    fm_status st = read_key(&wanted, schema, key, err);

    *index = 0;
    if (st != FM_OK)
        return st;
    do {
        st = source->next(source->ctx, &row, err);
        if (st == FM_OK && row != NULL && has(row, &wanted)) {
            if (n < NAMED)
                found[n] = at;
            n++;
        }
        at++;
    } while (st == FM_OK && row != NULL);
    if (st != FM_OK)
        return st;
    if (n == 0)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "--key, column %s: no row of that version has that value",
                            schema->columns[wanted.column].name);
    if (n > 1)
        return several(found, n, schema->columns[wanted.column].name, err);
    *index = found[0];
    return FM_OK;
}
