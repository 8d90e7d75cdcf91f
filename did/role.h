/* What a key may do: the W3C verification relationships (DID Core 1.0, section 5.3), which are also
 * the purposes of proofs (VC Data Integrity, section 2.1). A proof is good only for a key that has
 * the role of the same name. */
#ifndef FIRMIANA_DID_ROLE_H
#define FIRMIANA_DID_ROLE_H

/* Bits, so that a key can have several. The values are stored nowhere. */
enum did_role {
    DID_ROLE_AUTHENTICATION = 1, /* sessions: the node's channel key */
    DID_ROLE_ASSERTION = 2,      /* queries, receipts, cosignatures: the online node */
    DID_ROLE_INVOCATION = 4,     /* authorizations, votes, document updates: officers, offline */
};

#define DID_ROLE_COUNT 3
extern const enum did_role did_roles[DID_ROLE_COUNT];

/* "authentication", "assertionMethod", "capabilityInvocation". */
const char *did_role_name(enum did_role role);

#endif
