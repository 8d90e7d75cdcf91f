#include "exchange/run/reveal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/secret.h"

/* ---- veil ---- */

fm_status run_shuffle(struct run_relation *r, struct base_err *err)
{
    struct mpc_perm *perm = NULL;
    struct run_shares s;
    struct mpc_share **new = NULL;
    fm_status st = run_shares_get(&s, r, err);

    if (st != FM_OK)
        return st;
    new = calloc(s.count, sizeof(struct mpc_share *));
    st = new != NULL ? mpc_perm_random(r->session, &perm, r->rows, err)
                     : base_err_memory(err, "query");
    if (st == FM_OK)
        st = mpc_perm_apply(perm, MPC_FORWARD, new, (const struct mpc_share *const *)s.list,
                            s.count, err);
    if (st == FM_OK)
        run_shares_put(&s, new);
    else
        run_shares_release(&s);
    mpc_perm_free(perm);
    free(new);
    return st;
}

/* What a row shows, as a list: of column c its value or its words, under the mask of c. */
struct veil {
    size_t count;
    const struct mpc_share *x[RUN_MAX_COLUMNS];
    size_t column[RUN_MAX_COLUMNS];
    const struct mpc_share *mask[RUN_MAX_COLUMNS]; /* of column c: exists and is not NULL */
    struct mpc_share *ring[RUN_MAX_COLUMNS];       /* the same as 0 / 1, where asked for */
    struct mpc_share *z[RUN_MAX_COLUMNS];          /* of x[i], veiled: held by the work */
};

static void list_shown(struct run_work *w, struct veil *v, const struct run_relation *r)
{
    for (size_t c = 0; w->status == FM_OK && c < r->count; c++) {
        const struct run_column *column = &r->columns[c];

        if (column->word_count == 0 && mpc_share_domain(column->x) == MPC_BITS &&
            mpc_share_width(column->x) > 1)
            w->status = base_err_set(w->err, FM_E_ARG,
                                     "result column %zu is a text without its words", c + 1);
        for (size_t k = 0; w->status == FM_OK && (k == 0 || k < column->word_count); k++) {
            if (v->count == RUN_MAX_COLUMNS) {
                w->status = base_err_set(w->err, FM_E_LIMIT, "a result of more than %d words a row",
                                         (int)RUN_MAX_COLUMNS);
                return;
            }
            v->x[v->count] = column->word_count > 0 ? column->words[k] : column->x;
            v->column[v->count++] = c;
        }
    }
}

/* One AND for every column with NULLs, one bit2a for every mask of numbers: each in one round. */
static void make_masks(struct run_work *w, struct veil *v, const struct run_relation *r)
{
    const struct mpc_share *x[RUN_MAX_COLUMNS], *y[RUN_MAX_COLUMNS];
    struct mpc_share *z[RUN_MAX_COLUMNS] = {NULL};
    size_t of[RUN_MAX_COLUMNS], n = 0;
    bool wanted[RUN_MAX_COLUMNS] = {false};

    for (size_t c = 0; c < r->count; c++) {
        v->mask[c] = r->valid;
        if (r->columns[c].known == NULL)
            continue;
        x[n] = r->valid;
        y[n] = r->columns[c].known;
        of[n++] = c;
    }
    if (w->status == FM_OK && n > 0)
        w->status = mpc_and_list(z, x, y, n, w->err);
    for (size_t i = 0; w->status == FM_OK && i < n; i++)
        v->mask[of[i]] = run_hold(w, z[i]);
    for (size_t i = 0; w->status == FM_OK && i < v->count; i++)
        wanted[v->column[i]] = wanted[v->column[i]] || mpc_share_domain(v->x[i]) == MPC_RING64;
    n = 0;
    x[n++] = r->valid; /* for all columns without NULLs */
    for (size_t c = 0; c < r->count; c++)
        if (wanted[c] && v->mask[c] != r->valid) {
            of[n] = c;
            x[n++] = v->mask[c];
        }
    if (w->status == FM_OK)
        w->status = mpc_bit2a_list(z, x, n, w->err);
    for (size_t i = 0; w->status == FM_OK && i < n; i++) {
        struct mpc_share *ring = run_hold(w, z[i]);

        for (size_t c = 0; c < r->count; c++)
            if (i == 0 ? v->mask[c] == r->valid : c == of[i])
                v->ring[c] = ring;
    }
}

static void mask_values(struct run_work *w, struct veil *v, enum mpc_domain domain)
{
    const struct mpc_share *x[RUN_MAX_COLUMNS], *y[RUN_MAX_COLUMNS];
    struct mpc_share *z[RUN_MAX_COLUMNS] = {NULL};
    size_t of[RUN_MAX_COLUMNS], n = 0;

    for (size_t i = 0; w->status == FM_OK && i < v->count; i++) {
        if (mpc_share_domain(v->x[i]) != domain)
            continue;
        x[n] = domain == MPC_BITS ? v->mask[v->column[i]] : v->ring[v->column[i]];
        y[n] = v->x[i];
        of[n++] = i;
    }
    if (w->status != FM_OK || n == 0)
        return;
    w->status =
        domain == MPC_BITS ? mpc_and_list(z, x, y, n, w->err) : mpc_mul_list(z, x, y, n, w->err);
    for (size_t i = 0; w->status == FM_OK && i < n; i++)
        v->z[of[i]] = run_hold(w, z[i]);
}

/* A relation of its own, in which no two columns share anything. */
static void rebuild(struct run_work *w, struct run_relation *out, const struct run_relation *r,
                    const struct veil *v)
{
    struct mpc_share *valid;
    size_t at = 0;

    if (w->status != FM_OK)
        return;
    valid = run_take(w, run_slice(w, r->valid, 0, r->rows));
    if (valid == NULL)
        return;
    run_relation_init(out, valid);
    for (size_t c = 0; w->status == FM_OK && c < r->count; c++) {
        size_t words = r->columns[c].word_count;
        struct run_column column = {0};

        if (r->columns[c].known != NULL)
            column.known = run_take(w, run_slice(w, v->mask[c], 0, r->rows));
        if (r->columns[c].shown != NULL) /* of rows that do not exist it says 1 */
            column.shown =
                run_take(w, run_not(w, run_and(w, r->valid, run_not(w, r->columns[c].shown))));
        if (words == 0)
            column.x = run_take(w, v->z[at++]);
        else
            column.words = calloc(words, sizeof(struct mpc_share *));
        if (words > 0 && column.words == NULL)
            w->status = base_err_memory(w->err, "query");
        for (size_t k = 0; w->status == FM_OK && k < words; k++) {
            column.words[k] = run_take(w, v->z[at++]);
            column.word_count = k + 1;
        }
        if (w->status == FM_OK)
            w->status = run_relation_add(out, column, w->err);
        else
            free(column.words);
    }
}

fm_status run_veil(struct run_relation *r, enum run_reveal_order order, struct base_err *err)
{
    struct run_work w = run_work(r->session, err);
    struct veil *v = calloc(1, sizeof *v);
    struct run_relation out = {0};

    if (v == NULL)
        return base_err_memory(err, "query result");
    list_shown(&w, v, r);
    make_masks(&w, v, r);
    mask_values(&w, v, MPC_RING64);
    mask_values(&w, v, MPC_BITS);
    rebuild(&w, &out, r, v);
    free(v);
    if (w.status == FM_OK) {
        for (int f = 0; f < RUN_FLAGS; f++) {
            out.flag[f] = r->flag[f];
            r->flag[f] = NULL;
        }
        run_relation_release(r);
        *r = out;
        if (order == RUN_SHUFFLED && r->rows > 1)
            w.status = run_shuffle(r, err);
    } else {
        run_relation_release(&out);
    }
    return run_work_release(&w);
}

/* ---- opening ---- */

static size_t shown_of(const struct run_relation *r)
{
    size_t n = 1;

    for (size_t c = 0; c < r->count; c++)
        n += (size_t)(r->columns[c].known != NULL) + (size_t)(r->columns[c].shown != NULL) +
             (r->columns[c].word_count > 0 ? r->columns[c].word_count : 1);
    for (int f = 0; f < RUN_FLAGS; f++)
        n += r->flag[f] != NULL;
    return n;
}

struct opening {
    size_t count;
    const struct mpc_share **x;
    int64_t **out;
};

/* Adds a share; the words that it is opened into, or NULL. */
static int64_t *open_into(struct opening *o, const struct mpc_share *x)
{
    o->x[o->count] = x;
    return o->out[o->count++];
}

static fm_status allocate(struct opening *o, struct run_rows *out, const struct run_relation *r,
                          struct base_err *err)
{
    size_t n = shown_of(r);

    o->x = calloc(n, sizeof(struct mpc_share *));
    o->out = calloc(n, sizeof(int64_t *));
    *out = (struct run_rows){.rows = r->rows, .columns = r->count};
    out->word_counts = calloc(r->count + 1, sizeof(size_t));
    out->value = calloc(r->count + 1, sizeof(int64_t *));
    out->known = calloc(r->count + 1, sizeof(int64_t *));
    out->shown = calloc(r->count + 1, sizeof(int64_t *));
    out->word = calloc(r->count + 1, sizeof(int64_t **));
    if (o->x == NULL || o->out == NULL || out->word_counts == NULL || out->value == NULL ||
        out->known == NULL || out->shown == NULL || out->word == NULL)
        return base_err_memory(err, "query result");
    for (size_t c = 0; c < r->count; c++) {
        out->word_counts[c] = r->columns[c].word_count;
        out->word[c] = calloc(out->word_counts[c] + 1, sizeof(int64_t *));
        if (out->word[c] == NULL)
            return base_err_memory(err, "query result");
    }
    return FM_OK;
}

static fm_status list_openings(struct opening *o, struct run_rows *out,
                               const struct run_relation *r, int64_t flags[RUN_FLAGS],
                               struct base_err *err)
{
    size_t n = shown_of(r);

    for (size_t i = 0; i < n; i++) {
        o->out[i] = malloc((r->rows + 1) * sizeof(int64_t));
        if (o->out[i] == NULL) {
            for (size_t j = 0; j < i; j++)
                free(o->out[j]);
            return base_err_memory(err, "query result");
        }
    }
    out->valid = open_into(o, r->valid);
    for (size_t c = 0; c < r->count; c++) {
        const struct run_column *column = &r->columns[c];

        if (column->known != NULL)
            out->known[c] = open_into(o, column->known);
        if (column->shown != NULL)
            out->shown[c] = open_into(o, column->shown);
        if (column->word_count == 0)
            out->value[c] = open_into(o, column->x);
        for (size_t k = 0; k < column->word_count; k++)
            out->word[c][k] = open_into(o, column->words[k]);
    }
    for (int f = 0; f < RUN_FLAGS; f++)
        if (r->flag[f] != NULL) {
            free(o->out[o->count]);
            o->out[o->count] = &flags[f];
            (void)open_into(o, r->flag[f]);
        }
    assert(o->count == n);
    return FM_OK;
}

static fm_status open_all(const struct opening *o, const unsigned *recipients, size_t count,
                          bool mine, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t from = 0; st == FM_OK && from < o->count; from += MPC_MAX_LIST) {
        size_t n = o->count - from < MPC_MAX_LIST ? o->count - from : MPC_MAX_LIST;
        st = mpc_reveal(o->x + from, n, recipients, count, mine ? o->out + from : NULL, err);
    }
    return st;
}

fm_status run_reveal(struct run_rows *out, const struct run_relation *r, const unsigned *recipients,
                     size_t recipient_count, struct base_err *err)
{
    struct opening o = {0};
    int64_t flags[RUN_FLAGS] = {0};
    bool mine = false;
    fm_status st;

    for (size_t i = 0; i < recipient_count; i++)
        mine = mine || recipients[i] == mpc_session_self(r->session);
    st = allocate(&o, out, r, err);
    if (st == FM_OK)
        st = list_openings(&o, out, r, flags, err);
    if (st == FM_OK)
        st = open_all(&o, recipients, recipient_count, mine, err);
    for (int f = 0; f < RUN_FLAGS; f++)
        out->flag[f] = flags[f] != 0;
    if (st != FM_OK || !mine)
        run_rows_release(out);
    free(o.x);
    free(o.out);
    return st == FM_OK ? st : base_err_prefix(err, "query result");
}

static void wipe_free(int64_t *x, size_t rows)
{
    if (x != NULL)
        base_wipe(x, rows * sizeof *x);
    free(x);
}

void run_rows_release(struct run_rows *rows)
{
    for (size_t c = 0; c < rows->columns; c++) {
        if (rows->value != NULL)
            wipe_free(rows->value[c], rows->rows);
        if (rows->known != NULL)
            wipe_free(rows->known[c], rows->rows);
        if (rows->shown != NULL)
            wipe_free(rows->shown[c], rows->rows);
        if (rows->word == NULL || rows->word[c] == NULL)
            continue;
        for (size_t k = 0; k < rows->word_counts[c]; k++)
            wipe_free(rows->word[c][k], rows->rows);
        free(rows->word[c]);
    }
    free(rows->word_counts);
    free(rows->value);
    free(rows->known);
    free(rows->shown);
    free(rows->word);
    free(rows->valid);
    *rows = (struct run_rows){0};
}

void run_rows_text(char *out, const struct run_rows *rows, size_t column, size_t row)
{
    for (size_t k = 0; k < rows->word_counts[column]; k++) {
        uint64_t word = (uint64_t)rows->word[column][k][row];

        for (int i = 0; i < RUN_WORD_BYTES; i++)
            *out++ = (char)(word >> 8 * (RUN_WORD_BYTES - 1 - i));
    }
    *out = '\0';
}
