/* A contract as the ledger holds it (ledger/format.md section 3), read once into C: who asks whom
 * for what. What it says has been checked by the machine; this room checks it again, because a node
 * trusts its own eyes. */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_CONTRACT_H
#define FIRMIANA_EXCHANGE_CONTRACT_CONTRACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum {
    CONTRACT_MAX_TABLES = 16,
    CONTRACT_MAX_PARAMETERS = 16,
    CONTRACT_MAX_RECIPIENTS = 8,
    CONTRACT_MAX_COMPUTE = 16,
    CONTRACT_ALIAS = 33
};

struct contract_table {
    const char *table; /* the name in the SQL: "loans" or "bank_a.loans" */
    const char *provider;
    const char *dataset;
    int64_t schema_version;
    uint8_t schema_hash[32];
};

struct contract_parameter {
    const char *name; /* "$1" */
    const char *type; /* "INTEGER", ... */
    bool hidden;
    bool subject;
};

/* All pointers lead into json, of which the struct holds a reference. */
struct contract {
    json_t *json;
    uint8_t id[32];
    uint8_t plan_hash[32];
    const char *name;
    const char *asker;
    const char *purpose;
    const char *sql;
    const char *protocol;
    const char *link; /* between the compute parties: "lan" (also where absent), "metro", "wan" */
    const char *compute[CONTRACT_MAX_COMPUTE];
    unsigned compute_count;
    int64_t contributors; /* aggregate: at least so many providers; else 0 */
    const char *recipients[CONTRACT_MAX_RECIPIENTS];
    unsigned recipient_count;
    struct contract_table tables[CONTRACT_MAX_TABLES];
    unsigned table_count;
    struct contract_parameter parameters[CONTRACT_MAX_PARAMETERS];
    unsigned parameter_count;
    int64_t minimum_group;
    int64_t subject_parameter; /* 1-based; 0 when no consent is required */
    int64_t expires;
};

/* FM_E_INPUT names the member that is wrong. */
fm_status contract_parse(struct contract *out, const json_t *json, struct base_err *err) FM_CHECK;
void contract_release(struct contract *c); /* {0} is fine */

/* The member "link" of a contract or specification: lan where it is absent. *out is static. */
fm_status contract_link(const char **out, const json_t *from, struct base_err *err) FM_CHECK;
bool contract_is_recipient(const struct contract *c, const char *alias);
bool contract_is_provider(const struct contract *c, const char *alias);

/* ---- commitments that query.open carries, and their openings ----
 * parameter i: h_i = H("firmiana/parameter/v1" | 0x00 | chain | salt (32) | JCS({"name","value"})),
 * value as text; query.open's `parameters` = H(h_1 | ... | h_n). A hidden parameter is opened to
 * nobody: its h_i travels instead. `requester` = H("firmiana/requester/v1" | 0x00 | chain | salt
 * (32) | JCS({"requester","ticket"})). */
struct contract_opening {
    const char *value; /* NULL: hidden from this party */
    uint8_t salt[32];
    uint8_t hash[32]; /* h_i */
};

fm_status contract_requester_commit(uint8_t out32[32], const uint8_t chain32[32],
                                    const uint8_t salt32[32], const char *requester,
                                    const char *ticket, struct base_err *err) FM_CHECK;
fm_status contract_parameter_commit(uint8_t out32[32], const uint8_t chain32[32],
                                    const uint8_t salt32[32], const char *name, const char *value,
                                    struct base_err *err) FM_CHECK;
/* H over the h_i of the openings. */
void contract_parameters_hash(uint8_t out32[32], const struct contract_opening *openings,
                              unsigned count);

/* The openings as a party receives them: {"parameters":[{"value","salt"} or {"hash"} ...],
 * "consents":[{"parameter", "nonce"}]}. Checks them against query.open's hash: FM_E_REFUSED if they
 * do not match, FM_E_INPUT if malformed. Values borrow from json. */
fm_status contract_open_parameters(struct contract_opening *openings, const struct contract *c,
                                   const json_t *json, const uint8_t chain32[32],
                                   const uint8_t committed32[32], struct base_err *err) FM_CHECK;
fm_status contract_open_consent(uint8_t nonce32[32], const json_t *json, int64_t parameter,
                                struct base_err *err) FM_CHECK;

#endif
