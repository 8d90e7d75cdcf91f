/* For tests that look for secrets where none may be: prints a sealed key's secret bytes, raw bytes
 * as hex and as base64url, one a line. usage: unseal KEYFILE, the passphrase on standard input. Not
 * installed. */
#include <stdio.h>

#include "base/bytes.h"
#include "did/keystore.h"
#include "did/passphrase.h"

int main(int argc, char **argv)
{
    struct did_passphrase *pass = NULL;
    struct did_secret *secret = NULL;
    struct base_buf text = {0};
    struct base_err err = {0};
    char hex[65];

    if (argc != 2 || did_passphrase_from_fd(&pass, 0, &err) != FM_OK ||
        did_keystore_load(&secret, NULL, argv[1], pass, &err) != FM_OK) {
        fprintf(stderr, "unseal: %s\n", argc == 2 ? err.text : "usage: unseal KEYFILE");
        did_passphrase_free(pass);
        return 1;
    }
    base_hex(hex, did_secret_bytes(secret), 32);
    base_base64url(&text, did_secret_bytes(secret), 32);
    printf("%s\n%s\n", hex, base_buf_cstr(&text));
    base_buf_release_secret(&text);
    did_secret_free(secret);
    did_passphrase_free(pass);
    return 0;
}
