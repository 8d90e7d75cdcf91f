/* Where a query is, for the one who waits for it and for `firmiana status`. */
#include <stdio.h>
#include <string.h>

#include "exchange/node/node_own.h"

static void put_place(char *out, size_t size, const char *who, unsigned place)
{
    const char *end = place % 100 >= 11 && place % 100 <= 13 ? "th"
                      : place % 10 == 1                      ? "st"
                      : place % 10 == 2                      ? "nd"
                      : place % 10 == 3                      ? "rd"
                                                             : "th";

    (void)snprintf(out, size, "%s%s%u%s in line", who, who[0] != '\0' ? " has it " : "", place,
                   end);
}

/* Whom it waits for, and why if they said so. */
static void put_waiting(char *out, size_t size, const struct node_query *q)
{
    const struct session_facts *f = session_get_facts(q->session);
    unsigned ready = 0, slow = f->party_count;
    char what[64] = "";

    for (unsigned i = 0; i < f->party_count; i++) {
        ready += session_ready_of(q->session, i);
        if (!session_ready_of(q->session, i) &&
            (slow == f->party_count ||
             session_place_of(q->session, i) > session_place_of(q->session, slow)))
            slow = i;
    }
    if (slow < f->party_count && session_place_of(q->session, slow) > 0)
        put_place(what, sizeof what, f->parties[slow].alias, session_place_of(q->session, slow));
    else if (slow < f->party_count)
        (void)snprintf(what, sizeof what, "waiting for %s", f->parties[slow].alias);
    (void)snprintf(out, size, "%u of %u are ready; %s", ready, f->party_count, what);
}

static void put_preparing(char *out, size_t size, const struct node *node,
                          const struct node_query *q)
{
    unsigned place = lanes_position(&node->lanes, &q->place);
    char line[64];

    if (place == 0) {
        (void)snprintf(out, size, "checking the rules and the own rows");
        return;
    }
    put_place(line, sizeof line, "", place);
    (void)snprintf(out, size, "waiting for room at this node, %s", line);
}

void node_progress_text(char *out, size_t size, const struct node *node, const struct node_query *q)
{
    struct job_progress p = {0};

    switch (session_get_state(q->session)) {
    case SESSION_INVITED:
        (void)snprintf(out, size, "open; waiting for what it asks");
        break;
    case SESSION_PREPARING:
        put_preparing(out, size, node, q);
        break;
    case SESSION_READY:
        put_waiting(out, size, q);
        break;
    case SESSION_RUNNING:
        if (q->job != NULL)
            p = job_get_progress(q->job);
        if (p.at > 0)
            (void)snprintf(out, size, "computing, operator %u of %u: %s", p.at, p.of, p.name);
        else
            (void)snprintf(out, size, "computing, opening the channels");
        break;
    case SESSION_SETTLING:
        (void)snprintf(out, size, "collecting signatures for the receipt");
        break;
    case SESSION_CLOSING:
        (void)snprintf(out, size, "waiting for the close to be final on the ledger");
        break;
    default:
        (void)snprintf(out, size, "ended");
        break;
    }
}

void node_progress_tell(struct node *node)
{
    for (struct node_query *q = node->queries; q != NULL; q = q->next) {
        char text[sizeof q->told];
        if (!q->reply_waits)
            continue;
        node_progress_text(text, sizeof text, node, q);
        if (strcmp(text, q->told) == 0)
            continue;
        memcpy(q->told, text, sizeof q->told);
        q->reply.progress(q->reply.ctx, text);
    }
}
