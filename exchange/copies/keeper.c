/* What this member keeps for others, and what it knows of theirs. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "exchange/copies/box.h"
#include "exchange/copies/copies_own.h"

enum { SYNC_EVERY = 4 << 20 };

void copies_incoming_end(struct copies_incoming *in)
{
    uint8_t unused[32];

    if (in->fd < 0)
        return;
    base_hash_final(&in->hash, unused);
    (void)close(in->fd);
    in->fd = -1;
}

/* Something of ours failed: the owner hears that much, our operator the rest. */
static void trouble(struct copies *c, const char *from, const struct copies_message *m,
                    const struct base_err *err)
{
    copies_note(c, "warn", from, "copy %.16s of %s: %s", m->address, from, err->text);
    copies_refuse(c, from, m, COPIES_NO_DISK);
}

/* ---- receipts ---- */

static void send_receipt(struct copies *c, const char *from, const struct copies_message *m,
                         const struct copies_held *h)
{
    struct copies_message kept = {.say = COPIES_KEPT};
    char owner[COPIES_DID], keeper[COPIES_DID];
    json_t *receipt = NULL, *proof = NULL;
    const struct copies_host *host = &c->config.host;
    struct base_err err = {0};
    fm_status st = host->did(host->ctx, from, owner, &err);

    if (st == FM_OK)
        st = host->did(host->ctx, c->config.alias, keeper, &err);
    if (st == FM_OK)
        receipt =
            json_pack("{s:s,s:s,s:s,s:I,s:s,s:I,s:s,s:I,s:I}", "address", m->address, "chain",
                      c->config.chain, "keeper", keeper, "kept", (json_int_t)copies_now(c), "owner",
                      owner, "size", (json_int_t)h->size, "type", "FirmianaCopyReceipt", "until",
                      (json_int_t)h->until_ms, "version", (json_int_t)1);
    if (st == FM_OK)
        st = receipt != NULL ? host->prove(host->ctx, receipt, &proof, &err)
                             : base_err_memory(&err, "receipt");
    if (st == FM_OK) {
        (void)json_object_set(receipt, "proof", proof);
        memcpy(kept.address, m->address, sizeof kept.address);
        kept.what = receipt;
        (void)copies_say(c, from, &kept);
    } else
        trouble(c, from, m, &err);
    json_decref(receipt);
    json_decref(proof);
}

/* ---- a copy is announced ---- */

/* Is there room for it by the rules that everybody has? */
static fm_status admit(enum copies_no *why, struct copies *c, const char *from,
                       const struct copies_message *m, struct base_err *err)
{
    int64_t now = copies_now(c), bytes, count;

    *why = COPIES_NOS;
    if (copies_held_sum(&bytes, &count, c->store, from, m->address, err) != FM_OK)
        return err->code;
    if (!c->config.host.active(c->config.host.ctx, from) || !copies_aliases(m->what))
        *why = COPIES_NO_STRANGER;
    else if (m->size < BOX_LEAST || m->size > BOX_MAX)
        *why = COPIES_NO_SIZE;
    else if (m->until_ms <= now || m->until_ms > now + COPIES_YEARS * 366LL * 86400000)
        *why = COPIES_NO_TIME;
    else if (m->size > c->config.quota - bytes || count >= COPIES_HELD_MAX)
        *why = COPIES_NO_QUOTA;
    return FM_OK;
}

static bool file_is(const struct copies *c, const char *owner, const struct copies_held *h)
{
    char path[COPIES_PATH];
    struct stat info;

    copies_store_path(c->store, path, "kept", owner, h->address);
    return stat(path, &info) == 0 && info.st_size == h->size;
}

static fm_status hash_begin(struct copies_incoming *in, struct base_err *err)
{
    static uint8_t block[BOX_CHUNK]; /* the node has one thread for this */
    fm_status st = FM_OK;

    base_hash_init(&in->hash);
    for (int64_t at = 0; st == FM_OK && at < in->at;) {
        size_t len = in->at - at < BOX_CHUNK ? (size_t)(in->at - at) : sizeof block;
        st = box_read_at(in->fd, block, len, at, err);
        base_hash_update(&in->hash, block, st == FM_OK ? len : 0);
        at += (int64_t)len;
    }
    return st;
}

/* Opens the part that there is; what lies beyond whole messages' ends is not trusted less than the
 * rest: all of it is hashed. */
static fm_status begin(struct copies *c, struct copies_peer *p, const struct copies_held *h,
                       struct base_err *err)
{
    struct copies_incoming *in = &p->in;
    char path[COPIES_PATH];
    struct stat info;
    fm_status st;

    copies_incoming_end(in);
    copies_store_path(c->store, path, "part", h->owner, h->address);
    in->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (in->fd < 0)
        return base_err_errno(err, path);
    memcpy(in->address, h->address, sizeof in->address);
    in->size = h->size;
    in->at = fstat(in->fd, &info) == 0 ? info.st_size : 0;
    if (in->at >= in->size)
        in->at = 0;
    st = hash_begin(in, err);
    if (st == FM_OK && ftruncate(in->fd, in->at) != 0)
        st = base_err_errno(err, path);
    if (st == FM_OK)
        st = copies_store_room(c->store, in->size - in->at, err);
    if (st != FM_OK)
        copies_incoming_end(in);
    return st;
}

/* Files of it that the row will not count go before the row is written: after a crash between the
 * two there is too little on the disk, never more than the quota. */
static void clear_files(struct copies *c, struct copies_peer *p, const struct copies_message *m,
                        bool same_size)
{
    char path[COPIES_PATH];

    copies_store_path(c->store, path, "kept", p->alias, m->address);
    (void)unlink(path);
    if (same_size)
        return;
    if (strcmp(p->in.address, m->address) == 0)
        copies_incoming_end(&p->in);
    copies_store_path(c->store, path, "part", p->alias, m->address);
    (void)unlink(path);
}

/* Announcing again what is announced costs neither a sync nor the hash of what came. */
static fm_status take_offer(struct copies *c, struct copies_peer *p, const struct copies_message *m,
                            struct base_err *err)
{
    struct copies_message go = {.say = COPIES_GO};
    struct copies_held h;
    struct base_err none = {0};
    fm_status st = copies_held_get(&h, c->store, p->alias, m->address, &none);
    bool same_size = st == FM_OK && h.size == m->size;
    bool have = same_size && h.whole && file_is(c, p->alias, &h);
    bool comes = same_size && !h.whole && p->in.fd >= 0 && p->in.size == m->size &&
                 strcmp(p->in.address, m->address) == 0;
    bool same = (have || comes) && h.until_ms == m->until_ms && json_equal(h.readers, m->what) != 0;

    json_decref(h.readers);
    if (!have && !comes)
        clear_files(c, p, m, same_size);
    memcpy(h.owner, p->alias, sizeof h.owner);
    memcpy(h.address, m->address, sizeof h.address);
    h.since_ms = st == FM_OK && have ? h.since_ms : copies_now(c);
    h.size = m->size;
    h.until_ms = m->until_ms;
    h.whole = have;
    h.readers = m->what;
    st = same ? FM_OK : copies_held_put(c->store, &h, err);
    if (st == FM_OK && have) {
        send_receipt(c, p->alias, m, &h);
        return FM_OK;
    }
    if (st == FM_OK && !comes)
        st = begin(c, p, &h, err);
    if (st != FM_OK)
        return st;
    memcpy(go.address, m->address, sizeof go.address);
    go.at = p->in.at;
    (void)copies_say(c, p->alias, &go);
    return FM_OK;
}

void copies_on_offer(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_peer *p = copies_peer(c, from);
    struct base_err err = {0};
    enum copies_no why;
    fm_status st = p != NULL ? admit(&why, c, from, m, &err) : base_err_memory(&err, "copy");

    if (st == FM_OK && why != COPIES_NOS) {
        copies_note(c, "warn", from, "a copy of %lld bytes by %s is not taken: %s",
                    (long long)m->size, from, copies_no_text(why));
        copies_refuse(c, from, m, why);
        return;
    }
    if (st == FM_OK)
        st = take_offer(c, p, m, &err);
    if (st != FM_OK)
        trouble(c, from, m, &err);
}

/* ---- its bytes come ---- */

/* All of it is here: is it what was announced? */
static fm_status finish(bool *right, struct copies *c, struct copies_peer *p, struct copies_held *h,
                        struct base_err *err)
{
    char part[COPIES_PATH], kept[COPIES_PATH], hex[65];
    uint8_t hash[32];
    int fd = p->in.fd;
    fm_status st = FM_OK;

    base_hash_final(&p->in.hash, hash);
    p->in.fd = -1;
    base_hex(hex, hash, 32);
    *right = strcmp(hex, h->address) == 0;
    copies_store_path(c->store, part, "part", h->owner, h->address);
    copies_store_path(c->store, kept, "kept", h->owner, h->address);
    if (*right && fsync(fd) != 0)
        st = base_err_errno(err, part);
    (void)close(fd);
    if (!*right)
        return copies_held_remove(c->store, h->owner, h->address, err);
    if (st == FM_OK && rename(part, kept) != 0)
        st = base_err_errno(err, kept);
    if (st == FM_OK)
        st = base_file_sync_folder(kept, err);
    h->whole = true;
    h->since_ms = copies_now(c);
    return st == FM_OK ? copies_held_put(c->store, h, err) : st;
}

static fm_status take_part(struct copies *c, struct copies_peer *p, const struct copies_message *m,
                           struct base_err *err)
{
    struct copies_message go = {.say = COPIES_GO};
    struct copies_incoming *in = &p->in;
    int64_t before = in->at;
    struct copies_held h;
    bool right = false;
    fm_status st = box_write_at(in->fd, m->bytes, m->len, in->at, err);

    if (st != FM_OK)
        return st;
    base_hash_update(&in->hash, m->bytes, m->len);
    in->at += (int64_t)m->len;
    /* What is written is on the disk before there is much of it: the last sync is short. */
    if (in->at / SYNC_EVERY != before / SYNC_EVERY && fdatasync(in->fd) != 0)
        return base_err_errno(err, "copy");
    if (in->at < in->size) {
        memcpy(go.address, m->address, sizeof go.address);
        go.at = in->at;
        (void)copies_say(c, p->alias, &go);
        return FM_OK;
    }
    st = copies_held_get(&h, c->store, p->alias, m->address, err);
    if (st == FM_OK)
        st = finish(&right, c, p, &h, err);
    if (st == FM_OK && right) {
        copies_note(c, "info", p->alias, "copy %.16s of %s is kept: %lld bytes", h.address,
                    p->alias, (long long)h.size);
        send_receipt(c, p->alias, m, &h);
    } else if (st == FM_OK)
        copies_refuse(c, p->alias, m, COPIES_NO_OTHER);
    json_decref(h.readers);
    return st;
}

void copies_on_part(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_peer *p = copies_peer(c, from);
    struct base_err err = {0};

    if (p == NULL || p->in.fd < 0 || strcmp(p->in.address, m->address) != 0 || m->at != p->in.at ||
        (int64_t)m->len > p->in.size - p->in.at) {
        copies_refuse(c, from, m, COPIES_NO_BUSY);
        return;
    }
    if (take_part(c, p, m, &err) == FM_OK)
        return;
    copies_incoming_end(&p->in);
    trouble(c, from, m, &err);
}

/* ---- it is read out ---- */

static bool may_read(struct copies *c, const struct copies_held *h, const char *from)
{
    return c->config.host.active(c->config.host.ctx, from) &&
           (strcmp(h->owner, from) == 0 || copies_listed(h->readers, from));
}

/* Who begins, or goes on elsewhere than where it stood, is counted; one copy is one time. */
static void note_fetch(struct copies *c, struct copies_peer *p, const struct copies_message *m,
                       bool allowed)
{
    struct base_err err = {0};

    if (allowed && strcmp(p->out.owner, m->owner) == 0 && strcmp(p->out.address, m->address) == 0 &&
        m->at != 0 && p->out.next == m->at)
        return;
    if (strcmp(p->noted, m->address) == 0 && copies_mono(c) - p->noted_ms < COPIES_NOTE_MS)
        return;
    memcpy(p->noted, m->address, sizeof p->noted);
    p->noted_ms = copies_mono(c);
    if (copies_fetch_note(c->store, m->owner, m->address, p->alias, allowed, copies_now(c), &err) !=
        FM_OK)
        copies_note(c, "warn", p->alias, "copies: %s", err.text);
    copies_note(c, allowed ? "info" : "warn", p->alias, "%s %s copy %.16s of %s", p->alias,
                allowed ? "fetches" : "may not fetch", m->address, m->owner);
}

static fm_status read_out(struct copies *c, struct copies_peer *p, const struct copies_message *m,
                          const struct copies_held *h, struct base_err *err)
{
    static uint8_t block[COPIES_PART];
    struct copies_message data = {.say = COPIES_DATA, .at = m->at, .size = h->size, .bytes = block};
    char path[COPIES_PATH];
    fm_status st;
    int fd;

    copies_store_path(c->store, path, "kept", h->owner, h->address);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return base_err_errno(err, path);
    data.len = h->size - m->at < COPIES_PART ? (size_t)(h->size - m->at) : sizeof block;
    memcpy(data.address, m->address, sizeof data.address);
    st = box_read_at(fd, block, data.len, m->at, err);
    (void)close(fd);
    if (st != FM_OK)
        return st;
    memcpy(p->out.owner, m->owner, sizeof p->out.owner);
    memcpy(p->out.address, m->address, sizeof p->out.address);
    p->out.next = m->at + (int64_t)data.len;
    (void)copies_say(c, p->alias, &data);
    return FM_OK;
}

void copies_on_get(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_peer *p = copies_peer(c, from);
    struct copies_held h = {0};
    struct base_err err = {0};
    fm_status st = p != NULL ? copies_held_get(&h, c->store, m->owner, m->address, &err)
                             : base_err_memory(&err, "copy");

    if (st == FM_OK && !may_read(c, &h, from)) {
        note_fetch(c, p, m, false);
        copies_refuse(c, from, m, COPIES_NO_STRANGER);
    } else if (st == FM_OK && h.whole && m->at < h.size) {
        note_fetch(c, p, m, true);
        st = read_out(c, p, m, &h, &err);
        if (st != FM_OK) {
            copies_note(c, "error", from, "copy %.16s of %s: %s", m->address, h.owner, err.text);
            copies_refuse(c, from, m, COPIES_NO_DAMAGED);
        }
    } else
        copies_refuse(c, from, m, COPIES_NO_UNKNOWN);
    json_decref(h.readers);
}

/* ---- dropped; asked about ---- */

void copies_on_drop(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_message dropped = {.say = COPIES_DROPPED};
    struct copies_peer *p = copies_peer(c, from);
    struct base_err err = {0};

    if (p != NULL && strcmp(p->in.address, m->address) == 0)
        copies_incoming_end(&p->in);
    if (copies_held_remove(c->store, from, m->address, &err) != FM_OK) {
        trouble(c, from, m, &err);
        return;
    }
    memcpy(dropped.address, m->address, sizeof dropped.address);
    (void)copies_say(c, from, &dropped);
}

void copies_on_ask(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_message fetches = {.say = COPIES_FETCHES};
    struct copies_held h = {0};
    struct base_err err = {0};
    fm_status st = copies_held_get(&h, c->store, from, m->address, &err);

    json_decref(h.readers);
    if (st == FM_OK)
        st = copies_fetch_list(&fetches.what, c->store, from, m->address, &err);
    memcpy(fetches.address, m->address, sizeof fetches.address);
    if (st == FM_OK)
        (void)copies_say(c, from, &fetches);
    else
        copies_refuse(c, from, m, COPIES_NO_UNKNOWN);
    json_decref(fetches.what);
}

/* ---- a key for us ---- */

/* Is it the record of a copy of `from`, of the form that copies_put() makes? */
static fm_status check_record(int64_t *until_ms, const char *from, const struct copies_message *m,
                              struct base_err *err)
{
    static const char *const names[] = {"address", "key",  "keepers", "name", "owner",
                                        "readers", "size", "until",   NULL};
    const char *text;
    uint8_t bytes[32];
    int64_t size;

    if (base_json_only(m->what, names, err) != FM_OK ||
        base_json_get_str(&text, m->what, "address", err) != FM_OK)
        return err->code;
    if (strcmp(text, m->address) != 0)
        return base_err_set(err, FM_E_INPUT, "the record is of another copy");
    if (base_json_get_str(&text, m->what, "owner", err) != FM_OK)
        return err->code;
    if (strcmp(text, from) != 0)
        return base_err_set(err, FM_E_INPUT, "the record is of another owner");
    if (base_json_get_str(&text, m->what, "name", err) != FM_OK ||
        base_json_get_hex(bytes, 32, m->what, "key", err) != FM_OK ||
        base_json_get_int(&size, m->what, "size", err) != FM_OK ||
        base_json_get_int(until_ms, m->what, "until", err) != FM_OK)
        return err->code;
    if (!copies_is_name(text) || size < BOX_LEAST || size > BOX_MAX ||
        !copies_aliases(json_object_get(m->what, "keepers")) ||
        !copies_aliases(json_object_get(m->what, "readers")))
        return base_err_set(err, FM_E_INPUT, "the record's name, size, keepers or readers");
    return FM_OK;
}

void copies_on_key(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_message known = {.say = COPIES_KNOWN};
    const struct copies_host *host = &c->config.host;
    struct base_err err = {0};
    int64_t until_ms = 0;
    fm_status st = host->active(host->ctx, from)
                       ? check_record(&until_ms, from, m, &err)
                       : base_err_set(&err, FM_E_REFUSED, "%s is no active member", from);

    if (st == FM_OK)
        st = copies_known_add(c->store, m->address, from, until_ms, &err);
    if (st == FM_OK)
        st = copies_record_put(c, from, m->address, m->what, &err);
    if (st == FM_OK) {
        memcpy(known.address, m->address, sizeof known.address);
        (void)copies_say(c, from, &known);
        return;
    }
    copies_note(c, "warn", from, "a key of %s is not taken: %s", from, err.text);
    copies_refuse(c, from, m, st == FM_E_IO ? COPIES_NO_DISK : COPIES_NO_OTHER);
}

void copies_on_forget(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_message forgot = {.say = COPIES_FORGOT};
    struct base_err err = {0};
    fm_status st = copies_known_get(c->store, from, m->address, &err);

    if (st == FM_OK)
        st = copies_record_erase(c, from, m->address, &err);
    if (st == FM_OK)
        st = copies_forget(c, from, m->address, &err);
    if (st != FM_OK && st != FM_E_NOT_FOUND) {
        trouble(c, from, m, &err);
        return;
    }
    memcpy(forgot.address, m->address, sizeof forgot.address);
    (void)copies_say(c, from, &forgot);
}
