/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nodes.csv: its rows are a tree, their divergences add up within the tree and to those of series.csv. */
#include "experiments/check_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/open_file.h"

enum { NUM_COLUMNS = 13, MAX_DEPTH = 64 };
enum {
    NODE,
    PARENT,
    DEPTH,
    PERIOD,
    FIRST_WORKER,
    WORKERS,
    CHILDREN,
    WEIGHT,
    DIVERGENCE,
    DOWNWARD,
    LARGEST,
    DISPERSION,
    CERTIFIED
};

typedef struct nodes {
    double (*row)[NUM_COLUMNS]; /* (count), NAN where nothing stands; owned */
    size_t count;
} nodes;

/* ---- reading: some cells are empty, so that it is no series ---- */

static bool read_row(double out[NUM_COLUMNS], char *line)
{
    char *rest = line, *text, *end;
    size_t c = 0;
    for (; (text = strsep(&rest, ",\n")) && c < NUM_COLUMNS; c++) {
        out[c] = *text ? strtod(text, &end) : NAN;
        if (*text && *end)
            return false;
    }
    return c == NUM_COLUMNS;
}

static bool is_header(const char *line)
{
    static const char names[] = "node,parent,depth,period,first_worker,workers,children,weight,divergence_sq_mean,"
                                "downward_sq_mean,divergence_sq_sup,dispersion_mean,divergence_sq_certified";
    return strncmp(line, names, sizeof names - 1) == 0;
}

/* HSGD_ERROR_INPUT: it cannot be read as what it should be. */
static hsgd_status read_nodes(nodes *out, FILE *file, hsgd_error *err)
{
    char *line = NULL;
    size_t size = 0, capacity = 0;
    bool found = getline(&line, &size, file) > 0;
    hsgd_status status = HSGD_OK;
    if (!found && !feof(file) && !ferror(file))
        status = hsgd_fail_memory(err, "nodes.csv");
    else if (!found || !is_header(line))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "line 1: expected the names of the columns");
    while (!status && getline(&line, &size, file) > 0) {
        if (out->count == capacity) {
            capacity = 2 * capacity + 64;
            void *grown = realloc(out->row, capacity * sizeof *out->row);
            if (!grown) {
                status = hsgd_fail_memory(err, "nodes.csv");
                break;
            }
            out->row = grown;
        }
        if (!read_row(out->row[out->count], line))
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu: expected %d cells", out->count + 2, NUM_COLUMNS);
        else
            out->count++;
    }
    if (ferror(file))
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "nodes.csv: cannot be read: %s", strerror(errno));
    free(line);
    /* neither the end nor an error of the file */
    return !feof(file) && !ferror(file) && status != HSGD_ERROR_INPUT ? hsgd_fail_memory(err, "nodes.csv") : status;
}

/* ---- identities ---- */

static bool is_parent(const nodes *n, size_t u)
{
    double parent = n->row[u][PARENT];
    return parent >= 0 && parent < (double)u;
}

/* What the children of a node are together. */
typedef struct family {
    double children, weight, workers, downward; /* the last one weighted */
} family;

/* One walk over all nodes, which lie behind their parents. */
static void add_children(family *of, const nodes *n)
{
    for (size_t v = 1; v < n->count; v++) {
        if (!is_parent(n, v))
            continue;
        family *parent = &of[(size_t)n->row[v][PARENT]];
        parent->children++;
        parent->weight += n->row[v][WEIGHT];
        parent->workers += n->row[v][WORKERS];
        parent->downward += n->row[v][WEIGHT] * n->row[v][DOWNWARD];
    }
}

/* Children are one deeper than their parent, and their weights and workers are all of it. */
static void check_tree(hsgd_check *c, const nodes *n, const family *of)
{
    hsgd_check_pairs pairs = {0};
    for (size_t u = 0; u < n->count; u++) {
        hsgd_check_pair(&pairs, (double)u, n->row[u][NODE], 1, "node", u);
        if (u && is_parent(n, u))
            hsgd_check_pair(&pairs, n->row[(size_t)n->row[u][PARENT]][DEPTH] + 1, n->row[u][DEPTH], 1, "depth, node",
                            u);
        else if (u)
            hsgd_check_pair(&pairs, 0, n->row[u][PARENT], 1, "parent, node", u);
        if (of[u].children == 0) /* its children are workers */
            continue;
        hsgd_check_pair(&pairs, of[u].children, n->row[u][CHILDREN], 1, "children, node", u);
        hsgd_check_pair(&pairs, of[u].weight, n->row[u][WEIGHT], 0, "weight, node", u);
        hsgd_check_pair(&pairs, of[u].workers, n->row[u][WORKERS], 1, "workers, node", u);
    }
    hsgd_check_say_pairs(c, &pairs, "nodes.csv, tree", HSGD_CHECK_ROUNDING);
}

/* downward_u = divergence_u + the mean of its children's (Lemma 1, level by level). */
static void check_downward(hsgd_check *c, const nodes *n, const family *of)
{
    hsgd_check_pairs pairs = {0};
    for (size_t u = 0; u < n->count; u++)
        hsgd_check_pair(&pairs, n->row[u][DIVERGENCE] + of[u].downward / n->row[u][WEIGHT], n->row[u][DOWNWARD], 0,
                        "node", u);
    hsgd_check_say_pairs(c, &pairs, "nodes.csv, downward divergence", HSGD_CHECK_ROUNDING);
}

static double mean_of(const double *value, size_t count)
{
    double mean = 0;
    for (size_t r = 0; r < count; r++)
        mean += (value[r] - mean) / (double)(r + 1);
    return mean;
}

/* The weighted sum over the nodes of a level is the mean over the steps of this level's column. */
static void check_levels(hsgd_check *c, const nodes *n, const hsgd_series *series, int from, const char *prefix,
                         const char *name)
{
    hsgd_check_pairs pairs = {0};
    for (size_t k = 0; k < MAX_DEPTH; k++) {
        char title[64];
        double sum = 0;
        bool any = false;
        snprintf(title, sizeof title, "%s%zu", prefix, k + 1);
        const double *value = hsgd_series_column(series, title);
        for (size_t u = 0; u < n->count; u++)
            if (n->row[u][DEPTH] == (double)k) {
                sum += n->row[u][WEIGHT] * n->row[u][from];
                any = true;
            }
        if (any && value)
            hsgd_check_pair(&pairs, mean_of(value, series->num_rows), sum, 0, "level", k + 1);
    }
    hsgd_check_say_pairs(c, &pairs, name, HSGD_CHECK_ROUNDING);
}

static hsgd_status check_rows(hsgd_check *c, const nodes *n, const hsgd_series *series, hsgd_error *err)
{
    bool diverged = hsgd_check_number(hsgd_check_get(c->document, "measured"), "diverged_seeds") > 0;
    family *of = calloc(n->count + 1, sizeof *of);
    if (!of)
        return hsgd_fail_memory(err, "nodes.csv");
    add_children(of, n);
    check_tree(c, n, of);
    check_downward(c, n, of);
    if (series && !diverged) {
        check_levels(c, n, series, DIVERGENCE, "divergence_level_", "nodes.csv, levels: divergence");
        check_levels(c, n, series, DISPERSION, "dispersion_level_", "nodes.csv, levels: dispersion");
    }
    free(of);
    return HSGD_OK;
}

hsgd_status hsgd_check_nodes(hsgd_check *check, const hsgd_series *series, hsgd_error *err)
{
    char path[4096];
    nodes n = {0};
    hsgd_error reason;
    snprintf(path, sizeof path, "%s/nodes.csv", check->dir);
    FILE *file;
    hsgd_status opened = hsgd_open_stream(&file, path, &reason);
    if (opened == HSGD_ERROR_MEMORY)
        return hsgd_fail_memory(err, path);
    if (opened) {
        hsgd_check_say(check, HSGD_CHECK_FAILS, "nodes.csv", "%s", reason.message);
        return HSGD_OK;
    }
    hsgd_status status = read_nodes(&n, file, &reason);
    fclose(file);
    if (status == HSGD_ERROR_INPUT)
        hsgd_check_say(check, HSGD_CHECK_FAILS, "nodes.csv", "%s", reason.message);
    if (!status)
        status = check_rows(check, &n, series, &reason);
    free(n.row);
    return status && status != HSGD_ERROR_INPUT ? hsgd_fail(err, status, "%s", reason.message) : HSGD_OK;
}
