/* Status lists as text: the W3C's and others' lists read as stated, ours read back, hostile ones
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "did/credential/status_list.h"
#include "did/test_tools.h"

static void w3c_lists(void **state)
{
    json_t *file = tools_vectors("bitstring_status_list/encoded_lists.json"), *one, *at;
    size_t i, j, read = 0, refused = 0;

    (void)state;
    json_array_foreach(file, i, one)
    {
        const char *text = json_string_value(json_object_get(one, "encodedList"));
        bool decodes = json_is_true(json_object_get(one, "decodes"));
        const json_t *set = json_object_get(one, "set_positions_msb_first");
        struct credential_bits bits;
        struct base_err err = {0};
        size_t found = 0;
        assert_int_equal(credential_bits_decode(&bits, text, &err), decodes ? FM_OK : FM_E_INPUT);
        *(decodes ? &read : &refused) += 1;
        if (!decodes)
            continue;
        assert_int_equal(bits.count, json_integer_value(json_object_get(one, "bits")));
        for (size_t k = 0; k < bits.count; k++)
            found += credential_bits_get(&bits, k);
        assert_int_equal(found, json_array_size(set));
        json_array_foreach(set, j, at)
            assert_true(credential_bits_get(&bits, (size_t)json_integer_value(at)));
        credential_bits_release(&bits);
    }
    print_message("%zu lists read, %zu refused\n", read, refused);
    assert_true(read >= 4 && refused >= 3);
    json_decref(file);
}

/* The W3C's and another implementation's lists as credentials, with the entries that lie in one:
 * their signatures are of a kind that is not ours, the bits are. */
static void credentials_with_lists(void **state)
{
    static const struct {
        const char *entry, *list;
        bool set;
    } cases[] = {
        {"status_list_revocable_1", "local-status-list-credential", false},
        {"status_list_revocable_3", "local-status-list-credential", true},
        {"status_list_revocable_1", "status-list-credential", false},
        {"status_list_revocable_3", "status-list-credential", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[96];
        json_t *credential, *list, *entry;
        struct base_err err = {0};
        bool set;
        (void)snprintf(path, sizeof path, "bitstring_status_list/%s.json", cases[i].entry);
        credential = tools_vectors(path);
        (void)snprintf(path, sizeof path, "bitstring_status_list/%s.json", cases[i].list);
        list = tools_vectors(path);
        entry = json_object_get(credential, "credentialStatus");
        assert_int_equal(credential_status_read(&set, entry, list, &err), FM_OK);
        assert_int_equal(set, cases[i].set);
        json_object_set_new(entry, "statusPurpose", json_string("suspension"));
        tools_expect(credential_status_read(&set, entry, list, &err), FM_E_INPUT, &err,
                     "is not for 'suspension'");
        json_object_set_new(entry, "statusPurpose", json_string("revocation"));
        json_object_set_new(entry, "statusListIndex", json_string("131072"));
        tools_expect(credential_status_read(&set, entry, list, &err), FM_E_INPUT, &err,
                     "is outside the list");
        assert_true(set); /* whoever forgets to look at the status sees it revoked */
        json_decref(credential);
        json_decref(list);
    }
}

static void bits_come_back(void **state)
{
    struct credential_bits bits, again;
    struct tools_random rnd;
    struct base_buf text = {0};
    struct base_err err = {0};

    (void)state;
    tools_random_init(&rnd, 9);
    assert_int_equal(credential_bits_make(&bits, 8, &err), FM_E_ARG);
    assert_int_equal(credential_bits_make(&bits, CREDENTIAL_STATUS_MIN + 1, &err), FM_E_ARG);
    assert_int_equal(credential_bits_make(&bits, CREDENTIAL_STATUS_MAX + 8, &err), FM_E_ARG);
    assert_int_equal(credential_bits_make(&bits, CREDENTIAL_STATUS_MIN + 64, &err), FM_OK);
    for (int i = 0; i < 5000; i++)
        credential_bits_set(&bits, tools_random_below(&rnd, bits.count),
                            tools_random_below(&rnd, 4) != 0);
    assert_int_equal(credential_bits_encode(&text, &bits, &err), FM_OK);
    assert_int_equal(credential_bits_decode(&again, base_buf_cstr(&text), &err), FM_OK);
    assert_int_equal(again.count, bits.count);
    assert_memory_equal(again.bytes, bits.bytes, bits.count / 8);
    credential_bits_release(&again);
    /* Every third character changed: the checksum, or the packing, shows it. */
    for (size_t i = 0; i < text.len; i += 1 + text.len / 64) {
        uint8_t kept = text.p[i];
        text.p[i] = kept == 'A' ? 'B' : 'A';
        if (credential_bits_decode(&again, base_buf_cstr(&text), &err) == FM_OK) {
            /* bits of GZIP's header that mean nothing (time, system) may differ */
            assert_memory_equal(again.bytes, bits.bytes, bits.count / 8);
            assert_true(i < 16);
            credential_bits_release(&again);
        }
        text.p[i] = kept;
    }
    base_buf_release(&text);
    credential_bits_release(&bits);
}

/* 17 million zeros pack into 16 KB: unpacking stops at the limit. */
static void bombs_are_refused(void **state)
{
    const size_t count = CREDENTIAL_STATUS_MAX + 64;
    struct credential_bits bits = {calloc(count / 8, 1), count}, out;
    struct base_buf text = {0};
    struct base_err err = {0};

    (void)state;
    assert_int_equal(credential_bits_encode(&text, &bits, &err), FM_OK);
    tools_expect(credential_bits_decode(&out, base_buf_cstr(&text), &err), FM_E_INPUT, &err,
                 "more than 16777216 entries");
    base_buf_release(&text);
    credential_bits_release(&bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w3c_lists),
        cmocka_unit_test(credentials_with_lists),
        cmocka_unit_test(bits_come_back),
        cmocka_unit_test(bombs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
