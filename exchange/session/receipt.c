#include "exchange/session/receipt.h"

#include <string.h>

#include "base/bytes.h"
#include "base/json.h"

/* A session has at most 240 channels and 16 providers with a few components each. */
enum { LIST_MAX = 1024 };

static fm_status set_new(json_t *object, const char *name, json_t *value, struct base_err *err)
{
    if (value == NULL || json_object_set_new(object, name, value) != 0)
        return base_err_memory(err, "receipt");
    return FM_OK;
}

static fm_status append_new(json_t *array, json_t *value, struct base_err *err)
{
    if (value == NULL || json_array_append_new(array, value) != 0)
        return base_err_memory(err, "receipt");
    return FM_OK;
}

static int party_named(const struct session_facts *facts, const char *alias)
{
    for (unsigned i = 0; i < facts->party_count; i++)
        if (strcmp(facts->parties[i].alias, alias) == 0)
            return (int)i;
    return -1;
}

/* Do two entries of a list speak of the same thing? */
static bool same_key(const json_t *a, const json_t *b)
{
    static const char *const names[] = {"provider", "table", "component", "peer", "from", "to"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *x = json_object_get(a, names[i]), *y = json_object_get(b, names[i]);
        if ((x == NULL) != (y == NULL) || (x != NULL && !json_equal(x, y)))
            return false;
    }
    return true;
}

static const json_t *find_key(const json_t *list, const json_t *key)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item) if (same_key(item, key)) return item;
    return NULL;
}

/* What is said twice could stand for something that is not said at all. */
static fm_status check_once(const json_t *list, const char *name, struct base_err *err)
{
    json_t *item;
    size_t i;

    if (json_array_size(list) > LIST_MAX)
        return base_err_set(err, FM_E_LIMIT, "%s: more than %d entries", name, LIST_MAX);
    json_array_foreach(list, i, item) if (find_key(list, item) != item) return base_err_set(
        err, FM_E_INPUT, "%s: the same thing is said twice", name);
    return FM_OK;
}

/* ---- parts ---- */

static fm_status check_channel(const struct session_facts *facts, const json_t *item,
                               struct base_err *err)
{
    static const char *const names[] = {"peer", "sent", "received", NULL};
    uint8_t hash[32];
    const char *peer;

    if (base_json_only(item, names, err) != FM_OK ||
        base_json_get_str(&peer, item, "peer", err) != FM_OK ||
        base_json_get_hex(hash, 32, item, "sent", err) != FM_OK ||
        base_json_get_hex(hash, 32, item, "received", err) != FM_OK)
        return err->code;
    if (party_named(facts, peer) < 0)
        return base_err_set(err, FM_E_INPUT, "channels: '%s' is not a party", peer);
    return FM_OK;
}

static fm_status check_commitment(const struct session_facts *facts, const json_t *item,
                                  const char *const *names, struct base_err *err)
{
    uint8_t hash[32];
    const char *text;
    int64_t component;

    if (base_json_only(item, names, err) != FM_OK ||
        base_json_get_int(&component, item, "component", err) != FM_OK ||
        base_json_get_hex(hash, 32, item, "commitment", err) != FM_OK)
        return err->code;
    if (component < 0 || component > 63)
        return base_err_set(err, FM_E_INPUT, "component %lld is out of range",
                            (long long)component);
    if (strcmp(names[0], "provider") != 0)
        return FM_OK;
    if (base_json_get_str(&text, item, "table", err) != FM_OK ||
        base_json_get_str(&text, item, "provider", err) != FM_OK)
        return err->code;
    if (party_named(facts, text) < 0)
        return base_err_set(err, FM_E_INPUT, "inputs: '%s' is not a party", text);
    return FM_OK;
}

static const char *const input_names[] = {"provider", "table", "component", "commitment", NULL};
static const char *const result_names[] = {"component", "commitment", NULL};

static fm_status check_lists(const struct session_facts *facts, const json_t *part,
                             struct base_err *err)
{
    static const char *const names[] = {"channels", "inputs", "result", NULL};
    json_t *channels, *inputs, *result, *item;
    size_t i;

    if (!json_is_object(part))
        return base_err_set(err, FM_E_INPUT, "part must be an object");
    if (base_json_only(part, names, err) != FM_OK ||
        base_json_get_array(&channels, part, "channels", err) != FM_OK ||
        base_json_get_array(&inputs, part, "inputs", err) != FM_OK ||
        base_json_get_array(&result, part, "result", err) != FM_OK)
        return err->code;
    json_array_foreach(channels, i,
                       item) if (check_channel(facts, item, err) != FM_OK) return err->code;
    json_array_foreach(inputs, i, item) if (check_commitment(facts, item, input_names, err) !=
                                            FM_OK) return err->code;
    json_array_foreach(result, i, item) if (check_commitment(facts, item, result_names, err) !=
                                            FM_OK) return err->code;
    if (check_once(channels, "channels", err) != FM_OK ||
        check_once(inputs, "inputs", err) != FM_OK || check_once(result, "result", err) != FM_OK)
        return err->code;
    return FM_OK;
}

fm_status receipt_check_part(const struct session_facts *facts, unsigned from, const json_t *part,
                             struct base_err *err)
{
    if (check_lists(facts, part, err) == FM_OK)
        return FM_OK;
    err->code = FM_E_PEER;
    return base_err_prefix(err, "part of %s", facts->parties[from].alias);
}

/* ---- merge ---- */

/* What party `from` says it sent to (or received from) `peer`; NULL if it says nothing. */
static const char *channel_hash(const json_t *part, const char *peer, const char *direction)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(part, "channels"), i,
                       item) if (strcmp(json_string_value(json_object_get(item, "peer")), peer) ==
                                 0) return json_string_value(json_object_get(item, direction));
    return NULL;
}

static fm_status merge_channel(json_t *out, const struct session_facts *facts, json_t *const *parts,
                               unsigned from, unsigned to, struct base_err *err)
{
    const char *a = facts->parties[from].alias, *b = facts->parties[to].alias;
    const char *sent = channel_hash(parts[from], b, "sent");
    const char *received = channel_hash(parts[to], a, "received");

    if (sent == NULL && received == NULL)
        return FM_OK;
    if (sent == NULL || received == NULL || strcmp(sent, received) != 0)
        return base_err_set(err, FM_E_PEER, "%s and %s disagree on what %s sent to %s: no receipt",
                            a, b, a, b);
    return append_new(out, json_pack("{s:s,s:s,s:s}", "from", a, "to", b, "hash", sent), err);
}

/* Adds party `holder`'s statement: the first makes the entry, the second must agree. */
static fm_status merge_commitment(json_t *out, const char *holder, const json_t *item,
                                  struct base_err *err)
{
    json_t *entry = (json_t *)(uintptr_t)find_key(out, item);
    json_t *holders;

    if (entry == NULL) {
        entry = json_copy((json_t *)(uintptr_t)item);
        if (append_new(out, entry, err) != FM_OK)
            return err->code;
        return set_new(entry, "holders", json_pack("[s]", holder), err);
    }
    holders = json_object_get(entry, "holders");
    if (!json_equal(json_object_get(entry, "commitment"), json_object_get(item, "commitment")))
        return base_err_set(err, FM_E_PEER,
                            "%s and %s committed to different shares of component %lld: no receipt",
                            json_string_value(json_array_get(holders, 0)), holder,
                            (long long)json_integer_value(json_object_get(item, "component")));
    return append_new(holders, json_string(holder), err);
}

static fm_status merge_list(json_t *out, const struct session_facts *facts, json_t *const *parts,
                            const char *list, struct base_err *err)
{
    json_t *item;
    size_t i;

    for (unsigned p = 0; p < facts->party_count; p++)
        json_array_foreach(json_object_get(parts[p], list), i,
                           item) if (merge_commitment(out, facts->parties[p].alias, item, err) !=
                                     FM_OK) return err->code;
    json_array_foreach(
        out, i, item) if (json_array_size(json_object_get(item, "holders")) !=
                          2) return base_err_set(err, FM_E_PEER,
                                                 "%s: component %lld is not held by two parties",
                                                 list,
                                                 (long long)json_integer_value(
                                                     json_object_get(item, "component")));
    return FM_OK;
}

/* What every receipt of this session says, ready for ledger_receipt_build(). */
static struct ledger_receipt common(const struct session_facts *facts,
                                    enum ledger_outcome_kind outcome, bool shared)
{
    struct ledger_receipt r = {.attempt = facts->attempt,
                               .protocol = facts->protocol,
                               .outcome = outcome,
                               .shared = shared};

    memcpy(r.chain, facts->chain, 32);
    memcpy(r.query, facts->query, 32);
    memcpy(r.descriptor, facts->descriptor, 32);
    memcpy(r.plan_hash, facts->plan_hash, 32);
    return r;
}

fm_status receipt_merge(json_t **receipt, const struct session_facts *facts, json_t *const *parts,
                        struct base_err *err)
{
    json_t *channels = json_array(), *inputs = json_array(), *result = json_array();
    struct ledger_receipt r = common(facts, LEDGER_RECEIPT_DONE, true);
    fm_status st = FM_OK;

    *receipt = NULL;
    if (channels == NULL || inputs == NULL || result == NULL)
        st = base_err_memory(err, "receipt");
    for (unsigned i = 0; st == FM_OK && i < facts->party_count; i++)
        for (unsigned k = 0; st == FM_OK && k < facts->party_count; k++)
            if (i != k)
                st = merge_channel(channels, facts, parts, i, k, err);
    if (st == FM_OK)
        st = merge_list(inputs, facts, parts, "inputs", err);
    if (st == FM_OK)
        st = merge_list(result, facts, parts, "result", err);
    r.channels = channels;
    r.inputs = inputs;
    r.result = result;
    if (st == FM_OK)
        st = ledger_receipt_build(receipt, &r, err);
    json_decref(channels);
    json_decref(inputs);
    json_decref(result);
    return st;
}

fm_status receipt_failed(json_t **receipt, const struct session_facts *facts, bool refused,
                         const char *rule, const char *party, bool shared, struct base_err *err)
{
    struct ledger_receipt r =
        common(facts, refused ? LEDGER_RECEIPT_REFUSED : LEDGER_RECEIPT_ABORTED, shared);
    json_t *nothing = json_array();
    fm_status st;

    *receipt = NULL;
    if (nothing == NULL)
        return base_err_memory(err, "receipt");
    r.rule = rule;
    r.party = party;
    r.channels = nothing;
    r.inputs = nothing;
    r.result = nothing;
    st = ledger_receipt_build(receipt, &r, err);
    json_decref(nothing);
    return st;
}

fm_status receipt_add_proofs(json_t *receipt, json_t *const *proofs, unsigned count,
                             struct base_err *err)
{
    json_t *sorted[SESSION_MAX_PARTIES];
    json_t *set;
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned at = n;
        const char *method;
        if (proofs[i] == NULL)
            continue;
        method = json_string_value(json_object_get(proofs[i], "verificationMethod"));
        for (; at > 0 &&
               strcmp(json_string_value(json_object_get(sorted[at - 1], "verificationMethod")),
                      method) > 0;
             at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = proofs[i];
        n++;
    }
    if (n == 1)
        set = json_incref(sorted[0]);
    else
        set = json_array();
    for (unsigned i = 0; n > 1 && i < n; i++)
        if (json_array_append(set, sorted[i]) != 0)
            return base_err_memory(err, "receipt");
    if (set == NULL || json_object_set_new(receipt, "proof", set) != 0)
        return base_err_memory(err, "receipt");
    return FM_OK;
}

/* ---- checks before signing ---- */

fm_status receipt_is_of(const struct session_facts *facts, const json_t *receipt,
                        enum ledger_outcome_kind *outcome, bool *shared, struct base_err *err)
{
    struct ledger_receipt r;

    if (ledger_receipt_parse(&r, receipt, err) != FM_OK)
        return base_err_prefix(err, "receipt");
    if (strcmp(r.protocol, facts->protocol) != 0 || r.attempt != facts->attempt ||
        memcmp(r.chain, facts->chain, 32) != 0 || memcmp(r.query, facts->query, 32) != 0 ||
        memcmp(r.descriptor, facts->descriptor, 32) != 0 ||
        memcmp(r.plan_hash, facts->plan_hash, 32) != 0)
        return base_err_set(err, FM_E_PEER, "the receipt is not this session's");
    *outcome = r.outcome;
    *shared = r.shared;
    return FM_OK;
}

/* How many of the receipt's channels name `self`, all of them as this party's part says? -1 if one
 * differs. */
static long own_channels(const json_t *receipt, const char *self, const json_t *part)
{
    json_t *item;
    size_t i;
    long n = 0;

    json_array_foreach(json_object_get(receipt, "channels"), i, item)
    {
        const char *from = json_string_value(json_object_get(item, "from"));
        const char *to = json_string_value(json_object_get(item, "to"));
        const char *hash = json_string_value(json_object_get(item, "hash"));
        const char *mine = NULL;
        if (from == NULL || to == NULL || hash == NULL)
            return -1;
        if (strcmp(from, self) == 0)
            mine = channel_hash(part, to, "sent");
        else if (strcmp(to, self) == 0)
            mine = channel_hash(part, from, "received");
        else
            continue;
        if (mine == NULL || strcmp(mine, hash) != 0)
            return -1;
        n++;
    }
    return n;
}

static long own_commitments(const json_t *receipt, const char *list, const char *self,
                            const json_t *part)
{
    json_t *item, *holder;
    size_t i, k;
    long n = 0;

    json_array_foreach(json_object_get(receipt, list), i, item)
    {
        bool mine = false;
        const json_t *said;
        json_array_foreach(json_object_get(item, "holders"), k,
                           holder) if (json_is_string(holder) &&
                                       strcmp(json_string_value(holder), self) == 0) mine = true;
        if (!mine)
            continue;
        said = find_key(json_object_get(part, list), item);
        if (said == NULL ||
            !json_equal(json_object_get(said, "commitment"), json_object_get(item, "commitment")))
            return -1;
        n++;
    }
    return n;
}

fm_status receipt_holds_part(const struct session_facts *facts, const json_t *receipt,
                             const json_t *part, struct base_err *err)
{
    const char *self = facts->parties[facts->self].alias;
    enum ledger_outcome_kind outcome;
    bool shared;

    if (receipt_is_of(facts, receipt, &outcome, &shared, err) != FM_OK)
        return err->code;
    if (outcome != LEDGER_RECEIPT_DONE || !shared)
        return base_err_set(err, FM_E_PEER, "the receipt does not say done");
    if (check_once(json_object_get(receipt, "channels"), "channels", err) != FM_OK ||
        check_once(json_object_get(receipt, "inputs"), "inputs", err) != FM_OK ||
        check_once(json_object_get(receipt, "result"), "result", err) != FM_OK)
        return base_err_prefix(err, "the receipt");
    if (own_channels(receipt, self, part) !=
            2 * (long)json_array_size(json_object_get(part, "channels")) ||
        own_commitments(receipt, "inputs", self, part) !=
            (long)json_array_size(json_object_get(part, "inputs")) ||
        own_commitments(receipt, "result", self, part) !=
            (long)json_array_size(json_object_get(part, "result")))
        return base_err_set(err, FM_E_PEER, "the receipt does not hold what %s reported", self);
    return FM_OK;
}
