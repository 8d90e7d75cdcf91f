#include "exchange/copies/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "did/document.h"
#include "exchange/copies/copies_own.h"

enum { SWEEP_MS = 60000 };

int64_t copies_now(const struct copies *c)
{
    return base_clock_unix_ms(c->config.clock);
}

int64_t copies_mono(const struct copies *c)
{
    return base_clock_mono_ms(c->config.clock);
}

void copies_note(struct copies *c, const char *level, const char *alias, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    c->config.host.log(c->config.host.ctx, level, alias, text);
}

struct copies_peer *copies_peer(struct copies *c, const char *alias)
{
    struct copies_peer **at = &c->peers;

    while (*at != NULL && strcmp((*at)->alias, alias) != 0)
        at = &(*at)->next;
    if (*at == NULL && strlen(alias) < COPIES_ALIAS && (*at = calloc(1, sizeof **at)) != NULL) {
        memcpy((*at)->alias, alias, strlen(alias) + 1);
        (*at)->fd = -1;
        (*at)->in.fd = -1;
    }
    return *at;
}

bool copies_say(struct copies *c, const char *to, const struct copies_message *m)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};
    bool sent = false;

    if (copies_message_put(&bytes, m, &err) == FM_OK)
        sent = c->config.host.send(c->config.host.ctx, to, bytes.p, bytes.len);
    else
        copies_note(c, "error", to, "%s", err.text);
    base_buf_release_secret(&bytes);
    return sent;
}

void copies_refuse(struct copies *c, const char *to, const struct copies_message *m,
                   enum copies_no why)
{
    struct copies_message no = {.say = COPIES_NO, .to = m->say, .why = why};

    memcpy(no.address, m->address, sizeof no.address);
    (void)copies_say(c, to, &no);
}

bool copies_listed(const json_t *list, const char *alias)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) if (strcmp(json_string_value(item), alias) == 0) return true;
    return false;
}

bool copies_aliases(const json_t *list)
{
    if (!json_is_array(list) || json_array_size(list) > COPIES_READERS)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *alias = json_string_value(json_array_get(list, i));
        if (alias == NULL || !did_alias_is_valid(alias))
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(json_string_value(json_array_get(list, k)), alias) == 0)
                return false;
    }
    return true;
}

bool copies_is_name(const char *name)
{
    if (name[0] == '\0' || name[0] == '.' || strlen(name) >= COPIES_NAME)
        return false;
    for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++)
        if (*p < 0x20 || *p == 0x7f || *p == '/' || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
            return false; /* the last: U+0080 to U+009F, which terminals obey as well */
    return true;
}

/* ---- life ---- */

fm_status copies_open(struct copies **out, const struct copies_config *config, struct base_err *err)
{
    struct copies *c = calloc(1, sizeof *c);

    *out = NULL;
    if (c == NULL)
        return base_err_memory(err, "copies");
    c->config = *config;
    if (copies_store_open(&c->store, config->dir, err) != FM_OK) {
        free(c);
        return err->code;
    }
    c->swept_ms = copies_mono(c) - SWEEP_MS;
    *out = c;
    return FM_OK;
}

void copies_close(struct copies *c)
{
    if (c == NULL)
        return;
    copies_fetch_cancel(c, NULL, NULL);
    while (c->waits != NULL) {
        struct copies_wait *w = c->waits;
        c->waits = w->next;
        free(w);
    }
    while (c->peers != NULL) {
        struct copies_peer *p = c->peers;
        c->peers = p->next;
        copies_task_end(c, p);
        copies_incoming_end(&p->in);
        free(p);
    }
    copies_store_close(c->store);
    free(c);
}

void copies_cancel(struct copies *c, const void *reply_ctx, const struct base_err *why)
{
    for (struct copies_wait **at = &c->waits, *w; (w = *at) != NULL;)
        if (w->reply.ctx == reply_ctx) {
            *at = w->next;
            if (why != NULL)
                w->reply.error(w->reply.ctx, why);
            free(w);
        } else
            at = &w->next;
    copies_fetch_cancel(c, reply_ctx, why);
}

fm_status copies_stage(struct copies *c, int *fd, char path[768], struct base_err *err)
{
    _Static_assert(COPIES_PATH == 768, "as in copies.h");
    copies_store_path(c->store, path, "new", NULL, "XXXXXX");
    *fd = mkstemp(path);
    if (*fd >= 0 && fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0)
        return FM_OK;
    (void)base_err_errno(err, path);
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    return err->code;
}

/* ---- events ---- */

void copies_peer_up(struct copies *c, const char *alias)
{
    copies_tasks_go(c, alias, copies_now(c));
}

void copies_peer_down(struct copies *c, const char *alias)
{
    struct copies_peer *p = copies_peer(c, alias);

    if (p == NULL)
        return;
    copies_task_end(c, p);
    copies_incoming_end(&p->in);
    p->out = (struct copies_outgoing){0};
    copies_fetch_down(c, alias);
    copies_waits_settle(c);
}

void copies_take(struct copies *c, const char *from, const void *bytes, size_t len)
{
    static void (*const take[COPIES_SAYS])(struct copies *, const char *,
                                           const struct copies_message *) = {
        [COPIES_OFFER] = copies_on_offer,   [COPIES_PART_OF] = copies_on_part,
        [COPIES_GET] = copies_on_get,       [COPIES_DROP] = copies_on_drop,
        [COPIES_ASK] = copies_on_ask,       [COPIES_KEY] = copies_on_key,
        [COPIES_FORGET] = copies_on_forget, [COPIES_GO] = copies_on_answer,
        [COPIES_KEPT] = copies_on_answer,   [COPIES_DROPPED] = copies_on_answer,
        [COPIES_KNOWN] = copies_on_answer,  [COPIES_FORGOT] = copies_on_answer,
        [COPIES_DATA] = copies_on_data,     [COPIES_FETCHES] = copies_on_fetches,
    };
    struct copies_message m;
    struct base_err err = {0};

    if (copies_message_parse(&m, bytes, len, &err) != FM_OK) {
        copies_note(c, "warn", from, "%s sent a malformed message about copies: %s", from,
                    err.text);
        return;
    }
    if (m.say != COPIES_NO)
        take[m.say](c, from, &m);
    else if (m.to == COPIES_GET)
        copies_on_data(c, from, &m);
    else if (m.to == COPIES_ASK)
        copies_on_fetches(c, from, &m);
    else
        copies_on_answer(c, from, &m);
    copies_message_release(&m);
    copies_waits_settle(c);
}

static void expire(struct copies *c)
{
    struct base_err err = {0};
    char owner[COPIES_ALIAS], address[65];
    int64_t gone = 0;
    bool found = true;
    fm_status st =
        copies_held_expire(&gone, c->store, copies_now(c), copies_now(c) - COPIES_STALE_MS, &err);

    if (gone > 0)
        copies_note(c, "info", NULL, "%lld copies kept for others went: their time was over",
                    (long long)gone);
    while (st == FM_OK && found) {
        st = copies_known_over(&found, owner, address, c->store, copies_now(c), &err);
        if (st != FM_OK || !found)
            break;
        st = copies_record_erase(c, owner, address, &err);
        if (st == FM_OK)
            st = copies_forget(c, owner, address, &err);
    }
    if (st != FM_OK)
        copies_note(c, "warn", NULL, "copies: %s", err.text);
}

void copies_tick(struct copies *c)
{
    int64_t mono = copies_mono(c);
    bool sweep = mono - c->swept_ms >= SWEEP_MS;

    for (struct copies_peer *p = c->peers; p != NULL; p = p->next) {
        if (p->busy && mono > p->due_ms) {
            copies_note(c, "warn", p->alias, "%s did not answer about copy %.16s", p->alias,
                        p->task.address);
            copies_task_end(c, p);
        }
        if (sweep && c->config.host.up(c->config.host.ctx, p->alias))
            copies_tasks_go(c, p->alias, copies_now(c) - COPIES_RETRY_MS);
    }
    if (sweep) {
        c->swept_ms = mono;
        expire(c);
    }
    copies_fetch_tick(c);
    copies_waits_settle(c);
}

/* ---- lists ---- */

bool copies_is_own(const struct copies *c, const char *owner)
{
    return strcmp(owner, c->config.alias) == 0;
}

enum { SECRET_NAME = COPIES_ALIAS + 65 };

static const char *secret_name(char out[SECRET_NAME], const char *owner, const char *address)
{
    (void)snprintf(out, SECRET_NAME, "%.*s/%.64s", COPIES_ALIAS - 1, owner, address);
    return out;
}

fm_status copies_record_put(struct copies *c, const char *owner, const char *address,
                            const json_t *record, struct base_err *err)
{
    char name[SECRET_NAME];

    return c->config.host.seal(c->config.host.ctx, secret_name(name, owner, address), record, err);
}

fm_status copies_record_erase(struct copies *c, const char *owner, const char *address,
                              struct base_err *err)
{
    char name[SECRET_NAME];

    return c->config.host.erase(c->config.host.ctx, secret_name(name, owner, address), err);
}

fm_status copies_forget(struct copies *c, const char *owner, const char *address,
                        struct base_err *err)
{
    fm_status st = copies_is_own(c, owner) ? copies_tasks_remove(c->store, address, err) : FM_OK;

    return st == FM_OK ? copies_known_remove(c->store, owner, address, err) : st;
}

fm_status copies_record(json_t **out, struct copies *c, const char *owner, const char *address,
                        struct base_err *err)
{
    char name[SECRET_NAME];

    *out = NULL;
    if (copies_known_get(c->store, owner, address, err) != FM_OK)
        return err->code;
    if (c->config.host.unseal(c->config.host.ctx, secret_name(name, owner, address), out, err) ==
        FM_OK)
        return FM_OK;
    return err->code != FM_E_NOT_FOUND
               ? err->code
               : base_err_set(err, FM_E_NOT_FOUND, "copy %.16s was dropped", address);
}

struct listing {
    struct copies *c;
    json_t *list;
    bool receipts;
};

static fm_status list_task(void *ctx, const struct copies_task *t, struct base_err *err)
{
    static const char *const roles[] = {"keeper", "reader"};
    static const char *const states[][2] = {
        {"waiting", "waiting"}, {"kept", "known"}, {"refused", "refused"}, {"leaving", "leaving"}};
    const struct listing *l = ctx;
    const struct copies_host *h = &l->c->config.host;
    json_t *item =
        json_pack("{s:s,s:s,s:s,s:b,s:s,s:I}", "member", t->member, "role", roles[t->role], "state",
                  states[t->state][t->role], "up", (int)h->up(h->ctx, t->member), "why", t->why,
                  "at", (json_int_t)t->at_ms);

    if (item != NULL && l->receipts && t->receipt != NULL)
        (void)json_object_set(item, "receipt", t->receipt);
    return json_array_append_new(l->list, item) == 0 ? FM_OK : base_err_memory(err, "copies");
}

fm_status copies_tasks_json(json_t **out, struct copies *c, const char *owner, const char *address,
                            bool receipts, struct base_err *err)
{
    struct listing l = {c, json_array(), receipts};

    *out = l.list;
    return copies_is_own(c, owner) ? copies_task_each(c->store, address, list_task, &l, err)
                                   : FM_OK;
}

static fm_status describe_known(struct copies *c, json_t *item, struct base_err *err)
{
    const char *address = json_string_value(json_object_get(item, "address"));
    const char *owner = json_string_value(json_object_get(item, "owner"));
    struct base_err none = {0};
    json_t *record = NULL, *tasks = NULL;
    fm_status st = copies_tasks_json(&tasks, c, owner, address, false, err);

    (void)json_object_set_new(item, "tasks", tasks);
    if (st == FM_OK && copies_record(&record, c, owner, address, &none) == FM_OK)
        for (const char *const *name = (const char *const[]){"name", "size", "keepers", NULL};
             *name != NULL; name++)
            (void)json_object_set(item, *name, json_object_get(record, *name));
    json_decref(record);
    return st;
}

void copies_list(struct copies *c, const struct copies_reply *reply)
{
    json_t *known = NULL, *held = NULL, *item, *value;
    struct base_err err = {0};
    size_t i;
    fm_status st = copies_known_list(&known, c->store, &err);

    if (st == FM_OK)
        st = copies_held_list(&held, c->store, &err);
    json_array_foreach(known, i, item) if (st == FM_OK) st = describe_known(c, item, &err);
    value = json_pack("{s:O,s:O,s:I}", "known", known, "held", held, "quota",
                      (json_int_t)c->config.quota);
    if (st == FM_OK)
        reply->ok(reply->ctx, value);
    else
        reply->error(reply->ctx, &err);
    json_decref(value);
    json_decref(known);
    json_decref(held);
}

/* Whose, in "OWNER/DIGITS"; "": not said. */
static fm_status split_find(char owner[COPIES_ALIAS], const char **digits, const char *text,
                            struct base_err *err)
{
    const char *slash = strchr(text, '/');

    owner[0] = '\0';
    *digits = slash != NULL ? slash + 1 : text;
    if (slash == NULL)
        return FM_OK;
    if ((size_t)(slash - text) >= COPIES_ALIAS || strlen(*digits) > 64)
        return base_err_set(err, FM_E_ARG, "'%.100s' is no OWNER/ADDRESS", text);
    memcpy(owner, text, (size_t)(slash - text));
    owner[slash - text] = '\0';
    return FM_OK;
}

/* Another member may give a reader a key for anybody's address: it does not get in the way of the
 * owner's, for people say which one they mean where there are two. */
static fm_status judge_found(const struct copies *c, char owner[COPIES_ALIAS], size_t found,
                             const json_t *owners, const char *text, struct base_err *err)
{
    const char *one = json_string_value(json_array_get(owners, 0));
    const char *other = json_string_value(json_array_get(owners, 1));

    if (found == 0)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "no copy '%.100s' is known here: give its first 8 digits or more "
                            "(firmiana document list)",
                            text);
    if (found > 1)
        return base_err_set(err, FM_E_ARG, "%zu copies begin with '%.100s'", found, text);
    if (other != NULL && copies_listed(owners, c->config.alias))
        one = c->config.alias;
    else if (other != NULL)
        return base_err_set(err, FM_E_ARG,
                            "'%.64s' is known here as a copy of %s and of %s: say whose, as "
                            "OWNER/ADDRESS",
                            text, one, other);
    (void)snprintf(owner, COPIES_ALIAS, "%s", one);
    return FM_OK;
}

fm_status copies_find(struct copies *c, char owner[COPIES_ALIAS], char address[65],
                      const char *text, struct base_err *err)
{
    char named[COPIES_ALIAS];
    const char *digits;
    json_t *known = NULL, *item, *owners;
    size_t i, len, found = 0;
    fm_status st = split_find(named, &digits, text, err);

    if (st == FM_OK)
        st = copies_known_list(&known, c->store, err);
    if (st != FM_OK) {
        json_decref(known);
        return st;
    }
    owners = json_array();
    len = strlen(digits);
    address[0] = '\0';
    json_array_foreach(known, i, item)
    {
        const char *one = json_string_value(json_object_get(item, "address"));
        const char *whose = json_string_value(json_object_get(item, "owner"));
        if (len < 8 || len > 64 || strncmp(one, digits, len) != 0 ||
            (named[0] != '\0' && strcmp(named, whose) != 0))
            continue;
        found += strcmp(one, address) != 0;
        memcpy(address, one, 65);
        (void)json_array_append_new(owners, json_string(whose));
    }
    st = judge_found(c, owner, found, owners, text, err);
    json_decref(known);
    json_decref(owners);
    return st;
}
