/* The handshake of TLS 1.3 (net/channel.h). Laws: handshake_laws.h. */
#include "tests/fuzz/handshake_laws.h"

static const char *const words[] = {
    "\x16\x03\x03", "\x16\x03\x01", "\x15\x03\x03", "\x14\x03\x03\x01", "\x17\x03\x03",
    "\x0b",         "\x01\x01\x01", "\x13\x02",     "bank_b",           NULL};
const struct fuzz_target fuzz_target = {"handshake", FUZZ_BYTES,      6000,
                                        words,       handshake_begin, handshake_run};
