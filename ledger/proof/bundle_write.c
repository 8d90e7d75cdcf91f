#include "base/json.h"
#include "ledger/proof/bundle.h"

static fm_status send_line(const struct ledger_bundle_sink *sink, struct base_buf *line,
                           struct base_err *err)
{
    fm_status st;

    base_buf_put_str(line, "}\n");
    st = base_buf_status(line, "bundle line", err);
    if (st == FM_OK)
        st = sink->write(sink->ctx, line->p, line->len, err);
    base_buf_release(line);
    return st;
}

/* Members stand in their canonical order, and what they hold is canonical: so is the line. */

fm_status ledger_bundle_genesis(const struct ledger_bundle_sink *sink,
                                enum ledger_bundle_format format, const uint8_t chain32[32],
                                const void *canonical, size_t len, struct base_err *err)
{
    struct base_buf line = {0};

    base_buf_putf(&line, "{\"bundle\":%d,\"chain\":\"", (int)format);
    base_buf_put_hex(&line, chain32, 32);
    base_buf_put_str(&line, "\",\"genesis\":");
    base_buf_put(&line, canonical, len);
    return send_line(sink, &line, err);
}

static void put_result(struct base_buf *line, const void *result, size_t result_len)
{
    base_buf_put_str(line, ",\"result\":");
    base_buf_put(line, result, result_len);
}

fm_status ledger_bundle_leaf(const struct ledger_bundle_sink *sink, uint64_t leaf,
                             const void *canonical, size_t len, const void *result,
                             size_t result_len, struct base_err *err)
{
    struct base_buf line = {0};

    base_buf_putf(&line, "{\"leaf\":%llu,\"payload\":", (unsigned long long)leaf);
    base_buf_put(&line, canonical, len);
    if (result != NULL)
        put_result(&line, result, result_len);
    return send_line(sink, &line, err);
}

fm_status ledger_bundle_proven(const struct ledger_bundle_sink *sink, uint64_t leaf,
                               const void *canonical, size_t len, const void *result,
                               size_t result_len, const uint8_t *hashes, size_t n,
                               struct base_err *err)
{
    struct base_buf line = {0};

    base_buf_putf(&line, "{\"leaf\":%llu,\"payload\":", (unsigned long long)leaf);
    base_buf_put(&line, canonical, len);
    put_result(&line, result, result_len);
    base_buf_put_str(&line, ",\"results\":\"");
    base_base64url(&line, hashes, 32 * n);
    base_buf_put_str(&line, "\"");
    return send_line(sink, &line, err);
}

fm_status ledger_bundle_skip(const struct ledger_bundle_sink *sink, uint64_t from, uint64_t to,
                             const uint8_t *hashes, size_t n, struct base_err *err)
{
    struct base_buf line = {0};

    base_buf_put_str(&line, "{\"hashes\":\"");
    base_base64url(&line, hashes, 32 * n);
    base_buf_putf(&line, "\",\"leaf\":%llu,\"to\":%llu", (unsigned long long)from,
                  (unsigned long long)to);
    return send_line(sink, &line, err);
}

fm_status ledger_bundle_hidden(const struct ledger_bundle_sink *sink, uint64_t leaf,
                               const uint8_t payload_hash32[32], const void *result,
                               size_t result_len, struct base_err *err)
{
    struct base_buf line = {0};

    base_buf_putf(&line, "{\"leaf\":%llu,\"payload_hash\":\"", (unsigned long long)leaf);
    base_buf_put_hex(&line, payload_hash32, 32);
    base_buf_put_str(&line, "\"");
    put_result(&line, result, result_len);
    return send_line(sink, &line, err);
}

static fm_status send_json(const struct ledger_bundle_sink *sink, json_t *json,
                           struct base_err *err)
{
    struct base_buf line = {0};
    fm_status st;

    if (json == NULL)
        return base_err_memory(err, "bundle line");
    st = base_json_canonical(&line, json, err);
    json_decref(json);
    base_buf_put_str(&line, "\n");
    if (st == FM_OK)
        st = base_buf_status(&line, "bundle line", err);
    if (st == FM_OK)
        st = sink->write(sink->ctx, line.p, line.len, err);
    base_buf_release(&line);
    return st;
}

fm_status ledger_bundle_state(const struct ledger_bundle_sink *sink, const char *key,
                              const json_t *value, const json_t *proof, struct base_err *err)
{
    return send_json(
        sink, json_pack("{s:s, s:O*, s:O}", "state", key, "value", value, "proof", proof), err);
}

fm_status ledger_bundle_checkpoint(const struct ledger_bundle_sink *sink, const char *text,
                                   size_t len, struct base_err *err)
{
    return send_json(sink, json_pack("{s:s%}", "checkpoint", text, len), err);
}
