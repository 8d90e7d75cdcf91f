#include "base/sm3.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>

fm_status base_sm3(uint8_t out32[32], const struct base_sm3_part *parts, size_t count,
                   struct base_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok;

    (void)ERR_set_mark();
    ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sm3(), NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(ctx, parts[i].bytes, parts[i].len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, out32, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    (void)ERR_pop_to_mark();
    return ok ? FM_OK : base_err_set(err, FM_E_UNSUPPORTED, "this OpenSSL cannot compute SM3");
}
