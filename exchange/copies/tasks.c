/* What others shall do about our copies: put, drop, and the tasks that follow from them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
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
    p->task.state = COPIES_DONE; /* what is on the disk holds */
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
        st = copies_record(&record, c, p->task.address, err);
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
    json_t *bare = json_copy(m->what), *proof, *want;
    int64_t until_ms = 0, kept_ms = 0;
    fm_status st = base_json_only(m->what, names, err);

    if (st == FM_OK)
        st = h->did(h->ctx, c->config.alias, owner, err);
    if (st == FM_OK)
        st = h->did(h->ctx, p->alias, keeper, err);
    if (st == FM_OK)
        st = base_json_get_int(&until_ms, m->what, "until", err);
    if (st == FM_OK)
        st = base_json_get_int(&kept_ms, m->what, "kept", err);
    if (st == FM_OK)
        st = base_json_get_object(&proof, m->what, "proof", err);
    if (st == FM_OK) {
        (void)json_object_del(bare, "proof");
        want = json_pack("{s:s,s:s,s:s,s:I,s:s,s:I,s:s,s:I,s:I}", "address", p->task.address,
                         "chain", c->config.chain, "keeper", keeper, "kept", (json_int_t)kept_ms,
                         "owner", owner, "size", (json_int_t)p->size, "type", "FirmianaCopyReceipt",
                         "until", (json_int_t)until_ms, "version", (json_int_t)1);
        if (!json_equal(bare, want))
            st = base_err_set(err, FM_E_PEER, "its receipt is for something else");
        json_decref(want);
    }
    if (st == FM_OK)
        st = h->check(h->ctx, p->alias, bare, proof, err);
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
    json_t *left = NULL;
    fm_status st = copies_task_remove(c->store, t.address, t.member, t.role, &err);

    if (st == FM_OK)
        st = copies_tasks_json(&left, c, t.address, false, &err);
    if (st == FM_OK && json_array_size(left) == 0)
        st = copies_known_remove(c->store, t.address, &err);
    json_decref(left);
    if (st != FM_OK)
        copies_note(c, "warn", p->alias, "copies: %s", err.text);
    p->task.state = COPIES_DONE;
    copies_task_end(c, p);
    copies_tasks_go(c, p->alias, copies_now(c) - COPIES_RETRY_MS);
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
    else if (m->say == COPIES_NO && !leaving)
        settle(c, p,
               m->why == COPIES_NO_DISK || m->why == COPIES_NO_BUSY || m->why == COPIES_NO_OTHER
                   ? COPIES_WAITING
                   : COPIES_REFUSED,
               copies_no_text(m->why), NULL);
    else if (m->say == COPIES_NO)
        settle(c, p, COPIES_LEAVING, copies_no_text(m->why), NULL);
}

/* ---- those who wait ---- */

struct settled {
    struct copies *c;
    bool all, sent; /* nothing is awaited; no keeper needs the box any more */
};

static fm_status look(void *ctx, const struct copies_task *t, struct base_err *err)
{
    struct settled *s = ctx;
    const struct copies_host *h = &s->c->config.host;

    (void)err;
    if (t->state != COPIES_WAITING && t->state != COPIES_LEAVING)
        return FM_OK;
    if (t->role == COPIES_KEEPER && t->state == COPIES_WAITING)
        s->sent = false;
    if (t->at_ms == 0 && h->up(h->ctx, t->member))
        s->all = false;
    return FM_OK;
}

static void answer(struct copies *c, struct copies_wait *w)
{
    struct base_err err = {0};
    json_t *tasks, *value;
    fm_status st = copies_tasks_json(&tasks, c, w->address, false, &err);

    value = json_pack("{s:s,s:O,s:I,s:I}", "address", w->address, "tasks", tasks, "size",
                      (json_int_t)w->size, "until", (json_int_t)w->until_ms);
    if (st == FM_OK)
        w->reply.ok(w->reply.ctx, value);
    else
        w->reply.error(w->reply.ctx, &err);
    json_decref(tasks);
    json_decref(value);
}

void copies_waits_settle(struct copies *c)
{
    for (struct copies_wait **at = &c->waits, *w; (w = *at) != NULL;) {
        struct settled s = {c, true, true};
        struct base_err err = {0};
        char path[COPIES_PATH];
        if (copies_task_each(c->store, w->address, look, &s, &err) == FM_OK && !s.all) {
            at = &w->next;
            continue;
        }
        copies_store_path(c->store, path, "out", NULL, w->address);
        if (s.sent)
            (void)unlink(path);
        *at = w->next;
        answer(c, w);
        free(w);
    }
}

static void wait_for(struct copies *c, const char *address, int64_t size, int64_t until_ms,
                     const struct copies_reply *reply)
{
    struct copies_wait *w = calloc(1, sizeof *w);
    struct base_err err = {0};

    if (w == NULL) {
        (void)base_err_memory(&err, "copies");
        reply->error(reply->ctx, &err);
        return;
    }
    memcpy(w->address, address, sizeof w->address);
    w->reply = *reply;
    w->size = size;
    w->until_ms = until_ms;
    w->next = c->waits;
    c->waits = w;
}

/* ---- put ---- */

static fm_status check_names(struct copies *c, const json_t *list, const char *what, size_t least,
                             struct base_err *err)
{
    const struct copies_host *h = &c->config.host;

    if (!copies_aliases(list) || json_array_size(list) < least)
        return base_err_set(err, FM_E_ARG, "%s: %zu to %d different aliases of members", what,
                            least, COPIES_READERS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *alias = json_string_value(json_array_get(list, i));
        if (strcmp(alias, c->config.alias) == 0)
            return base_err_set(err, FM_E_ARG, "%s %s: that is this member itself", what, alias);
        if (!h->active(h->ctx, alias))
            return base_err_set(err, FM_E_NOT_FOUND, "%s %s: no active member of that alias", what,
                                alias);
    }
    return FM_OK;
}

static fm_status check_put(struct copies *c, const struct copies_put *put, struct base_err *err)
{
    int64_t now = copies_now(c);

    if (put->size < BOX_LEAST || put->size > BOX_MAX)
        return base_err_set(err, FM_E_LIMIT, "a box of %lld bytes: members keep up to %d",
                            (long long)put->size, BOX_MAX);
    if (put->until_ms <= now || put->until_ms > now + COPIES_YEARS * 366LL * 86400000)
        return base_err_set(err, FM_E_ARG, "copies are kept for up to %d years", COPIES_YEARS);
    if (check_names(c, put->keepers, "keeper", 1, err) != FM_OK)
        return err->code;
    return check_names(c, put->readers, "reader", 0, err);
}

static fm_status put_tasks(struct copies *c, const char *address, const json_t *members,
                           enum copies_role role, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < json_array_size(members); i++) {
        struct copies_task t = {.role = role, .state = COPIES_WAITING};
        memcpy(t.address, address, sizeof t.address);
        (void)snprintf(t.member, sizeof t.member, "%s",
                       json_string_value(json_array_get(members, i)));
        st = copies_task_put(c->store, &t, err);
    }
    return st;
}

/* The key is on the disk before anything that it opens leaves; the box before its row. */
static fm_status put_all(struct copies *c, const struct copies_put *put, struct base_err *err)
{
    char path[COPIES_PATH], key[65];
    json_t *record;
    fm_status st = FM_OK;

    base_hex(key, put->key32, 32);
    record =
        json_pack("{s:s,s:s,s:O,s:s,s:s,s:O,s:I,s:I}", "address", put->address, "key", key,
                  "keepers", put->keepers, "name", put->name, "owner", c->config.alias, "readers",
                  put->readers, "size", (json_int_t)put->size, "until", (json_int_t)put->until_ms);
    base_wipe(key, sizeof key);
    if (record == NULL)
        st = base_err_memory(err, "copy");
    copies_store_path(c->store, path, "out", NULL, put->address);
    if (st == FM_OK && rename(put->staged, path) != 0)
        st = base_err_errno(err, path);
    if (st == FM_OK)
        st = base_file_sync_folder(path, err);
    if (st == FM_OK)
        st = c->config.host.seal(c->config.host.ctx, put->address, record, err);
    if (st == FM_OK)
        st = copies_known_add(c->store, put->address, c->config.alias, put->until_ms, err);
    if (st == FM_OK)
        st = put_tasks(c, put->address, put->readers, COPIES_READER, err);
    if (st == FM_OK)
        st = put_tasks(c, put->address, put->keepers, COPIES_KEEPER, err);
    json_decref(record);
    return st;
}

/* Nothing has left yet. What cannot be taken back now is without a task, and expires. */
static void take_back(struct copies *c, const char *address)
{
    struct base_err err = {0};

    if (c->config.host.erase(c->config.host.ctx, address, &err) != FM_OK ||
        copies_known_remove(c->store, address, &err) != FM_OK)
        copies_note(c, "warn", NULL, "copy %.16s: %s", address, err.text);
}

static void go_all(struct copies *c, const json_t *members)
{
    for (size_t i = 0; i < json_array_size(members); i++)
        copies_tasks_go(c, json_string_value(json_array_get(members, i)),
                        copies_now(c) - COPIES_RETRY_MS);
}

void copies_put(struct copies *c, const struct copies_put *put, const struct copies_reply *reply)
{
    struct base_err err = {0};
    fm_status st = check_put(c, put, &err);

    if (st == FM_OK && (st = put_all(c, put, &err)) != FM_OK)
        take_back(c, put->address);
    if (st != FM_OK) {
        (void)unlink(put->staged);
        reply->error(reply->ctx, &err);
        return;
    }
    wait_for(c, put->address, put->size, put->until_ms, reply);
    go_all(c, put->keepers);
    go_all(c, put->readers);
    copies_waits_settle(c);
}

/* ---- drop ---- */

static fm_status make_leave(void *ctx, const struct copies_task *t, struct base_err *err)
{
    struct copies *c = ctx;
    struct copies_peer *p = copies_peer(c, t->member);
    struct copies_task leaving = *t;

    if (p != NULL && p->busy && strcmp(p->task.address, t->address) == 0) {
        p->task.state = COPIES_DONE; /* whatever is under way is over, and is not kept */
        copies_task_end(c, p);
    }
    leaving.state = COPIES_LEAVING;
    leaving.at_ms = 0;
    leaving.why[0] = '\0';
    leaving.receipt = NULL;
    return copies_task_put(c->store, &leaving, err);
}

static fm_status go_task(void *ctx, const struct copies_task *t, struct base_err *err)
{
    (void)err;
    copies_tasks_go(ctx, t->member, copies_now(ctx) - COPIES_RETRY_MS);
    return FM_OK;
}

void copies_drop(struct copies *c, const char *address, const struct copies_reply *reply)
{
    char owner[COPIES_ALIAS];
    struct base_err err = {0};
    bool own;
    fm_status st = copies_known_get(owner, c->store, address, &err);

    own = st == FM_OK && strcmp(owner, c->config.alias) == 0;
    if (st == FM_OK)
        st = c->config.host.erase(c->config.host.ctx, address, &err);
    if (st == FM_OK && own)
        st = copies_task_each(c->store, address, make_leave, c, &err);
    else if (st == FM_OK)
        st = copies_known_remove(c->store, address, &err);
    if (st != FM_OK) {
        reply->error(reply->ctx, &err);
        return;
    }
    wait_for(c, address, 0, 0, reply);
    if (own && copies_task_each(c->store, address, go_task, c, &err) != FM_OK)
        copies_note(c, "warn", NULL, "copies: %s", err.text);
    copies_waits_settle(c);
}
