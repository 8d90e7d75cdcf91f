#include "exchange/cli/lottery_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ledger/proof/log.h"
#include "ledger/proof/lottery.h"

enum { LIST_MAX = 1 << 30 };

void cli_list_release(struct cli_list *l)
{
    base_buf_release(&l->text);
    free(l->at);
}

size_t cli_list_entry_len(const struct cli_list *l, uint32_t i)
{
    size_t len = l->at[i + 1] - l->at[i];

    while (len > 0 && memchr("\r\n", l->text.p[l->at[i] + len - 1], 2) != NULL)
        len--;
    return len;
}

struct entry {
    const uint8_t *text;
    size_t len;
    uint32_t line;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

    if (order == 0)
        order = (x->len > y->len) - (x->len < y->len);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

fm_status cli_list_check_once(const struct cli_list *l, const char *path, struct base_err *err)
{
    struct entry *e = calloc(l->count, sizeof *e);
    fm_status st = FM_OK;

    if (e == NULL)
        return base_err_memory(err, "list");
    for (uint32_t i = 0; i < l->count; i++)
        e[i] = (struct entry){l->text.p + l->at[i], cli_list_entry_len(l, i), i + 1};
    qsort(e, l->count, sizeof *e, compare_entries);
    for (uint32_t i = 1; st == FM_OK && i < l->count; i++)
        if (e[i].len == e[i - 1].len && memcmp(e[i].text, e[i - 1].text, e[i].len) == 0)
            st = base_err_set(err, FM_E_INPUT,
                              "%s: lines %" PRIu32 " and %" PRIu32
                              " are the same entry: strike one, nobody has two chances",
                              path, e[i - 1].line, e[i].line);
    free(e);
    return st;
}

fm_status cli_list_load(struct cli_list *l, const char *path, struct base_err *err)
{
    struct ledger_log log = {0};
    size_t lines = 1;
    uint8_t hash[32];
    fm_status st = base_file_read(&l->text, path, LIST_MAX, err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < l->text.len; i++)
        lines += l->text.p[i] == '\n';
    l->at = calloc(lines + 1, sizeof *l->at);
    if (l->at == NULL)
        return base_err_memory(err, "list");
    for (size_t i = 0; i < l->text.len;) {
        const uint8_t *end = memchr(l->text.p + i, '\n', l->text.len - i);
        size_t next = end != NULL ? (size_t)(end - l->text.p) + 1 : l->text.len;

        l->at[l->count] = i;
        l->at[l->count + 1] = next;
        if (cli_list_entry_len(l, l->count) == 0)
            return base_err_set(err, FM_E_INPUT, "%s: line %lu is empty: an entry is a line", path,
                                (unsigned long)l->count + 1);
        ledger_log_leaf_hash_of(hash, l->text.p + i, cli_list_entry_len(l, l->count));
        ledger_log_append(&log, hash, NULL);
        i = next;
        if (++l->count > LEDGER_LOTTERY_ENTRIES_MAX)
            return base_err_set(err, FM_E_LIMIT, "%s: more than %d entries", path,
                                LEDGER_LOTTERY_ENTRIES_MAX);
    }
    if (l->count == 0)
        return base_err_set(err, FM_E_INPUT, "%s: no entries", path);
    ledger_log_root(l->root, &log);
    return FM_OK;
}
