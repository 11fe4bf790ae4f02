/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One side of a comparison, and whether both sides found the same. */
#include "tests/bench/bench.h"

#include <math.h>
#include <string.h>

/* A first run that takes longer counts: warming up would cost more than it gives. */
static const double LONG_RUN_S = 5;

void bench_side_stop(bench_side *s)
{
    bench_child_stop(&s->child);
    cJSON_Delete(s->ready);
    cJSON_Delete(s->last);
    cJSON_Delete(s->sums);
    *s = (bench_side){0};
}

bool bench_side_start(bench_side *s, const char *const *argv)
{
    *s = (bench_side){.sums = cJSON_CreateObject()};
    s->running = bench_child_start(&s->child, argv);
    s->ready = s->running ? bench_child_ask(&s->child, NULL) : NULL;
    s->running = s->ready != NULL;
    return s->running;
}

/* Add every number of an answer to the sums; elements of arrays are called name[k]. */
static void add_numbers(cJSON *sums, const cJSON *answer, const char *array)
{
    const cJSON *item;
    size_t k = 0;
    cJSON_ArrayForEach(item, answer)
    {
        char name[96];
        snprintf(name, sizeof name, array ? "%s[%zu]" : "%s", array ? array : item->string, k++);
        if (cJSON_IsArray(item))
            add_numbers(sums, item, item->string);
        if (!cJSON_IsNumber(item))
            continue;
        cJSON *sum = cJSON_GetObjectItem(sums, name);
        if (sum)
            cJSON_SetNumberValue(sum, sum->valuedouble + item->valuedouble);
        else
            cJSON_AddNumberToObject(sums, name, item->valuedouble);
    }
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* One run; all: with all threads. */
void bench_side_run(bench_side *s, bool all, size_t threads, size_t seed)
{
    char command[64];
    if (!s->running)
        return;
    snprintf(command, sizeof command, "run %zu %zu", all ? threads : 1, seed);
    cJSON *answer = bench_child_ask(&s->child, command);
    s->running = answer != NULL;
    if (!answer)
        return;
    double seconds = number(answer, "seconds");
    if (s->warm[all] || seconds > LONG_RUN_S) {
        bench_times_add(&s->wall[all], seconds);
        bench_times_add(&s->cpu[all], number(answer, "cpu_s"));
    }
    s->warm[all] = true;
    s->peak_bytes = fmax(s->peak_bytes, number(answer, "peak_bytes"));
    if (!all) {
        cJSON_Delete(answer);
        return;
    }
    add_numbers(s->sums, answer, NULL);
    s->answers++;
    cJSON_Delete(s->last);
    s->last = answer;
}

/* ---- do both sides compute the same? ---- */

static bool is_result(const char *name)
{
    return strcmp(name, "seconds") != 0 && strcmp(name, "cpu_s") != 0 && strcmp(name, "peak_bytes") != 0;
}

/* What is rounding on both sides, such as the drift error of a quadratic, or a dispersion right after an average. */
static const double ROUNDING = 1e-14;

/* Losses are compared on the scale of their decrease. */
static bool agrees(const bench_side *ours, const char *name, double a, double b, double most)
{
    double scale = fmax(fabs(a), fabs(b));
    if (strstr(name, "loss"))
        scale = fabs(number(ours->sums, "initial_loss") - number(ours->sums, "final_loss")) / (double)ours->answers;
    return fabs(a - b) <= most * scale + ROUNDING;
}

/* The first disagreement is named; "" where there is none. */
bool bench_same_results(const bench_side *ours, const bench_side *theirs, double most, cJSON *json, char *first,
                        size_t size)
{
    const cJSON *item;
    bool same = theirs->answers > 0 && ours->answers > 0;
    *first = 0;
    cJSON_ArrayForEach(item, ours->sums)
    {
        double a = item->valuedouble / (double)ours->answers;
        double b = number(theirs->sums, item->string) / (double)theirs->answers;
        if (!is_result(item->string))
            continue;
        cJSON *pair = cJSON_AddObjectToObject(json, item->string);
        cJSON_AddNumberToObject(pair, "hsgd", a);
        cJSON_AddNumberToObject(pair, "numpy", b);
        if (agrees(ours, item->string, a, b, most))
            continue;
        if (same)
            snprintf(first, size, "%s: hsgd %.6g, NumPy %.6g", item->string, a, b);
        same = false;
    }
    return same;
}
