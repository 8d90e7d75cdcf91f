/* firmiana credential publish: which version of a status list is the newest, on the ledger. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "did/credential/shape.h"
#include "exchange/cli/commands.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"

/* The list is this member's, and is one. */
static fm_status check_own(const json_t *list, const struct cli_args *args, struct base_err *err)
{
    json_t *me = NULL;
    fm_status st = credential_check_shape(list, err);

    if (st == FM_OK && (!credential_has_type(list, "BitstringStatusListCredential") ||
                        json_object_get(list, "id") == NULL))
        st = base_err_set(err, FM_E_INPUT, "not a status list: see credential list");
    if (st == FM_OK)
        st = cli_call(&me, args, "me", NULL, err);
    if (st == FM_OK && strcmp(credential_id_of(list, "issuer"), cli_text(me, "did")) != 0)
        st = base_err_set(err, FM_E_CONFLICT, "it is %.120s's: who issues a list publishes it",
                          credential_id_of(list, "issuer"));
    json_decref(me);
    return st;
}

static fm_status submit(const json_t *list, const struct cli_args *args, struct base_err *err)
{
    const char *id = json_string_value(json_object_get(list, "id"));
    bool as_json = cli_flag(args, "json"); /* then the submission is what is printed */
    char digest[65];
    uint8_t hash[32];
    int64_t version = 0;
    json_t *newest = NULL;
    fm_status st =
        cli_call(&newest, args, "credential.anchored", json_pack("{s:s}", "list", id), err);

    if (st == FM_OK)
        st = base_json_get_int(&version, newest, "version", err);
    if (st == FM_OK)
        st = base_json_hash(hash, list, err);
    if (st != FM_OK) {
        json_decref(newest);
        return st;
    }
    base_hex(digest, hash, sizeof hash);
    if (strcmp(cli_text(newest, "digest"), digest) == 0 && as_json)
        st = cli_print_made(json_pack("{s:s, s:I}", "list", id, "version", (json_int_t)version),
                            err);
    else if (strcmp(cli_text(newest, "digest"), digest) == 0)
        printf("%s: version %lld, as before\n", id, (long long)version);
    else
        st = cli_submit_by_node(args, "status.publish",
                                json_pack("{s:s, s:I, s:s}", "list", id, "version",
                                          (json_int_t)version + 1, "digest", digest),
                                "status list", err);
    if (st == FM_OK && !as_json && strcmp(cli_text(newest, "digest"), digest) != 0)
        printf("%s: version %lld\n", id, (long long)version + 1);
    json_decref(newest);
    return st;
}

static fm_status publish(const struct cli_args *args, struct base_err *err)
{
    json_t *list;
    fm_status st = base_json_load_file(&list, args->operands[0], CREDENTIAL_FILE_MAX, err);

    if (st != FM_OK)
        return st;
    st = check_own(list, args, err);
    if (st != FM_OK)
        st = base_err_prefix(err, "%s", args->operands[0]);
    else
        st = submit(list, args, err);
    json_decref(list);
    return st;
}

static const struct cli_option publish_options[] = {CLI_HOME_OPTION, CLI_JSON_OPTION, {0}};

const struct cli_command cli_credential_publish = {
    "credential publish",
    "LIST",
    1,
    1,
    "anchor a status list of this member: from then on an older one is known to be stale",
    "Puts the list's id, the next version and its digest on the ledger, by the node; the list "
    "itself "
    "is published where its id says.",
    publish_options,
    publish};
