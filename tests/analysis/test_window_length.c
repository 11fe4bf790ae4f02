/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long windows are, where a keeper wants to be asked in time: by hand from seconds that are given, and in runs whose steps
 * sleep, so that no machine is too fast for what is expected. Runs that are asked so go on to the bits of one that was not,
 * and models are kept only by those whose rounds were cut. In a team all cut where the slowest has to. */
#include "tests/analysis/thread_team.h"
#include "tests/analysis/trees.h"

#include <time.h>

#include "analysis/engine_private.h"
#include "analysis/memory.h"
#include "analysis/trace_bytes.h"

static hsgd_error err;

/* ---- by hand ---- */

enum { WORKERS = 4, GLOBAL_PERIOD = 400 };

typedef struct given {
    hsgd_hierarchy h;
    hsgd_keeper keeper;
    hsgd_simulation s;
    hsgd_engine e;
} given;

/* Nothing but what lengths hang on. */
static void give(given *g, double window_s)
{
    *g = (given){.h = uniform((size_t[]){2, 2}, (size_t[]){GLOBAL_PERIOD, 20}, 2), .keeper = {.window_s = window_s}};
    g->s = (hsgd_simulation){.hierarchy = &g->h, .keeper = &g->keeper};
    g->e = (hsgd_engine){.simulation = &g->s, .hierarchy = &g->h, .stride = 8, .can_cut = true};
}

static void learn(given *g, size_t steps, double window_s)
{
    g->e.window.end = g->e.window.begin + steps;
    hsgd_window_learn(&g->e, window_s);
}

/* Numbers of which no quotient is near a whole one. */
static void a_step_takes_what_it_took(void **state)
{
    (void)state;
    given g;
    give(&g, 0.53);
    assert_int_equal(hsgd_window_end(&g.e, 0, 400), 400); /* nothing is known */
    learn(&g, 20, 2);
    assert_int_equal(hsgd_window_end(&g.e, 20, 400), 20 + 5); /* 0.53 s / 0.1 s */
    assert_int_equal(hsgd_window_end(&g.e, 20, 23), 23);      /* no longer than it may */
    learn(&g, 5, 0.005);                                      /* faster: as if it were twice as fast */
    assert_int_equal(hsgd_window_end(&g.e, 25, 400), 25 + 10);
    learn(&g, 10, 0.01);
    assert_int_equal(hsgd_window_end(&g.e, 35, 400), 35 + 21);
    learn(&g, 21, 7); /* slower: at once */
    assert_int_equal(hsgd_window_end(&g.e, 56, 400), 56 + 1);
    learn(&g, 1, 12); /* a step has to be made, however long it takes */
    assert_int_equal(hsgd_window_end(&g.e, 57, 400), 57 + 1);
    g.keeper.window_s = 0; /* nobody waits */
    assert_int_equal(hsgd_window_end(&g.e, 57, 400), 400);
    hsgd_hierarchy_free(&g.h);
}

/* 4 workers with models of 3,000,000 numbers are 96 MB, for which 0.64 s are reckoned. */
static void rounds_are_cut_where_it_pays(void **state)
{
    (void)state;
    given g;
    give(&g, 0.1);
    learn(&g, 10, 0.00249);
    assert_int_equal(hsgd_window_end(&g.e, 0, 400), 400); /* 0.0996 s */
    learn(&g, 10, 0.00251);
    assert_int_equal(hsgd_window_end(&g.e, 0, 400), 398); /* 0.1004 s */
    g.e.stride = 3000000;
    learn(&g, 10, 0.0159);
    assert_int_equal(hsgd_window_end(&g.e, 0, 400), 400); /* 0.636 s */
    assert_int_equal(hsgd_window_end(&g.e, 1, 400), 63);  /* the models are there */
    learn(&g, 10, 0.0161);
    assert_int_equal(hsgd_window_end(&g.e, 0, 400), 62); /* 0.644 s */
    hsgd_hierarchy_free(&g.h);
}

static void memory_is_looked_for(void **state)
{
    (void)state;
    double machine = hsgd_memory_of_machine(), available = hsgd_memory_available();
    given g;
    if (!isfinite(available))
        skip();
    assert_true(available > 0 && available < machine);
    for (size_t stride = 8; stride > 0; stride = stride == 8 ? (size_t)(available / 16) : 0) {
        void *block[1];
        give(&g, 0.1);
        g.e.can_cut = false;
        g.e.block = block;
        g.e.max_blocks = 1;
        g.e.own.end_place = WORKERS;
        g.e.stride = stride; /* the second time each model is half of what there is: rounds stay whole */
        learn(&g, 10, 1e12);
        assert_int_equal(hsgd_window_end(&g.e, 0, 400), stride == 8 ? 1 : 400);
        assert_int_equal(hsgd_window_end(&g.e, 1, 400), stride == 8 ? 2 : 400);
        assert_true((g.e.model != NULL) == (stride == 8));
        free(g.e.model);
        hsgd_hierarchy_free(&g.h);
    }
}

/* ---- runs ---- */

enum { DIM = 1000, STEPS = 1000 };

/* F_j(x) = ||x||^2 / 2; a stochastic gradient is noisy by the step, and takes so long. */
static long nap_ns;

static void rest(void)
{
    const struct timespec nap = {.tv_nsec = nap_ns};
    if (nap_ns)
        nanosleep(&nap, NULL);
}

static size_t no_scratch(const hsgd_objective *objective, size_t batch_size)
{
    (void)objective, (void)batch_size;
    return 0;
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    (void)worker, (void)scratch;
    for (size_t j = 0; j < count; j++) {
        loss[j] = 0;
        for (size_t i = 0; i < objective->dim; i++) {
            grad[j * objective->dim + i] = point[i];
            loss[j] += point[i] * point[i] / 2;
        }
    }
}

static void noisy(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size, uint64_t seed,
                  uint64_t step, double *grad, double *scratch)
{
    (void)batch_size, (void)seed, (void)scratch;
    rest();
    for (size_t i = 0; i < objective->dim; i++)
        grad[i] = point[i] + (double)((step + worker + i) % 7) - 3;
}

static const hsgd_objective_type sleeper = {
    .name = "sleeper", .scratch_size = no_scratch, .full = full, .stochastic = noisy};

static const hsgd_objective objective = {&sleeper, NULL, DIM, WORKERS};
static const double initial[DIM] = {1, 2, 3};

/* Keeps the last state, and how a run is asked. */
typedef struct shelf {
    hsgd_bytes state;
    size_t asked, stop_after; /* 0: never */
    size_t longest, last;     /* window, and its end */
    uint64_t trail;           /* of all the steps at which it was asked */
    int rank;
} shelf;

static hsgd_pause ask(void *context, uint64_t seed, size_t step)
{
    shelf *x = context;
    (void)seed;
    if (step == 0)
        return HSGD_GO_ON;
    x->longest = step - x->last > x->longest ? step - x->last : x->longest;
    x->last = step;
    x->trail = x->trail * 1000003 + step;
    return ++x->asked == x->stop_after ? HSGD_SAVE_AND_STOP : HSGD_GO_ON;
}

static hsgd_status save(void *context, uint64_t seed, size_t step, const hsgd_bytes *state, hsgd_error *error)
{
    shelf *x = context;
    (void)seed, (void)step, (void)error;
    hsgd_bytes_free(&x->state);
    hsgd_bytes_put(&x->state, state->data, state->size);
    return HSGD_OK;
}

static hsgd_status load(void *context, uint64_t seed, hsgd_bytes *state, hsgd_error *error)
{
    const shelf *x = context;
    (void)seed, (void)error;
    if (x->state.size)
        hsgd_bytes_put(state, x->state.data, x->state.size);
    return HSGD_OK;
}

static hsgd_simulation describe(const hsgd_hierarchy *h, const hsgd_keeper *keeper)
{
    return (hsgd_simulation){.objective = &objective,
                             .hierarchy = h,
                             .initial = initial,
                             .step_size = 0.1,
                             .steps = STEPS,
                             .batch_size = 1,
                             .measure_every = GLOBAL_PERIOD + 1,
                             .seed = 3,
                             .threads = 1,
                             .keeper = keeper};
}

/* Until the keeper stops it; returns how large the state is. */
static size_t run_and_stop(shelf *x, const hsgd_hierarchy *h, double window_s)
{
    const hsgd_keeper keeper = {x, ask, save, load, NULL, window_s};
    hsgd_simulation s = describe(h, &keeper);
    hsgd_trace trace;
    assert_int_equal(hsgd_simulate(&trace, &s, &err), HSGD_STOPPED);
    return x->state.size;
}

static hsgd_bytes trace_of(hsgd_simulation s)
{
    hsgd_trace trace;
    hsgd_bytes bytes = {0};
    assert_ok(hsgd_simulate(&trace, &s, &err), err);
    hsgd_trace_pack(&bytes, &trace);
    hsgd_trace_free(&trace);
    return bytes;
}

/* A step takes 4 x 1 ms at least, so 50 ms have 12 at most, also in the first window; a round has 400. */
static void long_rounds_are_cut(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){GLOBAL_PERIOD, 20}, 2);
    shelf cut = {.stop_after = 10}, whole = {.stop_after = 1};
    nap_ns = 1000000;
    size_t with_models = run_and_stop(&cut, &h, 0.05);
    assert_true(cut.longest <= 12 && cut.last <= 120);
    nap_ns = 0;
    size_t without = run_and_stop(&whole, &h, 1000);
    assert_int_equal(whole.longest, GLOBAL_PERIOD);
    assert_int_equal(with_models - without, WORKERS * DIM * sizeof(double));
    const hsgd_keeper keeper = {&cut, ask, NULL, load, NULL, 0};
    hsgd_bytes want = trace_of(describe(&h, NULL)), got = trace_of(describe(&h, &keeper));
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.data, want.data, want.size);
    hsgd_bytes_free(&got);
    hsgd_bytes_free(&want);
    hsgd_bytes_free(&cut.state);
    hsgd_bytes_free(&whole.state);
    hsgd_hierarchy_free(&h);
}

/* ---- a team ---- */

typedef struct shared_run {
    const hsgd_hierarchy *h;
    shelf shelf[TEAM_MOST];
    hsgd_status status[TEAM_MOST];
} shared_run;

static void make_run(const hsgd_team *team, void *context)
{
    shared_run *x = context;
    int rank = hsgd_team_rank(team);
    const hsgd_keeper keeper = {&x->shelf[rank], ask, save, load, NULL, 0.02};
    hsgd_simulation s = describe(x->h, &keeper);
    hsgd_error own;
    hsgd_trace trace;
    s.team = team;
    x->status[rank] = hsgd_simulate(&trace, &s, &own);
}

/* The clocks of three processes never agree; whoever cut elsewhere would wait for ever, or be asked elsewhere. */
static void a_team_cuts_together(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){GLOBAL_PERIOD, 20}, 2);
    shared_run x = {.h = &h};
    for (int r = 0; r < 3; r++)
        x.shelf[r].stop_after = 20;
    nap_ns = 1000000;
    with_team(3, make_run, &x);
    nap_ns = 0;
    for (int r = 0; r < 3; r++) {
        assert_int_equal(x.status[r], HSGD_STOPPED);
        assert_true(x.shelf[r].trail == x.shelf[0].trail);
        assert_true(x.shelf[r].longest <= 20); /* the slowest has one worker at least */
        hsgd_bytes_free(&x.shelf[r].state);
    }
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_takes_what_it_took), cmocka_unit_test(rounds_are_cut_where_it_pays),
        cmocka_unit_test(memory_is_looked_for),      cmocka_unit_test(long_rounds_are_cut),
        cmocka_unit_test(a_team_cuts_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
