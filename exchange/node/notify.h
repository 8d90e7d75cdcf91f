/* What systemd wants to hear from a service (sd_notify(3)): a datagram to the socket that the
 * environment names in NOTIFY_SOCKET. Without that variable nothing is sent, and nothing is wrong.
 * Lines that this program sends: READY=1, STATUS=..., STOPPING=1, WATCHDOG=1. */
#ifndef FIRMIANA_EXCHANGE_NODE_NOTIFY_H
#define FIRMIANA_EXCHANGE_NODE_NOTIFY_H

#include <stdint.h>

/* state: "READY=1\nSTATUS=...". A lost datagram is systemd's to miss: no error comes back. */
void notify_send(const char *state);

/* How often, in ms, the watchdog wants a sign of life (half of WATCHDOG_USEC, if WATCHDOG_PID is
 * this process); 0: never. */
int64_t notify_watchdog_ms(void);

#endif
