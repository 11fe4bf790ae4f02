/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seconds and bytes of H-SGD: by hand on the smallest tree, in closed form where nothing is late, by harmonic numbers and
 * quantiles for the delays, and by a recursion over the workers of any tree. */
#include "tests/analysis/paths.h"
#include "tests/analysis/trees.h"

#include "analysis/communication.h"
#include "analysis/random.h"

static hsgd_error err;

/* Level 1: 1 s and 0.02 s per byte; level 2: 0.1 s and 0.001 s per byte. Models of 10 parameters of 4 bytes: hops of 1.8 s and
 * 0.14 s. A step takes 0.5 s. */
static hsgd_communication plain(void)
{
    return (hsgd_communication){
        .level = {{1, 50, false}, {0.1, 1000, false}}, .compute_s = 0.5, .bytes_per_parameter = 4};
}

static void check_run(const hsgd_communication *c, const hsgd_hierarchy *h, const double *want_s,
                      double (*want_bytes)[2], size_t steps)
{
    double time_s[16], bytes[32];
    size_t step[16] = {0};
    for (size_t t = 0; t < steps; t++)
        step[t] = t;
    assert_ok(hsgd_communication_run(time_s, bytes, c,
                                     &(hsgd_communicating_run){.network = h, .dim = 10, .seed = 7, .placement = NULL},
                                     step, steps, &err),
              err);
    for (size_t t = 0; t < steps; t++) {
        assert_near(time_s[t], want_s[t], 1e-14);
        assert_true(bytes[2 * t] == want_bytes[t][0] && bytes[2 * t + 1] == want_bytes[t][1]);
    }
}

/* Two groups of two, periods 4 and 2. Groups average after steps 2 and 6: 2 x 0.14 s, 4 workers x 2 x 40 bytes. The root after
 * step 4: up and down both levels, 2 x (0.14 + 1.8) s; 2 groups x 2 x 40 bytes at level 1, and again 320 at level 2. */
static void two_groups_of_two_by_hand(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2), local;
    hsgd_communication c = plain();
    check_run(&c, &h, (double[]){0, 0.5, 1.28, 1.78, 6.16, 6.66, 7.44},
              (double[][2]){{0, 0}, {0, 0}, {0, 320}, {0, 320}, {160, 640}, {160, 640}, {160, 960}}, 7);

    /* Straight to the root: 2 x 1.8 s, and all 4 workers' messages are its own level's. */
    c.route = HSGD_ROUTE_DIRECT;
    check_run(&c, &h, (double[]){0, 0.5, 1.28, 1.78, 5.88, 6.38, 7.16},
              (double[][2]){{0, 0}, {0, 0}, {0, 320}, {0, 320}, {320, 320}, {320, 320}, {320, 640}}, 7);

    /* One link for both groups at the root: 1 + 2 x 0.8 s a hop. Direct: four messages on it, 1 + 4 x 0.8 s. */
    c.level[0].shared = true;
    check_run(&c, &h, (double[]){0, 0.5, 1.28, 1.78, 1.78 + 0.5 + 2 * 4.2},
              (double[][2]){{0, 0}, {0, 0}, {0, 320}, {0, 320}, {320, 320}}, 5);
    c.route = HSGD_ROUTE_TREE;
    check_run(&c, &h, (double[]){0, 0.5, 1.28, 1.78, 1.78 + 0.5 + 2 * (0.14 + 2.6)},
              (double[][2]){{0, 0}, {0, 0}, {0, 320}, {0, 320}, {160, 640}}, 5);

    /* Local SGD with period 2 on the same network. */
    c = plain();
    assert_ok(hsgd_communication_local(&local, &h, 2, &err), err);
    check_run(&c, &local, (double[]){0, 0.5, 4.88, 5.38, 9.76},
              (double[][2]){{0, 0}, {0, 0}, {160, 320}, {160, 320}, {320, 640}}, 5);
    hsgd_hierarchy_free(&local);
    hsgd_hierarchy_free(&h);
}

/* Nobody late, uniform: t steps, and for each level k the averages that it tops, floor(t/P_k) - floor(t/P_{k-1}), each twice
 * the hops of the levels k .. M. */
static void without_stragglers_there_is_a_closed_form(void **state)
{
    (void)state;
    const size_t period[] = {30, 6, 2}, fanout[] = {3, 2, 4};
    hsgd_hierarchy h = uniform(fanout, period, 3);
    hsgd_communication c = {.level = {{0.31, 1e6, false}, {0.02, 3e6, true}, {0.001, 1e8, true}},
                            .compute_s = 0.013,
                            .bytes_per_parameter = 8};
    const double b = 8 * 1234.0, hop[] = {0.31 + b / 1e6, 0.02 + 2 * b / 3e6, 0.001 + 4 * b / 1e8};
    const double messages[] = {3, 6, 24}; /* links of each level */
    for (size_t t = 0; t <= 95; t += 5) {
        double time_s, bytes[3], want_s = 0.013 * (double)t, sent[3] = {0, 0, 0}, above = 0;
        for (size_t k = 0; k < 3; k++) {
            double averages = floor((double)t / (double)period[k]);
            for (size_t j = k; j < 3; j++) {
                want_s += (averages - above) * 2 * hop[j];
                sent[j] += (averages - above) * 2 * messages[j] * b;
            }
            above = averages;
        }
        assert_ok(hsgd_communication_run(
                      &time_s, bytes, &c,
                      &(hsgd_communicating_run){.network = &h, .dim = 1234, .seed = 1, .placement = NULL}, &t, 1, &err),
                  err);
        assert_near(time_s, want_s, 1e-12);
        for (size_t k = 0; k < 3; k++)
            assert_close(bytes[k], sent[k], 1e-14);
    }
    hsgd_hierarchy_free(&h);
}

/* One group of n that averages at every step: a step takes 0.2 s and on average mean_s H_n, H_n = 1 + 1/2 + ... + 1/n.
 * Within five standard errors: false alarm 6e-7; the seed is fixed. */
static void the_latest_of_exponentials_has_a_harmonic_mean(void **state)
{
    (void)state;
    const size_t n = 12, steps = 20000;
    hsgd_hierarchy h = uniform(&n, (size_t[]){1}, 1);
    hsgd_communication c = {.level = {{0, 1e300, false}},
                            .compute_s = 0.2,
                            .straggler = {HSGD_STRAGGLER_EXPONENTIAL, 0.7, 0},
                            .bytes_per_parameter = 1};
    double time_s, harmonic = 0, variance = 0;
    for (size_t k = 1; k <= n; k++) {
        harmonic += 1 / (double)k;
        variance += 1 / (double)(k * k); /* of the maximum, in units of mean_s^2 */
    }
    assert_ok(hsgd_communication_run(&time_s, NULL, &c,
                                     &(hsgd_communicating_run){.network = &h, .dim = 1, .seed = 3, .placement = NULL},
                                     &steps, 1, &err),
              err);
    double step_s = time_s / (double)steps, want_s = 0.2 + 0.7 * harmonic;
    assert_true(fabs(step_s - want_s) < 5 * 0.7 * sqrt(variance / (double)steps));
    hsgd_hierarchy_free(&h);
}

/* One worker alone, averaging at every step over a free network: its times differ by its delays. out (count). */
static void delays_of(hsgd_straggler straggler, uint64_t seed, double *out, size_t count)
{
    hsgd_hierarchy h = uniform((size_t[]){1}, (size_t[]){1}, 1);
    hsgd_communication c = {.level = {{0, 1e300, false}}, .straggler = straggler, .bytes_per_parameter = 1};
    double *time_s = calloc(count + 1, sizeof *time_s);
    size_t *step = calloc(count + 1, sizeof *step);
    assert_non_null(time_s);
    assert_non_null(step);
    for (size_t t = 0; t <= count; t++)
        step[t] = t;
    assert_ok(hsgd_communication_run(
                  time_s, NULL, &c, &(hsgd_communicating_run){.network = &h, .dim = 1, .seed = seed, .placement = NULL},
                  step, count + 1, &err),
              err);
    for (size_t t = 0; t < count; t++)
        out[t] = time_s[t + 1] - time_s[t];
    free(time_s);
    free(step);
    hsgd_hierarchy_free(&h);
}

/* The share of the delays that are at most x is P(X <= x) at several x, within five standard deviations: false alarm
 * 3e-6 over five shares (the sixth is exact); the seed is fixed. */
static void delays_have_their_distributions(void **state)
{
    (void)state;
    enum { COUNT = 40000 };
    static double delay_s[COUNT];
    static const struct {
        hsgd_straggler straggler;
        double at_s, share;
    } point[] = {
        {{HSGD_STRAGGLER_EXPONENTIAL, 0.3, 0}, 0.1, 0.28346868942621073}, /* 1 - exp(-1/3) */
        {{HSGD_STRAGGLER_EXPONENTIAL, 0.3, 0}, 0.9, 0.95021293163213605}, /* 1 - exp(-3) */
        {{HSGD_STRAGGLER_LOGNORMAL, 0.3, 0.8}, 0.3, 0.5},
        {{HSGD_STRAGGLER_LOGNORMAL, 0.3, 0.8}, 0.6676622785477404, 0.84134474606854293}, /* 0.3 exp(0.8), Phi(1) */
        {{HSGD_STRAGGLER_PARETO, 0.3, 2.5}, 0.6, 0.82322330470336313},                   /* 1 - 2^-2.5 */
        {{HSGD_STRAGGLER_PARETO, 0.3, 2.5}, 0.2999999, 0},
    };
    for (size_t i = 0; i < sizeof point / sizeof *point; i++) {
        size_t below = 0;
        delays_of(point[i].straggler, 5, delay_s, COUNT);
        for (size_t t = 0; t < COUNT; t++)
            below += delay_s[t] <= point[i].at_s;
        double p = point[i].share, spread = sqrt(p * (1 - p) / COUNT);
        if (!(fabs((double)below / COUNT - p) <= 5 * spread))
            fail_msg("%s, case %zu: %zu of %d", hsgd_straggler_name(point[i].straggler.type), i, below, COUNT);
    }
}

/* ---- any tree, worker by worker ---- */

/* What the header says, as a recursion: when the server of v has the sum of its workers. */
static double sum_ready_s(const hsgd_hierarchy *h, const hsgd_communication *c, double b, size_t v, const double *clock)
{
    const hsgd_node *node = &h->node[v];
    double ready = 0;
    if (hsgd_node_is_lowest(h, v))
        for (size_t i = 0; i < node->num_workers; i++)
            ready = fmax(ready, clock[node->first_worker + i]);
    for (size_t w = v + 1; w < node->end; w++)
        if (h->node[w].parent == v)
            ready = fmax(ready, sum_ready_s(h, c, b, w, clock));
    const hsgd_channel *link = &c->level[node->depth];
    return ready + link->latency_s + (link->shared ? (double)node->num_children : 1) * b / link->bandwidth_bytes_per_s;
}

/* The way down from u to a worker. */
static double down_s(const hsgd_hierarchy *h, const hsgd_communication *c, double b, size_t u, size_t worker)
{
    double sum = 0;
    for (size_t v = u; v < h->node[u].end; v++) {
        const hsgd_node *node = &h->node[v];
        const hsgd_channel *link = &c->level[node->depth];
        if (worker >= node->first_worker && worker < node->first_worker + node->num_workers)
            sum += link->latency_s + (link->shared ? (double)node->num_children : 1) * b / link->bandwidth_bytes_per_s;
    }
    return sum;
}

/* -scale log U, U the number of (seed, worker, step). */
static double exponential_s(double scale_s, uint64_t seed, size_t worker, uint64_t step)
{
    hsgd_stream stream = {seed, HSGD_PURPOSE_STRAGGLER, (uint32_t)worker, step};
    return -scale_s * log(((double)hsgd_uniform_53_bits(&stream, 0) + 0.5) * 0x1p-53);
}

static void check_step(const hsgd_hierarchy *h, const hsgd_communication *c, double b, size_t t, double *clock)
{
    for (size_t u = 0; u < h->num_nodes; u++) {
        if (!hsgd_node_acts(h, u, t + 1))
            continue;
        double up = sum_ready_s(h, c, b, u, clock);
        for (size_t i = h->node[u].first_worker; i < h->node[u].first_worker + h->node[u].num_workers; i++)
            clock[i] = up + down_s(h, c, b, u, i);
    }
}

/* Fisher and Yates, with the numbers of the purpose. */
static void move_workers(size_t *placement, size_t count, uint64_t seed, size_t t)
{
    for (size_t i = 0; i < count; i++) {
        size_t other, kept = placement[i];
        hsgd_uniform_indices(&(hsgd_stream){seed, HSGD_PURPOSE_REGROUPING, 0, t}, 2 * i, count - i, &other, 1);
        placement[i] = placement[i + other];
        placement[i + other] = kept;
    }
}

/* Unequal groups, depths and periods, links shared and not, delays, and workers at other places: for good, or until the root
 * averages. */
static void check_clocks(const hsgd_variant *variant)
{
    hsgd_hierarchy h = more_crooked();
    hsgd_communication c = {.level = {{0.3, 700, true}, {0.05, 2000, false}, {0.004, 9000, true}},
                            .compute_s = 0.11,
                            .straggler = {HSGD_STRAGGLER_EXPONENTIAL, 0.23, 0},
                            .bytes_per_parameter = 2};
    double clock[16] = {0};
    size_t placement[16], worker[16];
    assert_true(h.num_workers <= 16);
    for (size_t i = 0; i < h.num_workers; i++)
        placement[i] = worker[i] = (5 * i + 3) % h.num_workers; /* 12 workers */
    const hsgd_communicating_run run = {
        .network = &h, .variant = variant, .dim = 31, .seed = 11, .placement = placement};
    for (size_t t = 0; t <= 26; t++) {
        double time_s, latest = 0;
        assert_ok(hsgd_communication_run(&time_s, NULL, &c, &run, &t, 1, &err), err);
        if (variant && t % 12 == 0) /* the period of the root */
            move_workers(worker, h.num_workers, 11, t);
        for (size_t i = 0; i < h.num_workers; i++) {
            latest = fmax(latest, clock[i]);
            clock[i] += 0.11 + exponential_s(0.23, 11, worker[i], t);
        }
        assert_near(time_s, latest, 1e-12);
        check_step(&h, &c, 2 * 31.0, t, clock);
    }
    hsgd_hierarchy_free(&h);
}

static void any_tree_agrees_with_clocks_worker_by_worker(void **state)
{
    (void)state;
    hsgd_variant regrouped = HSGD_PLAIN_VARIANT;
    regrouped.regroup = true;
    check_clocks(NULL);
    check_clocks(&regrouped);
}

static void numbers_do_not_depend_on_the_vector_path(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static double first[COUNT], again[COUNT];
    const hsgd_straggler straggler[] = {
        {HSGD_STRAGGLER_EXPONENTIAL, 0.3, 0}, {HSGD_STRAGGLER_LOGNORMAL, 0.3, 0.8}, {HSGD_STRAGGLER_PARETO, 0.3, 2.5}};
    for (size_t i = 0; i < 3; i++) {
        delays_of(straggler[i], 9, first, COUNT);
        for_each_path(path)
        {
            delays_of(straggler[i], 9, again, COUNT);
            assert_memory_equal(first, again, sizeof first);
        }
    }
}

static void what_is_no_network_is_refused(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    const size_t step = 1;
    double time_s;
    hsgd_communication c = plain();
    c.level[1].bandwidth_bytes_per_s = 0;
    assert_fails(hsgd_communication_run(
                     &time_s, NULL, &c,
                     &(hsgd_communicating_run){.network = &h, .dim = 1, .seed = 1, .placement = NULL}, &step, 1, &err),
                 HSGD_ERROR_INPUT, "levels[1]", err);
    c = plain();
    c.compute_s = NAN;
    assert_fails(hsgd_communication_run(
                     &time_s, NULL, &c,
                     &(hsgd_communicating_run){.network = &h, .dim = 1, .seed = 1, .placement = NULL}, &step, 1, &err),
                 HSGD_ERROR_INPUT, "compute seconds", err);
    c = plain();
    c.straggler = (hsgd_straggler){HSGD_STRAGGLER_PARETO, 1, 0};
    assert_fails(hsgd_communication_run(
                     &time_s, NULL, &c,
                     &(hsgd_communicating_run){.network = &h, .dim = 1, .seed = 1, .placement = NULL}, &step, 1, &err),
                 HSGD_ERROR_INPUT, "pareto", err);
    hsgd_hierarchy compact;
    assert_ok(hsgd_hierarchy_uniform(&compact, (size_t[]){2, 3}, (size_t[]){4, 2}, 2, &err), err);
    c = plain();
    assert_fails(
        hsgd_communication_run(&time_s, NULL, &c,
                               &(hsgd_communicating_run){.network = &compact, .dim = 1, .seed = 1, .placement = NULL},
                               &step, 1, &err),
        HSGD_ERROR_INPUT, "one entry per node", err);
    hsgd_hierarchy_free(&compact);
    hsgd_hierarchy_free(&h);
}

/* ---- participants ---- */

static void run_with(double *time_s, double *bytes, const hsgd_communication *c, const hsgd_hierarchy *network,
                     const hsgd_hierarchy *groups, const hsgd_variant *variant, uint64_t seed, size_t steps)
{
    const hsgd_communicating_run run = {
        .network = network, .groups = groups, .variant = variant, .dim = 10, .seed = seed};
    assert_ok(hsgd_communication_run(time_s, bytes, c, &run, &steps, 1, &err), err);
}

/* Two groups of two, periods 4 and 2, one worker of each takes part; messages of 40 bytes. After 4 steps: two averages of each
 * group would be 2 * 2 * 40 bytes each, but the second is the root's: 40 up and 40 down in each group and for each group. */
static void only_participants_send(void **state)
{
    (void)state;
    hsgd_communication c = plain();
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2), flat = uniform((size_t[]){4}, (size_t[]){4}, 1);
    hsgd_hierarchy servers;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    double time_s, bytes[2], all_s, all_bytes[2];
    v.participants = 1;
    run_with(&time_s, bytes, &c, &h, NULL, &v, 3, 2);
    assert_true(bytes[0] == 0 && bytes[1] == 2 * 2 * 40);
    assert_near(time_s, 2 * 0.5 + 2 * (0.1 + 0.04), 1e-14);
    run_with(&time_s, bytes, &c, &h, NULL, &v, 3, 4);
    assert_true(bytes[0] == 2 * 2 * 40 && bytes[1] == 2 * (2 * 2 * 40));
    assert_near(time_s, 4 * 0.5 + 4 * (0.1 + 0.04) + 2 * (1 + 0.8), 1e-14);
    run_with(&all_s, all_bytes, &c, &h, NULL, NULL, 3, 4);
    assert_true(all_s == time_s && all_bytes[0] == bytes[0] && all_bytes[1] == 2 * bytes[1]);
    /* local SGD draws one of all four: one server has nobody to talk to; up this way and down another, perhaps */
    assert_ok(hsgd_communication_local(&servers, &h, 4, &err), err);
    run_with(&time_s, bytes, &c, &servers, &flat, &v, 3, 4);
    assert_true(bytes[0] == 2 * 40 && bytes[1] == 2 * 40);
    hsgd_hierarchy_free(&h);
    hsgd_hierarchy_free(&flat);
    hsgd_hierarchy_free(&servers);
}

static size_t count_drawn(const hsgd_variant *v, size_t size, uint64_t seed, size_t t)
{
    double weight[8], cumulative[8];
    size_t order[8], count = 0;
    hsgd_variant_draw(weight, v, NULL, 0, size, seed, t, order, cumulative);
    for (size_t j = 0; j < size; j++)
        count += weight[j] > 0;
    return count;
}

/* Those of a round send, those of the next one receive: with replacement, one to three of them. */
static void averages_go_to_the_next_round(void **state)
{
    (void)state;
    hsgd_communication c = plain();
    hsgd_hierarchy h = uniform((size_t[]){5}, (size_t[]){2}, 1);
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    bool differ = false;
    v.participants = 3;
    v.with_replacement = true;
    for (uint64_t seed = 0; seed < 20; seed++) {
        double time_s, bytes[1];
        size_t before = count_drawn(&v, 5, seed, 0), after = count_drawn(&v, 5, seed, 2);
        run_with(&time_s, bytes, &c, &h, NULL, &v, seed, 2);
        assert_true(bytes[0] == 40 * (double)(before + after));
        differ = differ || before != after;
    }
    assert_true(differ);
    hsgd_hierarchy_free(&h);
}

/* A shared link is shared by those that send. */
static void few_participants_share_a_link(void **state)
{
    (void)state;
    hsgd_communication c = {.level = {{0, 10, true}}, .bytes_per_parameter = 4};
    hsgd_hierarchy h = uniform((size_t[]){6}, (size_t[]){1}, 1);
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    double time_s;
    v.participation = 0.5;
    run_with(&time_s, NULL, &c, &h, NULL, &v, 3, 1);
    assert_near(time_s, 2 * 3 * 40 / 10., 1e-13);
    c.route = HSGD_ROUTE_DIRECT;
    run_with(&time_s, NULL, &c, &h, NULL, &v, 3, 1);
    assert_near(time_s, 2 * 3 * 40 / 10., 1e-13);
    hsgd_hierarchy_free(&h);
}

/* Nobody waits for a worker that rests: one of two is late, and drawn in half of the runs (4000 +- 270 of 8000 at 1e-9). */
static void nobody_waits_for_those_that_rest(void **state)
{
    (void)state;
    enum { RUNS = 8000 };
    hsgd_communication c = {
        .level = {{0, 1e300, false}}, .straggler = {HSGD_STRAGGLER_EXPONENTIAL, 1, 0}, .bytes_per_parameter = 4};
    hsgd_hierarchy h = uniform((size_t[]){2}, (size_t[]){5}, 1);
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    size_t as_late = 0;
    v.participants = 1;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        double all_s, one_s;
        run_with(&all_s, NULL, &c, &h, NULL, NULL, seed, 3);
        run_with(&one_s, NULL, &c, &h, NULL, &v, seed, 3);
        assert_true(one_s <= all_s);
        as_late += one_s == all_s;
    }
    assert_true(as_late > RUNS / 2 - 280 && as_late < RUNS / 2 + 280);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_groups_of_two_by_hand),
        cmocka_unit_test(without_stragglers_there_is_a_closed_form),
        cmocka_unit_test(the_latest_of_exponentials_has_a_harmonic_mean),
        cmocka_unit_test(delays_have_their_distributions),
        cmocka_unit_test(any_tree_agrees_with_clocks_worker_by_worker),
        cmocka_unit_test(numbers_do_not_depend_on_the_vector_path),
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(only_participants_send),
        cmocka_unit_test(averages_go_to_the_next_round),
        cmocka_unit_test(few_participants_share_a_link),
        cmocka_unit_test(nobody_waits_for_those_that_rest),
    };
    return cmocka_run_group_tests_name("communication", tests, NULL, NULL);
}
