/* Building circuits for masked.c. */
#include <stdlib.h>

#include "mpc/rep3/masked.h"

enum { BUCKETS = 4096 };

/* A monomial that is dealt already: its wires in order, 16 bits each, and its plane. */
struct found {
    uint64_t key;
    uint16_t lambda;
};

void masked_init(struct masked_program *p, unsigned leaves)
{
    *p = (struct masked_program){.leaves = leaves, .dealt = leaves};
    p->gate = malloc(MASKED_MOST * sizeof *p->gate);
    p->product = malloc(MASKED_MOST * sizeof *p->product);
    p->found = calloc(BUCKETS, sizeof(struct found));
    p->failed = p->gate == NULL || p->product == NULL || p->found == NULL;
}

void masked_release(struct masked_program *p)
{
    free(p->gate);
    free(p->product);
    free(p->found);
    *p = (struct masked_program){0};
}

uint16_t masked_wire(struct masked_program *p)
{
    if (p->fresh == MASKED_MOST)
        p->failed = true;
    return p->failed ? MASKED_FRESH : (uint16_t)(MASKED_FRESH + p->fresh++);
}

/* The plane of the product of lambdas `low` and `top`, whose key is given. */
static uint16_t product_of(struct masked_program *p, uint64_t key, uint16_t low, uint16_t top)
{
    struct found *table = p->found;
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 52);

    while (table[at].key != 0 && table[at].key != key)
        at = (at + 1) % BUCKETS;
    if (table[at].key == key)
        return table[at].lambda;
    if (p->dealt == MASKED_MOST) {
        p->failed = true;
        return 0;
    }
    p->product[p->dealt - p->leaves] = (struct masked_product){low, top};
    table[at] = (struct found){key, (uint16_t)p->dealt};
    return (uint16_t)p->dealt++;
}

void masked_and(struct masked_program *p, uint16_t out, const uint16_t *wire, unsigned k,
                uint16_t times0, uint16_t times1)
{
    uint64_t key[1 << MASKED_WIRES] = {0};
    struct masked_gate *g;

    if (p->gates == MASKED_MOST)
        p->failed = true;
    if (p->failed)
        return;
    g = &p->gate[p->gates++];
    *g = (struct masked_gate){.out = out, .times = {times0, times1}, .k = (uint16_t)k};
    p->and_gates += k > 1 ? k - 1 : 0;
    for (unsigned j = 0; j < k; j++) { /* in order, so that a set has one key */
        unsigned at = j;

        for (; at > 0 && g->wire[at - 1] > wire[j]; at--)
            g->wire[at] = g->wire[at - 1];
        g->wire[at] = wire[j];
    }
    for (unsigned set = 1; set < 1u << k; set++) {
        unsigned top = 0;
        unsigned low;

        while (set >> (top + 1) != 0)
            top++;
        low = set & ~(1u << top);
        key[set] = key[low] << 16 | (g->wire[top] + 1u);
        g->lambda[set - 1] =
            low == 0 ? g->wire[top] : product_of(p, key[set], g->lambda[low - 1], g->wire[top]);
    }
}

void masked_level_end(struct masked_program *p)
{
    if (p->levels == MASKED_LEVELS) {
        p->failed = true;
        return;
    }
    p->levels++;
    p->level_gate[p->levels] = p->gates;
    p->level_fresh[p->levels] = p->fresh;
}

void masked_out(struct masked_program *p, uint16_t a, uint16_t b)
{
    p->out[p->outs][0] = a;
    p->out[p->outs++][1] = b;
}
