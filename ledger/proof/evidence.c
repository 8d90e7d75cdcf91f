#include "ledger/proof/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "ledger/proof/log.h"
#include "ledger/proof/shape.h"

bool ledger_evidence_is_algorithm(const char *name)
{
    return name != NULL && (strcmp(name, "sha256") == 0 || strcmp(name, "sm3") == 0);
}

const char *ledger_evidence_usual(void)
{
    return base_profile_is_national() ? "sm3" : "sha256";
}

static void leaf_hash(uint8_t out32[32], const char *algorithm,
                      const struct ledger_evidence_item *item)
{
    static const char domain[] = "firmiana/evidence/v1"; /* with its NUL */
    struct base_hash h;
    uint8_t data[32];

    base_hash_init(&h);
    base_hash_update(&h, domain, sizeof domain);
    base_hash_update(&h, algorithm, strlen(algorithm) + 1);
    base_hash_update(&h, item->salt, sizeof item->salt);
    base_hash_update(&h, item->digest, sizeof item->digest);
    base_hash_final(&h, data);
    ledger_log_leaf_hash(out32, data);
}

/* ---- the tree ---- */

struct ledger_evidence_tree {
    struct ledger_log log;
    size_t n, levels;
    uint8_t (*node[26])[32]; /* perfect subtrees, by level */
};

static void keep(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    struct ledger_evidence_tree *t = ctx;

    memcpy(t->node[level][index], hash32, 32);
}

void ledger_evidence_tree_free(struct ledger_evidence_tree *tree)
{
    if (tree == NULL)
        return;
    for (size_t i = 0; i < tree->levels; i++)
        free(tree->node[i]);
    free(tree);
}

fm_status ledger_evidence_tree_new(struct ledger_evidence_tree **out, const char *algorithm,
                                   const struct ledger_evidence_item *items, size_t n,
                                   struct base_err *err)
{
    struct ledger_evidence_tree *t = calloc(1, sizeof *t);
    const struct ledger_log_sink sink = {keep, t};
    uint8_t hash[32];

    *out = NULL;
    if (n < 1 || n > LEDGER_EVIDENCE_MAX) {
        free(t);
        return base_err_set(err, FM_E_ARG, "one anchor holds 1 to %d documents",
                            LEDGER_EVIDENCE_MAX);
    }
    for (size_t left = n; t != NULL && left > 0; left /= 2) {
        t->node[t->levels] = malloc(left * 32);
        if (t->node[t->levels] == NULL)
            break;
        t->levels++;
    }
    if (t == NULL || n >> t->levels != 0) {
        ledger_evidence_tree_free(t);
        return base_err_memory(err, "evidence");
    }
    t->n = n;
    for (size_t i = 0; i < n; i++) {
        leaf_hash(hash, algorithm, &items[i]);
        ledger_log_append(&t->log, hash, &sink);
    }
    *out = t;
    return FM_OK;
}

void ledger_evidence_tree_root(const struct ledger_evidence_tree *tree, uint8_t out32[32])
{
    ledger_log_root(out32, &tree->log);
}

static fm_status get_node(void *ctx, uint8_t out32[32], unsigned level, uint64_t index,
                          struct base_err *err)
{
    const struct ledger_evidence_tree *t = ctx;

    if (level >= t->levels || index >= t->n >> level)
        return base_err_set(err, FM_E_ARG, "no such node");
    memcpy(out32, t->node[level][index], 32);
    return FM_OK;
}

fm_status ledger_evidence_tree_prove(const struct ledger_evidence_tree *tree,
                                     struct ledger_log_proof *proof, size_t index,
                                     struct base_err *err)
{
    const struct ledger_log_source source = {get_node, (void *)(uintptr_t)tree};

    return ledger_log_prove_inclusion(proof, index, tree->n, &source, err);
}

/* ---- certificates ---- */

static const struct ledger_member certificate_shape[] = {
    {"certificate", LEDGER_IS_COUNT, false}, {"chain", LEDGER_IS_HASH, false},
    {"tx", LEDGER_IS_HASH, false},           {"algorithm", LEDGER_IS_NAME, false},
    {"digest", LEDGER_IS_HASH, false},       {"salt", LEDGER_IS_HASH, false},
    {"index", LEDGER_IS_NUMBER, false},      {"count", LEDGER_IS_COUNT, false},
    {"path", LEDGER_IS_ARRAY, false},        {"name", LEDGER_IS_TEXT, false},
    {"token", LEDGER_IS_OBJECT, true},       {NULL, LEDGER_IS_OBJECT, false},
};

void ledger_certificate_release(struct ledger_certificate *c)
{
    base_buf_release(&c->token);
    *c = (struct ledger_certificate){0};
}

static bool put_hex(json_t *object, const char *name, const uint8_t bytes32[32])
{
    char hex[65];

    base_hex(hex, bytes32, 32);
    return json_object_set_new(object, name, json_string(hex)) == 0;
}

fm_status ledger_certificate_encode(struct base_buf *out, const struct ledger_certificate *c,
                                    struct base_err *err)
{
    struct base_buf token = {0};
    json_t *json =
        json_pack("{s:i, s:s, s:I, s:I, s:o, s:s}", "certificate", 1, "algorithm", c->algorithm,
                  "index", (json_int_t)c->index, "count", (json_int_t)c->count, "path",
                  ledger_log_proof_json(&c->path), "name", c->name);
    bool good = json != NULL && put_hex(json, "chain", c->chain) && put_hex(json, "tx", c->tx) &&
                put_hex(json, "digest", c->item.digest) && put_hex(json, "salt", c->item.salt);
    fm_status st;

    base_base64url(&token, c->token.p, c->token.len);
    if (good && c->token.len > 0)
        good = json_object_set_new(json, "token",
                                   json_pack("{s:s}", "rfc3161", base_buf_cstr(&token))) == 0;
    st = good ? base_json_canonical(out, json, err) : base_err_memory(err, "certificate");
    base_buf_put_str(out, "\n");
    base_buf_release(&token);
    json_decref(json);
    return st == FM_OK ? base_buf_status(out, "certificate", err) : st;
}

static fm_status read_token(struct ledger_certificate *out, const json_t *token,
                            struct base_err *err)
{
    const char *text = json_string_value(json_object_get(token, "rfc3161"));

    if (token == NULL)
        return FM_OK;
    if (text == NULL || json_object_size(token) != 1 ||
        strlen(text) > 2 * LEDGER_EVIDENCE_TOKEN_MAX ||
        !base_unbase64url(&out->token, text, strlen(text)) || out->token.len == 0)
        return base_err_set(err, FM_E_INPUT, "member 'token' must hold a token as base64url");
    return FM_OK;
}

static fm_status read(struct ledger_certificate *out, const json_t *json, struct base_err *err)
{
    const char *algorithm = json_string_value(json_object_get(json, "algorithm"));
    const char *name = json_string_value(json_object_get(json, "name"));
    fm_status st = ledger_shape_check(json, certificate_shape, err);

    if (st != FM_OK)
        return st;
    if (json_integer_value(json_object_get(json, "certificate")) != 1)
        return base_err_set(err, FM_E_UNSUPPORTED, "this program knows certificates of form 1");
    if (!ledger_evidence_is_algorithm(algorithm))
        return base_err_set(err, FM_E_INPUT, "member 'algorithm' must be sha256 or sm3");
    if (strlen(name) >= sizeof out->name)
        return base_err_set(err, FM_E_INPUT, "member 'name' is longer than 255 bytes");
    memcpy(out->algorithm, algorithm, strlen(algorithm) + 1);
    memcpy(out->name, name, strlen(name) + 1);
    out->index = (uint64_t)json_integer_value(json_object_get(json, "index"));
    out->count = (uint64_t)json_integer_value(json_object_get(json, "count"));
    st = base_json_get_hex(out->chain, 32, json, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->tx, 32, json, "tx", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->item.digest, 32, json, "digest", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->item.salt, 32, json, "salt", err);
    if (st == FM_OK)
        st = ledger_log_proof_parse(&out->path, json_object_get(json, "path"), err);
    if (st == FM_OK)
        st = read_token(out, json_object_get(json, "token"), err);
    return st;
}

fm_status ledger_certificate_parse(struct ledger_certificate *out, const void *line, size_t len,
                                   struct base_err *err)
{
    json_t *json = NULL;
    fm_status st;

    memset(out, 0, sizeof *out);
    if (len > 0 && ((const char *)line)[len - 1] == '\n')
        len--;
    st = base_json_parse_canonical(&json, line, len, err);
    if (st == FM_OK)
        st = read(out, json, err);
    json_decref(json);
    if (st != FM_OK) {
        ledger_certificate_release(out);
        return base_err_prefix(err, "certificate");
    }
    return FM_OK;
}

static fm_status check_token(const struct ledger_certificate *c, const json_t *body,
                             struct base_err *err)
{
    uint8_t hash[32], want[32];

    if ((json_object_get(body, "token") != NULL) != (c->token.len > 0))
        return base_err_set(err, FM_E_INVALID,
                            "the deposit and the certificate do not both have a time-stamp token");
    if (c->token.len == 0)
        return FM_OK;
    base_hash(hash, c->token.p, c->token.len);
    if (base_json_get_hex(want, 32, body, "token", err) != FM_OK || memcmp(hash, want, 32) != 0)
        return base_err_set(err, FM_E_INVALID, "the time-stamp token is not the one deposited");
    return FM_OK;
}

fm_status ledger_certificate_check(const struct ledger_certificate *c, const json_t *body,
                                   struct base_err *err)
{
    const char *algorithm = json_string_value(json_object_get(body, "algorithm"));
    uint8_t root[32], leaf[32];

    if (algorithm == NULL || strcmp(algorithm, c->algorithm) != 0 ||
        (uint64_t)json_integer_value(json_object_get(body, "count")) != c->count)
        return base_err_set(err, FM_E_INVALID, "the deposit is of other documents");
    if (base_json_get_hex(root, 32, body, "root", err) != FM_OK)
        return base_err_set(err, FM_E_INVALID, "the deposit has no root");
    leaf_hash(leaf, c->algorithm, &c->item);
    if (ledger_log_verify_inclusion(&c->path, leaf, c->index, c->count, root, err) != FM_OK)
        return base_err_set(err, FM_E_INVALID,
                            "the document's digest is not among those deposited");
    return check_token(c, body, err);
}
