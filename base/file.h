/* Whole files: read with a cap, written in one step. */
#ifndef FIRMIANA_BASE_FILE_H
#define FIRMIANA_BASE_FILE_H

#include "base/bytes.h"
#include "base/status.h"

/* Appends the file's content. FM_E_LIMIT if it is longer than max_len; FM_E_IO names the path. */
fm_status base_file_read(struct base_buf *out, const char *path, size_t max_len,
                         struct base_err *err) FM_CHECK;

/* The same of a file that must hold something: FM_E_INPUT if it has no bytes, as a full disk leaves
 * them; the text names the path and says so. */
fm_status base_file_read_filled(struct base_buf *out, const char *path, size_t max_len,
                                struct base_err *err) FM_CHECK;

/* Writes a temporary file beside path, syncs it, renames it over path and syncs the folder: after a
 * crash path is the old file or the new one, whole. mode: permission bits. */
fm_status base_file_write(const char *path, const void *bytes, size_t len, unsigned mode,
                          struct base_err *err) FM_CHECK;

/* FM_E_IO: the disk that path is on is full, how much is free, and how much a node wants. */
fm_status base_file_full(const char *path, struct base_err *err);

/* Syncs the folder that path stands in: what was made, renamed or removed in it stays so. */
fm_status base_file_sync_folder(const char *path, struct base_err *err) FM_CHECK;

#endif
