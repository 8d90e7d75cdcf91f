/* The embedded engine: what makes several replicas (chain.h) one ledger. One member's node
 * sequences; all others follow, execute each block themselves and cosign the state after it. A
 * state is final once `quorum` members cosigned it (format.md section 7). For one machine or a
 * pilot: when the sequencer's node is gone, progress stops (nothing is lost), and the engine says
 * so, until the members hand over to another (epoch.h, engine_epoch.c).
 *
 * A step machine: messages, time and submissions go in; messages and events come out through
 * callbacks, before the call returns. No sockets, threads, clock or randomness of its own. One
 * thread, the chain's. Callbacks must not call back into the engine.
 *
 * What it trusts. Channels authenticate who sent a message; nothing else is believed unsigned,
 * except that blocks come from the sequencer and are executed in the order of their heights. A
 * sequencer can delay or leave out transactions (its submitters see that), and can hand different
 * blocks to different members: then no two such states are both final (if 2 quorum > members + 1
 * and it alone lies), every member that sees both of its signatures keeps them and stops.
 *
 * States (ledger_engine_state() derives them; only `forked` is remembered, on disk, as evidence):
 *
 *   state     means                                      leaves it by
 *   settled   our head is final                          a block -> pending
 *   pending   our head is not final yet: our cosignature  quorum of cosignatures -> settled
 *             is out, others' are awaited
 *   behind    the sequencer, or a final checkpoint, is    blocks executed -> pending, settled
 *             beyond our head
 *   forked    signed proof that two histories exist, one  never: people decide (new replica)
 *             of them ours
 *
 * and what happens on which message, in each (engine_step.c has this table in code):
 *
 *   message      settled            pending            behind            forked
 *   submit       pool it (the sequencer; others refuse it)               -
 *   receipt      note it in the outbox                                   -
 *   block        execute, cosign    as settled (1)     execute if next   -
 *   checkpoint   check, answer if   collect            remember          keep as evidence
 *                the sender lacks finality
 *   head         note; send what the sender lacks; ask for what we lack  note
 *   want         send blocks        send blocks        send blocks       -
 *   blocks       execute those that follow our head                      -
 *   epoch        keep it, pass it on; promise, or take over, when due    -
 *
 *   (1) the sequencer made it after our head became final, which we have not heard yet.
 *
 * Invariants, asserted after every call (engine_check()):
 *   G1  we execute a block only at height head + 1, and unless we made it, only from the sequencer;
 *       but from anybody if they are proven to lead to a state that a quorum signed (catching up),
 *       and the first block of a later epoch, which may take back blocks of ours that are not
 * final; G2  we cosign only the state that our own replica has reached and committed; G3  the
 * sequencer makes a block only when its head is final: it is never more than one block ahead of
 * finality (but for the block that opens its epoch); G4  the final size never falls, and never
 * exceeds the head's; G5  after proof of a fork we execute, make and cosign nothing; G6  all queues
 * are bounded; E1 to E4 of epoch.h, when sequencers change.
 *
 * Proof of a fork that stops us: a valid cosignature by the sequencer that contradicts our log
 * (format.md section 7), or such ones by so many members that ours could no longer reach the
 * quorum. By fewer others: they are kept, reported as LEDGER_ENGINE_ACCUSED, and we go on: one
 * member's lie must not stop everybody.
 *
 * Block time. The sequencer stamps blocks with its clock, never earlier than any time it has told
 * (`now` in head messages) and strictly rising. A follower executes a block only if
 *   S1  its time is not more than skew_ms ahead of our clock, and
 *   S2  its time is not more than skew_ms before the newest `now` that the sequencer told us on
 * this channel while it stood at our height, if that `now` was itself within skew_ms of our clock,
 * so neither a wrong clock nor a backdated block passes, and yet a block that the network held up
 * for a minute does. Neither holds for blocks that a quorum has already made final: catching up and
 * replay trust the quorum. The sequencer makes blocks only while so many peers that with itself
 * they are a quorum have told it a `now` within skew_ms of its own on their present channels, which
 * also keeps it from going on alone after a restart.
 *
 * Cost. A transaction that a follower submits is final at its submitter after 3 message delays
 * (submit, block, cosignatures). n members exchange n - 1 block messages and (n - 1)^2 checkpoint
 * messages a block when nothing is lost, and n (n - 1) head messages a heartbeat. Each node commits
 * to disk twice a block (the block, the quorum's cosignatures). */
#ifndef FIRMIANA_LEDGER_ENGINE_H
#define FIRMIANA_LEDGER_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/proof/checkpoint.h"
#include "ledger/store/chain.h"

struct ledger_engine;

/* The time at a call. mono_ms never goes back and paces things; unix_ms stamps and judges blocks.
 */
struct ledger_now {
    int64_t unix_ms;
    int64_t mono_ms;
};

enum ledger_engine_event_kind {
    LEDGER_ENGINE_FINAL,  /* height and size are final now */
    LEDGER_ENGINE_RESULT, /* a submission of ours ended: id, outcome, height (0: not on the log) */
    LEDGER_ENGINE_BEHIND, /* size (of a final state, or told by the sequencer) is beyond our head */
    LEDGER_ENGINE_FORKED, /* proof of a fork: the engine has stopped; text says which heights */
    LEDGER_ENGINE_ACCUSED, /* `alias` signed what contradicts our log; kept; we go on */
    LEDGER_ENGINE_SILENT,  /* `alias`, the sequencer, was last heard silent_ms ago; repeated */
    LEDGER_ENGINE_HEARD, /* ... and now it is back; or `alias` whose clock was off is right again */
    LEDGER_ENGINE_SKEW,  /* a clock is wrong: a block was held back, or `alias` is off */
    LEDGER_ENGINE_WAITING, /* a transaction of another member waits for a block of ours: outcome, tx
                            */
    LEDGER_ENGINE_HANDOVER, /* a change of the sequencer, to `alias`, has come further, or cannot */
    LEDGER_ENGINE_EPOCH,    /* `alias` sequences from block `height` on */
};

/* Lent for the call. text is one line for people, always there. */
struct ledger_engine_event {
    enum ledger_engine_event_kind kind;
    uint64_t height, size;
    const char *alias;
    int64_t silent_ms;
    const uint8_t *id;                    /* RESULT: 32 bytes */
    const struct ledger_outcome *outcome; /* RESULT; LEDGER_DROPPED also when it expired. WAITING */
    const void *tx;                       /* WAITING: its bytes */
    size_t tx_len;
    const char *text;
};

struct ledger_engine_callbacks {
    /* Cosigns with the member's current assertionMethod key: ledger_cosign(). An error ends the
     * step that needed it and is returned by it. */
    fm_status (*cosign)(void *ctx, struct ledger_cosignature *out,
                        const struct ledger_checkpoint *checkpoint, int64_t time_s,
                        struct base_err *err);
    /* Adds the member's proof to a transaction, with the same key: ledger_tx_sign(). */
    fm_status (*sign)(void *ctx, json_t *tx, int64_t time_s, struct base_err *err);
    /* Sends bytes to a member whose channel is up; may lose them. Must not fail or block. */
    void (*send)(void *ctx, const char *alias, const void *bytes, size_t len);
    void (*event)(void *ctx, const struct ledger_engine_event *event);
    void *ctx;
    /* Not NULL: others order this ledger, and blocks come from them (external.h). Hands them a
     * transaction of this node; ledger_engine_told() takes what they say to it. Must not block. */
    void (*broadcast)(void *ctx, const uint8_t id[32], const void *tx, size_t len);
};

struct ledger_engine_params {
    int64_t interval_ms;  /* the sequencer's least time between blocks */
    int64_t resend_ms;    /* what got no answer is sent again; doubles up to heartbeat_ms */
    int64_t heartbeat_ms; /* head messages */
    int64_t silence_ms;   /* when to say that the sequencer is silent */
    int64_t skew_ms;      /* S1, S2 */
    size_t block_txs;     /* no more in one block than this; 0: the ledger's own limit */
    size_t pool_txs;      /* candidates of one member at the sequencer */
    size_t pool_bytes;
    size_t outbox_txs; /* submissions of this node that wait */
};

/* 2, 200, 1000, 5000, 5000; 0, 4096, 16 MiB, 8192. */
struct ledger_engine_params ledger_engine_defaults(void);

/* An engine for the member `alias` over its replica, which is lent until ledger_engine_free() and
 * must not be written by others meanwhile. params may be NULL (the defaults). Takes up where the
 * replica stands, whatever happened before. Errors: FM_E_NOT_FOUND (no such member; under
 * external.h it follows until it is one), FM_E_ARG (a parameter out of range), FM_E_IO,
 * FM_E_MEMORY. */
fm_status ledger_engine_new(struct ledger_engine **out, struct ledger_chain *chain,
                            const char *alias, const struct ledger_engine_callbacks *callbacks,
                            const struct ledger_engine_params *params,
                            struct base_err *err) FM_CHECK;
void ledger_engine_free(struct ledger_engine *engine); /* NULL is allowed */

/* ---- Steps. Errors, of all of them: FM_E_PEER (from misbehaved: named, the message was dropped,
 * the engine is well; who counts such errors may close the channel); anything else is the world's
 * (disk, memory, signer): the replica stands at a whole block, the step may be repeated. ---- */

/* A message came from this member's channel. */
fm_status ledger_engine_receive(struct ledger_engine *engine, const char *from, const void *bytes,
                                size_t len, struct ledger_now now, struct base_err *err) FM_CHECK;

/* Time passed. Call it at least when ledger_engine_wait() says. */
fm_status ledger_engine_tick(struct ledger_engine *engine, struct ledger_now now,
                             struct base_err *err) FM_CHECK;

/* How many milliseconds after now_mono_ms tick has something to do; 0: now. */
int64_t ledger_engine_wait(const struct ledger_engine *engine, int64_t now_mono_ms);

/* Hands in a canonical, signed transaction of this member (or one that it relays). FM_OK: it is on
 * its way, and LEDGER_ENGINE_RESULT will say what became of it (possibly before this returns, when
 * it is final already). *outcome, never NULL: what our replica expects: its id, and ok or refused
 * with the rule; a refusal is sent too, it belongs on the log. Errors: FM_E_REFUSED (it would be
 * dropped: outcome->detail), FM_E_LIMIT (too many wait), FM_E_CONFLICT (the engine has stopped, or
 * this one waits already: then its one result event answers both). */
fm_status ledger_engine_submit(struct ledger_engine *engine, struct ledger_outcome *outcome,
                               const void *tx, size_t len, struct ledger_now now,
                               struct base_err *err) FM_CHECK;

/* Hands in an approval (an `epoch.approve` transaction, signed by officers: of this member or of
 * any other): it is checked, kept, and told to all. Errors: FM_E_REFUSED (it does not count: by
 * whom, for which epoch), FM_E_INPUT, FM_E_CONFLICT (that member has approved another, later; or
 * the engine has stopped). */
fm_status ledger_engine_approve(struct ledger_engine *engine, const void *tx, size_t len,
                                struct ledger_now now, struct base_err *err) FM_CHECK;

/* A channel to this member opened (again: everything known of the one before is forgotten), or
 * closed. Members alone; FM_E_LIMIT beyond 256 names. */
fm_status ledger_engine_peer_up(struct ledger_engine *engine, const char *alias,
                                struct ledger_now now, struct base_err *err) FM_CHECK;
void ledger_engine_peer_down(struct ledger_engine *engine, const char *alias);

/* ---- Views ---- */

enum ledger_engine_state {
    LEDGER_ENGINE_SETTLED,
    LEDGER_ENGINE_PENDING,
    LEDGER_ENGINE_LAGGING, /* "behind" */
    LEDGER_ENGINE_STOPPED, /* "forked" */
};
enum ledger_engine_state ledger_engine_state(const struct ledger_engine *engine);
const char *ledger_engine_state_name(enum ledger_engine_state state); /* "settled", ... */

struct ledger_engine_status {
    enum ledger_engine_state state;
    const char *sequencer; /* lent until the next step */
    bool sequencing;       /* it is us */
    uint64_t height, size; /* our head */
    uint64_t final_height, final_size;
    uint64_t known_size; /* the largest size we know to be final, ours or not */
    size_t quorum, active, up;
    size_t pool, outbox;
};
void ledger_engine_status(const struct ledger_engine *engine, struct ledger_engine_status *out);

/* The change of the sequencer that is furthest: more than half of the members approve it, or else
 * most. epoch 0: none is on its way. Names are lent until the next step. */
#define LEDGER_ENGINE_NAMES 256 /* members and peers that one engine keeps in mind */
struct ledger_handover {
    uint64_t next_epoch; /* the number that a new proposal takes */
    uint64_t epoch;
    const char *sequencer;
    size_t approvals, approvals_needed; /* of members' officers */
    size_t promises, promises_needed;   /* of members' nodes */
    const char *approved[LEDGER_ENGINE_NAMES], *promised[LEDGER_ENGINE_NAMES];
    bool pledged; /* this node has promised: it cosigns nothing of the present epoch any more */
};
void ledger_engine_handover(const struct ledger_engine *engine, struct ledger_handover *out);

/* The longest message that this ledger's engines send: the channel must carry it. */
size_t ledger_engine_message_max(const struct ledger_engine *engine);

#endif
