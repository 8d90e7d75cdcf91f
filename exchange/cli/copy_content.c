#include "exchange/cli/copy_content.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "exchange/copies/box.h"
#include "exchange/copies/copies.h"

#define CONTENT_TYPE "FirmianaSignedCopy"
enum { LINE_MAX_BYTES = 4096 };

/* ---- sealing ---- */

/* The parts of the content, one after the other. */
struct parts {
    struct base_buf line;
    int64_t line_at;
    struct {
        int fd;
        int64_t size, at;
        const char *path;
    } file[2];
};

static fm_status read_parts(void *ctx, void *out, size_t len, struct base_err *err)
{
    struct parts *p = ctx;
    uint8_t *to = out;

    for (; len > 0 && p->line_at < (int64_t)p->line.len; len--)
        *to++ = p->line.p[p->line_at++];
    for (int i = 0; i < 2 && len > 0; i++) {
        int64_t left = p->file[i].size - p->file[i].at;
        size_t n = (int64_t)len < left ? len : (size_t)left;
        if (box_read_at(p->file[i].fd, to, n, p->file[i].at, err) != FM_OK)
            return base_err_prefix(err, "%s", p->file[i].path);
        p->file[i].at += (int64_t)n;
        to += n;
        len -= n;
    }
    return FM_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static fm_status open_parts(struct parts *p, const char *document, const char *signed_file,
                            struct base_err *err)
{
    const char *const paths[2] = {document, signed_file};
    json_t *line;
    fm_status st;

    for (int i = 0; i < 2; i++) {
        struct stat info;
        p->file[i].path = paths[i];
        p->file[i].fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        if (p->file[i].fd < 0 || fstat(p->file[i].fd, &info) != 0)
            return base_err_errno(err, paths[i]);
        if (!S_ISREG(info.st_mode))
            return base_err_set(err, FM_E_ARG, "%s: not a file", paths[i]);
        p->file[i].size = info.st_size;
    }
    line = json_pack("{s:s,s:I,s:s,s:I,s:s,s:I}", "document", base_name(document), "document_size",
                     (json_int_t)p->file[0].size, "signed", base_name(signed_file), "signed_size",
                     (json_int_t)p->file[1].size, "type", CONTENT_TYPE, "version", (json_int_t)1);
    st = line != NULL ? base_json_canonical(&p->line, line, err)
                      : base_err_set(err, FM_E_ARG, "the names of the files are not UTF-8");
    base_buf_put_u8(&p->line, '\n');
    json_decref(line);
    return st == FM_OK ? base_buf_status(&p->line, "content", err) : st;
}

fm_status copy_content_seal(int out, char *name, const char *document, const char *signed_file,
                            const uint8_t key32[32], struct base_err *err)
{
    struct parts p = {.file = {{.fd = -1}, {.fd = -1}}};
    const struct box_source source = {read_parts, &p};
    fm_status st = FM_OK;

    if (!copies_is_name(base_name(document)) || !copies_is_name(base_name(signed_file)))
        st = base_err_set(err, FM_E_ARG,
                          "names of files: up to %d bytes, no control characters, no '.' in front",
                          COPIES_NAME - 1);
    if (st == FM_OK && strcmp(base_name(document), base_name(signed_file)) == 0)
        st = base_err_set(err, FM_E_ARG, "document and signatures have the same name, '%s'",
                          base_name(document));
    if (st == FM_OK)
        st = open_parts(&p, document, signed_file, err);
    if (st == FM_OK)
        st = box_seal(out, &source, (int64_t)p.line.len + p.file[0].size + p.file[1].size, key32,
                      err);
    if (st == FM_OK)
        memcpy(name, base_name(document), strlen(base_name(document)) + 1);
    else if (st == FM_E_LIMIT)
        (void)base_err_prefix(err, "%s", document);
    for (int i = 0; i < 2; i++)
        if (p.file[i].fd >= 0)
            (void)close(p.file[i].fd);
    base_buf_release(&p.line);
    return st;
}

/* ---- opening ---- */

static fm_status collect(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "content", err);
}

/* Which bytes are which. Names are borrowed from *line. */
static fm_status split(json_t **line, const char *names[2], int64_t sizes[2], size_t *at,
                       const struct base_buf *content, struct base_err *err)
{
    static const char *const members[] = {"document", "document_size", "signed", "signed_size",
                                          "type",     "version",       NULL};
    size_t most = content->len < LINE_MAX_BYTES ? content->len : LINE_MAX_BYTES;
    const uint8_t *end = content->len > 0 ? memchr(content->p, '\n', most) : NULL;
    const char *type;
    int64_t version;

    if (end == NULL)
        return base_err_set(err, FM_E_INPUT, "the box holds no signed document");
    *at = (size_t)(end - content->p) + 1;
    if (base_json_parse_canonical(line, content->p, *at - 1, err) != FM_OK ||
        base_json_only(*line, members, err) != FM_OK ||
        base_json_get_str(&type, *line, "type", err) != FM_OK ||
        base_json_get_int(&version, *line, "version", err) != FM_OK ||
        base_json_get_str(&names[0], *line, "document", err) != FM_OK ||
        base_json_get_str(&names[1], *line, "signed", err) != FM_OK ||
        base_json_get_int(&sizes[0], *line, "document_size", err) != FM_OK ||
        base_json_get_int(&sizes[1], *line, "signed_size", err) != FM_OK)
        return err->code;
    if (strcmp(type, CONTENT_TYPE) != 0 || version != 1)
        return base_err_set(err, FM_E_UNSUPPORTED, "the box holds something of a later version");
    if (!copies_is_name(names[0]) || !copies_is_name(names[1]) || strcmp(names[0], names[1]) == 0)
        return base_err_set(err, FM_E_INPUT, "the box has names that no files have");
    if (sizes[0] < 0 || sizes[1] < 0 || sizes[0] > BOX_MAX || sizes[1] > BOX_MAX ||
        sizes[0] + sizes[1] != (int64_t)(content->len - *at))
        return base_err_set(err, FM_E_INPUT, "the box does not hold what it says");
    return FM_OK;
}

void copy_content_remove(const char *document, const char *signed_file, const char *folder)
{
    (void)unlink(document);
    (void)unlink(signed_file);
    (void)rmdir(folder);
}

static fm_status path_of(char *out, const char *folder, const char *name, struct base_err *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX ? FM_OK : base_err_set(err, FM_E_ARG, "%s: too long", folder);
}

static fm_status write_both(char *document, char *signed_file, const char *folder,
                            const struct base_buf *content, struct base_err *err)
{
    const char *names[2];
    int64_t sizes[2];
    json_t *line = NULL;
    size_t at = 0;
    fm_status st = split(&line, names, sizes, &at, content, err);

    if (st == FM_OK)
        st = path_of(document, folder, names[0], err);
    if (st == FM_OK)
        st = path_of(signed_file, folder, names[1], err);
    if (st == FM_OK && mkdir(folder, 0700) != 0)
        st = errno == EEXIST
                 ? base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new folder", folder)
                 : base_err_errno(err, folder);
    else if (st == FM_OK) {
        st = base_file_write(document, content->p + at, (size_t)sizes[0], 0600, err);
        if (st == FM_OK)
            st = base_file_write(signed_file, content->p + at + sizes[0], (size_t)sizes[1], 0600,
                                 err);
        if (st != FM_OK)
            copy_content_remove(document, signed_file, folder);
    }
    json_decref(line);
    return st;
}

fm_status copy_content_open(char *document, char *signed_file, const char *folder, int box,
                            const uint8_t key32[32], struct base_err *err)
{
    struct base_buf content = {0};
    const struct box_sink sink = {collect, &content};
    fm_status st = box_open(&sink, box, key32, err);

    if (st == FM_OK)
        st = write_both(document, signed_file, folder, &content, err);
    base_buf_release_secret(&content);
    return st;
}
