#include "exchange/comet/rpc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/json.h"
#include "base/random.h"
#include "exchange/comet/member.h"

enum { AT_ONCE = 64, TIMEOUT_MS = 15000, LOOK_MS = 2000, STALE_MS = 10000, ANSWER_MAX = 1 << 20 };

enum asked { ASKED_TX, ASKED_STATUS, ASKED_PEERS };

/* A request, waiting or on its way. */
struct call {
    struct call *next;
    enum asked asked;
    uint8_t id[32];
    struct base_buf body, answer;
    CURL *easy;
};

struct comet_rpc {
    char url[64], unix_path[512];
    void (*wake)(void *ctx);
    void *wake_ctx;
    pthread_t thread;
    pthread_mutex_t lock;       /* guards what follows */
    struct call *first, **last; /* waiting */
    struct comet_told *told, **told_last;
    struct comet_view view;
    int64_t answered_ms;
    bool stop;
    /* The thread's own. */
    CURLM *multi;
    struct curl_slist *headers;
    size_t running;
    int64_t looked_ms;
};

static int64_t now_ms(void)
{
    return base_clock_mono_ms(base_clock_system());
}

static void call_free(struct call *c)
{
    if (c == NULL)
        return;
    curl_easy_cleanup(c->easy);
    base_buf_release(&c->body);
    base_buf_release(&c->answer);
    free(c);
}

static struct call *call_new(enum asked asked)
{
    struct call *c = calloc(1, sizeof *c);

    if (c != NULL) {
        c->asked = asked;
        c->easy = curl_easy_init();
    }
    if (c != NULL && c->easy == NULL) {
        call_free(c);
        return NULL;
    }
    return c;
}

/* ---- answers ---- */

static const char *error_of(const json_t *json)
{
    const char *data = json_string_value(json_object_get(json_object_get(json, "error"), "data"));

    return data != NULL ? data : "";
}

void comet_rpc_judge(struct comet_told *told, const char *answer, size_t len)
{
    json_t *json = json_loadb(answer, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *result = json_object_get(json, "result");
    const json_t *code = json_object_get(result, "code");
    const char *log = json_string_value(json_object_get(result, "log"));

    told->status = LEDGER_RECEIPT_FULL; /* whatever it was: later again */
    if (json_is_integer(code) && json_integer_value(code) == 0) {
        told->status = LEDGER_RECEIPT_ADMITTED;
    } else if (json_is_integer(code) && json_integer_value(code) == 1) {
        told->status = LEDGER_RECEIPT_DROPPED;
        (void)snprintf(told->detail, sizeof told->detail, "%s", log != NULL ? log : "");
    } else if (strstr(error_of(json), "already exists in cache") != NULL) {
        told->status = LEDGER_RECEIPT_KNOWN;
    }
    json_decref(json);
}

/* CometBFT writes 64-bit numbers as strings. */
static int64_t number_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

static void take_view(struct comet_rpc *rpc, const struct call *c)
{
    json_t *json = json_loadb((const char *)c->answer.p, c->answer.len, 0, NULL);
    const json_t *result = json_object_get(json, "result");
    const json_t *sync = json_object_get(result, "sync_info");

    pthread_mutex_lock(&rpc->lock);
    if (result != NULL)
        rpc->answered_ms = now_ms();
    if (c->asked == ASKED_PEERS && result != NULL)
        rpc->view.peers = number_in(result, "n_peers");
    if (sync != NULL) {
        rpc->view.height = number_in(sync, "latest_block_height");
        rpc->view.catching_up = json_is_true(json_object_get(sync, "catching_up"));
    }
    pthread_mutex_unlock(&rpc->lock);
    json_decref(json);
}

static void tell(struct comet_rpc *rpc, const struct call *c)
{
    struct comet_told *told = calloc(1, sizeof *told);

    if (told == NULL)
        return; /* the engine asks again by itself */
    memcpy(told->id, c->id, sizeof told->id);
    comet_rpc_judge(told, c->answer.len > 0 ? (const char *)c->answer.p : "", c->answer.len);
    pthread_mutex_lock(&rpc->lock);
    *rpc->told_last = told;
    rpc->told_last = &told->next;
    pthread_mutex_unlock(&rpc->lock);
    rpc->wake(rpc->wake_ctx);
}

/* ---- the thread ---- */

static size_t on_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
    struct call *c = ctx;

    if (size * n > ANSWER_MAX - c->answer.len)
        return 0;
    base_buf_put(&c->answer, bytes, size * n);
    return c->answer.failed ? 0 : size * n;
}

static void launch(struct comet_rpc *rpc, struct call *c)
{
    CURL *e = c->easy;

    (void)curl_easy_setopt(e, CURLOPT_URL, rpc->url);
    if (rpc->unix_path[0] != '\0')
        (void)curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, rpc->unix_path);
    (void)curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    (void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, rpc->headers);
    (void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, c->body.p);
    (void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)c->body.len);
    (void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    (void)curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    if (!c->body.failed && curl_multi_add_handle(rpc->multi, e) == CURLM_OK) {
        rpc->running++;
        return;
    }
    if (c->asked == ASKED_TX)
        tell(rpc, c);
    call_free(c);
}

static void finish(struct comet_rpc *rpc)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(rpc->multi, &left)) != NULL) {
        char *private = NULL;
        struct call *c;
        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
        c = (struct call *)(void *)private;
        (void)curl_multi_remove_handle(rpc->multi, c->easy);
        rpc->running--;
        if (c->asked == ASKED_TX)
            tell(rpc, c);
        else
            take_view(rpc, c);
        call_free(c);
    }
}

static void look(struct comet_rpc *rpc, enum asked asked, const char *method)
{
    struct call *c = call_new(asked);

    if (c == NULL)
        return;
    base_buf_putf(&c->body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{}}",
                  method);
    launch(rpc, c);
}

static struct call *next_call(struct comet_rpc *rpc, bool *stop)
{
    struct call *c = NULL;

    pthread_mutex_lock(&rpc->lock);
    *stop = rpc->stop;
    if (!rpc->stop && rpc->first != NULL && rpc->running < AT_ONCE) {
        c = rpc->first;
        rpc->first = c->next;
        if (rpc->first == NULL)
            rpc->last = &rpc->first;
    }
    pthread_mutex_unlock(&rpc->lock);
    return c;
}

static void *run(void *arg)
{
    struct comet_rpc *rpc = arg;
    bool stop = false;

    while (!stop) {
        struct call *c;
        int still;
        while ((c = next_call(rpc, &stop)) != NULL)
            launch(rpc, c);
        if (now_ms() - rpc->looked_ms >= LOOK_MS) {
            rpc->looked_ms = now_ms();
            look(rpc, ASKED_STATUS, "status");
            look(rpc, ASKED_PEERS, "net_info");
        }
        (void)curl_multi_perform(rpc->multi, &still);
        finish(rpc);
        if (!stop) /* until an answer, or comet_rpc_broadcast() */
            (void)curl_multi_poll(rpc->multi, NULL, 0, 500, NULL);
    }
    return NULL;
}

/* ---- life ---- */

fm_status comet_rpc_open(struct comet_rpc **out, const char *unix_path, const char *address,
                         void (*wake)(void *ctx), void *wake_ctx, struct base_err *err)
{
    struct comet_rpc *rpc = calloc(1, sizeof *rpc);

    *out = NULL;
    if (rpc == NULL)
        return base_err_memory(err, "CometBFT's RPC");
    (void)snprintf(rpc->url, sizeof rpc->url, "http://%s/",
                   address != NULL ? address : "localhost");
    if (unix_path != NULL)
        (void)snprintf(rpc->unix_path, sizeof rpc->unix_path, "%s", unix_path);
    rpc->wake = wake;
    rpc->wake_ctx = wake_ctx;
    rpc->last = &rpc->first;
    rpc->told_last = &rpc->told;
    rpc->looked_ms = now_ms() - LOOK_MS;
    rpc->answered_ms = now_ms() - STALE_MS;
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    rpc->multi = curl_multi_init();
    rpc->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (pthread_mutex_init(&rpc->lock, NULL) != 0 || rpc->multi == NULL || rpc->headers == NULL ||
        pthread_create(&rpc->thread, NULL, run, rpc) != 0) {
        (void)curl_multi_cleanup(rpc->multi);
        curl_slist_free_all(rpc->headers);
        free(rpc);
        return base_err_set(err, FM_E_MEMORY, "CometBFT's RPC: no thread");
    }
    *out = rpc;
    return FM_OK;
}

static void end_calls(struct comet_rpc *rpc)
{
    while (rpc->first != NULL) {
        struct call *c = rpc->first;
        rpc->first = c->next;
        call_free(c);
    }
    while (rpc->told != NULL) {
        struct comet_told *t = rpc->told;
        rpc->told = t->next;
        free(t);
    }
}

void comet_rpc_close(struct comet_rpc *rpc)
{
    if (rpc == NULL)
        return;
    pthread_mutex_lock(&rpc->lock);
    rpc->stop = true;
    pthread_mutex_unlock(&rpc->lock);
    (void)curl_multi_wakeup(rpc->multi);
    (void)pthread_join(rpc->thread, NULL);
    end_calls(rpc);
    (void)curl_multi_cleanup(rpc->multi);
    curl_slist_free_all(rpc->headers);
    pthread_mutex_destroy(&rpc->lock);
    free(rpc);
}

/* ---- the node's side ---- */

void comet_rpc_broadcast(struct comet_rpc *rpc, const uint8_t id[32], const void *tx, size_t len)
{
    struct call *c = call_new(ASKED_TX);

    if (c == NULL)
        return; /* the engine asks again by itself */
    memcpy(c->id, id, sizeof c->id);
    base_buf_put_str(&c->body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"broadcast_tx_sync\","
                               "\"params\":{\"tx\":\"");
    comet_base64(&c->body, tx, len);
    base_buf_put_str(&c->body, "\"}}");
    pthread_mutex_lock(&rpc->lock);
    *rpc->last = c;
    rpc->last = &c->next;
    pthread_mutex_unlock(&rpc->lock);
    (void)curl_multi_wakeup(rpc->multi);
}

struct comet_told *comet_rpc_told(struct comet_rpc *rpc)
{
    struct comet_told *told;

    pthread_mutex_lock(&rpc->lock);
    told = rpc->told;
    if (told != NULL)
        rpc->told = told->next;
    if (rpc->told == NULL)
        rpc->told_last = &rpc->told;
    pthread_mutex_unlock(&rpc->lock);
    return told;
}

void comet_rpc_view(struct comet_rpc *rpc, struct comet_view *out)
{
    pthread_mutex_lock(&rpc->lock);
    *out = rpc->view;
    out->answers = now_ms() - rpc->answered_ms < STALE_MS;
    pthread_mutex_unlock(&rpc->lock);
}
