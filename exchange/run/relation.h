/* A relation whose rows are secret: what the operators of a query take and give.
 *
 *   shape   `rows` rows, public: a bound that follows from declared sizes. Which of them exist is
 *           the secret bit `valid`; the others hold anything within their columns' ranges.
 *   column  INTEGER, DECIMAL (scaled), DATE: x is ring, as wide as its range. BOOLEAN: x is bits of
 *           width 1. TEXT: x is the 128-bit keyed hash of run.h, for equality, or NULL; and / or
 *           words: its bytes, 7 to a ring element, the first the most significant, padded with
 *           zeros (texts hold none): what is revealed, and compares as the texts do byte by byte.
 *           known: set where it is not NULL; where it is 0, x and words are anything. NULL: never
 *           NULL.
 *           shown: where it is 0 the value was suppressed by a guard, and is NULL too (known is 0):
 *           only so that the recipients can tell. NULL: nothing was.
 *   flags   one bit each, to be revealed with the result (design.md 6.7): what the data broke.
 *
 * Operators change relations in place and consume those that they put into others, so that no
 * column is kept longer than needed. After a failure a relation can still be released. Every
 * operator leaks only rows, bounds, types and ranges, all public; messages are a function of these.
 * Costs in the headers are bytes over all parties of rep3 for n rows, at large n. */
#ifndef FIRMIANA_EXCHANGE_RUN_RELATION_H
#define FIRMIANA_EXCHANGE_RUN_RELATION_H

#include "exchange/run/work.h"

enum { RUN_WORD_BYTES = 7, RUN_MAX_COLUMNS = 1024 };
#define RUN_NONE ((size_t)-1)
#define RUN_WORD_RANGE ((struct mpc_range){0, ((int64_t)1 << 56) - 1})

struct run_column {
    struct mpc_share *x;
    struct mpc_share *known;
    struct mpc_share *shown;
    size_t word_count;
    struct mpc_share **words;
};

enum run_flag {
    RUN_FLAG_REPEATED_KEY, /* a key that is declared unique, or bounded, has more rows */
    RUN_FLAG_SECOND_ROW,   /* of a scalar subquery: the value is then NULL */
    RUN_FLAG_DIVISION_BY_ZERO,
    RUN_FLAG_MORE_GROUPS, /* than the bound: some are missing */
    RUN_FLAGS
};
const char *run_flag_text(enum run_flag flag);

struct run_relation {
    struct mpc_session *session;
    size_t rows;
    struct mpc_share *valid;
    size_t count;
    struct run_column *columns;
    struct mpc_share *flag[RUN_FLAGS]; /* NULL: cannot be */
};

/* No columns yet. Takes valid over: bits of width 1. */
void run_relation_init(struct run_relation *out, struct mpc_share *valid);
void run_relation_release(struct run_relation *r);

/* Appends a column; takes its shares and word array over, also when it fails. */
fm_status run_relation_add(struct run_relation *r, struct run_column column,
                           struct base_err *err) FM_CHECK;
/* Keeps the columns named, in that order; one may stand more than once. Local. */
fm_status run_relation_project(struct run_relation *r, const size_t *columns, size_t count,
                               struct base_err *err) FM_CHECK;
/* A copy of its own. Local. */
fm_status run_relation_copy(struct run_relation *out, const struct run_relation *r,
                            struct base_err *err) FM_CHECK;

/* WHERE: rows where the condition does not hold are no more. condition: bits of width 1, of
 * r->rows elements. 1 round, n / 8 bytes a party. */
fm_status run_filter(struct run_relation *r, const struct mpc_share *condition,
                     struct base_err *err) FM_CHECK;
/* The truth of a BOOLEAN column: x AND known. Held by w. */
struct mpc_share *run_truth(struct run_work *w, const struct run_relation *r, size_t column);

/* UNION ALL: the rows of parts[0], then those of parts[1], ...; consumes the parts. Columns pair up
 * by place, each of one kind; a text gets the words of the longest. Local. */
fm_status run_union_all(struct run_relation *out, struct run_relation *parts, size_t count,
                        struct base_err *err) FM_CHECK;

/* A flag is raised where bit (one element) is set; takes bit over, NULL allowed. 1 round where it
 * stands already. */
void run_raise(struct run_work *w, struct run_relation *r, enum run_flag flag,
               struct mpc_share *bit);

/* Every share of the relation once, for operators that move rows: list[i] may be replaced by other
 * shares of any one length, and run_shares_put() puts those where the old ones stood. */
struct run_shares {
    size_t count;
    struct mpc_share **list;
    size_t slot_count;
    struct mpc_share ***slots; /* where they stand, in the relation */
    size_t *of;                /* slot -> list */
};
fm_status run_shares_get(struct run_shares *out, struct run_relation *r,
                         struct base_err *err) FM_CHECK;
/* Puts them, with new[i] for list[i], frees the old, and releases *shares. */
void run_shares_put(struct run_shares *shares, struct mpc_share **new);
void run_shares_release(struct run_shares *shares);

/* The part of a relation [from, from + n): n >= 1. Local. */
fm_status run_relation_slice(struct run_relation *r, size_t from, size_t n,
                             struct base_err *err) FM_CHECK;

#endif
