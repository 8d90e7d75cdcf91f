#include "exchange/cli/lottery_state.h"

static const char *first_without(const json_t *open, const json_t *list)
{
    const json_t *members = json_object_get(open, "members");

    for (size_t i = 0; i < json_array_size(members); i++) {
        const char *alias = json_string_value(json_array_get(members, i));
        if (json_object_get(list, alias) == NULL)
            return alias;
    }
    return NULL;
}

const char *cli_lottery_missing(const json_t *open, const json_t *commits, const json_t *shares)
{
    const char *alias = first_without(open, commits);

    return alias != NULL ? alias : first_without(open, shares);
}

enum cli_lottery_phase cli_lottery_phase(const json_t *open, const json_t *commits,
                                         const json_t *shares, int64_t time_ms)
{
    if (first_without(open, shares) == NULL)
        return CLI_LOTTERY_COMPLETE;
    if (time_ms < json_integer_value(json_object_get(open, "close")))
        return CLI_LOTTERY_COMMITTING;
    if (first_without(open, commits) == NULL &&
        time_ms < json_integer_value(json_object_get(open, "reveal")))
        return CLI_LOTTERY_REVEALING;
    return CLI_LOTTERY_SPOILT;
}
