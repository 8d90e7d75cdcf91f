/* Bytes of keys and ciphertexts: round trips, and everything that is refused, by its sentence.
 * Known answers where ../shared/data is there. Plaintext codes and slots. */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "mpc/paillier/test_tools.h"

static struct base_err err;

#define REFUSED(call, sentence)                      \
    do {                                             \
        assert_int_not_equal((call), FM_OK);         \
        assert_non_null(strstr(err.text, sentence)); \
    } while (0)

/* A key's bytes with another modulus. */
static void with_modulus(struct base_buf *b, const mpz_t n)
{
    size_t count;

    memset(b->p + 4, 0, 256);
    mpz_export(b->p + 4 + 256 - (mpz_sizeinbase(n, 2) + 7) / 8, &count, 1, 1, 1, 0, n);
}

static void bad_moduli(struct base_buf *b)
{
    struct mpc_pai_std *key;
    mpz_t n;

    mpz_init_set_ui(n, 1);
    mpz_mul_2exp(n, n, 2047);
    with_modulus(b, n);
    REFUSED(mpc_pai_std_get(&key, b->p, b->len, &err), "is even");
    assert_null(key);
    mpz_setbit(n, 0);
    while (!mpz_divisible_ui_p(n, 251))
        mpz_add_ui(n, n, 2);
    with_modulus(b, n);
    REFUSED(mpc_pai_std_get(&key, b->p, b->len, &err), "is divisible by");
    TEST_OK(mpc_pai_prime_new(n, 2048, MPC_PAI_BLUM, &err));
    with_modulus(b, n);
    REFUSED(mpc_pai_std_get(&key, b->p, b->len, &err), "is prime");
    TEST_OK(mpc_pai_prime_new(n, 1024, MPC_PAI_BLUM, &err));
    mpz_mul(n, n, n);
    with_modulus(b, n);
    REFUSED(mpc_pai_std_get(&key, b->p, b->len, &err), "perfect power");
    TEST_OK(mpc_pai_prime_new(n, 1024, MPC_PAI_BLUM, &err));
    with_modulus(b, n);
    REFUSED(mpc_pai_std_get(&key, b->p, b->len, &err), "has 1024 bits");
    mpz_clear(n);
}

static void public_keys(void **state)
{
    struct base_buf b = {0}, again = {0};
    struct mpc_pai_secret *secret;
    struct mpc_pai_djn *djn, *djn2;
    struct mpc_pai_sub *sub;
    struct mpc_pai_std *std;
    uint8_t was;

    (void)state;
    assert_int_equal(mpc_pai_std_generate(&std, &secret, 1024, &err), FM_E_ARG);
    TEST_OK(mpc_pai_djn_generate(&djn, &secret, 2048, &err));
    mpc_pai_secret_free(secret);
    TEST_OK(mpc_pai_djn_put(&b, djn, &err));
    assert_int_equal(b.len, 4 + 512);
    TEST_OK(mpc_pai_djn_get(&djn2, b.p, b.len, &err));
    TEST_OK(mpc_pai_djn_put(&again, djn2, &err));
    assert_true(b.len == again.len && memcmp(b.p, again.p, b.len) == 0);
    mpc_pai_djn_free(djn2);
    REFUSED(mpc_pai_djn_get(&djn2, b.p, b.len - 1, &err), "511 bytes of numbers, not 512");
    REFUSED(mpc_pai_djn_get(&djn2, b.p, 3, &err), "truncated");
    REFUSED(mpc_pai_sub_get(&sub, b.p, b.len, &err), "of kind 2, not 3");
    memset(b.p + 260, 0, 256);
    REFUSED(mpc_pai_djn_get(&djn2, b.p, b.len, &err), "Jacobi");
    memcpy(b.p + 260, b.p + 4, 256);
    REFUSED(mpc_pai_djn_get(&djn2, b.p, b.len, &err), "Jacobi");
    was = b.p[0], b.p[0] = 2;
    REFUSED(mpc_pai_djn_get(&djn2, b.p, b.len, &err), "version 2");
    b.p[0] = was;
    again.len = 0;
    TEST_OK(mpc_pai_std_put(&again, mpc_pai_djn_as_std(djn), &err));
    TEST_OK(mpc_pai_std_get(&std, again.p, again.len, &err));
    mpc_pai_std_free(std);
    again.p[2] = 4, again.p[3] = 0;
    REFUSED(mpc_pai_std_get(&std, again.p, again.len, &err), "a key of 1024 bits");
    again.p[2] = 8;
    bad_moduli(&again);
    mpc_pai_djn_free(djn);
    base_buf_release(&b);
    base_buf_release(&again);
}

static void put_half(uint8_t *to, const mpz_t v)
{
    memset(to, 0, 128);
    mpz_export(to + 128 - (mpz_sizeinbase(v, 2) + 7) / 8, NULL, 1, 1, 1, 0, v);
}

static void secret_keys(void **state)
{
    struct mpc_pai_secret *secret, *again;
    struct base_buf b = {0};
    struct mpc_pai_std *std;
    mpz_t p;

    (void)state;
    mpz_init(p);
    TEST_OK(mpc_pai_std_generate(&std, &secret, 2048, &err));
    TEST_OK(mpc_pai_secret_put(&b, secret, &err));
    TEST_OK(mpc_pai_secret_get(&again, b.p, b.len, &err));
    assert_true(mpc_pai_secret_opens(again, mpc_pai_std_modulus(std)));
    mpc_pai_secret_free(again);
    mpz_import(p, 128, 1, 1, 1, 0, b.p + 4);
    put_half(b.p + 132, p);
    REFUSED(mpc_pai_secret_get(&again, b.p, b.len, &err), "too close");
    mpz_nextprime(p, p);
    put_half(b.p + 132, p);
    REFUSED(mpc_pai_secret_get(&again, b.p, b.len, &err), "too close");
    mpz_add_ui(p, p, 1);
    put_half(b.p + 132, p);
    REFUSED(mpc_pai_secret_get(&again, b.p, b.len, &err), "not prime");
    mpz_fdiv_q_2exp(p, p, 1);
    put_half(b.p + 132, p);
    REFUSED(mpc_pai_secret_get(&again, b.p, b.len, &err), "not of 1024 bits");
    REFUSED(mpc_pai_secret_get(&again, b.p, 100, &err), "bytes of numbers");
    mpz_clear(p);
    base_buf_release_secret(&b);
    mpc_pai_std_free(std);
    mpc_pai_secret_free(secret);
}

static void ciphertexts(void **state)
{
    struct test_key k, other;
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c, d;
    struct base_buf b = {0};
    int64_t v[3] = {INT64_MIN, -1, INT64_MAX}, got[3];
    size_t count;

    (void)state;
    test_key_new(&k, MPC_PAI_STD, 256, NULL);
    test_key_new(&other, MPC_PAI_STD, 256, NULL);
    TEST_OK(mpc_pai_plain_init(&m, k.n, 3, &err));
    TEST_OK(mpc_pai_plain_from_i64(&m, v, &err));
    TEST_OK(mpc_pai_cipher_init(&c, k.n, 3, &err));
    TEST_OK(test_encrypt(&c, &k, &m, &err));
    TEST_OK(mpc_pai_cipher_put(&b, &c, &err));
    assert_int_equal(b.len, 40 + 3 * 64);
    TEST_OK(mpc_pai_cipher_get(&d, k.n, 3, b.p, b.len, &err));
    TEST_OK(mpc_pai_decrypt(&m, k.secret, &d, &err));
    TEST_OK(mpc_pai_plain_to_i64(got, &m, &err));
    assert_memory_equal(got, v, sizeof v);
    mpc_pai_cipher_release(&d);
    REFUSED(mpc_pai_cipher_get(&d, k.n, 2, b.p, b.len, &err), "3 ciphertexts, at most 2");
    REFUSED(mpc_pai_cipher_get(&d, k.n, 3, b.p, b.len - 1, &err), "take 192 bytes, not 191");
    REFUSED(mpc_pai_cipher_get(&d, k.n, 3, b.p, 30, &err), "truncated");
    REFUSED(mpc_pai_cipher_get(&d, other.n, 3, b.p, b.len, &err), "another key");
    memset(b.p + 40 + 64, 0xff, 64);
    REFUSED(mpc_pai_cipher_get(&d, k.n, 3, b.p, b.len, &err), "ciphertext 1 is not below n^2");
    memset(b.p + 40 + 64, 0, 64);
    REFUSED(mpc_pai_cipher_get(&d, k.n, 3, b.p, b.len, &err), "ciphertext 1 shares a factor");
    mpz_export(b.p + 40 + 64 + 32, &count, 1, 1, 1, 0, k.n->n);
    REFUSED(mpc_pai_cipher_get(&d, k.n, 3, b.p, b.len, &err), "ciphertext 1 shares a factor");
    b.p[1] = 1;
    REFUSED(mpc_pai_cipher_get(&d, k.n, 3, b.p, b.len, &err), "kind 1");
    base_buf_release(&b);
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&m);
    test_key_free(&k);
    test_key_free(&other);
}

static void codes(void **state)
{
    const struct mpc_pai_code code = {.scale = 4, .bits = 40};
    struct mpc_pai_code sum, product;
    struct mpc_pai_plain m;
    int64_t v[3] = {-12345, 0, 6789}, got[3], big[3] = {0, (int64_t)1 << 40, 0};
    struct test_key k;

    (void)state;
    test_key_new(&k, MPC_PAI_STD, 256, NULL);
    TEST_OK(mpc_pai_plain_init(&m, k.n, 3, &err));
    TEST_OK(mpc_pai_fixed_encode(&m, &code, v, 2, &err));
    TEST_OK(mpc_pai_fixed_decode(got, &code, &m, &err));
    for (int i = 0; i < 3; i++)
        assert_true(got[i] == v[i] * 100);
    REFUSED(mpc_pai_fixed_encode(&m, &code, v, 5, &err), "cannot become scale 4 exactly");
    REFUSED(mpc_pai_fixed_encode(&m, &code, big, 4, &err), "value 1 has more than 40 bits");
    big[1]--;
    TEST_OK(mpc_pai_fixed_encode(&m, &code, big, 4, &err));
    big[1] = -big[1];
    TEST_OK(mpc_pai_fixed_encode(&m, &code, big, 4, &err));
    TEST_OK(mpc_pai_code_sum(&sum, &code, 1000, k.n, &err));
    assert_true(sum.bits == 50 && sum.scale == 4);
    TEST_OK(mpc_pai_code_product(&product, &sum, &code, k.n, &err));
    assert_true(product.bits == 90 && product.scale == 8);
    product.bits = 200;
    REFUSED(mpc_pai_code_product(&sum, &product, &product, k.n, &err), "may overflow");
    m.w[2] = 1;
    REFUSED(mpc_pai_plain_to_i64(got, &m, &err), "plaintext 0 is no 64-bit integer");
    mpc_pai_plain_release(&m);
    test_key_free(&k);
}

static void masks(void **state)
{
    struct mpc_pai_plain m;
    struct test_key k;
    uint64_t any = 0;

    (void)state;
    test_key_new(&k, MPC_PAI_STD, 256, NULL);
    TEST_OK(mpc_pai_plain_init(&m, k.n, 40, &err));
    TEST_OK(mpc_pai_plain_masks(&m, 30, base_random_system(), &err));
    for (size_t i = 0; i < m.n; i++) {
        assert_true(m.w[m.k * i + 1] < 64 && m.w[m.k * i + 2] == 0 && m.w[m.k * i + 3] == 0);
        any |= m.w[m.k * i + 1];
    }
    assert_true(any ==
                63); /* 70 bits: the top six are all seen among 40, but for a chance of 2^-37 */
    TEST_OK(mpc_pai_plain_masks(&m, 213, base_random_system(), &err));
    REFUSED(mpc_pai_plain_masks(&m, 214, base_random_system(), &err), "does not fit");
    mpc_pai_plain_release(&m);
    test_key_free(&k);
}

static void slots(void **state)
{
    struct mpc_pai_slots s;
    struct mpc_pai_plain m[3];
    struct mpc_pai_cipher c, sum;
    int64_t v[20], got[20], want[20] = {0};
    struct test_key k;

    (void)state;
    test_key_new(&k, MPC_PAI_DJN, 640, NULL);
    TEST_OK(mpc_pai_slots_init(&s, 40, 3, k.n, &err));
    assert_true(s.slot_bits == 43 && s.slots == 14);
    TEST_OK(mpc_pai_cipher_init(&c, k.n, 2, &err));
    TEST_OK(mpc_pai_cipher_init(&sum, k.n, 2, &err));
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < 20; i++) {
            v[i] = i % 3 == 0   ? ((int64_t)1 << 40) - 1
                   : i % 3 == 1 ? 1 - ((int64_t)1 << 40)
                                : 7 - t;
            want[i] += v[i];
        }
        TEST_OK(mpc_pai_plain_init(&m[t], k.n, 2, &err));
        TEST_OK(mpc_pai_slots_pack(&m[t], &s, v, 20, &err));
        TEST_OK(test_encrypt(t == 0 ? &sum : &c, &k, &m[t], &err));
        if (t > 0)
            TEST_OK(mpc_pai_add(&sum, &sum, &c, &err));
    }
    TEST_OK(mpc_pai_decrypt(&m[0], k.secret, &sum, &err));
    TEST_OK(mpc_pai_slots_unpack(got, 20, &s, &m[0], 3, &err));
    assert_memory_equal(got, want, sizeof want);
    REFUSED(mpc_pai_slots_unpack(got, 20, &s, &m[0], 4, &err), "4 terms");
    v[4] = (int64_t)1 << 40;
    REFUSED(mpc_pai_slots_pack(&m[0], &s, v, 20, &err), "value 4 has more than 40 bits");
    REFUSED(mpc_pai_slots_pack(&m[0], &s, v, 29, &err), "do not fit");
    v[1] = -5;
    TEST_OK(mpc_pai_slots_place(&m[1], &s, 13, v, &err));
    TEST_OK(mpc_pai_slots_unpack(got, 14, &s, &m[1], 0, &err));
    assert_true(got[13] == ((int64_t)1 << 40) + v[0] && got[12] == 0);
    REFUSED(mpc_pai_slots_place(&m[1], &s, 14, v, &err), "slot 14 of 14");
    for (int t = 0; t < 3; t++)
        mpc_pai_plain_release(&m[t]);
    mpc_pai_cipher_release(&c);
    mpc_pai_cipher_release(&sum);
    test_key_free(&k);
}

static uint64_t number(const json_t *one, const char *name)
{
    const json_t *v = json_object_get(one, name);

    return json_is_string(v) ? strtoull(json_string_value(v), NULL, 10)
                             : (uint64_t)json_integer_value(v);
}

static void known_answer(const json_t *one)
{
    struct mpc_pai_secret *secret;
    struct mpc_pai_std *key;
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c;
    uint64_t r = number(one, "r"), whole[2];
    mpz_t n, p, q;

    mpz_init_set_ui(n, number(one, "n"));
    mpz_init_set_ui(p, number(one, "p"));
    mpz_init_set_ui(q, number(one, "q"));
    TEST_OK(mpc_pai_std_make(&key, n, NULL, &err));
    TEST_OK(mpc_pai_secret_make(&secret, p, q, NULL, &err));
    TEST_OK(mpc_pai_plain_init(&m, &key->n, 1, &err));
    TEST_OK(mpc_pai_cipher_init(&c, &key->n, 1, &err));
    m.w[0] = number(one, "m");
    TEST_OK(mpc_pai_std_encrypt_r(&c, key, &m, &r, &err));
    TEST_OK(mpc_pai_vec_store_whole(whole, &c.v, &err));
    assert_true(whole[0] == number(one, "c"));
    TEST_OK(mpc_pai_decrypt(&m, secret, &c, &err));
    assert_true(m.w[0] == number(one, "m"));
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&m);
    mpc_pai_secret_free(secret);
    mpc_pai_std_free(key);
    mpz_clears(n, p, q, NULL);
}

static void known_answers(void **state)
{
    json_t *all = json_load_file("../shared/data/vectors/paillier/small_regression.json", 0, NULL);

    (void)state;
    if (all == NULL)
        skip();
    assert_true(json_array_size(all) >= 2);
    for (size_t i = 0; i < json_array_size(all); i++)
        known_answer(json_array_get(all, i));
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_keys),   cmocka_unit_test(secret_keys),
        cmocka_unit_test(ciphertexts),   cmocka_unit_test(codes),
        cmocka_unit_test(masks),         cmocka_unit_test(slots),
        cmocka_unit_test(known_answers),
    };

    mpc_pai_gmp_init();
    test_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
