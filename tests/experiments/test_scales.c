/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scales and shapes at the ends of what is possible.
 *
 * A problem in other units is the same problem: with models times 2^s and f times 4^s 2^c every number of a result takes a
 * power of two, to the bit, as long as squares neither overflow nor lose digits; at 2^498, about 1e150, whose squares are
 * near the end of the range, up to the last digits; beyond, the program must say why not. Shapes (one worker, groups of one, one
 * group, T = 1, G = I, T < G) are compared with the plainer tree that they are the same as. */
#include "tests/experiments/program.h"

#include <float.h>

enum { WORKERS = 6, DIM = 4, FEATURES = 3, SAMPLES = 48, TEXT = 1 << 13 };

/* Numbers without any pattern. */
static const double CURVATURE[DIM] = {1, 0.71, 0.13, 0.058};

static double ugly(size_t i)
{
    double x = sin(12.9898 * (double)(i + 1)) * 43758.5453;
    return 2 * (x - floor(x)) - 1;
}

typedef struct units {
    int model, curvature; /* exponents of 2: of w, and of the Hessians */
} units;

static void put_row(FILE *file, const char *before, size_t first, size_t count, double scale, const char *after)
{
    fputs(before, file);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s%.17g", i ? "," : "[", scale * ugly(first + i));
    fprintf(file, "]%s", after);
}

typedef struct quadratic {
    units in;
    bool own;         /* a Hessian for every worker */
    double noise;     /* variance in units of a gradient */
    const char *rest; /* more keys, with a comma */
} quadratic;

static void write_quadratic(const char *path, const quadratic *q)
{
    double model = ldexp(1, q->in.model), curvature = ldexp(1, q->in.curvature), grad = model * curvature;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"hierarchy\":{\"fanout\":[2,3],\"periods\":[4,2]},\"problem\":{\"type\":\"quadratic\",\"curvature\":[",
          file);
    for (size_t j = 0; j < (q->own ? WORKERS : 1); j++) {
        fprintf(file, "%s", q->own ? j ? ",[" : "[" : "");
        for (size_t i = 0; i < DIM; i++)
            fprintf(file, "%s%.17g", i ? "," : "", curvature * CURVATURE[i] * (1 + 0.07 * (double)j));
        fputs(q->own ? "]" : "", file);
    }
    for (size_t j = 0; j < WORKERS; j++)
        put_row(file, j ? "," : "],\"linear\":[", j * DIM, DIM, grad, "");
    fprintf(file, "],\"noise_variance\":%.17g},", q->noise * grad * grad);
    put_row(file, "\"initial\":{\"point\":", 100, DIM, model, "},");
    fprintf(file, "%s\"optimizer\":{\"step_size\":%.17g,\"steps\":18},\"figures\":[]}", q->rest,
            ldexp(0.011, -q->in.curvature));
    assert_int_equal(fclose(file), 0);
}

/* ---- documents in other units ---- */

/* The same up to a power of two: what is not a number, and 0, are equal. Words that show numbers are not looked at. What is
 * allowed for rounding is far below what it is allowed for, and may lose digits first. */
static bool is_scaled(const cJSON *a, const cJSON *b, double tolerance, char *where, size_t size)
{
    int exponent;
    if (a->string && (strstr(a->string, "reason") || strcmp(a->string, "document_sha256") == 0))
        return true;
    snprintf(where, size, "%s: %.17g and %.17g", a->string ? a->string : "an entry", a->valuedouble, b->valuedouble);
    if (a->type != b->type)
        return false;
    if (cJSON_IsNumber(a)) {
        double x = frexp(a->valuedouble, &exponent), y = frexp(b->valuedouble, &exponent);
        return fabs(x - y) <= (fabs(b->valuedouble) < DBL_MIN ? 1e-10 : tolerance);
    }
    if (cJSON_IsString(a))
        return strcmp(a->valuestring, b->valuestring) == 0;
    const cJSON *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next)
        if (!is_scaled(x, y, tolerance, where, size))
            return false;
    return !x && !y;
}

/* What the command line writes to .out, or to the folder r; without what only says where it comes from. */
static cJSON *document_of(const char *line, bool folder)
{
    static const char *const own[] = {"config", "provenance", "data", "files"};
    int code = shell(line);
    if (code != 0 && code != 3)
        fail_msg("%s\nended with %d\n%s", line, code, err_text);
    cJSON *document = folder ? read_json("r/result.json") : parse_json(out);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(document, own[i]);
    return document;
}

static void check_scaled(const cJSON *want, const cJSON *got, units in)
{
    char where[256] = "";
    bool at_the_end = abs(in.model) > 450 || abs(in.curvature) > 450;
    if (!is_scaled(want, got, at_the_end ? 1e-12 : 0, where, sizeof where))
        fail_msg("2^%d and 2^%d: %s", in.model, in.curvature, where);
}

/* Models and curvatures, and thereby gradients, from 1e-150 to 1e150. */
static const units GRID[] = {{0, 0},    {400, 0}, {0, -400}, {-200, -200}, {498, 0},
                             {-498, 0}, {0, 498}, {0, -498}, {249, 249},   {-498, 498}};
enum { NUM_UNITS = sizeof GRID / sizeof *GRID };

static void compare_quadratics(quadratic q, const char *line, bool folder)
{
    cJSON *want = NULL;
    for (size_t i = 0; i < NUM_UNITS; i++) {
        q.in = GRID[i];
        write_quadratic("c.json", &q);
        cJSON *got = document_of(line, folder);
        if (want)
            check_scaled(want, got, q.in);
        else
            want = cJSON_Duplicate(got, true);
        cJSON_Delete(got);
    }
    cJSON_Delete(want);
}

static const char VERIFY[] = "$H verify c.json --output r --threads 1 --quiet";

static void quadratics_scale_to_the_bit(void **state)
{
    (void)state;
    compare_quadratics((quadratic){.noise = 0.83, .rest = "\"seeds\":5,"}, VERIFY, true);
    compare_quadratics((quadratic){.noise = 0.41, .own = true, .rest = "\"seeds\":5,"}, VERIFY, true);
    compare_quadratics((quadratic){.noise = 0.83, .rest = "\"seeds\":5,\"grouping\":\"random\","},
                       "$H run c.json --output r --threads 1 --quiet", true);
}

static void exact_moments_scale_to_the_bit(void **state)
{
    (void)state;
    compare_quadratics((quadratic){.noise = 0.83, .rest = ""}, "$H exact c.json --json", false);
    compare_quadratics((quadratic){.noise = 0.83, .own = true, .rest = ""}, "$H exact c.json --json", false);
}

static void bounds_scale_to_the_bit(void **state)
{
    (void)state;
    cJSON *want = NULL;
    for (size_t i = 0; i < NUM_UNITS; i++) {
        char text[1024];
        double L = ldexp(1, GRID[i].curvature), square = ldexp(1, 2 * (GRID[i].model + GRID[i].curvature));
        snprintf(text, sizeof text,
                 "{\"hierarchy\":{\"fanout\":[2,3],\"periods\":[4,2]},\"step_size\":%.17g,\"steps\":100,\"L\":%.17g,"
                 "\"sigma_sq\":%.17g,\"delta\":%.17g,\"level_divergence_sq\":[%.17g,%.17g],"
                 "\"global_divergence_sq\":%.17g}",
                 0.0031 / L, L, 0.7 * square, 1.3 * square / L, 0.31 * square, 0.23 * square, 0.54 * square);
        write_text("p.json", text);
        cJSON *got = document_of("$H bound p.json --json", false);
        if (want)
            check_scaled(want, got, GRID[i]);
        else
            want = cJSON_Duplicate(got, true);
        cJSON_Delete(got);
    }
    cJSON_Delete(want);
}

/* ---- models on data: features times 2^k, w^0 and the step size to match ---- */

static void write_linear(const char *type, size_t classes, int k)
{
    size_t dim = FEATURES * (classes > 2 ? classes : 1);
    FILE *file = fopen("d.txt", "w");
    assert_non_null(file);
    for (size_t s = 0; s < SAMPLES; s++) {
        fprintf(file, "%d", classes > 2 ? (int)(s % classes) : s % 2 ? 1 : -1);
        for (size_t i = 0; i < FEATURES; i++)
            fprintf(file, " %zu:%.17g", i + 1, ldexp(ugly(7 + s * FEATURES + i) + 0.1 * (double)(s % classes), k));
        fputc('\n', file);
    }
    assert_int_equal(fclose(file), 0);
    file = fopen("c.json", "w");
    assert_non_null(file);
    fprintf(file,
            "{\"hierarchy\":{\"fanout\":[2,3],\"periods\":[4,2]},\"problem\":{\"type\":\"%s\",\"data\":{\"format\":"
            "\"libsvm\",\"path\":\"d.txt\"},\"partition\":{\"scheme\":\"by-label\"},\"regularizer\":{\"type\":\"l2\","
            "\"weight\":%.17g}},",
            type, ldexp(0.013, 2 * k));
    put_row(file, "\"initial\":{\"point\":", 300, dim, ldexp(1, -k), "},");
    fprintf(file, "\"optimizer\":{\"step_size\":%.17g,\"steps\":9,\"batch_size\":3},\"seeds\":4,\"figures\":[]}",
            ldexp(0.037, -2 * k));
    assert_int_equal(fclose(file), 0);
}

/* L goes with the square of the features: 2^498 for 2^249. */
static void models_on_data_scale_to_the_bit(void **state)
{
    (void)state;
    static const int exponents[] = {0, 97, -97, 249, -249};
    for (size_t type = 0; type < 2; type++) {
        cJSON *want = NULL;
        for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
            write_linear(type ? "softmax" : "logistic", type ? 3 : 2, exponents[i]);
            cJSON *got = document_of("$H run c.json --output r --threads 1 --quiet", true);
            if (want)
                check_scaled(want, got, (units){exponents[i], 0});
            else
                want = cJSON_Duplicate(got, true);
            cJSON_Delete(got);
        }
        cJSON_Delete(want);
    }
}

/* Features near 1e-150 have an L near 1e-300, whose square is 0: no bound and no step of the proof may need it. */
static void a_square_of_L_that_underflows_violates_nothing(void **state)
{
    (void)state;
    write_linear("logistic", 2, -498);
    cJSON *got = document_of("$H verify c.json --output r --threads 1 --quiet", true);
    const cJSON *rung;
    cJSON_ArrayForEach(rung, get(got, "ladder"))
    {
        const cJSON *step = cJSON_GetObjectItemCaseSensitive(rung, "step"); /* R0 has none */
        if (cJSON_IsObject(step))
            assert_string_not_equal(text_of(step, "verdict"), "violated");
    }
    assert_true(number(element(get(got, "bounds"), "id", "hsgd-fixed-recursive"), "value") >
                number(element(get(got, "ladder"), "rung", "R4"), "value"));
    cJSON_Delete(got);
}

/* ---- beyond the range ---- */

static void squares_that_are_lost_are_refused(void **state)
{
    (void)state;
    static const struct {
        units in;
        const char *says;
    } lost[] = {{{-516, 0}, "squared gradients at the initial point are below 2.2e-308"},
                {{-300, -300}, "squared gradients at the initial point are below 2.2e-308"},
                {{-700, 0}, "squared gradients at the initial point are below 2.2e-308"},
                {{-1000, 490}, "squared distances between models are below 2.2e-308"}};
    static const char *const commands[] = {"$H run c.json --output x", "$H verify c.json --output x",
                                           "$H exact c.json --json"};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
        for (size_t k = 0; k < sizeof commands / sizeof *commands; k++) {
            quadratic q = {.in = lost[i].in, .noise = 0.83, .rest = "\"seeds\":3,"};
            write_quadratic("c.json", &q);
            assert_refusal(commands[k], 2, lost[i].says);
            assert_false(exists("x"));
        }
    /* three S that are 0 would be equal */
    quadratic q = {.in = {-700, 0},
                   .noise = 0.83,
                   .rest =
                       "\"phase\":{\"axes\":[{\"name\":\"G\",\"key\":\"hierarchy.periods[0]\",\"values\":[4,8]}]},"};
    write_quadratic("c.json", &q);
    assert_refusal("$H phase c.json --output x --quiet", 2, "squared gradients at the initial point");
}

/* Features of 1e200 have no finite L; those of 1e-200 no squared gradients, but a network has biases, whose gradients do not
 * know the features. */
static void features_beyond_the_range(void **state)
{
    (void)state;
    static const struct {
        const char *type, *feature, *says;
    } cases[] = {{"logistic", "1e200", "L: inf is not a finite number"},
                 {"logistic", "1e-200", "squared gradients at the initial point are below 2.2e-308"},
                 {"mlp", "1e-200", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, "1 1:%s\n-1 1:-%s\n1 1:%s\n-1 1:-%s\n", cases[i].feature, cases[i].feature,
                 cases[i].feature, cases[i].feature);
        write_text("d.txt", text);
        snprintf(text, sizeof text,
                 "{\"hierarchy\":{\"fanout\":[2,1],\"periods\":[4,2]},\"problem\":{\"type\":\"%s\",%s\"data\":"
                 "{\"format\":\"libsvm\",\"path\":\"d.txt\"}},\"figures\":[],\"seeds\":2,"
                 "\"optimizer\":{\"step_size\":0.1,\"steps\":5}}",
                 cases[i].type, strcmp(cases[i].type, "mlp") == 0 ? "\"hidden\":[3]," : "");
        write_text("c.json", text);
        if (cases[i].says)
            assert_refusal("$H run c.json --output x --quiet", 2, cases[i].says);
        else
            assert_exit("$H run c.json --output r --quiet", 0);
    }
}

/* Nothing is lost where there is nothing. */
static void a_problem_without_gradients_is_not_refused(void **state)
{
    (void)state;
    write_text("c.json", "{\"hierarchy\":{\"fanout\":[2,2],\"periods\":[4,2]},\"problem\":{\"type\":\"quadratic\","
                         "\"curvature\":[1,0.3],\"linear\":[[0,0],[0,0],[0,0],[0,0]]},\"figures\":[],"
                         "\"optimizer\":{\"step_size\":0.1,\"steps\":9}}");
    assert_exit("$H run c.json --output r --threads 1 --quiet", 0);
    cJSON *got = read_json("r/result.json");
    assert_true(number(get(get(got, "measured"), "S"), "mean") == 0);
    cJSON_Delete(got);
}

/* Before any step: no step size would help, nothing was compared, and nothing holds. */
static void squares_that_overflow_at_the_start_are_inconclusive(void **state)
{
    (void)state;
    static const units beyond[] = {{511, 0}, {1000, -500}};
    for (size_t i = 0; i < 2; i++) {
        quadratic q = {.in = beyond[i], .noise = 0.11, .rest = "\"seeds\":3,"};
        write_quadratic("c.json", &q);
        assert_exit("rm -rf r; $H run c.json --output r", 3);
        assert_non_null(strstr(out, "DIVERGED: 3 of 3 seeds, first at step 0"));
        assert_non_null(strstr(out, "which no step size can change"));
        cJSON *got = read_json("r/result.json");
        const cJSON *item;
        cJSON_ArrayForEach(item, get(got, "identities"))
        {
            assert_string_equal(text_of(item, "verdict"), "not applicable");
            assert_true(cJSON_IsNull(get(item, "max_relative_error")));
        }
        cJSON_ArrayForEach(item, get(got, "bounds")) assert_string_not_equal(text_of(item, "verdict"), "holds");
        assert_non_null(strstr(text_of(element(get(got, "bounds"), "id", "hsgd-fixed"), "verdict_reason"),
                               "no finite number at the initial point"));
        cJSON_Delete(got);
        assert_exit("$H check r --quiet", 0);
    }
}

/* f = w^2/2 without noise and step size 257: w^t = (-256)^t, so that w^2 is 2^(16 t), which overflows at t = 64. */
static void divergence_is_found_at_its_step(void **state)
{
    (void)state;
    static const struct {
        int every, step;
    } cases[] = {{1, 64}, {10, 70}};
    for (size_t i = 0; i < 2; i++) {
        char text[1024];
        snprintf(
            text, sizeof text,
            "{\"hierarchy\":{\"fanout\":[2,2],\"periods\":[4,2]},\"problem\":{\"type\":\"quadratic\",\"curvature\":"
            "[1],\"linear\":[[0],[0],[0],[0]]},\"initial\":{\"point\":[1]},\"measure_every\":%d,\"figures\":[],"
            "\"optimizer\":{\"step_size\":257,\"steps\":100}}",
            cases[i].every);
        write_text("c.json", text);
        int code = shell("rm -rf r; $H verify c.json --output r --threads 1 --quiet");
        assert_true(code == 0 || code == 3);
        cJSON *got = read_json("r/result.json"), *measured = get(got, "measured");
        assert_int_equal((int)number(measured, "diverged_at"), cases[i].step);
        assert_true(cJSON_IsNull(get(get(measured, "S"), "mean")));
        const cJSON *bound;
        cJSON_ArrayForEach(bound, get(got, "bounds")) assert_string_equal(text_of(bound, "verdict"), "not applicable");
        cJSON_Delete(got);
    }
}

/* Models may leave the range where gradients and losses do not: f = 1e-170 w. */
static void models_beyond_the_range_diverge(void **state)
{
    (void)state;
    write_text("c.json", "{\"hierarchy\":{\"fanout\":[2,1],\"periods\":[4,2]},\"problem\":{\"type\":\"quadratic\","
                         "\"curvature\":[0],\"linear\":[[1e-10],[2e-10]]},\"bounds\":[],\"figures\":[],"
                         "\"optimizer\":{\"step_size\":1e165,\"steps\":8}}");
    int code = shell("rm -rf r; $H run c.json --output r --threads 1 --quiet");
    assert_true(code == 0 || code == 3);
    cJSON *got = read_json("r/result.json");
    assert_int_equal((int)number(get(got, "measured"), "diverged_at"), 1);
    cJSON_Delete(got);
}

/* ---- shapes ---- */

typedef struct shape {
    const char *hierarchy, *same; /* the tree that it is the same as */
    size_t workers, steps;
} shape;

static void write_shape(const char *hierarchy, const shape *s, double noise)
{
    FILE *file = fopen("c.json", "w");
    assert_non_null(file);
    fprintf(file, "{\"hierarchy\":%s,\"problem\":{\"type\":\"quadratic\",\"curvature\":[0.93,0.41,0.07],", hierarchy);
    for (size_t j = 0; j < s->workers; j++)
        put_row(file, j ? "," : "\"linear\":[", 3 * j, 3, 1, "");
    fprintf(file,
            "],\"noise_variance\":%g},\"seeds\":3,\"figures\":[],\"optimizer\":{\"step_size\":0.023,\"steps\":%zu}}",
            noise, s->steps);
    assert_int_equal(fclose(file), 0);
}

static cJSON *run_shape(const char *hierarchy, const shape *s, double noise)
{
    write_shape(hierarchy, s, noise);
    int code = shell("rm -rf r; $H verify c.json --output r --threads 1 --quiet");
    if (code != 0 && code != 3)
        fail_msg("%s, T = %zu: exit code %d\n%s%s", hierarchy, s->steps, code, out, err_text);
    return read_json("r/result.json");
}

static double S_of(const cJSON *result)
{
    return number(get(get(result, "measured"), "S"), "mean");
}

static double bound_of(const cJSON *result, const char *id)
{
    const cJSON *value = get(element(get(result, "bounds"), "id", id), "value");
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

#define TREE(fanout, periods) "{\"fanout\":" fanout ",\"periods\":" periods "}"

static const shape SHAPES[] = {
    {TREE("[1]", "[3]"), TREE("[1]", "[1]"), 1, 7},           /* one worker never averages with anybody */
    {TREE("[1,1]", "[4,2]"), TREE("[1]", "[4]"), 1, 7},       /* nor does it in a tree */
    {TREE("[1,4]", "[4,2]"), TREE("[4]", "[2]"), 4, 7},       /* one group: only its period counts */
    {TREE("[4,1]", "[4,2]"), TREE("[4]", "[4]"), 4, 7},       /* groups of one: only the global period counts */
    {TREE("[2,3]", "[4,4]"), TREE("[6]", "[4]"), 6, 7},       /* G = I */
    {TREE("[2,3]", "[1,1]"), TREE("[6]", "[1]"), 6, 7},       /* synchronous */
    {TREE("[2,3]", "[4,2]"), TREE("[6]", "[4]"), 6, 1},       /* one step: no average was due before it */
    {TREE("[2,3]", "[400,200]"), TREE("[6]", "[200]"), 6, 7}, /* T < I */
};

static void shapes_are_the_plainer_tree(void **state)
{
    (void)state;
    static const char *const bounds[] = {"hsgd-fixed", "hsgd-fixed-sharp", "hsgd-fixed-recursive"};
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++)
        for (int noisy = 0; noisy < 2; noisy++) {
            const shape *s = &SHAPES[i];
            cJSON *got = run_shape(s->hierarchy, s, 0.57 * noisy), *want = run_shape(s->same, s, 0.57 * noisy);
            assert_close(S_of(got), S_of(want), 1e-14);
            /* bounds know the tree by its canonical form; with T below the periods they may differ */
            for (size_t k = 0; k < 3 && s->steps > 1 && s->steps == 7 && i < 6; k++)
                if (!isnan(bound_of(want, bounds[k])) || !isnan(bound_of(got, bounds[k])))
                    assert_close(bound_of(got, bounds[k]), bound_of(want, bounds[k]), 1e-13);
            assert_string_not_equal(text_of(got, "verdict_on_all_checks"), "violated");
            cJSON_Delete(got);
            cJSON_Delete(want);
        }
}

/* The engine against exact moments, which know no noise to draw: T = 7 is no multiple of the G = 4 of these trees. */
static void shapes_agree_with_exact_moments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        cJSON *got = run_shape(SHAPES[i].hierarchy, &SHAPES[i], 0);
        assert_exit("$H exact c.json --json", 0);
        cJSON *exact = parse_json(out);
        assert_close(S_of(got), number(exact, "S"), 1e-13);
        cJSON_Delete(got);
        cJSON_Delete(exact);
    }
}

/* Measured at w^0 only: S is the squared norm of the mean of the b_j, at the origin. */
static void only_the_start_is_measured(void **state)
{
    (void)state;
    const shape s = {TREE("[2,3]", "[4,2]"), "", 6, 7};
    write_shape(s.hierarchy, &s, 0);
    char *text = read_text("c.json"), line[TEXT];
    snprintf(line, sizeof line, "{\"measure_every\":1000,%s", text + 1);
    write_text("c.json", line);
    free(text);
    int code = shell("rm -rf r; $H verify c.json --output r --threads 1 --quiet");
    assert_true(code == 0 || code == 3);
    cJSON *got = read_json("r/result.json");
    double want = 0;
    for (size_t i = 0; i < 3; i++) {
        double mean = 0;
        for (size_t j = 0; j < 6; j++)
            mean += ugly(3 * j + i) / 6;
        want += mean * mean;
    }
    assert_close(S_of(got), want, 1e-13);
    cJSON_Delete(got);
}

/* ---- denormal numbers beside ordinary ones ---- */

static void denormal_numbers_change_nothing(void **state)
{
    (void)state;
    static const char *const with[] = {"0", "5e-324"};
    double S[2];
    for (size_t i = 0; i < 2; i++) {
        char text[1024];
        snprintf(
            text, sizeof text,
            "{\"hierarchy\":{\"fanout\":[2,1],\"periods\":[4,2]},\"problem\":{\"type\":\"quadratic\",\"curvature\":"
            "[0.7,%s],\"linear\":[[1.3,%s],[-0.4,%s]],\"noise_variance\":%s},\"initial\":{\"point\":[0.2,%s]},"
            "\"figures\":[],\"seeds\":2,\"optimizer\":{\"step_size\":0.1,\"steps\":9}}",
            with[i], with[i], with[i], with[i], with[i]);
        write_text("c.json", text);
        int code = shell("rm -rf r; $H verify c.json --output r --threads 1 --quiet");
        assert_true(code == 0 || code == 3);
        cJSON *got = read_json("r/result.json");
        S[i] = S_of(got);
        assert_string_not_equal(text_of(got, "verdict_on_all_checks"), "violated");
        cJSON_Delete(got);
    }
    assert_true(S[0] == S[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratics_scale_to_the_bit),
        cmocka_unit_test(exact_moments_scale_to_the_bit),
        cmocka_unit_test(bounds_scale_to_the_bit),
        cmocka_unit_test(models_on_data_scale_to_the_bit),
        cmocka_unit_test(a_square_of_L_that_underflows_violates_nothing),
        cmocka_unit_test(squares_that_are_lost_are_refused),
        cmocka_unit_test(features_beyond_the_range),
        cmocka_unit_test(a_problem_without_gradients_is_not_refused),
        cmocka_unit_test(squares_that_overflow_at_the_start_are_inconclusive),
        cmocka_unit_test(divergence_is_found_at_its_step),
        cmocka_unit_test(models_beyond_the_range_diverge),
        cmocka_unit_test(shapes_are_the_plainer_tree),
        cmocka_unit_test(shapes_agree_with_exact_moments),
        cmocka_unit_test(only_the_start_is_measured),
        cmocka_unit_test(denormal_numbers_change_nothing),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
