/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fits, and what the model of communication.h then says about the training that was measured. */
#include <math.h>
#include <stdlib.h>

#include "experiments/train_private.h"

/* Models are doubles here, whatever the configuration's model of communication says. */
static const double BYTES_PER_PARAMETER = sizeof(double);

/* What is shorter than the clock can tell is taken for that. */
static const double LEAST_TIME_S = 1e-9;

hsgd_communication hsgd_train_communication(const hsgd_train_result *r, bool late)
{
    const hsgd_delay_fit *compute = late ? &r->late : &r->mean;
    hsgd_communication out = {.compute_s = compute->compute_s,
                              .straggler = compute->straggler,
                              .route = r->links.route,
                              .bytes_per_parameter = BYTES_PER_PARAMETER};
    for (size_t k = 0; k < r->links.num_levels; k++)
        out.level[k] = (hsgd_channel){r->links.level[k].latency_s, r->links.level[k].bandwidth_bytes_per_s, false};
    return out;
}

static hsgd_status predict(double *out_s, const hsgd_train_result *r, bool late, hsgd_error *err)
{
    hsgd_communication communication = hsgd_train_communication(r, late);
    hsgd_communicating_run run = {.network = r->hierarchy,
                                  .dim = r->record.dim,
                                  .seed = r->config->first_seed,
                                  .placement = r->problem->placement};
    size_t steps = r->record.steps;
    return hsgd_communication_run(out_s, NULL, &communication, &run, &steps, 1, err);
}

/* Medians of the probes. Returns how many there are. */
static size_t add_probes(hsgd_timed_average *out, const hsgd_train_result *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->num_probes; i++)
        if (r->probe[i].numbers && hsgd_train_counts(r, r->probe[i].node))
            out[count++] = (hsgd_timed_average){r->probe[i].node, (double)r->probe[i].numbers * BYTES_PER_PARAMETER,
                                                fmax(r->probe[i].median_s, LEAST_TIME_S), (double)r->repeats};
    return count;
}

/* Those of the training's own averages, node by node. room (num_averages). */
static size_t add_training(hsgd_timed_average *out, const hsgd_train_result *r, double *room)
{
    size_t count = 0;
    for (size_t u = 0; u < r->hierarchy->num_nodes; u++) {
        size_t seen = 0;
        for (size_t i = 0; i < r->num_averages && hsgd_train_counts(r, u); i++)
            if (r->average[i].node == u)
                room[seen++] = r->average[i].sum_s;
        double bytes = (double)r->record.dim * BYTES_PER_PARAMETER;
        if (seen)
            out[count++] = (hsgd_timed_average){u, bytes, fmax(hsgd_time_summarize(room, seen).median_s, LEAST_TIME_S),
                                                (double)seen};
    }
    return count;
}

static hsgd_status fit_links(hsgd_train_result *r, hsgd_route route, hsgd_error *err)
{
    hsgd_timed_average *timed = malloc((r->num_probes + r->hierarchy->num_nodes) * sizeof *timed);
    double *room = malloc((r->num_averages + 1) * sizeof *room);
    hsgd_status status = timed && room ? HSGD_OK : hsgd_fail_memory(err, "a fit of latencies");
    if (!status) {
        size_t count = add_probes(timed, r);
        count += add_training(timed + count, r, room);
        status = hsgd_link_fit_make(&r->links, r->hierarchy, route, timed, count, err);
    }
    free(timed);
    free(room);
    return status;
}

/* By the fitted model, for the averages of each level. */
static void predict_levels(hsgd_train_result *r)
{
    double bytes = (double)r->record.dim * BYTES_PER_PARAMETER;
    for (size_t i = 0; i < r->num_averages; i++) {
        hsgd_train_level *level = &r->level[r->hierarchy->node[r->average[i].node].depth];
        if (!hsgd_train_counts(r, r->average[i].node))
            continue;
        level->predicted_s +=
            hsgd_link_fit_seconds(&r->links, r->hierarchy, r->average[i].node, bytes) / (double)level->allreduce.count;
    }
}

/* Of a rank: two readings of the clock for a step, three readings and a barrier for an average. */
static double measuring_cost_s(const hsgd_train_result *r)
{
    double cost_s = 2 * r->clock_s * (double)r->record.steps;
    for (size_t k = 0; k < r->hierarchy->num_levels; k++) {
        double each = (double)r->level[k].wait.count / (double)r->hierarchy->num_workers;
        cost_s += each * (3 * r->clock_s + r->level[k].barrier_s);
    }
    return cost_s;
}

hsgd_status hsgd_train_fit(hsgd_train_result *out, hsgd_route route, double *compute_s, hsgd_error *err)
{
    size_t count = out->hierarchy->num_workers * out->record.steps;
    for (size_t i = 0; i < count; i++)
        compute_s[i] = fmax(compute_s[i], LEAST_TIME_S);
    out->compute = hsgd_time_summarize(compute_s, count);
    hsgd_status status = fit_links(out, route, err);
    if (!status && count > 1)
        status = hsgd_delay_fit_best(&out->late, compute_s, count, err);
    out->mean = (hsgd_delay_fit){.compute_s = out->compute.mean_s, .log_likelihood = NAN, .distance = NAN};
    if (count < 2)
        out->late = out->mean;
    if (!status)
        status = predict(&out->predicted_s, out, false, err);
    if (!status)
        status = predict(&out->predicted_late_s, out, true, err);
    if (status)
        return status;
    predict_levels(out);
    out->cost_s = measuring_cost_s(out);
    return HSGD_OK;
}
