/* Which places of status lists an issuer has given out: a place that two credentials share could
 * only be revoked for both. A folder beside the issuer's keys has one file for each list,
 *
 *   SHA-256 of the list's id, 32 hex digits, ".places"    a bit for each place, as in the list;
 *                                                         bytes that are not there are zeros
 *
 * written, synced, before a credential with the place leaves: a crash may waste a place, and none
 * is given twice. Two processes take turns (flock). It knows what was issued with this folder: a
 * copy of the key elsewhere has a record of its own. */
#ifndef FIRMIANA_DID_CREDENTIAL_PLACES_H
#define FIRMIANA_DID_CREDENTIAL_PLACES_H

#include <jansson.h>

#include "base/status.h"

/* Takes the places that the credentials (an array of objects, claims of SD-JWTs too) name in
 * credentialStatus; nothing is done, and no folder made, where they name none. Errors:
 * FM_E_CONFLICT, with the list and the next place that is free: it was taken before (those of
 * credentials before that one are taken then); FM_E_INPUT: no place of a list; FM_E_IO. */
fm_status credential_places_take(const char *folder, const json_t *credentials,
                                 struct base_err *err) FM_CHECK;

#endif
