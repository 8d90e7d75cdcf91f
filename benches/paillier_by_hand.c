#include "benches/paillier_by_hand.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { BITS = 6, VALUES = 1 << BITS, NUMBERS = 256 };

struct by_hand {
    mpz_t p, q, n, p2, q2, n2, order[2], x, y, z, t, r, e, pinv, p2inv;
    mpz_t *table;
    unsigned fixed_bits;
};

static void draw(mpz_t v, unsigned long bits)
{
    uint8_t bytes[NUMBERS * 4];
    struct base_err err;

    if (base_random_fill(base_random_system(), bytes, sizeof bytes, &err) != FM_OK)
        abort();
    mpz_import(v, sizeof bytes, 1, 1, 1, 0, bytes);
    mpz_fdiv_r_2exp(v, v, bits);
}

static void make_table(struct by_hand *b, const mpz_t h)
{
    size_t rows = (b->fixed_bits + BITS - 1) / BITS;

    b->table = malloc(rows * VALUES * sizeof *b->table);
    if (b->table == NULL)
        abort();
    mpz_powm(b->t, h, b->n, b->n2);
    for (size_t j = 0; j < rows; j++) {
        mpz_t *row = b->table + j * VALUES;
        mpz_init_set_ui(row[0], 1);
        for (size_t v = 1; v < VALUES; v++) {
            mpz_init(row[v]);
            mpz_mul(row[v], row[v - 1], b->t);
            mpz_mod(row[v], row[v], b->n2);
        }
        mpz_mul(b->t, row[VALUES - 1], b->t);
        mpz_mod(b->t, b->t, b->n2);
    }
}

struct by_hand *by_hand_new(const mpz_t p, const mpz_t q, const mpz_t h, unsigned fixed_bits)
{
    struct by_hand *b = calloc(1, sizeof *b);

    if (b == NULL)
        abort();
    b->fixed_bits = fixed_bits;
    mpz_inits(b->p, b->q, b->n, b->p2, b->q2, b->n2, b->order[0], b->order[1], b->x, b->y, b->z,
              b->t, b->r, b->e, b->pinv, b->p2inv, NULL);
    mpz_set(b->p, p);
    mpz_set(b->q, q);
    mpz_mul(b->n, p, q);
    mpz_mul(b->p2, p, p);
    mpz_mul(b->q2, q, q);
    mpz_mul(b->n2, b->n, b->n);
    mpz_sub_ui(b->order[0], p, 1);
    mpz_sub_ui(b->order[1], q, 1);
    mpz_invert(b->pinv, p, q);
    mpz_invert(b->p2inv, b->p2, b->q2);
    draw(b->x, mpz_sizeinbase(b->n2, 2) - 1);
    draw(b->y, mpz_sizeinbase(b->n2, 2) - 1);
    draw(b->r, mpz_sizeinbase(b->n, 2) - 1);
    if (fixed_bits > 0)
        make_table(b, h);
    return b;
}

void by_hand_free(struct by_hand *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; b->table != NULL && i < (b->fixed_bits + BITS - 1) / BITS * VALUES; i++)
        mpz_clear(b->table[i]);
    free(b->table);
    mpz_clears(b->p, b->q, b->n, b->p2, b->q2, b->n2, b->order[0], b->order[1], b->x, b->y, b->z,
               b->t, b->r, b->e, b->pinv, b->p2inv, NULL);
    free(b);
}

static void encrypt(struct by_hand *b, const char *kind)
{
    if (strcmp(kind, "owner") == 0) {
        mpz_powm(b->z, b->r, b->p, b->p2);
        mpz_powm(b->t, b->r, b->q, b->q2);
        mpz_sub(b->t, b->t, b->z);
        mpz_mul(b->t, b->t, b->p2inv);
        mpz_mod(b->t, b->t, b->q2);
        mpz_addmul(b->z, b->p2, b->t);
    } else if (b->table != NULL) {
        mpz_set_ui(b->z, 1);
        draw(b->e, b->fixed_bits);
        for (unsigned at = 0; at < b->fixed_bits; at += BITS) {
            unsigned v = 0;
            for (unsigned i = 0; i < BITS; i++)
                v |= (unsigned)mpz_tstbit(b->e, at + i) << i;
            mpz_mul(b->z, b->z, b->table[at / BITS * VALUES + v]);
            mpz_mod(b->z, b->z, b->n2);
        }
    } else {
        mpz_powm(b->z, b->r, b->n, b->n2);
    }
    mpz_mul(b->t, b->r, b->n);
    mpz_add_ui(b->t, b->t, 1);
    mpz_mul(b->z, b->z, b->t);
    mpz_mod(b->z, b->z, b->n2);
}

static void decrypt(struct by_hand *b)
{
    mpz_mod(b->z, b->x, b->p2);
    mpz_powm(b->z, b->z, b->order[0], b->p2);
    mpz_tdiv_q(b->z, b->z, b->p);
    mpz_mod(b->t, b->x, b->q2);
    mpz_powm(b->t, b->t, b->order[1], b->q2);
    mpz_tdiv_q(b->t, b->t, b->q);
    mpz_sub(b->t, b->t, b->z);
    mpz_mul(b->t, b->t, b->pinv);
    mpz_mod(b->t, b->t, b->q);
    mpz_addmul(b->z, b->p, b->t);
}

void by_hand_operate(struct by_hand *b, const char *op, const char *kind)
{
    if (strcmp(op, "encrypt") == 0 || strcmp(op, "pack") == 0) {
        encrypt(b, kind);
    } else if (strcmp(op, "decrypt") == 0) {
        decrypt(b);
    } else if (strcmp(op, "add") == 0) {
        mpz_mul(b->z, b->x, b->y);
        mpz_mod(b->z, b->z, b->n2);
    } else if (strcmp(op, "mul") == 0) {
        mpz_powm(b->z, b->x, b->r, b->n2);
    } else { /* mul64, and a term of dot */
        mpz_fdiv_r_2exp(b->e, b->r, 64);
        mpz_powm(b->z, b->x, b->e, b->n2);
        if (strcmp(op, "dot") == 0) {
            mpz_mul(b->z, b->z, b->y);
            mpz_mod(b->z, b->z, b->n2);
        }
    }
}
