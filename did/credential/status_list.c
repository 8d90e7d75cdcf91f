#include "did/credential/status_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/json.h"
#include "did/credential/shape.h"
#include "did/moment.h"

#define GZIP_WINDOW (15 + 16)   /* zlib: the largest window, and the header of GZIP */
#define GZIP_ONLY (15 + 16)     /* the same for unpacking: no zlib, no raw deflate */
#define MULTIBASE_BASE64URL 'u' /* without padding */

/* ---- bits ---- */

fm_status credential_bits_make(struct credential_bits *out, size_t count, struct base_err *err)
{
    *out = (struct credential_bits){0};
    if (count % 8 != 0 || count < CREDENTIAL_STATUS_MIN || count > CREDENTIAL_STATUS_MAX)
        return base_err_set(err, FM_E_ARG, "a status list has from %d to %u entries, in eights",
                            CREDENTIAL_STATUS_MIN, CREDENTIAL_STATUS_MAX);
    out->bytes = calloc(count / 8, 1);
    if (out->bytes == NULL)
        return base_err_memory(err, "status list");
    out->count = count;
    return FM_OK;
}

void credential_bits_release(struct credential_bits *bits)
{
    free(bits->bytes);
    *bits = (struct credential_bits){0};
}

bool credential_bits_get(const struct credential_bits *bits, size_t index)
{
    return index < bits->count && (bits->bytes[index / 8] >> (7 - index % 8) & 1) != 0;
}

void credential_bits_set(struct credential_bits *bits, size_t index, bool value)
{
    uint8_t mask = (uint8_t)(1u << (7 - index % 8));

    if (index < bits->count)
        bits->bytes[index / 8] =
            (uint8_t)(value ? bits->bytes[index / 8] | mask : bits->bytes[index / 8] & ~mask);
}

/* ---- text ---- */

fm_status credential_bits_encode(struct base_buf *out, const struct credential_bits *bits,
                                 struct base_err *err)
{
    z_stream z = {0};
    uint8_t *packed;
    size_t cap;
    fm_status st = FM_OK;

    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return base_err_memory(err, "status list");
    cap = deflateBound(&z, (uLong)(bits->count / 8));
    packed = malloc(cap);
    z.next_in = bits->bytes;
    z.avail_in = (uInt)(bits->count / 8);
    z.next_out = packed;
    z.avail_out = (uInt)cap;
    if (packed == NULL || deflate(&z, Z_FINISH) != Z_STREAM_END) {
        st = base_err_memory(err, "status list");
    } else {
        base_buf_put_u8(out, MULTIBASE_BASE64URL);
        base_base64url(out, packed, cap - z.avail_out);
        st = base_buf_status(out, "status list", err);
    }
    (void)deflateEnd(&z);
    free(packed);
    return st;
}

/* Into out->bytes, of MAX / 8 + 1 bytes: the one too many shows a list that is too long. */
static fm_status unpack(struct credential_bits *out, const struct base_buf *packed,
                        struct base_err *err)
{
    const size_t cap = CREDENTIAL_STATUS_MAX / 8 + 1;
    z_stream z = {0};
    int end;

    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return base_err_memory(err, "status list");
    z.next_in = packed->p;
    z.avail_in = (uInt)packed->len;
    z.next_out = out->bytes;
    z.avail_out = (uInt)cap;
    end = inflate(&z, Z_FINISH);
    out->count = 8 * (cap - z.avail_out);
    (void)inflateEnd(&z);
    if (z.avail_out == 0)
        return base_err_set(err, FM_E_INPUT, "encodedList has more than %u entries",
                            CREDENTIAL_STATUS_MAX);
    if (end == Z_MEM_ERROR)
        return base_err_memory(err, "status list");
    if (end != Z_STREAM_END || z.avail_in != 0 || out->count == 0)
        return base_err_set(err, FM_E_INPUT, "encodedList is not GZIP%s",
                            end == Z_STREAM_END ? ": something follows it" : "");
    return FM_OK;
}

fm_status credential_bits_decode(struct credential_bits *out, const char *text,
                                 struct base_err *err)
{
    struct base_buf packed = {0};
    fm_status st;

    *out = (struct credential_bits){0};
    if (text[0] != MULTIBASE_BASE64URL ||
        strlen(text) > CREDENTIAL_STATUS_MAX / 4) /* twice what does not shrink at all */
        return base_err_set(err, FM_E_INPUT, "encodedList must be multibase 'u', at most %u long",
                            CREDENTIAL_STATUS_MAX / 4);
    if (!base_unbase64url(&packed, text + 1, strlen(text) - 1)) {
        base_buf_release(&packed);
        return base_err_set(err, FM_E_INPUT, "encodedList is not base64url without padding");
    }
    out->bytes = malloc(CREDENTIAL_STATUS_MAX / 8 + 1);
    st = out->bytes == NULL ? base_err_memory(err, "status list") : unpack(out, &packed, err);
    base_buf_release(&packed);
    if (st != FM_OK)
        credential_bits_release(out);
    return st;
}

/* ---- credentials ---- */

fm_status credential_status_list(json_t **out, const char *id, const char *issuer,
                                 const char *purpose, const struct credential_bits *bits,
                                 int64_t valid_from_s, struct base_err *err)
{
    struct base_buf text = {0};
    char from[DID_MOMENT_TEXT];
    fm_status st = did_moment_format(from, valid_from_s, err);

    *out = NULL;
    if (st == FM_OK)
        st = credential_bits_encode(&text, bits, err);
    if (st == FM_OK) {
        *out = json_pack("{s:[s], s:s, s:[s,s], s:s, s:s, s:{s:s+, s:s, s:s, s:s}}", "@context",
                         CREDENTIAL_CONTEXT, "id", id, "type", "VerifiableCredential",
                         "BitstringStatusListCredential", "issuer", issuer, "validFrom", from,
                         "credentialSubject", "id", id, "#list", "type", "BitstringStatusList",
                         "statusPurpose", purpose, "encodedList", base_buf_cstr(&text));
        if (*out == NULL)
            st = base_err_memory(err, "status list");
    }
    base_buf_release(&text);
    return st;
}

fm_status credential_status_entry(json_t **out, const char *list_id, const char *purpose,
                                  size_t index, struct base_err *err)
{
    char number[24];

    (void)snprintf(number, sizeof number, "%zu", index);
    *out = json_pack("{s:s++, s:s, s:s, s:s, s:s}", "id", list_id, "#", number, "type",
                     "BitstringStatusListEntry", "statusPurpose", purpose, "statusListIndex",
                     number, "statusListCredential", list_id);
    return *out == NULL ? base_err_memory(err, "credentialStatus") : FM_OK;
}

/* statusListIndex: a decimal number in a string, without sign or leading zeros. */
static fm_status read_index(size_t *out, const json_t *entry, struct base_err *err)
{
    const char *text;
    fm_status st = base_json_get_str(&text, entry, "statusListIndex", err);
    size_t len = st == FM_OK ? strlen(text) : 0;

    *out = 0;
    if (st != FM_OK)
        return st;
    if (len == 0 || len > 9 || strspn(text, "0123456789") != len || (len > 1 && text[0] == '0'))
        return base_err_set(err, FM_E_INPUT, "statusListIndex must be a number in a string");
    *out = (size_t)strtoul(text, NULL, 10);
    return FM_OK;
}

fm_status credential_status_place(const char **list, size_t *index, const json_t *entry,
                                  struct base_err *err)
{
    fm_status st = base_json_get_str(list, entry, "statusListCredential", err);

    *index = 0;
    return st == FM_OK ? read_index(index, entry, err) : st;
}

/* statusPurpose of a list may be several; the entry's must be one of them. */
static bool has_purpose(const json_t *subject, const char *purpose)
{
    const json_t *member = json_object_get(subject, "statusPurpose"), *one;
    size_t i;

    if (json_is_string(member))
        return strcmp(json_string_value(member), purpose) == 0;
    json_array_foreach(member, i, one) if (json_is_string(one) && strcmp(json_string_value(one),
                                                                         purpose) == 0) return true;
    return false;
}

fm_status credential_status_read(bool *set, const json_t *entry, const json_t *list,
                                 struct base_err *err)
{
    struct credential_bits bits;
    const char *purpose, *type, *text;
    json_t *subject;
    size_t index;
    fm_status st;

    *set = true;
    if ((st = base_json_get_str(&purpose, entry, "statusPurpose", err)) != FM_OK ||
        (st = read_index(&index, entry, err)) != FM_OK ||
        (st = base_json_get_object(&subject, list, "credentialSubject", err)) != FM_OK ||
        (st = base_json_get_str(&type, subject, "type", err)) != FM_OK ||
        (st = base_json_get_str(&text, subject, "encodedList", err)) != FM_OK)
        return st;
    if (!credential_has_type(list, "BitstringStatusListCredential") ||
        strcmp(type, "BitstringStatusList") != 0)
        return base_err_set(err, FM_E_INPUT, "the status list is no BitstringStatusListCredential");
    if (json_object_get(entry, "statusSize") != NULL)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "statusSize is not read here: only lists of one bit an entry");
    if (!has_purpose(subject, purpose))
        return base_err_set(err, FM_E_INPUT, "the status list is not for '%.40s'", purpose);
    st = credential_bits_decode(&bits, text, err);
    if (st != FM_OK)
        return st;
    if (bits.count < CREDENTIAL_STATUS_MIN)
        st =
            base_err_set(err, FM_E_INPUT, "the status list has %zu entries; at least %d are needed",
                         bits.count, CREDENTIAL_STATUS_MIN);
    else if (index >= bits.count)
        st = base_err_set(err, FM_E_INPUT, "statusListIndex %zu is outside the list of %zu", index,
                          bits.count);
    else
        *set = credential_bits_get(&bits, index);
    credential_bits_release(&bits);
    return st;
}
