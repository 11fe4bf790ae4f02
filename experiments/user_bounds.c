/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/user_bounds_private.h"

#include <stdlib.h>
#include <string.h>

#include "bounds/user.h"

/* Targets that are measured; a distance is not. */
static const char *const target_names[] = {
    [HSGD_TARGET_S] = "S", [HSGD_TARGET_S_ROUND] = "S_round", [HSGD_TARGET_S_MIN] = "S_min", NULL};

static const char *algorithm_name(size_t i)
{
    return hsgd_algorithm_name((hsgd_algorithm)i);
}

/* Sweeps have columns of these names, and "all" selects. */
static const char *const reserved[] = {"all",   "workers", "levels",  "steps", "seeds",
                                       "state", "folder",  "verdict", "bytes", NULL};

/* ---- reading ---- */

typedef struct reader {
    hsgd_user_spec spec;
    size_t num_levels; /* of the hierarchy */
} reader;

/* What a check of the bounds said, behind the place in the file. */
static hsgd_status pass_on(const hsgd_json *at, const hsgd_error *own, hsgd_error *err)
{
    return own->status == HSGD_ERROR_INPUT ? hsgd_json_fail(at, err, "%s", own->message)
                                           : hsgd_fail(err, own->status, "%s", own->message);
}

typedef hsgd_status (*checker)(const char *formula, size_t num_levels, hsgd_error *err);

static hsgd_status read_formula(char **out, const hsgd_json *at, size_t num_levels, checker check, hsgd_error *err)
{
    hsgd_error own;
    hsgd_status status = hsgd_json_copy_text(at, out, err);
    return !status && check(*out, num_levels, &own) ? pass_on(at, &own, err) : status;
}

static hsgd_status read_id(hsgd_user_spec *spec, const hsgd_json *at, hsgd_error *err)
{
    hsgd_error own;
    hsgd_status status = hsgd_json_copy_text(at, &spec->id, err);
    if (!status && hsgd_user_id_check(spec->id, &own))
        status = pass_on(at, &own, err);
    for (size_t i = 0; reserved[i] && !status; i++)
        if (strcmp(spec->id, reserved[i]) == 0)
            status = hsgd_json_fail(at, err, "this word has a meaning of its own; take another id");
    return status;
}

/* A text that people read in tables, legends and captions. */
static hsgd_status check_shown(const hsgd_json *at, const char *text, size_t longest, hsgd_error *err)
{
    size_t length = strlen(text);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return hsgd_json_fail(at, err, "control characters are not legal here");
    if (length > 0 && length <= longest)
        return HSGD_OK;
    return hsgd_json_fail(at, err, "has %zu bytes; 1 to %zu are legal", length, longest);
}

static hsgd_status add_term(reader *r, const char *name, const hsgd_json *formula, hsgd_error *err)
{
    hsgd_user_term *term = &r->spec.term[r->spec.num_terms++];
    term->name = strdup(name);
    if (!term->name)
        return hsgd_fail_memory(err, formula->path);
    return read_formula(&term->formula, formula, r->num_levels, hsgd_user_formula_check, err);
}

/* "terms": an object of formulas by name, in its order. */
static hsgd_status read_terms(reader *r, const hsgd_json *at, hsgd_error *err)
{
    size_t count = (size_t)cJSON_GetArraySize(at->value);
    if (!cJSON_IsObject(at->value) || count < 1 || count > HSGD_MAX_TERMS)
        return hsgd_json_fail(at, err, "expected an object with 1 to %d members, \"name of the term\": \"formula\"",
                              (int)HSGD_MAX_TERMS);
    if (!(r->spec.term = calloc(count, sizeof *r->spec.term)))
        return hsgd_fail_memory(err, at->path);
    hsgd_status status = HSGD_OK;
    for (const cJSON *member = at->value->child; member && !status; member = member->next) {
        hsgd_json place = hsgd_json_member(at, member->string);
        if (place.value != member) /* the first of two is what a lookup by name finds */
            return hsgd_json_fail(&place, err, "the key stands twice");
        status = check_shown(&place, member->string, HSGD_TERM_NAME_SIZE - 1, err);
        if (!status)
            status = add_term(r, member->string, &place, err);
    }
    return status;
}

static hsgd_status read_value(reader *r, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json expression = hsgd_json_member(at, "expression"), terms = hsgd_json_member(at, "terms");
    if (!expression.value == !terms.value)
        return hsgd_json_fail(at, err, "expected either \"expression\" or \"terms\"");
    if (terms.value)
        return read_terms(r, &terms, err);
    if (!(r->spec.term = calloc(1, sizeof *r->spec.term)))
        return hsgd_fail_memory(err, at->path);
    return add_term(r, hsgd_user_whole_term, &expression, err);
}

static hsgd_status read_optional(reader *r, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json title = hsgd_json_member(at, "title"), algorithm = hsgd_json_member(at, "algorithm");
    hsgd_json valid_if = hsgd_json_member(at, "valid_if"), largest = hsgd_json_member(at, "max_step_size");
    size_t choice = HSGD_ALGORITHM_HSGD;
    hsgd_status status = title.value ? hsgd_json_copy_text(&title, &r->spec.title, err) : HSGD_OK;
    if (!status && title.value)
        status = check_shown(&title, r->spec.title, HSGD_USER_TITLE_MAX_LENGTH, err);
    if (!status && algorithm.value)
        status = hsgd_json_choice_of(&algorithm, algorithm_name, HSGD_ALGORITHM_LOCAL_OUTER + 1, &choice, err);
    r->spec.algorithm = (hsgd_algorithm)choice;
    if (!status && valid_if.value)
        status = read_formula(&r->spec.valid_if, &valid_if, r->num_levels, hsgd_user_formula_check, err);
    if (!status && largest.value)
        status = read_formula(&r->spec.max_step_size, &largest, r->num_levels, hsgd_user_step_size_check, err);
    return status;
}

static hsgd_status read_spec(reader *r, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"id",    "of",        "expression",    "terms", "valid_if",
                                       "title", "algorithm", "max_step_size", NULL};
    hsgd_json id = hsgd_json_member(at, "id"), of = hsgd_json_member(at, "of");
    size_t target = HSGD_TARGET_S;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_id(&r->spec, &id, err);
    if (!status)
        status = hsgd_json_choice(&of, target_names, &target, err);
    r->spec.target = (hsgd_target)target;
    if (!status)
        status = read_value(r, at, err);
    return status ? status : read_optional(r, at, err);
}

static hsgd_status read_bound(const hsgd_json *at, size_t num_levels, hsgd_bound_taker take, void *context,
                              hsgd_error *err)
{
    hsgd_error own;
    reader r = {.num_levels = num_levels};
    const hsgd_bound *bound;
    hsgd_json id = hsgd_json_member(at, "id");
    hsgd_status status = read_spec(&r, at, err);
    if (status) {
        hsgd_user_spec_free(&r.spec);
        return status;
    }
    status = hsgd_user_bound_alloc(&bound, &r.spec, err);
    if (!status && (status = take(context, bound, hsgd_user_bound_free, &own)))
        status = pass_on(&id, &own, err);
    return status;
}

hsgd_status hsgd_user_bounds_read(const hsgd_json *at, size_t num_levels, hsgd_bound_taker take, void *context,
                                  hsgd_error *err)
{
    size_t count = 0;
    hsgd_status status = at->value ? hsgd_json_array(at, 0, &count, err) : HSGD_OK;
    if (!status && count > HSGD_MAX_USER_BOUNDS)
        status = hsgd_json_fail(at, err, "%zu bounds; at most %d are legal", count, HSGD_MAX_USER_BOUNDS);
    const cJSON *item = count ? at->value->child : NULL;
    for (size_t i = 0; i < count && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = read_bound(&place, num_levels, take, context, err);
    }
    return status;
}

/* ---- writing ---- */

static bool is_whole(const hsgd_user_spec *spec)
{
    return spec->num_terms == 1 && strcmp(spec->term[0].name, hsgd_user_whole_term) == 0;
}

static cJSON *spec_to_json(const hsgd_user_spec *spec)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "id", spec->id);
    if (spec->title)
        cJSON_AddStringToObject(object, "title", spec->title);
    cJSON_AddStringToObject(object, "of", hsgd_target_name(spec->target));
    cJSON_AddStringToObject(object, "algorithm", hsgd_algorithm_name(spec->algorithm));
    if (is_whole(spec))
        cJSON_AddStringToObject(object, "expression", spec->term[0].formula);
    else {
        cJSON *terms = cJSON_AddObjectToObject(object, "terms");
        for (size_t i = 0; i < spec->num_terms; i++)
            cJSON_AddStringToObject(terms, spec->term[i].name, spec->term[i].formula);
    }
    if (spec->valid_if)
        cJSON_AddStringToObject(object, "valid_if", spec->valid_if);
    if (spec->max_step_size)
        cJSON_AddStringToObject(object, "max_step_size", spec->max_step_size);
    return object;
}

void hsgd_user_bounds_to_json(cJSON *object, const hsgd_bound_list *list)
{
    cJSON *array = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const hsgd_user_spec *spec = hsgd_user_bound_spec(list->bound[i]);
        if (spec && !array)
            array = cJSON_AddArrayToObject(object, "user_bounds");
        if (spec)
            cJSON_AddItemToArray(array, spec_to_json(spec));
    }
}

hsgd_status hsgd_user_bounds_to_list(void *list, const hsgd_bound *bound, hsgd_bound_release release, hsgd_error *err)
{
    return hsgd_bound_list_add(list, bound, release, err);
}
