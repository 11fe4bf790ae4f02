/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A result folder, and its figures, which are made from its result.json and series.csv alone. */
#ifndef HSGD_EXPERIMENTS_FOLDER_H
#define HSGD_EXPERIMENTS_FOLDER_H

#include <stddef.h>

#include "analysis/error.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make a folder and its parents; fine if it is there. Fails where it cannot be written to. */
hsgd_status hsgd_folder_make(const char *path, hsgd_error *err);

/* The same for a folder inside of a result folder: a symbolic link in its place is refused, for what it leads to is not ours. */
hsgd_status hsgd_folder_make_inside(const char *path, hsgd_error *err);

/* Whose results a folder holds. */
typedef enum hsgd_folder_kind {
    HSGD_FOLDER_RUN, /* hsgd run, hsgd verify */
    HSGD_FOLDER_SWEEP,
    HSGD_FOLDER_PHASE,
    HSGD_FOLDER_RATE,
    HSGD_FOLDER_HUNT,
    HSGD_FOLDER_PLAN,
    HSGD_FOLDER_TRAIN,
    HSGD_FOLDER_PEP,
    HSGD_NUM_FOLDER_KINDS /* nobody's yet */
} hsgd_folder_kind;

/* Found by the file that only this kind has; a folder with several is that of the last of them. */
hsgd_folder_kind hsgd_folder_kind_of(const char *dir);

/* That file: "sweep.json". */
const char *hsgd_folder_file(hsgd_folder_kind kind);

/* "a sweep" */
const char *hsgd_folder_content(hsgd_folder_kind kind);

/* Before results of this kind are written: make the folder and its parents, keep other processes out as hsgd_folder_lock
 * does, and remove what killed processes left. Fails if the folder holds results of another kind: what is written now would
 * stand beside them as if the two belonged together; or if SOURCE_DATE_EPOCH is no date, for results say theirs. */
hsgd_status hsgd_folder_open(int *lock, const char *dir, hsgd_folder_kind kind, hsgd_error *err);

/* Keep other processes of hsgd from writing to a folder until *lock is handed to hsgd_folder_unlock or the process
 * ends. Fails at once if another one does; where the file system has no locks, nothing is locked. */
hsgd_status hsgd_folder_lock(int *lock, const char *dir, hsgd_error *err);
void hsgd_folder_unlock(int lock);

/* Remove what processes that were killed left: temporary files, and hidden folders of renderings. Only for the one who holds the lock. */
void hsgd_folder_sweep(const char *dir);

/* Remove one such folder with all in it; what cannot be removed stays. */
void hsgd_folder_remove_hidden(const char *path);

enum { HSGD_MAX_FIGURE_FILES = 80, HSGD_FILE_NAME_SIZE = 64, HSGD_NOTE_SIZE = 160 };

typedef struct hsgd_figure_report {
    char file[HSGD_MAX_FIGURE_FILES][HSGD_FILE_NAME_SIZE]; /* names of the files made, inside the folder */
    size_t num_files;
    char note[HSGD_MAX_FIGURE_FILES][HSGD_NOTE_SIZE]; /* figures that this result cannot show, with the reason */
    size_t num_notes;
} hsgd_figure_report;

/* Remove the file that says what a folder of this kind holds, before any of the others is written anew: a folder that has one is
 * whole. Not being there is fine. */
hsgd_status hsgd_folder_unfinish(const char *dir, hsgd_folder_kind kind, hsgd_error *err);

/* Remove the result, the figures and the page of an earlier run, which would pass for those of the new one. The result goes
 * first: a folder that has one is whole. */
hsgd_status hsgd_folder_clear(const char *dir, hsgd_error *err);

/* What the command line says about the figures' style; NULL and false leave it to the result's configuration. */
typedef struct hsgd_style_change {
    const char *format, *width, *band; /* as hsgd_figure_..._parse takes them */
    bool no_title;
    bool scripts_only; /* no rendering, so that gnuplot is not needed */
} hsgd_style_change;

/* Make the figures that the result's configuration asks for, in its style but for what change says (may be NULL). The
 * scripts and data are written before gnuplot is needed; its failure leaves them there. Old files of figures that are
 * not made any more are removed. report may be NULL. */
hsgd_status hsgd_folder_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                             hsgd_error *err);

/* The same where result.json is still to be written, and will say what `result` (its text) says. */
hsgd_status hsgd_folder_plot_result(const char *dir, const char *result, hsgd_figure_report *report, hsgd_error *err);

/* Does result.json list all figures that its configuration asks for? Not where one could not be drawn, or where result.json and
 * series.csv cannot be read. */
bool hsgd_folder_is_drawn(const char *dir);

/* A figure drawn for a page: its name, and what it shows. */
typedef struct hsgd_drawing {
    const char *name; /* static */
    char *caption;    /* plain text; owned */
} hsgd_drawing;

typedef struct hsgd_drawings {
    hsgd_drawing *item; /* (count), owned */
    size_t count;
    hsgd_figure_report report; /* the files in the other folder; notes as above */
} hsgd_drawings;

/* The same figures in another folder `into`; the result folder is only read. Free with hsgd_drawings_free, also on
 * failure. */
hsgd_status hsgd_folder_draw(hsgd_drawings *out, const char *dir, const char *into, const hsgd_style_change *change,
                             hsgd_error *err);
void hsgd_drawings_free(hsgd_drawings *drawings);

#ifdef __cplusplus
}
#endif

#endif
