/* Which way a circuit goes: a pure function of public lengths and of the session's profile, so that
 * all parties make the same choice (design.md section 5: physical choices).
 *
 * MPC_FEW_ROUNDS and MPC_FEW_BYTES are fixed: the quickest at any length where a round is dear, and
 * the leanest. The others name what lies between the compute parties, and then each circuit goes
 * the way whose time this header's model gives as the shortest:
 *
 *     rounds * (half a round trip + what sending and waking take)
 *       + bytes of one party * (the line's time for a byte + the processor's)
 *
 * The processor's part was measured on the anchors' machine over loopback, n = 10^6: 2 ns a byte
 * for circuits that work a block of elements at a time (rep3/masked.h), 3 ns for those that go bit
 * by bit through whole columns. So long a2b and b2a go bit by bit even on a LAN (benches/bench_mpc
 * --link), short ones nowhere; and what is short grows with the link's delay. */
#ifndef FIRMIANA_MPC_CHOICE_H
#define FIRMIANA_MPC_CHOICE_H

#include <string.h>

#include "mpc/session.h"

struct mpc_link {
    const char *name;
    uint64_t round_ns;
    uint64_t byte_ps; /* of the line */
};

/* A way of doing a whole list: bytes of one party. */
struct mpc_way {
    uint64_t bytes;
    unsigned rounds;
    bool bit_by_bit;
};

enum { MPC_BLOCK_BYTE_PS = 2000, MPC_BIT_BYTE_PS = 3000 };

/* NULL for the fixed profiles. */
static inline const struct mpc_link *mpc_link_of(enum mpc_profile profile)
{
    static const struct mpc_link links[] = {
        {"lan", 80000, 800},      /* 10 Gbit/s, 0.1 ms round trip */
        {"metro", 1030000, 8000}, /* 1 Gbit/s, 2 ms */
        {"wan", 10030000, 8000},  /* 1 Gbit/s, 20 ms */
    };

    return profile < MPC_LAN ? NULL : &links[profile - MPC_LAN];
}

/* The profile of that name, "lan", "metro" or "wan"; false if there is none. */
static inline bool mpc_link_find(enum mpc_profile *profile, const char *name)
{
    for (enum mpc_profile p = MPC_LAN; p <= MPC_WAN; p++)
        if (strcmp(mpc_link_of(p)->name, name) == 0) {
            *profile = p;
            return true;
        }
    return false;
}

/* A link's profile only. */
static inline uint64_t mpc_way_ns(enum mpc_profile profile, struct mpc_way way)
{
    const struct mpc_link *link = mpc_link_of(profile);
    uint64_t byte_ps = link->byte_ps + (way.bit_by_bit ? MPC_BIT_BYTE_PS : MPC_BLOCK_BYTE_PS);

    return way.rounds * link->round_ns + way.bytes * byte_ps / 1000;
}

/* The fixed profile that a circuit follows which can go both ways. */
static inline enum mpc_profile mpc_choose(enum mpc_profile profile, struct mpc_way few_rounds,
                                          struct mpc_way few_bytes)
{
    if (mpc_link_of(profile) == NULL)
        return profile;
    return mpc_way_ns(profile, few_rounds) <= mpc_way_ns(profile, few_bytes) ? MPC_FEW_ROUNDS
                                                                             : MPC_FEW_BYTES;
}

/* How many bytes of one party a round is worth: for choices that have no exact costs. The fixed
 * profiles: 32 KiB, and none. */
static inline uint64_t mpc_round_bytes(enum mpc_profile profile)
{
    const struct mpc_link *link = mpc_link_of(profile);

    if (link == NULL)
        return profile == MPC_FEW_ROUNDS ? UINT64_C(1) << 15 : 0;
    return link->round_ns * 1000 / (link->byte_ps + MPC_BLOCK_BYTE_PS);
}

#endif
