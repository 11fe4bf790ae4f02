/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Your own objective under H-SGD, in one file.
 *
 *     cc own_objective.c -o own_objective $(pkg-config --cflags --libs hsgd) -lm && ./own_objective
 *
 * Robust location: worker j pulls every coordinate towards its own point c_j,
 *     F_j(w) = sum_i log(1 + (w_i - c_ji)^2),     g_j = grad F_j + N(0, (sigma^2/d) I).
 * It is non-convex, smooth with L = 2 (the second derivative lies in [-1/4, 2]) and bounded below by 0. */
#include <hsgd.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DIM = 10,
    GROUPS = 4,
    PER_GROUP = 4,
    WORKERS = GROUPS * PER_GROUP,
    STEPS = 400,
    SEEDS = 16,
    GLOBAL = 8,
    LOCAL = 2
};

static const double NOISE_SQ = 0.5; /* sigma^2 */

/* ---- the objective: one record of functions ---- */

static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    (void)batch_size;
    return objective->dim;
}

static void full(const hsgd_objective *objective, const double *w, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    (void)scratch;
    for (size_t j = 0; j < count; j++) {
        const double *centre = (const double *)objective->state + worker[j] * DIM;
        loss[j] = 0;
        for (size_t i = 0; i < DIM; i++) {
            double r = w[i] - centre[i];
            loss[j] += log1p(r * r);
            grad[j * DIM + i] = 2 * r / (1 + r * r);
        }
    }
}

static void stochastic(const hsgd_objective *objective, const double *w, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    double loss;
    hsgd_stream stream = {seed, HSGD_PURPOSE_NOISE, (uint32_t)worker, step};
    (void)batch_size;
    full(objective, w, &worker, 1, &loss, grad, scratch);
    hsgd_normals(&stream, sqrt(NOISE_SQ / DIM), scratch, DIM);
    for (size_t i = 0; i < DIM; i++)
        grad[i] += scratch[i];
}

static hsgd_status constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *err)
{
    (void)objective;
    (void)batch_size;
    (void)err;
    out->smoothness = (hsgd_constant){2, HSGD_CERTIFIED};
    out->noise_sq = (hsgd_constant){NOISE_SQ, HSGD_EXACT};
    out->minimum = (hsgd_constant){0, HSGD_CERTIFIED};
    out->convexity = -0.25;
    return HSGD_OK;
}

static const hsgd_objective_type robust_location = {.name = "robust-location",
                                                    .scratch_size = scratch_size,
                                                    .full = full,
                                                    .stochastic = stochastic,
                                                    .constants = constants,
                                                    .free = free};

/* ---- run it and put the bounds next to it ---- */

static void check(hsgd_status status, const hsgd_error *err)
{
    if (status != HSGD_OK) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

int main(void)
{
    hsgd_error err;
    hsgd_hierarchy compact, tree;
    hsgd_ensemble ensemble;
    hsgd_summary summary;
    hsgd_bound_params params;
    hsgd_constants known;
    double start[DIM] = {0};

    hsgd_objective objective = {&robust_location, malloc(WORKERS * DIM * sizeof(double)), DIM, WORKERS};
    if (!objective.state)
        return 1;
    hsgd_stream centres = {1, HSGD_PURPOSE_USER, 0, 0};
    hsgd_normals(&centres, 1, objective.state, WORKERS * DIM);
    constants(&objective, 0, &known, &err);

    /* is every gradient that of its loss, and do stochastic ones average to it? a wrong one gives numbers, too */
    const hsgd_check_request request = {.objective = &objective, .start = start, .batch_size = 1};
    check(hsgd_objective_check(&request, &err), &err);

    const size_t fanout[] = {GROUPS, PER_GROUP}, periods[] = {GLOBAL, LOCAL};
    check(hsgd_hierarchy_uniform(&compact, fanout, periods, 2, &err), &err);
    check(hsgd_hierarchy_expand(&tree, &compact, &err), &err);

    hsgd_simulation simulation = {.objective = &objective,
                                  .hierarchy = &tree,
                                  .initial = start,
                                  .step_size = 0.99 * hsgd_published_max_step_size(known.smoothness.value, GLOBAL),
                                  .steps = STEPS,
                                  .measure_every = 1,
                                  .measure_at_nodes = true};
    check(hsgd_ensemble_run(&ensemble, &simulation, SEEDS, 1, NULL, hsgd_default_threads(), &err), &err);
    check(hsgd_summarize(&summary, &ensemble, STEPS, GLOBAL, false, &err), &err);

    /* compact has one entry per level, so the divergences of the levels are those of its entries */
    check(hsgd_bound_params_init(&params, &compact, summary.level_divergence_sup_sq, NULL, &err), &err);
    params.step_size = simulation.step_size;
    params.steps = STEPS;
    params.smoothness = known.smoothness.value;
    params.noise_sq = known.noise_sq.value;
    params.delta = summary.loss[0].mean - known.minimum.value;

    double half = hsgd_half_width(summary.S, 0.99, 1);
    printf("S = %.4f +- %.4f, 99 %% confidence, with gamma = %.4f and T = %d\n", summary.S.mean, half,
           simulation.step_size, STEPS);
    for (size_t k = 0; k < summary.num_levels; k++)
        printf("divergence of level %zu: at most %.4f on the way\n", k + 1, summary.level_divergence_sup_sq[k]);
    const char *const id[] = {"hsgd-fixed", "hsgd-fixed-sharp", "hsgd-fixed-recursive"};
    for (int i = 0; i < 3; i++) {
        hsgd_bound_value value;
        hsgd_bound_eval(hsgd_bound_find(id[i]), &params, &value);
        hsgd_verdict verdict = hsgd_verdict_decide(summary.S.mean - half, summary.S.mean + half, value.value);
        printf("%-22s %8.4f  %s\n", id[i], value.value, hsgd_verdict_name(verdict));
    }

    hsgd_bound_params_free(&params);
    hsgd_summary_free(&summary);
    hsgd_ensemble_free(&ensemble);
    hsgd_hierarchy_free(&tree);
    hsgd_hierarchy_free(&compact);
    hsgd_objective_free(&objective);
    return 0;
}
