/* One small document over HTTPS. What may happen on the way is bounded: TLS 1.2 or newer, with a
 * certificate for that host name by a trusted CA; one request, no redirect followed, no cookie, no
 * compression; an answer with status 200, of at most so many bytes, whole within so many
 * milliseconds. */
#ifndef FIRMIANA_EXCHANGE_RESOLVE_FETCH_H
#define FIRMIANA_EXCHANGE_RESOLVE_FETCH_H

#include "base/bytes.h"
#include "base/status.h"

struct resolve_fetch {
    const char *address; /* https://... */
    const char *ca_file; /* PEM: the only CAs to trust; NULL: the system's */
    size_t max_len;
    long timeout_ms;
};

/* Appends the document. Errors, all naming the address: FM_E_ARG (not https), FM_E_NOT_FOUND (no
 * such host, or its server says 404 or 410), FM_E_AUTH (the certificate), FM_E_TIMEOUT, FM_E_LIMIT
 * (longer), FM_E_PEER (anything else, redirects among it). */
fm_status resolve_fetch(struct base_buf *out, const struct resolve_fetch *what,
                        struct base_err *err) FM_CHECK;

#endif
