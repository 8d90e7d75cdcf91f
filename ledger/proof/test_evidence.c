/* Every document of anchors of every small size is shown by its certificate, and by no other's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/evidence.h"

enum { MOST = 70 };

static struct base_err err;
static struct ledger_evidence_item item[MOST];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static json_t *body_of(const struct ledger_evidence_tree *tree, size_t n)
{
    uint8_t root[32];
    char hex[65];

    ledger_evidence_tree_root(tree, root);
    base_hex(hex, root, 32);
    return json_pack("{s:s, s:I, s:s}", "algorithm", "sm3", "count", (json_int_t)n, "root", hex);
}

static struct ledger_certificate certificate(const struct ledger_evidence_tree *tree, size_t i,
                                             size_t n)
{
    struct ledger_certificate c = {
        .algorithm = "sm3", .item = item[i], .index = i, .count = n, .name = "a \"name\""};

    must(ledger_evidence_tree_prove(tree, &c.path, i, &err));
    return c;
}

static void each_is_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOST; i++) {
        base_hash(item[i].digest, &i, sizeof i);
        base_hash(item[i].salt, item[i].digest, 32);
    }
    for (size_t n = 1; n <= MOST; n++) {
        struct ledger_evidence_tree *tree;
        json_t *body;

        must(ledger_evidence_tree_new(&tree, "sm3", item, n, &err));
        body = body_of(tree, n);
        for (size_t i = 0; i < n; i++) {
            struct ledger_certificate c = certificate(tree, i, n);

            must(ledger_certificate_check(&c, body, &err));
            c.item = item[(i + 1) % MOST];
            assert_int_equal(ledger_certificate_check(&c, body, &err), FM_E_INVALID);
            c.item = item[i];
            c.index = (i + 1) % n;
            if (n > 1)
                assert_int_equal(ledger_certificate_check(&c, body, &err), FM_E_INVALID);
            c.index = i;
            memcpy(c.algorithm, "sha256", 7);
            assert_int_equal(ledger_certificate_check(&c, body, &err), FM_E_INVALID);
        }
        json_decref(body);
        ledger_evidence_tree_free(tree);
    }
    {
        struct ledger_evidence_tree *none;
        assert_int_equal(ledger_evidence_tree_new(&none, "sm3", item, 0, &err), FM_E_ARG);
    }
}

/* One form, which reads back as it was; no byte of it may change unnoticed by the check. */
static void lines_have_one_form(void **state)
{
    struct ledger_evidence_tree *tree;
    struct base_buf line = {0}, again = {0};
    struct ledger_certificate c, back;
    json_t *body;

    (void)state;
    must(ledger_evidence_tree_new(&tree, "sm3", item, 13, &err));
    body = body_of(tree, 13);
    c = certificate(tree, 5, 13);
    base_buf_put_str(&c.token, "no token, but bytes");
    must(ledger_certificate_encode(&line, &c, &err));
    must(ledger_certificate_parse(&back, line.p, line.len, &err));
    must(ledger_certificate_encode(&again, &back, &err));
    assert_int_equal(line.len, again.len);
    assert_memory_equal(line.p, again.p, line.len);
    assert_int_equal(ledger_certificate_check(&back, body, &err),
                     FM_E_INVALID); /* a token too much */
    ledger_certificate_release(&back);
    for (size_t i = 0; i < line.len; i++)
        if (ledger_certificate_parse(&back, line.p, i, &err) == FM_OK && i + 1 < line.len)
            fail_msg("%zu bytes of it parse", i);
        else
            ledger_certificate_release(&back);
    ledger_certificate_release(&c);
    base_buf_release(&line);
    base_buf_release(&again);
    json_decref(body);
    ledger_evidence_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_shown),
        cmocka_unit_test(lines_have_one_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
