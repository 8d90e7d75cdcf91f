/* The options of firmiana-verify, and to what each of them applies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "did/moment.h"
#include "ledger/verify/firmiana_verify_own.h"

const char verify_usage[] =
    "usage: firmiana-verify [--json] [--chain ID] [--opening FILE] BUNDLE\n"
    "       firmiana-verify [--chain ID] --x509 RECORD --ca FILE [--at TIME] BUNDLE\n"
    "       firmiana-verify [--json] [--chain ID] [--ca FILE] [--document FILE] CERTIFICATE\n"
    "       firmiana-verify [--json] [--chain ID] [--ca FILE] [--document FILE] SIGNED\n"
    "       firmiana-verify [--json] [--chain ID] [--ca FILE] [--list FILE]... [--list-max-age "
    "AGE] [--at TIME] "
    "CREDENTIAL\n"
    "       firmiana-verify [--json] [--chain ID] --keys FILE --quorum K DIR\n"
    "       firmiana-verify [--json] [--chain ID] --keys FILE --quorum K [--document FILE] PROOF\n"
    "\n"
    "Checks the exported trail of a Firmiana ledger: that it is the whole log from genesis on, "
    "signed by\n"
    "whom it says, and final by a quorum of the members. Needs no network, no node and no trust in "
    "a member.\n"
    "\n"
    "  BUNDLE       the file that `firmiana audit export` wrote; - reads standard input\n"
    "  --chain ID   the ledger that it must be: its chain id, 64 hex digits\n"
    "  --opening FILE  a member's signed statement of who asked about whom, from `firmiana audit\n"
    "               subject --out`: held against what the bundle shows was committed\n"
    "  --x509 RECORD  what `firmiana did attach` wrote: that a member is whom its X.509 "
    "certificate "
    "names,\n"
    "               under the CAs in --ca FILE, now or at TIME (2026-11-20T09:51:00Z)\n"
    "  CERTIFICATE  what `firmiana evidence certificate` wrote: that a document was deposited, and "
    "when\n"
    "  --ca FILE    certificates (PEM) of time-stamp authorities to trust, for a certificate with "
    "a "
    "token\n"
    "  SIGNED       what `firmiana sign` and `firmiana countersign` wrote: who signed a document\n"
    "  --document FILE  the document itself, to be compared\n"
    "  CREDENTIAL   what `firmiana credential extract` wrote: one of a batch, with its proof\n"
    "  --list FILE  a status list of its issuer: what was revoked or suspended. --list-max-age: "
    "refuse one\n"
    "               that was signed longer before the time of checking (now, or --at TIME): 30d, "
    "12h\n"
    "  DIR          a log that `firmiana ledger publish` wrote: every tile, and that K of the keys "
    "in\n"
    "               FILE (its DIR/members, from a source that you trust) cosigned it\n"
    "  PROOF        what `firmiana ledger proof` wrote (C2SP tlog-proof): that an entry is in such "
    "a log;\n"
    "               --document: the entry's content, to be compared\n"
    "  --json       one JSON object instead of text\n"
    "  --help       this text\n"
    "\n"
    "exit code: 0 valid, 1 not valid (the first fault is named: line, leaf, check), 2 wrong "
    "arguments,\n"
    "8 the file cannot be read, 10 out of memory, 14 made under rules that this version does not "
    "know\n";

/* ---- values ---- */

/* A number from 1 to max and nothing else, from the front of text; *end: what follows. 0: none. */
static int64_t number(const char *text, const char **end, int64_t max)
{
    int64_t n = 0;

    for (*end = text; **end >= '0' && **end <= '9'; ++*end)
        if ((n = 10 * n + (**end - '0')) > max)
            return 0;
    return n;
}

static fm_status take_chain(struct verify_options *o, const char *value, struct base_err *err)
{
    o->chain_given = base_unhex(o->chain, 32, value, strlen(value));
    return o->chain_given
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "--chain: 64 lower-case hex digits are needed");
}

static fm_status take_at(struct verify_options *o, const char *value, struct base_err *err)
{
    return did_moment_parse_any(&o->at_s, value) && o->at_s > 0
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "--at: written like 2026-11-20T09:51:00Z");
}

static fm_status take_quorum(struct verify_options *o, const char *value, struct base_err *err)
{
    const char *end;

    o->quorum = number(value, &end, LEDGER_COSIGNERS_MAX);
    return o->quorum > 0 && *end == '\0'
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "--quorum: a number from 1 to %d is needed",
                              LEDGER_COSIGNERS_MAX);
}

static fm_status take_age(struct verify_options *o, const char *value, struct base_err *err)
{
    const char *end;

    o->list_age_s = number(value, &end, 100000) * (*end == 'd' ? 86400 : 3600);
    return o->list_age_s > 0 && (strcmp(end, "d") == 0 || strcmp(end, "h") == 0)
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "--list-max-age: written like 30d or 12h");
}

static fm_status take_list(struct verify_options *o, const char *value, struct base_err *err)
{
    if (o->list_count == VERIFY_LISTS_MAX)
        return base_err_set(err, FM_E_ARG, "--list: at most %d", VERIFY_LISTS_MAX);
    o->list[o->list_count++] = value;
    return FM_OK;
}

static fm_status once(const char **out, const char *value, const char *name, struct base_err *err)
{
    if (*out != NULL)
        return base_err_set(err, FM_E_ARG, "%s: once", name);
    *out = value;
    return FM_OK;
}

#define TAKE(member)                                                            \
    static fm_status take_##member(struct verify_options *o, const char *value, \
                                   struct base_err *err)                        \
    {                                                                           \
        return once(&o->member, value, "--" #member, err);                      \
    }
TAKE(opening)
TAKE(ca)
TAKE(document)
TAKE(x509)
TAKE(keys)

/* ---- the table ---- */

static const struct option {
    const char *name;
    fm_status (*take)(struct verify_options *o, const char *value, struct base_err *err);
    unsigned kinds;
} options[] = {
    {"--chain", take_chain, VERIFY_ALL},
    {"--opening", take_opening, VERIFY_BUNDLE},
    {"--x509", take_x509, VERIFY_BUNDLE},
    {"--ca", take_ca, VERIFY_BUNDLE | VERIFY_CERTIFICATE | VERIFY_SIGNED | VERIFY_CREDENTIAL},
    {"--at", take_at, VERIFY_BUNDLE | VERIFY_CREDENTIAL},
    {"--document", take_document, VERIFY_CERTIFICATE | VERIFY_SIGNED | VERIFY_PROOF},
    {"--list", take_list, VERIFY_CREDENTIAL},
    {"--list-max-age", take_age, VERIFY_CREDENTIAL},
    {"--keys", take_keys, VERIFY_PUBLISHED | VERIFY_PROOF},
    {"--quorum", take_quorum, VERIFY_PUBLISHED | VERIFY_PROOF},
};
enum { OPTIONS = sizeof options / sizeof *options };

static size_t find(const char *name)
{
    size_t i = 0;

    while (i < OPTIONS && strcmp(options[i].name, name) != 0)
        i++;
    return i;
}

static fm_status read_one(struct verify_options *o, int *i, int argc, char **argv,
                          struct base_err *err)
{
    const char *arg = argv[*i];
    size_t at = find(arg);

    if (strcmp(arg, "--json") == 0) {
        o->json = true;
        return FM_OK;
    }
    if (at < OPTIONS && *i + 1 < argc) {
        o->given |= 1u << at;
        return options[at].take(o, argv[++*i], err);
    }
    if (arg[0] == '-' && arg[1] != '\0')
        return base_err_set(err, FM_E_ARG, "unknown or unfinished option %s: see --help", arg);
    if (o->bundle != NULL)
        return base_err_set(err, FM_E_ARG, "one file at a time: see --help");
    o->bundle = arg;
    return FM_OK;
}

fm_status verify_options_read(struct verify_options *o, int argc, char **argv, struct base_err *err)
{
    *o = (struct verify_options){0};
    for (int i = 1; i < argc; i++) {
        fm_status st;

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            o->help = true;
            return FM_OK;
        }
        st = read_one(o, &i, argc, argv, err);
        if (st != FM_OK)
            return st;
    }
    if (o->bundle == NULL)
        return base_err_set(err, FM_E_ARG, "no file is named: see --help");
    if (o->x509 != NULL && (o->ca == NULL || o->json))
        return base_err_set(err, FM_E_ARG, "--x509 needs --ca FILE, and goes without --json");
    if (o->list_age_s > 0 && o->list_count == 0)
        return base_err_set(err, FM_E_ARG, "--list-max-age goes with --list FILE");
    return FM_OK;
}

static const char *text_of(enum verify_kind kind)
{
    return kind == VERIFY_BUNDLE        ? "a bundle"
           : kind == VERIFY_CERTIFICATE ? "a certificate"
           : kind == VERIFY_SIGNED      ? "a signed document"
           : kind == VERIFY_CREDENTIAL  ? "a credential"
           : kind == VERIFY_PUBLISHED   ? "a published log"
                                        : "a proof of an entry";
}

fm_status verify_options_fit(const struct verify_options *o, enum verify_kind kind,
                             struct base_err *err)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if ((o->given >> i & 1) != 0 && (options[i].kinds & kind) == 0)
            return base_err_set(err, FM_E_ARG, "%s is not for %s, which %s is: see --help",
                                options[i].name, text_of(kind), o->bundle);
    if (kind == VERIFY_BUNDLE && o->x509 == NULL && (o->ca != NULL || o->at_s != 0))
        return base_err_set(err, FM_E_ARG, "%s goes with --x509 RECORD for a bundle: see --help",
                            o->ca != NULL ? "--ca" : "--at");
    return FM_OK;
}

fm_status verify_stamp_fits(const struct verify_options *o, bool stamped, struct base_err *err)
{
    return o->ca == NULL || stamped
               ? FM_OK
               : base_err_set(err, FM_E_ARG, "%s has no time-stamp token: --ca is not for it",
                              o->bundle);
}
