#include "exchange/cli/signed_files.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "exchange/cli/common.h"

static fm_status threshold_of(void *ctx, size_t *out, const char *did, struct base_err *err)
{
    const struct did_document *doc;
    fm_status st = credential_files_document(&doc, ctx, did, err);

    if (st == FM_OK)
        *out = did_document_threshold(doc);
    return st;
}

struct did_signature_keys signed_files_keys(struct credential_files *files)
{
    return (struct did_signature_keys){files->resolver, threshold_of};
}

fm_status signed_files_save(const char *path, const json_t *record, struct base_err *err)
{
    struct base_buf line = {0};
    fm_status st = base_json_canonical(&line, record, err);

    base_buf_put_u8(&line, '\n');
    if (st == FM_OK)
        st = base_buf_status(&line, path, err);
    if (st == FM_OK)
        st = base_file_write(path, line.p, line.len, 0644, err);
    base_buf_release(&line);
    return st;
}

fm_status signed_files_load(json_t **out, const char *path, struct base_err *err)
{
    struct base_buf text = {0};
    const uint8_t *end;
    fm_status st = base_file_read(&text, path, 64u << 20, err);

    *out = NULL;
    end = st == FM_OK && text.len > 0 ? memchr(text.p, '\n', text.len) : NULL;
    if (st != FM_OK) {
        base_buf_release(&text);
        return st;
    }
    if (end != NULL) {
        st = base_json_parse_canonical(out, text.p, (size_t)(end - text.p), err);
        if (st == FM_OK && end + 1 != text.p + text.len)
            st = base_err_set(err, FM_E_CONFLICT, "anchored already: nothing can be added");
    } else {
        st = base_json_parse(out, base_buf_cstr(&text), text.len, err);
        if (st == FM_OK)
            st = base_err_set(err, FM_E_INPUT, "line 1 does not end: it is cut short");
    }
    if (st != FM_OK) {
        (void)base_err_prefix(err, "%s", path);
        json_decref(*out);
        *out = NULL;
    }
    base_buf_release(&text);
    return st;
}
