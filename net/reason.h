/* The closed list of why a session or a connection ends. Only these words travel; details stay
 * where they arose. */
#ifndef FIRMIANA_NET_REASON_H
#define FIRMIANA_NET_REASON_H

/* Values are on the wire. */
enum net_reason {
    NET_R_ERROR = 0,      /* any other failure */
    NET_R_CANCELLED = 1,  /* by a user */
    NET_R_TIMEOUT = 2,    /* a deadline passed */
    NET_R_DAMAGED = 3,    /* a frame did not open */
    NET_R_PROTOCOL = 4,   /* a message that the protocol does not allow */
    NET_R_GONE = 5,       /* the connection broke or fell silent */
    NET_R_REFUSED = 6,    /* a node's own rules */
    NET_R_REVOKED = 7,    /* the ledger revoked what the session rests on */
    NET_R_CHECK = 8,      /* the computation's own check failed */
    NET_R_SHUTDOWN = 9,   /* the node stops */
    NET_R_LIMIT = 10,     /* a bound would be passed */
    NET_R_KEY = 11,       /* a party's key is no longer valid */
    NET_R_REPLACED = 12,  /* the peer opened a newer connection */
    NET_R_UNEXPECTED = 13 /* frames of a session that was never opened here */
};

/* "error", "cancelled", "timeout", "damaged", ...: the words net_abort() takes. Unknown codes and
 * words are "error". */
const char *net_reason_word(unsigned reason);
enum net_reason net_reason_of(const char *word);

#endif
