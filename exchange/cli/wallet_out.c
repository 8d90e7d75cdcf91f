#include "exchange/cli/wallet_out.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_any.h"
#include "exchange/cli/common.h"
#include "exchange/cli/credential_files.h"
#include "exchange/wallet/code.h"

enum { PATH_ROOM = 4096 };

static bool ends_with(const char *path, const char *end)
{
    size_t len = strlen(path), n = strlen(end);

    return len > n && strcmp(path + len - n, end) == 0;
}

fm_status wallet_out_check(const struct cli_args *args, struct base_err *err)
{
    const char *image = cli_value(args, "image");

    if (cli_flag(args, "qr") + (image != NULL) + (cli_value(args, "out") != NULL) > 1)
        return base_err_set(err, FM_E_ARG, "--out, --qr and --image: one of them");
    if (image != NULL && !ends_with(image, ".png") && !ends_with(image, ".svg"))
        return base_err_set(err, FM_E_ARG, "--image %s: the name must end with .png or .svg",
                            image);
    return cli_fresh(cli_value(args, "out"), err);
}

static fm_status text_of(struct base_buf *out, const json_t *value, struct base_err *err)
{
    if (!json_is_string(value))
        return base_json_any_canonical(out, value, err);
    base_buf_put_str(out, json_string_value(value));
    return base_buf_status(out, "codes", err);
}

static fm_status on_terminal(const struct wallet_codes *codes, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < codes->count; i++) {
        struct base_buf picture = {0};
        st = wallet_code_terminal(&picture, codes->texts[i], err);
        if (st == FM_OK && codes->count > 1)
            printf("code %zu of %zu\n", i + 1, codes->count);
        if (st == FM_OK)
            printf("%s", base_buf_cstr(&picture));
        base_buf_release_secret(&picture);
    }
    return st;
}

/* "x.png" -> "x.png", or "x-3.png" where there are several. */
static fm_status name_of(char out[PATH_ROOM], const char *path, size_t number, size_t count,
                         struct base_err *err)
{
    int stem = (int)(strlen(path) - 4), n;

    n = count == 1 ? snprintf(out, PATH_ROOM, "%s", path)
                   : snprintf(out, PATH_ROOM, "%.*s-%zu%s", stem, path, number, path + stem);
    return n < PATH_ROOM ? FM_OK : base_err_set(err, FM_E_ARG, "--image: the name is too long");
}

static fm_status as_images(const struct wallet_codes *codes, const char *path, struct base_err *err)
{
    bool svg = ends_with(path, ".svg");
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < codes->count; i++) {
        struct base_buf picture = {0};
        char name[PATH_ROOM];
        st = svg ? wallet_code_svg(&picture, codes->texts[i], err)
                 : wallet_code_png(&picture, codes->texts[i], err);
        if (st == FM_OK)
            st = name_of(name, path, i + 1, codes->count, err);
        if (st == FM_OK)
            st = cli_fresh(name, err);
        if (st == FM_OK)
            st = base_file_write(name, picture.p, picture.len, 0600, err);
        if (st == FM_OK)
            printf("%s: code %zu of %zu\n", name, i + 1, codes->count);
        base_buf_release_secret(&picture);
    }
    return st;
}

fm_status wallet_out_put(const struct cli_args *args, const json_t *value, struct base_err *err)
{
    const char *image = cli_value(args, "image");
    bool qr = cli_flag(args, "qr");
    struct wallet_codes codes = {.count = 0};
    struct base_buf text = {0};
    fm_status st;

    if (!qr && image == NULL)
        return credential_put_out(args, value, err);
    st = text_of(&text, value, err);
    if (st == FM_OK)
        st = wallet_codes_split(&codes, base_buf_cstr(&text),
                                qr ? WALLET_CODE_SMALL : WALLET_CODE_LARGE, err);
    if (st == FM_OK)
        st = qr ? on_terminal(&codes, err) : as_images(&codes, image, err);
    wallet_codes_release(&codes);
    base_buf_release_secret(&text);
    return st;
}
