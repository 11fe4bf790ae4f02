/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/list.h"

#include <stdlib.h>
#include <string.h>

/* Room for so many more than there are. */
static hsgd_status grow(hsgd_bound_list *list, size_t more, hsgd_error *err)
{
    const hsgd_bound **bound = realloc(list->bound, (list->count + more) * sizeof *bound);
    if (bound)
        list->bound = bound;
    hsgd_bound_release *release = realloc(list->release, (list->count + more) * sizeof *release);
    if (release)
        list->release = release;
    return bound && release ? HSGD_OK : hsgd_fail_memory(err, "the list of bounds");
}

hsgd_status hsgd_bound_list_init(hsgd_bound_list *out, hsgd_error *err)
{
    *out = (hsgd_bound_list){0};
    hsgd_status status = grow(out, hsgd_num_bounds, err);
    for (size_t i = 0; i < hsgd_num_bounds && !status; i++) {
        out->bound[i] = hsgd_bounds[i];
        out->release[i] = NULL;
        out->count++;
    }
    if (status)
        hsgd_bound_list_free(out);
    return status;
}

hsgd_status hsgd_bound_list_add(hsgd_bound_list *list, const hsgd_bound *bound, hsgd_bound_release release,
                                hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    if (hsgd_bound_list_find(list, bound->id))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "the id \"%s\" belongs to another bound", bound->id);
    if (!status)
        status = grow(list, 1, err);
    if (status) {
        if (release)
            release(bound);
        return status;
    }
    list->bound[list->count] = bound;
    list->release[list->count++] = release;
    return HSGD_OK;
}

const hsgd_bound *hsgd_bound_list_find(const hsgd_bound_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->bound[i]->id, id) == 0)
            return list->bound[i];
    return NULL;
}

void hsgd_bound_list_free(hsgd_bound_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        if (list->release[i])
            list->release[i](list->bound[i]);
    free(list->bound);
    free(list->release);
    memset(list, 0, sizeof *list);
}
