/* DID documents. Laws: what is accepted keeps its bytes (JSON and hash), and reads back as itself;
 * a first version has the id of its content, so nobody else's document has a member's id. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "tests/fuzz/ledger_specimens.h"

static const struct ledger_specimens *known;

/* A first version under a specimen's id is that specimen. */
static void check_identity(const struct did_document *doc)
{
    const json_t *value;
    size_t i;

    if (did_document_version(doc) != 1)
        return;
    json_array_foreach(known->documents, i, value)
    {
        const char *id = json_string_value(json_object_get(value, "id"));
        json_int_t version = json_integer_value(json_object_get(value, "version"));
        if (id != NULL && version == 1 && strcmp(id, did_document_id(doc)) == 0)
            fuzz_law(json_equal(value, did_document_json(doc)), "an id has one first document");
    }
}

static void check(const struct did_document *doc, const uint8_t *data, size_t size)
{
    struct did_document *again;
    struct base_err err = {0};
    uint8_t hash[32];
    size_t count;

    base_hash(hash, data, size);
    fuzz_law(memcmp(hash, did_document_hash32(doc), 32) == 0,
             "accepted implies canonical: the hash is that of the bytes");
    fuzz_law(did_document_parse(&again, did_document_json(doc), 1, &err) == FM_OK &&
                 memcmp(did_document_hash32(again), hash, 32) == 0,
             "it reads back as itself");
    (void)did_document_methods(doc, &count);
    if (did_document_is_deactivated(doc))
        fuzz_law(count == 0 && did_document_threshold(doc) == 0, "a deactivated one has no keys");
    else
        fuzz_law(did_document_threshold(doc) >= 1 &&
                     did_document_threshold(doc) <=
                         did_document_key_count(doc, DID_ROLE_INVOCATION),
                 "the threshold can be met");
    check_identity(doc);
    did_document_free(again);
}

static void run(const uint8_t *data, size_t size)
{
    struct did_document *doc;
    struct base_err err = {0};
    json_t *json = NULL;

    if (base_json_parse_canonical(&json, data, size, &err) != FM_OK)
        return;
    if (did_document_parse(&doc, json, 1, &err) == FM_OK) {
        check(doc, data, size);
        did_document_free(doc);
    } else {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
    }
    json_decref(json);
}

static void begin(struct fuzz_corpus *corpus)
{
    known = ledger_specimens();
    fuzz_add_json(corpus, known->documents);
}

static const char *const words[] = {" ",
                                    "\n",
                                    "{SCID}",
                                    "{CHAIN}",
                                    "did:firmiana:",
                                    "did:key:z6Mk",
                                    "#z6Mk",
                                    "assertionMethod",
                                    "authentication",
                                    "capabilityInvocation",
                                    "recovery",
                                    "threshold",
                                    "previous",
                                    "alias",
                                    "version",
                                    "deactivated",
                                    "service",
                                    "Multikey",
                                    "publicKeyMultibase",
                                    "@context",
                                    NULL};
const struct fuzz_target fuzz_target = {"document", FUZZ_JSON, 16384, words, begin, run};
