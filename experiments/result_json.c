/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "experiments/bound_json_private.h"
#include "experiments/document_private.h"
#include "experiments/json_private.h"
#include "experiments/hierarchy_json_private.h"
#include "experiments/provenance_private.h"
#include "experiments/result_json_private.h"
#include "experiments/result_metrics_private.h"
#include "experiments/result_worst_case_private.h"

static cJSON *hierarchy_to_json(const hsgd_experiment *e)
{
    cJSON *object = hsgd_hierarchy_to_json(&e->config->hierarchy, e->config->is_uniform);
    cJSON_AddNumberToObject(object, "workers", (double)e->problem->hierarchy.num_workers);
    cJSON_AddNumberToObject(object, "levels", (double)e->problem->hierarchy.num_levels);
    cJSON_AddNumberToObject(object, "local_period", (double)e->local_period);
    cJSON_AddNumberToObject(object, "global_period", (double)e->global_period);
    cJSON_AddBoolToObject(object, "weighted", e->problem->hierarchy.worker_weight != NULL);
    return object;
}

static cJSON *constants_to_json(const hsgd_experiment *e)
{
    cJSON *object = cJSON_CreateObject();
    const hsgd_constants *c = &e->constants;
    cJSON_AddItemToObject(object, "L", hsgd_constant_to_json(c->smoothness.value, c->smoothness.kind));
    cJSON_AddItemToObject(object, "sigma_sq", hsgd_constant_to_json(c->noise_sq.value, c->noise_sq.kind));
    cJSON_AddItemToObject(object, "f_star", hsgd_constant_to_json(c->minimum.value, c->minimum.kind));
    cJSON_AddItemToObject(object, "delta", hsgd_constant_to_json(e->delta.value, e->delta.kind));
    cJSON *divergence = cJSON_AddObjectToObject(object, "divergence_sq");
    cJSON_AddItemToObject(divergence, "global",
                          hsgd_constant_to_json(e->global_divergence_sq.value, e->global_divergence_sq.kind));
    for (size_t k = 0; k < e->problem->hierarchy.num_levels; k++) {
        char name[32];
        snprintf(name, sizeof name, "level_%zu", k + 1);
        cJSON_AddItemToObject(divergence, name, hsgd_constant_to_json(e->level_divergence_sq[k], e->divergence_kind));
    }
    return object;
}

/* Single runs, infinite where one diverged (null). */
static cJSON *scatter_to_json(const hsgd_scatter *scatter)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "sd", scatter->sd);
    cJSON_AddNumberToObject(object, "min", scatter->low);
    cJSON_AddNumberToObject(object, "max", scatter->high);
    return object;
}

static cJSON *measured_to_json(const hsgd_run *run)
{
    const hsgd_summary *s = &run->summary;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "S", hsgd_interval_to_json(&run->S));
    cJSON_AddItemToObject(object, "S_round", hsgd_interval_to_json(&run->S_round));
    cJSON_AddItemToObject(object, "S_min", hsgd_interval_to_json(&run->S_min));
    cJSON_AddItemToObject(object, "S_runs", scatter_to_json(&s->S_scatter));
    cJSON *loss = cJSON_AddObjectToObject(object, "final_loss");
    cJSON_AddNumberToObject(loss, "mean", s->final_loss.mean);
    cJSON_AddNumberToObject(loss, "se", s->final_loss.se);
    cJSON_AddNumberToObject(object, "measured_steps", (double)s->num_rows);
    cJSON_AddNumberToObject(object, "diverged_seeds", (double)s->num_diverged);
    if (s->num_diverged)
        cJSON_AddNumberToObject(object, "diverged_at", (double)s->diverged_at);
    return object;
}

static cJSON *references_to_json(const hsgd_experiment *e)
{
    cJSON *object = cJSON_CreateObject();
    if (e->run[HSGD_RUN_INNER].made)
        cJSON_AddItemToObject(object, "local-sgd-inner", measured_to_json(&e->run[HSGD_RUN_INNER]));
    if (e->run[HSGD_RUN_OUTER].made)
        cJSON_AddItemToObject(object, "local-sgd-outer", measured_to_json(&e->run[HSGD_RUN_OUTER]));
    return object;
}

static cJSON *bounds_to_json(const hsgd_experiment *e)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < e->num_comparisons; i++) {
        const hsgd_comparison *c = &e->comparison[i];
        cJSON *object = hsgd_bound_to_json(c->bound, &c->value);
        cJSON_AddStringToObject(object, "constants", hsgd_constant_kind_name(c->kind));
        cJSON_AddNumberToObject(object, "certified_value", c->certified_value);
        cJSON_AddItemToObject(object, "measured", hsgd_interval_to_json(&c->measured));
        cJSON_AddNumberToObject(object, "ratio", c->ratio);
        cJSON_AddStringToObject(object, "verdict", hsgd_verdict_name(c->verdict));
        cJSON_AddStringToObject(object, "verdict_reason", c->reason);
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

static cJSON *dispersion_to_json(const hsgd_experiment *e)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t k = 0; k < e->problem->hierarchy.num_levels; k++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "level", (double)(k + 1));
        cJSON_AddStringToObject(object, "constants", hsgd_constant_kind_name(e->divergence_kind));
        cJSON_AddNumberToObject(object, "max_ratio", e->dispersion[k].max_ratio);
        cJSON_AddNumberToObject(object, "max_ratio_step", (double)e->dispersion[k].max_ratio_step);
        cJSON_AddStringToObject(object, "verdict", hsgd_verdict_name(e->dispersion[k].verdict));
        cJSON_AddStringToObject(object, "verdict_reason", e->dispersion[k].reason);
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

static void add_identity(cJSON *array, const char *name, double error, hsgd_verdict verdict)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", name);
    cJSON_AddNumberToObject(object, "max_relative_error", error);
    cJSON_AddStringToObject(object, "verdict", hsgd_verdict_name(verdict));
    cJSON_AddItemToArray(array, object);
}

static cJSON *identities_to_json(const hsgd_experiment *e)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    cJSON *array = cJSON_CreateArray();
    add_identity(array, "gradients: upward + downward = global divergence", s->gradient_identity_error,
                 e->gradient_identity);
    add_identity(array, "models: sum of the levels = total dispersion", s->parameter_identity_error,
                 e->parameter_identity);
    return array;
}

/* The published bounds on both sides and in between (random grouping, THEORY 6), and the exact rationals behind them.
 */
static cJSON *sandwich_to_json(const hsgd_experiment *e)
{
    static const char *const key[] = {"inner", "middle", "outer"}, *const id[] = {"local-sgd-inner", "hsgd-random",
                                                                                  "local-sgd-outer"};
    if (!e->has_sandwich)
        return cJSON_CreateNull();
    cJSON *object = hsgd_sandwich_to_json(&e->sandwich);
    cJSON_AddBoolToObject(object, "exact", e->sandwich.holds);
    for (size_t k = 0; k < 3; k++) {
        cJSON *value = cJSON_CreateNull();
        for (size_t i = 0; i < e->num_comparisons; i++)
            if (strcmp(e->comparison[i].bound->id, id[k]) == 0 && isfinite(e->comparison[i].value.value)) {
                cJSON_Delete(value);
                value = cJSON_CreateNumber(e->comparison[i].value.value);
            }
        cJSON_AddItemToObject(object, key[k], value);
    }
    return object;
}

/* ---- partition and places ---- */

static cJSON *counts_to_json(const size_t *count, size_t length)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < length; i++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)count[i]));
    return array;
}

/* Labels of all workers below each inner node, in the order of nodes.csv. Under random grouping workers sit at other
 * places for each seed; the places of the first seed are taken. */
static cJSON *node_labels_to_json(const hsgd_experiment *e)
{
    const hsgd_partition *p = &e->problem->partition;
    const hsgd_hierarchy *h = &e->problem->hierarchy;
    size_t *count = cJSON_malloc((p->num_classes + 1) * sizeof *count); /* ends as the document would */
    cJSON *array = cJSON_CreateArray();
    for (size_t u = 0; count && u < h->num_nodes; u++) {
        memset(count, 0, p->num_classes * sizeof *count);
        for (size_t i = h->node[u].first_worker; i < h->node[u].first_worker + h->node[u].num_workers; i++) {
            size_t worker = e->problem->placement ? e->problem->place[i] : i;
            for (size_t c = 0; c < p->num_classes; c++)
                count[c] += p->histogram[worker * p->num_classes + c];
        }
        cJSON_AddItemToArray(array, counts_to_json(count, p->num_classes));
    }
    cJSON_free(count);
    return array;
}

static cJSON *partition_to_json(const hsgd_experiment *e)
{
    const hsgd_partition *p = &e->problem->partition;
    if (!e->problem->has_data)
        return cJSON_CreateNull();
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "scheme", hsgd_partition_scheme_name(e->config->partition.scheme));
    cJSON_AddNumberToObject(object, "seed", (double)e->config->partition.seed);
    cJSON_AddNumberToObject(object, "retries", (double)p->retries);
    cJSON_AddItemToObject(object, "class_values",
                          hsgd_numbers_to_json(e->problem->data.class_value, e->problem->data.num_classes));
    cJSON *samples = cJSON_AddArrayToObject(object, "worker_samples");
    cJSON *labels = cJSON_AddArrayToObject(object, "worker_labels");
    for (size_t j = 0; j < p->num_workers; j++) {
        cJSON_AddItemToArray(samples, cJSON_CreateNumber((double)(p->start[j + 1] - p->start[j])));
        cJSON_AddItemToArray(labels, counts_to_json(p->histogram + j * p->num_classes, p->num_classes));
    }
    cJSON_AddItemToObject(object, "node_labels", node_labels_to_json(e));
    return object;
}

/* What was read, before the partition. */
static cJSON *data_to_json(const hsgd_experiment *e)
{
    const hsgd_data_summary *read = &e->problem->read;
    if (!e->problem->has_data)
        return cJSON_CreateNull();
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "format", hsgd_data_format_name(e->config->data.format));
    cJSON_AddNumberToObject(object, "samples", (double)read->num_samples);
    cJSON_AddNumberToObject(object, "features", (double)read->num_features);
    cJSON_AddNumberToObject(object, "classes", (double)read->num_classes);
    cJSON_AddNumberToObject(object, "users", (double)read->num_users);
    cJSON_AddNumberToObject(object, "test_samples", (double)read->num_test_samples);
    cJSON_AddNumberToObject(object, "files", (double)read->num_files);
    cJSON_AddNumberToObject(object, "bytes", read->bytes);
    if (e->config->data.images) {
        cJSON_AddNumberToObject(object, "images", (double)read->num_images);
        cJSON_AddNumberToObject(object, "image_bytes", read->image_bytes);
    }
    return object;
}

static cJSON *grouping_to_json(const hsgd_experiment *e)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "scheme", hsgd_grouping_name(e->config->grouping));
    cJSON_AddItemToObject(object, "place", counts_to_json(e->problem->place, e->problem->hierarchy.num_workers));
    return object;
}

/* ---- the document ---- */

/* NULL: memory is out. */
static cJSON *experiment_to_json(const hsgd_experiment *e, const char *const *file, size_t num_files)
{
    cJSON *bound_inputs = hsgd_bound_inputs_to_json(e);
    if (!bound_inputs)
        return NULL;
    cJSON *root = cJSON_CreateObject();
    char *config = hsgd_config_to_json(e->config);
    cJSON_AddStringToObject(root, "name", e->config->name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddItemToObject(root, "config", config ? cJSON_Parse(config) : NULL);
    cJSON_free(config);
    cJSON_AddItemToObject(root, "hierarchy", hierarchy_to_json(e));
    cJSON_AddItemToObject(root, "grouping", grouping_to_json(e));
    cJSON_AddItemToObject(root, "data", data_to_json(e));
    cJSON_AddItemToObject(root, "partition", partition_to_json(e));
    cJSON_AddNumberToObject(root, "step_size", e->step_size);
    cJSON_AddNumberToObject(root, "steps", (double)e->config->steps);
    cJSON_AddNumberToObject(root, "seeds", (double)e->run[HSGD_RUN_MAIN].S.estimate.count);
    cJSON_AddNumberToObject(root, "runs", (double)e->run[HSGD_RUN_MAIN].num_seeds);
    cJSON_AddBoolToObject(root, "deterministic", e->deterministic);
    cJSON_AddItemToObject(root, "constants", constants_to_json(e));
    cJSON_AddItemToObject(root, "measured", measured_to_json(&e->run[HSGD_RUN_MAIN]));
    cJSON_AddItemToObject(root, "measured_references", references_to_json(e));
    cJSON_AddItemToObject(root, "bound_inputs", bound_inputs);
    cJSON_AddItemToObject(root, "bounds", bounds_to_json(e));
    cJSON_AddItemToObject(root, "dispersion", dispersion_to_json(e));
    cJSON_AddItemToObject(root, "identities", identities_to_json(e));
    cJSON_AddItemToObject(root, "ladder", hsgd_ladder_to_json(&e->ladder));
    cJSON_AddItemToObject(root, "audit", hsgd_audit_to_json(&e->audit));
    cJSON_AddItemToObject(root, "random_grouping", hsgd_grouping_check_to_json(e));
    cJSON_AddItemToObject(root, "sandwich", sandwich_to_json(e));
    hsgd_result_add_metrics(root, e);
    cJSON_AddStringToObject(root, "verdict", hsgd_verdict_name(e->overall));
    cJSON_AddStringToObject(root, "verdict_on_all_checks", hsgd_verdict_name(e->worst));
    cJSON_AddItemToObject(root, "provenance", hsgd_provenance_to_json(e));
    cJSON *files = cJSON_AddArrayToObject(root, "files");
    for (size_t i = 0; i < num_files; i++)
        cJSON_AddItemToArray(files, cJSON_CreateString(file[i]));
    cJSON *worst_case = hsgd_result_worst_case_to_json(e);
    if (worst_case)
        cJSON_AddItemToObject(root, "worst_case", worst_case);
    return root;
}

char *hsgd_result_to_json(const hsgd_experiment *experiment, const char *const *file, size_t num_files)
{
    cJSON *root = experiment_to_json(experiment, file, num_files);
    char *text = root ? hsgd_json_print(root) : NULL;
    cJSON_Delete(root);
    return text;
}

hsgd_status hsgd_result_write_json(const hsgd_experiment *experiment, const char *dir, const char *const *file,
                                   size_t num_files, hsgd_error *err)
{
    static const char *const outputs[] = {"series.csv", "nodes.csv", NULL};
    cJSON *document = experiment_to_json(experiment, file, num_files);
    return document ? hsgd_document_write(dir, HSGD_FOLDER_RUN, document, NULL, outputs, err)
                    : hsgd_fail_memory(err, "result.json");
}
