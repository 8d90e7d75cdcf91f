/* node.json. Laws: what is accepted says the same in canonical form and with its members in any
 * order; every text in it ends within its field. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/node/home.h"
#include "tests/fuzz/fuzz.h"

static fm_status parse(struct home *out, const char *text, size_t len, struct base_err *err)
{
    memset(out, 0, sizeof *out);
    memcpy(out->dir, "/h", 3);
    return home_parse(out, text, len, err);
}

static void run(const uint8_t *data, size_t size)
{
    static struct home home, again;
    struct base_err err = {0};
    struct base_buf canonical = {0};
    json_t *json = NULL;

    if (parse(&home, (const char *)data, size, &err) != FM_OK) {
        fuzz_law(err.code != FM_OK && err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(base_json_parse(&json, (const char *)data, size, &err) == FM_OK,
             "what is accepted is JSON");
    fuzz_law(base_json_canonical(&canonical, json, &err) == FM_OK, "and has a canonical form");
    fuzz_law(parse(&again, (const char *)canonical.p, canonical.len, &err) == FM_OK,
             "which is accepted too");
    /* Roles stand in the order of the text. */
    fuzz_law(home.roles.count == again.roles.count, "with as many roles");
    memset(&home.roles, 0, sizeof home.roles);
    memset(&again.roles, 0, sizeof again.roles);
    fuzz_law(memcmp(&home, &again, sizeof home) == 0, "and says the same");
    fuzz_law(memchr(home.alias, 0, sizeof home.alias) != NULL &&
                 memchr(home.listen, 0, sizeof home.listen) != NULL &&
                 memchr(home.data, 0, sizeof home.data) != NULL &&
                 memchr(home.log, 0, sizeof home.log) != NULL &&
                 memchr(home.metrics, 0, sizeof home.metrics) != NULL,
             "texts end within their fields");
    fuzz_law(home_is_address(home.listen), "listen is an address");
    json_decref(json);
    base_buf_release(&canonical);
}

static void begin(struct fuzz_corpus *corpus)
{
    static const char *const texts[] = {
        "{\n  \"alias\": \"bank_a\",\n  \"listen\": \"tcp://127.0.0.1:7100\"\n}\n",
        "{\"alias\":\"b\",\"block_interval_ms\":50,\"data\":\"/x/y.db\",\"listen\":\"tcp://"
        "[::1]:1\"}",
        "{\"alias\":\"bank_a\",\"data\":\"d.db\",\"listen\":\"tcp://a:65535\",\"log\":\"n.log\","
        "\"log_level\":\"warn\",\"memory_limit\":512,\"metrics\":\"127.0.0.1:9100\",\"threads\":1}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        static struct home home;
        struct base_err err = {0};
        fuzz_law(parse(&home, texts[i], strlen(texts[i]), &err) == FM_OK, err.text);
        fuzz_add(corpus, texts[i], strlen(texts[i]));
    }
}

static const char *const words[] = {
    " ",           "\n",         "\"alias\"", "\"listen\"", "\"data\"", "\"threads\"", "\"log\"",
    "\"metrics\"", "alias",      "listen",    "metrics",    "roles",    "tcp://",      ":65536",
    "[::1]:",      "127.0.0.1:", "\\u0000",   "\\ud800",    "..",       "/",           "info",
    "socket",      "{\"@x\":",   "operator",  "log_level",  NULL};
const struct fuzz_target fuzz_target = {"node_json", FUZZ_JSON, 4096, words, begin, run};
