#include "exchange/comet/record.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"

enum { FILE_MAX = 1 << 20 };

fm_status comet_record_open(struct comet_record *r, const char *path, struct base_err *err)
{
    fm_status st = FM_OK;

    *r = (struct comet_record){0};
    (void)snprintf(r->path, sizeof r->path, "%s", path);
    if (access(path, F_OK) == 0)
        st = base_json_load_file(&r->list, path, FILE_MAX, err);
    else
        r->list = json_array();
    if (st == FM_OK && r->list == NULL)
        return base_err_memory(err, path);
    if (st == FM_OK && !json_is_array(r->list))
        st = base_err_set(err, FM_E_CORRUPT, "%s: it is not the list that was written: remove it",
                          path);
    return st;
}

void comet_record_close(struct comet_record *r)
{
    json_decref(r->list);
    *r = (struct comet_record){0};
}

static fm_status save(const struct comet_record *r, struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = base_json_canonical(&text, r->list, err);

    if (st == FM_OK)
        st = base_file_write(r->path, text.p, text.len, 0600, err);
    base_buf_release(&text);
    return st;
}

fm_status comet_record_add(struct comet_record *r, bool *fresh,
                           const struct ledger_abci_misbehavior *what, struct base_err *err)
{
    const json_t *known;
    char address[41];
    json_t *it;
    size_t i;

    *fresh = true;
    base_hex(address, what->what.validator, sizeof what->what.validator);
    it = json_pack("{s:s,s:s,s:s,s:I,s:I}", "member", what->what.member, "address", address, "did",
                   ledger_act_text(what->what.act), "height", (json_int_t)what->what.height,
                   "in_block", (json_int_t)what->in_block);
    if (it == NULL)
        return base_err_memory(err, "misbehavior");
    json_array_foreach(r->list, i, known)
    {
        if (json_equal((json_t *)(uintptr_t)known, it))
            *fresh = false;
    }
    if (!*fresh) {
        json_decref(it);
        return FM_OK;
    }
    if (json_array_size(r->list) >= COMET_RECORDS_MAX)
        (void)json_array_remove(r->list, 0);
    if (json_array_append_new(r->list, it) != 0)
        return base_err_memory(err, "misbehavior");
    return save(r, err);
}
