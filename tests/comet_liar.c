/* A validator that proposes what its node did not prepare: stands between its CometBFT and its
 * node. One process a connection. usage: comet_liar LISTEN_SOCKET NODE_SOCKET [empty] As it is,
 * nonsense stands in every proposal, which no block may hold; `empty`: nothing does. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "abci.pb-c.h"
#include "ledger/abci/frame.h"

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    return a;
}

static void send_all(int fd, const uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0)
            exit(0);
        p += n;
        len -= (size_t)n;
    }
}

static bool empty;

/* A prepared proposal gets one transaction more, which is none; or has none. */
static void pass_answer(int to, const uint8_t *bytes, size_t len)
{
    static uint8_t nonsense[] = "{\"a\":\"lie\"}";
    Abci__Response *r = abci__response__unpack(NULL, len, bytes);
    struct base_buf out = {0};

    if (r != NULL && r->value_case == ABCI__RESPONSE__VALUE_PREPARE) {
        Abci__Response lie = ABCI__RESPONSE__INIT;
        Abci__ResponsePrepare body = ABCI__RESPONSE_PREPARE__INIT;
        ProtobufCBinaryData tx = {sizeof nonsense - 1, nonsense};
        body.txs = &tx;
        body.n_txs = empty ? 0 : 1;
        lie.value_case = ABCI__RESPONSE__VALUE_PREPARE;
        lie.prepare = &body;
        len = abci__response__get_packed_size(&lie);
        ledger_frame_length(&out, len);
        (void)abci__response__pack(&lie, base_buf_extend(&out, len));
    } else {
        ledger_frame_length(&out, len);
        base_buf_put(&out, bytes, len);
    }
    send_all(to, out.p, out.len);
    base_buf_release(&out);
    if (r != NULL)
        abci__response__free_unpacked(r, NULL);
}

static void pass_answers(struct ledger_frames *frames, int to)
{
    struct base_err err = {0};
    const uint8_t *bytes;
    bool got = true;
    size_t len;

    while (got) {
        if (ledger_frames_next(frames, &got, &bytes, &len, &err) != FM_OK)
            exit(1);
        if (got)
            pass_answer(to, bytes, len);
    }
}

static void serve(int comet, const char *node_path)
{
    static uint8_t room[1 << 16];
    struct sockaddr_un a = address_of(node_path);
    int node = socket(AF_UNIX, SOCK_STREAM, 0);
    struct pollfd fds[2] = {{comet, POLLIN, 0}, {node, POLLIN, 0}};
    struct ledger_frames frames = {0};

    if (connect(node, (struct sockaddr *)&a, sizeof a) != 0)
        exit(1);
    while (poll(fds, 2, -1) > 0) {
        ssize_t n;
        if (fds[0].revents != 0) {
            n = recv(comet, room, sizeof room, 0);
            if (n <= 0)
                exit(0);
            send_all(node, room, (size_t)n);
        }
        if (fds[1].revents != 0) {
            n = recv(node, room, sizeof room, 0);
            if (n <= 0)
                exit(0);
            ledger_frames_put(&frames, room, (size_t)n);
            pass_answers(&frames, comet);
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_un a;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), one;

    if (argc != 3 && (argc != 4 || strcmp(argv[3], "empty") != 0))
        return 2;
    empty = argc == 4;
    a = address_of(argv[1]);
    (void)unlink(argv[1]);
    (void)signal(SIGCHLD, SIG_IGN);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 8) != 0)
        return 1;
    while ((one = accept(fd, NULL, NULL)) >= 0) {
        if (fork() == 0)
            serve(one, argv[2]);
        (void)close(one);
    }
    return 0;
}
