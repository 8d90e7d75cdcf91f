/* Bitstring Status List 1.0 (W3C): one bit for each credential of an issuer, in a list so long that
 * asking for it tells nobody which credential is meant. Index 0 is the highest bit of the first
 * byte. The list travels as multibase 'u' (base64url without padding) of GZIP. */
#ifndef FIRMIANA_DID_CREDENTIAL_STATUS_LIST_H
#define FIRMIANA_DID_CREDENTIAL_STATUS_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* The shortest list that verifiers accept (section 6.1: group privacy), and the longest that we
 * unpack, which bounds what a small hostile file can make us allocate: 2 MiB. */
#define CREDENTIAL_STATUS_MIN 131072
#define CREDENTIAL_STATUS_MAX (1u << 24)

struct credential_bits {
    uint8_t *bytes;
    size_t count; /* bits, a multiple of 8 */
};

/* All zero. FM_E_ARG unless count is a multiple of 8 from MIN to MAX. */
fm_status credential_bits_make(struct credential_bits *out, size_t count,
                               struct base_err *err) FM_CHECK;
void credential_bits_release(struct credential_bits *bits); /* zeroed is fine */
bool credential_bits_get(const struct credential_bits *bits, size_t index);
void credential_bits_set(struct credential_bits *bits, size_t index, bool value);

/* Appends the text. Unpacking: FM_E_INPUT for another multibase, no GZIP, a wrong checksum,
 * trailing bytes, more than MAX bits. Lists shorter than MIN unpack (others' tests use them);
 * credential_verify() refuses them. */
fm_status credential_bits_encode(struct base_buf *out, const struct credential_bits *bits,
                                 struct base_err *err) FM_CHECK;
fm_status credential_bits_decode(struct credential_bits *out, const char *text,
                                 struct base_err *err) FM_CHECK;

/* A credential with the list, not signed yet: id is where it is found. purpose: "revocation" (for
 * ever) or "suspension". The caller owns *out. */
fm_status credential_status_list(json_t **out, const char *id, const char *issuer,
                                 const char *purpose, const struct credential_bits *bits,
                                 int64_t valid_from_s, struct base_err *err) FM_CHECK;

/* The "credentialStatus" of a credential in that list. */
fm_status credential_status_entry(json_t **out, const char *list_id, const char *purpose,
                                  size_t index, struct base_err *err) FM_CHECK;

/* The list and the place that an entry names; list borrows. FM_E_INPUT. */
fm_status credential_status_place(const char **list, size_t *index, const json_t *entry,
                                  struct base_err *err) FM_CHECK;

/* Whether the bit that an entry names is set in its list, whose proof was verified already.
 * FM_E_INPUT if entry or list is malformed, if they do not belong together, or if the list is
 * shorter than MIN. */
fm_status credential_status_read(bool *set, const json_t *entry, const json_t *list,
                                 struct base_err *err) FM_CHECK;

#endif
