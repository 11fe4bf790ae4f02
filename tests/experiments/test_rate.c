/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd rate without the program: verdicts on synthetic points and how often they err, values and bounds of points against
 * closed forms and against sampling, step-size rules, seeds that are apart, and what a bad configuration is told. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "bounds/bound.h"
#include "experiments/rate.h"

enum { POINTS = 5 };

/* ---- synthetic points ---- */

/* A rate whose points have no engine behind them. */
typedef struct fixture {
    hsgd_rate_plan plan;
    hsgd_rate_point point[POINTS];
    hsgd_rate_bound bound[2];
    double value[2][POINTS];
    hsgd_verdict verdict[2][POINTS];
    hsgd_rate rate;
} fixture;

/* S = 3 T^exponent with relative errors of 1 % known from 20 values (0: none), and bounds 8 T^loose and 5 T^tight. */
static void setup(fixture *f, double exponent, double error, double loose, double tight)
{
    *f = (fixture){.plan = {.confidence = 0.99, .expected = -0.5, .tolerance = 0.01, .num_points = POINTS}};
    f->rate =
        (hsgd_rate){.plan = &f->plan, .point = f->point, .num_points = POINTS, .bound = f->bound, .num_bounds = 2};
    for (size_t b = 0; b < 2; b++) {
        f->bound[b].value = f->value[b];
        f->bound[b].verdict = f->verdict[b];
        snprintf(f->bound[b].id, sizeof f->bound[b].id, b ? "tight" : "loose");
    }
    for (size_t i = 0; i < POINTS; i++) {
        double at = 100 * pow(2.7, (double)i), mean = 3 * pow(at, exponent);
        f->point[i].at = at;
        f->point[i].value = (hsgd_estimate){mean, error * mean, 20};
        f->value[0][i] = 8 * pow(at, loose);
        f->value[1][i] = 5 * pow(at, tight);
        f->verdict[0][i] = f->verdict[1][i] = HSGD_VERDICT_HOLDS;
    }
}

static hsgd_rate_verdict verdict_of(fixture *f)
{
    hsgd_error err;
    assert_ok(hsgd_rate_judge(&f->rate, &err), err);
    return f->rate.verdict;
}

/* By hand: the errors of the exponent are about 1 %, the tolerance is 0.01. */
static void verdicts_follow_the_exponents(void **state)
{
    (void)state;
    static const struct {
        double exponent, error, expected, tight;
        hsgd_rate_verdict want;
    } c[] = {
        {-0.5, 0.01, -0.5, -0.5, HSGD_RATE_AGREES},      {-0.5, 0, -0.5, -0.5, HSGD_RATE_AGREES},
        {-0.505, 0, -0.5, -0.5, HSGD_RATE_AGREES},       {-0.515, 0, -0.5, -0.5, HSGD_RATE_FASTER},
        {-0.485, 0, -0.5, -0.5, HSGD_RATE_SLOWER},       {-0.7, 0.01, -0.5, -0.6, HSGD_RATE_FASTER},
        {-0.3, 0.01, -0.5, -0.4, HSGD_RATE_SLOWER},      {-0.4, 0.01, -0.5, -0.4, HSGD_RATE_AGREES},
        {-0.45, 0.01, -0.5, -0.3, HSGD_RATE_BETWEEN},    {-0.6, 0.01, -0.5, -0.8, HSGD_RATE_BETWEEN},
        {-0.5, 0.5, -0.5, -0.5, HSGD_RATE_INCONCLUSIVE}, {-0.5, 0.01, NAN, -0.5, HSGD_RATE_AGREES},
        {-0.5, 0.01, NAN, -0.2, HSGD_RATE_FASTER},
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        fixture f;
        setup(&f, c[i].exponent, c[i].error, -0.1, c[i].tight);
        f.plan.expected = c[i].expected;
        if (verdict_of(&f) != c[i].want)
            fail_msg("case %zu: %s", i, hsgd_rate_verdict_name(f.rate.verdict));
        assert_close(f.rate.law.exponent, c[i].exponent, 1e-9);
        assert_ptr_equal(f.rate.tightest, &f.bound[1]);
        assert_near(f.bound[1].comparison.exponent, c[i].tight, 1e-9);
        assert_near(f.bound[0].comparison.difference, c[i].exponent + 0.1, 1e-9);
    }
}

/* Without bounds that apply at all fitted points the asymptotic exponent is all there is, and without that nothing. */
static void bounds_count_where_they_apply(void **state)
{
    (void)state;
    fixture f;
    setup(&f, -0.4, 0.01, -0.1, -0.4);
    f.value[1][2] = NAN;
    assert_int_equal(verdict_of(&f), HSGD_RATE_BETWEEN); /* -0.5 and -0.1 */
    assert_false(f.bound[1].everywhere);
    assert_int_equal(f.bound[1].num_applicable, POINTS - 1);
    f.value[0][POINTS - 1] = NAN;
    assert_int_equal(verdict_of(&f), HSGD_RATE_SLOWER);
    f.plan.expected = NAN;
    assert_int_equal(verdict_of(&f), HSGD_RATE_NO_THEORY);
    setup(&f, -0.4, 0.01, -0.1, -0.4); /* what does not apply before fit_from does not matter */
    f.value[1][1] = NAN;
    f.plan.fit_from = f.point[2].at;
    assert_int_equal(verdict_of(&f), HSGD_RATE_AGREES);
    assert_int_equal(f.rate.law.num_points, 3);
    assert_true(f.point[2].fitted && !f.point[1].fitted);
    assert_close(f.point[1].slope.mean, -0.4, 1e-9);
}

/* An exponent that was asked for is what counts; a bound that is violated at a point is noted whatever the slopes are. */
static void what_was_asked_for_counts(void **state)
{
    (void)state;
    fixture f;
    setup(&f, -0.4, 0.01, -0.1, -0.4);
    f.plan.asked = true;
    assert_int_equal(verdict_of(&f), HSGD_RATE_SLOWER);
    assert_false(f.rate.violated);
    f.verdict[0][0] = HSGD_VERDICT_VIOLATED;
    assert_int_equal(verdict_of(&f), HSGD_RATE_SLOWER);
    assert_true(f.rate.violated);
    f.plan.expected = -0.4;
    assert_int_equal(verdict_of(&f), HSGD_RATE_AGREES);
    assert_true(f.rate.violated);
}

/* Runs that diverged, and losses at their minimum, have no logarithm. */
static void too_few_points_are_inconclusive(void **state)
{
    (void)state;
    fixture f;
    setup(&f, -0.4, 0.01, -0.1, -0.4);
    f.point[0].value.mean = INFINITY;
    f.point[1].value.mean = 0;
    assert_int_equal(verdict_of(&f), HSGD_RATE_AGREES);
    f.point[3].value.mean = NAN;
    assert_int_equal(verdict_of(&f), HSGD_RATE_INCONCLUSIVE);
    assert_false(f.rate.made);
    assert_non_null(strstr(f.rate.reason, "only 2 of the values"));
}

/* Power laws that are true, with errors estimated from 20 values: how often is the exponent said to be another one? 3000
 * verdicts at 95 %, tolerance (nearly) 0: 1.2 % are three standard errors of the 5 %. */
static void verdicts_rarely_err(void **state)
{
    (void)state;
    enum { FITS = 3000 };
    double wrong = 0;
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 42);
    for (size_t s = 0; s < FITS; s++) {
        fixture f;
        setup(&f, -0.5, 0, -0.5, -0.5);
        f.plan.confidence = 0.95;
        f.plan.tolerance = 1e-9;
        for (size_t i = 0; i < POINTS; i++) {
            double value[20], mean = f.point[i].value.mean;
            for (size_t v = 0; v < 20; v++)
                value[v] = mean * (1 + gsl_ran_gaussian(random, 0.02 * (double)(1 + i)));
            f.point[i].value = hsgd_estimate_mean(value, 1, 20);
        }
        hsgd_rate_verdict verdict = verdict_of(&f);
        wrong += verdict != HSGD_RATE_AGREES;
    }
    gsl_rng_free(random);
    print_message("wrong verdicts: %.4f\n", wrong / FITS);
    assert_near(wrong / FITS, 0.05, 0.012);
}

/* ---- points that are run ---- */

/* A configuration with "rate"; problem and rate as JSON members. */
static void read_plan(hsgd_rate_plan *plan, const char *problem, const char *rate)
{
    char text[2048];
    hsgd_error err;
    snprintf(text, sizeof text,
             "{\"hierarchy\": {\"fanout\": [3, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", %s}, "
             "\"optimizer\": {\"step_size\": 0.03, \"steps\": 40}, \"seeds\": 10, \"rate\": {%s}}",
             problem, rate);
    assert_ok(hsgd_rate_parse(plan, text, strlen(text), "x.json", 0, &err), err);
}

static void run_plan(hsgd_rate *rate, hsgd_rate_plan *plan)
{
    hsgd_error err;
    const hsgd_rate_options options = {.threads = 2};
    assert_ok(hsgd_rate_run(rate, plan, "x.json", &options, &err), err);
}

static void finish(hsgd_rate *rate, hsgd_rate_plan *plan)
{
    hsgd_rate_free(rate);
    hsgd_rate_plan_free(plan);
}

/* One dimension, F = h/2 (w - w*)^2 for all, start at the origin (d = 1: h is the upper end of the range): with a = 1 - gamma
 * h and A the mean of a^(2t) over t < T,
 *     S = h^2 (w*^2 A + (gamma^2 sigma^2/n)/(1 - a^2) (1 - A)). */
static double closed_form(double h, double minimiser, double noise_sq, double n, double gamma, double T)
{
    double a_sq = pow(1 - gamma * h, 2), mean = (1 - pow(a_sq, T)) / (1 - a_sq) / T;
    return h * h * (minimiser * minimiser * mean + gamma * gamma * noise_sq / n / (1 - a_sq) * (1 - mean));
}

#define LINE_OF_ONE                                                                                                    \
    "\"dimension\": 1, \"curvature_range\": [0.7, 0.7], \"level_divergence\": [0, 0], \"noise_variance\": 0.83"

/* The problem draws w*, here the only number that it draws: S of one step from the origin is (h w*)^2. */
static double find_minimiser(void)
{
    hsgd_rate_plan plan;
    hsgd_rate rate;
    read_plan(&plan, LINE_OF_ONE, "\"over\": \"steps\", \"values\": [1, 2, 3]");
    run_plan(&rate, &plan);
    double minimiser = sqrt(rate.point[0].value.mean) / 0.7;
    finish(&rate, &plan);
    return minimiser;
}

static void points_have_the_closed_form(void **state)
{
    (void)state;
    double minimiser = find_minimiser();
    static const char *const rate_of[] = {
        "\"over\": \"steps\", \"values\": [20, 60, 200, 1000], \"step_size\": {\"rule\": \"sqrt(n/T)\", \"constant\": "
        "0.4}",
        "\"over\": \"steps\", \"values\": [20, 60, 200], \"step_size\": {\"rule\": \"1/sqrt(T)\", \"constant\": 0.9}",
        "\"over\": \"workers\", \"values\": [6, 12, 30], \"step_size\": {\"rule\": \"sqrt(n/T)\", \"constant\": 0.11}",
        "\"over\": \"workers\", \"level\": 1, \"values\": [4, 8, 16], \"step_size\": {\"rule\": \"fixed\", "
        "\"constant\": "
        "0.07}",
        "\"over\": \"global_period\", \"values\": [2, 4, 8], \"step_size\": {\"rule\": \"fraction\", \"constant\": "
        "0.5}",
        "\"over\": \"local_period\", \"values\": [1, 2, 4]",
        "\"over\": \"step_size\", \"values\": [0.01, 0.02, 0.055]"};
    for (size_t r = 0; r < sizeof rate_of / sizeof *rate_of; r++) {
        hsgd_rate_plan plan;
        hsgd_rate rate;
        read_plan(&plan, LINE_OF_ONE, rate_of[r]);
        run_plan(&rate, &plan);
        double log_x[POINTS], log_y[POINTS], sum_x = 0, sum_y = 0, sxy = 0, sxx = 0;
        for (size_t i = 0; i < rate.num_points; i++) {
            const hsgd_rate_point *p = &rate.point[i];
            double n = 6, T = 40, G = 4, gamma = 0.03;
            n = plan.over == HSGD_RATE_WORKERS ? plan.value[i] : n;
            T = plan.over == HSGD_RATE_STEPS ? plan.value[i] : T;
            G = plan.over == HSGD_RATE_GLOBAL_PERIOD ? plan.value[i] : G;
            const double by_rule[] = {gamma, 0.07, plan.constant * sqrt(n / T) / 0.7, plan.constant / (0.7 * sqrt(T)),
                                      0.5 / (2 * sqrt(6) * 0.7 * G)};
            gamma = plan.over == HSGD_RATE_STEP_SIZE ? plan.value[i] : by_rule[plan.rule];
            assert_close(p->step_size, gamma, 1e-13);
            assert_int_equal(p->workers, n);
            assert_int_equal(p->steps, T);
            assert_int_equal(p->global_period, G);
            assert_close(p->value.mean, closed_form(0.7, minimiser, 0.83, n, gamma, T), 1e-10);
            assert_true(p->value.se == 0);
            log_x[i] = log(plan.value[i]), log_y[i] = log(p->value.mean);
            sum_x += log_x[i] / (double)rate.num_points, sum_y += log_y[i] / (double)rate.num_points;
        }
        for (size_t i = 0; i < rate.num_points; i++) {
            sxy += (log_x[i] - sum_x) * (log_y[i] - sum_y);
            sxx += (log_x[i] - sum_x) * (log_x[i] - sum_x);
        }
        assert_near(rate.law.exponent, sxy / sxx, 1e-10);
        finish(&rate, &plan);
    }
}

/* Sampling the same points: no value further from the exact one than 4.5 standard errors, and each quantity is
 * the one that its name says; false alarm 0.0015 for each (Student t with 9 degrees of freedom), 2 % together; the seeds are
 * fixed. Zero noise: the same numbers, so that all points start at the same place. */
#define PLANE                                                                                                          \
    "\"dimension\": 4, \"curvature_range\": [0.2, 1.1], \"level_divergence\": [0.6, 0.3], \"noise_variance\": %g"

static void sampled_points_are_the_exact_ones(void **state)
{
    (void)state;
    static const char *const method[] = {"exact", "sampled"};
    for (size_t q = 0; q < HSGD_NUM_RATE_QUANTITIES; q++)
        for (int noisy = 0; noisy < 2; noisy++) {
            hsgd_rate_plan plan[2];
            hsgd_rate rate[2];
            for (size_t m = 0; m < 2; m++) {
                char problem[256], text[512];
                snprintf(problem, sizeof problem, PLANE, noisy ? 0.9 : 0.0);
                snprintf(text, sizeof text,
                         "\"over\": \"steps\", \"values\": [12, 24, 60], \"of\": \"%s\", \"method\": \"%s\", "
                         "\"step_size\": {\"rule\": \"sqrt(n/T)\", \"constant\": 0.2}",
                         hsgd_rate_quantity_name(q), method[m]);
                read_plan(&plan[m], problem, text);
                run_plan(&rate[m], &plan[m]);
            }
            for (size_t i = 0; i < 3; i++) {
                hsgd_estimate exact = rate[0].point[i].value, sampled = rate[1].point[i].value;
                if (noisy)
                    assert_true(fabs(sampled.mean - exact.mean) < 4.5 * sampled.se && sampled.count == 10);
                else
                    assert_close(sampled.mean, exact.mean, 1e-9);
            }
            finish(&rate[0], &plan[0]);
            finish(&rate[1], &plan[1]);
        }
}

/* On a quadratic with one Hessian the local period does not matter, so that the same seeds would give the same S. */
static void points_have_seeds_of_their_own(void **state)
{
    (void)state;
    hsgd_rate_plan plan;
    hsgd_rate rate;
    char problem[256];
    snprintf(problem, sizeof problem, PLANE, 0.9);
    read_plan(&plan, problem, "\"over\": \"local_period\", \"values\": [1, 2, 4], \"method\": \"sampled\"");
    run_plan(&rate, &plan);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(plan.config[i].first_seed, 1 + 10 * i);
        assert_close(1 - plan.config[i].confidence, 0.01 / 3, 1e-9); /* all verdicts on bounds hold together */
        assert_true(fabs(rate.point[i].value.mean / rate.point[(i + 1) % 3].value.mean - 1) > 1e-6);
        assert_true(fabs(rate.point[i].value.mean - rate.point[0].value.mean) < 7 * rate.point[i].value.se);
    }
    finish(&rate, &plan);
}

/* Data are partitioned again for every n, and the constants are those of the new problem; full gradients leave nothing to
 * chance, so that S of one step is ||grad f(0)||^2, the same for every partition into equal parts. */
static void data_are_partitioned_again(void **state)
{
    (void)state;
    static const char text[] = "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": "
                               "\"softmax\", \"data\": {\"format\": "
                               "\"mixture\", \"classes\": 3, \"samples_per_class\": 32, \"features\": 4}, "
                               "\"partition\": {\"scheme\": \"by-label\"}}, "
                               "\"optimizer\": {\"step_size\": 0.1, \"steps\": 1}, \"rate\": {\"over\": \"workers\", "
                               "\"level\": 1, \"values\": [4, 8, "
                               "16], \"step_size\": {\"rule\": \"sqrt(n/T)\", \"constant\": 0.1}}}";
    hsgd_rate_plan plan;
    hsgd_rate rate;
    hsgd_error err;
    assert_ok(hsgd_rate_parse(&plan, text, strlen(text), "x.json", 0, &err), err);
    assert_false(plan.exact);
    run_plan(&rate, &plan);
    for (size_t i = 0; i < 3; i++) {
        const hsgd_rate_point *p = &rate.point[i];
        assert_int_equal(p->workers, plan.value[i]);
        assert_close(p->value.mean, rate.point[0].value.mean, 1e-9);
        assert_close(p->step_size, 0.1 * sqrt(plan.value[i]) / p->smoothness, 1e-12);
        assert_true(p->kind == HSGD_TRAJECTORY && p->value.se == 0);
    }
    assert_true(rate.point[2].smoothness > rate.point[0].smoothness); /* of the worst worker, who has fewer labels */
    finish(&rate, &plan);
}

/* Random groupings are sampled, one for each seed, and those of a point are its own: with no noise, full periods and seeds that
 * were shared, all points of one tree would have the same dispersion in their first steps. */
static void random_groupings_are_drawn_anew(void **state)
{
    (void)state;
    static const char text[] =
        "{\"hierarchy\": {\"fanout\": [4, 4], \"periods\": [4, 2]}, \"grouping\": \"random\", \"problem\": {\"type\": "
        "\"quadratic\", \"dimension\": 3, \"curvature_range\": [0.5, 1], \"level_divergence\": [0.5, 0.4]}, "
        "\"initial\": {\"scale\": "
        "1.5}, \"optimizer\": {\"step_size\": 0.05, \"steps\": 8}, \"seeds\": 3, \"rate\": {\"over\": \"step_size\", "
        "\"values\": "
        "[0.05, 0.050000001, 0.05000001], \"of\": \"%s\"}}";
    for (int of_S = 0; of_S < 2; of_S++) {
        hsgd_rate_plan plan;
        hsgd_rate rate;
        hsgd_error err;
        char config[1024];
        snprintf(config, sizeof config, text, of_S ? "S" : "dispersion");
        assert_ok(hsgd_rate_parse(&plan, config, strlen(config), "x.json", 0, &err), err);
        assert_false(plan.exact);
        run_plan(&rate, &plan);
        double change = fabs(rate.point[1].value.mean / rate.point[0].value.mean - 1);
        assert_true(of_S ? change < 1e-6 : change > 1e-4); /* S is of the average, which starts at the same point */
        finish(&rate, &plan);
    }
}

/* Bounds of a point are those of the registry for its constants. The level divergences are prescribed; Delta is not, but it
 * is one number, of which all bounds have the term 2 Delta/(gamma T): one value tells it to all others. */
static double bound_at(const char *id, double workers, double delta)
{
    static const double divergence_sq[] = {0.6, 0.3};
    const size_t fanout[] = {3, (size_t)workers / 3}, periods[] = {4, 2};
    hsgd_hierarchy h;
    hsgd_bound_params params;
    hsgd_bound_value value;
    hsgd_error err;
    assert_ok(hsgd_hierarchy_uniform(&h, fanout, periods, 2, &err), err);
    assert_ok(hsgd_bound_params_init(&params, &h, divergence_sq, NULL, &err), err);
    params.step_size = 0.02;
    params.steps = 40;
    params.smoothness = 1.1;
    params.noise_sq = 0.9;
    params.delta = delta;
    hsgd_bound_eval(hsgd_bound_find(id), &params, &value);
    hsgd_bound_params_free(&params);
    hsgd_hierarchy_free(&h);
    return value.applicable ? value.value : NAN;
}

static void bounds_are_those_of_the_point(void **state)
{
    (void)state;
    hsgd_rate_plan plan;
    hsgd_rate rate;
    char problem[256];
    snprintf(problem, sizeof problem, PLANE, 0.9);
    read_plan(&plan, problem,
              "\"over\": \"workers\", \"values\": [6, 12, 24], \"step_size\": {\"rule\": \"fixed\", "
              "\"constant\": 0.02}");
    run_plan(&rate, &plan);
    assert_true(rate.num_bounds >= 3);
    double delta = (rate.bound[0].value[0] - bound_at(rate.bound[0].id, 6, 0)) / (2 / (0.02 * 40));
    assert_true(delta > 0);
    for (size_t i = 0; i < 3; i++)
        for (size_t b = 0; b < rate.num_bounds; b++) {
            double want = bound_at(rate.bound[b].id, plan.value[i], delta);
            assert_int_equal(isnan(want), isnan(rate.bound[b].value[i]));
            assert_true(isnan(want) || rate.bound[b].verdict[i] == HSGD_VERDICT_HOLDS);
            if (!isnan(want))
                assert_close(rate.bound[b].value[i], want, 1e-9);
        }
    finish(&rate, &plan);
}

/* One worker per group of a tree with a single level, noise only: w_j are independent between averages, E B_1 at r steps after
 * one is (n - 1)/n gamma^2 sigma^2 (1 - a^(2r))/(1 - a^2); for L -> 0 bound and value are both (n - 1)/n gamma^2 sigma^2 r. */
static void dispersions_are_bounded_by_the_recursion(void **state)
{
    (void)state;
    static const char text[] =
        "{\"hierarchy\": {\"fanout\": [4], \"periods\": [8]}, \"problem\": {\"type\": \"quadratic\", \"dimension\": 2, "
        "\"curvature_range\": [1e-7, 1e-7], \"level_divergence\": [0], \"noise_variance\": 0.83}, \"optimizer\": "
        "{\"step_size\": 0.05, \"steps\": 64}, \"rate\": {\"over\": \"global_period\", \"values\": [2, 4, 8, 16, 32], "
        "\"of\": \"dispersion\"}}";
    hsgd_rate_plan plan;
    hsgd_rate rate;
    hsgd_error err;
    assert_ok(hsgd_rate_parse(&plan, text, strlen(text), "x.json", 0, &err), err);
    run_plan(&rate, &plan);
    assert_int_equal(rate.num_bounds, 1);
    for (size_t i = 0; i < rate.num_points; i++) {
        double want = 0.75 * 0.0025 * 0.83 * (plan.value[i] - 1) / 2; /* the mean of r over a round */
        assert_close(rate.point[i].value.mean, want, 1e-5);
        assert_close(rate.bound[0].value[i], want, 1e-5);
        assert_int_equal(rate.bound[0].verdict[i], HSGD_VERDICT_HOLDS);
    }
    assert_int_equal(rate.verdict, HSGD_RATE_AGREES); /* with the bound: there is no asymptotic exponent */
    finish(&rate, &plan);
}

/* ---- configurations ---- */

/* Which rules stand for an exponent: as the comment of the reader says. */
static void rules_stand_for_exponents(void **state)
{
    (void)state;
    static const struct {
        const char *over, *rule, *of;
        double exponent;
    } c[] = {{"steps", "sqrt(n/T)", "S", -0.5},        {"steps", "1/sqrt(T)", "S_min", -0.5},
             {"workers", "sqrt(n/T)", "S", -0.5},      {"workers", "1/sqrt(T)", "S", NAN},
             {"steps", "optimizer", "S", NAN},         {"steps", "sqrt(n/T)", "loss_gap", NAN},
             {"global_period", "sqrt(n/T)", "S", NAN}, {"steps", "sqrt(n/T)", "dispersion", -1}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        hsgd_rate_plan plan;
        char text[512];
        snprintf(text, sizeof text,
                 "\"over\": \"%s\", \"values\": [24, 48, 96], \"of\": \"%s\", \"step_size\": {\"rule\": \"%s\"}",
                 c[i].over, c[i].of, c[i].rule);
        read_plan(&plan, LINE_OF_ONE, text);
        assert_true(isnan(c[i].exponent) ? isnan(plan.expected) : plan.expected == c[i].exponent);
        assert_true(!plan.asked && plan.exact);
        hsgd_rate_plan_free(&plan);
    }
}

#define HEAD "{\"hierarchy\": {\"fanout\": [3, 2], \"periods\": [4, 2]}, "
#define LINE "\"problem\": {\"type\": \"quadratic\", " LINE_OF_ONE "}, "
#define TAIL "\"optimizer\": {\"step_size\": 0.03, \"steps\": 40}, \"rate\": "

static void bad_configurations_are_told_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } c[] = {
        {HEAD LINE TAIL "3}", "x.json: rate: 3: expected an object"},
        {HEAD LINE "\"optimizer\": {\"step_size\": 1, \"steps\": 4}}", "x.json: rate: "},
        {HEAD LINE TAIL "{\"over\": \"time\", \"values\": [1, 2, 3]}}", "x.json: rate.over: \"time\": "},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [1, 2]}}", "x.json: rate.values: "},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [1, 2, 2]}}",
         "rate.values[2]: 2: expected more than the value before it, 2"},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [1, 2, 2.5]}}", "rate.values[2]: 2.5"},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [0, 2, 3]}}", "rate.values[0]: 0"},
        {HEAD LINE TAIL "{\"over\": \"step_size\", \"values\": [-1, 2, 3]}}", "rate.values[0]: -1"},
        {HEAD LINE TAIL "{\"over\": \"step_size\", \"values\": [1, 2, 3], \"step_size\": {\"rule\": \"fixed\"}}}",
         "rate.step_size: {\"rule\":\"fixed\"}: the values are the step sizes; give no rule"},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [1, 2, 3], \"step_size\": {\"rule\": \"fixed\"}}}",
         "rate.step_size.constant: "},
        {HEAD LINE TAIL
         "{\"over\": \"steps\", \"values\": [1, 2, 3], \"step_size\": {\"rule\": \"optimizer\", \"constant\": 2}}}",
         "rate.step_size.constant: 2: the rule \"optimizer\" has no constant"},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [1, 2, 3], \"fit_from\": 2}}",
         "rate.fit_from: 2: leaves 2 points to fit; at least 3 are needed"},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [1, 2, 3], \"level\": 1}}",
         "rate.level: 1: only workers grow at a level; needs \"over\": \"workers\""},
        {HEAD LINE TAIL "{\"over\": \"workers\", \"values\": [3, 6, 10]}}",
         "rate.values[2]: 10: not a multiple of 3, the product of the fanouts of the other levels"},
        {HEAD LINE TAIL "{\"over\": \"workers\", \"values\": [3, 6, 9], \"level\": 3}}", "rate.level: 3"},
        {HEAD LINE TAIL "{\"over\": \"global_period\", \"values\": [2, 4, 5]}}",
         "x.json: rate: G = 5: hierarchy.periods[1]"},
        {HEAD LINE TAIL "{\"over\": \"steps\", \"values\": [1, 2, 3], \"of\": \"T\"}}", "rate.of: \"T\""},
        {HEAD LINE "\"grouping\": \"random\", " TAIL
                   "{\"over\": \"steps\", \"values\": [1, 2, 3], \"method\": \"exact\"}}",
         "rate.method: \"exact\": exact moments are known of fixed places, without random grouping only"},
        {"{\"hierarchy\": {\"tree\": {\"period\": 2, \"workers\": 3}}, \"problem\": {\"type\": \"quadratic\", "
         "\"dimension\": 1, \"curvature_range\": [1, 1], \"level_divergence\": [0]}, " TAIL
         "{\"over\": \"workers\", \"values\": [1, 2, 3]}}",
         "rate.over: \"workers\": needs a hierarchy given by \"fanout\""},
        {HEAD
         "\"problem\": {\"type\": \"quadratic\", \"curvature\": [1], \"linear\": [[1], [1], [1], [1], [1], [1]]}, " TAIL
         "{\"over\": \"workers\", \"values\": [3, 6, 9]}}",
         "rate.over: \"workers\": \"problem.linear\" has a row for each of a given number of workers"},
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        hsgd_rate_plan plan;
        hsgd_error err;
        assert_fails(hsgd_rate_parse(&plan, c[i].text, strlen(c[i].text), "x.json", 0, &err), HSGD_ERROR_INPUT,
                     c[i].message, err);
    }
}

/* What only the problem of a point shows names the point. */
static void problems_of_a_point_name_it(void **state)
{
    (void)state;
    hsgd_rate_plan plan;
    hsgd_rate rate;
    hsgd_error err;
    const hsgd_rate_options options = {.threads = 1};
    char problem[256];
    snprintf(problem, sizeof problem, PLANE, 0.9);
    read_plan(&plan, problem, "\"over\": \"workers\", \"values\": [3, 6, 9]");
    assert_fails(hsgd_rate_run(&rate, &plan, "x.json", &options, &err), HSGD_ERROR_INPUT,
                 "x.json: rate: n = 3: problem.level_divergence[1]: 0.3 cannot be reached", err);
    finish(&rate, &plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_follow_the_exponents),
        cmocka_unit_test(bounds_count_where_they_apply),
        cmocka_unit_test(what_was_asked_for_counts),
        cmocka_unit_test(too_few_points_are_inconclusive),
        cmocka_unit_test(verdicts_rarely_err),
        cmocka_unit_test(points_have_the_closed_form),
        cmocka_unit_test(sampled_points_are_the_exact_ones),
        cmocka_unit_test(points_have_seeds_of_their_own),
        cmocka_unit_test(data_are_partitioned_again),
        cmocka_unit_test(random_groupings_are_drawn_anew),
        cmocka_unit_test(bounds_are_those_of_the_point),
        cmocka_unit_test(dispersions_are_bounded_by_the_recursion),
        cmocka_unit_test(rules_stand_for_exponents),
        cmocka_unit_test(bad_configurations_are_told_why),
        cmocka_unit_test(problems_of_a_point_name_it),
    };
    gsl_set_error_handler_off();
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
