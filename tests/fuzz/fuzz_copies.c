/* Messages about copies of documents (exchange/copies/message.h).
 *
 * Law: what is read is written as the same bytes again, and is within its bounds. */
#include <string.h>

#include "base/json.h"
#include "exchange/copies/message.h"
#include "tests/fuzz/fuzz.h"

static const char address[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void run(const uint8_t *data, size_t size)
{
    struct copies_message m;
    struct base_buf again = {0};
    struct base_err err = {0};
    fm_status st = copies_message_parse(&m, data, size, &err);

    fuzz_law(st == FM_OK || st == FM_E_INPUT, "a message, or wrong");
    if (st == FM_OK) {
        fuzz_law(copies_message_put(&again, &m, &err) == FM_OK && again.len == size &&
                     memcmp(again.p, data, size) == 0,
                 "what is read is written so");
        fuzz_law(strlen(m.address) == 64 && m.len <= COPIES_PART, "within its bounds");
        copies_message_release(&m);
    }
    base_buf_release(&again);
}

static void begin(struct fuzz_corpus *corpus)
{
    json_t *array = json_pack("[s,s]", "bank_b", "bank_c"), *object = json_pack("{s:s}", "a", "b");

    for (unsigned say = 0; say < COPIES_SAYS; say++) {
        struct copies_message m = {.say = say, .at = 7, .size = 900, .until_ms = 1LL << 41};
        struct base_buf bytes = {0};
        struct base_err err = {0};
        memcpy(m.address, address, sizeof m.address);
        memcpy(m.owner, "bank_a", 7);
        m.what = say == COPIES_OFFER || say == COPIES_FETCHES ? array : object;
        m.bytes = (const uint8_t *)address;
        m.len = say == COPIES_PART_OF || say == COPIES_DATA ? 64 : 0;
        fuzz_law(copies_message_put(&bytes, &m, &err) == FM_OK, "specimens are written");
        fuzz_add(corpus, bytes.p, bytes.len);
        base_buf_release(&bytes);
    }
    json_decref(array);
    json_decref(object);
}

static const char *const words[] = {"\"say\":", "\"at\":", "\"part\"", "\"get\"", "\"no\"", "{",
                                    "}",        "[",       "\"why\":", "0",       NULL};
const struct fuzz_target fuzz_target = {"copies", FUZZ_BYTES, 4096, words, begin, run};
