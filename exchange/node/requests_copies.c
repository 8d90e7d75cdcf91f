/* copy.*: encrypted copies of documents at other members (exchange/copies). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "exchange/copies/box.h"
#include "exchange/node/requests_own.h"

static struct copies_reply waits(const struct node_reply *reply)
{
    return (struct copies_reply){reply->ctx, reply->progress, reply->ok, reply->error};
}

/* The request's own file, to be kept. */
static fm_status take_file(int *out, const struct node_reply *reply, struct base_err *err)
{
    if (reply->file < 0)
        return base_err_set(err, FM_E_ARG, "the request brings no file");
    *out = fcntl(reply->file, F_DUPFD_CLOEXEC, 3);
    return *out >= 0 ? FM_OK : base_err_errno(err, "request");
}

static fm_status find_copy(struct node *node, char owner[COPIES_ALIAS], char address[65],
                           const json_t *request, struct base_err *err)
{
    const char *text;

    if (base_json_get_str(&text, request, "address", err) != FM_OK)
        return err->code;
    return copies_find(node->copies, owner, address, text, err);
}

/* ---- copy.keep ---- */

/* The box is copied into the home and hashed beside the node's thread. */
struct keeping {
    struct copies_put put;
    json_t *request; /* holds the lists */
    char staged[768];
    int from, to;
};

static void keeping_free(struct keeping *k)
{
    if (k == NULL)
        return;
    if (k->from >= 0)
        (void)close(k->from);
    if (k->to >= 0)
        (void)close(k->to);
    json_decref(k->request);
    base_wipe(k, sizeof *k);
    free(k);
}

static fm_status keep_run(void *ctx, const atomic_bool *stop, struct base_err *err)
{
    struct keeping *k = ctx;
    uint8_t hash[32];
    int64_t size = lseek(k->from, 0, SEEK_END);

    if (size < 0)
        return base_err_errno(err, "the request's file");
    if (size > BOX_MAX)
        return base_err_set(err, FM_E_LIMIT, "a box of %lld bytes: members keep up to %d",
                            (long long)size, BOX_MAX);
    if (box_copy(k->to, k->from, size, stop, err) != FM_OK ||
        box_address(hash, &k->put.size, k->to, stop, err) != FM_OK)
        return base_err_prefix(err, "%s", k->staged);
    base_hex(k->put.address, hash, 32);
    return fsync(k->to) == 0 ? FM_OK : base_err_errno(err, k->staged);
}

static void keep_done(struct node *node, void *ctx, const struct node_reply *reply,
                      const struct base_err *why)
{
    struct keeping *k = ctx;
    struct base_err err = *why;

    if (err.code != FM_OK || reply == NULL)
        (void)unlink(k->staged);
    if (err.code != FM_OK && reply != NULL)
        node_reply_error(reply, &err);
    else if (reply != NULL) {
        struct copies_reply wait = waits(reply);
        copies_put(node->copies, &k->put, &wait);
    }
    keeping_free(k);
}

static fm_status read_put(struct keeping *k, const struct node *node, const json_t *request,
                          struct base_err *err)
{
    const char *name;
    json_t *keepers, *readers;
    int64_t lasts_ms;

    k->request = json_deep_copy(request);
    if (k->request == NULL)
        return base_err_memory(err, "request");
    if (base_json_get_str(&name, k->request, "name", err) != FM_OK ||
        base_json_get_hex(k->put.key32, 32, k->request, "key", err) != FM_OK ||
        base_json_get_int(&lasts_ms, k->request, "lasts", err) != FM_OK ||
        base_json_get_array(&keepers, k->request, "keepers", err) != FM_OK ||
        base_json_get_array(&readers, k->request, "readers", err) != FM_OK)
        return err->code;
    if (strlen(name) >= sizeof k->put.name || lasts_ms <= 0)
        return base_err_set(err, FM_E_ARG, "a name of up to %d bytes, and a time, are needed",
                            COPIES_NAME - 1);
    memcpy(k->put.name, name, strlen(name) + 1);
    k->put.keepers = keepers;
    k->put.readers = readers;
    k->put.until_ms = base_clock_unix_ms(node->config.clock) + lasts_ms;
    return FM_OK;
}

void node_request_copy_keep(struct node *node, const json_t *request,
                            const struct node_reply *reply)
{
    struct chore_work work = {keep_run, keep_done, NULL};
    struct keeping *k = calloc(1, sizeof *k);
    struct base_err err = {0};
    fm_status st = k != NULL ? FM_OK : base_err_memory(&err, "request");

    if (st == FM_OK) {
        k->from = k->to = -1;
        st = read_put(k, node, request, &err);
    }
    if (st == FM_OK)
        st = take_file(&k->from, reply, &err);
    if (st == FM_OK)
        st = copies_stage(node->copies, &k->to, k->staged, &err);
    if (st == FM_OK) {
        k->put.staged = k->staged;
        work.ctx = k;
        st = node_chore_start(node, &work, reply, reply->ctx, &err);
        if (st != FM_OK)
            (void)unlink(k->staged);
    }
    if (st != FM_OK) {
        keeping_free(k);
        node_reply_error(reply, &err);
    }
}

/* ---- the others ---- */

void node_request_copy_get(struct node *node, const json_t *request, const struct node_reply *reply)
{
    const char *from = json_string_value(json_object_get(request, "from"));
    struct copies_reply wait = waits(reply);
    struct base_err err = {0};
    char owner[COPIES_ALIAS], address[65];
    int file = -1;
    fm_status st = find_copy(node, owner, address, request, &err);

    if (st == FM_OK)
        st = take_file(&file, reply, &err);
    if (st == FM_OK)
        copies_get(node->copies, owner, address, from, file, &wait);
    else
        node_reply_error(reply, &err);
}

void node_request_copy_list(struct node *node, const json_t *request,
                            const struct node_reply *reply)
{
    struct copies_reply wait = waits(reply);

    (void)request;
    copies_list(node->copies, &wait);
}

void node_request_copy_show(struct node *node, const json_t *request,
                            const struct node_reply *reply)
{
    struct copies_reply wait = waits(reply);
    struct base_err err = {0};
    char owner[COPIES_ALIAS], address[65];

    if (find_copy(node, owner, address, request, &err) == FM_OK)
        copies_show(node->copies, owner, address, &wait);
    else
        node_reply_error(reply, &err);
}

void node_request_copy_drop(struct node *node, const json_t *request,
                            const struct node_reply *reply)
{
    struct copies_reply wait = waits(reply);
    struct base_err err = {0};
    char owner[COPIES_ALIAS], address[65];

    if (find_copy(node, owner, address, request, &err) == FM_OK)
        copies_drop(node->copies, owner, address, &wait);
    else
        node_reply_error(reply, &err);
}
