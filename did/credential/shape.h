/* What a credential and a presentation look like: Verifiable Credentials Data Model 2.0, section 4.
 * Credentials of others are any JSON (base/json_any.h); those that are issued here are
 * base/json.h's subset (no fractions, no null: some languages' JCS gets them wrong). Members that
 * the model does not know stay untouched; those that it knows have its form. Nothing is fetched:
 * contexts are names here, since proofs are made over the JSON itself. */
#ifndef FIRMIANA_DID_CREDENTIAL_SHAPE_H
#define FIRMIANA_DID_CREDENTIAL_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define CREDENTIAL_CONTEXT "https://www.w3.org/ns/credentials/v2"
#define CREDENTIAL_SUBJECTS_MAX 64

/* A credential with its issuer. FM_E_INPUT names the member and what it must be. */
fm_status credential_check_shape(const json_t *credential, struct base_err *err) FM_CHECK;

/* A presentation, without looking into its credentials. */
fm_status credential_check_presentation(const json_t *presentation, struct base_err *err) FM_CHECK;

/* "type" is this, or has it. */
bool credential_has_type(const json_t *object, const char *type);

/* Whether a text is meant as a JWT or an SD-JWT (RFC 7515: base64url and dots; tildes), and so not
 * as JSON, whose errors have a place. */
bool credential_is_token(const char *text);

/* The text of a member that is a URL or an object with one as "id" ("issuer", "holder"); NULL if it
 * is neither. Borrowed. */
const char *credential_id_of(const json_t *object, const char *member);

/* The moment in a member; *there false if the member is missing. */
fm_status credential_moment(int64_t *unix_s, bool *there, const json_t *object, const char *member,
                            struct base_err *err) FM_CHECK;

#endif
