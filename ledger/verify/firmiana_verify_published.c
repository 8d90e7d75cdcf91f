#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "ledger/transparency/published.h"
#include "ledger/verify/firmiana_verify_own.h"

enum { KEYS_MAX = 1 << 18 };

static json_t *names_of(const struct ledger_checkpoint *c, const struct ledger_vkey *keys, size_t n,
                        bool trusted)
{
    json_t *names = json_array();

    for (size_t i = 0; i < c->n; i++) {
        bool known = false;

        for (size_t k = 0; k < n; k++)
            known = known || strcmp(keys[k].name, c->cosigner[i].name) == 0;
        if (known == trusted)
            (void)json_array_append_new(names, json_string(c->cosigner[i].name));
    }
    return names;
}

static fm_status print(const struct verify_options *o, const struct ledger_checkpoint *c,
                       const struct ledger_trust *trust, struct base_err *err)
{
    char chain[65], root[65];
    json_t *all, *name;
    struct base_buf text = {0};
    size_t i;
    fm_status st = FM_OK;

    base_hex(chain, c->chain, 32);
    base_hex(root, c->root, 32);
    all = json_pack("{s:b, s:s, s:I, s:s, s:o, s:o}", "valid", 1, "chain", chain, "size",
                    (json_int_t)c->size, "root", root, "cosigners",
                    names_of(c, trust->keys, trust->n, true), "unknown",
                    names_of(c, trust->keys, trust->n, false));
    if (all == NULL)
        return base_err_memory(err, "report");
    if (o->json) {
        st = base_json_canonical(&text, all, err);
        if (st == FM_OK)
            st = base_buf_status(&text, "report", err);
        if (st == FM_OK)
            puts(base_buf_cstr(&text));
    } else {
        printf("valid: published log\n  chain    %s\n  log      %llu entries, every tile checked\n"
               "  root     %s\n  final    cosigned by %zu trusted keys, %zu needed\n",
               chain, (unsigned long long)c->size, root,
               json_array_size(json_object_get(all, "cosigners")), trust->quorum);
        json_array_foreach(json_object_get(all, "unknown"), i, name)
            printf("  also     %s, whose key --keys does not have: not checked\n",
                   json_string_value(name));
    }
    base_buf_release(&text);
    json_decref(all);
    return st;
}

fm_status verify_trust(struct ledger_trust *out, const struct verify_options *o,
                       struct base_err *err)
{
    struct ledger_vkey *keys = calloc(LEDGER_COSIGNERS_MAX, sizeof *keys);
    struct base_buf text = {0};
    fm_status st = FM_OK;

    *out = (struct ledger_trust){.keys = keys, .quorum = (size_t)o->quorum};
    if (o->keys == NULL || o->quorum == 0)
        st = base_err_set(err, FM_E_ARG,
                          "%s: it needs --keys FILE (whom to believe) and --quorum K", o->bundle);
    else if (keys == NULL)
        st = base_err_memory(err, "keys");
    if (st == FM_OK)
        st = base_file_read(&text, o->keys, KEYS_MAX, err);
    if (st == FM_OK) {
        st = ledger_vkeys_parse(keys, LEDGER_COSIGNERS_MAX, &out->n, (const char *)text.p, text.len,
                                err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", o->keys);
        if (st == FM_E_INPUT || st == FM_E_LIMIT)
            st = err->code = FM_E_ARG;
    }
    base_buf_release(&text);
    return st;
}

void verify_trust_release(struct ledger_trust *trust)
{
    free((void *)(uintptr_t)trust->keys);
}

fm_status verify_published(const struct verify_options *o, struct base_err *err)
{
    struct ledger_checkpoint *c = malloc(sizeof *c);
    struct ledger_trust trust = {0};
    size_t signers;
    fm_status st = c != NULL ? verify_trust(&trust, o, err) : base_err_memory(err, "checkpoint");

    if (st == FM_OK) {
        st = ledger_published_verify(c, &signers, o->bundle, &trust, err);
        if (st == FM_OK && o->chain_given && memcmp(c->chain, o->chain, 32) != 0)
            st = base_err_set(err, FM_E_INVALID, "%s: it is not the ledger that was asked for",
                              o->bundle);
        /* What stands there wrongly is not valid, however it is wrong. */
        if (st == FM_E_AUTH || st == FM_E_INPUT || st == FM_E_LIMIT)
            st = err->code = FM_E_INVALID;
    }
    if (st == FM_OK)
        st = print(o, c, &trust, err);
    verify_trust_release(&trust);
    free(c);
    return st;
}
