/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON Schema, the reader and the README speak of the same keys. The reader names the legal keys when it meets an
 * unknown one, so each object is asked by handing it a key that nobody has. */
#include "tests/test.h"

#include <glob.h>

#include <cjson/cJSON.h>

#include "experiments/config.h"
#include "experiments/pep_curves_private.h"
#include "experiments/phase_private.h"
#include "experiments/rate.h"
#include "experiments/plan_private.h"
#include "experiments/sweep.h"
#include "plots/figure.h"
#include "plots/sweep.h"

/* The start of a configuration that is complete but for its optimizer. */
#define QUADRATIC                                                                                                      \
    "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"quadratic\", \"curvature\": [1], " \
    "\"linear\": [[1]]}, \"optimizer\": {\"step_size\": 1, \"steps\": 1}, "

#define CNN_LAYER(layer)                                                                                               \
    "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"cnn\", \"data\": "                 \
    "{\"format\": \"libsvm\", \"path\": \"x\"}, \"architecture\": [" layer "]}}"

/* For each object of the schema: a configuration with an unknown key in that place. */
static const struct {
    const char *definition; /* in $defs; NULL: the document itself */
    const char *text;
} place[] = {
    {NULL, "{\"zzz\": 1}"},
    {"hierarchy", "{\"hierarchy\": {\"zzz\": 1}}"},
    {"node", "{\"hierarchy\": {\"tree\": {\"zzz\": 1}}}"},
    {"quadratic_explicit",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"quadratic\", \"zzz\": 1}}"},
    {"quadratic_generated",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"quadratic\", "
     "\"dimension\": 1, \"zzz\": 1}}"},
    {"linear_model",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"zzz\": 1}}"},
    {"cnn", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"cnn\", \"zzz\": 1}}"},
    {"layer_conv", CNN_LAYER("{\"conv\": 1, \"zzz\": 1}")},
    {"layer_maxpool", CNN_LAYER("{\"maxpool\": 1, \"zzz\": 1}")},
    {"layer_dense", CNN_LAYER("{\"dense\": 1, \"zzz\": 1}")},
    {"mlp", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"mlp\", \"zzz\": 1}}"},
    {"plugin", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"plugin\", \"zzz\": 1}}"},
    {"data_libsvm",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
     "{\"format\": \"libsvm\", \"zzz\": 1}}}"},
    {"data_idx", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
                 "{\"format\": \"idx\", \"zzz\": 1}}}"},
    {"data_cifar", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", "
                   "\"data\": {\"format\": \"cifar\", \"zzz\": 1}}}"},
    {"data_csv", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
                 "{\"format\": \"csv\", \"zzz\": 1}}}"},
    {"data_leaf", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
                  "{\"format\": \"leaf\", \"zzz\": 1}}}"},
    {"data_synthetic", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", "
                       "\"data\": {\"format\": \"synthetic\", \"zzz\": 1}}}"},
    {"data_mixture", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", "
                     "\"data\": {\"format\": \"mixture\", \"zzz\": 1}}}"},
    {"test_file", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
                  "{\"format\": \"csv\", \"path\": \"x\", \"test\": {\"zzz\": 1}}}}"},
    {"test_files", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", "
                   "\"data\": {\"format\": \"leaf\", \"path\": \"x\", \"test\": {\"zzz\": 1}}}}"},
    {"test_idx", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
                 "{\"format\": \"idx\", \"images\": \"x\", \"labels\": \"x\", \"test\": {\"zzz\": 1}}}}"},
    {"partition", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
                  "{\"format\": \"libsvm\", \"path\": \"x\"}, \"partition\": {\"zzz\": 1}}}"},
    {"regularizer",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"softmax\", \"data\": "
     "{\"format\": \"libsvm\", \"path\": \"x\"}, \"regularizer\": {\"zzz\": 1}}}"},
    {"initial",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"quadratic\", \"curvature\": [1], "
     "\"linear\": [[1]]}, \"initial\": {\"zzz\": 1}}"},
    {"constants",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"quadratic\", \"curvature\": "
     "[1], \"linear\": [[1]]}, \"optimizer\": {\"step_size\": 1, \"steps\": 1}, \"constants\": {\"zzz\": 1}}"},
    {"sweep", QUADRATIC "\"sweep\": {\"zzz\": 1}}"},
    {"phase", QUADRATIC "\"phase\": {\"zzz\": 1}}"},
    {"sweep_axis", QUADRATIC "\"sweep\": {\"axes\": [{\"zzz\": 1}]}}"},
    {"rate", QUADRATIC "\"rate\": {\"zzz\": 1}}"},
    {"rate_step_size",
     QUADRATIC "\"rate\": {\"over\": \"steps\", \"values\": [1, 2, 3], \"step_size\": {\"zzz\": 1}}}"},
    {"pep", QUADRATIC "\"pep\": {\"zzz\": 1}}"},
    {"hunt", QUADRATIC "\"hunt\": {\"zzz\": 1}}"},
    {"hunt_budget",
     QUADRATIC "\"hunt\": {\"bound\": \"dispersion\", \"free\": [\"linear\"], \"budget\": {\"zzz\": 1}}}"},
    {"hunt_weaken",
     QUADRATIC "\"hunt\": {\"bound\": \"dispersion\", \"free\": [\"linear\"], \"weaken\": {\"zzz\": 1}}}"},
    {"figure_style", QUADRATIC "\"figure_style\": {\"zzz\": 1}}"},
    {"user_bound", QUADRATIC "\"user_bounds\": [{\"zzz\": 1}]}"},
    {"target", QUADRATIC "\"targets\": [{\"zzz\": 1}]}"},
    {"communication", QUADRATIC "\"communication\": {\"zzz\": 1}}"},
    {"channel", QUADRATIC "\"communication\": {\"levels\": [{\"zzz\": 1}]}}"},
    {"optimizer",
     "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}, \"problem\": {\"type\": \"quadratic\", \"curvature\": "
     "[1], \"linear\": [[1]]}, \"optimizer\": {\"zzz\": 1}}"},
};

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 200000);
    size_t length = fread(text, 1, 199999, file);
    assert_true(length > 0 && length < 199999);
    fclose(file);
    return text;
}

static cJSON *read_json(const char *path)
{
    char *text = read_text(path);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    free(text);
    return json;
}

/* The properties of an object of the schema. */
static const cJSON *properties(const cJSON *schema, const char *definition)
{
    const cJSON *object = schema;
    if (definition)
        object = cJSON_GetObjectItem(cJSON_GetObjectItem(schema, "$defs"), definition);
    assert_non_null(object);
    return cJSON_GetObjectItem(object, "properties");
}

/* Grids have a reader of their own. */
static hsgd_status read_place(size_t i, hsgd_error *err)
{
    hsgd_config config;
    hsgd_sweep sweep;
    hsgd_rate_plan plan;
    hsgd_phase phase;
    hsgd_pep_curves curves;
    const char *text = place[i].text;
    if (place[i].definition && strcmp(place[i].definition, "pep") == 0)
        return hsgd_pep_curves_parse(&curves, text, strlen(text), "x.json", err);
    if (place[i].definition && strcmp(place[i].definition, "phase") == 0)
        return hsgd_phase_parse(&phase, text, strlen(text), "x.json", 0, err);
    if (place[i].definition && strncmp(place[i].definition, "sweep", 5) == 0)
        return hsgd_sweep_parse(&sweep, text, strlen(text), "x.json", 0, err);
    if (place[i].definition && strncmp(place[i].definition, "rate", 4) == 0)
        return hsgd_rate_parse(&plan, text, strlen(text), "x.json", 0, err);
    return hsgd_config_parse(&config, text, strlen(text), "x.json", err);
}

static void reader_and_schema_know_the_same_keys(void **state)
{
    (void)state;
    cJSON *schema = read_json("experiments/config.schema.json");
    for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
        hsgd_error err;
        assert_fails(read_place(i, &err), HSGD_ERROR_INPUT, "legal here: ", err);
        char *rest = strstr(err.message, "legal here: ") + strlen("legal here: "), *key;
        const cJSON *listed = properties(schema, place[i].definition);
        int count = 0;
        while ((key = strsep(&rest, ", ")))
            if (*key) {
                if (!cJSON_HasObjectItem(listed, key))
                    fail_msg("the schema lacks %s in %s", key,
                             place[i].definition ? place[i].definition : "the document");
                count++;
            }
        assert_int_equal(count, cJSON_GetArraySize(listed));
    }
    cJSON_Delete(schema);
}

static void readme_documents_every_key(void **state)
{
    (void)state;
    cJSON *schema = read_json("experiments/config.schema.json");
    char *readme = read_text("README.md"), quoted[64];
    for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
        const cJSON *key;
        cJSON_ArrayForEach(key, properties(schema, place[i].definition))
        {
            snprintf(quoted, sizeof quoted, "`%s`", key->string);
            if (!strstr(readme, quoted))
                fail_msg("README.md lacks %s", quoted);
        }
    }
    free(readme);
    cJSON_Delete(schema);
}

static void schema_and_readme_list_every_figure(void **state)
{
    (void)state;
    cJSON *schema = read_json("experiments/config.schema.json");
    const cJSON *figures = cJSON_GetObjectItem(properties(schema, NULL), "figures");
    const cJSON *names = cJSON_GetObjectItem(cJSON_GetObjectItem(figures, "items"), "enum");
    char *readme = read_text("README.md"), list[256] = "NAME = ", grid[256] = "NAME = ";
    assert_int_equal(cJSON_GetArraySize(names), hsgd_num_figures + hsgd_num_sweep_figures + 3);
    assert_string_equal(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 2)->valuestring, "phase");
    assert_string_equal(cJSON_GetArrayItem(names, cJSON_GetArraySize(names) - 1)->valuestring, "pep");
    assert_string_equal(cJSON_GetArrayItem(names, 0)->valuestring, "all");
    for (size_t i = 0; i < hsgd_num_figures; i++) {
        assert_string_equal(cJSON_GetArrayItem(names, (int)i + 1)->valuestring, hsgd_figures[i]->name);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", hsgd_figures[i]->name);
    }
    for (size_t i = 0; i < hsgd_num_sweep_figures; i++) {
        const char *name = cJSON_GetArrayItem(names, (int)(hsgd_num_figures + i) + 1)->valuestring;
        assert_string_equal(name, hsgd_sweep_figures[i]->name);
        snprintf(grid + strlen(grid), sizeof grid - strlen(grid), "%s%s", i ? ", " : "", name);
    }
    if (!strstr(readme, list) || !strstr(readme, grid))
        fail_msg("README.md lacks %s, or %s", list, grid);
    free(readme);
    cJSON_Delete(schema);
}

static void plan_file_is_legal(const char *path)
{
    hsgd_plan_setting setting;
    hsgd_error err;
    assert_ok(hsgd_plan_read(&setting, path, &err), err);
    hsgd_plan_setting_free(&setting);
}

/* The experiment files of the repository are legal, and so is the built-in one. */
static void experiment_files_are_legal(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob("experiments/*.json", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 8);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char want[128];
        hsgd_config config = {0};
        hsgd_sweep sweep = {0};
        hsgd_rate_plan plan = {0};
        hsgd_phase phase = {.file = NULL};
        hsgd_pep_curves curves = {.file = NULL};
        hsgd_error err;
        const char *path = found.gl_pathv[i];
        if (strstr(path, ".schema.json"))
            continue;
        if (strcmp(path, "experiments/plan.json") == 0) {
            plan_file_is_legal(path);
            continue;
        }
        bool alone = !hsgd_config_read(&config, path, &err), grid = !alone && strstr(err.message, "hsgd sweep");
        bool rate = !alone && strstr(err.message, "hsgd rate"), map = !alone && strstr(err.message, "hsgd phase");
        bool pep = !alone && strstr(err.message, "hsgd pep");
        assert_ok(grid    ? hsgd_sweep_read(&sweep, path, 0, &err)
                  : rate  ? hsgd_rate_read(&plan, path, 0, &err)
                  : map   ? hsgd_phase_read(&phase, path, 0, &err)
                  : pep   ? hsgd_pep_curves_read(&curves, path, &err)
                  : alone ? HSGD_OK
                          : err.status,
                  err);
        snprintf(want, sizeof want, "experiments/%s.json",
                 grid   ? sweep.name
                 : rate ? plan.name
                 : map  ? phase.grid.name
                 : pep  ? curves.grid.name
                        : config.name);
        assert_string_equal(want, path);
        hsgd_rate_plan_free(&plan);
        hsgd_sweep_free(&sweep);
        hsgd_phase_free(&phase);
        hsgd_pep_curves_free(&curves);
        hsgd_config_free(&config);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_and_schema_know_the_same_keys),
        cmocka_unit_test(readme_documents_every_key),
        cmocka_unit_test(schema_and_readme_list_every_figure),
        cmocka_unit_test(experiment_files_are_legal),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
