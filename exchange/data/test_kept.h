/* What the files of test_kept share. */
#ifndef FIRMIANA_EXCHANGE_DATA_TEST_KEPT_H
#define FIRMIANA_EXCHANGE_DATA_TEST_KEPT_H

#include <stdint.h>

#include "base/json.h"
#include "exchange/data/changes.h"
#include "exchange/data/kept.h"

enum { ROWS = 40, VERSIONS = 8 };

/* What was published. */
struct version {
    uint8_t root[32];
    json_t *proof[ROWS];
};
extern struct version kept_made[VERSIONS + 1];

void kept_start(void); /* with a new table of 20 rows and nothing kept */
void kept_edit(const char *sql);
/* Random edits: changed, removed, added, moved. */
void kept_edit_randomly(unsigned round);
struct data_changes kept_publish(uint64_t number, const uint8_t *before32, uint8_t root32[32]);
/* Edited between them, into kept_made; the first is the table as it is. */
void kept_publish_all(uint64_t versions);
/* Of the table as it is. */
json_t *kept_prove_now(uint64_t number, uint64_t row);
/* Of what is kept of kept_made[number]. */
json_t *kept_prove(uint64_t number, uint64_t row);
void kept_not(const uint8_t root32[32], const char *why);

/* Tests. */
void kept_what_was_refused(void **state);
void kept_several_on_their_way(void **state);
void kept_asked_for_again(void **state);
void kept_behind_the_ledger(void **state);
void kept_forgotten_with_the_refused(void **state);

#endif
