/* Steps 3 and 4: sums of the providers' vectors are decrypted, guards before values. */
#include <stdlib.h>
#include <string.h>

#include "exchange/aggregate/run_own.h"

enum { PART_HEAD = 4096 }; /* a part's bytes beside its ciphertexts: less than that */

/* One decryption of some places of the vectors. */
struct opening {
    struct aggregate_run *r;
    uint8_t session32[32];
    size_t count;
    const size_t *at;
    struct mpc_pai_thr_session session;
    struct mpc_pai_thr_part parts[NET_MAX_PARTIES];
    unsigned part_count;
};

static void opening_release(struct opening *o)
{
    for (unsigned i = 0; i < o->part_count; i++)
        mpc_pai_thr_part_release(&o->parts[i]);
    mpc_pai_thr_session_release(&o->session);
}

/* What was committed in this session, added up here and by nobody else. */
static fm_status add_up(struct opening *o, size_t source, struct base_err *err)
{
    const struct mpc_pai_cipher *from = &o->r->vectors[source];
    struct mpc_pai_cipher some;
    fm_status st = mpc_pai_cipher_init(&some, from->key, o->count, err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < o->count; i++)
        mpc_pai_cipher_move(&some, i, from, o->at[i]);
    st = mpc_pai_thr_session_add(&o->session, &some, err);
    mpc_pai_cipher_release(&some);
    return st;
}

static fm_status opening_init(struct opening *o, struct aggregate_run *r, const char *label,
                              const size_t *at, size_t count, struct base_err *err)
{
    fm_status st;

    *o = (struct opening){.r = r, .count = count, .at = at};
    aggregate_hash(o->session32, r, label, NULL, 0);
    st = mpc_pai_thr_session_init(&o->session, r->c->key, count, r->c->minimum, err);
    if (st != FM_OK)
        return st;
    for (size_t i = 0; st == FM_OK && i < r->source_count; i++)
        st = add_up(o, i, err);
    if (st != FM_OK)
        opening_release(o);
    return st;
}

/* Own part, as bytes, and among those to be combined. */
static fm_status own_part(struct opening *o, struct base_buf *out, struct base_err *err)
{
    const struct aggregate_config *c = o->r->c;
    struct mpc_pai_bond bond = {.party = c->key_party[c->transport->self]};
    struct mpc_pai_thr_part *part = &o->parts[o->part_count];
    fm_status st = c->may_open != NULL ? c->may_open(c->ctx, err) : FM_OK;

    memcpy(bond.session32, o->session32, sizeof bond.session32);
    if (st == FM_OK)
        st = mpc_pai_thr_session_part(part, &o->session, c->share, &bond, c->random, err);
    if (st != FM_OK)
        return st;
    o->part_count++;
    return mpc_pai_thr_part_put(out, part, err);
}

/* A part that cannot be read is as wrong as one that does not verify: the others may suffice. */
static fm_status take_part(struct opening *o, unsigned from, const struct base_buf *in,
                           struct base_err *err)
{
    struct aggregate_run *r = o->r;
    struct mpc_pai_thr_part *part = &o->parts[o->part_count];
    fm_status st = mpc_pai_thr_part_get(part, r->c->key, o->count, in->p, in->len, err);

    if (st == FM_OK && (part->party != r->c->key_party[from] || part->c.v.n != o->count)) {
        mpc_pai_thr_part_release(part);
        st = FM_E_INPUT;
    }
    if (st == FM_E_INPUT) {
        r->wrong |= 1u << from;
        return FM_OK;
    }
    o->part_count += st == FM_OK;
    return st;
}

static void note_wrong(struct aggregate_run *r, uint32_t by_key)
{
    for (unsigned i = 0; i < r->c->decryptors; i++)
        if ((by_key >> (r->c->key_party[i] - 1) & 1) != 0)
            r->wrong |= 1u << i;
}

static fm_status too_few(const struct aggregate_run *r, struct base_err *err)
{
    struct base_buf names = {0};

    for (unsigned i = 0; i < r->c->decryptors; i++)
        if ((r->wrong >> i & 1) != 0)
            base_buf_putf(&names, "%s%s", names.len > 0 ? ", " : "", r->c->transport->names[i]);
    (void)base_err_set(err, FM_E_PEER,
                       "the decryption shares of %s do not verify, and too few others are left",
                       base_buf_cstr(&names));
    base_buf_release(&names);
    return err->code;
}

/* Sums into r->numbers. */
static fm_status combine(struct opening *o, struct base_err *err)
{
    struct aggregate_run *r = o->r;
    struct mpc_pai_plain m;
    uint32_t wrong = 0;
    fm_status st = mpc_pai_plain_init(&m, o->session.sum.key, o->count, err);

    if (st != FM_OK)
        return st;
    st = mpc_pai_thr_combine(&m, &wrong, r->c->key, o->parts, o->part_count, &o->session.sum,
                             o->session32, err);
    note_wrong(r, wrong);
    if (st == FM_E_PEER || (st == FM_E_NOT_FOUND && r->wrong != 0))
        st = too_few(r, err);
    for (size_t i = 0; st == FM_OK && i < o->count; i++)
        st = aggregate_pack_read(r->numbers, &r->pack, &m, i, o->at[i], r->source_count, err);
    mpc_pai_plain_release(&m);
    return st;
}

/* ---- guards ---- */

static fm_status exchange_guard_parts(struct opening *o, struct base_err *err)
{
    struct aggregate_run *r = o->r;
    unsigned self = r->c->transport->self;
    size_t most = PART_HEAD + o->count * (mpc_pai_modulus_bits(o->session.sum.key) / 4);
    struct base_buf bytes = {0};
    fm_status st = own_part(o, &bytes, err);

    for (unsigned to = 0; st == FM_OK && to < r->c->decryptors; to++)
        if (to != self && aggregate_judges(r, to))
            st = aggregate_send(r, to, &bytes, err);
    for (unsigned from = 0; st == FM_OK && from < r->c->decryptors; from++) {
        if (from == self || !aggregate_judges(r, self))
            continue;
        st = aggregate_recv(r, from, &bytes, most, err);
        if (st == FM_OK)
            st = take_part(o, from, &bytes, err);
    }
    base_buf_release(&bytes);
    return st;
}

static fm_status judge(struct aggregate_run *r, struct base_err *err)
{
    const struct aggregate_shape *s = r->shape;

    for (size_t i = 0; i < aggregate_guards(s); i++) {
        int64_t least = s->guards[i % s->guard_count].least;
        if (r->numbers[i] < 0 || r->numbers[i] > least * (int64_t)r->source_count)
            return base_err_set(err, FM_E_PEER,
                                "a count is beyond its range: a provider put in what it may not");
        r->reached[i] = r->numbers[i] >= least;
    }
    return FM_OK;
}

fm_status aggregate_open_guards(struct aggregate_run *r, struct base_err *err)
{
    size_t count = r->pack.guard_ciphers, *at;
    struct opening o;
    fm_status st = FM_OK;

    if (count == 0 || !r->decrypts)
        return FM_OK;
    at = calloc(count, sizeof *at);
    if (at == NULL)
        return base_err_memory(err, "aggregate");
    for (size_t i = 0; i < count; i++)
        at[i] = i;
    st = opening_init(&o, r, "firmiana/aggregate/guards/v1", at, count, err);
    if (st == FM_OK) {
        bool judges = aggregate_judges(r, r->c->transport->self);
        st = exchange_guard_parts(&o, err);
        if (st == FM_OK && judges)
            st = combine(&o, err);
        if (st == FM_OK && judges)
            st = judge(r, err);
        opening_release(&o);
    }
    free(at);
    return st;
}

/* ---- values ---- */

static bool guard_reached(const struct aggregate_run *r, size_t group, size_t guard)
{
    return guard == SQL_NONE || r->reached[group * r->shape->guard_count + guard];
}

static bool behind_reached(const struct aggregate_run *r, size_t group, size_t guard)
{
    const struct aggregate_shape *s = r->shape;

    return (s->key_count == 0 || guard_reached(r, group, s->group_guard)) &&
           guard_reached(r, group, guard);
}

bool aggregate_is_open(const struct aggregate_run *r, size_t group, size_t item)
{
    return behind_reached(r, group, r->shape->item_guards[item]);
}

static size_t open_places(const struct aggregate_run *r, size_t *at)
{
    size_t count = 0;

    for (size_t i = r->pack.guard_ciphers; i < r->pack.ciphers; i++)
        if (behind_reached(r, aggregate_pack_group(&r->pack, i),
                           aggregate_pack_class(&r->pack, i)->guard))
            at[count++] = i;
    return count;
}

/* Which guards were reached, as a byte each, from all who judged alike. */
static fm_status take_reached(struct aggregate_run *r, unsigned from, unsigned *first,
                              struct base_err *err)
{
    size_t count = aggregate_guards(r->shape);
    uint8_t said[AGGREGATE_MAX_VALUES];
    fm_status st;

    if (count == 0)
        return FM_OK;
    st = net_recv(r->c->transport, r->c->stream, from, said, count, err);
    for (size_t i = 0; st == FM_OK && i < count; i++) {
        if (*first == NET_MAX_PARTIES)
            r->reached[i] = said[i] != 0;
        if (said[i] > 1 || r->reached[i] != (said[i] != 0))
            st =
                base_err_set(err, FM_E_PEER, "%s and %s do not agree which groups are large enough",
                             r->c->transport->names[*first == NET_MAX_PARTIES ? from : *first],
                             r->c->transport->names[from]);
    }
    if (*first == NET_MAX_PARTIES)
        *first = from;
    return st;
}

static fm_status send_reached(struct aggregate_run *r, struct base_err *err)
{
    size_t count = aggregate_guards(r->shape);
    uint8_t said[AGGREGATE_MAX_VALUES];
    fm_status st = FM_OK;

    for (size_t i = 0; i < count; i++)
        said[i] = r->reached[i];
    for (unsigned to = 0; st == FM_OK && count > 0 && to < r->c->transport->parties; to++)
        if (to != r->c->transport->self && aggregate_receives(r, to))
            st = net_send(r->c->transport, r->c->stream, to, said, count, err);
    return st;
}

static void keep_part(struct aggregate_run *r, unsigned decryptor, const struct base_buf *bytes)
{
    aggregate_hash(r->record->part[decryptor], r, "firmiana/receipt/decryption/v1", bytes->p,
                   bytes->len);
    r->record->holds_part[decryptor] = true;
}

static fm_status exchange_value_parts(struct opening *o, struct base_err *err)
{
    struct aggregate_run *r = o->r;
    unsigned self = r->c->transport->self;
    size_t most = PART_HEAD + o->count * (mpc_pai_modulus_bits(o->session.sum.key) / 4);
    struct base_buf bytes = {0};
    fm_status st = FM_OK;

    if (r->decrypts) {
        st = own_part(o, &bytes, err);
        for (unsigned to = 0; st == FM_OK && to < r->c->transport->parties; to++)
            if (to != self && aggregate_receives(r, to))
                st = aggregate_send(r, to, &bytes, err);
        if (st == FM_OK)
            keep_part(r, self, &bytes);
    }
    for (unsigned from = 0; st == FM_OK && r->receives && from < r->c->decryptors; from++) {
        if (from == self)
            continue;
        st = aggregate_recv(r, from, &bytes, most, err);
        if (st == FM_OK)
            keep_part(r, from, &bytes);
        if (st == FM_OK)
            st = take_part(o, from, &bytes, err);
    }
    base_buf_release(&bytes);
    return st;
}

/* What the plan declares of each sum holds, or somebody put in what it may not. */
static fm_status check_totals(const struct aggregate_run *r, struct base_err *err)
{
    const struct aggregate_shape *s = r->shape;

    for (size_t i = 0; i < aggregate_values(s); i++) {
        const struct aggregate_value *v = &s->values[i % s->value_count];
        int64_t sum = r->numbers[aggregate_guards(s) + i];
        if (aggregate_is_open(r, i / s->value_count, v->item) &&
            (sum < v->total.lo || sum > v->total.hi))
            return base_err_set(err, FM_E_PEER,
                                "a sum is beyond its declared range: a provider put in more than "
                                "it declared");
    }
    return FM_OK;
}

static fm_status open_now(struct aggregate_run *r, const size_t *at, size_t count,
                          struct base_err *err)
{
    struct opening o;
    fm_status st = opening_init(&o, r, "firmiana/aggregate/values/v1", at, count, err);

    if (st == FM_OK) {
        st = exchange_value_parts(&o, err);
        if (st == FM_OK && r->receives)
            st = combine(&o, err);
        if (st == FM_OK && r->receives)
            st = check_totals(r, err);
        opening_release(&o);
    }
    return st;
}

fm_status aggregate_open_values(struct aggregate_run *r, struct base_err *err)
{
    size_t *at = calloc(r->pack.ciphers, sizeof *at), count;
    unsigned first = NET_MAX_PARTIES, self = r->c->transport->self;
    fm_status st = at != NULL ? FM_OK : base_err_memory(err, "aggregate");

    if (st == FM_OK && aggregate_judges(r, self)) {
        first = self;
        st = send_reached(r, err);
    }
    for (unsigned from = 0; st == FM_OK && r->receives && from < r->c->decryptors; from++)
        if (from != self && aggregate_judges(r, from))
            st = take_reached(r, from, &first, err);
    count = st == FM_OK && (r->decrypts || r->receives) ? open_places(r, at) : 0;
    if (count > 0)
        st = open_now(r, at, count, err);
    free(at);
    return st;
}
