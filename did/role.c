#include "did/role.h"

#include <assert.h>
#include <stddef.h>

const enum did_role did_roles[DID_ROLE_COUNT] = {
    DID_ROLE_AUTHENTICATION,
    DID_ROLE_ASSERTION,
    DID_ROLE_INVOCATION,
};

const char *did_role_name(enum did_role role)
{
    switch (role) {
    case DID_ROLE_AUTHENTICATION:
        return "authentication";
    case DID_ROLE_ASSERTION:
        return "assertionMethod";
    case DID_ROLE_INVOCATION:
        return "capabilityInvocation";
    }
    assert(!"a role is one bit of enum did_role");
    return NULL;
}
