/* What the application's files share. */
#ifndef FIRMIANA_LEDGER_ABCI_APP_OWN_H
#define FIRMIANA_LEDGER_ABCI_APP_OWN_H

#include "abci.pb-c.h"
#include "ledger/abci/app.h"

struct ledger_abci_app {
    struct ledger_abci_host host;
};

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
        Abci__ResponseResult result;
        Abci__ResponsePrepare prepare;
        Abci__ResponseFinalize finalize;
    } body;
    struct base_buf bytes, more; /* owned */
    void *array, *items;         /* owned: free() */
};

typedef fm_status ledger_abci_handler(struct ledger_abci_app *app, const Abci__Request *request,
                                      struct answer *answer, struct base_err *err);

/* app_block.c */
ledger_abci_handler abci_prepare, abci_process, abci_finalize, abci_commit;
/* app_query.c */
ledger_abci_handler abci_query;

/* A number as the whole answer. */
void answer_result(struct answer *answer, Abci__Response__ValueCase which, uint32_t result);

#endif
