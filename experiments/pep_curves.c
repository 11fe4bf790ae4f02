/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case at many step sizes, and the step size where it is smallest. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <math.h>
#include <stdlib.h>

#include "analysis/clock.h"
#include "experiments/pep_curves_private.h"

static const char *const bound_id[HSGD_NUM_PEP_BOUNDS] = {[HSGD_PEP_RECURSIVE] = "hsgd-fixed-recursive",
                                                          [HSGD_PEP_SHARPENED] = "hsgd-fixed-sharp",
                                                          [HSGD_PEP_PUBLISHED] = "hsgd-fixed"};

/* Bounds cost nothing: their best step sizes come from a grid as fine as this. */
enum { BOUND_POINTS = 4001 };

const char *hsgd_pep_mark_name(size_t mark)
{
    static const char *const name[HSGD_NUM_PEP_MARKS] = {"", "published limit", "sharpened limit", "1/L", "best"};
    return mark < HSGD_NUM_PEP_MARKS ? name[mark] : NULL;
}

const hsgd_pep_step *hsgd_pep_curve_find(const hsgd_pep_curve *curve, hsgd_pep_mark mark)
{
    for (size_t i = 0; i < curve->num_steps; i++)
        if (curve->step[i].mark == mark)
            return &curve->step[i];
    return NULL;
}

/* ---- one step size ---- */

typedef struct walk {
    hsgd_pep_curves *curves;
    hsgd_pep_curve *curve;
    void (*progress)(void *context, double fraction);
    void *context;
    double done, total;
    hsgd_status status;
    hsgd_error *err;
} walk;

static double bound_at(const hsgd_pep_curve *curve, size_t bound)
{
    hsgd_bound_value value;
    hsgd_bound_eval(hsgd_bound_find(bound_id[bound]), &curve->params, &value);
    return value.applicable ? value.value : NAN;
}

static hsgd_pep_step *new_step(walk *w)
{
    hsgd_pep_curve *c = w->curve;
    if (c->num_steps == c->capacity) {
        size_t capacity = 2 * c->capacity + 64;
        hsgd_pep_step *grown = realloc(c->step, capacity * sizeof *grown);
        if (!grown) {
            w->status = hsgd_fail_memory(w->err, "the step sizes");
            return NULL;
        }
        c->step = grown;
        c->capacity = capacity;
    }
    return &c->step[c->num_steps++];
}

/* The proved worst case, and a step of the curve. NAN where there is no certificate, or after a failure. */
static double solve_at(walk *w, double step_size, hsgd_pep_mark mark)
{
    hsgd_pep_problem problem;
    hsgd_pep_result result = {0};
    hsgd_pep_curve *c = w->curve;
    hsgd_pep_step *step = w->status ? NULL : new_step(w);
    if (!step)
        return NAN;
    c->params.step_size = step_size;
    *step = (hsgd_pep_step){.step_size = step_size, .upper = NAN, .lower = NAN, .mark = mark};
    for (size_t b = 0; b < HSGD_NUM_PEP_BOUNDS; b++)
        step->bound[b] = bound_at(c, b);
    hsgd_status status = hsgd_pep_problem_from_params(&problem, &c->params, w->err);
    status = status ? status : hsgd_pep_solve(&result, &problem, w->err);
    c->unsolved += status == HSGD_ERROR_NUMERIC;
    if (status && status != HSGD_ERROR_NUMERIC)
        w->status = status;
    if (!status) {
        step->upper = result.upper;
        step->lower = result.lower;
        hsgd_pep_result_free(&result);
    }
    if (w->progress)
        w->progress(w->context, fmin(1, ++w->done / w->total));
    return step->upper;
}

/* ---- the smallest ---- */

static double at_log(double log_step_size, void *context)
{
    return solve_at(context, exp(log_step_size), HSGD_PEP_PLAIN);
}

static int compare_steps(const void *a, const void *b)
{
    double x = ((const hsgd_pep_step *)a)->step_size, y = ((const hsgd_pep_step *)b)->step_size;
    return (x > y) - (x < y);
}

static size_t least_of(const hsgd_pep_curve *c)
{
    size_t least = c->num_steps;
    for (size_t i = 0; i < c->num_steps; i++)
        if (isfinite(c->step[i].upper) && (least == c->num_steps || c->step[i].upper < c->step[least].upper))
            least = i;
    return least;
}

/* Golden section between the neighbours of the least step size; where one of them has no certificate, or ties with it, the
 * bracket stays as it is. */
static void narrow(walk *w, const hsgd_pep_step *at, double *low, double *high)
{
    gsl_min_fminimizer *minimizer = gsl_min_fminimizer_alloc(gsl_min_fminimizer_goldensection);
    gsl_function function = {at_log, w};
    hsgd_pep_step three[3] = {at[-1], at[0], at[1]}; /* the array grows while it is looked at */
    if (!minimizer) {
        w->status = hsgd_fail_memory(w->err, "the minimiser");
        return;
    }
    int status = gsl_min_fminimizer_set_with_values(minimizer, &function, log(three[1].step_size), three[1].upper,
                                                    log(*low), three[0].upper, log(*high), three[2].upper);
    while (!status && !w->status && log(*high / *low) > HSGD_PEP_STEP_SIZE_TOLERANCE) {
        status = gsl_min_fminimizer_iterate(minimizer);
        *low = exp(gsl_min_fminimizer_x_lower(minimizer));
        *high = exp(gsl_min_fminimizer_x_upper(minimizer));
    }
    gsl_min_fminimizer_free(minimizer);
}

static void find_best(walk *w)
{
    hsgd_pep_curve *c = w->curve;
    qsort(c->step, c->num_steps, sizeof *c->step, compare_steps);
    size_t least = least_of(c);
    c->best_inside = least > 0 && least + 1 < c->num_steps;
    if (least < c->num_steps)
        c->best_low = c->best_high = c->step[least].step_size;
    if (c->best_inside) {
        c->best_low = c->step[least - 1].step_size;
        c->best_high = c->step[least + 1].step_size;
        narrow(w, &c->step[least], &c->best_low, &c->best_high);
    }
    qsort(c->step, c->num_steps, sizeof *c->step, compare_steps);
    c->best = least_of(c);
    if (c->best < c->num_steps)
        c->step[c->best].mark = HSGD_PEP_AT_BEST;
}

/* The same of each bound, as far as it applies. */
static void find_best_of_bounds(walk *w)
{
    hsgd_pep_curve *c = w->curve;
    double from = w->curves->from / c->params.smoothness, ratio = w->curves->to / w->curves->from;
    for (size_t b = 0; b < HSGD_NUM_PEP_BOUNDS; b++) {
        c->bound_best[b] = c->bound_best_step_size[b] = NAN;
        for (size_t i = 0; i < BOUND_POINTS; i++) {
            c->params.step_size = from * pow(ratio, (double)i / (BOUND_POINTS - 1));
            double value = bound_at(c, b);
            if (isfinite(value) && !(value >= c->bound_best[b])) {
                c->bound_best[b] = value;
                c->bound_best_step_size[b] = c->params.step_size;
            }
        }
    }
}

/* ---- a curve ---- */

static void find_limits(hsgd_pep_curve *c)
{
    c->params.step_size = 1e-9 / c->params.smoothness; /* where every bound applies */
    for (size_t b = 0; b < HSGD_NUM_PEP_BOUNDS; b++) {
        hsgd_bound_value value;
        hsgd_bound_eval(hsgd_bound_find(bound_id[b]), &c->params, &value);
        c->max_step_size[b] = value.max_step_size;
    }
}

/* A limit that is in the range, and that no other limit has taken. */
static void solve_at_limit(walk *w, double step_size, hsgd_pep_mark mark)
{
    double scaled = step_size * w->curve->params.smoothness;
    for (size_t i = 0; i < w->curve->num_steps; i++)
        if (fabs(w->curve->step[i].step_size / step_size - 1) < 1e-9) {
            w->curve->step[i].mark = mark;
            return;
        }
    if (scaled >= w->curves->from && scaled <= w->curves->to)
        solve_at(w, step_size, mark);
}

static void follow(walk *w)
{
    hsgd_pep_curve *c = w->curve;
    double begin_s = hsgd_now_s(), from = w->curves->from / c->params.smoothness,
           ratio = w->curves->to / w->curves->from;
    find_limits(c);
    for (size_t i = 0; i < w->curves->points; i++)
        solve_at(w, from * pow(ratio, (double)i / (double)(w->curves->points - 1)), HSGD_PEP_PLAIN);
    solve_at_limit(w, c->max_step_size[HSGD_PEP_RECURSIVE], HSGD_PEP_AT_INVERSE_L);
    solve_at_limit(w, c->max_step_size[HSGD_PEP_SHARPENED], HSGD_PEP_AT_SHARPENED);
    solve_at_limit(w, c->max_step_size[HSGD_PEP_PUBLISHED], HSGD_PEP_AT_PUBLISHED);
    if (!w->status)
        find_best(w);
    find_best_of_bounds(w);
    c->wall_time_s = hsgd_now_s() - begin_s;
}

/* Grid, limits, and about as many steps of the golden section as a bracket of two grid steps takes. */
static double solves_of(const hsgd_pep_curves *curves)
{
    double width = 2 * log(curves->to / curves->from) / (double)(curves->points - 1);
    return (double)curves->points + 3 + fmax(0, log(width / HSGD_PEP_STEP_SIZE_TOLERANCE) / log(1.618));
}

hsgd_status hsgd_pep_curves_run(hsgd_pep_curves *curves, void (*progress)(void *context, double fraction),
                                void *progress_context, hsgd_error *err)
{
    hsgd_error own = {0};
    walk w = {.curves = curves,
              .progress = progress,
              .context = progress_context,
              .total = solves_of(curves) * (double)curves->grid.num_points,
              .err = err ? err : &own};
    for (size_t i = 0; i < curves->grid.num_points && !w.status; i++) {
        w.curve = &curves->curve[i];
        follow(&w);
    }
    return w.status;
}
