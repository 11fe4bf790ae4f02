/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PARAMS.json of `hsgd bound`: both forms of the hierarchy, weights, what may be left out, what may not. */
#include "tests/temp_files.h"

#include "experiments/params.h"

static hsgd_error err;

static hsgd_status read_text(hsgd_bound_params *out, const char *text)
{
    memset(out, 0xa5, sizeof *out);
    return hsgd_params_read(out, temp_write(temp_shared(), "p.json", text, strlen(text)), &err);
}

#define UNIFORM "\"hierarchy\": {\"fanout\": [3, 2], \"periods\": [6, 2]}"
#define NUMBERS "\"step_size\": 0.013, \"steps\": 240, \"L\": 1.3, \"sigma_sq\": 0.37, \"delta\": 2.385"

static void uniform_with_levels(void **state)
{
    (void)state;
    hsgd_bound_params p;
    assert_ok(
        read_text(&p, "{" UNIFORM "," NUMBERS ", \"level_divergence_sq\": [0.83, 0.41],"
                      "\"level_deviation_max_sq\": [1.9, 1.1], \"worker_deviation_max_sq\": 3.3, \"participants\": 4}"),
        err);
    assert_true(p.step_size == 0.013 && p.steps == 240 && p.smoothness == 1.3 && p.noise_sq == 0.37 &&
                p.delta == 2.385);
    assert_true(p.tree.num_workers == 6 && p.tree.num_nodes == 2);
    assert_true(p.divergence_sq[0] == 0.83 && p.divergence_sq[1] == 0.41);
    assert_true(p.child_deviation_max_sq[0] == 1.9 && p.worker_deviation_max_sq == 3.3 && p.participants == 4);
    assert_close(p.global_divergence_sq, 0.83 + 0.41, 1e-15); /* left out: D_1 + .. + D_M (THEORY 2) */
    hsgd_bound_params_free(&p);
}

static void what_is_left_out_is_unknown(void **state)
{
    (void)state;
    hsgd_bound_params p;
    assert_ok(read_text(&p, "{" UNIFORM "," NUMBERS "}"), err);
    assert_null(p.divergence_sq);
    assert_null(p.child_deviation_max_sq);
    assert_true(isnan(p.global_divergence_sq) && isnan(p.worker_deviation_max_sq));
    hsgd_bound_params_free(&p);
    assert_ok(
        read_text(&p, "{" UNIFORM "," NUMBERS ", \"level_divergence_sq\": [1, 1], \"global_divergence_sq\": 3.7}"),
        err);
    assert_true(p.global_divergence_sq == 3.7); /* a given one is kept */
    hsgd_bound_params_free(&p);
}

/* The tree form: nodes carry divergence_sq in pre-order. D_1 = 0.9, D_2 = (2/5) 0.4 + (3/5) 0.7 (THEORY 2). */
#define TREE                                                                                                           \
    "\"hierarchy\": {\"tree\": {\"period\": 20, \"divergence_sq\": 0.9, \"children\": [{\"period\": 5, \"workers\": "  \
    "2,"                                                                                                               \
    " \"divergence_sq\": 0.4}, {\"period\": 4, \"workers\": 3, \"divergence_sq\": 0.7}]}}"

static void tree_with_divergences(void **state)
{
    (void)state;
    hsgd_bound_params p;
    assert_ok(read_text(&p, "{" TREE "," NUMBERS "}"), err);
    assert_true(p.tree.num_workers == 5 && p.tree.num_nodes == 3);
    assert_true(p.divergence_sq[0] == 0.9 && p.divergence_sq[1] == 0.4 && p.divergence_sq[2] == 0.7);
    assert_close(p.global_divergence_sq, 0.9 + 0.4 * 0.4 + 0.6 * 0.7, 1e-15);
    hsgd_bound_params_free(&p);
}

/* Weights 1 and 3 in a pair: noise share sum p^2 = 1/16 + 9/16 (THEORY 4.3). */
static void weights(void **state)
{
    (void)state;
    hsgd_bound_params p;
    assert_ok(read_text(&p, "{\"hierarchy\": {\"fanout\": [2], \"periods\": [4], \"weights\": [1, 3]}," NUMBERS
                            ", \"level_divergence_sq\": [0.6]}"),
              err);
    assert_non_null(p.tree.worker_weight);
    assert_close(p.tree.noise_share, 10.0 / 16, 1e-15);
    assert_true(p.divergence_sq[0] == 0.6);
    hsgd_bound_params_free(&p);
}

static void check_refused(const char *text, const char *message, int line)
{
    hsgd_bound_params p;
    hsgd_status status = read_text(&p, text);
    size_t length = strlen(temp_shared()->path[0]);
    if (status == HSGD_ERROR_INPUT && strncmp(err.message, temp_shared()->path[0], length) == 0 &&
        err.message[length] == ':' && strstr(err.message, message))
        return;
    print_error("%s\ngave %d \"%s\", expected \"%s\"\n", text, status, err.message, message);
    _fail(__FILE__, line);
}
#define REFUSED(text, message) check_refused(text, message, __LINE__)

static void mistakes_have_a_place(void **state)
{
    (void)state;
    REFUSED("", "line 1, column 1");
    REFUSED("[1]", "expected an object");
    REFUSED("{" NUMBERS "}", "hierarchy: missing");
    REFUSED("{" UNIFORM ", \"steps\": 1, \"L\": 1, \"sigma_sq\": 1, \"delta\": 1}", "step_size: missing");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"L\": 1, \"sigma_sq\": 1, \"delta\": 1}", "steps: missing");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"steps\": 1, \"sigma_sq\": 1, \"delta\": 1}", "L: missing");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"steps\": 1, \"L\": 1, \"delta\": 1}", "sigma_sq: missing");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"steps\": 1, \"L\": 1, \"sigma_sq\": 1}", "delta: missing");
    REFUSED("{" UNIFORM "," NUMBERS ", \"smoothness\": 1}", "smoothness: 1: unknown key");
    REFUSED("{" UNIFORM "," NUMBERS ", \"delta\": 1}", "delta: 2.385: the key stands twice");
    REFUSED("{" UNIFORM ", \"step_size\": 0, \"steps\": 1, \"L\": 1, \"sigma_sq\": 1, \"delta\": 1}", "step_size: 0");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"steps\": 1.5, \"L\": 1, \"sigma_sq\": 1, \"delta\": 1}", "steps: 1.5");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"steps\": 1, \"L\": -1, \"sigma_sq\": 1, \"delta\": 1}", "L: -1");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"steps\": 1, \"L\": 1, \"sigma_sq\": 1e999, \"delta\": 1}", "sigma_sq: ");
    REFUSED("{" UNIFORM ", \"step_size\": 1, \"steps\": 1, \"L\": 1, \"sigma_sq\": 1, \"delta\": \"1\"}",
            "delta: \"1\"");
    REFUSED("{" UNIFORM "," NUMBERS ", \"level_divergence_sq\": [1]}",
            "level_divergence_sq: [1]: 1 numbers for 2 levels");
    REFUSED("{" UNIFORM "," NUMBERS ", \"level_divergence_sq\": [1, -1]}", "level_divergence_sq[1]: -1");
    REFUSED("{" UNIFORM "," NUMBERS ", \"level_divergence_sq\": []}", "level_divergence_sq: []");
    REFUSED("{" UNIFORM "," NUMBERS ", \"global_divergence_sq\": -1}", "global_divergence_sq: -1");
    REFUSED("{" UNIFORM "," NUMBERS ", \"worker_deviation_max_sq\": null}", "worker_deviation_max_sq: null");
    REFUSED("{" UNIFORM "," NUMBERS ", \"participants\": 0}", "participants: 0");
    REFUSED("{" UNIFORM "," NUMBERS ", \"participants\": 7}", "participants: 7");
    REFUSED("{" TREE "," NUMBERS ", \"level_divergence_sq\": [1, 1]}", "level_divergence_sq: [1,1]: the nodes");
    REFUSED("{\"hierarchy\": {\"tree\": {\"period\": 4, \"children\": [{\"period\": 2, \"workers\": 2, "
            "\"divergence_sq\": 1}]}}," NUMBERS "}",
            "hierarchy.tree: {");
    REFUSED("{\"hierarchy\": {\"tree\": {\"period\": 4, \"workers\": 2, \"divergence_sq\": -2}}," NUMBERS "}",
            "hierarchy.tree.divergence_sq: -2");
    REFUSED("{\"hierarchy\": {\"fanout\": [2], \"periods\": [4], \"weights\": [1]}," NUMBERS "}",
            "hierarchy.weights: [1]: 1 weights for 2 workers");
    REFUSED("{\"hierarchy\": {\"fanout\": [2], \"periods\": [4], \"weights\": \"data-size\"}," NUMBERS "}",
            "hierarchy.weights");
    REFUSED("{\"hierarchy\": {\"fanout\": [2], \"periods\": [4], \"weights\": [1e308, 1.5e308]}," NUMBERS "}",
            "hierarchy.weights");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_with_levels),   cmocka_unit_test(what_is_left_out_is_unknown),
        cmocka_unit_test(tree_with_divergences), cmocka_unit_test(weights),
        cmocka_unit_test(mistakes_have_a_place),
    };
    return cmocka_run_group_tests_name("params", tests, temp_open_shared, temp_close_shared);
}
