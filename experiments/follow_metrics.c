/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the traces of a run say besides means: its seconds and bytes, and when each seed reached the targets. */
#include "experiments/experiment_private.h"

#include <stdlib.h>

hsgd_status hsgd_experiment_check_metrics(const hsgd_experiment *e, hsgd_error *err)
{
    if (e->config->evaluate_every && !e->problem->objective.type->evaluate)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "evaluate_every: %zu: a %s problem has no labels to predict; 0",
                         e->config->evaluate_every, e->problem->objective.type->name);
    for (size_t i = 0; i < e->config->num_targets; i++)
        if (e->config->target[i].quantity == HSGD_TARGET_TEST_ACCURACY && !e->problem->has_test)
            return hsgd_fail(err, HSGD_ERROR_INPUT,
                             "targets[%zu].quantity: \"test_accuracy\": this problem has no test data; "
                             "\"train_accuracy\"",
                             i);
    return HSGD_OK;
}

/* Local SGD runs on the same network as H-SGD. */
static hsgd_status make_tree(hsgd_hierarchy *out, const hsgd_experiment *e, hsgd_run_index index, hsgd_error *err)
{
    const hsgd_hierarchy *h = &e->problem->hierarchy;
    if (index == HSGD_RUN_MAIN)
        return hsgd_hierarchy_expand(out, h, err);
    return hsgd_communication_local(out, h, e->run[index].period, err);
}

static hsgd_status follow_costs(hsgd_experiment *e, hsgd_run_index index, const hsgd_trace *trace,
                                const hsgd_experiment_options *options, hsgd_error *err)
{
    hsgd_hierarchy tree;
    const hsgd_variant *variant = e->variant ? &e->config->variant : NULL;
    if (!e->config->has_communication)
        return HSGD_OK;
    hsgd_status status = make_tree(&tree, e, index, err);
    if (status)
        return status;
    const hsgd_costs_input input = {.communication = &e->config->communication,
                                    .tree = &tree,
                                    .groups = &e->run[index].hierarchy,
                                    .variant = variant,
                                    .dim = e->problem->objective.dim * hsgd_variant_message_vectors(variant),
                                    .step = trace->step,
                                    .num_rows = trace->num_measured + 1,
                                    .num_seeds = hsgd_config_runs(e->config),
                                    .first_seed = e->config->first_seed,
                                    .placement = e->problem->placement,
                                    .threads = options->threads,
                                    .stop = options->stop};
    status = hsgd_run_costs_find(&e->run[index].costs, &input, err);
    hsgd_hierarchy_free(&tree);
    return status;
}

hsgd_status hsgd_experiment_follow_metrics(hsgd_experiment *e, hsgd_run_index index, const hsgd_ensemble *ensemble,
                                           const hsgd_experiment_options *options, hsgd_error *err)
{
    hsgd_run *run = &e->run[index];
    size_t count = e->config->num_targets;
    hsgd_status status = follow_costs(e, index, &ensemble->trace[0], options, err);
    if (status || !count)
        return status;
    run->reached = calloc(count, sizeof *run->reached);
    if (!run->reached)
        return hsgd_fail_memory(err, "the targets");
    for (size_t i = 0; i < count && !status; i++)
        status = hsgd_target_follow(&run->reached[i], e->config->target[i], ensemble, run->period,
                                    run->costs.seed_time_s, run->costs.num_seeds, err);
    return status;
}

void hsgd_experiment_free_metrics(hsgd_experiment *e)
{
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        hsgd_run *run = &e->run[i];
        for (size_t k = 0; run->reached && k < e->config->num_targets; k++)
            hsgd_reached_free(&run->reached[k]);
        free(run->reached);
        hsgd_run_costs_free(&run->costs);
    }
}
