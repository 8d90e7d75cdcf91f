/* The session descriptor: everything about a session that all its parties must agree on before a
 * share moves. Its hash goes into every key derivation, so parties that disagree cannot talk.
 *
 *   {"format": 1, "chain", "query", "open": {query.open's body}, "height", "participants":
 * [{"alias", "did", "version", "roles"}], "protocol", "circuits": 2, "link", "threads": 1,
 * "attempt"}
 *
 * Participants: the compute parties in the contract's order, then everybody else by alias.
 * version is that of the DID document at the height; roles the sum of session.h's bits. */
#ifndef FIRMIANA_EXCHANGE_SESSION_DESCRIPTOR_H
#define FIRMIANA_EXCHANGE_SESSION_DESCRIPTOR_H

#include "exchange/contract/contract.h"
#include "exchange/session/session.h"

/* Fills facts->parties, party_count, asker (and self, if alias is one of them: false otherwise).
 * FM_E_LIMIT beyond SESSION_MAX_PARTIES. */
fm_status descriptor_parties(struct session_facts *facts, bool *takes_part,
                             const struct contract *contract, const char *alias,
                             struct base_err *err) FM_CHECK;

struct descriptor_member {
    const char *did;
    int64_t version;
};

/* facts: chain, query, height, attempt, protocol, link, parties. members[i] belongs to party i.
 * Sets facts->descriptor. */
fm_status descriptor_hash(struct session_facts *facts, const json_t *open,
                          const struct descriptor_member *members, struct base_err *err) FM_CHECK;

#endif
