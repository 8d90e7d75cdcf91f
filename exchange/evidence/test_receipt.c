/* Receipts: what is kept reads back, certifies each document, and is refused once altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "exchange/evidence/receipt.h"

static struct base_err err;
static char path[64];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static void make(struct evidence_receipt *r, size_t n)
{
    static const char *const names[] = {"a.txt", "", "tab\tand\x7f",
                                        "\xe5\x90\x88\xe5\x90\x8c.pdf"};
    uint8_t digest[32];

    *r = (struct evidence_receipt){.algorithm = "sha256"};
    for (size_t i = 0; i < n; i++) {
        base_hash(digest, &i, sizeof i);
        must(evidence_receipt_add(r, digest, names[i % 4], base_random_system(), &err));
    }
    must(evidence_receipt_seal(r, &err));
}

static void digests_are_those_of_the_file(void **state)
{
    uint8_t got[32], want[32];
    struct base_buf big = {0};

    (void)state;
    memset(base_buf_extend(&big, 200001), 'x', 200001);
    must(base_file_write(path, big.p, big.len, 0600, &err));
    must(evidence_digest_file(got, path, "sha256", &err));
    base_hash(want, big.p, big.len);
    assert_memory_equal(got, want, 32);
    assert_int_equal(evidence_digest_file(got, "/nowhere/at/all", "sm3", &err), FM_E_IO);
    base_buf_release(&big);
}

static void receipts_read_back(void **state)
{
    static const uint8_t tx[32] = {3};
    struct evidence_receipt r, back;
    struct ledger_certificate c;
    struct base_buf text = {0};
    uint8_t other[32] = {0};

    (void)state;
    make(&r, 100);
    base_buf_put_str(&r.token, "a token");
    must(evidence_receipt_save(&r, path, &err));
    must(evidence_receipt_load(&back, path, &err));
    assert_int_equal(back.n, 100);
    assert_memory_equal(back.root, r.root, 32);
    assert_string_equal(back.names[1], "-");
    assert_string_equal(back.names[2], "tab?and?");
    assert_string_equal(back.names[3], "\xe5\x90\x88\xe5\x90\x8c.pdf");
    for (size_t i = 0; i < 100; i += 9) {
        must(evidence_receipt_certify(&c, &back, r.items[i].digest, tx, &err));
        assert_int_equal(c.index, i);
        assert_int_equal(c.token.len, 7);
        ledger_certificate_release(&c);
    }
    assert_int_equal(evidence_receipt_certify(&c, &back, other, tx, &err), FM_E_NOT_FOUND);
    evidence_receipt_release(&back);

    must(base_file_read(&text, path, 1 << 20, &err));
    for (char *at = strstr(base_buf_cstr(&text), "\"salt\":\""); at != NULL; at = NULL) {
        at[8] = at[8] == '0' ? '1' : '0';
        must(base_file_write(path, text.p, text.len, 0600, &err));
        assert_int_equal(evidence_receipt_load(&back, path, &err), FM_E_INPUT);
        assert_non_null(strstr(err.text, "the root is not that of the items"));
    }
    for (size_t len = 0; len < 400; len += 13) {
        must(base_file_write(path, text.p, len, 0600, &err));
        assert_int_not_equal(evidence_receipt_load(&back, path, &err), FM_OK);
    }
    base_buf_release(&text);
    evidence_receipt_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_file),
        cmocka_unit_test(receipts_read_back),
    };
    int failed, fd;

    (void)snprintf(path, sizeof path, "/tmp/firmiana-receipt-XXXXXX");
    fd = mkstemp(path);
    failed = fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    (void)close(fd);
    (void)unlink(path);
    return failed;
}
