#include "benches/options.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/profile.h"

enum { OPTIONS_MAX = 32, USAGE_ARGUMENT = 2, USAGE_UNSUPPORTED = 14 };

static const struct bench_program *bench; /* a process is one bench */
static const char *profile = "international";
static bool network; /* its parties talk over one */

static const struct bench_option of_profile = {"--profile",
                                               BENCH_TEXT,
                                               &profile,
                                               0,
                                               0,
                                               "international|national",
                                               "Ed25519, SHA-256, AES, TLS 1.3; or SM2, SM3, SM4"};

/* ---- --help ---- */

static void say_option(const struct bench_option *o)
{
    char left[64];

    if (o->kind == BENCH_FLAG)
        (void)snprintf(left, sizeof left, "%s", o->name);
    else
        (void)snprintf(left, sizeof left, "%s %s", o->name, o->kind == BENCH_SIZE ? "N" : "WORD");
    printf("  %-20s %s", left, o->help);
    if (o->kind == BENCH_SIZE)
        printf("; %zu to %zu", o->least, o->most);
    if (o->kind == BENCH_SIZE && *(const size_t *)o->to >= o->least)
        printf(", default %zu", *(const size_t *)o->to);
    if (o->kind == BENCH_TEXT && o->words != NULL)
        printf(": %s", o->words);
    if (o->kind == BENCH_TEXT && *(const char *const *)o->to != NULL)
        printf("; default %s", *(const char *const *)o->to);
    puts("");
}

static void say_field(const char *name, const char *unit, const char *help)
{
    printf("  %-22s %-12s %s\n", name, unit, help);
}

static void say_help(void)
{
    printf("usage: %s [OPTION...]\n%s\n\n", bench->name, bench->about);
    for (const struct bench_option *o = bench->options; o->name != NULL; o++)
        say_option(o);
    if ((bench->flags & BENCH_PROFILE) != 0)
        say_option(&of_profile);
    puts("  --json               one JSON object a line: always, this changes nothing\n\n"
         "fields of a line, and their units:");
    say_field("bench, op", "", "the bench, and what it measured");
    if ((bench->flags & BENCH_PROFILE) != 0)
        say_field("profile", "", "as asked by --profile");
    if ((bench->flags & (BENCH_NETWORK | BENCH_LOOPBACK)) != 0)
        say_field("network", "",
                  "the line that benches/net-emulate emulates, else loopback; none in memory");
    for (const struct bench_field *f = bench->fields; f->name != NULL; f++)
        say_field(f->name, f->unit, f->help);
    if (bench->more != NULL)
        bench->more();
}

/* ---- arguments ---- */

static bool is_word(const char *words, const char *value)
{
    size_t len = strlen(value);

    for (const char *w = words; w != NULL; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
        if (len > 0 && strncmp(w, value, len) == 0 && (w[len] == '|' || w[len] == '\0'))
            return true;
    return false;
}

static bool take(const struct bench_option *o, const char *value)
{
    size_t n = 0;

    if (o->kind == BENCH_FLAG) {
        *(bool *)o->to = true;
        return true;
    }
    if (value == NULL) {
        fprintf(stderr, "%s: %s: a value is missing: see --help\n", bench->name, o->name);
        return false;
    }
    if (o->kind == BENCH_TEXT) {
        *(const char **)o->to = value;
        if (o->words == NULL || is_word(o->words, value))
            return true;
        fprintf(stderr, "%s: %s '%.60s': one of %s\n", bench->name, o->name, value, o->words);
        return false;
    }
    for (const char *c = value; n <= o->most && *c != '\0'; c++)
        n = *c >= '0' && *c <= '9' && n <= (SIZE_MAX - 9) / 10 ? n * 10 + (size_t)(*c - '0')
                                                               : SIZE_MAX;
    *(size_t *)o->to = n;
    if (value[0] != '\0' && n >= o->least && n <= o->most)
        return true;
    fprintf(stderr, "%s: %s '%.60s': a number from %zu to %zu\n", bench->name, o->name, value,
            o->least, o->most);
    return false;
}

static const struct bench_option *find(const char *name)
{
    for (const struct bench_option *o = bench->options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return (bench->flags & BENCH_PROFILE) != 0 && strcmp(name, of_profile.name) == 0 ? &of_profile
                                                                                     : NULL;
}

static void say_unknown(const char *argument)
{
    const char *names[OPTIONS_MAX] = {"--help", "--json", of_profile.name}, *nearest;
    size_t n = 3;

    for (const struct bench_option *o = bench->options; o->name != NULL && n < OPTIONS_MAX - 1; o++)
        names[n++] = o->name;
    nearest = base_nearest(argument, names);
    fprintf(stderr, "%s: there is no option '%.60s'%s%s%s: see --help\n", bench->name, argument,
            nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
            nearest != NULL ? "?" : "");
}

static bool adopt(void)
{
    struct base_err err;
    enum base_profile found;

    if (!base_profile_find(&found, profile) || base_profile_adopt(found, &err) != FM_OK) {
        fprintf(stderr, "%s: --profile %s cannot be adopted\n", bench->name, profile);
        return false;
    }
    return true;
}

bool bench_begin(int *status, const struct bench_program *program, int argc, char **argv)
{
    bench = program;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            say_help();
            *status = 0;
            return false;
        }
    *status = USAGE_ARGUMENT;
    for (int i = 1; i < argc; i++) {
        const struct bench_option *o = find(argv[i]);
        if (strcmp(argv[i], "--json") == 0)
            continue;
        if (o == NULL) {
            say_unknown(argv[i]);
            return false;
        }
        if (!take(o, argv[i + 1]))
            return false;
        i += o->kind != BENCH_FLAG;
    }
    if ((bench->flags & BENCH_PROFILE) != 0 && !adopt())
        return false;
    return bench_reached(status, bench->flags);
}

/* The loopback of net-emulate has the line's delay only where the kernel has netem. */
bool bench_reached(int *status, unsigned flags)
{
    bool emulated = (flags & BENCH_NETWORK) != 0 ||
                    ((flags & BENCH_LOOPBACK) != 0 && getenv("FIRMIANA_BENCH_LOOPBACK") != NULL);

    network = (flags & (BENCH_NETWORK | BENCH_LOOPBACK)) != 0;
    if (bench_network() == NULL || emulated)
        return true;
    fprintf(stderr, "%s: net-emulate cannot emulate '%.40s' for this: %s\n", bench->name,
            bench_network(),
            network
                ? "its parties talk over loopback, which has no delay without the kernel's netem"
                : "its parties do not talk over a network");
    *status = USAGE_UNSUPPORTED;
    return false;
}

/* ---- lines ---- */

const char *bench_network(void)
{
    return getenv("FIRMIANA_BENCH_LINK");
}

void bench_line(const char *op, const char *format, ...)
{
    va_list args;

    printf("{\"bench\":\"%s\",\"op\":\"%s\",", bench->name, op);
    if ((bench->flags & BENCH_PROFILE) != 0)
        printf("\"profile\":\"%s\",", profile);
    if (network)
        printf("\"network\":\"%s\",", bench_network() != NULL ? bench_network() : "loopback");
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    puts("}");
    (void)fflush(stdout);
}

int bench_ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}
