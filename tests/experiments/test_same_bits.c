/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The promise of bit-identity, as one test: every configuration of same_bits.json, run in many ways, leaves the same bytes.
 *
 * A way is a number of threads, an order in which the parts of the tree are visited, the vector instructions that the
 * kernels may use, and how rounds are cut into windows. One thread, the natural order, no vector instructions and whole
 * rounds are the reference; all files of the other ways'
 * result folders are compared with its files, but for the part of result.json that says how they were made. The
 * configurations have every key and every word of the schema that can change a number (another test sees to that).
 *
 * The program that is run is this one: told to be hsgd, it does what main() does, with five switches that users do not
 * have. The linker hands it every call of hsgd_simulate and of fsync (Makefile: --wrap). */
#include "tests/experiments/program.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>

#include "analysis/engine.h"
#include "analysis/vector.h"
#include "analysis/vector_private.h"
#include "experiments/cli.h"

/* ---- the program in another way ---- */

/* threads are those of the option --threads. */
typedef struct way {
    int threads, order; /* order 0: natural */
    int path;           /* hsgd_cpu_path, at most */
    bool eager;         /* all threads even where it does not pay */
    int ranks;          /* processes, started by mpirun; 0: one, by itself */
    int stop_after;     /* windows of the engine until the program gets SIGTERM; 0: never */
    int cuts;           /* steps of a window, at most; 0: rounds are not cut */
} way;

static way this_way; /* of a program that was told to be hsgd; set before anything runs */

hsgd_status __real_hsgd_simulate(hsgd_trace *trace, const hsgd_simulation *simulation, hsgd_error *error);
hsgd_status __wrap_hsgd_simulate(hsgd_trace *trace, const hsgd_simulation *simulation, hsgd_error *error);

static atomic_int windows_left;

static void count_window(void *context, size_t steps)
{
    (void)context, (void)steps;
    if (atomic_fetch_sub(&windows_left, 1) == 1)
        raise(SIGTERM);
}

hsgd_status __wrap_hsgd_simulate(hsgd_trace *trace, const hsgd_simulation *simulation, hsgd_error *error)
{
    hsgd_simulation s = *simulation;
    s.shuffle = (uint64_t)this_way.order;
    s.eager_threads = this_way.eager;
    s.cuts = (size_t)this_way.cuts;
    s.progress = count_window;
    return __real_hsgd_simulate(trace, &s, error);
}

/* Hundreds of result folders that nobody wants back need not reach the disk. */
int __wrap_fsync(int file);
int __wrap_fsync(int file)
{
    return file < 0 ? -1 : 0;
}

/* PROGRAM --as-hsgd ORDER PATH EAGER CUTS WINDOWS COMMAND ... */
static int be_hsgd(int argc, char **argv)
{
    this_way = (way){.order = atoi(argv[2]), .path = atoi(argv[3]), .eager = atoi(argv[4]), .cuts = atoi(argv[5])};
    windows_left = atoi(argv[6]);
    hsgd_vector_limit((hsgd_cpu_path)this_way.path);
    argv[6] = argv[0];
    return hsgd_cli(argc - 6, argv + 6);
}

/* ---- configurations and data ---- */

static char self[4096], sources[4096];
static cJSON *cases;

/* A number in 0, ..., 999 from a place and a row: no law that a model could find. */
static unsigned scrambled(unsigned i, unsigned k)
{
    unsigned x = (i * 2654435761u + k) * 2246822519u;
    return ((x ^ x >> 15) * 3266489917u >> 12) % 1000;
}

static void write_data(void)
{
    FILE *sparse = fopen("sparse.txt", "w"), *dense = fopen("dense.csv", "w");
    assert_true(sparse && dense);
    for (unsigned i = 0; i < 90; i++) {
        fprintf(sparse, "%u", i % 2);
        for (unsigned k = 0; k < 23; k++)
            if (scrambled(i, k) < 200)
                fprintf(sparse, " %u:%.3f", k + 1, 0.01 * scrambled(i, 100 + k) - 4);
        fputc('\n', sparse);
        for (unsigned k = 0; k < 7; k++)
            fprintf(dense, "%.3f,", 0.01 * scrambled(i, 200 + k) - 5);
        fprintf(dense, "%u\n", i % 3);
    }
    assert_int_equal(fclose(sparse), 0);
    assert_int_equal(fclose(dense), 0);
}

static void write_cases(void)
{
    for (int i = 0; i < cJSON_GetArraySize(cases); i++) {
        char name[32], *text = cJSON_Print(get(cJSON_GetArrayItem(cases, i), "config"));
        snprintf(name, sizeof name, "%d.json", i);
        write_text(name, text);
        free(text);
    }
}

static void leave_out_what_is_not_built(void)
{
#ifndef HSGD_DNNL
    for (int i = cJSON_GetArraySize(cases) - 1; i >= 0; i--)
        if (strcmp(text_of(get(get(cJSON_GetArrayItem(cases, i), "config"), "problem"), "type"), "cnn") == 0)
            cJSON_DeleteItemFromArray(cases, i);
#endif
}

static int prepare(void **state)
{
    assert_non_null(realpath("/proc/self/exe", self));
    assert_non_null(realpath(".", sources));
    cases = read_json("tests/experiments/same_bits.json");
    leave_out_what_is_not_built();
    enter_folder(state);
    setenv("SELF", self, 1);
    setenv("SOURCES", sources, 1);
    setenv("OMP_WAIT_POLICY", "passive", 1); /* three threads on two cores */
    /* root in a container without a network */
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_plm", "isolated", 1); /* names of hosts are not asked for */
    setenv("OMPI_MCA_btl", "self,vader", 1);
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);
    write_data();
    write_cases();
    assert_exit("cc -shared -fPIC -O1 -I\"$SOURCES\" -o my.so \"$SOURCES\"/experiments/examples/plugin.c -lm", 0);
    /* figures are drawn from their scripts and data, which are there whatever becomes of them */
    assert_exit("mkdir bin && ln -s /bin/false bin/gnuplot", 0);
    return 0;
}

static int end(void **state)
{
    cJSON_Delete(cases);
    return leave_folder(state);
}

/* ---- one run ---- */

static const char *name_of(int i)
{
    return text_of(cJSON_GetArrayItem(cases, i), "name");
}

/* Runs case i into folder; its exit code, with 4 for the missing figures. */
static int run_in(int i, const way *w, const char *folder, const char *options)
{
    char line[1024], start[96] = "";
    if (w->ranks) /* MPI keeps some memory to the end */
        snprintf(start, sizeof start, "env ASAN_OPTIONS=detect_leaks=0 mpirun --oversubscribe --bind-to none -n %d",
                 w->ranks);
    snprintf(
        line, sizeof line,
        "PATH=\"$PWD/bin:$PATH\" exec %s \"$SELF\" --as-hsgd %d %d %d %d %d %s %d.json --output %s --quiet --threads "
        "%d %s",
        start, w->order, w->path, w->eager, w->cuts, w->stop_after, text_of(cJSON_GetArrayItem(cases, i), "command"), i,
        folder, w->threads, options);
    int code = shell(line);
    if (code == 2 || code < 0 || code > 4)
        fail_msg("%s: %s\n%s", name_of(i), line, err_text);
    return code;
}

static int run_case(int i, const way *w, const char *folder)
{
    char line[512];
    snprintf(line, sizeof line, "rm -rf %s", folder);
    assert_exit(line, 0);
    int code = run_in(i, w, folder, "");
    snprintf(line, sizeof line, "rm -rf %s/checkpoint", folder); /* kept, because the figures are missing */
    assert_exit(line, 0);
    return code;
}

/* Cut the member "provenance" out of a document that ours wrote: it says how the run was made; and the checksum. */
static void cut_provenance(char *text)
{
    char *begin = strstr(text, "\"provenance\":"), *at = begin;
    if (!begin || !strchr(begin, '{'))
        return;
    int depth = 0;
    bool quoted = false;
    for (at = strchr(begin, '{'); *at; at++) {
        if (*at == '"' && at[-1] != '\\')
            quoted = !quoted;
        depth += quoted ? 0 : *at == '{' ? 1 : *at == '}' ? -1 : 0;
        if (depth == 0)
            break;
    }
    assert_true(*at == '}');
    memmove(begin, at + 1, strlen(at));
    char *sum = strstr(begin, "\"document_sha256\":"); /* of the provenance, too */
    if (sum)
        memmove(sum, sum + strcspn(sum, "\n"), strlen(sum + strcspn(sum, "\n")) + 1);
}

static bool same_file(const char *a, const char *b, const char *name)
{
    char path[2][512];
    snprintf(path[0], sizeof path[0], "%s/%s", a, name);
    snprintf(path[1], sizeof path[1], "%s/%s", b, name);
    char *text[2] = {read_text(path[0]), read_text(path[1])};
    if (text[0] && text[1] && strstr(name, ".json"))
        cut_provenance(text[0]), cut_provenance(text[1]);
    bool same = text[0] && text[1] && strcmp(text[0], text[1]) == 0;
    free(text[0]);
    free(text[1]);
    return same;
}

/* The first file of folder a that folder b has otherwise or not at all; NULL: there is none. */
static const char *different_file(const char *a, const char *b, size_t *num_files)
{
    static char name[256];
    bool same = true;
    DIR *dir = opendir(a);
    *num_files = 0;
    for (struct dirent *entry; dir && same && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s", entry->d_name);
        same = same_file(a, b, name);
        ++*num_files;
    }
    if (dir)
        closedir(dir);
    return same ? NULL : name;
}

/* The number of differences: 0 or 1; told in a line. */
static int compare(int i, const char *reference, const char *folder, const char *how)
{
    size_t files, others;
    const char *file = different_file(reference, folder, &files);
    if (!file)
        file = different_file(folder, reference, &others);
    if (!file && files >= 2)
        return 0;
    print_error("%s, %s: %s differs\n", name_of(i), how, file ? file : "too few files: what is there");
    return 1;
}

/* ---- threads, orders, vector instructions ---- */

enum { NUM_PATHS = HSGD_PATH_AVX512 + 1, NUM_ORDERS = 3, NUM_THREADS = 3, NUM_CUTS = 4 };

enum { ENOUGH = 10 }; /* differences, to see what is wrong */

static const way reference_way = {.threads = 1};

static hsgd_cpu_path best_path(void)
{
    static bool said;
    hsgd_vector_limit(HSGD_PATH_AVX512);
    if (hsgd_vector_path() < HSGD_PATH_AVX512 && !said)
        print_message("not tested: better vector instructions than %s are not available here\n",
                      hsgd_vector_path_name());
    said = true;
    return hsgd_vector_path();
}

/* In nine ways each two of threads, order and path meet once; three cases together have all 27. Cuts go round by themselves. */
static way way_number(int number, int i)
{
    int threads = number / 3, order = number % 3;
    return (way){.threads = threads + 1,
                 .order = order,
                 .path = (threads + order + i) % NUM_PATHS,
                 .eager = true,
                 .cuts = (number + i) % NUM_CUTS};
}

static int run_and_compare(int i, const way *w, int code)
{
    char how[128];
    snprintf(how, sizeof how, "%d processes, %d threads, order %d, path %d, cuts %d%s", w->ranks ? w->ranks : 1,
             w->threads, w->order, w->path, w->cuts, w->eager ? ", eager" : "");
    int got = run_case(i, w, "other");
    if (got != code)
        print_error("%s, %s: exit code %d, not %d\n", name_of(i), how, got, code);
    return compare(i, "reference", "other", how) + (got != code);
}

static void threads_orders_and_vectors(void **state)
{
    (void)state;
    int differences = 0;
    hsgd_cpu_path best = best_path();
    for (int i = 0; i < cJSON_GetArraySize(cases) && differences < ENOUGH; i++) {
        int code = run_case(i, &reference_way, "reference");
        for (int number = 0; number < NUM_THREADS * NUM_ORDERS; number++) {
            way w = way_number(number, i);
            if (w.path <= (int)best)
                differences += run_and_compare(i, &w, code);
        }
        way users = {.threads = 3, .path = HSGD_PATH_AVX512};
        differences += run_and_compare(i, &users, code);
    }
    assert_int_equal(differences, 0);
}

/* Where kernels could choose, the choice is the one asked for; that orders and threads arrive is shown by mutants.txt. */
static void switches_reach_the_engine(void **state)
{
    (void)state;
    static const char *const name[] = {"portable", "avx2", "avx512"};
    for (int path = 0; path <= (int)best_path(); path++) {
        run_case(0, &(way){.threads = 2, .path = path}, "other");
        cJSON *result = read_json("other/result.json");
        assert_string_equal(text_of(get(result, "provenance"), "vector_path"), name[path]);
        cJSON_Delete(result);
    }
}

/* ---- the configurations have everything ---- */

/* Does a document have this key somewhere, with this word as its value (or in a list)? word NULL: any value. */
static bool occurs(const cJSON *document, const char *key, const char *word)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, document)
    {
        bool named = item->string && strcmp(item->string, key) == 0;
        bool listed = document->string && strcmp(document->string, key) == 0 && !item->string;
        if ((named && !word) || ((named || listed) && word && cJSON_IsString(item) && !strcmp(item->valuestring, word)))
            return true;
        if (occurs(item, key, word))
            return true;
    }
    return false;
}

/* What no number hangs on, or what other tests compare for threads: formats of files and their keys (test_data_program.c,
 * test_leaf_images.c), named networks (test_convnet.c), grids of commands that make many runs, and how figures look. */
static const char *const elsewhere[] = {
    "figure_style", "width",       "band",        "title",          "figures",    "sweep",        "sweep_axis",
    "labels",       "at",          "name",        "data_idx",       "data_cifar", "data_leaf",    "test_idx",
    "test_files",   "user_bound",  "user_bounds", "formula",        "confidence", "architecture", "hunt",
    "hunt_budget",  "hunt_weaken", "rate",        "rate_step_size", "phase",      "label_column", "header",
    "test_seed",    "max_retries", "intercept",   "format",         "pep",
};

static bool is_elsewhere(const char *name)
{
    for (size_t i = 0; name && i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (strcmp(name, elsewhere[i]) == 0)
            return true;
    return false;
}

static int missing_word(const char *key, const char *word)
{
    if (occurs(cases, key, word))
        return 0;
    print_error("no configuration has \"%s\"%s%s\n", key, word ? ": " : "", word ? word : "");
    return 1;
}

/* Keys and words of one part of the schema that no configuration has. */
static int missing(const cJSON *part, const char *key)
{
    const cJSON *item, *word, *list = cJSON_GetObjectItem(part, "enum"), *constant = cJSON_GetObjectItem(part, "const");
    int count = 0;
    if (is_elsewhere(part->string))
        return 0;
    cJSON_ArrayForEach(word, list) if (key && cJSON_IsString(word)) count += missing_word(key, word->valuestring);
    if (key && cJSON_IsString(constant))
        count += missing_word(key, constant->valuestring);
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(part, "properties"))
    {
        if (is_elsewhere(item->string))
            continue;
        count += missing_word(item->string, NULL) + missing(item, item->string);
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(part, "oneOf")) count += missing(item, key);
    if (cJSON_GetObjectItem(part, "items"))
        count += missing(cJSON_GetObjectItem(part, "items"), key);
    return count;
}

static void configurations_have_every_key_and_word(void **state)
{
    (void)state;
    char path[5000];
    int count = 0;
#ifndef HSGD_DNNL
    print_message("skipped: this build has no convolutional networks\n");
    skip();
#endif
    snprintf(path, sizeof path, "%s/experiments/config.schema.json", sources);
    cJSON *schema = read_json(path), *part;
    count += missing(schema, NULL);
    cJSON_ArrayForEach(part, get(schema, "$defs")) count += missing(part, NULL);
    cJSON_Delete(schema);
    assert_int_equal(count, 0);
}

/* ---- processes ---- */

static bool is_run(int i)
{
    const char *command = text_of(cJSON_GetArrayItem(cases, i), "command");
    return strcmp(command, "run") == 0 || strcmp(command, "verify") == 0;
}

/* Every configuration with one number of processes, and every number with a third of the configurations. */
static void processes(void **state)
{
    (void)state;
#ifndef HSGD_MPI
    print_message("skipped: this build has no MPI\n");
    skip();
#endif
    int differences = 0;
    for (int i = 0; i < cJSON_GetArraySize(cases) && differences < ENOUGH; i++) {
        way w = way_number(i % 9, i);
        w.threads = 1 + (i / 3) % 2;
        w.ranks = i == 0 ? 1 : 2 + i % 3;
        if (is_run(i))
            differences += run_and_compare(i, &w, run_case(i, &reference_way, "reference"));
    }
    assert_int_equal(differences, 0);
}

/* ---- runs in pieces ---- */

/* hsgd run and verify: stopped by a signal in the second window, or in the fourth, and continued in another way; where rounds
 * are cut, mostly in the middle of one. */
static int run_in_pieces(int i, int code)
{
    way first = way_number(i % 9, i), second = way_number(8 - i % 9, i);
    first.stop_after = i % 3 == 1 ? 3 : 1;
    assert_exit("rm -rf other", 0);
    bool in_pieces = run_in(i, &first, "other", "") == 3 && exists("other/checkpoint");
    int got = run_in(i, &second, "other", "--resume");
    assert_exit("rm -rf other/checkpoint", 0);
    if (in_pieces && got == code)
        return compare(i, "reference", "other", "stopped and resumed");
    print_error("%s: %s\n", name_of(i), in_pieces ? "another exit code when resumed" : "it was not stopped");
    return 1;
}

static void stopped_and_resumed(void **state)
{
    (void)state;
    int differences = 0;
    for (int i = 0; i < cJSON_GetArraySize(cases) && differences < ENOUGH; i++) {
        if (is_run(i))
            differences += run_in_pieces(i, run_case(i, &reference_way, "reference"));
    }
    assert_int_equal(differences, 0);
}

int main(int argc, char **argv)
{
    if (argc > 7 && strcmp(argv[1], "--as-hsgd") == 0)
        return be_hsgd(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_have_every_key_and_word),
        cmocka_unit_test(switches_reach_the_engine),
        cmocka_unit_test(threads_orders_and_vectors),
        cmocka_unit_test(stopped_and_resumed),
        cmocka_unit_test(processes),
    };
    return cmocka_run_group_tests(tests, prepare, end);
}
