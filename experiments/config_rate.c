/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the key "rate": what is swept, and the configuration of every point. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bounds/bound.h"
#include "experiments/rate_private.h"
#include "experiments/style_private.h"

/* Differences of exponents that nobody cares about. */
static const double DEFAULT_TOLERANCE = 0.01;

/* What is needed while reading. */
typedef struct reader {
    hsgd_rate_plan *plan;
    const char *file;
    cJSON *base; /* the configuration without "rate"; owned */
    cJSON *rate; /* "rate"; owned */
    hsgd_json at;
    size_t seeds; /* instead of the configuration's; 0: as there */
} reader;

static const char *const method_names[] = {"exact", "sampled", NULL};

void hsgd_rate_plan_free(hsgd_rate_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; plan->config && i < plan->num_points; i++)
        hsgd_config_free(&plan->config[i]);
    free(plan->config);
    free(plan->value);
    free(plan->name);
    memset(plan, 0, sizeof *plan);
}

/* ---- the section ---- */

/* Numbers > 0, each larger than the one before; whole ones but for step sizes. */
static hsgd_status read_values(reader *r, hsgd_error *err)
{
    hsgd_rate_plan *plan = r->plan;
    hsgd_json values = hsgd_json_member(&r->at, "values");
    size_t count = 0, whole;
    hsgd_status status = hsgd_json_array(&values, HSGD_POWER_LAW_MIN_POINTS, &count, err);
    if (!status && count > HSGD_MAX_RATE_POINTS)
        status = hsgd_json_fail(&values, err, "%zu values; at most %d are run", count, HSGD_MAX_RATE_POINTS);
    if (!status && !(plan->value = calloc(count, sizeof *plan->value)))
        status = hsgd_fail_memory(err, "the values");
    plan->num_points = status ? 0 : count;
    const cJSON *item = status ? NULL : values.value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(&values, &item, i);
        if (plan->over == HSGD_RATE_STEP_SIZE)
            status = hsgd_json_positive(&place, &plan->value[i], err);
        else if (!(status = hsgd_json_count(&place, 1, 1000000000, &whole, err)))
            plan->value[i] = (double)whole;
        if (!status && i && plan->value[i] <= plan->value[i - 1])
            status = hsgd_json_fail(&place, err, "expected more than the value before it, %.17g", plan->value[i - 1]);
    }
    return status;
}

static hsgd_status read_step_size(reader *r, hsgd_error *err)
{
    static const char *const keys[] = {"rule", "constant", NULL};
    hsgd_rate_plan *plan = r->plan;
    hsgd_json at = hsgd_json_member(&r->at, "step_size");
    hsgd_json rule = hsgd_json_member(&at, "rule"), constant = hsgd_json_member(&at, "constant");
    size_t choice = HSGD_RATE_RULE_OPTIMIZER;
    plan->constant = 1;
    if (!at.value)
        return HSGD_OK;
    if (plan->over == HSGD_RATE_STEP_SIZE)
        return hsgd_json_fail(&at, err, "the values are the step sizes; give no rule");
    hsgd_status status = hsgd_json_object(&at, keys, err);
    if (!status)
        status = hsgd_json_choice_of(&rule, hsgd_rate_rule_name, HSGD_NUM_RATE_RULES, &choice, err);
    plan->rule = (hsgd_rate_rule)choice;
    if (!status && constant.value && plan->rule == HSGD_RATE_RULE_OPTIMIZER)
        status = hsgd_json_fail(&constant, err, "the rule \"optimizer\" has no constant");
    if (!status && (constant.value || plan->rule == HSGD_RATE_RULE_FIXED || plan->rule == HSGD_RATE_RULE_FRACTION))
        status = hsgd_json_positive(&constant, &plan->constant, err);
    return status;
}

/* What the rules stand for as the number swept over grows: of S in all three forms -1/2, of dispersions, which have the
 * factor gamma^2 in every bound, -1 in T; NAN: nothing. */
static double asymptotic_exponent(const hsgd_rate_plan *plan)
{
    bool speed_up = plan->rule == HSGD_RATE_RULE_SQRT_N_OVER_T, slows = plan->rule == HSGD_RATE_RULE_INVERSE_SQRT_T;
    bool in_steps = plan->over == HSGD_RATE_STEPS && (speed_up || slows);
    bool in_workers = plan->over == HSGD_RATE_WORKERS && speed_up;
    if (plan->quantity <= HSGD_RATE_S_MIN && (in_steps || in_workers))
        return -0.5;
    return plan->quantity == HSGD_RATE_DISPERSION && in_steps ? -1 : NAN;
}

static hsgd_status read_comparison(reader *r, hsgd_error *err)
{
    hsgd_rate_plan *plan = r->plan;
    hsgd_json of = hsgd_json_member(&r->at, "of"), expected = hsgd_json_member(&r->at, "expected");
    hsgd_json from = hsgd_json_member(&r->at, "fit_from"), tolerance = hsgd_json_member(&r->at, "tolerance");
    size_t choice = HSGD_RATE_S, left = 0;
    hsgd_status status = HSGD_OK;
    if (of.value)
        status = hsgd_json_choice_of(&of, hsgd_rate_quantity_name, HSGD_NUM_RATE_QUANTITIES, &choice, err);
    plan->quantity = (hsgd_rate_quantity)choice;
    plan->asked = expected.value != NULL;
    plan->expected = asymptotic_exponent(plan);
    if (!status && expected.value)
        status = hsgd_json_number(&expected, -100, 100, &plan->expected, err);
    plan->tolerance = DEFAULT_TOLERANCE;
    if (!status && tolerance.value)
        status = hsgd_json_number(&tolerance, 1e-9, 100, &plan->tolerance, err);
    if (!status && from.value)
        status = hsgd_json_number(&from, 0, INFINITY, &plan->fit_from, err);
    for (size_t i = 0; i < plan->num_points; i++)
        left += plan->value[i] >= plan->fit_from;
    if (!status && left < HSGD_POWER_LAW_MIN_POINTS)
        status = hsgd_json_fail(&from, err, "leaves %zu points to fit; at least %d are needed", left,
                                HSGD_POWER_LAW_MIN_POINTS);
    return status;
}

static hsgd_status read_section(reader *r, hsgd_error *err)
{
    static const char *const keys[] = {"over",     "values", "step_size", "fit_from",  "of",
                                       "expected", "level",  "method",    "tolerance", NULL};
    hsgd_json over = hsgd_json_member(&r->at, "over");
    size_t choice;
    hsgd_status status = hsgd_json_object(&r->at, keys, err);
    if (!status)
        status = hsgd_json_choice_of(&over, hsgd_rate_over_name, HSGD_NUM_RATE_OVERS, &choice, err);
    if (!status) {
        r->plan->over = (hsgd_rate_over)choice;
        status = read_values(r, err);
    }
    if (!status)
        status = read_step_size(r, err);
    return status ? status : read_comparison(r, err);
}

/* ---- the configuration of a point ---- */

static void put_number(cJSON *object, const char *key, double value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddNumberToObject(object, key, value);
}

/* The level whose fanout grows, and the product of the other fanouts. */
static hsgd_status find_growth(reader *r, const cJSON *fanout, size_t *product, hsgd_error *err)
{
    hsgd_json level = hsgd_json_member(&r->at, "level"), over = hsgd_json_member(&r->at, "over");
    size_t levels = (size_t)cJSON_GetArraySize(fanout), k = 0;
    const cJSON *item;
    if (!cJSON_IsArray(fanout) || levels == 0)
        return hsgd_json_fail(&over, err, "needs a hierarchy given by \"fanout\", of which one level grows");
    r->plan->level = levels;
    if (level.value) {
        hsgd_status status = hsgd_json_count(&level, 1, levels, &r->plan->level, err);
        if (status)
            return status;
    }
    *product = 1;
    cJSON_ArrayForEach(item, fanout)
    {
        bool legal = cJSON_IsNumber(item) && item->valuedouble >= 1 && item->valuedouble <= (double)HSGD_MAX_WORKERS;
        if (++k != r->plan->level)
            *product = !legal || *product > HSGD_MAX_WORKERS ? SIZE_MAX : *product * (size_t)item->valuedouble;
    }
    return HSGD_OK;
}

static hsgd_status put_workers(reader *r, cJSON *document, const hsgd_json *place, double workers, hsgd_error *err)
{
    cJSON *hierarchy = cJSON_GetObjectItemCaseSensitive(document, "hierarchy");
    cJSON *fanout = cJSON_GetObjectItemCaseSensitive(hierarchy, "fanout");
    const cJSON *problem = cJSON_GetObjectItemCaseSensitive(document, "problem");
    hsgd_json over = hsgd_json_member(&r->at, "over");
    size_t product = SIZE_MAX;
    if (cJSON_GetObjectItemCaseSensitive(problem, "linear"))
        return hsgd_json_fail(&over, err,
                              "\"problem.linear\" has a row for each of a given number of workers; use a "
                              "generated quadratic (\"dimension\")");
    hsgd_status status = find_growth(r, fanout, &product, err);
    if (status)
        return status;
    if (product == SIZE_MAX || (size_t)workers % product != 0)
        return hsgd_json_fail(place, err, "not a multiple of %zu, the product of the fanouts of the other levels",
                              product);
    cJSON_ReplaceItemInArray(fanout, (int)r->plan->level - 1, cJSON_CreateNumber(workers / (double)product));
    return HSGD_OK;
}

static hsgd_status put_period(reader *r, cJSON *document, double period, hsgd_error *err)
{
    cJSON *hierarchy = cJSON_GetObjectItemCaseSensitive(document, "hierarchy");
    cJSON *periods = cJSON_GetObjectItemCaseSensitive(hierarchy, "periods");
    hsgd_json over = hsgd_json_member(&r->at, "over");
    int last = cJSON_GetArraySize(periods) - 1;
    if (!cJSON_IsArray(periods) || last < 0)
        return hsgd_json_fail(&over, err, "needs a hierarchy given by \"periods\"");
    cJSON_ReplaceItemInArray(periods, r->plan->over == HSGD_RATE_GLOBAL_PERIOD ? 0 : last, cJSON_CreateNumber(period));
    return HSGD_OK;
}

/* A rule, or the values, take the place of the optimizer's step size. */
static void put_step_size(const reader *r, cJSON *document, double value)
{
    cJSON *optimizer = cJSON_GetObjectItemCaseSensitive(document, "optimizer");
    bool swept = r->plan->over == HSGD_RATE_STEP_SIZE, fraction = r->plan->rule == HSGD_RATE_RULE_FRACTION;
    if (!cJSON_IsObject(optimizer) || (!swept && r->plan->rule == HSGD_RATE_RULE_OPTIMIZER))
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(optimizer, "step_size");
    cJSON_DeleteItemFromObjectCaseSensitive(optimizer, "step_size_fraction");
    put_number(optimizer, fraction ? "step_size_fraction" : "step_size", swept ? value : r->plan->constant);
}

static hsgd_status patch(reader *r, cJSON *document, size_t i, hsgd_error *err)
{
    hsgd_json values = hsgd_json_member(&r->at, "values"), place = hsgd_json_item(&values, i);
    cJSON *optimizer = cJSON_GetObjectItemCaseSensitive(document, "optimizer");
    double value = r->plan->value[i];
    hsgd_json level = hsgd_json_member(&r->at, "level");
    if (level.value && r->plan->over != HSGD_RATE_WORKERS)
        return hsgd_json_fail(&level, err, "only workers grow at a level; needs \"over\": \"workers\"");
    put_step_size(r, document, value);
    if (r->seeds)
        put_number(document, "seeds", (double)r->seeds);
    switch (r->plan->over) {
    case HSGD_RATE_STEPS:
        cJSON_DeleteItemFromObjectCaseSensitive(document, "steps");
        if (cJSON_IsObject(optimizer))
            put_number(optimizer, "steps", value);
        return HSGD_OK;
    case HSGD_RATE_WORKERS:
        return put_workers(r, document, &place, value, err);
    case HSGD_RATE_GLOBAL_PERIOD:
    case HSGD_RATE_LOCAL_PERIOD:
        return put_period(r, document, value, err);
    default:
        return HSGD_OK;
    }
}

void hsgd_rate_name_point(hsgd_error *err, const hsgd_rate_plan *plan, size_t i, const char *file)
{
    char text[HSGD_MESSAGE_SIZE];
    size_t length = strlen(file);
    if (!err)
        return;
    bool named = strncmp(err->message, file, length) == 0 && strncmp(err->message + length, ": ", 2) == 0;
    snprintf(text, sizeof text, "%s", err->message + (named ? length + 2 : 0));
    hsgd_fail(err, err->status, "%s: rate: %s = %.17g: %s", file, hsgd_rate_symbol(plan->over), plan->value[i], text);
}

static hsgd_status read_point(reader *r, size_t i, hsgd_error *err)
{
    cJSON *document = cJSON_Duplicate(r->base, true);
    hsgd_status status = patch(r, document, i, err);
    char *text = status ? NULL : hsgd_json_print(document);
    cJSON_Delete(document);
    if (status)
        return status;
    if (!text)
        return hsgd_fail_memory(err, "a point");
    status = hsgd_config_parse(&r->plan->config[i], text, strlen(text), r->file, err);
    cJSON_free(text);
    if (status)
        hsgd_rate_name_point(err, r->plan, i, r->file);
    return status;
}

/* Local SGDs beside the run are not asked for; the verdicts of all points hold together (Bonferroni). */
static void prepare_point(hsgd_config *config, size_t num_points)
{
    for (size_t b = 0; b < config->bounds.count; b++) {
        hsgd_algorithm of = config->bounds.bound[b]->algorithm;
        config->use_bound[b] = config->use_bound[b] && (of == HSGD_ALGORITHM_HSGD || of == HSGD_ALGORITHM_HSGD_RANDOM);
    }
    for (size_t f = 0; f < hsgd_num_figures; f++)
        config->use_figure[f] = false;
    config->confidence = 1 - (1 - config->confidence) / (double)num_points;
}

static hsgd_status read_points(reader *r, hsgd_error *err)
{
    hsgd_rate_plan *plan = r->plan;
    hsgd_status status = HSGD_OK;
    plan->config = calloc(plan->num_points, sizeof *plan->config);
    if (!plan->config)
        return hsgd_fail_memory(err, "the points");
    for (size_t i = 0; i < plan->num_points && !status; i++)
        status = read_point(r, i, err);
    if (status)
        return status;
    plan->confidence = plan->config[0].confidence;
    plan->style = plan->config[0].figure_style;
    for (size_t i = 0; i < plan->num_points; i++)
        prepare_point(&plan->config[i], plan->num_points);
    plan->name = strdup(plan->config[0].name);
    return plan->name ? HSGD_OK : hsgd_fail_memory(err, "the name");
}

/* ---- the document ---- */

/* Why there are no exact moments of such a run; NULL: there are. */
static const char *why_not_exact(const hsgd_config *config)
{
    if (config->problem != HSGD_PROBLEM_QUADRATIC && config->problem != HSGD_PROBLEM_QUADRATIC_GENERATED)
        return "a quadratic";
    if (hsgd_variant_differs(&config->variant, NULL))
        return "plain H-SGD, without \"variant\"";
    return config->grouping == HSGD_GROUPING_RANDOM ? "fixed places, without random grouping" : NULL;
}

static hsgd_status read_method(reader *r, hsgd_error *err)
{
    hsgd_json method = hsgd_json_member(&r->at, "method");
    const char *lacks = why_not_exact(&r->plan->config[0]);
    size_t choice = 0;
    r->plan->exact = !lacks;
    hsgd_status status = method.value ? hsgd_json_choice(&method, method_names, &choice, err) : HSGD_OK;
    if (!status && method.value && choice == 0 && lacks)
        status = hsgd_json_fail(&method, err, "exact moments are known of %s only", lacks);
    if (!status && choice == 1)
        r->plan->exact = false;
    return status;
}

static hsgd_status read_parts(reader *r, cJSON *document, hsgd_error *err)
{
    hsgd_json root = hsgd_json_root(r->file, document);
    if (!cJSON_IsObject(document))
        return hsgd_json_fail(&root, err, "expected an object with the keys of a configuration, and \"rate\"");
    r->at = hsgd_json_member(&root, "rate");
    if (!r->at.value)
        return hsgd_json_fail(&r->at, err,
                              "expected { \"over\": ..., \"values\": [...] }; hsgd run is for a single configuration");
    r->rate = cJSON_DetachItemFromObjectCaseSensitive(document, "rate");
    r->base = document;
    hsgd_status status = read_section(r, err);
    if (!status)
        status = read_points(r, err);
    return status ? status : read_method(r, err);
}

static hsgd_status read_document(hsgd_rate_plan *out, const char *file, cJSON *document, size_t seeds, hsgd_error *err)
{
    hsgd_error own;
    reader r = {.plan = out, .file = file, .seeds = seeds};
    hsgd_status status = read_parts(&r, document, err ? err : &own);
    cJSON_Delete(r.rate);
    cJSON_Delete(document);
    if (status)
        hsgd_rate_plan_free(out);
    return status;
}

hsgd_status hsgd_rate_read(hsgd_rate_plan *out, const char *path, size_t seeds, hsgd_error *err)
{
    cJSON *document;
    *out = (hsgd_rate_plan){0};
    hsgd_status status = hsgd_json_read_file(&document, path, err);
    return status ? status : read_document(out, path, document, seeds, err);
}

hsgd_status hsgd_rate_parse(hsgd_rate_plan *out, const char *text, size_t length, const char *file, size_t seeds,
                            hsgd_error *err)
{
    cJSON *document;
    *out = (hsgd_rate_plan){0};
    hsgd_status status = hsgd_json_parse(&document, text, length, file, err);
    return status ? status : read_document(out, file, document, seeds, err);
}
