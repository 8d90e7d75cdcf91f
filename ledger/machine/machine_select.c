/* Which transactions a block may hold: for those who propose one, and those who judge it. */
#include <stdlib.h>

#include "ledger/machine/machine.h"
#include "ledger/machine/machine_admit.h"

/* One selection on its way. */
struct selection {
    enum ledger_select_by by;
    size_t *chosen, n_chosen, n_seen;
    int64_t bytes;
    bool full; /* a candidate no longer fits */
};

/* Would the block keep it, after those that were chosen? What it changes is in the view then. */
static fm_status look_at(struct ledger_machine *machine, struct ledger_context *c,
                         struct ledger_prepared *p, const struct selection *s, bool *keeps,
                         struct base_err *err)
{
    struct ledger_outcome outcome;
    fm_status st;

    if (s->by == LEDGER_SELECT_EXECUTED) {
        st = ledger_machine_run_one(machine, c, p, &outcome, err);
        *keeps = outcome.verdict != LEDGER_DROPPED;
        return st;
    }
    st = ledger_admit(machine, c, p, err);
    *keeps = p->drop == LEDGER_RULE_OK;
    if (st == FM_OK && *keeps)
        st = ledger_remember_id(c, err); /* not twice in one block */
    return st == FM_OK ? ledger_view_keep(&machine->view, err) : st;
}

static fm_status select_batch(struct ledger_machine *machine, struct ledger_context *c,
                              struct ledger_prepared *prepared, size_t n, size_t at,
                              struct selection *s, struct base_err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct ledger_prepared *p = &prepared[i];
        bool keeps = false;
        fm_status st;

        s->full = (int64_t)s->n_chosen == ledger_limit(c, "block_txs") ||
                  (p->drop == LEDGER_RULE_OK &&
                   s->bytes + (int64_t)p->bytes.len > ledger_limit(c, "block_bytes"));
        if (s->full)
            return FM_OK;
        st = look_at(machine, c, p, s, &keeps, err);
        if (st != FM_OK)
            return st;
        if (keeps) {
            s->chosen[s->n_chosen++] = at + i;
            s->bytes += (int64_t)p->bytes.len;
        }
        s->n_seen = at + i + 1;
    }
    return FM_OK;
}

fm_status ledger_machine_select(struct ledger_machine *machine, enum ledger_select_by by,
                                size_t *chosen, size_t *n_chosen, size_t *n_seen,
                                const struct ledger_bytes *txs, size_t count, uint64_t height,
                                int64_t time_ms, struct base_err *err)
{
    struct ledger_prepared *prepared = ledger_prepared_new(count);
    struct ledger_context c = {.height = height, .time_ms = time_ms};
    struct selection s = {.by = by, .chosen = chosen};
    json_t *param = NULL;
    size_t at, n;
    fm_status st;

    *n_chosen = *n_seen = 0;
    if (prepared == NULL)
        return base_err_memory(err, "ledger machine");
    st = ledger_param_get(machine, &param, height, err);
    if (st != FM_OK)
        goto done;
    c.limits = json_object_get(param, "limits");
    c.rules_version = (uint32_t)ledger_int(param, "rules_version");
    for (at = 0; st == FM_OK && !s.full && at < count; at += n) {
        n = count - at < LEDGER_BATCH ? count - at : LEDGER_BATCH;
        st =
            ledger_prepare(machine, prepared, LEDGER_PARSED_KEEP, txs + at, n, param, time_ms, err);
        if (st == FM_OK)
            st = select_batch(machine, &c, prepared, n, at, &s, err);
        ledger_prepared_release(prepared, n);
    }
    *n_chosen = s.n_chosen;
    *n_seen = s.n_seen;
done:
    ledger_view_reset(&machine->view);
    json_decref(param);
    free(prepared);
    return st;
}
