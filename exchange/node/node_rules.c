/* What the members voted that this program cannot follow (ledger/format.md, section 12). */
#include "base/json.h"
#include "exchange/node/node_own.h"
#include "ledger/proof/rules.h"

static void judge(struct node *node, const json_t *param)
{
    const json_t *next = json_object_get(param, "next_rules");
    int64_t now = json_integer_value(json_object_get(param, "rules_version"));
    int64_t version = json_integer_value(json_object_get(next, "version"));

    if (now > LEDGER_RULES_VERSION && node->fault.code == FM_OK)
        (void)base_err_set(&node->fault, FM_E_UNSUPPORTED,
                           "from block %llu on the ledger follows rules version %lld, this program "
                           "has %d: install a newer one",
                           (unsigned long long)ledger_chain_head(node->chain)->height + 1,
                           (long long)now, LEDGER_RULES_VERSION);
    if (version <= LEDGER_RULES_VERSION || node->rules_warned == version)
        return;
    node->rules_warned = version;
    node_log_put(node->config.log, "warn", "node.rules", NULL,
                 "from block %lld on the ledger will follow rules version %lld, this program has "
                 "%d: install a newer one before that",
                 (long long)json_integer_value(json_object_get(next, "height")), (long long)version,
                 LEDGER_RULES_VERSION);
}

void node_rules_watch(struct node *node)
{
    struct base_err err = {0};
    json_t *param = NULL;

    if (ledger_reader_get(ledger_chain_reader(node->chain), &param, "param", &err) != FM_OK)
        node_step_error(node, "reading the parameters", &err);
    else
        judge(node, param);
    json_decref(param);
}
