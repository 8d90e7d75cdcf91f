#include "exchange/cli/consent_form.h"

#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/random.h"

fm_status consent_form_hex(uint8_t out32[32], const struct cli_args *args, const char *name,
                           struct base_err *err)
{
    const char *text = cli_value(args, name);

    if (text == NULL || !base_unhex(out32, 32, text, strlen(text)))
        return base_err_set(err, FM_E_ARG, "--%s must be 64 lower-case hex digits", name);
    return FM_OK;
}

fm_status consent_form_identifier(struct base_buf *out, const struct cli_args *args,
                                  struct base_err *err)
{
    const char *id = cli_value(args, "identifier"), *path = cli_value(args, "identifier-file");
    fm_status st = FM_OK;

    if ((id == NULL) == (path == NULL))
        return base_err_set(err, FM_E_ARG,
                            "%s needs exactly one of --identifier and --identifier-file",
                            args->command->name);
    if (id != NULL)
        base_buf_put_str(out, id);
    else
        st = base_file_read(out, path, 4096, err);
    while (out->len > 0 && (out->p[out->len - 1] == '\n' || out->p[out->len - 1] == '\r'))
        out->len--;
    return st == FM_OK ? base_buf_status(out, "identifier", err) : st;
}

fm_status consent_form_check(const struct cli_args *args, struct base_err *err)
{
    if (cli_value(args, "scheme") == NULL || cli_value(args, "grantee") == NULL)
        return base_err_set(err, FM_E_ARG, "%s needs --scheme and --grantee", args->command->name);
    if (cli_flag(args, "contract") == cli_flag(args, "purpose"))
        return base_err_set(err, FM_E_ARG, "%s needs exactly one of --contract and --purpose",
                            args->command->name);
    return FM_OK;
}

fm_status consent_form_read(struct ledger_consent *c, uint8_t nonce32[32],
                            const struct cli_args *args, const uint8_t chain32[32],
                            const char *identifier, bool fresh_nonce, struct base_err *err)
{
    const char *valid = cli_value(args, "valid-for");
    int64_t valid_ms = 30LL * 86400000;

    *c = (struct ledger_consent){.scheme = cli_value(args, "scheme"),
                                 .grantee = cli_value(args, "grantee"),
                                 .purpose = cli_value(args, "purpose"),
                                 .uses = 1};
    if (consent_form_check(args, err) != FM_OK)
        return err->code;
    c->has_contract = cli_flag(args, "contract");
    memcpy(c->chain, chain32, 32);
    if ((c->has_contract && consent_form_hex(c->contract, args, "contract", err) != FM_OK) ||
        cli_int(&c->uses, args, "uses", 1, 1000000, err) != FM_OK ||
        (valid != NULL && cli_duration(&valid_ms, valid, "valid-for", err) != FM_OK) ||
        (fresh_nonce && base_random_fill(base_random_system(), nonce32, 32, err) != FM_OK))
        return err->code;
    c->not_before = base_clock_unix_ms(base_clock_system());
    c->expires = c->not_before + valid_ms;
    ledger_subject_commit(c->commitment, c->chain, identifier, strlen(identifier), nonce32);
    return FM_OK;
}

fm_status consent_form_write_opening(const char *path, const uint8_t id32[32],
                                     const uint8_t nonce32[32], struct base_err *err)
{
    char id[65], nonce[65];
    json_t *file;
    fm_status st;

    base_hex(id, id32, 32);
    base_hex(nonce, nonce32, 32);
    file = json_pack("{s:s,s:s}", "consent", id, "nonce", nonce);
    st = file != NULL ? cli_write_json(path, file, 0600, err) : base_err_memory(err, path);
    json_decref(file);
    return st;
}
