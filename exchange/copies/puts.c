/* Put and drop: what begins tasks, and who waits for them. */
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

/* ---- those who wait ---- */

struct settled {
    struct copies *c;
    bool all, sent; /* nobody who is there is awaited; no keeper needs the box any more */
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
    fm_status st = copies_tasks_json(&tasks, c, c->config.alias, w->address, false, &err);

    value = json_pack("{s:s,s:O,s:I,s:I}", "address", w->address, "tasks", tasks, "size",
                      (json_int_t)w->size, "until", (json_int_t)w->until_ms);
    if (st == FM_OK)
        w->reply.ok(w->reply.ctx, value);
    else
        w->reply.error(w->reply.ctx, &err);
    json_decref(tasks);
    json_decref(value);
}

void copies_out_settle(struct copies *c, const char *address)
{
    struct settled s = {c, true, true};
    struct base_err err = {0};
    char path[COPIES_PATH];

    if (copies_task_each(c->store, address, look, &s, &err) != FM_OK || !s.sent)
        return;
    copies_store_path(c->store, path, "out", NULL, address);
    (void)unlink(path);
}

void copies_waits_settle(struct copies *c)
{
    for (struct copies_wait **at = &c->waits, *w; (w = *at) != NULL;) {
        struct settled s = {c, true, true};
        struct base_err err = {0};
        if (copies_task_each(c->store, w->address, look, &s, &err) == FM_OK && !s.all) {
            at = &w->next;
            continue;
        }
        copies_out_settle(c, w->address);
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
    if (!copies_is_name(put->name))
        return base_err_set(err, FM_E_ARG,
                            "the document's name: of a plain file, up to %d bytes, without control "
                            "characters",
                            COPIES_NAME - 1);
    if (check_names(c, put->keepers, "keeper", 1, err) != FM_OK)
        return err->code;
    return check_names(c, put->readers, "reader", 0, err);
}

static size_t list_tasks(struct copies_task *tasks, const char *address, const json_t *members,
                         enum copies_role role)
{
    for (size_t i = 0; i < json_array_size(members); i++) {
        struct copies_task *t = &tasks[i];
        *t = (struct copies_task){.role = role, .state = COPIES_WAITING};
        memcpy(t->address, address, sizeof t->address);
        (void)snprintf(t->member, sizeof t->member, "%s",
                       json_string_value(json_array_get(members, i)));
    }
    return json_array_size(members);
}

/* All of them or none: after a crash no reader knows a key of what no keeper shall keep. */
static fm_status put_tasks(struct copies *c, const struct copies_put *put, struct base_err *err)
{
    struct copies_task tasks[2 * COPIES_READERS];
    size_t n = list_tasks(tasks, put->address, put->readers, COPIES_READER);

    n += list_tasks(tasks + n, put->address, put->keepers, COPIES_KEEPER);
    return copies_tasks_put(c->store, tasks, n, err);
}

/* The row comes before the key, so that no key is left that nothing erases; the key and the box
 * are on the disk before the tasks, with which something leaves. */
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
        st = copies_known_add(c->store, put->address, c->config.alias, put->until_ms, err);
    if (st == FM_OK)
        st = copies_record_put(c, c->config.alias, put->address, record, err);
    if (st == FM_OK)
        st = put_tasks(c, put, err);
    json_decref(record);
    return st;
}

/* Nothing has left yet. What cannot be taken back now is without a task, and expires. */
static void take_back(struct copies *c, const char *address)
{
    struct base_err err = {0};

    if (copies_record_erase(c, c->config.alias, address, &err) != FM_OK ||
        copies_forget(c, c->config.alias, address, &err) != FM_OK)
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

fm_status copies_own_end(struct copies *c, const char *address, struct base_err *err)
{
    json_t *left;
    fm_status st = copies_tasks_json(&left, c, c->config.alias, address, false, err);

    if (st == FM_OK && json_array_size(left) == 0)
        st = copies_forget(c, c->config.alias, address, err);
    json_decref(left);
    return st;
}

static fm_status go_task(void *ctx, const struct copies_task *t, struct base_err *err)
{
    (void)err;
    copies_tasks_go(ctx, t->member, copies_now(ctx) - COPIES_RETRY_MS);
    return FM_OK;
}

/* A reader's own knowledge: nobody is told. */
static void answer_forgotten(const char *address, const struct copies_reply *reply)
{
    json_t *value =
        json_pack("{s:s,s:[],s:i,s:i}", "address", address, "tasks", "size", 0, "until", 0);

    reply->ok(reply->ctx, value);
    json_decref(value);
}

void copies_drop(struct copies *c, const char *owner, const char *address,
                 const struct copies_reply *reply)
{
    struct base_err err = {0};
    bool own = copies_is_own(c, owner);
    fm_status st = copies_known_get(c->store, owner, address, &err);

    if (st == FM_OK)
        st = copies_record_erase(c, owner, address, &err);
    if (st == FM_OK && own)
        st = copies_task_each(c->store, address, make_leave, c, &err);
    if (st == FM_OK && own) /* a crash may have left it without tasks */
        st = copies_own_end(c, address, &err);
    else if (st == FM_OK)
        st = copies_forget(c, owner, address, &err);
    if (st != FM_OK) {
        reply->error(reply->ctx, &err);
        return;
    }
    if (!own) {
        answer_forgotten(address, reply);
        return;
    }
    wait_for(c, address, 0, 0, reply);
    if (copies_task_each(c->store, address, go_task, c, &err) != FM_OK)
        copies_note(c, "warn", NULL, "copies: %s", err.text);
    copies_waits_settle(c);
}
