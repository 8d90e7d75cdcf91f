#include "exchange/contract/subject.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The column by which one of the plan's datasets knows its subjects. */
static fm_status subject_column(const char **out, const struct sql_source *s,
                                const json_t *datasets, struct base_err *err)
{
    char key[160];
    const json_t *schema;

    (void)snprintf(key, sizeof key, "%s/%s", s->member, s->dataset);
    schema = json_object_get(json_object_get(datasets, key), "schema");
    *out = json_string_value(json_object_get(json_object_get(schema, "subject"), "column"));
    if (*out == NULL)
        return base_err_set(err, FM_E_REFUSED,
                            "dataset %s declares no subject: nobody could consent to a query of it",
                            key);
    return FM_OK;
}

/* Is the node `column = $n`, of that table? */
static bool names_subject(const struct sql_plan *plan, const struct sql_node *node, size_t table,
                          const char *column, size_t param)
{
    const struct sql_node *a, *b;

    if (node->op != SQL_OP_EQ)
        return false;
    a = &plan->nodes[node->args[0]];
    b = &plan->nodes[node->args[1]];
    if (a->op == SQL_OP_PARAM) {
        const struct sql_node *swap = a;
        a = b;
        b = swap;
    }
    return a->op == SQL_OP_COLUMN && b->op == SQL_OP_PARAM && b->index == param &&
           plan->columns[a->index].table == table &&
           strcmp(plan->columns[a->index].name, column) == 0;
}

/* A row goes on only if the condition is true, so only if each operand of its ANDs is. Operands
 * stand before their users: one pass from the condition down sees them all. */
static bool requires(const struct sql_plan *plan, size_t condition, bool *required, size_t table,
                     const char *column, size_t param)
{
    memset(required, 0, plan->node_count * sizeof *required);
    required[condition] = true;
    for (size_t i = condition + 1; i-- > 0;) {
        const struct sql_node *node = &plan->nodes[i];
        if (required[i] && names_subject(plan, node, table, column, param))
            return true;
        for (size_t k = 0; required[i] && node->op == SQL_OP_AND && k < node->arg_count; k++)
            required[node->args[k]] = true;
    }
    return false;
}

static bool reads(const struct sql_rel *rel, size_t table)
{
    bool any = rel->kind == SQL_REL_SCAN && rel->table == table;

    for (size_t i = 0; !any && i < rel->input_count; i++)
        any = reads(rel->inputs[i], table);
    return any;
}

/* Between the table and whatever first combines its rows with others, only filters: one of them, or
 * the inner joins' filters above, must ask for the subject. Operators that take part of the rows
 * away first would only take more away. */
static bool filter_requires(const struct sql_plan *plan, bool *required, size_t table,
                            const char *column, size_t param)
{
    for (size_t r = 0; r < plan->rel_count; r++) {
        const struct sql_rel *rel = plan->rels[r];
        if (!reads(rel, table))
            continue;
        if (rel->kind == SQL_REL_FILTER &&
            requires(plan, rel->condition, required, table, column, param))
            return true;
        if (rel->kind != SQL_REL_SCAN && rel->kind != SQL_REL_FILTER &&
            (rel->kind != SQL_REL_JOIN || rel->join.kind != SQL_JOIN_INNER))
            return false;
    }
    return false;
}

fm_status contract_subject_check(const struct sql_plan *plan, const json_t *datasets, int64_t n,
                                 struct base_err *err)
{
    bool *required;
    fm_status st = FM_OK;

    if (n < 1 || (uint64_t)n > plan->param_count)
        return base_err_set(err, FM_E_REFUSED, "consent: the query has no parameter $%lld",
                            (long long)n);
    if (plan->params[n - 1].hidden)
        return base_err_set(err, FM_E_REFUSED,
                            "consent: $%lld is hidden, so nobody could compare it with the consent",
                            (long long)n);
    required = calloc(plan->node_count + 1, sizeof *required);
    if (required == NULL)
        return base_err_memory(err, "contract");
    for (size_t i = 0; st == FM_OK && i < plan->source_count; i++) {
        const char *column;
        st = subject_column(&column, &plan->sources[i], datasets, err);
        if (st == FM_OK &&
            !filter_requires(plan, required, plan->sources[i].table, column, (size_t)n - 1))
            st = base_err_set(err, FM_E_REFUSED,
                              "consent: rows of others than $%lld would count: write WHERE %s = "
                              "$%lld AND ...",
                              (long long)n, column, (long long)n);
    }
    free(required);
    return st;
}
