/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of hsgd report: what its sections share. Each section reads the document and writes itself; what an older
 * document does not have is left out. */
#ifndef HSGD_EXPERIMENTS_PAGE_PRIVATE_H
#define HSGD_EXPERIMENTS_PAGE_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/folder.h"
#include "experiments/html_private.h"

typedef struct hsgd_page {
    hsgd_html html;
    bool is_sweep;                 /* root is sweep.json */
    const cJSON *root;             /* result.json, borrowed */
    const char *dir;               /* the result folder, borrowed */
    const char *link;              /* address of the folder, as seen from the page: "" or "results/demo/"; borrowed */
    const hsgd_drawings *drawings; /* borrowed */
    const char *pictures;          /* folder of NAME.svg; borrowed */
} hsgd_page;

/* ---- the document: "", NULL and NAN for what is not there ---- */

const cJSON *hsgd_page_get(const cJSON *object, const char *key);
const char *hsgd_page_string(const cJSON *object, const char *key);
double hsgd_page_value(const cJSON *object, const char *key);
bool hsgd_page_is_true(const cJSON *object, const char *key);
size_t hsgd_page_length(const cJSON *array); /* of an array; 0 for anything else */
double hsgd_page_confidence(const cJSON *root);

/* ---- pieces of text ---- */

/* A number with this many digits; the exact one is its machine-readable value. A dash where it is not known. */
void hsgd_page_number(hsgd_page *page, double value, int digits);
void hsgd_page_number_cell(hsgd_page *page, double value, int digits);

/* "mean [low, high]" of an object { "mean", "ci": [low, high] }; ci is the member to take. The mean alone where the
 * interval is a point. */
void hsgd_page_interval(hsgd_page *page, const cJSON *object, const char *ci, int digits);
void hsgd_page_interval_cell(hsgd_page *page, const cJSON *object, const char *ci, int digits);

/* A verdict as symbol and word; "(trajectory)" or "(estimated)" where it rests on a constant of such a kind; and both
 * in a cell, with the reason if any. */
void hsgd_page_verdict(hsgd_page *page, const char *verdict);
void hsgd_page_basis(hsgd_page *page, const char *kind);
void hsgd_page_verdict_cell(hsgd_page *page, const char *verdict, const char *kind, const char *reason);

/* The kind of a constant, with what it means on hover; and that sentence itself, NULL for no kind. */
void hsgd_page_kind_cell(hsgd_page *page, const char *kind);
const char *hsgd_page_kind_meaning(const char *kind);

/* H-SGD, or local SGD with its period, for "hsgd", "local-sgd-inner" and "local-sgd-outer". */
extern const char *const hsgd_page_runs[3];
void hsgd_page_run_header(hsgd_page *page, size_t run);

/* A link with this text to a file of the result folder; false, and nothing written, where it is not there. */
bool hsgd_page_link_if_there(hsgd_page *page, const char *name, const char *text);

/* A link to a file of the result folder, its name alone where it is not there. */
void hsgd_page_file_link(hsgd_page *page, const char *name);

/* Accuracies, targets or communication? */
bool hsgd_page_has_metrics(const hsgd_page *page);

/* A section with a heading of level 2 and an id for links. */
void hsgd_page_open_section(hsgd_page *page, const char *id, const char *heading);
void hsgd_page_close_section(hsgd_page *page);

/* ---- sections ---- */

void hsgd_page_head(hsgd_page *page);      /* title, verdict, setting */
void hsgd_page_bounds(hsgd_page *page);    /* the bounds and their terms */
void hsgd_page_constants(hsgd_page *page); /* constants, kinds, measured quantities */
hsgd_status hsgd_page_figures(hsgd_page *page, hsgd_error *err);
void hsgd_page_ladder(hsgd_page *page);
void hsgd_page_audit(hsgd_page *page);
void hsgd_page_checks(hsgd_page *page);    /* identities, dispersion, random grouping, sandwich */
void hsgd_page_metrics(hsgd_page *page);   /* accuracies, targets, communication */
void hsgd_page_partition(hsgd_page *page); /* labels per worker and group */
void hsgd_page_config(hsgd_page *page);
void hsgd_page_provenance(hsgd_page *page); /* and how to repeat and cite it */

/* Whom to cite; the sources of the bounds that have a verdict. provenance may be NULL. */
void hsgd_page_citation(hsgd_page *page, const cJSON *provenance);

/* All between the body's tags on the page of a sweep, whose sweep.json is the document. */
hsgd_status hsgd_page_sweep(hsgd_page *page, hsgd_error *err);

/* The whole page. */
hsgd_status hsgd_page_write(hsgd_page *page, hsgd_error *err);

#endif
