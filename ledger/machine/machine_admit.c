#include "ledger/machine/machine_admit.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* ---- in parallel ---- */

struct work {
    struct ledger_prepared *prepared;
    size_t first, step, n;
    size_t max_len;
    uint32_t rules_version;
    void (*run)(const struct work *work, struct ledger_prepared *p);
};

static void *work_through(void *ctx)
{
    const struct work *work = ctx;
    size_t i;

    for (i = work->first; i < work->n; i += work->step)
        work->run(work, &work->prepared[i]);
    return NULL;
}

/* Runs work->run on every item, by up to `threads` threads. A thread that cannot be started leaves
 * its share to this one. */
static void work_in_parallel(const struct work *all, unsigned threads)
{
    enum { MAX_THREADS = 16, LEAST_SHARE = 8 };
    struct work share[MAX_THREADS];
    pthread_t thread[MAX_THREADS];
    bool started[MAX_THREADS] = {false};
    unsigned t;

    if (threads > all->n / LEAST_SHARE)
        threads = (unsigned)(all->n / LEAST_SHARE);
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    if (threads == 0)
        threads = 1;
    for (t = 0; t < threads; t++) {
        share[t] = *all;
        share[t].first = t;
        share[t].step = threads;
        if (t > 0)
            started[t] = pthread_create(&thread[t], NULL, work_through, &share[t]) == 0;
    }
    for (t = 0; t < threads; t++)
        if (!started[t])
            (void)work_through(&share[t]);
    for (t = 1; t < threads; t++)
        if (started[t])
            (void)pthread_join(thread[t], NULL);
}

static void drop(struct ledger_prepared *p, enum ledger_rule rule, const char *detail)
{
    p->drop = rule;
    ledger_detail_set(p->detail, detail);
}

static void parse_one(const struct work *work, struct ledger_prepared *p)
{
    fm_status st;

    if (p->tx.json != NULL)
        return; /* remembered */
    st = ledger_tx_parse(&p->tx, p->bytes.p, p->bytes.len, work->max_len, &p->err);
    if (st == FM_E_LIMIT)
        drop(p, LEDGER_DROP_SIZE, p->err.text);
    else if (st == FM_E_INPUT)
        drop(p, LEDGER_DROP_MALFORMED, p->err.text);
    else if (st != FM_OK)
        p->world = st;
}

static void authenticate_one(const struct work *work, struct ledger_prepared *p)
{
    struct ledger_tx_auth auth;
    fm_status st;

    if (p->world != FM_OK || p->drop != LEDGER_RULE_OK || p->doc == NULL || p->verdict_known)
        return;
    st = ledger_tx_authenticate(&auth, &p->tx, p->doc, work->rules_version, &p->err);
    if (st != FM_OK && st != FM_E_AUTH && st != FM_E_INPUT) {
        p->world = st;
        return;
    }
    p->verdict_known = true;
    p->authentic = st == FM_OK;
    p->auth_rule = st == FM_OK ? auth.rule : LEDGER_RULE_OK;
}

/* ---- parsed before ---- */

/* The first slot of a hash's set, of `slots` in all. */
static size_t set_of(const uint8_t hash[32], size_t slots)
{
    return ((size_t)hash[0] << 8 | hash[1]) % (slots / LEDGER_WAYS) * LEDGER_WAYS;
}

static void recall_parsed(struct ledger_machine *machine, struct ledger_prepared *p,
                          enum ledger_parsed_use use, size_t max_len)
{
    struct ledger_parsed_slot *set;

    base_hash(p->bytes_hash, p->bytes.p, p->bytes.len);
    set = &machine->parsed[set_of(p->bytes_hash, LEDGER_PARSED)];
    for (size_t i = 0; i < LEDGER_WAYS && p->bytes.len <= max_len; i++) {
        if (set[i].tx.json == NULL || memcmp(set[i].hash, p->bytes_hash, sizeof set[i].hash) != 0)
            continue;
        p->tx = set[i].tx;
        if (use == LEDGER_PARSED_TAKE)
            set[i].tx = (struct ledger_tx){0};
        else
            (void)json_incref(p->tx.json);
        p->was_parsed = true;
        return;
    }
}

static void remember_parsed(struct ledger_machine *machine, const struct ledger_prepared *p)
{
    struct ledger_parsed_slot *set = &machine->parsed[set_of(p->bytes_hash, LEDGER_PARSED)];

    if (p->was_parsed || p->tx.json == NULL || p->bytes.len > LEDGER_PARSED_BYTES)
        return;
    ledger_tx_release(&set[LEDGER_WAYS - 1].tx);
    memmove(set + 1, set, (LEDGER_WAYS - 1) * sizeof *set);
    set->tx = p->tx;
    (void)json_incref(set->tx.json);
    memcpy(set->hash, p->bytes_hash, sizeof set->hash);
}

/* ---- verdicts ---- */

static void make_key(struct ledger_prepared *p, uint32_t rules_version)
{
    struct base_hash h;
    uint8_t version[8];

    base_store_u64(version, rules_version);
    base_hash_init(&h);
    base_hash_update(&h, p->bytes_hash, sizeof p->bytes_hash);
    base_hash_update(&h, did_document_hash32(p->doc), 32);
    base_hash_update(&h, version, sizeof version);
    base_hash_final(&h, p->key);
}

static void recall(struct ledger_machine *machine, struct ledger_prepared *p)
{
    const struct ledger_verdict_slot *set = &machine->verdicts[set_of(p->key, LEDGER_VERDICTS)];

    p->verdict_known = p->verdict_remembered = false;
    for (size_t i = 0; i < LEDGER_WAYS && !p->verdict_known; i++) {
        if (!set[i].used || memcmp(set[i].key, p->key, sizeof set[i].key) != 0)
            continue;
        p->verdict_known = p->verdict_remembered = true;
        p->authentic = set[i].authentic;
        p->auth_rule = set[i].rule;
    }
}

static void remember(struct ledger_machine *machine, struct ledger_prepared *p)
{
    struct ledger_verdict_slot *set = &machine->verdicts[set_of(p->key, LEDGER_VERDICTS)];

    if (!p->verdict_known || p->verdict_remembered)
        return;
    memmove(set + 1, set, (LEDGER_WAYS - 1) * sizeof *set);
    memcpy(set->key, p->key, sizeof set->key);
    set->used = true;
    set->authentic = p->authentic;
    set->rule = p->auth_rule;
    p->verdict_remembered = true;
}

/* ---- the checks ---- */

static void fill_context(struct ledger_machine *machine, struct ledger_context *c,
                         const struct ledger_prepared *p)
{
    c->view = &machine->view;
    c->documents = &machine->documents;
    c->chain = machine->chain;
    c->chain_text = machine->chain_text;
    c->tx = &p->tx;
    c->body = p->tx.body;
    c->did = p->tx.sender;
    base_hex(c->id, p->tx.id, sizeof p->tx.id);
    c->rule = LEDGER_RULE_OK;
    c->detail[0] = '\0';
}

/* Everything about a parsed transaction but its proofs. */
static fm_status check_envelope(struct ledger_context *c, struct ledger_prepared *p,
                                struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    const struct ledger_state_source *source = c->view->source;
    bool seen;
    fm_status st = FM_OK;

    if (ledger_tx_since(&p->tx) > c->rules_version) {
        (void)snprintf(p->detail, sizeof p->detail,
                       "%s begins with rules version %lu, the ledger "
                       "follows %lu",
                       ledger_tx_type_name(p->tx.type), (unsigned long)ledger_tx_since(&p->tx),
                       (unsigned long)c->rules_version);
        p->drop = LEDGER_DROP_MALFORMED;
        return FM_OK;
    }
    if (memcmp(p->tx.chain, c->chain, 32) != 0) {
        drop(p, LEDGER_DROP_CHAIN, "it is for another ledger");
        return FM_OK;
    }
    if (p->tx.not_after < c->time_ms) {
        drop(p, LEDGER_DROP_EXPIRED, "its not_after is before the block's time");
        return FM_OK;
    }
    if (p->tx.not_after - c->time_ms > ledger_limit(c, "not_after_ms")) {
        drop(p, LEDGER_DROP_TOO_FAR, "its not_after is too far after the block's time");
        return FM_OK;
    }
    (void)ledger_key(key, "seen", c->id);
    seen = ledger_view_changed(c->view, key) != NULL;
    if (!seen && !p->unseen)
        st = source->seen(source->ctx, &seen, p->tx.id, p->tx.not_after, err);
    /* Asked twice, and the source does not change in between: an id costs it a search. */
    p->unseen = st == FM_OK && !seen;
    if (seen)
        drop(p, LEDGER_DROP_REPEATED, "its id is in the log already");
    return st;
}

/* The sender, as a member. */
static fm_status find_sender(struct ledger_context *c, struct ledger_prepared *p,
                             const struct did_document **document, struct base_err *err)
{
    fm_status st = FM_OK;

    *document = NULL;
    if (strlen(c->did) < DID_FIRMIANA_TEXT)
        st = ledger_document_get(c, document, c->did, err);
    if (st != FM_OK)
        return st;
    if (*document == NULL) {
        drop(p, LEDGER_DROP_SENDER, "its sender is no member");
        return FM_OK;
    }
    c->document = *document;
    c->alias = did_document_alias(*document);
    st = ledger_member_get(c, &c->member, c->alias, err);
    if (st == FM_OK && (c->member == NULL || !ledger_text_is(c->member, "did", c->did)))
        st = base_err_set(err, FM_E_CORRUPT, "the state has a document of %s but no such member",
                          c->alias);
    return st;
}

/* Between parsing and signatures, in order: what spares the signatures, and whose they must be. */
static fm_status look_ahead(struct ledger_machine *machine, struct ledger_prepared *p,
                            struct ledger_context *c, struct base_err *err)
{
    fm_status st;

    if (p->world != FM_OK) {
        *err = p->err;
        return p->world;
    }
    if (p->drop != LEDGER_RULE_OK)
        return FM_OK;
    fill_context(machine, c, p);
    st = check_envelope(c, p, err);
    if (st == FM_OK && p->drop == LEDGER_RULE_OK)
        st = find_sender(c, p, &p->doc, err);
    /* All of these are looked at again when its turn comes: none is final here. */
    if (p->drop != LEDGER_RULE_OK || p->doc == NULL) {
        p->drop = LEDGER_RULE_OK;
        p->doc = NULL;
        return st;
    }
    make_key(p, c->rules_version);
    recall(machine, p);
    return st;
}

fm_status ledger_prepare(struct ledger_machine *machine, struct ledger_prepared *prepared,
                         enum ledger_parsed_use use, const struct ledger_bytes *txs, size_t n,
                         const json_t *param, int64_t time_ms, struct base_err *err)
{
    struct ledger_context c = {.time_ms = time_ms,
                               .limits = json_object_get(param, "limits"),
                               .rules_version = (uint32_t)ledger_int(param, "rules_version")};
    struct work work = {.prepared = prepared,
                        .n = n,
                        .max_len = (size_t)ledger_limit(&c, "tx_bytes"),
                        .rules_version = c.rules_version,
                        .run = parse_one};
    size_t i;
    fm_status st = FM_OK;

    assert(n <= LEDGER_BATCH);
    memset(prepared, 0, n * sizeof *prepared);
    for (i = 0; i < n; i++) {
        prepared[i].bytes = txs[i];
        recall_parsed(machine, &prepared[i], use, work.max_len);
    }
    work_in_parallel(&work, machine->threads);
    for (i = 0; use == LEDGER_PARSED_KEEP && i < n; i++)
        remember_parsed(machine, &prepared[i]);
    for (i = 0; st == FM_OK && i < n; i++)
        st = look_ahead(machine, &prepared[i], &c, err);
    if (st != FM_OK)
        return st;
    work.run = authenticate_one;
    work_in_parallel(&work, machine->threads);
    for (i = 0; i < n; i++) {
        if (prepared[i].world != FM_OK) {
            *err = prepared[i].err;
            return prepared[i].world;
        }
        if (prepared[i].doc != NULL)
            remember(machine, &prepared[i]);
    }
    return FM_OK;
}

struct ledger_prepared *ledger_prepared_new(size_t count)
{
    return calloc(count < LEDGER_BATCH ? count + 1 : LEDGER_BATCH, sizeof(struct ledger_prepared));
}

void ledger_prepared_release(struct ledger_prepared *prepared, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        ledger_tx_release(&prepared[i].tx);
}

/* ---- the decision ---- */

/* The verdict under the sender's document of now, which may not be the one of look_ahead(). */
static fm_status check_proofs(struct ledger_machine *machine, struct ledger_context *c,
                              struct ledger_prepared *p, struct base_err *err)
{
    uint8_t before[32];
    struct work work = {.rules_version = c->rules_version};

    memcpy(before, p->key, sizeof before);
    p->doc = c->document;
    make_key(p, c->rules_version);
    if (!p->verdict_known || memcmp(before, p->key, sizeof before) != 0) {
        recall(machine, p);
        authenticate_one(&work, p);
        if (p->world != FM_OK) {
            *err = p->err;
            return p->world;
        }
        remember(machine, p);
    }
    if (!p->authentic)
        drop(p, LEDGER_DROP_PROOF, "a proof does not verify under the sender's current document");
    return FM_OK;
}

fm_status ledger_admit(struct ledger_machine *machine, struct ledger_context *c,
                       struct ledger_prepared *p, struct base_err *err)
{
    fm_status st;

    if (p->drop != LEDGER_RULE_OK)
        return FM_OK;
    fill_context(machine, c, p);
    st = check_envelope(c, p, err);
    if (st == FM_OK && p->drop == LEDGER_RULE_OK)
        st = find_sender(c, p, &c->document, err);
    if (st == FM_OK && p->drop == LEDGER_RULE_OK)
        st = check_proofs(machine, c, p, err);
    return st;
}

fm_status ledger_remember_id(struct ledger_context *c, struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];

    return ledger_view_put(c->view, ledger_key(key, "seen", c->id),
                           json_pack("{s:I}", "not_after", (json_int_t)c->tx->not_after), err);
}
