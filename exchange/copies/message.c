#include "exchange/copies/message.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "exchange/copies/box.h"

/* Which members a header has beside "address" and "say". */
enum {
    HAS_AT = 1,
    HAS_SIZE = 2,
    HAS_UNTIL = 4,
    HAS_OWNER = 8,
    HAS_WHY = 16, /* and "to" */
    HAS_BYTES = 32
};

static const struct {
    const char *name;
    unsigned has;
    const char *what; /* the member that is an array or an object */
} says[COPIES_SAYS] = {
    [COPIES_OFFER] = {"offer", HAS_SIZE | HAS_UNTIL, "readers"},
    [COPIES_GO] = {"go", HAS_AT, NULL},
    [COPIES_PART_OF] = {"part", HAS_AT | HAS_BYTES, NULL},
    [COPIES_KEPT] = {"kept", 0, "receipt"},
    [COPIES_GET] = {"get", HAS_AT | HAS_OWNER, NULL},
    [COPIES_DATA] = {"data", HAS_AT | HAS_SIZE | HAS_BYTES, NULL},
    [COPIES_DROP] = {"drop", 0, NULL},
    [COPIES_DROPPED] = {"dropped", 0, NULL},
    [COPIES_KEY] = {"key", 0, "record"},
    [COPIES_KNOWN] = {"known", 0, NULL},
    [COPIES_FORGET] = {"forget", 0, NULL},
    [COPIES_FORGOT] = {"forgot", 0, NULL},
    [COPIES_ASK] = {"ask", 0, NULL},
    [COPIES_FETCHES] = {"fetches", 0, "list"},
    [COPIES_NO] = {"no", HAS_WHY, NULL},
};

static const struct {
    const char *name, *text;
} nos[COPIES_NOS] = {
    [COPIES_NO_QUOTA] = {"quota", "its quota for this member is used up (copies_limit there)"},
    [COPIES_NO_SIZE] = {"size", "it does not keep copies of that size"},
    [COPIES_NO_DISK] = {"disk", "its disk is full"},
    [COPIES_NO_TIME] = {"time", "it does not keep copies for that long"},
    [COPIES_NO_STRANGER] = {"stranger", "this member is neither the owner nor a reader"},
    [COPIES_NO_UNKNOWN] = {"unknown", "it has no such copy"},
    [COPIES_NO_OTHER] = {"other", "what reached it is not what was announced"},
    [COPIES_NO_DAMAGED] = {"damaged", "its copy is damaged"},
    [COPIES_NO_BUSY] = {"busy", "it does not take this now"},
};

const char *copies_say_name(enum copies_say say)
{
    return says[say].name;
}

const char *copies_no_text(enum copies_no why)
{
    return nos[why].text;
}

/* ---- reading ---- */

static fm_status find_say(enum copies_say *out, const json_t *header, const char *member,
                          struct base_err *err)
{
    const char *name;
    unsigned i = 0;

    if (base_json_get_str(&name, header, member, err) != FM_OK)
        return err->code;
    while (i < COPIES_SAYS && strcmp(says[i].name, name) != 0)
        i++;
    *out = i;
    return i < COPIES_SAYS ? FM_OK : base_err_set(err, FM_E_INPUT, "'%s' is unknown", member);
}

static fm_status read_why(struct copies_message *m, struct base_err *err)
{
    const char *name;
    unsigned i = 0;

    if (find_say(&m->to, m->header, "to", err) != FM_OK ||
        base_json_get_str(&name, m->header, "why", err) != FM_OK)
        return err->code;
    while (i < COPIES_NOS && strcmp(nos[i].name, name) != 0)
        i++;
    m->why = i;
    return i < COPIES_NOS ? FM_OK : base_err_set(err, FM_E_INPUT, "'why' is unknown");
}

static fm_status read_number(int64_t *out, const json_t *header, const char *name, int64_t low,
                             int64_t high, struct base_err *err)
{
    if (base_json_get_int(out, header, name, err) != FM_OK)
        return err->code;
    return *out >= low && *out <= high
               ? FM_OK
               : base_err_set(err, FM_E_INPUT, "member '%s' is out of range", name);
}

static fm_status read_what(struct copies_message *m, const char *name, struct base_err *err)
{
    if (m->say == COPIES_OFFER || m->say == COPIES_FETCHES)
        return base_json_get_array(&m->what, m->header, name, err);
    return base_json_get_object(&m->what, m->header, name, err);
}

static fm_status read_owner(struct copies_message *m, struct base_err *err)
{
    const char *owner;

    if (base_json_get_str(&owner, m->header, "owner", err) != FM_OK)
        return err->code;
    if (strlen(owner) >= sizeof m->owner)
        return base_err_set(err, FM_E_INPUT, "member 'owner' is too long");
    memcpy(m->owner, owner, strlen(owner) + 1);
    return FM_OK;
}

static fm_status read_members(struct copies_message *m, struct base_err *err)
{
    const char *names[8] = {"address", "say"};
    unsigned has = says[m->say].has;
    uint8_t address[32];
    size_t n = 2;

    if ((has & HAS_AT) != 0)
        names[n++] = "at";
    if ((has & HAS_SIZE) != 0)
        names[n++] = "size";
    if ((has & HAS_UNTIL) != 0)
        names[n++] = "until";
    if ((has & HAS_OWNER) != 0)
        names[n++] = "owner";
    if ((has & HAS_WHY) != 0)
        names[n++] = "why", names[n++] = "to";
    if (says[m->say].what != NULL)
        names[n++] = says[m->say].what;
    names[n] = NULL;
    if (base_json_only(m->header, names, err) != FM_OK ||
        base_json_get_hex(address, 32, m->header, "address", err) != FM_OK)
        return err->code;
    base_hex(m->address, address, 32);
    if ((has & HAS_AT) != 0 && read_number(&m->at, m->header, "at", 0, BOX_MAX, err) != FM_OK)
        return err->code;
    if ((has & HAS_SIZE) != 0 &&
        read_number(&m->size, m->header, "size", 1, BASE_JSON_MAX_INT, err) != FM_OK)
        return err->code;
    if ((has & HAS_UNTIL) != 0 &&
        read_number(&m->until_ms, m->header, "until", 0, BASE_JSON_MAX_INT, err) != FM_OK)
        return err->code;
    if ((has & HAS_OWNER) != 0 && read_owner(m, err) != FM_OK)
        return err->code;
    if ((has & HAS_WHY) != 0 && read_why(m, err) != FM_OK)
        return err->code;
    return says[m->say].what != NULL ? read_what(m, says[m->say].what, err) : FM_OK;
}

static fm_status parse(struct copies_message *m, struct base_cur *cur, struct base_err *err)
{
    uint32_t len = base_cur_u32(cur);
    const uint8_t *header;

    if (cur->bad || len > COPIES_HEADER_MAX || (header = base_cur_take(cur, len)) == NULL)
        return base_err_set(err, FM_E_INPUT, "no header");
    if (base_json_parse_canonical(&m->header, header, len, err) != FM_OK)
        return err->code;
    if (!json_is_object(m->header))
        return base_err_set(err, FM_E_INPUT, "the header is no object");
    if (find_say(&m->say, m->header, "say", err) != FM_OK || read_members(m, err) != FM_OK)
        return err->code;
    m->bytes = cur->p;
    m->len = cur->left;
    if ((says[m->say].has & HAS_BYTES) != 0 ? m->len == 0 || m->len > COPIES_PART : m->len != 0)
        return base_err_set(err, FM_E_INPUT, "'%s' with %zu bytes", says[m->say].name, m->len);
    return FM_OK;
}

fm_status copies_message_parse(struct copies_message *out, const void *bytes, size_t len,
                               struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);

    *out = (struct copies_message){0};
    if (parse(out, &cur, err) == FM_OK)
        return FM_OK;
    copies_message_release(out);
    return err->code;
}

void copies_message_release(struct copies_message *m)
{
    json_decref(m->header);
    *m = (struct copies_message){0};
}

/* ---- writing ---- */

fm_status copies_message_put(struct base_buf *out, const struct copies_message *m,
                             struct base_err *err)
{
    unsigned has = says[m->say].has;
    json_t *header = json_pack("{s:s,s:s}", "address", m->address, "say", says[m->say].name);
    struct base_buf text = {0};
    fm_status st;

    if ((has & HAS_AT) != 0)
        (void)json_object_set_new(header, "at", json_integer(m->at));
    if ((has & HAS_SIZE) != 0)
        (void)json_object_set_new(header, "size", json_integer(m->size));
    if ((has & HAS_UNTIL) != 0)
        (void)json_object_set_new(header, "until", json_integer(m->until_ms));
    if ((has & HAS_OWNER) != 0)
        (void)json_object_set_new(header, "owner", json_string(m->owner));
    if ((has & HAS_WHY) != 0) {
        (void)json_object_set_new(header, "why", json_string(nos[m->why].name));
        (void)json_object_set_new(header, "to", json_string(says[m->to].name));
    }
    if (says[m->say].what != NULL)
        (void)json_object_set(header, says[m->say].what, m->what);
    st = header != NULL ? base_json_canonical(&text, header, err) : base_err_memory(err, "message");
    if (st == FM_OK && text.len > COPIES_HEADER_MAX)
        st = base_err_set(err, FM_E_LIMIT, "message '%s': a header of %zu bytes", says[m->say].name,
                          text.len);
    if (st == FM_OK) {
        base_buf_put_u32(out, (uint32_t)text.len);
        base_buf_put(out, text.p, text.len);
        if ((has & HAS_BYTES) != 0)
            base_buf_put(out, m->bytes, m->len);
        st = base_buf_status(out, "message", err);
    }
    base_buf_release_secret(&text);
    json_decref(header);
    return st;
}
