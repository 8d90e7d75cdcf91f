/* The JSON Schemas that credentials name in "credentialSchema" (Verifiable Credentials JSON Schema
 * Specification, type JsonSchema): those that come with this program, in schemas/, and others that
 * a caller has. A credential that does not obey its schema is not issued, and is invalid.
 *
 * A schema is about the whole credential. An SD-JWT VC has the subject's claims at its top, and of
 * them a verifier sees what was disclosed: there "$defs/subject" of the schema is asked, if it has
 * one, and what a holder left out is not missed (json_schema.h). */
#ifndef FIRMIANA_DID_CREDENTIAL_SCHEMAS_H
#define FIRMIANA_DID_CREDENTIAL_SCHEMAS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"
#include "did/credential/json_schema.h"

/* The i-th that comes with this program: its name, as a command takes it, its id, its text. False
 * past the last. */
struct credential_schema {
    const char *name, *id, *text;
};
bool credential_schema_at(struct credential_schema *out, size_t i);

/* Where others come from: *out is the schema with that id, owned by who asks, of a form that
 * credential_json_schema_check() allows. FM_E_NOT_FOUND if there is none. */
struct credential_schemas {
    fm_status (*schema)(void *ctx, json_t **out, const char *id, struct base_err *err);
    void *ctx;
};

/* Asks every schema that a credential of the data model names. more NULL: those that do not come
 * with this program are passed over; else they must be there.
 * FM_E_INPUT: credentialSchema is of another form; FM_E_INVALID: "schema ID: place and keyword";
 * FM_E_UNSUPPORTED (with more): another kind of schema; FM_E_NOT_FOUND (with more): not at hand. */
fm_status credential_check_schemas(const json_t *credential, const struct credential_schemas *more,
                                   struct base_err *err) FM_CHECK;

/* The same of an SD-JWT VC's claims, whatever they are called; whole: not when a holder chose. */
fm_status credential_check_claims(const json_t *claims, enum credential_schema_whole whole,
                                  const struct credential_schemas *more,
                                  struct base_err *err) FM_CHECK;

#endif
