/* A validator that votes twice: with a member's validator key (priv_validator_key.json) two
 * prevotes of one height and round for two different blocks, and the proof of it as CometBFT's RPC
 * takes it (broadcast_evidence), on standard output. usage: comet_twice KEY_FILE CHAIN_ID HEIGHT
 * BLOCK_TIME TOTAL_POWER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "did/suite.h"

enum { PREVOTE = 1, POWER = 10 };
static const int64_t voted_s = 1790000000;
static const char voted[] = "2026-09-21T14:13:20Z"; /* the same */

static void stop(const char *why)
{
    fprintf(stderr, "comet_twice: %s\n", why);
    exit(1);
}

/* ---- what a vote's signature covers: CanonicalVote of types/canonical.proto, length first ---- */

static void put_varint(struct base_buf *b, uint64_t v)
{
    uint8_t byte;

    for (; v >= 0x80; v >>= 7) {
        byte = (uint8_t)(v | 0x80);
        base_buf_put(b, &byte, 1);
    }
    byte = (uint8_t)v;
    base_buf_put(b, &byte, 1);
}

static void put_bytes(struct base_buf *b, unsigned field, const void *bytes, size_t len)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, len);
    base_buf_put(b, bytes, len);
}

static void put_number(struct base_buf *b, unsigned field, uint64_t v)
{
    put_varint(b, field << 3);
    put_varint(b, v);
}

static void sign_bytes(struct base_buf *out, const char *chain, int64_t height,
                       const uint8_t block[32])
{
    struct base_buf parts = {0}, id = {0}, time = {0}, vote = {0};
    uint8_t fixed[8];

    for (int i = 0; i < 8; i++)
        fixed[i] = (uint8_t)((uint64_t)height >> 8 * i);
    put_number(&parts, 1, 1);
    put_bytes(&parts, 2, block, 32);
    put_bytes(&id, 1, block, 32);
    put_bytes(&id, 2, parts.p, parts.len);
    put_number(&time, 1, (uint64_t)voted_s);
    put_number(&vote, 1, PREVOTE);
    put_varint(&vote, 2 << 3 | 1);
    base_buf_put(&vote, fixed, sizeof fixed); /* round 0 is left out */
    put_bytes(&vote, 4, id.p, id.len);
    put_bytes(&vote, 5, time.p, time.len);
    put_bytes(&vote, 6, chain, strlen(chain));
    put_varint(out, vote.len);
    base_buf_put(out, vote.p, vote.len);
    base_buf_release(&parts);
    base_buf_release(&id);
    base_buf_release(&time);
    base_buf_release(&vote);
}

/* ---- the proof ---- */

static void hex_upper(char *out, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + 2 * i, 3, "%02X", p[i]);
}

static json_t *vote(const struct did_secret *key, const char *chain, int64_t height, uint8_t fill)
{
    uint8_t block[32], name[32], signature[64];
    char hash[65], address[41], text[96], number[24];
    struct base_buf bytes = {0};
    struct base_err err = {0};

    memset(block, fill, sizeof block);
    sign_bytes(&bytes, chain, height, block);
    if (did_secret_sign(key, signature, bytes.p, bytes.len, &err) != FM_OK)
        stop(err.text);
    base_buf_release(&bytes);
    (void)EVP_EncodeBlock((unsigned char *)text, signature, 64);
    base_sha256(name, did_secret_key(key)->bytes, 32);
    hex_upper(address, name, 20);
    hex_upper(hash, block, 32);
    (void)snprintf(number, sizeof number, "%lld", (long long)height);
    return json_pack("{s:i,s:s,s:i,s:{s:s,s:{s:i,s:s}},s:s,s:s,s:i,s:s,s:n,s:n}", "type", PREVOTE,
                     "height", number, "round", 0, "block_id", "hash", hash, "parts", "total", 1,
                     "hash", hash, "timestamp", voted, "validator_address", address,
                     "validator_index", 0, "signature", text, "extension", "extension_signature");
}

static struct did_secret *load(const char *path)
{
    struct did_secret *key = NULL;
    struct base_err err = {0};
    uint8_t both[72];
    json_t *file = json_load_file(path, 0, NULL);
    const char *text =
        json_string_value(json_object_get(json_object_get(file, "priv_key"), "value"));

    if (text == NULL || strlen(text) != 88 ||
        EVP_DecodeBlock(both, (const unsigned char *)text, 88) != 66)
        stop("the key file is none of CometBFT's");
    if (did_secret_import(&key, did_suite_ed25519(), both, 32, &err) != FM_OK)
        stop(err.text);
    json_decref(file);
    return key;
}

int main(int argc, char **argv)
{
    struct did_secret *key;
    int64_t height;
    json_t *out;
    char power[16];

    if (argc != 6)
        return 2;
    key = load(argv[1]);
    height = strtoll(argv[3], NULL, 10);
    (void)snprintf(power, sizeof power, "%d", POWER);
    out = json_pack("{s:s,s:i,s:s,s:{s:{s:s,s:{s:o,s:o,s:s,s:s,s:s}}}}", "jsonrpc", "2.0", "id", 1,
                    "method", "broadcast_evidence", "params", "evidence", "type",
                    "tendermint/DuplicateVoteEvidence", "value", "vote_a",
                    vote(key, argv[2], height, 0x11), "vote_b", vote(key, argv[2], height, 0x22),
                    "TotalVotingPower", argv[5], "ValidatorPower", power, "Timestamp", argv[4]);
    if (out == NULL || json_dumpf(out, stdout, JSON_COMPACT) != 0)
        stop("no proof");
    json_decref(out);
    did_secret_free(key);
    return 0;
}
