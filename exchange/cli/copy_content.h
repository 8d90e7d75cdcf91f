/* What is in the box of a signed document's copy (exchange/copies/box.h): one line of canonical
 * JSON, then the bytes of both files.
 *
 *   {"document": name, "document_size", "signed": name, "signed_size", "type":
 *    "FirmianaSignedCopy", "version": 1} || 0x0a || document || signed file */
#ifndef FIRMIANA_EXCHANGE_CLI_COPY_CONTENT_H
#define FIRMIANA_EXCHANGE_CLI_COPY_CONTENT_H

#include <stdint.h>

#include "base/status.h"

/* Boxes both files into out. name: the document's, without folders (COPIES_NAME bytes). */
fm_status copy_content_seal(int out, char *name, const char *document, const char *signed_file,
                            const uint8_t key32[32], struct base_err *err) FM_CHECK;

/* Opens the box into a new folder (FM_E_CONFLICT: there is one). Paths of what was written go to
 * both texts of PATH_MAX bytes. On an error nothing is left. FM_E_INPUT: not such a box. */
fm_status copy_content_open(char *document, char *signed_file, const char *folder, int box,
                            const uint8_t key32[32], struct base_err *err) FM_CHECK;
/* Takes the folder back. */
void copy_content_remove(const char *document, const char *signed_file, const char *folder);

#endif
