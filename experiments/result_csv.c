/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series.csv and nodes.csv. The Contract fixes the first columns of series.csv; new ones go at the end. */
#include "experiments/result.h"

#include <math.h>

#include "experiments/result_csv_private.h"
#include "plots/output.h"

/* ---- series.csv: names and values of a row are written by the same walk, so they cannot part ---- */

typedef hsgd_series_writer series_writer;

void hsgd_series_put(hsgd_series_writer *w, const char *prefix, size_t level, const char *suffix, double value)
{
    fputs(w->written++ ? "," : "", w->stream);
    if (!w->header)
        fprintf(w->stream, "%.17g", value);
    else if (level)
        fprintf(w->stream, "%s%zu%s", prefix, level, suffix);
    else
        fprintf(w->stream, "%s%s", prefix, suffix);
}

static void column(series_writer *w, const char *prefix, size_t level, const char *suffix, double value)
{
    hsgd_series_put(w, prefix, level, suffix, value);
}

/* Up_k = D_1 + .. + D_k and Down_k = D_{k+1} + .. + D_M (THEORY 2). */
static double sum_levels(const hsgd_estimate *level, size_t from, size_t to)
{
    double sum = 0;
    for (size_t k = from; k < to; k++)
        sum += level[k].mean;
    return sum;
}

static void divergence_columns(series_writer *w, const hsgd_estimate *level, size_t levels)
{
    column(w, "divergence_global", 0, "", sum_levels(level, 0, levels));
    for (size_t k = 1; k < levels; k++)
        column(w, "divergence_up_", k, "", sum_levels(level, 0, k));
    for (size_t k = 1; k < levels; k++)
        column(w, "divergence_down_", k, "", sum_levels(level, k, levels));
    for (size_t k = 0; k < levels; k++)
        column(w, "divergence_level_", k + 1, "", level[k].mean);
}

static void further_columns(series_writer *w, const hsgd_experiment *e, size_t row)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    size_t cell = row * s->num_levels;
    column(w, "loss_se", 0, "", s->loss[row].se);
    for (size_t k = 0; k < s->num_levels; k++)
        column(w, "dispersion_level_", k + 1, "_se", s->dispersion[cell + k].se);
    for (size_t k = 0; s->divergence_at_nodes && k < s->num_levels; k++)
        column(w, "divergence_level_", k + 1, "_at_nodes", s->divergence_at_nodes[cell + k].mean);
    static const char *const suffix[] = {[HSGD_RUN_INNER] = "inner", [HSGD_RUN_OUTER] = "outer"};
    for (int i = HSGD_RUN_INNER; i < HSGD_NUM_RUNS; i++)
        if (e->run[i].made) {
            column(w, "grad_norm_sq_", 0, suffix[i], e->run[i].summary.grad_norm_sq[row].mean);
            column(w, i == HSGD_RUN_INNER ? "grad_norm_sq_inner" : "grad_norm_sq_outer", 0, "_se",
                   e->run[i].summary.grad_norm_sq[row].se);
        }
}

/* What the proof ladder is made of, and the ratios of random grouping. */
static void check_columns(series_writer *w, const hsgd_experiment *e, size_t row)
{
    const hsgd_proof_terms none = {NAN, NAN, NAN, NAN, NAN, NAN, NAN}, *proof = e->run[HSGD_RUN_MAIN].summary.proof;
    const hsgd_proof_terms *p = proof ? &proof[row] : &none;
    column(w, "mean_gradient_norm_sq", 0, "", p->mean_gradient_sq);
    column(w, "mean_stochastic_gradient_norm_sq", 0, "",
           p->mean_gradient_sq + 2 * p->mean_gradient_dot_noise + p->mean_noise_sq);
    column(w, "mean_noise_norm_sq", 0, "", p->mean_noise_sq);
    column(w, "noise_sq", 0, "", p->noise_sq);
    column(w, "drift_error_sq", 0, "", p->drift_error_sq);
    for (size_t k = 0; e->grouping.ratio && k + 1 < e->grouping.num_levels; k++) {
        column(w, "grouping_ratio_", k + 1, "", e->grouping.ratio[k].at[row].mean);
        column(w, "grouping_ratio_", k + 1, "_se", e->grouping.ratio[k].at[row].se);
    }
}

static void series_row(series_writer *w, const hsgd_experiment *e, size_t row)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    size_t cell = row * s->num_levels;
    w->written = 0;
    column(w, "step", 0, "", (double)s->step[row]);
    column(w, "loss", 0, "", s->loss[row].mean);
    column(w, "grad_norm_sq", 0, "", s->grad_norm_sq[row].mean);
    column(w, "grad_norm_sq_se", 0, "", s->grad_norm_sq[row].se);
    divergence_columns(w, s->divergence + cell, s->num_levels);
    for (size_t k = 0; k < s->num_levels; k++)
        column(w, "dispersion_level_", k + 1, "", s->dispersion[cell + k].mean);
    for (size_t k = 0; k < s->num_levels; k++)
        column(w, "dispersion_level_", k + 1, "_bound", e->dispersion_bound[cell + k]);
    further_columns(w, e, row);
    check_columns(w, e, row);
    hsgd_series_put_metrics(w, e, row);
    hsgd_series_put_scatter(w, e, row);
    fputc('\n', w->stream);
}

hsgd_status hsgd_result_write_series(const hsgd_experiment *experiment, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "series", "csv", err);
    if (status)
        return status;
    series_writer w = {out.stream, true, 0};
    series_row(&w, experiment, 0);
    w.header = false;
    for (size_t row = 0; row < experiment->run[HSGD_RUN_MAIN].summary.num_rows; row++)
        series_row(&w, experiment, row);
    return hsgd_output_close(&out, err);
}

/* ---- nodes.csv ---- */

/* Mean downward divergence of a group (eps_i^2 for two levels): all levels below the node, weighted within it. */
static double downward(const hsgd_hierarchy *h, const double *divergence_sq, size_t u)
{
    double sum = 0;
    for (size_t v = u; v < h->node[u].end; v++)
        sum += h->node[v].weight / h->node[u].weight * divergence_sq[v];
    return sum;
}

hsgd_status hsgd_result_write_nodes(const hsgd_experiment *experiment, const char *dir, hsgd_error *err)
{
    const hsgd_hierarchy *h = &experiment->problem->hierarchy;
    const hsgd_summary *s = &experiment->run[HSGD_RUN_MAIN].summary;
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "nodes", "csv", err);
    if (status)
        return status;
    fputs("node,parent,depth,period,first_worker,workers,children,weight,divergence_sq_mean,downward_sq_mean,"
          "divergence_sq_sup,dispersion_mean,divergence_sq_certified\n",
          out.stream);
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        fprintf(out.stream, "%zu,", u);
        if (u)
            fprintf(out.stream, "%zu", node->parent);
        fprintf(out.stream, ",%zu,%zu,%zu,%zu,%zu,%.17g,%.17g,%.17g,%.17g,%.17g", node->depth, node->period,
                node->first_worker, node->num_workers, node->num_children, node->weight, s->node_divergence_mean[u],
                downward(h, s->node_divergence_mean, u), s->node_divergence_sup_sq[u], s->node_dispersion_mean[u]);
        if (experiment->certified_node_sq)
            fprintf(out.stream, ",%.17g\n", experiment->certified_node_sq[u]);
        else
            fputs(",\n", out.stream);
    }
    return hsgd_output_close(&out, err);
}
