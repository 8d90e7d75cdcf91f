/* What the disk's two files share: test_disk_record.c records, test_disk.c gives what a crash
 * leaves.
 */
#ifndef FIRMIANA_LEDGER_TEST_DISK_IMPL_H
#define FIRMIANA_LEDGER_TEST_DISK_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/store/test_disk.h"

#define NAMES 16
#define INODES 64
#define NOTHING INODES

enum op_kind { OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_CREATE, OP_DELETE, OP_SYNC_FOLDER };

struct op {
    enum op_kind kind;
    unsigned inode, name;
    size_t at, len; /* TRUNCATE: at is the new size */
    uint8_t *bytes;
};

struct content {
    uint8_t *p;
    size_t len;
};

/* The record. */
struct test_disk_record {
    bool on;
    char folder[128];
    char name[NAMES][64];
    unsigned names;
    unsigned live[NAMES]; /* inode, or NOTHING */
    unsigned inodes;
    struct content first[INODES]; /* what it held when the record began */
    unsigned first_names[NAMES];
    struct op *ops;
    size_t n, cap;
};
extern struct test_disk_record test_disk_record;

/* The name's index; NAMES if the path is not in the folder, or nothing is recorded. */
unsigned test_disk_name(const char *path);

#endif
