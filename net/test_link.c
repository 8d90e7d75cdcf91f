#include "net/test_puppet.h"

static void dialled_puppets_come_up(void **state)
{
    struct stage st;
    struct puppet p;

    (void)state;
    stage_init(&st);
    puppet_dial(&p, &st, 0, 1);
    assert_int_equal(st.ups, 1);
    assert_true(net_mesh_peer_live(st.mesh, "bank_a"));
    assert_int_equal(p.seen[NET_HEARTBEAT], 1);
    /* A handshake frame is out of turn now. */
    push_handshake(&p, (const uint8_t *)"x", 1);
    assert_int_equal(st.downs, 1);
    assert_string_equal(st.why.text, "connection to bank_a: a handshake frame out of turn");
    pull(&p);
    assert_int_equal(p.seen[NET_CLOSE], 1);
    assert_int_equal(p.last[0], NET_R_PROTOCOL);
    puppet_release(&p);
    stage_release(&st);
}

static void wrong_diallers_stay_out(void **state)
{
    struct stage st;
    struct puppet p;

    (void)state;
    stage_init(&st);
    puppet_dial(&p, &st, 2, 1); /* bank_c has the greater name: it must wait to be dialled */
    assert_false(net_mesh_peer_live(st.mesh, "bank_c"));
    assert_int_equal(p.seen[NET_HEARTBEAT], 0);
    assert_int_equal(st.strangers, 1);
    assert_string_equal(st.why.text, "bank_c dialled, but waits to be dialled by us");
    puppet_release(&p);
    puppet_dial(&p, &st, 3, 2); /* bank_d is unknown */
    assert_int_equal(p.seen[NET_HEARTBEAT], 0);
    puppet_release(&p);
    puppet_dial(&p, &st, 1, 3); /* the node's own name and key */
    assert_int_equal(p.seen[NET_HEARTBEAT], 0);
    assert_int_equal(st.ups, 0);
    puppet_release(&p);
    assert_int_equal(st.strangers, 1); /* the node hears of more of them later, in one */
    test_now += NET_STRANGERS_TELL_MS;
    (void)net_mesh_tick(st.mesh);
    assert_int_equal(st.strangers, 3);
    stage_release(&st);
}

static unsigned count_links(const struct stage *st)
{
    unsigned n = 0;

    for (const struct net_link *l = st->mesh->links; l; l = l->next)
        n++;
    return n;
}

static void strangers_are_counted_and_go(void **state)
{
    struct stage st;
    struct puppet p, stranger = {.st = &st, .route = {3, {'s'}}};

    (void)state;
    stage_init(&st);
    for (unsigned i = 0; i < 300; i++) {
        stranger.route.id[1] = (uint8_t)(i >> 8);
        stranger.route.id[2] = (uint8_t)i;
        push_handshake(&stranger, (const uint8_t *)"\x16\x03", i % 2 ? 2 : 1);
        push_handshake(&stranger, (const uint8_t *)"junk", 4);
        assert_true(count_links(&st) <= NET_STRANGERS_MAX);
    }
    assert_int_equal(st.hangups, 300);
    assert_int_equal(net_mesh_strangers(st.mesh), 300);
    puppet_dial(&p, &st, 0, 1);
    assert_true(net_mesh_peer_live(st.mesh, "bank_a"));
    test_now += 4999;
    (void)net_mesh_tick(st.mesh);
    assert_true(count_links(&st) > 100);
    test_now += 1;
    (void)net_mesh_tick(st.mesh);
    assert_int_equal(net_mesh_strangers(st.mesh), 300); /* bank_a is none */
    assert_in_range(count_links(&st), 1, 2); /* bank_a, and perhaps bank_c being dialled */
    assert_true(net_mesh_peer_live(st.mesh, "bank_a"));
    puppet_release(&p);
    stage_release(&st);
}

/* Says one wrong thing on a fresh live connection; it must end with this text. */
static void expect_end(void (*say)(struct puppet *), const char *text)
{
    struct stage st;
    struct puppet p;

    stage_init(&st);
    puppet_dial(&p, &st, 0, 1);
    say(&p);
    assert_int_equal(st.downs, 1);
    assert_string_equal(st.why.text, text);
    puppet_release(&p);
    stage_release(&st);
}

static uint8_t zeros[1 << 20];

static void say_too_much(struct puppet *p)
{
    for (int i = 0; i < 31; i++)
        push_control(p, NET_DATA_END, zeros, 1 << 20);
    assert_int_equal(p->st->messages, 31);
    assert_int_equal(p->st->downs, 0);
    push_control(p, NET_DATA_END, zeros, 1 << 20);
}

static void say_too_long(struct puppet *p)
{
    for (int i = 0; i < 16; i++)
        push_control(p, NET_DATA_PART, zeros, 1 << 20);
    push_control(p, NET_DATA_PART, zeros, 2);
    assert_int_equal(p->st->downs, 0);
    push_control(p, NET_DATA_PART, zeros, 1);
}

static void say_window(struct puppet *p)
{
    push_control(p, NET_WINDOW, (const uint8_t *)"\0\0\0\0\0\0\0\1", 8);
}

static void say_nothing(struct puppet *p)
{
    push_control(p, NET_DATA_END, zeros, 1);
}

static void say_type(struct puppet *p)
{
    push_control(p, NET_CLOSE + 1, zeros, 1);
}

static void say_length(struct puppet *p)
{
    push_control(p, NET_SESSION_BYE, zeros, 7);
}

static void say_bad_stream(struct puppet *p)
{
    struct net_session_config config = {.parties = 2, .names = names, .deadline_ms = INT64_MAX};
    struct net_session *s;
    struct base_err err;
    struct net_seal seal;

    assert_int_equal(net_mesh_session_open(p->st->mesh, &s, &config, &err), FM_OK);
    assert_int_equal(net_seal_init(&seal, NET_SEAL, zeros, NET_SEAL_BLOCKS, &err), FM_OK);
    push(p, &seal, (struct net_head){.type = 1, .stream = 64, .len = 1, .session = s->far[0].id},
         zeros);
    net_seal_release(&seal);
    net_mesh_session_close(p->st->mesh, s);
}

static void wrong_words_end_the_connection(void **state)
{
    (void)state;
    expect_end(say_too_much, "connection to bank_a: bank_a overran the control window");
    expect_end(say_too_long,
               "connection to bank_a: bank_a sent a message of more than 16777216 bytes");
    expect_end(say_window, "connection to bank_a: bank_a says it took more than was sent");
    expect_end(say_nothing, "connection to bank_a: bank_a sent a message without a type");
    expect_end(say_type,
               "connection to bank_a: bank_a sent a control frame of type 8 with 1 bytes");
    expect_end(say_length,
               "connection to bank_a: bank_a sent a control frame of type 6 with 7 bytes");
    expect_end(say_bad_stream, "connection to bank_a: bank_a sent a frame of type 1 on stream 64");
}

/* What the mesh sends is held back by the puppet's window. */
static void the_mesh_keeps_to_the_window(void **state)
{
    struct base_err err;
    struct stage st;
    struct puppet p;
    uint8_t taken[8];

    (void)state;
    stage_init(&st);
    puppet_dial(&p, &st, 0, 1);
    for (int i = 0; i < 40; i++)
        assert_int_equal(net_mesh_control_send(st.mesh, "bank_a", 1, zeros, (1 << 20) - 2, &err),
                         FM_OK);
    pull(&p);
    assert_int_equal(p.seen[NET_DATA_END], 31);
    base_store_u64(taken, 5 * ((1 << 20) + 64));
    push_control(&p, NET_WINDOW, taken, 8);
    pull(&p);
    assert_int_equal(p.seen[NET_DATA_END], 36);
    puppet_release(&p);
    stage_release(&st);
}

/* The mesh dials bank_c. After TLS, nothing counts before a control frame has opened. */
static void unconfirmed_links_carry_nothing(void **state)
{
    struct base_err err;
    struct net_seal seal;
    struct stage st;

    (void)state;
    for (int early = 0; early < 2; early++) {
        struct puppet p = {.st = &st, .keys = {key_of, &st}};
        stage_init(&st);
        (void)net_mesh_tick(st.mesh);
        p.route = st.dialled;
        assert_int_equal(p.route.len, 9);
        assert_int_equal(net_channel_new(&p.channel, st.id[2], &p.keys, NET_ACCEPTS, NULL, &err),
                         FM_OK);
        for (int i = 0; i < 4; i++)
            pull(&p);
        assert_true(net_channel_done(p.channel));
        assert_string_equal(net_channel_peer(p.channel), "bank_b");
        assert_int_equal(st.ups, 0);
        assert_int_equal(net_control_init(&p.control, p.channel, &err), FM_OK);
        if (early) {
            assert_int_equal(net_seal_init(&seal, NET_SEAL, zeros, NET_SEAL_BLOCKS, &err), FM_OK);
            push(&p, &seal, (struct net_head){.type = 1, .len = 1, .session = 99}, zeros);
            net_seal_release(&seal);
        }
        push_control(&p, NET_HEARTBEAT, zeros, 0);
        assert_int_equal(st.ups, !early);
        assert_int_equal(net_mesh_peer_live(st.mesh, "bank_c"), !early);
        puppet_release(&p);
        stage_release(&st);
    }
}

/* Frames of sessions that are not open: how many are kept, and what the peer is told then. */
static void held_frames_are_bounded(void **state)
{
    static const struct {
        uint64_t sessions, frames;
        uint32_t len;
    } cases[] = {
        {NET_HELD_SESSIONS, NET_HELD_SESSIONS, 1}, {1, NET_HELD_FRAMES, 1}, {3, 63, 1 << 20}};
    struct base_err err;
    struct net_seal seal;
    struct stage st;
    struct puppet p;

    (void)state;
    for (int c = 0; c < 3; c++) {
        uint64_t n = cases[c].sessions;
        stage_init(&st);
        puppet_dial(&p, &st, 0, 1);
        assert_int_equal(net_seal_init(&seal, NET_SEAL, zeros, NET_SEAL_BLOCKS, &err), FM_OK);
        for (uint64_t i = 0; i < cases[c].frames; i++)
            push(&p, &seal, (struct net_head){.type = 1, .len = cases[c].len, .session = 1 + i % n},
                 zeros);
        pull(&p);
        assert_int_equal(p.seen[NET_SESSION_ABORT], 0);
        push(&p, &seal, (struct net_head){.type = 1, .len = 1 << 20, .session = n + 1}, zeros);
        pull(&p);
        assert_int_equal(p.seen[NET_SESSION_ABORT], 1);
        assert_int_equal(base_load_u64(p.last), n + 1);
        assert_int_equal(p.last[9], NET_R_LIMIT);
        /* The rest goes when its time is over. */
        test_now += 9000;
        push_control(&p, NET_HEARTBEAT, zeros, 0);
        (void)net_mesh_tick(st.mesh);
        test_now += 1000;
        (void)net_mesh_tick(st.mesh);
        pull(&p);
        assert_int_equal(p.seen[NET_SESSION_ABORT], 1 + n);
        assert_int_equal(p.last[9], NET_R_UNEXPECTED);
        assert_true(net_mesh_peer_live(st.mesh, "bank_a"));
        net_seal_release(&seal);
        puppet_release(&p);
        stage_release(&st);
    }
}

/* Late frames of a closed session are dropped without a word; its deadline needs no worker. */
static void sessions_end_quietly_or_in_time(void **state)
{
    struct net_session_config config = {.parties = 2, .names = names, .deadline_ms = 5000};
    struct base_err err;
    struct net_session *s;
    struct net_seal seal;
    struct stage st;
    struct puppet p;
    uint64_t id;

    (void)state;
    stage_init(&st);
    puppet_dial(&p, &st, 0, 1);
    assert_int_equal(net_mesh_session_open(st.mesh, &s, &config, &err), FM_OK);
    id = s->far[0].id;
    net_mesh_session_close(st.mesh, s);
    assert_int_equal(net_seal_init(&seal, NET_SEAL, zeros, NET_SEAL_BLOCKS, &err), FM_OK);
    push(&p, &seal, (struct net_head){.type = 1, .len = 1, .session = id}, zeros);
    net_seal_release(&seal);
    config.descriptor32[0] = 1;
    assert_int_equal(net_mesh_session_open(st.mesh, &s, &config, &err), FM_OK);
    test_now = 5000 + NET_PATIENCE_MS;
    push_control(&p, NET_HEARTBEAT, zeros, 0);
    assert_int_equal(st.ended, 0);
    (void)net_mesh_tick(st.mesh);
    assert_int_equal(st.ended, 1);
    assert_string_equal(st.why.text, "the session's deadline passed");
    test_now += 9000;
    (void)net_mesh_tick(st.mesh);
    pull(&p);
    assert_int_equal(p.seen[NET_SESSION_BYE], 1);
    assert_int_equal(p.seen[NET_SESSION_ABORT], 1); /* of the second */
    assert_int_equal(p.last[9], NET_R_TIMEOUT);
    net_mesh_session_close(st.mesh, s);
    puppet_release(&p);
    stage_release(&st);
}

/* A worker meets a peer that announces what was never sent. */
static void session_windows_cannot_lie(void **state)
{
    struct net_session_config config = {.parties = 2, .names = names, .deadline_ms = 5000};
    uint8_t secret[32], stream[32], way[2] = {0, 7}, byte;
    struct base_err err;
    struct net_session *s;
    struct net_seal seal;
    struct stage st;
    struct puppet p;

    (void)state;
    stage_init(&st);
    puppet_dial(&p, &st, 0, 1);
    assert_int_equal(net_mesh_session_open(st.mesh, &s, &config, &err), FM_OK);
    assert_int_equal(net_channel_export(p.channel, secret, "session", config.descriptor32, &err),
                     FM_OK);
    assert_int_equal(net_expand(stream, 32, secret, "firmiana stream", way, 2, &err), FM_OK);
    assert_int_equal(net_seal_init(&seal, NET_SEAL, stream, NET_SEAL_BLOCKS, &err), FM_OK);
    push(&p, &seal,
         (struct net_head){.type = NET_DATA_END, .stream = 7, .len = 1, .session = s->far[0].id},
         (const uint8_t *)"k");
    push(&p, &seal,
         (struct net_head){.type = NET_WINDOW, .stream = 7, .len = 8, .session = s->far[0].id},
         (const uint8_t *)"\0\0\0\0\0\0\0\1");
    net_seal_release(&seal);
    way[1] = 9;
    assert_int_equal(net_expand(stream, 32, secret, "firmiana stream", way, 2, &err), FM_OK);
    assert_int_equal(net_seal_init(&seal, NET_SEAL, stream, NET_SEAL_BLOCKS, &err), FM_OK);
    push(&p, &seal,
         (struct net_head){.type = NET_DATA_END, .stream = 9, .len = 1, .session = s->far[0].id},
         (const uint8_t *)"l");
    assert_int_equal(net_recv(net_session_transport(s), 7, 0, &byte, 1, &err), FM_OK);
    assert_int_equal(byte, 'k');
    assert_int_equal(net_recv(net_session_transport(s), 7, 0, &byte, 1, &err), FM_E_PEER);
    assert_string_equal(err.text, "bank_a says it took more than was sent");
    /* After that nothing works, whatever is in the inbox, and the connection ends. */
    assert_int_equal(net_recv(net_session_transport(s), 9, 0, &byte, 1, &err), FM_E_PEER);
    assert_string_equal(err.text, "bank_a says it took more than was sent");
    (void)net_mesh_tick(st.mesh);
    assert_false(net_mesh_peer_live(st.mesh, "bank_a"));
    net_mesh_session_close(st.mesh, s);
    net_seal_release(&seal);
    puppet_release(&p);
    stage_release(&st);
}

/* The transcript, computed here from its description in wire.md. */
static void transcripts_are_as_described(void **state)
{
    struct net_session_config config = {.descriptor32 = {3},
                                        .parties = 2,
                                        .names = names,
                                        .deadline_ms = INT64_MAX,
                                        .flags = NET_SESSION_TRANSCRIPT};
    static const struct {
        uint8_t stream;
        const char *text[2];
    } said[2] = {{5, {"one", "two"}}, {40, {"", "three"}}};
    uint8_t secret[32], salt[32], head[NET_HEAD], of_stream[32], sum[32], sent[32], received[32];
    struct base_hash all, hash;
    struct base_err err;
    struct net_session *s;
    struct stage st;
    struct puppet p;

    (void)state;
    stage_init(&st);
    puppet_dial(&p, &st, 0, 1);
    assert_int_equal(net_mesh_session_open(st.mesh, &s, &config, &err), FM_OK);
    assert_int_equal(net_channel_export(p.channel, secret, "session", config.descriptor32, &err),
                     FM_OK);
    assert_int_equal(net_expand(salt, 32, secret, "firmiana salt", NULL, 0, &err), FM_OK);
    base_hash_init(&all);
    base_hash_update(&all, salt, 32);
    for (int i = 0; i < 2; i++) {
        base_hash_init(&hash);
        base_hash_update(&hash, salt, 32);
        for (int j = 0; j < 2; j++) {
            uint32_t len = (uint32_t)strlen(said[i].text[j]);
            net_head_write(head, &(struct net_head){NET_KIND_SEALED, NET_DATA_END, said[i].stream,
                                                    len, s->far[0].id});
            base_hash_update(&hash, head, NET_HEAD);
            base_hash_update(&hash, said[i].text[j], len);
            assert_int_equal(
                net_send(net_session_transport(s), said[i].stream, 0, said[i].text[j], len, &err),
                FM_OK);
        }
        base_hash_final(&hash, of_stream);
        base_hash_update(&all, &said[i].stream, 1);
        base_hash_update(&all, of_stream, 32);
    }
    base_hash_final(&all, sum);
    assert_int_equal(net_session_transcript(s, 0, sent, received, &err), FM_OK);
    assert_memory_equal(sent, sum, 32);
    base_hash(sum, salt, 32); /* nothing was received */
    assert_memory_equal(received, sum, 32);
    assert_int_equal(net_session_transcript(s, 1, sent, received, &err), FM_E_ARG);
    net_mesh_session_close(st.mesh, s);
    puppet_release(&p);
    stage_release(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialled_puppets_come_up),
        cmocka_unit_test(wrong_diallers_stay_out),
        cmocka_unit_test(strangers_are_counted_and_go),
        cmocka_unit_test(wrong_words_end_the_connection),
        cmocka_unit_test(the_mesh_keeps_to_the_window),
        cmocka_unit_test(unconfirmed_links_carry_nothing),
        cmocka_unit_test(held_frames_are_bounded),
        cmocka_unit_test(sessions_end_quietly_or_in_time),
        cmocka_unit_test(session_windows_cannot_lie),
        cmocka_unit_test(transcripts_are_as_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
