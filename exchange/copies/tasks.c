/* What others shall do about our copies: one task with one member at a time. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "exchange/copies/box.h"
#include "exchange/copies/copies_own.h"

/* ---- one task with one member ---- */

void copies_task_end(struct copies *c, struct copies_peer *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
    json_decref(p->task.receipt);
    if (p->busy && (p->task.state == COPIES_WAITING || p->task.state == COPIES_LEAVING)) {
        /* It was tried: those that wait for it need not wait longer. */
        struct base_err err = {0};
        p->task.receipt = NULL;
        p->task.at_ms = copies_now(c);
        if (copies_task_put(c->store, &p->task, &err) != FM_OK)
            copies_note(c, "warn", p->alias, "copies: %s", err.text);
    }
    p->task = (struct copies_task){0};
    p->busy = false;
}

/* The task is settled so; what it was tried for goes on with the next. */
static void settle(struct copies *c, struct copies_peer *p, enum copies_state state,
                   const char *why, const json_t *receipt)
{
    struct copies_task t = p->task;
    struct base_err err = {0};
    fm_status st;

    t.state = state;
    t.at_ms = copies_now(c);
    t.receipt = (json_t *)(uintptr_t)receipt;
    (void)snprintf(t.why, sizeof t.why, "%s", why);
    st = copies_task_put(c->store, &t, &err);
    if (st != FM_OK)
        copies_note(c, "warn", p->alias, "copies: %s", err.text);
    else if (t.role == COPIES_KEEPER && state != COPIES_WAITING)
        copies_out_settle(c, t.address); /* whoever put it may have stopped waiting long ago */
    p->task.state = COPIES_DONE;         /* what is on the disk holds */
    copies_task_end(c, p);
    copies_tasks_go(c, p->alias, copies_now(c) - COPIES_RETRY_MS);
}

static void send_part(struct copies *c, struct copies_peer *p)
{
    static uint8_t block[COPIES_PART];
    struct copies_message part = {.say = COPIES_PART_OF, .at = p->at, .bytes = block};
    struct base_err err = {0};

    part.len = p->size - p->at < COPIES_PART ? (size_t)(p->size - p->at) : sizeof block;
    memcpy(part.address, p->task.address, sizeof part.address);
    if (box_read_at(p->fd, block, part.len, p->at, &err) != FM_OK) {
        settle(c, p, COPIES_REFUSED, "this node's own box of it cannot be read: put it again",
               NULL);
        return;
    }
    p->at += (int64_t)part.len;
    (void)copies_say(c, p->alias, &part);
}

static void tell(struct copies *c, const struct copies_peer *p)
{
    for (const struct copies_wait *w = c->waits; w != NULL; w = w->next)
        if (strcmp(w->address, p->task.address) == 0 && w->reply.progress != NULL) {
            char text[128];
            (void)snprintf(text, sizeof text, "%s: %lld of %lld KiB", p->alias,
                           (long long)(p->at >> 10), (long long)((p->size + 1023) >> 10));
            w->reply.progress(w->reply.ctx, text);
        }
}

static fm_status open_box(struct copies *c, struct copies_peer *p, struct base_err *err)
{
    char path[COPIES_PATH];

    copies_store_path(c->store, path, "out", NULL, p->task.address);
    p->fd = open(path, O_RDONLY | O_CLOEXEC);
    return p->fd >= 0 ? FM_OK : base_err_errno(err, path);
}

/* The first message of a task. */
static fm_status begin(struct copies *c, struct copies_peer *p, struct base_err *err)
{
    struct copies_message m = {.say = COPIES_DROP};
    json_t *record = NULL;
    fm_status st = FM_OK;

    memcpy(m.address, p->task.address, sizeof m.address);
    if (p->task.state == COPIES_LEAVING)
        m.say = p->task.role == COPIES_KEEPER ? COPIES_DROP : COPIES_FORGET;
    else {
        m.say = p->task.role == COPIES_KEEPER ? COPIES_OFFER : COPIES_KEY;
        st = copies_record(&record, c, c->config.alias, p->task.address, err);
        if (st == FM_OK && m.say == COPIES_OFFER)
            st = open_box(c, p, err);
    }
    if (st == FM_OK && m.say == COPIES_OFFER) {
        m.what = json_object_get(record, "readers");
        m.size = p->size = json_integer_value(json_object_get(record, "size"));
        m.until_ms = json_integer_value(json_object_get(record, "until"));
    } else
        m.what = record;
    if (st == FM_OK && !copies_say(c, p->alias, &m))
        st = base_err_set(err, FM_E_PEER, "%s is not connected", p->alias);
    json_decref(record);
    return st;
}

void copies_tasks_go(struct copies *c, const char *alias, int64_t before_ms)
{
    struct copies_peer *p = copies_peer(c, alias);
    struct base_err err = {0};
    fm_status st;

    if (p == NULL || p->busy || !c->config.host.up(c->config.host.ctx, alias))
        return;
    st = copies_task_next(&p->task, c->store, alias, before_ms, &err);
    if (st != FM_OK) {
        if (st != FM_E_NOT_FOUND)
            copies_note(c, "warn", alias, "copies: %s", err.text);
        return;
    }
    p->busy = true;
    p->began = false;
    p->at = 0;
    p->due_ms = copies_mono(c) + COPIES_ANSWER_MS;
    if (begin(c, p, &err) == FM_OK)
        return;
    copies_note(c, "warn", alias, "copy %.16s: %s", p->task.address, err.text);
    (void)snprintf(p->task.why, sizeof p->task.why, "%.*s", COPIES_WHY - 1, err.text);
    copies_task_end(c, p);
}

/* ---- what the member says ---- */

static fm_status check_receipt(struct copies *c, const struct copies_peer *p,
                               const struct copies_message *m, struct base_err *err)
{
    static const char *const names[] = {"address", "chain", "keeper", "kept",    "owner", "proof",
                                        "size",    "type",  "until",  "version", NULL};
    const struct copies_host *h = &c->config.host;
    char owner[COPIES_DID], keeper[COPIES_DID];
    json_t *bare = json_copy(m->what), *proof, *want, *record = NULL;
    int64_t kept_ms = 0;
    fm_status st = base_json_only(m->what, names, err);

    if (st == FM_OK)
        st = h->did(h->ctx, c->config.alias, owner, err);
    if (st == FM_OK)
        st = h->did(h->ctx, p->alias, keeper, err);
    if (st == FM_OK)
        st = copies_record(&record, c, c->config.alias, p->task.address, err);
    if (st == FM_OK)
        st = base_json_get_int(&kept_ms, m->what, "kept", err);
    if (st == FM_OK)
        st = base_json_get_object(&proof, m->what, "proof", err);
    if (st == FM_OK) {
        (void)json_object_del(bare, "proof");
        want = json_pack("{s:s,s:s,s:s,s:I,s:s,s:I,s:s,s:I,s:I}", "address", p->task.address,
                         "chain", c->config.chain, "keeper", keeper, "kept", (json_int_t)kept_ms,
                         "owner", owner, "size", (json_int_t)p->size, "type", "FirmianaCopyReceipt",
                         "until", json_integer_value(json_object_get(record, "until")), "version",
                         (json_int_t)1);
        if (!json_equal(bare, want))
            st = base_err_set(err, FM_E_PEER, "its receipt is for something else");
        json_decref(want);
    }
    if (st == FM_OK)
        st = h->check(h->ctx, p->alias, bare, proof, err);
    json_decref(record);
    json_decref(bare);
    return st;
}

static void on_go(struct copies *c, struct copies_peer *p, const struct copies_message *m)
{
    /* Where it has got to is believed once; then it goes on from what it was sent. */
    if (p->task.role != COPIES_KEEPER || p->task.state != COPIES_WAITING || p->fd < 0 ||
        m->at >= p->size || (p->began && m->at != p->at)) {
        settle(c, p, COPIES_WAITING, "it did not go on where it stood", NULL);
        return;
    }
    p->at = m->at;
    p->began = true;
    tell(c, p);
    send_part(c, p);
}

static void on_kept(struct copies *c, struct copies_peer *p, const struct copies_message *m)
{
    struct base_err err = {0};

    if (check_receipt(c, p, m, &err) == FM_OK) {
        settle(c, p, COPIES_DONE, "", m->what);
        return;
    }
    copies_note(c, "warn", p->alias, "%s: receipt of copy %.16s: %s", p->alias, m->address,
                err.text);
    settle(c, p, COPIES_REFUSED, "its receipt is not right", NULL);
}

/* A member has let go of it: once all have, nothing is left of the copy. */
static void on_gone(struct copies *c, struct copies_peer *p)
{
    struct base_err err = {0};
    struct copies_task t = p->task;
    fm_status st = copies_task_remove(c->store, t.address, t.member, t.role, &err);

    if (st == FM_OK)
        st = copies_own_end(c, t.address, &err);
    if (st != FM_OK)
        copies_note(c, "warn", p->alias, "copies: %s", err.text);
    p->task.state = COPIES_DONE;
    copies_task_end(c, p);
    copies_tasks_go(c, p->alias, copies_now(c) - COPIES_RETRY_MS);
}

/* A keeper that was sent all of it says that it is something else: sending it again every minute
 * helps only if that is not so. */
static bool own_box_is_right(const struct copies_peer *p)
{
    struct base_err err = {0};
    uint8_t hash[32];
    char hex[65];
    int64_t size;

    if (p->fd < 0 || p->at != p->size)
        return true;
    if (box_address(hash, &size, p->fd, NULL, &err) != FM_OK)
        return false;
    base_hex(hex, hash, 32);
    return strcmp(hex, p->task.address) == 0;
}

void copies_on_answer(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_peer *p = copies_peer(c, from);
    bool leaving;

    if (p == NULL || !p->busy || strcmp(p->task.address, m->address) != 0)
        return; /* late: what it was about has ended */
    p->due_ms = copies_mono(c) + COPIES_ANSWER_MS;
    leaving = p->task.state == COPIES_LEAVING;
    if (m->say == COPIES_GO && !leaving)
        on_go(c, p, m);
    else if (m->say == COPIES_KEPT && !leaving && p->task.role == COPIES_KEEPER)
        on_kept(c, p, m);
    else if (m->say == COPIES_KNOWN && !leaving && p->task.role == COPIES_READER)
        settle(c, p, COPIES_DONE, "", NULL);
    else if (leaving && (m->say == COPIES_DROPPED || m->say == COPIES_FORGOT))
        on_gone(c, p);
    else if (m->say == COPIES_NO && !leaving && m->why == COPIES_NO_OTHER && !own_box_is_right(p))
        settle(c, p, COPIES_REFUSED, "this node's own box of it is damaged: put it again", NULL);
    else if (m->say == COPIES_NO && !leaving)
        settle(c, p,
               m->why == COPIES_NO_DISK || m->why == COPIES_NO_BUSY || m->why == COPIES_NO_OTHER
                   ? COPIES_WAITING
                   : COPIES_REFUSED,
               copies_no_text(m->why), NULL);
    else if (m->say == COPIES_NO)
        settle(c, p, COPIES_LEAVING, copies_no_text(m->why), NULL);
}
