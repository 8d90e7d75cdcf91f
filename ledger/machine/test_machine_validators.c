/* The one rule about validators' keys: who orders blocks follows from the state elsewhere
 * (ledger/abci/validators.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_profile.h"
#include "ledger/machine/test_machine.h"
#include "ledger/store/test_town.h"

static struct base_err err;

/* The member's next document, with this key of that person (n < 0: none), in an update. */
static struct base_buf update(struct town *t, int who, int whose, int n)
{
    uint8_t hash[32];

    memcpy(hash, did_document_hash32(t->who[who].doc), sizeof hash);
    return town_tx(t, LEDGER_TX_DID_UPDATE, who,
                   town_update(hash, town_validator_document(t, who, whose, n)));
}

/* Refused, so that the member's document stays what it was. */
static void refused(struct town *t, int who, int whose, int n)
{
    struct did_document *kept;
    fm_status st =
        did_document_parse(&kept, did_document_json(t->who[who].doc), DID_RULES_VERSION, &err);

    assert_int_equal(st, FM_OK);
    town_refused(t, update(t, who, whose, n), LEDGER_RULE_DID_VALIDATOR);
    did_document_free(t->who[who].doc);
    t->who[who].doc = kept;
}

static void refused_endpoint(struct town *t, int who, const char *endpoint)
{
    json_t *document = json_deep_copy(did_document_json(t->who[who].doc)), *service;
    char previous[65];
    uint8_t hash[32];

    memcpy(hash, did_document_hash32(t->who[who].doc), sizeof hash);
    base_hex(previous, hash, 32);
    service = json_array_get(json_object_get(document, "service"), 0);
    (void)json_object_set_new(service, "serviceEndpoint", json_string(endpoint));
    (void)json_object_set_new(json_object_get(document, "firmiana"), "version",
                              json_integer(did_document_version(t->who[who].doc) + 1));
    (void)json_object_set_new(json_object_get(document, "firmiana"), "previous",
                              json_string(previous));
    town_refused(t, town_tx(t, LEDGER_TX_DID_UPDATE, who, town_update(hash, document)),
                 LEDGER_RULE_DID_VALIDATOR);
}

void test_validators(void **state)
{
    struct town t;

    (void)state;
    test_profile_international();
    town_init_validators(&t, NULL, 2);
    refused(&t, BANK_A, BANK_B, 0); /* another's */
    refused_endpoint(&t, BANK_A, "ed25519://z6Mk");
    refused_endpoint(&t, BANK_A, "https://bank-a.example");
    town_ok(&t, update(&t, BANK_B, BANK_B, 1));
    town_ok(&t, update(&t, BANK_A, BANK_B, 0)); /* it is nobody's now */
    town_ok(&t, update(&t, BANK_A, BANK_A, 0));
    town_ok(&t, update(&t, BANK_C, BANK_C, -1)); /* three are left, and three are the quorum */
    refused(&t, BANK_A, BANK_A, -1);
    town_ok(&t, update(&t, BANK_A, BANK_A, 1));
    town_ok(&t, update(&t, BANK_C, BANK_C, 0));
    town_ok(&t, update(&t, BANK_A, BANK_A, -1));
    town_release(&t);
    town_init_validators(&t, NULL, 1); /* under version 1 as ever */
    town_ok(&t, update(&t, BANK_A, BANK_B, 0));
    town_ok(&t, update(&t, BANK_B, BANK_B, -1));
    town_ok(&t, update(&t, BANK_C, BANK_C, -1));
    town_release(&t);
}
