#include "exchange/copies/test_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "exchange/copies/box.h"

const char *const names[MEMBERS] = {"bank_a", "bank_b", "bank_c", "regulator", "bank_x"};

struct letter {
    struct letter *next;
    unsigned from, to;
    struct base_buf bytes;
};

struct member members[MEMBERS];

struct world world;
static struct letter *first;

/* ---- the host ---- */

static unsigned index_of(const char *alias)
{
    unsigned i = 0;

    while (i < MEMBERS && strcmp(names[i], alias) != 0)
        i++;
    return i;
}

static bool host_send(void *ctx, const char *alias, const void *bytes, size_t len)
{
    unsigned from = (unsigned)(uintptr_t)ctx, to = index_of(alias);
    struct letter **end = &first, *l;

    world.sent++;
    if ((world.sent == world.kill_at && (from == world.kill_whom || to == world.kill_whom)) ||
        to == MEMBERS || members[to].copies == NULL)
        return false;
    l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->from = from;
    l->to = to;
    base_buf_put(&l->bytes, bytes, len);
    world.bytes += len;
    while (*end != NULL)
        end = &(*end)->next;
    *end = l;
    return true;
}

static bool host_up(void *ctx, const char *alias)
{
    unsigned i = index_of(alias);

    (void)ctx;
    return i < MEMBERS && members[i].copies != NULL;
}

static bool host_active(void *ctx, const char *alias)
{
    unsigned i = index_of(alias);

    (void)ctx;
    return i < MEMBERS && !members[i].suspended;
}

static fm_status host_did(void *ctx, const char *alias, char out[COPIES_DID], struct base_err *err)
{
    (void)ctx, (void)err;
    (void)snprintf(out, COPIES_DID, "did:test:%s", alias);
    return FM_OK;
}

/* A "proof": who it is by, over the document's hash. */
static json_t *proof_of(const char *alias, const json_t *document)
{
    struct base_err err = {0};
    uint8_t hash[32];
    char hex[65];

    assert_int_equal(base_json_hash(hash, document, &err), FM_OK);
    base_hex(hex, hash, 32);
    return json_pack("{s:s,s:s}", "by", world.forge ? "nobody" : alias, "of", hex);
}

static fm_status host_prove(void *ctx, const json_t *document, json_t **proof, struct base_err *err)
{
    (void)err;
    *proof = proof_of(names[(uintptr_t)ctx], document);
    return FM_OK;
}

static fm_status host_check(void *ctx, const char *alias, const json_t *document,
                            const json_t *proof, struct base_err *err)
{
    json_t *want = proof_of(alias, document);
    bool right = json_equal(want, proof) &&
                 strcmp(json_string_value(json_object_get(want, "by")), alias) == 0;

    (void)ctx;
    json_decref(want);
    return right ? FM_OK : base_err_set(err, FM_E_AUTH, "the proof does not hold");
}

static fm_status host_seal(void *ctx, const char *name, const json_t *secret, struct base_err *err)
{
    (void)err;
    if (world.on_seal != NULL)
        world.on_seal((unsigned)(uintptr_t)ctx, name);
    (void)json_object_set_new(members[(uintptr_t)ctx].secrets, name, json_deep_copy(secret));
    return FM_OK;
}

static fm_status host_unseal(void *ctx, const char *name, json_t **secret, struct base_err *err)
{
    *secret = json_deep_copy(json_object_get(members[(uintptr_t)ctx].secrets, name));
    return *secret != NULL ? FM_OK : base_err_set(err, FM_E_NOT_FOUND, "no secret %s", name);
}

static fm_status host_erase(void *ctx, const char *name, struct base_err *err)
{
    (void)err;
    (void)json_object_del(members[(uintptr_t)ctx].secrets, name);
    return FM_OK;
}

static void host_log(void *ctx, const char *level, const char *alias, const char *text)
{
    (void)ctx, (void)level, (void)alias, (void)text;
}

static int64_t clock_now(void *ctx)
{
    (void)ctx;
    return world.now;
}
static const struct base_clock clock_virtual = {clock_now, clock_now, NULL};

/* ---- the world ---- */

void begin_process(unsigned i)
{
    struct copies_config config = {.host = {(void *)(uintptr_t)i, host_send, host_up, host_active,
                                            host_did, host_prove, host_check, host_seal,
                                            host_unseal, host_erase, host_log},
                                   .clock = &clock_virtual,
                                   .dir = members[i].dir,
                                   .chain = "c0",
                                   .quota = QUOTA};
    struct base_err err = {0};

    (void)snprintf(config.alias, sizeof config.alias, "%s", names[i]);
    if (copies_open(&members[i].copies, &config, &err) != FM_OK)
        fail_msg("%s", err.text);
    for (unsigned k = 0; k < MEMBERS; k++)
        if (k != i && members[k].copies != NULL) {
            copies_peer_up(members[k].copies, names[i]);
            copies_peer_up(members[i].copies, names[k]);
        }
}

void lose_letters(unsigned whose)
{
    for (struct letter **at = &first, *l; (l = *at) != NULL;)
        if (l->from == whose || l->to == whose) {
            *at = l->next;
            base_buf_release(&l->bytes);
            free(l);
        } else
            at = &l->next;
}

void end_process(unsigned i)
{
    struct copies *c = members[i].copies;

    members[i].copies = NULL;
    copies_close(c);
    lose_letters(i);
    for (unsigned k = 0; k < MEMBERS; k++)
        if (members[k].copies != NULL)
            copies_peer_down(members[k].copies, names[i]);
}

static bool killed(void)
{
    if (world.kill_at == 0 || world.sent < world.kill_at)
        return false;
    world.kill_at = 0;
    end_process(world.kill_whom);
    return true;
}

/* Until nobody says anything more. True: somebody died on the way. */
bool pump(void)
{
    struct letter *l;
    bool died = killed();

    while ((l = first) != NULL) {
        first = l->next;
        copies_take(members[l->to].copies, names[l->from], l->bytes.p, l->bytes.len);
        base_buf_release(&l->bytes);
        free(l);
        died = killed() || died;
    }
    return died;
}

/* Time passes; everybody looks. */
void pass(int64_t ms)
{
    world.now += ms;
    for (unsigned i = 0; i < MEMBERS; i++)
        if (members[i].copies != NULL)
            copies_tick(members[i].copies);
    (void)pump();
}

int world_setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    first = NULL;
    world.now = 1790000000000;
    /* In memory where that is possible: what is synced here need not survive the machine. */
    (void)snprintf(world.folder, sizeof world.folder, "%s/firmiana-copies.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(world.folder) == NULL)
        return -1;
    for (unsigned i = 0; i < MEMBERS; i++) {
        (void)snprintf(members[i].dir, sizeof members[i].dir, "%s/%s", world.folder, names[i]);
        members[i].secrets = json_object();
        members[i].suspended = false;
        if (mkdir(members[i].dir, 0700) != 0)
            return -1;
        begin_process(i);
    }
    return 0;
}

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char inside[512];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (void)snprintf(inside, sizeof inside, "%s/%s", path, e->d_name);
        (void)unlink(inside);
    }
    if (d != NULL)
        (void)closedir(d);
    (void)rmdir(path);
}

int world_teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMBERS; i++) {
        char inside[128];
        lose_letters(i);
        copies_close(members[i].copies);
        members[i].copies = NULL;
        json_decref(members[i].secrets);
        (void)snprintf(inside, sizeof inside, "%s/copies", members[i].dir);
        remove_folder(inside);
        remove_folder(members[i].dir);
    }
    remove_folder(world.folder);
    return 0;
}

/* ---- what people ask for ---- */

struct answer answer;

static void on_ok(void *ctx, const json_t *value)
{
    (void)ctx;
    assert_false(answer.came);
    answer.came = true;
    answer.value = json_deep_copy(value);
}

static void on_error(void *ctx, const struct base_err *err)
{
    (void)ctx;
    assert_false(answer.came);
    answer.came = true;
    answer.err = *err;
}

const struct copies_reply reply = {&answer, NULL, on_ok, on_error};

void forget_answer(void)
{
    json_decref(answer.value);
    answer = (struct answer){0};
}

static const uint8_t key[32] = {5, 4, 3};

static fm_status give(void *ctx, void *out, size_t len, struct base_err *err)
{
    (void)err;
    memset(out, *(const int *)ctx, len);
    return FM_OK;
}

/* The owner has these keep a copy whose content is `fill`, again and again. */
void put(char address[65], int fill, int64_t content, const char *keeper, const char *keeper2,
         const char *reader)
{
    json_t *keepers = json_array(), *readers = json_array();
    struct copies_put p = {.name = "a.pdf",
                           .until_ms = world.now + 10 * DAY_MS,
                           .keepers = keepers,
                           .readers = readers};
    struct base_err err = {0};
    char path[768];
    uint8_t hash[32];
    int fd;

    (void)json_array_append_new(keepers, json_string(keeper));
    if (keeper2 != NULL)
        (void)json_array_append_new(keepers, json_string(keeper2));
    if (reader != NULL)
        (void)json_array_append_new(readers, json_string(reader));
    assert_int_equal(copies_stage(members[OWNER].copies, &fd, path, &err), FM_OK);
    assert_int_equal(box_seal(fd, &(struct box_source){give, &fill}, content, key, &err), FM_OK);
    assert_int_equal(box_address(hash, &p.size, fd, NULL, &err), FM_OK);
    (void)close(fd);
    base_hex(p.address, hash, 32);
    memcpy(p.key32, key, 32);
    p.staged = path;
    memcpy(address, p.address, 65);
    forget_answer();
    copies_put(members[OWNER].copies, &p, &reply);
    json_decref(keepers);
    json_decref(readers);
}

/* How a member's task stands, in the last answer that has tasks. */
const char *stands(const char *member)
{
    json_t *t;
    size_t i;

    json_array_foreach(json_object_get(answer.value, "tasks"), i,
                       t) if (strcmp(json_string_value(json_object_get(t, "member")), member) ==
                              0) return json_string_value(json_object_get(t, "state"));
    return "nothing";
}

const char *why(const char *member)
{
    json_t *t;
    size_t i;

    json_array_foreach(json_object_get(answer.value, "tasks"), i,
                       t) if (strcmp(json_string_value(json_object_get(t, "member")), member) ==
                              0) return json_string_value(json_object_get(t, "why"));
    return "";
}

void show(const char *address)
{
    forget_answer();
    copies_show(members[OWNER].copies, "bank_a", address, &reply);
    (void)pump();
    assert_true(answer.came && answer.err.code == FM_OK);
}

static fm_status check_fill(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    for (size_t i = 0; i < len; i++)
        if (((const uint8_t *)bytes)[i] != (uint8_t) * (const int *)ctx)
            return base_err_set(err, FM_E_INVALID, "another content");
    return FM_OK;
}

/* A member fetches; the answer stays. What comes is what was kept. */
void get(unsigned who, const char *address, int fill)
{
    FILE *f = tmpfile();
    struct base_err err = {0};

    forget_answer();
    copies_get(members[who].copies, "bank_a", address, NULL, dup(fileno(f)), &reply);
    (void)pump();
    for (int i = 0; i < 5 && !answer.came && members[who].copies != NULL; i++)
        pass(COPIES_ANSWER_MS + 1);
    if (answer.came && answer.err.code == FM_OK &&
        box_open(&(struct box_sink){check_fill, &fill}, fileno(f), key, &err) != FM_OK)
        fail_msg("%s", err.text);
    (void)fclose(f);
}

void path_of(char out[256], unsigned who, const char *kind, const char *owner, const char *address)
{
    (void)snprintf(out, 256, "%s/copies/%s-%s%s%s", members[who].dir, kind, owner,
                   owner[0] != '\0' ? "-" : "", address);
}

bool there(unsigned who, const char *kind, const char *owner, const char *address)
{
    char path[256];

    path_of(path, who, kind, owner, address);
    return access(path, F_OK) == 0;
}

void damage(unsigned who, const char *address, int64_t at)
{
    struct base_err err = {0};
    char path[256];
    uint8_t byte;
    int fd;

    path_of(path, who, "kept", names[OWNER], address);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(box_read_at(fd, &byte, 1, at, &err), FM_OK);
    byte ^= 1;
    assert_int_equal(box_write_at(fd, &byte, 1, at, &err), FM_OK);
    (void)close(fd);
}

void say(unsigned from, unsigned to, const struct copies_message *m)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};

    assert_int_equal(copies_message_put(&bytes, m, &err), FM_OK);
    copies_take(members[to].copies, names[from], bytes.p, bytes.len);
    base_buf_release(&bytes);
}
