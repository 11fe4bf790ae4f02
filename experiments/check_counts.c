/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts: every place has one worker, the labels of a worker are as many as its samples, those of a node are its workers', and the
 * bytes of the data those of their files. */
#include "experiments/check_private.h"

#include <math.h>
#include <stdlib.h>

static double sum_of(const cJSON *array)
{
    const cJSON *item;
    double sum = 0;
    cJSON_ArrayForEach(item, array) sum += cJSON_IsNumber(item) ? item->valuedouble : NAN;
    return sum;
}

/* The worker at each place, (n), to be freed; NULL: it is no permutation. */
static hsgd_status read_places(size_t **places, const cJSON *place, size_t n, hsgd_error *err)
{
    const cJSON *item;
    size_t i = 0, *out = calloc(n + 1, sizeof *out);
    bool *taken = calloc(n + 1, sizeof *taken), enough = out && taken;
    bool legal = enough && (size_t)cJSON_GetArraySize(place) == n;
    cJSON_ArrayForEach(item, place)
    {
        double worker = cJSON_IsNumber(item) ? item->valuedouble : -1;
        legal = legal && worker >= 0 && worker < (double)n && worker == floor(worker) && !taken[(size_t)worker];
        if (!legal)
            break;
        taken[(size_t)worker] = true;
        out[i++] = (size_t)worker;
    }
    free(taken);
    *places = legal ? out : NULL;
    if (!legal)
        free(out);
    return enough ? HSGD_OK : hsgd_fail_memory(err, "the places");
}

static void check_places(hsgd_check *c, const size_t *place, size_t n)
{
    bool given = c->config.grouping == HSGD_GROUPING_GIVEN;
    for (size_t i = 0; i < n && place; i++)
        if (given && place[i] != i) {
            hsgd_check_say(c, HSGD_CHECK_FAILS, "places of workers", "worker %zu is at place %zu of a given grouping",
                           place[i], i);
            return;
        }
    if (place)
        hsgd_check_say(c, HSGD_CHECK_HOLDS, "places of workers", "each of %zu has one", n);
    else
        hsgd_check_say(c, HSGD_CHECK_FAILS, "places of workers", "not each of %zu has one", n);
}

/* ---- labels ---- */

/* label (n, classes) of the workers; each node has those of the workers that sit below it. Unless places are drawn for each seed, the
 * workers of the document are sorted by place already. */
static void compare_nodes(hsgd_check_pairs *pairs, const hsgd_hierarchy *tree, const double *label, size_t classes,
                          const size_t *place, const cJSON *nodes)
{
    const cJSON *node = nodes ? nodes->child : NULL;
    for (size_t u = 0; u < tree->num_nodes && node; u++, node = node->next) {
        const cJSON *written = node->child;
        size_t first = tree->node[u].first_worker, end = first + tree->node[u].num_workers;
        for (size_t c = 0; c < classes; c++, written = written ? written->next : NULL) {
            double sum = 0;
            for (size_t i = first; i < end; i++)
                sum += label[(place ? place[i] : i) * classes + c];
            hsgd_check_pair(pairs, sum, written ? written->valuedouble : NAN, 1, "labels of node", u);
        }
    }
    hsgd_check_pair(pairs, (double)tree->num_nodes, (double)cJSON_GetArraySize(nodes), 1, "nodes with labels", 1);
}

static hsgd_status check_labels(hsgd_check *c, const cJSON *partition, const size_t *place, hsgd_error *err)
{
    const cJSON *samples = hsgd_check_get(partition, "worker_samples"),
                *labels = hsgd_check_get(partition, "worker_labels");
    size_t n = c->config.hierarchy.num_workers;
    size_t classes = (size_t)cJSON_GetArraySize(hsgd_check_get(partition, "class_values")), j = 0;
    double *label = calloc(n * classes + 1, sizeof *label);
    hsgd_hierarchy tree;
    hsgd_check_pairs pairs = {0};
    hsgd_status status =
        label ? hsgd_hierarchy_expand(&tree, &c->config.hierarchy, err) : hsgd_fail_memory(err, "labels");
    const cJSON *of = samples ? samples->child : NULL;
    for (const cJSON *row = labels ? labels->child : NULL; row && j < n && !status; row = row->next, j++) {
        const cJSON *item = row->child;
        for (size_t k = 0; k < classes && item; k++, item = item->next)
            label[j * classes + k] = item->valuedouble;
        hsgd_check_pair(&pairs, sum_of(row), of ? of->valuedouble : NAN, 1, "samples of worker", j);
        of = of ? of->next : NULL;
    }
    if (!status) {
        hsgd_check_pair(&pairs, (double)n, (double)j, 1, "workers with labels", 1);
        bool drawn = c->config.grouping == HSGD_GROUPING_RANDOM;
        compare_nodes(&pairs, &tree, label, classes, drawn ? place : NULL, hsgd_check_get(partition, "node_labels"));
        hsgd_hierarchy_free(&tree);
        hsgd_check_say_pairs(c, &pairs, "samples and labels", 0);
    }
    free(label);
    return status;
}

/* ---- files ---- */

static void check_read(hsgd_check *c, const cJSON *data, const cJSON *partition)
{
    const cJSON *files = hsgd_check_get(hsgd_check_get(c->document, "provenance"), "data_files"), *file;
    double bytes = 0, count = 0;
    hsgd_check_pairs pairs = {0};
    cJSON_ArrayForEach(file, files)
    {
        bytes += hsgd_check_number(file, "bytes");
        count++;
    }
    if (cJSON_IsArray(files)) {
        hsgd_check_pair(&pairs, count, hsgd_check_number(data, "files"), 1, "files", 1);
        hsgd_check_pair(&pairs, bytes, hsgd_check_number(data, "bytes"), 1, "bytes", 1);
    }
    hsgd_check_pair(&pairs, sum_of(hsgd_check_get(partition, "worker_samples")), hsgd_check_number(data, "samples"), 1,
                    "samples", 1);
    hsgd_check_pair(&pairs, (double)cJSON_GetArraySize(hsgd_check_get(partition, "class_values")),
                    hsgd_check_number(data, "classes"), 1, "classes", 1);
    hsgd_check_pair(&pairs, (double)c->config.partition.seed, hsgd_check_number(partition, "seed"), 1, "seed", 1);
    hsgd_check_say_pairs(c, &pairs, "data: files, samples, classes", 0);
}

hsgd_status hsgd_check_counts(hsgd_check *check, hsgd_error *err)
{
    const cJSON *partition = hsgd_check_get(check->document, "partition"),
                *data = hsgd_check_get(check->document, "data");
    size_t n = check->config.hierarchy.num_workers;
    size_t *place;
    hsgd_status status =
        read_places(&place, hsgd_check_get(hsgd_check_get(check->document, "grouping"), "place"), n, err);
    if (status)
        return status;
    check_places(check, place, n);
    if (cJSON_IsObject(partition) && hsgd_check_get(partition, "worker_labels"))
        status = check_labels(check, partition, place, err);
    if (!status && cJSON_IsObject(data))
        check_read(check, data, partition);
    free(place);
    return status;
}
