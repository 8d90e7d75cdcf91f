#include "exchange/data/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

fm_status data_notes_add(struct data_notes *notes, struct base_err *err, const char *fmt, ...)
{
    char line[256];
    char **grown;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    grown = realloc(notes->items, (notes->count + 1) * sizeof *grown);
    if (grown == NULL)
        return base_err_memory(err, "notes");
    notes->items = grown;
    grown[notes->count] = strdup(line);
    if (grown[notes->count] == NULL)
        return base_err_memory(err, "notes");
    notes->count++;
    return FM_OK;
}

void data_notes_release(struct data_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        free(notes->items[i]);
    free(notes->items);
    memset(notes, 0, sizeof *notes);
}
