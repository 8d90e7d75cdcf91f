/* did:web (W3C CCG, 2024): the document of a DID stands at an address that the DID says, fetched
 * over HTTPS by whoever asks; the web server and its certificate are what it rests on. Here: which
 * address, which document may stand there, and a member's document in that form. Fetching is
 * exchange/resolve's.
 *
 *   did:web:example.com              https://example.com/.well-known/did.json
 *   did:web:example.com%3A8443:a:b   https://example.com:8443/a/b/did.json
 *
 * The host is a name in lower-case letters, digits, "-" and ".", never an IP address; parts of the
 * path are not "." or ".." and hold no escape but those that DIDs need. */
#ifndef FIRMIANA_DID_WEB_H
#define FIRMIANA_DID_WEB_H

#include "did/document.h"
#include "did/url.h"

#define DID_WEB_DOCUMENT_MAX 65536

/* The address for the id of a did:web (what stands behind "did:web:"). FM_E_ARG. */
fm_status did_web_address(char out[DID_URL_TEXT], const char *id, struct base_err *err) FM_CHECK;

/* The DID for a place on the web, "HOST[:PORT][/PATH]", and where the document stands under the
 * root of that host: ".well-known/did.json" or "PATH/did.json". FM_E_ARG. */
fm_status did_web_place(char did[DID_URL_TEXT], char file[DID_URL_TEXT], const char *place,
                        struct base_err *err) FM_CHECK;

/* Parses a fetched document: an object whose "id" is the DID, in the JSON that base/json.h reads,
 * at most DID_WEB_DOCUMENT_MAX bytes. FM_E_INPUT. The caller owns *out. */
fm_status did_web_parse(json_t **out, const char *did, const void *bytes, size_t len,
                        struct base_err *err) FM_CHECK;

/* A member's document under another DID: the same methods, relationships and services, named by
 * it; "alsoKnownAs" the DID on the ledger, in place of "firmiana". FM_E_CONFLICT: deactivated. */
fm_status did_web_export(json_t **out, const struct did_document *doc, const char *did,
                         struct base_err *err) FM_CHECK;

#endif
