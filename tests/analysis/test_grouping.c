/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between-group variances are computed here from the traits and the places, apart from the code under test. */
#include "tests/analysis/trees.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>

#include "analysis/grouping.h"
#include "analysis/random.h"

#define MAX_WORKERS 300
#define MAX_TRAITS 20

typedef struct workers {
    size_t count, num_traits;
    double trait[MAX_WORKERS * MAX_TRAITS];
} workers;

/* root: [groups of 3, 11 and 5, and a subtree of groups of 2, 7 and 2], 30 workers in all. */
static const hsgd_node_spec unequal[] = {
    {HSGD_NO_NODE, 24, 0}, {0, 12, 3}, {0, 6, 11}, {0, 8, 5}, {0, 12, 0}, {4, 4, 2}, {4, 6, 7}, {4, 2, 2}};
enum { UNEQUAL_NODES = sizeof unequal / sizeof *unequal, UNEQUAL_WORKERS = 30 };

static void make_unequal(hsgd_hierarchy *h)
{
    hsgd_error err;
    assert_ok(hsgd_hierarchy_tree(h, unequal, UNEQUAL_NODES, &err), err);
    assert_int_equal(h->num_workers, UNEQUAL_WORKERS);
}

/* One-hot traits: worker j has only the label j * 7 % labels, so workers of one label are far apart in the given order
 * (7 is prime to the numbers of labels used here). */
static void make_labelled(workers *w, size_t count, size_t labels)
{
    memset(w, 0, sizeof *w);
    w->count = count;
    w->num_traits = labels;
    for (size_t j = 0; j < count; j++)
        w->trait[j * labels + j * 7 % labels] = 1;
}

static void make_normal(workers *w, size_t count, size_t num_traits, uint64_t seed)
{
    const hsgd_stream stream = {.seed = seed, .purpose = HSGD_PURPOSE_USER};
    w->count = count;
    w->num_traits = num_traits;
    hsgd_normals(&stream, 1, w->trait, count * num_traits);
}

/* Variance of the means of the parts of the tree at this depth, and over single workers for depth HSGD_MAX_LEVELS. */
static double variance_at(const hsgd_hierarchy *h, const workers *w, const size_t *place, size_t depth)
{
    double variance = 0, n = (double)w->count;
    for (size_t k = 0; k < w->num_traits; k++) {
        double mean = 0;
        for (size_t j = 0; j < w->count; j++)
            mean += w->trait[j * w->num_traits + k] / n;
        for (size_t u = 0; u < h->num_nodes; u++) {
            double size = (double)h->node[u].num_workers, sum = 0;
            if (h->node[u].depth != depth)
                continue;
            for (size_t i = 0; i < h->node[u].num_workers; i++)
                sum += w->trait[place[h->node[u].first_worker + i] * w->num_traits + k] - mean;
            variance += size / n * (sum / size) * (sum / size);
        }
        for (size_t j = 0; j < w->count && depth == HSGD_MAX_LEVELS; j++)
            variance += pow(w->trait[j * w->num_traits + k] - mean, 2) / n;
    }
    return variance;
}

static double total_variance(const workers *w)
{
    const hsgd_hierarchy none = {0};
    return variance_at(&none, w, NULL, HSGD_MAX_LEVELS);
}

static void check_permutation(const size_t *place, size_t count)
{
    bool seen[MAX_WORKERS] = {false};
    for (size_t i = 0; i < count; i++) {
        assert_true(place[i] < count && !seen[place[i]]);
        seen[place[i]] = true;
    }
}

static void place_workers(size_t *place, hsgd_grouping grouping, const hsgd_hierarchy *h, const workers *w)
{
    hsgd_error err;
    assert_ok(hsgd_grouping_place(place, grouping, h, w->trait, w->num_traits, 1, &err), err);
    check_permutation(place, h->num_workers);
}

/* Between-group variance at this depth over the total variance. */
static double share_at(hsgd_grouping grouping, const hsgd_hierarchy *h, const workers *w, size_t depth)
{
    size_t place[MAX_WORKERS];
    place_workers(place, grouping, h, w);
    return variance_at(h, w, place, depth) / total_variance(w);
}

static void given_is_the_identity(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    size_t place[UNEQUAL_WORKERS];
    make_unequal(&h);
    assert_ok(hsgd_grouping_place(place, HSGD_GROUPING_GIVEN, &h, NULL, 0, 9, &err), err);
    for (size_t i = 0; i < UNEQUAL_WORKERS; i++)
        assert_int_equal(place[i], i);
    hsgd_hierarchy_free(&h);
}

/* All 24 permutations of 4 workers are equally likely: chi-square with 23 degrees of freedom, false alarm 1e-6; the seeds
 * are fixed. */
static void random_is_uniform_over_permutations(void **state)
{
    (void)state;
    hsgd_hierarchy h;
    make_uniform(&h, (size_t[]){2, 2}, 2);
    double seen[256] = {0}, draws = 24000, chi_sq = 0;
    size_t kinds = 0;
    for (uint64_t seed = 0; seed < (uint64_t)draws; seed++) {
        hsgd_error err;
        size_t place[4];
        assert_ok(hsgd_grouping_place(place, HSGD_GROUPING_RANDOM, &h, NULL, 0, seed, &err), err);
        seen[place[0] * 64 + place[1] * 16 + place[2] * 4 + place[3]]++;
    }
    for (size_t i = 0; i < 256; i++)
        if (seen[i] > 0) {
            kinds++;
            chi_sq += pow(seen[i] - draws / 24, 2) / (draws / 24);
        }
    assert_int_equal(kinds, 24);
    assert_true(gsl_cdf_chisq_Q(chi_sq, 23) > 1e-6);
    hsgd_hierarchy_free(&h);
}

/* THEORY 5: the mean of Up_k over groupings is (n_k - 1)/(n - 1) times the total variance. Two-sided normal check of the
 * mean over 4000 fixed seeds at 1e-6 for each of two depths: false alarm 2e-6. */
static void random_grouping_has_the_expected_divergence(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    make_uniform(&h, (size_t[]){3, 2, 4}, 3);
    make_normal(&w, 24, 3, 8);
    for (size_t depth = 1; depth <= 2; depth++) {
        double expected = total_variance(&w) * (depth == 1 ? 2.0 : 5.0) / 23, mean = 0, square = 0, draws = 4000;
        for (uint64_t seed = 0; seed < (uint64_t)draws; seed++) {
            hsgd_error err;
            size_t place[24];
            assert_ok(hsgd_grouping_place(place, HSGD_GROUPING_RANDOM, &h, NULL, 0, seed, &err), err);
            double off = variance_at(&h, &w, place, depth) - expected;
            mean += off / draws;
            square += off * off / draws;
        }
        assert_at_most(fabs(mean), gsl_cdf_ugaussian_Qinv(5e-7) * sqrt(square / draws), 0);
    }
    hsgd_hierarchy_free(&h);
}

/* As many labels as groups: one label per group, or the same number of workers of each label in every group. */
static void labels_that_fit_are_separated_or_balanced_exactly(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    const size_t groups[] = {2, 4, 5, 8, 10}, sizes[] = {40, 20, 20, 8, 10};
    for (size_t i = 0; i < 5; i++) {
        make_uniform(&h, (size_t[]){groups[i], sizes[i]}, 2);
        make_labelled(&w, h.num_workers, groups[i]);
        assert_near(share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 1), 1, 1e-13);
        assert_near(share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 1), 0, 1e-13);
        hsgd_hierarchy_free(&h);
    }
}

static void three_levels(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    make_uniform(&h, (size_t[]){2, 3, 10}, 3);
    make_labelled(&w, 60, 6);
    /* six labels have variance 5/6; means of two regions with three labels each are (1/3 - 1/6) off in six traits: 1/6
     */
    assert_near(share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 1), 0.2, 1e-13);
    assert_near(share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 2), 1, 1e-13);
    assert_near(share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 1), 0, 1e-13);
    assert_at_most(share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 2), 0.05, 0);
    hsgd_hierarchy_free(&h);
}

/* On the unequal tree, with any number of labels, no part is off its fair share of a label by more than 3/2 workers
 * (the deal is greedy; whole workers alone make 1/2 unavoidable). */
static void unequal_groups_get_fair_shares(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    make_unequal(&h);
    for (size_t labels = 2; labels <= 6; labels++) {
        size_t place[UNEQUAL_WORKERS];
        make_labelled(&w, UNEQUAL_WORKERS, labels);
        place_workers(place, HSGD_GROUPING_GROUP_IID, &h, &w);
        for (size_t u = 1; u < 5; u++)
            for (size_t k = 0; k < labels; k++) {
                double held = 0, fair = (double)h.node[u].num_workers / (double)labels;
                for (size_t i = 0; i < h.node[u].num_workers; i++)
                    held += w.trait[place[h.node[u].first_worker + i] * labels + k];
                assert_at_most(fabs(held - fair), 1.5, 1e-12);
            }
        double spread = share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 1);
        double even = share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 1);
        assert_true(spread > 0.3 && even < 0.05 && spread > 10 * even);
        assert_true(share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 2) > 2 * share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 2));
    }
    hsgd_hierarchy_free(&h);
}

/* Labels of 3, 11, 5 and 11 workers are exactly the parts of the unequal tree. */
static void unequal_labels_find_their_groups(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    make_unequal(&h);
    memset(&w, 0, sizeof w);
    w.count = UNEQUAL_WORKERS;
    w.num_traits = 1; /* increasing with the part, so that the order is forced */
    for (size_t j = 0; j < UNEQUAL_WORKERS; j++) {
        size_t rank = j * 7 % UNEQUAL_WORKERS;
        w.trait[j] = rank < 3 ? 1.5 : rank < 14 ? 2.5 : rank < 19 ? 7.25 : 11.75;
    }
    assert_near(share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 1), 1, 1e-13);
    assert_at_most(share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 1), 0.05, 0);
    hsgd_hierarchy_free(&h);
}

/* One trait, 6 workers, two groups of 3: the best and the worst of all 20 ways, by enumeration. Where group-noniid lies is
 * a theorem. The deal is greedy: usually, not always, in the lower half of what is possible; 297 of 20000 other draws were
 * not, and more than 8 of 50 then have probability 5e-8. The seeds are fixed. */
static void one_trait_reaches_the_largest_variance(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    size_t upper_half = 0;
    make_uniform(&h, (size_t[]){2, 3}, 2);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        make_normal(&w, 6, 1, seed);
        double largest = 0, smallest = INFINITY;
        for (unsigned set = 0; set < 64; set++) {
            size_t place[6], left = 0, right = 3;
            if (__builtin_popcount(set) != 3)
                continue;
            for (size_t j = 0; j < 6; j++)
                place[set >> j & 1 ? left++ : right++] = j;
            double share = variance_at(&h, &w, place, 1) / total_variance(&w);
            largest = fmax(largest, share);
            smallest = fmin(smallest, share);
        }
        assert_close(share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 1), largest, 1e-12);
        upper_half += share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 1) > smallest + 0.5 * (largest - smallest);
    }
    assert_true(upper_half <= 8);
    hsgd_hierarchy_free(&h);
}

/* Linear terms of quadratics, 20 normal traits with nothing to find: still far from what random grouping gives. A
 * common shift changes nothing. None of 40000 other draws failed, so that with 95 % confidence the false alarm is below
 * 8e-5 for one draw and 8e-4 for the ten; the seeds are fixed. */
static void arbitrary_traits(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    make_uniform(&h, (size_t[]){8, 8}, 2);
    double by_chance = 7.0 / 63;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        make_normal(&w, 64, 20, seed);
        double spread = share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 1);
        double even = share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 1);
        assert_true(spread > 2 * by_chance && even < 0.6 * by_chance);
        for (size_t j = 0; j < 64; j++)
            w.trait[j * 20 + 3] += 128;
        assert_near(share_at(HSGD_GROUPING_GROUP_NONIID, &h, &w, 1), spread, 0.02);
        assert_near(share_at(HSGD_GROUPING_GROUP_IID, &h, &w, 1), even, 0.02);
    }
    hsgd_hierarchy_free(&h);
}

/* Multiplying all traits by a power of two is exact, so the places stay the same; 2^700 squared would overflow. */
static void the_scale_of_the_traits_does_not_matter(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    make_unequal(&h);
    for (int grouping = HSGD_GROUPING_GROUP_IID; grouping <= HSGD_GROUPING_GROUP_NONIID; grouping++)
        for (int exponent = -700; exponent <= 700; exponent += 1400) {
            size_t place[UNEQUAL_WORKERS], scaled[UNEQUAL_WORKERS];
            make_normal(&w, UNEQUAL_WORKERS, 4, 77);
            place_workers(place, (hsgd_grouping)grouping, &h, &w);
            for (size_t i = 0; i < UNEQUAL_WORKERS * 4; i++)
                w.trait[i] = ldexp(w.trait[i], exponent);
            place_workers(scaled, (hsgd_grouping)grouping, &h, &w);
            assert_memory_equal(place, scaled, sizeof place);
        }
    hsgd_hierarchy_free(&h);
}

static void equal_traits_keep_the_order_given(void **state)
{
    (void)state;
    static workers w;
    hsgd_hierarchy h;
    size_t place[UNEQUAL_WORKERS];
    make_unequal(&h);
    w.count = UNEQUAL_WORKERS;
    w.num_traits = 2;
    for (size_t i = 0; i < UNEQUAL_WORKERS * 2; i++)
        w.trait[i] = i % 2 ? 0 : 3.25;
    place_workers(place, HSGD_GROUPING_GROUP_NONIID, &h, &w);
    for (size_t i = 0; i < UNEQUAL_WORKERS; i++)
        assert_int_equal(place[i], i);
    place_workers(place, HSGD_GROUPING_GROUP_IID, &h, &w);
    memset(w.trait, 0, sizeof w.trait);
    place_workers(place, HSGD_GROUPING_GROUP_IID, &h, &w);
    hsgd_hierarchy_free(&h);
}

static void small_trees(void **state)
{
    (void)state;
    static workers w;
    const size_t fanouts[][3] = {{1, 1, 1}, {1, 2, 1}, {5, 1, 1}, {1, 1, 7}, {3, 1, 2}};
    for (size_t i = 0; i < 5; i++)
        for (int grouping = HSGD_GROUPING_GIVEN; grouping <= HSGD_GROUPING_GROUP_NONIID; grouping++) {
            hsgd_hierarchy h;
            size_t place[MAX_WORKERS];
            make_uniform(&h, fanouts[i], 3);
            make_normal(&w, h.num_workers, 2, i);
            place_workers(place, (hsgd_grouping)grouping, &h, &w);
            hsgd_hierarchy_free(&h);
        }
}

/* One trait and many workers: group-noniid is a sort, whatever the tree. Without balanced bisection
 * this test takes minutes instead of a second. */
static void many_workers_are_sorted_in_reasonable_time(void **state)
{
    (void)state;
    enum { COUNT = 60000 };
    hsgd_error err;
    hsgd_hierarchy h;
    const hsgd_stream stream = {.seed = 5, .purpose = HSGD_PURPOSE_USER};
    double *trait = malloc(COUNT * sizeof *trait);
    size_t *place = malloc(COUNT * sizeof *place), ascents = 0;
    assert_true(trait && place);
    make_uniform(&h, (size_t[]){3, COUNT / 3}, 2);
    hsgd_normals(&stream, 1, trait, COUNT);
    assert_ok(hsgd_grouping_place(place, HSGD_GROUPING_GROUP_NONIID, &h, trait, 1, 1, &err), err);
    for (size_t i = 1; i < COUNT; i++)
        ascents += trait[place[i - 1]] <= trait[place[i]];
    assert_true(ascents == COUNT - 1 || ascents == 0);
    free(place);
    free(trait);
    hsgd_hierarchy_free(&h);
}

static void illegal_input_is_named(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy compact, h;
    size_t place[6];
    double trait[12] = {0};
    assert_ok(hsgd_hierarchy_uniform(&compact, (size_t[]){2, 3}, (size_t[]){4, 2}, 2, &err), err);
    assert_ok(hsgd_hierarchy_expand(&h, &compact, &err), err);
    assert_fails(hsgd_grouping_place(place, HSGD_GROUPING_RANDOM, &compact, NULL, 0, 1, &err), HSGD_ERROR_INPUT,
                 "one entry per node", err);
    assert_fails(hsgd_grouping_place(place, HSGD_GROUPING_GROUP_IID, &h, NULL, 2, 1, &err), HSGD_ERROR_INPUT,
                 "at least 1 trait", err);
    assert_fails(hsgd_grouping_place(place, HSGD_GROUPING_GROUP_IID, &h, trait, 0, 1, &err), HSGD_ERROR_INPUT,
                 "at least 1 trait", err);
    assert_fails(hsgd_grouping_place(place, (hsgd_grouping)55, &h, trait, 2, 1, &err), HSGD_ERROR_INPUT, "55", err);
    trait[7] = NAN;
    assert_fails(hsgd_grouping_place(place, HSGD_GROUPING_GROUP_NONIID, &h, trait, 2, 1, &err), HSGD_ERROR_INPUT,
                 "trait 1 of worker 3", err);
    hsgd_hierarchy_free(&h);
    hsgd_hierarchy_free(&compact);
}

static void grouping_names_round_trip(void **state)
{
    (void)state;
    const char *names[] = {"given", "random", "group-iid", "group-noniid"};
    for (int i = HSGD_GROUPING_GIVEN; i <= HSGD_GROUPING_GROUP_NONIID; i++) {
        hsgd_grouping parsed = (hsgd_grouping)99;
        assert_string_equal(hsgd_grouping_name((hsgd_grouping)i), names[i]);
        assert_int_equal(hsgd_grouping_parse(names[i], &parsed), 0);
        assert_int_equal(parsed, i);
    }
    hsgd_grouping parsed;
    assert_int_equal(hsgd_grouping_parse("iid", &parsed), -1);
    assert_string_equal(hsgd_grouping_name((hsgd_grouping)99), "unknown");
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_is_the_identity),
        cmocka_unit_test(random_is_uniform_over_permutations),
        cmocka_unit_test(random_grouping_has_the_expected_divergence),
        cmocka_unit_test(labels_that_fit_are_separated_or_balanced_exactly),
        cmocka_unit_test(three_levels),
        cmocka_unit_test(unequal_groups_get_fair_shares),
        cmocka_unit_test(unequal_labels_find_their_groups),
        cmocka_unit_test(one_trait_reaches_the_largest_variance),
        cmocka_unit_test(arbitrary_traits),
        cmocka_unit_test(the_scale_of_the_traits_does_not_matter),
        cmocka_unit_test(equal_traits_keep_the_order_given),
        cmocka_unit_test(small_trees),
        cmocka_unit_test(many_workers_are_sorted_in_reasonable_time),
        cmocka_unit_test(illegal_input_is_named),
        cmocka_unit_test(grouping_names_round_trip),
    };
    return cmocka_run_group_tests_name("grouping", tests, NULL, NULL);
}
