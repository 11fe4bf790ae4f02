/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the configuration of `hsgd plan`. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/config_private.h"
#include "experiments/plan_private.h"
#include "experiments/provenance_private.h"
#include "experiments/style_private.h"

enum { DEFAULT_MAX_LEVELS = 3, DEFAULT_MAX_PERIOD = 64, MAX_PERIOD = 10000, MAX_BUDGETS = 16, MAX_WORKERS = 10000000 };

static const size_t MOST_NUMBERS = sizeof(size_t) > 4 ? (size_t)(UINT64_C(1) << 50) : SIZE_MAX; /* in a message */

static const char DEFAULT_BOUND[] = "hsgd-random-sharp";

static const char *const constant_key[HSGD_NUM_PLAN_CONSTANTS] = {[HSGD_PLAN_L] = "L",
                                                                  [HSGD_PLAN_SIGMA_SQ] = "sigma_sq",
                                                                  [HSGD_PLAN_DELTA] = "delta",
                                                                  [HSGD_PLAN_DIVERGENCE] = "global_divergence_sq"};

void hsgd_plan_setting_free(hsgd_plan_setting *setting)
{
    if (!setting)
        return;
    free(setting->name);
    free(setting->period);
    free(setting->fanout);
    free(setting->budget_s);
    free(setting->constants_from);
    cJSON_Delete(setting->experiment);
    cJSON_Delete(setting->figure_style);
    memset(setting, 0, sizeof *setting);
}

/* ---- workers and network ---- */

static hsgd_status read_network(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json workers = hsgd_json_member(root, "workers"), network = hsgd_json_member(root, "network");
    size_t *fanout = NULL, length = 0, product = 1;
    hsgd_status status = hsgd_json_count(&workers, 2, MAX_WORKERS, &out->num_workers, err);
    out->num_links = 1;
    out->network[0] = out->num_workers;
    if (status || !network.value)
        return status;
    status = hsgd_json_counts(&network, 2, MAX_WORKERS, &fanout, &length, err);
    if (!status && length > HSGD_MAX_LEVELS)
        status = hsgd_json_fail(&network, err, "more than %d levels", HSGD_MAX_LEVELS);
    for (size_t j = 0; j < length && !status && product <= MAX_WORKERS; j++) {
        out->network[j] = fanout[j];
        product *= fanout[j];
    }
    if (!status && product != out->num_workers)
        status = hsgd_json_fail(&network, err, "the fanouts of the network do not multiply to the %zu workers",
                                out->num_workers);
    out->num_links = length;
    free(fanout);
    return status;
}

static hsgd_status read_message(hsgd_plan_setting *out, const hsgd_json *root, const hsgd_json *per_parameter,
                                hsgd_error *err)
{
    hsgd_json dimension = hsgd_json_member(root, "dimension"), bytes = hsgd_json_member(root, "model_bytes");
    out->dim = 1;
    out->dimension_known = dimension.value != NULL;
    if (!dimension.value == !bytes.value)
        return hsgd_json_fail(dimension.value ? &bytes : &dimension, err,
                              "expected either \"dimension\", the parameters of a model, or \"model_bytes\"");
    if (dimension.value)
        return hsgd_json_count(&dimension, 1, MOST_NUMBERS, &out->dim, err);
    if (per_parameter->value)
        return hsgd_json_fail(per_parameter, err, "\"model_bytes\" says how long a message is; give one of them");
    return hsgd_json_positive(&bytes, &out->communication.bytes_per_parameter, err);
}

static hsgd_status read_communication(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "communication"), straggler = hsgd_json_member(&at, "straggler");
    hsgd_json levels = hsgd_json_member(&at, "levels"), per_parameter = hsgd_json_member(&at, "bytes_per_parameter");
    if (!at.value)
        return hsgd_json_fail(&at, err, "expected the model of communication, as in an experiment's configuration");
    if (cJSON_IsArray(levels.value) && (size_t)cJSON_GetArraySize(levels.value) != out->num_links)
        return hsgd_json_fail(&levels, err, "%d levels for a network of %zu; one for each, the outermost first",
                              cJSON_GetArraySize(levels.value), out->num_links);
    hsgd_status status = hsgd_communication_read(&out->communication, &at, out->num_links, err);
    if (!status && out->communication.straggler.type != HSGD_STRAGGLER_NONE)
        status = hsgd_json_fail(&straggler, err,
                                "a plan needs steps that all take the same time; only \"none\" is legal here");
    return status ? status : read_message(out, root, &per_parameter, err);
}

/* ---- constants ---- */

/* A path in the configuration is relative to its folder. */
static char *beside(const char *file, const char *path)
{
    char *joined = NULL;
    const char *slash = strrchr(file, '/');
    if (*path == '/' || !slash)
        return strdup(path);
    return asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) < 0 ? NULL : joined;
}

static void set_value(hsgd_plan_value *out, double value, const char *kind)
{
    out->value = value;
    snprintf(out->kind, sizeof out->kind, "%s", kind);
}

/* { "value", "kind" } of a result. */
static hsgd_status take_value(hsgd_plan_value *out, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json value = hsgd_json_member(at, "value"), kind = hsgd_json_member(at, "kind");
    const char *text = "";
    double number = 0;
    hsgd_status status = hsgd_json_number(&value, 0, INFINITY, &number, err);
    if (!status)
        status = hsgd_json_text(&kind, &text, err);
    set_value(out, number, text);
    return status;
}

static hsgd_status take_constants(hsgd_plan_setting *out, const hsgd_json *result, hsgd_error *err)
{
    hsgd_json constants = hsgd_json_member(result, "constants"), config = hsgd_json_member(result, "config");
    hsgd_json divergence = hsgd_json_member(&constants, "divergence_sq"),
              hierarchy = hsgd_json_member(result, "hierarchy");
    hsgd_json workers = hsgd_json_member(&hierarchy, "workers");
    size_t num_workers = 0;
    hsgd_status status = hsgd_json_count(&workers, 1, HSGD_MAX_WORKERS, &num_workers, err);
    if (!status && num_workers != out->num_workers)
        status = hsgd_json_fail(&workers, err, "the plan is for %zu workers; expected as many", out->num_workers);
    hsgd_json weighted = hsgd_json_member(&hierarchy, "weighted");
    if (!status && cJSON_IsTrue(weighted.value))
        status = hsgd_json_fail(&weighted, err, "a plan is for workers of equal weights");
    for (size_t i = 0; i < HSGD_NUM_PLAN_CONSTANTS && !status; i++) {
        bool of_gradients = i == HSGD_PLAN_DIVERGENCE;
        hsgd_json at =
            hsgd_json_member(of_gradients ? &divergence : &constants, of_gradients ? "global" : constant_key[i]);
        status = take_value(&out->constant[i], &at, err);
    }
    if (!status && cJSON_IsObject(config.value) && !(out->experiment = cJSON_Duplicate(config.value, true)))
        status = hsgd_fail_memory(err, "the configuration of the result");
    return status;
}

static hsgd_status read_result(hsgd_plan_setting *out, const hsgd_json *at, hsgd_error *err)
{
    const char *text = NULL;
    cJSON *document = NULL;
    hsgd_status status = hsgd_json_text(at, &text, err);
    if (status)
        return status;
    if (!(out->constants_from = beside(at->file, text)))
        return hsgd_fail_memory(err, "a path");
    status = hsgd_json_read_file(&document, out->constants_from, err);
    hsgd_json result = hsgd_json_root(out->constants_from, document);
    if (!status)
        status = take_constants(out, &result, err);
    cJSON_Delete(document);
    return status;
}

/* L and delta must be above 0: without a curvature, or without a gap, every step size is as good as the next. */
static hsgd_status read_constants(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    static const char *const keys[] = {"L", "sigma_sq", "delta", "global_divergence_sq", NULL};
    hsgd_json at = hsgd_json_member(root, "constants"), from = hsgd_json_member(root, "constants_from");
    hsgd_status status = from.value ? read_result(out, &from, err) : HSGD_OK;
    if (!status && (at.value || !from.value))
        status = hsgd_json_object(&at, keys, err);
    for (size_t i = 0; i < HSGD_NUM_PLAN_CONSTANTS && !status; i++) {
        hsgd_json value = hsgd_json_member(&at, constant_key[i]);
        bool positive = i == HSGD_PLAN_L || i == HSGD_PLAN_DELTA;
        double number = out->constant[i].value;
        if (value.value || !from.value) {
            status = positive ? hsgd_json_positive(&value, &number, err)
                              : hsgd_json_number(&value, 0, INFINITY, &number, err);
            set_value(&out->constant[i], number, "given");
        }
        if (!status && positive && !(number > 0))
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: constants.%s: %g; a plan needs one above 0",
                               out->constants_from, constant_key[i], number);
    }
    out->divergence_read_sq = out->constant[HSGD_PLAN_DIVERGENCE].value;
    return status;
}

/* ---- what may be chosen ---- */

static hsgd_status read_one_fanout(hsgd_plan_fanout *out, size_t num_workers, const hsgd_json *at, hsgd_error *err)
{
    size_t *fanout = NULL, length = 0, product = 1;
    memset(out, 0, sizeof *out);
    hsgd_status status = hsgd_json_counts(at, 2, MAX_WORKERS, &fanout, &length, err);
    if (!status && length > HSGD_PLAN_MAX_LEVELS)
        status = hsgd_json_fail(at, err, "more than %d levels", HSGD_PLAN_MAX_LEVELS);
    for (size_t k = 0; k < length && !status && product <= MAX_WORKERS; k++) {
        out->fanout[k] = fanout[k];
        product *= fanout[k];
    }
    if (!status && product != num_workers)
        status = hsgd_json_fail(at, err, "does not multiply to the %zu workers", num_workers);
    out->num_levels = length;
    free(fanout);
    return status;
}

static bool is_same_fanout(const hsgd_plan_fanout *a, const hsgd_plan_fanout *b)
{
    return a->num_levels == b->num_levels && memcmp(a->fanout, b->fanout, a->num_levels * sizeof *a->fanout) == 0;
}

/* The listed fanouts, and [n] at their end where it is not among them: local SGD is always a plan. */
static hsgd_status read_fanouts(hsgd_plan_setting *out, const hsgd_json *at, hsgd_error *err)
{
    size_t length;
    bool has_local = false;
    hsgd_status status = hsgd_json_array(at, 1, &length, err);
    if (!status && length > 10000)
        status = hsgd_json_fail(at, err, "%zu fanouts; at most 10000", length);
    if (status)
        return status;
    if (!(out->fanout = calloc(length + 1, sizeof *out->fanout)))
        return hsgd_fail_memory(err, "the fanouts");
    const cJSON *item = at->value->child;
    for (size_t i = 0; i < length && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = read_one_fanout(&out->fanout[i], out->num_workers, &place, err);
        for (size_t j = 0; j < i && !status; j++)
            if (is_same_fanout(&out->fanout[i], &out->fanout[j]))
                status = hsgd_json_fail(&place, err, "stands twice");
        has_local |= out->fanout[i].num_levels == 1;
    }
    out->num_fanouts = length;
    if (!has_local)
        out->fanout[out->num_fanouts++] = (hsgd_plan_fanout){.num_levels = 1, .fanout = {out->num_workers}};
    out->fanouts_given = true;
    return status;
}

/* Random grouping: D_k = (n_k - n_{k-1})/(n - 1) eps~^2 (THEORY 5). */
static void split_at_random(hsgd_plan_fanout *fanout, size_t num_workers, double divergence_sq)
{
    double above = 1;
    for (size_t k = 0; k < fanout->num_levels; k++) {
        double here = above * (double)fanout->fanout[k];
        fanout->divergence_sq[k] = (here - above) / ((double)num_workers - 1) * divergence_sq;
        above = here;
    }
}

static hsgd_status read_one_split(hsgd_plan_fanout *out, const hsgd_json *at, hsgd_error *err)
{
    double *level = NULL;
    size_t length = 0;
    hsgd_status status = hsgd_json_numbers(at, 0, INFINITY, &level, &length, err);
    if (!status && length != out->num_levels)
        status = hsgd_json_fail(at, err, "%zu numbers for a fanout of %zu levels", length, out->num_levels);
    for (size_t k = 0; k < length && !status; k++)
        out->divergence_sq[k] = level[k];
    out->divergence_given = true;
    free(level);
    return status;
}

static hsgd_status read_splits(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "level_divergence_sq"), fanouts = hsgd_json_member(root, "fanouts");
    size_t length, listed = fanouts.value ? (size_t)cJSON_GetArraySize(fanouts.value) : 0;
    for (size_t i = 0; i < out->num_fanouts; i++)
        split_at_random(&out->fanout[i], out->num_workers, out->divergence_read_sq);
    if (!at.value)
        return HSGD_OK;
    if (out->bound->algorithm != HSGD_ALGORITHM_HSGD)
        return hsgd_json_fail(&at, err, "%s is about random groups, whose divergences follow from global_divergence_sq",
                              out->bound->id);
    hsgd_status status = hsgd_json_array(&at, 1, &length, err);
    if (!status && length != listed)
        return hsgd_json_fail(&at, err, "%zu lists for %zu of \"fanouts\"; give one for each", length, listed);
    const cJSON *item = status ? NULL : at.value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(&at, &item, i);
        status = read_one_split(&out->fanout[i], &place, err);
    }
    return status;
}

static hsgd_status read_trees(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    static const char *const keys[] = {"max", NULL};
    hsgd_json levels = hsgd_json_member(root, "levels"), fanouts = hsgd_json_member(root, "fanouts");
    hsgd_json most = hsgd_json_member(&levels, "max");
    size_t max_levels = DEFAULT_MAX_LEVELS;
    hsgd_status status = HSGD_OK;
    if (levels.value && fanouts.value)
        return hsgd_json_fail(&levels, err, "\"fanouts\" says which trees there are; give one of them");
    if (fanouts.value)
        status = read_fanouts(out, &fanouts, err);
    else if (levels.value && !(status = hsgd_json_object(&levels, keys, err)))
        status = hsgd_json_count(&most, 1, HSGD_PLAN_MAX_LEVELS, &max_levels, err);
    if (!status && !fanouts.value)
        status = hsgd_plan_fanouts(&out->fanout, &out->num_fanouts, out->num_workers, max_levels, err);
    return status ? status : read_splits(out, root, err);
}

static int compare_counts(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static hsgd_status check_periods(hsgd_plan_setting *out, const hsgd_json *at, hsgd_error *err)
{
    qsort(out->period, out->num_periods, sizeof *out->period, compare_counts);
    for (size_t i = 1; i < out->num_periods; i++)
        if (out->period[i] == out->period[i - 1])
            return hsgd_json_fail(at, err, "%zu stands twice", out->period[i]);
    if (out->period[0] != 1)
        return hsgd_json_fail(at, err, "lacks 1, with which synchronous SGD is a plan");
    return HSGD_OK;
}

static hsgd_status read_periods(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json most = hsgd_json_member(root, "max_period"), list = hsgd_json_member(root, "periods");
    hsgd_json relays = hsgd_json_member(root, "relays");
    hsgd_status status = HSGD_OK;
    out->max_period = DEFAULT_MAX_PERIOD;
    out->relays = true;
    if (most.value && list.value)
        return hsgd_json_fail(&most, err, "\"periods\" says which there are; give one of them");
    if (most.value)
        status = hsgd_json_count(&most, 1, MAX_PERIOD, &out->max_period, err);
    if (!status && list.value) {
        status = hsgd_json_counts(&list, 1, HSGD_MAX_PERIOD, &out->period, &out->num_periods, err);
        if (!status && out->num_periods > MAX_PERIOD)
            status = hsgd_json_fail(&list, err, "%zu periods; at most %d", out->num_periods, MAX_PERIOD);
        status = status ? status : check_periods(out, &list, err);
    } else if (!status) {
        out->num_periods = out->max_period;
        if (!(out->period = malloc(out->num_periods * sizeof *out->period)))
            return hsgd_fail_memory(err, "the periods");
        for (size_t i = 0; i < out->num_periods; i++)
            out->period[i] = i + 1;
    }
    if (!status)
        out->max_period = out->period[out->num_periods - 1];
    return status || !relays.value ? status : hsgd_json_bool(&relays, &out->relays, err);
}

/* ---- bound and budget ---- */

static hsgd_status read_bound(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "bound");
    const char *id = DEFAULT_BOUND;
    hsgd_status status = at.value ? hsgd_json_text(&at, &id, err) : HSGD_OK;
    out->bound = status ? NULL : hsgd_plan_find_bound(id);
    if (status)
        return status;
    if (!out->bound)
        return hsgd_json_fail(&at, err, "is no bound; hsgd bound lists them");
    bool of_tree = out->bound->algorithm == HSGD_ALGORITHM_HSGD || out->bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM;
    if (!of_tree || out->bound->target == HSGD_TARGET_DISTANCE)
        return hsgd_json_fail(&at, err, "is about %s; a plan needs a bound on the gradients of H-SGD, such as %s",
                              of_tree ? "a distance" : "local SGD alone", DEFAULT_BOUND);
    return HSGD_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static hsgd_status read_budget(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "budget_seconds");
    hsgd_status status;
    if (cJSON_IsArray(at.value))
        status = hsgd_json_numbers(&at, 0, 1e15, &out->budget_s, &out->num_budgets, err);
    else {
        out->num_budgets = 1;
        if (!(out->budget_s = calloc(1, sizeof *out->budget_s)))
            return hsgd_fail_memory(err, "the budget");
        status = hsgd_json_number(&at, 0, 1e15, out->budget_s, err);
    }
    if (!status && out->num_budgets > MAX_BUDGETS)
        status = hsgd_json_fail(&at, err, "%zu budgets; at most %d", out->num_budgets, MAX_BUDGETS);
    if (status)
        return status;
    qsort(out->budget_s, out->num_budgets, sizeof *out->budget_s, compare_numbers);
    return out->budget_s[0] > 0 ? HSGD_OK : hsgd_json_fail(&at, err, "expected seconds above 0");
}

/* ---- all of it ---- */

/* The only figure is wanted unless the list is empty. */
static hsgd_status read_figures(hsgd_plan_setting *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const names[] = {"all", "plan", NULL};
    size_t length = 0, choice;
    out->with_figure = true;
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = hsgd_json_array(at, 0, &length, err);
    for (size_t i = 0; i < length && !status; i++) {
        hsgd_json item = hsgd_json_item(at, i);
        status = hsgd_json_choice(&item, names, &choice, err);
    }
    out->with_figure = length > 0;
    return status;
}

static hsgd_status read_rest(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json problem = hsgd_json_member(root, "problem"), style = hsgd_json_member(root, "figure_style");
    hsgd_json figures = hsgd_json_member(root, "figures");
    hsgd_figure_style checked = hsgd_figure_default_style();
    hsgd_status status = hsgd_style_read(&checked, &style, err);
    if (!status)
        status = read_figures(out, &figures, err);
    if (!status && style.value && !(out->figure_style = cJSON_Duplicate(style.value, true)))
        status = hsgd_fail_memory(err, "the style");
    if (status || !problem.value)
        return status;
    if (!cJSON_IsObject(problem.value))
        return hsgd_json_fail(&problem, err, "expected an object, as in an experiment's configuration");
    cJSON_Delete(out->experiment);
    out->experiment = cJSON_CreateObject();
    cJSON_AddItemToObject(out->experiment, "problem", cJSON_Duplicate(problem.value, true));
    return HSGD_OK;
}

static hsgd_status read_all(hsgd_plan_setting *out, const hsgd_json *root, hsgd_error *err)
{
    static const char *const keys[] = {"name",           "workers",        "network",    "communication",
                                       "dimension",      "model_bytes",    "constants",  "bound",
                                       "levels",         "fanouts",        "max_period", "level_divergence_sq",
                                       "periods",        "constants_from", "problem",    "relays",
                                       "budget_seconds", "figure_style",   "figures",    NULL};
    hsgd_json name = hsgd_json_member(root, "name");
    hsgd_status status = hsgd_json_object(root, keys, err);
    if (!status && name.value)
        status = hsgd_json_copy_text(&name, &out->name, err);
    else if (!status && !(out->name = strdup("plan")))
        status = hsgd_fail_memory(err, "the name");
    if (!status)
        status = read_network(out, root, err);
    if (!status)
        status = read_communication(out, root, err);
    if (!status)
        status = read_constants(out, root, err);
    if (!status)
        status = read_bound(out, root, err);
    if (!status)
        status = read_trees(out, root, err);
    if (!status)
        status = read_periods(out, root, err);
    if (!status)
        status = read_budget(out, root, err);
    return status ? status : read_rest(out, root, err);
}

hsgd_status hsgd_plan_read(hsgd_plan_setting *out, const char *path, hsgd_error *err)
{
    cJSON *document;
    memset(out, 0, sizeof *out);
    hsgd_status status = hsgd_json_read_file(&document, path, err);
    if (status)
        return status;
    hsgd_json root = hsgd_json_root(path, document);
    status = read_all(out, &root, err);
    if (!status)
        status = hsgd_provenance_hash_document(out->config_sha256, document, err);
    if (status)
        hsgd_plan_setting_free(out);
    cJSON_Delete(document);
    return status;
}
