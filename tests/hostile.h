/* What the hostile peers share: bytes of ZMTP 3.1 (RFC 37), made by hand, so that nothing of ZeroMQ
 * or of net/ stands between them and the node. */
#ifndef FIRMIANA_TESTS_HOSTILE_H
#define FIRMIANA_TESTS_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

enum {
    ZMTP_GREETING = 64,
    ZMTP_MORE = 1,
    ZMTP_LONG = 2,
    ZMTP_COMMAND = 4,
    HOSTILE_FRAME_MAX = (1 << 20) + 64
};

/* 127.0.0.1:port as a listening or connected socket, non-blocking; -1 and errno. A connection comes
 * from `source`, another address of this machine's loopback. */
int hostile_listen(unsigned port);
int hostile_connect(unsigned port, const char *source);
int64_t hostile_now_ms(void);

/* Writes a greeting with mechanism NULL and the READY command of a DEALER; returns its length (at
 * most 128). */
size_t hostile_hello(uint8_t *out);
/* The header of a frame of len bytes: 2 or 9 bytes. */
size_t hostile_frame_header(uint8_t *out, unsigned flags, uint64_t len);

int hostile_flood(int argc, char **argv);
int hostile_proxy(int argc, char **argv);

#endif
