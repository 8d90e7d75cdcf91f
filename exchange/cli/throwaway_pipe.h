/* What a throwaway consortium's processes say to the one that started them, and it to them:
 * messages of a length (4 bytes, big-endian) and that many bytes. */
#ifndef FIRMIANA_EXCHANGE_CLI_THROWAWAY_PIPE_H
#define FIRMIANA_EXCHANGE_CLI_THROWAWAY_PIPE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

enum { THROWAWAY_START_MS = 15000 };

fm_status throwaway_pipe_write(int fd, const void *bytes, size_t len,
                               struct base_err *err) FM_CHECK;
/* Appends one message to *out. until_ms: on the monotonic clock. FM_E_TIMEOUT; FM_E_IO when the
 * other process ended; FM_E_LIMIT; FM_E_CANCELLED after a signal (throwaway_signalled). */
fm_status throwaway_pipe_read(int fd, struct base_buf *out, int64_t until_ms,
                              struct base_err *err) FM_CHECK;

#endif
