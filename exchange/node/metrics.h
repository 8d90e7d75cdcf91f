/* The node's figures as Prometheus reads them (text format 0.0.4), and the local port where it
 * does. The same figures as `firmiana status`, plus what counts.h counts. They hold members'
 * aliases, rule codes and numbers: no query ids, no parameters, no names of people, no datasets. */
#ifndef FIRMIANA_EXCHANGE_NODE_METRICS_H
#define FIRMIANA_EXCHANGE_NODE_METRICS_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/status.h"
#include "exchange/node/counts.h"

/* Appends all of it. status: node_status()'s. Memory: see base_buf_status(). */
void metrics_write(struct base_buf *out, const json_t *status, const struct node_counts *counts);

/* An HTTP server without a thread of its own, for GET and HEAD of /metrics on a loopback address.
 * It answers only requests whose Host is a loopback name (or absent), so that no web page in a
 * browser on this machine can read it under a name of its own. At most METRICS_CLIENTS at once, 5 s
 * each. */
enum { METRICS_CLIENTS = 16 };
struct metrics_port;

/* address: "127.0.0.1:9464" or "[::1]:9464", as home_settings() checks it. write is called for each
 * answer, from metrics_port_serve(). Errors: FM_E_CONFLICT (the port is in use), FM_E_IO. */
fm_status metrics_port_open(struct metrics_port **out, const char *address,
                            void (*write)(void *ctx, struct base_buf *out), void *ctx,
                            struct base_err *err) FM_CHECK;
void metrics_port_close(struct metrics_port *port); /* NULL is allowed */

/* Readable when there is something to serve; and in how many ms there is at the latest (-1: never).
 */
int metrics_port_fd(const struct metrics_port *port);
int metrics_port_wait_ms(const struct metrics_port *port);
void metrics_port_serve(struct metrics_port *port);

#endif
