#include "ledger/proof/state_proof.h"

#include <string.h>

#include "base/json.h"
#include "ledger/proof/log.h"
#include "ledger/proof/state_page.h"

/* ---- proving ---- */

static void push(struct ledger_state_proof *proof, const struct ledger_state_sub *sibling)
{
    memcpy(proof->sibling[proof->n++], sibling->hash, 32);
}

/* The last stretch, inside a bucket: down until at most one leaf is left. */
static void end_in_bucket(struct ledger_state_proof *proof, const struct ledger_state_leaf *leaf,
                          size_t n, const uint8_t path32[32])
{
    while (n > 1) {
        size_t k = ledger_state_split(leaf, n, proof->n);
        bool right = ledger_state_bit(path32, proof->n) != 0;
        struct ledger_state_sub sibling =
            ledger_state_leaves(right ? leaf : leaf + k, right ? k : n - k, proof->n + 1);
        push(proof, &sibling);
        if (right)
            leaf += k;
        n = right ? n - k : k;
    }
    proof->leaf = n == 1;
    if (proof->leaf) {
        memcpy(proof->leaf_path, leaf->path, 32);
        memcpy(proof->leaf_value_hash, leaf->value_hash, 32);
    }
}

/* What the node over count neighbouring children is; as ledger_state_children(), without hashing.
 */
static enum ledger_state_kind kind_of(const struct ledger_state_sub *child, unsigned count)
{
    unsigned filled = 0, single = 0;

    for (unsigned i = 0; i < count; i++) {
        filled += child[i].kind != LEDGER_STATE_EMPTY;
        single += child[i].kind == LEDGER_STATE_LEAF;
    }
    if (filled == 0)
        return LEDGER_STATE_EMPTY;
    return filled == 1 && single == 1 ? LEDGER_STATE_LEAF : LEDGER_STATE_MORE;
}

static void set_nibble(uint8_t path32[32], unsigned depth, unsigned v)
{
    uint8_t *byte = &path32[depth / 2];

    *byte = (uint8_t)(depth % 2 == 0 ? (*byte & 0x0f) | v << 4 : (*byte & 0xf0) | v);
}

/* The fan's subtree holds one leaf, below one of count children from first on: steer the path
 * there. */
static void steer_to_leaf(uint8_t way32[32], const struct ledger_state_page *fan, unsigned depth,
                          unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        if (fan->child[i].kind != LEDGER_STATE_EMPTY)
            set_nibble(way32, depth, i);
    }
}

/* Reads the only leaf below the page at this depth of the way. */
static fm_status lone_leaf(struct ledger_state_proof *proof, const struct ledger_state_pages *pages,
                           uint8_t way32[32], unsigned depth, struct base_err *err)
{
    struct ledger_state_page page;
    fm_status st = ledger_state_page_load(&page, pages, way32, depth, err);

    while (st == FM_OK && page.kind == LEDGER_STATE_IS_FAN) {
        steer_to_leaf(way32, &page, depth, 0, 16);
        st = ledger_state_page_load(&page, pages, way32, ++depth, err);
    }
    if (st == FM_OK && page.n != 1)
        st = base_err_set(err, FM_E_CORRUPT, "state tree: %zu leaves where one should be", page.n);
    if (st == FM_OK)
        end_in_bucket(proof, page.leaf, 1, way32);
    return st;
}

fm_status ledger_state_prove(struct ledger_state_proof *proof, const uint8_t path32[32],
                             const struct ledger_state_pages *pages, struct base_err *err)
{
    struct ledger_state_page page;
    uint8_t way[32];

    memcpy(way, path32, 32);
    proof->n = 0;
    proof->leaf = false;
    for (unsigned depth = 0;; depth++) {
        unsigned v, first = 0, width = 16;
        enum ledger_state_kind kind;
        fm_status st = ledger_state_page_load(&page, pages, path32, depth, err);
        if (st != FM_OK)
            return st;
        if (page.kind == LEDGER_STATE_NO_PAGE && depth > 0)
            return base_err_set(err, FM_E_CORRUPT, "state tree: a page at depth %u is missing",
                                depth);
        if (page.kind != LEDGER_STATE_IS_FAN)
            break;
        v = ledger_state_nibble(path32, depth);
        while ((kind = kind_of(page.child + first, width)) == LEDGER_STATE_MORE && width > 1) {
            struct ledger_state_sub sibling;
            width /= 2;
            first = v & ~(width - 1);
            sibling = ledger_state_children(page.child + (first ^ width), width);
            push(proof, &sibling);
        }
        if (kind == LEDGER_STATE_EMPTY)
            return FM_OK;
        if (kind == LEDGER_STATE_LEAF) {
            steer_to_leaf(way, &page, depth, first, width);
            return lone_leaf(proof, pages, way, depth + 1, err);
        }
    }
    end_in_bucket(proof, page.leaf, page.n, path32);
    return FM_OK;
}

/* ---- verifying ---- */

static fm_status climb(const struct ledger_state_proof *proof, uint8_t hash32[32],
                       const uint8_t path32[32], const uint8_t root32[32], struct base_err *err)
{
    for (unsigned depth = proof->n; depth-- > 0;) {
        if (ledger_state_bit(path32, depth) != 0)
            ledger_log_node_hash(hash32, proof->sibling[depth], hash32);
        else
            ledger_log_node_hash(hash32, hash32, proof->sibling[depth]);
    }
    if (memcmp(hash32, root32, 32) != 0)
        return base_err_set(err, FM_E_INVALID, "state proof: it leads to another root");
    return FM_OK;
}

fm_status ledger_state_verify_present(const struct ledger_state_proof *proof,
                                      const uint8_t root32[32], const uint8_t path32[32],
                                      const uint8_t value_hash32[32], struct base_err *err)
{
    struct ledger_state_leaf leaf;
    uint8_t hash[32];

    if (proof->n > LEDGER_STATE_DEPTH || (proof->leaf && memcmp(proof->leaf_path, path32, 32) != 0))
        return base_err_set(err, FM_E_INVALID, "state proof: it shows another leaf in this place");
    memcpy(leaf.path, path32, 32);
    memcpy(leaf.value_hash, value_hash32, 32);
    ledger_state_leaf_hash(hash, &leaf);
    return climb(proof, hash, path32, root32, err);
}

fm_status ledger_state_verify_absent(const struct ledger_state_proof *proof,
                                     const uint8_t root32[32], const uint8_t path32[32],
                                     struct base_err *err)
{
    struct ledger_state_leaf leaf;
    uint8_t hash[32] = {0};

    if (proof->n > LEDGER_STATE_DEPTH || (proof->leaf && memcmp(proof->leaf_path, path32, 32) == 0))
        return base_err_set(err, FM_E_INVALID, "state proof: it shows the key's own leaf");
    if (proof->leaf) {
        for (unsigned depth = 0; depth < proof->n; depth++) {
            if (ledger_state_bit(path32, depth) != ledger_state_bit(proof->leaf_path, depth))
                return base_err_set(err, FM_E_INVALID, "state proof: its leaf stands elsewhere");
        }
        memcpy(leaf.path, proof->leaf_path, 32);
        memcpy(leaf.value_hash, proof->leaf_value_hash, 32);
        ledger_state_leaf_hash(hash, &leaf);
    }
    return climb(proof, hash, path32, root32, err);
}

/* ---- JSON ---- */

static const uint8_t zeros[32];

static json_t *hex_or_empty(const uint8_t hash32[32])
{
    char hex[65];

    if (memcmp(hash32, zeros, 32) == 0)
        return json_string("");
    base_hex(hex, hash32, 32);
    return json_string(hex);
}

/* Takes the reference to siblings; NULL: memory is out. */
static json_t *with_siblings(const struct ledger_state_proof *proof, const uint8_t path32[32],
                             json_t *siblings)
{
    json_t *json = json_object(), *leaf;
    int bad = json == NULL || siblings == NULL;

    if (proof->leaf && memcmp(proof->leaf_path, path32, 32) != 0 && !bad) {
        char path[65], value[65];
        base_hex(path, proof->leaf_path, 32);
        base_hex(value, proof->leaf_value_hash, 32);
        leaf = json_pack("{s:s, s:s}", "path", path, "value_hash", value);
        bad = json_object_set_new(json, "leaf", leaf);
    }
    if (!bad)
        bad = json_object_set(json, "siblings", siblings);
    json_decref(siblings);
    if (!bad)
        return json;
    json_decref(json);
    return NULL;
}

json_t *ledger_state_proof_json(const struct ledger_state_proof *proof, const uint8_t path32[32])
{
    json_t *siblings = json_array();
    int bad = siblings == NULL;

    for (unsigned i = 0; i < proof->n && !bad; i++)
        bad = json_array_append_new(siblings, hex_or_empty(proof->sibling[i]));
    if (bad) {
        json_decref(siblings);
        siblings = NULL;
    }
    return with_siblings(proof, path32, siblings);
}

json_t *ledger_state_proof_short(const struct ledger_state_proof *proof, const uint8_t path32[32])
{
    struct base_buf text = {0};
    json_t *siblings = NULL;

    base_base64url(&text, proof->sibling[0], 32 * (size_t)proof->n);
    if (!text.failed)
        siblings = json_string(base_buf_cstr(&text));
    base_buf_release(&text);
    return with_siblings(proof, path32, siblings);
}

static fm_status parse_short(struct ledger_state_proof *proof, const json_t *text,
                             struct base_err *err)
{
    struct base_buf bytes = {0};
    bool good = base_unbase64url(&bytes, json_string_value(text), json_string_length(text)) &&
                bytes.len % 32 == 0 && bytes.len / 32 <= LEDGER_STATE_DEPTH;
    bool failed = bytes.failed;

    if (good && !failed && bytes.len > 0)
        memcpy(proof->sibling[0], bytes.p, bytes.len);
    proof->n = good && !failed ? (unsigned)(bytes.len / 32) : 0;
    base_buf_release(&bytes);
    if (failed)
        return base_err_memory(err, "siblings");
    return good ? FM_OK
                : base_err_set(err, FM_E_INPUT, "siblings are not base64url of at most %d hashes",
                               LEDGER_STATE_DEPTH);
}

static fm_status parse_list(struct ledger_state_proof *proof, const json_t *siblings,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    if (json_array_size(siblings) > LEDGER_STATE_DEPTH)
        st = base_err_set(err, FM_E_INPUT, "more than %d siblings", LEDGER_STATE_DEPTH);
    for (size_t i = 0; st == FM_OK && i < json_array_size(siblings); i++) {
        const json_t *item = json_array_get(siblings, i);
        const char *text = json_string_value(item);
        uint8_t *out = proof->sibling[proof->n++];
        memset(out, 0, 32);
        /* The empty subtree has one spelling, "". */
        if (text == NULL ||
            (*text != '\0' &&
             (!base_unhex(out, 32, text, json_string_length(item)) || memcmp(out, zeros, 32) == 0)))
            st = base_err_set(err, FM_E_INPUT, "sibling %zu is not a hash", i);
    }
    return st;
}

fm_status ledger_state_proof_parse(struct ledger_state_proof *proof, const json_t *json,
                                   struct base_err *err)
{
    static const char *const names[] = {"siblings", "leaf", NULL};
    static const char *const leaf_names[] = {"path", "value_hash", NULL};
    json_t *siblings, *leaf;
    fm_status st;

    proof->n = 0;
    proof->leaf = json_object_get(json, "leaf") != NULL;
    if (!json_is_object(json))
        return base_err_set(err, FM_E_INPUT, "state proof: not an object");
    st = base_json_only(json, names, err);
    if (st == FM_OK && json_is_string(json_object_get(json, "siblings")))
        st = parse_short(proof, json_object_get(json, "siblings"), err);
    else if (st == FM_OK) {
        st = base_json_get_array(&siblings, json, "siblings", err);
        if (st == FM_OK)
            st = parse_list(proof, siblings, err);
    }
    if (st == FM_OK && proof->leaf) {
        st = base_json_get_object(&leaf, json, "leaf", err);
        if (st == FM_OK)
            st = base_json_only(leaf, leaf_names, err);
        if (st == FM_OK)
            st = base_json_get_hex(proof->leaf_path, 32, leaf, "path", err);
        if (st == FM_OK)
            st = base_json_get_hex(proof->leaf_value_hash, 32, leaf, "value_hash", err);
    }
    return st == FM_OK ? FM_OK : base_err_prefix(err, "state proof");
}
