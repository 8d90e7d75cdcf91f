#include "exchange/cli/trail.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

fm_status cli_trail_read(void *ctx, void *out, size_t len, size_t *got, struct base_err *err)
{
    errno = 0;
    *got = fread(out, 1, len, ctx);
    return ferror((FILE *)ctx) ? base_err_errno(err, "read") : FM_OK;
}

fm_status cli_trail_verify(struct ledger_verified **out, const struct cli_args *args, FILE *f,
                           struct base_err *err)
{
    const struct ledger_bundle_source source = {cli_trail_read, f};
    const char *chain = cli_value(args, "chain");
    uint8_t chain32[32];
    fm_status st;

    *out = NULL;
    if (chain != NULL && !base_unhex(chain32, sizeof chain32, chain, strlen(chain)))
        return base_err_set(err, FM_E_ARG, "--chain: 64 lower-case hex digits are needed");
    st = ledger_verify(out, &source, chain != NULL ? chain32 : NULL, err);
    if (st == FM_OK && fseek(f, 0, SEEK_SET) != 0)
        st = base_err_errno(err, "trail");
    return st;
}

void cli_trail_print_final(FILE *out, const struct ledger_verified *report)
{
    (void)fprintf(out, "  final    cosigned by %zu of %zu active members, quorum %llu:",
                  report->checkpoint.n, ledger_members_active(report->members),
                  (unsigned long long)ledger_members_terms(report->members)->quorum);
    for (size_t i = 0; i < report->checkpoint.n; i++)
        (void)fprintf(
            out, " %s",
            ledger_members_by_did(report->members, report->checkpoint.cosigner[i].name)->alias);
    (void)fputs("\n", out);
}

void cli_trail_print(FILE *out, const struct cli_args *args, const struct ledger_verified *report)
{
    char chain[65];

    base_hex(chain, report->chain, 32);
    (void)fprintf(out, "  chain    %s%s\n", chain,
                  cli_value(args, "chain") != NULL
                      ? ""
                      : " (the trail's own word: see that it is your ledger, or give --chain)");
    cli_trail_print_final(out, report);
}
