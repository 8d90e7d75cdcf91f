#include "exchange/data/findings.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

void data_findings_add(struct data_findings *findings, const char *column, const char *what,
                       int64_t row)
{
    struct data_finding *f = findings->items;
    struct data_finding *end = f + findings->count;

    /* Columns are compared as pointers: all of them come from one schema. */
    while (f < end && (f->column != column || strncmp(f->what, what, sizeof f->what - 1) != 0))
        f++;
    if (f == end) {
        if (findings->count == DATA_FINDINGS_MAX) {
            findings->others++;
            return;
        }
        findings->count++;
        *f = (struct data_finding){.column = column};
        (void)snprintf(f->what, sizeof f->what, "%s", what);
    }
    if (f->rows < DATA_FINDING_ROWS)
        f->first[f->rows] = row;
    f->rows++;
}

static void put_finding(struct base_buf *out, const struct data_finding *f)
{
    base_buf_putf(out, "row%s ", f->rows > 1 ? "s" : "");
    for (uint64_t i = 0; i < f->rows && i < DATA_FINDING_ROWS; i++)
        base_buf_putf(out, "%s%lld",
                      i == 0             ? ""
                      : i + 1 == f->rows ? " and "
                                         : ", ",
                      (long long)f->first[i]);
    if (f->rows > DATA_FINDING_ROWS)
        base_buf_putf(out, " and %llu more", (unsigned long long)(f->rows - DATA_FINDING_ROWS));
    if (f->column != NULL)
        base_buf_putf(out, ", column %s", f->column);
    base_buf_putf(out, ": %s", f->what);
}

fm_status data_findings_status(const struct data_findings *findings, const char *path,
                               const char *table, struct base_err *err)
{
    /* Callers put words before it, and "and N other kinds" wants its place. */
    const size_t room = BASE_ERR_TEXT - 128;
    struct base_buf text = {0}, one = {0};
    size_t shown = 0, left;
    fm_status st;

    if (findings->count == 0)
        return FM_OK;
    base_buf_putf(&text, "%s: %s, ", path, table);
    for (; shown < findings->count; shown++) {
        base_buf_clear(&one);
        put_finding(&one, &findings->items[shown]);
        if (shown > 0 && text.len + one.len > room)
            break;
        base_buf_putf(&text, "%s%s", shown > 0 ? "; " : "", base_buf_cstr(&one));
    }
    left = findings->count - shown;
    if (findings->others > 0)
        base_buf_put_str(&text, "; and many other kinds of fault");
    else if (left > 0)
        base_buf_putf(&text, "; and %zu other kind%s of fault", left, left > 1 ? "s" : "");
    st = base_buf_status(&text, "check", err);
    if (st == FM_OK)
        st = base_err_set(err, FM_E_INPUT, "%s", base_buf_cstr(&text));
    base_buf_release(&one);
    base_buf_release(&text);
    return st;
}
