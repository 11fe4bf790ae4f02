/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting a picture that gnuplot drew as SVG into a page. */
#ifndef HSGD_EXPERIMENTS_SVG_PRIVATE_H
#define HSGD_EXPERIMENTS_SVG_PRIVATE_H

#include "experiments/html_private.h"

/* Parse a file of SVG and write it into the page as <svg role="img" aria-label="LABEL">. Only elements and attributes
 * that draw are taken over, so no script, style sheet or address of another file is; every text is escaped again. All
 * ids, and what refers to them, get PREFIX- in front, so that several pictures do not clash. Fails where the file
 * cannot be read or is not SVG. */
hsgd_status hsgd_svg_embed(hsgd_html *html, const char *path, const char *prefix, const char *label, hsgd_error *err);

#endif
