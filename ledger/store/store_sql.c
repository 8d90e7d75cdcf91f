/* The store's tables (store.h says what they hold) and statements. */
#include "ledger/store/store_impl.h"

/* A member of what is seen is a row of both. */
#define LEDGER_TX_TABLES(tx, seen)                                                                 \
    "CREATE TABLE " tx " (id BLOB PRIMARY KEY, leaf INTEGER NOT NULL, not_after INTEGER NOT NULL)" \
    " STRICT, WITHOUT ROWID;"                                                                      \
    "CREATE TABLE " seen " (not_after INTEGER, id BLOB, PRIMARY KEY (not_after, id))"              \
    " STRICT, WITHOUT ROWID;"

/* Ids on their way into tx, and how often tx and recent were changed but at the end of recent. */
#define LEDGER_RECENT_TABLES                                                                \
    "CREATE TABLE recent (leaf INTEGER PRIMARY KEY, id BLOB NOT NULL, not_after INTEGER"    \
    " NOT NULL) STRICT;"                                                                    \
    "CREATE TABLE merged (one INTEGER PRIMARY KEY CHECK (one = 1), times INTEGER NOT NULL)" \
    " STRICT;"                                                                              \
    "INSERT INTO merged VALUES (1, 0);"

/* What waits for the state tree, and how far the sweep has come. */
#define LEDGER_TREE_TABLES                                                                \
    "CREATE TABLE change (seq INTEGER PRIMARY KEY, changes BLOB NOT NULL) STRICT;"        \
    "CREATE TABLE tree (one INTEGER PRIMARY KEY CHECK (one = 1), depth INTEGER NOT NULL," \
    " region INTEGER NOT NULL, owed INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;"    \
    "INSERT INTO tree VALUES (1, 3, 0, 0, 0);"

const char ledger_store_schema[] =
    "CREATE TABLE tip (one INTEGER PRIMARY KEY CHECK (one = 1), chain BLOB NOT NULL,"
    " genesis BLOB NOT NULL, height INTEGER NOT NULL, time INTEGER NOT NULL, log BLOB NOT NULL,"
    " state_root BLOB NOT NULL, prev BLOB NOT NULL, epoch INTEGER NOT NULL,"
    " rules_version INTEGER NOT NULL, final_size INTEGER NOT NULL) STRICT;"
    "CREATE TABLE block (height INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
    " first_leaf INTEGER NOT NULL, txs INTEGER NOT NULL) STRICT;"
    "CREATE TABLE leaf (leaf INTEGER PRIMARY KEY, height INTEGER NOT NULL, hash BLOB NOT NULL,"
    " id BLOB, alias TEXT, type TEXT, result BLOB, payload BLOB) STRICT;" LEDGER_TX_TABLES(
        "tx", "seen") "CREATE TABLE node (at INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;"
                      "CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, "
                      "WITHOUT ROWID;"
                      "CREATE TABLE page (at INTEGER PRIMARY KEY, page BLOB NOT NULL) STRICT;"
                      "CREATE TABLE deep_page (at BLOB PRIMARY KEY, page BLOB NOT NULL) STRICT;"
                      "CREATE TABLE cosignature (size INTEGER, alias TEXT, line TEXT NOT NULL,"
                      " PRIMARY KEY (size, alias)) STRICT, WITHOUT ROWID;"
                      "CREATE TABLE undo (height INTEGER PRIMARY KEY, time INTEGER NOT NULL, log "
                      "BLOB NOT NULL,"
                      " state_root BLOB NOT NULL, prev BLOB NOT NULL, epoch INTEGER NOT NULL,"
                      " rules_version INTEGER NOT NULL, changes BLOB NOT NULL) STRICT;"
                      "CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, "
                      "WITHOUT ROWID;"
                      "CREATE TABLE evidence (at INTEGER PRIMARY KEY, theirs TEXT NOT NULL UNIQUE,"
                      " ours TEXT NOT NULL) STRICT;" LEDGER_RECENT_TABLES LEDGER_TREE_TABLES;

/* Version 5 wrote every page of the state tree at once, and the few of the upper ones among the
 * others. */
const char ledger_store_from_5[] =
    LEDGER_TREE_TABLES "UPDATE page SET at = at - 4611686018427387904 WHERE (at & 15) <= 2;";

/* Version 4 put every id into tx at once. */
const char ledger_store_from_4[] = LEDGER_RECENT_TABLES;

/* Version 2 kept seen/ID among the states as well, and its time there alone. What was forgotten
 * has no time any more: 0. */
const char ledger_store_from_2[] = LEDGER_TX_TABLES(
    "tx3",
    "seen3") "INSERT INTO tx3 SELECT tx.id, leaf,"
             " coalesce(json_extract(CAST(value AS TEXT), '$.not_after'), 0)"
             " FROM tx LEFT JOIN state ON key = 'seen/' || lower(hex(tx.id)) ORDER BY 1;"
             "INSERT INTO seen3 SELECT not_after, id FROM tx3 WHERE not_after > 0 ORDER BY 1, 2;"
             "DELETE FROM state WHERE key >= 'seen/' AND key < 'seen0';"
             "DROP TABLE tx;"
             "DROP TABLE seen;"
             "ALTER TABLE tx3 RENAME TO tx;"
             "ALTER TABLE seen3 RENAME TO seen;";

/* Version 3 kept the pages of the state tree by depth first. */
const char ledger_store_from_3[] =
    "CREATE TABLE page4 (at INTEGER PRIMARY KEY, page BLOB NOT NULL) STRICT;"
    "INSERT INTO page4 SELECT ((at & 0xffffffffffffff) << 4) | (at >> 56), page FROM page ORDER BY "
    "1;"
    "DROP TABLE page;"
    "ALTER TABLE page4 RENAME TO page;";

const char *const ledger_store_sql[LEDGER_SQL_COUNT] = {
    [LEDGER_SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [LEDGER_SQL_BEGIN_READ] = "BEGIN",
    [LEDGER_SQL_COMMIT] = "COMMIT",
    [LEDGER_SQL_ROLLBACK] = "ROLLBACK",
    [LEDGER_SQL_GET_TIP] = "SELECT height, time, log, state_root, prev, epoch, rules_version,"
                           " final_size FROM tip",
    [LEDGER_SQL_PUT_TIP] = "UPDATE tip SET height = ?1, time = ?2, log = ?3, state_root = ?4,"
                           " prev = ?5, epoch = ?6, rules_version = ?7",
    [LEDGER_SQL_PUT_FINAL] = "UPDATE tip SET final_size = ?1",
    [LEDGER_SQL_PUT_GENESIS] = "INSERT INTO tip VALUES (1, ?1, ?2, 0, 0, x'', x'', x'', 0, 0, 0)",
    [LEDGER_SQL_GET_GENESIS] = "SELECT genesis FROM tip",
    [LEDGER_SQL_GET_STATE] = "SELECT value FROM state WHERE key = ?1",
    [LEDGER_SQL_PUT_STATE] = "INSERT INTO state VALUES (?1, ?2)"
                             " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [LEDGER_SQL_DEL_STATE] = "DELETE FROM state WHERE key = ?1",
    [LEDGER_SQL_LIST_STATE] = "SELECT key, value FROM state WHERE key >= ?1 ORDER BY key",
    [LEDGER_SQL_GET_SEEN] = "SELECT 1 FROM seen WHERE not_after = ?1 AND id = ?2",
    [LEDGER_SQL_LIST_SEEN] =
        "SELECT id, not_after FROM tx WHERE EXISTS (SELECT 1 FROM seen"
        " WHERE seen.not_after = tx.not_after AND seen.id = tx.id)"
        " UNION ALL SELECT id, not_after FROM recent WHERE EXISTS (SELECT 1 FROM seen"
        " WHERE seen.not_after = recent.not_after AND seen.id = recent.id) ORDER BY id",
    /* Ids are forgotten in the order of their times, the earliest first. */
    [LEDGER_SQL_REMEMBERED_LEAVES] =
        "SELECT leaf, not_after FROM tx WHERE not_after >= (SELECT min(not_after) FROM seen)"
        " UNION ALL SELECT leaf, not_after FROM recent"
        " WHERE not_after >= (SELECT min(not_after) FROM seen) ORDER BY leaf",
    [LEDGER_SQL_PUT_SEEN] = "INSERT INTO seen VALUES (?1, ?2)",
    [LEDGER_SQL_DEL_SEEN] = "DELETE FROM seen WHERE not_after = ?1 AND id = ?2",
    [LEDGER_SQL_EXPIRED_SEEN] = "SELECT id FROM seen WHERE not_after < ?1 ORDER BY not_after, id",
    [LEDGER_SQL_GET_PAGE] = "SELECT page FROM page WHERE at = ?1",
    [LEDGER_SQL_PUT_PAGE] = "REPLACE INTO page VALUES (?1, ?2)",
    [LEDGER_SQL_DEL_PAGE] = "DELETE FROM page WHERE at = ?1",
    [LEDGER_SQL_GET_DEEP] = "SELECT page FROM deep_page WHERE at = ?1",
    [LEDGER_SQL_PUT_DEEP] = "INSERT INTO deep_page VALUES (?1, ?2)"
                            " ON CONFLICT (at) DO UPDATE SET page = excluded.page",
    [LEDGER_SQL_DEL_DEEP] = "DELETE FROM deep_page WHERE at = ?1",
    [LEDGER_SQL_GET_TREE] = "SELECT depth, region, owed, since,"
                            " (SELECT max(seq) FROM change), (SELECT min(seq) FROM change)"
                            " FROM tree",
    [LEDGER_SQL_PUT_TREE] = "UPDATE tree SET depth = ?1, region = ?2, owed = ?3, since = ?4",
    [LEDGER_SQL_PUT_CHANGE] = "INSERT INTO change VALUES (?1, ?2)",
    [LEDGER_SQL_LIST_CHANGE] = "SELECT changes FROM change WHERE seq > ?1 ORDER BY seq",
    [LEDGER_SQL_DROP_CHANGE] = "DELETE FROM change WHERE seq <= ?1",
    [LEDGER_SQL_PUT_LEAF] = "INSERT INTO leaf VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [LEDGER_SQL_GET_LEAVES] =
        "SELECT leaf, leaf.height, block.time, hash, id, alias, type, result, payload"
        " FROM leaf JOIN block ON block.height = leaf.height"
        " WHERE leaf >= ?1 AND leaf < ?2 ORDER BY leaf",
    [LEDGER_SQL_LIST_IDENTITY] = "SELECT leaf FROM leaf WHERE leaf < ?1 AND"
                                 " (type GLOB 'did.*' OR type GLOB 'member.*' OR"
                                 " type GLOB 'parameter.*')"
                                 " AND result = CAST('{\"code\":\"ok\"}' AS BLOB) ORDER BY leaf",
    [LEDGER_SQL_GET_LEAF_HASH] = "SELECT hash FROM leaf WHERE leaf = ?1",
    [LEDGER_SQL_ERASE_LEAF] = "UPDATE leaf SET payload = NULL WHERE leaf = ?1",
    [LEDGER_SQL_GET_TX] = "SELECT leaf, not_after FROM tx WHERE id = ?1",
    [LEDGER_SQL_PUT_RECENT] = "INSERT INTO recent VALUES (?1, ?2, ?3)",
    [LEDGER_SQL_LIST_RECENT] =
        "SELECT leaf, id, not_after FROM recent WHERE leaf > ?1 ORDER BY leaf",
    [LEDGER_SQL_SPAN_RECENT] =
        "SELECT (SELECT min(leaf) FROM recent), (SELECT max(leaf) FROM recent)",
    [LEDGER_SQL_MERGE_RECENT] = "INSERT INTO tx SELECT id, leaf, not_after FROM recent ORDER BY id",
    [LEDGER_SQL_CLEAR_RECENT] = "DELETE FROM recent",
    [LEDGER_SQL_GET_MERGED] = "SELECT times FROM merged",
    [LEDGER_SQL_STEP_MERGED] = "UPDATE merged SET times = times + 1",
    [LEDGER_SQL_PUT_NODE] = "INSERT INTO node VALUES (?1, ?2)",
    [LEDGER_SQL_GET_NODE] = "SELECT hash FROM node WHERE at = ?1",
    [LEDGER_SQL_PUT_BLOCK] = "INSERT INTO block VALUES (?1, ?2, ?3, ?4)",
    [LEDGER_SQL_GET_BLOCK] = "SELECT height, time, first_leaf, txs FROM block WHERE height = ?1",
    [LEDGER_SQL_PUT_UNDO] = "INSERT INTO undo SELECT ?1, time, log, state_root, prev, epoch,"
                            " rules_version, ?2 FROM tip",
    [LEDGER_SQL_GET_UNDO] = "SELECT changes FROM undo WHERE height = ?1",
    [LEDGER_SQL_DROP_UNDO] = "DELETE FROM undo WHERE height <= ?1",
    [LEDGER_SQL_UNDO_TIP] =
        "UPDATE tip SET (height, time, log, state_root, prev, epoch, rules_version) ="
        " (SELECT height - 1, time, log, state_root, prev, epoch, rules_version"
        " FROM undo WHERE height = ?1)",
    [LEDGER_SQL_UNDO_ROW] = "DELETE FROM undo WHERE height = ?1",
    [LEDGER_SQL_UNDO_TXS] = "DELETE FROM tx WHERE id IN"
                            " (SELECT id FROM leaf WHERE leaf >= ?1 AND id IS NOT NULL)",
    [LEDGER_SQL_UNDO_RECENT] = "DELETE FROM recent WHERE leaf >= ?1",
    [LEDGER_SQL_UNDO_LEAVES] = "DELETE FROM leaf WHERE leaf >= ?1",
    [LEDGER_SQL_UNDO_NODES] = "DELETE FROM node WHERE at >= ?1 AND at < ?2",
    [LEDGER_SQL_UNDO_BLOCK] = "DELETE FROM block WHERE height = ?1",
    [LEDGER_SQL_UNDO_COSIGNATURES] = "DELETE FROM cosignature WHERE size > ?1",
    [LEDGER_SQL_PUT_NOTE] = "INSERT INTO note VALUES (?1, ?2)"
                            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [LEDGER_SQL_DEL_NOTE] = "DELETE FROM note WHERE name = ?1",
    [LEDGER_SQL_LIST_NOTES] = "SELECT name, value FROM note ORDER BY name",
    [LEDGER_SQL_PUT_COSIGNATURE] =
        "INSERT INTO cosignature VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    [LEDGER_SQL_LIST_COSIGNATURES] =
        "SELECT alias, line FROM cosignature WHERE size = ?1 ORDER BY alias",
    [LEDGER_SQL_DROP_COSIGNATURES] = "DELETE FROM cosignature WHERE size < ?1",
    [LEDGER_SQL_PUT_EVIDENCE] =
        "INSERT INTO evidence (theirs, ours) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    [LEDGER_SQL_LIST_EVIDENCE] = "SELECT theirs, ours FROM evidence ORDER BY at",
};
