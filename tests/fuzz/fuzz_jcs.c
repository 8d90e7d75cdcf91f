/* Canonical JSON (base/json.h), as a person may write it and as it must come over the wire; and
 * others' (base/json_any.h).
 *
 * Laws: what reads has one canonical form, which reads back as the same tree and the same bytes;
 * the reader of canonical bytes takes exactly what equals its own canonical form (the general path
 * says so, not the quick one); where a member stands is where it stands; a refusal of the text says
 * at which line and column. Others' JSON: what the subset has, it has too, as the same tree and the
 * same bytes; what reads has one canonical form, which reads back as the same tree. */
#include <string.h>

#include "base/json_any.h"
#include "tests/fuzz/fuzz.h"

/* The object without its member: the tree's way, and the bytes' way. */
static void check_span(const uint8_t *data, size_t size, json_t *tree)
{
    static const char member[] = "proof";
    struct base_buf bare = {0}, cut = {0};
    struct base_json_span span;
    struct base_err err = {0};
    json_t *again;

    fuzz_law(base_json_parse_canonical_span(&again, &span, member, data, size, &err) == FM_OK &&
                 json_equal(again, tree),
             "with a span it reads as without");
    json_decref(again);
    if (span.to == 0)
        return;
    fuzz_law(json_object_del(tree, member) == 0, "a member that stands somewhere is there");
    fuzz_law(base_json_canonical(&bare, tree, &err) == FM_OK, "less of it is canonical too");
    base_buf_put(&cut, data, span.from);
    base_buf_put(&cut, data + span.to, size - span.to);
    fuzz_law(bare.len == cut.len && memcmp(bare.p, cut.p, cut.len) == 0,
             "the bytes without the member are the object without it");
    base_buf_release(&bare);
    base_buf_release(&cut);
}

static void check_canonical(const uint8_t *data, size_t size, const json_t *tree)
{
    struct base_buf bytes = {0}, twice = {0};
    struct base_err err = {0};
    json_t *again, *strict = NULL;
    bool same;

    fuzz_law(base_json_canonical(&bytes, tree, &err) == FM_OK, "what reads has a canonical form");
    fuzz_law(base_json_parse_canonical(&again, bytes.p, bytes.len, &err) == FM_OK,
             "which is canonical");
    fuzz_law(json_equal(again, tree), "and says the same");
    fuzz_law(base_json_canonical(&twice, again, &err) == FM_OK && twice.len == bytes.len &&
                 memcmp(twice.p, bytes.p, bytes.len) == 0,
             "and is its own");
    same = bytes.len == size && memcmp(bytes.p, data, size) == 0;
    fuzz_law((base_json_parse_canonical(&strict, data, size, &err) == FM_OK) == same,
             "canonical bytes are those that are their own canonical form, and no others");
    if (strict != NULL)
        check_span(data, size, strict);
    json_decref(strict);
    json_decref(again);
    base_buf_release(&bytes);
    base_buf_release(&twice);
}

/* subset: what base_json_parse() made of the same, or NULL. */
static void check_any(const uint8_t *data, size_t size, const json_t *subset)
{
    struct base_buf bytes = {0}, same = {0};
    struct base_err err = {0};
    json_t *tree = NULL, *again = NULL;

    if (base_json_any_parse(&tree, (const char *)data, size, &err) != FM_OK) {
        fuzz_law(err.code == FM_E_INPUT && strstr(err.text, "JSON") != NULL, "a refusal says why");
        fuzz_law(subset == NULL, "others' JSON is more than the subset");
        return;
    }
    fuzz_law(base_json_any_canonical(&bytes, tree, &err) == FM_OK, "it has a canonical form");
    fuzz_law(base_json_any_parse_canonical(&again, bytes.p, bytes.len, &err) == FM_OK,
             "which is canonical");
    fuzz_law(json_equal(again, tree), "and says the same");
    if (subset != NULL)
        fuzz_law(json_equal(tree, subset) && base_json_canonical(&same, subset, &err) == FM_OK &&
                     same.len == bytes.len && memcmp(same.p, bytes.p, same.len) == 0,
                 "the subset is the same in both");
    json_decref(tree);
    json_decref(again);
    base_buf_release(&bytes);
    base_buf_release(&same);
}

static void run(const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    json_t *tree = NULL;

    if (base_json_parse(&tree, (const char *)data, size, &err) == FM_OK) {
        check_any(data, size, tree);
        check_canonical(data, size, tree);
        json_decref(tree);
        return;
    }
    fuzz_law(err.code == FM_E_INPUT, "what is wrong is the input");
    fuzz_law(strstr(err.text, "JSON") != NULL, "a refusal says why");
    check_any(data, size, NULL);
    fuzz_law(base_json_parse_canonical(&tree, data, size, &err) == FM_E_INPUT,
             "what does not read is not canonical");
}

static void begin(struct fuzz_corpus *corpus)
{
    /* RFC 8785, section 3.2.3, among others. */
    static const char *const texts[] = {
        "{\"a\":1,\"b\":[true,false,\"x\"],\"c\":{\"d\":{},\"e\":[]}}",
        "{\"\\r\":\"CR\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"O\","
        "\"\xe2\x82\xac\":"
        "\"Euro\",\"\xf0\x9f\x98\x82\":\"Smiley\",\"\xef\xac\xb3\":\"Hebrew\"}",
        "[0,-1,9007199254740991,-9007199254740991]",
        "{ \"b\" : 1 ,\n \"a\" : [ \"\\u20ac$\\u000f\\nA'\\u0042\\u0022\\\\\\\"\\/\" ] }",
        "{\"list\":[[[[[[[[1]]]]]]]],\"proof\":{\"type\":\"DataIntegrityProof\"},\"z\":\"\"}",
        "{\"proof\":[1,2],\"q\":3}",
        "{\"a\":\"\\b\\t\\n\\f\\r\\u001f\\u007f\xed\x9f\xbf\"}",
        "[]",
        "[null,1.5,-0.0,1e-7,333333333.3333333,1e+30,5e-324,1.7976931348623157e308,1e23,2e-44]",
        "{\"credentialSubject\":{\"ratio\":-1.50e+2,\"x\":null,\"n\":9007199254740993}}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        fuzz_add(corpus, texts[i], strlen(texts[i]));
}

static const char *const words[] = {" ",          "\n",
                                    "\t",         "\\u0000",
                                    "\\ud800",    "\\udc00",
                                    "\\u00e9",    "\\ud83d\\ude02",
                                    "\\/",        "\xef\xbb\xbf",
                                    "\xc0\x80",   "\xed\xa0\x80",
                                    "null",       "1e5",
                                    "-0",         "0.1",
                                    "\"proof\":", "proof",
                                    "[[[[[[[[",   "]]]]]]]]",
                                    "{\"a\":",    NULL};
const struct fuzz_target fuzz_target = {"jcs", FUZZ_JSON, 4096, words, begin, run};
