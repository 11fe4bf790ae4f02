/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd train from outside, under mpirun: losses and gradients are those of hsgd run to 1e-9, on quadratics and on MNIST, in even
 * and uneven trees with two and three levels; what is written adds up; the fitted communication is accepted by hsgd run, whose
 * clocks then say the seconds that were predicted, and by hsgd plan; what cannot be trained is refused in one line. */
#include "tests/experiments/program.h"

#define MPIRUN "timeout 120 mpirun" /* MPICH knows no --oversubscribe */
#define ON_QUADRATIC                                                                                                   \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 30, \"curvature_range\": [0.1, 1],"                         \
    "\"level_divergence\": [1, 0.5], \"curvature_spread\": 0.2, \"noise_variance\": 2}, \"grouping\": \"random\","

/* All ranks on this machine, as any user, without a network; the sanitizer's word on memory that MPI keeps to the end is not
 * wanted. */
static int enter_with_mpi(void **state)
{
    static const char *const setting[][2] = {{"HWLOC_HIDE_ERRORS", "2"}, /* a container may hide the processors */
                                             {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                                             {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                                             {"OMPI_MCA_plm", "isolated"},
                                             {"OMPI_MCA_btl", "self,vader"},
                                             {"OMPI_MCA_btl_vader_single_copy_mechanism", "none"},
                                             {"OMPI_MCA_hwloc_base_binding_policy", "none"},
                                             {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
                                             {"OMP_WAIT_POLICY", "passive"}};
    const char *given = getenv("ASAN_OPTIONS");
    char options[512];
    for (size_t i = 0; i < sizeof setting / sizeof *setting; i++)
        setenv(setting[i][0], setting[i][1], 1);
    snprintf(options, sizeof options, "%s%sdetect_leaks=0", given ? given : "", given ? ":" : "");
    setenv("ASAN_OPTIONS", options, 1);
    return enter_folder(state);
}

/* Skips where the program was built without MPI, or mpirun is not installed. */
static void need_mpi(void)
{
    static int there = -1;
    write_text("none.json", "{}");
    if (there < 0)
        there = shell("command -v mpirun") == 0 && shell("$H train --mpi none.json") == 2; /* 4: not built in */
    if (there)
        return;
    print_message("skipped: this build has no MPI, or there is no mpirun\n");
    skip();
}

/* Column of a line of numbers, from 0. */
static double field(const char *line, size_t column)
{
    for (; column > 0; column--)
        line = strchr(line, ',') + 1;
    return strtod(line, NULL);
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end && end[1] ? end + 1 : NULL;
}

/* Losses and squared gradients of train/ next to those of run/, step by step. */
static void compare_with_run(void)
{
    char *trained = read_text("train/train.csv"), *ran = read_text("run/series.csv");
    assert_non_null(trained);
    assert_non_null(ran);
    assert_int_equal(strncmp(ran, "step,loss,grad_norm_sq,", 23), 0);
    const char *a = next_line(trained), *b = next_line(ran);
    size_t rows = 0;
    for (; b; a = next_line(a), b = next_line(b), rows++) { /* series.csv has no row for step T */
        assert_non_null(a);
        assert_true(field(a, 0) == field(b, 0));
        check_close(field(a, 1), field(b, 1), 1e-9, 1e-3, "loss", __FILE__, __LINE__);
        assert_close(field(a, 2), field(b, 2), 1e-9);
    }
    assert_true(rows > 3 && a && !next_line(a));
    free(trained);
    free(ran);
}

/* c.json is run, then trained by so many ranks, whose output is left in out. */
static void run_and_train(const char *ranks, const char *options)
{
    char line[512];
    assert_exit("$H run c.json --output run --quiet || test $? = 3", 0);
    snprintf(line, sizeof line, MPIRUN " -n %s $H train --mpi c.json --output train --probes 5 %s", ranks, options);
    assert_exit(line, 0);
    compare_with_run();
}

static void write_config(const char *rest)
{
    char text[2048];
    snprintf(text, sizeof text, "{\"name\": \"t\", \"seeds\": 1, \"bounds\": [], \"figures\": [], %s}", rest);
    write_text("c.json", text);
}

/* ---- what is written ---- */

/* One row for each average, from the periods: of 50 steps the root has 50/10, each group 50/2 - 50/10. */
static void check_times(const cJSON *document)
{
    char *text = read_text("train/times.csv");
    assert_non_null(text);
    assert_int_equal(strncmp(text, "step,level,node,ranks,bytes,wait_s,longest_wait_s,allreduce_s\n", 62), 0);
    size_t rows[2] = {0};
    double sum_s[2] = {0};
    for (const char *line = next_line(text); line; line = next_line(line)) {
        size_t level = (size_t)field(line, 1) - 1;
        assert_true(level < 2 && field(line, 3) == (level ? 2 : 4) && field(line, 4) == 240);
        assert_true(field(line, 5) <= field(line, 6) && field(line, 7) > 0);
        sum_s[level] += field(line, 7);
        rows[level]++;
    }
    assert_true(rows[0] == 5 && rows[1] == 2 * 20);
    for (int k = 0; k < 2; k++) {
        const cJSON *level = cJSON_GetArrayItem(get(document, "levels"), k);
        assert_true(number(get(level, "allreduce"), "count") == (double)rows[k]);
        assert_close(number(get(level, "allreduce"), "sum_s"), sum_s[k], 1e-6);
        assert_true(number(get(level, "wait"), "count") == (k ? 4 * 20 : 4 * 5));
        assert_true(number(get(level, "fit"), "points") >= 7);
    }
    free(text);
}

static void check_shares(const cJSON *document)
{
    const cJSON *seconds = get(document, "seconds"), *rank = get(seconds, "mean_of_ranks");
    double sum_s =
        number(rank, "computing") + number(rank, "waiting") + number(rank, "averaging") + number(rank, "rest");
    assert_true(number(rank, "rest") >= 0);
    assert_true(sum_s <= number(seconds, "measured") * (1 + 1e-12));
    assert_true(number(get(document, "computing"), "count") == 4 * 50);
    assert_close(number(get(document, "computing"), "sum_s") / 4, number(rank, "computing"), 1e-9);
    assert_true(number(seconds, "measuring") > 0 && number(document, "hosts") == 1);
    char *model = read_text("train/model.csv");
    size_t lines = 0;
    for (const char *line = model; line; line = next_line(line))
        lines++;
    assert_int_equal(lines, 31);
    free(model);
}

/* The configuration with the "communication" of a file: a JSON object that is pasted in. */
static void paste(const char *communication)
{
    char *file = read_text(communication), text[4096];
    assert_non_null(file);
    snprintf(text, sizeof text,
             "{\"name\": \"t\", \"seeds\": 1, \"bounds\": [], \"figures\": [], \"hierarchy\": {\"fanout\": [2, 2],"
             "\"periods\": [10, 2]}, " ON_QUADRATIC "\"optimizer\": {\"step_size\": 0.05, \"steps\": 50},"
             "\"measure_every\": 7, %s",
             strchr(file, '{') + 1);
    write_text("pasted.json", text);
    free(file);
}

static double seconds_of_run(void)
{
    assert_exit("$H run pasted.json --output pasted --quiet || test $? = 3", 0);
    cJSON *result = read_json("pasted/result.json");
    double time_s = number(get(get(get(result, "communication"), "hsgd"), "time_s"), "mean");
    cJSON_Delete(result);
    return time_s;
}

/* What hsgd run and hsgd plan make of the fitted model. */
static void check_communication(const cJSON *document)
{
    const cJSON *seconds = get(document, "seconds");
    paste("train/communication.json");
    assert_close(seconds_of_run(), number(seconds, "predicted"), 1e-12);
    paste("train/communication-stragglers.json");
    assert_close(seconds_of_run(), number(seconds, "predicted_with_stragglers"), 1e-12);
    char *file = read_text("train/communication.json"), text[4096];
    snprintf(text, sizeof text,
             "{\"name\": \"p\", \"workers\": 4, \"network\": [2, 2], \"dimension\": 30, \"budget_seconds\": 1,"
             "\"max_period\": 4, \"figures\": [], \"constants\": {\"L\": 1, \"sigma_sq\": 1, \"delta\": 1,"
             "\"global_divergence_sq\": 1}, %s",
             strchr(file, '{') + 1);
    free(file);
    write_text("p.json", text);
    assert_exit("$H plan p.json --output plan --quiet", 0);
}

/* The figure has a point for every probe but the barriers, and the lines of the fit. */
static void check_figure(const cJSON *document)
{
    char *data = read_text("train/train.dat"), *script = read_text("train/train.gp"), line[128];
    assert_non_null(data);
    assert_non_null(script);
    assert_int_equal(strncmp(data, "row median_s high_s bytes_1 time_1_s bytes_2 time_2_s\n", 54), 0);
    size_t rows = 0, points = 0;
    for (const char *at = next_line(data); at; at = next_line(at))
        rows++;
    cJSON *probe;
    cJSON_ArrayForEach(probe, get(document, "probes")) points +=
        number(probe, "level") == 2 && number(probe, "bytes") > 0;
    assert_int_equal(rows, points); /* level 2 has most: two nodes */
    const cJSON *fit = get(cJSON_GetArrayItem(get(document, "levels"), 1), "fit");
    snprintf(line, sizeof line, "2*(%.9g + %.9g*", number(fit, "latency_s"), 1 / number(fit, "bandwidth_bytes_per_s"));
    assert_non_null(strstr(script, line));
    free(data);
    free(script);
    assert_true(exists("train/train.pdf") && exists("train/train.caption.tex"));
}

static void four_ranks_train_as_hsgd_run_and_say_what_it_took(void **state)
{
    (void)state; /* places are drawn */
    need_mpi();
    write_config("\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [10, 2]}, " ON_QUADRATIC
                 "\"optimizer\": {\"step_size\": 0.05, \"steps\": 50}, \"measure_every\": 7");
    run_and_train("4", "--quiet");
    assert_string_equal(out, "");
    cJSON *document = read_json("train/train.json");
    check_times(document);
    check_shares(document);
    check_communication(document);
    check_figure(document);
    cJSON_Delete(document);
    assert_refusal("$H run c.json --output train", 2, "a training");
    assert_exit("$H check train --quiet && $H diff train train --tolerance 0 --quiet", 0);
    assert_exit("sed -i '$s/[1-8]/9/' train/model.csv; $H check train --quiet", 1);
    assert_non_null(strstr(out, "model.csv"));
}

/* Unequal groups, three levels, weights; models on data, with data of each worker's own. */
static void six_ranks_in_an_uneven_tree_train_on_mnist(void **state)
{
    (void)state;
    char path[512];
    data_file("t10k-images-idx3-ubyte.gz", path, sizeof path);
    need_mpi();
    write_config(
        "\"hierarchy\": {\"tree\": {\"period\": 12, \"children\": [{\"period\": 6, \"children\": ["
        "{\"period\": 2, \"workers\": 2}, {\"period\": 3, \"workers\": 1}]}, {\"period\": 4, \"workers\": 3}]},"
        "\"weights\": \"data-size\"}, \"problem\": {\"type\": \"softmax\", \"data\": {\"format\": \"idx\","
        "\"images\": \"t10k-images-idx3-ubyte.gz\", \"labels\": \"t10k-labels-idx1-ubyte.gz\"},"
        "\"partition\": {\"scheme\": \"dirichlet\", \"alpha\": 1, \"seed\": 3}},"
        "\"optimizer\": {\"step_size\": 0.1, \"steps\": 26, \"batch_size\": 8},"
        "\"measure_every\": 5, \"first_seed\": 4");
    run_and_train("6", "--route tree");
    assert_non_null(strstr(out, "level 3: 2 ranks average")); /* the rank that is alone is left out */
    assert_non_null(strstr(out, "summed over its level and those below"));
}

/* ---- refusals ---- */

/* One line of ours, whatever mpirun adds. */
static void check_one_line(const char *line, int code, const char *text)
{
    assert_exit(line, code);
    size_t lines = 0;
    for (const char *at = err_text; (at = strstr(at, "hsgd: ")); at++)
        lines += at == err_text || at[-1] == '\n';
    if (lines != 1 || !strstr(err_text, text) || *out)
        fail_msg("%s\nsaid \"%s\", expected one line with \"%s\"", line, err_text, text);
}

static void what_cannot_be_trained_is_refused_in_one_line(void **state)
{
    (void)state;
    write_config("\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [10, 2]}, " ON_QUADRATIC
                 "\"optimizer\": {\"step_size\": 0.05, \"steps\": 50}");
    assert_refusal("$H train c.json", 2, "needs --mpi, each rank a worker: mpirun -n WORKERS hsgd train --mpi c.json");
    need_mpi();
    assert_refusal("$H train --mpi c.json", 2, "4 workers need 4 ranks, not 1: mpirun -n 4 hsgd train --mpi c.json");
    check_one_line(MPIRUN " -n 2 $H train --mpi c.json", 2, "4 workers need 4 ranks, not 2");
    write_config("\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"variant\": {\"momentum\": 0.9}," ON_QUADRATIC
                 "\"optimizer\": {\"step_size\": 0.05, \"steps\": 50}");
    write_text("bad.json", "{\"hierarchy\": 7}");
    check_one_line(MPIRUN " -n 2 $H train --mpi bad.json", 2, "bad.json: hierarchy: 7");
    assert_exit("sed -i 's/, \"curvature_spread\": 0.2//; s/\\[1, 0.5\\]/[1]/' c.json", 0);
    check_one_line(MPIRUN " -n 2 $H train --mpi c.json", 2, "variant: hsgd train is plain H-SGD, without momentum");
}

/* As on a host with other files. */
static void a_rank_with_another_configuration_is_named(void **state)
{
    (void)state;
    need_mpi();
    for (int rank = 0; rank < 2; rank++) {
        write_config("\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"quadratic\","
                     "\"curvature\": [1], \"linear\": [[1], [2]], \"noise_variance\": 1},"
                     "\"optimizer\": {\"step_size\": 0.05, \"steps\": 50}");
        assert_exit(rank ? "sed 's/\\[2\\]\\]/[3]]/' c.json > c1.json" : "mv c.json c0.json", 0);
    }
    check_one_line(MPIRUN " -n 2 sh -c '$H train --mpi c${OMPI_COMM_WORLD_RANK:-$PMI_RANK}.json --output none'", 2,
                   "c1.json: this configuration, or its data, are not those of rank 0");
    assert_non_null(strstr(err_text, "hsgd: rank 1 on "));
    assert_false(exists("none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_ranks_train_as_hsgd_run_and_say_what_it_took),
        cmocka_unit_test(six_ranks_in_an_uneven_tree_train_on_mnist),
        cmocka_unit_test(what_cannot_be_trained_is_refused_in_one_line),
        cmocka_unit_test(a_rank_with_another_configuration_is_named),
    };
    return cmocka_run_group_tests(tests, enter_with_mpi, leave_folder);
}
