/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All points of a phase diagram: prediction, work, verdicts, summary. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/clock.h"
#include "experiments/phase_private.h"

/* ---- prediction ---- */

enum { MAX_TRIALS = 16, TRIAL_STEPS = 16 };

static bool is_legal(const hsgd_phase *phase, size_t index)
{
    return phase->grid.point[index].config != NULL;
}

/* Seconds that one point takes a single thread, from its first steps. */
static hsgd_status try_point(double *time_s, bool *exact, const hsgd_phase *phase, size_t index, const hsgd_stop *stop,
                             hsgd_error *err)
{
    hsgd_phase_work work;
    hsgd_phase_point point;
    hsgd_config full;
    double begin_s = hsgd_now_s();
    hsgd_status status = hsgd_config_parse(&full, phase->grid.point[index].config,
                                           strlen(phase->grid.point[index].config), phase->file, err);
    if (status)
        return status;
    size_t steps = full.steps / 16 > TRIAL_STEPS ? full.steps / 16 : TRIAL_STEPS;
    status = hsgd_phase_begin(&work, phase, index, steps, err);
    work.stop = stop;
    double ready_s = hsgd_now_s(), runs = (double)hsgd_config_runs(&full);
    if (!status) {
        status = hsgd_phase_find(&point, &work, err);
        *exact = work.exact;
        double scale = (double)full.steps / (double)work.config.steps;
        if (!work.exact && !work.experiment.deterministic)
            scale *= runs;
        *time_s = ready_s - begin_s + (hsgd_now_s() - ready_s) * scale;
        hsgd_phase_end(&work);
    }
    hsgd_config_free(&full);
    return status;
}

/* Worst cases are not tried: a shorter run says little of the time. They are solved one after the other. */
static hsgd_status predict_worst_cases(hsgd_phase_prediction *out, const hsgd_phase *phase, hsgd_error *err)
{
    *out = (hsgd_phase_prediction){.exact = true};
    for (size_t i = 0; i < phase->grid.num_points; i++) {
        hsgd_config config;
        const char *text = phase->grid.point[i].config;
        hsgd_status status = text ? hsgd_config_parse(&config, text, strlen(text), phase->file, err) : HSGD_OK;
        if (status)
            return status;
        if (!text)
            continue;
        out->points++;
        out->time_s += hsgd_phase_worst_case_seconds(&config);
        hsgd_config_free(&config);
    }
    return HSGD_OK;
}

/* The index among the legal points, first to last, of trial number k. */
static size_t trial_at(size_t k, size_t trials, size_t points)
{
    return trials > 1 ? k * (points - 1) / (trials - 1) : 0;
}

hsgd_status hsgd_phase_predict(hsgd_phase_prediction *out, const hsgd_phase *phase, int threads, const hsgd_stop *stop,
                               hsgd_error *err)
{
    double begin_s = hsgd_now_s(), sum_s = 0;
    size_t count = phase->grid.num_points, tried = 0;
    if (hsgd_phase_is_worst_case(phase->settings.quantity))
        return predict_worst_cases(out, phase, err);
    *out = (hsgd_phase_prediction){.exact = true};
    for (size_t i = 0; i < count; i++)
        out->points += is_legal(phase, i);
    size_t trials = out->points < MAX_TRIALS ? out->points : MAX_TRIALS;
    for (size_t i = 0, legal = 0; i < count; i++) {
        double time_s;
        bool exact;
        if (!is_legal(phase, i) || legal++ != trial_at(tried, trials, out->points))
            continue;
        hsgd_status status = hsgd_stop_check(stop, err);
        if (!status)
            status = try_point(&time_s, &exact, phase, i, stop, err);
        if (status == HSGD_STOPPED)
            return hsgd_fail(err, HSGD_STOPPED, "stopped before the first of %zu points", out->points);
        if (status)
            return status;
        out->exact = out->exact && exact;
        sum_s += time_s;
        tried++;
    }
    size_t at_once = (size_t)threads < out->points ? (size_t)threads : out->points;
    out->time_s = sum_s / (double)tried * (double)out->points / (double)at_once;
    out->trial_time_s = hsgd_now_s() - begin_s;
    return HSGD_OK;
}

/* ---- all points ---- */

typedef struct state {
    hsgd_phase *phase;
    void (*progress)(void *context, double fraction);
    void *context;
    size_t done, failed; /* failed: the first point that did; num_points: none */
    hsgd_error err;
    hsgd_checkpoint *checkpoint;
    const hsgd_stop *stop;
} state;

static void report(state *s, size_t index, hsgd_status status, const hsgd_error *err)
{
#pragma omp critical(hsgd_phase_report)
    {
        s->done += !status;
        if (status && index < s->failed) {
#pragma omp atomic write
            s->failed = index;
            s->err = *err;
        }
        if (s->progress)
            s->progress(s->context, (double)s->done / (double)s->phase->grid.num_points);
    }
}

static bool goes_on(const state *s)
{
    size_t failed;
#pragma omp atomic read
    failed = s->failed;
    return failed == s->phase->grid.num_points;
}

static hsgd_status find(const state *s, size_t index, int threads, hsgd_error *err)
{
    hsgd_phase_work work;
    hsgd_status status = hsgd_stop_check(s->stop, err);
    if (!status)
        status = hsgd_phase_begin(&work, s->phase, index, 0, err);
    if (status)
        return status;
    work.threads = threads;
    work.stop = s->stop;
    status = hsgd_phase_find(&s->phase->point[index], &work, err);
    hsgd_phase_end(&work);
    return status;
}

/* From the checkpoint, or else found and kept there. */
static hsgd_status get_or_find(const state *s, size_t index, int threads, hsgd_error *err)
{
    hsgd_bytes record = {0};
    hsgd_phase_point *point = &s->phase->point[index];
    hsgd_status status = s->checkpoint ? hsgd_checkpoint_get(s->checkpoint, index, &record, err) : HSGD_OK;
    if (!status && record.size)
        status = hsgd_phase_unpack(point, &record, err);
    else if (!status) {
        status = find(s, index, threads, err);
        if (!status && s->checkpoint) {
            hsgd_phase_pack(&record, point);
            hsgd_checkpoint_keep(s->checkpoint, index, &record);
        }
    }
    hsgd_bytes_free(&record);
    return status;
}

static void work_out(state *s, size_t index, int threads)
{
    hsgd_phase_point *point = &s->phase->point[index];
    hsgd_error err;
    hsgd_status status = HSGD_OK;
    if (!is_legal(s->phase, index))
        *point = (hsgd_phase_point){.verdict = HSGD_BETWEEN_ILLEGAL, .value = {NAN, NAN, NAN}, .ratio = NAN};
    else
        status = get_or_find(s, index, threads, &err);
    report(s, index, status, &err);
}

static void judge_all(hsgd_phase *phase)
{
    phase->comparisons = 0;
    for (size_t i = 0; i < phase->grid.num_points; i++)
        if (phase->point[i].values > 0 && !phase->point[i].theory)
            phase->comparisons += 2;
    for (size_t i = 0; i < phase->grid.num_points; i++)
        if (is_legal(phase, i))
            hsgd_phase_judge(&phase->point[i], phase->grid.confidence, phase->comparisons ? phase->comparisons : 1);
}

/* Moments keep one thread busy per point; where any point takes runs, the threads are shared among their seeds instead. */
static bool takes_runs(const hsgd_phase *phase)
{
    bool runs = phase->settings.method == HSGD_PHASE_MONTE_CARLO;
    for (size_t i = 0; i < phase->grid.num_points && !runs; i++) {
        const char *text = phase->grid.point[i].config;
        hsgd_config config;
        hsgd_error err;
        if (!text || hsgd_config_parse(&config, text, strlen(text), phase->file, &err))
            continue;
        runs = !hsgd_phase_moments_known(&config);
        hsgd_config_free(&config);
    }
    return runs;
}

hsgd_status hsgd_phase_run(hsgd_phase *phase, int threads, void (*progress)(void *context, double fraction),
                           void *progress_context, hsgd_error *err)
{
    return hsgd_phase_run_kept(phase, threads, progress, progress_context, NULL, NULL, err);
}

hsgd_status hsgd_phase_run_kept(hsgd_phase *phase, int threads, void (*progress)(void *context, double fraction),
                                void *progress_context, hsgd_checkpoint *checkpoint, const hsgd_stop *stop,
                                hsgd_error *err)
{
    size_t count = phase->grid.num_points;
    state s = {.phase = phase,
               .progress = progress,
               .context = progress_context,
               .failed = count,
               .checkpoint = checkpoint,
               .stop = stop};
    bool runs = takes_runs(phase);
    int at_once = runs ? 1 : threads, each = runs ? threads : 1;
    (void)at_once; /* for builds without OpenMP */
#pragma omp parallel for schedule(dynamic, 1) num_threads(at_once) if (at_once > 1)
    for (size_t i = 0; i < count; i++)
        if (goes_on(&s)) /* nothing more is begun once a point has failed */
            work_out(&s, i, each);
    if (s.failed < count && s.err.status == HSGD_STOPPED)
        return hsgd_fail(err, HSGD_STOPPED, "stopped after %zu of %zu points", s.done, count);
    if (s.failed < count) {
        if (err)
            *err = s.err;
        return s.err.status;
    }
    judge_all(phase);
    return HSGD_OK;
}

/* ---- summary ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

hsgd_status hsgd_phase_summarise(hsgd_phase_summary *out, const hsgd_phase *phase, hsgd_error *err)
{
    size_t count = phase->grid.num_points, known = 0;
    double *ratio = calloc(count, sizeof *ratio), largest = 0;
    *out = (hsgd_phase_summary){.worst = count, .ratio_low = NAN, .ratio_median = NAN, .ratio_high = NAN};
    if (!ratio)
        return hsgd_fail_memory(err, "the summary");
    for (size_t i = 0; i < count; i++) {
        const hsgd_phase_point *p = &phase->point[i];
        out->count[p->verdict]++;
        if (p->violation > largest) {
            largest = p->violation;
            out->worst = i;
        }
        if (p->verdict == HSGD_BETWEEN_HOLDS && isfinite(p->ratio))
            ratio[known++] = p->ratio;
    }
    qsort(ratio, known, sizeof *ratio, compare_doubles);
    if (known) {
        out->ratio_low = ratio[0];
        out->ratio_median = (ratio[(known - 1) / 2] + ratio[known / 2]) / 2;
        out->ratio_high = ratio[known - 1];
    }
    free(ratio);
    return HSGD_OK;
}
