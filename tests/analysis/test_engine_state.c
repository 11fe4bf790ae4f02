/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run that is stopped between two windows and goes on from its bytes, in a new engine with other threads, gives the numbers
 * of a run that was not stopped, to the bit: stopped once after every window, and after all of them in turn, with everything
 * that measurements and variants keep, and with rounds that are whole, cut after every step, or anywhere. Traces are compared array by array, without the functions that pack them. Bytes that
 * are cut short or belong to another run are refused. */
#include "tests/analysis/class_data.h"
#include "tests/analysis/trees.h"

#include "analysis/engine_private.h"
#include "analysis/engine_state.h"
#include "analysis/ensemble.h"
#include "analysis/linear_model.h"
#include "analysis/quadratic.h"
#include "analysis/trace_bytes.h"

static hsgd_error err;

/* ---- equal traces ---- */

static void same_doubles(const double *a, const double *b, size_t count, const char *what)
{
    if ((a == NULL) != (b == NULL) || (a && memcmp(a, b, count * sizeof *a) != 0)) {
        print_error("%s differs\n", what);
        fail();
    }
}

static void same_trace(const hsgd_trace *a, const hsgd_trace *b)
{
    size_t rows = a->num_measured, levels = a->num_levels, nodes = a->num_nodes;
    const size_t sizes[] = {rows, levels, nodes, a->num_workers, a->dim, a->diverged_at};
    const size_t others[] = {b->num_measured, b->num_levels, b->num_nodes, b->num_workers, b->dim, b->diverged_at};
    assert_memory_equal(sizes, others, sizeof sizes);
    assert_memory_equal(a->step, b->step, (rows + 1) * sizeof *a->step);
#define SAME(field, count) same_doubles(a->field, b->field, (count), #field)
    SAME(loss, rows + 1);
    SAME(grad_norm_sq, rows + 1);
    SAME(divergence, (rows + 1) * levels);
    SAME(divergence_at_nodes, rows * levels);
    SAME(dispersion, rows * levels);
    SAME(node_divergence_mean, nodes);
    SAME(node_divergence_max, nodes);
    SAME(node_divergence_at_node_max, nodes);
    SAME(node_dispersion_mean, nodes);
    SAME(node_deviation_max_sq, nodes);
    SAME(final_point, a->dim);
    SAME(worker_noise_sq, a->num_workers);
    SAME(metric, (rows + 1) * HSGD_NUM_METRICS);
    same_doubles(&a->worker_deviation_max_sq, &b->worker_deviation_max_sq, 1, "worker_deviation_max_sq");
    same_doubles(&a->gradient_identity_error, &b->gradient_identity_error, 1, "gradient_identity_error");
    same_doubles(&a->parameter_identity_error, &b->parameter_identity_error, 1, "parameter_identity_error");
    assert_true((a->proof == NULL) == (b->proof == NULL));
    same_doubles(a->proof ? &a->proof->mean_gradient_sq : NULL, b->proof ? &b->proof->mean_gradient_sq : NULL,
                 rows * sizeof *a->proof / sizeof(double), "proof");
    assert_memory_equal(&a->smoothness, &b->smoothness, sizeof a->smoothness);
    assert_memory_equal(&a->path_smoothness, &b->path_smoothness, sizeof a->path_smoothness);
}

/* ---- a keeper of one run ---- */

typedef struct shelf {
    hsgd_bytes state;  /* {0}: none */
    size_t asked;      /* times, in this run */
    size_t stop_after; /* stop when asked so often; 0: never */
    bool save_always;
    bool refuses; /* to begin */
    size_t done;
    size_t step; /* of the state */
} shelf;

static hsgd_pause ask(void *context, uint64_t seed, size_t step)
{
    shelf *s = context;
    (void)seed;
    if (step == 0)
        return s->refuses ? HSGD_STOP : HSGD_GO_ON;
    return ++s->asked == s->stop_after ? HSGD_SAVE_AND_STOP : s->save_always ? HSGD_SAVE : HSGD_GO_ON;
}

static hsgd_status save(void *context, uint64_t seed, size_t step, const hsgd_bytes *state, hsgd_error *error)
{
    shelf *s = context;
    (void)seed;
    (void)error;
    assert_false(state->failed);
    hsgd_bytes_free(&s->state);
    hsgd_bytes_put(&s->state, state->data, state->size);
    s->step = step;
    return HSGD_OK;
}

static hsgd_status load(void *context, uint64_t seed, hsgd_bytes *state, hsgd_error *error)
{
    const shelf *s = context;
    (void)seed;
    (void)error;
    if (s->state.size)
        hsgd_bytes_put(state, s->state.data, s->state.size);
    return HSGD_OK;
}

static void done(void *context, uint64_t seed, const hsgd_trace *trace)
{
    shelf *s = context;
    s->done++;
    hsgd_bytes_free(&s->state);
    hsgd_state_pack_done(&s->state, seed, trace);
}

static hsgd_keeper keeper_of(shelf *s)
{
    return (hsgd_keeper){s, ask, save, load, done, 0};
}

/* ---- stops ---- */

/* Returns how often the run is asked. */
static size_t run_through(hsgd_trace *out, hsgd_simulation s)
{
    shelf x = {.save_always = true}; /* saving changes nothing */
    hsgd_keeper keeper = keeper_of(&x);
    hsgd_trace plain;
    size_t cuts = s.cuts;
    s.cuts = 0; /* nor does it change anything where rounds are cut */
    assert_ok(hsgd_simulate(&plain, &s, &err), err);
    s.keeper = &keeper;
    s.cuts = cuts;
    assert_ok(hsgd_simulate(out, &s, &err), err);
    same_trace(out, &plain);
    assert_int_equal(x.done, 1);
    hsgd_trace_free(&plain);
    hsgd_bytes_free(&x.state);
    return x.asked;
}

/* Stop after so many windows, then after so many more, and so on; 0: to the end at once. */
static void run_in_pieces(const hsgd_trace *want, hsgd_simulation s, size_t first, size_t then)
{
    shelf x = {.stop_after = first};
    hsgd_keeper keeper = keeper_of(&x);
    hsgd_trace got;
    hsgd_status status;
    s.keeper = &keeper;
    while ((status = hsgd_simulate(&got, &s, &err)) == HSGD_STOPPED) {
        x.asked = 0;
        x.stop_after = then;
        s.threads = s.eager_threads ? s.threads % 3 + 1 : 1;
        s.cuts = s.cuts ? (s.cuts + 1) % 4 : 0;
    }
    assert_ok(status, err);
    same_trace(&got, want);
    hsgd_trace_free(&got);
    assert_ok(hsgd_simulate(&got, &s, &err), err); /* it is done: taken, and not made again */
    assert_int_equal(x.done, 1);
    same_trace(&got, want);
    hsgd_trace_free(&got);
    hsgd_bytes_free(&x.state);
}

static void stop_everywhere(const hsgd_simulation *s)
{
    hsgd_trace want;
    size_t windows = run_through(&want, *s);
    assert_true(windows > 0);
    for (size_t k = 1; k <= windows; k++)
        run_in_pieces(&want, *s, k, 0);
    run_in_pieces(&want, *s, 1, 1);
    run_in_pieces(&want, *s, 1, 2);
    hsgd_trace_free(&want);
}

/* ---- everything that is measured ---- */

enum { DIM = 5 };
static const double initial[DIM] = {0.3, -1.7, 2.2, 0.9, -0.4};

static hsgd_quadratic generated(const hsgd_hierarchy *h, size_t dim, double noise_sq)
{
    hsgd_quadratic q;
    const double divergence[] = {0.8, 0.6, 0.4};
    const double level[] = {0.1, 0.2, 0.1};
    const hsgd_curvature_spread spread = {0.1, level};
    const hsgd_quadratic_spec spec = {dim, 0.2, 1.3, divergence, noise_sq, 4};
    assert_ok(hsgd_quadratic_generate_spread(&q, h, &spec, &spread, &err), err);
    return q;
}

static void on_tree(hsgd_hierarchy *h, const hsgd_variant *variant, double noise_sq, bool all_flags)
{
    hsgd_quadratic q = generated(h, DIM, noise_sq);
    hsgd_objective f;
    size_t placement[100];
    for (size_t j = 0; j < h->num_workers; j++)
        placement[j] = (j + 2) % h->num_workers;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = h,
                         .initial = initial,
                         .placement = placement,
                         .step_size = 0.3,
                         .steps = 29,
                         .variant = variant,
                         .exact_gradients = noise_sq == 0,
                         .seed = 5,
                         .threads = 1};
    for (int flags = 0; flags < 8; flags += all_flags ? 1 : 7)
        for (s.measure_every = flags % 7 ? 3 : 1; s.measure_every < 5; s.measure_every += 2) {
            s.eager_threads = s.measure_every == 3 && flags % 7 == 0;
            s.measure_maxima = flags & 1;
            s.measure_proof = flags & 2 && !variant;
            s.measure_smoothness = s.measure_proof;
            s.measure_at_nodes = flags & 4 && !variant;
            s.cuts = flags == 7 && s.measure_every == 1 ? 1 : flags == 1 && s.measure_every == 3 ? 3 : 0;
            if (!variant || flags < 2)
                stop_everywhere(&s);
        }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void every_measurement_goes_on(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {
        uniform((size_t[]){3, 6}, (size_t[]){6, 2}, 2), uniform((size_t[]){2, 2, 3}, (size_t[]){8, 4, 2}, 3),
        uniform((size_t[]){9}, (size_t[]){4}, 1), uniform((size_t[]){35, 2}, (size_t[]){6, 3}, 2), crooked()};
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        double weight[100];
        bool last = i == sizeof tree / sizeof *tree - 1;
        on_tree(&tree[i], NULL, 0.3, last);
        on_tree(&tree[i], NULL, 0, false);
        for (size_t j = 0; j < tree[i].num_workers; j++)
            weight[j] = 1 + (double)(j % 3);
        assert_ok(hsgd_hierarchy_set_weights(&tree[i], weight, &err), err);
        on_tree(&tree[i], NULL, 0.3, false);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* Each alone and all together: what a variant remembers over a window is drawn participants, velocities, anchors and places. */
static void every_variant_goes_on(void **state)
{
    (void)state;
    hsgd_variant v[9];
    for (size_t i = 0; i < 9; i++)
        v[i] = HSGD_PLAIN_VARIANT;
    v[0].decay = HSGD_DECAY_COSINE;
    v[0].warmup_steps = 9;
    v[1].momentum = 0.6;
    v[2].momentum = v[3].momentum = 0.6;
    v[2].momentum_rule = HSGD_MOMENTUM_RESET;
    v[3].momentum_rule = HSGD_MOMENTUM_AVERAGED;
    v[4].participation = 0.4;
    v[5].participants = 2;
    v[5].with_replacement = true;
    v[6].regroup = true;
    v[7].group_step_size = 0.8;
    v[7].global_step_size = 1.2;
    v[8] = v[7];
    v[8].momentum = 0.5;
    v[8].participation = 0.5;
    v[8].regroup = true;
    hsgd_hierarchy tree[] = {uniform((size_t[]){3, 6}, (size_t[]){6, 2}, 2),
                             uniform((size_t[]){2, 2, 3}, (size_t[]){8, 4, 2}, 3)};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 9; k++)
            on_tree(&tree[i], &v[k], 0.3, true);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* ---- windows that memory cuts: models outlive them ---- */

static void on_cut_windows(const hsgd_variant *variant, bool proof)
{
    size_t large = proof ? 80000 : 200000;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){12, 4}, 2);
    hsgd_quadratic q = generated(&h, large, 0.3);
    hsgd_objective f;
    hsgd_trace want;
    double *point = calloc(large, sizeof *point);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = point,
                         .step_size = 0.3,
                         .steps = 14,
                         .measure_every = 1,
                         .measure_proof = proof,
                         .measure_smoothness = proof,
                         .variant = variant,
                         .seed = 5,
                         .threads = 2};
    assert_true(run_through(&want, s) > 1); /* more windows than rounds */
    run_in_pieces(&want, s, 1, 1);
    hsgd_trace_free(&want);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
    free(point);
}

static void kept_models_go_on(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.participation = 0.5; /* rounds that last longer than a window */
    v.group_step_size = 0.8;
    v.momentum = 0.5;
    v.regroup = true;
    on_cut_windows(NULL, true);
    on_cut_windows(&v, false);
}

/* ---- models on data, and their metrics ---- */

static void metrics_go_on(void **state)
{
    (void)state;
    enum { WORKERS = 6, SAMPLES = 600, FEATURES = 7 };
    hsgd_dataset train = class_data(SAMPLES, FEATURES, 3, 1.1), test = class_data(90, FEATURES, 3, 1.1);
    hsgd_hierarchy h = uniform((size_t[]){3, 2}, (size_t[]){4, 2}, 2);
    const size_t start[WORKERS + 1] = {0, 100, 200, 300, 400, 500, SAMPLES};
    const double zero[3 * FEATURES] = {0};
    hsgd_objective f;
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &train, start, WORKERS,
                                          (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, &err),
              err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = zero,
                         .step_size = 0.3,
                         .steps = 21,
                         .batch_size = 3,
                         .measure_every = 2,
                         .measure_proof = true,
                         .measure_at_nodes = true,
                         .evaluate_every = 3,
                         .train = &train,
                         .test = &test,
                         .seed = 5,
                         .threads = 1};
    for (s.cuts = 0; s.cuts <= 2; s.cuts += 2)
        stop_everywhere(&s);
    hsgd_objective_free(&f);
    hsgd_hierarchy_free(&h);
    hsgd_dataset_free(&train);
    hsgd_dataset_free(&test);
}

/* ---- an ensemble, and a run that diverges ---- */

typedef struct shelves {
    shelf of[5]; /* by seed, from first_seed = 7 */
} shelves;

static hsgd_pause ask_all(void *context, uint64_t seed, size_t step)
{
    return ask(&((shelves *)context)->of[seed - 7], seed, step);
}

static hsgd_status save_all(void *context, uint64_t seed, size_t step, const hsgd_bytes *state, hsgd_error *error)
{
    return save(&((shelves *)context)->of[seed - 7], seed, step, state, error);
}

static hsgd_status load_all(void *context, uint64_t seed, hsgd_bytes *state, hsgd_error *error)
{
    return load(&((shelves *)context)->of[seed - 7], seed, state, error);
}

static void done_all(void *context, uint64_t seed, const hsgd_trace *trace)
{
    done(&((shelves *)context)->of[seed - 7], seed, trace);
}

/* Three seeds stop at different windows, two are done; all go on together. The step size makes runs diverge, some of them
 * before they would be asked to stop. */
static void seeds_go_on(double step_size)
{
    hsgd_hierarchy h = uniform((size_t[]){3, 2}, (size_t[]){4, 2}, 2);
    hsgd_quadratic q = generated(&h, DIM, 0.3);
    hsgd_objective f;
    hsgd_ensemble want, got;
    shelves x = {.of = {{.stop_after = 3}, {.done = 0}, {.stop_after = 1}, {.done = 0}, {.stop_after = 6}}};
    const hsgd_keeper keeper = {&x, ask_all, save_all, load_all, done_all, 0};
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = step_size,
                         .steps = 700,
                         .measure_proof = true,
                         .measure_every = 1};
    assert_ok(hsgd_ensemble_run(&want, &s, 5, 7, NULL, 2, &err), err);
    s.keeper = &keeper;
    assert_int_equal(hsgd_ensemble_run(&got, &s, 5, 7, NULL, 2, &err), HSGD_STOPPED);
    for (size_t r = 0; r < 5; r++)
        x.of[r].stop_after = 0;
    assert_ok(hsgd_ensemble_run(&got, &s, 5, 7, NULL, 3, &err), err);
    for (size_t r = 0; r < 5; r++) {
        same_trace(&got.trace[r], &want.trace[r]);
        assert_int_equal(x.of[r].done, 1);
        hsgd_bytes_free(&x.of[r].state);
    }
    assert_true((want.trace[0].diverged_at != HSGD_NOT_DIVERGED) == (step_size > 3));
    hsgd_ensemble_free(&want);
    hsgd_ensemble_free(&got);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

static void ensembles_go_on(void **state)
{
    (void)state;
    seeds_go_on(0.3);
    seeds_go_on(9);
}

/* ---- bytes that do not fit ---- */

typedef struct stopped_run {
    hsgd_hierarchy h;
    hsgd_quadratic q;
    hsgd_objective f;
    hsgd_simulation s;
    hsgd_variant v;
    shelf x;
    hsgd_keeper keeper;
} stopped_run;

static void open_stopped(stopped_run *r, size_t stop_after)
{
    r->h = uniform((size_t[]){3, 2}, (size_t[]){4, 2}, 2);
    r->q = generated(&r->h, DIM, 0.3);
    r->v = HSGD_PLAIN_VARIANT;
    r->v.momentum = 0.5;
    r->x = (shelf){.stop_after = stop_after};
    r->keeper = keeper_of(&r->x);
    assert_ok(hsgd_quadratic_objective(&r->f, &r->q, NULL, &err), err);
    r->s = (hsgd_simulation){.objective = &r->f,
                             .hierarchy = &r->h,
                             .initial = initial,
                             .step_size = 0.3,
                             .steps = 21,
                             .measure_every = 1,
                             .measure_maxima = true,
                             .keeper = &r->keeper,
                             .seed = 5,
                             .threads = 1};
    hsgd_trace trace;
    hsgd_status status = hsgd_simulate(&trace, &r->s, &err);
    assert_int_equal(status, stop_after ? HSGD_STOPPED : HSGD_OK);
    if (!status)
        hsgd_trace_free(&trace);
    r->x.stop_after = 0;
}

static void close_stopped(stopped_run *r)
{
    hsgd_bytes_free(&r->x.state);
    hsgd_objective_free(&r->f);
    hsgd_quadratic_free(&r->q);
    hsgd_hierarchy_free(&r->h);
}

/* Before anything was loaded or made. */
static void a_run_need_not_begin(void **state)
{
    (void)state;
    stopped_run r;
    hsgd_trace trace;
    open_stopped(&r, 2);
    size_t asked = r.x.asked;
    r.x.refuses = true;
    assert_fails(hsgd_simulate(&trace, &r.s, &err), HSGD_STOPPED, "before the first of 21 steps", err);
    assert_null(trace.loss);
    assert_int_equal(r.x.asked, asked);
    close_stopped(&r);
}

static void refused(stopped_run *r, const char *text)
{
    hsgd_trace trace;
    assert_fails(hsgd_simulate(&trace, &r->s, &err), HSGD_ERROR_INPUT, text, err);
    assert_null(trace.loss);
}

/* Every length but the right one, of a run that was stopped and of one that was done. */
static void bytes_cut_short_are_refused(void **state)
{
    (void)state;
    for (size_t stop_after = 0; stop_after < 2; stop_after++) {
        stopped_run r;
        open_stopped(&r, stop_after);
        size_t size = r.x.state.size;
        for (r.x.state.size = 1; r.x.state.size < size; r.x.state.size++)
            refused(&r, "");
        r.x.state.size = size;
        hsgd_bytes_put(&r.x.state, "", 1);
        refused(&r, "");
        close_stopped(&r);
    }
}

/* No flipped bit makes the program read or write where it must not (the sanitizers watch); whether the numbers are right,
 * the files' checksums say. */
static void no_flipped_bit_does_harm(void **state)
{
    (void)state;
    for (size_t stop_after = 0; stop_after < 2; stop_after++) {
        stopped_run r;
        open_stopped(&r, stop_after);
        for (size_t bit = 0; bit < 8 * r.x.state.size; bit += 3) {
            hsgd_bytes kept = r.x.state;
            hsgd_trace trace;
            r.x.state = (hsgd_bytes){0};
            hsgd_bytes_put(&r.x.state, kept.data, kept.size);
            r.x.state.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
            if (hsgd_simulate(&trace, &r.s, &err) == HSGD_OK)
                hsgd_trace_free(&trace);
            hsgd_bytes_free(&r.x.state);
            r.x.state = kept;
        }
        close_stopped(&r);
    }
}

static void other_runs_are_refused(void **state)
{
    (void)state;
    stopped_run r;
    open_stopped(&r, 2);
    r.s.seed = 4294967301; /* 5 in the low half */
    refused(&r, "other seed: 5, not 4294967301");
    r.s.seed = 5;
    r.s.steps = 22;
    refused(&r, "other steps: 21, not 22");
    r.s.steps = 21;
    r.s.measure_every = 2;
    refused(&r, "other measure_every: 1, not 2");
    r.s.measure_every = 1;
    r.s.measure_maxima = false;
    refused(&r, "other kinds of measurements");
    r.s.measure_maxima = true;
    r.s.variant = &r.v;
    refused(&r, "other kinds of memory");
    close_stopped(&r);
    open_stopped(&r, 0);
    r.s.seed = 4294967301;
    refused(&r, "another seed: 5, not 4294967301");
    r.s.seed = 5;
    r.s.steps = 23;
    refused(&r, "other measured steps: 21, not 23");
    close_stopped(&r);
}

/* A trace that travels alone: as much is there as was. */
static void traces_survive_the_way(void **state)
{
    (void)state;
    stopped_run r;
    hsgd_trace trace, copy;
    hsgd_bytes bytes = {0};
    open_stopped(&r, 0);
    r.s.keeper = NULL;
    for (int flags = 0; flags < 8; flags++) {
        r.s.measure_maxima = flags & 1;
        r.s.measure_proof = r.s.measure_smoothness = flags & 2;
        r.s.measure_at_nodes = flags & 4;
        assert_ok(hsgd_simulate(&trace, &r.s, &err), err);
        hsgd_bytes_free(&bytes);
        hsgd_trace_pack(&bytes, &trace);
        hsgd_bytes_put_count(&bytes, 17);
        hsgd_bytes_reader in = hsgd_bytes_read(bytes.data, bytes.size);
        assert_ok(hsgd_trace_unpack(&copy, &in, &err), err);
        assert_int_equal(hsgd_bytes_take_count(&in), 17);
        assert_true(!in.failed && in.left == 0);
        same_trace(&copy, &trace);
        hsgd_trace_free(&copy);
        hsgd_trace_free(&trace);
        for (size_t size = 0; size < bytes.size - 8; size++) {
            in = hsgd_bytes_read(bytes.data, size);
            assert_int_equal(hsgd_trace_unpack(&copy, &in, &err), HSGD_ERROR_INPUT);
        }
    }
    hsgd_bytes_free(&bytes);
    close_stopped(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measurement_goes_on),
        cmocka_unit_test(every_variant_goes_on),
        cmocka_unit_test(kept_models_go_on),
        cmocka_unit_test(metrics_go_on),
        cmocka_unit_test(ensembles_go_on),
        cmocka_unit_test(a_run_need_not_begin),
        cmocka_unit_test(bytes_cut_short_are_refused),
        cmocka_unit_test(no_flipped_bit_does_harm),
        cmocka_unit_test(other_runs_are_refused),
        cmocka_unit_test(traces_survive_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
