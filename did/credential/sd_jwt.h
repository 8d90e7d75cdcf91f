/* Selective disclosure: SD-JWT, RFC 9901, in its compact form. The issuer signs digests instead of
 * claims; each claim travels beside them as a Disclosure, [salt, name, value] or, of an array's
 * element, [salt, value], in base64url; the holder hands on those that it wants to:
 *
 *   JWT ~ Disclosure ~ ... ~ Disclosure ~ [Key Binding JWT]
 *
 * Here: the form, and what digests and Disclosures say together (RFC 9901, sections 4 and 7.1,
 * steps 3 to 5). Signatures and what a credential says are in sd_vc.h. Claims that are read are any
 * JSON (base/json_any.h); those that are issued here are base/json.h's subset.
 *
 * Which claims are meant is said by JSON Pointers into the claims as they are when all is
 * disclosed (pointer.h); decoys have none. */
#ifndef FIRMIANA_DID_CREDENTIAL_SD_JWT_H
#define FIRMIANA_DID_CREDENTIAL_SD_JWT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/random.h"
#include "did/suite.h"

#define CREDENTIAL_SD_PARTS_MAX 1024
#define CREDENTIAL_SD_SALT 16 /* bytes */
#define CREDENTIAL_SD_NOWHERE SIZE_MAX

/* One Disclosure. */
struct credential_sd_part {
    char *text;
    char *pointer; /* after reading: which claim it is */
    size_t within; /* after reading: the part in whose value it stands, or NOWHERE: the JWT's own */
    json_t *content; /* the array; after reading, its value holds what further parts disclose */
};

struct credential_sd {
    char *jwt;        /* the issuer-signed JWT */
    char *binding;    /* the Key Binding JWT, or NULL */
    size_t bound_len; /* bytes of the whole text before it: what sd_hash covers */
    struct credential_sd_part *parts;
    size_t count;
};

/* Takes a text apart; FM_E_INPUT if it has not the form, and FM_E_LIMIT for more parts than
 * above. */
fm_status credential_sd_split(struct credential_sd *out, const char *text,
                              struct base_err *err) FM_CHECK;
void credential_sd_release(struct credential_sd *sd); /* zeroed is fine */

/* Puts the claims of all parts in the place of their digests, removes what stays undisclosed, and
 * "_sd_alg". payload: the JWT's, changed in place; undefined after a failure. FM_E_INPUT, naming
 * the rule: a digest that stands there twice, a Disclosure that no digest names, one of the wrong
 * kind, a name that is reserved or there already, nesting deeper than BASE_JSON_MAX_DEPTH.
 * FM_E_UNSUPPORTED: another hash than SHA-256 and SM3 (jwk.h), which is told in *digest. */
fm_status credential_sd_read(struct credential_sd *sd, enum did_digest *digest, json_t *payload,
                             struct base_err *err) FM_CHECK;

/* Of the first len bytes of text, in base64url: the digest of a Disclosure, and sd_hash. */
fm_status credential_sd_digest(struct base_buf *out, const char *text, size_t len,
                               enum did_digest digest, struct base_err *err) FM_CHECK;

/* What an issuer hides. */
struct credential_sd_wish {
    const char *const *hidden; /* pointers; a name "*" stands for every member or element there */
    size_t hidden_count;
    size_t decoys; /* at least 2: digests that mean nothing fill up each place where something is
                    * hidden, to a multiple of this; 0: none */
};

/* Replaces claims by their digests, inner ones first, and appends the Disclosures to `out`, each
 * with "~" behind it; "_sd_alg" is set. Digests are in ascending order in objects, and in the
 * elements' places in arrays, decoys behind them.
 * FM_E_ARG: a pointer that leads nowhere or to the whole, or more decoys than 1024 a place.
 * FM_E_INPUT: claims that use reserved names. On failure the claims are undefined. */
fm_status credential_sd_hide(struct base_buf *out, json_t *claims,
                             const struct credential_sd_wish *wish, enum did_digest digest,
                             const struct base_random *random, struct base_err *err) FM_CHECK;

#endif
