/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From configuration to workers at their places: no sample, label, linear term or weight may end up elsewhere. */
#include "tests/temp_files.h"

#include <gsl/gsl_errno.h>

#include "analysis/grouping.h"
#include "analysis/random.h"
#include "experiments/problem.h"

static hsgd_error err;

static void build(hsgd_problem *problem, hsgd_config *config, const char *text)
{
    assert_ok(hsgd_config_parse(config, text, strlen(text), "c.json", &err), err);
    assert_ok(hsgd_problem_build(problem, config, "c.json", &err), err);
}

static void release(hsgd_problem *problem, hsgd_config *config)
{
    hsgd_problem_free(problem);
    hsgd_config_free(config);
}

static void refused(const char *text, const char *message)
{
    hsgd_config config;
    hsgd_problem problem;
    assert_ok(hsgd_config_parse(&config, text, strlen(text), "c.json", &err), err);
    assert_fails(hsgd_problem_build(&problem, &config, "c.json", &err), HSGD_ERROR_INPUT, message, err);
    assert_int_equal(strncmp(err.message, "c.json: ", 8), 0);
    hsgd_config_free(&config);
}

static void assert_permutation(const size_t *place, size_t n)
{
    bool seen[64] = {false};
    for (size_t i = 0; i < n; i++) {
        assert_true(place[i] < n && !seen[place[i]]);
        seen[place[i]] = true;
    }
}

/* ---- quadratics ---- */

/* Six workers with linear terms of two kinds, near 1 and near 9, given alternately; the weight of worker j is j + 1. */
#define QUADRATIC(extra, weights)                                                                                      \
    "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [6, 2]" weights "}, \"problem\": {\"type\": \"quadratic\","     \
    "\"curvature\": [0.7, 0.3], \"linear\": [[1, 0.1], [9, 0.2], [1.1, 0.3], [9.1, 0.4], [1.2, 0.5], [9.2, "           \
    "0.6]]}," extra "\"optimizer\": {\"step_size\": 0.1, \"steps\": 3}}"
#define WEIGHTS ", \"weights\": [1, 2, 3, 4, 5, 6]"

static double upward(const hsgd_problem *p)
{
    double mean[2] = {0, 0};
    for (size_t i = 0; i < 6; i++)
        mean[i / 3] += p->quadratic.linear[2 * i] / 3;
    return (mean[0] - mean[1]) * (mean[0] - mean[1]) / 4;
}

static void quadratic_workers_move_with_their_terms_and_weights(void **state)
{
    (void)state;
    static const char *const text[] = {QUADRATIC("\"grouping\": \"given\",", WEIGHTS),
                                       QUADRATIC("\"grouping\": \"group-iid\",", WEIGHTS),
                                       QUADRATIC("\"grouping\": \"group-noniid\",", WEIGHTS)};
    for (size_t k = 0; k < 3; k++) {
        hsgd_config c;
        hsgd_problem p;
        build(&p, &c, text[k]);
        assert_true(p.is_quadratic && p.objective.num_workers == 6 && p.objective.dim == 2);
        assert_null(p.placement);
        assert_permutation(p.place, 6);
        for (size_t i = 0; i < 6; i++) {
            assert_memory_equal(p.quadratic.linear + 2 * i, c.linear + 2 * p.place[i], 2 * sizeof(double));
            assert_close(p.hierarchy.worker_weight[i], (double)(p.place[i] + 1) / 21, 1e-15);
            if (k == 0)
                assert_int_equal(p.place[i], i);
        }
        /* alike together: the groups' means are 8 apart, upward divergence (8/2)^2 = 16; a cross-section of three of
         * six such workers leaves at best 1 against 2 of the far kind, 8/3 apart: (8/6)^2 = 1.78 */
        if (k == 1)
            assert_at_most(upward(&p), 1.9, 0);
        if (k == 2)
            assert_close(upward(&p), 16, 1e-10);
        release(&p, &c);
    }
}

/* The same with curvatures of two kinds and linear terms of one: they decide who is alike, and move with their workers. */
static void own_curvatures_decide_who_is_alike(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    build(
        &p, &c,
        "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [6, 2]}, \"problem\": {\"type\": \"quadratic\","
        "\"curvature\": [[1], [9], [1.1], [9.1], [1.2], [9.2]], \"linear\": [[1], [1.1], [1.2], [1.3], [1.4], [1.5]]},"
        "\"grouping\": \"group-noniid\", \"optimizer\": {\"step_size\": 0.1, \"steps\": 3}}");
    for (size_t i = 0; i < 6; i++) {
        assert_true(p.quadratic.worker_curvature[i] == c.worker_curvature[p.place[i]]);
        assert_true(p.quadratic.linear[i] == c.linear[p.place[i]]);
        assert_int_equal(p.quadratic.worker_curvature[i] > 5, p.quadratic.worker_curvature[i / 3 * 3] > 5);
    }
    release(&p, &c);
}

/* Random grouping leaves the workers in the order given and gives each seed places of its own, from its own number. */
static void random_places_belong_to_seeds(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    build(&p, &c, QUADRATIC("\"grouping\": \"random\", \"seeds\": 5, \"first_seed\": 11,", ""));
    assert_non_null(p.placement);
    assert_memory_equal(p.quadratic.linear, c.linear, 12 * sizeof(double));
    size_t different = 0;
    for (size_t r = 0; r < 5; r++) {
        size_t own[6];
        assert_permutation(p.placement + 6 * r, 6);
        assert_ok(hsgd_grouping_place(own, HSGD_GROUPING_RANDOM, &p.hierarchy, NULL, 0, 11 + r, &err), err);
        assert_memory_equal(p.placement + 6 * r, own, sizeof own);
        different += memcmp(own, p.placement, sizeof own) != 0;
    }
    assert_memory_equal(p.place, p.placement, 6 * sizeof *p.place); /* the first seed's */
    assert_true(different >= 3); /* two of four equal to the first by chance: 6/720^2 = 1.2e-5; the seeds are fixed */
    release(&p, &c);
}

static void initial_points(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    build(&p, &c, QUADRATIC("", ""));
    assert_true(p.initial[0] == 0 && p.initial[1] == 0); /* default: the origin */
    release(&p, &c);
    build(&p, &c, QUADRATIC("\"initial\": {\"point\": [2.385, -1e-7]},", ""));
    assert_true(p.initial[0] == 2.385 && p.initial[1] == -1e-7);
    release(&p, &c);
    double drawn[2];
    hsgd_stream stream = {4, HSGD_PURPOSE_INITIAL, 0, 0};
    hsgd_normals(&stream, 2.5, drawn, 2);
    build(&p, &c, QUADRATIC("\"initial\": {\"scale\": 2.5}, \"first_seed\": 4,", ""));
    assert_memory_equal(p.initial, drawn, sizeof drawn);
    assert_true(drawn[0] != 0 && drawn[0] != drawn[1]);
    release(&p, &c);
}

static void impossible_divergence_names_its_place(void **state)
{
    (void)state;
    refused("{\"hierarchy\": {\"fanout\": [1, 3], \"periods\": [6, 2]}, \"problem\": {\"type\": \"quadratic\", "
            "\"dimension\": 2,"
            "\"curvature_range\": [1, 2], \"level_divergence\": [1, 1]}, \"optimizer\": {\"step_size\": 0.1, "
            "\"steps\": 3}}",
            "problem.level_divergence[0]: 1 cannot be reached");
}

/* ---- data ---- */

enum { SAMPLES = 26 };

/* Sample i: label i mod 3, feature 1 is i + 1 (who am I), feature 2 is the label + 0.5. */
static void write_samples(void)
{
    char text[4096], *end = text;
    for (int i = 0; i < SAMPLES; i++)
        end += sprintf(end, "%d 1:%d 2:%g\n", i % 3, i + 1, i % 3 + 0.5);
    temp_write(temp_shared(), "three.txt", text, (size_t)(end - text));
}

#define SOFTMAX(weights, partition, extra)                                                                             \
    "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [6, 2]" weights                                                 \
    "}, \"problem\": {\"type\": \"softmax\", \"data\":"                                                                \
    "{\"format\": \"libsvm\", \"path\": \"%.255s/three.txt\"}, \"partition\": " partition "}," extra                   \
    "\"optimizer\": {\"step_size\": 0.1, \"steps\": 3}}"

static void every_sample_stays_itself(void **state)
{
    (void)state;
    static const char *const text[] = {
        SOFTMAX("", "{\"scheme\": \"iid\"}", ""),
        SOFTMAX("", "{\"scheme\": \"by-label\"}", "\"grouping\": \"group-iid\","),
        SOFTMAX("", "{\"scheme\": \"by-label\"}", "\"grouping\": \"group-noniid\","),
        SOFTMAX("", "{\"scheme\": \"shards\", \"shards_per_worker\": 2}", "\"grouping\": \"random\","),
        SOFTMAX(", \"weights\": \"data-size\"", "{\"scheme\": \"quantity\", \"sigma\": 1}",
                "\"grouping\": \"group-noniid\",")};
    write_samples();
    for (size_t k = 0; k < sizeof text / sizeof *text; k++) {
        hsgd_config c;
        hsgd_problem p;
        char full[1024];
        snprintf(full, sizeof full, text[k], temp_shared()->folder);
        build(&p, &c, full);
        assert_int_equal(p.objective.dim, 3 * 2);
        assert_permutation(p.place, 4);
        bool seen[SAMPLES] = {false};
        assert_true(p.partition.start[0] == 0 && p.partition.start[4] == SAMPLES);
        for (size_t j = 0; j < 4; j++) {
            size_t count[3] = {0, 0, 0};
            for (size_t r = p.partition.start[j]; r < p.partition.start[j + 1]; r++) {
                size_t original = p.partition.order[r]; /* refers to the data as read */
                assert_true(original < SAMPLES && !seen[original]);
                seen[original] = true;
                assert_int_equal(p.data.row_start[r + 1] - p.data.row_start[r], 2);
                const double *value = p.data.value + p.data.row_start[r];
                assert_true(value[0] == (double)original + 1 && value[1] == (double)(original % 3) + 0.5);
                assert_int_equal(p.data.label[r], original % 3);
                count[original % 3]++;
            }
            for (size_t l = 0; l < 3; l++)
                assert_int_equal(p.partition.histogram[j * 3 + l], count[l]);
            if (c.weighting == HSGD_WEIGHTS_DATA_SIZE)
                assert_close(p.hierarchy.worker_weight[j],
                             (double)(p.partition.start[j + 1] - p.partition.start[j]) / SAMPLES, 1e-15);
        }
        release(&p, &c);
    }
}

/* place[i] tells which share of the partition sits at place i: the same build with "given" puts share place[i] there.
 */
static void places_refer_to_the_partition(void **state)
{
    (void)state;
    char full[2][1024];
    hsgd_config given, moved;
    hsgd_problem a, b;
    write_samples();
    snprintf(full[0], sizeof full[0], SOFTMAX("", "{\"scheme\": \"by-label\"}", ""), temp_shared()->folder);
    snprintf(full[1], sizeof full[1], SOFTMAX("", "{\"scheme\": \"by-label\"}", "\"grouping\": \"group-iid\","),
             temp_shared()->folder);
    build(&a, &given, full[0]);
    build(&b, &moved, full[1]);
    for (size_t i = 0; i < 4; i++) {
        size_t from = a.partition.start[b.place[i]], size = a.partition.start[b.place[i] + 1] - from;
        assert_int_equal(size, b.partition.start[i + 1] - b.partition.start[i]);
        assert_memory_equal(a.partition.order + from, b.partition.order + b.partition.start[i], size * sizeof(size_t));
    }
    release(&a, &given);
    release(&b, &moved);
}

static void bad_data_names_the_file(void **state)
{
    (void)state;
    char full[1024], text[] = SOFTMAX("", "{\"scheme\": \"iid\"}", "");
    write_samples();
    snprintf(full, sizeof full, text, "/no/such/folder");
    refused(full, "/no/such/folder/three.txt");
    snprintf(full, sizeof full, text, temp_shared()->folder);
    snprintf(full, sizeof full, SOFTMAX("", "{\"scheme\": \"iid\"}", "\"initial\": {\"point\": [1, 2]},"),
             temp_shared()->folder);
    refused(full, "initial.point: 2 numbers for a problem of dimension 6");
    snprintf(full, sizeof full,
             "{\"hierarchy\": {\"fanout\": [27], \"periods\": [2]}, \"problem\": {\"type\": \"softmax\", \"data\": "
             "{\"format\":"
             "\"libsvm\", \"path\": \"%.255s/three.txt\"}}, \"optimizer\": {\"step_size\": 1, \"steps\": 1}}",
             temp_shared()->folder);
    refused(full, "problem.partition: "); /* more workers than samples */
    snprintf(full, sizeof full,
             "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"logistic\", \"data\": "
             "{\"format\":"
             "\"libsvm\", \"path\": \"%.255s/three.txt\"}}, \"optimizer\": {\"step_size\": 1, \"steps\": 1}}",
             temp_shared()->folder);
    refused(full,
            "problem.type: logistic regression needs two classes; the data have 3"); /* the binary model needs two */
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratic_workers_move_with_their_terms_and_weights),
        cmocka_unit_test(own_curvatures_decide_who_is_alike),
        cmocka_unit_test(random_places_belong_to_seeds),
        cmocka_unit_test(initial_points),
        cmocka_unit_test(impossible_divergence_names_its_place),
        cmocka_unit_test(every_sample_stays_itself),
        cmocka_unit_test(places_refer_to_the_partition),
        cmocka_unit_test(bad_data_names_the_file),
    };
    return cmocka_run_group_tests_name("problem", tests, temp_open_shared, temp_close_shared);
}
