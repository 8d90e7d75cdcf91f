/* Issuing an SD-JWT as an order says: sd_vc.h. */
#include <stdlib.h>

#include "base/json.h"
#include "did/credential/sd_vc.h"

/* Pointers of an array, borrowed from it. *out: free(). */
static fm_status read_pointers(const char ***out, const json_t *hidden, struct base_err *err)
{
    size_t n = json_array_size(hidden);
    const char **texts = calloc(n + 1, sizeof *texts);

    *out = texts;
    if (texts == NULL)
        return base_err_memory(err, "pointers");
    for (size_t i = 0; i < n; i++) {
        texts[i] = json_string_value(json_array_get(hidden, i));
        if (texts[i] == NULL)
            return base_err_set(err, FM_E_INPUT, "'hidden' must hold JSON Pointers");
    }
    return json_is_array(hidden) ? FM_OK
                                 : base_err_set(err, FM_E_INPUT, "'hidden' must be an array");
}

static fm_status read_order(struct credential_sd_wish *wish, struct did_key *holder,
                            const struct did_key **to, const json_t *order, struct base_err *err)
{
    static const char *const names[] = {"decoys", "hidden", "holder", NULL};
    const json_t *decoys = json_object_get(order, "decoys"),
                 *did = json_object_get(order, "holder");
    fm_status st = base_json_only(order, names, err);

    if (st == FM_OK && ((decoys != NULL && !json_is_integer(decoys)) ||
                        json_integer_value(decoys) < 0 || (did != NULL && !json_is_string(did))))
        st = base_err_set(err, FM_E_INPUT, "'decoys' must be a number, and 'holder' a did:key");
    if (st == FM_OK && did != NULL) {
        st = did_key_did_decode(holder, json_string_value(did), DID_RULES_VERSION, err);
        *to = holder;
    }
    wish->decoys = (size_t)json_integer_value(decoys);
    return st;
}

fm_status credential_sd_issue_ordered(struct base_buf *out, json_t *claims, const json_t *order,
                                      const struct did_secret *secret, const char *method,
                                      int64_t now_s, const struct base_random *random,
                                      struct base_err *err)
{
    json_t *hidden = json_incref(json_object_get(order, "hidden"));
    struct credential_sd_wish wish = {0};
    const struct did_key *to = NULL;
    const char **pointers = NULL;
    struct did_key holder;
    fm_status st = read_order(&wish, &holder, &to, order, err);

    if (st == FM_OK && hidden == NULL)
        st = credential_sd_usual(&hidden, claims, err);
    if (st == FM_OK)
        st = read_pointers(&pointers, hidden, err);
    if (st == FM_OK) {
        wish.hidden = pointers;
        wish.hidden_count = json_array_size(hidden);
        st = credential_sd_issue(out, claims, &wish, to, secret, method, now_s, random, err);
    }
    free(pointers);
    json_decref(hidden);
    return st;
}
