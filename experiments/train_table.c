/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `hsgd train` prints. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/train_private.h"

enum { TEXT_SIZE = 32 };

/* A time in a unit that leaves few digits: "12.3 us". */
static const char *say_time(char text[TEXT_SIZE], double time_s)
{
    static const struct {
        double size_s;
        const char *name;
    } unit[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
    size_t i = 0;
    while (i < 3 && fabs(time_s) < unit[i].size_s)
        i++;
    if (time_s == 0)
        snprintf(text, TEXT_SIZE, "0 s");
    else
        snprintf(text, TEXT_SIZE, "%.3g %s", time_s / unit[i].size_s, unit[i].name);
    return text;
}

static const char *say_bytes(char text[TEXT_SIZE], double bytes)
{
    static const struct {
        double size;
        const char *name;
    } unit[] = {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "B"}};
    size_t i = 0;
    while (i < 4 && bytes < unit[i].size)
        i++;
    snprintf(text, TEXT_SIZE, "%.3g %s", bytes / unit[i].size, unit[i].name);
    return text;
}

/* ---- what was trained ---- */

static void print_tree(const hsgd_train_result *r, FILE *out)
{
    const hsgd_hierarchy *h = &r->config->hierarchy;
    if (!r->config->is_uniform) {
        fprintf(out, "a tree with %zu level%s", h->num_levels, h->num_levels == 1 ? "" : "s");
        return;
    }
    fputs("fanout ", out);
    for (size_t k = 0; k < h->num_levels; k++)
        fprintf(out, "%s%zu", k ? " x " : "", h->node[k].num_children);
    fputs(", periods ", out);
    for (size_t k = 0; k < h->num_levels; k++)
        fprintf(out, "%s%zu", k ? " / " : "", h->node[k].period);
}

static void print_head(const hsgd_train_result *r, FILE *out)
{
    const hsgd_training_record *record = &r->record;
    size_t last = record->num_measured;
    char bytes[TEXT_SIZE];
    fprintf(out, "%s: H-SGD on %zu rank%s of %zu host%s, ", r->config->name, r->hierarchy->num_workers,
            r->hierarchy->num_workers == 1 ? "" : "s", r->num_hosts, r->num_hosts == 1 ? "" : "s");
    print_tree(r, out);
    fprintf(out, "\n  run         T = %zu, gamma = %g, batch size %zu, seed %llu; %zu parameters, %s; %s\n",
            record->steps, r->step_size, r->config->batch_size, (unsigned long long)r->config->first_seed, record->dim,
            say_bytes(bytes, (double)record->dim * sizeof(double)), r->library);
    if (record->diverged_at == HSGD_NOT_DIVERGED)
        fprintf(out, "  loss        f(wbar^0) = %g, f(wbar^T) = %g, ||grad f(wbar^T)||^2 = %g\n\n", record->loss[0],
                record->loss[last], record->grad_norm_sq[last]);
    else
        fprintf(out, "  loss        f(wbar^0) = %g; diverged by step %zu\n\n", record->loss[0], record->diverged_at);
}

/* ---- times ---- */

/* sum_s: of a rank. */
static void print_row(FILE *out, const char *what, const hsgd_time_summary *s, double sum_s)
{
    char median[TEXT_SIZE], mean[TEXT_SIZE], high[TEXT_SIZE], sum[TEXT_SIZE];
    if (s->count == 0) {
        fprintf(out, "  %-26s %9d %12s %12s %12s %12s\n", what, 0, "-", "-", "-", "-");
        return;
    }
    fprintf(out, "  %-26s %9zu %12s %12s %12s %12s\n", what, s->count, say_time(mean, s->mean_s),
            say_time(median, s->median_s), say_time(high, s->high_s), say_time(sum, sum_s));
}

static void print_times(const hsgd_train_result *r, FILE *out)
{
    double n = (double)r->hierarchy->num_workers;
    char what[64];
    fprintf(out, "  %-26s %9s %12s %12s %12s %12s\n", "times", "count", "mean", "median", "95 % below", "per rank");
    print_row(out, "a step", &r->compute, r->compute.sum_s / n);
    for (size_t k = 0; k < r->hierarchy->num_levels; k++) {
        const hsgd_train_level *level = &r->level[k];
        snprintf(what, sizeof what, "level %zu: wait", k + 1);
        print_row(out, what, &level->wait, level->wait.sum_s / n);
        if (level->fewest_ranks == level->most_ranks)
            snprintf(what, sizeof what, "level %zu: %zu rank%s average", k + 1, level->most_ranks,
                     level->most_ranks == 1 ? "" : "s");
        else
            snprintf(what, sizeof what, "level %zu: %zu-%zu average", k + 1, level->fewest_ranks, level->most_ranks);
        print_row(out, what, &level->allreduce, level->allreduce.sum_s / (double)level->nodes);
    }
    fputs("  count: steps and waits of all ranks, averages of all nodes; per rank: the sum for one rank, for averages "
          "for "
          "one node\n\n",
          out);
}

/* ---- fits ---- */

static void print_fit(const hsgd_train_result *r, size_t k, FILE *out)
{
    const hsgd_fitted_level *fit = &r->links.level[k];
    const hsgd_train_level *level = &r->level[k];
    char latency[3 * TEXT_SIZE], bandwidth[3 * TEXT_SIZE] = "no limit seen", text[TEXT_SIZE], error[TEXT_SIZE];
    char model[TEXT_SIZE], measured[TEXT_SIZE], probe[TEXT_SIZE];
    snprintf(latency, sizeof latency, "%s +- %s", say_time(text, fit->latency_s), say_time(error, fit->latency_se));
    if (fit->bandwidth_bytes_per_s < HSGD_NO_BANDWIDTH_LIMIT)
        snprintf(bandwidth, sizeof bandwidth, "%s/s +- %s/s", say_bytes(text, fit->bandwidth_bytes_per_s),
                 say_bytes(error, fit->bandwidth_se));
    fprintf(out, "  level %-8zu %20s %24s %8.1f %% %10s %10s %10s\n", k + 1, latency, bandwidth,
            100 * fit->rms_residual, level->allreduce.count ? say_time(model, level->predicted_s) : "-",
            say_time(probe, level->probe_s),
            level->allreduce.count ? say_time(measured, level->allreduce.median_s) : "-");
}

static void print_fits(const hsgd_train_result *r, FILE *out)
{
    char seconds[TEXT_SIZE], scale[TEXT_SIZE];
    const hsgd_straggler *x = &r->late.straggler;
    fprintf(out, "  %-14s %20s %24s %10s %10s %10s %10s\n", "fit", "latency", "bandwidth", "residuals", "model",
            "probes", "training");
    for (size_t k = 0; k < r->links.num_levels; k++)
        print_fit(r, k, out);
    fprintf(
        out,
        "  an average of b bytes takes 2 (latency + b/bandwidth)%s; medians of %zu Allreduces of each size;\n"
        "  residuals: root mean square, relative; the last three: an average of a model by the fit, alone, and in the "
        "training\n",
        r->links.route == HSGD_ROUTE_TREE ? ", summed over its level and those below" : "", r->repeats);
    fprintf(out, "  a step takes %s + %s delays", say_time(seconds, r->late.compute_s),
            x->type == HSGD_STRAGGLER_NONE ? "no" : hsgd_straggler_name(x->type));
    if (x->type != HSGD_STRAGGLER_NONE)
        fprintf(out, " of scale %s", say_time(scale, x->scale_s));
    if (x->type == HSGD_STRAGGLER_LOGNORMAL || x->type == HSGD_STRAGGLER_PARETO)
        fprintf(out, ", shape %.3g", x->shape);
    if (isfinite(r->late.distance))
        fprintf(out, "; at most %.1f %% of the steps are on the wrong side of a time (Kolmogorov)",
                100 * r->late.distance);
    fputs("\n\n", out);
}

/* ---- the training by the model ---- */

/* Without a barrier, what it costs would in part be a part of the sum that follows. */
static void print_seconds(const hsgd_train_result *r, FILE *out)
{
    char text[TEXT_SIZE], other[TEXT_SIZE];
    const hsgd_train_shares *m = &r->measured;
    fprintf(out, "  the training took %s:", say_time(text, r->measured_s));
    fprintf(out, " computing %s,", say_time(text, m->compute_s));
    fprintf(out, " waiting %s,", say_time(text, m->wait_s));
    fprintf(out, " averaging %s,", say_time(text, m->allreduce_s));
    fprintf(out, " rest %s (means over ranks)\n", say_time(text, m->rest_s));
    fprintf(out, "  of it measuring: at most %s,", say_time(text, r->cost_s));
    fprintf(out, " for barriers and the clock, so that without it it takes %s to %s\n",
            say_time(text, fmax(0, r->measured_s - r->cost_s)), say_time(other, r->measured_s));
    fprintf(out, "  the fitted model says %s for equal steps (%+.0f %%),", say_time(text, r->predicted_s),
            100 * (r->predicted_s / r->measured_s - 1));
    fprintf(out, " %s with delays (%+.0f %%)\n", say_time(text, r->predicted_late_s),
            100 * (r->predicted_late_s / r->measured_s - 1));
    if (r->record.pauses)
        fprintf(out, "  %zu pauses, in which f was evaluated, are left out\n", r->record.pauses);
}

void hsgd_train_print(const hsgd_train_result *r, FILE *out)
{
    print_head(r, out);
    print_times(r, out);
    print_fits(r, out);
    print_seconds(r, out);
}
