/* firmiana evidence ...: digests of documents on the ledger, and certificates of them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/profile.h"
#include "base/random.h"
#include "base/text.h"
#include "exchange/cli/cmd_ledger.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/deposit.h"
#include "exchange/evidence/page.h"
#include "exchange/evidence/receipt.h"

enum { LINE_ROOM = 4096 + 80, ANSWER_MAX = 2 * LEDGER_EVIDENCE_TOKEN_MAX };

/* ---- which documents ---- */

static fm_status add_file(struct evidence_receipt *r, const char *path, struct base_err *err)
{
    uint8_t digest[32];
    fm_status st = evidence_digest_file(digest, path, r->algorithm, err);

    return st == FM_OK ? evidence_receipt_add(r, digest, path, base_random_system(), err) : st;
}

/* "HEX  NAME" or "HEX *NAME", as sha256sum prints it. */
static fm_status add_line(struct evidence_receipt *r, char *line, struct base_err *err)
{
    uint8_t digest[32];
    size_t len = strcspn(line, "\r\n");

    if (line[len] == '\0' && len == LINE_ROOM - 1)
        return base_err_set(err, FM_E_LIMIT, "it has more than %d bytes", LINE_ROOM - 2);
    line[len] = '\0';
    if (len < 67 || !base_unhex(digest, 32, line, 64) || line[64] != ' ' ||
        (line[65] != ' ' && line[65] != '*'))
        return base_err_set(err, FM_E_INPUT, "it is not DIGEST, two blanks and a name");
    return evidence_receipt_add(r, digest, line + 66, base_random_system(), err);
}

static fm_status add_digests(struct evidence_receipt *r, const char *path, struct base_err *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char line[LINE_ROOM];
    size_t n = 0;
    fm_status st = FM_OK;

    if (f == NULL)
        return base_err_errno(err, path);
    while (st == FM_OK && fgets(line, sizeof line, f) != NULL) {
        n++;
        st = add_line(r, line, err);
    }
    if (st == FM_OK && ferror(f))
        st = base_err_errno(err, path);
    else if (st != FM_OK)
        (void)base_err_prefix(err, "%s: line %zu", path, n);
    else if (n == 0)
        st = base_err_set(err, FM_E_INPUT, "%s: no digest is in it", path);
    if (f != stdin)
        (void)fclose(f);
    return st;
}

static fm_status gather(struct evidence_receipt *r, const struct cli_args *args,
                        struct base_err *err)
{
    const char *algorithm = cli_value(args, "algorithm"), *list = cli_value(args, "digests");
    fm_status st = FM_OK;

    if (algorithm == NULL)
        algorithm = ledger_evidence_usual();
    if (!ledger_evidence_is_algorithm(algorithm))
        return base_err_set(err, FM_E_ARG, "--algorithm must be sha256 or sm3");
    if (base_profile_is_national() && strcmp(algorithm, ledger_evidence_usual()) != 0)
        return base_err_set(err, FM_E_ARG, "--algorithm %s: the profile national has sm3",
                            algorithm);
    (void)snprintf(r->algorithm, sizeof r->algorithm, "%s", algorithm);
    if (list == NULL && args->operand_count == 0)
        return base_err_set(err, FM_E_ARG, "evidence deposit: name files, or --digests LIST");
    for (size_t i = 0; st == FM_OK && i < args->operand_count; i++)
        st = add_file(r, args->operands[i], err);
    if (st == FM_OK && list != NULL)
        st = add_digests(r, list, err);
    return st == FM_OK ? evidence_receipt_seal(r, err) : st;
}

/* ---- a time-stamp authority ---- */

/* The command's first complaint, or its shell's: one line for the error. */
static fm_status tsa_failed(const char *complaints, const char *command, int ended,
                            struct base_err *err)
{
    char said[BASE_TEXT_LINE] = "";
    FILE *f = fopen(complaints, "r");

    if (f != NULL) {
        if (fgets(said, sizeof said, f) == NULL || !base_text_is_utf8(said, strlen(said)))
            said[0] = '\0';
        (void)fclose(f);
    }
    said[strcspn(said, "\r\n")] = '\0';
    return base_err_set(err, FM_E_PEER, "--tsa: the command failed (%s %d)%s%s: %s",
                        WIFEXITED(ended) ? "exit code" : "signal",
                        WIFEXITED(ended) ? WEXITSTATUS(ended) : WTERMSIG(ended),
                        said[0] != '\0' ? ": " : "", said, command);
}

/* In a folder of its own: the request, and what the command writes on standard error. */
static fm_status run_tsa(struct base_buf *answer, const char *command, const char *request,
                         const char *complaints, struct base_err *err)
{
    struct base_buf line = {0};
    char piece[4096];
    FILE *f = NULL;
    size_t got;
    int ended;
    fm_status st;

    base_buf_putf(&line, "exec 2>%s\n{ %s\n} <%s", complaints, command, request);
    st = base_buf_status(&line, "--tsa", err);
    if (st == FM_OK && (f = popen(base_buf_cstr(&line), "r")) == NULL)
        st = base_err_errno(err, "--tsa");
    base_buf_release(&line);
    if (st != FM_OK)
        return st;
    while (answer->len <= ANSWER_MAX && (got = fread(piece, 1, sizeof piece, f)) > 0)
        base_buf_put(answer, piece, got);
    ended = pclose(f);
    if (answer->len > ANSWER_MAX)
        return base_err_set(err, FM_E_LIMIT, "--tsa: the command printed more than %d bytes",
                            ANSWER_MAX);
    return ended == 0 ? base_buf_status(answer, "time stamp", err)
                      : tsa_failed(complaints, command, ended, err);
}

/* Runs the command with the request as its standard input; what it prints is the answer. */
static fm_status ask(struct base_buf *answer, const char *command, const struct base_buf *request,
                     struct base_err *err)
{
    char folder[] = "/tmp/firmiana-tsa.XXXXXX", path[48], complaints[48];
    fm_status st;

    if (mkdtemp(folder) == NULL)
        return base_err_errno(err, folder);
    (void)snprintf(path, sizeof path, "%s/request", folder);
    (void)snprintf(complaints, sizeof complaints, "%s/complaints", folder);
    st = base_file_write(path, request->p, request->len, 0600, err);
    if (st == FM_OK)
        st = run_tsa(answer, command, path, complaints, err);
    (void)unlink(path);
    (void)unlink(complaints);
    (void)rmdir(folder);
    return st;
}

static fm_status stamp(struct evidence_receipt *r, const char *command, struct base_err *err)
{
    struct base_buf request = {0}, answer = {0};
    uint64_t nonce = 0;
    fm_status st = base_random_fill(base_random_system(), &nonce, sizeof nonce, err);

    if (st == FM_OK)
        st = ledger_timestamp_request(&request, r->algorithm, r->root, nonce, err);
    if (st == FM_OK)
        st = ask(&answer, command, &request, err);
    if (st == FM_OK)
        st = ledger_timestamp_take(&r->token, r->algorithm, r->root, nonce, answer.p, answer.len,
                                   err);
    if (st == FM_OK && r->token.len > LEDGER_EVIDENCE_TOKEN_MAX)
        st = base_err_set(err, FM_E_LIMIT, "time stamp: a token of more than %d bytes",
                          LEDGER_EVIDENCE_TOKEN_MAX);
    base_buf_release(&request);
    base_buf_release(&answer);
    return st;
}

/* ---- depositing ---- */

/* A receipt that was kept, and whose deposit then failed or was cut off. */
static fm_status deposit_kept(const struct cli_args *args, const char *path, struct base_err *err)
{
    struct evidence_receipt r = {0};
    fm_status st;

    if (args->operand_count > 0 || cli_value(args, "digests") != NULL)
        return base_err_set(err, FM_E_CONFLICT,
                            "%s: exists already: name a new file (without documents, what it holds "
                            "is deposited)",
                            path);
    st = evidence_receipt_load(&r, path, err);
    if (st == FM_OK)
        st = cli_deposit_submit(args, &r, err);
    evidence_receipt_release(&r);
    return st;
}

static fm_status deposit(const struct cli_args *args, struct base_err *err)
{
    const char *out = cli_value(args, "receipt"), *tsa = cli_value(args, "tsa");
    struct evidence_receipt r = {0};
    json_t *me = NULL;
    fm_status st = FM_OK;

    if (access(out, F_OK) == 0)
        return deposit_kept(args, out, err);
    st = cli_call(&me, args, "me", NULL, err);
    if (st == FM_OK)
        st = base_json_get_hex(r.chain, 32, me, "chain", err);
    if (st == FM_OK)
        st = gather(&r, args, err);
    if (st == FM_OK && tsa != NULL)
        st = stamp(&r, tsa, err);
    if (st == FM_OK) /* first: without its salts the deposit would show nothing */
        st = evidence_receipt_save(&r, out, err);
    if (st == FM_OK)
        st = cli_deposit_submit(args, &r, err);
    if (st == FM_OK && !cli_flag(args, "json"))
        printf("%s: %zu document%s; keep it: certificates are made from it\n", out, r.n,
               r.n == 1 ? "" : "s");
    evidence_receipt_release(&r);
    json_decref(me);
    return st;
}

static const struct cli_option deposit_options[] = {
    CLI_HOME_OPTION,
    {"receipt", "FILE", "where to keep digests and salts", CLI_REQUIRED},
    {"algorithm", "NAME",
     "sha256 (default) or sm3 (default, and alone, where the profile is national)", CLI_OPTIONAL},
    {"digests", "LIST", "digests and names, a line each, as sha256sum prints them; - reads them",
     CLI_OPTIONAL},
    {"tsa", "COMMAND",
     "also have an RFC 3161 authority stamp it: a command that reads a request and prints the "
     "answer",
     CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_evidence_deposit = {
    "evidence deposit",
    "[FILE...]",
    0,
    CLI_MAX_OPERANDS,
    "put digests of documents on the ledger, any number under one anchor",
    "With --receipt of a deposit that was cut off, and no documents, that one is deposited. "
    "Nothing of the documents leaves this machine: the ledger gets one hash over salted digests, "
    "which shows nobody even\nwhether a document that he guesses is among them. A command for "
    "--tsa:  curl -s -H 'Content-Type:\napplication/timestamp-query' --data-binary @- "
    "https://tsa.example",
    deposit_options,
    deposit};

/* ---- certificates ---- */

/* The page of --html, if there is one to write. */
static fm_status write_page(const struct cli_args *args,
                            const struct ledger_certificate_report *report, struct base_err *err)
{
    const char *html = cli_value(args, "html");
    struct base_buf page = {0};
    fm_status st;

    if (html == NULL)
        return FM_OK;
    evidence_page(&page, report);
    st = base_buf_status(&page, "page", err);
    if (st == FM_OK)
        st = base_file_write(html, page.p, page.len, 0644, err);
    base_buf_release(&page);
    return st;
}

/* Writes it, checks it as anyone would, makes the page, and only then gives it its name: what fails
 * leaves nothing that stands in the way of the next attempt. */
static fm_status make(struct ledger_certificate_report *out, const struct cli_args *args,
                      struct ledger_reader *reader, const struct ledger_certificate *c,
                      struct base_err *err)
{
    const char *path = cli_value(args, "out");
    char fresh[4096];
    int n = snprintf(fresh, sizeof fresh, "%s.part", path);
    FILE *f;
    fm_status st;

    if (n < 0 || n >= (int)sizeof fresh)
        return base_err_set(err, FM_E_ARG, "--out: the path is too long");
    if (access(path, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path);
    f = fopen(fresh, "w+b");
    if (f == NULL)
        return base_err_errno(err, fresh);
    st = cli_deposit_certify(f, reader, c, err);
    if (st == FM_OK && (fseek(f, 0, SEEK_SET) != 0 || fsync(fileno(f)) != 0))
        st = base_err_errno(err, fresh);
    if (st == FM_OK)
        st =
            ledger_certificate_verify(out, f, ledger_reader_id(reader), cli_value(args, "ca"), err);
    (void)fclose(f);
    if (st == FM_OK)
        st = write_page(args, out, err);
    if (st == FM_OK && rename(fresh, path) != 0)
        st = base_err_errno(err, path);
    if (st != FM_OK)
        (void)unlink(fresh);
    return st;
}

static fm_status show(const struct cli_args *args, const struct ledger_certificate_report *report,
                      struct base_err *err)
{
    json_t *json;
    fm_status st = FM_OK;

    if (cli_flag(args, "json")) {
        json = ledger_certificate_json(report);
        st = json != NULL ? cli_print_json(json, err) : base_err_memory(err, "certificate");
        json_decref(json);
    } else {
        ledger_certificate_print(stdout, report);
    }
    return st;
}

static fm_status certificate(const struct cli_args *args, struct base_err *err)
{
    struct ledger_certificate_report report = {0};
    struct ledger_certificate c = {0};
    struct evidence_receipt r = {0};
    struct ledger_reader *reader = NULL;
    char path[HOME_PATH];
    uint8_t digest[32], tx[32];
    fm_status st = ledger_cli_path(path, args, err);

    if (st == FM_OK)
        st = evidence_receipt_load(&r, cli_value(args, "receipt"), err);
    if (st == FM_OK && cli_value(args, "ca") != NULL && r.token.len == 0)
        st = base_err_set(err, FM_E_ARG,
                          "--ca: the deposit has no time stamp of an authority to check: %s",
                          cli_value(args, "receipt"));
    if (st == FM_OK)
        st = evidence_digest_file(digest, args->operands[0], r.algorithm, err);
    if (st == FM_OK)
        st = ledger_reader_open(&reader, path, err);
    if (st == FM_OK)
        st = cli_deposit_find(tx, reader, &r, err);
    if (st == FM_OK) {
        st = evidence_receipt_certify(&c, &r, digest, tx, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", args->operands[0]);
    }
    if (st == FM_OK)
        st = make(&report, args, reader, &c, err);
    if (st == FM_OK)
        st = show(args, &report, err);
    ledger_certificate_report_release(&report);
    ledger_certificate_release(&c);
    evidence_receipt_release(&r);
    ledger_reader_close(reader);
    return st;
}

static const struct cli_option certificate_options[] = {
    CLI_HOME_OPTION,
    {"receipt", "FILE", "what evidence deposit kept", CLI_REQUIRED},
    {"out", "FILE", "the certificate: what proves", CLI_REQUIRED},
    {"html", "FILE", "also a page that prints well", CLI_OPTIONAL},
    {"ca", "FILE", "PEM certificates of time-stamp authorities to trust", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_evidence_certificate = {
    "evidence certificate",
    "FILE",
    1,
    1,
    "show that a document was deposited, and by when it existed",
    "Anyone checks the certificate with firmiana-verify, from its file alone. It discloses this "
    "document's digest and\nsalt, and nothing of others under the same anchor.",
    certificate_options,
    certificate};
