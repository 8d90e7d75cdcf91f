/* Receipts: what is not so is not signed, and parts that disagree make none. */
#include "exchange/session/receipt.h"

#include "exchange/session/descriptor.h"
#include "exchange/session/test_net.h"

enum { N = 4, ASKER = 0 };

/* ---- receipts that are not so ---- */

/* The asker's honest receipt as it would go to p1, which stands in SETTLING. */
static json_t *settling(struct test_net *net)
{
    json_t *parts[N], *receipt;
    struct base_err err = {0};

    test_net_init(net, N, ASKER);
    test_net_open(net);
    test_net_flow(net);
    test_net_done(net, 1);
    for (unsigned i = 0; i < N; i++)
        parts[i] = test_net_part(net, i);
    assert_int_equal(
        receipt_merge(&receipt, session_get_facts(net->party[0]->session), parts, &err), FM_OK);
    for (unsigned i = 0; i < N; i++)
        json_decref(parts[i]);
    return receipt;
}

/* Entry of a list that names p1. */
static json_t *entry_of_p1(const json_t *receipt, const char *list, size_t *at)
{
    const json_t *array = json_object_get(receipt, list);

    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *item = json_array_get(array, i), *holders = json_object_get(item, "holders");
        const char *one = json_string_value(json_object_get(item, "from")), *two = "";
        if (holders != NULL) {
            one = json_string_value(json_array_get(holders, 0));
            two = json_string_value(json_array_get(holders, 1));
        }
        *at = i;
        if (strcmp(one, "p1") == 0 || strcmp(two, "p1") == 0)
            return item;
    }
    fail_msg("%s: no entry of p1", list);
    return NULL;
}

typedef void (*lie)(json_t *receipt, const char *list, size_t at, json_t *entry);

static void another_hash(json_t *receipt, const char *list, size_t at, json_t *entry)
{
    const char *name = json_object_get(entry, "hash") != NULL ? "hash" : "commitment";
    char hex[65];

    (void)receipt;
    (void)list;
    (void)at;
    memset(hex, 'e', 64);
    hex[64] = '\0';
    (void)json_object_set_new(entry, name, json_string(hex));
}

static void left_out(json_t *receipt, const char *list, size_t at, json_t *entry)
{
    (void)entry;
    (void)json_array_remove(json_object_get(receipt, list), at);
}

/* Another entry of p1 stands there twice, so that the number is right. */
static void replaced(json_t *receipt, const char *list, size_t at, json_t *entry)
{
    json_t *array = json_object_get(receipt, list), *other;
    size_t i;

    json_incref(entry);
    (void)json_array_remove(array, at);
    other = entry_of_p1(receipt, list, &i);
    (void)json_array_append_new(array, json_deep_copy(other));
    json_decref(entry);
}

static void other_holders(json_t *receipt, const char *list, size_t at, json_t *entry)
{
    (void)receipt;
    (void)list;
    (void)at;
    if (json_object_get(entry, "holders") != NULL)
        (void)json_object_set_new(entry, "holders", json_pack("[s,s]", "p0", "p2"));
    else
        (void)json_object_set_new(entry, "from", json_string("p0"));
}

/* p1 is said to hold what it never had. */
static void one_more(json_t *receipt, const char *list, size_t at, json_t *entry)
{
    json_t *more = json_deep_copy(entry);

    (void)at;
    if (json_object_get(entry, "holders") != NULL)
        (void)json_object_set_new(more, "component", json_integer(9));
    else
        (void)json_object_set_new(more, "to", json_string("p1"));
    (void)json_array_append_new(json_object_get(receipt, list), more);
}

static void test_a_receipt_that_disagrees_is_never_signed(void **state)
{
    static const lie lies[] = {another_hash, left_out, replaced, other_holders, one_more};
    static const char *const lists[] = {"channels", "inputs", "result"};

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
            struct test_net net;
            json_t *receipt = settling(&net), *entry;
            size_t at;
            entry = entry_of_p1(receipt, lists[k], &at);
            lies[i](receipt, lists[k], at, entry);
            test_net_hand(&net, ASKER, 1, test_net_message("receipt", "receipt", receipt));
            assert_int_equal(net.party[1]->done_proofs, 0);
            assert_int_equal(net.party[1]->finished, 1);
            assert_int_equal(net.party[1]->end.code, FM_E_PEER);
            assert_int_equal(strncmp(net.party[1]->end.text, "p0: ", 4), 0);
            assert_non_null(strstr(net.party[1]->end.text, "receipt"));
            test_net_release(&net);
        }
}

static void test_a_receipt_of_another_session_is_never_signed(void **state)
{
    static const char *const names[] = {"chain", "query", "descriptor", "plan_hash"};
    char hex[65];

    (void)state;
    memset(hex, '7', 64);
    hex[64] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct test_net net;
        json_t *receipt = settling(&net);
        (void)json_object_set_new(receipt, names[i], json_string(hex));
        test_net_hand(&net, ASKER, 1, test_net_message("receipt", "receipt", receipt));
        assert_int_equal(net.party[1]->done_proofs, 0);
        assert_string_equal(net.party[1]->end.text, "p0: the receipt is not this session's");
        test_net_release(&net);
    }
}

static void test_a_true_receipt_is_signed_once_and_for_the_asker_alone(void **state)
{
    struct test_net net;
    json_t *receipt;

    (void)state;
    receipt = settling(&net);
    test_net_hand(&net, 2, 1, test_net_message("receipt", "receipt", json_incref(receipt)));
    assert_int_equal(net.party[1]->done_proofs, 0); /* not for p2 */
    for (int i = 0; i < 3; i++)
        test_net_hand(&net, ASKER, 1, test_net_message("receipt", "receipt", json_incref(receipt)));
    assert_int_equal(net.party[1]->done_proofs, 1);
    assert_int_equal(test_net_state(&net, 1), SESSION_CLOSING);
    json_decref(receipt);
    test_net_release(&net);
}

static void test_nobody_signs_done_before_its_own_part_is_done(void **state)
{
    struct test_net net;
    json_t *receipt;

    (void)state;
    receipt = settling(&net);
    assert_int_equal(test_net_state(&net, 2), SESSION_RUNNING);
    test_net_hand(&net, ASKER, 2, test_net_message("receipt", "receipt", receipt));
    assert_int_equal(net.party[2]->done_proofs, 0);
    test_net_release(&net);
}

static json_t *unshared_receipt(const struct test_net *net)
{
    struct base_err err = {0};
    json_t *receipt;

    assert_int_equal(receipt_failed(&receipt, session_get_facts(net->party[ASKER]->session), false,
                                    "node.peer", "p3", false, &err),
                     FM_OK);
    return receipt;
}

static void test_who_started_never_says_that_nothing_was_shared(void **state)
{
    (void)state;
    for (int failed = 0; failed <= 1; failed++) {
        struct test_net net;
        test_net_init(&net, N, ASKER);
        test_net_open(&net);
        test_net_flow(&net);
        if (failed == 1)
            session_on_peer_down(net.party[1]->session, 3, "gone", net.now);
        test_net_hand(&net, ASKER, 1,
                      test_net_message("receipt", "receipt", unshared_receipt(&net)));
        assert_int_equal(net.party[1]->unshared_proofs, 0);
        test_net_release(&net);
    }
}

/* The asker's refusal was lost; its receipt alone tells p1 that the query is over. */
static void test_who_did_not_start_gives_up_and_signs(void **state)
{
    struct test_net net;

    (void)state;
    test_net_init(&net, N, ASKER);
    test_net_hand(&net, ASKER, 1, test_net_message("receipt", "receipt", unshared_receipt(&net)));
    assert_true(net.party[1]->unshared_proofs > 0);
    assert_int_equal(net.party[1]->finished, 1);
    assert_string_equal(net.party[1]->end.text, "p0: gave the query up");
    test_net_release(&net);
}

/* ---- parts that disagree ---- */

static void expect_mismatch(json_t *(*change)(json_t *part), const char *sentence)
{
    struct test_net net;
    json_t *part;

    test_net_init(&net, N, ASKER);
    test_net_open(&net);
    test_net_flow(&net);
    part = change(test_net_part(&net, 1));
    net.party[1]->running = false;
    session_on_worker_done(net.party[1]->session, part, net.now);
    json_decref(part);
    test_net_done_all(&net);
    test_net_finish(&net);
    assert_string_equal(net.party[ASKER]->end.text, sentence);
    assert_int_equal(net.party[ASKER]->end.code, FM_E_PEER);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(net.party[i]->done_proofs, 0);
    test_net_release(&net);
}

static json_t *other_channel(json_t *part)
{
    json_t *first = json_array_get(json_object_get(part, "channels"), 0);

    (void)json_object_set(first, "sent", json_object_get(first, "received"));
    return part;
}

static json_t *other_commitment(json_t *part)
{
    another_hash(NULL, NULL, 0, json_array_get(json_object_get(part, "result"), 0));
    return part;
}

static json_t *missing_holder(json_t *part)
{
    (void)json_array_remove(json_object_get(part, "inputs"), 0);
    return part;
}

static json_t *twice(json_t *part)
{
    json_t *result = json_object_get(part, "result");

    (void)json_array_append_new(result, json_deep_copy(json_array_get(result, 0)));
    return part;
}

static json_t *no_party(json_t *part)
{
    (void)json_object_set_new(json_array_get(json_object_get(part, "channels"), 0), "peer",
                              json_string("p9"));
    return part;
}

static json_t *no_component(json_t *part)
{
    (void)json_object_set_new(json_array_get(json_object_get(part, "result"), 0), "component",
                              json_integer(64));
    return part;
}

static void test_parts_that_disagree_make_no_receipt(void **state)
{
    (void)state;
    expect_mismatch(other_channel, "p1 and p0 disagree on what p1 sent to p0: no receipt");
    expect_mismatch(other_commitment,
                    "p0 and p1 committed to different shares of component 0: no receipt");
    expect_mismatch(missing_holder, "inputs: component 0 is not held by two parties");
    expect_mismatch(twice, "p1: part of p1: result: the same thing is said twice");
    expect_mismatch(no_party, "p1: part of p1: channels: 'p9' is not a party");
    expect_mismatch(no_component, "p1: part of p1: component 64 is out of range");
}

/* Parties that would choose their circuits for different links cannot talk to each other. */
static void test_the_link_is_in_the_descriptor(void **state)
{
    static const char *const links[] = {"lan", "metro", "wan", "lan"};
    struct descriptor_member members[3] = {{"did:a", 1}, {"did:b", 1}, {"did:c", 2}};
    struct session_facts facts = {.height = 7, .attempt = 1, .protocol = "rep3", .party_count = 3};
    struct base_err err = {0};
    uint8_t hash[4][32];
    json_t *open = json_object();

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(facts.link, sizeof facts.link, "%s", links[i]);
        assert_int_equal(descriptor_hash(&facts, open, members, &err), FM_OK);
        memcpy(hash[i], facts.descriptor, 32);
    }
    assert_memory_not_equal(hash[0], hash[1], 32);
    assert_memory_not_equal(hash[1], hash[2], 32);
    assert_memory_not_equal(hash[0], hash[2], 32);
    assert_memory_equal(hash[0], hash[3], 32);
    json_decref(open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_receipt_that_disagrees_is_never_signed),
        cmocka_unit_test(test_a_receipt_of_another_session_is_never_signed),
        cmocka_unit_test(test_a_true_receipt_is_signed_once_and_for_the_asker_alone),
        cmocka_unit_test(test_nobody_signs_done_before_its_own_part_is_done),
        cmocka_unit_test(test_who_started_never_says_that_nothing_was_shared),
        cmocka_unit_test(test_who_did_not_start_gives_up_and_signs),
        cmocka_unit_test(test_parts_that_disagree_make_no_receipt),
        cmocka_unit_test(test_the_link_is_in_the_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
