/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planner against searches that know nothing of its proofs: every tree by nested loops, seconds by the clocks of all
 * workers, the bound on a fine grid of step sizes. Step sizes against the roots of a polynomial, elasticities against
 * identities of dimension and differences, fronts and regrets against all pairs. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_poly.h>
#include <unistd.h>

#include "experiments/plan_private.h"
#include "tests/temp_files.h"

static hsgd_error err;
static const hsgd_plan_watcher nobody = {.tell = NULL};

static int without_gsl_handler(void **state)
{
    (void)state;
    gsl_set_error_handler_off();
    return 0;
}

/* What every setting of this file starts with; rest begins with a comma. */
static hsgd_plan_setting setting_of(const char *bound, const char *budget, const char *rest)
{
    hsgd_plan_setting setting;
    char path[] = "/tmp/hsgd-plan-XXXXXX", text[2048];
    int file = mkstemp(path);
    assert_true(file >= 0);
    int length = snprintf(
        text, sizeof text,
        "{\"workers\": 12, \"network\": [3, 4], \"bound\": \"%s\", \"budget_seconds\": %s, \"dimension\": 1000,"
        "\"constants\": {\"L\": 1.3, \"sigma_sq\": 17, \"delta\": 2.1, \"global_divergence_sq\": 0.9},"
        "\"communication\": {\"levels\": [{\"latency_s\": 0.05, \"bandwidth_bytes_per_s\": 1e5, \"shared\": true},"
        "{\"latency_s\": 0.001, \"bandwidth_bytes_per_s\": 1e6, \"shared\": true}], \"compute_s_per_step\": 0.01}%s}",
        bound, budget, rest);
    assert_int_equal(write(file, text, (size_t)length), length);
    close(file);
    assert_ok(hsgd_plan_read(&setting, path, &err), err);
    unlink(path);
    return setting;
}

static hsgd_plan_trees list_of(const hsgd_plan_setting *setting, hsgd_plan_family family)
{
    hsgd_plan_trees trees;
    assert_ok(hsgd_plan_trees_list(&trees, setting, family, &err), err);
    return trees;
}

/* ---- keys ---- */

/* The reader, the schema and the README know the same ones: the reader lists them when it meets another. */
static void keys_are_in_schema_and_readme(void **state)
{
    (void)state;
    static const char *const text[] = {
        "{\"zzz\": 1}", "{\"workers\": 2, \"dimension\": 1, \"communication\": {}, \"constants\": {\"zzz\": 1}}"};
    cJSON *schema;
    assert_ok(hsgd_json_read_file(&schema, "experiments/plan.schema.json", &err), err);
    FILE *file = fopen("README.md", "rb");
    static char readme[1 << 17], quoted[64];
    assert_non_null(file);
    readme[fread(readme, 1, sizeof readme - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < 2; i++) {
        char path[] = "/tmp/hsgd-plan-XXXXXX", *key;
        hsgd_plan_setting setting;
        int descriptor = mkstemp(path), count = 0;
        assert_true(write(descriptor, text[i], strlen(text[i])) > 0);
        close(descriptor);
        assert_fails(hsgd_plan_read(&setting, path, &err), HSGD_ERROR_INPUT, "legal here: ", err);
        unlink(path);
        const cJSON *listed = cJSON_GetObjectItem(schema, "properties");
        if (i == 1)
            listed = cJSON_GetObjectItem(cJSON_GetObjectItem(listed, "constants"), "properties");
        for (char *rest = strstr(err.message, "legal here: ") + strlen("legal here: "); (key = strsep(&rest, ", "));)
            if (*key) {
                snprintf(quoted, sizeof quoted, "`%s`", key);
                if (!cJSON_HasObjectItem(listed, key) || !strstr(readme, quoted))
                    fail_msg("plan.schema.json or README.md lacks %s", key);
                count++;
            }
        assert_int_equal(count, cJSON_GetArraySize(listed));
    }
    cJSON_Delete(schema);
}

/* ---- trees ---- */

/* All triples of factors from 1 on whose product is n; those with a 1 before something larger are shorter ones in disguise. */
static void every_factorisation_is_a_fanout_once(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 36; n++) {
        hsgd_plan_fanout *fanout;
        size_t count, found = 0;
        assert_ok(hsgd_plan_fanouts(&fanout, &count, n, 3, &err), err);
        for (size_t a = 1; a <= n; a++)
            for (size_t b = 1; b <= n; b++)
                for (size_t c = 1; c <= n; c++) {
                    size_t levels = c > 1 ? 3 : b > 1 ? 2 : 1, want[] = {a, b, c}, times = 0;
                    if (a * b * c != n || a < 2 || (b < 2 && c > 1))
                        continue;
                    for (size_t i = 0; i < count; i++)
                        times += fanout[i].num_levels == levels &&
                                 memcmp(fanout[i].fanout, want, levels * sizeof *want) == 0;
                    assert_int_equal(times, 1);
                    found++;
                }
        assert_int_equal(found, count);
        free(fanout);
    }
}

typedef struct triple {
    size_t fanout[3], period[3], levels;
} triple;

/* Every tree with up to three levels and these periods, by nested loops. Returns their number. */
static size_t list_by_loops(triple *out, size_t n, size_t max_period, bool relays)
{
    size_t count = 0;
    for (size_t a = 2; a <= n; a++)
        for (size_t b = 1; b <= n; b++)
            for (size_t c = 1; c <= n; c++)
                for (size_t p = 1; p <= max_period; p++)
                    for (size_t q = 1; q <= max_period; q++)
                        for (size_t r = 1; r <= max_period; r++) {
                            size_t levels = c > 1 ? 3 : b > 1 ? 2 : 1;
                            if (a * b * c != n || (b == 1 && c > 1) || (levels < 2 && q > 1) || (levels < 3 && r > 1))
                                continue;
                            if ((levels > 1 && (p % q || (p == q && !relays))) ||
                                (levels > 2 && (q % r || (q == r && !relays))))
                                continue;
                            out[count++] = (triple){{a, b, c}, {p, q, r}, levels};
                        }
    return count;
}

static bool is_tree(const hsgd_plan_setting *setting, const hsgd_plan_tree *tree, const triple *t)
{
    const hsgd_plan_fanout *fanout = &setting->fanout[tree->fanout];
    return fanout->num_levels == t->levels && memcmp(fanout->fanout, t->fanout, t->levels * sizeof(size_t)) == 0 &&
           memcmp(tree->period, t->period, t->levels * sizeof(size_t)) == 0;
}

static size_t count_equal_levels(const hsgd_plan_setting *setting, const hsgd_plan_tree *tree)
{
    size_t equal = 0;
    for (size_t k = 1; k < setting->fanout[tree->fanout].num_levels; k++)
        equal += tree->period[k] == tree->period[k - 1];
    return equal;
}

static void check_trees(bool relays)
{
    static triple want[20000];
    hsgd_plan_setting setting =
        setting_of("hsgd-random", "10", relays ? ", \"max_period\": 12" : ", \"max_period\": 12, \"relays\": false");
    hsgd_plan_trees all = list_of(&setting, HSGD_PLAN_ALL), local = list_of(&setting, HSGD_PLAN_LOCAL);
    hsgd_plan_trees synchronous = list_of(&setting, HSGD_PLAN_SYNCHRONOUS);
    size_t count = list_by_loops(want, 12, 12, relays), num_local = 0, num_synchronous = 0;
    assert_int_equal(all.count, count);
    for (size_t i = 0; i < all.count; i++) {
        size_t times = 0, levels = setting.fanout[all.tree[i].fanout].num_levels;
        for (size_t j = 0; j < count; j++)
            times += is_tree(&setting, &all.tree[i], &want[j]);
        assert_int_equal(times, 1);
        num_local += count_equal_levels(&setting, &all.tree[i]) == levels - 1;
        num_synchronous += all.tree[i].period[0] == 1;
    }
    assert_int_equal(local.count, num_local);
    assert_int_equal(synchronous.count, num_synchronous);
    hsgd_plan_trees_free(&all);
    hsgd_plan_trees_free(&local);
    hsgd_plan_trees_free(&synchronous);
    hsgd_plan_setting_free(&setting);
}

static void every_tree_is_listed_once(void **state)
{
    (void)state;
    check_trees(true);
    check_trees(false); /* canonical trees only */
}

/* 24 workers at 2 places of 3 sites of 4. A group of 6 does not fit into sites of 4, and one of 8 only into a place of 12
 * or more: 8 does not divide 12, so it may lie across two. */
static void nodes_use_the_innermost_links_that_hold_them(void **state)
{
    (void)state;
    const hsgd_plan_setting setting = {.num_workers = 24, .network = {2, 3, 4}, .num_links = 3};
    static const size_t want[][2] = {{24, 0}, {12, 1}, {8, 0}, {6, 1}, {4, 2}, {3, 1}, {2, 2}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(hsgd_plan_link_of(&setting, want[i][0]), want[i][1]);
}

/* Without other numbers, groups have the divergences of random ones: bounds on either kind agree for every tree. */
static void groups_are_random_unless_said_otherwise(void **state)
{
    (void)state;
    hsgd_plan_setting fixed = setting_of("hsgd-fixed-sharp", "30", ", \"max_period\": 6");
    hsgd_plan_setting random = setting_of("hsgd-random-sharp", "30", ", \"max_period\": 6");
    hsgd_plan_trees trees = list_of(&fixed, HSGD_PLAN_ALL);
    for (size_t i = 0; i < trees.count; i++) {
        hsgd_plan a, b;
        assert_ok(hsgd_plan_evaluate(&a, &fixed, &trees.tree[i], 30, NAN, &err), err);
        assert_ok(hsgd_plan_evaluate(&b, &random, &trees.tree[i], 30, NAN, &err), err);
        assert_true(a.found && b.found);
        assert_close(a.bound, b.bound, 1e-11);
    }
    hsgd_plan_trees_free(&trees);
    hsgd_plan_setting_free(&fixed);
    hsgd_plan_setting_free(&random);
}

/* ---- step sizes ---- */

static void set_local(hsgd_bound_params *params, size_t period)
{
    hsgd_hierarchy h;
    const double divergence_sq = 0.83;
    const size_t workers = 12;
    assert_ok(hsgd_hierarchy_uniform(&h, &workers, &period, 1, &err), err);
    assert_ok(hsgd_bound_params_init(params, &h, &divergence_sq, NULL, &err), err);
    params->smoothness = 1.7;
    params->noise_sq = 2.9;
    params->delta = 3.1;
    params->steps = 900;
    hsgd_hierarchy_free(&h);
}

/* The published bound of local SGD is a/gamma + b gamma + c gamma^2: its minimum is the positive root of
 * 2 c gamma^3 + b gamma^2 - a, or the limit of the step size where that is smaller. */
static void the_step_size_is_the_root_of_a_polynomial(void **state)
{
    (void)state;
    size_t inside = 0, at_limit = 0;
    for (size_t period = 1; period <= 64; period++)
        for (double delta = 0.001; delta < 1000; delta *= 7) {
            hsgd_bound_params params;
            hsgd_plan_step_size found;
            double root[3], C;
            set_local(&params, period);
            params.delta = delta;
            double P = (double)period, a = 2 * delta / 900, b = 1.7 * 2.9 / 12;
            C = 40.0 / 3 * 1.7 * 1.7;
            double c = 2 * C * P * 11 / 12 * 2.9 + 3 * C * P * P * 0.83, limit = 1 / (2 * sqrt(6) * 1.7 * P);
            int roots = gsl_poly_solve_cubic(b / (2 * c), 0, -a / (2 * c), &root[0], &root[1], &root[2]);
            double best = fmin(root[roots - 1], limit); /* ascending: the last is the positive one */
            hsgd_plan_minimise(&found, hsgd_bound_find("hsgd-fixed"), &params, INFINITY);
            assert_true(found.found);
            assert_close(found.value, a / best + b * best + c * best * best, 1e-8);
            assert_close(found.step_size, best, 3e-5);
            assert_int_equal(found.at_limit, root[roots - 1] > limit);
            *(found.at_limit ? &at_limit : &inside) += 1;
            hsgd_bound_params_free(&params);
        }
    assert_true(inside > 100 && at_limit > 100);
}

/* For every period, also those whose limit is admissible by rounding: no step size of a fine grid is better, and the grid
 * comes close. `below` leaves out only what is not below it. */
static void no_step_size_is_better(void **state)
{
    (void)state;
    static const char *const bound[] = {"hsgd-random", "hsgd-random-sharp", "hsgd-fixed-sharp",
                                        "hsgd-random-recursive"};
    for (size_t i = 0; i < 4; i++)
        for (size_t period = 1; period <= 64; period += 1 + (i == 3) * 6) {
            hsgd_bound_params params;
            hsgd_bound_value value;
            hsgd_plan_step_size found, again;
            const hsgd_bound *b = hsgd_bound_find(bound[i]);
            double least = INFINITY;
            set_local(&params, period);
            hsgd_plan_minimise(&found, b, &params, INFINITY);
            assert_true(found.found);
            for (double gamma = 1e-6; gamma < 1; gamma *= 1.005) {
                params.step_size = gamma;
                hsgd_bound_eval(b, &params, &value);
                if (value.applicable && gamma < found.max_step_size * (1 - 1e-9))
                    least = fmin(least, value.value);
            }
            assert_at_most(found.value, least, 1e-12);
            assert_close(least, found.value, 0.01);
            hsgd_plan_minimise(&again, b, &params, found.value * (1 + 1e-6));
            assert_true(again.found && again.value == found.value);
            hsgd_plan_minimise(&again, b, &params, found.value * 0.99);
            assert_true(!again.found || again.value == found.value);
            hsgd_bound_params_free(&params);
        }
}

/* A made-up bound with two valleys: 2 + (ln gamma + 7)^2/10 up to e^-4, the deeper 1 + (ln gamma + 2)^2 above, for gamma up to
 * 0.3, which it does not say. */
static void eval_valleys(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    double x = log(params->step_size), low = 2 + (x + 7) * (x + 7) / 10, high = 1 + (x + 2) * (x + 2);
    (void)bound;
    *out = (hsgd_bound_value){.applicable = params->step_size <= 0.3, .max_step_size = NAN, .value = fmin(low, high)};
    snprintf(out->reason, sizeof out->reason, "%s", out->applicable ? "" : "above 0.3");
}

/* Where nothing is proved of a bound, its deepest valley is found all the same, and so is its largest step size; and values
 * below which nothing is wanted leave nothing out. */
static void other_bounds_are_searched_on_a_grid(void **state)
{
    (void)state;
    const hsgd_bound valleys = {.id = "valleys", .eval = eval_valleys};
    hsgd_bound_params params;
    hsgd_plan_step_size found;
    set_local(&params, 5);
    hsgd_plan_minimise(&found, &valleys, &params, 0.5);
    assert_true(found.found && !found.at_limit);
    assert_close(found.value, 1, 1e-9);
    assert_close(found.step_size, exp(-2), 1e-5);
    hsgd_bound_params_free(&params);
}

/* ---- the search ---- */

/* The best plan by loops, clocks and a grid. */
typedef struct exhaustive {
    double bound;
    size_t feasible; /* trees with a step in the budget */
} exhaustive;

/* Steps within the budget by the engine's model. */
static size_t steps_by_clocks(const hsgd_plan_setting *setting, const triple *t)
{
    enum { MOST = 400 };
    static size_t step[MOST];
    static double time_s[MOST];
    hsgd_hierarchy h, expanded;
    hsgd_communication c = setting->communication;
    size_t below = 12, fit = 0;
    for (size_t k = 0; k < t->levels; k++) {
        c.level[k] = setting->communication.level[below == 1 || 4 % below == 0];
        below /= t->fanout[k];
    }
    for (size_t i = 0; i < MOST; i++)
        step[i] = i;
    assert_ok(hsgd_hierarchy_uniform(&h, t->fanout, t->period, t->levels, &err), err);
    assert_ok(hsgd_hierarchy_expand(&expanded, &h, &err), err);
    assert_ok(hsgd_communication_run(time_s, NULL, &c, &(hsgd_communicating_run){.network = &expanded, .dim = 1000},
                                     step, MOST, &err),
              err);
    while (fit + 1 < MOST && time_s[fit + 1] <= setting->budget_s[0] * (1 + 1e-12))
        fit++;
    assert_true(fit + 1 < MOST);
    hsgd_hierarchy_free(&expanded);
    hsgd_hierarchy_free(&h);
    return fit;
}

static double least_by_grid(const hsgd_plan_setting *setting, const triple *t, size_t steps)
{
    hsgd_hierarchy h;
    hsgd_bound_params params;
    hsgd_bound_value value;
    double divergence_sq[3], above = 1, least = INFINITY;
    for (size_t k = 0; k < t->levels; k++) { /* random grouping */
        divergence_sq[k] = above * ((double)t->fanout[k] - 1) / 11 * 0.9;
        above *= (double)t->fanout[k];
    }
    assert_ok(hsgd_hierarchy_uniform(&h, t->fanout, t->period, t->levels, &err), err);
    assert_ok(hsgd_bound_params_init(&params, &h, divergence_sq, NULL, &err), err);
    params.smoothness = 1.3;
    params.noise_sq = 17;
    params.delta = 2.1;
    params.global_divergence_sq = 0.9;
    params.steps = steps;
    for (double gamma = 1e-3; gamma < 1; gamma *= 1.03) {
        params.step_size = gamma;
        hsgd_bound_eval(setting->bound, &params, &value);
        if (value.applicable)
            least = fmin(least, value.value);
    }
    hsgd_bound_params_free(&params);
    hsgd_hierarchy_free(&h);
    return least;
}

static exhaustive search_exhaustively(const hsgd_plan_setting *setting, size_t max_period)
{
    static triple tree[20000];
    exhaustive out = {INFINITY, 0};
    size_t count = list_by_loops(tree, 12, max_period, true);
    for (size_t i = 0; i < count; i++) {
        size_t steps = steps_by_clocks(setting, &tree[i]);
        out.feasible += steps > 0;
        if (steps > 0)
            out.bound = fmin(out.bound, least_by_grid(setting, &tree[i], steps));
    }
    return out;
}

/* The plan stands by itself: evaluated from scratch, it has the bound and keeps to the budget. */
static void check_plan(const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    const hsgd_plan_fanout *fanout = &setting->fanout[plan->tree.fanout];
    triple t = {{0}, {0}, fanout->num_levels};
    hsgd_plan again;
    memcpy(t.fanout, fanout->fanout, t.levels * sizeof *t.fanout);
    memcpy(t.period, plan->tree.period, t.levels * sizeof *t.period);
    assert_int_equal(plan->steps, steps_by_clocks(setting, &t));
    assert_true(plan->seconds <= setting->budget_s[0]);
    assert_ok(hsgd_plan_evaluate(&again, setting, &plan->tree, setting->budget_s[0], plan->step_size, &err), err);
    assert_true(again.found && again.bound == plan->bound);
}

static void an_exhaustive_search_finds_nothing_better(void **state)
{
    (void)state;
    static const char *const bound[] = {"hsgd-random-sharp", "hsgd-fixed", "hsgd-random-recursive"};
    static const char *const budget[] = {"0.5", "2", "3.7"};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            hsgd_plan_setting setting = setting_of(bound[i], budget[j], ", \"max_period\": 6");
            hsgd_plan_trees trees = list_of(&setting, HSGD_PLAN_ALL);
            hsgd_plan_result result;
            exhaustive want = search_exhaustively(&setting, 6);
            assert_ok(hsgd_plan_search(&result, &setting, &trees, setting.budget_s[0], INFINITY, true, &err), err);
            assert_true(result.best.found && want.feasible > 0);
            assert_at_most(result.best.bound, want.bound, 1e-12);
            assert_close(want.bound, result.best.bound, 0.03); /* of the grid */
            check_plan(&setting, &result.best);
            assert_true(result.front[0].bound == result.best.bound);
            hsgd_plan_result_free(&result);
            hsgd_plan_trees_free(&trees);
            hsgd_plan_setting_free(&setting);
        }
}

/* Is plan i of the list beaten, or equalled by one before it? */
static bool is_beaten(const hsgd_plan *plan, size_t count, size_t i)
{
    for (size_t j = 0; j < count; j++)
        if (plan[j].found && plan[j].bound <= plan[i].bound && plan[j].bytes[0] <= plan[i].bytes[0] &&
            (plan[j].bound < plan[i].bound || plan[j].bytes[0] < plan[i].bytes[0] || j < i))
            return true;
    return false;
}

static size_t place_on_front(const hsgd_plan_result *result, const hsgd_plan_tree *tree)
{
    size_t at = 0;
    while (at < result->num_front && memcmp(&result->front[at].tree, tree, sizeof *tree) != 0)
        at++;
    return at;
}

/* The search against all plans, evaluated one by one without pruning; the front by comparing every two. Returns its size. */
static size_t compare_with_all_plans(const hsgd_plan_setting *setting, const hsgd_plan_trees *trees, double budget_s)
{
    hsgd_plan_result result, best_only;
    hsgd_plan *plan = calloc(trees->count, sizeof *plan);
    size_t wanted = 0;
    double least = INFINITY;
    assert_non_null(plan);
    for (size_t i = 0; i < trees->count; i++) {
        assert_ok(hsgd_plan_evaluate(&plan[i], setting, &trees->tree[i], budget_s, NAN, &err), err);
        least = plan[i].found ? fmin(least, plan[i].bound) : least;
    }
    assert_ok(hsgd_plan_search(&result, setting, trees, budget_s, INFINITY, true, &err), err);
    assert_ok(hsgd_plan_search(&best_only, setting, trees, budget_s, INFINITY, false, &err), err);
    for (size_t i = 0; i < trees->count; i++) {
        if (!plan[i].found || is_beaten(plan, trees->count, i))
            continue;
        size_t at = place_on_front(&result, &plan[i].tree);
        assert_true(at < result.num_front);
        assert_close(result.front[at].bound, plan[i].bound, 0);
        wanted++;
    }
    assert_int_equal(result.num_front, wanted);
    assert_true(result.best.found == isfinite(least) && best_only.best.found == isfinite(least));
    assert_true(!isfinite(least) || (result.best.bound == least && best_only.best.bound == least));
    assert_true(memcmp(&best_only.best.tree, &result.best.tree, sizeof result.best.tree) == 0);
    for (size_t i = 1; i < result.num_front; i++)
        assert_true(result.front[i].bound > result.front[i - 1].bound &&
                    result.front[i].bytes[0] < result.front[i - 1].bytes[0]);
    free(plan);
    hsgd_plan_result_free(&result);
    hsgd_plan_result_free(&best_only);
    return wanted;
}

/* Constants over many powers of ten, none of noise or divergence at times, budgets too short for some plans or for all. */
static void pruning_leaves_out_nothing(void **state)
{
    (void)state;
    static const char *const bound[] = {"hsgd-random-sharp", "hsgd-fixed", "hsgd-random-recursive"};
    size_t largest = 0, none = 0;
    uint64_t random = 7;
    for (size_t i = 0; i < 3; i++) {
        hsgd_plan_setting setting = setting_of(bound[i], "60", ", \"max_period\": 12");
        hsgd_plan_trees trees = list_of(&setting, HSGD_PLAN_ALL);
        for (size_t world = 0; world < 12; world++) {
            double drawn[HSGD_NUM_PLAN_CONSTANTS + 1];
            for (size_t k = 0; k <= HSGD_NUM_PLAN_CONSTANTS; k++) { /* a linear congruential generator of Knuth's */
                random = random * 6364136223846793005u + 1442695040888963407u;
                drawn[k] = exp(((double)(random >> 33) / 0x1p31 - 0.5) * 9);
            }
            for (size_t k = 0; k < HSGD_NUM_PLAN_CONSTANTS; k++)
                setting.constant[k].value = drawn[k];
            if (world % 4 == 1)
                setting.constant[HSGD_PLAN_SIGMA_SQ].value = 0;
            if (world % 4 >= 2)
                setting.constant[HSGD_PLAN_DIVERGENCE].value = 0;
            size_t front =
                compare_with_all_plans(&setting, &trees, world == 11 ? 0.005 : 3 * drawn[HSGD_NUM_PLAN_CONSTANTS]);
            largest = front > largest ? front : largest;
            none += front == 0;
        }
        hsgd_plan_trees_free(&trees);
        hsgd_plan_setting_free(&setting);
    }
    assert_true(largest > 10 && none >= 3);
}

static void note_share(void *context, double share)
{
    double *last = context;
    assert_true(share >= *last && share <= 1);
    *last = share;
}

/* Over all budgets no plan beats another in bound, bytes and seconds, and what one budget's own front lacks then is beaten
 * by a shorter one. Who watches sees shares that grow to 1. */
static void fronts_of_several_budgets_are_one(void **state)
{
    (void)state;
    hsgd_plan_setting setting = setting_of("hsgd-random-sharp", "[3.3, 3, 3.1]", ", \"max_period\": 12");
    hsgd_plan_analysis a;
    double share = 0;
    size_t dropped = 0;
    assert_ok(hsgd_plan_analyse(&a, &setting, (hsgd_plan_watcher){.tell = note_share, .context = &share}, &err), err);
    assert_true(share == 1);
    for (size_t i = 0; i < 3; i++) {
        hsgd_plan_result own;
        const hsgd_plan_result *joined = &a.answer[i].result[HSGD_PLAN_ALL];
        assert_true(i == 0 || a.answer[i].budget_s > a.answer[i - 1].budget_s);
        assert_ok(hsgd_plan_search(&own, &setting, &a.trees[HSGD_PLAN_ALL], a.answer[i].budget_s, INFINITY, true, &err),
                  err);
        for (size_t p = 0; p < own.num_front; p++) {
            bool beaten = false;
            for (size_t j = 0; j < i; j++)
                for (size_t q = 0; q < a.answer[j].result[HSGD_PLAN_ALL].num_front; q++) {
                    const hsgd_plan *other = &a.answer[j].result[HSGD_PLAN_ALL].front[q];
                    beaten |= other->bound <= own.front[p].bound && other->bytes[0] <= own.front[p].bytes[0];
                }
            assert_true(beaten == (place_on_front(joined, &own.front[p].tree) == joined->num_front));
            dropped += beaten;
        }
        assert_true(joined->num_front <= own.num_front);
        hsgd_plan_result_free(&own);
    }
    assert_true(dropped > 0); /* a little more time, one more global average, and a plan needs more bytes than before */
    hsgd_plan_analysis_free(&a);
    hsgd_plan_setting_free(&setting);
}

/* Just enough: a little less time, and no plan of the family has that bound. */
static void the_least_time_is_just_enough(void **state)
{
    (void)state;
    hsgd_plan_setting setting = setting_of("hsgd-random-sharp", "100", ", \"max_period\": 12");
    for (int family = 0; family < HSGD_NUM_PLAN_FAMILIES; family++)
        for (double start_s = 1; start_s < 1e5; start_s *= 300) { /* from above and from below */
            hsgd_plan_trees trees = list_of(&setting, (hsgd_plan_family)family);
            hsgd_plan_result result;
            double seconds;
            assert_ok(hsgd_plan_time_for(&seconds, &setting, &trees, 0.3, start_s, &err), err);
            assert_ok(hsgd_plan_search(&result, &setting, &trees, seconds, INFINITY, false, &err), err);
            assert_at_most(result.best.bound, 0.3, 2e-9);
            assert_ok(hsgd_plan_search(&result, &setting, &trees, seconds * (1 - 2e-5), INFINITY, false, &err), err);
            assert_true(result.best.bound > 0.3);
            hsgd_plan_trees_free(&trees);
        }
    hsgd_plan_setting_free(&setting);
}

/* ---- sensitivity ---- */

static double elasticity(const hsgd_plan_sensitivity *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].elasticity;
    fail_msg("no constant \"%s\"", name);
    return NAN;
}

/* Units: with that of f multiplied by c, Delta grows by c and L falls by c, the bound stays; with that of gradients, sigma^2,
 * eps~^2, L and the bound grow by c. With that of time, what takes time grows, and bandwidths fall, as 2 Delta/(gamma T) does
 * with the budget. */
static void elasticities_obey_the_units(void **state)
{
    (void)state;
    static const char *const bound[] = {"hsgd-random", "hsgd-random-sharp", "hsgd-fixed-recursive"};
    for (size_t i = 0; i < 3; i++) {
        hsgd_plan_setting setting = setting_of(bound[i], "2000", ", \"max_period\": 12");
        hsgd_plan_trees trees = list_of(&setting, HSGD_PLAN_ALL);
        hsgd_plan_result result;
        hsgd_plan_sensitivity *s;
        size_t count;
        assert_ok(hsgd_plan_search(&result, &setting, &trees, 2000, INFINITY, false, &err), err);
        const hsgd_plan *best = &result.best;
        assert_true(best->tree.period[0] > 1 && !best->at_limit);
        assert_ok(hsgd_plan_sensitivities(&s, &count, &setting, &trees, best, 2000, &nobody, &err), err);
        double gap = 2 * 2.1 / (best->step_size * (double)best->steps) / best->bound;
        assert_near(elasticity(s, count, "Delta"), gap, 1e-6);
        assert_near(elasticity(s, count, "L"), gap, 1e-6);
        assert_near(elasticity(s, count, "L") + elasticity(s, count, "sigma^2") +
                        elasticity(s, count, "global divergence"),
                    1, 1e-6);
        assert_near(elasticity(s, count, "latency, level 1") + elasticity(s, count, "latency, level 2") +
                        elasticity(s, count, "compute time") - elasticity(s, count, "bandwidth, level 1") -
                        elasticity(s, count, "bandwidth, level 2"),
                    gap, 1e-6);
        assert_near(elasticity(s, count, "message bytes"),
                    -elasticity(s, count, "bandwidth, level 1") - elasticity(s, count, "bandwidth, level 2"), 1e-6);
        if (i == 2) /* fixed groups: each level has a divergence of its own */
            assert_near(elasticity(s, count, "divergence, level 1") + elasticity(s, count, "divergence, level 2"),
                        elasticity(s, count, "global divergence"), 1e-6);
        for (size_t k = 0; k < count; k++) /* the envelope theorem */
            assert_near(s[k].elasticity_kept, s[k].elasticity, 1e-6);
        free(s);
        hsgd_plan_trees_free(&trees);
        hsgd_plan_setting_free(&setting);
    }
}

/* With so many steps that rounding T does not matter: the bound of the same tree in worlds that are 1 % slower and faster. */
static void times_change_the_bound_as_the_elasticities_say(void **state)
{
    (void)state;
    hsgd_plan_setting setting = setting_of("hsgd-random-sharp", "2e7", ", \"max_period\": 12");
    hsgd_plan_trees trees = list_of(&setting, HSGD_PLAN_ALL);
    hsgd_plan_result result;
    hsgd_plan_sensitivity *s;
    size_t count;
    assert_ok(hsgd_plan_search(&result, &setting, &trees, 2e7, INFINITY, false, &err), err);
    assert_ok(hsgd_plan_sensitivities(&s, &count, &setting, &trees, &result.best, 2e7, &nobody, &err), err);
    double *const place[] = {&setting.communication.level[0].latency_s,
                             &setting.communication.level[0].bandwidth_bytes_per_s,
                             &setting.communication.level[1].bandwidth_bytes_per_s, &setting.communication.compute_s};
    static const char *const name[] = {"latency, level 1", "bandwidth, level 1", "bandwidth, level 2", "compute time"};
    for (size_t i = 0; i < 4; i++) {
        double value = *place[i];
        hsgd_plan low, high;
        *place[i] = value * 0.99;
        assert_ok(hsgd_plan_evaluate(&low, &setting, &result.best.tree, 2e7, NAN, &err), err);
        *place[i] = value * 1.01;
        assert_ok(hsgd_plan_evaluate(&high, &setting, &result.best.tree, 2e7, NAN, &err), err);
        *place[i] = value;
        assert_near(log(high.bound / low.bound) / log(1.01 / 0.99), elasticity(s, count, name[i]), 2e-4);
    }
    free(s);
    hsgd_plan_trees_free(&trees);
    hsgd_plan_setting_free(&setting);
}

/* Against a search from scratch in the other world, and the plan there. */
static void check_regret(const hsgd_plan_setting *setting, const hsgd_plan_trees *trees, const hsgd_plan *best,
                         const hsgd_plan_regret *regret, hsgd_plan_constant which, double factor)
{
    hsgd_plan_setting other = *setting;
    hsgd_plan_result result;
    hsgd_plan kept, tuned;
    other.constant[which].value *= factor;
    assert_ok(hsgd_plan_search(&result, &other, trees, 300, INFINITY, false, &err), err);
    assert_ok(hsgd_plan_evaluate(&kept, &other, &best->tree, 300, best->step_size, &err), err);
    assert_ok(hsgd_plan_evaluate(&tuned, &other, &best->tree, 300, NAN, &err), err);
    assert_true(regret->found);
    assert_close(regret->best.bound, result.best.bound, 1e-12);
    assert_near(regret->kept_tree, tuned.bound / result.best.bound - 1, 1e-11);
    if (kept.found)
        assert_near(regret->kept_all, kept.bound / result.best.bound - 1, 1e-11);
    else
        assert_true(isnan(regret->kept_all));
    assert_true(regret->kept_tree >= 0 && !(regret->kept_all < regret->kept_tree));
}

static void regrets_are_those_of_a_new_search(void **state)
{
    (void)state;
    hsgd_plan_setting setting = setting_of("hsgd-random-sharp", "300", ", \"max_period\": 12");
    hsgd_plan_trees trees = list_of(&setting, HSGD_PLAN_ALL);
    hsgd_plan_result result;
    hsgd_plan_sensitivity *s;
    size_t count;
    double largest = 0;
    assert_ok(hsgd_plan_search(&result, &setting, &trees, 300, INFINITY, false, &err), err);
    assert_ok(hsgd_plan_sensitivities(&s, &count, &setting, &trees, &result.best, 300, &nobody, &err), err);
    for (size_t i = 0; i < HSGD_NUM_PLAN_CONSTANTS; i++) { /* the first of the list */
        check_regret(&setting, &trees, &result.best, &s[i].half, (hsgd_plan_constant)i, 0.5);
        check_regret(&setting, &trees, &result.best, &s[i].twice, (hsgd_plan_constant)i, 2);
        largest = fmax(largest, fmax(s[i].half.kept_tree, s[i].twice.kept_tree));
    }
    assert_true(largest > 0.001); /* some other tree is better somewhere */
    free(s);
    hsgd_plan_trees_free(&trees);
    hsgd_plan_setting_free(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_are_in_schema_and_readme),
                                       cmocka_unit_test(every_factorisation_is_a_fanout_once),
                                       cmocka_unit_test(every_tree_is_listed_once),
                                       cmocka_unit_test(nodes_use_the_innermost_links_that_hold_them),
                                       cmocka_unit_test(groups_are_random_unless_said_otherwise),
                                       cmocka_unit_test(the_step_size_is_the_root_of_a_polynomial),
                                       cmocka_unit_test(no_step_size_is_better),
                                       cmocka_unit_test(other_bounds_are_searched_on_a_grid),
                                       cmocka_unit_test(an_exhaustive_search_finds_nothing_better),
                                       cmocka_unit_test(pruning_leaves_out_nothing),
                                       cmocka_unit_test(fronts_of_several_budgets_are_one),
                                       cmocka_unit_test(the_least_time_is_just_enough),
                                       cmocka_unit_test(elasticities_obey_the_units),
                                       cmocka_unit_test(times_change_the_bound_as_the_elasticities_say),
                                       cmocka_unit_test(regrets_are_those_of_a_new_search)};
    return cmocka_run_group_tests(tests, without_gsl_handler, NULL);
}
