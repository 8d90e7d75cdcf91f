/* What the credential commands share: the key of --key, what is written to --out, and what verify
 * looks things up in: files that were given, and a node if one was named. Nothing is fetched from a
 * network. */
#ifndef FIRMIANA_EXCHANGE_CLI_CREDENTIAL_FILES_H
#define FIRMIANA_EXCHANGE_CLI_CREDENTIAL_FILES_H

#include "base/bytes.h"
#include "did/credential/credential.h"
#include "did/credential/schemas.h"
#include "did/document.h"
#include "did/key_did.h"
#include "exchange/cli/args.h"
#include "ledger/verify/verify.h"

#define CREDENTIAL_FILE_MAX (4u << 20)

#define CREDENTIAL_OUT_OPTION                                                       \
    {                                                                               \
        "out", "FILE", "where to write it (default: standard output)", CLI_OPTIONAL \
    }

#define CREDENTIAL_SCHEMA_OPTION                                                              \
    {                                                                                         \
        "schema", "FILE", "a JSON Schema that it names and that does not come with firmiana", \
            CLI_REPEATED                                                                      \
    }

int64_t credential_now_s(void);

/* The key of --key, and its verification method. */
fm_status credential_own_key(struct did_secret **out, char method[DID_KEY_METHOD_TEXT],
                             const struct cli_args *args, struct base_err *err) FM_CHECK;

/* What a verifier asks to be signed. Whoever saw a presentation could show it again where a
 * challenge is used twice, so it must be hard to hit by chance. */
enum { CREDENTIAL_CHALLENGE_MIN = 8 };

/* --challenge and --domain: both or none, not empty; the challenge of at least that many bytes.
 * FM_E_ARG. */
fm_status credential_asked(const struct cli_args *args, size_t challenge_min,
                           struct base_err *err) FM_CHECK;

/* The text of a file: a token (JWT, SD-JWT) without white space around it, or JSON, which is
 * parsed: *json is the caller's, NULL of a token. *text is the buffer's. Errors name the file. */
fm_status credential_read_text(struct base_buf *buf, const char **text, json_t **json,
                               const char *path, struct base_err *err) FM_CHECK;

/* Records that the key of --key gave out these places of status lists, in the folder FILE.places
 * beside it (did/credential/places.h): FM_E_CONFLICT if it gave one before. */
fm_status credential_own_places(const struct cli_args *args, const json_t *credentials,
                                struct base_err *err) FM_CHECK;

/* To --out, which nobody but its owner may read, since it says things of a person or opens a
 * commitment; or to standard output. A JSON string is a JWT, which is written as it is. */
fm_status credential_put_out(const struct cli_args *args, const json_t *value,
                             struct base_err *err) FM_CHECK;
/* The same of what is for everybody, a status list. */
fm_status credential_put_public(const struct cli_args *args, const json_t *value,
                                struct base_err *err) FM_CHECK;

struct credential_files {
    const struct cli_args *args;
    struct did_document **documents;
    size_t document_count;
    json_t *web;                    /* documents of did:web, by id */
    struct ledger_verified *trail;  /* of --trail: then members' documents are those of its end */
    json_t *judged;                 /* what was said of status lists: an array of texts */
    json_t *lists;                  /* by id */
    struct credential_schemas more; /* of --schema */
    json_t *schemas;                /* by id */
    struct did_resolver resolver;
    struct credential_lists source;
    struct credential_verifier verifier; /* points into the two above */
};

/* Reads --schema, each a schema that is known to be one. Done by open too. */
fm_status credential_files_schemas(struct credential_files *f, const struct cli_args *args,
                                   struct base_err *err) FM_CHECK;

/* Reads --document (a member's, one of did:web, or what did resolve printed), --list and --schema,
 * each as often as given, and --trail, which it checks whole; --home is asked when it is needed. */
fm_status credential_files_open(struct credential_files *f, const struct cli_args *args,
                                int64_t now_s, struct base_err *err) FM_CHECK;
/* The document of a did:firmiana, borrowed. FM_E_NOT_FOUND: nobody at hand has it. */
fm_status credential_files_document(const struct did_document **out, struct credential_files *f,
                                    const char *did, struct base_err *err) FM_CHECK;
void credential_files_release(struct credential_files *f); /* after a failed open too */

#endif
