/* A member's CometBFT node as its DID document names it, in two services:
 *
 *   {"id": did "#cometbft",  "type": "CometBFTNode",      "serviceEndpoint": "tcp://ID@HOST:PORT"}
 *   {"id": did "#validator", "type": "CometBFTValidator", "serviceEndpoint": "ed25519://MULTIKEY"}
 *
 * ID is CometBFT's name of the node key (40 hex digits), PORT 1 to 65535, HOST a name or an
 * address, IPv6's in brackets. A ledger runs on CometBFT if, and only if, every founding member's
 * document in the genesis has both: so all nodes agree on it. */
#ifndef FIRMIANA_EXCHANGE_COMET_MEMBER_H
#define FIRMIANA_EXCHANGE_COMET_MEMBER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"
#include "did/suite.h"

#define COMET_ID 41       /* 40 hex digits and a NUL */
#define COMET_ADDRESS 128 /* "HOST:PORT" or "[IPv6]:PORT" */

struct comet_member {
    char id[COMET_ID];
    char address[COMET_ADDRESS];
    uint8_t validator[32]; /* its Ed25519 key */
};

/* *found is false if the document names none. FM_E_INPUT, FM_E_AUTH (the validator's key is none):
 * it does, but wrongly. */
fm_status comet_member_read(struct comet_member *out, bool *found, const json_t *document,
                            struct base_err *err) FM_CHECK;

/* Does this genesis begin a ledger on CometBFT? FM_E_INPUT names who alone is not prepared. */
fm_status comet_genesis_asks(bool *out, const json_t *genesis, struct base_err *err) FM_CHECK;

/* Fresh keys of a member's CometBFT, and the services that name them. */
struct comet_keys {
    struct did_secret *node, *validator;
    json_t *services; /* as in did/draft.h */
};
/* endpoint: tcp://HOST:PORT, where the others will reach it. */
fm_status comet_keys_new(struct comet_keys *out, const char *endpoint,
                         struct base_err *err) FM_CHECK;
/* Writes them below DIR/cometbft: CometBFT keeps them unsealed, mode 0600. They sign blocks, never
 * a transaction, a member's vote or a cosignature. FM_E_CONFLICT: there are keys already. */
fm_status comet_keys_save(const struct comet_keys *keys, const char *dir,
                          struct base_err *err) FM_CHECK;
/* Appends a validator's key as CometBFT's file has it. */
void comet_key_file(struct base_buf *out, const struct did_secret *secret);
/* The service that names it, new. */
fm_status comet_validator_service(json_t **out, const char *did, const uint8_t key32[32],
                                  struct base_err *err) FM_CHECK;
void comet_keys_release(struct comet_keys *keys);

/* SHA-256 of the key, its first 20 bytes: how CometBFT names keys. out: 41 characters, lower-case.
 */
void comet_key_name(char out[COMET_ID], const uint8_t key32[32]);
/* Appends base64, as CometBFT's files have it. */
void comet_base64(struct base_buf *out, const void *bytes, size_t len);

#endif
