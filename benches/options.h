/* What every bench does alike: it reads its arguments by a table, says --help from the same table,
 * and prints its lines. Known to all: --help, and --json (lines of JSON are the only form). */
#ifndef FIRMIANA_BENCHES_OPTIONS_H
#define FIRMIANA_BENCHES_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct bench_option {
    const char *name; /* "--n" */
    enum {
        BENCH_FLAG, /* to: a bool, set to true */
        BENCH_SIZE, /* to: a size_t, least..most */
        BENCH_TEXT  /* to: a const char *, one of words if there are any */
    } kind;
    void *to; /* holds the default, which --help says */
    size_t least, most;
    const char *words; /* "a|b|c" */
    const char *help;
};

/* A field of the lines. */
struct bench_field {
    const char *name;
    const char *unit; /* "": a word, or a number without one */
    const char *help;
};

struct bench_program {
    const char *name; /* "bench_mpc" */
    const char
        *about; /* what is measured; lines of at most 100 letters, no line's end at the end */
    const struct bench_option *options; /* up to one without a name */
    const struct bench_field *fields;   /* likewise; op and those that flags bring need no row */
    enum {
        BENCH_PROFILE = 1, /* takes --profile international|national, lines have "profile" */
        BENCH_NETWORK = 2, /* its parties go where net-emulate says (place.h) */
        BENCH_LOOPBACK = 4 /* they talk over the loopback that they find */
    } flags;
    void (*more)(void); /* of --help, or NULL */
};

/* Reads the arguments and adopts the profile. False: done, *status is the exit code: 0 after
 * --help; 2 for an argument that is wrong, named in one line on standard error; 14 where
 * net-emulate runs a bench whose parties it does not reach. */
bool bench_begin(int *status, const struct bench_program *program, int argc, char **argv);

/* Of a bench whose arguments say more than its table: what of BENCH_NETWORK and BENCH_LOOPBACK is
 * so with these. As bench_begin(). */
bool bench_reached(int *status, unsigned flags);

/* One line: {"bench":...,"op":op, "profile" and "network" as the flags say, then the format's
 * fields, without a comma in front}. network: the line that net-emulate emulates, or "loopback";
 * not of a bench that uses none. */
void bench_line(const char *op, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What net-emulate emulates, or NULL. */
const char *bench_network(void);

/* For qsort: doubles, ascending. */
int bench_ascending(const void *a, const void *b);

#endif
