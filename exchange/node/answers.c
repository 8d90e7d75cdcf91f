#include "exchange/node/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static void answer_free(struct answer *a)
{
    for (int i = 0; i < 3; i++) {
        if (a->text[i] != NULL)
            base_wipe(a->text[i], strlen(a->text[i]));
        free(a->text[i]);
    }
    free(a);
}

static void drop(struct answer **at)
{
    struct answer *a = *at;

    *at = a->next;
    answer_free(a);
}

const struct answer *answers_find(const struct answers *answers, const char *query_hex)
{
    for (const struct answer *a = answers->first; a != NULL; a = a->next)
        if (strcmp(a->query_hex, query_hex) == 0)
            return a;
    return NULL;
}

void answers_keep(struct answers *answers, const char *query_hex, const struct job_result *result,
                  int64_t now_ms)
{
    struct answer **last = &answers->first, *a;
    bool whole = true;

    if (result->text[0] == NULL || answers_find(answers, query_hex) != NULL)
        return;
    a = calloc(1, sizeof *a);
    if (a == NULL)
        return; /* Whoever comes for it is told that it is not here. */
    (void)snprintf(a->query_hex, sizeof a->query_hex, "%s", query_hex);
    a->until_ms = now_ms + ANSWERS_MS;
    for (int i = 0; i < 3; i++) {
        a->text[i] = strdup(result->text[i]);
        whole = whole && a->text[i] != NULL;
    }
    if (!whole) {
        answer_free(a);
        return;
    }
    a->next = answers->first;
    answers->first = a;
    for (int n = 0; *last != NULL && n < ANSWERS_MAX; n++)
        last = &(*last)->next;
    while (*last != NULL)
        drop(last);
}

void answers_closed(struct answers *answers, const char *query_hex, bool done, uint64_t height,
                    int64_t now_ms)
{
    struct answer **at = &answers->first;

    while (*at != NULL && strcmp((*at)->query_hex, query_hex) != 0)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    if (!done) {
        drop(at);
        return;
    }
    (*at)->done = true;
    (*at)->height = height;
    (*at)->until_ms = now_ms + ANSWERS_MS;
}

void answers_tick(struct answers *answers, int64_t now_ms)
{
    struct answer **at = &answers->first;

    while (*at != NULL) {
        if (now_ms >= (*at)->until_ms)
            drop(at);
        else
            at = &(*at)->next;
    }
}

void answers_release(struct answers *answers)
{
    while (answers->first != NULL)
        drop(&answers->first);
}
