/* node.json: what may stand in it, and reading it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/nearest.h"
#include "exchange/node/home.h"
#include "exchange/node/json_place.h"

enum { HOME_SETTINGS_MAX = 64 };

static const char *const log_levels[] = {"info", "warn", "error", NULL};

#define FIELD(f) offsetof(struct home, f), sizeof((struct home *)0)->f

static const struct home_setting settings[] = {
    {"alias", HOME_TEXT, FIELD(alias), NULL, 0, 0, NULL,
     "This member's name on the ledger and in SQL."},
    {"listen", HOME_NODE, FIELD(listen), NULL, 0, 0, NULL,
     "Where the node listens for the other members: tcp://HOST:PORT. 0.0.0.0 or [::] is every "
     "address of this machine. Where the others reach it stands on the ledger, in the member's "
     "entry."},
    {"data", HOME_FILE, FIELD(data), "data.db", 0, 0, NULL,
     "The member's SQLite file with its tables."},
    {"log", HOME_FILE, FIELD(log), "", 0, 0, NULL,
     "Where JSON lines are logged; without it, to standard error (systemd's journal takes them). "
     "SIGHUP opens the file again, for logrotate."},
    {"log_level", HOME_CHOICE, FIELD(log_level), "info", 0, 0, log_levels,
     "The least level that is logged."},
    {"metrics", HOME_LOOPBACK, FIELD(metrics), "", 0, 0, NULL,
     "Where Prometheus may read metrics over HTTP, at /metrics: 127.0.0.1:PORT or [::1]:PORT. "
     "They say who computes with whom and when, so no other address is taken. Without it, none."},
    {"roles", HOME_ROLES, FIELD(roles), "", 0, 0, NULL,
     "Who else may ask this node, and for what: an object of user names, or group names with @ (or "
     "their numbers), each with a list of operator, analyst, officer, auditor. Without it, the "
     "node's own user and root may do everything and nobody else anything; one of the two that is "
     "named here has exactly what it says."},
    {"socket", HOME_FILE, FIELD(socket), "", 0, 0, NULL,
     "Where those with roles reach the node, since the home itself is its owner's alone; they name "
     "it in place of the home: firmiana --home SOCKET. The home's node.sock leads there."},
    {"consensus", HOME_NODE, FIELD(consensus), "", 0, 0, NULL,
     "Where this member's CometBFT listens for the others', in a ledger that CometBFT orders: "
     "tcp://HOST:PORT. Where they reach it stands in the member's DID document."},
    {"cometbft", HOME_TEXT, FIELD(cometbft), "cometbft", 0, 0, NULL,
     "The CometBFT program, 0.38.21 or a later 0.38: a path, or a name to be found on PATH. The "
     "node runs it."},
    {"cometbft_rpc", HOME_LOOPBACK, FIELD(cometbft_rpc), "", 0, 0, NULL,
     "Where CometBFT answers RPC: 127.0.0.1:PORT or [::1]:PORT. Whoever reaches it may hand in "
     "transactions and read blocks. Without it, a socket in the home, for the node alone."},
    {"cometbft_sync", HOME_TEXT, FIELD(cometbft_sync), "", 0, 0, NULL,
     "For a node without a ledger that shall begin with a snapshot of the others instead of all "
     "blocks: HEIGHT:HASH@URL,URL, a block that a person has compared with other members, and two "
     "members' RPC to check what follows from it: on other machines, through tunnels to the "
     "sockets in their homes (ledger/recovery.md says how)."},
    {"cometbft_snapshots", HOME_NUMBER, FIELD(cometbft_snapshots), "1000", 0, 1 << 20, NULL,
     "Every so many blocks the node makes a snapshot, from which others may begin; 0: none."},
    {"block_interval_ms", HOME_NUMBER, FIELD(block_interval_ms), "5", 1, 60000, NULL,
     "The least time between two blocks, where this node sequences; where CometBFT does, its pause "
     "after each block, and then 100 unless more is given."},
    {"threads", HOME_NUMBER, FIELD(threads), "1", 1, 1, NULL,
     "Threads that compute one query; this version has 1."},
    {"memory_limit", HOME_NUMBER, FIELD(memory_limit), "0", 0, 1 << 24, NULL,
     "MiB that all running queries may take together, by estimate from the declared sizes; a query "
     "waits until it fits, and one that never will is refused. 0: half of this machine's memory."},
    {"copies_limit", HOME_NUMBER, FIELD(copies_limit), "256", 0, 1 << 24, NULL,
     "MiB of encrypted copies of documents that this node keeps for each other member; 0: none."},
    {0}};

const struct home_setting *home_settings(void)
{
    return settings;
}

const char *home_kind_name(enum home_kind kind)
{
    switch (kind) {
    case HOME_TEXT:
        return "text";
    case HOME_FILE:
        return "a path";
    case HOME_NODE:
        return "tcp://HOST:PORT";
    case HOME_LOOPBACK:
        return "127.0.0.1:PORT or [::1]:PORT";
    case HOME_CHOICE:
        return "a word";
    case HOME_NUMBER:
        return "a whole number";
    case HOME_ROLES:
        return "an object";
    }
    return "";
}

unsigned home_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end;
    long port;

    if (colon == NULL || colon[1] < '0' || colon[1] > '9')
        return 0;
    port = strtol(colon + 1, &end, 10);
    return *end == '\0' && port >= 1 && port <= 65535 ? (unsigned)port : 0;
}

bool home_is_address(const char *text)
{
    const char *host = text + strlen("tcp://");

    return strncmp(text, "tcp://", 6) == 0 && strlen(text) < HOME_ADDRESS && home_port(text) != 0 &&
           strrchr(text, ':') >= host + 1;
}

static bool is_loopback(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t host = colon != NULL ? (size_t)(colon - text) : 0;

    return home_port(text) != 0 &&
           ((host == strlen("127.0.0.1") && strncmp(text, "127.0.0.1", host) == 0) ||
            (host == strlen("[::1]") && strncmp(text, "[::1]", host) == 0));
}

static bool is_word(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(*words, text) != 0)
        words++;
    return *words != NULL;
}

/* ---- one member ---- */

static fm_status wrong_choice(const struct home_setting *s, struct base_err *err)
{
    char list[128] = "";

    for (const char *const *w = s->words; *w != NULL; w++) {
        size_t at = strlen(list);
        (void)snprintf(list + at, sizeof list - at, "%s'%s'", at == 0 ? "" : ", ", *w);
    }
    return base_err_set(err, FM_E_INPUT, "member '%s' must be one of %s", s->name, list);
}

static fm_status check_text(const struct home_setting *s, const char *text, struct base_err *err)
{
    if (strlen(text) >= s->size)
        return base_err_set(err, FM_E_INPUT, "member '%s' is longer than %zu bytes", s->name,
                            s->size - 1);
    if (s->kind == HOME_NODE && !home_is_address(text))
        return base_err_set(err, FM_E_INPUT, "member '%s' must look like tcp://HOST:PORT", s->name);
    if (s->kind == HOME_LOOPBACK && !is_loopback(text))
        return base_err_set(err, FM_E_INPUT,
                            "member '%s' must be 127.0.0.1:PORT or [::1]:PORT: reach it from "
                            "elsewhere through a proxy that asks who reads",
                            s->name);
    if (s->kind == HOME_CHOICE && !is_word(text, s->words))
        return wrong_choice(s, err);
    return FM_OK;
}

static fm_status set_text(struct home *out, const struct home_setting *s, const char *text,
                          struct base_err *err)
{
    char *field = (char *)out + s->offset;

    if (s->kind == HOME_FILE && text[0] != '\0')
        return home_path(field, out->dir, text, err);
    memcpy(field, text,
           strlen(text) + 1); /* check_text(), or the table itself, says that it fits */
    return FM_OK;
}

static fm_status take_number(struct home *out, const struct home_setting *s, const json_t *json,
                             struct base_err *err)
{
    int64_t v = s->fallback != NULL ? strtoll(s->fallback, NULL, 10) : 0;

    if ((json_object_get(json, s->name) != NULL || s->fallback == NULL) &&
        base_json_get_int(&v, json, s->name, err) != FM_OK)
        return err->code;
    if (v < s->low || v > s->high)
        return base_err_set(err, FM_E_INPUT, "member '%s' must be %lld to %lld", s->name,
                            (long long)s->low, (long long)s->high);
    memcpy((char *)out + s->offset, &v, sizeof v);
    return FM_OK;
}

static fm_status take_member(struct home *out, const struct home_setting *s, const json_t *json,
                             struct base_err *err)
{
    const char *text;

    if (s->kind == HOME_NUMBER)
        return take_number(out, s, json, err);
    if (s->kind == HOME_ROLES)
        return json_object_get(json, s->name) != NULL
                   ? node_roles_read(&out->roles, json_object_get(json, s->name), err)
                   : FM_OK;
    if (json_object_get(json, s->name) == NULL && s->fallback != NULL)
        return set_text(out, s, s->fallback, err);
    if (base_json_get_str(&text, json, s->name, err) != FM_OK || check_text(s, text, err) != FM_OK)
        return err->code;
    return set_text(out, s, text, err);
}

/* ---- the whole ---- */

static fm_status unknown_member(const char *key, struct base_err *err)
{
    const char *names[HOME_SETTINGS_MAX], *nearest;
    size_t n = 0;

    for (const struct home_setting *s = settings; s->name != NULL; s++)
        names[n++] = s->name;
    names[n] = NULL;
    nearest = base_nearest(key, names);
    if (nearest == NULL)
        return base_err_set(err, FM_E_INPUT,
                            "unknown member '%s': man firmiana-node.json lists them", key);
    return base_err_set(err, FM_E_INPUT, "unknown member '%s': did you mean '%s'?", key, nearest);
}

static bool is_known(const char *key)
{
    const struct home_setting *s = settings;

    while (s->name != NULL && strcmp(s->name, key) != 0)
        s++;
    return s->name != NULL;
}

enum part { AT_KEY, AT_VALUE };

/* Says where in the text the member stands that the error is about. */
static fm_status at(struct base_err *err, enum part part, const char *text, size_t len,
                    const char *name)
{
    struct json_place key, value, place;

    if (!json_place_find(&key, &value, text, len, name))
        return err->code;
    place = part == AT_KEY ? key : value;
    return base_err_prefix(err, "line %u, column %u", place.line, place.column);
}

static fm_status take_all(struct home *out, const json_t *json, const char *text, size_t len,
                          struct base_err *err)
{
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)json, key, item) if (!is_known(key))
    {
        (void)unknown_member(key, err);
        return at(err, AT_KEY, text, len, key);
    }
    for (const struct home_setting *s = settings; s->name != NULL; s++)
        if (take_member(out, s, json, err) != FM_OK)
            return at(err, AT_VALUE, text, len, s->name);
    return FM_OK;
}

fm_status home_parse(struct home *out, const char *text, size_t len, struct base_err *err)
{
    json_t *json;
    fm_status st;

    _Static_assert(sizeof settings / sizeof settings[0] <= HOME_SETTINGS_MAX, "names do not fit");
    if (base_json_parse(&json, text, len, err) != FM_OK)
        return err->code;
    st = json_is_object(json) ? take_all(out, json, text, len, err)
                              : base_err_set(err, FM_E_INPUT, "must be a JSON object");
    json_decref(json);
    return st;
}
