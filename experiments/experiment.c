/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runs of an experiment and the constants that follow from them; judge.c compares them with the bounds. */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/moments.h"
#include "experiments/checkpoint.h"
#include "experiments/range_check.h"

/* ---- progress over all runs ---- */

typedef struct progress_state {
    const hsgd_experiment_options *options;
    double total_steps, done_steps; /* of the seeds that this process takes part in */
    size_t steps;                   /* of one seed */
    bool agreed;                    /* all processes know of a failure */
} progress_state;

static void add_progress(void *context, size_t steps_done)
{
    progress_state *state = context;
    const hsgd_experiment_options *options = state->options;
#pragma omp critical(hsgd_progress)
    {
        state->done_steps += (double)steps_done;
        if (options->progress)
            options->progress(options->progress_context, state->done_steps / state->total_steps);
    }
}

/* What is said where the runs are stopped. */
static hsgd_status stopped(const progress_state *progress, hsgd_error *err)
{
    const hsgd_checkpoint *checkpoint = progress->options->checkpoint;
    double steps = progress->done_steps;
    if (checkpoint && hsgd_team_size(progress->options->team) == 1)
        steps += hsgd_checkpoint_steps_left(checkpoint, progress->steps);
    return hsgd_fail(err, HSGD_STOPPED, "stopped at %.3g %% of the run", 100 * steps / progress->total_steps);
}

/* ---- what to run and to measure ---- */

static bool uses_algorithm(const hsgd_config *config, hsgd_algorithm a, hsgd_algorithm b)
{
    for (size_t i = 0; i < config->bounds.count; i++) {
        hsgd_algorithm algorithm = config->bounds.bound[i]->algorithm;
        if (config->use_bound[i] && (algorithm == a || algorithm == b))
            return true;
    }
    return false;
}

static bool uses_figure(const hsgd_config *config, const char *name)
{
    for (size_t i = 0; i < hsgd_num_figures; i++)
        if (config->use_figure[i] && strcmp(hsgd_figures[i]->name, name) == 0)
            return true;
    return false;
}

/* These figures are nothing without something to compare with. */
static bool compares_costs(const hsgd_config *config)
{
    for (size_t i = 0; i < hsgd_num_figures; i++)
        if (config->use_figure[i] && hsgd_config_figure_costs(hsgd_figures[i]->name))
            return true;
    return false;
}

/* A tree of one level is a local SGD itself and needs no reference runs. */
static bool needs_references(const hsgd_experiment *e)
{
    return e->local_period < e->global_period &&
           (uses_algorithm(e->config, HSGD_ALGORITHM_LOCAL_INNER, HSGD_ALGORITHM_LOCAL_OUTER) ||
            uses_figure(e->config, "sandwich") || compares_costs(e->config));
}

hsgd_simulation hsgd_experiment_describe(const hsgd_experiment *e, hsgd_run_index index)
{
    const hsgd_config *config = e->config;
    const hsgd_problem *problem = e->problem;
    bool plain = !e->variant;
    bool varies = !hsgd_problem_has_constant_divergence(problem);
    return (hsgd_simulation){.objective = &problem->objective,
                             .hierarchy = &e->run[index].hierarchy,
                             .initial = problem->initial,
                             .step_size = e->step_size,
                             .steps = config->steps,
                             .batch_size = config->batch_size,
                             .measure_every = config->measure_every,
                             .measure_at_nodes =
                                 index == HSGD_RUN_MAIN && plain && varies && e->run[index].hierarchy.num_levels > 1,
                             .measure_proof = index == HSGD_RUN_MAIN && plain,
                             .measure_smoothness = plain && hsgd_experiment_measures_smoothness(e),
                             .variant = plain ? NULL : &config->variant,
                             .exact_gradients = e->constants.noise_sq.value == 0,
                             .evaluate_every = config->evaluate_every,
                             .train = config->evaluate_every ? &problem->data : NULL,
                             .test = config->evaluate_every && problem->has_test ? &problem->test : NULL,
                             .measure_maxima = varies && hsgd_experiment_measures_maxima(e)};
}

size_t hsgd_experiment_idle(const hsgd_config *config, const hsgd_problem *problem, const hsgd_team *team)
{
    hsgd_experiment e = {.config = config, .problem = problem};
    hsgd_hierarchy *tree = &e.run[HSGD_RUN_MAIN].hierarchy;
    if (hsgd_hierarchy_expand(tree, &problem->hierarchy, NULL))
        return 0;
    hsgd_variant_differs(&config->variant, &e.variant);
    hsgd_simulation s = hsgd_experiment_describe(&e, HSGD_RUN_MAIN);
    s.team = team;
    size_t idle = hsgd_ensemble_idle(&s, hsgd_config_runs(config));
    hsgd_hierarchy_free(tree);
    return idle;
}

/* ---- f* ---- */

/* Without being asked for, f* is worth this many evaluations only. */
static const size_t CASUAL_EVALUATIONS = 300;

static hsgd_status solve_minimum(hsgd_experiment *e, const hsgd_experiment_options *options, hsgd_error *err)
{
    const hsgd_problem *problem = e->problem;
    bool asked = e->config->solve_minimum;
    if (e->constants.minimum.kind == HSGD_EXACT || !(asked || e->every_check))
        return HSGD_OK;
    hsgd_status status = hsgd_minimize_until(
        &e->solved, &problem->objective, problem->hierarchy.worker_weight, problem->initial, HSGD_MINIMUM_TOLERANCE,
        asked ? HSGD_MINIMUM_EVALUATIONS : CASUAL_EVALUATIONS, options->threads, options->stop, err);
    e->has_solved = !status;
    return status == HSGD_STOPPED ? hsgd_fail(err, status, "stopped in the search for f*, before the run") : status;
}

/* The end of every run lies in the ball around the point found for which the lower bound of f is taken. */
static void include_ends(hsgd_experiment *e, const hsgd_ensemble *ensemble)
{
    for (size_t r = 0; e->has_solved && r < ensemble->num_seeds; r++) {
        double distance =
            sqrt(hsgd_distance_sq(ensemble->trace[r].final_point, e->solved.point, e->problem->objective.dim));
        e->end_distance = fmax(e->end_distance, isfinite(distance) ? distance : INFINITY);
    }
}

static hsgd_status keep_final_point(hsgd_experiment *e, const hsgd_trace *trace, hsgd_error *err)
{
    e->final_point = malloc(trace->dim * sizeof *e->final_point);
    if (!e->final_point)
        return hsgd_fail_memory(err, "the final model");
    memcpy(e->final_point, trace->final_point, trace->dim * sizeof *e->final_point);
    return HSGD_OK;
}

/* What was solved for counts where the bound known beforehand is lower, and only if asked for. */
static void find_minimum(hsgd_experiment *e)
{
    if (!e->has_solved)
        return;
    double everywhere = hsgd_minimum_lower_bound(&e->solved, INFINITY);
    double near = hsgd_minimum_lower_bound(&e->solved, e->end_distance * (1 + 1e-12));
    e->solved_minimum = (hsgd_constant){everywhere, HSGD_CERTIFIED};
    if (near > everywhere)
        e->solved_minimum = (hsgd_constant){near, HSGD_TRAJECTORY};
    if (e->config->solve_minimum && e->solved_minimum.value > e->constants.minimum.value)
        e->constants.minimum = e->solved_minimum;
}

static hsgd_pause ask_to_stop(void *context, uint64_t seed, size_t step)
{
    const hsgd_stop *stop = context;
    (void)seed;
    (void)step;
    return hsgd_stop_asked(stop) ? HSGD_STOP : HSGD_GO_ON;
}

/* All seeds of a run; *keeper lives as long as they take. */
static hsgd_status simulate(hsgd_ensemble *out, hsgd_experiment *e, hsgd_run_index index, progress_state *progress,
                            hsgd_error *err)
{
    const hsgd_experiment_options *options = progress->options;
    hsgd_stop stop = options->stop ? *options->stop : (hsgd_stop){0};
    const hsgd_keeper only_stops = {.context = &stop, .ask = ask_to_stop, .window_s = HSGD_PROMPT_WINDOW_S};
    hsgd_simulation simulation = hsgd_experiment_describe(e, index);
    size_t num_seeds = e->run[index].num_seeds = e->deterministic ? 1 : hsgd_config_runs(e->config);
    simulation.progress = add_progress;
    simulation.progress_context = progress;
    simulation.keeper = options->stop ? &only_stops : NULL;
    simulation.team = options->team;
    hsgd_status status = !options->checkpoint ? HSGD_OK
                                              : hsgd_checkpoint_begin_run(options->checkpoint, &simulation.keeper,
                                                                          index, e->config->first_seed, num_seeds, err);
    if (!status) {
        status = hsgd_ensemble_run(out, &simulation, num_seeds, e->config->first_seed, e->problem->placement,
                                   options->threads, err);
        progress->agreed = status != HSGD_OK;
    }
    return status == HSGD_STOPPED ? stopped(progress, err) : status;
}

static hsgd_status make_run(hsgd_experiment *e, hsgd_run_index index, progress_state *progress, hsgd_error *err)
{
    hsgd_run *run = &e->run[index];
    hsgd_ensemble ensemble;
    hsgd_status status = simulate(&ensemble, e, index, progress, err);
    if (status)
        return status;
    if (hsgd_team_rank(progress->options->team) > 0) { /* the first process has all traces */
        hsgd_ensemble_free(&ensemble);
        return HSGD_OK;
    }
    ensemble.runs_per_value = e->config->groupings ? e->config->seeds : 1;
    run->period = index == HSGD_RUN_INNER ? e->local_period : e->global_period;
    status = hsgd_summarize(&run->summary, &ensemble, e->config->steps, run->period, e->deterministic, err);
    include_ends(e, &ensemble);
    if (!status && index == HSGD_RUN_MAIN)
        status = keep_final_point(e, &ensemble.trace[0], err);
    if (!status && index == HSGD_RUN_MAIN)
        status = hsgd_experiment_follow_grouping(e, &ensemble, err);
    if (!status)
        status = hsgd_experiment_follow_metrics(e, index, &ensemble, progress->options, err);
    hsgd_ensemble_free(&ensemble);
    run->made = !status;
    return status == HSGD_STOPPED ? stopped(progress, err) : status;
}

int hsgd_experiment_count_runs(const hsgd_experiment *e)
{
    return needs_references(e) ? HSGD_NUM_RUNS : 1;
}

/* The tree of a run. */
hsgd_status hsgd_experiment_make_hierarchy(hsgd_experiment *e, hsgd_run_index index, hsgd_error *err)
{
    const hsgd_hierarchy *h = &e->problem->hierarchy;
    if (index == HSGD_RUN_MAIN)
        return hsgd_hierarchy_expand(&e->run[index].hierarchy, h, err);
    size_t period = index == HSGD_RUN_INNER ? e->local_period : e->global_period;
    return hsgd_hierarchy_local(&e->run[index].hierarchy, h->num_workers, period, h, err);
}

static hsgd_status make_runs(hsgd_experiment *e, progress_state *progress, hsgd_error *err)
{
    int runs = hsgd_experiment_count_runs(e);
    size_t seeds = hsgd_ensemble_share(progress->options->team, e->deterministic ? 1 : hsgd_config_runs(e->config));
    hsgd_status status = HSGD_OK;
    progress->steps = e->config->steps;
    progress->total_steps = (double)e->config->steps * (double)seeds * runs;
    for (int i = 0; i < runs && !status; i++) {
        status = hsgd_experiment_make_hierarchy(e, (hsgd_run_index)i, err);
        if (!status)
            status = make_run(e, (hsgd_run_index)i, progress, err);
    }
    return status;
}

/* ---- constants ---- */

static hsgd_status find_periods(hsgd_experiment *e, hsgd_error *err)
{
    hsgd_hierarchy canonical;
    hsgd_status status = hsgd_hierarchy_canonical(&canonical, &e->config->hierarchy, NULL, NULL, err);
    if (status)
        return status;
    e->local_period = hsgd_hierarchy_local_period(&canonical);
    e->global_period = hsgd_hierarchy_global_period(&canonical);
    hsgd_hierarchy_free(&canonical);
    return HSGD_OK;
}

static void find_delta(hsgd_experiment *e)
{
    double initial_loss = e->run[HSGD_RUN_MAIN].summary.loss[0].mean;
    /* rounding may put f(w^0) an ulp below f* when the run starts at the minimum */
    e->delta = (hsgd_constant){fmax(0, initial_loss - e->constants.minimum.value), e->constants.minimum.kind};
}

/* What has to be known before anything runs. */
hsgd_status hsgd_experiment_prepare(hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_objective *objective = &e->problem->objective;
    hsgd_status status = find_periods(e, err);
    if (!status)
        status = hsgd_experiment_check_metrics(e, err);
    if (!status)
        status = objective->type->constants(objective, e->config->batch_size, &e->constants, err);
    e->known_minimum = e->constants.minimum;
    if (!status)
        status = hsgd_config_step_size(&e->step_size, e->config, e->constants.smoothness.value, err);
    hsgd_variant_differs(&e->config->variant, &e->variant);
    e->deterministic = !status && e->constants.noise_sq.value == 0 && !e->problem->placement &&
                       !e->config->variant.regroup && !hsgd_variant_samples_workers(&e->config->variant);
    return status;
}

static void begin(hsgd_experiment *out, const hsgd_config *config, const hsgd_problem *problem,
                  const hsgd_experiment_options *options)
{
    *out = (hsgd_experiment){.config = config,
                             .problem = problem,
                             .every_check = options->every_check,
                             .provenance = options->provenance,
                             .constants.convexity = -INFINITY, /* nothing is known before the problem says it */
                             .overall = HSGD_VERDICT_NOT_APPLICABLE,
                             .worst = HSGD_VERDICT_NOT_APPLICABLE};
}

/* Up to the last simulation, with all processes of a team, which agree on how it went. */
static hsgd_status simulate_all(hsgd_experiment *e, const hsgd_experiment_options *options, hsgd_error *err)
{
    progress_state progress = {.options = options, .total_steps = 1, .steps = e->config->steps};
    hsgd_status status = hsgd_experiment_prepare(e, err);
    if (!status && hsgd_team_rank(options->team) == 0)
        status = solve_minimum(e, options, err);
    if (!status)
        status = make_runs(e, &progress, err);
    return progress.agreed ? status : hsgd_team_agree(options->team, status, err);
}

static hsgd_status check_range(const hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    double gradients_sq = s->grad_norm_sq[0].mean;
    for (size_t k = 0; k < s->num_levels; k++)
        gradients_sq += s->divergence[k].mean;
    return hsgd_range_check(e->problem, &e->constants, e->config->batch_size, e->step_size, gradients_sq, err);
}

hsgd_status hsgd_experiment_run(hsgd_experiment *out, const hsgd_config *config, const hsgd_problem *problem,
                                const hsgd_experiment_options *options, hsgd_error *err)
{
    begin(out, config, problem, options);
    hsgd_status status = simulate_all(out, options, err);
    if (!status)
        status = check_range(out, err);
    if (!status)
        status = hsgd_experiment_find_divergences(out, err);
    if (!status)
        status = hsgd_experiment_check_grouping(out, err);
    if (!status) {
        find_minimum(out);
        find_delta(out);
        status = hsgd_experiment_judge(out, err);
    }
    if (status)
        hsgd_experiment_free(out);
    return status;
}

hsgd_status hsgd_experiment_serve(const hsgd_config *config, const hsgd_problem *problem,
                                  const hsgd_experiment_options *options, hsgd_error *err)
{
    hsgd_experiment e;
    begin(&e, config, problem, options);
    hsgd_status status = simulate_all(&e, options, err);
    hsgd_experiment_free(&e);
    return status;
}

void hsgd_experiment_free(hsgd_experiment *experiment)
{
    if (!experiment)
        return;
    hsgd_experiment_free_metrics(experiment);
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        hsgd_hierarchy_free(&experiment->run[i].hierarchy);
        hsgd_summary_free(&experiment->run[i].summary);
    }
    free(experiment->level_divergence_sq);
    free(experiment->node_divergence_sq);
    free(experiment->node_deviation_max_sq);
    free(experiment->final_point);
    free(experiment->certified_level_sq);
    free(experiment->certified_node_sq);
    hsgd_minimum_free(&experiment->solved);
    hsgd_grouping_check_free(&experiment->grouping);
    free(experiment->comparison);
    free(experiment->dispersion_bound);
    free(experiment->dispersion);
    hsgd_sandwich_free(&experiment->sandwich);
    memset(experiment, 0, sizeof *experiment);
}
