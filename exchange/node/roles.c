#define _DEFAULT_SOURCE
#include "exchange/node/roles.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

static const struct {
    const char *name;
    unsigned bit;
} names[] = {{"operator", NODE_OPERATOR},
             {"analyst", NODE_ANALYST},
             {"officer", NODE_OFFICER},
             {"auditor", NODE_AUDITOR}};
enum { NAMES = sizeof names / sizeof names[0] };

/* ---- node.json ---- */

static bool number(uint32_t *out, const char *text)
{
    unsigned long long v;
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    v = strtoull(text, &end, 10);
    *out = (uint32_t)v;
    return errno == 0 && *end == '\0' && v < UINT32_MAX; /* the last one means "nobody" */
}

/* The uid or gid behind a name. */
static fm_status look_up(uint32_t *id, bool *is_group, const char *name, struct base_err *err)
{
    const char *bare = name[0] == '@' ? name + 1 : name;

    *is_group = name[0] == '@';
    if (number(id, bare))
        return FM_OK;
    if (*is_group) {
        const struct group *g = getgrnam(bare);
        if (g == NULL)
            return base_err_set(err, FM_E_INPUT, "roles: this machine has no group '%s'", bare);
        *id = (uint32_t)g->gr_gid;
    } else {
        const struct passwd *p = getpwnam(bare);
        if (p == NULL)
            return base_err_set(err, FM_E_INPUT, "roles: this machine has no user '%s'", bare);
        *id = (uint32_t)p->pw_uid;
    }
    return FM_OK;
}

static fm_status role_bit(unsigned *out, const char *name, const char *who, struct base_err *err)
{
    const char *known[NAMES + 1] = {NULL}, *nearest;

    for (size_t i = 0; i < NAMES; i++) {
        known[i] = names[i].name;
        if (name != NULL && strcmp(names[i].name, name) == 0) {
            *out |= names[i].bit;
            return FM_OK;
        }
    }
    nearest = name != NULL ? base_nearest(name, known) : NULL;
    return base_err_set(
        err, FM_E_INPUT,
        "roles: '%s' has an unknown role%s%s%s%s%s: use operator, analyst, officer, auditor", who,
        name != NULL ? " '" : "", name != NULL ? name : "", name != NULL ? "'" : "",
        nearest != NULL ? ", perhaps " : "", nearest != NULL ? nearest : "");
}

fm_status node_roles_read(struct node_roles *out, const json_t *json, struct base_err *err)
{
    const char *who;
    json_t *list, *item;
    size_t i;

    *out = (struct node_roles){0};
    if (!json_is_object(json))
        return base_err_set(
            err, FM_E_INPUT,
            "member 'roles' must be an object of users, or groups with @, and their roles");
    json_object_foreach((json_t *)(uintptr_t)json, who, list)
    {
        if (out->count == NODE_ROLES_MAX)
            return base_err_set(err, FM_E_LIMIT, "roles: at most %d users and groups",
                                NODE_ROLES_MAX);
        if (strlen(who) >= NODE_PERSON_NAME)
            return base_err_set(err, FM_E_INPUT, "roles: '%.40s...' is too long for a name", who);
        if (!json_is_array(list))
            return base_err_set(err, FM_E_INPUT, "roles: '%s' must have a list of roles", who);
        (void)snprintf(out->entry[out->count].name, NODE_PERSON_NAME, "%s", who);
        if (look_up(&out->entry[out->count].id, &out->entry[out->count].is_group, who, err) !=
            FM_OK)
            return err->code;
        json_array_foreach(list, i, item)
        {
            if (role_bit(&out->entry[out->count].roles, json_string_value(item), who, err) != FM_OK)
                return err->code;
        }
        out->count++;
    }
    return FM_OK;
}

/* ---- people ---- */

static bool in_group(const struct node_peer *peer, uint32_t gid)
{
    for (unsigned i = 0; i < peer->group_count; i++)
        if (peer->groups[i] == gid)
            return true;
    return false;
}

void node_person_of(struct node_person *out, const struct node_roles *roles,
                    const struct node_peer *peer, uint32_t own_uid)
{
    const struct passwd *p = getpwuid((uid_t)peer->uid);
    bool named = false;

    *out = (struct node_person){.uid = peer->uid};
    if (p != NULL && strlen(p->pw_name) < NODE_PERSON_NAME)
        (void)snprintf(out->name, sizeof out->name, "%s", p->pw_name);
    for (unsigned i = 0; i < roles->count; i++) {
        bool is_user = !roles->entry[i].is_group && roles->entry[i].id == peer->uid;
        if (is_user || (roles->entry[i].is_group && in_group(peer, roles->entry[i].id)))
            out->roles |= roles->entry[i].roles;
        named = named || is_user;
    }
    if (!named && (peer->uid == own_uid || peer->uid == 0))
        out->roles = NODE_ANYONE;
}

void node_person_text(char out[NODE_PERSON_TEXT], const struct node_person *person)
{
    if (person->name[0] != '\0')
        (void)snprintf(out, NODE_PERSON_TEXT, "%s (uid %lu)", person->name,
                       (unsigned long)person->uid);
    else
        (void)snprintf(out, NODE_PERSON_TEXT, "uid %lu", (unsigned long)person->uid);
}

static void put_names(struct base_buf *out, unsigned roles, const char *between)
{
    bool first = true;

    for (size_t i = 0; i < NAMES; i++)
        if ((roles & names[i].bit) != 0) {
            base_buf_putf(out, "%s%s", first ? "" : between, names[i].name);
            first = false;
        }
    if (first)
        base_buf_put_str(out, "none");
}

void node_roles_names(struct base_buf *out, unsigned roles)
{
    put_names(out, roles, ", ");
}

fm_status node_roles_check(const struct node_roles *roles, const struct node_person *person,
                           unsigned needed, const char *what, struct base_err *err)
{
    struct base_buf role = {0}, have = {0}, holders = {0};
    char who[NODE_PERSON_TEXT];

    if ((person->roles & needed) != 0)
        return FM_OK;
    node_person_text(who, person);
    put_names(&role, needed, " or ");
    put_names(&have, person->roles, ", ");
    for (unsigned i = 0; i < roles->count; i++)
        if ((roles->entry[i].roles & needed) != 0)
            base_buf_putf(&holders, "%s%s", holders.len > 0 ? ", " : "", roles->entry[i].name);
    if (holders.len == 0)
        base_buf_put_str(&holders, "the node's own user");
    (void)base_err_set(err, FM_E_REFUSED,
                       "%s needs the role %s, and %s has %s here: ask %.200s, or have the role "
                       "added to node.json",
                       what, base_buf_cstr(&role), who, base_buf_cstr(&have),
                       base_buf_cstr(&holders));
    base_buf_release(&role);
    base_buf_release(&have);
    base_buf_release(&holders);
    return err->code;
}
