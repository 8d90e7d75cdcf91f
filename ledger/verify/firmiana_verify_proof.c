#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "ledger/transparency/tlog_proof.h"
#include "ledger/verify/firmiana_verify_own.h"

enum { PAYLOAD_MAX = 1 << 24 };

/* That the entry is of these bytes. */
static fm_status compare(const struct ledger_tlog_proof *proof, const char *path,
                         struct base_err *err)
{
    struct base_buf payload = {0};
    uint8_t hash[32];
    fm_status st = base_file_read(&payload, path, PAYLOAD_MAX, err);

    if (st == FM_OK) {
        base_hash(hash, payload.p, payload.len);
        if (memcmp(hash, proof->entry, 32) != 0)
            st = base_err_set(err, FM_E_INVALID, "%s is not that entry's content", path);
    }
    base_buf_release(&payload);
    return st;
}

static fm_status print(const struct verify_options *o, const struct ledger_tlog_proof *proof,
                       size_t signers, struct base_err *err)
{
    char chain[65], entry[65];

    base_hex(chain, proof->checkpoint.chain, 32);
    base_hex(entry, proof->entry, 32);
    if (o->json)
        return verify_print_report(
            json_pack("{s:b, s:s, s:I, s:I, s:s, s:I, s:b}", "valid", 1, "chain", chain, "leaf",
                      (json_int_t)proof->index, "size", (json_int_t)proof->checkpoint.size, "hash",
                      entry, "cosigners", (json_int_t)signers, "compared", o->document != NULL),
            err);
    printf("valid: proof of an entry\n  chain    %s\n  entry    %llu of %llu%s\n  hash     %s\n"
           "  final    cosigned by %zu trusted keys, %lld needed\n"
           "  proves   that the entry is in the log; not what the ledger's rules say of it\n",
           chain, (unsigned long long)proof->index, (unsigned long long)proof->checkpoint.size,
           o->document != NULL ? ", and FILE is its content" : "", entry, signers,
           (long long)o->quorum);
    return FM_OK;
}

static fm_status check(const struct verify_options *o, struct ledger_tlog_proof *proof,
                       struct ledger_trust *trust, size_t *signers, struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = base_file_read(&text, o->bundle, LEDGER_TLOG_PROOF_MAX, err);

    if (st == FM_OK) {
        st = ledger_tlog_proof_parse(proof, (const char *)text.p, text.len, err);
        if (st == FM_OK)
            st = ledger_tlog_proof_verify(proof, signers, trust, err);
        if (st == FM_OK && o->chain_given && memcmp(proof->checkpoint.chain, o->chain, 32) != 0)
            st = base_err_set(err, FM_E_INVALID, "it is not the ledger that was asked for");
        if (st == FM_OK && o->document != NULL)
            st = compare(proof, o->document, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", o->bundle);
    }
    base_buf_release(&text);
    return st;
}

fm_status verify_proof(const struct verify_options *o, struct base_err *err)
{
    struct ledger_tlog_proof *proof = malloc(sizeof *proof);
    struct ledger_trust trust = {0};
    size_t signers = 0;
    fm_status st = proof != NULL ? verify_trust(&trust, o, err) : base_err_memory(err, "proof");

    if (st == FM_OK) {
        st = check(o, proof, &trust, &signers, err);
        /* What stands there wrongly is not valid, however it is wrong. */
        if (st == FM_E_AUTH || st == FM_E_INPUT || st == FM_E_LIMIT)
            st = err->code = FM_E_INVALID;
    }
    if (st == FM_OK)
        st = print(o, proof, signers, err);
    verify_trust_release(&trust);
    free(proof);
    return st;
}
