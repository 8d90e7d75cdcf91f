/* Session messages: the last of three or four parties is hostile and says whatever the input says;
 * p0 asks, the others are honest. Of three the hostile one computes; of four it has rows. An input
 * is lines: "3" first if the parties are three, then each "TO {message}" from the hostile one to an
 * honest one, "done" (the computations end) or "wait" (time passes); after each the honest ones
 * talk to each other.
 *
 * Laws: all invariants of session.h after every event; a close as done has the proof of everyone,
 * each given by a party that holds its own part; nobody acts twice; and whatever was said, every
 * honest session is over in the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/session/test_net.h"
#include "tests/fuzz/fuzz.h"

enum { LINES_MAX = 64 };

static void hand(struct test_net *net, const char *line, size_t len)
{
    struct base_err err = {0};
    json_t *message = NULL;
    unsigned hostile = net->n - 1;

    /* What the node does with bytes of a peer before a session sees them. */
    if (len < 3 || line[0] < '0' || (unsigned)(line[0] - '0') >= hostile || line[1] != ' ' ||
        base_json_parse_canonical(&message, line + 2, len - 2, &err) != FM_OK)
        return;
    test_net_hand(net, hostile, (unsigned)(line[0] - '0'), message);
}

static void run_line(struct test_net *net, const char *line, size_t len)
{
    if (len == 4 && memcmp(line, "done", 4) == 0)
        test_net_done_all(net);
    else if (len == 4 && memcmp(line, "wait", 4) == 0)
        test_net_pass(net, 500);
    else
        hand(net, line, len);
    test_net_flow(net);
}

static bool all_over(const struct test_net *net)
{
    for (unsigned i = 0; i + 1 < net->n; i++)
        if (test_net_state(net, i) != SESSION_DONE && test_net_state(net, i) != SESSION_FAILED)
            return false;
    return true;
}

/* Time passes until every session is over, and once more: computations that were stopped fail, what
 * was submitted is final. (test_net_finish() does the same in steps of 100 ms.) */
static void let_it_end(struct test_net *net)
{
    struct base_err aborted = {0};
    bool over = false;

    (void)base_err_set(&aborted, FM_E_PEER, "the channels were aborted");
    for (int step = 0; step < 12 && !over; step++) {
        over = all_over(net);
        test_net_flow(net);
        for (unsigned i = 0; i + 1 < net->n; i++) {
            struct net_party *p = net->party[i];
            if (p->running && p->stopped > 0) {
                p->running = false;
                session_on_worker_failed(p->session, &aborted, NULL, net->now);
            }
        }
        test_net_close(net);
        test_net_pass(net, step % 2 == 0 ? 300 : NET_QUERY_MS / 4);
    }
    test_net_flow(net);
    fuzz_law(all_over(net), "every honest session ends");
}

/* Its own session takes no part; that it has signed is for it to say. */
static void begin_hostile(struct test_net *net, unsigned n)
{
    test_net_init(net, n, 0);
    net->party[n - 1]->gone = true;
    net->party[n - 1]->done_proofs = 1;
    test_net_open(net);
    test_net_flow(net);
}

static void run(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    static struct test_net net;
    bool three = size > 1 && memcmp(text, "3\n", 2) == 0;
    size_t at = three ? 2 : 0;

    begin_hostile(&net, three ? 3 : 4);
    for (int lines = 0; at < size && lines < LINES_MAX; lines++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t len = end != NULL ? (size_t)(end - text) - at : size - at;
        run_line(&net, text + at, len);
        at += len + 1;
    }
    let_it_end(&net);
    test_net_release(&net);
}

/* ---- specimens: what the last party says when it is honest ---- */

static char said[8192];
static size_t said_len;

static void say(const char *text)
{
    int n = snprintf(said + said_len, sizeof said - said_len, "%s\n", text);

    fuzz_law(n > 0 && (size_t)n < sizeof said - said_len, "what is said fits");
    said_len += (size_t)n;
}

static void flow_and_note(struct test_net *net)
{
    while (net->count > 0) {
        const struct wire_message *m = &net->wire[0];
        struct base_buf line = {0};
        struct base_err err = {0};
        if (m->from == net->n - 1) {
            base_buf_putf(&line, "%u ", m->to);
            fuzz_law(base_json_canonical(&line, m->message, &err) == FM_OK, "messages encode");
            say(base_buf_cstr(&line));
        }
        base_buf_release(&line);
        test_net_deliver(net, 0);
    }
}

static void add_honest(struct fuzz_corpus *corpus, unsigned n)
{
    static struct test_net net;
    char refusal[256];
    size_t ready;

    said_len = 0;
    if (n == 3)
        say("3");
    test_net_init(&net, n, 0);
    test_net_open(&net);
    flow_and_note(&net);
    ready = said_len;
    say("done");
    test_net_done_all(&net);
    flow_and_note(&net);
    test_net_close(&net);
    fuzz_law(test_net_state(&net, 0) == SESSION_DONE, "an honest run ends well");
    test_net_finish(&net);
    test_net_release(&net);
    fuzz_add(corpus, said, ready);
    /* To the end, and then silence; and a refusal. */
    say("wait");
    fuzz_add(corpus, said, said_len);
    said_len = ready;
    (void)snprintf(refusal, sizeof refusal,
                   "0 {\"a\":1,\"m\":\"refuse\",\"outcome\":\"refused\",\"party\":\"p%u\",\"q\":"
                   "\"1111111111111111111111111111111111111111111111111111111111111111\","
                   "\"rule\":\"data.changed\"}",
                   n - 1);
    say(refusal);
    fuzz_add(corpus, said, said_len);
}

static void begin(struct fuzz_corpus *corpus)
{
    add_honest(corpus, 4);
    for (int i = 0; i < 3; i++) /* what is short is run more often */
        add_honest(corpus, 3);
}

static const char *const words[] = {"\"m\":\"openings\"",
                                    "\"m\":\"ready\"",
                                    "\"m\":\"refuse\"",
                                    "\"m\":\"part\"",
                                    "\"m\":\"receipt\"",
                                    "\"m\":\"proof\"",
                                    "\"m\":\"wait\"",
                                    "done\n",
                                    "wait\n",
                                    "\n0 ",
                                    "\n1 ",
                                    "openings",
                                    "ready",
                                    "receipt",
                                    "proof",
                                    "part",
                                    "refuse",
                                    "p0",
                                    "p1",
                                    "p3",
                                    "aborted",
                                    "done",
                                    "place",
                                    "shared",
                                    NULL};
const struct fuzz_target fuzz_target = {"session", FUZZ_JSON_LINES, 8192, words, begin, run};
