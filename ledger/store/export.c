#include "ledger/store/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "ledger/proof/misbehavior.h"
#include "ledger/store/export_impl.h"

/* ---- the file ---- */

struct out_file {
    int fd;
    char *temporary;
    struct base_buf pending;
    uint64_t bytes;
};

static fm_status flush(struct out_file *f, struct base_err *err)
{
    size_t done = 0;

    while (done < f->pending.len) {
        ssize_t n = write(f->fd, f->pending.p + done, f->pending.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_err_errno(err, f->temporary != NULL ? f->temporary : "bundle");
        done += (size_t)n;
    }
    base_buf_clear(&f->pending);
    return FM_OK;
}

static fm_status write_line(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    struct out_file *f = ctx;
    fm_status st;

    base_buf_put(&f->pending, bytes, len);
    f->bytes += len;
    st = base_buf_status(&f->pending, "bundle", err);
    return st == FM_OK && f->pending.len >= (size_t)1 << 18 ? flush(f, err) : st;
}

static fm_status open_file(struct out_file *f, const char *path, struct base_err *err)
{
    size_t room = strlen(path) + 16;

    if (access(path, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path);
    f->temporary = malloc(room);
    if (f->temporary == NULL)
        return base_err_memory(err, "bundle");
    (void)snprintf(f->temporary, room, "%s.part", path);
    f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return f->fd < 0 ? base_err_errno(err, f->temporary) : FM_OK;
}

/* A name that is taken meanwhile stays whose it is: link() does not replace. */
static fm_status finish_file(struct out_file *f, const char *path, struct base_err *err)
{
    fm_status st = flush(f, err);

    if (st != FM_OK)
        return st;
    if (fsync(f->fd) != 0)
        return base_err_errno(err, f->temporary);
    if (link(f->temporary, path) != 0)
        return errno == EEXIST
                   ? base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path)
                   : base_err_errno(err, path);
    return FM_OK;
}

static void release_file(struct out_file *f)
{
    if (f->fd >= 0) {
        (void)close(f->fd);
        (void)unlink(f->temporary);
    }
    base_buf_release(&f->pending);
    free(f->temporary);
}

/* ---- what to disclose ---- */

/* Sets of texts as objects: ids in hex, and "ALIAS/DATASET". */
struct wanted {
    json_t *queries, *contracts, *consents, *datasets; /* NULL: no filter */
    const uint8_t (*txs)[32];
    size_t n_txs;
};

static void release_wanted(struct wanted *w)
{
    json_decref(w->queries);
    json_decref(w->contracts);
    json_decref(w->consents);
    json_decref(w->datasets);
}

static bool add(json_t *set, const char *text)
{
    return text != NULL && json_object_set_new(set, text, json_true()) == 0;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool has(const json_t *set, const char *text)
{
    return text != NULL && json_object_get(set, text) != NULL;
}

static fm_status want_contract(struct ledger_reader *reader, struct wanted *w, const char *id,
                               struct base_err *err)
{
    const json_t *tables;
    char key[128];
    json_t *value;
    size_t i;
    bool good = true;
    fm_status st;

    (void)snprintf(key, sizeof key, "contract/%.64s", id);
    st = ledger_reader_get(reader, &value, key, err);
    if (st != FM_OK)
        return st;
    tables = json_object_get(json_object_get(value, "contract"), "tables");
    for (i = 0; good && i < json_array_size(tables); i++) {
        const json_t *table = json_array_get(tables, i);

        (void)snprintf(key, sizeof key, "%.32s/%.64s", text_of(table, "provider"),
                       text_of(table, "dataset"));
        good = add(w->datasets, key);
    }
    json_decref(value);
    return good ? FM_OK : base_err_memory(err, "bundle");
}

static fm_status want_query(struct ledger_reader *reader, struct wanted *w, const uint8_t id[32],
                            struct base_err *err)
{
    const json_t *consents;
    char key[128], text[65];
    json_t *value;
    size_t i;
    bool good;
    fm_status st;

    base_hex(text, id, 32);
    (void)snprintf(key, sizeof key, "query/%s", text);
    st = ledger_reader_get(reader, &value, key, err);
    if (st != FM_OK)
        return st;
    good = add(w->queries, text) && add(w->contracts, text_of(value, "contract"));
    consents = json_object_get(value, "consents");
    for (i = 0; good && i < json_array_size(consents); i++)
        good = add(w->consents, text_of(json_array_get(consents, i), "consent"));
    st = good ? want_contract(reader, w, text_of(value, "contract"), err)
              : base_err_memory(err, "bundle");
    json_decref(value);
    return st;
}

static fm_status want(struct ledger_reader *reader, struct wanted *w,
                      const struct ledger_export_options *options, struct base_err *err)
{
    size_t i;
    fm_status st = FM_OK;

    if (options->n_queries == 0 && options->n_txs == 0)
        return FM_OK;
    w->txs = options->txs;
    w->n_txs = options->n_txs;
    w->queries = json_object();
    w->contracts = json_object();
    w->consents = json_object();
    w->datasets = json_object();
    if (w->queries == NULL || w->contracts == NULL || w->consents == NULL || w->datasets == NULL)
        return base_err_memory(err, "bundle");
    for (i = 0; st == FM_OK && i < options->n_queries; i++)
        st = want_query(reader, w, options->queries[i], err);
    return st;
}

static bool body_wanted(const struct wanted *w, const struct ledger_store_leaf *leaf,
                        const json_t *body, struct base_err *err)
{
    char key[128], id[65];
    uint8_t hash[32];

    base_hex(id, leaf->id, 32);
    if (strcmp(leaf->type, "query.open") == 0)
        return has(w->queries, id);
    if (strncmp(leaf->type, "query.", 6) == 0)
        return has(w->queries, text_of(json_object_get(body, "receipt"), "query"));
    if (strncmp(leaf->type, "authorization.", 14) == 0)
        return has(w->contracts, text_of(body, "contract"));
    if (strcmp(leaf->type, "consent.revoke") == 0)
        return has(w->consents, text_of(json_object_get(body, "revocation"), "consent"));
    if (strcmp(leaf->type, "dataset.publish") == 0) {
        (void)snprintf(key, sizeof key, "%.32s/%.64s", leaf->alias,
                       text_of(body, "dataset") != NULL ? text_of(body, "dataset") : "");
        return has(w->datasets, key);
    }
    if (strcmp(leaf->type, "contract.propose") == 0) {
        if (base_json_hash(hash, body, err) != FM_OK)
            return false;
        base_hex(id, hash, sizeof hash);
        return has(w->contracts, id);
    }
    return false;
}

/* consent.grant: the id is that of the consent without its proof. */
static bool consent_wanted(const struct wanted *w, const json_t *body, struct base_err *err)
{
    json_t *bare = json_copy(json_object_get(body, "consent"));
    uint8_t hash[32];
    char id[65];
    bool wanted = false;

    (void)json_object_del(bare, "proof");
    if (bare != NULL && base_json_hash(hash, bare, err) == FM_OK) {
        base_hex(id, hash, sizeof hash);
        wanted = has(w->consents, id);
    }
    json_decref(bare);
    return wanted;
}

static bool tx_wanted(const struct wanted *w, const struct ledger_store_leaf *leaf)
{
    for (size_t i = 0; i < w->n_txs; i++)
        if (memcmp(w->txs[i], leaf->id, 32) == 0)
            return true;
    return false;
}

static bool leaf_wanted(const struct wanted *w, const struct ledger_store_leaf *leaf)
{
    struct base_err ignored;
    json_t *payload;
    const json_t *body;
    bool wanted;

    if (leaf->erased)
        return false;
    if (w->queries == NULL || leaf->is_block || strncmp(leaf->type, "member.", 7) == 0 ||
        strncmp(leaf->type, "did.", 4) == 0 || strncmp(leaf->type, "parameter.", 10) == 0 ||
        strncmp(leaf->type, "epoch", 5) == 0 || strcmp(leaf->type, LEDGER_MISBEHAVIOR_TYPE) == 0 ||
        tx_wanted(w, leaf))
        return true;
    if (base_json_parse(&payload, (const char *)leaf->payload.p, leaf->payload.len, &ignored) !=
        FM_OK)
        return false;
    body = json_object_get(payload, "body");
    wanted = strcmp(leaf->type, "consent.grant") == 0 ? consent_wanted(w, body, &ignored)
                                                      : body_wanted(w, leaf, body, &ignored);
    json_decref(payload);
    return wanted;
}

/* ---- the lines ---- */

struct lines {
    struct ledger_bundle_sink sink;
    struct wanted wanted;
    struct ledger_export_report *report;
};

static fm_status write_leaf(void *ctx, struct ledger_store_leaf *leaf, struct base_err *err)
{
    struct lines *l = ctx;

    if (!leaf_wanted(&l->wanted, leaf))
        return ledger_bundle_hidden(&l->sink, leaf->leaf, leaf->payload_hash, leaf->result.p,
                                    leaf->result.len, err);
    l->report->disclosed++;
    return ledger_bundle_leaf(&l->sink, leaf->leaf, leaf->payload.p, leaf->payload.len,
                              leaf->is_block ? NULL : leaf->result.p, leaf->result.len, err);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static fm_status write_state(struct ledger_reader *reader, struct lines *l, const char *key,
                             struct base_err *err)
{
    json_t *value, *proof = NULL;
    fm_status st = ledger_store_value(reader->store, &value, key, err);

    if (st == FM_OK)
        st = ledger_reader_state_proof(reader, &proof, key, err);
    if (st == FM_OK)
        st = ledger_bundle_state(&l->sink, key, value, proof, err);
    json_decref(value);
    json_decref(proof);
    return st;
}

fm_status ledger_export_at_head(struct ledger_reader *reader,
                                const struct ledger_export_report *report, struct base_err *err)
{
    struct ledger_head head;
    fm_status st = ledger_reader_head(reader, &head, err);

    if (st == FM_OK && head.log_size != report->size)
        st = base_err_set(err, FM_E_CONFLICT,
                          "the newest state is not final yet: try again when block %llu is",
                          (unsigned long long)head.height);
    return st;
}

static fm_status write_states(struct ledger_reader *reader, struct lines *l,
                              const struct ledger_export_options *options, struct base_err *err)
{
    const char **keys;
    size_t i;
    fm_status st;

    if (options->n_keys == 0)
        return FM_OK;
    st = ledger_export_at_head(reader, l->report, err);
    if (st != FM_OK)
        return st;
    keys = calloc(options->n_keys, sizeof *keys);
    if (keys == NULL)
        return base_err_memory(err, "bundle");
    memcpy(keys, options->keys, options->n_keys * sizeof *keys);
    qsort(keys, options->n_keys, sizeof *keys, compare_keys);
    for (i = 0; st == FM_OK && i < options->n_keys; i++)
        st = i > 0 && strcmp(keys[i - 1], keys[i]) == 0
                 ? base_err_set(err, FM_E_ARG, "state key %s is named twice", keys[i])
                 : write_state(reader, l, keys[i], err);
    free(keys);
    return st;
}

static fm_status write_lines(struct ledger_reader *reader, struct lines *l,
                             const struct ledger_export_options *options, struct base_err *err)
{
    struct base_buf genesis = {0}, checkpoint = {0};
    enum ledger_bundle_format format = LEDGER_BUNDLE_WHOLE;
    struct ledger_epoch_head end;
    bool ends;
    fm_status st =
        ledger_reader_final(reader, &l->report->size, &l->report->height, &checkpoint, err);

    if (st == FM_OK)
        st = ledger_log_at(reader->store, &ends, &end, l->report->size, err);
    if (st == FM_OK && options->compact == LEDGER_EXPORT_COMPACT && end.epoch == 0)
        format = LEDGER_BUNDLE_COMPACT;
    if (st == FM_OK)
        st = want(reader, &l->wanted, options, err);
    if (st == FM_OK)
        st = ledger_reader_genesis(reader, &genesis, err);
    if (st == FM_OK)
        st = ledger_bundle_genesis(&l->sink, format, ledger_reader_id(reader), genesis.p,
                                   genesis.len, err);
    if (st == FM_OK && format == LEDGER_BUNDLE_COMPACT)
        st = ledger_export_compact(reader, &l->sink, options, l->report, err);
    else if (st == FM_OK) {
        st = ledger_store_each_leaf(reader->store, 0, l->report->size, write_leaf, l, err);
        if (st == FM_OK)
            st = write_states(reader, l, options, err);
    }
    if (st == FM_OK)
        st = ledger_bundle_checkpoint(&l->sink, base_buf_cstr(&checkpoint), checkpoint.len, err);
    base_buf_release(&genesis);
    base_buf_release(&checkpoint);
    return st;
}

/* One snapshot of the reader into the file. */
static fm_status export_into(struct out_file *file, struct ledger_reader *reader,
                             const struct ledger_export_options *options,
                             struct ledger_export_report *report, struct base_err *err)
{
    static const struct ledger_export_options everything;
    struct lines lines = {.sink = {write_line, file}, .report = report};
    fm_status st = ledger_reader_begin(reader, err);

    if (st != FM_OK)
        return st;
    st = write_lines(reader, &lines, options != NULL ? options : &everything, err);
    ledger_reader_end(reader);
    if (st == FM_OK)
        st = flush(file, err);
    report->bytes = file->bytes;
    release_wanted(&lines.wanted);
    return st;
}

fm_status ledger_export(struct ledger_reader *reader, const char *path,
                        const struct ledger_export_options *options,
                        struct ledger_export_report *report, struct base_err *err)
{
    struct out_file file = {.fd = -1};
    fm_status st = open_file(&file, path, err);

    memset(report, 0, sizeof *report);
    if (st == FM_OK)
        st = export_into(&file, reader, options, report, err);
    if (st == FM_OK)
        st = finish_file(&file, path, err);
    release_file(&file);
    return st;
}

fm_status ledger_export_to(struct ledger_reader *reader, int fd,
                           const struct ledger_export_options *options,
                           struct ledger_export_report *report, struct base_err *err)
{
    struct out_file file = {.fd = fd};
    fm_status st;

    memset(report, 0, sizeof *report);
    st = export_into(&file, reader, options, report, err);
    base_buf_release(&file.pending);
    return st;
}
