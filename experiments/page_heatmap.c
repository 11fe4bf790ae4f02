/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/page_heatmap_private.h"

#include <math.h>
#include <stdlib.h>

#include "analysis/text_stream.h"

/* All in CSS pixels; the picture is shown at this size, in a box that scrolls. */
enum { LEFT = 44, TOP = 18, BARS = 48, GAP = 6, BOTTOM = 40, RIGHT = 12, COLUMN_LABEL = 36, ROW_LABEL = 14 };

typedef struct layout {
    const hsgd_heatmap *map;
    size_t every;         /* of the columns one is drawn */
    size_t drawn;         /* columns */
    double width, height; /* of a cell */
    double largest_cell, largest_sum;
    double cells_top; /* y of the first row */
} layout;

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static double cell(const hsgd_heatmap *map, size_t column, size_t row)
{
    return map->count[column * map->num_rows + row];
}

static double sum_of(const hsgd_heatmap *map, size_t column)
{
    double sum = 0;
    for (size_t row = 0; row < map->num_rows; row++)
        sum += cell(map, column, row);
    return sum;
}

static layout lay_out(const hsgd_heatmap *map)
{
    layout l = {
        .map = map, .every = 1 + (map->num_columns - 1) / HSGD_HEATMAP_MAX_COLUMNS, .cells_top = TOP + BARS + GAP};
    l.drawn = (map->num_columns + l.every - 1) / l.every;
    l.width = clamp(floor(640 / (double)l.drawn), 2, 26);
    l.height = clamp(floor(280 / (double)map->num_rows), 3, 18);
    for (size_t i = 0; i < map->num_columns; i += l.every) {
        l.largest_sum = fmax(l.largest_sum, sum_of(map, i));
        for (size_t row = 0; row < map->num_rows; row++)
            l.largest_cell = fmax(l.largest_cell, cell(map, i, row));
    }
    return l;
}

static double x_of(const layout *l, size_t drawn)
{
    return LEFT + (double)drawn * l->width;
}

/* ---- pieces ---- */

static void put_title(hsgd_html *html, double x, double y, const char *anchor, const char *text)
{
    hsgd_html_open(html, "text");
    hsgd_html_attributef(html, "x", "%g", x);
    hsgd_html_attributef(html, "y", "%g", y);
    hsgd_html_attribute(html, "text-anchor", anchor);
    hsgd_html_text(html, text);
    hsgd_html_close(html, "text");
}

static void put_label(hsgd_html *html, double x, double y, const char *anchor, const char *format, double value)
{
    char text[40];
    snprintf(text, sizeof text, format, value);
    put_title(html, x, y, anchor, text);
}

/* The end of a path that was written piece by piece; path: NULL when memory is out. */
static void end_path(hsgd_html *html, FILE *path, hsgd_text_stream *memory, const char *class_name)
{
    char *text = hsgd_text_close(memory, path);
    if (!text && !html->mistake)
        html->mistake = "out of memory";
    if (text && *text) {
        hsgd_html_open(html, "path");
        hsgd_html_attribute(html, "class", class_name);
        hsgd_html_attribute(html, "d", text);
        hsgd_html_close(html, "path");
    }
    free(text);
}

/* Of a cell: 0 for an empty one, else 1 (fewest) to HSGD_HEATMAP_SHADES. */
static int shade_of(const layout *l, double count)
{
    return count > 0 ? (int)clamp(ceil(HSGD_HEATMAP_SHADES * count / l->largest_cell), 1, HSGD_HEATMAP_SHADES) : 0;
}

/* All cells of one shade in one path, neighbours in a row as one rectangle: small also for thousands of cells. */
static void put_shade(hsgd_html *html, const layout *l, int shade)
{
    char class_name[16];
    hsgd_text_stream memory;
    FILE *path = hsgd_text_open(&memory);
    for (size_t row = 0; path && row < l->map->num_rows; row++)
        for (size_t i = 0, run; i < l->drawn; i += run) {
            for (run = 0; i + run < l->drawn && shade_of(l, cell(l->map, (i + run) * l->every, row)) == shade; run++)
                ;
            if (run)
                fprintf(path, "M%g %gh%gv%gh%gz", x_of(l, i), l->cells_top + (double)row * l->height,
                        (double)run * l->width, l->height, -(double)run * l->width);
            run += run == 0;
        }
    snprintf(class_name, sizeof class_name, "shade-%d", shade);
    end_path(html, path, &memory, class_name);
}

static void put_bars(hsgd_html *html, const layout *l)
{
    hsgd_text_stream memory;
    FILE *path = hsgd_text_open(&memory);
    double thick = l->width > 4 ? l->width - 2 : l->width;
    for (size_t i = 0; path && i < l->drawn; i++) {
        double height = BARS * sum_of(l->map, i * l->every) / fmax(l->largest_sum, 1);
        fprintf(path, "M%g %gv%.2fh%gv%.2fz", x_of(l, i), (double)(TOP + BARS), -height, thick, height);
    }
    end_path(html, path, &memory, "bars");
    put_label(html, LEFT - 6, TOP + 10, "end", "%.4g", l->largest_sum);
    put_title(html, LEFT - 6, TOP + BARS, "end", "0");
}

/* The frame of the cells, and lines where a group begins. */
static void put_lines(hsgd_html *html, const layout *l)
{
    hsgd_text_stream memory;
    FILE *path = hsgd_text_open(&memory);
    double right = x_of(l, l->drawn), bottom = l->cells_top + (double)l->map->num_rows * l->height;
    if (path)
        fprintf(path, "M%d %gH%gV%gH%dz", LEFT, l->cells_top, right, bottom, LEFT);
    for (size_t i = 1; path && l->map->first && i < l->drawn; i++)
        if (l->map->first[i * l->every])
            fprintf(path, "M%g %dV%g", x_of(l, i), TOP, bottom);
    end_path(html, path, &memory, "frame");
}

static void put_row_labels(hsgd_html *html, const layout *l)
{
    size_t step = (size_t)ceil(ROW_LABEL / l->height);
    for (size_t row = 0; row < l->map->num_rows; row += step)
        put_label(html, LEFT - 6, l->cells_top + ((double)row + 0.5) * l->height + 4, "end", "%g",
                  l->map->row_value ? l->map->row_value[row] : (double)row);
}

static void put_column_labels(hsgd_html *html, const layout *l)
{
    size_t step = (size_t)ceil(COLUMN_LABEL / l->width);
    double y = l->cells_top + (double)l->map->num_rows * l->height + 15;
    for (size_t i = 0; i < l->drawn; i += step)
        put_label(html, x_of(l, i) + l->width / 2, y, "middle", "%.0f",
                  l->map->column_value ? l->map->column_value[i * l->every] : (double)(i * l->every));
    put_title(html, LEFT, y + 17, "start", l->map->column_title);
}

size_t hsgd_heatmap_put(hsgd_html *html, const hsgd_heatmap *map)
{
    layout l = lay_out(map);
    double width = fmax(x_of(&l, l.drawn) + RIGHT, 150);
    double height = l.cells_top + (double)map->num_rows * l.height + BOTTOM;
    hsgd_html_open_class(html, "svg", "heatmap");
    html->in_svg = true;
    hsgd_html_attribute(html, "xmlns", "http://www.w3.org/2000/svg");
    hsgd_html_attribute(html, "role", "img");
    hsgd_html_attribute(html, "aria-label", map->label);
    hsgd_html_attributef(html, "width", "%g", width);
    hsgd_html_attributef(html, "height", "%g", height);
    hsgd_html_attributef(html, "viewBox", "0 0 %g %g", width, height);
    put_title(html, LEFT, TOP - 6, "start", "samples");
    for (int shade = 1; shade <= HSGD_HEATMAP_SHADES; shade++)
        put_shade(html, &l, shade);
    put_bars(html, &l);
    put_lines(html, &l);
    put_row_labels(html, &l);
    put_column_labels(html, &l);
    hsgd_html_close(html, "svg");
    html->in_svg = false;
    return l.every;
}
