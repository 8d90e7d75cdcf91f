/* Who of a member's own people may ask its node for what. The kernel says who is at the other end
 * of the unix socket (SO_PEERCRED, SO_PEERGROUPS); node.json says which roles that user, or one of
 * the groups of that process, has:
 *
 *   "roles": {"alice": ["analyst"], "@risk": ["analyst", "auditor"], "carol": ["officer"]}
 *
 *   operator  runs the node: data, transactions of the node, consents at the counter
 *   analyst   drafts and proposes contracts, asks queries
 *   officer   hands in what officers have signed (their keys are never in the node)
 *   auditor   reads the trail and what this node knows about who asked about whom
 *
 * A name with @ is a group; a number is a uid or gid. The node's own user and root have every role
 * unless node.json names them, then exactly those: one person alone needs no roles at all. (Whoever
 * is that user, or root, can read the node's files anyway: the roles bind the others.) Everybody
 * else without a role is turned away. Names are looked up when node.json is read. */
#ifndef FIRMIANA_EXCHANGE_NODE_ROLES_H
#define FIRMIANA_EXCHANGE_NODE_ROLES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

enum node_role {
    NODE_OPERATOR = 1,
    NODE_ANALYST = 2,
    NODE_OFFICER = 4,
    NODE_AUDITOR = 8,
    NODE_ANYONE = 15, /* any one of them */
};

enum { NODE_ROLES_MAX = 64, NODE_PERSON_NAME = 33, NODE_PERSON_TEXT = 64, NODE_GROUPS_MAX = 64 };

/* node.json's "roles". */
struct node_roles {
    unsigned count;
    struct {
        char name[NODE_PERSON_NAME]; /* as written, with its @ */
        bool is_group;
        uint32_t id;
        unsigned roles;
    } entry[NODE_ROLES_MAX];
};

/* The process at the other end of the socket, as the kernel tells. */
struct node_peer {
    uint32_t uid;
    uint32_t groups[NODE_GROUPS_MAX]; /* its effective group and the supplementary ones */
    unsigned group_count;
};

/* A person who asks. */
struct node_person {
    uint32_t uid;
    char name[NODE_PERSON_NAME]; /* "" if this machine has no name for the uid */
    unsigned roles;
};

/* FM_E_INPUT names the entry: no such user, group or role. */
fm_status node_roles_read(struct node_roles *out, const json_t *json,
                          struct base_err *err) FM_CHECK;

/* own_uid: the node's. */
void node_person_of(struct node_person *out, const struct node_roles *roles,
                    const struct node_peer *peer, uint32_t own_uid);

/* "alice (uid 1001)", or "uid 1001": what query.open commits to as the requester. */
void node_person_text(char out[NODE_PERSON_TEXT], const struct node_person *person);

/* "analyst, auditor"; "none". */
void node_roles_names(struct base_buf *out, unsigned roles);

/* FM_OK if the person has one of the needed roles; else FM_E_REFUSED, which says what was asked,
 * which role it takes, who has it and who is asking. */
fm_status node_roles_check(const struct node_roles *roles, const struct node_person *person,
                           unsigned needed, const char *what, struct base_err *err) FM_CHECK;

#endif
