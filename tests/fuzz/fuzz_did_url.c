/* DID URLs. Laws: what is taken is what the grammar of DID Core 3.1 and 3.2 takes, said once more
 * as a regular expression for the C library; its parts, put together, are the text; a parameter's
 * value is what stands there, decoded; a refusal says why. */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "did/url.h"
#include "tests/fuzz/fuzz.h"

#define ESCAPE "%[0-9A-Fa-f][0-9A-Fa-f]"
#define ID_CHAR "([A-Za-z0-9._-]|" ESCAPE ")"
#define PCHARS "A-Za-z0-9._~!$&'()*+,;=:@/"

static regex_t grammar;

static void append(char *out, size_t cap, const char *mark, const char *part)
{
    size_t n = strlen(out);

    if (part != NULL)
        fuzz_law((size_t)snprintf(out + n, cap - n, "%s%s", mark, part) < cap - n,
                 "the parts are no longer than the text");
}

/* No more comes out of an escaped text than its characters that are no escapes, and one for each
 * that is. */
static void check_parameter(const struct did_url *url, const char *name)
{
    char value[64], raw[2 * DID_URL_TEXT];
    struct base_err err = {0};
    const char *at = url->query;
    size_t n = strlen(name), len;

    if (did_url_parameter(value, sizeof value, url, name, &err) != FM_OK) {
        fuzz_law(err.code == FM_E_ARG && err.text[0] != '\0', "a refusal says why");
        return;
    }
    while (at != NULL && (strncmp(at, name, n) != 0 || at[n] != '=')) {
        at = strchr(at, '&');
        at += at != NULL;
    }
    if (at == NULL) {
        fuzz_law(value[0] == '\0', "what is not there has no value");
        return;
    }
    len = strcspn(at + n + 1, "&");
    fuzz_law(did_url_unescape(raw, sizeof raw, at + n + 1, len) && strcmp(raw, value) == 0,
             "the value is what stands there");
    fuzz_law(strlen(value) <= len, "no longer than it was");
}

static void check(const struct did_url *url, const char *text)
{
    static const char *const names[] = {"service", "versionId", NULL};
    char again[2 * DID_URL_TEXT] = "", other[64];

    append(again, sizeof again, "", url->did);
    append(again, sizeof again, "/", url->path);
    append(again, sizeof again, "?", url->query);
    append(again, sizeof again, "#", url->fragment);
    fuzz_law(strcmp(again, text) == 0, "the parts are the text");
    again[0] = '\0';
    append(again, sizeof again, "did:", url->method);
    append(again, sizeof again, ":", url->id);
    fuzz_law(strcmp(again, url->did) == 0, "method and id are the DID");
    for (size_t i = 0; names[i] != NULL; i++)
        check_parameter(url, names[i]);
    did_url_other_parameter(other, url, names);
    fuzz_law(strcmp(other, names[0]) != 0 && strcmp(other, names[1]) != 0, "another is another");
}

static void run(const uint8_t *data, size_t size)
{
    static struct did_url url;
    char text[DID_URL_TEXT + 8];
    struct base_err err = {0};
    bool taken;

    if (size >= sizeof text)
        return;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    taken = did_url_parse(&url, text, &err) == FM_OK;
    if (taken)
        check(&url, text);
    else
        fuzz_law(err.code == FM_E_ARG && err.text[0] != '\0', "a refusal says why");
    fuzz_law(taken == (strlen(text) < DID_URL_TEXT && regexec(&grammar, text, 0, NULL, 0) == 0),
             "what is taken is what the grammar takes");
}

static void begin(struct fuzz_corpus *corpus)
{
    static const char expression[] = "^did:[a-z0-9]+:(" ID_CHAR "*:)*" ID_CHAR "+"
                                     "(/([" PCHARS "-]|" ESCAPE ")*)?"
                                     "([?]([" PCHARS "?-]|" ESCAPE ")*)?"
                                     "(#([" PCHARS "?-]|" ESCAPE ")*)?$";
    static const char *const texts[] = {
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:web:bank-a.example%3A8443:did",
        "did:firmiana:4f5a:zQm/path/to?service=files&relativeRef=%2Fa%2Fb&versionId=4#z6Mk",
        "did:example:1:2::3#keys-1",
        "did:example:123?versionId=1;x=y&service=a%20b?",
    };

    fuzz_law(regcomp(&grammar, expression, REG_EXTENDED | REG_NOSUB) == 0, "the grammar compiles");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        fuzz_add(corpus, texts[i], strlen(texts[i]));
}

static const char *const words[] = {"did:", ":",   "::",  "%00",      "%",          "%4",
                                    "/",    "?",   "#",   "service=", "versionId=", "&",
                                    "=",    "%41", "%7f", "##",       "\x7f",       "\xc3\xa9",
                                    "did",  "%3A", "//",  NULL};
const struct fuzz_target fuzz_target = {"did_url", FUZZ_BYTES, 400, words, begin, run};
