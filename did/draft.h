/* Writing DID documents: the first one, or the next version of one that is there. Fill a draft,
 * change it, build it. Building ends in did_document_parse(), so nothing can be written that could
 * not be read. */
#ifndef FIRMIANA_DID_DRAFT_H
#define FIRMIANA_DID_DRAFT_H

#include "did/document.h"

/* Zero-initialise, then did_draft_first() or did_draft_next(); did_draft_release() at the end. The
 * members without a function are set directly. */
struct did_draft {
    char did[DID_FIRMIANA_TEXT]; /* empty: the first version, whose id building computes */
    char chain[DID_CHAIN_TEXT];
    char alias[DID_ALIAS_MAX + 1];
    int64_t version;
    uint8_t previous32[32];
    uint8_t recovery32[32]; /* did_recovery_commit() */
    size_t threshold;       /* officers that must sign; 1 to begin with */
    bool deactivated;
    size_t n_keys;
    struct {
        struct did_key key;
        unsigned roles;
    } keys[DID_KEYS_MAX];
    json_t *service; /* owned; NULL: none. An array as method.md says */
};

/* chain: did_chain_text(), or NULL for a document that will stand in genesis ("{CHAIN}"). */
fm_status did_draft_first(struct did_draft *draft, const char *chain, const char *alias,
                          const uint8_t recovery32[32], struct base_err *err) FM_CHECK;
/* Version n + 1 of doc, otherwise equal to it. FM_E_CONFLICT if doc is deactivated. */
fm_status did_draft_next(struct did_draft *draft, const struct did_document *doc,
                         struct base_err *err) FM_CHECK;
void did_draft_release(struct did_draft *draft);

/* Adds a key with roles, or roles to a key that is there. FM_E_LIMIT at DID_KEYS_MAX. */
fm_status did_draft_add(struct did_draft *draft, const struct did_key *key, unsigned roles,
                        struct base_err *err) FM_CHECK;
fm_status did_draft_remove(struct did_draft *draft, const struct did_key *key,
                           struct base_err *err) FM_CHECK; /* FM_E_NOT_FOUND */
/* The new key takes the old one's place and roles. FM_E_NOT_FOUND, or FM_E_CONFLICT if the new one
 * is there already. */
fm_status did_draft_rotate(struct did_draft *draft, const struct did_key *old_key,
                           const struct did_key *new_key, struct base_err *err) FM_CHECK;
/* No keys, threshold 0, no services: nothing signs for this DID any more, and nothing follows. */
void did_draft_deactivate(struct did_draft *draft);

fm_status did_draft_build(struct did_document **out, const struct did_draft *draft,
                          uint32_t rules_version, struct base_err *err) FM_CHECK;

#endif
