/* transpose64() for instruction sets without anything better. */
#include <stdint.h>

/* One 64 x 64 bit block, rows to columns in place: swaps ever smaller off-diagonal squares (Warren,
 * Hacker's Delight, 7-3). */
static void transpose64(uint64_t block[64])
{
    uint64_t mask = UINT64_C(0x00000000FFFFFFFF);

    for (unsigned step = 32; step != 0; step >>= 1, mask ^= mask << step) {
        for (unsigned base = 0; base < 64; base += 2 * step) {
            for (unsigned i = base; i < base + step; i++) {
                uint64_t swap = ((block[i] >> step) ^ block[i + step]) & mask;
                block[i] ^= swap << step;
                block[i + step] ^= swap;
            }
        }
    }
}

static inline void transpose64_mixed(uint64_t block[64])
{
    transpose64(block);
}
#define COLUMN_AT(j) (j)
