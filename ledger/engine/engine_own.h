/* The inside of the engine: what its files share. engine.c has its life and
 * views, engine_step.c the steps, engine_roster.c who the
 * members are, engine_sequence.c makes blocks, engine_walk.c takes them, engine_follow.c asks for
 * them, engine_final.c collects cosignatures, engine_fork.c judges those that contradict us,
 * engine_epoch.c changes sequencers, engine_submit.c follows this node's own submissions,
 * engine_external.c takes blocks that others ordered. */
#ifndef FIRMIANA_LEDGER_ENGINE_OWN_H
#define FIRMIANA_LEDGER_ENGINE_OWN_H

#include "base/bytes.h"
#include "did/document.h"
#include "ledger/engine/engine.h"
#include "ledger/engine/engine_message.h"
#include "ledger/engine/engine_outbox.h"
#include "ledger/engine/engine_pool.h"

/* A member's newest approval of, or promise to, another sequencer (epoch.h). */
struct engine_part {
    struct base_buf tx; /* empty: none */
    uint64_t epoch;
    char sequencer[DID_ALIAS_MAX + 1];
    int64_t not_after;
    struct ledger_epoch_head head; /* of a promise */
};

/* A member of the ledger, and its node as a peer. */
struct engine_member {
    char alias[DID_ALIAS_MAX + 1];
    char did[DID_FIRMIANA_TEXT];
    bool known;   /* our replica's state has it */
    bool active;  /* ... and it may cosign */
    bool accused; /* it signed what contradicts our log */
    /* External.h, X5: of those of its transactions that wait for a block, so many that a rule would
     * refuse now. */
    uint64_t refused_waiting;
    /* On its present channel: */
    bool up;
    bool told;               /* it has sent a head */
    bool clock_good;         /* its newest head's `now` was within skew_ms of ours */
    uint64_t epoch;          /* the greatest it told, and in it ... */
    uint64_t height;         /* ... the greatest height */
    uint64_t cosigned_epoch; /* the greatest state for which it sent its own cosignature */
    uint64_t cosigned;
    uint64_t served; /* the `from` of the last `want` that we answered, and when */
    int64_t served_ms;
    /* Its cosignature over our head, if has_line; not verified until our replica stores it. */
    struct ledger_cosignature line;
    bool has_line;
    bool line_own;    /* it came from itself, so nobody else replaces it */
    bool line_stored; /* our replica has it, so it is right */
    /* The newest checkpoint it sent that is beyond our head. */
    struct base_buf ahead;
    uint64_t ahead_epoch, ahead_size;
    struct engine_part approval, promise;
};

/* External.h, X4: a block that we refused since it came too late, and how often. times is 0 where
 * there is none. */
enum { ENGINE_LATE = 64, ENGINE_LATE_REFUSALS = 2 };
struct engine_late {
    uint64_t height;
    uint8_t hash[32];
    unsigned times;
};

struct ledger_engine {
    struct ledger_chain *chain;
    struct ledger_engine_callbacks call;
    struct ledger_engine_params params;
    bool busy, started;
    struct ledger_now now; /* of this step */

    struct engine_member *members; /* sorted by nothing; at most LEDGER_ENGINE_NAMES */
    size_t n_members, self;        /* self: our own index */
    size_t quorum, active;
    char sequencer[DID_ALIAS_MAX + 1];
    uint64_t tx_bytes, block_txs, block_bytes, refused_per_day; /* limits */

    uint64_t final_size, final_height;
    uint64_t known_epoch; /* the greatest state that we have seen a quorum's signatures for */
    uint64_t known_size;
    uint8_t known_root[32]; /* while it is beyond our head */
    uint64_t before_size;   /* the state before our head, to recognise late cosignatures cheaply */
    uint8_t before_root[32];
    bool forked, fork_told;
    struct base_buf proof_theirs, proof_ours; /* the checkpoints that prove it */

    /* Pacing, monotonic ms. */
    int64_t push_ms, push_delay; /* our pending head is sent again */
    int64_t beat_ms;             /* heads were sent last */
    int64_t cut_ms;              /* the last block was made */
    int64_t scan_ms;             /* the outbox was looked through */
    int64_t answer_ms;           /* how long the sequencer takes to answer a submission, of late */
    int64_t asked_ms;            /* our last `want`, its `from`, and whom */
    uint64_t asked;
    size_t asked_whom;
    uint64_t asked_size; /* the state that its answer must lead to; 0: any */
    uint8_t asked_root[32];
    size_t guide; /* whose blocks lead to a later epoch; LEDGER_ENGINE_NAMES: nobody's */
    int64_t guide_ms;
    bool diverged;                    /* the last answer's blocks part from ours below our head */
    size_t parts;                     /* approvals and promises that we hold for later epochs */
    int64_t takeover_ms;              /* we tried to open one that others do not let us */
    bool lagging;                     /* somebody claims to be ahead of us, since lag_ms */
    int64_t lag_ms;                   /* ... or since we last said so */
    uint64_t lag_height;              /* where we were then */
    int64_t heard_ms, silent_told_ms; /* the sequencer */
    bool silent;
    bool lag_told;        /* ... and we have said so */
    uint64_t pruned_told; /* the block of which we said that a peer has pruned it */
    uint64_t skew_told;   /* the height whose time we have complained of */

    int64_t told_now;      /* the newest `now` in our own heads: no block of ours is earlier */
    int64_t sequencer_now; /* S2: the sequencer's, while it stood at our height; INT64_MIN: none */

    uint64_t handover_told; /* what we have said of a change of epochs: engine_epoch.c */

    struct ledger_pool pool;
    struct ledger_outbox outbox;
    struct engine_block *given;           /* external.h: finalized, not committed; NULL: none */
    struct engine_late late[ENGINE_LATE]; /* X4: blocks that came too late, the newest first */
    struct base_buf head_block;           /* our head's block, encoded; empty: not needed yet */
};

/* ---- engine.c ---- */

const struct ledger_head *engine_head(const struct ledger_engine *engine);
bool engine_sequencing(const struct ledger_engine *engine);
bool engine_settled(const struct ledger_engine *engine); /* our head is final */
/* The sequencer or a quorum is beyond our head. */
bool engine_behind(const struct ledger_engine *engine);
/* A quorum is. */
bool engine_known_ahead(const struct ledger_engine *engine);
/* Is (epoch, size) a later state than our head? */
bool engine_later(const struct ledger_engine *engine, uint64_t epoch, uint64_t size);

/* Encodes once, sends to one member that is up, or (to = NULL) to all of them. */
fm_status engine_send(struct ledger_engine *engine, const struct engine_member *to,
                      const struct ledger_message *message, struct base_err *err) FM_CHECK;
fm_status engine_send_head(struct ledger_engine *engine, const struct engine_member *to,
                           struct base_err *err) FM_CHECK;
void engine_tell(struct ledger_engine *engine, struct ledger_engine_event *event, const char *fmt,
                 ...) FM_PRINTF(3, 4);

/* ---- engine_external.c ---- */

/* Others order this ledger. */
bool engine_external(const struct ledger_engine *engine);
/* Our replica is about to be asked or written: a block that waits in it for its commit is taken
 * out, and executed again when its commit comes. */
void engine_unstage(struct ledger_engine *engine);
void engine_external_release(struct ledger_engine *engine);

/* ---- engine_step.c ---- */

/* Every step begins and ends with these; end does all that is due, and returns step or what went
 * wrong with that. */
void engine_begin(struct ledger_engine *engine, struct ledger_now now);
fm_status engine_end(struct ledger_engine *engine, fm_status step, struct base_err *err) FM_CHECK;

/* Our head has moved. outcomes of block, NULL: of more than one. */
fm_status engine_new_head(struct ledger_engine *engine, const struct ledger_head *before,
                          const struct ledger_outcome *outcomes, const struct ledger_block *block,
                          struct base_err *err) FM_CHECK;

/* Executes the block that follows our head, and does what a new head asks for. encoded: its bytes.
 * Errors of the block itself are FM_E_INPUT or FM_E_LIMIT. */
fm_status engine_execute(struct ledger_engine *engine, struct ledger_outcome *outcomes,
                         const struct ledger_block *block, struct base_err *err) FM_CHECK;

/* The same for blocks that end with the first one of a later epoch, which may take blocks of ours
 * back (epoch.h, E4). FM_E_REFUSED: its transaction does not hold there; nothing has changed. */
fm_status engine_switch(struct ledger_engine *engine, const struct ledger_block *blocks, size_t n,
                        struct base_err *err) FM_CHECK;

/* ---- engine_epoch.c ---- */

fm_status engine_epoch_load(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
void engine_epoch_release(struct engine_member *member);
/* An approval or promise came, from a peer or (NULL) from this node's people. */
fm_status engine_epoch_take(struct ledger_engine *engine, const struct engine_member *from,
                            const void *tx, size_t len, struct base_err *err) FM_CHECK;
/* A part becomes this member's newest, on disk first, and is passed on to all but one (NULL: all).
 */
fm_status engine_epoch_keep(struct ledger_engine *engine, struct engine_member *m, bool promise,
                            const struct ledger_epoch_part *part, int64_t not_after, const void *tx,
                            size_t len, const struct engine_member *except,
                            struct base_err *err) FM_CHECK;
/* Forgets what concerns epochs that have begun. */
void engine_epoch_forget(struct ledger_engine *engine);

/* Sends all that concerns a later epoch, to one peer or to all. */
fm_status engine_epoch_push(struct ledger_engine *engine, const struct engine_member *to,
                            struct base_err *err) FM_CHECK;
/* We have promised a later epoch than our head's: E2. */
bool engine_pledged(const struct ledger_engine *engine);
/* The ledger has changed its sequencer, or is about to: who is not where we are does not lie. */
bool engine_changing(const struct ledger_engine *engine);

/* ---- engine_succeed.c ---- */

/* Promises and takes over, where that is due. */
fm_status engine_epoch_step(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* A block is the first of a later epoch than our head's, by its own saying. */
fm_status engine_epoch_opens(const struct ledger_engine *engine, bool *opens,
                             const struct ledger_block *block, struct base_err *err) FM_CHECK;
/* Follows blocks of which the last is such a one, from whomever. *done: it is our head now. */
fm_status engine_epoch_follow(struct ledger_engine *engine, struct engine_member *from,
                              const struct ledger_block *blocks, size_t n, bool *done,
                              struct base_err *err) FM_CHECK;

/* ---- engine_roster.c ---- */

/* Reads members, quorum, sequencer and limits from the state at our head. */
fm_status engine_roster_load(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
void engine_roster_release(struct ledger_engine *engine);
struct engine_member *engine_member_find(const struct ledger_engine *engine, const char *alias);
struct engine_member *engine_member_by_did(const struct ledger_engine *engine, const char *did);
/* Finds or adds a name that the state may not know (yet). */
fm_status engine_member_get(struct engine_member **out, struct ledger_engine *engine,
                            const char *alias, struct base_err *err) FM_CHECK;
void engine_member_reset(struct engine_member *member); /* forgets all about the channel */

/* ---- engine_final.c ---- */

fm_status engine_final_load(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* A checkpoint came from a member (its channel; our own index for ourselves). */
fm_status engine_final_take(struct ledger_engine *engine, struct engine_member *from,
                            const char *text, struct base_err *err) FM_CHECK;
/* Cosigns our head if that is due and tells the others. */
fm_status engine_final_cosign(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* Makes our head final if a quorum's cosignatures are there. */
fm_status engine_final_try(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* Our head has moved: looks at the checkpoints that were ahead of it until now. */
fm_status engine_final_moved(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* Sends our pending head again, to one peer or to all. */
fm_status engine_final_push(struct ledger_engine *engine, const struct engine_member *to,
                            struct base_err *err) FM_CHECK;
/* Sends the newest final checkpoint. */
fm_status engine_final_show(struct ledger_engine *engine, const struct engine_member *to,
                            struct base_err *err) FM_CHECK;
/* Stores cosignatures that came after the quorum was reached. */
fm_status engine_final_store_late(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* Appends the checkpoint over our head with the lines that we hold. */
fm_status engine_final_text(const struct ledger_engine *engine, struct base_buf *out,
                            struct base_err *err) FM_CHECK;

/* ---- engine_fork.c ---- */

/* A checkpoint, not ahead of us, that contradicts our log: keeps what is validly signed in it as
 * evidence and decides whether we stop. */
fm_status engine_fork_accuse(struct ledger_engine *engine, const struct engine_member *from,
                             const struct ledger_checkpoint *c, struct base_err *err) FM_CHECK;
fm_status engine_fork_load(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
void engine_fork_tell(struct ledger_engine *engine);
/* Sends the proof that stopped us to all. */
fm_status engine_fork_warn(struct ledger_engine *engine, struct base_err *err) FM_CHECK;

/* ---- engine_sequence.c ---- */

/* A transaction handed in by `from` (possibly us). */
fm_status engine_sequence_submit(struct ledger_engine *engine, struct engine_member *from,
                                 const void *tx, size_t len, struct base_err *err) FM_CHECK;
bool engine_sequence_due(const struct ledger_engine *engine); /* but for the interval */
fm_status engine_sequence_cut(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* Clocks of a quorum agree with ours. */
bool engine_sequence_clocks(const struct ledger_engine *engine);
int64_t engine_sequence_time(const struct ledger_engine *engine);
/* The newest block, to those who may lack it. */
fm_status engine_sequence_show(struct ledger_engine *engine, const struct engine_member *to,
                               struct base_err *err) FM_CHECK;

/* ---- engine_walk.c ---- */

fm_status engine_follow_block(struct ledger_engine *engine, struct engine_member *from,
                              const struct ledger_message *message, struct base_err *err) FM_CHECK;
fm_status engine_follow_blocks(struct ledger_engine *engine, struct engine_member *from,
                               const struct ledger_message *message, struct base_err *err) FM_CHECK;

/* ---- engine_proof.c ---- */

/* Adds to an answer whose blocks begin at height `first` the proof that they lead to the final
 * state of `size` leaves, and leaves out those behind it; changes nothing if our log has no such
 * state. */
fm_status engine_proof_add(struct ledger_engine *engine, struct ledger_message *message,
                           uint64_t first, uint64_t size, struct base_err *err) FM_CHECK;
/* Do these blocks, as decoded from message, lead to a state that we know a quorum signed, now or
 * when we asked? *proven is false if they claim no such thing; FM_E_INVALID or FM_E_INPUT if they
 * do and it is not true. */
fm_status engine_proof_check(const struct ledger_engine *engine, bool *proven,
                             const struct ledger_message *message,
                             const struct ledger_block *blocks, size_t n,
                             struct base_err *err) FM_CHECK;

/* ---- engine_follow.c ---- */

/* May we execute this peer's blocks? proven: a quorum signed a state that they lead to. */
bool engine_follow_may(const struct ledger_engine *engine, const struct engine_member *from,
                       bool proven);

fm_status engine_follow_head(struct ledger_engine *engine, struct engine_member *from,
                             const struct ledger_message *message, struct base_err *err) FM_CHECK;
fm_status engine_follow_want(struct ledger_engine *engine, struct engine_member *from,
                             uint64_t height, uint64_t size, struct base_err *err) FM_CHECK;
/* Asks the sequencer for blocks if we lack some and have not just asked. */
fm_status engine_follow_ask(struct ledger_engine *engine, struct base_err *err) FM_CHECK;
/* Notes since when somebody has been ahead of us. */
void engine_follow_note(struct ledger_engine *engine);
/* Says that we are behind, once it has lasted. */
void engine_follow_complain(struct ledger_engine *engine);

/* ---- engine_submit.c ---- */

/* ledger_engine_submit(), inside. */
fm_status engine_submit(struct ledger_engine *engine, struct ledger_outcome *outcome,
                        const void *tx, size_t len, struct base_err *err) FM_CHECK;
/* The block of that height is executed: which of ours are in it? */
void engine_submit_placed(struct ledger_engine *engine, const struct ledger_outcome *outcomes,
                          size_t count, uint64_t height);
/* Blocks from this height on were taken back: those of ours in them wait again. */
void engine_submit_displaced(struct ledger_engine *engine, uint64_t height);
/* Reports those that are final now. */
void engine_submit_final(struct ledger_engine *engine);
/* The sequencer's receipt (from us, when we sequence). */
void engine_submit_receipt(struct ledger_engine *engine, const uint8_t id[32],
                           enum ledger_receipt_status status, const char *detail);
/* Sends again, and gives up on what has expired. */
fm_status engine_submit_scan(struct ledger_engine *engine, struct base_err *err) FM_CHECK;

#endif
