/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/json_schema_private.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 160, MAX_DEPTH = 100 };

/* A value, where it stands, and the schema that has the definitions. */
typedef struct place {
    const cJSON *schema, *value;
    char path[PATH_SIZE];
    int depth;
} place;

static hsgd_status check(const place *at, const cJSON *rule, hsgd_error *err);

static hsgd_status refuse(const place *at, hsgd_error *err, const char *what)
{
    char *text = cJSON_PrintUnformatted(at->value);
    hsgd_status status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %.40s%s %s", *at->path ? at->path : "the document",
                                   text ? text : "", text && strlen(text) > 40 ? "..." : "", what);
    cJSON_free(text);
    return status;
}

static place inside(const place *at, const cJSON *value, const char *name)
{
    place in = {.schema = at->schema, .value = value, .depth = at->depth + 1};
    int length = (int)strlen(at->path);
    if (name)
        snprintf(in.path, sizeof in.path, "%.*s%s%.60s", length, at->path, *at->path ? "." : "", name);
    else
        snprintf(in.path, sizeof in.path, "%s", at->path);
    return in;
}

/* ---- words about one value ---- */

static bool has_type(const cJSON *value, const char *type)
{
    return (strcmp(type, "object") == 0 && cJSON_IsObject(value)) ||
           (strcmp(type, "array") == 0 && cJSON_IsArray(value)) ||
           (strcmp(type, "string") == 0 && cJSON_IsString(value)) ||
           (strcmp(type, "boolean") == 0 && cJSON_IsBool(value)) ||
           (strcmp(type, "null") == 0 && cJSON_IsNull(value)) ||
           (strcmp(type, "number") == 0 && cJSON_IsNumber(value)) ||
           (strcmp(type, "integer") == 0 && cJSON_IsNumber(value) && floor(value->valuedouble) == value->valuedouble);
}

static hsgd_status check_type(const place *at, const cJSON *word, hsgd_error *err)
{
    const cJSON *one;
    char what[96] = "is not of type", *text = cJSON_PrintUnformatted(word);
    if (cJSON_IsString(word) && has_type(at->value, word->valuestring)) {
        cJSON_free(text);
        return HSGD_OK;
    }
    bool fits = false;
    if (cJSON_IsArray(word))
        cJSON_ArrayForEach(one, word) fits = fits || has_type(at->value, one->valuestring);
    snprintf(what, sizeof what, "is not of type %s", text ? text : "");
    cJSON_free(text);
    return fits ? HSGD_OK : refuse(at, err, what);
}

static hsgd_status check_enum(const place *at, const cJSON *word, hsgd_error *err)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, word) if (cJSON_Compare(one, at->value, true)) return HSGD_OK;
    return refuse(at, err, "is none of the values that are possible there");
}

static hsgd_status check_const(const place *at, const cJSON *word, hsgd_error *err)
{
    return cJSON_Compare(word, at->value, true) ? HSGD_OK : refuse(at, err, "is not the one value possible there");
}

/* Words on numbers say nothing of other values, as in the standard. */
static hsgd_status check_minimum(const place *at, const cJSON *word, hsgd_error *err)
{
    bool fits = !cJSON_IsNumber(at->value) || at->value->valuedouble >= word->valuedouble;
    return fits ? HSGD_OK : refuse(at, err, "is too small");
}

static hsgd_status check_exclusive_minimum(const place *at, const cJSON *word, hsgd_error *err)
{
    bool fits = !cJSON_IsNumber(at->value) || at->value->valuedouble > word->valuedouble;
    return fits ? HSGD_OK : refuse(at, err, "is too small");
}

static hsgd_status check_maximum(const place *at, const cJSON *word, hsgd_error *err)
{
    bool fits = !cJSON_IsNumber(at->value) || at->value->valuedouble <= word->valuedouble;
    return fits ? HSGD_OK : refuse(at, err, "is too large");
}

static hsgd_status check_min_length(const place *at, const cJSON *word, hsgd_error *err)
{
    bool fits = !cJSON_IsString(at->value) || strlen(at->value->valuestring) >= (size_t)word->valuedouble;
    return fits ? HSGD_OK : refuse(at, err, "is too short");
}

static hsgd_status check_max_length(const place *at, const cJSON *word, hsgd_error *err)
{
    bool fits = !cJSON_IsString(at->value) || strlen(at->value->valuestring) <= (size_t)word->valuedouble;
    return fits ? HSGD_OK : refuse(at, err, "is too long");
}

/* ---- words about arrays ---- */

static hsgd_status check_items(const place *at, const cJSON *word, hsgd_error *err)
{
    const cJSON *item;
    size_t index = 0;
    if (!cJSON_IsArray(at->value))
        return HSGD_OK;
    cJSON_ArrayForEach(item, at->value)
    {
        place in = inside(at, item, NULL);
        size_t used = strlen(in.path);
        snprintf(in.path + used, sizeof in.path - used, "[%zu]", index++);
        hsgd_status status = check(&in, word, err);
        if (status)
            return status;
    }
    return HSGD_OK;
}

static hsgd_status check_min_items(const place *at, const cJSON *word, hsgd_error *err)
{
    bool fits = !cJSON_IsArray(at->value) || cJSON_GetArraySize(at->value) >= word->valueint;
    return fits ? HSGD_OK : refuse(at, err, "has too few items");
}

static hsgd_status check_max_items(const place *at, const cJSON *word, hsgd_error *err)
{
    bool fits = !cJSON_IsArray(at->value) || cJSON_GetArraySize(at->value) <= word->valueint;
    return fits ? HSGD_OK : refuse(at, err, "has too many items");
}

/* ---- words about objects ---- */

static hsgd_status check_required(const place *at, const cJSON *word, hsgd_error *err)
{
    const cJSON *key;
    if (!cJSON_IsObject(at->value))
        return HSGD_OK;
    cJSON_ArrayForEach(key, word) if (!cJSON_GetObjectItemCaseSensitive(at->value, key->valuestring))
    {
        place in = inside(at, NULL, key->valuestring);
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: is missing", in.path);
    }
    return HSGD_OK;
}

static hsgd_status check_properties(const place *at, const cJSON *word, hsgd_error *err)
{
    const cJSON *rule;
    hsgd_status status = HSGD_OK;
    if (!cJSON_IsObject(at->value))
        return HSGD_OK;
    cJSON_ArrayForEach(rule, word)
    {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(at->value, rule->string);
        place in = inside(at, value, rule->string);
        status = value && !status ? check(&in, rule, err) : status;
    }
    return status;
}

/* For members that "properties" beside it does not name: false, or their schema. */
static hsgd_status check_additional(const place *at, const cJSON *rule, const cJSON *word, hsgd_error *err)
{
    const cJSON *known = cJSON_GetObjectItemCaseSensitive(rule, "properties"), *member;
    if (!cJSON_IsObject(at->value))
        return HSGD_OK;
    cJSON_ArrayForEach(member, at->value)
    {
        place in = inside(at, member, member->string);
        if (cJSON_GetObjectItemCaseSensitive(known, member->string))
            continue;
        if (cJSON_IsFalse(word))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: is not known", in.path);
        hsgd_status status = cJSON_IsObject(word) ? check(&in, word, err) : HSGD_OK;
        if (status)
            return status;
    }
    return HSGD_OK;
}

/* ---- words about schemas ---- */

static const cJSON *find_definition(const cJSON *schema, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(schema, "$defs"), name);
}

static hsgd_status check_ref(const place *at, const cJSON *word, hsgd_error *err)
{
    static const char beginning[] = "#/$defs/";
    const char *text = cJSON_IsString(word) ? word->valuestring : "";
    bool own = strncmp(text, beginning, sizeof beginning - 1) == 0;
    const cJSON *rule = own ? find_definition(at->schema, text + sizeof beginning - 1) : NULL;
    place in = inside(at, at->value, NULL);
    return rule ? check(&in, rule, err)
                : hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "the schema refers to \"%s\", which it does not have", text);
}

/* From one to `most` of the schemas fit. */
static hsgd_status check_several(const place *at, const cJSON *word, int most, hsgd_error *err)
{
    const cJSON *rule;
    int fitting = 0;
    hsgd_error first = {.message = ""};
    cJSON_ArrayForEach(rule, word)
    {
        hsgd_error own;
        hsgd_status status = check(at, rule, &own);
        if (status == HSGD_ERROR_ENVIRONMENT)
            return hsgd_fail(err, status, "%s", own.message);
        if (status && !*first.message)
            first = own;
        fitting += status == HSGD_OK;
    }
    if (fitting > most)
        return refuse(at, err, "fits several of the things possible there");
    return fitting ? HSGD_OK : hsgd_fail(err, HSGD_ERROR_INPUT, "%s", first.message);
}

static hsgd_status check_one_of(const place *at, const cJSON *word, hsgd_error *err)
{
    return check_several(at, word, 1, err);
}

static hsgd_status check_any_of(const place *at, const cJSON *word, hsgd_error *err)
{
    return check_several(at, word, cJSON_GetArraySize(word), err);
}

/* ---- all words ---- */

typedef hsgd_status word_check(const place *at, const cJSON *word, hsgd_error *err);

static const struct {
    const char *word;
    word_check *check; /* NULL: it only describes, or is looked at elsewhere */
} words[] = {
    {"type", check_type},
    {"enum", check_enum},
    {"const", check_const},
    {"minimum", check_minimum},
    {"exclusiveMinimum", check_exclusive_minimum},
    {"maximum", check_maximum},
    {"minLength", check_min_length},
    {"maxLength", check_max_length},
    {"items", check_items},
    {"minItems", check_min_items},
    {"maxItems", check_max_items},
    {"required", check_required},
    {"properties", check_properties},
    {"additionalProperties", NULL},
    {"oneOf", check_one_of},
    {"anyOf", check_any_of},
    {"$ref", check_ref},
    {"$schema", NULL},
    {"$defs", NULL},
    {"title", NULL},
    {"description", NULL},
};

static hsgd_status check_word(const place *at, const cJSON *rule, const cJSON *word, hsgd_error *err)
{
    if (strcmp(word->string, "additionalProperties") == 0)
        return check_additional(at, rule, word, err);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word->string, words[i].word) == 0)
            return words[i].check ? words[i].check(at, word, err) : HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "the schema has the word \"%s\", which is not known", word->string);
}

static hsgd_status check(const place *at, const cJSON *rule, hsgd_error *err)
{
    const cJSON *word;
    hsgd_status status = HSGD_OK;
    if (at->depth > MAX_DEPTH)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: is nested too deep", at->path);
    cJSON_ArrayForEach(word, rule) if (!status) status = check_word(at, rule, word, err);
    return status;
}

hsgd_status hsgd_json_schema_check(const cJSON *schema, const char *definition, const cJSON *document, hsgd_error *err)
{
    place at = {.schema = schema, .value = document};
    const cJSON *rule = definition ? find_definition(schema, definition) : schema;
    return rule ? check(&at, rule, err)
                : hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "the schema does not define \"%s\"", definition);
}
