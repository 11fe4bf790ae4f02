/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the figures of a sweep share: caption, selection of values, legend, axis of values. */
#ifndef HSGD_PLOTS_SWEEP_PRIVATE_H
#define HSGD_PLOTS_SWEEP_PRIVATE_H

#include "plots/script_private.h"
#include "plots/sweep.h"

extern const hsgd_sweep_figure hsgd_sweep_figure_S, hsgd_sweep_figure_map, hsgd_sweep_figure_convergence,
    hsgd_sweep_figure_loss, hsgd_sweep_figure_accuracy, hsgd_sweep_figure_accuracy_time,
    hsgd_sweep_figure_accuracy_bytes;

/* Some of the values of an axis. */
enum { HSGD_MAX_SELECTED = 12 };
typedef struct hsgd_selection {
    size_t value[HSGD_MAX_SELECTED], count;
    size_t of; /* how many there are */
} hsgd_selection;

/* At most `most` (<= HSGD_MAX_SELECTED) of `of` values: both ends and what lies evenly between them. */
hsgd_selection hsgd_select(size_t of, size_t most);

/* The point of the grid with these values; axes that the sweep does not have are ignored. */
const hsgd_sweep_figure_point *hsgd_sweep_point_at(const hsgd_sweep_figure_input *in, size_t first, size_t second,
                                                   size_t third);

/* The number of values of an axis, 1 for one that the sweep does not have. */
size_t hsgd_sweep_count(const hsgd_sweep_figure_input *in, size_t axis);

/* Is S of any point there to be drawn? */
bool hsgd_sweep_any_S(const hsgd_sweep_figure_input *in);

/* The kind of bound that was evaluated for most of the points; of several the last, which is one of the user's own or the
 * tightest of the others. HSGD_MAX_SWEEP_BOUNDS: none was. */
size_t hsgd_sweep_shown_bound(const hsgd_sweep_figure_input *in);

/* "recursive bound", or the title of one of the user's own: any text. */
const char *hsgd_sweep_bound_name(const hsgd_sweep_figure_input *in, size_t kind);

/* What a reader has to know: how many points are there yet, and what constants the bounds rest on. Returns its length. */
size_t hsgd_sweep_note(char *out, size_t size, const hsgd_sweep_figure_input *in, bool with_bounds);

/* From the smallest to the largest number of the points that are done; low > high: none is. */
typedef struct hsgd_span {
    double low, high;
} hsgd_span;
typedef enum hsgd_span_of { HSGD_SPAN_WORKERS, HSGD_SPAN_STEPS, HSGD_SPAN_STEP_SIZE, HSGD_SPAN_SEEDS } hsgd_span_of;
hsgd_span hsgd_sweep_span(const hsgd_sweep_figure_input *in, hsgd_span_of what);

/* The name, what is the same for all points, and a note, above the panels; and how high that is. */
double hsgd_sweep_caption_height(const hsgd_figure_style *style, const char *note);
void hsgd_sweep_caption(hsgd_script *s, const hsgd_sweep_figure_input *in, const hsgd_figure_style *style,
                        bool with_intervals, const char *note);

/* Write DIR/NAME.caption.tex. */
hsgd_status hsgd_sweep_write_caption(const hsgd_sweep_figure_input *in, const hsgd_sweep_figure *figure,
                                     hsgd_figure_band band, const char *dir, hsgd_error *err);

/* The colours of sweep-map, from the smallest to the largest value. */
enum { HSGD_NUM_MAP_COLOURS = 9 };
extern const char *const hsgd_sweep_map_colour[HSGD_NUM_MAP_COLOURS];

/* On the colours of the palette (0 to 1) below this place, white text has more contrast than black text. */
double hsgd_sweep_map_dark_below(void);

/* The x axis of an axis of the sweep. place: where value i stands on it. room: inches below the panel for its labels
 * (slanted where they are long) and the axis' name. */
double hsgd_sweep_place(const hsgd_sweep_figure_axis *axis, size_t i);
double hsgd_sweep_x_room(const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis);
void hsgd_sweep_x_axis(hsgd_script *s, const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis,
                       double panel_bottom_in, bool with_name);

/* A y axis for values of one magnitude, from the smallest to the largest. */
void hsgd_sweep_linear_y_axis(hsgd_script *s, double low, double high);

#endif
