/* Keys on the command line: officers sign here, in this process, never in the node. */
#ifndef FIRMIANA_EXCHANGE_CLI_KEYS_H
#define FIRMIANA_EXCHANGE_CLI_KEYS_H

#include "did/passphrase.h"
#include "exchange/cli/common.h"
#include "ledger/proof/tx.h"

#define CLI_KEY_OPTION                                                                            \
    {                                                                                             \
        "key", "FILE", "the officer's sealed key (default: HOME/keys/officer.json)", CLI_OPTIONAL \
    }

#define CLI_PARTIAL_OPTION                                                                       \
    {                                                                                            \
        "partial", "FILE",                                                                       \
            "where more officers must sign: the file that goes to the next one (default: here)", \
            CLI_OPTIONAL                                                                         \
    }

#define CLI_TOKEN_OPTION                                                                           \
    {                                                                                              \
        "token", "URI",                                                                            \
            "the key is in a PKCS#11 token and stays there: pkcs11:token=NAME;object=LABEL; FILE " \
            "says where, the passphrase is the PIN",                                               \
            CLI_OPTIONAL                                                                           \
    }

enum cli_passphrase_use { CLI_PASSPHRASE_OLD, CLI_PASSPHRASE_NEW };

/* The least length in bytes of a new passphrase: scrypt makes a guess dear; the national profile's
 * PBKDF2, which needs no memory, makes it less so. */
enum { CLI_PASSPHRASE_LEAST = 8, CLI_PASSPHRASE_LEAST_NATIONAL = 12 };

/* FM_E_ARG: it is shorter, so that guessing it is no work. */
fm_status cli_passphrase_check(const struct did_passphrase *pass, struct base_err *err) FM_CHECK;

/* --passphrase-fd, $FIRMIANA_PASSPHRASE, or a prompt (twice for a new one, which is checked). */
fm_status cli_passphrase(struct did_passphrase **out, const struct cli_args *args,
                         enum cli_passphrase_use use, struct base_err *err) FM_CHECK;

/* A new key in the file --out: of that suite, sealed; or the one of --token, of which the file says
 * where it is. FM_E_CONFLICT if there is such a file. */
fm_status cli_new_key(struct did_secret **out, const struct cli_args *args,
                      const struct did_suite *suite, const char *role,
                      struct base_err *err) FM_CHECK;

/* The key of --key, opened. */
fm_status cli_officer_key(struct did_secret **out, const struct cli_args *args,
                          struct base_err *err) FM_CHECK;

/* Builds a transaction of this member (used up: body), signs it with --key and submits it; waits
 * until it is final. Where the member needs more officers' signatures it is written to --partial
 * instead. */
fm_status cli_submit_by_officer(const struct cli_args *args, enum ledger_tx_type type, json_t *body,
                                const char *what, struct base_err *err) FM_CHECK;

/* The same with whatever key --key is, as it is, for whichever member's DID sender is. */
fm_status cli_submit_by_key(const struct cli_args *args, const char *sender,
                            enum ledger_tx_type type, json_t *body, const char *what,
                            struct base_err *err) FM_CHECK;

#endif
