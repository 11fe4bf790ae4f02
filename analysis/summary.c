/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the traces of all seeds to means, standard errors and suprema. */
#include "analysis/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct summary_work {
    const hsgd_ensemble *ensemble;
    bool deterministic;
    size_t runs_per_value;
    double *seed_value; /* (num_seeds) */
} summary_work;

/* The mean over seeds; one diverged seed makes it INFINITY. */
static hsgd_estimate estimate(const summary_work *w)
{
    for (size_t r = 0; r < w->ensemble->num_seeds; r++)
        if (isinf(w->seed_value[r]))
            return (hsgd_estimate){INFINITY, NAN, w->ensemble->num_seeds / w->runs_per_value};
    hsgd_estimate e = hsgd_estimate_mean_of_groups(w->seed_value, w->ensemble->num_seeds, w->runs_per_value);
    if (w->deterministic)
        e.se = 0;
    return e;
}

/* The same values one by one. */
static hsgd_scatter spread(const summary_work *w)
{
    hsgd_scatter s = hsgd_scatter_of(w->seed_value, w->ensemble->num_seeds);
    if (w->deterministic && isfinite(s.low))
        s.sd = 0;
    return s;
}

/* The series of a trace, one accessor each. */
static const double *loss(const hsgd_trace *trace)
{
    return trace->loss;
}
static const double *grad_norm_sq(const hsgd_trace *trace)
{
    return trace->grad_norm_sq;
}
static const double *divergence(const hsgd_trace *trace)
{
    return trace->divergence;
}
static const double *divergence_at_nodes(const hsgd_trace *trace)
{
    return trace->divergence_at_nodes;
}
static const double *dispersion(const hsgd_trace *trace)
{
    return trace->dispersion;
}

/* out (count): means over seeds, entry by entry, and how far the seeds lie apart. single may be NULL. */
static void estimate_series(const summary_work *w, hsgd_estimate *out, hsgd_scatter *single,
                            const double *(*series)(const hsgd_trace *), size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t r = 0; r < w->ensemble->num_seeds; r++)
            w->seed_value[r] = series(&w->ensemble->trace[r])[i];
        out[i] = estimate(w);
        if (single)
            single[i] = spread(w);
    }
}

/* Mean over the rows whose step is a multiple of `every` and below `end`. */
static hsgd_estimate estimate_mean_over_steps(const summary_work *w, size_t every, size_t end, size_t *num_rows)
{
    *num_rows = 0;
    for (size_t r = 0; r < w->ensemble->num_seeds; r++) {
        const hsgd_trace *trace = &w->ensemble->trace[r];
        double mean = 0;
        size_t count = 0;
        for (size_t row = 0; row < trace->num_measured; row++)
            if (trace->step[row] % every == 0 && trace->step[row] < end)
                mean += (trace->grad_norm_sq[row] - mean) / (double)++count;
        w->seed_value[r] = isinf(trace->grad_norm_sq[trace->num_measured]) ? INFINITY : mean;
        *num_rows = count;
    }
    return *num_rows ? estimate(w) : (hsgd_estimate){NAN, NAN, 0};
}

/* Row by row what S would be if the run ended there; the same updates as for S, each gradient used once. */
static void estimate_running_means(hsgd_summary *out, const summary_work *w)
{
    for (size_t r = 0; r < out->num_seeds; r++)
        w->seed_value[r] = 0;
    for (size_t row = 0; row < out->num_rows; row++) {
        out->S_until[row] = row ? estimate(w) : (hsgd_estimate){NAN, NAN, 0};
        out->S_until_scatter[row] = row ? spread(w) : (hsgd_scatter){NAN, NAN, NAN};
        for (size_t r = 0; r < out->num_seeds; r++) {
            double value = w->ensemble->trace[r].grad_norm_sq[row], *mean = &w->seed_value[r];
            *mean = isinf(value) ? INFINITY : *mean + (value - *mean) / (double)(row + 1); /* never inf - inf */
        }
    }
}

static void find_smallest_round(hsgd_summary *out, size_t global_period, size_t end)
{
    out->S_min = (hsgd_estimate){NAN, NAN, 0};
    for (size_t row = 0; row < out->num_rows; row++)
        if (out->step[row] % global_period == 0 && out->step[row] < end)
            if (out->S_min.count == 0 || out->grad_norm_sq[row].mean < out->S_min.mean) {
                out->S_min = out->grad_norm_sq[row];
                out->round_row_min = row;
            }
}

static void estimate_scalars(hsgd_summary *out, const summary_work *w, size_t steps, size_t global_period)
{
    size_t rows, end = steps / global_period * global_period;
    out->S = estimate_mean_over_steps(w, 1, steps, &rows);
    out->S_scatter = spread(w);
    out->S_round = estimate_mean_over_steps(w, global_period, end, &out->num_rounds);
    find_smallest_round(out, global_period, end);
    for (size_t r = 0; r < out->num_seeds; r++)
        w->seed_value[r] = w->ensemble->trace[r].loss[out->num_rows];
    out->final_loss = estimate(w);
}

/* ---- one run ---- */

/* sum += share * terms, which are all doubles. */
static void add_proof_terms(hsgd_proof_terms *sum, const hsgd_proof_terms *terms, double share)
{
    sum->mean_gradient_sq += share * terms->mean_gradient_sq;
    sum->mean_noise_sq += share * terms->mean_noise_sq;
    sum->drift_error_sq += share * terms->drift_error_sq;
    sum->gradient_dot_noise += share * terms->gradient_dot_noise;
    sum->mean_gradient_dot_noise += share * terms->mean_gradient_dot_noise;
    sum->noise_sq += share * terms->noise_sq;
    sum->independent_noise_sq += share * terms->independent_noise_sq;
}

/* Means over the rows. */
static hsgd_proof_terms mean_proof_terms(const hsgd_trace *trace)
{
    hsgd_proof_terms mean = {0, 0, 0, 0, 0, 0, 0};
    if (!trace->proof)
        return (hsgd_proof_terms){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    for (size_t row = 0; row < trace->num_measured; row++)
        add_proof_terms(&mean, &trace->proof[row], 1 / (double)trace->num_measured);
    return mean;
}

static void mark_lost(hsgd_path *path, bool proof)
{
    path->S = path->dispersion = INFINITY;
    if (proof)
        path->proof = (hsgd_proof_terms){INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
}

static hsgd_path follow(const hsgd_trace *trace)
{
    size_t rows = trace->num_measured, levels = trace->num_levels;
    hsgd_path path = {
        .initial_loss = trace->loss[0], .final_loss = trace->loss[rows], .lowest_loss = trace->loss[rows]};
    for (size_t row = 0; row < rows; row++) {
        path.S += (trace->grad_norm_sq[row] - path.S) / (double)(row + 1); /* the same steps as the summary's S */
        path.lowest_loss = fmin(path.lowest_loss, trace->loss[row]);
        for (size_t k = 0; k < levels; k++)
            path.dispersion += trace->dispersion[row * levels + k] / (double)rows;
    }
    path.proof = mean_proof_terms(trace);
    if (isinf(trace->grad_norm_sq[rows])) /* lost at step T at the latest: no mean of it counts, as in S */
        mark_lost(&path, trace->proof);
    return path;
}

static void estimate_worker_noise(hsgd_summary *out, const summary_work *w)
{
    for (size_t j = 0; out->worker_noise_sq && j < out->num_workers; j++) {
        for (size_t r = 0; r < out->num_seeds; r++) {
            const hsgd_trace *trace = &w->ensemble->trace[r];
            w->seed_value[r] = trace->diverged_at == HSGD_NOT_DIVERGED ? trace->worker_noise_sq[j] : INFINITY;
        }
        out->worker_noise_sq[j] = estimate(w);
    }
}

/* ---- suprema and node means ---- */

static void raise_to(double *largest, const double *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        largest[i] = fmax(largest[i], value[i]);
}

static void raise_supremum(double *largest, hsgd_attained *where, double value, size_t step, size_t run)
{
    if (!(value > *largest))
        return;
    *largest = value;
    *where = (hsgd_attained){step, run};
}

static void raise_level_suprema(hsgd_summary *out, const hsgd_trace *trace, size_t run)
{
    size_t levels = out->num_levels;
    const double *level = trace->divergence_at_nodes ? trace->divergence_at_nodes : trace->divergence;
    for (size_t row = 0; row < out->num_rows; row++) {
        double global = 0;
        for (size_t k = 0; k < levels; k++)
            global += trace->divergence[row * levels + k];
        raise_supremum(&out->global_divergence_sup_sq, &out->global_divergence_at, global, out->step[row], run);
        for (size_t k = 0; k < levels; k++)
            raise_supremum(&out->level_divergence_sup_sq[k], &out->level_divergence_at[k], level[row * levels + k],
                           out->step[row], run);
    }
}

static void raise_smoothness(hsgd_summary *out, const hsgd_trace *trace, size_t run)
{
    if (trace->smoothness.ratio > out->smoothness.ratio) {
        out->smoothness = trace->smoothness;
        out->smoothness_run = run;
    }
    if (trace->path_smoothness.ratio > out->path_smoothness.ratio)
        out->path_smoothness = trace->path_smoothness;
}

static void add_trace(hsgd_summary *out, const hsgd_trace *trace, size_t run)
{
    size_t nodes = out->num_nodes;
    double count = (double)(run + 1);
    const double *at_node =
        trace->node_divergence_at_node_max ? trace->node_divergence_at_node_max : trace->node_divergence_max;
    raise_level_suprema(out, trace, run);
    raise_smoothness(out, trace, run);
    out->path[run] = follow(trace);
    for (size_t row = 0; out->proof && row < out->num_rows; row++)
        add_proof_terms(&out->proof[row], &trace->proof[row], 1 / (double)out->num_seeds);
    raise_to(out->node_divergence_sup_sq, at_node, nodes);
    if (out->node_deviation_sup_sq) {
        raise_to(out->node_deviation_sup_sq, trace->node_deviation_max_sq, nodes);
        out->worker_deviation_sup_sq = fmax(out->worker_deviation_sup_sq, trace->worker_deviation_max_sq);
    }
    for (size_t u = 0; u < nodes; u++) {
        out->node_divergence_mean[u] += (trace->node_divergence_mean[u] - out->node_divergence_mean[u]) / count;
        out->node_dispersion_mean[u] += (trace->node_dispersion_mean[u] - out->node_dispersion_mean[u]) / count;
    }
    out->gradient_identity_error = fmax(out->gradient_identity_error, trace->gradient_identity_error);
    out->parameter_identity_error = fmax(out->parameter_identity_error, trace->parameter_identity_error);
    if (trace->diverged_at != HSGD_NOT_DIVERGED) {
        out->num_diverged++;
        out->diverged_at = trace->diverged_at < out->diverged_at ? trace->diverged_at : out->diverged_at;
    }
}

/* ---- memory ---- */

static void *take(size_t count, size_t size, bool *complete)
{
    void *memory = calloc(count ? count : 1, size);
    *complete = *complete && memory;
    return memory;
}

static bool allocate(hsgd_summary *out, const hsgd_trace *like, const hsgd_ensemble *ensemble)
{
    size_t rows = like->num_measured, cells = rows * like->num_levels;
    bool complete = true;
    *out = (hsgd_summary){.num_rows = rows,
                          .num_levels = like->num_levels,
                          .num_nodes = like->num_nodes,
                          .num_workers = like->num_workers,
                          .num_seeds = ensemble->num_seeds,
                          .runs_per_value = ensemble->runs_per_value ? ensemble->runs_per_value : 1,
                          .diverged_at = HSGD_NOT_DIVERGED,
                          .worker_deviation_sup_sq = like->node_deviation_max_sq ? 0 : NAN};
    out->step = take(rows, sizeof *out->step, &complete);
    out->loss = take(rows, sizeof *out->loss, &complete);
    out->grad_norm_sq = take(rows, sizeof *out->grad_norm_sq, &complete);
    out->S_until = take(rows, sizeof *out->S_until, &complete);
    out->loss_scatter = take(rows, sizeof *out->loss_scatter, &complete);
    out->grad_norm_sq_scatter = take(rows, sizeof *out->grad_norm_sq_scatter, &complete);
    out->S_until_scatter = take(rows, sizeof *out->S_until_scatter, &complete);
    out->dispersion_scatter = take(cells, sizeof *out->dispersion_scatter, &complete);
    out->divergence = take(cells, sizeof *out->divergence, &complete);
    out->dispersion = take(cells, sizeof *out->dispersion, &complete);
    if (like->divergence_at_nodes)
        out->divergence_at_nodes = take(cells, sizeof *out->divergence_at_nodes, &complete);
    out->level_divergence_sup_sq = take(like->num_levels, sizeof(double), &complete);
    out->node_divergence_sup_sq = take(like->num_nodes, sizeof(double), &complete);
    out->node_divergence_mean = take(like->num_nodes, sizeof(double), &complete);
    out->node_dispersion_mean = take(like->num_nodes, sizeof(double), &complete);
    if (like->node_deviation_max_sq)
        out->node_deviation_sup_sq = take(like->num_nodes, sizeof(double), &complete);
    out->path = take(ensemble->num_seeds, sizeof *out->path, &complete);
    out->level_divergence_at = take(like->num_levels, sizeof *out->level_divergence_at, &complete);
    if (like->proof)
        out->proof = take(rows, sizeof *out->proof, &complete);
    if (like->worker_noise_sq)
        out->worker_noise_sq = take(like->num_workers, sizeof *out->worker_noise_sq, &complete);
    return complete;
}

hsgd_status hsgd_summarize(hsgd_summary *out, const hsgd_ensemble *ensemble, size_t steps, size_t global_period,
                           bool deterministic, hsgd_error *err)
{
    const hsgd_trace *first = &ensemble->trace[0];
    size_t cells = first->num_measured * first->num_levels;
    summary_work w = {ensemble, deterministic, ensemble->runs_per_value ? ensemble->runs_per_value : 1,
                      malloc(ensemble->num_seeds * sizeof *w.seed_value)};
    if (!allocate(out, first, ensemble) || !w.seed_value) {
        free(w.seed_value);
        hsgd_summary_free(out);
        return hsgd_fail_memory(err, "the summary");
    }
    memcpy(out->step, first->step, out->num_rows * sizeof *out->step);
    estimate_series(&w, out->loss, out->loss_scatter, loss, out->num_rows);
    estimate_series(&w, out->grad_norm_sq, out->grad_norm_sq_scatter, grad_norm_sq, out->num_rows);
    estimate_series(&w, out->divergence, NULL, divergence, cells);
    estimate_series(&w, out->dispersion, out->dispersion_scatter, dispersion, cells);
    if (out->divergence_at_nodes)
        estimate_series(&w, out->divergence_at_nodes, NULL, divergence_at_nodes, cells);
    estimate_running_means(out, &w);
    estimate_scalars(out, &w, steps, global_period);
    estimate_worker_noise(out, &w);
    for (size_t r = 0; r < ensemble->num_seeds; r++)
        add_trace(out, &ensemble->trace[r], r);
    if (out->diverged_at == 0)
        out->gradient_identity_error = out->parameter_identity_error = NAN;
    free(w.seed_value);
    hsgd_status status = hsgd_summarize_metrics(out, ensemble, deterministic, err);
    if (status)
        hsgd_summary_free(out);
    return status;
}

void hsgd_summary_free(hsgd_summary *summary)
{
    if (!summary)
        return;
    free(summary->step);
    free(summary->loss);
    free(summary->grad_norm_sq);
    free(summary->S_until);
    free(summary->loss_scatter);
    free(summary->grad_norm_sq_scatter);
    free(summary->S_until_scatter);
    free(summary->dispersion_scatter);
    free(summary->divergence);
    free(summary->divergence_at_nodes);
    free(summary->dispersion);
    free(summary->level_divergence_sup_sq);
    free(summary->node_divergence_sup_sq);
    free(summary->node_deviation_sup_sq);
    free(summary->node_divergence_mean);
    free(summary->node_dispersion_mean);
    free(summary->path);
    free(summary->proof);
    free(summary->level_divergence_at);
    free(summary->worker_noise_sq);
    free(summary->metric);
    free(summary->metric_scatter);
    memset(summary, 0, sizeof *summary);
}
