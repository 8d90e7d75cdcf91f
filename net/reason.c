#include "net/reason.h"

#include <string.h>

static const char *const words[] = {
    [NET_R_ERROR] = "error",       [NET_R_CANCELLED] = "cancelled",   [NET_R_TIMEOUT] = "timeout",
    [NET_R_DAMAGED] = "damaged",   [NET_R_PROTOCOL] = "protocol",     [NET_R_GONE] = "gone",
    [NET_R_REFUSED] = "refused",   [NET_R_REVOKED] = "revoked",       [NET_R_CHECK] = "check",
    [NET_R_SHUTDOWN] = "shutdown", [NET_R_LIMIT] = "limit",           [NET_R_KEY] = "key",
    [NET_R_REPLACED] = "replaced", [NET_R_UNEXPECTED] = "unexpected",
};

enum { WORDS = sizeof words / sizeof *words };

const char *net_reason_word(unsigned reason)
{
    return words[reason < WORDS ? reason : NET_R_ERROR];
}

enum net_reason net_reason_of(const char *word)
{
    for (unsigned i = 0; i < WORDS; i++)
        if (strcmp(words[i], word) == 0)
            return (enum net_reason)i;
    return NET_R_ERROR;
}
