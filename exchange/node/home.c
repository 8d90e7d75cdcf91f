#include "exchange/node/home.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { NODE_JSON_MAX = 65536 };

fm_status home_path(char out[HOME_PATH], const char *dir, const char *name, struct base_err *err)
{
    int n = name[0] == '/' ? snprintf(out, HOME_PATH, "%s", name)
                           : snprintf(out, HOME_PATH, "%s/%s", dir, name);

    if (n < 0 || n >= HOME_PATH)
        return base_err_set(err, FM_E_LIMIT, "%s/%s: path is longer than %d bytes", dir, name,
                            HOME_PATH - 1);
    return FM_OK;
}

fm_status home_load(struct home *out, const char *dir, struct base_err *err)
{
    struct base_buf text = {0};
    char path[HOME_PATH];
    fm_status st;

    *out = (struct home){0};
    if (strlen(dir) >= sizeof out->dir)
        return base_err_set(err, FM_E_ARG, "%s: path is longer than %d bytes", dir, HOME_PATH - 1);
    memcpy(out->dir, dir, strlen(dir) + 1);
    if (home_path(path, dir, "node.json", err) != FM_OK)
        return err->code;
    if (access(path, F_OK) != 0)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: not there: make a home with firmiana init",
                            path);
    st = base_file_read_filled(&text, path, NODE_JSON_MAX, err); /* names the path */
    if (st == FM_OK && home_parse(out, (const char *)text.p, text.len, err) != FM_OK)
        st = base_err_prefix(err, "%s", path);
    base_buf_release(&text);
    return st;
}

fm_status home_create(const struct home *home, struct base_err *err)
{
    struct base_buf text = {0};
    char path[HOME_PATH];
    fm_status st;

    if (mkdir(home->dir, 0700) != 0 && errno != EEXIST)
        return base_err_errno(err, home->dir);
    if (home_path(path, home->dir, "node.json", err) != FM_OK)
        return err->code;
    if (access(path, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: this home belongs to a member already", path);
    base_buf_putf(&text, "{\n  \"alias\": \"%s\",\n  \"listen\": \"%s\"", home->alias,
                  home->listen);
    if (home->consensus[0] != '\0')
        base_buf_putf(&text, ",\n  \"consensus\": \"%s\"", home->consensus);
    base_buf_put_str(&text, "\n}\n");
    st = base_buf_status(&text, "node.json", err);
    if (st == FM_OK)
        st = base_file_write(path, text.p, text.len, 0600, err);
    base_buf_release(&text);
    return st;
}
