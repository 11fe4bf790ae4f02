/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd check against a careful forger: one number of a document at a time is changed in its sixth digit (whole numbers by one), with
 * a new checksum. Every number that follows from others must be noticed; the table below says which do not follow, and why. */
#include "tests/experiments/program.h"

#include <math.h>

#include "experiments/check_private.h"
#include "experiments/document_private.h"

/* ---- what cannot be noticed ---- */

/* A path of a document, where "*" is any one member or element. */
static const struct {
    const char *path, *why;
} free_numbers[] = {
    /* Kept as a mean over the runs alone; the runs themselves are not kept. */
    {"result.measured.S_runs.min", "the smallest of single runs"},
    {"result.measured.S_runs.max", "the largest of single runs"},
    {"result.measured_references.*.S_runs.min", "the same"},
    {"result.measured_references.*.S_runs.max", "the same"},
    {"result.measured.final_loss.se", "has no interval; no other number rests on it"},
    {"result.measured_references.*.final_loss.mean", "the ladder is that of H-SGD; f(wbar^T) stands nowhere else"},
    {"result.measured_references.*.final_loss.se", "the same"},
    {"result.identities.*.max_relative_error", "rounding of all steps and seeds; series.csv has means over the seeds"},
    /* Of the data, which are not at hand; the bytes of the files are. */
    {"result.data.features", "how long a sample is"},
    {"result.data.users", "how many are in the files"},
    {"result.data.test_samples", "how many were left for the test"},
    {"result.partition.retries", "how many draws gave a worker too few samples"},
    {"result.partition.class_values.*", "the labels in the files"},
    /* Of the machine. */
    {"result.provenance.threads", "how many there were"},
    /* Constants that nothing else rests on. */
    {"result.audit.2.limit.value", "(L - mu)/2: mu stands nowhere, and a margin of 0 says nothing of it"},
    {"result.bound_inputs.worker_deviation_max_sq", "of bounds that do not apply here"},
    {"result.bound_inputs.deviation_max_sq.*", "the same, on data"},
    /* What was asked for, of configurations that the document does not have, or that change no number by a little. */
    {"rate.rate.tolerance", "of a verdict"},
    {"rate.rate.fit_from", "no point lies so near to it"},
    {"phase.confidence", "of intervals that rounding widened"},
    {"phase.axes.*.at.*", "where an axis has its values; the labels say which"},
    {"sweep.axes.*.at.*", "the same"},
    {"phase.provenance.*_seed", "of the points"},
    {"pep.provenance.*_seed", "the same"},
    {"pep.step_size_tolerance", "of the search"},
    {"pep.curves.*.best.between.*", "steps of the search, not all of which are kept"},
    {"pep.curves.*.best_of_bounds.*.step_size", "a bound is flat where it is least"},
    {"hunt.hunt.*", "what the search was told"},
    {"hunt.provenance.*_seed", "of the configuration, which hunt.json does not have"},
    {"hunt.hunt.budget.evaluations", "the same"},
    {"plan.*.*.*.step_size", "a bound is flat where it is least"},
    {"plan.sensitivity.*.*.best.step_size", "the same"},
    {"plan.sensitivity.*.elasticity", "small changes of the search"},
    {"plan.sensitivity.*.elasticity_step_size_kept", "the same"},
    {"plan.sensitivity.*.*.regret", "the same"},
    {"plan.sensitivity.*.*.regret_new_step_size", "the same"},
    {"plan.budgets.*.gain.*.seconds_*", "how long the search would take elsewhere"},
    {"plan.search.*", "how much was searched"},
};

static bool matches(const char *pattern, const char *path)
{
    while (*pattern && *path) {
        if (*pattern == '*') {
            pattern++;
            size_t end = strcspn(path, "."), tail = strcspn(pattern, ".");
            path += end > tail ? end - tail : end; /* "*_seed" */
        } else if (*pattern++ != *path++)
            return false;
    }
    return *pattern == *path;
}

static bool used[sizeof free_numbers / sizeof *free_numbers];

static bool is_free(const char *file, const char *path)
{
    char full[600];
    bool found = false;
    snprintf(full, sizeof full, "%.*s.%s", (int)strcspn(file, "."), file, path);
    for (size_t i = 0; i < sizeof free_numbers / sizeof *free_numbers; i++)
        if (matches(free_numbers[i].path, full))
            found = used[i] = true;
    return found;
}

/* ---- the forger ---- */

typedef struct forgery {
    const char *dir, *file;
    cJSON *document;
    size_t every, met, numbers, noticed, unexpected;
} forgery;

/* Write the document with a checksum that fits. */
static void write_sealed(const forgery *f)
{
    char stands[HSGD_CHECKSUM_SIZE], should[HSGD_CHECKSUM_SIZE], path[512];
    hsgd_error err;
    cJSON *copy = cJSON_Duplicate(f->document, true); /* printing uses it up */
    char *text = hsgd_json_print(copy);
    cJSON_Delete(copy);
    assert_non_null(text);
    assert_ok(hsgd_document_sums(stands, should, text, &err), err);
    char *digits = strstr(text, stands);
    assert_non_null(digits);
    memcpy(digits, should, strlen(should));
    snprintf(path, sizeof path, "%s/%s", f->dir, f->file);
    write_text(path, text);
    cJSON_free(text);
}

static bool is_noticed(const forgery *f)
{
    hsgd_check check;
    hsgd_error err;
    write_sealed(f);
    hsgd_status status = hsgd_check_folder(&check, f->dir, false, NULL, &err);
    bool noticed = status || check.findings.count[HSGD_CHECK_FAILS] > 0;
    hsgd_check_free(&check);
    return noticed;
}

static double falsified(double value)
{
    return value == floor(value) ? value + 1 : value * (1 + 1e-5);
}

static void try_number(forgery *f, cJSON *item, const char *path)
{
    double value = item->valuedouble;
    if (f->met++ % f->every != 0)
        return;
    f->numbers++;
    cJSON_SetNumberHelper(item, falsified(value));
    bool noticed = is_noticed(f);
    cJSON_SetNumberHelper(item, value);
    f->noticed += noticed;
    if (noticed || is_free(f->file, path))
        return;
    f->unexpected++;
    print_error("%s: %s %.17g may be changed\n", f->dir, path, value);
}

static void try_below(forgery *f, cJSON *item, const char *path)
{
    char below[512];
    size_t at = 0;
    for (cJSON *child = item->child; child; child = child->next, at++) {
        const char *dot = *path ? "." : "";
        if (child->string)
            snprintf(below, sizeof below, "%s%s%s", path, dot, child->string);
        else
            snprintf(below, sizeof below, "%s%s%zu", path, dot, at);
        if (cJSON_IsNumber(child))
            try_number(f, child, below);
        else
            try_below(f, child, below);
    }
}

/* Every number of DIR/FILE that CONFIG gives, or only every so-many-th. */
static void forge_some(size_t every, const char *command, const char *dir, const char *file, const char *config)
{
    char line[256];
    forgery f = {.every = every, .dir = dir, .file = file};
    write_text("c.json", config);
    snprintf(line, sizeof line,
             "unset SOURCE_DATE_EPOCH; $H %s c.json --output %s --quiet; test $? != 2 && $H check %s", command, dir,
             dir);
    assert_exit(line, 0);
    snprintf(line, sizeof line, "%s/%s", dir, file);
    f.document = read_json(line);
    assert_false(is_noticed(&f)); /* nothing is changed yet */
    try_below(&f, f.document, "");
    print_message("%s: %zu of %zu numbers are noticed\n", dir, f.noticed, f.numbers);
    cJSON_Delete(f.document);
    assert_int_equal(f.unexpected, 0);
}

static void forge(const char *command, const char *dir, const char *file, const char *config)
{
    forge_some(1, command, dir, file, config);
}

/* ---- documents ---- */

#define QUADRATIC(noise)                                                                                               \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 3, \"curvature_range\": [0.1, 1], \"level_divergence\": "   \
    "[1, 0.5], \"noise_variance\": " noise "}, \"figures\": []"
#define TREE "\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [6, 3]}"

static void of_a_run(void **state)
{
    (void)state;
    forge("run", "run", "result.json",
          "{" TREE ", " QUADRATIC("0.3") ", \"optimizer\": {\"step_size\": 0.01, \"steps\": 13}, \"seeds\": 3}");
}

/* Levels that are not alike, weights, constants of the run, proved ones, a batch, a regularizer. */
static void of_a_run_on_data(void **state)
{
    (void)state;
    forge(
        "run", "data", "result.json",
        "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2], \"weights\": \"data-size\"}, \"problem\": "
        "{\"type\": "
        "\"softmax\", \"data\": {\"format\": \"mixture\", \"classes\": 2, \"features\": 2, \"samples_per_class\": 20}, "
        "\"partition\": {\"scheme\": \"dirichlet\", \"alpha\": 0.5}, \"regularizer\": {\"type\": \"l2\", \"weight\": "
        "0.01}}, \"optimizer\": {\"step_size\": 0.01, \"steps\": 8, \"batch_size\": 1}, \"seeds\": 2, \"figures\": [], "
        "\"bounds\": [\"hsgd-fixed\", \"hsgd-fixed-recursive\", \"fedvarp-2022\"]}");
}

/* A rate, a phase diagram, hunts, a sweep, a plan, worst cases. */
static void of_other_documents(void **state)
{
    (void)state;
#define STUDY(noise, section)                                                                                          \
    "{\"name\": \"x\", " TREE ", " QUADRATIC(noise) ", \"optimizer\": {\"step_size\": 0.01, \"steps\": 12}, "          \
                                                    "\"seeds\": 3, " section "}"
    forge("rate", "rate", "rate.json",
          STUDY("0.3", "\"rate\": {\"over\": \"steps\", \"values\": [6, 12, 24], \"method\": \"exact\"}"));
    forge(
        "phase", "phase", "phase.json",
        STUDY(
            "0.3",
            "\"phase\": {\"axes\": [{\"name\": \"s\", \"key\": \"optimizer.step_size\", \"values\": [0.01, 0.02]}]}"));
    forge("hunt", "hunt", "hunt.json",
          STUDY("0.3",
                "\"hunt\": {\"bound\": \"dispersion\", \"free\": [\"linear\"], \"budget\": {\"evaluations\": 20}}"));
    forge("hunt", "weak", "hunt.json",
          STUDY("0.3", "\"hunt\": {\"bound\": \"hsgd-fixed-recursive\", \"free\": [\"worker_curvature\", \"initial\"], "
                       "\"weaken\": {\"divergence\": 0.5}, \"budget\": {\"evaluations\": 20}}"));
    forge("sweep", "sweep", "sweep.json",
          STUDY("0.3",
                "\"sweep\": {\"axes\": [{\"name\": \"I\", \"key\": \"hierarchy.periods[1]\", \"values\": [1, 3]}]}"));
    forge_some(
        5, "plan", "plan", "plan.json",
        "{\"name\": \"x\", \"workers\": 4, \"network\": [2, 2], \"dimension\": 10, \"max_period\": 4, "
        "\"budget_seconds\": 36, "
        "\"communication\": {\"levels\": [\"wan-100\", \"lan\"], \"compute_s_per_step\": 0.01}, \"bound\": "
        "\"hsgd-random-sharp\", \"constants\": {\"L\": 1, \"sigma_sq\": 10, \"delta\": 4, \"global_divergence_sq\": "
        "1.5}, "
        "\"levels\": {\"max\": 2}}");
    forge("pep", "pep", "pep.json",
          STUDY("0", "\"pep\": {\"from\": 0.5, \"to\": 0.9, \"points\": 3, \"axes\": [{\"name\": \"T\", \"key\": "
                     "\"optimizer.steps\", \"values\": [2]}]}"));
#undef STUDY
}

/* A reason that holds no longer is to be taken out. */
static void all_reasons_are_needed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof free_numbers / sizeof *free_numbers; i++)
        if (!used[i])
            fail_msg("%s is noticed (%s)", free_numbers[i].path, free_numbers[i].why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_run),
        cmocka_unit_test(of_a_run_on_data),
        cmocka_unit_test(of_other_documents),
        cmocka_unit_test(all_reasons_are_needed),
    };
    return cmocka_run_group_tests_name("falsified numbers", tests, enter_folder, leave_folder);
}
