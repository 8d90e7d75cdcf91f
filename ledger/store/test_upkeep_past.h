/* A town with a past, for the tests of upkeep.h: its replica is past_path, in past_folder. */
#ifndef FIRMIANA_LEDGER_TEST_UPKEEP_PAST_H
#define FIRMIANA_LEDGER_TEST_UPKEEP_PAST_H

#include "ledger/store/test_town.h"

extern struct base_err past_err;
extern char past_folder[64], past_path[96], past_backup[96], past_other[96], past_bundle[96];
extern struct town past_town;
extern json_t *past_contract;
extern struct town_id past_open_query, past_closed_query;

/* Fails the test unless all is well, or it is this error with this text. */
void past_must(fm_status st);
void past_must_say(fm_status st, fm_status want, const char *text);

/* Around a group of tests. */
int past_make_folder(void **state);
int past_remove_folder(void **state);

/* Datasets, a contract, consents, one query that is closed and one that is not, refusals, a vote, a
 * new key; then three days, in which ids are forgotten; the newest block is final. */
void past_begin(void);
void past_end(void);
void past_publish(int who, int64_t version);
void past_cosign(void);

/* past_backup, of the town as it is. */
void past_make_backup(void);
/* No half files are left. */
void past_clean(void);
fm_status past_check_file(const char *file);

#endif
