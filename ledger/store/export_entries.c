/* Proofs of single entries, from a ledger that goes on meanwhile. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger/store/export.h"

enum { TRIES = 200 }; /* of 50 ms */

struct keys {
    char **at;
    size_t n;
};

/* "did/DID", and not its history's "did/DID/N". */
static fm_status take_key(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct keys *keys = ctx;
    char **grown;

    (void)value;
    if (strchr(key + 4, '/') != NULL)
        return FM_OK;
    grown = realloc(keys->at, (keys->n + 1) * sizeof *grown);
    if (grown == NULL)
        return base_err_memory(err, "bundle");
    keys->at = grown;
    keys->at[keys->n] = strdup(key);
    return keys->at[keys->n++] != NULL ? FM_OK : base_err_memory(err, "bundle");
}

static fm_status try_until_final(struct ledger_reader *reader, int fd,
                                 const struct ledger_export_options *options,
                                 struct ledger_export_report *report, struct base_err *err)
{
    const struct timespec pause = {0, 50000000};
    off_t begin = lseek(fd, 0, SEEK_CUR);
    fm_status st = FM_E_CONFLICT;

    for (int i = 0; i < TRIES; i++) {
        st = ledger_export_to(reader, fd, options, report, err);
        if (st != FM_E_CONFLICT)
            break;
        if (ftruncate(fd, begin) != 0 || lseek(fd, begin, SEEK_SET) < 0)
            return base_err_errno(err, "bundle");
        (void)nanosleep(&pause, NULL);
    }
    return st;
}

fm_status ledger_export_entries(struct ledger_reader *reader, int fd, const uint8_t ids[][32],
                                size_t n, struct ledger_export_report *report, struct base_err *err)
{
    struct keys keys = {0};
    fm_status st = ledger_reader_list(reader, "did/", take_key, &keys, err);

    if (st == FM_OK) {
        const struct ledger_export_options options = {.compact = LEDGER_EXPORT_COMPACT,
                                                      .txs = ids,
                                                      .n_txs = n,
                                                      .keys = (const char *const *)keys.at,
                                                      .n_keys = keys.n};
        st = try_until_final(reader, fd, &options, report, err);
    }
    for (size_t i = 0; i < keys.n; i++)
        free(keys.at[i]);
    free(keys.at);
    return st;
}
