/* The text key, and everything that is put in before the program runs. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "exchange/run/run_internal.h"

/* ---- the text key ---- */

static bool is_provider(const struct sql_run *run, unsigned party)
{
    for (size_t i = 0; i < run->p->plan->source_count; i++) {
        if (run->c->sources[i] == party)
            return true;
    }
    return false;
}

static bool needs_key(const struct sql_run *run)
{
    for (size_t i = 0; i < run->p->step_count; i++) {
        if (run->p->steps[i].width == 128 && run->p->steps[i].domain == SQL_BITS &&
            run->p->steps[i].op <= SQL_STEP_TEXT_PARAM)
            return true;
    }
    return false;
}

/* The first provider draws it; the others get it once each, however many sources are theirs. */
static fm_status exchange_key(uint8_t key32[32], const struct sql_run_config *c,
                              const struct sql_run *run, struct base_err *err)
{
    unsigned self = mpc_session_self(c->session), first = c->sources[0];
    fm_status st;

    if (self != first)
        return net_recv(c->transport, c->stream, first, key32, 32, err);
    st = base_random_fill(c->random, key32, 32, err);
    for (unsigned p = 0; st == FM_OK && p < mpc_session_parties(c->session); p++) {
        if (p != first && is_provider(run, p))
            st = net_send(c->transport, c->stream, p, key32, 32, err);
    }
    return st;
}

static fm_status share_key(struct sql_run *run, struct base_err *err)
{
    uint8_t key32[32] = {0};
    fm_status st;

    if (!is_provider(run, mpc_session_self(run->c->session)))
        return FM_OK;
    st = exchange_key(key32, run->c, run, err);
    if (st == FM_OK)
        st = sql_hasher_open(&run->hasher, key32, err);
    base_wipe(key32, sizeof key32);
    return st == FM_OK ? st : base_err_prefix(err, "text key");
}

/* ---- inputs of one element ---- */

static unsigned single_owner(const struct sql_run *run, const struct sql_step *s)
{
    bool hidden = s->op != SQL_STEP_TEXT_CONST && run->p->plan->params[s->index].hidden;

    return hidden ? run->c->asker : run->c->sources[0];
}

static fm_status check_single(const struct sql_run *run, const struct sql_step *s,
                              struct base_err *err)
{
    if (s->op == SQL_STEP_TEXT_PARAM && !is_provider(run, single_owner(run, s)))
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "hidden parameter $%zu is a TEXT: only an asker that is a provider can "
                            "put it in; declare it public, or ask from a provider",
                            s->index + 1);
    return FM_OK;
}

/* One element's value, or its planes: 128 words for a text, 1 for a truth value. */
struct single {
    int64_t value;
    uint64_t planes[128];
};

static fm_status fill_single(struct single *out, struct sql_run *run, const struct sql_step *s,
                             struct base_err *err)
{
    const struct sql_value *params = run->c->params;
    const char *text = s->op == SQL_STEP_TEXT_CONST ? s->text : NULL;
    uint8_t hash[16];
    fm_status st;

    if (s->op == SQL_STEP_HIDDEN_PARAM) {
        out->value = params[s->index].value;
        out->planes[0] = params[s->index].value != 0;
        return FM_OK;
    }
    if (text == NULL)
        text = params[s->index].text;
    st = sql_hasher_text(hash, &run->hasher, text, strlen(text), err);
    mpc_pack_bytes(out->planes, hash, 1, 128);
    base_wipe(hash, sizeof hash);
    return st;
}

/* ---- one list of all inputs ---- */

/* Which source's part of which input step an item is. */
struct placed {
    size_t source;
    size_t step;
};

struct inputs {
    size_t
        placed_count; /* items of sources: source after source, its table's steps; then singles */
    struct placed *placed;
    size_t *steps; /* of each source in turn: its table's */
    size_t *first; /* of source s: where its items begin; [sources]: their number */
    size_t single_count;
    size_t *singles;
    struct single *single_values;
    struct sql_loaded *loaded; /* one for each source; empty where not ours */
    size_t item_count;
    struct mpc_input *items;
    struct mpc_share **shares;
};

static void release_inputs(struct inputs *in, const struct sql_run *run)
{
    for (size_t i = 0; in->loaded != NULL && i < run->p->plan->source_count; i++)
        sql_run_unload(&in->loaded[i]);
    if (in->shares != NULL)
        mpc_share_free_all(in->shares, in->item_count);
    if (in->single_values != NULL)
        base_wipe(in->single_values, in->single_count * sizeof *in->single_values);
    free(in->placed);
    free(in->steps);
    free(in->first);
    free(in->singles);
    free(in->single_values);
    free(in->loaded);
    free(in->items);
    free(in->shares);
}

static bool puts_in(const struct sql_run *run, size_t source, size_t step)
{
    const struct sql_step *s = &run->p->steps[step];
    const struct sql_plan *plan = run->p->plan;

    return sql_step_is_source_input(s) &&
           (plan->simple || plan->sources[source].table == sql_step_table(plan, s));
}

static fm_status list_steps(struct inputs *in, const struct sql_run *run, struct base_err *err)
{
    const struct sql_physical *p = run->p;
    fm_status st = FM_OK;

    for (size_t s = 0; s < p->plan->source_count; s++) {
        in->first[s] = in->placed_count;
        for (size_t i = 0; i < p->step_count; i++) {
            if (!puts_in(run, s, i))
                continue;
            in->steps[in->placed_count] = i;
            in->placed[in->placed_count++] = (struct placed){s, i};
        }
    }
    in->first[p->plan->source_count] = in->placed_count;
    for (size_t i = 0; st == FM_OK && i < p->step_count; i++) {
        const struct sql_step *s = &p->steps[i];
        if (s->op < SQL_STEP_TEXT_CONST || s->op > SQL_STEP_HIDDEN_PARAM)
            continue;
        in->singles[in->single_count++] = i;
        st = check_single(run, s, err);
    }
    return st;
}

static fm_status allocate_inputs(struct inputs *in, const struct sql_run *run, struct base_err *err)
{
    const struct sql_physical *p = run->p;
    size_t sources = p->plan->source_count, most = 0;
    fm_status st;

    for (size_t s = 0; s < sources; s++)
        for (size_t i = 0; i < p->step_count; i++)
            most += puts_in(run, s, i);
    in->placed = calloc(most + 1, sizeof *in->placed);
    in->steps = calloc(most + 1, sizeof *in->steps);
    in->first = calloc(sources + 1, sizeof *in->first);
    in->singles = calloc(p->step_count, sizeof *in->singles);
    in->loaded = calloc(sources, sizeof *in->loaded);
    if (in->placed == NULL || in->steps == NULL || in->first == NULL || in->singles == NULL ||
        in->loaded == NULL)
        return base_err_memory(err, "query input");
    st = list_steps(in, run, err);
    in->item_count = in->placed_count + in->single_count;
    in->single_values = calloc(in->single_count + 1, sizeof *in->single_values);
    in->items = calloc(in->item_count + 1, sizeof *in->items);
    in->shares = calloc(in->item_count + 1, sizeof(struct mpc_share *));
    if (in->single_values == NULL || in->items == NULL || in->shares == NULL)
        return base_err_memory(err, "query input");
    return st;
}

static struct mpc_input item_of(const struct sql_step *s, unsigned owner, size_t n)
{
    struct mpc_input item = {.owner = owner, .n = n};

    if (s->domain == SQL_RING) {
        item.domain = MPC_RING64;
        item.range = (struct mpc_range){(int64_t)s->range.lo, (int64_t)s->range.hi};
    } else {
        item.domain = MPC_BITS;
        item.width = s->width;
    }
    return item;
}

static fm_status list_items(struct inputs *in, struct sql_run *run, struct base_err *err)
{
    const struct sql_physical *p = run->p;
    unsigned self = mpc_session_self(run->c->session);
    struct mpc_input *item = in->items;
    fm_status st = FM_OK;

    for (size_t s = 0; st == FM_OK && s < p->plan->source_count; s++) {
        bool mine = run->c->sources[s] == self;
        size_t from = in->first[s], count = in->first[s + 1] - from;
        if (mine && count > 0) /* else its rows are looked up in by others of its owner's */
            st = sql_run_load(&in->loaded[s], run, s, in->steps + from, count, err);
        for (size_t i = 0; st == FM_OK && i < count; i++, item++) {
            const struct sql_step *step = &p->steps[in->steps[from + i]];
            *item = item_of(step, run->c->sources[s], (size_t)p->plan->sources[s].rows);
            if (mine && item->domain == MPC_RING64)
                item->values = in->loaded[s].arrays[i];
            else if (mine)
                item->planes = in->loaded[s].arrays[i];
        }
    }
    for (size_t i = 0; st == FM_OK && i < in->single_count; i++, item++) {
        const struct sql_step *step = &p->steps[in->singles[i]];
        *item = item_of(step, single_owner(run, step), 1);
        if (item->owner != self)
            continue;
        st = fill_single(&in->single_values[i], run, step, err);
        if (item->domain == MPC_RING64)
            item->values = &in->single_values[i].value;
        else
            item->planes = in->single_values[i].planes;
    }
    return st;
}

static fm_status put_in(struct inputs *in, const struct sql_run *run, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t from = 0; st == FM_OK && from < in->item_count; from += MPC_MAX_LIST) {
        size_t n = in->item_count - from < MPC_MAX_LIST ? in->item_count - from : MPC_MAX_LIST;
        st = mpc_input(run->c->session, in->shares + from, in->items + from, n, err);
    }
    return st;
}

static fm_status show_inputs(const struct inputs *in, const struct sql_run *run,
                             struct base_err *err)
{
    const struct sql_run_hooks *h = &run->c->hooks;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && h->input_shared != NULL && i < in->placed_count; i++)
        st = h->input_shared(h->ctx, in->placed[i].source, in->placed[i].step, in->shares[i], err);
    return st;
}

/* The sources' parts of each step, one after another. */
static fm_status join_parts(struct inputs *in, struct sql_run *run, struct base_err *err)
{
    const struct mpc_share **parts = calloc(run->p->plan->source_count, sizeof(struct mpc_share *));
    size_t *of = calloc(run->p->plan->source_count, sizeof *of);
    fm_status st = parts != NULL && of != NULL ? FM_OK : base_err_memory(err, "query input");

    for (size_t i = 0; st == FM_OK && i < run->p->step_count; i++) {
        size_t count = 0;
        for (size_t k = 0; k < in->placed_count; k++) {
            if (in->placed[k].step != i)
                continue;
            of[count] = k;
            parts[count++] = in->shares[k];
        }
        if (count == 1) {
            run->regs[i].share = in->shares[of[0]];
            in->shares[of[0]] = NULL;
        } else if (count > 1) {
            st = mpc_concat(&run->regs[i].share, parts, count, err);
        }
        for (size_t k = 0; st == FM_OK && k < count; k++)
            mpc_share_free_all(&in->shares[of[k]], 1);
    }
    for (size_t i = 0; i < in->single_count; i++) {
        run->regs[in->singles[i]].share = in->shares[in->placed_count + i];
        in->shares[in->placed_count + i] = NULL;
    }
    free(parts);
    free(of);
    return st;
}

fm_status sql_run_inputs(struct sql_run *run, struct base_err *err)
{
    struct inputs in = {0};
    fm_status st = allocate_inputs(&in, run, err);

    if (st == FM_OK && needs_key(run))
        st = share_key(run, err);
    sql_run_announce(run, "rows");
    if (st == FM_OK)
        st = list_items(&in, run, err);
    sql_run_announce(run, "share");
    if (st == FM_OK)
        st = put_in(&in, run, err);
    if (st == FM_OK)
        st = show_inputs(&in, run, err);
    if (st == FM_OK)
        st = join_parts(&in, run, err);
    release_inputs(&in, run);
    sql_hasher_close(&run->hasher);
    return st == FM_OK ? st : base_err_prefix(err, "query input");
}
