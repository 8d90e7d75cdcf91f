/* Every file of others' vectors for primitives is read: here, by the test that is named, or not,
 * for a reason that is named. A file that nobody has decided about fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/bytes.h"
#include "base/file.h"
#include "did/test_tools.h"
#include "tests/vectors/vectors.h"

static const struct {
    const char *file;
    void (*run)(const char *file); /* or */
    const char *elsewhere;         /* the test that reads it, or */
    const char *unused;            /* why nobody does */
} files[] = {
    {"wycheproof/aes_gcm_test.json", vectors_aes_gcm, NULL, NULL},
    {"wycheproof/chacha20_poly1305_test.json", NULL, NULL,
     "no ChaCha20: nothing is sealed with it, and TLS is given AES-256-GCM alone"},
    {"wycheproof/ecdh_secp256r1_test.json", vectors_ecdh_p256, NULL, NULL},
    {"wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", NULL, "did/test_curves.c", NULL},
    {"wycheproof/ecdsa_secp256r1_sha256_test.json", vectors_ecdsa_der, NULL, NULL},
    {"wycheproof/ed25519_test.json", NULL, "did/test_suite.c", NULL},
    {"wycheproof/hkdf_sha256_test.json", vectors_hkdf, NULL, NULL},
    {"wycheproof/hmac_sha256_test.json", vectors_hmac, NULL, NULL},
    {"wycheproof/hmac_sm3_test.json", vectors_hmac, NULL, NULL},
    {"wycheproof/sm4_ccm_test.json", NULL, NULL,
     "no CCM: SM4 is used in counter mode, with HMAC-SM3"},
    {"wycheproof/sm4_gcm_test.json", NULL, NULL,
     "no GCM with SM4: it is used in counter mode, with HMAC-SM3"},
    {"wycheproof/x25519_test.json", vectors_x25519, NULL, NULL},
    {"sm/evpciph_sm4.txt", vectors_evp_sm4, NULL, NULL},
    {"sm/evpmac_sm3.txt", vectors_evp_hmac_sm3, NULL, NULL},
    {"sm/evpmd_sm3.txt", vectors_evp_sm3, NULL, NULL},
    {"sm/evppkey_sm2.txt", vectors_evp_sm2, NULL, NULL},
    {"sm/hkdf_sm3.json", vectors_hkdf, NULL, NULL},
    {"sm/pbkdf2_hmac_sm3.json", vectors_pbkdf2_sm3, NULL, NULL},
    {"sm/sm2_standard_examples.json", vectors_sm2_standard, NULL, NULL},
    {"openssl_evp/evppkey_ecx.txt", NULL, "did/test_suite.c", NULL},
    {"openssl_evp/evpkdf_hkdf.txt", NULL, NULL,
     "the cases of RFC 5869 with SHA-256 are Wycheproof's first; there is no SHA-1"},
    {"openssl_evp/evppkey_ecdsa_rfc6979.txt", NULL, NULL,
     "P-256 signatures are drawn with fresh randomness, not by RFC 6979"},
};
#define FILES (sizeof files / sizeof files[0])
static const char *const folders[] = {"wycheproof", "sm", "openssl_evp"};

/* ---- what handlers share ---- */

const char *vectors_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text == NULL)
        fail_msg("no member '%s'", name);
    return text;
}

size_t vectors_unhex(uint8_t *out, size_t cap, const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *lower = strdup(hex);

    assert_true(lower != NULL && len <= cap);
    for (char *c = lower; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
    assert_true(base_unhex(out, len, lower, strlen(lower)));
    free(lower);
    return len;
}

size_t vectors_hex(uint8_t *out, size_t cap, const json_t *object, const char *name)
{
    return vectors_unhex(out, cap, vectors_text(object, name));
}

void vectors_each(const json_t *file, void (*one)(const json_t *group, const json_t *test))
{
    const json_t *groups = json_object_get(file, "testGroups");
    json_t *group, *test;
    size_t i, j, seen = 0;

    if (groups == NULL) {
        json_array_foreach(file, i, test) one(NULL, test);
        assert_true(json_array_size(file) > 0);
        return;
    }
    json_array_foreach(groups, i, group)
    {
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            one(group, test);
            seen++;
        }
    }
    assert_int_equal(seen, json_integer_value(json_object_get(file, "numberOfTests")));
}

char *vectors_evp_value(const char *group, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = group; line != NULL && *line != '\0';) {
        const char *next = strchr(line, '\n');
        if (strncmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == '=')) {
            line += len + strspn(line + len, " =");
            return strndup(line, strcspn(line, "\n"));
        }
        line = next == NULL ? NULL : next + 1;
    }
    return NULL;
}

char *vectors_evp_next(const char **at, const char *name)
{
    while (**at != '\0') {
        const char *end = strstr(*at, "\n\n");
        char *group = end == NULL ? strdup(*at) : strndup(*at, (size_t)(end - *at));
        char *value;
        assert_non_null(group);
        *at = end == NULL ? *at + strlen(*at) : end + 2 + strspn(end + 2, "\n");
        value = vectors_evp_value(group, name);
        free(value);
        if (value != NULL)
            return group;
        free(group);
    }
    return NULL;
}

/* ---- the table ---- */

static size_t row_of(const char *file)
{
    size_t i = 0;

    while (i < FILES && strcmp(files[i].file, file) != 0)
        i++;
    return i;
}

static void every_file_is_decided_about(void **state)
{
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[256];
        DIR *dir;
        (void)snprintf(path, sizeof path, VECTORS "%s", folders[i]);
        dir = opendir(path);
        if (dir == NULL) {
            print_message("SKIPPED: %s not here\n", path);
            skip();
        }
        for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
            char name[512];
            if (e->d_name[0] == '.')
                continue;
            (void)snprintf(name, sizeof name, "%s/%s", folders[i], e->d_name);
            if (row_of(name) == FILES)
                fail_msg("%s: no test reads it, and nobody says why", name);
            seen++;
        }
        (void)closedir(dir);
    }
    assert_int_equal(seen, FILES); /* none is gone */
}

static void run_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        struct base_buf text = {0};
        struct base_err err = {0};
        if (files[i].run != NULL) {
            files[i].run(files[i].file);
        } else if (files[i].elsewhere != NULL) {
            assert_int_equal(base_file_read(&text, files[i].elsewhere, 1 << 20, &err), FM_OK);
            if (strstr(base_buf_cstr(&text), files[i].file) == NULL)
                fail_msg("%s does not read %s", files[i].elsewhere, files[i].file);
            print_message("%s: %s\n", files[i].file, files[i].elsewhere);
        } else {
            print_message("%s: not used: %s\n", files[i].file, files[i].unused);
        }
        base_buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_decided_about),
        cmocka_unit_test(run_them),
    };
    return cmocka_run_group_tests_name("others' vectors", tests, NULL, NULL);
}
