/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "train": what steps, waiting and averages of a real training took, and the measured Allreduces of each level next to
 * the fitted model of their time. As for other figures, the input is plain data, the figure is DIR/train.dat and
 * DIR/train.gp, and hsgd_figure_render draws it. */
#ifndef HSGD_PLOTS_TRAIN_H
#define HSGD_PLOTS_TRAIN_H

#include <stddef.h>

#include "analysis/error.h"
#include "plots/caption.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Seconds of something that happened often; NAN: never. */
typedef struct hsgd_train_times {
    double median_s, high_s; /* 95 % are no larger than high_s */
} hsgd_train_times;

typedef struct hsgd_train_figure_level {
    hsgd_train_times wait, average;
    size_t num_probes;
    const double *bytes, *time_s; /* (num_probes) measured apart from the training */
    double latency_s,
        inverse_s_per_b; /* the fit: 2 (latency_s + bytes * inverse_s_per_b), with what lies below if that is
                                          passed, too */
} hsgd_train_figure_level;

/* Borrowed pointers. */
typedef struct hsgd_train_figure_input {
    const char *name; /* any text */
    size_t num_workers, num_hosts;
    double model_bytes;
    hsgd_train_times step;
    size_t num_levels;
    const hsgd_train_figure_level *level; /* (num_levels) */
} hsgd_train_figure_input;

#define HSGD_TRAIN_FIGURE "train"

/* Write DIR/train.dat, DIR/train.gp and DIR/train.caption.tex. */
hsgd_status hsgd_train_figure_write(const hsgd_train_figure_input *input, const char *dir,
                                    const hsgd_figure_style *style, hsgd_error *err);

/* One or two sentences about the figure; free it. NULL when memory is out. */
char *hsgd_train_figure_caption(const hsgd_train_figure_input *input, hsgd_caption_syntax syntax);

#ifdef __cplusplus
}
#endif

#endif
