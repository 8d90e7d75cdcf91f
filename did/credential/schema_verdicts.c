/* For tests/interop.sh: reads lines {"schema": NAME, "subject": ..., "valid": what another
 * validator says} from standard input, and ends with 1 where ours says otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/credential/schemas.h"

static json_t *schema_named(const char *name)
{
    struct credential_schema one;

    for (size_t i = 0; credential_schema_at(&one, i); i++)
        if (strcmp(one.name, name) == 0)
            return json_loads(one.text, 0, NULL);
    return NULL;
}

static int judge(const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "schema"));
    json_t *schema = name == NULL ? NULL : schema_named(name);
    json_t *value = json_pack("{s:O*}", "credentialSubject", json_object_get(line, "subject"));
    struct base_err err = {0};
    fm_status st = credential_json_schema_check(schema, &err);
    int wrong;

    if (st == FM_OK)
        st = credential_json_schema_validate(schema, schema, value, CREDENTIAL_SCHEMA_WHOLE, &err);
    wrong = (st != FM_OK && st != FM_E_INVALID) ||
            (st == FM_OK) != json_is_true(json_object_get(line, "valid"));
    if (wrong)
        printf("ours says %s (%s) of %s\n", fm_status_name(st), err.text, json_dumps(line, 0));
    json_decref(schema);
    json_decref(value);
    return wrong;
}

int main(void)
{
    char line[65536];
    unsigned n = 0, valid = 0;
    int wrong = 0;

    for (; fgets(line, sizeof line, stdin) != NULL; n++) {
        json_t *json = json_loads(line, 0, NULL);
        valid += json_is_true(json_object_get(json, "valid"));
        wrong |= judge(json);
        json_decref(json);
    }
    printf("%u values, %u of them valid, judged alike\n", n, valid);
    return wrong != 0 || valid == 0 || valid == n;
}
