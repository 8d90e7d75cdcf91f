/* What the application's files share. */
#ifndef FIRMIANA_LEDGER_ABCI_APP_OWN_H
#define FIRMIANA_LEDGER_ABCI_APP_OWN_H

#include "abci.pb-c.h"
#include "ledger/abci/app.h"

/* A finished snapshot on disk. */
struct abci_snapshot {
    uint64_t height; /* 0: none */
    uint32_t chunks;
    struct base_buf metadata;
    uint8_t hash[32];
};

enum { ABCI_SNAPSHOTS = 2, ABCI_CHUNK = 1 << 20, ABCI_FORMAT = 1, ABCI_CHUNKS_MAX = 4096 };

struct abci_maker; /* a snapshot under way (app_make.c) */

struct ledger_abci_app {
    struct ledger_abci_host host;
    struct abci_snapshot made[ABCI_SNAPSHOTS]; /* the newest first */
    struct abci_maker *maker;                  /* NULL: none */
    /* The one that we were offered and take. */
    struct abci_snapshot taking;
    uint8_t app_hash[32];
    struct base_buf taken;
};

/* app_make.c: begins one, if this height is due and none is under way; takes over one that is done;
 * waits for it and forgets all, files too; at a start, removes what a crash left. */
void abci_make_begin(struct ledger_abci_app *app, uint64_t height);
void abci_make_take(struct ledger_abci_app *app);
void abci_make_end(struct ledger_abci_app *app);
void abci_make_clear(struct ledger_abci_app *app);
/* The file of one; false if the path is too long. */
bool abci_make_path(char out[512], const struct ledger_abci_app *app, uint64_t height);

/* A response under construction, and what its pointers point to until it is packed. */
struct answer {
    Abci__Response response;
    union {
        Abci__Text text;
        Abci__Empty empty;
        Abci__ResponseInfo info;
        Abci__ResponseInitChain init_chain;
        Abci__ResponseQuery query;
        Abci__ResponseTx tx;
        Abci__ResponseListSnapshots list;
        Abci__ResponseLoadChunk chunk;
        Abci__ResponseApplyChunk apply;
        Abci__ResponseResult result;
        Abci__ResponsePrepare prepare;
        Abci__ResponseFinalize finalize;
    } body;
    Abci__ConsensusParams params;
    Abci__BlockParams block;
    struct base_buf bytes, more;               /* owned */
    void *array, *items, *changes, *change_of; /* owned: free() */
};

typedef fm_status ledger_abci_handler(struct ledger_abci_app *app, const Abci__Request *request,
                                      struct answer *answer, struct base_err *err);

/* app_block.c */
ledger_abci_handler abci_prepare, abci_process, abci_finalize, abci_commit;
/* app_validators.c: what the staged block does to validators and to the room in a block. */
fm_status abci_put_updates(struct ledger_abci_app *app, struct answer *answer,
                           struct base_err *err) FM_CHECK;
/* app_misbehavior.c: what is proven of validators: appends each one's entry to bytes, and its
 * length to len (room for all). abci_tell_misbehavior() tells the host of them. */
fm_status abci_take_misbehavior(struct ledger_abci_app *app, struct base_buf *bytes, size_t *len,
                                const Abci__RequestBlock *in, struct base_err *err) FM_CHECK;
fm_status abci_tell_misbehavior(struct ledger_abci_app *app, const Abci__RequestBlock *in,
                                struct base_err *err) FM_CHECK;
/* app_block.c: in ms; 0 where there is none. FM_E_INPUT: it is out of range. */
fm_status abci_time(int64_t *out_ms, const Abci__Timestamp *time, struct base_err *err) FM_CHECK;
/* app_query.c */
ledger_abci_handler abci_query;
/* app_snapshot.c */
ledger_abci_handler abci_list, abci_offer, abci_load, abci_apply;

/* A number as the whole answer. */
void answer_result(struct answer *answer, Abci__Response__ValueCase which, uint32_t result);

#endif
