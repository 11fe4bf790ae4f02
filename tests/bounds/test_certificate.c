/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The check of certificates (THEORY 11.4). Proofs known by hand are accepted and give their known constants: gradient
 * descent (mean and minimum, both gaps) and the proof of 4.2 itself, on several trees. Every single change to one is
 * refused. The quadratic form is compared with n workers on random problems, where nothing is symmetric. */
#include "tests/bounds/certificates.h"

#include "bounds/bound.h"
#include "bounds/certificate_private.h"

static hsgd_certificate_verdict check(const hsgd_certificate *c)
{
    hsgd_error err;
    hsgd_certificate_verdict verdict;
    assert_ok(hsgd_certificate_check(&verdict, c, &err), err);
    return verdict;
}

static void assert_proved(const hsgd_certificate *c)
{
    hsgd_certificate_verdict verdict = check(c);
    if (!verdict.proved)
        fail_msg("not proved: %s", verdict.reason);
    assert_string_equal(verdict.reason, "");
}

static void assert_refused(const hsgd_certificate *c, const char *reason)
{
    hsgd_certificate_verdict verdict = check(c);
    if (verdict.proved)
        fail_msg("proved, though \"%s\" was expected", reason);
    if (!strstr(verdict.reason, reason))
        fail_msg("reason \"%s\" lacks \"%s\"", verdict.reason, reason);
}

static void replace(char **text, const char *by)
{
    free(*text);
    *text = copy_text(by);
}

/* ---- numbers ---- */

static void numbers_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } legal[] = {
        {"0", "0"},       {"12", "12"},       {"0.05", "1/20"},
        {"5e-2", "1/20"}, {"1.25E+2", "125"}, {"6/4", "3/2"},
        {"-0.5", "-1/2"}, {"-7/14", "-1/2"},  {"007", "7"},
        {"1e0", "1"},     {"0.10e1", "1"},    {"123456789012345678901234567890", "123456789012345678901234567890"}};
    static const char *const wrong[] = {"",    "-",   ".5",     "5.",    "1e",    "1e+", "e5", "1/0",
                                        "1/",  "/2",  "1/2/3",  "1/-2",  "+1",    " 1",  "1 ", "0x10",
                                        "nan", "inf", "1e9999", "1e513", "1.2/3", "--1", "1,5"};
    mpq_t value;
    mpq_init(value);
    for (size_t i = 0; i < sizeof legal / sizeof *legal; i++) {
        assert_true(hsgd_exact_number(value, legal[i].text));
        char *text = number_text(value);
        assert_string_equal(text, legal[i].value);
        free(text);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (hsgd_exact_number(value, wrong[i]))
            fail_msg("\"%s\" was taken", wrong[i]);
    assert_false(hsgd_exact_number(value, NULL));
    char longest[600];
    memset(longest, '1', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(hsgd_exact_number(value, longest));
    mpq_clear(value);
}

/* ---- gradient descent ---- */

/* 2 Delta/((2 - gamma L) gamma T), on both sides of gamma L = 1, exactly. */
static void gradient_descent_mean(void **state)
{
    (void)state;
    static const char *const gamma[] = {"1/7", "2/3", "9/10"}, *const L[] = {"1", "5/4", "2"};
    for (size_t i = 0; i < 3; i++)
        for (size_t steps = 1; steps <= 6; steps += 5) {
            hsgd_certificate c = descent_certificate(gamma[i], L[i], steps);
            mpq_t a, g, l;
            mpq_inits(a, g, l, NULL);
            descent_constant(a, gamma[i], L[i], steps);
            hsgd_certificate_verdict verdict = check(&c);
            assert_true(verdict.proved);
            assert_int_equal(verdict.num_eliminated, 1);
            assert_close(verdict.delta_coefficient, mpq_get_d(a), 3e-16);
            mpq_set_d(g, verdict.delta_coefficient);
            assert_true(mpq_cmp(g, a) >= 0); /* rounded up */
            mpq_clears(a, g, l, NULL);
            hsgd_certificate_free(&c);
        }
}

/* It is the best constant: a hair less is refused, whatever stands in the file. */
static void gradient_descent_is_tight(void **state)
{
    (void)state;
    hsgd_certificate c = descent_certificate("2/3", "1", 1); /* a = 2/((4/3)(2/3)) = 9/4 */
    assert_string_equal(c.delta_coefficient, "9/4");
    replace(&c.delta_coefficient, "2.2499999999999999999");
    assert_refused(&c, "delta_coefficient");
    replace(&c.gap_multiplier[0].value, "2.2499999999999999999");
    assert_refused(&c, "do not cancel");
    replace(&c.pair[0].value, "2.2499999999999999999");
    assert_refused(&c, "block 0");
    replace(&c.delta_coefficient, "9/4");
    replace(&c.gap_multiplier[0].value, "9/4");
    replace(&c.pair[0].value, "9/4");
    assert_proved(&c);
    replace(&c.delta_coefficient, "5/2"); /* less is claimed than is proved */
    assert_proved(&c);
    hsgd_certificate_free(&c);
}

/* gamma = 1/L: from step to step f falls by (2 |g_t|^2 + |g_{t+1}|^2)/(4L), so the minimum is at most 4 L Delta/(3T),
 * and 4 L Delta/(3T + 2) if f >= f*. The slack is 0. */
static void gradient_descent_min(void **state)
{
    (void)state;
    const size_t T = 5;
    for (int gap = 0; gap < 2; gap++) {
        hsgd_certificate c = empty_certificate("1/4", "4", NULL, 0, T);
        const char *a = gap ? "16/17" : "16/15";
        c.criterion = HSGD_CERTIFICATE_MIN;
        c.gap = gap ? HSGD_CERTIFICATE_LOWER_BOUND : HSGD_CERTIFICATE_DESCENT;
        for (size_t t = 0; t < T; t++)
            add_pair(&c, t, 0, t + 1, 0, copy_text(a));
        for (size_t t = 0; t <= T; t++) /* a/(4L) times 2, 3, .., 3, 1 or 3 */
            add_step(&c.weight, &c.num_weights, t,
                     copy_text(gap      ? (t == 0 ? "2/17" : "3/17")
                               : t == 0 ? "2/15"
                               : t == T ? "1/15"
                                        : "3/15"));
        add_step(&c.gap_multiplier, &c.num_gap_multipliers, T, copy_text(a));
        c.delta_coefficient = copy_text(a);
        assert_proved(&c);
        replace(&c.weight[2].value, "1/4");
        assert_refused(&c, "sum to 1");
        replace(&c.weight[3].value, gap ? "7/68" : "3/20");
        assert_refused(&c, "block 0");
        c.gap = HSGD_CERTIFICATE_DESCENT;
        hsgd_certificate_free(&c);
    }
}

/* ||grad f(w^0)||^2/(2L) <= Delta is assumed with the gap "lower-bound", and with no other. */
static void gaps_differ(void **state)
{
    (void)state;
    hsgd_certificate c = empty_certificate("1/10", "3", NULL, 0, 1);
    c.gap = HSGD_CERTIFICATE_LOWER_BOUND;
    add_step(&c.gap_multiplier, &c.num_gap_multipliers, 0, copy_text("6"));
    c.delta_coefficient = copy_text("6");
    assert_proved(&c);
    replace(&c.gap_multiplier[0].value, "5.999999999999");
    assert_refused(&c, "block 0");
    hsgd_error err;
    hsgd_certificate_verdict verdict;
    c.gap = HSGD_CERTIFICATE_DESCENT;
    assert_fails(hsgd_certificate_check(&verdict, &c, &err), HSGD_ERROR_INPUT,
                 "gap_multipliers[0].step: 0: expected 1 to 1", err);
    hsgd_certificate_free(&c);
}

/* ---- local and hierarchical SGD ---- */

/* G = T = 2, by hand: the drift is gamma^2 |g_0 - mean|^2 <= gamma^2 D_1 at t = 1 and is counted L^2/T times. */
static void one_drift_step(void **state)
{
    (void)state;
    hsgd_certificate c = proof_certificate("1/10", "3", (size_t[]){2}, 1, 2);
    assert_string_equal(c.delta_coefficient, "10");
    assert_string_equal(c.divergence_coefficient[0], "9/100"); /* the proof doubles it: 2 gamma^2 L^2/T */
    assert_proved(&c);
    for (size_t i = 0; i < c.num_divergences; i++)
        replace(&c.divergence[i].value, "9/200");
    replace(&c.divergence_coefficient[0], "9/200");
    assert_proved(&c);
    replace(&c.divergence[0].value, "0.0449999999999");
    assert_refused(&c, "block 1");
    hsgd_certificate_free(&c);
}

typedef struct tree {
    size_t periods[4], levels, steps;
    const char *gamma, *L;
} tree;

static const tree trees[] = {{{3}, 1, 7, "1/20", "1"},
                             {{4, 2}, 2, 8, "1/40", "1"},
                             {{4, 2}, 2, 5, "1/30", "7/5"},
                             {{6, 3, 1}, 3, 7, "3/100", "1"},
                             {{8, 4, 2}, 3, 8, "1/100", "2"}};
enum { NUM_TREES = sizeof trees / sizeof *trees };

/* The proof of 4.2 is a proof, and its constants are at most those of the closed form. */
static void the_proof_of_the_sharpened_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_TREES; i++) {
        const tree *t = &trees[i];
        hsgd_certificate c = proof_certificate(t->gamma, t->L, t->periods, t->levels, t->steps);
        hsgd_certificate_verdict verdict = check(&c);
        if (!verdict.proved)
            fail_msg("tree %zu: %s", i, verdict.reason);
        mpq_t number;
        mpq_init(number);
        assert_true(hsgd_exact_number(number, t->gamma));
        double gamma = mpq_get_d(number), product = 1;
        assert_true(hsgd_exact_number(number, t->L));
        double L = mpq_get_d(number);
        mpq_clear(number);
        assert_close(verdict.delta_coefficient, 2 / (gamma * (double)t->steps), 1e-15);
        for (size_t k = 0; k < t->levels; k++) { /* 4.2 for uniform trees */
            double P = (double)t->periods[k];
            product *= 1 - 2 * gamma * gamma * L * L * P * (P - 1);
            double closed = L * L * (2.0 / 3) * gamma * gamma * (P - 1) * (2 * P - 1) / product;
            assert_at_most(verdict.divergence_coefficient[k], closed, 1e-12);
            assert_true(P == 1 || verdict.divergence_coefficient[k] > 0.1 * closed);
        }
        hsgd_certificate_free(&c);
    }
}

/* With any pair gone, with the divergence of a level gone, and with other periods, nothing is proved. */
static void every_change_is_refused(void **state)
{
    (void)state;
    hsgd_certificate c = proof_certificate("1/40", "1", (size_t[]){4, 2}, 2, 8);
    assert_proved(&c);
    for (size_t i = 0; i < c.num_pairs; i++) {
        char *value = c.pair[i].value;
        c.pair[i].value = (char[]){"0"};
        assert_refused(&c, "do not cancel");
        c.pair[i].value = value;
    }
    for (size_t level = 1; level <= 2; level++) { /* all steps of a level: one alone is covered by its neighbours */
        hsgd_certificate_divergence *all = c.divergence;
        size_t count = c.num_divergences, kept = 0;
        hsgd_certificate_divergence other[16];
        for (size_t i = 0; i < count; i++)
            if (all[i].level != level)
                other[kept++] = all[i];
        c.divergence = other;
        c.num_divergences = kept;
        assert_refused(&c, level == 1 ? "block 1" : "block 2");
        c.divergence = all;
        c.num_divergences = count;
    }
    for (size_t k = 0; k < 2; k++) { /* less than what the multipliers of the level add up to */
        char *coefficient = c.divergence_coefficient[k];
        c.divergence_coefficient[k] = (char[]){"1e-9"};
        assert_refused(&c, k ? "divergence_coefficients[1] is less" : "divergence_coefficients[0] is less");
        c.divergence_coefficient[k] = coefficient;
    }
    assert_proved(&c);
    c.periods[0] = 8; /* the groups do not meet after four steps, so other points are asked for */
    c.periods[1] = 4;
    hsgd_error err;
    hsgd_certificate_verdict verdict;
    assert_true(hsgd_certificate_check(&verdict, &c, &err) != HSGD_OK || !verdict.proved);
    hsgd_certificate_free(&c);
}

/* The constants of a tight proof: a falls with gamma and grows with L, so that a smaller gamma and a larger L are refused. */
static void every_constant_is_used(void **state)
{
    (void)state;
    hsgd_certificate c = descent_certificate("1/5", "3/2", 4);
    assert_proved(&c);
    replace(&c.step_size, "0.2000000001");
    assert_proved(&c);
    replace(&c.step_size, "0.1999999999");
    assert_refused(&c, "block 0");
    replace(&c.step_size, "0.2");
    replace(&c.smoothness, "1.5000000001");
    assert_refused(&c, "block 0");
    replace(&c.smoothness, "1.50");
    assert_proved(&c);
    c.criterion = HSGD_CERTIFICATE_MIN;
    assert_refused(&c, "sum to 1");
    c.criterion = HSGD_CERTIFICATE_MEAN;
    hsgd_error err;
    hsgd_certificate_verdict verdict;
    c.steps = 5;
    assert_fails(hsgd_certificate_check(&verdict, &c, &err), HSGD_ERROR_INPUT,
                 "gap_multipliers[0].step: 4: expected 5 to 5", err);
    hsgd_certificate_free(&c);
    /* Period 2 allows one step of drift; with period 4 the points are those of another algorithm. */
    c = proof_certificate("1/10", "1", (size_t[]){2}, 1, 4);
    assert_proved(&c);
    c.periods[0] = 4;
    assert_refused(&c, "block");
    hsgd_certificate_free(&c);
}

/* What is assumed away must be said: with D_1 = 0 the multipliers of level 1 are not needed, and not legal. */
static void zero_levels(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_certificate_verdict verdict;
    /* D_2 = 0: the groups of (4,2) move as one worker each, so the proof for period 4 serves. */
    hsgd_certificate c = proof_certificate("1/20", "1", (size_t[]){4}, 1, 6);
    c.num_levels = 2;
    c.periods[1] = 2;
    c.zero_level[1] = true;
    verdict = check(&c);
    assert_true(verdict.proved);
    assert_int_equal(verdict.num_points, 11); /* t = 0, 4, 6 one point each, the others two */
    c.zero_level[1] = false;
    replace(&c.divergence_coefficient[1], "0");
    verdict = check(&c);
    assert_false(verdict.proved);
    hsgd_certificate_free(&c);
    /* D_1 = 0, period 2 and one drift step: no drift at t = 1, so gradient descent's own certificate is one. */
    c = descent_certificate("1/2", "1", 2);
    c.num_levels = 1;
    c.periods[0] = 2;
    c.zero_level[0] = true;
    verdict = check(&c);
    assert_true(verdict.proved);
    assert_int_equal(verdict.num_points, 3);
    add_divergence(&c, 1, 0, copy_text("1"));
    assert_fails(hsgd_certificate_check(&verdict, &c, &err), HSGD_ERROR_INPUT, "zero_levels", err);
    hsgd_certificate_free(&c);
}

static void what_is_not_legal(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_certificate_verdict verdict;
    hsgd_certificate c = proof_certificate("1/40", "1", (size_t[]){4, 2}, 2, 8);
#define assert_illegal(text) assert_fails(hsgd_certificate_check(&verdict, &c, &err), HSGD_ERROR_INPUT, text, err)
    c.pair[3].higher.depth += 3;
    assert_illegal("interpolation[3].higher: ");
    c.pair[3].higher = c.pair[3].lower;
    assert_illegal("interpolation[3]: the two points are the same");
    c.pair[3].higher = (hsgd_certificate_point){4, 1}; /* all models are equal at t = 4 */
    assert_illegal("interpolation[3].higher: [4,1]: not a point");
    c.pair[3].higher = (hsgd_certificate_point){9, 0};
    assert_illegal("interpolation[3].higher: [9,0]: not a point");
    c.pair[3].higher = (hsgd_certificate_point){8, 1};
    assert_illegal("interpolation[3].higher: [8,1]: not a point");
    c.pair[3].higher = (hsgd_certificate_point){0, 0};
    replace(&c.pair[3].value, "1.5x");
    assert_illegal("interpolation[3].value: \"1.5x\": expected an exact number");
    replace(&c.pair[3].value, "1");
    c.divergence[0].level = 3;
    assert_illegal("divergence[0].level: 3: expected 1 to 2");
    c.divergence[0].level = 1;
    c.divergence[0].step = 8;
    assert_illegal("divergence[0].step: 8: expected 0 to 7");
    c.divergence[0].step = 0;
    c.periods[1] = 3;
    assert_illegal("periods[1]: 3; expected");
    c.periods[1] = 2;
    replace(&c.step_size, "0");
    assert_illegal("step_size: \"0\": expected a number above 0");
    replace(&c.step_size, "1/40");
    replace(&c.divergence_coefficient[1], "much");
    assert_illegal("divergence_coefficients[1]: \"much\"");
    free(c.divergence_coefficient[1]);
    c.divergence_coefficient[1] = NULL;
    assert_illegal("divergence_coefficients[1]: missing");
    c.steps = 0;
    assert_illegal("steps: 0");
    c.steps = 100000;
    assert_illegal("steps: 100000");
    c.steps = 1000;
    assert_illegal("more than 1024 points");
#undef assert_illegal
    hsgd_certificate_free(&c);
}

/* A sum of two multipliers of one pair hides no negative one. */
static void negative_multipliers(void **state)
{
    (void)state;
    hsgd_certificate c = descent_certificate("1/2", "1", 2);
    char *a = c.pair[0].value;
    c.pair[0].value = copy_text("-0.1");
    add_pair(&c, 0, 0, 1, 0, a);
    assert_refused(&c, "interpolation[0].value is negative");
    hsgd_certificate_free(&c);
}

/* What stands where it means nothing, or is one too many. */
static void what_is_out_of_place(void **state)
{
    (void)state;
    hsgd_certificate c = descent_certificate("1/2", "1", 2);
    hsgd_certificate_verdict verdict;
    hsgd_error err;
    c.num_weights = 1;
    assert_fails(hsgd_certificate_check(&verdict, &c, &err), HSGD_ERROR_INPUT, "weights: legal only with", err);
    c.num_weights = 0;
    size_t levels = c.num_levels;
    c.num_levels = HSGD_MAX_LEVELS + 1;
    assert_fails(hsgd_certificate_check(&verdict, &c, &err), HSGD_ERROR_INPUT, "periods: 33 levels; at most 32", err);
    c.num_levels = levels;
    assert_proved(&c);
    hsgd_certificate_free(&c);
}

/* ---- n workers ---- */

/* A random problem for the workers: F_j(w) = w'H_j w/2 - b_j'w, |H_j| <= L, on a tree whose groups are not alike, with
 * weights; and everything that the identity needs, from the definitions. */
enum { WORKERS = 7, DIM = 3, MAX_T = 8, MAX_M = 3 };

typedef struct problem {
    double H[WORKERS][DIM][DIM], b[WORKERS][DIM], weight[WORKERS];
} problem;

/* node[d][j]: the node of depth d above worker j. */
static const int node[MAX_M + 1][WORKERS] = {
    {0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 1, 1}, {0, 1, 1, 2, 2, 3, 3}, {0, 1, 2, 3, 4, 5, 6}};

static double uniform(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 4503599627370496.0 - 1; /* -1..1 */
}

/* The largest row sum bounds the norm of a symmetric matrix. */
static void random_problem(problem *p, double L)
{
    double sum = 0;
    for (int j = 0; j < WORKERS; j++) {
        double largest = 0;
        for (int i = 0; i < DIM; i++)
            for (int k = 0; k <= i; k++)
                p->H[j][i][k] = p->H[j][k][i] = uniform();
        for (int i = 0; i < DIM; i++) {
            double row = 0;
            for (int k = 0; k < DIM; k++)
                row += fabs(p->H[j][i][k]);
            largest = fmax(largest, row);
            p->b[j][i] = 3 * uniform();
        }
        for (int i = 0; i < DIM * DIM; i++)
            p->H[j][i / DIM][i % DIM] *= L / largest;
        p->weight[j] = 1.5 + uniform();
        sum += p->weight[j];
    }
    for (int j = 0; j < WORKERS; j++)
        p->weight[j] /= sum;
}

static void gradient(double *out, const problem *p, int j, const double *w)
{
    for (int i = 0; i < DIM; i++) {
        out[i] = -p->b[j][i];
        for (int k = 0; k < DIM; k++)
            out[i] += p->H[j][i][k] * w[k];
    }
}

static double value(const problem *p, int j, const double *w)
{
    double sum = 0;
    for (int i = 0; i < DIM; i++) {
        sum -= p->b[j][i] * w[i];
        for (int k = 0; k < DIM; k++)
            sum += 0.5 * w[i] * p->H[j][i][k] * w[k];
    }
    return sum;
}

/* One vector per worker. */
typedef double family[WORKERS][DIM];

/* Each worker gets the weighted mean over its node of this depth. */
static void average(family out, family x, const problem *p, size_t depth)
{
    family mean;
    for (int j = 0; j < WORKERS; j++) {
        double weight = 0;
        memset(mean[j], 0, sizeof mean[j]);
        for (int i = 0; i < WORKERS; i++)
            if (node[depth][i] == node[depth][j]) {
                weight += p->weight[i];
                for (int m = 0; m < DIM; m++)
                    mean[j][m] += p->weight[i] * x[i][m];
            }
        for (int m = 0; m < DIM; m++)
            mean[j][m] /= weight;
    }
    memcpy(out, mean, sizeof mean);
}

static double product(family x, family y, const problem *p)
{
    double sum = 0;
    for (int j = 0; j < WORKERS; j++)
        for (int m = 0; m < DIM; m++)
            sum += p->weight[j] * x[j][m] * y[j][m];
    return sum;
}

/* The level-k part: mean over the node of depth k less mean over that of depth k - 1. */
static void level_part(family out, family x, const problem *p, size_t level)
{
    family above;
    average(out, x, p, level);
    if (level == 0)
        return;
    average(above, x, p, level - 1);
    for (int j = 0; j < WORKERS; j++)
        for (int m = 0; m < DIM; m++)
            out[j][m] -= above[j][m];
}

/* A run: positions, gradients and function values at wbar_v^t for every t and depth, from the algorithm of THEORY 1. */
typedef struct trajectory {
    size_t levels, steps;
    family x[MAX_T + 1][MAX_M + 1], g[MAX_T + 1][MAX_M + 1];
    double F[MAX_T + 1][MAX_M + 1];
} trajectory;

/* The tree has MAX_M levels; the last ones may be left out, then workers are nodes of that depth with one worker each
 * only for levels = MAX_M. */
static void run(trajectory *r, const problem *p, const hsgd_certificate *c, double gamma)
{
    family w;
    r->levels = c->num_levels;
    r->steps = c->steps;
    for (int m = 0; m < DIM; m++)
        w[0][m] = uniform();
    for (int j = 1; j < WORKERS; j++)
        memcpy(w[j], w[0], sizeof w[0]);
    for (size_t t = 0; t <= c->steps; t++) {
        for (size_t d = 0; d <= c->num_levels; d++) {
            average(r->x[t][d], w, p, d);
            r->F[t][d] = 0;
            for (int j = 0; j < WORKERS; j++) {
                gradient(r->g[t][d][j], p, j, r->x[t][d][j]);
                r->F[t][d] += p->weight[j] * value(p, j, r->x[t][d][j]);
            }
        }
        for (int j = 0; j < WORKERS; j++)
            for (int m = 0; m < DIM; m++)
                w[j][m] -= gamma * r->g[t][c->num_levels][j][m];
        for (size_t d = 0; d < c->num_levels; d++)
            if ((t + 1) % c->periods[d] == 0) {
                average(w, w, p, d);
                break;
            }
    }
}

/* Q(higher, lower) less the function values, mean over the workers. */
static double interpolation(trajectory *r, const problem *p, const hsgd_certificate_pair *pair, double L)
{
    hsgd_certificate_point a = pair->higher, b = pair->lower;
    family sum, dx, dg;
    for (int j = 0; j < WORKERS; j++)
        for (int m = 0; m < DIM; m++) {
            double ga = r->g[a.step][a.depth][j][m], gb = r->g[b.step][b.depth][j][m];
            sum[j][m] = ga + gb;
            dg[j][m] = ga - gb;
            dx[j][m] = r->x[a.step][a.depth][j][m] - r->x[b.step][b.depth][j][m];
        }
    return -product(sum, dx, p) / 2 - product(dg, dg, p) / (4 * L) + L / 4 * product(dx, dx, p);
}

static double divergence(trajectory *r, const problem *p, size_t level, size_t t)
{
    family part;
    level_part(part, r->g[t][level - 1], p, level);
    return product(part, part, p);
}

static double global_gradient_sq(trajectory *r, const problem *p, size_t t)
{
    family mean;
    average(mean, r->g[t][0], p, 0);
    return product(mean, mean, p);
}

/* sum_k <S_k, Gram_k> by the blocks that the check looks at. */
static double slack_by_blocks(trajectory *r, const problem *p, const hsgd_certificate *c)
{
    hsgd_error err;
    hsgd_certificate_integers integers;
    assert_ok(hsgd_certificate_integers_init(&integers, c, &err), err);
    size_t size = integers.points.num_points;
    mpz_t *block = hsgd_integers_alloc(size * size);
    assert_non_null(block);
    mpq_t factor;
    mpq_init(factor);
    mpz_mul(mpq_numref(factor), integers.gamma_L_den, integers.gamma_L_den);
    mpz_mul(mpq_numref(factor), mpq_numref(factor), integers.L_num);
    mpz_mul(mpq_numref(factor), mpq_numref(factor), integers.denominator);
    double scale = 4 * mpq_get_d(factor), total = 0;
    mpq_clear(factor);
    for (size_t k = 0; k <= c->num_levels; k++) {
        assert_true(hsgd_certificate_block(block, &integers, k));
        for (size_t a = 0; a < size; a++)
            for (size_t b = 0; b < size; b++) {
                hsgd_certificate_point pa = integers.points.place[a], pb = integers.points.place[b];
                family x, y;
                level_part(x, r->g[pa.step][pa.depth], p, k);
                level_part(y, r->g[pb.step][pb.depth], p, k);
                total += mpz_get_d(block[a * size + b]) / scale * product(x, y, p);
            }
    }
    hsgd_integers_free(block, size * size);
    hsgd_certificate_integers_free(&integers);
    return total;
}

/* The same from the definitions; *size receives the sum of the absolute values, to judge rounding. */
static double slack_by_workers(trajectory *r, const problem *p, const hsgd_certificate *c, double L, double *size)
{
    double total = 0;
    *size = 0;
#define ADD(term)                                                                                                      \
    do {                                                                                                               \
        double added = (term);                                                                                         \
        total += added;                                                                                                \
        *size += fabs(added);                                                                                          \
    } while (0)
    for (size_t i = 0; i < c->num_pairs; i++)
        ADD(-atof(c->pair[i].value) * interpolation(r, p, &c->pair[i], L));
    for (size_t i = 0; i < c->num_divergences; i++)
        ADD(atof(c->divergence[i].value) * divergence(r, p, c->divergence[i].level, c->divergence[i].step));
    for (size_t i = 0; i < c->num_gap_multipliers && c->gap == HSGD_CERTIFICATE_LOWER_BOUND; i++)
        ADD(atof(c->gap_multiplier[i].value) * global_gradient_sq(r, p, c->gap_multiplier[i].step) / (2 * L));
    for (size_t i = 0; i < c->num_weights; i++)
        ADD(-atof(c->weight[i].value) * global_gradient_sq(r, p, c->weight[i].step));
    for (size_t t = 0; t < c->steps && c->criterion == HSGD_CERTIFICATE_MEAN; t++)
        ADD(-global_gradient_sq(r, p, t) / (double)c->steps);
#undef ADD
    return total;
}

static char *random_text(void)
{
    char text[32];
    snprintf(text, sizeof text, "%.6f", fabs(uniform()));
    return copy_text(text);
}

/* Random multipliers, proof or not: the identity holds for all of them. */
static void fill_randomly(hsgd_certificate *c)
{
    hsgd_error err;
    hsgd_certificate_points points;
    assert_ok(hsgd_certificate_points_init(&points, c, &err), err);
    for (size_t a = 0; a < points.num_points; a++)
        for (size_t b = 0; b < points.num_points; b++)
            if (a != b && uniform() > 0.2)
                add_pair(c, points.place[a].step, points.place[a].depth, points.place[b].step, points.place[b].depth,
                         random_text());
    hsgd_certificate_points_free(&points);
    for (size_t k = 0; k < c->num_levels; k++) {
        c->divergence_coefficient[k] = copy_text("0");
        for (size_t t = 0; t < c->steps; t++)
            add_divergence(c, k + 1, t, random_text());
    }
    c->delta_coefficient = copy_text("0");
    for (size_t t = c->gap == HSGD_CERTIFICATE_DESCENT ? c->steps : 0; t <= c->steps; t++)
        add_step(&c->gap_multiplier, &c->num_gap_multipliers, t, random_text());
    for (size_t t = 0; t <= c->steps && c->criterion == HSGD_CERTIFICATE_MIN; t++)
        add_step(&c->weight, &c->num_weights, t, random_text());
}

/* The blocks are the quadratic form of n workers, for groups of unlike sizes, with weights, and without symmetry. */
static void blocks_equal_workers(void **state)
{
    (void)state;
    static const size_t periods[3][MAX_M] = {{4, 2, 1}, {6, 6, 3}, {8, 4, 2}};
    for (int i = 0; i < 6; i++) {
        hsgd_certificate c = empty_certificate("0.15", "1.25", periods[i % 3], MAX_M, 5 + (size_t)(i % 3));
        c.criterion = i % 2 ? HSGD_CERTIFICATE_MIN : HSGD_CERTIFICATE_MEAN;
        c.gap = i >= 3 ? HSGD_CERTIFICATE_LOWER_BOUND : HSGD_CERTIFICATE_DESCENT;
        fill_randomly(&c);
        problem p;
        trajectory r;
        double size;
        random_problem(&p, 1.25);
        run(&r, &p, &c, 0.15);
        double by_workers = slack_by_workers(&r, &p, &c, 1.25, &size);
        assert_true(fabs(slack_by_blocks(&r, &p, &c) - by_workers) <= 1e-12 * size);
        hsgd_certificate_free(&c);
    }
}

/* What was certified holds on real problems, and so does every inequality that it adds up. */
static void theorems_hold(void **state)
{
    (void)state;
    hsgd_certificate c = proof_certificate("1/40", "1", (size_t[]){4, 2, 1}, 3, 8);
    hsgd_certificate_verdict verdict = check(&c);
    assert_true(verdict.proved);
    for (int i = 0; i < 20; i++) {
        problem p;
        trajectory r;
        random_problem(&p, 1);
        run(&r, &p, &c, 1.0 / 40);
        double S = 0, bound = verdict.delta_coefficient * (r.F[0][0] - r.F[8][0]);
        for (size_t t = 0; t < 8; t++)
            S += global_gradient_sq(&r, &p, t) / 8;
        for (size_t k = 1; k <= 3; k++) {
            double largest = 0;
            for (size_t t = 0; t < 8; t++)
                largest = fmax(largest, divergence(&r, &p, k, t));
            bound += verdict.divergence_coefficient[k - 1] * largest;
        }
        assert_true(S <= bound);
        for (size_t m = 0; m < c.num_pairs; m++) {
            hsgd_certificate_point a = c.pair[m].higher, b = c.pair[m].lower;
            assert_true(r.F[a.step][a.depth] - r.F[b.step][b.depth] + interpolation(&r, &p, &c.pair[m], 1) >= -1e-13);
        }
    }
    hsgd_certificate_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(gradient_descent_mean),
        cmocka_unit_test(gradient_descent_is_tight),
        cmocka_unit_test(gradient_descent_min),
        cmocka_unit_test(gaps_differ),
        cmocka_unit_test(one_drift_step),
        cmocka_unit_test(the_proof_of_the_sharpened_bound),
        cmocka_unit_test(every_change_is_refused),
        cmocka_unit_test(every_constant_is_used),
        cmocka_unit_test(zero_levels),
        cmocka_unit_test(what_is_not_legal),
        cmocka_unit_test(negative_multipliers),
        cmocka_unit_test(what_is_out_of_place),
        cmocka_unit_test(blocks_equal_workers),
        cmocka_unit_test(theorems_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
