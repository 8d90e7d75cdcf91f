#include "ledger/transparency/tlog_proof.h"

#include <string.h>

#include "ledger/proof/base64.h"
#include "ledger/proof/log.h"

#define HEADER "c2sp.org/tlog-proof@v1\n"
#define EXTRA "extra "
#define INDEX "index "

bool ledger_tlog_proof_begins(const char *text)
{
    static const char first[] = "c2sp.org/tlog-p";

    return strncmp(text, first, sizeof first - 1) == 0;
}

static fm_status check_path(const struct ledger_tlog_proof *proof, struct base_err *err)
{
    uint8_t hash[32];

    ledger_log_leaf_hash(hash, proof->entry);
    return ledger_log_verify_inclusion(&proof->path, hash, proof->index, proof->checkpoint.size,
                                       proof->checkpoint.root, err);
}

fm_status ledger_tlog_prove(struct ledger_tlog_proof *proof, uint64_t index,
                            const struct ledger_tile_log *log, struct base_err *err)
{
    uint64_t size = proof->checkpoint.size;
    fm_status st;

    if (index >= size)
        return base_err_set(err, FM_E_ARG,
                            "entry %llu: the checkpoint is over %llu entries, from 0 on",
                            (unsigned long long)index, (unsigned long long)size);
    proof->index = index;
    st = log->entry(log->ctx, proof->entry, index, err);
    if (st == FM_OK)
        st = ledger_log_prove_inclusion(&proof->path, index, size, &log->nodes, err);
    if (st == FM_OK && (st = check_path(proof, err)) == FM_E_INVALID)
        st = base_err_set(err, FM_E_CONFLICT,
                          "the checkpoint over %llu entries is of another history than this log",
                          (unsigned long long)size);
    return st;
}

fm_status ledger_tlog_proof_encode(struct base_buf *out, const struct ledger_tlog_proof *proof,
                                   struct base_err *err)
{
    base_buf_put_str(out, HEADER EXTRA);
    ledger_base64_put(out, proof->entry, 32);
    base_buf_putf(out, "\n" INDEX "%llu\n", (unsigned long long)proof->index);
    for (unsigned i = 0; i < proof->path.n; i++) {
        ledger_base64_put(out, proof->path.hash[i], 32);
        base_buf_put_str(out, "\n");
    }
    base_buf_put_str(out, "\n");
    return ledger_checkpoint_encode(out, &proof->checkpoint, err);
}

static bool take_text(struct base_cur *cur, const char *text)
{
    size_t n = strlen(text);
    const uint8_t *p = base_cur_take(cur, n);

    return p != NULL && memcmp(p, text, n) == 0;
}

static bool take_hash(uint8_t out32[32], struct base_cur *cur)
{
    return ledger_base64_take(out32, 32, cur) && take_text(cur, "\n");
}

/* As many digits as a number below 2^53 has: another way to write it does not come out again. */
static bool take_index(uint64_t *out, struct base_cur *cur)
{
    uint8_t c = 0;

    *out = 0;
    for (unsigned i = 0; i < 17 && (c = base_cur_u8(cur)) >= '0' && c <= '9'; i++)
        *out = *out * 10 + (uint64_t)(c - '0');
    return c == '\n';
}

fm_status ledger_tlog_proof_parse(struct ledger_tlog_proof *out, const char *text, size_t len,
                                  struct base_err *err)
{
    struct base_cur cur = base_cur_make(text, len);
    struct base_buf again = {0};
    fm_status st;

    memset(out, 0, sizeof *out);
    if (!take_text(&cur, HEADER))
        return base_err_set(err, FM_E_INPUT, "line 1 is not that of a tlog-proof of version 1");
    if (!take_text(&cur, EXTRA) || !take_hash(out->entry, &cur))
        return base_err_set(err, FM_E_INPUT, "line 2 is not the entry, 32 bytes as extra data");
    if (!take_text(&cur, INDEX) || !take_index(&out->index, &cur))
        return base_err_set(err, FM_E_INPUT, "line 3 is not the entry's index");
    while (cur.left > 0 && *cur.p != '\n') {
        if (out->path.n == LEDGER_LOG_PROOF_MAX || !take_hash(out->path.hash[out->path.n], &cur))
            return base_err_set(err, FM_E_INPUT, "line %u is not a hash of the path",
                                out->path.n + 4);
        out->path.n++;
    }
    if (!take_text(&cur, "\n"))
        return base_err_set(err, FM_E_INPUT, "no empty line before the checkpoint");
    st = ledger_checkpoint_parse(&out->checkpoint, (const char *)cur.p, cur.left, err);
    if (st == FM_OK)
        st = ledger_tlog_proof_encode(&again, out, err);
    if (st == FM_OK && (again.len != len || memcmp(again.p, text, len) != 0))
        st = base_err_set(err, FM_E_INPUT, "not written as it must be");
    base_buf_release(&again);
    return st;
}

fm_status ledger_tlog_proof_verify(const struct ledger_tlog_proof *proof, size_t *signers,
                                   const struct ledger_trust *trust, struct base_err *err)
{
    fm_status st = ledger_trust_check(signers, &proof->checkpoint, trust, err);

    return st == FM_OK ? check_path(proof, err) : st;
}
