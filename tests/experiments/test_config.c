/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration reader against the Contract: every key, every default, and for every mistake a message that names
 * the file, the place, the value and what would be legal. */
#include "tests/test.h"

#include <unistd.h>

#include <cjson/cJSON.h>

#include "bounds/bound.h"
#include "experiments/config.h"
#include "plots/figure.h"

static hsgd_error err;

static hsgd_status parse(hsgd_config *out, const char *text)
{
    return hsgd_config_parse(out, text, strlen(text), "folder/c.json", &err);
}

/* A small legal configuration; the pieces are replaced by the tests. */
#define HIERARCHY "\"hierarchy\": {\"fanout\": [3, 2], \"periods\": [6, 2]}"
#define PROBLEM                                                                                                        \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 4, \"curvature_range\": [0.07, 1.3],"                       \
    " \"level_divergence\": [0.83, 0.41], \"noise_variance\": 0.37}"
#define OPTIMIZER "\"optimizer\": {\"step_size\": 0.031, \"steps\": 17}"
#define CONFIG "{" HIERARCHY "," PROBLEM "," OPTIMIZER "}"
#define EXPLICIT                                                                                                       \
    "\"problem\": {\"type\": \"quadratic\", \"curvature\": [0.7, -0.2], \"linear\":"                                   \
    " [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12.5]]}"

/* The text fails with a one-line message that starts with the file and contains both pieces. */
static void check_refused(const char *text, size_t length, const char *place, const char *legal, int line)
{
    hsgd_config config;
    memset(&config, 0xa5, sizeof config);
    hsgd_status status = hsgd_config_parse(&config, text, length, "folder/c.json", &err);
    bool good = status == HSGD_ERROR_INPUT && strncmp(err.message, "folder/c.json: ", 15) == 0 &&
                strstr(err.message, place) && strstr(err.message, legal) && !strchr(err.message, '\n');
    if (!good) {
        print_error("%.300s\ngave status %d, \"%s\"; expected \"%s\" and \"%s\"\n", text, status, err.message, place,
                    legal);
        _fail(__FILE__, line);
    }
}
#define REFUSED(text, place, legal) check_refused(text, strlen(text), place, legal, __LINE__)
/* The same for a configuration with one section replaced. */
#define REFUSED_HIERARCHY(section, place, legal)                                                                       \
    REFUSED("{\"hierarchy\": " section "," PROBLEM "," OPTIMIZER "}", place, legal)
#define REFUSED_PROBLEM(section, place, legal)                                                                         \
    REFUSED("{" HIERARCHY ", \"problem\": " section "," OPTIMIZER "}", place, legal)
#define REFUSED_OPTIMIZER(section, place, legal)                                                                       \
    REFUSED("{" HIERARCHY "," PROBLEM ", \"optimizer\": " section "}", place, legal)
#define REFUSED_WITH(members, place, legal)                                                                            \
    REFUSED("{" HIERARCHY "," PROBLEM "," OPTIMIZER "," members "}", place, legal)

/* ---- what is read ---- */

/* Defaults of the Contract (32 seeds from 1, every step, all bounds and figures, the origin, full gradients) and of the
 * README (99 %). */
static void defaults(void **state)
{
    (void)state;
    hsgd_config c;
    memset(&c, 0xa5, sizeof c);
    assert_ok(parse(&c, CONFIG), err);
    assert_string_equal(c.name, "experiment");
    assert_true(c.is_uniform);
    assert_int_equal(c.hierarchy.num_workers, 6);
    assert_int_equal(c.weighting, HSGD_WEIGHTS_EQUAL);
    assert_null(c.weight);
    assert_int_equal(c.problem, HSGD_PROBLEM_QUADRATIC_GENERATED);
    assert_int_equal(c.problem_seed, 1);
    assert_int_equal(c.grouping, HSGD_GROUPING_GIVEN);
    assert_null(c.initial_point);
    assert_true(c.initial_scale == 0);
    assert_true(c.step_size == 0.031 && isnan(c.step_size_fraction));
    assert_int_equal(c.steps, 17);
    assert_int_equal(c.batch_size, 0);
    assert_int_equal(c.seeds, 32);
    assert_int_equal(c.first_seed, 1);
    assert_int_equal(c.measure_every, 1);
    assert_true(c.confidence == 0.99);
    for (size_t i = 0; i < hsgd_num_bounds; i++)
        assert_true(c.use_bound[i]);
    for (size_t i = 0; i < hsgd_num_figures; i++)
        assert_int_equal(c.use_figure[i], !hsgd_config_figure_lacks(&c, hsgd_figures[i]->name));
    hsgd_config_free(&c);
}

static void every_key_of_a_quadratic(void **state)
{
    (void)state;
    hsgd_config c;
    assert_ok(parse(&c, "{\"name\": \"\\u00fcber\", " HIERARCHY "," PROBLEM ", \"grouping\": \"random\","
                        "\"initial\": {\"scale\": 2.5}, \"optimizer\": {\"step_size_fraction\": 0.99},"
                        "\"steps\": 18, \"batch_size\": 3, \"seeds\": 5, \"first_seed\": 7, \"measure_every\": 4,"
                        "\"confidence\": 0.95, \"bounds\": [\"hsgd-fixed\"], \"figures\": []}"),
              err);
    assert_string_equal(c.name, "\xc3\xbc"
                                "ber");
    assert_true(c.dim == 4 && c.curvature_range[0] == 0.07 && c.curvature_range[1] == 1.3);
    assert_true(c.level_divergence_sq[0] == 0.83 && c.level_divergence_sq[1] == 0.41 && c.noise_sq == 0.37);
    assert_int_equal(c.grouping, HSGD_GROUPING_RANDOM);
    assert_true(c.initial_scale == 2.5 && isnan(c.step_size) && c.step_size_fraction == 0.99 && c.confidence == 0.95);
    assert_true(c.steps == 18 && c.batch_size == 3 && c.seeds == 5 && c.first_seed == 7 && c.measure_every == 4);
    for (size_t i = 0; i < hsgd_num_bounds; i++)
        assert_int_equal(c.use_bound[i], strcmp(hsgd_bounds[i]->id, "hsgd-fixed") == 0);
    for (size_t i = 0; i < hsgd_num_figures; i++)
        assert_false(c.use_figure[i]);
    hsgd_config_free(&c);
    assert_ok(parse(&c, "{" HIERARCHY "," EXPLICIT ", \"initial\": {\"point\": [0.5, -1]}, " OPTIMIZER "}"), err);
    assert_int_equal(c.problem, HSGD_PROBLEM_QUADRATIC);
    assert_true(c.dim == 2 && c.curvature[1] == -0.2 && c.linear[1 * 2] == 3 && c.linear[5 * 2 + 1] == 12.5);
    assert_true(c.noise_sq == 0 && c.initial_dim == 2 && c.initial_point[1] == -1);
    hsgd_config_free(&c);
}

/* Hessians of the workers' own: a row for each, or drawn. */
#define OWN                                                                                                            \
    "\"problem\": {\"type\": \"quadratic\", \"curvature\": [[0.7, -0.2], [1, 2], [3, 4], [5, 6], [7, 8], [9, 1.5]],"   \
    "\"linear\": [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12.5]]}"
#define SPREAD(keys)                                                                                                   \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 4, \"curvature_range\": [0.07, 1.3]," keys                  \
    ", \"level_divergence\": [0.83, 0.41]}"
#define CERTIFIED ", \"constants\": {\"divergence\": \"certified\"}"

static void every_key_of_hessians_of_their_own(void **state)
{
    (void)state;
    hsgd_config c;
    assert_ok(parse(&c, "{" HIERARCHY "," OWN "," OPTIMIZER "}"), err);
    assert_null(c.curvature);
    assert_true(c.dim == 2 && c.worker_curvature[1] == -0.2 && c.worker_curvature[5 * 2 + 1] == 1.5);
    hsgd_config_free(&c);
    assert_ok(parse(&c, "{" HIERARCHY "," SPREAD("\"curvature_spread\": 0.35") "," OPTIMIZER "}"), err);
    assert_true(c.curvature_spread == 0.35 && !c.level_curvature_spread);
    hsgd_config_free(&c);
    assert_ok(parse(&c, "{" HIERARCHY "," SPREAD("\"level_curvature_spread\": [0, 0.2]") "," OPTIMIZER "}"), err);
    assert_true(c.curvature_spread == 0 && c.level_curvature_spread[0] == 0 && c.level_curvature_spread[1] == 0.2);
    hsgd_config_free(&c);
    assert_ok(parse(&c, CONFIG), err);
    char *text = hsgd_config_to_json(&c);
    assert_null(strstr(text, "spread")); /* files of earlier versions stay as they are */
    free(text);
    hsgd_config_free(&c);
    /* proved divergences are asked for in vain where they grow with w, and only there */
    assert_ok(parse(&c, "{" HIERARCHY "," SPREAD("\"level_curvature_spread\": [0, 0]") "," OPTIMIZER CERTIFIED "}"),
              err);
    hsgd_config_free(&c);
    REFUSED("{" HIERARCHY "," OWN "," OPTIMIZER CERTIFIED "}", "constants.divergence: \"certified\"", "trajectory");
    REFUSED("{" HIERARCHY "," SPREAD("\"curvature_spread\": 0.1") "," OPTIMIZER CERTIFIED "}",
            "constants.divergence: \"certified\"", "trajectory");
    REFUSED("{" HIERARCHY "," SPREAD("\"level_curvature_spread\": [0, 0.1]") "," OPTIMIZER CERTIFIED "}",
            "constants.divergence: \"certified\"", "trajectory");
}

#define LOGISTIC                                                                                                       \
    "{" HIERARCHY ", \"problem\": {\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"no/such\","  \
    "\"scaling\": \"unit-norm\", \"intercept\": true}, \"partition\": {\"scheme\": \"dirichlet\", \"alpha\": 0.3,"     \
    "\"shards_per_worker\": 4, \"sigma\": 0.6, \"seed\": 9, \"min_samples\": 2, \"max_retries\": 11},"                 \
    "\"regularizer\": {\"type\": \"nonconvex\", \"weight\": 0.01}}, \"grouping\": \"group-noniid\"," OPTIMIZER "}"
#define SOFTMAX                                                                                                        \
    "{\"hierarchy\": {\"fanout\": [3, 2], \"periods\": [6, 2], \"weights\": \"data-size\"}, \"problem\": {\"type\":"   \
    "\"softmax\", \"data\": {\"format\": \"idx\", \"images\": \"/no/images\", \"labels\": \"labels\"}}," OPTIMIZER "}"

#define MLP                                                                                                            \
    "{" HIERARCHY ", \"problem\": {\"type\": \"mlp\", \"hidden\": [64, 3], \"activation\": \"tanh\", \"precision\":"   \
    "\"single\", \"data\": {\"format\": \"libsvm\", \"path\": \"no/such\"}, \"regularizer\": {\"type\": \"l2\","       \
    "\"weight\": 0.01}}," OPTIMIZER "}"

/* Defaults of the README: ReLU in double precision, and starting points that are not the origin. */
static void every_key_of_a_perceptron(void **state)
{
    (void)state;
    hsgd_config c;
    assert_ok(parse(&c, MLP), err);
    assert_true(c.problem == HSGD_PROBLEM_MLP && c.data.format == HSGD_DATA_LIBSVM && c.regularizer.weight == 0.01);
    assert_true(c.mlp.num_hidden == 2 && c.mlp.hidden[0] == 64 && c.mlp.hidden[1] == 3);
    assert_true(c.mlp.activation == HSGD_ACTIVATION_TANH && c.mlp.precision == HSGD_PRECISION_SINGLE);
    assert_true(c.initial_scale == 1 && !c.initial_point);
    hsgd_config_free(&c);
    assert_ok(parse(&c, "{" HIERARCHY ", \"problem\": {\"type\": \"mlp\", \"hidden\": [], \"data\": {\"format\": "
                        "\"libsvm\", \"path\": \"x\"}}, \"initial\": {\"scale\": 0.7}, " OPTIMIZER "}"),
              err);
    assert_true(c.mlp.num_hidden == 0 && c.initial_scale == 0.7);
    assert_true(c.mlp.activation == HSGD_ACTIVATION_RELU && c.mlp.precision == HSGD_PRECISION_DOUBLE);
    hsgd_config_free(&c);
}

#define PLUGIN                                                                                                         \
    "{" HIERARCHY ", \"problem\": {\"type\": \"plugin\", \"path\": \"no/such.so\", \"seed\": 7, \"parameters\": "      \
    "{\"a\": 0.1234567890123456789, \"b\": [[1, null], {\"c\": \"\\n\"}, true]}}," OPTIMIZER "}"

/* The shared object need not be there, and parameters keep all their digits. Without "initial" the plug-in says where. */
static void every_key_of_a_plugin(void **state)
{
    (void)state;
    hsgd_config c;
    assert_ok(parse(&c, PLUGIN), err);
    assert_true(c.problem == HSGD_PROBLEM_PLUGIN && c.problem_seed == 7 && isnan(c.initial_scale));
    cJSON *parameters = cJSON_Parse(c.plugin_parameters), *wanted = cJSON_Parse(PLUGIN);
    assert_true(
        cJSON_Compare(parameters, cJSON_GetObjectItem(cJSON_GetObjectItem(wanted, "problem"), "parameters"), true));
    assert_true(cJSON_GetObjectItem(parameters, "a")->valuedouble == 0.1234567890123456789);
    cJSON_Delete(parameters);
    cJSON_Delete(wanted);
    hsgd_config_free(&c);
    const char text[] = "{" HIERARCHY ", \"problem\": {\"type\": \"plugin\", \"path\": \"x.so\"}, "
                        "\"initial\": {\"scale\": 0.7}, " OPTIMIZER "}";
    assert_ok(hsgd_config_parse(&c, text, strlen(text), "/no/folder/c.json", &err), err);
    assert_true(c.problem_seed == 1 && c.initial_scale == 0.7);
    assert_string_equal(c.plugin_parameters, "{\n}");
    assert_string_equal(c.plugin_path, "/no/folder/x.so");
    hsgd_config_free(&c);
}

static void every_key_of_a_linear_model(void **state)
{
    (void)state;
    hsgd_config c;
    unsetenv("HSGD_DATA_DIR");
    assert_ok(parse(&c, LOGISTIC), err);
    assert_int_equal(c.problem, HSGD_PROBLEM_LOGISTIC);
    assert_int_equal(c.data.format, HSGD_DATA_LIBSVM);
    assert_string_equal(c.data.train.path[0], "folder/no/such"); /* relative to the configuration's folder */
    assert_null(c.data.train.labels);
    assert_int_equal(c.data.scaling, HSGD_SCALING_UNIT_NORM);
    assert_true(c.data.intercept);
    const hsgd_partition_options *p = &c.partition;
    assert_true(p->scheme == HSGD_PARTITION_DIRICHLET && p->alpha == 0.3 && p->shards_per_worker == 4);
    assert_true(p->sigma == 0.6 && p->seed == 9 && p->min_samples == 2 && p->max_retries == 11);
    assert_true(c.regularizer.type == HSGD_REGULARIZER_NONCONVEX && c.regularizer.weight == 0.01);
    assert_int_equal(c.grouping, HSGD_GROUPING_GROUP_NONIID);
    hsgd_config_free(&c);
    assert_ok(parse(&c, SOFTMAX), err);
    assert_true(c.problem == HSGD_PROBLEM_SOFTMAX && c.data.format == HSGD_DATA_IDX);
    assert_string_equal(c.data.train.path[0], "/no/images");
    assert_string_equal(c.data.train.labels, "folder/labels");
    assert_int_equal(c.weighting, HSGD_WEIGHTS_DATA_SIZE);
    assert_true(!c.data.intercept && c.data.scaling == HSGD_SCALING_NONE &&
                c.regularizer.type == HSGD_REGULARIZER_NONE);
    assert_true(p->scheme == HSGD_PARTITION_IID && p->alpha == 0.5 && p->shards_per_worker == 2 && p->seed == 1);
    hsgd_config_free(&c);
}

#define TREE                                                                                                           \
    "{\"hierarchy\": {\"tree\": {\"period\": 20, \"children\": [{\"period\": 5, \"workers\": 2}, {\"period\": 4,"      \
    "\"children\": [{\"period\": 2, \"workers\": 3}]}]}, \"weights\": [1, 2, 0.5, 3, 1.25]},"                          \
    "\"problem\": {\"type\": \"quadratic\", \"curvature\": [1.3], \"linear\": [[1], [2], [3], [4], [0.1]]}," OPTIMIZER \
    "}"

static void a_tree_with_weights(void **state)
{
    (void)state;
    hsgd_config c;
    assert_ok(parse(&c, TREE), err);
    assert_false(c.is_uniform);
    const hsgd_hierarchy *h = &c.hierarchy;
    assert_true(h->num_workers == 5 && h->num_nodes == 4 && h->num_levels == 3);
    assert_true(h->node[0].period == 20 && h->node[1].period == 5 && h->node[2].period == 4 && h->node[3].period == 2);
    assert_true(h->node[1].num_workers == 2 && h->node[2].num_workers == 3 && h->node[3].parent == 2);
    assert_int_equal(c.weighting, HSGD_WEIGHTS_GIVEN);
    assert_true(c.weight[3] == 3 && c.weight[4] == 1.25);
    hsgd_config_free(&c);
}

/* The Contract shows "steps" and "batch_size" in the optimizer; both may stand above it, but not twice. */
static void steps_in_either_place(void **state)
{
    (void)state;
    hsgd_config c;
    assert_ok(
        parse(&c, "{" HIERARCHY "," PROBLEM ", \"optimizer\": {\"step_size\": 1, \"batch_size\": 2}, \"steps\": 3}"),
        err);
    assert_true(c.steps == 3 && c.batch_size == 2);
    hsgd_config_free(&c);
    REFUSED_WITH("\"steps\": 3", "steps: 3", "give it once");
}

/* ---- figures ---- */

#define STYLED(style) "{" HIERARCHY "," PROBLEM "," OPTIMIZER ", \"figure_style\": " style "}"

static void every_key_of_a_figure_style(void **state)
{
    (void)state;
    hsgd_config c;
    assert_ok(parse(&c, CONFIG), err);
    assert_true(c.figure_style.width_in == 3.5 && c.figure_style.title);
    assert_true(c.figure_style.format == HSGD_FIGURE_PDF && c.figure_style.band == HSGD_BAND_CI);
    char *text = hsgd_config_to_json(&c);
    assert_null(strstr(text, "figure_style")); /* files of earlier versions stay as they are */
    free(text);
    hsgd_config_free(&c);
    assert_ok(
        parse(&c, STYLED("{\"width\": \"neurips\", \"format\": \"tikz\", \"band\": \"range\", \"title\": false}")),
        err);
    assert_true(c.figure_style.width_in == 5.5 && !c.figure_style.title);
    assert_true(c.figure_style.format == HSGD_FIGURE_TIKZ && c.figure_style.band == HSGD_BAND_RANGE);
    hsgd_config_free(&c);
    assert_ok(parse(&c, STYLED("{\"width\": 4.2}")), err);
    assert_true(c.figure_style.width_in == 4.2 && c.figure_style.title && c.figure_style.band == HSGD_BAND_CI);
    hsgd_config_free(&c);
    static const char *const wrong[][2] = {
        {STYLED("{\"width\": 2.9}"), "figure_style.width: 2.9"},
        {STYLED("{\"width\": 13}"), "figure_style.width: 13"},
        {STYLED("{\"width\": \"wide\"}"), "figure_style.width: \"wide\""},
        {STYLED("{\"format\": \"gif\"}"), "figure_style.format: \"gif\""},
        {STYLED("{\"band\": \"iqr\"}"), "figure_style.band: \"iqr\""},
        {STYLED("{\"title\": 1}"), "figure_style.title: 1"},
        {STYLED("{\"font\": 8}"), "figure_style.font"},
        {STYLED("[]"), "figure_style"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(parse(&c, wrong[i][0]), HSGD_ERROR_INPUT, wrong[i][1], err);
}

/* ---- round trip ---- */

static void round_trip(void **state)
{
    (void)state;
    const char *const text[] = {CONFIG,
                                "{" HIERARCHY "," EXPLICIT ", \"initial\": {\"point\": [0.1, -1e-310]},"
                                "\"first_seed\": 9007199254740992, \"bounds\": [], \"figures\": [\"terms\"]," OPTIMIZER
                                "}",
                                "{" HIERARCHY "," OWN "," OPTIMIZER "}",
                                "{" HIERARCHY "," SPREAD("\"curvature_spread\": 0.35") "," OPTIMIZER "}",
                                "{" HIERARCHY "," SPREAD("\"level_curvature_spread\": [0.1, 0.2]") "," OPTIMIZER "}",
                                LOGISTIC,
                                SOFTMAX,
                                TREE,
                                MLP,
                                PLUGIN};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        hsgd_config first, second;
        assert_ok(hsgd_config_parse(&first, text[i], strlen(text[i]), "c.json", &err), err);
        char *once = hsgd_config_to_json(&first);
        assert_non_null(once);
        assert_ok(hsgd_config_parse(&second, once, strlen(once), "c.json", &err), err);
        char *twice = hsgd_config_to_json(&second);
        assert_string_equal(once, twice); /* all that is written is read back */
        /* and what is written is what was read: numbers bit by bit */
        assert_true(first.steps == second.steps && first.first_seed == second.first_seed &&
                    first.seeds == second.seeds);
        assert_memory_equal(&first.step_size, &second.step_size, sizeof(double));
        assert_true(first.noise_sq == second.noise_sq && first.confidence == second.confidence);
        assert_int_equal(first.problem, second.problem);
        assert_int_equal(first.dim, second.dim);
        assert_int_equal(first.weighting, second.weighting);
        const hsgd_partition_options *p = &first.partition, *q = &second.partition;
        assert_true(p->scheme == q->scheme && p->alpha == q->alpha && p->sigma == q->sigma && p->seed == q->seed);
        assert_true(p->shards_per_worker == q->shards_per_worker && p->min_samples == q->min_samples);
        assert_true(p->max_retries == q->max_retries && first.regularizer.weight == second.regularizer.weight &&
                    memcmp(&first.mlp, &second.mlp, sizeof first.mlp) == 0);
        assert_true(first.data.scaling == second.data.scaling && first.data.intercept == second.data.intercept);
        assert_true(first.grouping == second.grouping && first.problem_seed == second.problem_seed);
        assert_true(first.initial_scale == second.initial_scale ||
                    (isnan(first.initial_scale) && isnan(second.initial_scale)));
        if (first.plugin_parameters)
            assert_string_equal(first.plugin_parameters, second.plugin_parameters);
        assert_int_equal(first.hierarchy.num_nodes, second.hierarchy.num_nodes);
        if (first.linear)
            assert_memory_equal(first.linear, second.linear, first.dim * first.hierarchy.num_workers * sizeof(double));
        assert_true(!first.worker_curvature == !second.worker_curvature &&
                    first.curvature_spread == second.curvature_spread);
        if (first.worker_curvature)
            assert_memory_equal(first.worker_curvature, second.worker_curvature,
                                first.dim * first.hierarchy.num_workers * sizeof(double));
        assert_true(!first.level_curvature_spread == !second.level_curvature_spread);
        if (first.level_curvature_spread)
            assert_memory_equal(first.level_curvature_spread, second.level_curvature_spread,
                                first.hierarchy.num_levels * sizeof(double));
        if (first.weight)
            assert_memory_equal(first.weight, second.weight, first.hierarchy.num_workers * sizeof(double));
        if (first.initial_point)
            assert_memory_equal(first.initial_point, second.initial_point, first.initial_dim * sizeof(double));
        assert_memory_equal(first.use_bound, second.use_bound, hsgd_num_bounds * sizeof(bool));
        assert_memory_equal(first.use_figure, second.use_figure, hsgd_num_figures * sizeof(bool));
        free(once);
        free(twice);
        hsgd_config_free(&first);
        hsgd_config_free(&second);
    }
}

/* The path of a file that exists is written absolute, so that a copy of the configuration elsewhere finds it too. */
static void paths_read_back_from_anywhere(void **state)
{
    (void)state;
    char folder[] = "/tmp/hsgd-config-XXXXXX", path[64], text[1024];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/data.txt", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    snprintf(text, sizeof text,
             "{" HIERARCHY ", \"problem\": {\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\","
             "\"path\": \"data.txt\"}}," OPTIMIZER "}");
    char here[64], relative[128];
    snprintf(here, sizeof here, "%s/c.json", folder);
    snprintf(relative, sizeof relative, "/tmp/../tmp/%s/c.json", strrchr(folder, '/') + 1);
    hsgd_config c;
    assert_ok(hsgd_config_parse(&c, text, strlen(text), here, &err), err);
    assert_string_equal(c.data.train.path[0], path);
    hsgd_config_free(&c);
    assert_ok(hsgd_config_parse(&c, text, strlen(text), relative, &err), err);
    assert_string_equal(c.data.train.path[0], path);
    hsgd_config_free(&c);
    /* a configuration in another folder: HSGD_DATA_DIR is asked next */
    setenv("HSGD_DATA_DIR", folder, 1);
    assert_ok(hsgd_config_parse(&c, text, strlen(text), "/no/folder/c.json", &err), err);
    assert_string_equal(c.data.train.path[0], path);
    hsgd_config_free(&c);
    unsetenv("HSGD_DATA_DIR");
    unlink(path);
    rmdir(folder);
}

/* ---- what is refused ---- */

static void syntax(void **state)
{
    (void)state;
    REFUSED("", "line 1, column 1", "not valid JSON");
    REFUSED("{", "line 1", "not valid JSON");
    REFUSED("{\n \"name\": 'x'}", "line 2, column 10", "not valid JSON");
    REFUSED(CONFIG " x", "text after the end", "line 1");
    REFUSED(CONFIG "\n}", "line 2, column 1", "text after the end");
    REFUSED("[]", "[]", "expected an object");
    REFUSED("null", "null", "expected an object");
    REFUSED("\"a\"", "\"a\"", "expected an object");
    REFUSED("{" HIERARCHY "," PROBLEM ", \"optimizer\": {\"step_size\": NaN, \"steps\": 1}}", "line 1",
            "not valid JSON");
    REFUSED("{" HIERARCHY "," PROBLEM ", \"optimizer\": {\"step_size\": nan, \"steps\": 1}}", "line 1",
            "not valid JSON");
    REFUSED("{" HIERARCHY "," PROBLEM ", \"optimizer\": {\"step_size\": Infinity, \"steps\": 1}}", "line 1",
            "not valid");
    REFUSED("{" HIERARCHY "," PROBLEM ", \"optimizer\": {\"step_size\": -inf, \"steps\": 1}}", "line 1", "not valid");
    const char nul[] = CONFIG "\0x";
    check_refused(nul, sizeof nul - 1, "text after the end", "line 1", __LINE__);
    char deep[20002];
    memset(deep, '[', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    REFUSED(deep, "line 1, column 201: ", "more than 200 objects and arrays inside each other");
    REFUSED("{\n\"name\": \"a\\u0000b\"}", "line 2, column 11", "must not have the character \\u0000");
    REFUSED("{\"na\\u0000me\": 1}", "line 1, column 5", "must not have the character \\u0000");
    REFUSED("{\"name\": \"a\\\\u0000\"}", "hierarchy", "missing"); /* a backslash, then text */
    REFUSED("{\"name\": \"[[\\\"[[\"}", "hierarchy", "missing");
    size_t values = 20000000;
    char *many = malloc(2 * values + 1);
    assert_non_null(many);
    memset(many, '1', 2 * values);
    for (size_t i = 0; i < values; i++)
        many[2 * i] = i ? ',' : '[';
    many[2 * values] = '\0';
    REFUSED(many, "line 1, column 39999999: ", "more than 20000000 values");
    free(many);
}

/* RFC 3629: stray continuation, overlong form, surrogate, beyond U+10FFFF, cut off. */
static void bytes_that_are_not_utf8(void **state)
{
    (void)state;
    REFUSED("{\"name\": \"\x80\"}", "line 1, column 11", "0x80");
    REFUSED("{\n\"name\": \"\xc0\xaf\"}", "line 2, column 10", "0xc0");
    REFUSED("{\"name\": \"\xe0\x80\x80\"}", "column 11", "0xe0");
    REFUSED("{\"name\": \"\xed\xa0\x80\"}", "column 11", "0xed");
    REFUSED("{\"name\": \"\xf4\x90\x80\x80\"}", "column 11", "0xf4");
    REFUSED("{\"name\": \"\xff\"}", "column 11", "0xff");
    REFUSED("{\"name\": \"\xe2\x82\"}", "column 11", "0xe2");
    REFUSED("\xe2\x82", "column 1", "0xe2");
    hsgd_config c; /* two, three and four bytes are fine */
    assert_ok(parse(&c, "{\"name\": \"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"," HIERARCHY "," PROBLEM "," OPTIMIZER "}"),
              err);
    assert_string_equal(c.name, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80");
    hsgd_config_free(&c);
}

static void keys(void **state)
{
    (void)state;
    REFUSED("{}", "hierarchy: missing", "expected an object");
    REFUSED("{" HIERARCHY "," OPTIMIZER "}", "problem: missing", "expected an object");
    REFUSED("{" HIERARCHY "," PROBLEM "}", "optimizer: missing", "step_size");
    REFUSED_WITH("\"sead\": 1", "sead: 1: unknown key", "first_seed");
    REFUSED_WITH("\"Seeds\": 1", "Seeds: 1: unknown key", "seeds");
    REFUSED_WITH("\"a\\nb\": 1", "a?b: 1: unknown key", "seeds"); /* stays one line */
    REFUSED_WITH("\"seeds\": 1, \"seeds\": 2", "seeds: 1", "stands twice");
    REFUSED_HIERARCHY("{\"fanout\": [3, 2], \"periods\": [6, 2], \"depth\": 2}", "hierarchy.depth: 2",
                      "fanout, periods");
    REFUSED_HIERARCHY("{\"fanout\": [2], \"fanout\": [2], \"periods\": [6, 2]}", "hierarchy.fanout: [2]",
                      "stands twice");
    REFUSED_OPTIMIZER("{\"step_size\": 1, \"steps\": 1, \"lr\": 1}", "optimizer.lr: 1", "step_size_fraction");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"dimension\": 1, \"curvature\": [1]}", "problem.curvature",
                    "unknown key");
}

static void wrong_types(void **state)
{
    (void)state;
    REFUSED_WITH("\"name\": 3", "name: 3", "expected a text");
    REFUSED_WITH("\"name\": null", "name: null", "expected a text");
    REFUSED_WITH("\"grouping\": 3", "grouping: 3", "given, random, group-iid, group-noniid");
    REFUSED_WITH("\"grouping\": \"Random\"", "grouping: \"Random\"", "given, random, group-iid, group-noniid");
    REFUSED_WITH("\"seeds\": \"5\"", "seeds: \"5\"", "whole number from 1 to 1000000");
    REFUSED_WITH("\"bounds\": \"all\"", "bounds: \"all\"", "expected an array");
    REFUSED_WITH("\"bounds\": [\"all\", \"hsgd\"]", "bounds[1]: \"hsgd\"", "hsgd-fixed");
    REFUSED_WITH("\"bounds\": [7]", "bounds[0]: 7", "local-sgd-inner");
    REFUSED_WITH("\"figures\": [\"pie\"]", "figures[0]: \"pie\"", "convergence");
    REFUSED_WITH("\"initial\": [1]", "initial: [1]", "expected an object");
    REFUSED_WITH("\"initial\": {}", "initial: {}", "either \"point\" or \"scale\"");
    REFUSED_WITH("\"initial\": {\"scale\": 1, \"point\": [1, 2, 3, 4]}", "initial: {", "either");
    REFUSED_WITH("\"initial\": {\"scale\": -1}", "initial.scale: -1", "at least 0");
    REFUSED_WITH("\"initial\": {\"point\": []}", "initial.point: []", "array of at least 1");
    REFUSED_WITH("\"initial\": {\"point\": [1, 2]}", "initial.point: [1,2]", "dimension 4");
    REFUSED_WITH("\"initial\": {\"point\": [1, 2, true, 4]}", "initial.point[2]: true", "finite number");
    REFUSED("{\"hierarchy\": 5," PROBLEM "," OPTIMIZER "}", "hierarchy: 5", "expected an object");
    REFUSED("{" HIERARCHY ", \"problem\": []," OPTIMIZER "}", "problem: []", "expected an object");
    REFUSED("{" HIERARCHY "," PROBLEM ", \"optimizer\": null}", "optimizer: null", "expected an object");
}

static void numbers_out_of_range(void **state)
{
    (void)state;
    REFUSED_WITH("\"seeds\": 0", "seeds: 0", "from 1 to 1000000");
    REFUSED_WITH("\"seeds\": 2.5", "seeds: 2.5", "whole number");
    REFUSED_WITH("\"seeds\": -3", "seeds: -3", "whole number");
    REFUSED_WITH("\"first_seed\": 9007199254740994", "first_seed: 9007199254740994", "to 9007199254740992");
    REFUSED_WITH("\"measure_every\": 0", "measure_every: 0", "from 1");
    REFUSED_WITH("\"confidence\": 1", "confidence: 1:", "0.999999999");
    REFUSED_WITH("\"confidence\": 0.4", "confidence: 0.4", "from 0.5");
    REFUSED_OPTIMIZER("{\"step_size\": 0, \"steps\": 1}", "optimizer.step_size: 0", "above 0");
    REFUSED_OPTIMIZER("{\"step_size\": -0.1, \"steps\": 1}", "optimizer.step_size: -0.1", "above 0");
    REFUSED_OPTIMIZER("{\"step_size\": 1e999, \"steps\": 1}", "optimizer.step_size: a number beyond",
                      "finite number above 0");
    REFUSED_OPTIMIZER("{\"step_size\": 1e-999, \"steps\": 1}", "optimizer.step_size: 0", "above 0");
    REFUSED_OPTIMIZER("{\"step_size_fraction\": 0, \"steps\": 1}", "optimizer.step_size_fraction: 0", "above 0");
    REFUSED_OPTIMIZER("{\"steps\": 1}", "optimizer: {", "either \"step_size\" or \"step_size_fraction\"");
    REFUSED_OPTIMIZER("{\"step_size\": 1, \"step_size_fraction\": 1, \"steps\": 1}", "optimizer: {", "either");
    REFUSED_OPTIMIZER("{\"step_size\": 1}", "optimizer.steps: missing", "whole number from 1 to 1000000000");
    REFUSED_OPTIMIZER("{\"step_size\": 1, \"steps\": 0}", "optimizer.steps: 0", "whole number from 1");
    REFUSED_OPTIMIZER("{\"step_size\": 1, \"steps\": 1e10}", "optimizer.steps: 10000000000", "to 1000000000");
    REFUSED_OPTIMIZER("{\"step_size\": 1, \"steps\": 1e999}", "optimizer.steps: a number beyond", "whole number");
    REFUSED_OPTIMIZER("{\"step_size\": 1, \"steps\": 1, \"batch_size\": -1}", "optimizer.batch_size: -1", "from 0");
    REFUSED_OPTIMIZER("{\"step_size\": 1, \"steps\": 1, \"batch_size\": 0.5}", "optimizer.batch_size: 0.5", "whole");
}

static void hierarchies(void **state)
{
    (void)state;
    REFUSED_HIERARCHY("{\"fanout\": [3, 2], \"periods\": [6]}", "hierarchy.periods: [6]: 1 periods for 2 levels",
                      "one per");
    REFUSED_HIERARCHY("{\"fanout\": [3], \"periods\": [6, 2]}", "hierarchy.periods: [6,2]: 2 periods for 1 levels",
                      "one per");
    REFUSED_HIERARCHY("{\"fanout\": [3, 2], \"periods\": [6, 4]}", "hierarchy.periods[1]",
                      "4 does not divide the period 6");
    REFUSED_HIERARCHY("{\"fanout\": [3, 2], \"periods\": [2, 6]}", "hierarchy.periods[1]",
                      "6 does not divide the period 2");
    REFUSED_HIERARCHY("{\"fanout\": [3, 0], \"periods\": [6, 2]}", "hierarchy.fanout[1]: 0", "whole number from 1");
    REFUSED_HIERARCHY("{\"fanout\": [0], \"periods\": [6]}", "hierarchy.fanout[0]: 0", "whole number from 1");
    REFUSED_HIERARCHY("{\"fanout\": [1e9], \"periods\": [6]}", "hierarchy.fanout[0]: 1000000000", "to 100000000");
    REFUSED_HIERARCHY("{\"fanout\": [100000, 10000], \"periods\": [6, 2]}", "hierarchy.fanout[1]",
                      "product at most 100000000");
    REFUSED_HIERARCHY("{\"fanout\": [-3], \"periods\": [6]}", "hierarchy.fanout[0]: -3", "whole number");
    REFUSED_HIERARCHY("{\"fanout\": [2.5], \"periods\": [6]}", "hierarchy.fanout[0]: 2.5", "whole number");
    REFUSED_HIERARCHY("{\"fanout\": [1e999], \"periods\": [6]}", "hierarchy.fanout[0]: a number beyond",
                      "whole number");
    REFUSED_HIERARCHY("{\"fanout\": [2], \"periods\": [0]}", "hierarchy.periods[0]: 0", "whole number from 1");
    REFUSED_HIERARCHY("{\"fanout\": [2], \"periods\": [1e10]}", "hierarchy.periods[0]: 10000000000", "to 1000000000");
    REFUSED_HIERARCHY("{\"fanout\": [], \"periods\": []}", "hierarchy.fanout: []", "array of at least 1");
    REFUSED_HIERARCHY("{\"fanout\": 3, \"periods\": [6]}", "hierarchy.fanout: 3", "expected an array");
    REFUSED_HIERARCHY("{\"periods\": [6]}", "hierarchy.fanout: missing", "expected an array");
    REFUSED_HIERARCHY("{\"fanout\": [3]}", "hierarchy.periods: missing", "expected an array");
    REFUSED_HIERARCHY("{\"fanout\": [3], \"tree\": {}}", "hierarchy: {",
                      "either \"fanout\" and \"periods\" or \"tree\"");
    REFUSED_HIERARCHY("{\"fanout\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"
                      "\"periods\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
                      "hierarchy.fanout: 33 levels", "1..32");
    REFUSED_HIERARCHY("{\"fanout\": [3, 2], \"periods\": [6, 2], \"weights\": [1, 2]}", "hierarchy.weights: [1,2]",
                      "6 workers");
    REFUSED_HIERARCHY("{\"fanout\": [3], \"periods\": [6], \"weights\": [1, 0, 2]}", "hierarchy.weights[1]: 0",
                      "above 0");
    REFUSED_HIERARCHY("{\"fanout\": [3], \"periods\": [6], \"weights\": [1, -1, 2]}", "hierarchy.weights[1]: -1",
                      "at least 0");
    REFUSED_HIERARCHY("{\"fanout\": [3], \"periods\": [6], \"weights\": \"sizes\"}", "hierarchy.weights: \"sizes\"",
                      "equal, data-size");
    REFUSED_HIERARCHY("{\"fanout\": [3, 2], \"periods\": [6, 2], \"weights\": \"data-size\"}", "hierarchy.weights",
                      "no data sizes");
    REFUSED("{\"hierarchy\": {\"fanout\": [3], \"periods\": [6], \"weights\": [1, 2, 3]}, \"grouping\": \"random\", "
            "\"problem\":"
            "{\"type\": \"quadratic\", \"curvature\": [1], \"linear\": [[1], [2], [3]]}," OPTIMIZER "}",
            "grouping: \"random\"", "equal weights");
}

static void trees(void **state)
{
    (void)state;
    REFUSED_HIERARCHY("{\"tree\": {}}", "hierarchy.tree.period: missing", "whole number from 1");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4}}", "hierarchy.tree", "workers");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"workers\": 0}}", "hierarchy.tree.workers: 0",
                      "whole number from 1");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"workers\": 1e9}}", "hierarchy.tree.workers: 1000000000",
                      "to 100000000");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"children\": []}}", "hierarchy.tree.children: []", "at least 1");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"children\": [{\"period\": 3, \"workers\": 1}]}}",
                      "hierarchy.tree.children[0].period: 3", "does not divide the period 4");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"children\": [{\"period\": 2, \"workers\": 1}], \"workers\": 3}}",
                      "hierarchy.tree", "children");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"workers\": 2, \"divergence_sq\": 1}}",
                      "hierarchy.tree.divergence_sq: 1", "unknown key");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"children\": [5]}}", "hierarchy.tree.children[0]: 5",
                      "expected an object");
    REFUSED_HIERARCHY("{\"tree\": {\"period\": 4, \"children\": [{\"period\": 2, \"workers\": 60000000},"
                      "{\"period\": 2, \"workers\": 60000000}]}}",
                      "hierarchy.tree", "at most 100000000");
    char deep[8192] = "{\"hierarchy\": {\"tree\": ", *end = deep + strlen(deep);
    for (int i = 0; i < 40; i++)
        end += sprintf(end, "{\"period\": 1, \"children\": [");
    end += sprintf(end, "{\"period\": 1, \"workers\": 1}");
    for (int i = 0; i < 40; i++)
        end += sprintf(end, "]}");
    sprintf(end, "}," PROBLEM "," OPTIMIZER "}");
    REFUSED(deep, "hierarchy.tree.children[0].children[0]", "deeper than 32 levels");
}

static void problems(void **state)
{
    (void)state;
    REFUSED_PROBLEM("{}", "problem.type: missing", "quadratic, logistic, softmax");
    REFUSED_PROBLEM("{\"type\": \"lasso\"}", "problem.type: \"lasso\"", "quadratic, logistic, softmax");
    REFUSED_PROBLEM("{\"type\": \"quadratic\"}", "problem.curvature: missing", "array of at least 1");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": []}", "problem.curvature: []", "at least 1");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [1, 1e999]}", "problem.curvature[1]: a number beyond",
                    "finite");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [1]}", "problem.linear: missing", "array");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [1], \"linear\": [[1]]}",
                    "problem.linear: [[1]]: 1 rows for 6", "per worker");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [1], \"linear\": [[1], [1, 2], [1], [1], [1], [1]]}",
                    "problem.linear[1]: [1,2]", "2 numbers for 1 curvatures");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [1], \"linear\": [[1], [1], [1], [\"1\"], [1], [1]]}",
                    "problem.linear[3][0]: \"1\"", "finite number");
#define GENERATED(dimension, range, level, noise)                                                                      \
    "{\"type\": \"quadratic\", \"dimension\": " dimension ", \"curvature_range\": " range                              \
    ", \"level_divergence\": " level ", \"noise_variance\": " noise "}"
    REFUSED_PROBLEM(GENERATED("0", "[1, 2]", "[1, 1]", "1"), "problem.dimension: 0", "whole number from 1");
    REFUSED_PROBLEM(GENERATED("1.5", "[1, 2]", "[1, 1]", "1"), "problem.dimension: 1.5", "whole number");
    REFUSED_PROBLEM(GENERATED("2", "[2, 1]", "[1, 1]", "1"), "problem.curvature_range: [2,1]", "0 < low <= high");
    REFUSED_PROBLEM(GENERATED("2", "[0, 1]", "[1, 1]", "1"), "problem.curvature_range: [0,1]", "0 < low <= high");
    REFUSED_PROBLEM(GENERATED("2", "[1]", "[1, 1]", "1"), "problem.curvature_range: [1]", "[low, high]");
    REFUSED_PROBLEM(GENERATED("2", "[1, 2]", "[1]", "1"), "problem.level_divergence: [1]: 1 numbers for 2 levels",
                    "2 levels");
    REFUSED_PROBLEM(GENERATED("2", "[1, 2]", "[1, -1]", "1"), "problem.level_divergence[1]: -1", "at least 0");
    REFUSED_PROBLEM(GENERATED("2", "[1, 2]", "[1, 1]", "-1"), "problem.noise_variance: -1", "at least 0");
    REFUSED_PROBLEM(GENERATED("2", "[1, 2]", "[1, 1]", "1e999"), "problem.noise_variance: a number beyond", "finite");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [[1], [2]], \"linear\": [[1]]}",
                    "problem.curvature: [[1],[2]]: 2 rows for 6", "per worker");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [[1, 2], [1, 2], [1], [1], [1], [1]], \"linear\": [[1]]}",
                    "problem.curvature[2]: [1]", "1 numbers for 2 curvatures of the first worker");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [[1], [1], 1, [1], [1], [1]], \"linear\": [[1]]}",
                    "problem.curvature[2]: 1", "array");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [[], []], \"linear\": [[1]]}", "problem.curvature",
                    "one row per worker");
    REFUSED_PROBLEM("{\"type\": \"quadratic\", \"curvature\": [[], [], [], [], [], []], \"linear\": [[1]]}",
                    "problem.curvature[0]: []", "at least 1");
#define SPREADS(keys)                                                                                                  \
    "{\"type\": \"quadratic\", \"dimension\": 2, \"curvature_range\": [1, 2], \"level_divergence\": [1, 1], " keys "}"
    REFUSED_PROBLEM(SPREADS("\"curvature_spread\": -0.1"), "problem.curvature_spread: -0.1", "from 0 to 1000000");
    REFUSED_PROBLEM(SPREADS("\"curvature_spread\": [1]"), "problem.curvature_spread: [1]", "number");
    REFUSED_PROBLEM(SPREADS("\"curvature_spread\": 1e7"), "problem.curvature_spread: ", "to 1000000");
    REFUSED_PROBLEM(SPREADS("\"level_curvature_spread\": [1]"), "problem.level_curvature_spread: [1]: 1 numbers",
                    "2 levels");
    REFUSED_PROBLEM(SPREADS("\"level_curvature_spread\": [1, -1]"), "problem.level_curvature_spread[1]: -1",
                    "from 0 to 1000000");
    REFUSED_PROBLEM(SPREADS("\"level_curvature_spread\": [1, 1], \"curvature_spread\": 0"),
                    "problem.level_curvature_spread: [1,1]", "only one of them");
    REFUSED_PROBLEM(GENERATED("2", "[1, 2]", "[1, 1]", "null"), "problem.noise_variance: null", "finite");
}

#define DATA "\"data\": {\"format\": \"libsvm\", \"path\": \"x\"}"
static void linear_models(void **state)
{
    (void)state;
    REFUSED_PROBLEM("{\"type\": \"logistic\"}", "problem.data: missing", "\"format\"");
    REFUSED_PROBLEM("{\"type\": \"logistic\", \"data\": \"x\"}", "problem.data: \"x\"", "\"format\"");
    REFUSED_PROBLEM("{\"type\": \"logistic\", \"data\": {\"format\": \"xls\"}}", "problem.data.format: \"xls\"",
                    "libsvm, idx, cifar, csv, leaf, synthetic, mixture");
    REFUSED_PROBLEM("{\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\"}}", "problem.data.path: missing",
                    "a text");
    REFUSED_PROBLEM("{\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": 3}}", "problem.data.path: 3",
                    "a text");
    REFUSED_PROBLEM("{\"type\": \"logistic\", \"data\": {\"format\": \"idx\", \"path\": \"x\"}}", "problem.data.path",
                    "images, labels");
    REFUSED_PROBLEM("{\"type\": \"logistic\", \"data\": {\"format\": \"idx\", \"images\": \"x\"}}",
                    "problem.data.labels: missing", "a text");
    REFUSED_PROBLEM(
        "{\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"x\", \"scaling\": \"log\"}}",
        "problem.data.scaling: \"log\"", "none, max-abs, unit-norm, standard");
    REFUSED_PROBLEM("{\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"x\", \"intercept\": 1}}",
                    "problem.data.intercept: 1", "true or false");
    REFUSED_PROBLEM("{\"type\": \"logistic\", " DATA ", \"noise_variance\": 1}", "problem.noise_variance: 1",
                    "unknown key");
#define REFUSED_PARTITION(section, place, legal)                                                                       \
    REFUSED_PROBLEM("{\"type\": \"logistic\", " DATA ", \"partition\": " section "}", "problem.partition" place, legal)
    REFUSED_PARTITION("{}", ".scheme: missing", "iid, by-label, shards, dirichlet, quantity");
    REFUSED_PARTITION("{\"scheme\": \"IID\"}", ".scheme: \"IID\"", "iid, by-label");
    REFUSED_PARTITION("{\"scheme\": \"dirichlet\", \"alpha\": 0}", ".alpha: 0", "above 0");
    REFUSED_PARTITION("{\"scheme\": \"shards\", \"shards_per_worker\": 0}", ".shards_per_worker: 0", "from 1");
    REFUSED_PARTITION("{\"scheme\": \"quantity\", \"sigma\": -1}", ".sigma: -1", "from 0");
    REFUSED_PARTITION("{\"scheme\": \"iid\", \"seed\": -1}", ".seed: -1", "from 0");
    REFUSED_PARTITION("{\"scheme\": \"iid\", \"min_samples\": 0}", ".min_samples: 0", "from 1");
    REFUSED_PARTITION("{\"scheme\": \"iid\", \"max_retries\": 1e7}", ".max_retries: 10000000", "from 0 to 1000000");
    REFUSED_PARTITION("{\"scheme\": \"iid\", \"beta\": 1}", ".beta: 1", "unknown key");
    REFUSED_PROBLEM("{\"type\": \"mlp\", " DATA "}", "problem.hidden: missing", "array");
    REFUSED_PROBLEM("{\"type\": \"mlp\", \"hidden\": [3, 0], " DATA "}", "problem.hidden[1]: 0", "from 1 to 1000000");
    REFUSED_PROBLEM("{\"type\": \"mlp\", \"hidden\": [3], \"activation\": \"elu\", " DATA "}",
                    "problem.activation: \"elu\"", "relu, tanh");
    REFUSED_PROBLEM("{\"type\": \"mlp\", \"hidden\": [3], \"precision\": \"half\", " DATA "}",
                    "problem.precision: \"half\"", "double, single");
    REFUSED("{" HIERARCHY ", \"problem\": {\"type\": \"mlp\", \"hidden\": [3], " DATA "}," OPTIMIZER
            ", \"constants\": {\"divergence\": \"certified\"}}",
            "constants.divergence: ", "only \"trajectory\" is legal");
    REFUSED_PROBLEM("{\"type\": \"logistic\", " DATA ", \"regularizer\": {\"type\": \"l1\"}}",
                    "problem.regularizer.type: \"l1\"", "none, l2, nonconvex");
    REFUSED_PROBLEM("{\"type\": \"logistic\", " DATA ", \"regularizer\": {\"type\": \"l2\"}}",
                    "problem.regularizer.weight: missing", "at least 0");
    REFUSED_PROBLEM("{\"type\": \"logistic\", " DATA ", \"regularizer\": {\"type\": \"l2\", \"weight\": -1}}",
                    "problem.regularizer.weight: -1", "at least 0");
}

/* Files: missing, a folder, and one that never ends (the reader stops at 256 MB). */
static void files(void **state)
{
    (void)state;
    hsgd_config c;
    assert_fails(hsgd_config_read(&c, "/no/such/file.json", &err), HSGD_ERROR_INPUT,
                 "/no/such/file.json: cannot be opened", err);
    assert_fails(hsgd_config_read(&c, "/tmp", &err), HSGD_ERROR_INPUT, "/tmp: is a folder; expected a file", err);
}

/* A long list of names costs time in proportion to its length. */
static void long_selections_are_quick(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    size_t room = COUNT * 6 + 4096;
    char *text = malloc(room), *end = text;
    assert_non_null(text);
    end += sprintf(end, "{" HIERARCHY "," PROBLEM "," OPTIMIZER ", \"bounds\": [");
    for (int i = 0; i < COUNT; i++)
        end += sprintf(end, "\"all\"%s", i + 1 < COUNT ? "," : "]}");
    hsgd_config c;
    assert_ok(parse(&c, text), err);
    hsgd_config_free(&c);
    free(text);
}

/* The step size: itself, or the fraction of 1/(2 sqrt(6) L G) with G of the canonical tree (THEORY 4.1). */
static void step_size_is_resolved(void **state)
{
    (void)state;
    hsgd_config c;
    double gamma;
    assert_ok(parse(&c, CONFIG), err);
    assert_ok(hsgd_config_step_size(&gamma, &c, 1.3, &err), err);
    assert_true(gamma == 0.031);
    hsgd_config_free(&c);
    assert_ok(parse(&c, "{\"hierarchy\": {\"fanout\": [1, 6], \"periods\": [12, 4]}," PROBLEM
                        ", \"optimizer\": {\"step_size_fraction\": 0.7, \"steps\": 1}}"),
              err);
    assert_ok(hsgd_config_step_size(&gamma, &c, 1.3, &err), err);
    assert_close(gamma, 0.7 / (2 * sqrt(6.0) * 1.3 * 4), 1e-15); /* one child: the root gives way, G = 4 */
    assert_fails(hsgd_config_step_size(&gamma, &c, 0, &err), HSGD_ERROR_INPUT, "optimizer.step_size_fraction: 0.7",
                 err);
    hsgd_config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_key_of_a_quadratic),
        cmocka_unit_test(every_key_of_hessians_of_their_own),
        cmocka_unit_test(every_key_of_a_linear_model),
        cmocka_unit_test(a_tree_with_weights),
        cmocka_unit_test(steps_in_either_place),
        cmocka_unit_test(every_key_of_a_perceptron),
        cmocka_unit_test(every_key_of_a_figure_style),
        cmocka_unit_test(every_key_of_a_plugin),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(paths_read_back_from_anywhere),
        cmocka_unit_test(syntax),
        cmocka_unit_test(bytes_that_are_not_utf8),
        cmocka_unit_test(keys),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(hierarchies),
        cmocka_unit_test(trees),
        cmocka_unit_test(problems),
        cmocka_unit_test(linear_models),
        cmocka_unit_test(files),
        cmocka_unit_test(long_selections_are_quick),
        cmocka_unit_test(step_size_is_resolved),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
