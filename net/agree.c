#include "net/agree.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "net/seal.h"
#include "net/sm2.h"

/* What a hello begins with: tells it from TLS, whose records begin with 0x16. */
static const uint8_t magic[16] = "firmiana/1 sm2 ";

enum {
    MESSAGE_HEAD = 3, /* type, length */
    PROOF_MAX = 1 + NET_NAME_MAX + NET_SM2_POINT + 1 + NET_SM2_SIGNATURE_MAX + BASE_HASH_SIZE,
    MESSAGE_MAX = NET_SM2_POINT + NET_HEAD + PROOF_MAX + NET_TAG,
};
_Static_assert(sizeof magic + NET_SM2_POINT <= MESSAGE_MAX, "a hello fits too");

enum state { HELLO, PROOF, DONE, OVER };

struct net_agree {
    const struct net_identity *self;
    struct net_agree_judge judge;
    bool dials;
    enum state state;
    EVP_PKEY *ephemeral;
    uint8_t mine33[NET_SM2_POINT];
    uint8_t secret32[32];   /* of the agreement, until done */
    uint8_t exporter32[32]; /* once done */
    struct net_seal to, from;
    struct base_buf in;         /* the peer's bytes, not yet a whole message */
    struct base_buf transcript; /* every message so far, in the clear */
};

fm_status net_agree_new(struct net_agree **out, const struct net_identity *self, bool dials,
                        struct net_agree_judge judge, struct base_err *err)
{
    struct net_agree *a = calloc(1, sizeof *a);
    fm_status st;

    *out = NULL;
    if (a == NULL)
        return base_err_memory(err, "handshake");
    *a = (struct net_agree){.self = self, .judge = judge, .dials = dials};
    st = net_sm2_ephemeral(&a->ephemeral, a->mine33, err);
    if (st == FM_OK)
        *out = a;
    else
        net_agree_free(a);
    return st;
}

void net_agree_free(struct net_agree *a)
{
    if (a == NULL)
        return;
    EVP_PKEY_free(a->ephemeral);
    net_seal_release(&a->to);
    net_seal_release(&a->from);
    base_buf_release(&a->in);
    base_buf_release(&a->transcript);
    base_wipe(a, sizeof *a);
    free(a);
}

bool net_agree_done(const struct net_agree *a)
{
    return a->state == DONE;
}

bool net_agree_begins(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    return len >= MESSAGE_HEAD + sizeof magic && p[0] == NET_AGREE_HELLO &&
           memcmp(p + MESSAGE_HEAD, magic, sizeof magic) == 0;
}

static void put_message(struct base_buf *out, int type, const void *body, size_t len)
{
    base_buf_put_u8(out, (uint8_t)type);
    base_buf_put_u16(out, (uint16_t)len);
    base_buf_put(out, body, len);
}

/* ---- keys ---- */

static fm_status hmac(uint8_t out32[32], const uint8_t key32[32], const void *bytes, size_t len,
                      struct base_err *err)
{
    if (!base_hmac(out32, base_hash_name(), key32, 32, bytes, len))
        return base_err_memory(err, "HMAC"); /* UNTESTED: memory */
    return FM_OK;
}

/* HKDF-Extract of the common point, salted with both ephemeral keys; then what seals each way. */
static fm_status make_keys(struct net_agree *a, const uint8_t theirs33[NET_SM2_POINT],
                           struct base_err *err)
{
    uint8_t hash[32], x[32], to[32], from[32];
    fm_status st = base_buf_status(&a->transcript, "handshake", err);

    base_hash(hash, a->transcript.p, a->transcript.len);
    if (st == FM_OK)
        st = net_sm2_agree(x, a->ephemeral, theirs33, err);
    if (st != FM_OK)
        return st;
    st = hmac(a->secret32, hash, x, sizeof x, err);
    if (st == FM_OK)
        st = net_expand(to, 32, a->secret32, a->dials ? "firmiana dialler" : "firmiana accepter",
                        hash, sizeof hash, err);
    if (st == FM_OK)
        st = net_expand(from, 32, a->secret32, a->dials ? "firmiana accepter" : "firmiana dialler",
                        hash, sizeof hash, err);
    if (st == FM_OK)
        st = net_seal_init(&a->to, NET_SEAL, to, NET_SEAL_BLOCKS, err);
    if (st == FM_OK)
        st = net_seal_init(&a->from, NET_OPEN, from, NET_SEAL_BLOCKS, err);
    base_wipe(x, sizeof x);
    base_wipe(to, sizeof to);
    base_wipe(from, sizeof from);
    EVP_PKEY_free(a->ephemeral);
    a->ephemeral = NULL;
    return st;
}

/* What a side signs: its role, and the hash of the transcript as it stands, which ends with its own
 * name and key. */
static size_t signed_message(uint8_t out[64], const struct net_agree *a, bool by_dialler)
{
    const char *label = by_dialler ? "firmiana/1 dialler" : "firmiana/1 accepter";
    size_t len = strlen(label) + 1;

    memcpy(out, label, len);
    base_hash(out + len, a->transcript.p, a->transcript.len);
    return len + 32;
}

/* The MAC over the transcript, which ends with that side's signature. */
static fm_status finished(uint8_t out32[32], const struct net_agree *a, bool by_dialler,
                          struct base_err *err)
{
    uint8_t key[32], hash[32];
    fm_status st = net_expand(
        key, sizeof key, a->secret32,
        by_dialler ? "firmiana finished dialler" : "firmiana finished accepter", NULL, 0, err);

    base_hash(hash, a->transcript.p, a->transcript.len);
    if (st == FM_OK)
        st = hmac(out32, key, hash, sizeof hash, err);
    base_wipe(key, sizeof key);
    return st;
}

/* No more of the handshake: the exporter's secret stays. */
static fm_status finish(struct net_agree *a, struct base_err *err)
{
    uint8_t hash[32];
    fm_status st;

    base_hash(hash, a->transcript.p, a->transcript.len);
    st = net_expand(a->exporter32, 32, a->secret32, "firmiana exporter", hash, sizeof hash, err);
    base_wipe(a->secret32, sizeof a->secret32);
    base_buf_release(&a->transcript);
    a->state = DONE;
    return st;
}

fm_status net_agree_export(const struct net_agree *a, uint8_t out32[32], const char *label,
                           const uint8_t context32[32], struct base_err *err)
{
    assert(a->state == DONE);
    return net_expand(out32, 32, a->exporter32, label, context32, 32, err);
}

/* ---- sending ---- */

/* A message with a sealed plaintext, and something in the clear before it. */
static fm_status put_sealed(struct net_agree *a, struct base_buf *out, int type, const void *clear,
                            size_t clear_len, const void *plain, size_t len, struct base_err *err)
{
    const struct net_head head = {
        .kind = NET_KIND_SEALED, .type = (uint8_t)type, .len = (uint32_t)len};
    uint8_t body[MESSAGE_MAX];
    fm_status st;

    assert(clear_len + NET_HEAD + len + NET_TAG <= sizeof body);
    if (clear_len > 0)
        memcpy(body, clear, clear_len);
    st = net_seal_frame(&a->to, body + clear_len, &head, plain, err);
    if (st == FM_OK)
        put_message(out, type, body, clear_len + NET_HEAD + len + NET_TAG);
    return st;
}

/* Who we are, proved: appended to the transcript and sealed. */
static fm_status put_proof(struct net_agree *a, struct base_buf *out, int type, const void *clear,
                           size_t clear_len, struct base_err *err)
{
    const char *name = net_identity_name(a->self);
    uint8_t message[64], signature[NET_SM2_SIGNATURE_MAX], mac[32];
    size_t from = a->transcript.len, len = 0;
    fm_status st;

    base_buf_put_u8(&a->transcript, (uint8_t)strlen(name));
    base_buf_put_str(&a->transcript, name);
    base_buf_put(&a->transcript, net_identity_key(a->self), NET_SM2_POINT);
    st = base_buf_status(&a->transcript, "handshake", err);
    if (st == FM_OK)
        st = net_sm2_sign(signature, &len, net_identity_pkey(a->self), message,
                          signed_message(message, a, a->dials), err);
    base_buf_put_u8(&a->transcript, (uint8_t)len);
    base_buf_put(&a->transcript, signature, len);
    if (st == FM_OK)
        st = base_buf_status(&a->transcript, "handshake", err);
    if (st == FM_OK)
        st = finished(mac, a, a->dials, err);
    base_buf_put(&a->transcript, mac, sizeof mac);
    if (st == FM_OK)
        st = base_buf_status(&a->transcript, "handshake", err);
    return st != FM_OK ? st
                       : put_sealed(a, out, type, clear, clear_len, a->transcript.p + from,
                                    a->transcript.len - from, err);
}

/* ---- receiving ---- */

static fm_status malformed(struct base_err *err, const char *what)
{
    return base_err_set(err, FM_E_PEER, "handshake: %s", what);
}

/* Opens a sealed plaintext of at most PROOF_MAX bytes. */
static fm_status open_sealed(struct net_agree *a, uint8_t plain[PROOF_MAX], size_t *len, int type,
                             const uint8_t *frame, size_t frame_len, struct base_err *err)
{
    struct net_head head;

    if (net_head_read(&head, frame, frame_len, err) != FM_OK || head.kind != NET_KIND_SEALED ||
        head.type != type || head.stream != 0 || head.session != 0 || head.len > PROOF_MAX)
        return malformed(err, "a message is not of the form that it must have");
    *len = head.len;
    if (net_seal_open(&a->from, plain, frame, &head, err) != FM_OK)
        return malformed(err, "a message does not open: altered, or not for this handshake");
    return FM_OK;
}

/* name and key to the transcript, then signature and MAC checked against it, then the judge. */
static fm_status take_proof(struct net_agree *a, int type, const uint8_t *frame, size_t frame_len,
                            struct base_err *err)
{
    uint8_t plain[PROOF_MAX], key[NET_KEY], message[64], mac[32];
    char name[NET_NAME_MAX + 1] = "";
    const uint8_t *text, *signature, *given;
    size_t len, name_len, signature_len;
    struct base_cur cur;
    fm_status st = open_sealed(a, plain, &len, type, frame, frame_len, err);

    if (st != FM_OK)
        return st;
    cur = base_cur_make(plain, len);
    name_len = base_cur_u8(&cur);
    text = base_cur_take(&cur, name_len);
    base_cur_copy(&cur, key, NET_SM2_POINT);
    base_buf_put(&a->transcript, plain, cur.bad ? 0 : len - cur.left);
    signature_len = base_cur_u8(&cur);
    signature = base_cur_take(&cur, signature_len);
    given = base_cur_take(&cur, sizeof mac);
    if (cur.bad || cur.left > 0 || name_len > NET_NAME_MAX || memchr(text, '\0', name_len) != NULL)
        return malformed(err, "a proof is not of the form that it must have");
    memcpy(name, text, name_len);
    st = base_buf_status(&a->transcript, "handshake", err);
    if (st == FM_OK)
        st = net_sm2_verify(key, signature, signature_len, message,
                            signed_message(message, a, !a->dials), err);
    base_buf_put(&a->transcript, signature - 1, 1 + signature_len);
    if (st == FM_OK)
        st = base_buf_status(&a->transcript, "handshake", err);
    if (st == FM_OK)
        st = finished(mac, a, !a->dials, err);
    if (st == FM_OK && !base_equal(mac, given, sizeof mac))
        st = base_err_set(err, FM_E_AUTH, "the peer's handshake is not the one here");
    base_buf_put(&a->transcript, given, sizeof mac);
    if (st == FM_OK)
        st = base_buf_status(&a->transcript, "handshake", err);
    return st == FM_OK ? a->judge.accept(a->judge.ctx, name, key, err) : st;
}

static fm_status take_hello(struct net_agree *a, const uint8_t *body, size_t len,
                            struct base_buf *out, struct base_err *err)
{
    fm_status st;

    if (len != sizeof magic + NET_SM2_POINT || memcmp(body, magic, sizeof magic) != 0)
        return malformed(err, "not a hello of this protocol");
    put_message(&a->transcript, NET_AGREE_HELLO, body, len);
    base_buf_put(&a->transcript, a->mine33, sizeof a->mine33);
    st = make_keys(a, body + sizeof magic, err);
    if (st == FM_OK)
        st = put_proof(a, out, NET_AGREE_ANSWER, a->mine33, sizeof a->mine33, err);
    a->state = PROOF;
    return st;
}

static fm_status take_answer(struct net_agree *a, const uint8_t *body, size_t len,
                             struct base_buf *out, struct base_err *err)
{
    fm_status st;

    if (len < NET_SM2_POINT + NET_HEAD + NET_TAG)
        return malformed(err, "an answer that is cut off");
    base_buf_put(&a->transcript, body, NET_SM2_POINT);
    st = make_keys(a, body, err);
    if (st == FM_OK)
        st = take_proof(a, NET_AGREE_ANSWER, body + NET_SM2_POINT, len - NET_SM2_POINT, err);
    if (st == FM_OK)
        st = put_proof(a, out, NET_AGREE_PROOF, NULL, 0, err);
    return st == FM_OK ? finish(a, err) : st;
}

static fm_status take_refusal(struct net_agree *a, const uint8_t *body, size_t len,
                              struct base_err *err)
{
    uint8_t plain[PROOF_MAX];
    size_t n;
    fm_status st = open_sealed(a, plain, &n, NET_AGREE_REFUSAL, body, len, err);

    return st != FM_OK ? st : base_err_set(err, FM_E_PEER, "handshake: the peer refused this node");
}

static fm_status take_message(struct net_agree *a, int type, const uint8_t *body, size_t len,
                              struct base_buf *out, struct base_err *err)
{
    bool keyed = a->to.ctx != NULL;
    fm_status st;

    if (type == NET_AGREE_REFUSAL && keyed)
        return take_refusal(a, body, len, err);
    if (type == NET_AGREE_HELLO && !a->dials && a->state == HELLO)
        return take_hello(a, body, len, out, err);
    if (type == NET_AGREE_ANSWER && a->dials && a->state == HELLO)
        return take_answer(a, body, len, out, err);
    if (type != NET_AGREE_PROOF || a->dials || a->state != PROOF)
        return malformed(err, "a message that does not belong here: is the peer of this profile?");
    st = take_proof(a, NET_AGREE_PROOF, body, len, err);
    return st == FM_OK ? finish(a, err) : st;
}

fm_status net_agree_step(struct net_agree *a, const void *in, size_t len, struct base_buf *out,
                         struct base_err *err)
{
    struct base_err second = {0};
    fm_status st;

    if (a->dials && a->state == HELLO && a->transcript.len == 0) {
        uint8_t hello[sizeof magic + NET_SM2_POINT];

        memcpy(hello, magic, sizeof magic);
        memcpy(hello + sizeof magic, a->mine33, NET_SM2_POINT);
        put_message(&a->transcript, NET_AGREE_HELLO, hello, sizeof hello);
        base_buf_put(out, a->transcript.p, a->transcript.len);
    }
    base_buf_put(&a->in, in, len);
    st = base_buf_status(&a->in, "handshake", err);
    while (st == FM_OK && a->in.len >= MESSAGE_HEAD) {
        size_t body = (size_t)a->in.p[1] << 8 | a->in.p[2], whole = MESSAGE_HEAD + body;

        if (a->state == OVER || body > MESSAGE_MAX || a->in.p[0] > NET_AGREE_REFUSAL)
            st = malformed(err, "not a message of this protocol: is the peer's profile national?");
        else if (a->in.len < whole)
            break;
        else
            st = take_message(a, a->in.p[0], a->in.p + MESSAGE_HEAD, body, out, err);
        if (st == FM_OK) {
            memmove(a->in.p, a->in.p + whole, a->in.len - whole);
            a->in.len -= whole;
        }
    }
    if (st == FM_E_AUTH && a->to.ctx != NULL) /* let the peer know that, and nothing more */
        (void)!put_sealed(a, out, NET_AGREE_REFUSAL, NULL, 0, NULL, 0, &second);
    if (st != FM_OK)
        a->state = OVER;
    return st == FM_OK ? base_buf_status(out, "handshake", err) : st;
}
