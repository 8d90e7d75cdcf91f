/* firmiana document: encrypted copies of signed documents at other members (exchange/copies). */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/text.h"
#include "did/moment.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/copy_content.h"
#include "exchange/copies/box.h"
#include "exchange/copies/copies.h"
#include "ledger/verify/signed.h"

enum { SHORT = 16 /* digits of an address, for people */ };

/* What is not there after years must not be needed: the file alone says who signed. */
static fm_status check_alone(const char *document, const char *signed_file, bool show,
                             struct base_err *err)
{
    struct ledger_signed s = {0};
    FILE *f = fopen(signed_file, "rb");
    fm_status st = f == NULL
                       ? base_err_errno(err, signed_file)
                       : ledger_signed_verify(&s, f, NULL, NULL, &did_signature_did_keys, err);

    if (st == FM_OK)
        st = ledger_signed_compare(&s, document, err);
    else if (f != NULL)
        (void)base_err_prefix(err, "%s", signed_file);
    if (st == FM_OK && show)
        ledger_signed_print(stdout, &s, true);
    if (f != NULL)
        (void)fclose(f);
    ledger_signed_release(&s);
    return st;
}

static json_t *aliases(const struct cli_args *args, const char *option)
{
    json_t *list = json_array();
    const char *name;

    for (size_t i = 0; (name = cli_value_at(args, option, i)) != NULL; i++)
        (void)json_array_append_new(list, json_string(name));
    return list;
}

static void print_day(int64_t ms)
{
    char text[DID_MOMENT_TEXT];
    struct base_err none = {0};

    if (did_moment_format(text, ms / 1000, &none) == FM_OK)
        printf("%.10s", text);
}

static int64_t number(const json_t *value, const char *name)
{
    return json_integer_value(json_object_get(value, name));
}

/* ---- what became of it ---- */

static void print_task(const json_t *t)
{
    const char *state = cli_text(t, "state"), *why = cli_text(t, "why");
    bool waits = strcmp(state, "waiting") == 0 || strcmp(state, "leaving") == 0;

    printf("  %-6s  %-16s  %s%s%s%s\n", cli_text(t, "role"), cli_text(t, "member"), state,
           why[0] != '\0' ? ": " : "", why,
           waits && !json_is_true(json_object_get(t, "up")) ? ": it is not connected" : "");
}

/* FM_E_PEER names the first that has not done its part. */
static fm_status judge(const json_t *value, const char *good[2], struct base_err *err)
{
    const json_t *t;
    size_t i, open = 0;
    const char *first = "";

    json_array_foreach(json_object_get(value, "tasks"), i, t)
    {
        const char *state = cli_text(t, "state");
        if (strcmp(state, good[0]) == 0 || strcmp(state, good[1]) == 0)
            continue;
        if (open++ == 0)
            first = cli_text(t, "member");
    }
    if (open == 0)
        return FM_OK;
    return base_err_set(err, FM_E_PEER,
                        "%zu of %zu have not done it, %s first: what waits goes on by itself "
                        "(firmiana document list)",
                        open, json_array_size(json_object_get(value, "tasks")), first);
}

/* ---- document keep ---- */

static fm_status make_box(json_t **request, FILE **box, const struct cli_args *args,
                          struct base_err *err)
{
    char name[COPIES_NAME], hex[65];
    int64_t lasts_ms = 0;
    uint8_t key[32];
    fm_status st = cli_duration(
        &lasts_ms, cli_value(args, "for") != NULL ? cli_value(args, "for") : "3650d", "for", err);

    if (st == FM_OK)
        st = check_alone(args->operands[0], args->operands[1], false, err);
    if (st == FM_OK && (*box = tmpfile()) == NULL)
        st = base_err_errno(err, "a temporary file");
    if (st == FM_OK)
        st = base_random_fill(base_random_system(), key, sizeof key, err);
    if (st == FM_OK)
        st = copy_content_seal(fileno(*box), name, args->operands[0], args->operands[1], key, err);
    if (st != FM_OK)
        return st;
    base_hex(hex, key, sizeof key);
    *request =
        json_pack("{s:s,s:s,s:I,s:o,s:o}", "name", name, "key", hex, "lasts", (json_int_t)lasts_ms,
                  "keepers", aliases(args, "at"), "readers", aliases(args, "reader"));
    base_wipe(key, sizeof key);
    base_wipe(hex, sizeof hex);
    return *request != NULL ? FM_OK : base_err_memory(err, "request");
}

static fm_status keep(const struct cli_args *args, struct base_err *err)
{
    static const char *good[2] = {"kept", "known"};
    json_t *request = NULL, *value = NULL, *t;
    FILE *box = NULL;
    size_t i;
    fm_status st = make_box(&request, &box, args, err);

    if (st == FM_OK)
        st = cli_call_file(&value, args, "copy.keep", request, fileno(box), err);
    if (box != NULL)
        (void)fclose(box);
    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        printf("%s: %lld bytes, encrypted, until ", cli_text(value, "address"),
               (long long)number(value, "size"));
        print_day(number(value, "until"));
        printf("\n");
        json_array_foreach(json_object_get(value, "tasks"), i, t) print_task(t);
    }
    if (st == FM_OK)
        st = judge(value, good, err);
    json_decref(value);
    return st;
}

static const struct cli_option keep_options[] = {
    CLI_HOME_OPTION,
    {"at", "MEMBER", "a member that keeps a copy", CLI_REQUIRED | CLI_REPEATED},
    {"reader", "MEMBER", "a member whose node gets the key, so that it can fetch and read it",
     CLI_REPEATED},
    {"for", "TIME", "how long: 30d, 3650d (default: 3650d)", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_document_keep = {
    "document keep",
    "FILE SIGNED",
    2,
    2,
    "have other members keep an encrypted copy of a signed document",
    "Document and signatures are encrypted here, under a key of their own that stays sealed in "
    "this home and in those of\nthe readers; a keeper sees an address, a size and a date, and "
    "signs a receipt. The signatures must hold from their\nfile alone, so have them anchored "
    "first.",
    keep_options,
    keep};

/* ---- document get ---- */

static fm_status open_copy(const struct cli_args *args, const json_t *value, FILE *box,
                           struct base_err *err)
{
    const char *folder = cli_value(args, "out");
    char document[PATH_MAX], signed_file[PATH_MAX];
    json_t *record;
    uint8_t key[32];
    fm_status st = base_json_get_object(&record, value, "record", err);

    if (st == FM_OK)
        st = base_json_get_hex(key, sizeof key, record, "key", err);
    if (st == FM_OK)
        st = copy_content_open(document, signed_file, folder, fileno(box), key, err);
    base_wipe(key, sizeof key);
    if (st != FM_OK)
        return st;
    st = check_alone(document, signed_file, !cli_flag(args, "json"), err);
    if (st != FM_OK) {
        copy_content_remove(document, signed_file, folder);
        return st;
    }
    if (!cli_flag(args, "json"))
        printf("%s and %s: from %s\n", document, signed_file, cli_text(value, "from"));
    return FM_OK;
}

static fm_status get(const struct cli_args *args, struct base_err *err)
{
    json_t *request = json_pack("{s:s}", "address", args->operands[0]), *value = NULL, *failed;
    FILE *box = tmpfile();
    size_t i;
    fm_status st = box != NULL ? FM_OK : base_err_errno(err, "a temporary file");

    if (cli_value(args, "from") != NULL)
        (void)json_object_set_new(request, "from", json_string(cli_value(args, "from")));
    if (st == FM_OK)
        st = cli_call_file(&value, args, "copy.get", json_incref(request), fileno(box), err);
    json_array_foreach(json_object_get(value, "failed"), i, failed)
        fprintf(stderr, "firmiana: not from %s: %s\n", cli_text(failed, "keeper"),
                BASE_LINE(cli_text(failed, "why")));
    if (st == FM_OK)
        st = open_copy(args, value, box, err);
    if (st == FM_OK && cli_flag(args, "json")) {
        (void)json_object_del(json_object_get(value, "record"), "key");
        st = cli_print_json(value, err);
    }
    if (box != NULL)
        (void)fclose(box);
    json_decref(request);
    json_decref(value);
    return st;
}

static const struct cli_option get_options[] = {
    CLI_HOME_OPTION,
    {"out", "DIR", "a new folder for the document and its signatures", CLI_REQUIRED},
    {"from", "MEMBER", "from this keeper and no other", CLI_OPTIONAL},
    CLI_JSON_OPTION,
    {0}};

const struct cli_command cli_document_get = {
    "document get",
    "[OWNER/]ADDRESS",
    1,
    1,
    "fetch a kept document from whichever keeper has it, decrypt it, and check who signed",
    "What a keeper gives is checked by its address before it is decrypted; a keeper that is away, "
    "or whose copy is damaged\nor forged, is named and passed over. For the owner and the readers.",
    get_options,
    get};

/* ---- document list, show ---- */

static void print_known(const json_t *k)
{
    const json_t *t;
    size_t i;

    printf("%.*s  %s  of %s, %lld bytes, until ", SHORT, cli_text(k, "address"),
           json_object_get(k, "name") != NULL ? cli_text(k, "name") : "(dropped)",
           cli_text(k, "owner"), (long long)number(k, "size"));
    print_day(number(k, "until"));
    printf("\n");
    json_array_foreach(json_object_get(k, "tasks"), i, t) print_task(t);
}

static void print_held(const json_t *held)
{
    const json_t *h, *reader;
    size_t i, n;

    if (json_array_size(held) > 0)
        printf("kept here for others:\n");
    json_array_foreach(held, i, h)
    {
        printf("%.*s  of %s, %lld bytes, until ", SHORT, cli_text(h, "address"),
               cli_text(h, "owner"), (long long)number(h, "size"));
        print_day(number(h, "until"));
        json_array_foreach(json_object_get(h, "readers"), n, reader)
            printf("%s%s", n == 0 ? "; read by " : ", ", json_string_value(reader));
        printf("%s\n", json_is_true(json_object_get(h, "whole")) ? "" : " (not whole yet)");
    }
}

static fm_status list(const struct cli_args *args, struct base_err *err)
{
    json_t *value = NULL, *k;
    size_t i;
    fm_status st = cli_call(&value, args, "copy.list", NULL, err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        cli_tame(value);
        json_array_foreach(json_object_get(value, "known"), i, k) print_known(k);
        print_held(json_object_get(value, "held"));
    }
    json_decref(value);
    return st;
}

static const struct cli_option list_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_document_list = {
    "document list",
    "",
    0,
    0,
    "documents that others keep for this member or that it may read, and what it keeps for others",
    NULL,
    list_options,
    list};

static void print_fetches(const json_t *fetches)
{
    const char *keeper;
    json_t *list_of, *f;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)fetches, keeper, list_of)
        json_array_foreach(list_of, i, f)
    {
        printf("  at %s: %s%s, %lld times, last ", keeper, cli_text(f, "by"),
               json_is_true(json_object_get(f, "allowed")) ? "" : ", which may not, was refused",
               (long long)number(f, "times"));
        print_day(number(f, "last"));
        printf("\n");
    }
}

static fm_status show(const struct cli_args *args, struct base_err *err)
{
    json_t *value = NULL, *record;
    fm_status st =
        cli_call(&value, args, "copy.show", json_pack("{s:s}", "address", args->operands[0]), err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK && base_json_get_object(&record, value, "record", err) == FM_OK) {
        (void)json_object_set(record, "tasks", json_object_get(value, "tasks"));
        cli_tame(record);
        print_known(record);
        printf("fetched, as the keepers say:%s\n",
               json_object_size(json_object_get(value, "fetches")) == 0 ? " none could be asked"
                                                                        : "");
        print_fetches(json_object_get(value, "fetches"));
    }
    json_decref(value);
    return st == FM_OK ? err->code : st;
}

const struct cli_command cli_document_show = {
    "document show",
    "[OWNER/]ADDRESS",
    1,
    1,
    "one kept document: who has it, and who fetched it; with --json, the keepers' receipts",
    NULL,
    list_options,
    show};

/* ---- document drop ---- */

static fm_status drop(const struct cli_args *args, struct base_err *err)
{
    static const char *good[2] = {"gone", "gone"};
    json_t *value = NULL, *t;
    size_t i;
    fm_status st =
        cli_call(&value, args, "copy.drop", json_pack("{s:s}", "address", args->operands[0]), err);

    if (st == FM_OK && cli_flag(args, "json"))
        st = cli_print_json(value, err);
    else if (st == FM_OK) {
        printf("%.*s: its key is gone from here%s\n", SHORT, cli_text(value, "address"),
               json_array_size(json_object_get(value, "tasks")) == 0
                   ? "; nobody that was told keeps it"
                   : "");
        json_array_foreach(json_object_get(value, "tasks"), i, t) print_task(t);
    }
    if (st == FM_OK)
        st = judge(value, good, err);
    json_decref(value);
    return st;
}

const struct cli_command cli_document_drop = {
    "document drop",
    "[OWNER/]ADDRESS",
    1,
    1,
    "erase the key of a kept document, and have keepers and readers let go of it",
    "Without the key nobody can read what a keeper might keep nevertheless. For a reader: it "
    "forgets the key, no more.",
    list_options,
    drop};
