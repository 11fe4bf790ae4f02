/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/config_private.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bounds/bound.h"
#include "experiments/hierarchy_json_private.h"
#include "experiments/style_private.h"
#include "experiments/user_bounds_private.h"

enum { NUM_GROUPINGS = HSGD_GROUPING_GROUP_NONIID + 1, MAX_RUNS = 1000000 };

/* Values of "constants"; the first of each is the default. */
static const char *const divergence_names[] = {"trajectory", "certified", NULL};
static const char *const minimum_names[] = {"certified", "solve", NULL};

static const char *grouping_name(size_t i)
{
    return hsgd_grouping_name((hsgd_grouping)i);
}

/* Everything a configuration may leave out. */
static hsgd_status set_defaults(hsgd_config *config, hsgd_error *err)
{
    *config = (hsgd_config){.problem_seed = 1,
                            .grouping = HSGD_GROUPING_GIVEN,
                            .step_size = NAN,
                            .variant = HSGD_PLAIN_VARIANT,
                            .step_size_fraction = NAN,
                            .seeds = 32,
                            .first_seed = 1,
                            .measure_every = 1,
                            .confidence = 0.99,
                            .figure_style = hsgd_figure_default_style()};
    hsgd_partition_defaults(&config->partition);
    config->use_figure = calloc(hsgd_num_figures, sizeof *config->use_figure);
    hsgd_status status = hsgd_bound_list_init(&config->bounds, err);
    config->use_bound = calloc(config->bounds.count + 1, sizeof *config->use_bound);
    if (!status && (!config->use_bound || !config->use_figure))
        status = hsgd_fail_memory(err, "the configuration");
    return status;
}

void hsgd_config_free(hsgd_config *config)
{
    if (!config)
        return;
    free(config->name);
    hsgd_hierarchy_free(&config->hierarchy);
    free(config->weight);
    free(config->curvature);
    free(config->linear);
    free(config->worker_curvature);
    free(config->level_divergence_sq);
    free(config->level_curvature_spread);
    hsgd_data_config_free(&config->data);
    free(config->layer);
    free(config->plugin_path);
    free(config->plugin_parameters);
    free(config->initial_point);
    free(config->target);
    hsgd_bound_list_free(&config->bounds);
    free(config->use_bound);
    free(config->use_figure);
    memset(config, 0, sizeof *config);
}

/* ---- sections ---- */

static hsgd_status read_weights(hsgd_config *config, const hsgd_json *hierarchy, hsgd_error *err)
{
    static const char *const names[] = {[HSGD_WEIGHTS_EQUAL] = "equal", [HSGD_WEIGHTS_DATA_SIZE] = "data-size", NULL};
    hsgd_json at = hsgd_json_member(hierarchy, "weights");
    size_t choice = HSGD_WEIGHTS_EQUAL;
    hsgd_status status = HSGD_OK;
    if (cJSON_IsArray(at.value)) {
        choice = HSGD_WEIGHTS_GIVEN;
        status = hsgd_weights_read(&config->weight, config->hierarchy.num_workers, &at, err);
    } else if (at.value)
        status = hsgd_json_choice(&at, names, &choice, err);
    config->weighting = (hsgd_weighting)choice;
    return status;
}

static hsgd_status read_initial(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"point", "scale", NULL};
    if (!at->value)
        return HSGD_OK;
    hsgd_json point = hsgd_json_member(at, "point"), scale = hsgd_json_member(at, "scale");
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status && !point.value == !scale.value)
        status = hsgd_json_fail(at, err, "expected either \"point\" or \"scale\"");
    if (!status && point.value)
        status = hsgd_json_numbers(&point, -INFINITY, INFINITY, &config->initial_point, &config->initial_dim, err);
    if (!status && scale.value)
        status = hsgd_json_number(&scale, 0, INFINITY, &config->initial_scale, err);
    return status;
}

/* "steps" and "batch_size" belong to the optimizer and may also stand at the top level. */
static hsgd_status read_either(const hsgd_json *root, const hsgd_json *optimizer, const char *key, hsgd_json *out,
                               hsgd_error *err)
{
    hsgd_json above = hsgd_json_member(root, key);
    *out = hsgd_json_member(optimizer, key);
    if (above.value && out->value)
        return hsgd_json_fail(&above, err, "stands in \"optimizer\" too; give it once");
    if (above.value)
        *out = above;
    return HSGD_OK;
}

static hsgd_status read_optimizer(hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    static const char *const keys[] = {"step_size", "step_size_fraction", "steps", "batch_size", NULL};
    hsgd_json at = hsgd_json_member(root, "optimizer"), steps, batch_size;
    hsgd_json step_size = hsgd_json_member(&at, "step_size"), fraction = hsgd_json_member(&at, "step_size_fraction");
    hsgd_status status = hsgd_json_object(&at, keys, err);
    if (!status && !step_size.value == !fraction.value)
        status = hsgd_json_fail(&at, err, "expected either \"step_size\" or \"step_size_fraction\"");
    if (!status && step_size.value)
        status = hsgd_json_positive(&step_size, &config->step_size, err);
    if (!status && fraction.value)
        status = hsgd_json_positive(&fraction, &config->step_size_fraction, err);
    if (!status)
        status = read_either(root, &at, "steps", &steps, err);
    if (!status)
        status = hsgd_json_count(&steps, 1, 1000000000, &config->steps, err);
    if (!status)
        status = read_either(root, &at, "batch_size", &batch_size, err);
    if (!status && batch_size.value)
        status = hsgd_json_count(&batch_size, 0, 1000000000, &config->batch_size, err);
    return status;
}

/* Which constants the verdicts rest on. */
static hsgd_status read_constants(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"divergence", "f_star", NULL};
    hsgd_json divergence = hsgd_json_member(at, "divergence"), minimum = hsgd_json_member(at, "f_star");
    size_t choice = 0;
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status && divergence.value && !(status = hsgd_json_choice(&divergence, divergence_names, &choice, err)))
        config->certified_divergence = choice == 1;
    if (!status && minimum.value && !(status = hsgd_json_choice(&minimum, minimum_names, &choice, err)))
        config->solve_minimum = choice == 1;
    return status;
}

const hsgd_bound *hsgd_config_find_bound(const hsgd_config *config, const char *id)
{
    return hsgd_bound_list_find(&config->bounds, id);
}

hsgd_status hsgd_config_add_bound(hsgd_config *config, const hsgd_bound *bound, hsgd_bound_release release,
                                  hsgd_error *err)
{
    hsgd_status status = hsgd_bound_list_add(&config->bounds, bound, release, err);
    bool *use = status ? NULL : realloc(config->use_bound, (config->bounds.count + 1) * sizeof *use);
    if (status || !use)
        return status ? status : hsgd_fail_memory(err, "the configuration");
    config->use_bound = use;
    use[config->bounds.count - 1] = false;
    return HSGD_OK;
}

static const char *figure_name(size_t i)
{
    return hsgd_figures[i]->name;
}

static hsgd_status take_bound(void *context, const hsgd_bound *bound, hsgd_bound_release release, hsgd_error *err)
{
    return hsgd_config_add_bound(context, bound, release, err);
}

/* "all", and the names among which there is a choice. */
enum { MAX_NAMES = 128 };
typedef struct names {
    const char *name[MAX_NAMES]; /* ends with NULL */
    size_t count;                /* without "all" */
} names;

static void add_name(names *list, const char *name)
{
    if (list->count + 2 < MAX_NAMES)
        list->name[++list->count] = name;
}

static names bound_names(const hsgd_config *config)
{
    names list = {{"all"}, 0};
    for (size_t i = 0; i < config->bounds.count; i++)
        add_name(&list, config->bounds.bound[i]->id);
    return list;
}

static names figure_names(void)
{
    names list = {{"all"}, 0};
    for (size_t i = 0; i < hsgd_num_figures; i++)
        add_name(&list, figure_name(i));
    return list;
}

/* An array of names; "all" stands for every one, an empty array for none. Absent means all. */
static hsgd_status read_selection(bool *use, const names *list, const hsgd_json *at, hsgd_error *err)
{
    size_t length = 0, choice, count = list->count;
    for (size_t i = 0; !at->value && i < count; i++)
        use[i] = true;
    hsgd_status status = at->value ? hsgd_json_array(at, 0, &length, err) : HSGD_OK;
    const cJSON *item = length ? at->value->child : NULL;
    for (size_t i = 0; i < length && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = hsgd_json_choice(&place, list->name, &choice, err);
        for (size_t b = 0; b < count && !status; b++)
            use[b] = use[b] || choice == 0 || choice == b + 1;
    }
    return status;
}

static hsgd_status read_running(hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json seeds = hsgd_json_member(root, "seeds"), first_seed = hsgd_json_member(root, "first_seed");
    hsgd_json groupings = hsgd_json_member(root, "groupings");
    hsgd_json every = hsgd_json_member(root, "measure_every"), confidence = hsgd_json_member(root, "confidence");
    hsgd_json bounds = hsgd_json_member(root, "bounds"), figures = hsgd_json_member(root, "figures");
    hsgd_status status = HSGD_OK;
    if (seeds.value)
        status = hsgd_json_count(&seeds, 1, MAX_RUNS, &config->seeds, err);
    if (!status)
        status = hsgd_json_seed(&first_seed, &config->first_seed, err);
    if (!status && groupings.value)
        status = hsgd_json_count(&groupings, 1, MAX_RUNS, &config->groupings, err);
    if (!status && every.value)
        status = hsgd_json_count(&every, 1, 1000000000, &config->measure_every, err);
    if (!status && confidence.value)
        status = hsgd_json_number(&confidence, 0.5, 1 - 1e-9, &config->confidence, err);
    names own = bound_names(config), drawn = figure_names();
    if (!status)
        status = read_selection(config->use_bound, &own, &bounds, err);
    hsgd_config_select_worst_case(config);
    if (!status)
        status = read_selection(config->use_figure, &drawn, &figures, err);
    return status ? status : hsgd_config_check_figures(config, &figures, figure_name, hsgd_num_figures, err);
}

/* ---- rules that join several sections ---- */

static hsgd_status check_together(const hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    bool quadratic = config->problem == HSGD_PROBLEM_QUADRATIC || config->problem == HSGD_PROBLEM_QUADRATIC_GENERATED;
    hsgd_json grouping = hsgd_json_member(root, "grouping"), hierarchy = hsgd_json_member(root, "hierarchy");
    hsgd_json weights = hsgd_json_member(&hierarchy, "weights"), groupings = hsgd_json_member(root, "groupings");
    hsgd_json initial = hsgd_json_member(root, "initial"), point = hsgd_json_member(&initial, "point");
    hsgd_json constants = hsgd_json_member(root, "constants"), divergence = hsgd_json_member(&constants, "divergence");
    if (config->weighting == HSGD_WEIGHTS_DATA_SIZE && quadratic)
        return hsgd_json_fail(&weights, err, "a quadratic has no data sizes; give numbers or \"equal\"");
    if (config->weighting != HSGD_WEIGHTS_EQUAL && config->grouping == HSGD_GROUPING_RANDOM)
        return hsgd_json_fail(&grouping, err, "random places need equal weights");
    if (config->certified_divergence && config->problem == HSGD_PROBLEM_MLP)
        return hsgd_json_fail(&divergence, err, "no bounds are proved for networks; only \"trajectory\" is legal here");
    if (config->certified_divergence && hsgd_config_own_curvatures(config))
        return hsgd_json_fail(&divergence, err,
                              "divergences of different Hessians grow with w; only \"trajectory\" is legal here");
    if (config->groupings && config->grouping != HSGD_GROUPING_RANDOM)
        return hsgd_json_fail(&groupings, err, "only random groupings are counted; needs \"grouping\": \"random\"");
    if (hsgd_config_runs(config) > MAX_RUNS)
        return hsgd_json_fail(&groupings, err, "with %zu seeds each these are more than %d runs", config->seeds,
                              MAX_RUNS);
    if (quadratic && config->initial_point && config->initial_dim != config->dim)
        return hsgd_json_fail(&point, err, "%zu numbers for a problem of dimension %zu", config->initial_dim,
                              config->dim);
    return hsgd_config_check_plugin(config, root, err);
}

static hsgd_status read_name(hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json name = hsgd_json_member(root, "name");
    if (name.value)
        return hsgd_json_copy_text(&name, &config->name, err);
    config->name = strdup("experiment");
    return config->name ? HSGD_OK : hsgd_fail_memory(err, "the name");
}

/* Sections that make many runs out of one configuration: the command of that name reads them and leaves them out here. */
static hsgd_status refuse_sections(const hsgd_json *root, hsgd_error *err)
{
    static const struct {
        const char *name, *does;
    } section[] = {{"sweep", "runs its grid"},
                   {"phase", "maps its grid"},
                   {"rate", "runs its points"},
                   {"pep", "follows its step sizes"}};
    for (size_t i = 0; i < sizeof section / sizeof *section; i++)
        if (hsgd_json_member(root, section[i].name).value)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s: this file is for hsgd %s, which %s", root->file,
                             section[i].name, section[i].name, section[i].does);
    return HSGD_OK;
}

static hsgd_status read_all(hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    static const char *const keys[] = {
        "name",        "hierarchy",  "problem",        "grouping", "initial",       "optimizer",  "seeds",
        "first_seed",  "confidence", "measure_every",  "bounds",   "figures",       "steps",      "batch_size",
        "groupings",   "constants",  "evaluate_every", "targets",  "communication", "variant",    "figure_style",
        "user_bounds", "sweep",      "phase",          "rate",     "hunt",          "worst_case", "pep",
        NULL};
    hsgd_json hierarchy = hsgd_json_member(root, "hierarchy"), problem = hsgd_json_member(root, "problem");
    hsgd_json grouping = hsgd_json_member(root, "grouping"), initial = hsgd_json_member(root, "initial");
    hsgd_json style = hsgd_json_member(root, "figure_style");
    hsgd_json constants = hsgd_json_member(root, "constants"), variant = hsgd_json_member(root, "variant");
    size_t choice = HSGD_GROUPING_GIVEN;
    hsgd_json user_bounds = hsgd_json_member(root, "user_bounds");
    hsgd_status status = hsgd_json_object(root, keys, err);
    if (!status)
        status = refuse_sections(root, err);
    if (!status)
        status = read_name(config, root, err);
    if (!status)
        status = hsgd_hierarchy_read(&config->hierarchy, &config->is_uniform, NULL, &hierarchy, err);
    if (!status)
        status = read_weights(config, &hierarchy, err);
    if (!status)
        status = hsgd_config_read_problem(config, &problem, err);
    if (!status && grouping.value)
        status = hsgd_json_choice_of(&grouping, grouping_name, NUM_GROUPINGS, &choice, err);
    config->grouping = (hsgd_grouping)choice;
    if (!status)
        status = read_initial(config, &initial, err);
    if (!status)
        status = read_optimizer(config, root, err);
    if (!status)
        status = hsgd_config_read_metrics(config, root, err);
    if (!status)
        status = hsgd_config_read_worst_case(config, root, err);
    if (!status)
        status = hsgd_user_bounds_read(&user_bounds, config->hierarchy.num_levels, take_bound, config, err);
    if (!status)
        status = read_running(config, root, err);
    if (!status)
        status = read_constants(config, &constants, err);
    if (!status)
        status = hsgd_config_read_variant(config, &variant, err);
    if (!status)
        status = hsgd_style_read(&config->figure_style, &style, err);
    if (!status)
        status = check_together(config, root, err);
    return status ? status : hsgd_config_read_hunt(config, root, err);
}

static hsgd_status read_document(hsgd_config *out, const char *file, cJSON *document, hsgd_error *err)
{
    hsgd_json root = hsgd_json_root(file, document);
    hsgd_status status = set_defaults(out, err);
    if (!status)
        status = read_all(out, &root, err);
    if (status)
        hsgd_config_free(out);
    cJSON_Delete(document);
    return status;
}

hsgd_status hsgd_config_read(hsgd_config *out, const char *path, hsgd_error *err)
{
    cJSON *document;
    memset(out, 0, sizeof *out);
    hsgd_status status = hsgd_json_read_file(&document, path, err);
    return status ? status : read_document(out, path, document, err);
}

hsgd_status hsgd_config_parse(hsgd_config *out, const char *text, size_t length, const char *file, hsgd_error *err)
{
    cJSON *document;
    memset(out, 0, sizeof *out);
    hsgd_status status = hsgd_json_parse(&document, text, length, file, err);
    return status ? status : read_document(out, file, document, err);
}

size_t hsgd_config_runs(const hsgd_config *config)
{
    return config->groupings ? config->groupings * config->seeds : config->seeds;
}

hsgd_status hsgd_config_step_size(double *out, const hsgd_config *config, double smoothness, hsgd_error *err)
{
    hsgd_hierarchy canonical;
    *out = config->step_size;
    if (!isnan(*out))
        return HSGD_OK;
    hsgd_status status = hsgd_hierarchy_canonical(&canonical, &config->hierarchy, NULL, NULL, err);
    if (status)
        return status;
    double largest = hsgd_published_max_step_size(smoothness, hsgd_hierarchy_global_period(&canonical));
    hsgd_hierarchy_free(&canonical);
    *out = config->step_size_fraction * largest;
    if (isfinite(*out) && *out > 0)
        return HSGD_OK;
    return hsgd_fail(
        err, HSGD_ERROR_INPUT,
        "optimizer.step_size_fraction: %g of the published maximum %g (L = %g) is no step size; give step_size",
        config->step_size_fraction, largest, smoothness);
}

/* ---- writing ---- */

static void add_selection(cJSON *object, const char *key, const bool *use, const names *list)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < list->count; i++)
        if (use[i])
            cJSON_AddItemToArray(array, cJSON_CreateString(list->name[i + 1]));
}

static cJSON *hierarchy_with_weights(const hsgd_config *config)
{
    cJSON *hierarchy = hsgd_hierarchy_to_json(&config->hierarchy, config->is_uniform);
    if (config->weighting == HSGD_WEIGHTS_DATA_SIZE)
        cJSON_AddStringToObject(hierarchy, "weights", "data-size");
    if (config->weighting == HSGD_WEIGHTS_GIVEN)
        cJSON_AddItemToObject(hierarchy, "weights",
                              cJSON_CreateDoubleArray(config->weight, (int)config->hierarchy.num_workers));
    return hierarchy;
}

static cJSON *optimizer_to_json(const hsgd_config *config)
{
    cJSON *optimizer = cJSON_CreateObject();
    if (isnan(config->step_size))
        cJSON_AddNumberToObject(optimizer, "step_size_fraction", config->step_size_fraction);
    else
        cJSON_AddNumberToObject(optimizer, "step_size", config->step_size);
    cJSON_AddNumberToObject(optimizer, "steps", (double)config->steps);
    cJSON_AddNumberToObject(optimizer, "batch_size", (double)config->batch_size);
    return optimizer;
}

char *hsgd_config_to_json(const hsgd_config *config)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", config->name);
    cJSON_AddItemToObject(root, "hierarchy", hierarchy_with_weights(config));
    cJSON_AddItemToObject(root, "problem", hsgd_config_problem_to_json(config));
    cJSON_AddStringToObject(root, "grouping", grouping_name(config->grouping));
    if (config->groupings)
        cJSON_AddNumberToObject(root, "groupings", (double)config->groupings);
    bool begins_itself = !config->initial_point && isnan(config->initial_scale);
    cJSON *initial = begins_itself ? NULL : cJSON_AddObjectToObject(root, "initial");
    if (config->initial_point)
        cJSON_AddItemToObject(initial, "point",
                              cJSON_CreateDoubleArray(config->initial_point, (int)config->initial_dim));
    else if (!begins_itself)
        cJSON_AddNumberToObject(initial, "scale", config->initial_scale);
    cJSON_AddItemToObject(root, "optimizer", optimizer_to_json(config));
    hsgd_config_add_variant(root, config);
    cJSON_AddNumberToObject(root, "seeds", (double)config->seeds);
    cJSON_AddNumberToObject(root, "first_seed", (double)config->first_seed);
    cJSON_AddNumberToObject(root, "measure_every", (double)config->measure_every);
    cJSON_AddNumberToObject(root, "confidence", config->confidence);
    hsgd_config_metrics_to_json(root, config);
    cJSON *constants = cJSON_AddObjectToObject(root, "constants");
    cJSON_AddStringToObject(constants, "divergence", divergence_names[config->certified_divergence]);
    cJSON_AddStringToObject(constants, "f_star", minimum_names[config->solve_minimum]);
    hsgd_user_bounds_to_json(root, &config->bounds);
    names own = bound_names(config), drawn = figure_names();
    hsgd_config_add_worst_case(root, config);
    add_selection(root, "bounds", config->use_bound, &own);
    add_selection(root, "figures", config->use_figure, &drawn);
    hsgd_style_to_json(root, &config->figure_style);
    hsgd_config_add_hunt(root, config);
    char *text = hsgd_json_print(root);
    cJSON_Delete(root);
    return text;
}
