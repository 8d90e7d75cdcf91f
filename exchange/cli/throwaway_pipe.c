#include "exchange/cli/throwaway_pipe.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/random.h"
#include "exchange/cli/throwaway.h"

enum { MESSAGE_MAX = 16 << 20 };

fm_status throwaway_pipe_write(int fd, const void *bytes, size_t len, struct base_err *err)
{
    struct base_buf frame = {0};
    fm_status st;

    base_buf_put_u32(&frame, (uint32_t)len);
    base_buf_put(&frame, bytes, len);
    st = base_buf_status(&frame, "pipe", err);
    for (size_t done = 0; st == FM_OK && done < frame.len;) {
        ssize_t n = write(fd, frame.p + done, frame.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = base_err_errno(err, "pipe to a party's process");
        else
            done += (size_t)n;
    }
    base_buf_release(&frame);
    return st;
}

static fm_status read_all(int fd, uint8_t *out, size_t len, int64_t until_ms, struct base_err *err)
{
    while (len > 0) {
        int64_t left = until_ms - base_clock_mono_ms(base_clock_system());
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        ssize_t n;
        if (throwaway_signalled() != 0)
            return base_err_set(err, FM_E_CANCELLED, "ended by a signal");
        if (left <= 0 || poll(&wait, 1, (int)left) == 0)
            return base_err_set(err, FM_E_TIMEOUT, "a party's process did not start within %d s",
                                THROWAWAY_START_MS / 1000);
        n = read(fd, out, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return base_err_errno(err, "pipe from a party's process");
        if (n == 0)
            return base_err_set(err, FM_E_IO, "a party's process ended");
        out += n;
        len -= (size_t)n;
    }
    return FM_OK;
}

fm_status throwaway_pipe_read(int fd, struct base_buf *out, int64_t until_ms, struct base_err *err)
{
    uint8_t head[4] = {0}, *body;
    struct base_cur cur = base_cur_make(head, sizeof head);
    uint32_t len;

    if (read_all(fd, head, sizeof head, until_ms, err) != FM_OK)
        return err->code;
    len = base_cur_u32(&cur);
    if (len > MESSAGE_MAX)
        return base_err_set(err, FM_E_LIMIT, "a party's process said %u bytes", len);
    body = base_buf_extend(out, len);
    return body != NULL ? read_all(fd, body, len, until_ms, err) : base_err_memory(err, "pipe");
}
