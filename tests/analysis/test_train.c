/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributed training, with threads as ranks: models and losses are those of the engine to rounding, on trees with two and
 * three levels, uneven ones, with weights, with places drawn, on quadratics and on data; every rank takes part in the
 * averages that the tree says; and each time is that of what it is named after: a slow worker makes the others wait. */
#include "tests/analysis/class_data.h"
#include "tests/analysis/thread_collectives.h"
#include "tests/analysis/trees.h"

#include <unistd.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "analysis/engine.h"
#include "analysis/linear_model.h"
#include "analysis/quadratic.h"
#include "analysis/train.h"
#include "analysis/train_probe.h"

static hsgd_error err;

/* What all ranks do, and what each has in the end. */
typedef struct together {
    hsgd_training training;
    hsgd_training_record record[MOST_RANKS];
    size_t groups_ranks[MOST_RANKS][HSGD_MAX_LEVELS]; /* how many ranks each rank counts in its nodes */
    hsgd_status status[MOST_RANKS];
    hsgd_error err[MOST_RANKS];
} together;

static void train_as(void *context, const hsgd_collectives *ranks)
{
    together *t = context;
    hsgd_tree_groups groups;
    hsgd_error *error = &t->err[ranks->rank];
    hsgd_status status = hsgd_tree_groups_make(&groups, ranks, t->training.hierarchy, error);
    if (status) {
        t->status[ranks->rank] = status;
        return;
    }
    for (size_t k = 0; k < groups.depths; k++) {
        double one = 1;
        ranks->sum(ranks->context, groups.group[k], &one, 1, error);
        t->groups_ranks[ranks->rank][k] = (size_t)one;
    }
    t->status[ranks->rank] = hsgd_train(&t->record[ranks->rank], &t->training, &groups, error);
    hsgd_tree_groups_free(&groups);
}

static void train_together(together *t)
{
    run_ranks(t->training.hierarchy->num_workers, train_as, t);
}

static void free_records(together *t)
{
    for (size_t r = 0; r < MOST_RANKS; r++)
        hsgd_training_record_free(&t->record[r]);
}

static hsgd_trace simulate(const hsgd_training *t)
{
    hsgd_trace trace;
    hsgd_simulation simulation = {.objective = t->objective,
                                  .hierarchy = t->hierarchy,
                                  .initial = t->initial,
                                  .placement = t->placement,
                                  .step_size = t->step_size,
                                  .steps = t->steps,
                                  .batch_size = t->batch_size,
                                  .measure_every = t->measure_every,
                                  .seed = t->seed,
                                  .threads = 1};
    assert_ok(hsgd_simulate(&trace, &simulation, &err), err);
    return trace;
}

/* Every rank ends with what the engine has. */
static void check_against_engine(const hsgd_training *training)
{
    together *t = calloc(1, sizeof *t);
    t->training = *training;
    hsgd_trace trace = simulate(training);
    train_together(t);
    for (size_t r = 0; r < training->hierarchy->num_workers; r++) {
        const hsgd_training_record *record = &t->record[r];
        assert_ok(t->status[r], t->err[r]);
        assert_int_equal(record->num_measured, trace.num_measured);
        for (size_t i = 0; i <= trace.num_measured; i++) {
            assert_int_equal(record->step[i], trace.step[i]);
            check_close(record->loss[i], trace.loss[i], 1e-9, 1e-3, "loss", __FILE__, __LINE__);
            assert_close(record->grad_norm_sq[i], trace.grad_norm_sq[i], 1e-9);
        }
        for (size_t i = 0; i < trace.dim; i++)
            check_close(record->final_point[i], trace.final_point[i], 1e-9, 1e-3, "w", __FILE__, __LINE__);
    }
    hsgd_trace_free(&trace);
    free_records(t);
    free(t);
}

/* ---- problems ---- */

static hsgd_quadratic generated(const hsgd_hierarchy *h, size_t dim, const hsgd_curvature_spread *spread)
{
    hsgd_quadratic q;
    const double level[] = {0.83, 0.41, 1.27}, none[] = {0};
    hsgd_quadratic_spec spec = {dim, 0.07, 1.3, h->num_workers > 1 ? level : none, 2.3, 11};
    assert_ok(hsgd_quadratic_generate_spread(&q, h, &spec, spread, &err), err);
    return q;
}

static void check_quadratic(hsgd_hierarchy *h, const hsgd_curvature_spread *spread, const size_t *placement,
                            size_t kept_bytes)
{
    double initial[13];
    hsgd_quadratic q = generated(h, 13, spread);
    hsgd_objective objective;
    assert_ok(hsgd_quadratic_objective(&objective, &q, h->worker_weight, &err), err);
    for (size_t i = 0; i < 13; i++)
        initial[i] = 0.3 * (double)i - 1.1;
    check_against_engine(&(hsgd_training){.objective = &objective,
                                          .hierarchy = h,
                                          .initial = initial,
                                          .placement = placement,
                                          .step_size = 0.043,
                                          .steps = 53, /* no multiple of a period */
                                          .measure_every = 3,
                                          .kept_bytes = kept_bytes,
                                          .seed = 29});
    hsgd_objective_free(&objective);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(h);
}

/* ---- the engine's numbers ---- */

static void quadratics_train_as_the_engine_has_it(void **state)
{
    (void)state;
    hsgd_hierarchy two = uniform((size_t[]){2, 3}, (size_t[]){6, 2}, 2);
    check_quadratic(&two, NULL, NULL, 1 << 20);
    hsgd_hierarchy three = uniform((size_t[]){2, 2, 2}, (size_t[]){12, 6, 3}, 3);
    check_quadratic(&three, &(hsgd_curvature_spread){0.2, NULL}, NULL, 1 << 20);
    hsgd_hierarchy uneven = crooked();
    check_quadratic(&uneven, &(hsgd_curvature_spread){0.1, NULL}, NULL, 1 << 20);
    hsgd_hierarchy alone = uniform((size_t[]){1}, (size_t[]){4}, 1);
    check_quadratic(&alone, NULL, NULL, 1 << 20);
}

static void weights_and_places_are_those_of_the_engine(void **state)
{
    (void)state;
    const double weight[10] = {1.5, 0.7, 2.2, 1, 0.4, 3.1, 1.1, 0.9, 1.3, 0.6};
    const size_t placement[10] = {7, 2, 9, 0, 4, 1, 8, 3, 6, 5};
    hsgd_hierarchy weighted = crooked(), moved = crooked();
    assert_ok(hsgd_hierarchy_set_weights(&weighted, weight, &err), err);
    check_quadratic(&weighted, &(hsgd_curvature_spread){0.1, NULL}, NULL, 1 << 20);
    check_quadratic(&moved, &(hsgd_curvature_spread){0.1, NULL}, placement, 1 << 20);
}

/* Room for one copy of a model, and for four: f is evaluated in pauses. */
static void pauses_change_no_number(void **state)
{
    (void)state;
    hsgd_hierarchy one = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2),
                   four = uniform((size_t[]){4}, (size_t[]){5}, 1);
    check_quadratic(&one, NULL, NULL, 1);
    check_quadratic(&four, NULL, NULL, 4 * 13 * sizeof(double) + 5);
}

static void softmax_regression_trains_as_the_engine_has_it(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 3}, (size_t[]){8, 2}, 2);
    hsgd_dataset data = class_data(6 * 9 + 5, 7, 3, 1.1);
    const size_t start[] = {0, 9, 20, 29, 38, 50, 59};
    hsgd_objective objective;
    assert_ok(hsgd_linear_model_objective(&objective, HSGD_LINK_SOFTMAX, &data, start, 6,
                                          (hsgd_regularizer){HSGD_REGULARIZER_L2, 0.01}, &err),
              err);
    double *initial = calloc(objective.dim, sizeof *initial);
    for (size_t batch = 0; batch <= 4; batch += 4)
        check_against_engine(&(hsgd_training){.objective = &objective,
                                              .hierarchy = &h,
                                              .initial = initial,
                                              .step_size = 0.2,
                                              .steps = 37,
                                              .batch_size = batch,
                                              .measure_every = 1,
                                              .kept_bytes = 1 << 20,
                                              .seed = 3});
    free(initial);
    hsgd_objective_free(&objective);
    hsgd_dataset_free(&data);
    hsgd_hierarchy_free(&h);
}

/* A step size far above 2/L. */
static void a_diverging_run_is_told_from_the_same_step_on(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    hsgd_quadratic q = generated(&h, 3, NULL);
    hsgd_objective objective;
    const double initial[3] = {1, 2, 3};
    together *t = calloc(1, sizeof *t);
    assert_ok(hsgd_quadratic_objective(&objective, &q, NULL, &err), err);
    t->training = (hsgd_training){.objective = &objective,
                                  .hierarchy = &h,
                                  .initial = initial,
                                  .step_size = 1e20,
                                  .steps = 30,
                                  .measure_every = 2,
                                  .kept_bytes = 1 << 20,
                                  .seed = 29};
    hsgd_trace trace = simulate(&t->training);
    train_together(t);
    assert_true(trace.diverged_at != HSGD_NOT_DIVERGED && trace.diverged_at > 2);
    for (size_t r = 0; r < 4; r++) {
        assert_ok(t->status[r], t->err[r]);
        assert_int_equal(t->record[r].diverged_at, trace.diverged_at);
        for (size_t i = 0; i <= trace.num_measured; i++)
            assert_true(isinf(t->record[r].loss[i]) == (trace.step[i] >= trace.diverged_at));
    }
    hsgd_trace_free(&trace);
    free_records(t);
    free(t);
    hsgd_objective_free(&objective);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* What one rank is told. */
typedef struct told {
    size_t count, last;
} told;

static void note_progress(void *context, size_t steps_done)
{
    told *all = context;
    all->count++;
    assert_true(steps_done > all->last);
    all->last = steps_done;
}

/* Of few steps every one is told, of many about a hundred, among them always the last one. */
static void progress_ends_with_the_last_step(void **state)
{
    (void)state;
    static const struct {
        size_t steps, times;
    } cases[] = {{1, 1}, {7, 7}, {250, 125}, {251, 126}};
    hsgd_hierarchy h = uniform((size_t[]){1}, (size_t[]){4}, 1);
    hsgd_quadratic q = generated(&h, 3, NULL);
    hsgd_objective objective;
    assert_ok(hsgd_quadratic_objective(&objective, &q, NULL, &err), err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        told all = {0};
        together *t = calloc(1, sizeof *t);
        t->training = (hsgd_training){.objective = &objective,
                                      .hierarchy = &h,
                                      .initial = (double[3]){1, 2, 3},
                                      .step_size = 0.01,
                                      .steps = cases[i].steps,
                                      .measure_every = 1000,
                                      .kept_bytes = 1 << 20,
                                      .progress = note_progress,
                                      .progress_context = &all};
        train_together(t);
        assert_ok(t->status[0], t->err[0]);
        assert_int_equal(all.count, cases[i].times);
        assert_int_equal(all.last, cases[i].steps);
        free_records(t);
        free(t);
    }
    hsgd_objective_free(&objective);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* ---- averages and times ---- */

/* F_j = ||w||^2/2 without noise; the worker `slow` takes SLOW_US longer for each gradient. */
enum { SLOW_US = 4000 };
static const size_t slow = 1;

static size_t no_scratch(const hsgd_objective *objective, size_t batch_size)
{
    (void)objective, (void)batch_size;
    return 0;
}

static void lazy_gradient(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                          uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    (void)batch_size, (void)seed, (void)step, (void)scratch;
    memcpy(grad, point, objective->dim * sizeof *grad);
    if (worker == slow)
        usleep(SLOW_US);
}

static void lazy_full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count,
                      double *loss, double *grad, double *scratch)
{
    (void)worker, (void)count, (void)scratch;
    *loss = 0;
    for (size_t i = 0; i < objective->dim; i++) {
        *loss += point[i] * point[i] / 2;
        grad[i] = point[i];
    }
}

/* A busy system may delay single ones. */
static double median(const double *value, size_t count)
{
    double sorted[32];
    memcpy(sorted, value, count * sizeof *value);
    gsl_sort(sorted, 1, count);
    return gsl_stats_median_from_sorted_data(sorted, 1, count);
}

/* Groups {0, 1}, {2, 3} that average every 2 steps, the root every 4: worker 1 is late by two slow steps each time. */
static void a_slow_worker_makes_the_others_wait(void **state)
{
    (void)state;
    static const hsgd_objective_type type = {
        .name = "lazy", .scratch_size = no_scratch, .stochastic = lazy_gradient, .full = lazy_full};
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    hsgd_objective objective = {.type = &type, .dim = 3, .num_workers = 4};
    const double initial[3] = {1, 2, 3};
    together *t = calloc(1, sizeof *t);
    t->training = (hsgd_training){.objective = &objective,
                                  .hierarchy = &h,
                                  .initial = initial,
                                  .step_size = 0.1,
                                  .steps = 20,
                                  .measure_every = 100,
                                  .kept_bytes = 1 << 20};
    train_together(t);
    const double slow_s = 1e-6 * SLOW_US;
    double wait[2][10], step[20];
    for (size_t r = 0; r < 4; r++) {
        size_t count[2] = {0};
        const hsgd_training_record *record = &t->record[r];
        assert_ok(t->status[r], t->err[r]);
        for (size_t i = 0; i < record->num_averages; i++)
            wait[record->average[i].depth][count[record->average[i].depth]++] = record->average[i].wait_s;
        assert_true(count[0] == 5 && count[1] == 5);
        memcpy(step, record->compute_s, sizeof step);
        assert_true(r == slow ? median(step, 20) >= slow_s : median(step, 20) < slow_s / 2);
        /* at the end of a round worker 0 waits for its own late neighbour, the others for both of its rounds */
        double inner = median(wait[1], 5), outer = median(wait[0], 5);
        assert_true(r == 0 ? inner > 1.9 * slow_s : inner < slow_s);
        assert_true(r == slow ? outer < slow_s : r == 0 ? outer > 1.9 * slow_s : outer > 3.5 * slow_s);
        assert_true(record->total_s >= 20 * slow_s);
        check_close(record->loss[1], 7 * pow(0.9, 40), 1e-12, 0, "loss", __FILE__, __LINE__);
    }
    free_records(t);
    free(t);
    hsgd_hierarchy_free(&h);
}

/* Which node acts when, from its definition: the topmost one above a worker whose period divides the step. */
static void ranks_average_with_those_of_the_topmost_due_node(void **state)
{
    (void)state;
    hsgd_hierarchy h = more_crooked();
    hsgd_quadratic q = generated(&h, 4, NULL);
    hsgd_objective objective;
    const double initial[4] = {0};
    together *t = calloc(1, sizeof *t);
    assert_ok(hsgd_quadratic_objective(&objective, &q, NULL, &err), err);
    t->training = (hsgd_training){.objective = &objective,
                                  .hierarchy = &h,
                                  .initial = initial,
                                  .step_size = 0.1,
                                  .steps = 50,
                                  .measure_every = 50,
                                  .kept_bytes = 1 << 20};
    train_together(t);
    for (size_t r = 0; r < h.num_workers; r++) {
        size_t seen = 0;
        assert_ok(t->status[r], t->err[r]);
        for (size_t step = 1; step <= 50; step++) {
            size_t depth = HSGD_NO_NODE;
            for (size_t u = h.num_nodes; u-- > 0;) /* the root last */
                if (r >= h.node[u].first_worker && r < h.node[u].first_worker + h.node[u].num_workers) {
                    assert_int_equal(t->groups_ranks[r][h.node[u].depth], h.node[u].num_workers);
                    depth = step % h.node[u].period == 0 ? h.node[u].depth : depth;
                }
            if (depth == HSGD_NO_NODE)
                continue;
            assert_true(seen < t->record[r].num_averages);
            assert_int_equal(t->record[r].average[seen].step, step);
            assert_int_equal(t->record[r].average[seen++].depth, depth);
        }
        assert_int_equal(seen, t->record[r].num_averages);
        assert_int_equal(seen, hsgd_training_averages(&h, r, 50));
    }
    free_records(t);
    free(t);
    hsgd_objective_free(&objective);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* ---- probes ---- */

typedef struct probing {
    const hsgd_hierarchy *h;
    hsgd_probing how;
    size_t count; /* times of a depth */
    double time_s[MOST_RANKS][3 * 4 * 5];
    size_t works[MOST_RANKS], numbers[MOST_RANKS];
    hsgd_status status[MOST_RANKS];
} probing;

typedef struct own_work {
    size_t works, numbers;
} own_work;

static void count_work(void *context, double *data, size_t size)
{
    own_work *own = context;
    own->works++;
    own->numbers += size;
    for (size_t i = 0; i < size; i++)
        data[i] = 1;
}

static void probe_as(void *context, const hsgd_collectives *ranks)
{
    probing *p = context;
    hsgd_tree_groups groups;
    own_work own = {0};
    hsgd_probing how = p->how;
    how.work = count_work;
    how.work_context = &own;
    p->status[ranks->rank] = hsgd_tree_groups_make(&groups, ranks, p->h, NULL);
    if (!p->status[ranks->rank])
        p->status[ranks->rank] = hsgd_probe(p->time_s[ranks->rank], &how, p->h->num_levels, &groups, NULL);
    hsgd_tree_groups_free(&groups);
    p->works[ranks->rank] = own.works;
    p->numbers[ranks->rank] = own.numbers;
}

/* All sizes, as often as asked for, at each depth that a rank has a node of. */
static void probes_cover_all_sizes_and_depths(void **state)
{
    (void)state;
    hsgd_hierarchy h = crooked();
    probing *p = calloc(1, sizeof *p);
    p->h = &h;
    p->how = (hsgd_probing){.num_sizes = 4, .size = {0, 1, 10, 100}, .repeats = 5, .seed = 7};
    run_ranks(h.num_workers, probe_as, p);
    for (size_t r = 0; r < h.num_workers; r++) {
        size_t node[HSGD_MAX_LEVELS], depths = hsgd_nodes_above(node, &h, r);
        assert_int_equal(p->status[r], HSGD_OK);
        assert_int_equal(p->works[r], depths * 4 * 5);
        assert_int_equal(p->numbers[r], depths * 5 * 111);
        for (size_t i = 0; i < 3 * 20; i++)
            assert_true(i / 20 < depths ? p->time_s[r][i] > 0 : isnan(p->time_s[r][i]));
    }
    free(p);
    hsgd_hierarchy_free(&h);
}

static void sizes_lie_around_the_model(void **state)
{
    (void)state;
    static const size_t dims[] = {1, 2, 7, 100, 2000, 7850, 8192, 1000000};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        hsgd_probing p = {0};
        bool has_model = false;
        hsgd_probing_sizes(&p, dims[i]);
        assert_true(p.num_sizes >= 6 && p.num_sizes <= HSGD_PROBE_MAX_SIZES);
        assert_int_equal(p.size[0], 0);
        for (size_t k = 1; k < p.num_sizes; k++) {
            assert_true(p.size[k] > p.size[k - 1]);
            has_model = has_model || p.size[k] == dims[i];
        }
        assert_true(has_model);
        assert_true(p.size[p.num_sizes - 1] >= 8192 && p.size[p.num_sizes - 1] >= 4 * dims[i]);
    }
    assert_true(hsgd_clock_cost_s() > 0 && hsgd_clock_cost_s() < 1e-4);
}

/* ---- refusals ---- */

static void what_cannot_be_trained_is_refused(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2), other = uniform((size_t[]){3}, (size_t[]){4}, 1);
    hsgd_quadratic q = generated(&other, 2, NULL);
    hsgd_objective objective;
    together *t = calloc(1, sizeof *t);
    assert_ok(hsgd_quadratic_objective(&objective, &q, NULL, &err), err);
    t->training = (hsgd_training){.objective = &objective,
                                  .hierarchy = &h,
                                  .initial = (double[2]){0},
                                  .step_size = 0.1,
                                  .steps = 4,
                                  .measure_every = 1};
    train_together(t);
    assert_fails(t->status[2], HSGD_ERROR_INPUT, "4 ranks, 4 workers in the hierarchy, 3 in the problem", t->err[2]);
    t->training.step_size = NAN;
    train_together(t);
    assert_fails(t->status[0], HSGD_ERROR_INPUT, "step_size: nan", t->err[0]);
    t->training.step_size = 0.1;
    t->training.steps = 0;
    train_together(t);
    assert_fails(t->status[3], HSGD_ERROR_INPUT, "steps and measure_every must be at least 1", t->err[3]);
    t->training.hierarchy = &other;
    run_ranks(2, train_as, t);
    assert_fails(t->status[1], HSGD_ERROR_INPUT, "3 workers, but there are 2 ranks", t->err[1]);
    free(t);
    hsgd_objective_free(&objective);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
    hsgd_hierarchy_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratics_train_as_the_engine_has_it),
        cmocka_unit_test(weights_and_places_are_those_of_the_engine),
        cmocka_unit_test(pauses_change_no_number),
        cmocka_unit_test(softmax_regression_trains_as_the_engine_has_it),
        cmocka_unit_test(a_diverging_run_is_told_from_the_same_step_on),
        cmocka_unit_test(progress_ends_with_the_last_step),
        cmocka_unit_test(a_slow_worker_makes_the_others_wait),
        cmocka_unit_test(ranks_average_with_those_of_the_topmost_due_node),
        cmocka_unit_test(probes_cover_all_sizes_and_depths),
        cmocka_unit_test(sizes_lie_around_the_model),
        cmocka_unit_test(what_cannot_be_trained_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
