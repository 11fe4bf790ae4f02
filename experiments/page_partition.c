/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which worker, and which group, has how many samples of which class. */
#include "experiments/page_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/open_file.h"
#include "experiments/page_heatmap_private.h"

enum { MAX_TABLE_CELLS = 2000 }; /* larger tables are better read from result.json */

/* Rows of counts, all as long as the first. */
typedef struct counts {
    size_t num, num_classes;
    double *value; /* (num, num_classes), owned */
} counts;

/* count.value NULL: the arrays are not there, or not alike, or memory is out. */
static counts read_counts(const cJSON *lists)
{
    counts c = {hsgd_page_length(lists), hsgd_page_length(cJSON_GetArrayItem(lists, 0)), NULL};
    const cJSON *list, *item;
    size_t i = 0;
    if (!c.num || !c.num_classes || !(c.value = calloc(c.num * c.num_classes, sizeof *c.value)))
        return c;
    cJSON_ArrayForEach(list, lists)
    {
        if (hsgd_page_length(list) != c.num_classes) {
            free(c.value);
            return (counts){0, 0, NULL};
        }
        cJSON_ArrayForEach(item, list) c.value[i++] = item->valuedouble > 0 ? item->valuedouble : 0;
    }
    return c;
}

static double *read_numbers(const cJSON *list, size_t length)
{
    double *value = hsgd_page_length(list) == length ? calloc(length + 1, sizeof *value) : NULL;
    const cJSON *item;
    size_t i = 0;
    if (value)
        cJSON_ArrayForEach(item, list) value[i++] = item->valuedouble;
    return value;
}

/* ---- nodes.csv: the depth and the first worker of every node ---- */

typedef struct nodes {
    size_t num, max_depth;
    size_t *depth, *first_worker; /* (num), owned */
} nodes;

/* The number in this column (from 0) of a line of CSV. */
static size_t column_of(const char *line, int column)
{
    for (; column > 0 && line; column--)
        line = (line = strchr(line, ',')) ? line + 1 : NULL;
    return line ? strtoul(line, NULL, 10) : 0;
}

static void add_node(nodes *n, const char *line, size_t capacity)
{
    enum { DEPTH = 2, FIRST_WORKER = 4 };
    if (n->num == capacity)
        return;
    n->depth[n->num] = column_of(line, DEPTH);
    n->first_worker[n->num] = column_of(line, FIRST_WORKER);
    n->max_depth = n->depth[n->num] > n->max_depth ? n->depth[n->num] : n->max_depth;
    n->num++;
}

/* Up to capacity nodes; none where the file is not there, or cannot be read to its end. */
static nodes read_nodes(const char *dir, size_t capacity)
{
    nodes n = {.depth = calloc(capacity + 1, sizeof(size_t)), .first_worker = calloc(capacity + 1, sizeof(size_t))};
    char *path, *line = NULL;
    size_t size = 0;
    FILE *file = NULL;
    if (asprintf(&path, "%s/nodes.csv", dir) >= 0) {
        if (hsgd_open_stream(&file, path, NULL))
            file = NULL;
        free(path);
    }
    bool usable = file && n.depth && n.first_worker && getline(&line, &size, file) > 0 &&
                  strncmp(line, "node,parent,depth,period,first_worker,", 38) == 0;
    while (usable && getline(&line, &size, file) > 0)
        add_node(&n, line, capacity);
    if (file && !feof(file))
        n.num = 0;
    if (file)
        fclose(file);
    free(line);
    return n;
}

static void free_nodes(nodes *n)
{
    free(n->depth);
    free(n->first_worker);
}

/* ---- pictures ---- */

static void put_picture(hsgd_page *page, const hsgd_heatmap *map, const char *caption)
{
    hsgd_html_open(&page->html, "figure");
    hsgd_html_open_class(&page->html, "div", "scroll");
    hsgd_html_attribute(&page->html, "tabindex", "0");
    size_t every = hsgd_heatmap_put(&page->html, map);
    hsgd_html_close(&page->html, "div");
    hsgd_html_open(&page->html, "figcaption");
    hsgd_html_text(&page->html, caption);
    if (every > 1)
        hsgd_html_textf(&page->html, " Of the %zu only every %zuth is drawn.", map->num_columns, every);
    hsgd_html_close(&page->html, "figcaption");
    hsgd_html_close(&page->html, "figure");
}

/* The workers in the order of their places, so that those of a group stand together: c's columns, and their numbers in
 * worker. False, and nothing changed, where the places are not known. */
static bool sort_by_place(counts *c, double *worker, const cJSON *place)
{
    double *sorted = hsgd_page_length(place) == c->num ? malloc(c->num * c->num_classes * sizeof *sorted) : NULL;
    const cJSON *item;
    size_t i = 0;
    if (!sorted)
        return false;
    cJSON_ArrayForEach(item, place)
    {
        size_t j = item->valuedouble >= 0 && item->valuedouble < (double)c->num ? (size_t)item->valuedouble : 0;
        memcpy(sorted + i * c->num_classes, c->value + j * c->num_classes, c->num_classes * sizeof *sorted);
        worker[i++] = (double)j;
    }
    free(c->value);
    c->value = sorted;
    return true;
}

static void put_workers(hsgd_page *page, counts *c, const double *class_value, const nodes *n)
{
    char label[160];
    bool *first = calloc(c->num + 1, sizeof *first);
    double *worker = calloc(c->num + 1, sizeof *worker);
    bool sorted = worker && sort_by_place(c, worker, hsgd_page_get(hsgd_page_get(page->root, "grouping"), "place"));
    for (size_t u = 0; first && u < n->num; u++)
        if (n->depth[u] == 1 && n->first_worker[u] < c->num)
            first[n->first_worker[u]] = true;
    snprintf(label, sizeof label, "Labels per worker: %zu workers in columns, %zu classes in rows", c->num,
             c->num_classes);
    put_picture(
        page,
        &(hsgd_heatmap){.label = label,
                        .column_title = "worker",
                        .num_columns = c->num,
                        .num_rows = c->num_classes,
                        .count = c->value,
                        .row_value = class_value,
                        .column_value = sorted ? worker : NULL,
                        .first = sorted ? first : NULL},
        n->num > 1 && sorted
            ? "Samples of every worker (bars) and their labels (rows): darker cells hold more. Lines separate the "
              "groups of the root."
            : "Samples of every worker (bars) and their labels (rows): darker cells hold more.");
    free(worker);
    free(first);
}

/* The nodes of one depth as columns. */
static void put_groups(hsgd_page *page, const counts *c, const double *class_value, const nodes *n, size_t depth)
{
    char label[160], caption[160];
    double *own = malloc(c->num * c->num_classes * sizeof *own);
    size_t num = 0;
    for (size_t u = 0; own && u < c->num && u < n->num; u++)
        if (n->depth[u] == depth)
            memcpy(own + num++ * c->num_classes, c->value + u * c->num_classes, c->num_classes * sizeof *own);
    if (num > 1) {
        snprintf(label, sizeof label, "Labels per group of level %zu: %zu groups in columns, %zu classes in rows",
                 depth, num, c->num_classes);
        snprintf(caption, sizeof caption, "The same for the %zu groups of level %zu: what their workers have together.",
                 num, depth);
        put_picture(page,
                    &(hsgd_heatmap){.label = label,
                                    .column_title = "group",
                                    .num_columns = num,
                                    .num_rows = c->num_classes,
                                    .count = own,
                                    .row_value = class_value},
                    caption);
    }
    free(own);
}

/* ---- in words and numbers ---- */

static void put_words(hsgd_page *page, const cJSON *partition, const counts *c)
{
    double fewest = INFINITY, most = 0;
    size_t least_classes = c->num_classes, most_classes = 0;
    for (size_t j = 0; j < c->num; j++) {
        double sum = 0;
        size_t classes = 0;
        for (size_t k = 0; k < c->num_classes; k++) {
            sum += c->value[j * c->num_classes + k];
            classes += c->value[j * c->num_classes + k] > 0;
        }
        fewest = fmin(fewest, sum);
        most = fmax(most, sum);
        least_classes = classes < least_classes ? classes : least_classes;
        most_classes = classes > most_classes ? classes : most_classes;
    }
    hsgd_html_elementf(&page->html, "p", NULL,
                       "Scheme %s. %zu workers have %.0f to %.0f samples each, of %zu to %zu of the %zu classes.",
                       hsgd_page_string(partition, "scheme"), c->num, fewest, most, least_classes, most_classes,
                       c->num_classes);
}

static void put_numbers(hsgd_page *page, const counts *c, const double *class_value)
{
    hsgd_html_column *columns = calloc(c->num_classes + 1, sizeof *columns);
    char(*heading)[32] = calloc(c->num_classes + 1, sizeof *heading);
    if (columns && heading && c->num * c->num_classes <= MAX_TABLE_CELLS) {
        columns[0].heading = "worker";
        for (size_t k = 0; k < c->num_classes; k++) {
            snprintf(heading[k], sizeof heading[k], "%g", class_value ? class_value[k] : (double)k);
            columns[k + 1] = (hsgd_html_column){heading[k], true};
        }
        hsgd_html_open(&page->html, "details");
        hsgd_html_element(&page->html, "summary", NULL, "The numbers: samples per worker and label");
        hsgd_html_open_table(&page->html, "Samples per worker and label", columns, c->num_classes + 1);
        for (size_t j = 0; j < c->num; j++) {
            hsgd_html_open_row(&page->html);
            hsgd_html_open_row_header(&page->html);
            hsgd_html_textf(&page->html, "%zu", j);
            hsgd_html_close(&page->html, "th");
            for (size_t k = 0; k < c->num_classes; k++)
                hsgd_page_number_cell(page, c->value[j * c->num_classes + k], 12);
            hsgd_html_close_row(&page->html);
        }
        hsgd_html_close_table(&page->html);
        hsgd_html_close(&page->html, "details");
    }
    free(heading);
    free(columns);
}

void hsgd_page_partition(hsgd_page *page)
{
    const cJSON *partition = hsgd_page_get(page->root, "partition");
    counts workers = read_counts(hsgd_page_get(partition, "worker_labels"));
    counts groups = read_counts(hsgd_page_get(partition, "node_labels"));
    double *class_value = read_numbers(hsgd_page_get(partition, "class_values"), workers.num_classes);
    nodes n = read_nodes(page->dir, groups.num);
    if (workers.value) {
        hsgd_page_open_section(page, "partition", "Who has which data");
        put_words(page, partition, &workers);
        put_numbers(page, &workers, class_value);
        put_workers(page, &workers, class_value, &n);
        for (size_t depth = 1; groups.value && depth <= n.max_depth; depth++)
            put_groups(page, &groups, class_value, &n, depth);
        hsgd_page_close_section(page);
    }
    free_nodes(&n);
    free(class_value);
    free(groups.value);
    free(workers.value);
}
