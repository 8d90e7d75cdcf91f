#include "did/web.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "did/scid.h"

#define HOST_MAX 253
#define PATH_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* ---- places ---- */

/* Labels of [a-z0-9-], the last one not of digits alone: no IPv4 address; ":" cannot stand in it:
 * no IPv6 address. */
static bool is_host(const char *host, size_t len)
{
    const char *last = host;

    if (len < 1 || len > HOST_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool at_edge = i == 0 || host[i - 1] == '.' || i + 1 == len || host[i + 1] == '.';
        if (host[i] == '\0' || strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", host[i]) == NULL ||
            (at_edge && (host[i] == '-' || host[i] == '.')))
            return false;
        if (host[i] == '.')
            last = host + i + 1;
    }
    if (last[0] == '0' && last[1] == 'x') /* 0x7f000001 */
        return strspn(last + 2, "0123456789abcdef") + 2 < (size_t)(host + len - last);
    return strspn(last, "0123456789") < (size_t)(host + len - last);
}

static bool is_port(const char *port, size_t len)
{
    unsigned n = 0;

    if (len < 1 || len > 5 || port[0] == '0')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (port[i] < '0' || port[i] > '9')
            return false;
        n = n * 10 + (unsigned)(port[i] - '0');
    }
    return n <= 65535;
}

static bool is_segment(const char *segment, size_t len)
{
    if (len < 1 || (len == 1 && segment[0] == '.') || (len == 2 && memcmp(segment, "..", 2) == 0))
        return false;
    return strspn(segment, PATH_CHARS) >= len;
}

static fm_status not_a_place(const char *what, const char *text, struct base_err *err)
{
    return base_err_set(
        err, FM_E_ARG,
        "%s '%.100s': needed are a host name in lower case (no IP address), perhaps "
        "a port, and parts of a path of letters, digits, '.', '-' and '_'",
        what, text);
}

fm_status did_web_address(char out[DID_URL_TEXT], const char *id, struct base_err *err)
{
    size_t host = strcspn(id, "%:"), port = 0;
    const char *rest = id + host;
    int used;

    out[0] = '\0';
    if (strncmp(rest, "%3A", 3) == 0 || strncmp(rest, "%3a", 3) == 0) {
        port = strcspn(rest + 3, ":");
        if (!is_port(rest + 3, port))
            return not_a_place("did:web", id, err);
        rest += 3 + port;
    }
    if (!is_host(id, host) || (*rest != '\0' && *rest != ':') || strlen(id) >= DID_URL_TEXT - 64)
        return not_a_place("did:web", id, err);
    used = snprintf(out, DID_URL_TEXT, "https://%.*s%s%.*s", (int)host, id, port > 0 ? ":" : "",
                    (int)port, id + host + 3 * (port > 0));
    if (*rest == '\0')
        used += snprintf(out + used, DID_URL_TEXT - (size_t)used, "/.well-known");
    while (*rest == ':') {
        size_t len = strcspn(++rest, ":");
        if (!is_segment(rest, len)) {
            out[0] = '\0';
            return not_a_place("did:web", id, err);
        }
        used += snprintf(out + used, DID_URL_TEXT - (size_t)used, "/%.*s", (int)len, rest);
        rest += len;
    }
    (void)snprintf(out + used, DID_URL_TEXT - (size_t)used, "/did.json");
    return FM_OK;
}

fm_status did_web_place(char did[DID_URL_TEXT], char file[DID_URL_TEXT], const char *place,
                        struct base_err *err)
{
    size_t host = strcspn(place, "/"), used = 0;
    char address[DID_URL_TEXT];
    fm_status st;

    if (3 * strlen(place) >= DID_URL_TEXT - 64)
        return not_a_place("place", place, err);
    used = (size_t)snprintf(did, DID_URL_TEXT, "did:web:");
    for (const char *c = place; *c != '\0'; c++) {
        const char *text = c[0] != ':' ? (c[0] == '/' ? ":" : NULL) : "%3A";
        used += (size_t)snprintf(did + used, DID_URL_TEXT - used, "%.*s", text != NULL ? 3 : 1,
                                 text != NULL ? text : c);
    }
    st = did_web_address(address, did + strlen("did:web:"), err);
    if (st != FM_OK)
        return not_a_place("place", place, err);
    (void)snprintf(file, DID_URL_TEXT, "%s/did.json",
                   place[host] == '\0' ? ".well-known" : place + host + 1);
    return FM_OK;
}

/* ---- documents ---- */

fm_status did_web_parse(json_t **out, const char *did, const void *bytes, size_t len,
                        struct base_err *err)
{
    const char *id;
    fm_status st;

    *out = NULL;
    if (len > DID_WEB_DOCUMENT_MAX)
        return base_err_set(err, FM_E_INPUT, "the document is longer than %d bytes",
                            DID_WEB_DOCUMENT_MAX);
    st = base_json_parse(out, bytes, len, err);
    if (st == FM_OK && !json_is_object(*out))
        st = base_err_set(err, FM_E_INPUT, "the document is not a JSON object");
    if (st == FM_OK)
        st = base_json_get_str(&id, *out, "id", err);
    if (st == FM_OK && strcmp(id, did) != 0)
        st = base_err_set(err, FM_E_INPUT, "the document there is that of '%.100s'", id);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

fm_status did_web_export(json_t **out, const struct did_document *doc, const char *did,
                         struct base_err *err)
{
    *out = NULL;
    if (did_document_is_deactivated(doc))
        return base_err_set(err, FM_E_CONFLICT, "%s is deactivated: remove its did:web too",
                            did_document_id(doc));
    *out = did_scid_substitute(did_document_json(doc), did_document_id(doc), did);
    if (*out == NULL || json_object_del(*out, "firmiana") != 0 ||
        json_object_set_new(*out, "alsoKnownAs", json_pack("[s]", did_document_id(doc))) != 0) {
        json_decref(*out);
        *out = NULL;
        return base_err_memory(err, "did:web document");
    }
    return FM_OK;
}
