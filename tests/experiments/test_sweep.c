/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a grid: merge patches against the examples of RFC 7396, every point against the configuration that is written by
 * hand for it, the order of the points against what it promises, and what is refused. */
#include "tests/test.h"

#include <cjson/cJSON.h>

#include "experiments/config.h"
#include "experiments/json_patch_private.h"
#include "experiments/sweep.h"
#include "plots/sweep.h"

/* ---- merge patches ---- */

/* Appendix A of RFC 7396: original, patch, result. */
static const char *const rfc7396[][3] = {
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"{\"a\":\"foo\"}", "null", "null"},
    {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
};

static void merge_patches_are_those_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc7396 / sizeof *rfc7396; i++) {
        cJSON *patch = cJSON_Parse(rfc7396[i][1]), *want = cJSON_Parse(rfc7396[i][2]);
        cJSON *got = hsgd_json_merge(cJSON_Parse(rfc7396[i][0]), patch);
        if (!cJSON_Compare(got, want, true))
            fail_msg("%s patched with %s gives %s", rfc7396[i][0], rfc7396[i][1], cJSON_PrintUnformatted(got));
        cJSON_Delete(got);
        cJSON_Delete(want);
        cJSON_Delete(patch);
    }
}

/* document, place, value, result or the reason of the refusal */
static const char *const places[][4] = {
    {"{\"a\":1}", "a", "2", "{\"a\":2}"},
    {"{\"a\":1}", "b", "{\"c\":2}", "{\"a\":1,\"b\":{\"c\":2}}"},
    {"{\"a\":{\"b\":1,\"c\":2}}", "a", "{\"d\":3}", "{\"a\":{\"d\":3}}"}, /* put, not merged */
    {"{}", "a.b.c", "[1]", "{\"a\":{\"b\":{\"c\":[1]}}}"},
    {"{\"a\":{\"b\":1,\"c\":2}}", "a.b", "null", "{\"a\":{\"c\":2}}"},
    {"{\"a\":[1,2,3]}", "a[2]", "7", "{\"a\":[1,2,7]}"},
    {"{\"a\":[{\"b\":1},{\"b\":2}]}", "a[1].b", "7", "{\"a\":[{\"b\":1},{\"b\":7}]}"},
    {"{\"a\":[[1],[2]]}", "a[0][0]", "7", "{\"a\":[[7],[2]]}"},
    {"{\"a\":[1]}", "a[1]", "7", "!no element [1]"},
    {"{\"a\":{}}", "a[0]", "7", "!no element [0]"},
    {"{\"a\":1}", "a.b", "7", "!would be inside of what is no object"},
    {"{}", "", "7", "!expected a place"},
    {"{}", "a..b", "7", "!expected a place"},
    {"{}", "a.", "7", "!expected a place"},
    {"{}", ".a", "7", "!expected a place"},
    {"{\"a\":[1]}", "a[x]", "7", "!expected a place"},
    {"{\"a\":[1]}", "a[0", "7", "!expected a place"},
    {"{\"a\":[1]}", "a[-1]", "7", "!expected a place"},
};

static void values_are_put_at_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        hsgd_error err;
        cJSON *document = cJSON_Parse(places[i][0]), *value = cJSON_Parse(places[i][2]);
        cJSON *name = cJSON_CreateString(places[i][1]), *want = cJSON_Parse(places[i][3]);
        hsgd_json key = hsgd_json_root("x.json", name);
        hsgd_status status = hsgd_json_put_at(document, &key, value, &err);
        if (*places[i][3] == '!') {
            assert_int_equal(status, HSGD_ERROR_INPUT);
            if (!strstr(err.message, places[i][3] + 1))
                fail_msg("%s: \"%s\"", places[i][1], err.message);
        } else if (status || !cJSON_Compare(document, want, true))
            fail_msg("%s at %s gives %s", places[i][2], places[i][1], cJSON_PrintUnformatted(document));
        cJSON_Delete(document);
        cJSON_Delete(value);
        cJSON_Delete(name);
        cJSON_Delete(want);
    }
}

/* ---- grids ---- */

/* A configuration but for its hierarchy, the level divergences, the step size and what else stands in it. */
#define CONFIG(fanout, first, step_size, rest)                                                                         \
    "{\"name\": \"grid\", \"hierarchy\": {\"fanout\": " fanout ", \"periods\": [6, 2]}, \"problem\": {\"type\": "      \
    "\"quadratic\", \"dimension\": 3, \"curvature_range\": [0.1, 1], \"level_divergence\": [" first ", 0.3],"          \
    "\"noise_variance\": 0.7}, \"optimizer\": {\"step_size\": " step_size ", \"steps\": 12}" rest "}"
#define SWEEP(axes) CONFIG("[2, 6]", "1", "0.01", ", \"seeds\": 3, \"sweep\": {\"axes\": [" axes "]}")
#define N_AXIS "{\"name\": \"N\", \"key\": \"hierarchy.fanout\", \"values\": [[2, 6], [3, 4], [4, 3], [6, 2]]}"
#define D_AXIS "{\"name\": \"D_1\", \"key\": \"problem.level_divergence[0]\", \"values\": [0.5, 2.25, 4]}"
#define PATCHES                                                                                                        \
    "{\"name\": \"rate\", \"values\": [{\"optimizer\": {\"step_size\": 0.02}}, {\"optimizer\": {\"step_size\": "       \
    "0.03}, "                                                                                                          \
    "\"grouping\": \"random\"}], \"labels\": [\"slow\", \"fast, random\"]}"

static hsgd_sweep read_sweep(const char *text)
{
    hsgd_sweep sweep;
    hsgd_error err;
    assert_ok(hsgd_sweep_parse(&sweep, text, strlen(text), "x.json", 0, &err), err);
    return sweep;
}

/* What a configuration reads as, with all defaults. */
static char *resolved(const char *text)
{
    hsgd_config config;
    hsgd_error err;
    assert_ok(hsgd_config_parse(&config, text, strlen(text), "x.json", &err), err);
    char *json = hsgd_config_to_json(&config);
    hsgd_config_free(&config);
    assert_non_null(json);
    return json;
}

static void every_point_is_the_configuration_written_by_hand(void **state)
{
    (void)state;
    static const char *const fanout[] = {"[2, 6]", "[3, 4]", "[4, 3]", "[6, 2]"}, *const first[] = {"0.5", "2.25", "4"};
    static const char *const rate[] = {"0.02", "0.03"}, *const grouping[] = {"given", "random"};
    hsgd_sweep sweep = read_sweep(SWEEP(N_AXIS "," D_AXIS "," PATCHES));
    assert_int_equal(sweep.num_points, 4 * 3 * 2);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 3; j++)
            for (size_t k = 0; k < 2; k++) {
                const hsgd_sweep_point *point = &sweep.point[(i * 3 + j) * 2 + k];
                char text[1024];
                snprintf(text, sizeof text,
                         CONFIG("%s", "%s", "%s", ", \"seeds\": 3, \"figures\": [], \"grouping\": \"%s\""), fanout[i],
                         first[j], rate[k], grouping[k]);
                char *want = resolved(text);
                assert_string_equal(point->config, want);
                cJSON_free(want);
                assert_int_equal(point->value[0], i);
                assert_int_equal(point->value[1], j);
                assert_int_equal(point->value[2], k);
            }
    hsgd_sweep_free(&sweep);
}

static void seeds_can_be_given_beside_the_configuration(void **state)
{
    (void)state;
    hsgd_sweep sweep;
    hsgd_error err;
    const char *text = SWEEP(D_AXIS);
    assert_ok(hsgd_sweep_parse(&sweep, text, strlen(text), "x.json", 11, &err), err);
    char *want = resolved(CONFIG("[2, 6]", "0.5", "0.01", ", \"seeds\": 11, \"figures\": []"));
    assert_string_equal(sweep.point[0].config, want);
    cJSON_free(want);
    hsgd_sweep_free(&sweep);
}

static void figures_of_the_sweep_and_of_its_points_are_told_apart(void **state)
{
    (void)state;
    hsgd_sweep sweep = read_sweep(CONFIG(
        "[2, 6]", "1", "0.01", ", \"figures\": [\"terms\", \"sweep-loss\"], \"sweep\": {\"axes\": [" D_AXIS "]}"));
    for (size_t f = 0; f < hsgd_num_sweep_figures; f++)
        assert_int_equal(sweep.use_figure[f], strcmp(hsgd_sweep_figures[f]->name, "sweep-loss") == 0);
    char *want = resolved(CONFIG("[2, 6]", "4", "0.01", ", \"figures\": [\"terms\"]"));
    assert_string_equal(sweep.point[2].config, want);
    cJSON_free(want);
    hsgd_sweep_free(&sweep);
    /* all that has something to show, and nothing for the points */
    sweep = read_sweep(SWEEP(N_AXIS));
    for (size_t f = 0; f < hsgd_num_sweep_figures; f++) {
        const char *name = hsgd_sweep_figures[f]->name;
        bool shows =
            strcmp(name, "sweep") == 0 || strcmp(name, "sweep-convergence") == 0 || strcmp(name, "sweep-loss") == 0;
        assert_int_equal(sweep.use_figure[f], shows);
    }
    hsgd_sweep_free(&sweep);
}

/* ---- names ---- */

static void labels_titles_and_places(void **state)
{
    (void)state;
    hsgd_sweep sweep = read_sweep(SWEEP(N_AXIS "," D_AXIS "," PATCHES));
    assert_string_equal(sweep.axis[0].label[1], "[3,4]");
    assert_null(sweep.axis[0].at); /* not numbers */
    assert_string_equal(sweep.axis[1].label[1], "2.25");
    assert_true(sweep.axis[1].at && sweep.axis[1].at[1] == 2.25);
    assert_null(sweep.axis[2].at);
    assert_string_equal(sweep.point[(1 * 3 + 1) * 2 + 1].title, "N = [3,4], D_1 = 2.25, fast, random");
    assert_string_equal(sweep.point[(1 * 3 + 1) * 2 + 1].folder, "N-3-4_D_1-2.25_rate-fast-random");
    assert_string_equal(sweep.name, "grid");
    assert_true(sweep.confidence == 0.99);
    hsgd_sweep_free(&sweep);
    sweep = read_sweep(
        SWEEP("{\"name\": \"N\", \"key\": \"hierarchy.fanout\", \"values\": [[3, 4], [6, 2]], \"at\": [3, 6]}"));
    assert_true(sweep.axis[0].at[0] == 3 && sweep.axis[0].at[1] == 6);
    hsgd_sweep_free(&sweep);
}

/* Names that say the same once they are plain, and names that say nothing. */
static void folders_are_plain_and_different(void **state)
{
    (void)state;
    hsgd_sweep sweep = read_sweep(SWEEP(
        "{\"name\": \"../\\u00e4 b\", \"values\": [{\"seeds\": 1}, {\"seeds\": 2}, {\"seeds\": 3}, {\"seeds\": 4}, "
        "{\"seeds\": 5}, {\"seeds\": 6}], \"labels\": [\"a/b\", \"A b\", \"a.b/\", \"..\", \"a b-1\", "
        "\"\\u00e4\\u00e4\"]}"));
    for (size_t i = 0; i < sweep.num_points; i++) {
        const char *name = sweep.point[i].folder;
        assert_true(strlen(name) > 0 && strlen(name) < 200 && name[0] != '.');
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"),
                         strlen(name));
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(strcasecmp(name, sweep.point[j].folder), 0);
    }
    hsgd_sweep_free(&sweep);
}

/* ---- order ---- */

static size_t *order_of(const hsgd_sweep *sweep)
{
    hsgd_error err;
    size_t *order = calloc(sweep->num_points, sizeof *order);
    assert_ok(hsgd_sweep_order(sweep, order, &err), err);
    bool *seen = calloc(sweep->num_points, sizeof *seen);
    for (size_t i = 0; i < sweep->num_points; i++) {
        assert_true(order[i] < sweep->num_points && !seen[order[i]]);
        seen[order[i]] = true;
    }
    free(seen);
    return order;
}

static void one_axis_is_bisected(void **state)
{
    (void)state;
    static const size_t want[] = {0, 8, 4, 2, 6, 1, 3, 5, 7};
    hsgd_sweep sweep =
        read_sweep(SWEEP("{\"name\": \"s\", \"key\": \"optimizer.steps\", \"values\": [1, 2, 3, 4, 5, 6, 7, 8, 9]}"));
    size_t *order = order_of(&sweep);
    assert_memory_equal(order, want, sizeof want);
    free(order);
    hsgd_sweep_free(&sweep);
}

/* The corners first; and after the points of a level no place of any axis is further from one of these than the level says. */
static void the_picture_is_there_early(void **state)
{
    (void)state;
    char axes[2048] = "";
    static const char *const key[] = {"optimizer.steps", "seeds", "first_seed"};
    static const size_t count[] = {6, 7, 4};
    for (size_t a = 0; a < 3; a++) {
        size_t length = strlen(axes);
        length += (size_t)snprintf(axes + length, sizeof axes - length,
                                   "%s{\"name\": \"%zu\", \"key\": \"%s\", \"values\": [", a ? ", " : "", a, key[a]);
        for (size_t i = 0; i < count[a]; i++)
            length += (size_t)snprintf(axes + length, sizeof axes - length, "%s%zu", i ? ", " : "", i + 1);
        snprintf(axes + length, sizeof axes - length, "]}");
    }
    char text[4096];
    snprintf(text, sizeof text, SWEEP("%s"), axes);
    hsgd_sweep sweep = read_sweep(text);
    assert_int_equal(sweep.num_points, 6 * 7 * 4);
    size_t *order = order_of(&sweep);
    for (size_t i = 0; i < 8; i++)
        for (size_t a = 0; a < 3; a++) {
            size_t value = sweep.point[order[i]].value[a];
            assert_true(value == 0 || value == count[a] - 1);
        }
    /* 3 x 3 x 3: ends and middles; every fourth point or so has been run by then */
    for (size_t i = 0; i < 27; i++)
        for (size_t a = 0; a < 3; a++) {
            size_t value = sweep.point[order[i]].value[a];
            assert_true(value == 0 || value == count[a] - 1 || value == (count[a] - 1) / 2);
        }
    free(order);
    hsgd_sweep_free(&sweep);
}

/* ---- what is refused ---- */

#define TEN "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F "
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "x"
#define DEEP "a.b.c.d.e.f.g.h."

static const struct {
    const char *text, *message;
} refused[] = {
    {CONFIG("[2, 6]", "1", "0.01", ""), "x.json: sweep: missing; expected { \"axes\": [...] }"},
    {"[1]", "expected an object with the keys of a configuration"},
    {CONFIG("[2, 6]", "1", "0.01", ", \"sweep\": {\"axes\": [" D_AXIS "], \"axis\": 1}"),
     "sweep.axis: 1: unknown key; legal here: axes"},
    {SWEEP(""), "sweep.axes: []: expected an array of at least 1"},
    {SWEEP(N_AXIS "," D_AXIS "," PATCHES ", " D_AXIS), "4 axes; at most 3 are legal"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": []}"),
     "sweep.axes[0].values: []: expected an array of at least 1"},
    {SWEEP("{\"key\": \"seeds\", \"values\": [1]}"), "sweep.axes[0].name: missing"},
    {SWEEP("{\"name\": \"\", \"key\": \"seeds\", \"values\": [1]}"), "sweep.axes[0].name: \"\": must not be empty"},
    {SWEEP(D_AXIS ", {\"name\": \"D_1\", \"key\": \"seeds\", \"values\": [1]}"),
     "sweep.axes[1].name: \"D_1\": is the name of another"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\"}"), "sweep.axes[0].values: missing"},
    {SWEEP("{\"name\": \"a\", \"keys\": \"seeds\", \"values\": [1]}"), "sweep.axes[0].keys: \"seeds\": unknown key"},
    {SWEEP("{\"name\": \"a\", \"values\": [1, 2]}"), "sweep.axes[0].values[0]: 1: expected an object of changed keys"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2, 1]}"), "sweep.axes[0].values[2]: 1: stands twice"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"labels\": [\"x\"]}"),
     "sweep.axes[0].labels: [\"x\"]: 1 of them for 2 values"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"labels\": [\"x\", \"x\"]}"),
     "sweep.axes[0].labels[1]: \"x\": stands twice"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"labels\": [\"x\", 3]}"),
     "sweep.axes[0].labels[1]: 3: expected a text"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"labels\": [\"x\", \"\"]}"),
     "sweep.axes[0].labels[1]: \"\": must not be empty"},
    {SWEEP("{\"name\": \"" HUNDRED "!\", \"key\": \"seeds\", \"values\": [1, 2]}"),
     "...: has 101 bytes; at most 100 are legal"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"labels\": [\"x\", \"" HUNDRED "!\"]}"),
     "...: has 101 bytes; at most 100 are legal"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"at\": [1, 1e300]}"),
     "sweep.axes[0].at[1]: 1e+300: expected a number from -1e+100 to 1e+100"},
    {SWEEP("{\"name\": \"a\", \"key\": \"" DEEP DEEP DEEP DEEP "z\", \"values\": [1, 2]}"),
     "expected a place of at most 32 parts"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"at\": [1]}"),
     "sweep.axes[0].at: [1]: 1 of them for 2 values"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"at\": [1, 1]}"),
     "sweep.axes[0].at[1]: 1: stands twice"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2], \"at\": [1, \"b\"]}"),
     "sweep.axes[0].at[1]: \"b\": expected a number from -1e+100 to 1e+100"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seed\", \"values\": [1, 2]}"),
     "x.json: sweep: a = 1: seed: 1: unknown key; legal here: name"},
    {SWEEP("{\"name\": \"a\", \"key\": \"hierarchy.fan\", \"values\": [1, 2]}"),
     "x.json: sweep: a = 1: hierarchy.fan: 1: unknown key"},
    {SWEEP("{\"name\": \"a\", \"key\": \"targets[0].value\", \"values\": [1, 2]}"),
     "sweep.axes[0].key: \"targets[0].value\": "},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2.5]}"),
     "x.json: sweep: a = 2.5: seeds: 2.5: expected a whole number"},
    {SWEEP(D_AXIS ", {\"name\": \"b\", \"values\": [{\"hierarchy\": {\"periods\": [5, 2]}}], \"labels\": [\"odd\"]}"),
     "x.json: sweep: D_1 = 0.5, odd: hierarchy.periods"},
    {SWEEP("{\"name\": \"a\", \"key\": \"figures\", \"values\": [[], [\"terms\"]]}"),
     "sweep.axes[0].key: \"figures\": cannot be changed"},
    {SWEEP("{\"name\": \"a\", \"values\": [{\"sweep\": 1}]}"), "sweep.axes[0].values[0].sweep: 1: cannot be changed"},
    {SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2]}, {\"name\": \"b\", \"key\": \"seeds\", "
           "\"values\": [3, 4]}"),
     "are one and the same configuration"},
    {CONFIG("[2, 6]", "1", "0.01", ", \"figures\": [\"sweep-map\"], \"sweep\": {\"axes\": [" D_AXIS "]}"),
     "figures[0]: \"sweep-map\": there is nothing to show; needs two axes"},
    {CONFIG("[2, 6]", "1", "0.01", ", \"figures\": [\"sweep-accuracy\"], \"sweep\": {\"axes\": [" D_AXIS "]}"),
     "needs \"evaluate_every\""},
    {CONFIG("[2, 6]", "1", "0.01", ", \"figures\": [\"sweeps\"], \"sweep\": {\"axes\": [" D_AXIS "]}"),
     "figures[0]: \"sweeps\": expected one of all, sweep, "},
    {CONFIG("[2, 6]", "1", "0.01", ", \"figures\": [\"accuracy\"], \"sweep\": {\"axes\": [" D_AXIS "]}"),
     "x.json: sweep: D_1 = 0.5: figures[0]: \"accuracy\""},
};

static void bad_grids_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        hsgd_sweep sweep;
        hsgd_error err;
        assert_fails(hsgd_sweep_parse(&sweep, refused[i].text, strlen(refused[i].text), "x.json", 0, &err),
                     HSGD_ERROR_INPUT, refused[i].message, err);
        assert_null(sweep.point);
    }
}

/* 10 x 10 x 10 points are legal, 11 x 10 x 10 are not. */
static void the_number_of_points_is_limited(void **state)
{
    (void)state;
    const char *form =
        SWEEP("{\"name\": \"a\", \"key\": \"seeds\", \"values\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10%s]}, "
              "{\"name\": \"b\", \"key\": \"first_seed\", \"values\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, "
              "{\"name\": \"c\", \"key\": \"optimizer.steps\", \"values\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}");
    char text[2048];
    hsgd_error err;
    snprintf(text, sizeof text, form, "");
    hsgd_sweep sweep = read_sweep(text);
    assert_int_equal(sweep.num_points, 1000);
    hsgd_sweep_free(&sweep);
    snprintf(text, sizeof text, form, ", 11");
    assert_fails(hsgd_sweep_parse(&sweep, text, strlen(text), "x.json", 0, &err), HSGD_ERROR_INPUT,
                 "sweep.axes: more than 1000 points", err);
}

static void other_commands_refuse_a_grid(void **state)
{
    (void)state;
    hsgd_config config;
    hsgd_error err;
    const char *text = SWEEP(D_AXIS);
    assert_fails(hsgd_config_parse(&config, text, strlen(text), "x.json", &err), HSGD_ERROR_INPUT,
                 "x.json: sweep: this file is for hsgd sweep", err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_patches_are_those_of_the_rfc),
        cmocka_unit_test(values_are_put_at_their_place),
        cmocka_unit_test(every_point_is_the_configuration_written_by_hand),
        cmocka_unit_test(seeds_can_be_given_beside_the_configuration),
        cmocka_unit_test(figures_of_the_sweep_and_of_its_points_are_told_apart),
        cmocka_unit_test(labels_titles_and_places),
        cmocka_unit_test(folders_are_plain_and_different),
        cmocka_unit_test(one_axis_is_bisected),
        cmocka_unit_test(the_picture_is_there_early),
        cmocka_unit_test(bad_grids_are_refused),
        cmocka_unit_test(the_number_of_points_is_limited),
        cmocka_unit_test(other_commands_refuse_a_grid),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
