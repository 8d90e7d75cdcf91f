/* Answers that this member is a recipient of: kept for a while after their query ended, for a
 * caller that had gone, or whose time-out came before the record was final, and for recipients that
 * did not ask. Shown only once the ledger says done.
 *
 * In this process's memory alone, and wiped: a restart forgets them, and so do an hour or
 * ANSWERS_MAX newer ones. Those that nobody waited for are also kept sealed: answers_sealed.h. */
#ifndef FIRMIANA_EXCHANGE_NODE_ANSWERS_H
#define FIRMIANA_EXCHANGE_NODE_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exchange/node/job.h"

enum { ANSWERS_MAX = 64, ANSWERS_MS = 3600 * 1000 };

struct answer {
    struct answer *next;
    char query_hex[65];
    char *text[3]; /* JOB_TABLE, JOB_CSV, JOB_JSON */
    bool done;     /* says the ledger */
    uint64_t height;
    int64_t until_ms;
};

struct answers {
    struct answer *first; /* newest first */
};

/* Copies what the job has for its recipient; nothing if that is nothing, or it is here already. */
void answers_keep(struct answers *answers, const char *query_hex, const struct job_result *result,
                  int64_t now_ms);
/* The query was closed: an answer to one that is not done is wiped. */
void answers_closed(struct answers *answers, const char *query_hex, bool done, uint64_t height,
                    int64_t now_ms);
const struct answer *answers_find(const struct answers *answers, const char *query_hex);
void answers_tick(struct answers *answers, int64_t now_ms);
void answers_release(struct answers *answers);

#endif
