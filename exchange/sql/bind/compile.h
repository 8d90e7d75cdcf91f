/* From text to plan: what a contract says goes in, checked, typed and with its uses known. */
#ifndef FIRMIANA_EXCHANGE_SQL_BIND_COMPILE_H
#define FIRMIANA_EXCHANGE_SQL_BIND_COMPILE_H

#include "exchange/sql/plan/plan.h"

/* What a contract (or a command line) says beside the SQL text. */
struct sql_param_decl {
    const char *type;  /* "INTEGER", ...; NULL: from context */
    const char *least; /* both NULL: the type's own range */
    const char *greatest;
    bool hidden;
};

struct sql_request {
    const char *text;
    size_t len;
    const struct sql_catalog *catalog;
    const char *const *recipients; /* aliases; at least one */
    size_t recipient_count;
    int64_t minimum; /* of distinct subjects of others; 1: no guard (consent governs) */
    const struct sql_param_decl *params; /* $1, $2, ...; may be fewer than the text uses */
    size_t param_count;
};

/* Compiles text to a logical plan. Errors, each with its place: FM_E_INPUT (not SQL, wrong types),
 * FM_E_NOT_FOUND (unknown table or column, with the nearest name), FM_E_UNSUPPORTED (what to write
 * instead), FM_E_LIMIT (a value could leave 64 bits: which range to narrow, and to what),
 * FM_E_REFUSED (the guard can't be met). The caller releases *out; it borrows nothing. */
fm_status sql_plan_compile(struct sql_plan *out, const struct sql_request *request,
                           struct base_err *err) FM_CHECK;

#endif
