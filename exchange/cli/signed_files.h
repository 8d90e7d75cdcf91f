/* What the commands on signed documents share: whose keys are whose, and the file before it is
 * anchored (ledger/verify/signed.h). */
#ifndef FIRMIANA_EXCHANGE_CLI_SIGNED_FILES_H
#define FIRMIANA_EXCHANGE_CLI_SIGNED_FILES_H

#include "exchange/cli/credential_files.h"
#include "ledger/verify/signed.h"

/* Members' keys as the files or the node say today. Borrows files. */
struct did_signature_keys signed_files_keys(struct credential_files *files);

fm_status signed_files_save(const char *path, const json_t *record, struct base_err *err) FM_CHECK;

/* A record that is not anchored yet: *out is the caller's. FM_E_CONFLICT: it is. */
fm_status signed_files_load(json_t **out, const char *path, struct base_err *err) FM_CHECK;

#endif
