/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The workloads of issue 4, and the process that runs one of them. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/ensemble.h"
#include "analysis/threads.h"
#include "experiments/config.h"

#define MEBIBYTES(x) ((x)*1024.0 * 1024.0)

const bench_workload bench_workloads[] = {
    {"W1", "softmax on MNIST, n = 64, batch 16, T = 200, all measured at every step", true, 3, 0},
    {"W1b", "W1 without measurement", false, 2.5, 0},
    {"W2", "quadratic, n = 1024, d = 100, T = 1000, all measured at every step", true, 4, 0},
    {"W3", "logistic on a9a.t, n = 64, batch 8, T = 2000, all measured every 10 steps", true, 4, 0},
    {"W4", "W2 with n = 100000, T = 50", true, 4, MEBIBYTES(400)},
    {"W5", "quadratic, n = 1000000 on three levels, T = 20, tree statistics only", false, 0, MEBIBYTES(1024)},
};
const size_t bench_num_workloads = sizeof bench_workloads / sizeof *bench_workloads;

const bench_workload *bench_find_workload(const char *name)
{
    for (size_t i = 0; i < bench_num_workloads; i++)
        if (strcmp(bench_workloads[i].name, name) == 0)
            return &bench_workloads[i];
    return NULL;
}

/* ---- a workload's problem ---- */

static void set_at_most(cJSON *item, double most)
{
    if (item && item->valuedouble > most)
        cJSON_SetNumberValue(item, most);
}

/* A few workers and steps of the same kind of problem. */
static void shrink(cJSON *config)
{
    cJSON *fanout = cJSON_GetObjectItem(cJSON_GetObjectItem(config, "hierarchy"), "fanout"), *item;
    cJSON_ArrayForEach(item, fanout) set_at_most(item, 4);
    set_at_most(cJSON_GetObjectItem(cJSON_GetObjectItem(config, "optimizer"), "steps"), 6);
    set_at_most(cJSON_GetObjectItem(config, "measure_every"), 2);
}

static hsgd_status read_config(hsgd_config *out, const char *path, bool tiny, hsgd_error *err)
{
    if (!tiny)
        return hsgd_config_read(out, path, err);
    char text[8192] = "";
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    cJSON *config = cJSON_ParseWithLength(text, length);
    if (!config)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: cannot be read", path);
    shrink(config);
    char *small = cJSON_Print(config);
    cJSON_Delete(config);
    hsgd_status status = hsgd_config_parse(out, small, strlen(small), path, err);
    cJSON_free(small);
    return status;
}

/* What `hsgd run` would ask for (experiments/experiment.c, describe), or less where the workload says so. */
static hsgd_status describe(bench_case *c, hsgd_error *err)
{
    hsgd_constants constants;
    const hsgd_objective *objective = &c->problem.objective;
    hsgd_status status = objective->type->constants(objective, c->config.batch_size, &constants, err);
    c->simulation = (hsgd_simulation){.objective = objective,
                                      .hierarchy = &c->problem.hierarchy,
                                      .initial = c->problem.initial,
                                      .steps = c->config.steps,
                                      .batch_size = c->config.batch_size,
                                      .measure_every = c->config.measure_every,
                                      .measure_at_nodes = c->workload->measured && !c->problem.is_quadratic &&
                                                          c->problem.hierarchy.num_levels > 1,
                                      .measure_proof = c->workload->measured,
                                      .exact_gradients = !status && constants.noise_sq.value == 0,
                                      .threads = 1};
    return status ? status
                  : hsgd_config_step_size(&c->simulation.step_size, &c->config, constants.smoothness.value, err);
}

hsgd_status bench_case_build(bench_case *out, const bench_workload *workload, const char *configs, bool tiny,
                             hsgd_error *err)
{
    char path[4096];
    memset(out, 0, sizeof *out);
    out->workload = workload;
    snprintf(path, sizeof path, "%s/%s.json", configs, workload->name);
    hsgd_status status = read_config(&out->config, path, tiny, err);
    if (status)
        return status;
    status = hsgd_problem_build(&out->problem, &out->config, path, err);
    if (!status)
        status = describe(out, err);
    if (status)
        bench_case_free(out);
    return status;
}

void bench_case_free(bench_case *c)
{
    hsgd_problem_free(&c->problem);
    hsgd_config_free(&c->config);
    memset(c, 0, sizeof *c);
}

/* ---- what the rival needs: the same problem, as files ---- */

/* Rows of `size` bytes, one every `stride` bytes. */
static hsgd_status dump_rows(const char *folder, const char *name, const void *data, size_t size, size_t stride,
                             size_t count, hsgd_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bool failed = !file;
    for (size_t i = 0; i < count && !failed; i++)
        failed = fwrite((const char *)data + i * stride, size, 1, file) != 1;
    if (file && fclose(file))
        failed = true;
    return failed ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: %s", path, strerror(errno)) : HSGD_OK;
}

static hsgd_status dump_array(const char *folder, const char *name, const void *data, size_t size, size_t count,
                              hsgd_error *err)
{
    return dump_rows(folder, name, data, size * count, 0, count > 0, err);
}

static void describe_problem(cJSON *json, const bench_case *c)
{
    const hsgd_config *config = &c->config;
    cJSON_AddStringToObject(json, "kind", c->problem.is_quadratic ? "quadratic" : c->problem.objective.type->name);
    cJSON_AddNumberToObject(json, "dim", (double)c->problem.objective.dim);
    if (c->problem.is_quadratic) {
        cJSON_AddNumberToObject(json, "noise_sq", config->noise_sq);
        return;
    }
    cJSON_AddStringToObject(json, "data", config->data.train.path[0]);
    if (config->data.train.labels)
        cJSON_AddStringToObject(json, "labels", config->data.train.labels);
    cJSON_AddStringToObject(json, "regularizer", hsgd_regularizer_name(config->regularizer.type));
    cJSON_AddNumberToObject(json, "regularizer_weight", config->regularizer.weight);
}

static hsgd_status dump_meta(const bench_case *c, const char *folder, hsgd_error *err)
{
    const hsgd_simulation *s = &c->simulation;
    const hsgd_hierarchy *given = &c->config.hierarchy; /* uniform, one entry per level */
    cJSON *json = cJSON_CreateObject(), *fanout = cJSON_AddArrayToObject(json, "fanout"),
          *periods = cJSON_AddArrayToObject(json, "periods");
    for (size_t k = 0; k < given->num_nodes; k++) {
        cJSON_AddItemToArray(fanout, cJSON_CreateNumber((double)given->node[k].num_children));
        cJSON_AddItemToArray(periods, cJSON_CreateNumber((double)given->node[k].period));
    }
    cJSON_AddNumberToObject(json, "step_size", s->step_size);
    cJSON_AddNumberToObject(json, "steps", (double)s->steps);
    cJSON_AddNumberToObject(json, "batch_size", (double)s->batch_size);
    cJSON_AddNumberToObject(json, "measure_every", (double)s->measure_every);
    cJSON_AddBoolToObject(json, "measured", c->workload->measured);
    describe_problem(json, c);
    char *text = cJSON_Print(json);
    hsgd_status status = text ? dump_array(folder, "problem.json", text, 1, strlen(text), err)
                              : hsgd_fail_memory(err, "the description of the problem");
    cJSON_free(text);
    cJSON_Delete(json);
    return status;
}

static hsgd_status dump(const bench_case *c, const char *folder, hsgd_error *err)
{
    const hsgd_problem *p = &c->problem;
    size_t n = p->hierarchy.num_workers;
    if (mkdir(folder, 0777) && errno != EEXIST)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: %s", folder, strerror(errno));
    hsgd_status status = dump_meta(c, folder, err);
    if (!status)
        status = dump_array(folder, "initial.f8", p->initial, sizeof *p->initial, p->objective.dim, err);
    if (p->is_quadratic) {
        if (!status)
            status = dump_array(folder, "curvature.f8", p->quadratic.curvature, sizeof(double), p->quadratic.dim, err);
        if (!status)
            status = dump_rows(folder, "linear.f8", p->quadratic.linear, p->quadratic.dim * sizeof(double),
                               p->quadratic.stride * sizeof(double), n, err);
        return status;
    }
    if (!status)
        status = dump_array(folder, "order.u8", p->partition.order, sizeof(size_t), p->partition.num_samples, err);
    return status ? status : dump_array(folder, "start.u8", p->partition.start, sizeof(size_t), n + 1, err);
}

/* ---- serving ---- */

static double mean(const double *value, size_t count, size_t stride)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += value[i * stride] / (double)count;
    return sum;
}

/* What both sides must agree on, up to their random numbers. */
static cJSON *summary(const hsgd_trace *trace)
{
    cJSON *json = cJSON_CreateObject(), *divergence = cJSON_AddArrayToObject(json, "divergence"),
          *dispersion = cJSON_AddArrayToObject(json, "dispersion");
    size_t rows = trace->num_measured, levels = trace->num_levels;
    cJSON_AddNumberToObject(json, "S", mean(trace->grad_norm_sq, rows, 1));
    cJSON_AddNumberToObject(json, "initial_loss", trace->loss[0]);
    cJSON_AddNumberToObject(json, "final_loss", trace->loss[rows]);
    for (size_t k = 0; k < levels; k++) {
        cJSON_AddItemToArray(divergence, cJSON_CreateNumber(mean(trace->divergence + k, rows, levels)));
        cJSON_AddItemToArray(dispersion, cJSON_CreateNumber(mean(trace->dispersion + k, rows, levels)));
    }
    if (trace->divergence_at_nodes) {
        cJSON *at_nodes = cJSON_AddArrayToObject(json, "divergence_at_nodes");
        for (size_t k = 0; k < levels; k++)
            cJSON_AddItemToArray(at_nodes, cJSON_CreateNumber(mean(trace->divergence_at_nodes + k, rows, levels)));
    }
    if (trace->proof) {
        size_t stride = sizeof *trace->proof / sizeof(double);
        cJSON_AddNumberToObject(json, "noise_sq", mean(&trace->proof->noise_sq, rows, stride));
        cJSON_AddNumberToObject(json, "mean_gradient_sq", mean(&trace->proof->mean_gradient_sq, rows, stride));
        cJSON_AddNumberToObject(json, "drift_error_sq", mean(&trace->proof->drift_error_sq, rows, stride));
    }
    return json;
}

static void put_line(cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    puts(text ? text : "{}");
    fflush(stdout);
    cJSON_free(text);
    cJSON_Delete(json);
}

static bool answer(const bench_case *c, size_t threads, uint64_t seed)
{
    hsgd_error err;
    hsgd_simulation simulation = c->simulation;
    hsgd_trace trace;
    simulation.threads = (int)threads;
    simulation.seed = seed;
    double begin_s = bench_now_s(), begin_cpu_s = bench_cpu_s();
    if (hsgd_simulate(&trace, &simulation, &err)) {
        fprintf(stderr, "bench: %s: %s\n", c->workload->name, err.message);
        return false;
    }
    double seconds = bench_now_s() - begin_s, cpu_s = bench_cpu_s() - begin_cpu_s;
    cJSON *json = summary(&trace);
    cJSON_AddNumberToObject(json, "seconds", seconds);
    cJSON_AddNumberToObject(json, "cpu_s", cpu_s);
    cJSON_AddNumberToObject(json, "peak_bytes", bench_peak_bytes());
    put_line(json);
    hsgd_trace_free(&trace);
    return true;
}

int bench_serve(const char *name, const char *configs, bool tiny, const char *dump_folder)
{
    hsgd_error err;
    bench_case c;
    const bench_workload *workload = bench_find_workload(name);
    size_t threads;
    unsigned long long seed;
    if (!workload)
        return 2;
    double begin_s = bench_now_s();
    hsgd_status status = bench_case_build(&c, workload, configs, tiny, &err);
    if (!status && dump_folder)
        status = dump(&c, dump_folder, &err);
    if (status) {
        fprintf(stderr, "bench: %s: %s\n", name, err.message);
        return 1;
    }
    bench_work work = bench_work_of(&c);
    cJSON *ready = cJSON_CreateObject();
    cJSON_AddNumberToObject(ready, "build_s", bench_now_s() - begin_s);
    cJSON_AddNumberToObject(ready, "problem_bytes", bench_resident_bytes());
    cJSON_AddNumberToObject(ready, "predicted_bytes", hsgd_simulation_bytes(&c.simulation));
    cJSON_AddItemToObject(ready, "work", bench_work_to_json(&work));
    put_line(ready);
    bool alive = true;
    char line[128];
    while (alive && fgets(line, sizeof line, stdin) && sscanf(line, "run %zu %llu", &threads, &seed) == 2)
        alive = answer(&c, threads, seed);
    bench_case_free(&c);
    return alive ? 0 : 1;
}
