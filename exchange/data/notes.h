/* One-line remarks for a person: what was inferred, renamed or left out. Nothing is decided
 * silently. */
#ifndef FIRMIANA_EXCHANGE_DATA_NOTES_H
#define FIRMIANA_EXCHANGE_DATA_NOTES_H

#include <stddef.h>

#include "base/status.h"

/* {0} is an empty list. */
struct data_notes {
    char **items;
    size_t count;
};

/* Adds a line, cut at 255 bytes. FM_E_MEMORY. */
fm_status data_notes_add(struct data_notes *notes, struct base_err *err, const char *fmt, ...)
    FM_PRINTF(3, 4) FM_CHECK;
void data_notes_release(struct data_notes *notes);

#endif
