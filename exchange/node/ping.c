#include "exchange/node/ping.h"

#include <string.h>

#include "base/json.h"

void ping_up(struct ping *p, const struct base_clock *clock)
{
    p->asked = 0;
    p->waiting = false;
    p->timed = false;
    p->due_ms = base_clock_mono_ms(clock);
    p->answered_ms = p->due_ms - PING_LEAST_MS;
}

static json_t *say(const char *kind, int64_t n, const struct ping_facts *self,
                   const struct base_clock *clock)
{
    return json_pack("{s:I,s:I,s:s,s:I,s:I,s:I}", kind, (json_int_t)n, "now",
                     (json_int_t)base_clock_unix_ms(clock), "version", self->version, "rules",
                     (json_int_t)self->rules, "at", (json_int_t)self->at, "final",
                     (json_int_t)self->final);
}

json_t *ping_ask(struct ping *p, const struct ping_facts *self, const struct base_clock *clock)
{
    int64_t now = base_clock_mono_ms(clock);

    if (now < p->due_ms)
        return NULL;
    p->due_ms = now + PING_MS;
    p->asked++;
    p->asked_mono_ms = now;
    p->asked_unix_ms = base_clock_unix_ms(clock);
    p->waiting = true;
    return say("ask", p->asked, self, clock);
}

static bool number(int64_t *out, const json_t *message, const char *name, int64_t most)
{
    const json_t *v = json_object_get(message, name);

    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > most)
        return false;
    *out = json_integer_value(v);
    return true;
}

/* Letters, digits and "+-.~": nothing that could write on a terminal or break a metric's label. */
static bool is_version(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "+-.~";

    return text != NULL && text[0] != '\0' &&
           strlen(text) < sizeof((struct ping_facts *)0)->version &&
           strspn(text, allowed) == strlen(text);
}

static void take_facts(struct ping_facts *f, const json_t *message)
{
    const char *version = json_string_value(json_object_get(message, "version"));

    if (is_version(version))
        memcpy(f->version, version, strlen(version) + 1);
    (void)number(&f->rules, message, "rules", BASE_JSON_MAX_INT);
    (void)number(&f->at, message, "at", BASE_JSON_MAX_INT);
    (void)number(&f->final, message, "final", BASE_JSON_MAX_INT);
}

/* The peer read its clock at some moment between question and answer; the middle is off by half of
 * the time between them at most. */
static void take_times(struct ping *p, int64_t their_now, int64_t mono_ms)
{
    p->waiting = false;
    p->timed = true;
    p->rtt_ms = mono_ms - p->asked_mono_ms;
    p->skew_ms = their_now - (p->asked_unix_ms + p->rtt_ms / 2);
}

json_t *ping_take(struct ping *p, const json_t *message, const struct ping_facts *self,
                  const struct base_clock *clock)
{
    int64_t now = base_clock_mono_ms(clock), n, their_now;
    bool asks = number(&n, message, "ask", BASE_JSON_MAX_INT);

    if (!asks && !number(&n, message, "answer", BASE_JSON_MAX_INT))
        return NULL;
    p->heard = true;
    p->heard_ms = now;
    take_facts(&p->facts, message);
    if (!asks) {
        if (p->waiting && n == p->asked && number(&their_now, message, "now", BASE_JSON_MAX_INT))
            take_times(p, their_now, now);
        return NULL;
    }
    if (now - p->answered_ms < PING_LEAST_MS)
        return NULL;
    p->answered_ms = now;
    return say("answer", n, self, clock);
}
