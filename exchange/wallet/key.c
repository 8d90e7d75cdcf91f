#include "exchange/wallet/key.h"

#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "exchange/wallet/bech32m.h"
#include "net/seal.h"

enum { PEER_MAX = 2048, ATTEMPTS = 8, GROUP = 4 };

static const struct {
    const char *name, *label;
} uses[] = {
    [WALLET_PAIRWISE] = {"pairwise", "firmiana wallet 1 pairwise"},
    [WALLET_CONSENT] = {"consent", "firmiana wallet 1 consent"},
    [WALLET_MANDATE] = {"mandate", "firmiana wallet 1 mandate"},
};

const char *wallet_use_name(enum wallet_use use)
{
    return uses[use].name;
}

static fm_status expand(uint8_t out32[32], const struct wallet *w, const char *label,
                        const char *peer, uint64_t number, uint8_t attempt, struct base_err *err)
{
    struct base_buf context = {0};
    uint8_t hash[BASE_HASH_SIZE];
    fm_status st;

    if (strlen(peer) > PEER_MAX)
        return base_err_set(err, FM_E_ARG, "a DID of %zu characters is too long", strlen(peer));
    base_buf_put(&context, peer, strlen(peer) + 1);
    base_buf_put_u64(&context, number);
    base_buf_put_u8(&context, attempt);
    st = base_buf_status(&context, "wallet", err);
    if (st == FM_OK) {
        base_hash(hash, context.p, context.len);
        st = net_expand(out32, 32, did_secret_bytes(w->master), label, hash, sizeof hash, err);
    }
    base_buf_release(&context);
    return st;
}

fm_status wallet_key(struct did_secret **out, const struct wallet *w, enum wallet_use use,
                     const char *peer, uint64_t number, struct base_err *err)
{
    uint8_t *secret = base_secret_alloc(32);
    fm_status st = secret != NULL ? FM_E_INPUT : base_err_memory(err, "wallet");

    *out = NULL;
    for (uint8_t attempt = 0; st == FM_E_INPUT && attempt < ATTEMPTS; attempt++) {
        st = expand(secret, w, uses[use].label, peer, number, attempt, err);
        if (st == FM_OK)
            st = did_secret_import(out, w->info.key.suite, secret, 32, err);
    }
    base_secret_free(secret, 32);
    return st;
}

fm_status wallet_did(char out[DID_KEY_DID_TEXT], const struct wallet *w, enum wallet_use use,
                     const char *peer, uint64_t number, struct base_err *err)
{
    struct did_secret *secret;
    fm_status st = wallet_key(&secret, w, use, peer, number, err);

    if (st == FM_OK)
        st = did_key_did_encode(out, did_secret_key(secret), err);
    did_secret_free(secret);
    return st;
}

fm_status wallet_nonce(uint8_t out32[32], const struct wallet *w, const char *peer, uint64_t number,
                       struct base_err *err)
{
    return expand(out32, w, "firmiana wallet 1 nonce", peer, number, 0, err);
}

/* ---- the phrase ---- */

static const struct {
    const char *suite, *hrp;
} phrases[] = {{"ed25519", "firmiana"}, {"sm2", "firmianasm"}};

enum { PHRASES = sizeof phrases / sizeof phrases[0] };

fm_status wallet_phrase(char out[WALLET_PHRASE_TEXT], const struct wallet *w, struct base_err *err)
{
    char text[BECH32M_TEXT], *to = out;
    size_t i = 0, hrp;
    fm_status st;

    while (i < PHRASES && strcmp(phrases[i].suite, w->info.key.suite->name) != 0)
        i++;
    if (i == PHRASES)
        return base_err_set(err, FM_E_UNSUPPORTED, "a wallet of suite %s has no phrase",
                            w->info.key.suite->name);
    st = bech32m_encode(text, phrases[i].hrp, did_secret_bytes(w->master), 32, err);
    if (st != FM_OK)
        return st;
    hrp = strlen(phrases[i].hrp) + 1;
    for (size_t at = 0; text[at] != '\0'; at++) {
        if (at >= hrp && (at - hrp) % GROUP == 0)
            *to++ = ' ';
        *to++ = text[at];
    }
    *to = '\0';
    base_wipe(text, sizeof text);
    return FM_OK;
}

fm_status wallet_phrase_read(uint8_t out32[32], const struct did_suite **suite, const char *text,
                             size_t len, struct base_err *err)
{
    char packed[BECH32M_TEXT + 1] = "";
    struct bech32m parts;
    size_t n = 0, i = 0;
    fm_status st;

    for (size_t at = 0; at < len && n < BECH32M_TEXT; at++)
        if (text[at] != ' ' && text[at] != '-' && text[at] != '\t')
            packed[n++] = text[at];
    st = bech32m_decode(&parts, packed, err);
    while (i < PHRASES && strcmp(phrases[i].hrp, parts.hrp) != 0)
        i++;
    if (st == FM_OK && i == PHRASES)
        st = base_err_set(err, FM_E_INPUT, "it does not begin with firmiana1 or firmianasm1");
    if (st == FM_OK)
        st = bech32m_bytes(out32, 32, parts.symbols, parts.count, err);
    if (st == FM_OK)
        *suite = did_suite_by_name(phrases[i].suite);
    base_wipe(packed, sizeof packed);
    base_wipe(&parts, sizeof parts);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "the recovery phrase");
}
