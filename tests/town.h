/* The demo's story up to its first query, in a simulated consortium: data published, two contracts
 * authorized, a subject's consent; and the exact answers, as SQLite gives them. For tests. */
#ifndef FIRMIANA_TESTS_TOWN_H
#define FIRMIANA_TESTS_TOWN_H

#include "tests/consortium.h"

enum { TOWN_USES = 3, TOWN_SETTLE_MS = 90000, TOWN_RUN_MS = 3000000 };

struct town {
    struct consortium c;
    char exposure[65], portfolio[65]; /* contracts */
    char consent[65], nonce[65], subject[24];
    char exposure_answer[128], portfolio_answer[128];
};

/* Saved, so that consortium_restore() comes back to here. */
void town_init(struct town *t);
void town_release(struct town *t);

/* Inside a story: bank_a asks under t->exposure, with the consent, or t->portfolio; the answer's
 * line as CSV. Errors: consortium_call()'s. */
fm_status town_ask(struct town *t, const char *contract, char *line, size_t size,
                   struct base_err *err) FM_CHECK;

#endif
