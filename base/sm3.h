/* SM3 (GB/T 32905-2016), by OpenSSL: the hash of the national algorithms. FM_E_UNSUPPORTED where
 * this OpenSSL has none. */
#ifndef FIRMIANA_BASE_SM3_H
#define FIRMIANA_BASE_SM3_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct base_sm3_part {
    const void *bytes;
    size_t len;
};

/* Of the parts one after another. */
fm_status base_sm3(uint8_t out32[32], const struct base_sm3_part *parts, size_t count,
                   struct base_err *err) FM_CHECK;

#endif
