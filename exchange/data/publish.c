#include "exchange/data/publish.h"

#include <stdio.h>

#include "exchange/data/check.h"

/* One scan, and who looks at its rows. */
struct scan {
    const struct data_publish_job *job;
    struct data_check *check;
    struct data_changes_writer *changes; /* NULL: given up */
    char *unknown;                       /* why */
};

/* A help to the one who publishes, not a condition: a disk that is full, say, is told in its place
 * and the publication goes on. */
static void give_up(struct scan *s, const struct base_err *why)
{
    data_changes_free(s->changes);
    s->changes = NULL;
    (void)snprintf(s->unknown, BASE_ERR_TEXT, "%s", why->text);
}

static fm_status next(void *ctx, const struct data_cell **row, struct base_err *err)
{
    struct scan *s = ctx;
    struct base_err why = {0};
    int64_t rowid = 0;
    fm_status st;

    if (s->job->stop != NULL && atomic_load_explicit(s->job->stop, memory_order_relaxed))
        return base_err_set(err, FM_E_CANCELLED, "stopped while the rows were hashed");
    st = data_check_next(row, &rowid, s->check, err);
    if (st == FM_OK && *row != NULL && s->changes != NULL &&
        data_changes_row(s->changes, rowid, *row, s->job->schema->column_count, &why) != FM_OK)
        give_up(s, &why);
    return st;
}

static void begin_changes(struct scan *s)
{
    const struct data_publish_job *job = s->job;
    const struct data_changes_job changes = {.path = job->digests,
                                             .secret32 = job->key.secret32,
                                             .table = job->table,
                                             .schema = job->schema,
                                             .data_version = job->key.data_version,
                                             .published32 = job->published32};
    struct base_err why = {0};

    if (data_changes_begin(&s->changes, &changes, &why) != FM_OK)
        give_up(s, &why);
}

fm_status data_publish(struct data_published *out, const struct data_publish_job *job,
                       struct base_err *err)
{
    struct scan s = {.job = job, .unknown = out->unknown};
    const struct data_row_source source = {next, &s};
    struct base_err why = {0};
    fm_status st;

    *out = (struct data_published){.unknown = ""};
    st = data_check_new(&s.check, job->store, job->table, job->schema, err);
    if (st == FM_OK) {
        begin_changes(&s);
        st = data_root_compute(out->root32, &source, job->schema, &job->key, err);
    }
    if (st == FM_OK)
        st = data_check_keys(s.check, err);
    if (st == FM_OK && s.changes != NULL &&
        data_changes_end(&out->changes, s.changes, out->root32, &why) != FM_OK)
        give_up(&s, &why);
    data_changes_free(s.changes);
    data_check_free(s.check);
    return st;
}
