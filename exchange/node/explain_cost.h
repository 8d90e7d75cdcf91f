/* What a query would cost between members, from declared facts alone. */
#ifndef FIRMIANA_EXCHANGE_NODE_EXPLAIN_COST_H
#define FIRMIANA_EXCHANGE_NODE_EXPLAIN_COST_H

#include <jansson.h>

#include "exchange/node/node_own.h"
#include "exchange/sql/plan/plan.h"

/* Puts "estimate" into answer:
 *   {"link": {"name", "round_us", "mbit_s"?}, "compute": [3 aliases], "rounds", "bytes", "us",
 *    "steps": [{"step", "operator"?, "rounds", "bytes", "us"}],
 *    "parties": [{"who", "computes", "sent", "received", "memory"}]}
 * us: microseconds. bytes: over all parties; sent, received, memory: of one, in bytes. "operator":
 * its number.
 *
 * ask: "over"? (the link: "lan", the default, "metro", "wan", "local" or "measured": as this node's
 * own pings say, which have both nodes' delays in them), "link"? (a contract's), "compute"? (3
 * aliases; else providers, then recipients, then other members), "values"? (texts of $1, $2, ...;
 * else the ends of their ranges). Errors: FM_E_INPUT, FM_E_NOT_FOUND: a link, member or value that
 * is none; FM_E_LIMIT: more parties than a session has, or fewer than three members. */
fm_status node_explain_cost(struct node *node, json_t *answer, const struct sql_plan *plan,
                            const json_t *ask, struct base_err *err) FM_CHECK;

#endif
