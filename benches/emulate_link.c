/* emulate_link RATE_BITS DELAY_US NAMESPACE=ADDRESS...: a switch between network namespaces, for
 * kernels that have no netem. Each namespace gets a tun device `link0`; an IPv4 packet to one of
 * the addresses comes out at that namespace's device DELAY_US later, not faster than RATE_BITS a
 * second out of the one and into the other device. TCP above it is the kernel's own. Prints "ready"
 * and works until it is killed or its parent has ended. benches/net-emulate gives the devices
 * their addresses. Packets that would wait behind more than QUEUE_BYTES are dropped, as a router
 * does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    PORTS_MAX = 16,
    PACKET_MAX = 65536,
    QUEUE_BYTES = 64 << 20,
    TURN = 64,
    ADDRESS_AT = 16,
    IPV4_HEAD = 20
};

struct packet {
    struct packet *next;
    int64_t due_ns;
    size_t len;
    uint8_t bytes[];
};

/* One namespace's device, and what is on its way to it. */
struct port {
    int fd;
    uint32_t address;      /* as in a packet */
    int64_t out_ns, in_ns; /* when the line out of, and into it, is free */
    struct packet *first, **last;
    size_t queued;
};

struct link {
    double ns_per_byte;
    int64_t delay_ns;
    struct port port[PORTS_MAX];
    unsigned ports;
    pid_t parent;
};

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The namespace's end: this process stays there until the next. */
static bool open_port(struct port *p, const char *place)
{
    struct ifreq device = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    char name[64], address[64], path[96];
    int ns;

    if (sscanf(place, "%63[^=]=%63s", name, address) != 2 ||
        inet_pton(AF_INET, address, &p->address) != 1) {
        fprintf(stderr, "emulate_link: '%s' is not NAMESPACE=ADDRESS\n", place);
        return false;
    }
    (void)snprintf(path, sizeof path, "/run/netns/%s", name);
    (void)snprintf(device.ifr_name, sizeof device.ifr_name, "link0");
    ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) != 0 ||
        (p->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0 ||
        ioctl(p->fd, TUNSETIFF, &device) != 0) {
        fprintf(stderr, "emulate_link: %s: %s\n", path, strerror(errno));
        return false;
    }
    (void)close(ns);
    p->last = &p->first;
    return true;
}

static struct port *port_of(struct link *l, const uint8_t *packet, size_t len)
{
    uint32_t to;

    if (len < IPV4_HEAD || packet[0] >> 4 != 4)
        return NULL;
    memcpy(&to, packet + ADDRESS_AT, 4);
    for (unsigned i = 0; i < l->ports; i++)
        if (l->port[i].address == to)
            return &l->port[i];
    return NULL;
}

/* Puts a packet on its way. It leaves when the line out is free, travels, and arrives when the line
 * in is. */
static void put(struct link *l, struct port *from, const uint8_t *bytes, size_t len, int64_t now)
{
    struct port *to = port_of(l, bytes, len);
    int64_t takes = (int64_t)((double)len * l->ns_per_byte);
    struct packet *p;

    if (!to || to->queued + len > QUEUE_BYTES || !(p = malloc(sizeof *p + len)))
        return;
    from->out_ns = later(now, from->out_ns) + takes;
    p->due_ns = later(from->out_ns + l->delay_ns, to->in_ns + takes);
    to->in_ns = p->due_ns;
    p->next = NULL;
    p->len = len;
    memcpy(p->bytes, bytes, len);
    *to->last = p;
    to->last = &p->next;
    to->queued += len;
}

static bool take(struct link *l, struct port *p)
{
    uint8_t bytes[PACKET_MAX];
    ssize_t n = 0;

    for (unsigned i = 0; i < TURN && (n = read(p->fd, bytes, sizeof bytes)) > 0; i++)
        put(l, p, bytes, (size_t)n, now_ns());
    return n > 0 || errno == EAGAIN || errno == EIO; /* EIO: the device is not up yet */
}

/* Delivers what is due; returns when the next is. */
static int64_t give(struct port *p)
{
    struct packet *first;

    while ((first = p->first)) {
        if (first->due_ns > now_ns())
            return first->due_ns;
        if (write(p->fd, first->bytes, first->len) < 0 && errno == EAGAIN)
            return now_ns() + 20000;
        p->queued -= first->len;
        p->first = first->next;
        if (!p->first)
            p->last = &p->first;
        free(first);
    }
    return INT64_MAX;
}

static void run(struct link *l)
{
    struct pollfd polled[PORTS_MAX];
    bool on = true;

    while (on && getppid() == l->parent) {
        int64_t next = INT64_MAX, wait;
        for (unsigned i = 0; i < l->ports; i++) {
            int64_t due = give(&l->port[i]);
            next = due < next ? due : next;
            polled[i] = (struct pollfd){.fd = l->port[i].fd, .events = POLLIN};
        }
        wait = next == INT64_MAX ? 1000000000 : later(next - now_ns(), 0);
        (void)ppoll(polled, l->ports,
                    &(struct timespec){.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000},
                    NULL);
        for (unsigned i = 0; on && i < l->ports; i++)
            if (polled[i].revents)
                on = take(l, &l->port[i]);
    }
}

int main(int argc, char **argv)
{
    static struct link l;
    double rate = argc > 3 ? strtod(argv[1], NULL) : 0;

    if (rate < 1000 || argc - 3 > PORTS_MAX) {
        fputs("usage: emulate_link RATE_BITS DELAY_US NAMESPACE=ADDRESS...\n", stderr);
        return 2;
    }
    l.parent = getppid();
    l.ns_per_byte = 8e9 / rate;
    l.delay_ns = (int64_t)(strtod(argv[2], NULL) * 1000);
    for (int i = 3; i < argc; i++, l.ports++)
        if (!open_port(&l.port[l.ports], argv[i]))
            return 8;
    (void)setpriority(PRIO_PROCESS, 0, -20); /* a line has no load of its own */
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    puts("ready");
    (void)fflush(stdout);
    run(&l);
    return 0;
}
