#include "did/credential/shape.h"

#include <string.h>

#include "base/json.h"
#include "did/moment.h"

/* ---- parts ---- */

/* A scheme and something after it: what the model calls a URL. */
static bool is_url(const char *text)
{
    size_t scheme =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return scheme > 0 && strchr("0123456789+-.", text[0]) == NULL && text[scheme] == ':' &&
           text[scheme + 1] != '\0' && strpbrk(text, " \t\r\n\"<>\\^`{|}") == NULL;
}

static bool is_url_member(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);

    return json_is_string(member) && is_url(json_string_value(member));
}

bool credential_is_token(const char *text)
{
    size_t len =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~=");

    return strncmp(text, "eyJ", 3) == 0 || (text[len] == '\0' && strpbrk(text, ".~") != NULL);
}

const char *credential_id_of(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    const json_t *id = json_is_object(value) ? json_object_get(value, "id") : value;

    return json_is_string(id) && is_url(json_string_value(id)) ? json_string_value(id) : NULL;
}

bool credential_has_type(const json_t *object, const char *type)
{
    const json_t *member = json_object_get(object, "type"), *one;
    size_t i;

    if (json_is_string(member))
        return strcmp(json_string_value(member), type) == 0;
    json_array_foreach(member, i, one) if (json_is_string(one) &&
                                           strcmp(json_string_value(one), type) == 0) return true;
    return false;
}

/* "type": a text, or an array of at least one, each different. */
static bool has_types(const json_t *object)
{
    const json_t *member = json_object_get(object, "type"), *one;
    size_t i;

    if (json_is_string(member))
        return json_string_length(member) > 0;
    json_array_foreach(member, i, one)
    {
        if (!json_is_string(one) || json_string_length(one) == 0)
            return false;
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(member, j), one))
                return false;
    }
    return json_array_size(member) > 0;
}

/* Its first entry is the model's; the others name or hold further ones. */
static fm_status check_context(const json_t *object, struct base_err *err)
{
    const json_t *contexts = json_object_get(object, "@context"), *one;
    size_t i;

    if (!json_is_array(contexts) || !json_is_string(json_array_get(contexts, 0)) ||
        strcmp(json_string_value(json_array_get(contexts, 0)), CREDENTIAL_CONTEXT) != 0)
        return base_err_set(err, FM_E_INPUT,
                            "@context must be an array that begins with '" CREDENTIAL_CONTEXT "'");
    json_array_foreach(
        contexts, i,
        one) if (!json_is_object(one) &&
                 !(json_is_string(one) &&
                   is_url(json_string_value(
                       one)))) return base_err_set(err, FM_E_INPUT,
                                                   "@context[%zu] is neither a URL nor an object",
                                                   i);
    return FM_OK;
}

/* What may be one object or an array of them; each is checked by `check`. */
static fm_status check_each(const json_t *object, const char *name,
                            bool (*check)(const json_t *one), const char *must,
                            struct base_err *err)
{
    const json_t *member = json_object_get(object, name), *one;
    size_t i, count = json_array_size(member);

    if (member == NULL)
        return FM_OK;
    if (!json_is_array(member))
        return check(member) ? FM_OK : base_err_set(err, FM_E_INPUT, "%s must be %s", name, must);
    if (count == 0 || count > CREDENTIAL_SUBJECTS_MAX)
        return base_err_set(err, FM_E_INPUT, "%s must hold 1 to %d entries", name,
                            CREDENTIAL_SUBJECTS_MAX);
    json_array_foreach(member, i, one) if (!check(one)) return base_err_set(
        err, FM_E_INPUT, "%s[%zu] must be %s", name, i, must);
    return FM_OK;
}

static bool id_is_fine(const json_t *one)
{
    return json_object_get(one, "id") == NULL || is_url_member(one, "id");
}

static bool is_subject(const json_t *one)
{
    return json_is_object(one) && json_object_size(one) > 0 && id_is_fine(one);
}

static bool is_typed(const json_t *one)
{
    return json_is_object(one) && has_types(one) && id_is_fine(one);
}

static bool is_typed_with_id(const json_t *one)
{
    return is_typed(one) && is_url_member(one, "id");
}

/* Text, or a language value: {"@value", "@language"?, "@direction"?}. */
static bool is_words(const json_t *one)
{
    static const char *const names[] = {"@direction", "@language", "@value", NULL};
    struct base_err ignored = {0};
    const json_t *member;
    const char *name;

    if (json_is_string(one))
        return true;
    json_object_foreach((json_t *)(uintptr_t)one, name,
                        member) if (!json_is_string(member)) return false;
    return json_object_get(one, "@value") != NULL && base_json_only(one, names, &ignored) == FM_OK;
}

fm_status credential_moment(int64_t *unix_s, bool *there, const json_t *object, const char *member,
                            struct base_err *err)
{
    const json_t *text = json_object_get(object, member);

    *unix_s = 0;
    *there = text != NULL;
    if (text == NULL)
        return FM_OK;
    if (!json_is_string(text) || !did_moment_parse_any(unix_s, json_string_value(text)))
        return base_err_set(err, FM_E_INPUT, "%s must be a moment, like 2026-11-20T09:51:00Z",
                            member);
    return FM_OK;
}

/* ---- the whole ---- */

static fm_status check_words(const json_t *object, struct base_err *err)
{
    fm_status st = check_each(object, "name", is_words, "text or a language value", err);

    return st != FM_OK
               ? st
               : check_each(object, "description", is_words, "text or a language value", err);
}

static fm_status check_period(const json_t *credential, struct base_err *err)
{
    int64_t from, until;
    bool has_from, has_until;
    fm_status st = credential_moment(&from, &has_from, credential, "validFrom", err);

    if (st == FM_OK)
        st = credential_moment(&until, &has_until, credential, "validUntil", err);
    if (st == FM_OK && has_from && has_until && until < from)
        st = base_err_set(err, FM_E_INPUT, "validUntil lies before validFrom");
    return st;
}

static const struct {
    const char *name;
    bool (*check)(const json_t *one);
    const char *must;
} typed_members[] = {
    {"credentialSubject", is_subject, "an object that says something"},
    {"credentialStatus", is_typed, "an object with a type"},
    {"credentialSchema", is_typed_with_id, "an object with id and type"},
    {"evidence", is_typed, "an object with a type"},
    {"refreshService", is_typed, "an object with a type"},
    {"termsOfUse", is_typed, "an object with a type"},
};

fm_status credential_check_shape(const json_t *credential, struct base_err *err)
{
    fm_status st;

    if (!json_is_object(credential))
        return base_err_set(err, FM_E_INPUT, "a credential must be a JSON object");
    if ((st = check_context(credential, err)) != FM_OK)
        return st;
    if (!has_types(credential) || !credential_has_type(credential, "VerifiableCredential"))
        return base_err_set(err, FM_E_INPUT, "type must have 'VerifiableCredential'");
    if (!id_is_fine(credential))
        return base_err_set(err, FM_E_INPUT, "id must be a URL");
    if (credential_id_of(credential, "issuer") == NULL)
        return base_err_set(err, FM_E_INPUT, "issuer must be a URL, or an object with one as id");
    if (json_object_get(credential, "credentialSubject") == NULL)
        return base_err_set(err, FM_E_INPUT, "credentialSubject is missing");
    for (size_t i = 0; st == FM_OK && i < sizeof typed_members / sizeof typed_members[0]; i++)
        st = check_each(credential, typed_members[i].name, typed_members[i].check,
                        typed_members[i].must, err);
    if (st == FM_OK)
        st = check_period(credential, err);
    if (st == FM_OK)
        st = check_words(credential, err);
    if (st == FM_OK && json_is_object(json_object_get(credential, "issuer")) &&
        (st = check_words(json_object_get(credential, "issuer"), err)) != FM_OK)
        st = base_err_prefix(err, "issuer");
    return st;
}

fm_status credential_check_presentation(const json_t *presentation, struct base_err *err)
{
    const json_t *held;
    fm_status st;

    if (!json_is_object(presentation))
        return base_err_set(err, FM_E_INPUT, "a presentation must be a JSON object");
    if ((st = check_context(presentation, err)) != FM_OK)
        return st;
    if (!has_types(presentation) || !credential_has_type(presentation, "VerifiablePresentation"))
        return base_err_set(err, FM_E_INPUT, "type must have 'VerifiablePresentation'");
    if (!id_is_fine(presentation))
        return base_err_set(err, FM_E_INPUT, "id must be a URL");
    if (json_object_get(presentation, "holder") != NULL &&
        credential_id_of(presentation, "holder") == NULL)
        return base_err_set(err, FM_E_INPUT, "holder must be a URL, or an object with one as id");
    held = json_object_get(presentation, "verifiableCredential");
    if (held != NULL && !json_is_object(held) &&
        (!json_is_array(held) || json_array_size(held) > CREDENTIAL_SUBJECTS_MAX))
        return base_err_set(err, FM_E_INPUT,
                            "verifiableCredential must be an object, or an array of at most %d",
                            CREDENTIAL_SUBJECTS_MAX);
    return FM_OK;
}
