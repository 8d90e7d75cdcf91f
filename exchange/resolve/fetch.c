#include "exchange/resolve/fetch.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

struct answer {
    struct base_buf *out;
    size_t left;
    bool too_long;
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
    struct answer *a = ctx;

    if (size * n > a->left) {
        a->too_long = true;
        return 0;
    }
    a->left -= size * n;
    base_buf_put(a->out, bytes, size * n);
    return a->out->failed ? 0 : size * n;
}

static bool set_up(CURL *e, const struct resolve_fetch *what, struct answer *a, char *why)
{
    bool ok = curl_easy_setopt(e, CURLOPT_URL, what->address) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, what->timeout_ms) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_USERAGENT, "firmiana") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_ERRORBUFFER, why) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEDATA, a) == CURLE_OK;

    if (ok && what->ca_file != NULL)
        ok = curl_easy_setopt(e, CURLOPT_CAINFO, what->ca_file) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    return ok;
}

/* What curl's verdict means here. */
static fm_status say(CURLcode code, long http, const struct resolve_fetch *what,
                     const struct answer *a, const char *why, struct base_err *err)
{
    if (a->out->failed)
        return base_err_memory(err, what->address);
    if (a->too_long)
        return base_err_set(err, FM_E_LIMIT, "%s: longer than %zu bytes", what->address,
                            what->max_len);
    switch (code) {
    case CURLE_OK:
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
        return base_err_set(err, FM_E_NOT_FOUND, "%s: there is no such host", what->address);
    case CURLE_OPERATION_TIMEDOUT:
        return base_err_set(err, FM_E_TIMEOUT, "%s: no whole answer within %ld ms", what->address,
                            what->timeout_ms);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        return base_err_set(err, FM_E_AUTH, "%s: %s", what->address,
                            why[0] != '\0' ? why : curl_easy_strerror(code));
    default:
        return base_err_set(err, FM_E_PEER, "%s: %s", what->address,
                            why[0] != '\0' ? why : curl_easy_strerror(code));
    }
    if (http == 404 || http == 410)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: the server has no such document (%ld)",
                            what->address, http);
    if (http >= 300 && http < 400)
        return base_err_set(err, FM_E_PEER,
                            "%s: the server points elsewhere (%ld), which is not followed",
                            what->address, http);
    if (http != 200)
        return base_err_set(err, FM_E_PEER, "%s: the server answered %ld", what->address, http);
    return FM_OK;
}

fm_status resolve_fetch(struct base_buf *out, const struct resolve_fetch *what,
                        struct base_err *err)
{
    struct answer a = {out, what->max_len, false};
    char why[CURL_ERROR_SIZE] = "";
    long http = 0;
    CURLcode code;
    CURL *e;
    fm_status st;

    if (strncmp(what->address, "https://", 8) != 0)
        return base_err_set(err, FM_E_ARG, "%.100s: only https:// is fetched", what->address);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (e = curl_easy_init()) == NULL)
        return base_err_memory(err, what->address);
    if (!set_up(e, what, &a, why)) {
        /* UNTESTED: needs a libcurl without HTTPS. */
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "this libcurl cannot fetch over HTTPS: install "
                          "Debian's libcurl4");
    } else {
        code = curl_easy_perform(e);
        if (code == CURLE_OK)
            (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &http);
        st = say(code, http, what, &a, why, err);
    }
    curl_easy_cleanup(e);
    return st;
}
