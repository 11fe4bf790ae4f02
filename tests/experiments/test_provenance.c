/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums are those of FIPS 180-4 and of sha256sum, whatever pieces the bytes come in; "provenance" of result.json
 * says what was run, with which files, and when: the same bytes again under SOURCE_DATE_EPOCH, and a hash of the
 * configuration that does not depend on the machine. */
#include "tests/experiments/program.h"

#include <zlib.h>

#include "experiments/checksum.h"
#include "experiments/provenance.h"

/* ---- checksums ---- */

static void check_digest(const void *data, size_t size, size_t piece, const char *wanted)
{
    char digest[HSGD_CHECKSUM_SIZE];
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    assert_non_null(checksum);
    for (size_t i = 0; i < size; i += piece)
        hsgd_checksum_add(checksum, (const char *)data + i, i + piece < size ? piece : size - i);
    hsgd_checksum_finish(checksum, digest);
    assert_string_equal(digest, wanted);
    hsgd_checksum_finish(checksum, digest); /* all is forgotten */
    assert_string_equal(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hsgd_checksum_free(checksum);
}

/* The examples of NIST for SHA-256. */
static void checksums_are_those_of_the_standard(void **state)
{
    (void)state;
    enum { MILLION = 1000000 };
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char *a = malloc(MILLION);
    assert_non_null(a);
    memset(a, 'a', MILLION);
    check_digest("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_digest("abc", 3, 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_digest(two_blocks, 56, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_digest(a, MILLION, 7919, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(a);
}

/* The digest that sha256sum gives a file; 64 characters. */
static void sum_of(char sum[HSGD_CHECKSUM_SIZE], const char *path)
{
    char line[512];
    snprintf(line, sizeof line, "sha256sum %s", path);
    assert_exit(line, 0);
    snprintf(sum, HSGD_CHECKSUM_SIZE, "%.64s", out);
}

static void checksums_of_files_are_those_of_sha256sum(void **state)
{
    (void)state;
    enum { SIZE = 1000003 }; /* several pieces and a rest */
    hsgd_error err;
    char digest[HSGD_CHECKSUM_SIZE], wanted[HSGD_CHECKSUM_SIZE], *bytes = malloc(SIZE);
    double size;
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * i >> 3);
    write_bytes("big", bytes, SIZE);
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    assert_ok(hsgd_checksum_add_file(checksum, "big", &size, &err), err);
    hsgd_checksum_finish(checksum, digest);
    sum_of(wanted, "big");
    assert_string_equal(digest, wanted);
    assert_true(size == SIZE);
    assert_fails(hsgd_checksum_add_file(checksum, "no/such", NULL, &err), HSGD_ERROR_INPUT, "no/such: cannot be opened",
                 err);
    assert_fails(hsgd_checksum_add_file(checksum, "/", NULL, &err), HSGD_ERROR_INPUT, "/: is a folder; expected a file",
                 err);
    hsgd_checksum_free(checksum);
    free(bytes);
}

/* ---- provenance ---- */

static const char samples[] = "1 1:0.5 2:-1\n-1 1:0.25\n1 2:2\n-1 1:-0.75 2:0.5\n";

static void write_config(const char *file, const char *data, const char *rest)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"name\": \"p\", \"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": "
             "\"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"%s\"}}, \"optimizer\": {\"step_size\": 0.1, "
             "\"steps\": 8, \"batch_size\": 1}, \"figures\": [], \"bounds\": []%s}",
             data, rest);
    write_text(file, text);
}

static cJSON *provenance_of(const char *line, const char *path)
{
    assert_exit(line, 0);
    cJSON *result = read_json(path), *provenance = cJSON_DetachItemFromObject(result, "provenance");
    cJSON_Delete(result);
    assert_true(cJSON_IsObject(provenance));
    return provenance;
}

static void a_result_says_where_it_comes_from(void **state)
{
    (void)state;
    char sum[HSGD_CHECKSUM_SIZE];
    write_text("d.txt", samples);
    write_text("t.txt", samples + 13);
    write_config("c.json", "d.txt\", \"test\": {\"path\": \"t.txt\"}, \"scaling\": \"none",
                 ", \"seeds\": 3, \"first_seed\": 5");
    cJSON *p = provenance_of("$H run c.json --output o --quiet --threads 2", "o/result.json");
    assert_string_equal(text_of(p, "command"), "run");
    assert_string_equal(text_of(p, "date"), "2023-11-14T22:13:20Z"); /* 1700000000 s, by date -u -d @1700000000 */
    assert_true(number(p, "first_seed") == 5 && number(p, "last_seed") == 7);
    assert_null(cJSON_GetObjectItem(p, "threads"));
    cJSON *files = get(p, "data_files");
    assert_int_equal(cJSON_GetArraySize(files), 2);
    sum_of(sum, "d.txt");
    assert_string_equal(text_of(cJSON_GetArrayItem(files, 0), "sha256"), sum);
    assert_string_equal(text_of(cJSON_GetArrayItem(files, 0), "name"), "d.txt");
    assert_true(number(cJSON_GetArrayItem(files, 0), "bytes") == strlen(samples));
    sum_of(sum, "t.txt");
    assert_string_equal(text_of(cJSON_GetArrayItem(files, 1), "sha256"), sum);
    assert_non_null(strstr(text_of(p, "compiler"), "."));
    assert_string_equal(text_of(get(p, "libraries"), "zlib"), zlibVersion());
    cJSON_Delete(p);
}

/* The machine as other programs see it, and the files beside the document as sha256sum does. */
static void a_result_says_what_computed_it(void **state)
{
    (void)state;
    char sum[HSGD_CHECKSUM_SIZE];
    write_text("d.txt", samples);
    write_config("c.json", "d.txt", "");
    cJSON *p = provenance_of("$H run c.json --output m --quiet", "m/result.json"), *files = get(p, "output_files");
    assert_exit("printf %s \"$(uname -s -r -m)\"", 0);
    assert_string_equal(text_of(p, "system"), out);
    assert_exit("printf %s \"$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)\"", 0);
    assert_string_equal(text_of(get(p, "libraries"), "glibc"), out);
    assert_exit("printf %s \"$(sed -n '/^flags/{s/.*: //;p;q}' /proc/cpuinfo | tr ' ' '\\n' | "
                "grep -E '^(s?sse|avx|fma|f16c|amx|sve|neon|asimd)' | paste -sd' ')\"",
                0);
    if (*out)
        assert_string_equal(text_of(p, "cpu_features"), out);
    static const char *const names[] = {"series.csv", "nodes.csv"};
    assert_int_equal(cJSON_GetArraySize(files), 2);
    for (int i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "m/%s", names[i]);
        sum_of(sum, path);
        assert_string_equal(text_of(cJSON_GetArrayItem(files, i), "name"), names[i]);
        assert_string_equal(text_of(cJSON_GetArrayItem(files, i), "sha256"), sum);
    }
    cJSON_Delete(p);
}

/* One of many configurations names the hash of their hashes, which sha256sum finds in the results of the points; one of a single
 * configuration has its hash, seeds and data, as that of a run. */
static void documents_of_other_commands_do_so_too(void **state)
{
    (void)state;
    write_text("d.txt", samples);
    write_config("c.json", "d.txt",
                 ", \"seeds\": 2, \"sweep\": {\"axes\": [{\"name\": \"s\", \"key\": \"optimizer.step_size\", "
                 "\"values\": [0.1, 0.2]}]}");
    cJSON *p = provenance_of("$H sweep c.json --output s --quiet || test $? = 3", "s/sweep.json");
    assert_string_equal(text_of(p, "command"), "sweep");
    assert_true(number(p, "configs") == 2);
    assert_exit(
        "for s in 0.1 0.2; do sed -n 's/.*\"config_sha256\":.*\"\\(.*\\)\".*/\\1/p' s/points/s-$s/result.json; done | "
        "sha256sum",
        0);
    assert_int_equal(strncmp(out, text_of(p, "configs_sha256"), 64), 0);
    cJSON_Delete(p);
    write_config("c.json", "d.txt",
                 ", \"seeds\": 2, \"first_seed\": 3, \"rate\": {\"over\": \"steps\", \"values\": [4, 8, 16]}");
    p = provenance_of("$H rate c.json --output rate --quiet || test $? = 3", "rate/rate.json");
    assert_string_equal(text_of(p, "command"), "rate");
    assert_true(number(p, "first_seed") == 3 && number(p, "last_seed") == 4);
    sum_of((char[HSGD_CHECKSUM_SIZE]){0}, "d.txt");
    assert_int_equal(strncmp(out, text_of(cJSON_GetArrayItem(get(p, "data_files"), 0), "sha256"), 64), 0);
    assert_int_equal(strlen(text_of(p, "config_sha256")), 64);
    cJSON_Delete(p);
    assert_refusal("SOURCE_DATE_EPOCH=soon $H rate c.json --output rate2", 2, "SOURCE_DATE_EPOCH: \"soon\"");
    assert_false(exists("rate2"));
}

/* ---- every kind of document ---- */

/* What a document must say beside the program and the machine. */
typedef enum inputs { SEEDS = 1, DATA = 2, CONFIG = 4, CONFIGS = 8 } inputs;

static void check_program(const cJSON *document, const char *command)
{
    static const char *const texts[] = {"commit", "date",        "processor", "cpu_features",
                                        "system", "vector_path", "compiler",  "compiler_flags"};
    const cJSON *p = get(document, "provenance"), *libraries = get(p, "libraries");
    assert_string_equal(text_of(document, "version"), HSGD_VERSION);
    assert_string_equal(text_of(p, "command"), command);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_of(p, texts[i]);
    assert_string_equal(text_of(p, "date"), "2023-11-14T22:13:20Z");
    assert_true(strlen(text_of(libraries, "GSL")) > 0 && cJSON_GetArraySize(libraries) >= 8);
}

static void check_inputs(const cJSON *p, unsigned wanted)
{
    char sum[HSGD_CHECKSUM_SIZE];
    if (wanted & SEEDS)
        assert_true(number(p, "first_seed") == 5 && number(p, "last_seed") == 6);
    if (wanted & CONFIG)
        assert_int_equal(strlen(text_of(p, "config_sha256")), 64);
    if (wanted & CONFIGS)
        assert_int_equal(strlen(text_of(p, "configs_sha256")), 64);
    if (!(wanted & DATA))
        return;
    sum_of(sum, "d.txt"); /* once, however many points read it */
    assert_int_equal(cJSON_GetArraySize(get(p, "data_files")), 1);
    assert_string_equal(text_of(cJSON_GetArrayItem(get(p, "data_files"), 0), "sha256"), sum);
}

#define WHOLE(problem, batch, more)                                                                                    \
    "{\"name\": \"p\", \"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {" problem               \
    "}, \"optimizer\": {\"step_size\": 0.1, \"steps\": 8" batch                                                        \
    "}, \"seeds\": 2, \"first_seed\": 5, \"figures\": []" more "}"
#define ON_DATA(more)                                                                                                  \
    WHOLE("\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"d.txt\"}", ", \"batch_size\": 1",    \
          more)
#define QUADRATIC(more)                                                                                                \
    WHOLE("\"type\": \"quadratic\", \"dimension\": 2, \"curvature_range\": [0.1, 1], \"level_divergence\": [1, 1], "   \
          "\"noise_variance\": 0",                                                                                     \
          "", more)
#define AXIS "{\"axes\": [{\"name\": \"s\", \"key\": \"optimizer.step_size\", \"values\": [0.1, 0.2]}]"

static const struct {
    const char *command, *config, *line, *file; /* file: the document; .out: standard output */
    unsigned wanted;
} documents[] = {
    {"run", ON_DATA(""), "$H run c.json --output d --quiet", "d/result.json", SEEDS | DATA | CONFIG},
    {"verify", ON_DATA(""), "$H verify c.json --output d --quiet", "d/result.json", SEEDS | DATA | CONFIG},
    {"sweep", ON_DATA(", \"sweep\": " AXIS "}"), "$H sweep c.json --output d --quiet", "d/sweep.json",
     SEEDS | DATA | CONFIGS},
    {"phase", ON_DATA(", \"phase\": " AXIS "}"), "$H phase c.json --output d --quiet", "d/phase.json",
     SEEDS | DATA | CONFIGS},
    {"rate", ON_DATA(", \"rate\": {\"over\": \"steps\", \"values\": [4, 8, 16]}"), "$H rate c.json --output d --quiet",
     "d/rate.json", SEEDS | DATA | CONFIG},
    {"hunt",
     QUADRATIC(", \"hunt\": {\"bound\": \"dispersion\", \"free\": [\"linear\"], \"budget\": {\"evaluations\": 9}}"),
     "$H hunt c.json --output d --quiet", "d/hunt.json", SEEDS | CONFIG},
    {"pep",
     QUADRATIC(", \"pep\": {\"from\": 0.5, \"to\": 0.9, \"points\": 3, \"axes\": [{\"name\": \"T\", \"key\": "
               "\"optimizer.steps\", \"values\": [1]}]}"),
     "$H pep c.json --output d --quiet", "d/pep.json", SEEDS | CONFIGS},
    {"plan",
     "{\"workers\": 8, \"communication\": {\"levels\": [\"lan\"]}, \"dimension\": 100, \"constants\": {\"L\": 1, "
     "\"sigma_sq\": 1, \"delta\": 1, \"global_divergence_sq\": 1}, \"max_period\": 4, \"budget_seconds\": 60}",
     "$H plan c.json --output d --quiet", "d/plan.json", CONFIG},
    {"pep", QUADRATIC(""), "$H pep --periods 2 --steps 2 --step-size 0.5 --json", ".out", 0},
};

static void every_document_says_all_of_this(void **state)
{
    (void)state;
    write_text("d.txt", samples);
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        assert_exit("rm -rf d", 0);
        write_text("c.json", documents[i].config);
        int code = shell(documents[i].line);
        if (code == 2 || code == 4)
            fail_msg("%s\n%s", documents[i].line, err_text);
        cJSON *document = read_json(documents[i].file);
        check_program(document, documents[i].command);
        check_inputs(get(document, "provenance"), documents[i].wanted);
        cJSON_Delete(document);
    }
}

/* Without SOURCE_DATE_EPOCH: now, and the number of threads. */
static void the_date_is_that_of_the_run(void **state)
{
    (void)state;
    write_text("d.txt", samples);
    write_config("c.json", "d.txt", "");
    assert_exit("date -u +%Y-%m-%dT%H:%M:%SZ", 0);
    char before[32];
    snprintf(before, sizeof before, "%.20s", out);
    cJSON *p =
        provenance_of("unset SOURCE_DATE_EPOCH; $H verify c.json --output now --quiet --threads 2", "now/result.json");
    assert_exit("date -u +%Y-%m-%dT%H:%M:%SZ", 0);
    assert_true(strcmp(before, text_of(p, "date")) <= 0 && strncmp(text_of(p, "date"), out, 20) <= 0);
    assert_true(number(p, "threads") == 2);
    assert_string_equal(text_of(p, "command"), "verify");
    cJSON_Delete(p);
    assert_refusal("SOURCE_DATE_EPOCH=tomorrow $H run c.json --output now2", 2,
                   "SOURCE_DATE_EPOCH: \"tomorrow\" is not a number of seconds since 1970");
    assert_false(exists("now2"));
}

/* Elsewhere the same configuration has the same hash; another one has not. */
static void the_hash_of_a_configuration_forgets_folders(void **state)
{
    (void)state;
    char hash[3][HSGD_CHECKSUM_SIZE];
    assert_exit("mkdir -p else/where", 0);
    write_text("d.txt", samples);
    write_text("else/where/d.txt", samples);
    write_config("c.json", "d.txt", "");
    write_config("else/c.json", "where/d.txt", "");
    write_config("b.json", "d.txt", ", \"first_seed\": 2");
    static const char *const line[] = {"$H run c.json --output h --quiet", "$H run else/c.json --output h --quiet",
                                       "$H run b.json --output h --quiet"};
    for (int i = 0; i < 3; i++) {
        cJSON *p = provenance_of(line[i], "h/result.json");
        snprintf(hash[i], sizeof hash[i], "%s", text_of(p, "config_sha256"));
        assert_int_equal(strlen(hash[i]), 64);
        cJSON_Delete(p);
    }
    assert_string_equal(hash[0], hash[1]);
    assert_string_not_equal(hash[0], hash[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checksums_are_those_of_the_standard),
                                       cmocka_unit_test(checksums_of_files_are_those_of_sha256sum),
                                       cmocka_unit_test(a_result_says_where_it_comes_from),
                                       cmocka_unit_test(a_result_says_what_computed_it),
                                       cmocka_unit_test(documents_of_other_commands_do_so_too),
                                       cmocka_unit_test(every_document_says_all_of_this),
                                       cmocka_unit_test(the_date_is_that_of_the_run),
                                       cmocka_unit_test(the_hash_of_a_configuration_forgets_folders)};
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
