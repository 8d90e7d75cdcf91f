/* Inside did/: a token's CKA_EC_POINT as a key, for token.c and its test. */
#ifndef FIRMIANA_DID_TOKEN_OWN_H
#define FIRMIANA_DID_TOKEN_OWN_H

#include "did/suite.h"

/* The point, bare or in a DER OCTET STRING as tokens tell it. FM_E_UNSUPPORTED: another form. */
fm_status did_token_point(struct did_key *out, const struct did_suite *suite, const uint8_t *point,
                          size_t len, struct base_err *err) FM_CHECK;

#endif
