/* What nodes say to each other about copies (NODE_MSG_COPY), on their authenticated channels:
 *
 *   u32 length of a header || the header, canonical JSON {"address", "say", ...} || bytes
 *
 *   say      from, to          members beside "address" and "say"       bytes
 *   offer    owner, keeper     readers [alias], size, until
 *   go       keeper, owner     at: what it has                          the next part is awaited
 *   part     owner, keeper     at                                       1 .. COPIES_PART
 *   kept     keeper, owner     receipt: signed
 *   get      reader, keeper    at, owner: alias
 *   data     keeper, reader    at, size                                 1 .. COPIES_PART
 *   drop     owner, keeper
 *   dropped  keeper, owner
 *   key      owner, reader     record: how to open and find it
 *   known    reader, owner
 *   forget   owner, reader
 *   forgot   reader, owner
 *   ask      owner, keeper     who fetched it?
 *   fetches  keeper, owner     list [{"allowed", "by", "first", "last", "times"}]
 *   no       anyone            to: what was said; why: one of copies_no_text()'s
 *
 * "address": base_hash of the box (box.h), hex. Times are unix ms. Each is answered by one other,
 * and a peer has one under way to another, so nothing piles up. Unknown members, other types,
 * numbers outside their range and bytes where there are none are refused here, before anyone looks
 * at them. */
#ifndef FIRMIANA_EXCHANGE_COPIES_MESSAGE_H
#define FIRMIANA_EXCHANGE_COPIES_MESSAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

enum {
    COPIES_PART = 1 << 18,       /* bytes of a box in one message */
    COPIES_HEADER_MAX = 1 << 15, /* bytes of a header */
    COPIES_MESSAGE_MAX = 4 + COPIES_HEADER_MAX + COPIES_PART,
    COPIES_READERS = 16, /* and keepers, of one copy */
    COPIES_ALIAS = 33
};

enum copies_say {
    COPIES_OFFER,
    COPIES_GO,
    COPIES_PART_OF,
    COPIES_KEPT,
    COPIES_GET,
    COPIES_DATA,
    COPIES_DROP,
    COPIES_DROPPED,
    COPIES_KEY,
    COPIES_KNOWN,
    COPIES_FORGET,
    COPIES_FORGOT,
    COPIES_ASK,
    COPIES_FETCHES,
    COPIES_NO,
    COPIES_SAYS
};

/* Why not: a closed list, so that a refusal tells nothing else. */
enum copies_no {
    COPIES_NO_QUOTA,
    COPIES_NO_SIZE,
    COPIES_NO_DISK,
    COPIES_NO_TIME,
    COPIES_NO_STRANGER,
    COPIES_NO_UNKNOWN,
    COPIES_NO_OTHER, /* the bytes that came are not those of the address */
    COPIES_NO_DAMAGED,
    COPIES_NO_BUSY,
    COPIES_NOS
};

struct copies_message {
    enum copies_say say;
    char address[65];
    int64_t at, size, until_ms;
    char owner[COPIES_ALIAS];
    enum copies_no why;
    enum copies_say to;
    json_t *what; /* readers, receipt, record or list: borrowed from `header` or the caller's */
    const uint8_t *bytes; /* borrowed */
    size_t len;
    json_t *header; /* of a parsed one: copies_message_release() */
};

const char *copies_say_name(enum copies_say say);
/* "its quota is used up", ...: for people; it begins after "bank_b: ". */
const char *copies_no_text(enum copies_no why);

/* FM_E_INPUT says what is wrong. bytes must outlive *out. */
fm_status copies_message_parse(struct copies_message *out, const void *bytes, size_t len,
                               struct base_err *err) FM_CHECK;
void copies_message_release(struct copies_message *m);

/* Appends it; m->header is not looked at. */
fm_status copies_message_put(struct base_buf *out, const struct copies_message *m,
                             struct base_err *err) FM_CHECK;

#endif
