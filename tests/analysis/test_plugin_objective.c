/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plug-ins as objectives, with records in this program: which records are legal (an old version, a missing function, a
 * shorter record of an earlier day), whose random numbers a plug-in gets, what becomes of the constants that it gives, and
 * what is estimated of a quadratic whose L and sigma^2 are known. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>

#include "analysis/estimate.h"
#include "analysis/plugin_objective.h"

enum { DIM = 3, WORKERS = 4 };

static hsgd_error err;

/* ---- a plug-in: F_j(w) = 1/2 sum_i h_i (w_i - j)^2, noise of variance 0.3 per coordinate and sample ---- */

static const double curvature[DIM] = {0.5, -2, 1.25};
static const double noise_sd = 0.5477225575051661; /* sqrt(0.3) */
static hsgd_plugin_constants said;                 /* what constants() says */
static int made, destroyed, batched;

static void *create(const hsgd_plugin_setting *setting, char *message, size_t message_size)
{
    if (setting->seed == 13) {
        snprintf(message, message_size, "13 is not a seed\nfor this");
        return NULL;
    }
    double *draw = malloc(DIM * sizeof *draw);
    assert_non_null(draw);
    assert_int_equal(setting->num_workers, WORKERS);
    assert_int_equal(setting->size, sizeof *setting);
    setting->random->normals(setting->random, 2, draw, DIM);
    made++;
    return draw;
}

static void *create_silently(const hsgd_plugin_setting *setting, char *message, size_t message_size)
{
    (void)setting;
    (void)message;
    (void)message_size;
    return NULL;
}

static void destroy(void *problem)
{
    free(problem);
    destroyed++;
}

static size_t dimension(const void *problem)
{
    (void)problem;
    return DIM;
}

static size_t no_dimension(const void *problem)
{
    (void)problem;
    return 0;
}

static double loss(const void *problem, size_t worker, const double *point, double *gradient, double *scratch)
{
    double sum = 0;
    (void)problem;
    (void)scratch;
    for (size_t i = 0; i < DIM; i++) {
        double z = point[i] - (double)worker;
        sum += curvature[i] * z * z / 2;
        gradient[i] = curvature[i] * z;
    }
    return sum;
}

static void stochastic_gradient(const void *problem, size_t worker, const double *point, size_t batch_size,
                                const hsgd_plugin_random *random, double *gradient, double *scratch)
{
    assert_true(batch_size > 0);
    loss(problem, worker, point, gradient, scratch);
    random->normals(random, noise_sd / sqrt((double)batch_size), scratch, DIM);
    for (size_t i = 0; i < DIM; i++)
        gradient[i] += scratch[i];
}

static size_t scratch_size(const void *problem, size_t batch_size)
{
    (void)problem;
    return batch_size ? DIM : 0;
}

/* Writes the numbers that the problem drew. */
static void initial_point(const void *problem, double *point)
{
    memcpy(point, problem, DIM * sizeof *point);
}

static void constants(const void *problem, size_t batch_size, hsgd_plugin_constants *out)
{
    (void)problem;
    (void)batch_size;
    *out = said;
}

static void losses(const void *problem, const size_t *worker, size_t count, const double *point, double *out,
                   double *gradient, double *scratch)
{
    batched++;
    for (size_t j = 0; j < count; j++)
        out[j] = loss(problem, worker[j], point, gradient + j * DIM, scratch);
}

static void stochastic_gradients(const void *problem, const size_t *worker, size_t count, const double *point,
                                 size_t stride, size_t batch_size, const hsgd_plugin_random *random, double *gradient,
                                 double *scratch)
{
    batched++;
    for (size_t j = 0; j < count; j++)
        stochastic_gradient(problem, worker[j], point + j * stride, batch_size, &random[j], gradient + j * DIM,
                            scratch);
}

static const hsgd_plugin_interface required = {.interface = HSGD_PLUGIN_INTERFACE,
                                               .size = sizeof required,
                                               .name = "quadratic",
                                               .create = create,
                                               .destroy = destroy,
                                               .dimension = dimension,
                                               .loss = loss,
                                               .stochastic_gradient = stochastic_gradient,
                                               .scratch_size = scratch_size};

static hsgd_objective open_plugin(const hsgd_plugin_interface *plugin)
{
    hsgd_objective f;
    assert_ok(hsgd_plugin_verify(plugin, &err), err);
    assert_ok(hsgd_plugin_objective(&f, plugin, NULL, WORKERS, 7, &err), err);
    return f;
}

/* ---- records ---- */

static void illegal_records_are_refused(void **state)
{
    (void)state;
    hsgd_plugin_interface p;
#define REFUSED(field, value, message)                                                                                 \
    p = required;                                                                                                      \
    p.field = value;                                                                                                   \
    assert_fails(hsgd_plugin_verify(&p, &err), HSGD_ERROR_INPUT, message, err)
    REFUSED(interface, 0, "hsgd_plugin.interface: 0, but this hsgd speaks version 1");
    REFUSED(interface, 2, "hsgd_plugin.interface: 2, but this hsgd speaks version 1");
    REFUSED(size, 8, "hsgd_plugin.size: 8 bytes, but the required functions take");
    REFUSED(name, NULL, "hsgd_plugin.name: not 1 to 63 printable characters");
    REFUSED(name, "", "hsgd_plugin.name: ");
    REFUSED(name, "two\nlines", "hsgd_plugin.name: ");
    REFUSED(name, "sixty-four characters, which are one more than is legal for a name", "hsgd_plugin.name: ");
    REFUSED(version, "", "hsgd_plugin.version: ");
    REFUSED(create, NULL, "hsgd_plugin.create: NULL");
    REFUSED(destroy, NULL, "hsgd_plugin.destroy: NULL");
    REFUSED(dimension, NULL, "hsgd_plugin.dimension: NULL");
    REFUSED(loss, NULL, "hsgd_plugin.loss: NULL");
    REFUSED(stochastic_gradient, NULL, "hsgd_plugin.stochastic_gradient: NULL");
    assert_ok(hsgd_plugin_verify(&required, &err), err);
}

/* What lies behind the record's own size is never read: here functions that end the program. */
static void trap(void)
{
    fail_msg("a function behind the end of the record was called");
}

static void records_of_earlier_days_are_legal(void **state)
{
    (void)state;
    hsgd_plugin_interface p = required;
    double point[DIM], gradient[DIM], scratch[DIM];
    size_t worker = 2;
    p.size = (uint32_t)offsetof(hsgd_plugin_interface, initial_point);
    p.initial_point = (void (*)(const void *, double *))trap;
    p.losses = (void (*)(const void *, const size_t *, size_t, const double *, double *, double *, double *))trap;
    hsgd_objective f = open_plugin(&p);
    hsgd_plugin_initial(&f, point);
    for (size_t i = 0; i < DIM; i++)
        assert_true(point[i] == 0);
    double value;
    f.type->full(&f, point, &worker, 1, &value, gradient, scratch);
    assert_close(value, 2 * (0.5 - 2 + 1.25), 1e-15);
    assert_string_equal(f.type->name, "quadratic (plug-in)");
    assert_true(hsgd_plugin_loss_rounding(&f) == 0);
    hsgd_objective_free(&f);
}

static void problems_are_made_and_destroyed_once(void **state)
{
    (void)state;
    hsgd_objective f;
    hsgd_plugin_interface p = required;
    made = destroyed = 0;
    f = open_plugin(&p);
    assert_true(f.dim == DIM && f.num_workers == WORKERS);
    hsgd_objective_free(&f);
    assert_true(made == 1 && destroyed == 1);
    assert_fails(hsgd_plugin_objective(&f, &p, NULL, WORKERS, 13, &err), HSGD_ERROR_INPUT, "13 is not a seed?for this",
                 err);
    assert_true(made == 1 && destroyed == 1);
    p.create = create_silently;
    assert_fails(hsgd_plugin_objective(&f, &p, NULL, WORKERS, 7, &err), HSGD_ERROR_INPUT, "does not say why", err);
    p = required;
    p.dimension = no_dimension;
    assert_fails(hsgd_plugin_objective(&f, &p, NULL, WORKERS, 7, &err), HSGD_ERROR_INPUT, "dimension is 0", err);
    assert_true(made == 2 && destroyed == 2);
}

/* ---- numbers ---- */

/* Those of the streams that hsgd's own problems use: gradient noise, and generated problems. */
static void random_numbers_are_those_of_the_streams(void **state)
{
    (void)state;
    hsgd_plugin_interface p = required;
    p.initial_point = initial_point;
    hsgd_objective f = open_plugin(&p);
    double point[DIM] = {1, 2, 3}, gradient[DIM], full[DIM], want[DIM], scratch[2 * DIM];
    f.type->stochastic(&f, point, 3, 4, 99, 5, gradient, scratch);
    loss(NULL, 3, point, full, NULL);
    hsgd_normals(&(hsgd_stream){99, HSGD_PURPOSE_NOISE, 3, 5}, noise_sd / 2, want, DIM);
    for (size_t i = 0; i < DIM; i++)
        assert_true(gradient[i] == full[i] + want[i]);
    f.type->stochastic(&f, point, 3, 0, 99, 5, gradient, scratch); /* batch size 0: full */
    assert_memory_equal(gradient, full, sizeof full);
    hsgd_plugin_initial(&f, gradient);
    hsgd_normals(&(hsgd_stream){7, HSGD_PURPOSE_PROBLEM, 0, 0}, 2, want, DIM);
    assert_memory_equal(gradient, want, sizeof want);
    hsgd_objective_free(&f);
}

static void batched_functions_are_used(void **state)
{
    (void)state;
    hsgd_plugin_interface p = required;
    hsgd_objective one = open_plugin(&p), all;
    double point[2 * DIM] = {1, -2, 3, 4, 5, -6}, scratch[DIM + 1], value[2][6], gradient[2][6 * DIM], alone[DIM];
    const size_t worker[] = {3, 0, 2};
    p.losses = losses;
    p.stochastic_gradients = stochastic_gradients;
    all = open_plugin(&p);
    batched = 0;
    one.type->full(&one, point, worker, 3, value[0], gradient[0], scratch);
    assert_int_equal(batched, 0);
    all.type->full(&all, point, worker, 3, value[1], gradient[1], scratch);
    assert_int_equal(batched, 1);
    assert_memory_equal(value[0], value[1], 3 * sizeof(double));
    assert_memory_equal(gradient[0], gradient[1], 3 * DIM * sizeof(double));
    const double *at[] = {point, point, point, point + DIM, point, point}, *shared[] = {point, point, point};
    hsgd_objective_full_at(&one, at, 2, worker, 3, value[0], gradient[0], scratch);
    hsgd_objective_full_at(&all, at, 2, worker, 3, value[1], gradient[1], scratch);
    assert_memory_equal(value[0], value[1], sizeof value[0]);
    assert_memory_equal(gradient[0], gradient[1], sizeof gradient[0]);
    assert_true(value[0][2] == loss(NULL, 0, point, alone, NULL));
    assert_true(value[0][3] == loss(NULL, 0, point + DIM, alone, NULL));
    hsgd_objective_full_at(&one, shared, 1, worker, 3, NULL, gradient[0], scratch);
    batched = 0;
    hsgd_objective_full_at(&all, shared, 1, worker, 3, NULL, gradient[1], scratch);
    assert_int_equal(batched, 1); /* one call for all */
    assert_memory_equal(gradient[0], gradient[1], 3 * DIM * sizeof(double));
    hsgd_objective_stochastic_rows(&one, point, DIM, worker, 2, 3, 11, 5, gradient[0], scratch);
    hsgd_objective_stochastic_rows(&all, point, DIM, worker, 2, 3, 11, 5, gradient[1], scratch);
    assert_int_equal(batched, 2);
    assert_memory_equal(gradient[0], gradient[1], 2 * DIM * sizeof(double));
    hsgd_objective_free(&one);
    hsgd_objective_free(&all);
}

/* ---- constants ---- */

static hsgd_status ask(size_t batch_size, hsgd_constants *out, bool says)
{
    hsgd_plugin_interface p = required;
    p.constants = says ? constants : NULL;
    hsgd_objective f = open_plugin(&p);
    hsgd_status status = f.type->constants(&f, batch_size, out, &err);
    hsgd_objective_free(&f);
    return status;
}

static void constants_keep_their_kinds(void **state)
{
    (void)state;
    hsgd_constants c;
    said = (hsgd_plugin_constants){.size = sizeof said,
                                   .smoothness = {3, HSGD_PLUGIN_EXACT},
                                   .noise_sq = {0.25, HSGD_PLUGIN_CERTIFIED},
                                   .minimum = {-7, HSGD_PLUGIN_ESTIMATE},
                                   .convexity = -2};
    assert_ok(ask(1, &c, true), err);
    assert_true(c.smoothness.value == 3 && c.smoothness.kind == HSGD_EXACT);
    assert_true(c.noise_sq.value == 0.25 && c.noise_sq.kind == HSGD_CERTIFIED);
    assert_true(c.minimum.value == -7 && c.minimum.kind == HSGD_ESTIMATE);
    assert_true(c.convexity == -2);
    assert_ok(ask(0, &c, true), err); /* full gradients have no noise */
    assert_true(c.noise_sq.value == 0 && c.noise_sq.kind == HSGD_EXACT);
}

static void illegal_constants_are_refused(void **state)
{
    (void)state;
    hsgd_constants c;
    const hsgd_plugin_constants good = {
        .size = sizeof good, .smoothness = {3, HSGD_PLUGIN_EXACT}, .minimum = {0, HSGD_PLUGIN_EXACT}, .convexity = 0};
#define WRONG(field, message)                                                                                          \
    said = good;                                                                                                       \
    said.field;                                                                                                        \
    assert_fails(ask(0, &c, true), HSGD_ERROR_INPUT, message, err)
    WRONG(smoothness.value = -1, "problem: constants: smoothness: -1 is not a finite number of at least 0");
    WRONG(smoothness.kind = 4, "problem: constants: smoothness: the kind 4 is none of 0 to 3");
    WRONG(minimum.value = NAN, "problem: constants: minimum: ");
    WRONG(minimum.value = -INFINITY, "problem: constants: minimum: -inf is not a finite number; leave it unknown");
    WRONG(convexity = NAN, "problem: constants: convexity: ");
    WRONG(convexity = 4, "problem: constants: convexity: 4 is not a number of at most smoothness");
}

static void silent_gradient(const void *problem, size_t worker, const double *point, size_t batch_size,
                            const hsgd_plugin_random *random, double *gradient, double *scratch)
{
    (void)batch_size;
    (void)random;
    loss(problem, worker, point, gradient, scratch);
}

/* A run that is taken for one without noise is made once; so that must be sure. */
static void no_noise_takes_full_gradients(void **state)
{
    (void)state;
    hsgd_constants c;
    said = (hsgd_plugin_constants){
        .size = sizeof said, .smoothness = {2, HSGD_PLUGIN_EXACT}, .noise_sq = {0, HSGD_PLUGIN_EXACT}, .convexity = -2};
    assert_ok(ask(0, &c, true), err);
    assert_fails(ask(5, &c, true), HSGD_ERROR_INPUT, "optimizer.batch_size: 5, but sigma^2", err);
    hsgd_plugin_interface p = required;
    p.stochastic_gradient = silent_gradient;
    hsgd_objective f = open_plugin(&p);
    assert_fails(f.type->constants(&f, 5, &c, &err), HSGD_ERROR_INPUT, "is 0 (estimate); use 0, or", err);
    hsgd_objective_free(&f);
}

/* L = 2 and sigma^2 = 3 * 0.3/b; what is estimated is twice what is seen, and 32 draws see sigma^2 to some 20 %, the largest
 * of four workers and three points to somewhat more. */
static void other_constants_are_estimated(void **state)
{
    (void)state;
    hsgd_constants c;
    assert_ok(ask(2, &c, false), err);
    assert_true(c.smoothness.kind == HSGD_ESTIMATE && c.noise_sq.kind == HSGD_ESTIMATE);
    assert_close(c.smoothness.value, HSGD_ESTIMATE_FACTOR * 2, 0.01);
    assert_at_most(c.noise_sq.value, HSGD_ESTIMATE_FACTOR * 0.45 * 1.6, 0);
    assert_at_most(HSGD_ESTIMATE_FACTOR * 0.45 * 0.95, c.noise_sq.value, 0);
    assert_true(c.minimum.value == -INFINITY && c.minimum.kind == HSGD_CERTIFIED && c.convexity == -INFINITY);
    said = (hsgd_plugin_constants){.size = sizeof said, .noise_sq = {0.45, HSGD_PLUGIN_EXACT}, .convexity = -INFINITY};
    assert_ok(ask(2, &c, true), err); /* one of the two */
    assert_close(c.smoothness.value, HSGD_ESTIMATE_FACTOR * 2, 0.01);
    assert_true(c.noise_sq.value == 0.45 && c.noise_sq.kind == HSGD_EXACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(illegal_records_are_refused),
        cmocka_unit_test(records_of_earlier_days_are_legal),
        cmocka_unit_test(problems_are_made_and_destroyed_once),
        cmocka_unit_test(random_numbers_are_those_of_the_streams),
        cmocka_unit_test(batched_functions_are_used),
        cmocka_unit_test(constants_keep_their_kinds),
        cmocka_unit_test(illegal_constants_are_refused),
        cmocka_unit_test(no_noise_takes_full_gradients),
        cmocka_unit_test(other_constants_are_estimated),
    };
    gsl_set_error_handler_off();
    return cmocka_run_group_tests_name("plug-in objective", tests, NULL, NULL);
}
