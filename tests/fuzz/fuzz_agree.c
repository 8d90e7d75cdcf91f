/* The handshake of the national profile (net/agree.h). Laws: handshake_laws.h. */
#include "base/profile.h"
#include "tests/fuzz/handshake_laws.h"

static void begin(struct fuzz_corpus *corpus)
{
    struct base_err err = {0};

    fuzz_law(base_profile_adopt(BASE_PROFILE_NATIONAL, &err) == FM_OK, err.text);
    handshake_begin(corpus);
}

static const char *const words[] = {"\x01",   "\x02",   "\x03",         "\x04",
                                    "bank_b", "bank_a", "\x16\x03\x01", NULL};
const struct fuzz_target fuzz_target = {"agree", FUZZ_BYTES, 4000, words, begin, handshake_run};
