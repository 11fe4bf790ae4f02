/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that share a run get the bits of a run of one process, whatever is measured, on every kind of tree and with every
 * variant; each has memory for its own workers only; what one of them keeps another number of them goes on from. Here the
 * processes are threads (thread_team.h): what travels is the same as with MPI. Traces are compared as the bytes they pack
 * into, which have every array. */
#include "tests/analysis/class_data.h"
#include "tests/analysis/thread_team.h"
#include "tests/analysis/trees.h"

#include "analysis/engine_private.h"
#include "analysis/ensemble.h"
#include "analysis/linear_model.h"
#include "analysis/quadratic.h"
#include "analysis/trace_bytes.h"

static hsgd_error err;

/* ---- messages ---- */

/* Whatever is not as it should be is counted: threads may not fail. */
typedef struct faults {
    int of[TEAM_MOST];
} faults;

static void exchange(const hsgd_team *team, void *context)
{
    faults *f = context;
    hsgd_error own;
    double matrix[2][8][3], all[TEAM_MOST][2], mine[2] = {team->rank, team->rank * 10};
    const size_t first[] = {1, 1, 4, 7}; /* the first process has nothing, and nobody columns 0 and 7 */
    int largest = team->rank == 1 ? 5 : -team->rank, *wrong = &f->of[team->rank];
    char word[4] = "no";
    for (size_t i = 0; i < 48; i++)
        matrix[i / 24][i / 3 % 8][i % 3] =
            i / 3 % 8 >= first[team->rank] && i / 3 % 8 < first[team->rank + 1] ? (double)i : -1;
    *wrong += hsgd_team_share(team, &matrix[0][0][0], 2, 8, 3, first, &own) != HSGD_OK;
    for (size_t i = 0; i < 48; i++)
        *wrong += matrix[i / 24][i / 3 % 8][i % 3] != (i / 3 % 8 >= 1 && i / 3 % 8 < 7 ? (double)i : -1);
    *wrong += hsgd_team_collect(team, mine, 2, &all[0][0], &own) != HSGD_OK;
    for (int r = 0; r < team->size; r++)
        *wrong += all[r][0] != r || all[r][1] != r * 10;
    *wrong += hsgd_team_largest(team, &largest, &own) != HSGD_OK || largest != 5;
    if (team->rank == 2)
        strcpy(word, "yes");
    *wrong += hsgd_team_broadcast(team, 2, word, sizeof word, &own) != HSGD_OK || strcmp(word, "yes") != 0;
}

static void messages_arrive(void **state)
{
    (void)state;
    faults f = {{0}};
    with_team(3, exchange, &f);
    for (int r = 0; r < 3; r++)
        assert_int_equal(f.of[r], 0);
}

/* Nobody fails; the second and third fail; all fail. */
static void fare(const hsgd_team *team, void *context)
{
    faults *f = context;
    hsgd_error own = {HSGD_OK, ""};
    int *wrong = &f->of[team->rank];
    *wrong += hsgd_team_agree(team, HSGD_OK, &own) != HSGD_OK;
    hsgd_status status = team->rank ? hsgd_fail(&own, HSGD_ERROR_MEMORY, "no room in %d", team->rank) : HSGD_OK;
    *wrong += hsgd_team_agree(team, status, &own) != HSGD_ERROR_MEMORY || own.status != HSGD_ERROR_MEMORY;
    *wrong += strcmp(own.message, "rank 1 on host1: no room in 1") != 0;
    status = hsgd_fail(&own, HSGD_ERROR_INPUT, "file %d", 7);
    *wrong += hsgd_team_agree(team, status, &own) != HSGD_ERROR_INPUT || strcmp(own.message, "file 7") != 0;
}

static void failures_are_everybodys(void **state)
{
    (void)state;
    faults f = {{0}};
    with_team(3, fare, &f);
    for (int r = 0; r < 3; r++)
        assert_int_equal(f.of[r], 0);
    assert_int_equal(hsgd_team_agree(NULL, HSGD_ERROR_INPUT, &err), HSGD_ERROR_INPUT);
}

/* ---- runs ---- */

typedef struct shared_run {
    const hsgd_simulation *simulation;
    size_t seeds; /* 0: one run, without an ensemble */
    hsgd_bytes trace[TEAM_MOST];
    hsgd_status status[TEAM_MOST];
    hsgd_error error[TEAM_MOST];
} shared_run;

static void make_ensemble(shared_run *x, const hsgd_simulation *s, int rank)
{
    hsgd_ensemble ensemble;
    x->status[rank] = hsgd_ensemble_run(&ensemble, s, x->seeds, s->seed, NULL, s->threads, &x->error[rank]);
    for (size_t r = 0; !x->status[rank] && rank == 0 && r < x->seeds; r++)
        hsgd_trace_pack(&x->trace[0], &ensemble.trace[r]);
    if (!x->status[rank])
        hsgd_ensemble_free(&ensemble);
}

static void make_run(const hsgd_team *team, void *context)
{
    shared_run *x = context;
    hsgd_simulation s = *x->simulation;
    hsgd_trace trace;
    int rank = hsgd_team_rank(team);
    s.team = team;
    if (x->seeds) {
        make_ensemble(x, &s, rank);
        return;
    }
    x->status[rank] = hsgd_simulate(&trace, &s, &x->error[rank]);
    if (x->status[rank])
        return;
    hsgd_trace_pack(&x->trace[rank], &trace);
    hsgd_trace_free(&trace);
}

static void same_bits(const hsgd_simulation *s, size_t seeds, int size)
{
    shared_run alone = {.simulation = s, .seeds = seeds}, shared = alone;
    make_run(NULL, &alone);
    assert_ok(alone.status[0], alone.error[0]);
    with_team(size, make_run, &shared);
    for (int r = 0; r < size; r++) {
        assert_ok(shared.status[r], shared.error[r]);
        if (r == 0 || !seeds) {
            assert_int_equal(shared.trace[r].size, alone.trace[0].size);
            assert_memory_equal(shared.trace[r].data, alone.trace[0].data, alone.trace[0].size);
        }
        hsgd_bytes_free(&shared.trace[r]);
    }
    hsgd_bytes_free(&alone.trace[0]);
}

enum { DIM = 5, MOST_WORKERS = 400 };
static const double initial[DIM] = {0.3, -1.7, 2.2, 0.9, -0.4};

static hsgd_quadratic generated(const hsgd_hierarchy *h, size_t dim, double noise_sq)
{
    hsgd_quadratic q;
    bool singles = h->num_workers + 1 == h->num_nodes; /* groups of one differ from nobody */
    const double divergence[] = {0.8, singles ? 0 : 0.6, 0.4, 0.3}, level[] = {0.1, singles ? 0 : 0.2, 0.1, 0.1};
    const hsgd_curvature_spread spread = {0.1, level};
    const hsgd_quadratic_spec spec = {dim, 0.2, 1.3, divergence, noise_sq, 4};
    assert_ok(hsgd_quadratic_generate_spread(&q, h, &spec, &spread, &err), err);
    return q;
}

typedef void (*try_run)(hsgd_simulation *s);

static void with_parameters(const hsgd_hierarchy *h, size_t dim, const hsgd_variant *variant, try_run try)
{
    hsgd_quadratic q = generated(h, dim, 0.3);
    hsgd_objective f;
    size_t placement[MOST_WORKERS];
    double start[DEEP_DIM] = {0};
    memcpy(start, initial, sizeof initial);
    for (size_t j = 0; j < h->num_workers; j++)
        placement[j] = (j + 2) % h->num_workers;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = h,
                         .initial = start,
                         .placement = placement,
                         .step_size = 0.3,
                         .steps = 15,
                         .measure_every = 1,
                         .variant = variant,
                         .seed = 5,
                         .threads = 1,
                         .eager_threads = true};
    try(&s);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void on_tree(const hsgd_hierarchy *h, const hsgd_variant *variant, try_run try)
{
    with_parameters(h, DIM, variant, try);
}

/* All that is measured, and nothing of it. */
static void measure_all(hsgd_simulation *s)
{
    for (int flags = 0; flags < 8; flags++) {
        s->measure_every = flags == 5 ? 2 : 1;
        s->measure_maxima = flags & 1;
        s->measure_proof = s->measure_smoothness = flags & 2 && !s->variant;
        s->measure_at_nodes = flags & 4 && !s->variant;
        s->threads = 1 + (flags == 7);
        for (int size = 2; size <= 4 && (!s->variant || (flags == 1 && size < 4)); size++)
            same_bits(s, 0, size);
    }
    if (!s->variant)
        same_bits(s, 0, 7);
}

static void every_measurement_is_the_same(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {uniform((size_t[]){3, 6}, (size_t[]){6, 2}, 2),
                             uniform((size_t[]){5, 2, 3}, (size_t[]){8, 4, 2}, 3),
                             uniform((size_t[]){300}, (size_t[]){4}, 1),
                             uniform((size_t[]){9}, (size_t[]){4}, 1),
                             uniform((size_t[]){5, 1}, (size_t[]){6, 3}, 2),
                             uniform((size_t[]){35, 2}, (size_t[]){6, 3}, 2),
                             crooked(),
                             more_crooked()};
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        double weight[MOST_WORKERS];
        on_tree(&tree[i], NULL, measure_all);
        for (size_t j = 0; j < tree[i].num_workers; j++)
            weight[j] = 1 + (double)(j % 3);
        assert_ok(hsgd_hierarchy_set_weights(&tree[i], weight, &err), err);
        if (i % 3 == 0)
            on_tree(&tree[i], NULL, measure_all);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* More processes than the root has children: all have some of the units, and only what is theirs. */
static void all_have_work(hsgd_simulation *s)
{
    size_t children = s->hierarchy->node[0].num_children, n = s->hierarchy->num_workers;
    for (int size = 2; size <= 4; size++)
        for (int rank = 0; rank < size; rank++) {
            const hsgd_team team = {.rank = rank, .size = size};
            hsgd_engine engine;
            s->team = &team;
            assert_ok(hsgd_engine_alloc(&engine, s, NULL, &err), err);
            assert_true(engine.own.end_unit > engine.own.first_unit && engine.num_units >= 2 * children);
            assert_in_range(engine.own.end_place - engine.own.first_place, 1,
                            n / (size_t)size + hsgd_cut_find(s).most_workers);
            hsgd_engine_free(&engine);
            assert_int_equal(hsgd_ensemble_idle(s, 1), 0);
        }
    s->team = NULL;
}

/* Where groups below the root are divided. */
static void divided_groups_are_the_same(void **state)
{
    (void)state;
    hsgd_hierarchy tree[NUM_DEEP_TREES];
    make_deep_trees(tree);
    for (size_t i = 0; i < NUM_DEEP_TREES; i++) {
        with_parameters(&tree[i], DEEP_DIM, NULL, all_have_work);
        with_parameters(&tree[i], DEEP_DIM, NULL, measure_all);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* What a variant remembers beyond a window: drawn participants, velocities, anchors and places. */
enum { NUM_VARIANTS = 11 };
static void make_variants(hsgd_variant v[NUM_VARIANTS])
{
    for (size_t i = 0; i < NUM_VARIANTS; i++)
        v[i] = HSGD_PLAIN_VARIANT;
    v[0].decay = HSGD_DECAY_COSINE;
    v[1].momentum = v[2].momentum = v[3].momentum = 0.6;
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
    v[9] = v[8];
    v[9].momentum_rule = HSGD_MOMENTUM_AVERAGED;
    v[10].momentum = 0.5;
    v[10].regroup = true;
}

static void every_variant_is_the_same(void **state)
{
    (void)state;
    hsgd_variant v[NUM_VARIANTS];
    hsgd_hierarchy tree[] = {uniform((size_t[]){3, 6}, (size_t[]){6, 2}, 2), uniform((size_t[]){140}, (size_t[]){4}, 1),
                             uniform((size_t[]){4, 2, 3}, (size_t[]){8, 4, 2}, 3), more_crooked()};
    make_variants(v);
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        for (size_t k = 0; k < NUM_VARIANTS; k++)
            on_tree(&tree[i], &v[k], measure_all);
        hsgd_hierarchy_free(&tree[i]);
    }
}

static void variants_of_divided_groups_are_the_same(void **state)
{
    (void)state;
    hsgd_variant v[NUM_VARIANTS];
    hsgd_hierarchy tree[NUM_DEEP_TREES];
    make_variants(v);
    make_deep_trees(tree);
    for (size_t i = 0; i < NUM_DEEP_TREES; i++) {
        for (size_t k = 0; k < NUM_VARIANTS; k++)
            with_parameters(&tree[i], DEEP_DIM, &v[k], measure_all);
        hsgd_hierarchy_free(&tree[i]);
    }
}

static void make_ensembles(hsgd_simulation *s)
{
    s->measure_proof = s->measure_maxima = true;
    for (size_t seeds = 1; seeds <= 7; seeds++)
        for (int size = 2; size <= 4; size++) {
            s->threads = 1 + (int)seeds % 2;
            same_bits(s, seeds, size);
        }
    same_bits(s, 2, 8);
}

static void every_ensemble_is_the_same(void **state)
{
    (void)state;
    hsgd_hierarchy h = crooked();
    on_tree(&h, NULL, make_ensembles);
    hsgd_hierarchy_free(&h);
}

/* ---- models on data: pieces of the data sets are evaluated by all processes ---- */

static void every_metric_is_the_same(void **state)
{
    (void)state;
    enum { WORKERS = 6, SAMPLES = 2500, FEATURES = 7 };
    hsgd_dataset train = class_data(SAMPLES, FEATURES, 3, 1.1), test = class_data(700, FEATURES, 3, 1.1);
    hsgd_hierarchy h = uniform((size_t[]){3, 2}, (size_t[]){4, 2}, 2);
    const size_t start[WORKERS + 1] = {0, 400, 800, 1200, 1600, 2000, SAMPLES};
    const double zero[3 * FEATURES] = {0};
    hsgd_objective f;
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &train, start, WORKERS,
                                          (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, &err),
              err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = zero,
                         .step_size = 0.3,
                         .steps = 13,
                         .batch_size = 3,
                         .measure_every = 2,
                         .measure_proof = true,
                         .measure_at_nodes = true,
                         .evaluate_every = 3,
                         .train = &train,
                         .test = &test,
                         .seed = 5,
                         .threads = 1};
    for (int size = 2; size <= 7; size++)
        same_bits(&s, 0, size);
    hsgd_objective_free(&f);
    hsgd_hierarchy_free(&h);
    hsgd_dataset_free(&train);
    hsgd_dataset_free(&test);
}

/* A run that diverges does so for all at the same step. */
static void diverge(hsgd_simulation *s)
{
    s->step_size = 1e80;
    for (int size = 2; size <= 4; size++)
        same_bits(s, 0, size);
}

static void divergence_is_the_same(void **state)
{
    (void)state;
    hsgd_hierarchy h = crooked();
    on_tree(&h, NULL, diverge);
    hsgd_hierarchy_free(&h);
}

/* ---- windows that memory cuts: models and drawn workers outlive them, and are kept ---- */

/* Saves at every window, stops after some, and has what the first process saved. */
typedef struct shelf {
    hsgd_bytes state;
    size_t step, stop_at; /* 0: never */
    int stopper, rank;    /* the only process that is told to stop */
} shelf;

static hsgd_pause ask(void *context, uint64_t seed, size_t step)
{
    const shelf *s = context;
    (void)seed;
    return s->stop_at && step >= s->stop_at && s->rank == s->stopper ? HSGD_SAVE_AND_STOP : HSGD_GO_ON;
}

static hsgd_status save(void *context, uint64_t seed, size_t step, const hsgd_bytes *state, hsgd_error *error)
{
    shelf *s = context;
    (void)seed;
    hsgd_bytes_free(&s->state);
    hsgd_bytes_put(&s->state, state->data, state->size);
    s->step = step;
    return s->rank ? hsgd_fail(error, HSGD_ERROR_INPUT, "only the first process saves") : HSGD_OK;
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

typedef struct kept_run {
    shared_run run;
    shelf shelf[TEAM_MOST];
} kept_run;

static void make_kept_run(const hsgd_team *team, void *context)
{
    kept_run *x = context;
    int rank = hsgd_team_rank(team);
    x->shelf[rank].rank = rank;
    hsgd_keeper keeper = {&x->shelf[rank], ask, save, load, NULL, 0};
    hsgd_simulation s = *x->run.simulation;
    hsgd_trace trace;
    s.keeper = &keeper;
    s.team = team;
    x->run.status[rank] = hsgd_simulate(&trace, &s, &x->run.error[rank]);
    if (x->run.status[rank])
        return;
    hsgd_trace_pack(&x->run.trace[rank], &trace);
    hsgd_trace_free(&trace);
}

/* Alone (size 1) or in a team, up to a step; where the last process is told to stop, all do. */
static void run_until(kept_run *x, const hsgd_simulation *s, const hsgd_bytes *state, int size, size_t stop_at)
{
    *x = (kept_run){.run = {.simulation = s}};
    for (int r = 0; r < size; r++)
        x->shelf[r] = (shelf){.stop_at = stop_at, .stopper = size - 1};
    if (state)
        hsgd_bytes_put(&x->shelf[0].state, state->data, state->size);
    if (size > 1)
        with_team(size, make_kept_run, x);
    else
        make_kept_run(NULL, x);
    for (int r = 0; r < size; r++)
        if (x->run.status[r] != (stop_at ? HSGD_STOPPED : HSGD_OK))
            fail_msg("process %d of %d: %s", r, size, x->run.error[r].message);
}

static void release(kept_run *x)
{
    for (int r = 0; r < TEAM_MOST; r++) {
        hsgd_bytes_free(&x->run.trace[r]);
        hsgd_bytes_free(&x->shelf[r].state);
    }
}

/* Stopped by 2 .. most processes, continued by most - 1 .. 1; what is kept in between is the same as that of one process. */
static void keep(const hsgd_simulation *s, size_t stop_at, int most)
{
    kept_run whole, alone, shared, rest;
    run_until(&whole, s, NULL, 1, 0);
    run_until(&alone, s, NULL, 1, stop_at);
    for (int size = 2; size <= most; size++) {
        run_until(&shared, s, NULL, size, stop_at);
        assert_int_equal(shared.shelf[0].step, alone.shelf[0].step);
        assert_int_equal(shared.shelf[0].state.size, alone.shelf[0].state.size);
        assert_memory_equal(shared.shelf[0].state.data, alone.shelf[0].state.data, alone.shelf[0].state.size);
        run_until(&rest, s, &shared.shelf[0].state, most + 1 - size, 0);
        assert_memory_equal(rest.run.trace[0].data, whole.run.trace[0].data, whole.run.trace[0].size);
        release(&shared);
        release(&rest);
    }
    release(&whole);
    release(&alone);
}

static void keep_everything(hsgd_simulation *s)
{
    s->measure_proof = s->measure_smoothness = s->measure_at_nodes = !s->variant;
    keep(s, 5, 3);
    s->cuts = 3;
    keep(s, 5, 2);
}

static void what_is_kept_is_the_same(void **state)
{
    (void)state;
    hsgd_variant v[NUM_VARIANTS];
    hsgd_hierarchy tree[] = {uniform((size_t[]){3, 6}, (size_t[]){6, 2}, 2),
                             uniform((size_t[]){140}, (size_t[]){4}, 1)};
    make_variants(v);
    for (size_t i = 0; i < 2; i++) {
        on_tree(&tree[i], NULL, keep_everything);
        for (size_t k = 0; k < NUM_VARIANTS; k++)
            on_tree(&tree[i], &v[k], keep_everything);
        hsgd_hierarchy_free(&tree[i]);
    }
}

static void what_is_kept_of_divided_groups_is_the_same(void **state)
{
    (void)state;
    hsgd_hierarchy tree[NUM_DEEP_TREES];
    make_deep_trees(tree);
    for (size_t i = 0; i < NUM_DEEP_TREES; i++) {
        with_parameters(&tree[i], DEEP_DIM, NULL, keep_everything);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* Rounds that are cut for who wants to be asked, between legs and in the middle of them: the bits of whole ones. */
static void cut_rounds(hsgd_simulation *s)
{
    kept_run whole, cut;
    for (int flags = 0; flags < 4; flags++) {
        s->measure_proof = flags & 1 && !s->variant;
        s->measure_at_nodes = flags & 2 && !s->variant;
        s->measure_every = flags == 3 ? 2 : 1;
        s->cuts = 0;
        run_until(&whole, s, NULL, 1, 0);
        for (s->cuts = 1; s->cuts <= 7; s->cuts += 3)
            for (int size = 1; size <= 2; size++) {
                s->threads = size == 1 ? 2 : 1;
                run_until(&cut, s, NULL, size, 0);
                assert_memory_equal(cut.run.trace[0].data, whole.run.trace[0].data, whole.run.trace[0].size);
                release(&cut);
            }
        s->threads = 1;
        release(&whole);
    }
}

static void rounds_of_divided_groups_are_cut(void **state)
{
    (void)state;
    hsgd_hierarchy tree[NUM_DEEP_TREES];
    hsgd_variant v[NUM_VARIANTS];
    make_variants(v);
    make_deep_trees(tree);
    for (size_t i = 0; i < NUM_DEEP_TREES; i++) {
        with_parameters(&tree[i], DEEP_DIM, NULL, cut_rounds);
        with_parameters(&tree[i], DEEP_DIM, &v[0], cut_rounds);
        hsgd_hierarchy_free(&tree[i]);
    }
}

static void on_cut_windows(const hsgd_variant *variant)
{
    enum { LARGE = 400000 };
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){12, 4}, 2);
    hsgd_quadratic q = generated(&h, LARGE, 0.3);
    hsgd_objective f;
    double *point = calloc(LARGE, sizeof *point);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = point,
                         .step_size = 0.3,
                         .steps = variant ? 6 : 4,
                         .measure_every = 1,
                         .measure_proof = !variant,
                         .measure_smoothness = !variant,
                         .variant = variant,
                         .seed = 5,
                         .threads = 1};
    hsgd_engine engine;
    assert_ok(hsgd_engine_alloc(&engine, &s, NULL, &err), err);
    assert_non_null(engine.model); /* what this is about */
    hsgd_engine_free(&engine);
    keep(&s, 2, 2);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
    free(point);
}

static void models_that_outlive_windows_are_the_same(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.participation = 0.5; /* rounds that last longer than a window */
    v.group_step_size = 0.8;
    v.momentum = 0.5;
    on_cut_windows(NULL);
    on_cut_windows(&v);
}

/* ---- memory ---- */

/* With 12 groups of 5 in units of one group, K processes have 60/K workers each, and memory for so many. */
static void memory_falls_with_processes(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){12, 5}, (size_t[]){6, 2}, 2);
    hsgd_quadratic q = generated(&h, DIM, 0.3);
    hsgd_objective f;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.momentum = 0.5;
    v.group_step_size = 0.5;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    for (int size = 1; size <= 6; size++)
        for (int rank = 0; rank < size; rank++) {
            const hsgd_team team = {.rank = rank, .size = size};
            hsgd_simulation s = {.objective = &f,
                                 .hierarchy = &h,
                                 .initial = initial,
                                 .step_size = 0.1,
                                 .steps = 9,
                                 .measure_every = 1,
                                 .variant = &v,
                                 .threads = 1,
                                 .team = &team};
            hsgd_engine engine;
            assert_ok(hsgd_engine_alloc(&engine, &s, NULL, &err), err);
            size_t units = engine.own.end_unit - engine.own.first_unit;
            assert_int_equal(engine.num_units, 12);
            assert_int_equal(engine.own.end_place - engine.own.first_place, 5 * units);
            assert_int_equal(engine.own.first_place, 5 * engine.own.first_unit);
            assert_int_equal(engine.own.end_node - engine.own.first_node, units);
            assert_true(units == 12 / (size_t)size || units == 12 / (size_t)size + 1);
            hsgd_engine_free(&engine);
        }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive),
        cmocka_unit_test(failures_are_everybodys),
        cmocka_unit_test(every_measurement_is_the_same),
        cmocka_unit_test(divided_groups_are_the_same),
        cmocka_unit_test(every_variant_is_the_same),
        cmocka_unit_test(variants_of_divided_groups_are_the_same),
        cmocka_unit_test(every_ensemble_is_the_same),
        cmocka_unit_test(every_metric_is_the_same),
        cmocka_unit_test(divergence_is_the_same),
        cmocka_unit_test(what_is_kept_is_the_same),
        cmocka_unit_test(what_is_kept_of_divided_groups_is_the_same),
        cmocka_unit_test(rounds_of_divided_groups_are_cut),
        cmocka_unit_test(models_that_outlive_windows_are_the_same),
        cmocka_unit_test(memory_falls_with_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
