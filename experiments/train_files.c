/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a training: train.json, times.csv, train.csv, model.csv, and the fitted model of communication for other commands. */
#include <math.h>
#include <stdlib.h>

#include "experiments/config_private.h"
#include "experiments/document_private.h"
#include "experiments/json_private.h"
#include "experiments/provenance_private.h"
#include "experiments/style_private.h"
#include "experiments/train_private.h"
#include "plots/output.h"

const char *const hsgd_train_files =
    "train.json, times.csv, train.csv, model.csv, communication.json, communication-stragglers.json";

static void add_number(cJSON *object, const char *key, double value)
{
    cJSON_AddItemToObject(object, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

/* ---- train.json ---- */

static cJSON *summary_to_json(const hsgd_time_summary *s)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "count", (double)s->count);
    cJSON_AddNumberToObject(object, "sum_s", s->sum_s);
    cJSON_AddNumberToObject(object, "mean_s", s->mean_s);
    cJSON_AddNumberToObject(object, "median_s", s->median_s);
    cJSON_AddNumberToObject(object, "quantile_95_s", s->high_s);
    cJSON_AddNumberToObject(object, "largest_s", s->largest_s);
    return object;
}

static cJSON *level_to_json(const hsgd_train_result *r, size_t k)
{
    const hsgd_train_level *level = &r->level[k];
    const hsgd_fitted_level *fit = &r->links.level[k];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "level", (double)k + 1);
    cJSON_AddNumberToObject(object, "nodes", (double)level->nodes);
    cJSON_AddNumberToObject(object, "fewest_ranks", (double)level->fewest_ranks);
    cJSON_AddNumberToObject(object, "most_ranks", (double)level->most_ranks);
    cJSON_AddItemToObject(object, "wait", summary_to_json(&level->wait));
    cJSON_AddItemToObject(object, "allreduce", summary_to_json(&level->allreduce));
    cJSON_AddNumberToObject(object, "predicted_allreduce_s", level->predicted_s);
    cJSON_AddNumberToObject(object, "probed_allreduce_s", level->probe_s);
    cJSON_AddNumberToObject(object, "barrier_s", level->barrier_s);
    cJSON *fitted = cJSON_AddObjectToObject(object, "fit");
    add_number(fitted, "latency_s", fit->latency_s);
    add_number(fitted, "latency_se", fit->latency_se);
    add_number(fitted, "bandwidth_bytes_per_s", fit->bandwidth_bytes_per_s);
    add_number(fitted, "bandwidth_se", fit->bandwidth_se);
    cJSON_AddNumberToObject(fitted, "points", (double)fit->count);
    add_number(fitted, "rms_relative_residual", fit->rms_residual);
    add_number(fitted, "largest_relative_residual", fit->largest_residual);
    return object;
}

static void add_levels(cJSON *root, const hsgd_train_result *r)
{
    cJSON *levels = cJSON_AddArrayToObject(root, "levels");
    for (size_t k = 0; k < r->hierarchy->num_levels; k++)
        cJSON_AddItemToArray(levels, level_to_json(r, k));
}

static cJSON *computing_to_json(const hsgd_train_result *r)
{
    static const char *const name[] = {"none", "exponential", "lognormal", "pareto"};
    cJSON *object = summary_to_json(&r->compute), *fit = cJSON_AddObjectToObject(object, "fit");
    cJSON_AddStringToObject(fit, "distribution", name[r->late.straggler.type]);
    add_number(fit, "compute_s", r->late.compute_s);
    add_number(fit, "compute_se", r->late.compute_se);
    add_number(fit, "scale_s", r->late.straggler.scale_s);
    add_number(fit, "scale_se", r->late.scale_se);
    add_number(fit, "shape", r->late.straggler.shape);
    add_number(fit, "shape_se", r->late.shape_se);
    add_number(fit, "kolmogorov_distance", r->late.distance);
    return object;
}

static void add_probes(cJSON *root, const hsgd_train_result *r)
{
    cJSON *array = cJSON_AddArrayToObject(root, "probes");
    for (size_t i = 0; i < r->num_probes; i++) {
        const hsgd_train_probe *probe = &r->probe[i];
        const hsgd_node *node = &r->hierarchy->node[probe->node];
        double bytes = (double)probe->numbers * sizeof(double);
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "level", (double)node->depth + 1);
        cJSON_AddNumberToObject(object, "node", (double)probe->node);
        cJSON_AddNumberToObject(object, "ranks", (double)node->num_workers);
        cJSON_AddNumberToObject(object, "bytes", bytes);
        cJSON_AddNumberToObject(object, "least_s", probe->least_s);
        cJSON_AddNumberToObject(object, "median_s", probe->median_s);
        if (probe->numbers)
            add_number(object, "fitted_s", hsgd_link_fit_seconds(&r->links, r->hierarchy, probe->node, bytes));
        cJSON_AddItemToArray(array, object);
    }
}

static void add_ranks(cJSON *root, const hsgd_train_result *r)
{
    cJSON *ranks = cJSON_AddArrayToObject(root, "ranks");
    for (size_t i = 0; i < r->hierarchy->num_workers; i++) {
        cJSON *rank = cJSON_CreateObject();
        char host[HSGD_HOST_NAME_SIZE];
        snprintf(host, sizeof host, "%.*s", HSGD_HOST_NAME_SIZE - 1, r->host + i * HSGD_HOST_NAME_SIZE);
        hsgd_json_make_text(host);
        cJSON_AddStringToObject(rank, "host", host);
        cJSON_AddNumberToObject(rank, "compute_mean_s", r->rank_compute_s[i]);
        cJSON_AddItemToArray(ranks, rank);
    }
}

/* Where the seconds went, next to what the fitted model says. */
static void add_seconds(cJSON *root, const hsgd_train_result *r)
{
    cJSON *seconds = cJSON_AddObjectToObject(root, "seconds"),
          *rank = cJSON_AddObjectToObject(seconds, "mean_of_ranks");
    cJSON_AddNumberToObject(seconds, "measured", r->measured_s);
    add_number(seconds, "predicted", r->predicted_s);
    add_number(seconds, "predicted_with_stragglers", r->predicted_late_s);
    add_number(seconds, "measuring", r->cost_s);
    cJSON_AddNumberToObject(seconds, "pauses", (double)r->record.pauses);
    cJSON_AddNumberToObject(rank, "computing", r->measured.compute_s);
    cJSON_AddNumberToObject(rank, "waiting", r->measured.wait_s);
    cJSON_AddNumberToObject(rank, "averaging", r->measured.allreduce_s);
    cJSON_AddNumberToObject(rank, "rest", r->measured.rest_s);
}

static void add_outcome(cJSON *root, const hsgd_train_result *r)
{
    const hsgd_training_record *record = &r->record;
    cJSON *outcome = cJSON_AddObjectToObject(root, "outcome");
    add_number(outcome, "first_loss", record->loss[0]);
    add_number(outcome, "final_loss", record->loss[record->num_measured]);
    add_number(outcome, "diverged_at", record->diverged_at == HSGD_NOT_DIVERGED ? NAN : (double)record->diverged_at);
    add_number(outcome, "final_grad_norm_sq", record->grad_norm_sq[record->num_measured]);
}

cJSON *hsgd_train_to_json(const hsgd_train_result *r)
{
    cJSON *root = cJSON_CreateObject();
    char *config = hsgd_config_to_json(r->config);
    cJSON_AddStringToObject(root, "name", r->config->name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddStringToObject(root, "mpi", r->library);
    cJSON_AddNumberToObject(root, "workers", (double)r->hierarchy->num_workers);
    cJSON_AddNumberToObject(root, "hosts", (double)r->num_hosts);
    cJSON_AddNumberToObject(root, "dimension", (double)r->record.dim);
    cJSON_AddNumberToObject(root, "model_bytes", (double)r->record.dim * sizeof(double));
    cJSON_AddNumberToObject(root, "steps", (double)r->record.steps);
    cJSON_AddNumberToObject(root, "step_size", r->step_size);
    cJSON_AddNumberToObject(root, "seed", (double)r->config->first_seed);
    add_outcome(root, r);
    add_seconds(root, r);
    cJSON_AddItemToObject(root, "computing", computing_to_json(r));
    add_levels(root, r);
    cJSON_AddNumberToObject(root, "probe_repeats", (double)r->repeats);
    add_probes(root, r);
    hsgd_communication communication = hsgd_train_communication(r, true);
    cJSON_AddItemToObject(root, "communication", hsgd_communication_to_json(&communication, r->hierarchy->num_levels));
    add_ranks(root, r);
    cJSON_AddItemToObject(root, "config", config ? cJSON_Parse(config) : NULL);
    hsgd_style_to_json(root, &r->config->figure_style);
    cJSON_free(config);
    return root;
}

/* ---- writing ---- */

/* Uses the document up. */
static hsgd_status write_json(const char *dir, const char *name, cJSON *document, hsgd_error *err)
{
    hsgd_output out;
    char *text = hsgd_json_print(document);
    hsgd_status status = text ? hsgd_output_open(&out, dir, name, "json", err) : hsgd_fail_memory(err, "JSON output");
    if (!status) {
        fprintf(out.stream, "%s\n", text);
        status = hsgd_output_close(&out, err);
    }
    cJSON_free(text);
    cJSON_Delete(document);
    return status;
}

static hsgd_status write_times(const hsgd_train_result *r, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "times", "csv", err);
    if (status)
        return status;
    fputs("step,level,node,ranks,bytes,wait_s,longest_wait_s,allreduce_s\n", out.stream);
    for (size_t i = 0; i < r->num_averages; i++) {
        const hsgd_train_average *a = &r->average[i];
        const hsgd_node *node = &r->hierarchy->node[a->node];
        fprintf(out.stream, "%zu,%zu,%zu,%zu,%zu,%.9g,%.9g,%.9g\n", a->step, node->depth + 1, a->node,
                node->num_workers, r->record.dim * sizeof(double), a->wait_mean_s, a->wait_max_s, a->sum_s);
    }
    return hsgd_output_close(&out, err);
}

static hsgd_status write_series(const hsgd_train_result *r, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "train", "csv", err);
    if (status)
        return status;
    fputs("step,loss,grad_norm_sq\n", out.stream);
    for (size_t i = 0; i <= r->record.num_measured; i++)
        fprintf(out.stream, "%zu,%.17g,%.17g\n", r->record.step[i], r->record.loss[i], r->record.grad_norm_sq[i]);
    return hsgd_output_close(&out, err);
}

static hsgd_status write_model(const hsgd_train_result *r, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "model", "csv", err);
    if (status)
        return status;
    fputs("w\n", out.stream);
    for (size_t i = 0; i < r->record.dim; i++)
        fprintf(out.stream, "%.17g\n", r->record.final_point[i]);
    return hsgd_output_close(&out, err);
}

/* An object with the one key "communication". */
static cJSON *communication_document(const hsgd_train_result *r, bool late)
{
    cJSON *root = cJSON_CreateObject();
    hsgd_communication communication = hsgd_train_communication(r, late);
    cJSON_AddItemToObject(root, "communication", hsgd_communication_to_json(&communication, r->hierarchy->num_levels));
    return root;
}

static hsgd_status write_document(const hsgd_train_result *r, const char *dir, hsgd_error *err)
{
    static const char *const outputs[] = {
        "times.csv", "train.csv", "model.csv", "communication.json", "communication-stragglers.json", NULL};
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_config(&provenance, "train", r->config, err);
    return status ? status
                  : hsgd_document_write(dir, HSGD_FOLDER_TRAIN, hsgd_train_to_json(r), provenance, outputs, err);
}

hsgd_status hsgd_train_write(const hsgd_train_result *r, const char *dir, hsgd_error *err)
{
    hsgd_status status = hsgd_folder_unfinish(dir, HSGD_FOLDER_TRAIN, err);
    if (!status)
        status = write_times(r, dir, err);
    if (!status)
        status = write_series(r, dir, err);
    if (!status)
        status = write_model(r, dir, err);
    if (!status)
        status = write_json(dir, "communication", communication_document(r, false), err);
    if (!status)
        status = write_json(dir, "communication-stragglers", communication_document(r, true), err);
    return status ? status : write_document(r, dir, err);
}
