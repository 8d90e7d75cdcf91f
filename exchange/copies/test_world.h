/* Members that keep copies for each other, in one process and virtual time: an owner, two keepers,
 * a reader and a stranger. A process may die before any message leaves. */
#ifndef FIRMIANA_EXCHANGE_COPIES_TEST_WORLD_H
#define FIRMIANA_EXCHANGE_COPIES_TEST_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "exchange/copies/copies.h"

enum { OWNER, KEEPER, KEEPER2, READER, STRANGER, MEMBERS };
enum { CONTENT = 600000, QUOTA = 1 << 20 };
#define DAY_MS 86400000LL

extern const char *const names[MEMBERS];

struct member {
    struct copies *copies; /* NULL: its process is dead */
    char dir[64];
    json_t *secrets;
    bool suspended;
};
extern struct member members[MEMBERS];

struct world {
    char folder[40];
    int64_t now;
    uint64_t sent, bytes; /* messages, and their lengths */
    uint64_t kill_at;     /* when so many were sent ... */
    unsigned kill_whom;   /* ... this process dies, before the message leaves */
    bool forge;           /* receipts' proofs are wrong */
    void (*on_seal)(unsigned who, const char *name); /* before a secret is sealed */
};
extern struct world world;

int world_setup(void **state);
int world_teardown(void **state);

void begin_process(unsigned i);
void end_process(unsigned i);
/* What is on its way from or to a member is lost. */
void lose_letters(unsigned whose);
/* Until nobody says anything more. True: somebody died on the way. */
bool pump(void);
/* Time passes; everybody looks. */
void pass(int64_t ms);
/* One message, past the other's own machine. */
void say(unsigned from, unsigned to, const struct copies_message *m);

/* What people were answered last. */
struct answer {
    bool came;
    struct base_err err;
    json_t *value;
};
extern struct answer answer;
extern const struct copies_reply reply;
void forget_answer(void);

/* The owner has these keep a copy whose content is `fill`, again and again. */
void put(char address[65], int fill, int64_t content, const char *keeper, const char *keeper2,
         const char *reader);
/* A member fetches; the answer stays. What comes is what was kept. */
void get(unsigned who, const char *address, int fill);
void show(const char *address);
/* How a member's task stands, in the last answer that has tasks. */
const char *stands(const char *member);
const char *why(const char *member);

void path_of(char out[256], unsigned who, const char *kind, const char *owner, const char *address);
bool there(unsigned who, const char *kind, const char *owner, const char *address);
void damage(unsigned who, const char *address, int64_t at);

#endif
