/* Memory runs out: our i-th allocation fails, i = 1, 2, 3, ..., until a run asks for fewer. Each
 * operation must then say FM_E_MEMORY or do its work, and leave nothing behind. jansson's and
 * OpenSSL's are not failed: where they run out, the process ends (base/json.h, base/hash.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "exchange/wallet/code.h"
#include "exchange/wallet/history.h"
#include "exchange/wallet/ledger.h"
#include "ledger/verify/test_story.h"

static long left = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__real_realloc(void *p, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);
void *__wrap_realloc(void *p, size_t len);

void *__wrap_malloc(size_t len)
{
    return fails() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t n, size_t len)
{
    return fails() ? NULL : __real_calloc(n, len);
}

void *__wrap_realloc(void *p, size_t len)
{
    return fails() ? NULL : __real_realloc(p, len);
}

static struct did_passphrase *pass;
static struct wallet wallet;
static struct base_buf file;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static struct ledger_consent permission(const uint8_t nonce32[32])
{
    struct ledger_consent c = {.scheme = "cn.id",
                               .grantee = "bank_a",
                               .purpose = "credit decision",
                               .not_before = w->time_ms,
                               .expires = w->time_ms + 3600000,
                               .uses = 2};

    memcpy(c.chain, w->chain, 32);
    ledger_subject_commit(c.commitment, w->chain, "x", 1, nonce32);
    return c;
}

static fm_status grant(struct base_err *e)
{
    struct ledger_consent c;
    struct wallet_draft d;
    const json_t *record;
    size_t before = json_array_size(wallet_list(&wallet, "consents"));
    fm_status st = wallet_consent_begin(&d, &wallet, "bank_a", NULL, w->time_ms, e);

    if (st == FM_OK) {
        c = permission(d.nonce);
        st = wallet_consent_sign(&record, &wallet, &d, &c, "x", e);
    }
    wallet_draft_release(&d);
    assert_int_equal(json_array_size(wallet_list(&wallet, "consents")), before + (st == FM_OK));
    return st;
}

static int set_up(void **state)
{
    const struct did_kdf cheap = {1u << 14, 1, 1};
    struct base_buf genesis = {0};

    (void)story_set_up(state);
    must(did_passphrase_from_bytes(&pass, "x", 1, &err));
    must(wallet_new(&wallet, NULL, NULL, 1795168260, pass, &cheap, base_random_system(), &err));
    must(base_json_canonical(&genesis, w->genesis, &err));
    must(wallet_ledger_trust(&wallet, genesis.p, genesis.len, &err));
    base_buf_release(&genesis);
    must(grant(&err));
    (void)world_put(w,
                    story_consent(json_incref(json_object_get(
                        json_array_get(wallet_list(&wallet, "consents"), 0), "consent"))),
                    LEDGER_RULE_OK);
    story_finish();
    must(wallet_write(&file, &wallet, base_random_system(), &err));
    return 0;
}

static int tear_down(void **state)
{
    wallet_release(&wallet);
    base_buf_release(&file);
    did_passphrase_free(pass);
    return story_tear_down(state);
}

/* ---- the operations ---- */

static fm_status write_file(struct base_err *e)
{
    struct base_buf out = {0};
    fm_status st = wallet_write(&out, &wallet, base_random_system(), e);

    base_buf_release(&out);
    return st;
}

static fm_status read_file(struct base_err *e)
{
    struct wallet again;
    fm_status st = wallet_read(&again, file.p, file.len, pass, e);

    assert_true((st == FM_OK) == (again.content != NULL));
    wallet_release(&again);
    return st;
}

struct memory {
    const uint8_t *p;
    size_t left;
};

static fm_status read_memory(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    struct memory *m = ctx;

    (void)e;
    *got = len < m->left ? len : m->left;
    memcpy(out, m->p, *got);
    m->p += *got;
    m->left -= *got;
    return FM_OK;
}

static fm_status history(struct base_err *e)
{
    struct memory m = {w->bundle.p, w->bundle.len};
    const struct ledger_bundle_source source = {read_memory, &m};
    struct ledger_verified *report;
    struct wallet_history h;
    json_t *events = NULL;
    long saved = left;
    fm_status st;

    left = -1;
    must(story_verify(&report, w->bundle.p, w->bundle.len, 65536));
    left = saved;
    st = wallet_history_begin(&h, &wallet, e);
    if (st == FM_OK)
        st = wallet_history_read(&h, &source, report, e);
    if (st == FM_OK)
        st = wallet_history_events(&events, &h, e);
    assert_true(st != FM_OK || json_array_size(events) == 1);
    json_decref(events);
    wallet_history_release(&h);
    ledger_verified_free(report);
    return st;
}

static fm_status codes(struct base_err *e)
{
    struct base_buf lines = {0}, out = {0};
    struct wallet_codes split;
    char text[1500];
    fm_status st;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    st = wallet_codes_split(&split, text, WALLET_CODE_SMALL, e);
    for (size_t i = 0; i < split.count; i++) {
        base_buf_put_str(&lines, split.texts[i]);
        base_buf_put_str(&lines, "\n");
    }
    if (st == FM_OK)
        st = base_buf_status(&lines, "lines", e);
    if (st == FM_OK)
        st = wallet_codes_join(&out, base_buf_cstr(&lines), e);
    if (st == FM_OK)
        assert_int_equal(out.len, strlen(text));
    if (st == FM_OK)
        st = wallet_code_png(&out, split.texts[0], e);
    if (st == FM_OK)
        st = wallet_code_svg(&out, split.texts[0], e);
    if (st == FM_OK)
        st = wallet_code_terminal(&out, split.texts[0], e);
    wallet_codes_release(&split);
    base_buf_release(&lines);
    base_buf_release(&out);
    return st;
}

/* Every allocation in turn; of many, one in `step`, unless all is asked for. */
static void run(const char *name, long step, fm_status (*operation)(struct base_err *e))
{
    long failed = 0, i = 0;
    bool injected = true;

    if (getenv("FIRMIANA_FULL") != NULL && strcmp(getenv("FIRMIANA_FULL"), "1") == 0)
        step = 1;
    for (; injected; i += step) {
        struct base_err e = {0};
        fm_status st;
        left = i;
        st = operation(&e);
        injected = left < 0;
        left = -1;
        if (st != FM_OK && st != FM_E_MEMORY)
            fail_msg("%s, allocation %ld: %s: %s", name, i, fm_status_name(st), e.text);
        failed += st == FM_E_MEMORY;
    }
    print_message("%s: to allocation %ld, %ld failures reported\n", name, i - step, failed);
    assert_true(failed > 0);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    run("write", 1, write_file);
    run("read", 1, read_file);
    run("grant", 1, grant);
    run("history", 13, history);
    run("codes", 1, codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("wallet faults", tests, NULL, NULL);
}
