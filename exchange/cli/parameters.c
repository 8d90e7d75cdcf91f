/* Values of a query's parameters. */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/file.h"
#include "exchange/cli/common.h"

enum { MAX_PARAMETERS = 16, MAX_VALUE = 65536 };

/* A value from a file, without the line's end. */
static fm_status read_value(json_t **out, const char *path, struct base_err *err)
{
    struct base_buf text = {0};
    fm_status st = base_file_read(&text, path, MAX_VALUE, err);
    size_t len = text.len;

    while (len > 0 && (text.p[len - 1] == '\n' || text.p[len - 1] == '\r'))
        len--;
    *out = st == FM_OK ? json_stringn((const char *)text.p, len) : NULL;
    if (st == FM_OK && *out == NULL)
        st = base_err_set(err, FM_E_INPUT, "%s: not valid UTF-8", path);
    base_buf_release_secret(&text);
    return st;
}

/* One of "--param 1=VALUE" and "--param-file 1=PATH". */
static fm_status read_parameter(json_t **values, size_t *n, const char *text, bool from_file,
                                struct base_err *err)
{
    const char *option = from_file ? "param-file" : "param";
    char *end;
    unsigned long k = strtoul(text, &end, 10);

    if (k < 1 || k > MAX_PARAMETERS || *end != '=')
        return base_err_set(err, FM_E_ARG, "--%s must look like 1=%s", option,
                            from_file ? "PATH" : "VALUE");
    if (values[k - 1] != NULL)
        return base_err_set(err, FM_E_ARG, "--%s %lu is given twice", option, k);
    if (from_file && read_value(&values[k - 1], end + 1, err) != FM_OK)
        return err->code;
    if (!from_file)
        values[k - 1] = json_string(end + 1);
    if (values[k - 1] == NULL)
        return base_err_memory(err, "parameters");
    *n = k > *n ? k : *n;
    return FM_OK;
}

fm_status cli_parameters(json_t **out, const struct cli_args *args, struct base_err *err)
{
    json_t *values[MAX_PARAMETERS] = {NULL};
    size_t n = 0;
    const char *text;
    fm_status st = FM_OK;

    *out = json_array();
    for (size_t i = 0; st == FM_OK && (text = cli_value_at(args, "param", i)) != NULL; i++)
        st = read_parameter(values, &n, text, false, err);
    for (size_t i = 0; st == FM_OK && (text = cli_value_at(args, "param-file", i)) != NULL; i++)
        st = read_parameter(values, &n, text, true, err);
    for (size_t k = 0; st == FM_OK && k < n; k++) {
        if (values[k] == NULL)
            st = base_err_set(err, FM_E_ARG, "--param %zu=VALUE is missing", k + 1);
        else if (json_array_append(*out, values[k]) != 0)
            st = base_err_memory(err, "parameters");
    }
    for (size_t k = 0; k < MAX_PARAMETERS; k++)
        json_decref(values[k]);
    return st;
}
