/* Session messages: party p3 of four is hostile and says whatever the input says; p0 asks, p1 and
 * p2 are honest. An input is lines, each "TO {message}" from p3 to p0, p1 or p2, "done" (the
 * computations end) or "wait" (time passes); after each the honest ones talk to each other.
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

enum { PARTIES = 4, HOSTILE = 3, LINES_MAX = 64 };

static void hand(struct test_net *net, const char *line, size_t len)
{
    struct base_err err = {0};
    json_t *message = NULL;

    /* What the node does with bytes of a peer before a session sees them. */
    if (len < 3 || line[0] < '0' || line[0] > '2' || line[1] != ' ' ||
        base_json_parse_canonical(&message, line + 2, len - 2, &err) != FM_OK)
        return;
    test_net_hand(net, HOSTILE, (unsigned)(line[0] - '0'), message);
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

/* Time passes until every session is over: computations that were stopped fail, what was submitted
 * is final. (test_net_finish() does the same in steps of 100 ms.) */
static void let_it_end(struct test_net *net)
{
    struct base_err aborted = {0};

    (void)base_err_set(&aborted, FM_E_PEER, "the channels were aborted");
    for (int step = 0; step < 12; step++) {
        test_net_flow(net);
        for (unsigned i = 0; i < HOSTILE; i++) {
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
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    static struct test_net net;
    size_t at = 0;

    test_net_init(&net, PARTIES, 0);
    /* Its own session takes no part; that it has signed is for it to say. */
    net.party[HOSTILE]->gone = true;
    net.party[HOSTILE]->done_proofs = 1;
    test_net_open(&net);
    test_net_flow(&net);
    for (int lines = 0; at < size && lines < LINES_MAX; lines++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t len = end != NULL ? (size_t)(end - text) - at : size - at;
        run_line(&net, text + at, len);
        at += len + 1;
    }
    let_it_end(&net);
    for (unsigned i = 0; i < HOSTILE; i++)
        fuzz_law(session_get_state(net.party[i]->session) == SESSION_DONE ||
                     session_get_state(net.party[i]->session) == SESSION_FAILED,
                 "every honest session ends");
    test_net_release(&net);
    return 0;
}

/* ---- specimens: what an honest p3 says ---- */

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
        if (m->from == HOSTILE) {
            base_buf_putf(&line, "%u ", m->to);
            fuzz_law(base_json_canonical(&line, m->message, &err) == FM_OK, "messages encode");
            say(base_buf_cstr(&line));
        }
        base_buf_release(&line);
        test_net_deliver(net, 0);
    }
}

static void begin(struct fuzz_corpus *corpus)
{
    static struct test_net net;
    size_t ready;

    test_net_init(&net, PARTIES, 0);
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
    fuzz_add(corpus, said, said_len);
    /* The same, then silence; and a refusal. */
    say("wait");
    fuzz_add(corpus, said, said_len);
    said_len = ready;
    say("0 "
        "{\"a\":1,\"m\":\"refuse\",\"outcome\":\"refused\",\"party\":\"p3\",\"q\":"
        "\"1111111111111111"
        "111111111111111111111111111111111111111111111111\",\"rule\":\"data.changed\"}");
    fuzz_add(corpus, said, said_len);
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
const struct fuzz_target fuzz_target = {"session", FUZZ_JSON_LINES, 8192, words, begin};
