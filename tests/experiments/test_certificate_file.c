/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of certificates: what is written reads back to the same numbers, every mistake is named with its place, the schema
 * knows the keys of the reader, and no damaged file is accepted with a constant below the true worst case. */
#include "tests/bounds/certificates.h"
#include "tests/temp_files.h"

#include "experiments/certificate_private.h"
#include "experiments/json_private.h"

/* A new file each time: some file systems write a file to the disk at once when it takes the place of another's content. */
static const char *write_text(const char *text)
{
    for (size_t i = 0; i < temp_shared()->num_files; i++)
        unlink(temp_shared()->path[i]);
    return temp_write(temp_shared(), "certificate.json", text, strlen(text));
}

static char *file_text(const hsgd_certificate *c)
{
    cJSON *document = hsgd_certificate_to_json(c);
    char *text = hsgd_json_print(document);
    cJSON_Delete(document);
    assert_non_null(text);
    return text;
}

static hsgd_certificate read_back(const char *path)
{
    hsgd_error err;
    hsgd_certificate c;
    assert_ok(hsgd_certificate_read(&c, path, &err), err);
    return c;
}

/* The document of what was read is the document of what was written, and it proves the same. */
static void files_round_trip(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_certificate c[3] = {proof_certificate("1/40", "1", (size_t[]){4, 2}, 2, 6),
                             descent_certificate("1/5", "3/2", 3), descent_certificate("1/2", "1", 2)};
    c[2].num_levels = 1;
    c[2].periods[0] = 2;
    c[2].zero_level[0] = true;
    for (int i = 0; i < 3; i++) {
        const char *path = write_text("{}");
        assert_ok(hsgd_certificate_write(&c[i], path, &err), err);
        hsgd_certificate back = read_back(path);
        char *wrote = file_text(&c[i]), *read = file_text(&back);
        assert_string_equal(wrote, read);
        hsgd_certificate_verdict verdict;
        assert_ok(hsgd_certificate_check(&verdict, &back, &err), err);
        assert_true(verdict.proved);
        cJSON_free(wrote);
        cJSON_free(read);
        hsgd_certificate_free(&back);
        hsgd_certificate_free(&c[i]);
    }
}

/* a = 2/((2 - 3/10)(1/5) 3) = 1.9607843137...; b in powers: 1/300, 12345 and 1e-12/7. Always upwards. */
static void the_theorem_is_rounded_up(void **state)
{
    (void)state;
    hsgd_error err;
    char theorem[512];
    hsgd_certificate_verdict verdict;
    hsgd_certificate c = descent_certificate("1/5", "3/2", 3);
    c.num_levels = 3;
    for (size_t k = 0; k < 3; k++) {
        c.periods[k] = 1;
        c.divergence_coefficient[k] = copy_text(k == 0 ? "1/300" : k == 1 ? "123450" : "1e-12/7");
    }
    free(c.divergence_coefficient[2]);
    c.divergence_coefficient[2] = copy_text("1/7000000000000");
    assert_ok(hsgd_certificate_check(&verdict, &c, &err), err);
    assert_true(verdict.proved);
    hsgd_certificate_theorem(theorem, sizeof theorem, &verdict, &c);
    assert_string_equal(theorem, "S <= 1.960784314 Delta + 0.003333333334 D_1 + 123450 D_2 + 1.428571429e-13 D_3");
    hsgd_certificate_free(&c);
}

/* One change to a good file, and the message. */
static void check_message(const char *good, const char *from, const char *to, const char *message)
{
    hsgd_error err;
    hsgd_certificate c;
    const char *at = strstr(good, from);
    assert_non_null(at);
    size_t size = strlen(good) + strlen(to) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    snprintf(text, size, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    assert_fails(hsgd_certificate_read(&c, write_text(text), &err), HSGD_ERROR_INPUT, message, err);
    assert_non_null(strstr(err.message, "certificate.json: "));
    free(text);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const char good[] =
        "{\"certificate\": \"hsgd-pep-1\", \"periods\": [4, 2], \"zero_levels\": [2], \"steps\": 4, \"step_size\": "
        "\"1/40\","
        " \"smoothness\": \"1\", \"criterion\": \"min\", \"gap\": \"descent\", \"delta_coefficient\": \"20\","
        " \"divergence_coefficients\": [\"0.1\", null], \"gap_multipliers\": [{\"step\": 4, \"value\": \"20\"}],"
        " \"weights\": [{\"step\": 0, \"value\": \"1\"}], \"divergence\": [{\"level\": 1, \"step\": 0, \"value\": "
        "\"0.1\"}],"
        " \"interpolation\": [{\"higher\": [0, 0], \"lower\": [4, 0], \"value\": \"20\"}]}";
    hsgd_certificate c = read_back(write_text(good));
    hsgd_certificate_free(&c);
    static const char *const change[][3] = {
        {"hsgd-pep-1", "hsgd-pep-2", "certificate: \"hsgd-pep-2\": expected one of hsgd-pep-1"},
        {"\"steps\": 4,", "", "steps: missing"},
        {"\"steps\": 4", "\"steps\": 0", "steps: 0: expected a whole number from 1"},
        {"[4, 2]", "[4, 3]", "periods[1]: 3: expected a period that divides the one before, 4"},
        {"[2]", "[3]", "zero_levels[0]: 3: expected a whole number from 1 to 2"},
        {"\"1/40\"", "0.025", "step_size: 0.025: expected an exact number as a text"},
        {"\"min\"", "\"max\"", "criterion: \"max\": expected one of mean, min"},
        {"\"min\"", "\"mean\"", "weights: "},
        {"\"descent\"", "\"ascent\"", "gap: \"ascent\": expected one of descent, lower-bound"},
        {"[\"0.1\", null]", "[\"0.1\"]", "divergence_coefficients: [\"0.1\"]: 1 numbers for 2 levels"},
        {"null", "\"0\"", "divergence_coefficients[1]: \"0\": expected null"},
        {"[0, 0]", "[0]", "interpolation[0].higher: [0]: expected an array of at least 2"},
        {"[0, 0]", "[0, 0, 0]", "interpolation[0].higher: [0,0,0]: expected a point"},
        {"[0, 0]", "[-1, 0]", "interpolation[0].higher[0]: -1: expected a whole number"},
        {"\"higher\"", "\"upper\"", "interpolation[0].upper: "},
        {"\"level\": 1, ", "", "divergence[0].level: missing"},
        {"{\"step\": 0, \"value\": \"1\"}", "3", "weights[0]: 3: expected an object"},
        {"{\"step\": 4, \"value\": \"20\"}", "{\"step\": 4}", "gap_multipliers[0].value: missing"},
        {"\"gap\":", "\"theorem\": \"S <= 0\", \"gap\":", "theorem: \"S <= 0\": unknown key"},
        {"]}", "]", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof change / sizeof *change; i++)
        check_message(good, change[i][0], change[i][1], change[i][2]);
}

static void schema_knows_the_keys(void **state)
{
    (void)state;
    hsgd_error err;
    cJSON *schema;
    assert_ok(hsgd_json_read_file(&schema, "experiments/certificate.schema.json", &err), err);
    const cJSON *properties = cJSON_GetObjectItem(schema, "properties");
    hsgd_certificate c = empty_certificate("1", "1", NULL, 0, 1);
    c.criterion = HSGD_CERTIFICATE_MIN;
    c.delta_coefficient = copy_text("0");
    cJSON *document = hsgd_certificate_to_json(&c);
    const cJSON *member;
    cJSON_ArrayForEach(member, document)
    {
        if (!cJSON_GetObjectItem(properties, member->string))
            fail_msg("the schema lacks %s", member->string);
    }
    assert_int_equal(cJSON_GetArraySize(properties), cJSON_GetArraySize(document));
    cJSON_ArrayForEach(member, properties)
    {
        assert_non_null(cJSON_GetObjectItem(member, "description"));
    }
    cJSON_Delete(document);
    cJSON_Delete(schema);
    hsgd_certificate_free(&c);
}

/* Is the proved a at least 2/((2 - gamma L) gamma T) for what the file says now? Gradient descent attains it for
 * gamma L <= 1. */
static void assert_true_theorem(const hsgd_certificate *c, const hsgd_certificate_verdict *verdict)
{
    if (c->num_levels || c->criterion != HSGD_CERTIFICATE_MEAN || c->gap != HSGD_CERTIFICATE_DESCENT)
        return;
    mpq_t h, worst;
    mpq_inits(h, worst, NULL);
    const char *gamma = c->step_size, *L = c->smoothness;
    if (strspn(gamma, "0123456789/") == strlen(gamma) && strspn(L, "0123456789/") == strlen(L)) {
        descent_constant(worst, gamma, L, c->steps);
        if (mpq_sgn(worst) > 0 && verdict->delta_coefficient < mpq_get_d(worst) * (1 - 1e-12))
            fail_msg("a = %g is below the worst case %g of gamma = %s, L = %s, T = %zu", verdict->delta_coefficient,
                     mpq_get_d(worst), gamma, L, c->steps);
    }
    mpq_clears(h, worst, NULL);
}

/* Random damage: a byte changed, dropped or doubled, or a digit for a digit. Nothing crashes, every error has a place, and
 * what is still a proof proves something true. */
static void damaged_files(void **state)
{
    (void)state;
    hsgd_certificate whole = descent_certificate("1/5", "3/2", 2);
    char *good = file_text(&whole);
    size_t length = strlen(good), proofs = 0, refused = 0, illegal = 0;
    uint64_t random = 12345;
    for (int i = 0; i < 1500; i++) {
        char *text = malloc(length + 2);
        assert_non_null(text);
        memcpy(text, good, length + 1);
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t at = (random >> 33) % length, kind = (random >> 20) % 5;
        if (kind == 0)
            memmove(text + at, text + at + 1, length - at);
        else if (kind == 1)
            memmove(text + at + 1, text + at, length - at + 1);
        else if (kind == 2)
            text[at] = (char)(random >> 50 & 0x7f);
        else if (strchr("0123456789", text[at]))
            text[at] = (char)('0' + (random >> 50) % 10);
        hsgd_error err;
        hsgd_certificate c;
        hsgd_certificate_verdict verdict;
        if (hsgd_certificate_read(&c, write_text(text), &err) || hsgd_certificate_check(&verdict, &c, &err)) {
            assert_int_equal(err.status, HSGD_ERROR_INPUT);
            illegal++;
        } else {
            proofs += verdict.proved;
            refused += !verdict.proved;
            if (verdict.proved)
                assert_true_theorem(&c, &verdict);
        }
        hsgd_certificate_free(&c);
        free(text);
    }
    assert_true(proofs > 40 && refused > 40 && illegal > 40);
    cJSON_free(good);
    hsgd_certificate_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_round_trip),   cmocka_unit_test(the_theorem_is_rounded_up),
        cmocka_unit_test(mistakes_are_named), cmocka_unit_test(schema_knows_the_keys),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests(tests, temp_open_shared, temp_close_shared);
}
