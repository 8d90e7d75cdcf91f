#include "exchange/session/descriptor.h"

#include <string.h>

#include "base/bytes.h"
#include "base/json.h"

static fm_status add(struct session_facts *facts, const char *alias, unsigned role,
                     struct base_err *err)
{
    for (unsigned i = 0; i < facts->party_count; i++)
        if (strcmp(facts->parties[i].alias, alias) == 0) {
            facts->parties[i].roles |= role;
            return FM_OK;
        }
    if (facts->party_count == SESSION_MAX_PARTIES)
        return base_err_set(err, FM_E_LIMIT, "a query has at most %d parties", SESSION_MAX_PARTIES);
    if (strlen(alias) >= SESSION_ALIAS)
        return base_err_set(err, FM_E_INPUT, "an alias is longer than %d bytes", SESSION_ALIAS - 1);
    memcpy(facts->parties[facts->party_count].alias, alias, strlen(alias) + 1);
    facts->parties[facts->party_count++].roles = role;
    return FM_OK;
}

/* Insertion sort of parties [from, count) by alias. */
static void sort_from(struct session_facts *facts, unsigned from)
{
    for (unsigned i = from + 1; i < facts->party_count; i++) {
        struct session_party moving = facts->parties[i];
        unsigned at = i;
        for (; at > from && strcmp(facts->parties[at - 1].alias, moving.alias) > 0; at--)
            facts->parties[at] = facts->parties[at - 1];
        facts->parties[at] = moving;
    }
}

fm_status descriptor_parties(struct session_facts *facts, bool *takes_part,
                             const struct contract *contract, const char *alias,
                             struct base_err *err)
{
    fm_status st = FM_OK;

    facts->party_count = 0;
    *takes_part = false;
    for (unsigned i = 0; st == FM_OK && i < contract->compute_count; i++)
        st = add(facts, contract->compute[i], SESSION_COMPUTE, err);
    if (st == FM_OK && facts->party_count != contract->compute_count)
        st = base_err_set(err, FM_E_INPUT, "the compute parties must be different members");
    for (unsigned i = 0; st == FM_OK && i < contract->table_count; i++)
        st = add(facts, contract->tables[i].provider, SESSION_PROVIDER, err);
    for (unsigned i = 0; st == FM_OK && i < contract->recipient_count; i++)
        st = add(facts, contract->recipients[i], SESSION_RECIPIENT, err);
    if (st == FM_OK)
        st = add(facts, contract->asker, SESSION_ASKER, err);
    if (st == FM_OK && facts->party_count < 2)
        st = base_err_set(err, FM_E_INPUT, "a query has at least two parties");
    if (st != FM_OK)
        return st;
    sort_from(facts, contract->compute_count);
    for (unsigned i = 0; i < facts->party_count; i++) {
        if ((facts->parties[i].roles & SESSION_ASKER) != 0)
            facts->asker = i;
        if (strcmp(facts->parties[i].alias, alias) == 0) {
            facts->self = i;
            *takes_part = true;
        }
    }
    return FM_OK;
}

fm_status descriptor_hash(struct session_facts *facts, const json_t *open,
                          const struct descriptor_member *members, struct base_err *err)
{
    char chain[65], query[65];
    json_t *participants = json_array(), *descriptor;
    fm_status st = participants != NULL ? FM_OK : base_err_memory(err, "descriptor");

    for (unsigned i = 0; st == FM_OK && i < facts->party_count; i++)
        if (json_array_append_new(participants,
                                  json_pack("{s:s,s:s,s:I,s:i}", "alias", facts->parties[i].alias,
                                            "did", members[i].did, "version",
                                            (json_int_t)members[i].version, "roles",
                                            (int)facts->parties[i].roles)) != 0)
            st = base_err_memory(err, "descriptor");
    base_hex(chain, facts->chain, 32);
    base_hex(query, facts->query, 32);
    descriptor = json_pack("{s:i,s:s,s:s,s:O,s:I,s:O,s:s,s:i,s:s,s:i,s:i}", "format", 1, "chain",
                           chain, "query", query, "open", open, "height", (json_int_t)facts->height,
                           "participants", participants, "protocol", facts->protocol, "circuits", 2,
                           "link", facts->link, "threads", 1, "attempt", facts->attempt);
    if (st == FM_OK && descriptor == NULL)
        st = base_err_memory(err, "descriptor");
    if (st == FM_OK)
        st = base_json_hash(facts->descriptor, descriptor, err);
    json_decref(descriptor);
    json_decref(participants);
    return st;
}
