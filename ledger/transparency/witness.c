#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/transparency/published.h"

enum { CHECKPOINT_MAX = 1 << 17, LOCK_TRIES = 600, LOCK_PAUSE_NS = 100000000 };

/* What it cosigned last is a beginning of this. */
static fm_status check_extends(const struct ledger_checkpoint *old,
                               const struct ledger_checkpoint *new, const char *dir,
                               struct base_err *err)
{
    struct ledger_tile_reader *tiles = malloc(sizeof *tiles);
    struct ledger_log_source source;
    struct ledger_log_proof proof;
    fm_status st;

    if (tiles == NULL)
        return base_err_memory(err, "tiles");
    ledger_tile_reader_init(tiles, dir, new->size);
    source = ledger_tile_source(tiles);
    if (memcmp(old->chain, new->chain, 32) != 0)
        st = base_err_set(err, FM_E_CONFLICT, "this witness cosigned another ledger before");
    else if (old->size > new->size)
        st = base_err_set(err, FM_E_INVALID,
                          "%llu entries are published, this witness cosigned %llu already",
                          (unsigned long long)new->size, (unsigned long long)old->size);
    else {
        st = ledger_log_prove_consistency(&proof, old->size, new->size, &source, err);
        if (st == FM_OK)
            st = ledger_log_verify_consistency(&proof, old->size, old->root, new->size, new->root,
                                               err);
        if (st == FM_E_INVALID)
            st = base_err_set(err, FM_E_CONFLICT,
                              "what this witness cosigned at %llu entries is no beginning of this "
                              "log: two histories, or tiles that are not its own",
                              (unsigned long long)old->size);
    }
    free(tiles);
    return st;
}

/* The line in place of an older one by the same key, or behind the others. */
static fm_status add_line(struct ledger_checkpoint *c, const struct ledger_cosignature *line,
                          struct base_err *err)
{
    size_t i = 0;

    while (i < c->n && strcmp(c->cosigner[i].name, line->name) != 0)
        i++;
    if (i == LEDGER_COSIGNERS_MAX)
        return base_err_set(err, FM_E_LIMIT, "there is no room for one more cosignature");
    if (i < c->n && memcmp(c->cosigner[i].key_id, line->key_id, sizeof line->key_id) != 0)
        return base_err_set(err, FM_E_CONFLICT,
                            "%s cosigned with another key: choose a name of your own", line->name);
    c->cosigner[i] = *line;
    c->n += i == c->n;
    return FM_OK;
}

/* Members cosign under their DIDs, whoever else asks. */
static fm_status check_name(const char *name, struct base_err *err)
{
    fm_status st = ledger_cosigner_name(name, err);

    if (st == FM_OK && strncmp(name, "did:", 4) == 0)
        st = base_err_set(err, FM_E_ARG,
                          "%s: members cosign under DIDs, a witness under a name of its own, as "
                          "witness.example/1",
                          name);
    return st;
}

/* Puts the line into DIR/checkpoint, if that still is of the state that it cosigns. */
static fm_status publish_line(const char *dir, const struct ledger_checkpoint *signed_by,
                              const struct ledger_cosignature *line, struct base_err *err)
{
    struct ledger_checkpoint *now = malloc(sizeof *now);
    int fd = -1;
    fm_status st =
        now != NULL ? ledger_published_lock(&fd, dir, err) : base_err_memory(err, "checkpoint");

    if (st == FM_OK)
        st = ledger_published_checkpoint(now, dir, err);
    if (st == FM_OK && !ledger_checkpoint_same(now, signed_by))
        st =
            base_err_set(err, FM_E_CONFLICT,
                         "%llu entries are published there, the cosignature is over %llu: have the "
                         "witness cosign what is published now",
                         (unsigned long long)now->size, (unsigned long long)signed_by->size);
    if (st == FM_OK)
        st = add_line(now, line, err);
    if (st == FM_OK)
        st = ledger_published_put_checkpoint(dir, now, err);
    if (fd >= 0)
        (void)close(fd);
    free(now);
    return st;
}

static fm_status write_checkpoint(const char *path, const struct ledger_checkpoint *c,
                                  struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = ledger_checkpoint_encode(&text, c, err);

    if (st == FM_OK)
        st = base_file_write(path, text.p, text.len, 0644, err);
    base_buf_release(&text);
    return st;
}

static fm_status read_checkpoint(struct ledger_checkpoint *out, const char *path,
                                 struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = base_file_read(&text, path, CHECKPOINT_MAX, err);

    if (st == FM_OK &&
        (st = ledger_checkpoint_parse(out, (const char *)text.p, text.len, err)) != FM_OK)
        (void)base_err_prefix(err, "%s", path);
    base_buf_release(&text);
    return st;
}

static fm_status check_memory(const char *memory, const struct ledger_checkpoint *new,
                              const char *dir, struct base_err *err)
{
    struct ledger_checkpoint *old = malloc(sizeof *old);
    fm_status st =
        old != NULL ? read_checkpoint(old, memory, err) : base_err_memory(err, "checkpoint");

    if (st == FM_OK)
        st = check_extends(old, new, dir, err);
    free(old);
    return st;
}

/* From before the checkpoint is read until the line is out, one run at a time has the memory: of
 * two that overlap the later would else forget what the other has signed. */
static fm_status lock_memory(int *fd, const char *memory, struct base_err *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s.lock", memory), got;
    fm_status st;

    if (n < 0 || (size_t)n >= sizeof path)
        return base_err_set(err, FM_E_ARG, "%.200s: path too long", memory);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return base_err_errno(err, path);
    for (int tries = 0; (got = flock(*fd, LOCK_EX | LOCK_NB)) != 0 && tries < LOCK_TRIES &&
                        (errno == EINTR || errno == EWOULDBLOCK);
         tries++)
        (void)nanosleep(&(struct timespec){0, LOCK_PAUSE_NS}, NULL);
    if (got == 0)
        return FM_OK;
    st = errno != EWOULDBLOCK
             ? base_err_errno(err, path)
             : base_err_set(err, FM_E_CONFLICT,
                            "%s: another run has had this witness's memory for a minute: see "
                            "whether it hangs",
                            path);
    (void)close(*fd);
    return st;
}

static fm_status cosign_locked(struct ledger_checkpoint *out, const char *dir,
                               const struct ledger_witness *witness,
                               const struct ledger_trust *trust, int64_t time_s,
                               struct base_err *err)
{
    size_t signers;
    fm_status st = ledger_published_checkpoint(out, dir, err);

    if (st == FM_OK)
        st = ledger_trust_check(&signers, out, trust, err);
    if (st == FM_OK && access(witness->memory, F_OK) == 0)
        st = check_memory(witness->memory, out, dir, err);
    if (st == FM_OK) {
        out->n = 1;
        st = ledger_cosign(&out->cosigner[0], out, witness->name, witness->secret, time_s, err);
    }
    if (st == FM_OK)
        st = write_checkpoint(witness->memory, out, err);
    if (st == FM_OK)
        st = witness->note != NULL ? write_checkpoint(witness->note, out, err)
                                   : publish_line(dir, out, &out->cosigner[0], err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", dir);
}

fm_status ledger_witness_cosign(struct ledger_checkpoint *out, const char *dir,
                                const struct ledger_witness *witness,
                                const struct ledger_trust *trust, int64_t time_s,
                                struct base_err *err)
{
    fm_status st = check_name(witness->name, err);
    int fd;

    if (st == FM_OK)
        st = lock_memory(&fd, witness->memory, err);
    if (st != FM_OK)
        return st;
    st = cosign_locked(out, dir, witness, trust, time_s, err);
    (void)close(fd);
    return st;
}

fm_status ledger_published_add(struct ledger_checkpoint *out, const char *dir, const char *note,
                               const struct ledger_vkey *key, struct base_err *err)
{
    fm_status st = check_name(key->name, err);
    size_t i = 0;

    if (st == FM_OK)
        st = read_checkpoint(out, note, err);
    if (st != FM_OK)
        return st;
    while (i < out->n && strcmp(out->cosigner[i].name, key->name) != 0)
        i++;
    if (i == out->n)
        return base_err_set(err, FM_E_INVALID, "%s: %s did not cosign it", note, key->name);
    st = ledger_cosignature_verify_key(&out->cosigner[i], out, &key->key, DID_RULES_VERSION, err);
    if (st != FM_OK)
        return base_err_prefix(err, "%s: cosignature of %s", note, key->name);
    st = publish_line(dir, out, &out->cosigner[i], err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "%s", dir);
}
