/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a sweep says while it runs. */
#include "experiments/sweep_progress_private.h"

#include <unistd.h>

#include "analysis/clock.h"

void hsgd_sweep_progress_init(hsgd_sweep_progress *out, const hsgd_sweep *sweep, const hsgd_sweep_row *row, size_t jobs,
                              bool quiet)
{
    *out = (hsgd_sweep_progress){.sweep = sweep, .row = row, .jobs = jobs, .begin_s = hsgd_now_s()};
    out->live = !quiet && isatty(STDERR_FILENO);
    out->lines = !quiet && !out->live;
}

static size_t count(const hsgd_sweep_progress *p, hsgd_sweep_state state)
{
    size_t found = 0;
    for (size_t i = 0; i < p->sweep->num_points; i++)
        found += p->row[i].state == state;
    return found;
}

void hsgd_duration_text(char *out, size_t size, double time_s)
{
    if (time_s < 99.5)
        snprintf(out, size, "%.2g s", time_s);
    else if (time_s < 99.5 * 60)
        snprintf(out, size, "%.0f min", time_s / 60);
    else if (time_s < 48 * 3600)
        snprintf(out, size, "%.1f h", time_s / 3600);
    else
        snprintf(out, size, "%.1f days", time_s / 86400);
}

/* Seconds until all is done, from the mean time of the points of this call; negative: none has ended yet. */
static double time_left_s(const hsgd_sweep_progress *p)
{
    double spent_s = 0;
    size_t ended = 0, left = count(p, HSGD_SWEEP_WAITING) + count(p, HSGD_SWEEP_RUNNING);
    for (size_t i = 0; i < p->sweep->num_points; i++)
        if (!p->row[i].earlier && (p->row[i].state == HSGD_SWEEP_DONE || p->row[i].state == HSGD_SWEEP_FAILED)) {
            spent_s += p->row[i].time_s;
            ended++;
        }
    size_t at_once = left < p->jobs ? left : p->jobs;
    return ended && at_once ? spent_s / (double)ended * (double)left / (double)at_once : -1;
}

/* One line that is written over and over. */
static void draw(const hsgd_sweep_progress *p)
{
    enum { WIDTH = 30 };
    char left[48] = "";
    size_t all = p->sweep->num_points, running = count(p, HSGD_SWEEP_RUNNING);
    size_t ended = all - running - count(p, HSGD_SWEEP_WAITING);
    double left_s = time_left_s(p);
    if (left_s >= 0)
        hsgd_duration_text(left, sizeof left, left_s);
    fprintf(stderr, "\r\033[K[%-*.*s] %zu of %zu points, %zu running%s%s%s", WIDTH, (int)(WIDTH * ended / all),
            "##############################", ended, all, running, *left ? ", about " : "", left, *left ? " left" : "");
    fflush(stderr);
}

void hsgd_sweep_progress_tell(hsgd_sweep_progress *p, const size_t *finished)
{
    size_t all = p->sweep->num_points;
    size_t ended = all - count(p, HSGD_SWEEP_RUNNING) - count(p, HSGD_SWEEP_WAITING);
    if (p->lines && finished) {
        fprintf(stderr, "[%zu/%zu] ", ended, all);
        hsgd_sweep_print_point(&p->sweep->point[*finished], &p->row[*finished], stderr);
    }
    if (p->live)
        draw(p);
}

void hsgd_sweep_progress_end(hsgd_sweep_progress *p)
{
    if (p->live)
        fputs("\r\033[K", stderr);
    p->live = false;
}
