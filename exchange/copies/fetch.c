/* Getting a copy from whoever keeps it, and asking who else did. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "exchange/copies/box.h"
#include "exchange/copies/copies_own.h"

/* ---- one fetch ---- */

static void fetch_free(struct copies *c, struct copies_fetch *f)
{
    struct copies_fetch **at = &c->fetches;
    uint8_t unused[32];

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    if (f->hashing)
        base_hash_final(&f->hash, unused);
    if (f->part >= 0)
        (void)close(f->part);
    (void)close(f->file);
    json_decref(f->record);
    json_decref(f->keepers);
    json_decref(f->failed);
    free(f);
}

static void fetch_fail(struct copies *c, struct copies_fetch *f, const struct base_err *err)
{
    struct copies_reply reply = f->reply;

    fetch_free(c, f);
    reply.error(reply.ctx, err);
}

/* From the beginning, from whoever is asked next. */
static fm_status start_over(struct copies_fetch *f, struct base_err *err)
{
    uint8_t unused[32];

    if (f->hashing)
        base_hash_final(&f->hash, unused);
    base_hash_init(&f->hash);
    f->hashing = true;
    f->at = 0;
    f->whole = true;
    return ftruncate(f->part, 0) == 0 ? FM_OK : base_err_errno(err, "copy");
}

static void ask_next(struct copies *c, struct copies_fetch *f);

static void ask(struct copies *c, struct copies_fetch *f)
{
    struct copies_message get = {.say = COPIES_GET, .at = f->at};

    memcpy(get.address, f->address, sizeof get.address);
    (void)snprintf(get.owner, sizeof get.owner, "%s",
                   json_string_value(json_object_get(f->record, "owner")));
    f->due_ms = copies_mono(c) + COPIES_ANSWER_MS;
    /* Not sent: the peer is down, which a tick finds out. */
    (void)copies_say(c, f->from, &get);
}

static void fetch_note(struct copies *c, struct copies_fetch *f, const char *why)
{
    (void)json_array_append_new(f->failed, json_pack("{s:s,s:s}", "keeper", f->from, "why", why));
    copies_note(c, "warn", f->from, "copy %.16s is not had from %s: %s", f->address, f->from, why);
}

/* This keeper does not serve: the next one. */
static void pass_over(struct copies *c, struct copies_fetch *f, const char *why)
{
    fetch_note(c, f, why);
    f->whole = f->at == 0;
    ask_next(c, f);
}

static void nobody_left(struct copies *c, struct copies_fetch *f)
{
    struct base_buf text = {0};
    struct base_err err = {0};
    json_t *item;
    size_t i;

    json_array_foreach(f->failed, i, item) base_buf_putf(
        &text, "%s%s: %s", i > 0 ? "; " : "", json_string_value(json_object_get(item, "keeper")),
        json_string_value(json_object_get(item, "why")));
    (void)base_err_set(&err, FM_E_PEER, "no keeper of copy %.16s gave it: %s", f->address,
                       base_buf_cstr(&text));
    base_buf_release(&text);
    fetch_fail(c, f, &err);
}

static void ask_next(struct copies *c, struct copies_fetch *f)
{
    const struct copies_host *h = &c->config.host;

    while (f->turn < json_array_size(f->keepers)) {
        (void)snprintf(f->from, sizeof f->from, "%s",
                       json_string_value(json_array_get(f->keepers, f->turn++)));
        if (h->up(h->ctx, f->from)) {
            ask(c, f);
            return;
        }
        fetch_note(c, f, "it is not connected");
    }
    nobody_left(c, f);
}

/* All bytes are here. */
static void complete(struct copies *c, struct copies_fetch *f)
{
    struct copies_reply reply = f->reply;
    struct base_err err = {0};
    char path[COPIES_PATH], hex[65];
    uint8_t hash[32];
    json_t *value;

    base_hash_final(&f->hash, hash);
    f->hashing = false;
    base_hex(hex, hash, 32);
    if (strcmp(hex, f->address) != 0) {
        bool theirs = f->whole;
        if (start_over(f, &err) != FM_OK)
            fetch_fail(c, f, &err);
        else if (theirs)
            pass_over(c, f, "what it gave is not the copy of that address: damaged or forged");
        else /* part of it came from elsewhere: nobody is blamed for that */
            ask(c, f);
        return;
    }
    if (box_copy(f->file, f->part, f->size, NULL, &err) != FM_OK) {
        fetch_fail(c, f, &err);
        return;
    }
    copies_store_path(c->store, path, "get", NULL, f->address);
    (void)unlink(path);
    value = json_pack("{s:O,s:s,s:O}", "failed", f->failed, "from", f->from, "record", f->record);
    fetch_free(c, f);
    reply.ok(reply.ctx, value);
    json_decref(value);
}

static struct copies_fetch *find_fetch(struct copies *c, const char *from, const char *address)
{
    struct copies_fetch *f = c->fetches;

    while (f != NULL && (strcmp(f->from, from) != 0 || strcmp(f->address, address) != 0))
        f = f->next;
    return f;
}

static void progress(const struct copies_fetch *f)
{
    char text[128];

    (void)snprintf(text, sizeof text, "%s: %lld of %lld KiB", f->from, (long long)(f->at >> 10),
                   (long long)((f->size + 1023) >> 10));
    if (f->reply.progress != NULL)
        f->reply.progress(f->reply.ctx, text);
}

void copies_on_data(struct copies *c, const char *from, const struct copies_message *m)
{
    struct copies_fetch *f = find_fetch(c, from, m->address);
    struct base_err err = {0};
    int64_t rest;

    if (f == NULL)
        return; /* late */
    if (m->say == COPIES_NO) {
        pass_over(c, f, copies_no_text(m->why));
        return;
    }
    /* Less than was asked for is refused too: a byte at a time would last for ever. */
    rest = f->size - f->at;
    if (m->size != f->size || m->at != f->at ||
        (int64_t)m->len != (rest < COPIES_PART ? rest : COPIES_PART)) {
        pass_over(c, f, "what it gave is of another size or place");
        return;
    }
    if (box_write_at(f->part, m->bytes, m->len, f->at, &err) != FM_OK) {
        fetch_fail(c, f, &err);
        return;
    }
    base_hash_update(&f->hash, m->bytes, m->len);
    f->at += (int64_t)m->len;
    progress(f);
    if (f->at == f->size)
        complete(c, f);
    else
        ask(c, f);
}

/* ---- beginning and end ---- */

/* What a former fetch left is gone on with. */
static fm_status open_part(struct copies *c, struct copies_fetch *f, struct base_err *err)
{
    static uint8_t block[BOX_CHUNK];
    char path[COPIES_PATH];
    struct stat info;
    int64_t have;
    fm_status st;

    copies_store_path(c->store, path, "get", NULL, f->address);
    f->part = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->part < 0 || fstat(f->part, &info) != 0)
        return base_err_errno(err, path);
    have = info.st_size < f->size ? info.st_size : 0;
    if (have == 0)
        return start_over(f, err);
    base_hash_init(&f->hash);
    f->hashing = true;
    for (st = FM_OK; st == FM_OK && f->at < have;) {
        size_t len = have - f->at < BOX_CHUNK ? (size_t)(have - f->at) : sizeof block;
        st = box_read_at(f->part, block, len, f->at, err);
        base_hash_update(&f->hash, block, st == FM_OK ? len : 0);
        f->at += (int64_t)len;
    }
    return st;
}

static fm_status choose_keepers(struct copies_fetch *f, const char *from, struct base_err *err)
{
    const json_t *keepers = json_object_get(f->record, "keepers");

    if (from != NULL && !copies_listed(keepers, from))
        return base_err_set(err, FM_E_ARG, "%s is no keeper of copy %.16s", from, f->address);
    f->keepers = from != NULL ? json_pack("[s]", from) : json_incref((json_t *)(uintptr_t)keepers);
    f->failed = json_array();
    return f->keepers != NULL ? FM_OK : base_err_memory(err, "copy");
}

void copies_get(struct copies *c, const char *owner, const char *address, const char *from,
                int file, const struct copies_reply *reply)
{
    struct copies_fetch *f = calloc(1, sizeof *f);
    struct base_err err = {0};
    fm_status st = f != NULL ? FM_OK : base_err_memory(&err, "copy");

    if (f == NULL) {
        (void)close(file);
        reply->error(reply->ctx, &err);
        return;
    }
    memcpy(f->address, address, sizeof f->address);
    f->reply = *reply;
    f->file = file;
    f->part = -1;
    for (const struct copies_fetch *other = c->fetches; other != NULL; other = other->next)
        if (strcmp(other->address, address) == 0)
            st = base_err_set(&err, FM_E_CONFLICT, "copy %.16s is being fetched already", address);
    f->next = c->fetches;
    c->fetches = f;
    if (st == FM_OK)
        st = copies_record(&f->record, c, owner, address, &err);
    if (st == FM_OK)
        st = choose_keepers(f, from, &err);
    f->size = json_integer_value(json_object_get(f->record, "size"));
    if (st == FM_OK)
        st = copies_store_room(c->store, f->size, &err);
    if (st == FM_OK)
        st = open_part(c, f, &err);
    if (st == FM_OK)
        ask_next(c, f);
    else
        fetch_fail(c, f, &err);
}

void copies_fetch_down(struct copies *c, const char *alias)
{
    for (struct copies_fetch *f = c->fetches, *next; f != NULL; f = next) {
        next = f->next;
        if (strcmp(f->from, alias) == 0)
            pass_over(c, f, "it left");
    }
    for (struct copies_asked *a = c->asked; a != NULL; a = a->next)
        (void)json_object_del(a->waiting, alias);
    copies_fetch_tick(c);
}

/* ---- who fetched ---- */

static void asked_free(struct copies *c, struct copies_asked *a)
{
    struct copies_asked **at = &c->asked;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    json_decref(a->waiting);
    json_decref(a->value);
    free(a);
}

static void asked_end(struct copies *c, struct copies_asked *a)
{
    a->reply.ok(a->reply.ctx, a->value);
    asked_free(c, a);
}

/* What a keeper counts is shown to people: whom it names has an alias. */
static bool are_fetches(const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *by = json_string_value(json_object_get(item, "by"));
        if (by == NULL || !did_alias_is_valid(by))
            return false;
    }
    return true;
}

void copies_on_fetches(struct copies *c, const char *from, const struct copies_message *m)
{
    for (struct copies_asked *a = c->asked, *next; a != NULL; a = next) {
        next = a->next;
        if (strcmp(a->address, m->address) != 0 || json_object_get(a->waiting, from) == NULL)
            continue;
        (void)json_object_del(a->waiting, from);
        if (m->say == COPIES_FETCHES && are_fetches(m->what))
            (void)json_object_set(json_object_get(a->value, "fetches"), from, m->what);
        if (json_object_size(a->waiting) == 0)
            asked_end(c, a);
    }
}

static fm_status ask_keeper(void *ctx, const struct copies_task *t, struct base_err *err)
{
    struct copies_message m = {.say = COPIES_ASK};
    struct copies_asked *a = ((struct copies *)ctx)->asked;

    (void)err;
    memcpy(m.address, t->address, sizeof m.address);
    if (t->role == COPIES_KEEPER && t->state == COPIES_DONE && copies_say(ctx, t->member, &m))
        (void)json_object_set_new(a->waiting, t->member, json_true());
    return FM_OK;
}

static fm_status describe(json_t **out, struct copies *c, const char *owner, const char *address,
                          struct base_err *err)
{
    json_t *record = NULL, *tasks = NULL, *shown;
    fm_status st = copies_record(&record, c, owner, address, err);

    if (st == FM_OK)
        st = copies_tasks_json(&tasks, c, owner, address, true, err);
    shown = json_copy(record);
    (void)json_object_del(shown, "key");
    *out = st == FM_OK ? json_pack("{s:O,s:O,s:{}}", "record", shown, "tasks", tasks, "fetches")
                       : NULL;
    json_decref(shown);
    json_decref(record);
    json_decref(tasks);
    return st;
}

void copies_show(struct copies *c, const char *owner, const char *address,
                 const struct copies_reply *reply)
{
    struct copies_asked *a = calloc(1, sizeof *a);
    struct base_err err = {0};
    fm_status st = a != NULL ? FM_OK : base_err_memory(&err, "copy");

    if (st == FM_OK)
        st = describe(&a->value, c, owner, address, &err);
    if (st != FM_OK) {
        free(a);
        reply->error(reply->ctx, &err);
        return;
    }
    memcpy(a->address, address, sizeof a->address);
    a->reply = *reply;
    a->waiting = json_object();
    a->due_ms = copies_mono(c) + COPIES_ANSWER_MS;
    a->next = c->asked;
    c->asked = a;
    if (copies_is_own(c, owner) &&
        copies_task_each(c->store, address, ask_keeper, c, &err) != FM_OK)
        copies_note(c, "warn", NULL, "copies: %s", err.text);
    if (json_object_size(a->waiting) == 0)
        asked_end(c, a);
}

/* ---- time and leaving ---- */

void copies_fetch_tick(struct copies *c)
{
    const struct copies_host *h = &c->config.host;
    int64_t mono = copies_mono(c);

    for (struct copies_fetch *f = c->fetches, *next; f != NULL; f = next) {
        next = f->next;
        if (mono > f->due_ms || !h->up(h->ctx, f->from))
            pass_over(c, f, mono > f->due_ms ? "it did not answer" : "it left");
    }
    for (struct copies_asked *a = c->asked, *next; a != NULL; a = next) {
        next = a->next;
        if (mono > a->due_ms || json_object_size(a->waiting) == 0)
            asked_end(c, a);
    }
}

void copies_fetch_cancel(struct copies *c, const void *reply_ctx, const struct base_err *why)
{
    for (struct copies_fetch *f = c->fetches, *next; f != NULL; f = next) {
        next = f->next;
        if (reply_ctx != NULL && f->reply.ctx != reply_ctx)
            continue;
        if (why != NULL)
            fetch_fail(c, f, why);
        else
            fetch_free(c, f);
    }
    for (struct copies_asked *a = c->asked, *next; a != NULL; a = next) {
        next = a->next;
        if (reply_ctx != NULL && a->reply.ctx != reply_ctx)
            continue;
        if (why != NULL)
            a->reply.error(a->reply.ctx, why);
        asked_free(c, a);
    }
}
