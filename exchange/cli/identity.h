/* A new member: its keys and its first DID document. */
#ifndef FIRMIANA_EXCHANGE_CLI_IDENTITY_H
#define FIRMIANA_EXCHANGE_CLI_IDENTITY_H

#include <jansson.h>

#include "did/passphrase.h"
#include "exchange/node/serve.h"

struct identity {
    struct serve_keys keys;
    struct did_secret *recovery;
    json_t *member; /* {"alias", "document", "roles", "endpoint"}: what a genesis lists */
};

/* Fresh keys and a document with placeholders (did/method.md): one officer, whose key is made here.
 * services: the document's, as in did/draft.h; NULL: none. */
fm_status identity_new(struct identity *out, const char *alias, const char *endpoint,
                       json_t *services, struct base_err *err) FM_CHECK;
/* The same with officers who hold their own keys; threshold of them must sign together.
 * keys.officer stays NULL. */
fm_status identity_new_for(struct identity *out, const char *alias, const char *endpoint,
                           const struct did_key *officers, size_t n, size_t threshold,
                           json_t *services, struct base_err *err) FM_CHECK;
void identity_release(struct identity *id);

/* Seals each key that is there as DIR/keys/NAME.json. */
fm_status identity_save(const struct identity *id, const char *dir,
                        const struct did_passphrase *pass, struct base_err *err) FM_CHECK;

enum identity_consortium {
    IDENTITY_REAL,
    IDENTITY_THROWAWAY, /* one person's: no minimum group */
};

/* The canonical genesis of these members (an array of `member` objects). */
fm_status identity_genesis(struct base_buf *out, const char *name, json_t *members, int64_t quorum,
                           const char *sequencer, enum identity_consortium kind, int64_t now_ms,
                           struct base_err *err) FM_CHECK;

#endif
