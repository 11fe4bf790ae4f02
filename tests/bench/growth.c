/* SPDX-License-Identifier: GPL-3.0-or-later */
/* make bench-growth: time and memory against n, d, T and M, one at a time, with one thread. A slope of 1 in the logarithms is
 * linear growth. Every point has a process of its own; the memory is what building and running added to it. */
#include "tests/bench/bench.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gsl/gsl_fit.h>

#include "analysis/linear_model.h"
#include "analysis/quadratic.h"
#include "analysis/threads.h"
#include "plots/figure.h"

/* Sparse logistic regression on made-up rows. */
enum { SAMPLES_PER_WORKER = 32, NONZEROS = 16, BATCH = 8 };
enum { MAX_POINTS = 8, RUNS = 3 };

typedef enum axis { AXIS_N, AXIS_D, AXIS_T, AXIS_M, NUM_AXES } axis;

static const char *const axis_name[NUM_AXES] = {"n", "d", "T", "M"};

typedef struct point {
    size_t size[NUM_AXES];            /* n, d, T, M */
    double seconds, bytes, predicted; /* shortest run; memory added; hsgd_simulation_bytes */
} point;

typedef struct curve {
    const char *problem;
    axis varies;
    bool logistic;
    bool at_nodes; /* measure_at_nodes: by definition one more pass over the data per level */
    size_t base[NUM_AXES];
    size_t num_points;
    size_t value[MAX_POINTS];
} curve;

/* Sizes at which the vectors outweigh what a run costs at least. On the M curves n = 4096 = 2^12, as 12 has many divisors. */
static const curve curves[] = {
    {"quadratic", AXIS_N, false, false, {0, 64, 32, 2}, 6, {256, 512, 1024, 2048, 4096, 8192}},
    {"logistic", AXIS_N, true, true, {0, 256, 16, 2}, 6, {64, 128, 256, 512, 1024, 2048}},
    {"quadratic", AXIS_D, false, false, {256, 0, 32, 2}, 6, {64, 128, 256, 512, 1024, 2048}},
    {"logistic", AXIS_D, true, true, {64, 0, 16, 2}, 6, {256, 512, 1024, 2048, 4096, 8192}},
    {"quadratic", AXIS_T, false, false, {256, 32, 0, 2}, 6, {64, 128, 256, 512, 1024, 2048}},
    {"logistic", AXIS_T, true, true, {64, 256, 0, 2}, 6, {16, 32, 64, 128, 256, 512}},
    {"quadratic", AXIS_M, false, false, {4096, 32, 32, 0}, 6, {1, 2, 3, 4, 6, 12}},
    {"logistic", AXIS_M, true, false, {4096, 64, 8, 0}, 6, {1, 2, 3, 4, 6, 12}},
};
enum { NUM_CURVES = sizeof curves / sizeof *curves };

/* ---- the run behind a point ---- */

/* M levels whose fanouts multiply to n = 2^k, as equal as can be; periods 16, 8, 4, 2, 1, 1, ... */
static hsgd_status make_tree(hsgd_hierarchy *out, size_t n, size_t levels, hsgd_error *err)
{
    size_t fanout[16], period[16], exponent = 0;
    hsgd_hierarchy uniform;
    while ((size_t)1 << (exponent + 1) <= n)
        exponent++;
    for (size_t k = 0; k < levels; k++) {
        fanout[k] = (size_t)1 << (exponent / levels + (k < exponent % levels));
        period[k] = k < 4 ? (size_t)16 >> k : 1;
    }
    hsgd_status status = hsgd_hierarchy_uniform(&uniform, fanout, period, levels, err);
    if (!status) {
        status = hsgd_hierarchy_expand(out, &uniform, err);
        hsgd_hierarchy_free(&uniform);
    }
    return status;
}

typedef struct made_problem {
    hsgd_objective objective;
    hsgd_quadratic quadratic;
    hsgd_dataset data;
    size_t *start;
} made_problem;

/* Rows of NONZEROS ones, one in each stretch of the columns; a label that depends on them. */
static hsgd_status make_logistic(made_problem *out, size_t n, size_t dim, hsgd_error *err)
{
    size_t m = n * SAMPLES_PER_WORKER, stretch = dim / NONZEROS;
    uint32_t state = 1;
    out->data = (hsgd_dataset){.num_samples = m,
                               .num_features = dim,
                               .num_classes = 2,
                               .row_start = malloc((m + 1) * sizeof(size_t)),
                               .column = malloc(m * NONZEROS * sizeof(uint32_t)),
                               .value = malloc(m * NONZEROS * sizeof(double)),
                               .label = malloc(m * sizeof(uint32_t)),
                               .class_value = calloc(2, sizeof(double))};
    out->start = malloc((n + 1) * sizeof *out->start);
    if (!out->data.row_start || !out->data.column || !out->data.value || !out->data.label || !out->start)
        return hsgd_fail_memory(err, "the samples");
    for (size_t e = 0; e < m * NONZEROS; e++) {
        state = state * 1664525 + 1013904223;
        out->data.column[e] = (uint32_t)(e % NONZEROS * stretch + (state >> 16) % stretch);
        out->data.value[e] = 1;
        out->data.label[e / NONZEROS] = state >> 31;
    }
    for (size_t i = 0; i <= m; i++)
        out->data.row_start[i] = i * NONZEROS;
    for (size_t j = 0; j <= n; j++)
        out->start[j] = j * SAMPLES_PER_WORKER;
    return hsgd_linear_model_objective(&out->objective, HSGD_LINK_LOGISTIC, &out->data, out->start, n,
                                       (hsgd_regularizer){HSGD_REGULARIZER_NONCONVEX, 0.01}, err);
}

static hsgd_status make_quadratic(made_problem *out, const hsgd_hierarchy *tree, size_t dim, hsgd_error *err)
{
    double divergence[16];
    for (size_t k = 0; k < 16; k++)
        divergence[k] = 0.5;
    hsgd_quadratic_spec spec = {.dim = dim,
                                .curvature_min = 0.1,
                                .curvature_max = 1,
                                .level_divergence_sq = divergence,
                                .noise_sq = 1,
                                .seed = 1};
    hsgd_status status = hsgd_quadratic_generate(&out->quadratic, tree, &spec, err);
    return status ? status : hsgd_quadratic_objective(&out->objective, &out->quadratic, NULL, err);
}

static hsgd_status time_runs(point *out, const hsgd_simulation *simulation, hsgd_error *err)
{
    out->seconds = INFINITY;
    out->predicted = hsgd_simulation_bytes(simulation);
    for (size_t i = 0; i < RUNS; i++) {
        hsgd_trace trace;
        double begin_s = bench_now_s();
        hsgd_status status = hsgd_simulate(&trace, simulation, err);
        if (status)
            return status;
        out->seconds = fmin(out->seconds, bench_now_s() - begin_s);
        hsgd_trace_free(&trace);
    }
    return HSGD_OK;
}

/* Build and run one point. The process ends soon, so that nothing is freed. */
static hsgd_status run_size(point *p, const curve *c, hsgd_error *err)
{
    hsgd_hierarchy tree;
    made_problem made = {0};
    size_t n = p->size[AXIS_N], dim = p->size[AXIS_D];
    hsgd_status status = make_tree(&tree, n, p->size[AXIS_M], err);
    if (!status)
        status = c->logistic ? make_logistic(&made, n, dim, err) : make_quadratic(&made, &tree, dim, err);
    double *initial = calloc(dim, sizeof *initial);
    if (status || !initial)
        return status ? status : hsgd_fail_memory(err, "the initial point");
    hsgd_simulation simulation = {.objective = &made.objective,
                                  .hierarchy = &tree,
                                  .initial = initial,
                                  .step_size = 0.01,
                                  .steps = p->size[AXIS_T],
                                  .batch_size = c->logistic ? BATCH : 0,
                                  .measure_every = 1,
                                  .measure_at_nodes = c->at_nodes,
                                  .measure_proof = true,
                                  .seed = 1,
                                  .threads = 1};
    return time_runs(p, &simulation, err);
}

/* A very small run comes first, so that the pages of the libraries are there and do not count. */
static hsgd_status run_point(point *p, const curve *c, hsgd_error *err)
{
    point small = {.size = {[AXIS_N] = 4, [AXIS_D] = NONZEROS, [AXIS_T] = 2, [AXIS_M] = 1}};
    hsgd_status status = run_size(&small, c, err);
    double before = bench_resident_bytes();
    if (!status)
        status = run_size(p, c, err);
    p->bytes = bench_peak_bytes() - before;
    return status;
}

static bool run_in_child(point *p, const curve *c)
{
    int ends[2];
    fflush(NULL);
    if (pipe(ends))
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        hsgd_error err;
        point result = *p;
        if (run_point(&result, c, &err)) {
            fprintf(stderr, "bench: growth: %s\n", err.message);
            _exit(1);
        }
        _exit(write(ends[1], &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
    }
    close(ends[1]);
    bool read_all = pid > 0 && read(ends[0], p, sizeof *p) == (ssize_t)sizeof *p;
    close(ends[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return read_all;
}

/* ---- slopes ---- */

typedef struct slope {
    double intercept, value, error; /* of log y = intercept + value log x; error: standard error of the value */
} slope;

static slope fit_slope(const double *x, const double *y, size_t count)
{
    double log_x[MAX_POINTS], log_y[MAX_POINTS], cov00, cov01, cov11, residual_sq;
    slope s = {NAN, NAN, NAN};
    for (size_t i = 0; i < count; i++) {
        log_x[i] = log(x[i]);
        log_y[i] = log(fmax(y[i], 1e-9));
    }
    if (count > 2 &&
        !gsl_fit_linear(log_x, 1, log_y, 1, count, &s.intercept, &s.value, &cov00, &cov01, &cov11, &residual_sq))
        s.error = sqrt(cov11);
    return s;
}

/* ---- reports ---- */

static void print_curve(const curve *c, const point *p, const slope fit[2])
{
    printf("%-10s %-2s", c->problem, axis_name[c->varies]);
    for (size_t i = 0; i < c->num_points; i++)
        printf(" %9zu", p[i].size[c->varies]);
    printf("    slope\n%13s", "ms");
    for (size_t i = 0; i < c->num_points; i++)
        printf(" %9.3g", 1e3 * p[i].seconds);
    printf("  %6.3f +- %.3f\n%13s", fit[0].value, fit[0].error, "MB");
    for (size_t i = 0; i < c->num_points; i++)
        printf(" %9.3g", p[i].bytes / 1e6);
    printf("  %6.3f +- %.3f\n", fit[1].value, fit[1].error);
}

static cJSON *slope_to_json(const slope *s)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "slope", s->value);
    cJSON_AddNumberToObject(json, "standard_error", s->error);
    return json;
}

static cJSON *curve_to_json(const curve *c, const point *p, const slope fit[2])
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "problem", c->problem);
    cJSON_AddStringToObject(json, "against", axis_name[c->varies]);
    cJSON *list = cJSON_AddArrayToObject(json, "points");
    for (size_t i = 0; i < c->num_points; i++) {
        cJSON *one = cJSON_CreateObject();
        for (size_t a = 0; a < NUM_AXES; a++)
            cJSON_AddNumberToObject(one, axis_name[a], (double)p[i].size[a]);
        cJSON_AddNumberToObject(one, "seconds", p[i].seconds);
        cJSON_AddNumberToObject(one, "bytes", p[i].bytes);
        cJSON_AddNumberToObject(one, "predicted_run_bytes", p[i].predicted);
        cJSON_AddItemToArray(list, one);
    }
    cJSON_AddItemToObject(json, "time", slope_to_json(&fit[0]));
    cJSON_AddItemToObject(json, "memory", slope_to_json(&fit[1]));
    return json;
}

static void write_data(FILE *out, const curve *c, const point *p)
{
    fprintf(out, "# %s against %s: size, ms, MB\n", c->problem, axis_name[c->varies]);
    for (size_t i = 0; i < c->num_points; i++)
        fprintf(out, "%zu %.6g %.6g\n", p[i].size[c->varies], 1e3 * p[i].seconds, p[i].bytes / 1e6);
    fputs("\n\n", out);
}

/* Room around the points of one axis, and above them for the key. */
static void write_ranges(FILE *out, axis a, size_t quantity, point p[NUM_CURVES][MAX_POINTS])
{
    double low = INFINITY, high = 0, left = INFINITY, right = 0;
    for (size_t i = 0; i < NUM_CURVES; i++)
        for (size_t k = 0; curves[i].varies == a && k < curves[i].num_points; k++) {
            double x = (double)p[i][k].size[a], y = quantity == 0 ? 1e3 * p[i][k].seconds : p[i][k].bytes / 1e6;
            low = fmin(low, fmax(y, 1e-3));
            high = fmax(high, y);
            left = fmin(left, x);
            right = fmax(right, x);
        }
    fprintf(out, "set xrange [%g:%g]\nset yrange [%g:%g]\n", left / 1.3, right * 1.3, low / 2, fmax(high, low) * 10);
    fprintf(out, "set xtics %s\n", a == AXIS_M ? "(1, 2, 3, 4, 6, 12)" : "auto");
}

/* One panel: points and fitted line of the curves of one axis. */
static void write_panel(FILE *out, axis a, size_t quantity, slope fit[NUM_CURVES][2])
{
    static const char *const colour[2] = {"#0072b2", "#d55e00"}, *const unit[2] = {"ms", "MB"};
    double scale = quantity == 0 ? 1e3 : 1e-6;
    const char *separator = "plot ";
    fprintf(out, "set xlabel '%s'\nset ylabel '%s'\n", axis_name[a], a == 0 ? unit[quantity] : "");
    for (size_t i = 0; i < NUM_CURVES; i++) {
        if (curves[i].varies != a)
            continue;
        const slope *s = &fit[i][quantity];
        fprintf(out, "%s'growth.dat' index %zu using 1:%zu with points pt %d lc rgb '%s' notitle", separator, i,
                quantity + 2, curves[i].logistic ? 6 : 7, colour[curves[i].logistic]);
        fprintf(out, ", %.17g * x**%.17g with lines lc rgb '%s' title '%s: slope %.2f ± %.2f'",
                scale * exp(s->intercept), s->value, colour[curves[i].logistic], curves[i].problem, s->value, s->error);
        separator = ", ";
    }
    fputs("\n", out);
}

static bool write_figure(const char *folder, point p[NUM_CURVES][MAX_POINTS], slope fit[NUM_CURVES][2])
{
    char path[4096];
    snprintf(path, sizeof path, "%s/growth.dat", folder);
    FILE *data = fopen(path, "w");
    snprintf(path, sizeof path, "%s/growth.gp", folder);
    FILE *script = fopen(path, "w");
    if (data && script) {
        for (size_t i = 0; i < NUM_CURVES; i++)
            write_data(data, &curves[i], p[i]);
        fputs("set encoding utf8\nset terminal pdfcairo size 24cm,12cm font 'Sans,9'\nset output 'growth.pdf'\n"
              "set logscale xy\nset format x '%g'\nset format y '%g'\nset key top left samplen 1 reverse Left\n"
              "set grid lc rgb '#dddddd'\nset pointsize 0.6\nset multiplot layout 2,4\n",
              script);
        for (size_t quantity = 0; quantity < 2; quantity++)
            for (size_t a = 0; a < NUM_AXES; a++) {
                write_ranges(script, (axis)a, quantity, p);
                write_panel(script, (axis)a, quantity, fit);
            }
        fputs("unset multiplot\n", script);
    }
    bool written = data && script;
    if (data && fclose(data))
        written = false;
    if (script && fclose(script))
        written = false;
    return written;
}

int bench_growth(const bench_options *options)
{
    point p[NUM_CURVES][MAX_POINTS];
    slope fit[NUM_CURVES][2];
    hsgd_error err;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "curves");
    printf("Cost with one thread: shortest of %d runs, and the memory that the problem and its run took\n\n", RUNS);
    for (size_t i = 0; i < NUM_CURVES; i++) {
        const curve *c = &curves[i];
        double x[MAX_POINTS], seconds[MAX_POINTS], bytes[MAX_POINTS];
        for (size_t k = 0; k < c->num_points; k++) {
            memcpy(p[i][k].size, c->base, sizeof c->base);
            p[i][k].size[c->varies] = c->value[k];
            if (options->tiny)
                p[i][k].size[AXIS_T] = p[i][k].size[AXIS_T] < 2 ? 1 : 2;
            if (!run_in_child(&p[i][k], c)) {
                cJSON_Delete(json);
                return 4;
            }
            x[k] = (double)c->value[k];
            seconds[k] = p[i][k].seconds;
            bytes[k] = p[i][k].bytes;
        }
        fit[i][0] = fit_slope(x, seconds, c->num_points);
        fit[i][1] = fit_slope(x, bytes, c->num_points);
        print_curve(c, p[i], fit[i]);
        fflush(stdout);
        cJSON_AddItemToArray(list, curve_to_json(c, p[i], fit[i]));
    }
    bool good = bench_write_json(json, options->folder, "growth.json") && write_figure(options->folder, p, fit);
    if (good && hsgd_figure_render(options->folder, "growth", &err)) {
        fprintf(stderr, "bench: %s\n", err.message);
        good = false;
    }
    if (good)
        printf("\nin %s: growth.json, growth.dat, growth.gp, growth.pdf\n", options->folder);
    return good ? 0 : 4;
}
