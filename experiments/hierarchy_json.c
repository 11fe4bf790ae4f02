/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/hierarchy_json_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Nodes while a tree is read, depth first, which is pre-order. */
typedef struct tree_reader {
    hsgd_node_spec *spec;
    hsgd_node_values *values; /* NULL: nodes must not carry any */
    double *divergence_sq, *deviation_max_sq;
    size_t length, capacity;
    size_t with_divergence, with_deviation; /* nodes that carried one */
} tree_reader;

static hsgd_status grow(tree_reader *reader, hsgd_error *err)
{
    if (reader->length < reader->capacity)
        return HSGD_OK;
    size_t capacity = reader->capacity ? 2 * reader->capacity : 64;
    hsgd_node_spec *spec = realloc(reader->spec, capacity * sizeof *spec);
    if (spec)
        reader->spec = spec;
    double *divergence_sq = realloc(reader->divergence_sq, capacity * sizeof *divergence_sq);
    if (divergence_sq)
        reader->divergence_sq = divergence_sq;
    double *deviation_max_sq = realloc(reader->deviation_max_sq, capacity * sizeof *deviation_max_sq);
    if (deviation_max_sq)
        reader->deviation_max_sq = deviation_max_sq;
    if (!spec || !divergence_sq || !deviation_max_sq)
        return hsgd_fail_memory(err, "the tree");
    reader->capacity = capacity;
    return HSGD_OK;
}

/* A number of a node that may be absent; *count counts the nodes that have it. */
static hsgd_status read_value(const hsgd_json *node, const char *key, double *out, size_t *count, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(node, key);
    *out = NAN;
    if (!at.value)
        return HSGD_OK;
    ++*count;
    return hsgd_json_number(&at, 0, INFINITY, out, err);
}

static hsgd_status read_period(const hsgd_json *node, size_t parent_period, size_t *period, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(node, "period");
    hsgd_status status = hsgd_json_count(&at, 1, HSGD_MAX_PERIOD, period, err);
    if (!status && parent_period && parent_period % *period != 0)
        return hsgd_json_fail(&at, err, "does not divide the period %zu of the node above; a child's period must",
                              parent_period);
    return status;
}

static hsgd_status read_node(tree_reader *reader, const hsgd_json *at, size_t parent, size_t depth, hsgd_error *err);

static hsgd_status read_children(tree_reader *reader, const hsgd_json *children, size_t self, size_t depth,
                                 hsgd_error *err)
{
    size_t count;
    hsgd_status status = hsgd_json_array(children, 1, &count, err);
    const cJSON *item = status ? NULL : children->value->child;
    for (size_t i = 0; !status && i < count; i++) {
        hsgd_json child = hsgd_json_next(children, &item, i);
        status = read_node(reader, &child, self, depth + 1, err);
    }
    return status;
}

static hsgd_status read_node(tree_reader *reader, const hsgd_json *at, size_t parent, size_t depth, hsgd_error *err)
{
    static const char *const plain[] = {"period", "children", "workers", NULL};
    static const char *const valued[] = {"period", "children", "workers", "divergence_sq", "deviation_max_sq", NULL};
    hsgd_status status = hsgd_json_object(at, reader->values ? valued : plain, err);
    if (!status && depth >= HSGD_MAX_LEVELS)
        status = hsgd_json_fail(at, err, "deeper than %d levels", HSGD_MAX_LEVELS);
    if (!status)
        status = grow(reader, err);
    if (status)
        return status;
    size_t self = reader->length++;
    hsgd_node_spec spec = {.parent = parent};
    status = read_period(at, parent == HSGD_NO_NODE ? 0 : reader->spec[parent].period, &spec.period, err);
    if (!status)
        status = read_value(at, "divergence_sq", &reader->divergence_sq[self], &reader->with_divergence, err);
    if (!status)
        status = read_value(at, "deviation_max_sq", &reader->deviation_max_sq[self], &reader->with_deviation, err);
    hsgd_json workers = hsgd_json_member(at, "workers"), children = hsgd_json_member(at, "children");
    if (!status && !workers.value == !children.value)
        return hsgd_json_fail(at, err, "expected either \"children\" or \"workers\"");
    if (!status && workers.value)
        status = hsgd_json_count(&workers, 1, HSGD_MAX_WORKERS, &spec.num_workers, err);
    reader->spec[self] = spec;
    if (!status && children.value)
        status = read_children(reader, &children, self, depth, err);
    return status;
}

/* All nodes carry the value, or none. */
static hsgd_status keep_values(const tree_reader *reader, const hsgd_json *at, size_t count, const char *key,
                               double **values, double **kept, hsgd_error *err)
{
    if (count != 0 && count != reader->length)
        return hsgd_json_fail(at, err, "%zu of %zu nodes carry \"%s\"; give it to all or to none", count,
                              reader->length, key);
    if (count) {
        *kept = *values;
        *values = NULL;
    }
    return HSGD_OK;
}

static hsgd_status read_tree(hsgd_hierarchy *out, hsgd_node_values *values, const hsgd_json *at, hsgd_error *err)
{
    tree_reader reader = {.values = values};
    hsgd_status status = read_node(&reader, at, HSGD_NO_NODE, 0, err);
    if (!status) {
        status = hsgd_hierarchy_tree(out, reader.spec, reader.length, err);
        if (status)
            hsgd_error_prefix(err, "%s: %s: ", at->file, at->path);
    }
    if (!status && values)
        status = keep_values(&reader, at, reader.with_divergence, "divergence_sq", &reader.divergence_sq,
                             &values->divergence_sq, err);
    if (!status && values)
        status = keep_values(&reader, at, reader.with_deviation, "deviation_max_sq", &reader.deviation_max_sq,
                             &values->deviation_max_sq, err);
    free(reader.spec);
    free(reader.divergence_sq);
    free(reader.deviation_max_sq);
    return status;
}

static hsgd_status read_uniform(hsgd_hierarchy *out, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json fanout_at = hsgd_json_member(at, "fanout"), periods_at = hsgd_json_member(at, "periods");
    size_t *fanout = NULL, *periods = NULL, levels = 0, num_periods = 0;
    hsgd_status status = hsgd_json_counts(&fanout_at, 1, HSGD_MAX_WORKERS, &fanout, &levels, err);
    if (!status)
        status = hsgd_json_counts(&periods_at, 1, HSGD_MAX_PERIOD, &periods, &num_periods, err);
    if (!status && num_periods != levels)
        status = hsgd_json_fail(&periods_at, err, "%zu periods for %zu levels; give one per entry of \"fanout\"",
                                num_periods, levels);
    if (!status) {
        status = hsgd_hierarchy_uniform(out, fanout, periods, levels, err);
        if (status)
            hsgd_error_prefix(err, "%s: %s.", at->file, at->path);
    }
    free(fanout);
    free(periods);
    return status;
}

hsgd_status hsgd_hierarchy_read(hsgd_hierarchy *out, bool *is_uniform, hsgd_node_values *values, const hsgd_json *at,
                                hsgd_error *err)
{
    static const char *const keys[] = {"fanout", "periods", "tree", "weights", NULL};
    memset(out, 0, sizeof *out);
    if (values)
        *values = (hsgd_node_values){0};
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (status)
        return status;
    hsgd_json tree = hsgd_json_member(at, "tree");
    hsgd_json fanout = hsgd_json_member(at, "fanout"), periods = hsgd_json_member(at, "periods");
    *is_uniform = !tree.value;
    if (tree.value && (fanout.value || periods.value))
        return hsgd_json_fail(at, err, "expected either \"fanout\" and \"periods\" or \"tree\"");
    return tree.value ? read_tree(out, values, &tree, err) : read_uniform(out, at, err);
}

hsgd_status hsgd_weights_read(double **out, size_t num_workers, const hsgd_json *at, hsgd_error *err)
{
    size_t length;
    hsgd_status status = hsgd_json_numbers(at, 0, INFINITY, out, &length, err);
    if (!status && length != num_workers)
        status = hsgd_json_fail(at, err, "%zu weights for %zu workers", length, num_workers);
    double sum = 0;
    for (size_t j = 0; !status && j < length; j++) {
        sum += (*out)[j];
        if ((*out)[j] == 0) {
            hsgd_json item = hsgd_json_item(at, j);
            status = hsgd_json_fail(&item, err, "a weight must be above 0");
        }
    }
    if (!status && !isfinite(sum))
        status = hsgd_json_fail(at, err, "the sum of the weights is not finite");
    if (status) {
        free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- writing ---- */

static cJSON *node_to_json(const hsgd_hierarchy *h, size_t u)
{
    cJSON *node = cJSON_CreateObject();
    cJSON_AddNumberToObject(node, "period", (double)h->node[u].period);
    if (hsgd_node_is_lowest(h, u)) {
        cJSON_AddNumberToObject(node, "workers", (double)h->node[u].num_workers);
        return node;
    }
    cJSON *children = cJSON_AddArrayToObject(node, "children");
    for (size_t v = u + 1; v < h->node[u].end; v = h->node[v].end)
        cJSON_AddItemToArray(children, node_to_json(h, v));
    return node;
}

cJSON *hsgd_hierarchy_to_json(const hsgd_hierarchy *h, bool is_uniform)
{
    cJSON *object = cJSON_CreateObject();
    if (!is_uniform) {
        cJSON_AddItemToObject(object, "tree", node_to_json(h, 0));
        return object;
    }
    cJSON *fanout = cJSON_AddArrayToObject(object, "fanout"), *periods = cJSON_AddArrayToObject(object, "periods");
    for (size_t k = 0; k < h->num_nodes; k++) {
        cJSON_AddItemToArray(fanout, cJSON_CreateNumber((double)h->node[k].num_children));
        cJSON_AddItemToArray(periods, cJSON_CreateNumber((double)h->node[k].period));
    }
    return object;
}
