/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One point of a phase diagram: its problem, what theory says of it, and its verdict. */
#include <math.h>
#include <string.h>

#include "bounds/verdict.h"
#include "experiments/phase_private.h"
#include "experiments/range_check.h"

/* ---- from the configuration to what is run ---- */

static void shorten(hsgd_config *config, size_t steps, bool one_seed)
{
    if (config->steps > steps)
        config->steps = steps;
    if (one_seed) {
        config->seeds = 1;
        config->groupings = 0;
    }
}

static bool is_quadratic(const hsgd_config *config)
{
    return config->problem == HSGD_PROBLEM_QUADRATIC || config->problem == HSGD_PROBLEM_QUADRATIC_GENERATED;
}

bool hsgd_phase_moments_known(const hsgd_config *config)
{
    return is_quadratic(config) && !hsgd_variant_differs(&config->variant, NULL);
}

static hsgd_status read_point(hsgd_phase_work *out, const hsgd_phase *phase, const char *text, hsgd_error *err)
{
    hsgd_status status;
    /* the parser keeps the place of its last failure in one variable for all threads */
#pragma omp critical(hsgd_phase_parse)
    status = hsgd_config_parse(&out->config, text, strlen(text), phase->file, err);
    return status;
}

static hsgd_status prepare(hsgd_phase_work *out, const hsgd_phase *phase, hsgd_error *err)
{
    hsgd_status status = hsgd_problem_build(&out->problem, &out->config, phase->file, err);
    if (status)
        return status;
    out->experiment = (hsgd_experiment){.config = &out->config, .problem = &out->problem};
    status = hsgd_experiment_prepare(&out->experiment, err);
    if (!status)
        status = hsgd_range_check_start(&out->problem, &out->experiment.constants, out->config.batch_size,
                                        out->experiment.step_size, err);
    out->exact = phase->settings.method != HSGD_PHASE_MONTE_CARLO && hsgd_phase_moments_known(&out->config);
    if (!status && phase->settings.method == HSGD_PHASE_EXACT && !out->exact)
        status = hsgd_fail(err, HSGD_ERROR_INPUT,
                           "exact moments are known for plain H-SGD on quadratics only; legal here: "
                           "\"method\": \"auto\", \"monte-carlo\"");
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: ", phase->file);
    return status;
}

hsgd_status hsgd_phase_begin(hsgd_phase_work *out, const hsgd_phase *phase, size_t index, size_t steps, hsgd_error *err)
{
    *out = (hsgd_phase_work){.settings = &phase->settings, .file = phase->file, .threads = 1};
    hsgd_status status = read_point(out, phase, phase->grid.point[index].config, err);
    if (status)
        return status;
    bool exact = phase->settings.method != HSGD_PHASE_MONTE_CARLO && hsgd_phase_moments_known(&out->config);
    if (steps)
        shorten(&out->config, steps, !exact);
    status = prepare(out, phase, err);
    if (status)
        hsgd_phase_end(out);
    return status;
}

void hsgd_phase_end(hsgd_phase_work *work)
{
    hsgd_experiment_free(&work->experiment);
    hsgd_problem_free(&work->problem);
    hsgd_config_free(&work->config);
}

/* ---- theory ---- */

static bool has_one_hessian(const hsgd_quadratic *q)
{
    for (size_t j = 1; j < q->num_workers; j++)
        if (memcmp(hsgd_quadratic_curvature(q, j), hsgd_quadratic_curvature(q, 0), q->dim * sizeof(double)) != 0)
            return false;
    return true;
}

/* Why all three are equal. */
static const char one_level[] = "one level", no_average[] = "no average within T", one_hessian[] = "one Hessian";
static const char *const theories[] = {NULL, one_level, no_average, one_hessian};
enum { NUM_THEORIES = sizeof theories / sizeof *theories };

/* THEORY 6.1. */
const char *hsgd_phase_theory(const hsgd_phase_work *work)
{
    const hsgd_experiment *e = &work->experiment;
    if (e->variant)
        return NULL;
    if (e->local_period == e->global_period)
        return one_level;
    if (hsgd_phase_is_worst_case(work->settings->quantity))
        return NULL; /* without an average the three classes of problems are still different */
    if (e->local_period >= work->config.steps)
        return no_average;
    if (work->settings->quantity != HSGD_PHASE_DISPERSION && work->problem.is_quadratic &&
        has_one_hessian(&work->problem.quadratic))
        return one_hessian;
    return NULL;
}

/* ---- the numbers ---- */

hsgd_status hsgd_phase_find(hsgd_phase_point *out, hsgd_phase_work *work, hsgd_error *err)
{
    const hsgd_experiment *e = &work->experiment;
    *out = (hsgd_phase_point){.theory = hsgd_phase_theory(work),
                              .exact = work->exact,
                              .workers = work->problem.hierarchy.num_workers,
                              .steps = work->config.steps,
                              .local_period = e->local_period,
                              .global_period = e->global_period,
                              .step_size = e->step_size};
    if (hsgd_phase_is_worst_case(work->settings->quantity))
        return hsgd_phase_find_worst_case(out, work, err);
    return work->exact ? hsgd_phase_find_exact(out, work, err) : hsgd_phase_find_runs(out, work, err);
}

/* The program that reads it is the one that wrote it, so the structure is what it was; but for the text. */
void hsgd_phase_pack(hsgd_bytes *out, const hsgd_phase_point *point)
{
    hsgd_phase_point copy = *point;
    size_t theory = 0;
    for (size_t i = 0; i < NUM_THEORIES; i++)
        theory = point->theory == theories[i] ? i : theory;
    copy.theory = NULL;
    hsgd_bytes_put_count(out, theory);
    hsgd_bytes_put(out, &copy, sizeof copy);
}

hsgd_status hsgd_phase_unpack(hsgd_phase_point *out, const hsgd_bytes *bytes, hsgd_error *err)
{
    hsgd_bytes_reader in = hsgd_bytes_read(bytes->data, bytes->size);
    size_t theory = hsgd_bytes_take_count(&in);
    hsgd_bytes_take(&in, out, sizeof *out);
    if (in.failed || in.left || theory >= NUM_THEORIES)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the bytes are not a point of a phase diagram");
    out->theory = theories[theory];
    return HSGD_OK;
}

/* ---- the verdict ---- */

/* Student's interval, widened by what rounding can have done. */
static hsgd_difference interval_of(hsgd_estimate difference, double rounding, double confidence, size_t comparisons)
{
    double half = hsgd_half_width(difference, confidence, (double)comparisons) + rounding;
    return (hsgd_difference){difference.mean - half, difference.mean + half};
}

static double largest_size(const double *value)
{
    return fmax(fabs(value[0]), fmax(fabs(value[1]), fabs(value[2])));
}

/* What a reader wants to know beside the verdict: where it lies, and how far outside. */
static void measure(hsgd_phase_point *p)
{
    const double *x = p->value;
    double span = x[HSGD_PHASE_OUTER] - x[HSGD_PHASE_INNER];
    bool apart = fabs(span) > p->rounding[0] + p->rounding[1];
    p->ratio = apart && !p->theory ? p->lower.mean / span : NAN;
    if (hsgd_between_fails(p->verdict)) {
        double beyond = p->verdict == HSGD_BETWEEN_BELOW   ? -p->lower.mean
                        : p->verdict == HSGD_BETWEEN_ABOVE ? -p->upper.mean
                                                           : fmax(-p->lower.mean, -p->upper.mean);
        p->violation = beyond / largest_size(x);
    }
}

void hsgd_phase_judge(hsgd_phase_point *p, double confidence, size_t comparisons)
{
    bool finite = true;
    p->ratio = NAN;
    p->violation = 0;
    for (size_t i = 0; i < HSGD_NUM_PHASE_RUNS; i++)
        finite = finite && isfinite(p->value[i]);
    p->lower_interval = interval_of(p->lower, p->rounding[0], confidence, comparisons);
    p->upper_interval = interval_of(p->upper, p->rounding[1], confidence, comparisons);
    if (p->theory) /* holds wherever the numbers went, and whatever the last digits say */
        p->verdict = HSGD_BETWEEN_EQUAL;
    else if (p->unsolved)
        p->verdict = HSGD_BETWEEN_INCONCLUSIVE;
    else if (!finite)
        p->verdict = HSGD_BETWEEN_DIVERGED;
    else
        p->verdict = hsgd_between_decide(p->lower_interval, p->upper_interval, p->values == 0);
    if (finite)
        measure(p);
}
