#include "exchange/cli/governance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "did/moment.h"
#include "ledger/proof/misbehavior.h"

fm_status cli_find_id(char id[65], const json_t *list, const char *name, const char *digits,
                      const char *what, struct base_err *err)
{
    const json_t *item;
    size_t i, found = 0, len = strlen(digits);

    if (len < 8 || len > 64 || strspn(digits, "0123456789abcdef") != len)
        return base_err_set(err, FM_E_ARG,
                            "%s is named by the first 8 hex digits or more of its id, as "
                            "governance list prints it",
                            what);
    json_array_foreach(list, i, item)
    {
        if (strncmp(cli_text(item, name), digits, len) != 0)
            continue;
        (void)snprintf(id, 65, "%s", cli_text(item, name));
        found++;
    }
    if (found == 0)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: none begins with %s", what, digits);
    if (found > 1)
        return base_err_set(err, FM_E_ARG, "%s: %zu begin with %s: give more digits", what, found,
                            digits);
    return FM_OK;
}

void cli_print_misbehavior(const char *before, const json_t *item)
{
    enum ledger_act act = ledger_act_find(cli_text(item, "act"));
    const char *member = cli_text(item, "member");
    char when[DID_MOMENT_TEXT] = "";
    struct base_err err = {0};

    if (did_moment_format(when, json_integer_value(json_object_get(item, "time")) / 1000, &err) !=
        FM_OK)
        when[0] = '\0';
    printf("%sthe validator of %s %s at block %" JSON_INTEGER_FORMAT
           " (%s; recorded in block %" JSON_INTEGER_FORMAT ", ground %.12s)\n",
           before, member[0] != '\0' ? member : cli_text(item, "validator"),
           act != LEDGER_ACT_COUNT ? ledger_act_text(act) : cli_text(item, "act"),
           json_integer_value(json_object_get(item, "height")), when,
           json_integer_value(json_object_get(item, "recorded")), cli_text(item, "id"));
}
