/* The protocol `plain`: one party that holds every value in the clear. No security: it is the
 * oracle that the tests compare other rows with, and it runs the same circuits. Outside owners send
 * their columns to it, outside recipients get theirs from it, as they are. */
#ifndef FIRMIANA_MPC_PLAIN_H
#define FIRMIANA_MPC_PLAIN_H

#include "mpc/protocol.h"

extern const struct mpc_protocol mpc_plain;

#endif
