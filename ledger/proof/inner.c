#include "ledger/proof/inner.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "did/key_did.h"

void ledger_subject_commit(uint8_t out32[32], const uint8_t chain32[32], const char *identifier,
                           size_t len, const uint8_t nonce32[32])
{
    static const char domain[] = "firmiana/subject/v1"; /* its closing NUL is the 0x00 */
    struct base_hash h;
    uint8_t length[8];

    base_store_u64(length, len);
    base_hash_init(&h);
    base_hash_update(&h, domain, sizeof domain);
    base_hash_update(&h, chain32, 32);
    base_hash_update(&h, length, sizeof length);
    base_hash_update(&h, identifier, len);
    base_hash_update(&h, nonce32, 32);
    base_hash_final(&h, out32);
}

fm_status ledger_subject_sign(json_t *inner, const struct did_secret *secret, int64_t created_s,
                              struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    fm_status st = did_key_method_encode(method, did_secret_key(secret), err);

    if (st == FM_OK)
        st = did_proof_add_to_set(inner, secret, method, DID_ROLE_ASSERTION, created_s, err);
    return st;
}
