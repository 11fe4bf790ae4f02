/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "evaluate_every", "targets" and "communication": every key, every default, what is refused and how, the round trip, and
 * which figures come with "all". */
#include "tests/test.h"

#include "experiments/config.h"
#include "plots/figure.h"

static hsgd_error err;

#define START                                                                                                          \
    "{\"hierarchy\": {\"fanout\": [3, 2, 2], \"periods\": [12, 6, 2]}, \"optimizer\": {\"step_size\": 1, \"steps\": "  \
    "5}"
#define QUADRATIC                                                                                                      \
    ", \"problem\": {\"type\": \"quadratic\", \"dimension\": 4, \"curvature_range\": [0.07, 1.3],"                     \
    " \"level_divergence\": [0.8, 0.4, 0.1]}"
#define SOFTMAX ", \"problem\": {\"type\": \"softmax\", \"data\": {\"format\": \"libsvm\", \"path\": \"/no/file\"}}"

static void parse(hsgd_config *out, const char *text)
{
    assert_ok(hsgd_config_parse(out, text, strlen(text), "c.json", &err), err);
}

static void check_refused(const char *text, const char *place, const char *legal, int line)
{
    hsgd_config config;
    hsgd_status status = hsgd_config_parse(&config, text, strlen(text), "c.json", &err);
    if (status == HSGD_ERROR_INPUT && strncmp(err.message, "c.json: ", 8) == 0 && strstr(err.message, place) &&
        strstr(err.message, legal) && !strchr(err.message, '\n'))
        return;
    print_error("%s\ngave status %d, \"%s\"; expected \"%s\" and \"%s\"\n", text, status, err.message, place, legal);
    _fail(__FILE__, line);
}
#define REFUSED(members, place, legal) check_refused(START QUADRATIC "," members "}", place, legal, __LINE__)
#define REFUSED_SOFTMAX(members, place, legal) check_refused(START SOFTMAX "," members "}", place, legal, __LINE__)

static void nothing_by_default(void **state)
{
    (void)state;
    hsgd_config c;
    parse(&c, START SOFTMAX "}");
    assert_true(c.evaluate_every == 0 && c.num_targets == 0 && !c.target && !c.has_communication);
    char *text = hsgd_config_to_json(&c);
    assert_non_null(text);
    assert_null(strstr(text, "evaluate_every"));
    assert_null(strstr(text, "targets"));
    assert_null(strstr(text, "communication"));
    free(text);
    hsgd_config_free(&c);
}

static void defaults_of_communication(void **state)
{
    (void)state;
    hsgd_config c;
    parse(&c, START QUADRATIC ", \"communication\": {}}");
    const hsgd_communication *m = &c.communication;
    assert_true(c.has_communication && m->bytes_per_parameter == 4 && m->compute_s == 0);
    assert_true(m->route == HSGD_ROUTE_TREE && m->straggler.type == HSGD_STRAGGLER_NONE);
    for (size_t k = 0; k < 2; k++) /* 100 Mbit/s, 50 ms there and back */
        assert_true(m->level[k].latency_s == 0.025 && m->level[k].bandwidth_bytes_per_s == 100e6 / 8);
    assert_true(m->level[2].latency_s == 0.0005 && m->level[2].bandwidth_bytes_per_s == 1e9 / 8); /* 1 Gbit/s */
    hsgd_config_free(&c);
    const char *one = "{\"hierarchy\": {\"fanout\": [4], \"periods\": [2]}, \"problem\": {\"type\": \"quadratic\", "
                      "\"dimension\": 1, \"curvature_range\": [1, 1], \"level_divergence\": [0]}, \"optimizer\": "
                      "{\"step_size\": 1, \"steps\": 5}, \"communication\": {}}";
    parse(&c, one);
    assert_true(c.communication.level[0].latency_s == 0.025); /* the only level is far away */
    hsgd_config_free(&c);
}

#define ALL_KEYS                                                                                                       \
    "\"evaluate_every\": 3, \"targets\": [{\"quantity\": \"train_accuracy\", \"value\": 0.9}, {\"quantity\": "         \
    "\"grad_norm_sq\", \"value\": 1e-3}, {\"quantity\": \"loss\", \"value\": -0.5}], \"communication\": {\"levels\": " \
    "[{\"latency_s\": 0.3, \"bandwidth_bytes_per_s\": 1e6, \"shared\": true}, \"wan-10\", \"lan\"], "                  \
    "\"compute_s_per_step\": 0.07, \"route\": \"direct\", \"bytes_per_parameter\": 0.125, \"straggler\": "             \
    "{\"distribution\": \"pareto\", \"minimum_s\": 0.02, \"shape\": 2.5}}"

static void every_key(void **state)
{
    (void)state;
    hsgd_config c;
    parse(&c, START SOFTMAX "," ALL_KEYS "}");
    const hsgd_communication *m = &c.communication;
    assert_true(c.evaluate_every == 3 && c.num_targets == 3);
    assert_true(c.target[0].quantity == HSGD_TARGET_TRAIN_ACCURACY && c.target[0].value == 0.9);
    assert_true(c.target[1].quantity == HSGD_TARGET_GRAD_NORM_SQ && c.target[1].value == 1e-3);
    assert_true(c.target[2].quantity == HSGD_TARGET_LOSS && c.target[2].value == -0.5);
    assert_true(m->level[0].latency_s == 0.3 && m->level[0].bandwidth_bytes_per_s == 1e6 && m->level[0].shared);
    assert_true(m->level[1].bandwidth_bytes_per_s == 10e6 / 8 && !m->level[1].shared);
    assert_true(m->compute_s == 0.07 && m->route == HSGD_ROUTE_DIRECT && m->bytes_per_parameter == 0.125);
    assert_true(m->straggler.type == HSGD_STRAGGLER_PARETO && m->straggler.scale_s == 0.02);
    assert_true(m->straggler.shape == 2.5);
    hsgd_config_free(&c);
    parse(&c, START QUADRATIC ", \"communication\": {\"straggler\": {\"distribution\": \"lognormal\", \"median_s\": "
                              "0.4, \"sigma\": 0.9}}}");
    assert_true(m->straggler.type == HSGD_STRAGGLER_LOGNORMAL && m->straggler.scale_s == 0.4);
    assert_true(m->straggler.shape == 0.9);
    hsgd_config_free(&c);
}

static void round_trip(void **state)
{
    (void)state;
    const char *const text[] = {
        START SOFTMAX "," ALL_KEYS "}", START QUADRATIC ", \"communication\": {}}",
        START QUADRATIC ", \"communication\": {\"straggler\": {\"distribution\": \"exponential\", \"mean_s\": 0.1}},"
                        "\"figures\": [\"loss-time\"]}"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        hsgd_config first, second;
        parse(&first, text[i]);
        char *once = hsgd_config_to_json(&first);
        parse(&second, once);
        char *twice = hsgd_config_to_json(&second);
        assert_string_equal(once, twice);
        const hsgd_communication *a = &first.communication, *b = &second.communication;
        assert_int_equal(first.evaluate_every, second.evaluate_every);
        assert_int_equal(first.num_targets, second.num_targets);
        for (size_t t = 0; t < first.num_targets; t++)
            assert_true(first.target[t].quantity == second.target[t].quantity &&
                        first.target[t].value == second.target[t].value);
        for (size_t k = 0; k < 3; k++)
            assert_true(a->level[k].latency_s == b->level[k].latency_s && a->level[k].shared == b->level[k].shared &&
                        a->level[k].bandwidth_bytes_per_s == b->level[k].bandwidth_bytes_per_s);
        assert_true(a->compute_s == b->compute_s && a->route == b->route &&
                    a->bytes_per_parameter == b->bytes_per_parameter && a->straggler.type == b->straggler.type &&
                    a->straggler.scale_s == b->straggler.scale_s && a->straggler.shape == b->straggler.shape);
        assert_memory_equal(first.use_figure, second.use_figure, hsgd_num_figures * sizeof(bool));
        free(once);
        free(twice);
        hsgd_config_free(&first);
        hsgd_config_free(&second);
    }
}

static void mistakes(void **state)
{
    (void)state;
    REFUSED("\"evaluate_every\": 2", "evaluate_every: 2", "a quadratic has no labels");
    REFUSED_SOFTMAX("\"evaluate_every\": -1", "evaluate_every: -1", "whole number from 0");
    REFUSED("\"targets\": 3", "targets: 3", "array");
    REFUSED("\"targets\": [{\"quantity\": \"speed\", \"value\": 1}]", "targets[0].quantity: \"speed\"", "grad_norm_sq");
    REFUSED("\"targets\": [{\"quantity\": \"loss\"}]", "targets[0].value", "missing");
    REFUSED("\"targets\": [{\"quantity\": \"grad_norm_sq\", \"value\": -1}]", "targets[0].value: -1", "at least 0");
    REFUSED_SOFTMAX("\"targets\": [{\"quantity\": \"test_accuracy\", \"value\": 0.5}]", "targets[0].quantity",
                    "needs \"evaluate_every\"");
    REFUSED_SOFTMAX("\"evaluate_every\": 1, \"targets\": [{\"quantity\": \"train_accuracy\", \"value\": 90}]",
                    "targets[0].value: 90", "from 0 to 1");
    REFUSED("\"communication\": 1", "communication: 1", "object");
    REFUSED("\"communication\": {\"levels\": [\"lan\", \"lan\"]}", "communication.levels",
            "2 levels for a hierarchy of 3");
    REFUSED("\"communication\": {\"levels\": [\"lan\", \"lan\", \"moon\"]}", "communication.levels[2]: \"moon\"",
            "lan, wan-100, wan-10");
    REFUSED("\"communication\": {\"levels\": [{\"latency_s\": 1}, \"lan\", \"lan\"]}",
            "communication.levels[0].bandwidth_bytes_per_s", "missing");
    REFUSED("\"communication\": {\"levels\": [{\"latency_s\": -1, \"bandwidth_bytes_per_s\": 1}, \"lan\", \"lan\"]}",
            "communication.levels[0].latency_s: -1", "0 to 1000000000");
    REFUSED("\"communication\": {\"levels\": [{\"latency_s\": 1, \"bandwidth_bytes_per_s\": 0}, \"lan\", \"lan\"]}",
            "communication.levels[0].bandwidth_bytes_per_s: 0", "above 0");
    REFUSED("\"communication\": {\"compute_s_per_step\": \"1\"}", "communication.compute_s_per_step: \"1\"", "number");
    REFUSED("\"communication\": {\"route\": \"ring\"}", "communication.route: \"ring\"", "tree, direct");
    REFUSED("\"communication\": {\"bytes_per_parameter\": 0}", "communication.bytes_per_parameter: 0", "above 0");
    REFUSED("\"communication\": {\"straggler\": []}", "communication.straggler: []", "object");
    REFUSED("\"communication\": {\"straggler\": {}}", "communication.straggler.distribution", "missing");
    REFUSED("\"communication\": {\"straggler\": {\"distribution\": \"normal\"}}",
            "communication.straggler.distribution: \"normal\"", "none, exponential, lognormal, pareto");
    REFUSED("\"communication\": {\"straggler\": {\"distribution\": \"none\", \"mean_s\": 1}}",
            "communication.straggler.mean_s: 1", "legal here: distribution");
    REFUSED("\"communication\": {\"straggler\": {\"distribution\": \"exponential\", \"mean_s\": 1, \"shape\": 2}}",
            "communication.straggler.shape: 2", "legal here: distribution, mean_s");
    REFUSED("\"communication\": {\"straggler\": {\"distribution\": \"pareto\", \"minimum_s\": 1, \"shape\": 0}}",
            "communication.straggler.shape: 0", "above 0");
    REFUSED("\"communication\": {\"straggler\": {\"distribution\": \"exponential\"}}", "communication.straggler.mean_s",
            "missing");
}

/* "all" brings what there is something for; a figure that is named must have something to show. */
static void figures_need_their_data(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        bool accuracy, costs, accuracy_costs;
    } want[] = {
        {"", false, false, false},
        {", \"evaluate_every\": 1", true, false, false},
        {", \"communication\": {}", false, true, false},
        {", \"communication\": {}, \"evaluate_every\": 1, \"figures\": [\"all\"]", true, true, true},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        hsgd_config c;
        char text[512];
        snprintf(text, sizeof text, START SOFTMAX "%s}", want[i].more);
        parse(&c, text);
        for (size_t k = 0; k < hsgd_num_figures; k++) {
            const char *name = hsgd_figures[k]->name;
            bool wanted = true;
            if (strcmp(name, "accuracy") == 0)
                wanted = want[i].accuracy;
            if (strcmp(name, "loss-time") == 0 || strcmp(name, "gradient-bytes") == 0 || strcmp(name, "S-time") == 0 ||
                strcmp(name, "S-bytes") == 0)
                wanted = want[i].costs;
            if (strcmp(name, "accuracy-time") == 0 || strcmp(name, "accuracy-bytes") == 0)
                wanted = want[i].accuracy_costs;
            assert_int_equal(c.use_figure[k], wanted);
        }
        hsgd_config_free(&c);
    }
    REFUSED_SOFTMAX("\"figures\": [\"terms\", \"accuracy\"]", "figures[1]: \"accuracy\"", "needs \"evaluate_every\"");
    REFUSED_SOFTMAX("\"figures\": [\"accuracy-time\"], \"evaluate_every\": 1", "figures[0]", "needs \"communication\"");
    REFUSED_SOFTMAX("\"figures\": [\"accuracy-bytes\"], \"communication\": {}", "figures[0]",
                    "needs \"evaluate_every\"");
    REFUSED("\"figures\": [\"S-time\"]", "figures[0]: \"S-time\"", "needs \"communication\"");
    REFUSED("\"figures\": [\"S-bytes\"]", "figures[0]: \"S-bytes\"", "needs \"communication\"");
    REFUSED("\"figures\": [\"all\", \"loss-time\"]", "figures[1]: \"loss-time\"", "needs \"communication\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_by_default), cmocka_unit_test(defaults_of_communication),
        cmocka_unit_test(every_key),          cmocka_unit_test(round_trip),
        cmocka_unit_test(mistakes),           cmocka_unit_test(figures_need_their_data),
    };
    return cmocka_run_group_tests_name("config_metrics", tests, NULL, NULL);
}
