#include "exchange/node/lanes.h"

#include <assert.h>
#include <string.h>

enum { SMALL_PART = 32, MIB = 1 << 20 };

/* What all queries of a lane may take together. */
static uint64_t capacity(const struct lanes *lanes, enum lanes_kind kind)
{
    uint64_t small = lanes->limit / SMALL_PART * LANES_SMALL;

    return kind == LANES_KIND_SMALL ? small : lanes->limit - small;
}

static unsigned at_once(enum lanes_kind kind)
{
    return kind == LANES_KIND_SMALL ? LANES_SMALL : LANES_LARGE;
}

bool lanes_full(const struct lanes *lanes, const char *asker)
{
    unsigned all = 0, each = 0;

    for (const struct lanes_place *p = lanes->first; p != NULL; p = p->next) {
        all++;
        each += strcmp(p->asker, asker) == 0;
    }
    return all >= LANES_MAX || each >= LANES_MAX_EACH;
}

static fm_status check_room(const struct lanes *lanes, const struct lanes_place *place,
                            const char **rule, struct base_err *err)
{
    uint64_t most = capacity(lanes, LANES_KIND_LARGE);

    if (place->bytes > most) {
        *rule = "node.memory";
        return base_err_set(err, FM_E_REFUSED,
                            "the query would take about %llu MiB here, and one query may take %llu "
                            "MiB: raise memory_limit in node.json, or declare fewer rows",
                            (unsigned long long)(place->bytes / MIB + 1),
                            (unsigned long long)(most / MIB));
    }
    if (lanes_full(lanes, place->asker)) {
        *rule = "node.busy";
        return base_err_set(err, FM_E_REFUSED,
                            "this node has %d queries, or %d of %s, running and waiting: ask again "
                            "when some have ended",
                            LANES_MAX, LANES_MAX_EACH, place->asker);
    }
    return FM_OK;
}

fm_status lanes_enter(struct lanes *lanes, struct lanes_place *place, const char **rule,
                      struct base_err *err)
{
    struct lanes_place **at = &lanes->first;

    assert(!place->entered);
    if (check_room(lanes, place, rule, err) != FM_OK)
        return err->code;
    place->kind = place->bytes <= lanes->limit / SMALL_PART ? LANES_KIND_SMALL : LANES_KIND_LARGE;
    place->entered = true;
    place->admitted = false;
    while (*at != NULL && (*at)->order <= place->order)
        at = &(*at)->next;
    place->next = *at;
    *at = place;
    return FM_OK;
}

void lanes_leave(struct lanes *lanes, struct lanes_place *place)
{
    struct lanes_place **at = &lanes->first;

    if (!place->entered)
        return;
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    place->entered = false;
}

static bool admit_lane(struct lanes *lanes, enum lanes_kind kind)
{
    uint64_t bytes = 0;
    unsigned running = 0;
    bool any = false;

    for (const struct lanes_place *p = lanes->first; p != NULL; p = p->next)
        if (p->kind == kind && p->admitted) {
            running++;
            bytes += p->bytes;
        }
    for (struct lanes_place *p = lanes->first; p != NULL; p = p->next) {
        if (p->kind != kind || p->admitted)
            continue;
        /* Nobody overtakes: the first one that does not fit ends the round. */
        if (running >= at_once(kind) || p->bytes > capacity(lanes, kind) - bytes)
            break;
        p->admitted = true;
        running++;
        bytes += p->bytes;
        any = true;
    }
    return any;
}

bool lanes_admit(struct lanes *lanes)
{
    bool small = admit_lane(lanes, LANES_KIND_SMALL);
    bool large = admit_lane(lanes, LANES_KIND_LARGE);

    return small || large;
}

unsigned lanes_position(const struct lanes *lanes, const struct lanes_place *place)
{
    unsigned n = 0;

    if (!place->entered || place->admitted)
        return 0;
    for (const struct lanes_place *p = lanes->first; p != place; p = p->next)
        n += p->kind == place->kind && !p->admitted;
    return n + 1;
}

void lanes_count(const struct lanes *lanes, unsigned *running, unsigned *waiting)
{
    *running = 0;
    *waiting = 0;
    for (const struct lanes_place *p = lanes->first; p != NULL; p = p->next)
        ++*(p->admitted ? running : waiting);
}
