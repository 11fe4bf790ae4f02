/* SPDX-License-Identifier: GPL-3.0-or-later */
/* make bench: every workload with one and with all threads, in turns with NumPy, next to what the machine can do. */
#include "tests/bench/bench.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <gsl/gsl_errno.h>

static const char usage[] =
    "bench: speed of hsgd next to NumPy and to the machine's limits\n"
    "  --workloads LIST   of W1,W1b,W2,W3,W4,W5,W6 (default: all)\n"
    "  --runs R           measured runs of each kind, after one that warms up (default 25)\n"
    "  --threads K        compare 1 with K threads (default 2)\n"
    "  --budget SECONDS   of one workload: no new round of runs after it (default 30)\n"
    "  --folder DIR       for bench.json, table and the files of the rival (default build/bench)\n"
    "  --no-rival         leave NumPy out\n"
    "  --growth           instead: cost against n, d, T and M, with slopes, as table, JSON and figure\n"
    "  --tiny             a smoke test: few workers, few steps; the times mean nothing\n"
    "  --configs DIR, --program FILE   where W1.json etc. and hsgd are\n";

/* ---- NumPy ---- */

/* The first Python that has numpy; NULL: none. HSGD_PYTHON goes first. */
static const char *find_python(void)
{
    const char *candidate[] = {getenv("HSGD_PYTHON"), "python3", "/usr/bin/python3"};
    for (size_t i = 0; i < sizeof candidate / sizeof *candidate; i++) {
        const char *command[] = {candidate[i], "-c", "import sys\ntry: import numpy\nexcept ImportError: sys.exit(1)",
                                 NULL};
        if (candidate[i] && *candidate[i] && isfinite(bench_process_s(command)))
            return candidate[i];
    }
    return NULL;
}

/* ---- reports ---- */

/* Means over the runs differ by at most this much: the seeds differ, so the numbers do, by less than a percent at full
 * size. */
static double tolerance(const bench_options *options)
{
    return options->tiny ? 0.5 : 0.03;
}

static void print_work(const bench_work *w, const bench_bound *b, const bench_side *ours, FILE *out)
{
    double median_s = bench_times_median(&ours->wall[1]), best_s = bench_times_min(&ours->wall[1]);
    fprintf(out, "       least work:");
    if (w->pass_flops > 0)
        fprintf(out,
                " %.4g Gflop in passes over the data + %.4g Gflop in mini-batches, %.3g %% of them with features that "
                "are not 0; %.3g G exponentials, %.3g G logarithms, %.3g G divisions;",
                w->pass_flops / 1e9, w->batch_flops / 1e9, 100 * w->nonzero_share, w->exps / 1e9, w->logs / 1e9,
                w->divisions / 1e9);
    if (w->normals > 0)
        fprintf(out, " %.4g G normals;", w->normals / 1e9);
    fprintf(out, " %.3g Gflop coordinate by coordinate; %.3g GB of memory traffic (%.3g MB again and again)\n",
            w->flops / 1e9, w->bytes / 1e9, w->working_set / 1e6);
    fprintf(out, "       least time:");
    if (w->pass_flops > 0) {
        if (isfinite(b->gemm_s))
            fprintf(out, " GEMM %.3g s or", b->gemm_s);
        fprintf(out, " sparse rows %.3g s, exponentials %.3g s, logarithms %.3g s, divisions %.3g s,", b->sparse_s,
                b->exps_s, b->logs_s, b->divisions_s);
    }
    if (w->normals > 0)
        fprintf(out, " normals %.3g s,", b->normals_s);
    fprintf(out, " arithmetic %.3g s, one after the other, or memory %.3g s\n", b->flops_s, b->memory_s);
    fprintf(
        out,
        "       %.3g s is %.0f %% of the speed that this allows, %.3g s (the best run: %.0f %%); most of it is %s\n",
        median_s, 100 * b->limit_s / median_s, b->limit_s, 100 * b->limit_s / best_s, b->binding);
    if (isfinite(b->gemm_s))
        fprintf(out, "       GEMM alone would take %.0f %% of our time\n", 100 * b->gemm_s / median_s);
}

static void print_header(size_t threads, FILE *out)
{
    char many[32];
    snprintf(many, sizeof many, "%zu threads", threads);
    fprintf(out, "\n%-4s %10s %19s %9s %8s %10s %7s %7s  %-27s %7s\n", "", "hsgd", "", "hsgd", "", "NumPy", "NumPy", "",
            "share of", "");
    fprintf(out, "%-4s %10s %19s %9s %8s %10s %7s %7s  %-27s %7s\n", "", many, "min .. max", "1 thread", "speed-up",
            many, "/ hsgd", "target", "what the limits allow", "memory");
}

static void print_row(const bench_workload *w, const bench_side *ours, const bench_side *theirs, const bench_bound *b,
                      FILE *out)
{
    char spread[48], share[64], rival[64] = "", target[16] = "-";
    double all_s = bench_times_median(&ours->wall[1]), one_s = bench_times_median(&ours->wall[0]);
    double rival_s = bench_times_median(&theirs->wall[1]);
    snprintf(spread, sizeof spread, "%.3g .. %.3g", bench_times_min(&ours->wall[1]), bench_times_max(&ours->wall[1]));
    snprintf(share, sizeof share, "%.0f %%, mostly %s", 100 * b->limit_s / all_s, b->binding);
    if (!isnan(rival_s))
        snprintf(rival, sizeof rival, "%8.3g s %7.2f", rival_s, rival_s / all_s);
    if (w->target_ratio > 0)
        snprintf(target, sizeof target, "%.3g", w->target_ratio);
    fprintf(out, "%-4s %8.3g s %19s %7.3g s %8.2f %18s %7s  %-27s %3.0f MiB", w->name, all_s, spread, one_s,
            one_s / all_s, rival, target, share, ours->peak_bytes / 1048576);
    if (w->target_bytes > 0)
        fprintf(out, " (target %.0f)", w->target_bytes / 1048576);
    fputs("\n", out);
}

static cJSON *side_to_json(const bench_side *s)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "all_threads_s", bench_times_to_json(&s->wall[1]));
    cJSON_AddItemToObject(json, "all_threads_cpu_s", bench_times_to_json(&s->cpu[1]));
    if (s->wall[0].count > 0) {
        cJSON_AddItemToObject(json, "one_thread_s", bench_times_to_json(&s->wall[0]));
        cJSON_AddItemToObject(json, "one_thread_cpu_s", bench_times_to_json(&s->cpu[0]));
        cJSON_AddNumberToObject(json, "speed_up", bench_times_median(&s->wall[0]) / bench_times_median(&s->wall[1]));
    }
    cJSON_AddNumberToObject(json, "peak_bytes", s->peak_bytes);
    cJSON_AddItemToObject(json, "process", cJSON_Duplicate(s->ready, true));
    return json;
}

static cJSON *workload_to_json(const bench_workload *w, const bench_side *ours, const bench_side *theirs,
                               const bench_bound *b, double most, char *difference, size_t size)
{
    cJSON *json = cJSON_CreateObject();
    double all_s = bench_times_median(&ours->wall[1]);
    cJSON_AddStringToObject(json, "name", w->name);
    cJSON_AddStringToObject(json, "what", w->what);
    cJSON_AddItemToObject(json, "hsgd", side_to_json(ours));
    cJSON *limit = cJSON_AddObjectToObject(json, "limit");
    cJSON_AddStringToObject(limit, "binding", b->binding);
    cJSON_AddNumberToObject(limit, "seconds", b->limit_s);
    cJSON_AddNumberToObject(limit, "share", b->limit_s / all_s);
    cJSON_AddNumberToObject(limit, "share_of_best", b->limit_s / bench_times_min(&ours->wall[1]));
    if (w->target_bytes > 0)
        cJSON_AddNumberToObject(json, "target_bytes", w->target_bytes);
    *difference = 0;
    if (theirs->answers == 0)
        return json;
    cJSON_AddItemToObject(json, "numpy", side_to_json(theirs));
    cJSON_AddNumberToObject(json, "ratio", bench_times_median(&theirs->wall[1]) / all_s);
    cJSON_AddNumberToObject(json, "target_ratio", w->target_ratio);
    cJSON *results = cJSON_AddObjectToObject(json, "results");
    cJSON_AddBoolToObject(json, "same_results", bench_same_results(ours, theirs, most, results, difference, size));
    return json;
}

/* ---- a workload from start to end ---- */

/* In turns, so that a machine that slows down slows both. */
static void take_turns(bench_side *ours, bench_side *theirs, const bench_options *options)
{
    double begin_s = bench_now_s();
    for (size_t round = 0; round <= options->runs; round++) {
        bool enough = ours->wall[1].count > 0 && bench_now_s() - begin_s > options->budget_s;
        if (enough || !ours->running)
            return;
        bench_side_run(ours, true, options->threads, round + 1);
        bench_side_run(theirs, true, options->threads, round + 1);
        bench_side_run(ours, false, options->threads, round + 1);
    }
}

/* What a workload's processes found; reported when the limits are known. */
typedef struct outcome {
    const bench_workload *workload;
    bench_side ours, theirs;
} outcome;

static void start_rival(bench_side *theirs, const bench_options *options, const char *python, const char *dump)
{
    const char *argv[] = {python, options->rival, dump, NULL};
    if (!bench_side_start(theirs, argv))
        fprintf(stderr, "bench: the rival does not start\n");
}

/* False where it could not run, for example because its data are not there. */
static bool run_workload(outcome *o, const bench_options *options, const char *python)
{
    char dump[4096];
    const char *name = o->workload->name;
    bool rival = python && options->rival && o->workload->target_ratio > 0;
    snprintf(dump, sizeof dump, "%s/%s", options->folder, name);
    const char *argv[] = {options->self, "--serve", name, "--configs", options->configs, NULL, NULL, NULL, NULL};
    size_t argc = 5;
    if (options->tiny)
        argv[argc++] = "--tiny";
    if (rival) {
        argv[argc++] = "--dump";
        argv[argc++] = dump;
    }
    fprintf(stderr, "bench: %s, %s\n", name, o->workload->what);
    if (bench_side_start(&o->ours, argv)) {
        if (rival)
            start_rival(&o->theirs, options, python, dump);
        take_turns(&o->ours, &o->theirs, options);
    }
    bench_child_stop(&o->ours.child);
    bench_child_stop(&o->theirs.child);
    return o->ours.wall[1].count > 0;
}

/* The arithmetic on standard output, a row in the table; false where the two sides disagree. */
static bool report_workload(outcome *o, const bench_options *options, const bench_limits *limits, cJSON *list,
                            FILE *table)
{
    char difference[256];
    bench_work work = bench_work_from_json(cJSON_GetObjectItem(o->ours.ready, "work"));
    bench_bound bound = bench_bound_of(&work, limits);
    cJSON_AddItemToArray(list, workload_to_json(o->workload, &o->ours, &o->theirs, &bound, tolerance(options),
                                                difference, sizeof difference));
    printf("  %-4s %s\n", o->workload->name, o->workload->what);
    print_work(&work, &bound, &o->ours, stdout);
    print_row(o->workload, &o->ours, &o->theirs, &bound, table);
    if (*difference)
        printf("       the two sides do NOT agree: %s\n", difference);
    else if (o->theirs.answers > 0)
        printf("       hsgd and NumPy agree within %g %%\n", 100 * tolerance(options));
    return !*difference;
}

/* ---- W6 ---- */

static bool run_latency(const bench_options *options, const char *command, const char *file, cJSON *list, FILE *table)
{
    char path[4096];
    bench_times times = {0};
    snprintf(path, sizeof path, "%s/%s", options->configs, file);
    const char *argv[] = {options->program, command, path, NULL};
    size_t runs = options->tiny ? 2 : 40;
    bench_process_s(argv); /* the program is then in the page cache */
    for (size_t i = 0; i < runs; i++)
        bench_times_add(&times, bench_process_s(argv));
    if (times.count == 0)
        return false;
    fprintf(table, "W6   hsgd %-6s %8.2f ms, %.2f .. %.2f ms over %zu processes\n", command,
            1e3 * bench_times_median(&times), 1e3 * bench_times_min(&times), 1e3 * bench_times_max(&times),
            times.count);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", "W6");
    cJSON_AddStringToObject(json, "command", command);
    cJSON_AddItemToObject(json, "process_s", bench_times_to_json(&times));
    cJSON_AddItemToArray(list, json);
    return true;
}

/* ---- all of them ---- */

static bool selected(const bench_options *options, const char *name)
{
    char list[512], *state, *word;
    snprintf(list, sizeof list, "%s", options->only ? options->only : name);
    for (word = strtok_r(list, ",", &state); word; word = strtok_r(NULL, ",", &state))
        if (strcmp(word, name) == 0)
            return true;
    return false;
}

static void print_file(FILE *from, FILE *to)
{
    int c;
    rewind(from);
    while ((c = getc(from)) != EOF)
        putc(c, to);
}

bool bench_write_json(cJSON *document, const char *folder, const char *name)
{
    char path[4096], *text = cJSON_Print(document);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    bool written = text && file && fputs(text, file) >= 0 && putc('\n', file) != EOF;
    if (file && fclose(file))
        written = false;
    cJSON_free(text);
    cJSON_Delete(document);
    if (!written)
        fprintf(stderr, "bench: %s cannot be written\n", path);
    return written;
}

static void measure_limits(bench_limits limits[2], const bench_options *options)
{
    fprintf(stderr, "bench: the machine's limits\n");
    bench_limits_measure(&limits[0], 1, options->tiny);
    bench_limits_measure(&limits[1], options->threads, options->tiny);
    bench_limits_include(&limits[1], &limits[0]);
}

/* Every workload has its turn; the limits are measured before, between and after. */
static size_t run_workloads(outcome *done, bench_limits limits[2], const bench_options *options, const char *python)
{
    size_t count = 0;
    measure_limits(limits, options);
    for (size_t i = 0; i < bench_num_workloads; i++) {
        done[count] = (outcome){.workload = &bench_workloads[i]};
        if (!selected(options, bench_workloads[i].name))
            continue;
        if (run_workload(&done[count], options, python))
            count++;
        else
            printf("%s is left out: %s could not run it\n", bench_workloads[i].name, options->self);
        measure_limits(limits, options);
    }
    return count;
}

static void describe_run(cJSON *json, const bench_limits limits[2], const bench_options *options)
{
    cJSON_AddBoolToObject(json, "tiny", options->tiny);
    cJSON_AddNumberToObject(json, "threads", (double)options->threads);
    cJSON *list = cJSON_AddArrayToObject(json, "limits");
    for (size_t i = 0; i < 2; i++)
        cJSON_AddItemToArray(list, bench_limits_to_json(&limits[i]));
    bench_limits_print(&limits[0], &limits[1], stdout);
}

/* The rows of the table are collected and come last, all in one piece. */
static int run_all(const bench_options *options)
{
    const char *python = options->rival ? find_python() : NULL;
    bench_limits limits[2] = {0};
    outcome done[16];
    FILE *table = tmpfile();
    if (!table)
        return 4;
    if (options->rival && !python)
        puts("NumPy is not there, so its column stays empty; to compare, install the package python3-numpy");
    size_t count = run_workloads(done, limits, options, python);
    cJSON *json = cJSON_CreateObject();
    describe_run(json, limits, options);
    cJSON *list = cJSON_AddArrayToObject(json, "workloads");
    bool good = true;
    print_header(options->threads, table);
    puts("\nArithmetic");
    for (size_t i = 0; i < count; i++) {
        good = report_workload(&done[i], options, &limits[1], list, table) && good;
        bench_side_stop(&done[i].theirs);
        bench_side_stop(&done[i].ours);
    }
    if (selected(options, "W6")) {
        good = run_latency(options, "bound", "W6-bound.json", list, table) && good;
        good = run_latency(options, "exact", "W6-exact.json", list, table) && good;
    }
    print_file(table, stdout);
    fclose(table);
    good = bench_write_json(json, options->folder, "bench.json") && good;
    return good ? 0 : 1;
}

/* ---- arguments ---- */

enum { SERVE = 256, DUMP, WORKLOADS, RUNS, THREADS, BUDGET, FOLDER, NO_RIVAL, GROWTH, TINY, CONFIGS, PROGRAM, HELP };

static const struct option long_options[] = {{"serve", required_argument, NULL, SERVE},
                                             {"dump", required_argument, NULL, DUMP},
                                             {"workloads", required_argument, NULL, WORKLOADS},
                                             {"runs", required_argument, NULL, RUNS},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"budget", required_argument, NULL, BUDGET},
                                             {"folder", required_argument, NULL, FOLDER},
                                             {"no-rival", no_argument, NULL, NO_RIVAL},
                                             {"growth", no_argument, NULL, GROWTH},
                                             {"tiny", no_argument, NULL, TINY},
                                             {"configs", required_argument, NULL, CONFIGS},
                                             {"program", required_argument, NULL, PROGRAM},
                                             {"help", no_argument, NULL, HELP},
                                             {NULL, 0, NULL, 0}};

/* A positive count; 0 for anything else. */
static size_t count_of(const char *text, size_t most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    return *end || value > most ? 0 : value;
}

int main(int argc, char **argv)
{
    bench_options options = {.folder = "build/bench",
                             .configs = "tests/bench",
                             .program = "build/hsgd",
                             .rival = "tests/bench/rival.py",
                             .self = argv[0],
                             .runs = 25,
                             .threads = 2,
                             .budget_s = 30};
    const char *serve = NULL, *dump = NULL;
    int option;
    gsl_set_error_handler_off();
    signal(SIGPIPE, SIG_IGN); /* a child that died is noticed when it does not answer */
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        switch (option) {
        case SERVE:
            serve = optarg;
            break;
        case DUMP:
            dump = optarg;
            break;
        case WORKLOADS:
            options.only = optarg;
            break;
        case RUNS:
            options.runs = count_of(optarg, 60);
            break;
        case THREADS:
            options.threads = count_of(optarg, 1024);
            break;
        case BUDGET:
            options.budget_s = strtod(optarg, NULL);
            break;
        case FOLDER:
            options.folder = optarg;
            break;
        case NO_RIVAL:
            options.rival = NULL;
            break;
        case GROWTH:
            options.growth = true;
            break;
        case TINY:
            options.tiny = true;
            break;
        case CONFIGS:
            options.configs = optarg;
            break;
        case PROGRAM:
            options.program = optarg;
            break;
        default:
            fputs(usage, option == HELP ? stdout : stderr);
            return option == HELP ? 0 : 2;
        }
    if (options.runs == 0 || options.threads == 0 || optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    if (serve)
        return bench_serve(serve, options.configs, options.tiny, dump);
    mkdir(options.folder, 0777); /* whether it is there shows when the first file is written */
    return options.growth ? bench_growth(&options) : run_all(&options);
}
