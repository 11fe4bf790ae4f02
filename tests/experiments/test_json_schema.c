/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every word of JSON Schema that the validator knows, on values that fit and on values that do not, as the standard has it; words
 * that it does not know are errors of the schema, and ours has none. */
#include "tests/test.h"

#include <cjson/cJSON.h>

#include "experiments/embedded_private.h"
#include "experiments/json_schema_private.h"

static const struct {
    const char *schema, *fits, *refused, *message;
} words[] = {
    {"{\"type\": \"object\"}", "{}", "[]", "the document: [] is not of type \"object\""},
    {"{\"type\": \"array\"}", "[1]", "{}", "type"},
    {"{\"type\": \"string\"}", "\"a\"", "1", "type"},
    {"{\"type\": \"boolean\"}", "false", "0", "type"},
    {"{\"type\": \"null\"}", "null", "false", "type"},
    {"{\"type\": \"number\"}", "1.5", "\"1.5\"", "type"},
    {"{\"type\": \"integer\"}", "-3", "1.5", "type"},
    {"{\"type\": [\"number\", \"null\"]}", "null", "\"\"", "is not of type [\"number\",\"null\"]"},
    {"{\"enum\": [1, \"a\"]}", "\"a\"", "\"b\"", "none of the values"},
    {"{\"const\": 2}", "2", "3", "not the one value"},
    {"{\"minimum\": 2}", "2", "1.9", "too small"},
    {"{\"minimum\": 2}", "\"text\"", "1", "too small"}, /* says nothing of texts */
    {"{\"exclusiveMinimum\": 2}", "2.1", "2", "too small"},
    {"{\"maximum\": 2}", "2", "2.1", "too large"},
    {"{\"minLength\": 2}", "\"ab\"", "\"a\"", "too short"},
    {"{\"maxLength\": 2}", "\"ab\"", "\"abc\"", "too long"},
    {"{\"items\": {\"type\": \"number\"}}", "[1, 2]", "[1, \"a\"]", "[1]: \"a\" is not of type"},
    {"{\"minItems\": 2}", "[1, 2]", "[1]", "too few"},
    {"{\"maxItems\": 2}", "[1, 2]", "[1, 2, 3]", "too many"},
    {"{\"required\": [\"a\", \"b\"]}", "{\"a\": 1, \"b\": 2, \"c\": 3}", "{\"a\": 1}", "b: is missing"},
    {"{\"properties\": {\"a\": {\"type\": \"number\"}}}", "{\"b\": \"\"}", "{\"a\": \"\"}", "a: \"\" is not of type"},
    {"{\"properties\": {\"a\": {}}, \"additionalProperties\": false}", "{\"a\": 1}", "{\"A\": 1}", "A: is not known"},
    {"{\"properties\": {\"a\": {}}, \"additionalProperties\": {\"type\": \"null\"}}", "{\"a\": 1, \"b\": null}",
     "{\"b\": {\"c\": 1}}", "b: {\"c\":1} is not of type"},
    {"{\"oneOf\": [{\"type\": \"integer\"}, {\"minimum\": 5}]}", "3", "6", "several"},
    {"{\"oneOf\": [{\"type\": \"integer\"}, {\"const\": \"a\"}]}", "\"a\"", "\"b\"", "type"},
    {"{\"anyOf\": [{\"type\": \"integer\"}, {\"minimum\": 5}]}", "6", "1.5", "type"},
    {"{\"$ref\": \"#/$defs/x\", \"$defs\": {\"x\": {\"items\": {\"$ref\": \"#/$defs/y\"}}, \"y\": {\"const\": 1}}}",
     "[1, 1]", "[1, 2]", "[1]: 2 is not"},
    {"{\"title\": \"t\", \"description\": \"d\", \"$schema\": \"s\", \"type\": \"null\"}", "null", "1", "type"},
};

static cJSON *parse(const char *text)
{
    cJSON *document = cJSON_Parse(text);
    if (!document)
        fail_msg("not JSON: %s", text);
    return document;
}

static void every_word_is_heard(void **state)
{
    (void)state;
    hsgd_error err;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        cJSON *schema = parse(words[i].schema), *fits = parse(words[i].fits), *refused = parse(words[i].refused);
        if (hsgd_json_schema_check(schema, NULL, fits, &err))
            fail_msg("%s refuses %s: %s", words[i].schema, words[i].fits, err.message);
        assert_fails(hsgd_json_schema_check(schema, NULL, refused, &err), HSGD_ERROR_INPUT, words[i].message, err);
        cJSON_Delete(schema);
        cJSON_Delete(fits);
        cJSON_Delete(refused);
    }
}

static void a_schema_that_is_not_understood_is_no_schema(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{\"pattern\": \"a\"}", "{\"$ref\": \"#/$defs/none\"}",
                                        "{\"$ref\": \"other.json\"}", "{\"anyOf\": [{\"uniqueItems\": true}]}"};
    hsgd_error err;
    cJSON *document = parse("[1]");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cJSON *schema = parse(wrong[i]);
        assert_fails(hsgd_json_schema_check(schema, NULL, document, &err), HSGD_ERROR_ENVIRONMENT, "the schema", err);
        assert_fails(hsgd_json_schema_check(schema, "x", document, &err), HSGD_ERROR_ENVIRONMENT, "does not define",
                     err);
        cJSON_Delete(schema);
    }
    cJSON *endless = parse("{\"$ref\": \"#/$defs/x\", \"$defs\": {\"x\": {\"$ref\": \"#/$defs/x\"}}}");
    assert_fails(hsgd_json_schema_check(endless, NULL, document, &err), HSGD_ERROR_INPUT, "too deep", err);
    cJSON_Delete(endless);
    cJSON_Delete(document);
}

/* Every rule of ours on an object with every member that it names: no word of it is unknown, no reference leads nowhere. */
static void check_rules(const cJSON *schema, const char *name, const cJSON *rule)
{
    const cJSON *child;
    hsgd_error err;
    cJSON *whole = cJSON_CreateObject(),
          *values[3] = {cJSON_CreateObject(), cJSON_CreateArray(), cJSON_CreateNumber(1)};
    cJSON_ArrayForEach(child, cJSON_GetObjectItem(rule, "properties")) cJSON_AddNullToObject(whole, child->string);
    if (hsgd_json_schema_check(schema, name, whole, &err) == HSGD_ERROR_ENVIRONMENT)
        fail_msg("%s: %s", name, err.message);
    for (int i = 0; i < 3; i++) {
        if (hsgd_json_schema_check(schema, name, values[i], &err) == HSGD_ERROR_ENVIRONMENT)
            fail_msg("%s: %s", name, err.message);
        cJSON_Delete(values[i]);
    }
    cJSON_Delete(whole);
}

static void our_schema_is_understood(void **state)
{
    (void)state;
    static const char *const command[] = {"run", "sweep", "phase", "rate", "hunt", "plan", "train", "pep"};
    const cJSON *rule;
    cJSON *schema = parse(hsgd_embedded_results_schema), *definitions = cJSON_GetObjectItem(schema, "$defs");
    for (size_t i = 0; i < sizeof command / sizeof *command; i++)
        assert_non_null(cJSON_GetObjectItem(definitions, command[i]));
    cJSON_ArrayForEach(rule, definitions) check_rules(schema, rule->string, rule);
    cJSON_Delete(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_heard),
        cmocka_unit_test(a_schema_that_is_not_understood_is_no_schema),
        cmocka_unit_test(our_schema_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
