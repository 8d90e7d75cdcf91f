/* One line of JSON in canonical form: shared by both ends of the socket. */
#ifndef FIRMIANA_EXCHANGE_NODE_RPC_WIRE_H
#define FIRMIANA_EXCHANGE_NODE_RPC_WIRE_H

#include <jansson.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/status.h"

/* Fills a unix address; FM_E_ARG if the path is longer than the 107 bytes that Linux allows. */
fm_status rpc_address(struct sockaddr_un *out, const char *path, struct base_err *err) FM_CHECK;
/* Appends the canonical line with its newline. */
fm_status rpc_put_line(struct base_buf *out, const json_t *value, struct base_err *err) FM_CHECK;
/* Parses a line (without newline). */
fm_status rpc_get_line(json_t **out, const uint8_t *bytes, size_t len,
                       struct base_err *err) FM_CHECK;

#endif
