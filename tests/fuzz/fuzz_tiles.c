/* Published logs, as a folder of files that anybody may have written. An input is these files one
 * after another, each behind its length (2 bytes, big-endian); what is missing is empty.
 *
 * Laws: what ledger_published_verify() finds good are the specimen's entries and tiles, byte by
 * byte, under the specimen's tree; a proof that the tile reader leads to is of the specimen's entry
 * or does not hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/proof/log.h"
#include "ledger/transparency/test_site.h"
#include "tests/fuzz/fuzz.h"

enum { SIZE = 259, FILES = 6 };

/* Of 259 entries: the checkpoint, both tiles of hashes, the one above, both of entries. */
static const char *const names[FILES] = {"checkpoint",       "tile/0/000",
                                         "tile/0/001.p/3",   "tile/1/000.p/1",
                                         "tile/entries/000", "tile/entries/001.p/3"};
static char dir[64]; /* in memory where it can be: a disk waits for what is written twice */
static struct base_buf good[FILES], there[FILES]; /* the specimen's; what is written just now */
static struct ledger_checkpoint truth;
static struct ledger_vkey trusted[SITE_MEMBERS];

static void path_of(char out[128], size_t i)
{
    (void)snprintf(out, 128, "%s/%s", dir, names[i]);
}

/* Only what differs from the input before is written. */
static void put(size_t i, const uint8_t *p, size_t len)
{
    char path[128];
    FILE *f;

    if (there[i].len == len && (len == 0 || memcmp(there[i].p, p, len) == 0))
        return;
    path_of(path, i);
    f = fopen(path, "wb");
    fuzz_law(f != NULL && fwrite(p, 1, len, f) == len && fclose(f) == 0, "there is a disk");
    base_buf_clear(&there[i]);
    base_buf_put(&there[i], p, len);
}

static bool same(size_t i)
{
    return there[i].len == good[i].len && memcmp(there[i].p, good[i].p, good[i].len) == 0;
}

static void check_proof(uint64_t index)
{
    static struct ledger_tile_reader reader;
    struct ledger_log_source source = ledger_tile_source(&reader);
    struct ledger_log_proof proof;
    struct base_err err = {0};
    uint8_t entry[32], hash[32];

    ledger_tile_reader_init(&reader, dir, SIZE);
    if (ledger_log_prove_inclusion(&proof, index, SIZE, &source, &err) != FM_OK ||
        source.node(source.ctx, hash, 0, index, &err) != FM_OK ||
        ledger_log_verify_inclusion(&proof, hash, index, SIZE, truth.root, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(site_log.entry(NULL, entry, index, &err) == FM_OK, "specimen");
    ledger_log_leaf_hash(entry, entry);
    fuzz_law(memcmp(hash, entry, 32) == 0, "what is proven is the specimen's");
}

static void run(const uint8_t *data, size_t size)
{
    const struct ledger_trust trust = {trusted, SITE_MEMBERS, 2};
    static struct ledger_checkpoint seen;
    struct base_err err = {0};
    size_t signers;

    for (size_t i = 0; i < FILES; i++) {
        size_t len = size >= 2 ? (size_t)data[0] << 8 | data[1] : 0, head = size >= 2 ? 2 : size;

        len = len < size - head ? len : size - head;
        put(i, data + head, len);
        data += head + len;
        size -= head + len;
    }
    if (ledger_published_verify(&seen, &signers, dir, &trust, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
    } else {
        fuzz_law(ledger_checkpoint_same(&seen, &truth), "nobody signed another tree");
        for (size_t i = 1; i < FILES; i++)
            fuzz_law(same(i), "every tile is the specimen's");
    }
    check_proof(there[0].len % SIZE);
}

static void remove_site(void)
{
    char command[96];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    (void)(system(command) + 1);
}

static void begin(struct fuzz_corpus *corpus)
{
    struct ledger_tile_report report;
    struct base_buf input = {0};
    struct base_err err = {0};
    static struct world w;
    char path[128];

    world_init(&w);
    site_keys(trusted, &w);
    (void)snprintf(dir, sizeof dir, "%s/firmiana-fuzz-tiles-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    fuzz_law(mkdtemp(dir) != NULL && atexit(remove_site) == 0, "there is a disk");
    fuzz_law(site_checkpoint(&truth, &w, SIZE, &err) == FM_OK &&
                 ledger_tiles_publish(dir, &site_log, &truth, "", &report, &err) == FM_OK,
             err.text);
    for (size_t i = 0; i < FILES; i++) {
        path_of(path, i);
        fuzz_law(base_file_read(&good[i], path, 1 << 16, &err) == FM_OK, err.text);
        base_buf_put(&there[i], good[i].p, good[i].len);
        base_buf_put_u8(&input, (uint8_t)(good[i].len >> 8));
        base_buf_put_u8(&input, (uint8_t)good[i].len);
        base_buf_put(&input, good[i].p, good[i].len);
    }
    fuzz_add(corpus, input.p, input.len);
    base_buf_release(&input);
    world_release(&w);
}

static const char *const words[] = {
    "firmiana/", "259", "epoch ", "\xe2\x80\x94 did:firmiana:", "\n\n", NULL};
const struct fuzz_target fuzz_target = {"tiles", FUZZ_BYTES, 20480, words, begin, run};
