#include "ledger/machine/test_machine_trail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/store/export.h"

static struct base_err err;
static char folder[64], path[96], bundle[96];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

void trail_begin(struct town *t, int rules, enum trail_members members)
{
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-gov-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/ledger.db", folder);
    (void)snprintf(bundle, sizeof bundle, "%s/trail", folder);
    if (members == TRAIL_VALIDATORS)
        town_init_validators(t, path, rules);
    else
        town_init_rules(t, path, rules);
}

void trail_end(struct town *t)
{
    char command[128];

    town_release(t);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static fm_status read_file(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    (void)e;
    *got = fread(out, 1, len, ctx);
    return FM_OK;
}

struct ledger_verified *trail_verify(struct town *t, unsigned cosigners)
{
    const struct ledger_head *head = ledger_chain_head(t->chain);
    static const char *const keys[] = {"member/bank_b", "param"};
    struct ledger_export_options options = {.keys = keys, .n_keys = 2};
    struct base_buf text = town_checkpoint(t, cosigners, head->app_hash, head->log_size);
    struct ledger_bundle_source source = {read_file, NULL};
    struct ledger_verified *report;
    struct ledger_export_report wrote;
    uint64_t final_size;
    size_t n_new;

    must(ledger_chain_cosign(t->chain, &n_new, &final_size, (const char *)text.p, text.len, &err));
    base_buf_release(&text);
    assert_int_equal(final_size, head->log_size);
    must(ledger_export(ledger_chain_reader(t->chain), bundle, &options, &wrote, &err));
    source.ctx = fopen(bundle, "rb");
    assert_non_null(source.ctx);
    if (ledger_verify(&report, &source, t->chain_id, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_memory_equal(report->state_root, head->state_root, 32);
    assert_int_equal(fclose(source.ctx), 0);
    assert_int_equal(unlink(bundle), 0);
    return report;
}

const json_t *trail_state(const struct town *t, const char *key)
{
    static json_t *last;
    const char *text = json_string_value(json_object_get(t->memory.state, key));

    json_decref(last);
    last = NULL;
    if (text != NULL)
        must(base_json_parse(&last, text, strlen(text), &err));
    return last;
}
