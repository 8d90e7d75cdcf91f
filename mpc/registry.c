#include <string.h>

#include "mpc/plain/plain.h"
#include "mpc/protocol.h"
#include "mpc/rep3/rep3.h"

static const struct mpc_protocol *const rows[] = {&mpc_plain, &mpc_rep3};

const struct mpc_protocol *mpc_protocol_at(size_t i)
{
    return i < sizeof rows / sizeof rows[0] ? rows[i] : NULL;
}

const struct mpc_protocol *mpc_protocol_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i]->name, name) == 0)
            return rows[i];
    return NULL;
}

const char *mpc_op_name(enum mpc_op op)
{
    static const char *const names[MPC_OP_COUNT] = {
        "session",    "input",  "reveal",     "open",          "check",       "prepare",
        "local",      "mul",    "dot",        "and",           "a2b",         "b2a",
        "bit2a",      "msb",    "eqz",        "bit count",     "permutation", "coin",
        "zero share", "random", "linked msb", "dot of columns"};

    return op < MPC_OP_COUNT ? names[op] : "unknown operation";
}

fm_status mpc_protocol_validate(const struct mpc_protocol *p, struct base_err *err)
{
    const struct {
        const char *name;
        bool filled;
    } slots[] = {
        {"open", p->open != NULL},
        {"close", p->close != NULL},
        {"lane", p->lane != NULL},
        {"held_components", p->held_components != NULL},
        {"input", p->input != NULL},
        {"reveal_to", p->reveal_to != NULL},
        {"open_masked", p->open_masked != NULL},
        {"check", p->check != NULL},
        {"prepare", p->prepare != NULL},
        {"record", p->record != NULL},
        {"zero", p->zero != NULL},
        {"add", p->add != NULL},
        {"sub", p->sub != NULL},
        {"scale", p->scale != NULL},
        {"add_constant", p->add_constant != NULL},
        {"sum", p->sum != NULL},
        {"spread", p->spread != NULL},
        {"place", p->place != NULL},
        {"gather", p->gather != NULL},
        {"gather_sub", p->gather_sub != NULL},
        {"prefix", p->prefix != NULL},
        {"xor", p->xor != NULL},
        {"flip", p->flip != NULL},
        {"mul", p->mul != NULL},
        {"dot", p->dot != NULL},
        {"dot_columns", p->dot_columns != NULL},
        {"and", p->and != NULL},
        {"a2b", p->a2b != NULL},
        {"b2a", p->b2a != NULL},
        {"bit2a", p->bit2a != NULL},
        {"msb", p->msb != NULL},
        {"msb_linked", p->msb_linked != NULL},
        {"eqz", p->eqz != NULL},
        {"bit_count", p->bit_count != NULL},
        {"perm_random", p->perm_random != NULL},
        {"perm_apply", p->perm_apply != NULL},
        {"perm_free", p->perm_free != NULL},
        {"coin", p->coin != NULL},
        {"zero_share", p->zero_share != NULL},
        {"random", p->random != NULL},
    };

    if (p->name == NULL || p->parties == 0 || p->parties > NET_MAX_PARTIES || p->held == 0 ||
        p->held > MPC_MAX_COMPONENTS || p->components < p->held ||
        p->components > MPC_MAX_COMPONENTS || p->corrupt >= p->parties || p->most_lanes == 0 ||
        p->most_lanes > NET_MAX_STREAMS)
        return base_err_set(err, FM_E_ARG, "protocol %s: its numbers make no sense",
                            p->name == NULL ? "without a name" : p->name);
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
        if (!slots[i].filled)
            return base_err_set(err, FM_E_ARG, "protocol %s: slot %s is empty", p->name,
                                slots[i].name);
    return FM_OK;
}
