/* Finality: members' cosignatures over what they executed themselves, and proof of a fork
 * (format.md section 7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/store/chain_impl.h"

/* A checkpoint on its way in. */
struct offer {
    struct ledger_checkpoint checkpoint;
    char alias[LEDGER_COSIGNERS_MAX][DID_ALIAS_MAX + 1]; /* of each cosigner */
    bool agrees;                                         /* with our log */
    bool dropped;    /* it contradicts our log, but as what an epoch's change left behind */
    uint64_t height; /* of the block that its size ends, if it agrees */
};

/* ---- who signed ---- */

/* The value did/DID, with the document in it; FM_E_AUTH if there is none. */
static fm_status find_document(struct ledger_chain *chain, json_t **value,
                               struct did_document **doc, const char *did, struct base_err *err)
{
    char key[DID_FIRMIANA_TEXT + 8];
    fm_status st;

    *doc = NULL;
    (void)snprintf(key, sizeof key, "did/%s", did);
    st = ledger_store_value(chain->store, value, key, err);
    if (st == FM_OK && *value == NULL)
        return base_err_set(err, FM_E_AUTH, "%s is no member", did);
    if (st == FM_OK)
        st =
            did_document_parse(doc, json_object_get(*value, "document"), LEDGER_RULES_VERSION, err);
    return st;
}

/* Active at that height already, and since then: a verifier of a checkpoint there sees no later
 * coming or coming back. */
static fm_status check_active(struct ledger_chain *chain, const char *alias, uint64_t height,
                              struct base_err *err)
{
    char key[DID_ALIAS_MAX + 16];
    const char *status;
    json_t *value;
    fm_status st;

    (void)snprintf(key, sizeof key, "member/%s", alias);
    st = ledger_store_value(chain->store, &value, key, err);
    if (st != FM_OK)
        return st;
    status = json_string_value(json_object_get(value, "status"));
    if (status == NULL || strcmp(status, "active") != 0)
        st = base_err_set(err, FM_E_AUTH, "%s is no active member", alias);
    else if ((uint64_t)json_integer_value(json_object_get(value, "since")) > height)
        st = base_err_set(err, FM_E_AUTH, "%s was no active member at the checkpoint", alias);
    json_decref(value);
    return st;
}

/* Line i is by a member, under its current key, over this checkpoint. */
static fm_status check_line(struct ledger_chain *chain, struct offer *offer, size_t i,
                            struct base_err *err)
{
    const struct ledger_cosignature *line = &offer->checkpoint.cosigner[i];
    struct did_document *doc = NULL;
    json_t *value = NULL;
    fm_status st = find_document(chain, &value, &doc, line->name, err);

    if (st == FM_OK)
        st = ledger_cosignature_verify(line, &offer->checkpoint, doc,
                                       (uint32_t)chain->tip.rules_version, err);
    if (st == FM_OK) {
        (void)snprintf(offer->alias[i], sizeof offer->alias[i], "%s", did_document_alias(doc));
        /* Only what agrees counts towards finality; what contradicts us convicts whoever it is. A
         * verifier of this checkpoint knows the documents as they were at its size, and no later
         * ones: a newer key may not sign it. */
        if (offer->agrees)
            st = check_active(chain, offer->alias[i], offer->height, err);
        if (st == FM_OK && offer->agrees &&
            (uint64_t)json_integer_value(json_object_get(value, "height")) > offer->height)
            st = base_err_set(err, FM_E_AUTH, "the document of %s is newer than the checkpoint",
                              offer->alias[i]);
    }
    did_document_free(doc);
    json_decref(value);
    return st;
}

/* ---- finality ---- */

/* since (NULL: nobody asks): the block that the quorum was set in. */
static fm_status get_quorum(struct ledger_chain *chain, int64_t *quorum, uint64_t *since,
                            struct base_err *err)
{
    json_t *param;
    fm_status st = ledger_store_value(chain->store, &param, "param", err);

    *quorum = json_integer_value(json_object_get(param, "quorum"));
    if (since != NULL)
        *since = (uint64_t)json_integer_value(json_object_get(param, "quorum_since"));
    json_decref(param);
    return st;
}

struct tally {
    struct ledger_chain *chain;
    uint64_t height;
    size_t active;
};

static fm_status count_line(void *ctx, const char *alias, const char *line, struct base_err *err)
{
    struct tally *tally = ctx;
    fm_status st = check_active(tally->chain, alias, tally->height, err);

    (void)line;
    if (st == FM_OK)
        tally->active++;
    return st == FM_E_AUTH ? FM_OK : st;
}

/* Moves the final size up to this one if its cosignatures suffice. */
static fm_status advance(struct ledger_chain *chain, const struct offer *offer,
                         uint64_t *final_size, struct base_err *err)
{
    struct tally tally = {chain, offer->height, 0};
    uint64_t size = offer->checkpoint.size, since;
    int64_t quorum;
    fm_status st = ledger_store_each_cosignature(chain->store, size, count_line, &tally, err);

    if (st == FM_OK)
        st = get_quorum(chain, &quorum, &since, err);
    if (st != FM_OK)
        return st;
    /* Another quorum held there, which is not known any more: a later size will do. */
    if (offer->height < since)
        return FM_OK;
    if (quorum < 1 || (int64_t)tally.active < quorum)
        return FM_OK;
    *final_size = size;
    st = ledger_store_put_final(chain->store, size, err);
    if (st == FM_OK)
        st = ledger_store_drop_cosignatures(chain->store, size, err);
    if (st == FM_OK)
        st = ledger_store_drop_undo(chain->store, offer->height, err);
    return st;
}

static fm_status put_lines(struct ledger_chain *chain, const struct offer *offer, size_t *n_new,
                           struct base_err *err)
{
    struct ledger_checkpoint one = offer->checkpoint;
    struct base_buf text = {0};
    size_t i;
    fm_status st = FM_OK;

    for (i = 0; st == FM_OK && i < offer->checkpoint.n; i++) {
        bool fresh;

        one.n = 1;
        one.cosigner[0] = offer->checkpoint.cosigner[i];
        base_buf_clear(&text);
        st = ledger_checkpoint_encode(&text, &one, err);
        if (st == FM_OK)
            st = base_buf_status(&text, "checkpoint", err);
        if (st == FM_OK)
            st = ledger_store_put_cosignature(chain->store, &fresh, offer->checkpoint.size,
                                              offer->alias[i], base_buf_cstr(&text), err);
        if (st == FM_OK && fresh)
            ++*n_new;
    }
    base_buf_release(&text);
    return st;
}

/* Stores the lines of a checkpoint that agrees with our log. */
static fm_status accept(struct ledger_chain *chain, const struct offer *offer, size_t *n_new,
                        struct base_err *err)
{
    uint64_t size = offer->checkpoint.size, final_size = chain->final_size;
    fm_status st;

    /* What is final needs no more proof than it has, and what is older never will. */
    if (size < chain->final_size)
        return FM_OK;
    st = ledger_store_begin_write(chain->store, err);
    if (st != FM_OK)
        return st;
    st = put_lines(chain, offer, n_new, err);
    if (st == FM_OK && size > chain->final_size)
        st = advance(chain, offer, &final_size, err);
    if (st == FM_OK) {
        st = ledger_store_commit(chain->store, err);
    } else {
        ledger_store_rollback(chain->store);
    }
    if (st == FM_OK)
        chain->final_size = final_size;
    else
        *n_new = 0;
    return st;
}

/* ---- forks ---- */

/* Keeps a validly cosigned checkpoint that contradicts our log, beside our own newest one. */
static fm_status convict(struct ledger_chain *chain, const struct offer *offer, const char *text,
                         size_t len, struct base_err *err)
{
    struct base_buf theirs = {0}, ours = {0};
    fm_status st;

    base_buf_put(&theirs, text, len);
    st = base_buf_status(&theirs, "checkpoint", err);
    if (st == FM_OK)
        st = ledger_checkpoint_text(chain->store, &ours, chain->head.log_size, err);
    if (st == FM_OK)
        st = ledger_store_begin_write(chain->store, err);
    if (st == FM_OK) {
        st = ledger_store_put_evidence(chain->store, base_buf_cstr(&theirs), base_buf_cstr(&ours),
                                       err);
        if (st == FM_OK)
            st = ledger_store_commit(chain->store, err);
        else
            ledger_store_rollback(chain->store);
    }
    base_buf_release(&theirs);
    base_buf_release(&ours);
    if (st != FM_OK)
        return st;
    return base_err_set(err, FM_E_CONFLICT,
                        "%s cosigned a log of %llu leaves that contradicts ours: both are kept as "
                        "evidence",
                        offer->alias[0], (unsigned long long)offer->checkpoint.size);
}

/* What an epoch's change may leave behind without anybody lying (format.md section 7): a state of
 * an earlier epoch that our log has, beyond the base of the first later one; any state of an
 * earlier epoch that our log passed over; and, seen from the other side, a state of a later epoch
 * than our head's beyond what we know to be final. */
struct bases {
    uint64_t of; /* the epoch of the state */
    bool began;  /* our log has it */
    uint64_t first, base;
};

static fm_status first_base(void *ctx, const char *key, const void *value, size_t len,
                            struct base_err *err)
{
    struct bases *b = ctx;
    uint64_t epoch = strtoull(key + strlen("epoch/"), NULL, 10);
    json_t *json;
    fm_status st;

    b->began |= epoch == b->of;
    if (epoch <= b->of || epoch >= b->first)
        return FM_OK;
    st = base_json_parse(&json, value, len, err);
    if (st != FM_OK)
        return st;
    b->first = epoch;
    b->base = (uint64_t)json_integer_value(json_object_get(json, "base"));
    json_decref(json);
    return FM_OK;
}

static fm_status was_dropped(struct ledger_chain *chain, struct offer *offer, struct base_err *err)
{
    const struct ledger_checkpoint *cp = &offer->checkpoint;
    struct bases b = {.of = cp->epoch, .began = cp->epoch == 0, .first = UINT64_MAX};
    fm_status st;

    if (cp->epoch > chain->tip.epoch) {
        offer->dropped = cp->size > chain->final_size;
        return FM_OK;
    }
    st = chain->source.list(chain->source.ctx, "epoch/", first_base, &b, err);
    offer->dropped = b.first != UINT64_MAX && (!b.began || cp->size > b.base);
    return st;
}

static fm_status compare_with_log(struct ledger_chain *chain, struct offer *offer,
                                  struct base_err *err)
{
    const struct ledger_checkpoint *cp = &offer->checkpoint;
    struct ledger_store_block block;
    struct ledger_epoch_head ours;
    bool ends;
    fm_status st = ledger_log_at(chain->store, &ends, &ours, cp->size, err);

    offer->agrees = offer->dropped = false;
    if (st != FM_OK)
        return st;
    /* No honest member cosigns the middle of a block. */
    if (!ends || memcmp(ours.root, cp->root, sizeof ours.root) != 0)
        return was_dropped(chain, offer, err);
    if (ours.epoch != cp->epoch)
        return base_err_set(err, FM_E_INPUT, "its epoch is not that of its block");
    st = ledger_block_ending(chain->store, &block, cp->size, err);
    offer->agrees = st == FM_OK;
    offer->height = block.height;
    return st;
}

static fm_status consider(struct ledger_chain *chain, struct offer *offer, size_t *n_new,
                          const char *text, size_t len, struct base_err *err)
{
    const struct ledger_checkpoint *cp = &offer->checkpoint;
    int64_t quorum = 0;
    size_t i;
    fm_status st = ledger_checkpoint_parse(&offer->checkpoint, text, len, err);

    if (st != FM_OK)
        return st;
    if (memcmp(cp->chain, ledger_store_chain(chain->store), sizeof cp->chain) != 0)
        return base_err_set(err, FM_E_INPUT, "it is of another ledger");
    if (cp->n == 0)
        return base_err_set(err, FM_E_INPUT, "nobody cosigned it");
    if (cp->size > chain->tip.log.size)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "it is over %llu leaves, this replica has %llu: catch up first",
                            (unsigned long long)cp->size, (unsigned long long)chain->tip.log.size);
    st = compare_with_log(chain, offer, err);
    if (st == FM_OK && offer->dropped)
        st = get_quorum(chain, &quorum, NULL, err);
    for (i = 0; st == FM_OK && i < cp->n; i++)
        st = check_line(chain, offer, i, err);
    if (st != FM_OK)
        return st;
    if (offer->agrees)
        return accept(chain, offer, n_new, err);
    /* A quorum never signs what is left behind. */
    if (offer->dropped && (int64_t)cp->n < quorum)
        return FM_OK;
    return convict(chain, offer, text, len, err);
}

fm_status ledger_chain_cosign(struct ledger_chain *chain, size_t *n_new, uint64_t *final_size,
                              const char *checkpoint, size_t len, struct base_err *err)
{
    struct offer *offer = calloc(1, sizeof *offer);
    fm_status st;

    *n_new = 0;
    *final_size = chain->final_size;
    if (offer == NULL)
        return base_err_memory(err, "checkpoint");
    st = consider(chain, offer, n_new, checkpoint, len, err);
    *final_size = chain->final_size;
    free(offer);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "checkpoint");
}
