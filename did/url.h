/* DIDs and DID URLs as text: W3C DID Core 1.0, sections 3.1 and 3.2.
 *
 *   did:METHOD:ID [/PATH] [?QUERY] [#FRAGMENT]
 *
 * METHOD is [a-z0-9]+; ID is of letters, digits, ".", "-", "_" and %XX, in parts between ":" of
 * which only the last must not be empty. Path, query and fragment are RFC 3986's. What a method
 * makes of its ID is the method's. */
#ifndef FIRMIANA_DID_URL_H
#define FIRMIANA_DID_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define DID_URL_TEXT 2049 /* the longest one, with the closing NUL */

/* The parts, each with a closing NUL; what is not there is NULL. All point into text. */
struct did_url {
    char text[2 * DID_URL_TEXT];
    const char *did;      /* "did:METHOD:ID" */
    const char *method;   /* "key" */
    const char *id;       /* "z6Mk...": behind the method's ":" */
    const char *path;     /* without the "/" before it */
    const char *query;    /* without the "?" */
    const char *fragment; /* without the "#" */
};

/* FM_E_ARG names what is wrong, and where. */
fm_status did_url_parse(struct did_url *out, const char *text, struct base_err *err) FM_CHECK;

/* The value of a parameter of the query (name=value, between "&"), with its %XX decoded.
 * *out is "" if it is not there. FM_E_ARG: it stands there twice, is longer than cap - 1, or
 * decodes to a control character. */
fm_status did_url_parameter(char *out, size_t cap, const struct did_url *url, const char *name,
                            struct base_err *err) FM_CHECK;
/* The first parameter whose name is none of the NULL-terminated list, in out; "" if there is none.
 */
void did_url_other_parameter(char out[64], const struct did_url *url, const char *const *names);

/* text[0..len) with its %XX decoded. False if an escape is cut, a control character comes out of
 * it, or it does not fit into cap with a closing NUL. */
bool did_url_unescape(char *out, size_t cap, const char *text, size_t len) FM_CHECK;

#endif
