/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A figure input filled with plausible numbers, and a scratch folder, for the tests of plots/. */
#ifndef HSGD_TESTS_PLOTS_FIGURE_INPUT_H
#define HSGD_TESTS_PLOTS_FIGURE_INPUT_H

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plots/figure.h"
#include "tests/test.h"

enum {
    NUM_BOUNDS = 5,
    NUM_TERMS = 3,
    NUM_RUNGS = 8,
    NUM_PER_RUN = 8 + HSGD_MAX_BYTE_PANELS,
    NUM_REACHED = NUM_PER_RUN * HSGD_NUM_FIGURE_RUNS
};

typedef struct fixture {
    hsgd_figure_input in;
    double *data;    /* everything over steps; owned */
    double *reached; /* in it: what the runs reached and cost, (NUM_REACHED, num_rows) */
    hsgd_figure_bound bound[NUM_BOUNDS];
    double term[NUM_BOUNDS][NUM_TERMS];
    hsgd_figure_rung rung[NUM_RUNGS];
    char dir[64];
} fixture;

/* The next count numbers of the fixture's memory. */
static inline double *take(double **next, size_t count)
{
    double *taken = *next;
    *next += count;
    return taken;
}

static inline void fill_bounds(fixture *f)
{
    static const char *const term_name[NUM_TERMS] = {"initial gap", "gradient noise", "divergence, level 1"};
    static const hsgd_figure_bound bound[NUM_BOUNDS] = {
        {"local-sgd-inner", "local SGD, inner (published)", "S", "local-sgd-inner", 0, true, true, NUM_TERMS, term_name,
         NULL},
        {"hsgd-fixed", "H-SGD, fixed grouping (published)", "S", "hsgd", 0, true, true, NUM_TERMS, term_name, NULL},
        {"local-sgd-outer", "local SGD, outer (published)", "S", "local-sgd-outer", 0, true, true, NUM_TERMS, term_name,
         NULL},
        {"jiang-zhu", "Jiang and Zhu 2024", "S_min", "hsgd", 0, false, true, NUM_TERMS, term_name, NULL},
        {"hierfavg", "Liu et al. 2020", "distance", "hsgd", 0, true, true, NUM_TERMS, term_name, NULL},
    };
    for (size_t b = 0; b < NUM_BOUNDS; b++) {
        f->bound[b] = bound[b];
        for (size_t i = 0; i < NUM_TERMS; i++) {
            f->term[b][i] = 0.037 * pow(7, (double)((b + 2 * i) % 5));
            f->bound[b].value += f->term[b][i];
        }
        f->bound[b].term_value = f->term[b];
    }
    f->in.bound = f->bound;
    f->in.num_bounds = NUM_BOUNDS;
}

static inline void fill_rungs(fixture *f)
{
    static const hsgd_figure_rung rung[NUM_RUNGS] = {
        {"R0", "measured S", 0.334, 0.31, 0.358, NAN, "", true},
        {"R1", "descent inequality", 0.36, 0.35, 0.37, 0, "L-smoothness of f", true},
        {"R2", "last term dropped", 0.45, 0.44, 0.46, 0, "step size at most 1/L", true},
        {"R3", "dispersion for gradients", 0.46, 0.45, 0.47, 0, "Jensen", true},
        {"R4", "gap and noise", 0.72, 0.71, 0.73, 0, "f is at least f*", true},
        {"R5", "recursive bound", 0.73, 0.73, 0.73, 0, "Minkowski", true},
        {"R6", "closed form", 0.77, 0.77, 0.77, 0, "q < 1", true},
        {"R7", "published constants", 2.41, 2.41, 2.41, 0, "published condition", true},
    };
    for (size_t r = 0; r < NUM_RUNGS; r++) {
        f->rung[r] = rung[r];
        if (r > 0)
            f->rung[r].share = (rung[r].value - rung[r - 1].value) / (2.41 - 0.334);
    }
    f->in.rung = f->rung;
    f->in.num_rungs = NUM_RUNGS;
}

static inline void fill_rows(fixture *f, double *next)
{
    hsgd_figure_input *in = &f->in;
    size_t rows = in->num_rows, levels = in->num_levels, groups = levels - 1;
    double *step = take(&next, rows), *global = take(&next, rows), *up = take(&next, rows * groups),
           *down = take(&next, rows * groups), *dispersion = take(&next, rows * levels),
           *half_width = take(&next, rows * levels), *bound = take(&next, rows * levels), *norm = take(&next, 6 * rows);
    for (size_t r = 0; r < rows; r++) {
        step[r] = (double)r;
        global[r] = 1.3 + cos(0.01 * (double)r);
        for (size_t k = 0; k < groups; k++) {
            up[r * groups + k] = global[r] * (double)(k + 1) / (double)levels;
            down[r * groups + k] = global[r] - up[r * groups + k];
        }
        for (size_t k = 0; k < levels; k++) {
            double s = (double)(r % (20u >> k)), b = 1e-3 * s * s / (double)(k + 1);
            dispersion[r * levels + k] = b * (1 + 0.05 * sin(7.3 * (double)r));
            half_width[r * levels + k] = 0.1 * b;
            bound[r * levels + k] = 1.4 * b;
        }
        for (size_t i = 0; i < 3; i++) {
            norm[i * rows + r] =
                (1 + 0.2 * (double)i) * (exp(-0.02 * (double)r) + 0.011 + 0.002 * sin(3.1 * (double)r));
            norm[(3 + i) * rows + r] = 0.3 * norm[i * rows + r];
        }
    }
    *in = (hsgd_figure_input){.name = in->name,
                              .num_rows = rows,
                              .num_levels = levels,
                              .step = step,
                              .divergence_global = global,
                              .divergence_up = groups ? up : NULL,
                              .divergence_down = groups ? down : NULL,
                              .dispersion = dispersion,
                              .dispersion_half_width = half_width,
                              .dispersion_bound = bound};
    hsgd_figure_curve *curve[] = {&in->local_inner, &in->hsgd, &in->local_outer};
    for (size_t i = 0; i < 3; i++) {
        double S = 0.17 + 0.03 * (double)i;
        *curve[i] = (hsgd_figure_curve){.grad_norm_sq = norm + i * rows,
                                        .grad_norm_sq_half_width = norm + (3 + i) * rows,
                                        .S = S,
                                        .S_low = S - 0.02,
                                        .S_high = S + 0.02};
    }
}

/* What the runs reached and cost: H-SGD in between. */
static inline void fill_progress(fixture *f, double *next)
{
    size_t rows = f->in.num_rows;
    for (size_t i = 0; i < HSGD_NUM_FIGURE_RUNS; i++) {
        double *loss = take(&next, rows), *test = take(&next, rows), *train = take(&next, rows),
               *half_width = take(&next, rows), *time_s = take(&next, rows), *top = take(&next, rows),
               *all = take(&next, rows), *S = take(&next, rows), *level = take(&next, HSGD_MAX_BYTE_PANELS * rows);
        const double slowness = (const double[]){1.3, 1.7, 1}[i];
        for (size_t r = 0; r < rows; r++) {
            double t = (double)r;
            loss[r] = 0.2 + exp(-0.02 * t / (1 + 0.1 * (double)i));
            test[r] = r % 3 ? NAN : 0.9 - 0.8 * exp(-0.05 * t);
            train[r] = test[r] + 0.02;
            half_width[r] = 0.01;
            time_s[r] = slowness * (t + 3 * floor(t / 5));
            top[r] = 1e6 * floor(t / (i == 1 ? 5 : 20));
            all[r] = top[r] + 3e6 * floor(t / (i == 2 ? 20 : 5));
            S[r] = r ? (1 + 0.1 * (double)i) * (0.011 + (1 - exp(-0.02 * t)) / (0.02 * t)) : NAN;
            for (size_t k = 0; k < HSGD_MAX_BYTE_PANELS; k++)
                level[k * rows + r] = k ? (all[r] - top[r]) * (double)k : top[r];
        }
        f->in.progress[i] = (hsgd_figure_progress){.loss = loss,
                                                   .loss_half_width = half_width,
                                                   .train_accuracy = train,
                                                   .train_accuracy_half_width = half_width,
                                                   .test_accuracy = test,
                                                   .test_accuracy_half_width = half_width,
                                                   .time_s = time_s,
                                                   .bytes_top = top,
                                                   .bytes_all = all,
                                                   .S = S,
                                                   .S_half_width = half_width};
        for (size_t k = 0; k < hsgd_figure_num_byte_panels(f->in.num_levels); k++)
            f->in.progress[i].bytes_level[k] = level + k * rows;
    }
}

/* A complete input with a fresh folder. */
static inline void setup(fixture *f, size_t levels, size_t rows)
{
    *f = (fixture){.in = {.name = "test experiment", .num_levels = levels, .num_rows = rows}};
    f->data = calloc(rows * (8 + 5 * levels + NUM_REACHED) + 1, sizeof *f->data);
    assert_non_null(f->data);
    f->reached = f->data + rows * (8 + 5 * levels);
    fill_rows(f, f->data);
    fill_progress(f, f->reached);
    f->in.num_workers = 48;
    f->in.steps = rows;
    f->in.seeds = 17;
    f->in.local_period = 20u >> (levels - 1);
    f->in.global_period = 20;
    f->in.step_size = 0.0123;
    f->in.confidence = 0.99;
    fill_bounds(f);
    fill_rungs(f);
    make_folder(f->dir, sizeof f->dir);
}

/* Number of files in the folder; remove: and delete them. */
static inline size_t count_files(const char *dir, bool remove)
{
    size_t count = 0;
    DIR *folder = opendir(dir);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (remove)
            unlink(path);
    }
    closedir(folder);
    return count;
}

static inline void teardown(fixture *f)
{
    count_files(f->dir, true);
    rmdir(f->dir);
    free(f->data);
}

/* The text of DIR/NAME.SUFFIX; the caller frees it. Not inlined, for gcc 12 then takes what it returns for a dangling
 * pointer. */
__attribute__((noinline, unused)) static char *file_text(const char *dir, const char *name, const char *suffix)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, suffix);
    FILE *file = fopen(path, "rb");
    if (!file) {
        print_error("%s is not there\n", path);
        fail();
    }
    char *text = NULL;
    size_t capacity = 0;
    ssize_t length = getdelim(&text, &capacity, EOF, file);
    fclose(file);
    if (length < 0 && text)
        text[0] = '\0';
    return text;
}

/* Standard error of `gnuplot NAME.gp` in dir, run through a shell as a user would; the caller frees it. In a locale
 * without UTF-8 gnuplot warns of a degree sign that no figure has. */
static inline char *gnuplot_says(const char *dir, const char *name)
{
    char command[512];
    snprintf(command, sizeof command, "cd %s && LC_ALL=C.UTF-8 gnuplot %s.gp 2>&1 >/dev/null", dir, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    size_t length = fread(text, 1, 65535, pipe);
    text[length] = '\0';
    assert_int_equal(pclose(pipe), 0);
    return text;
}

/* The default style in this format. */
static inline const hsgd_figure_style *in_format(hsgd_figure_format format)
{
    static hsgd_figure_style style;
    style = hsgd_figure_default_style();
    style.format = format;
    return &style;
}

/* Write and render; gnuplot must have nothing to say. The script also runs alone from its folder. */
static inline void check_draws(const fixture *f, const char *name, hsgd_figure_format format)
{
    hsgd_error err;
    const hsgd_figure *figure = hsgd_figure_find(name);
    assert_non_null(figure);
    assert_ok(figure->write(&f->in, f->dir, in_format(format), &err), err);
    assert_ok(hsgd_figure_render(f->dir, name, &err), err);
    char *said = gnuplot_says(f->dir, name);
    if (*said) {
        print_error("%s.gp: %s\n", name, said);
        fail();
    }
    free(said);
}

#endif
