/* Versions of which the ledger took another, or may still take this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/data/test_kept.h"
#include "exchange/data/testing.h"

/* The ledger refused version 2, or the node died before it asked: version 1 is whole, 2 never was.
 */
void kept_what_was_refused(void **state)
{
    uint8_t refused[32];

    (void)state;
    kept_start();
    kept_publish_all(1);
    kept_edit_randomly(2);
    (void)kept_publish(2, kept_made[1].root, refused);
    for (uint64_t i = 0; i < ROWS; i++) { /* even before anybody knows that it was refused */
        json_t *proof = kept_prove(1, i);
        assert_true(json_equal(proof, kept_made[1].proof[i]));
        json_decref(proof);
    }
    kept_edit_randomly(3);
    (void)kept_publish(2, kept_made[1].root, kept_made[2].root);
    for (uint64_t i = 0; i < ROWS; i++) {
        json_t *then = kept_prove(1, i), *proof = kept_prove(2, i), *now = kept_prove_now(2, i);
        assert_true(json_equal(then, kept_made[1].proof[i]));
        assert_true(json_equal(proof, now));
        json_decref(then);
        json_decref(proof);
        json_decref(now);
    }
    /* What is not decided yet may still be it; then it is gone. */
    (void)kept_publish(3, kept_made[2].root, kept_made[3].root);
    kept_not(refused, "keeps no rows");
    json_decref(kept_prove(3, 0));
    /* Another home published version 3: what this one has stays, and 4 is kept again. */
    kept_edit_randomly(4);
    assert_false(kept_publish(4, refused, kept_made[4].root).known);
    json_decref(kept_prove(1, 0));
    json_decref(kept_prove(2, 0));
    json_decref(kept_prove(4, 0));
}

static void whole(const uint8_t root32[32], uint64_t number, json_t *const proofs[ROWS])
{
    memcpy(kept_made[number].root, root32, 32);
    for (uint64_t i = 0; i < ROWS; i++) {
        json_t *proof = kept_prove(number, i);
        assert_true(json_equal(proof, proofs[i]));
        json_decref(proof);
    }
}

/* Version 2 was asked for TRIES times, whichever of them the ledger takes in the end: it is whole
 * then and from there on, the others are gone after the next. */
void kept_several_on_their_way(void **state)
{
    enum { TRIES = 4 };

    (void)state;
    for (unsigned taken = 0; taken < TRIES; taken++) {
        uint8_t roots[TRIES][32];
        json_t *proofs[TRIES][ROWS];
        kept_start();
        kept_publish_all(1);
        for (unsigned t = 0; t < TRIES; t++) {
            kept_edit_randomly(t + 2);
            assert_true(kept_publish(2, kept_made[1].root, roots[t]).known);
            for (uint64_t i = 0; i < ROWS; i++)
                proofs[t][i] = kept_prove_now(2, i);
        }
        for (unsigned t = 0; t < TRIES; t++) /* nobody knows which yet */
            whole(roots[t], 2, proofs[t]);
        kept_edit_randomly(TRIES + 2);
        (void)kept_publish(3, roots[taken], kept_made[3].root);
        whole(roots[taken], 2, proofs[taken]);
        whole(kept_made[1].root, 1, kept_made[1].proof);
        json_decref(kept_prove(3, 5));
        for (unsigned t = 0; t < TRIES; t++) {
            if (t != taken)
                kept_not(roots[t], "keeps no rows");
            for (uint64_t i = 0; i < ROWS; i++)
                json_decref(proofs[t][i]);
        }
        assert_string_equal(
            testing_sql(
                testing_path("versions.db"),
                "SELECT count(*) FROM contents WHERE since NOT IN (SELECT id FROM published)"),
            "0");
    }
}

/* Asked for again and again, unchanged: one of them is kept in the end. */
void kept_asked_for_again(void **state)
{
    uint8_t root[32], again[32];
    json_t *proofs[ROWS];

    (void)state;
    kept_start();
    (void)kept_publish(1, NULL, root);
    for (uint64_t i = 0; i < ROWS; i++)
        proofs[i] = kept_prove_now(1, i);
    for (unsigned t = 0; t < 3; t++) {
        (void)kept_publish(1, NULL, again);
        assert_memory_equal(again, root, 32);
    }
    whole(root, 1, proofs);
    kept_edit_randomly(2);
    (void)kept_publish(2, root, again);
    whole(root, 1, proofs);
    assert_string_equal(testing_sql(testing_path("versions.db"), "SELECT count(*) FROM published"),
                        "2");
    assert_string_equal(testing_sql(testing_path("versions.db"),
                                    "SELECT count(*) FROM contents WHERE since NOT IN (SELECT id "
                                    "FROM published)"),
                        "0");
    for (uint64_t i = 0; i < ROWS; i++)
        json_decref(proofs[i]);
}

/* A ledger that was restored from a copy is behind: what is published from there takes nothing
 * away. */
void kept_behind_the_ledger(void **state)
{
    struct data_forgotten f;
    struct base_err err = {0};
    uint8_t again[32];

    (void)state;
    kept_start();
    kept_publish_all(6);
    kept_edit_randomly(7);
    (void)kept_publish(2, kept_made[1].root, again);
    (void)kept_publish(3, kept_made[2].root, again);
    for (uint64_t v = 1; v <= 6; v++)
        whole(kept_made[v].root, v, kept_made[v].proof);
    (void)kept_publish(7, kept_made[6].root, kept_made[7].root);
    for (uint64_t v = 1; v <= 6; v++)
        whole(kept_made[v].root, v, kept_made[v].proof);
    json_decref(kept_prove(7, 0));
    kept_not(again, "keeps no rows");
    /* The same version once more, then what is before it forgotten: 2 and 3 stay. */
    kept_start();
    for (uint64_t v = 1; v <= 3; v++)
        (void)kept_publish(v, v > 1 ? kept_made[v - 1].root : NULL, kept_made[v].root);
    (void)kept_publish(2, kept_made[1].root, again);
    assert_memory_equal(again, kept_made[2].root, 32);
    assert_int_equal(
        data_kept_forget(&f, testing_path("versions.db"), "t", 2, kept_made[2].root, &err), FM_OK);
    json_decref(kept_prove(2, 0));
    json_decref(kept_prove(3, 0));
    kept_not(kept_made[1].root, "was forgotten here");
}

/* Of two with one number, what the refused one has of a person goes with what is before. */
void kept_forgotten_with_the_refused(void **state)
{
    struct data_forgotten f;
    struct base_err err = {0};
    uint8_t unknown[32] = {9}, root[32];

    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        kept_start();
        (void)kept_publish(5, unknown, root); /* version 4 was not kept here */
        kept_edit("DELETE FROM t WHERE k = 7");
        (void)kept_publish(5, unknown, kept_made[5].root);
        assert_int_equal(data_kept_forget(&f, testing_path("versions.db"), "t", 5,
                                          refused == 0 ? kept_made[5].root : root, &err),
                         FM_OK);
        assert_int_equal(f.oldest, 5);
        assert_int_equal(f.versions, refused == 0 ? 1 : 0);
        if (refused == 0)
            kept_not(root, "was forgotten here");
        json_decref(kept_prove(5, 0));
        memcpy(kept_made[5].root, root, 32);
        if (refused == 1)
            json_decref(kept_prove(5, 6));
        assert_string_equal(
            testing_sql(testing_path("versions.db"), "SELECT count(*) FROM contents WHERE row = 7"),
            refused == 0 ? "0" : "1");
    }
}
