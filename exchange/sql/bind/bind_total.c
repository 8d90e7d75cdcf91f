/* What follows from the values of some columns: a declared key of a table gives all its columns, an
 * equality that joined two tables gives the one side from the other. */
#include <stdlib.h>

#include "exchange/sql/bind/bind.h"

static bool holds_all(const bool *given, const size_t *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!given[columns[i]])
            return false;
    }
    return true;
}

static bool give(bool *given, size_t column)
{
    bool fresh = !given[column];

    given[column] = true;
    return fresh;
}

static bool close_scan(bool *given, const struct sql_binder *b, const struct sql_rel *rel)
{
    const struct sql_plan *plan = b->plan;
    bool key = false, fresh = false;

    for (size_t c = 0; c < plan->column_count && !key; c++)
        key = given[c] && plan->columns[c].table == rel->table && !plan->columns[c].nullable &&
              sql_rel_max(b, rel, &c, 1) == 1;
    for (size_t c = 0; key && c < plan->column_count; c++) {
        if (plan->columns[c].table == rel->table)
            fresh = give(given, c) || fresh;
    }
    return fresh;
}

static bool close_join(bool *given, const struct sql_join *j)
{
    bool fresh = false;

    if (j->kind == SQL_JOIN_MARK || j->key_count == 0)
        return false;
    /* A row without a partner has NULLs on the right, whatever they are: all of one left key,
     * unless a further condition finds a partner for some rows of that key and none for others. */
    if (j->condition == SQL_NONE && holds_all(given, j->left, j->key_count)) {
        for (size_t i = 0; j->right_max == 1 && i < j->key_count; i++)
            fresh = give(given, j->right[i]) || fresh;
    }
    if (j->kind == SQL_JOIN_INNER && holds_all(given, j->right, j->key_count)) {
        for (size_t i = 0; i < j->key_count; i++)
            fresh = give(given, j->left[i]) || fresh;
    }
    return fresh;
}

/* Did anything become known? The tree is no deeper than the text's queries and joins. */
static bool close_over(bool *given, const struct sql_binder *b, const struct sql_rel *rel)
{
    bool fresh = false;

    if (rel->kind == SQL_REL_GROUP || rel->kind == SQL_REL_UNION)
        return false;
    if (rel->kind == SQL_REL_SCAN)
        return close_scan(given, b, rel);
    if (rel->kind == SQL_REL_JOIN)
        fresh = close_join(given, &rel->join);
    for (size_t i = 0; i < rel->input_count; i++)
        fresh = close_over(given, b, rel->inputs[i]) || fresh;
    return fresh;
}

bool sql_bind_determines(const struct sql_binder *b, const struct sql_rel *group,
                         const size_t *columns, size_t count)
{
    bool *given = calloc(b->plan->column_count + 1, sizeof *given), all;

    if (given == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        given[columns[i]] = true;
    while (close_over(given, b, group->inputs[0]))
        continue;
    all = holds_all(given, group->keys, group->key_count);
    free(given);
    return all;
}
