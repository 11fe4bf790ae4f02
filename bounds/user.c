/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/user.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"
#include "bounds/bound_private.h"
#include "bounds/expression_token_private.h"
#include "bounds/variables.h"

const char hsgd_user_whole_term[] = "expression";

/* The record comes first: eval gets a pointer to it, which is one to all of this. */
typedef struct user_bound {
    hsgd_bound bound;
    hsgd_user_spec spec;
    char *citation;                /* owned */
    bool used[HSGD_NUM_VARIABLES]; /* by any of the formulas */
    bool condition_on_step_size;   /* valid_if depends on gamma */
    const char *limit;             /* the right side of a valid_if of the form gamma <= ...; NULL: of another form */
} user_bound;

/* ---- evaluation ---- */

/* Formulas that do not need what is missing would still have a value, but min(D2, 1) must not be 1 because D2 is not known:
 * what is named must be known. */
static bool refuse_unknown(hsgd_bound_value *out, const user_bound *user, const hsgd_variable *variable,
                           const hsgd_bound_params *params)
{
    char why[128];
    for (size_t i = 0; i < HSGD_NUM_VARIABLES; i++)
        if (user->used[i] && isnan(variable[i].value)) {
            hsgd_variables_explain(why, sizeof why, params, i);
            return hsgd_refuse(out, "%s is needed and not known: %s", variable[i].name, why);
        }
    return false;
}

/* True when refused: the value is not finite. what names the formula. */
static bool evaluate(double *value, hsgd_bound_value *out, const char *formula, hsgd_variable *variable,
                     const char *what)
{
    hsgd_error err;
    if (hsgd_expression_eval(value, formula, variable, HSGD_NUM_VARIABLES, &err))
        return hsgd_refuse(out, "%s: %.150s", what, err.message);
    if (isfinite(*value))
        return false;
    return hsgd_refuse(out, "%s is %s with these numbers", what, isnan(*value) ? "not a number" : "infinite");
}

static bool refuse_step_size(hsgd_bound_value *out, const user_bound *user, hsgd_variable *variable,
                             const hsgd_bound_params *params)
{
    double largest;
    if (!user->spec.max_step_size)
        return false;
    if (hsgd_expression_eval(&largest, user->spec.max_step_size, variable, HSGD_NUM_VARIABLES, NULL) ||
        isnan(largest) || largest < 0)
        return hsgd_refuse(out, "max_step_size is %g with these numbers", largest);
    out->max_step_size = largest;
    return params->step_size > largest &&
           hsgd_refuse(out, "step size %.6g is above %.6g = max_step_size", params->step_size, largest);
}

static bool refuse_condition(hsgd_bound_value *out, const user_bound *user, hsgd_variable *variable)
{
    double value, limit;
    if (!user->spec.valid_if)
        return false;
    if (user->limit && !hsgd_expression_eval(&limit, user->limit, variable, HSGD_NUM_VARIABLES, NULL) && limit >= 0)
        out->max_step_size = isnan(out->max_step_size) ? limit : fmin(limit, out->max_step_size);
    return evaluate(&value, out, user->spec.valid_if, variable, "valid_if") ||
           (value == 0 && hsgd_refuse(out, "its condition fails: %.200s", user->spec.valid_if));
}

static bool refuse_term(hsgd_bound_value *out, const hsgd_user_term *term, hsgd_variable *variable)
{
    char what[HSGD_TERM_NAME_SIZE + 16];
    double value;
    if (strcmp(term->name, hsgd_user_whole_term) == 0)
        snprintf(what, sizeof what, "its value");
    else
        snprintf(what, sizeof what, "its term \"%s\"", term->name);
    if (evaluate(&value, out, term->formula, variable, what))
        return true;
    hsgd_value_add(out, value, "%s", term->name);
    return false;
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    const user_bound *user = (const user_bound *)bound;
    hsgd_variable variable[HSGD_NUM_VARIABLES];
    hsgd_variables_set(variable, params);
    hsgd_value_start(out, user->spec.max_step_size || user->condition_on_step_size ? NAN : INFINITY);
    if (refuse_unknown(out, user, variable, params) || refuse_step_size(out, user, variable, params) ||
        refuse_condition(out, user, variable))
        return;
    for (size_t i = 0; i < user->spec.num_terms; i++)
        if (refuse_term(out, &user->spec.term[i], variable))
            return;
    hsgd_value_finish(out);
}

/* ---- checks ---- */

static hsgd_status check(const char *formula, size_t num_levels, bool used[HSGD_NUM_VARIABLES], hsgd_error *err)
{
    hsgd_variable variable[HSGD_NUM_VARIABLES];
    char known[256];
    hsgd_variables_name(variable, num_levels, known, sizeof known);
    return hsgd_expression_check(formula, variable, HSGD_NUM_VARIABLES, known, used, err);
}

hsgd_status hsgd_user_formula_check(const char *formula, size_t num_levels, hsgd_error *err)
{
    return check(formula, num_levels, NULL, err);
}

hsgd_status hsgd_user_step_size_check(const char *formula, size_t num_levels, hsgd_error *err)
{
    bool used[HSGD_NUM_VARIABLES];
    hsgd_status status = check(formula, num_levels, used, err);
    for (size_t i = 0; i < HSGD_NUM_VARIABLES && !status; i++)
        if (used[i] && hsgd_variable_is_step_size(i))
            return hsgd_fail(err, HSGD_ERROR_INPUT,
                             "column 1: a limit of gamma cannot depend on gamma; write such conditions into valid_if");
    return status;
}

hsgd_status hsgd_user_id_check(const char *id, hsgd_error *err)
{
    size_t length = strlen(id);
    if (length > 0 && length <= HSGD_USER_ID_MAX_LENGTH && *id >= 'a' && *id <= 'z' &&
        strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == length)
        return hsgd_bound_find(id) ? hsgd_fail(err, HSGD_ERROR_INPUT, "is the id of a built-in bound") : HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT, "expected a letter and then a-z, 0-9 and -, at most %d in all",
                     HSGD_USER_ID_MAX_LENGTH);
}

/* ---- life cycle ---- */

void hsgd_user_spec_free(hsgd_user_spec *spec)
{
    if (!spec)
        return;
    for (size_t i = 0; spec->term && i < spec->num_terms; i++) {
        free(spec->term[i].name);
        free(spec->term[i].formula);
    }
    free(spec->term);
    free(spec->id);
    free(spec->title);
    free(spec->valid_if);
    free(spec->max_step_size);
    memset(spec, 0, sizeof *spec);
}

/* "user's formula: (2*delta/(gamma*T)) + (...)"; NULL when memory is out. */
static char *cite(const hsgd_user_spec *spec)
{
    hsgd_text_stream memory;
    FILE *out = hsgd_text_open(&memory);
    if (!out)
        return NULL;
    fputs("user's formula: ", out);
    for (size_t i = 0; i < spec->num_terms; i++)
        fprintf(out, spec->num_terms > 1 ? "%s(%s)" : "%s%s", i ? " + " : "", spec->term[i].formula);
    return hsgd_text_close(&memory, out);
}

/* What stands behind "gamma <" or "gamma <=", where that is all that the condition says: then it is the largest step size, the
 * one case in which that is plain from the text. NULL otherwise. */
static const char *limit_of(const char *condition)
{
    hsgd_token gamma = hsgd_token_next(condition, 0), below = hsgd_token_next(condition, gamma.at + gamma.length);
    size_t start = below.at + below.length;
    if (gamma.length != 5 || strncmp(condition + gamma.at, "gamma", 5) != 0 || condition[below.at] != '<')
        return NULL;
    for (hsgd_token t = hsgd_token_next(condition, start); t.kind != HSGD_TOKEN_END;
         t = hsgd_token_next(condition, t.at + t.length)) {
        bool again = t.kind == HSGD_TOKEN_NAME && t.length == 5 && strncmp(condition + t.at, "gamma", 5) == 0;
        if (again || (t.kind == HSGD_TOKEN_OPERATOR && strchr("<>=!&|?:", condition[t.at])))
            return NULL;
    }
    return condition + start;
}

/* Note down which variables a formula names. */
static hsgd_status add_used(user_bound *user, const char *formula, bool is_condition, hsgd_error *err)
{
    bool used[HSGD_NUM_VARIABLES];
    hsgd_status status = formula ? check(formula, HSGD_MAX_LEVELS, used, err) : HSGD_OK;
    for (size_t i = 0; formula && !status && i < HSGD_NUM_VARIABLES; i++) {
        user->used[i] |= used[i];
        user->bound.needs_maxima |= used[i] && hsgd_variable_is_maximum(i);
        user->bound.covers_sampling |= used[i] && hsgd_variable_is_participants(i);
        user->condition_on_step_size |= used[i] && is_condition && hsgd_variable_is_step_size(i);
    }
    return status;
}

static hsgd_status fill(user_bound *user, hsgd_error *err)
{
    const hsgd_user_spec *spec = &user->spec;
    user->citation = cite(spec);
    user->bound = (hsgd_bound){.id = spec->id,
                               .title = spec->title ? spec->title : spec->id,
                               .citation = user->citation,
                               .target = spec->target,
                               .algorithm = spec->algorithm,
                               .eval = eval};
    hsgd_status status = user->citation ? HSGD_OK : hsgd_fail_memory(err, "a bound");
    for (size_t i = 0; i < spec->num_terms && !status; i++)
        status = add_used(user, spec->term[i].formula, false, err);
    if (!status)
        status = add_used(user, spec->max_step_size, false, err);
    if (!status)
        status = add_used(user, spec->valid_if, true, err);
    user->limit = !status && spec->valid_if ? limit_of(spec->valid_if) : NULL;
    return status;
}

hsgd_status hsgd_user_bound_alloc(const hsgd_bound **out, hsgd_user_spec *spec, hsgd_error *err)
{
    user_bound *user = calloc(1, sizeof *user);
    *out = NULL;
    if (!user) {
        hsgd_user_spec_free(spec);
        return hsgd_fail_memory(err, "a bound");
    }
    user->spec = *spec;
    memset(spec, 0, sizeof *spec);
    hsgd_status status = fill(user, err);
    if (status)
        hsgd_user_bound_free(&user->bound);
    else
        *out = &user->bound;
    return status;
}

void hsgd_user_bound_free(const hsgd_bound *bound)
{
    user_bound *user = (user_bound *)bound;
    if (!user)
        return;
    hsgd_user_spec_free(&user->spec);
    free(user->citation);
    free(user);
}

const hsgd_user_spec *hsgd_user_bound_spec(const hsgd_bound *bound)
{
    return bound->eval == eval ? &((const user_bound *)bound)->spec : NULL;
}
