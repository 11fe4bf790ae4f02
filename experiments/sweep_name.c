/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels for people, and names of folders. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "experiments/sweep_private.h"

enum {
    LONGEST_TEXT = 32, /* a value that is longer as JSON has only its number */
    LONGEST_PART = 60  /* of a folder's name, for each axis */
};

/* The value as people write it: texts bare, all else as JSON; what is long is counted. */
static char *value_text(const cJSON *value, size_t index)
{
    char *text = cJSON_IsString(value) ? NULL : cJSON_PrintUnformatted(value), *out = NULL;
    const char *shown = cJSON_IsString(value) ? value->valuestring : text;
    if (shown && strlen(shown) <= LONGEST_TEXT)
        out = strdup(shown);
    else if (shown && asprintf(&out, "#%zu", index + 1) < 0)
        out = NULL;
    cJSON_free(text);
    return out;
}

/* Only letters, digits, '.', '_' and '-'; what is in between becomes one '-'; none at the ends, no '.' at the start. */
static void make_plain(char *out, size_t size, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t length = 0;
    for (; *text && length + 1 < size; text++) {
        bool kept = strchr(plain, *text) && (*text != '.' || length > 0);
        if (kept)
            out[length++] = *text;
        else if (length > 0 && out[length - 1] != '-')
            out[length++] = '-';
    }
    while (length > 0 && out[length - 1] == '-')
        length--;
    out[length] = '\0';
}

/* Folders are named by values, so that labels can be changed later; a merge patch has no other name than its label. */
static hsgd_status name_value(hsgd_sweep_axis *axis, size_t i, const cJSON *value, const cJSON *label, hsgd_error *err)
{
    char plain[LONGEST_PART], *both = NULL, *text = value_text(value, i);
    axis->label[i] = label ? strdup(label->valuestring) : text ? strdup(text) : NULL;
    const char *own = cJSON_IsObject(value) && label ? label->valuestring : text;
    if (!text || !axis->label[i] || asprintf(&both, "%s-%s", axis->name, own) < 0)
        both = NULL;
    if (both) {
        make_plain(plain, sizeof plain, both);
        axis->part[i] = strdup(*plain ? plain : "value");
    }
    free(both);
    free(text);
    return axis->part[i] ? HSGD_OK : hsgd_fail_memory(err, "the names of the points");
}

static bool taken(const hsgd_sweep_axis *axis, size_t i)
{
    for (size_t other = 0; other < axis->num_values; other++)
        if (other != i && strcasecmp(axis->part[i], axis->part[other]) == 0)
            return true;
    return false;
}

/* Of values that are the same once they are plain all but the last get their number; until nothing is the same, for a number
 * may be what another value has at its end. */
static hsgd_status tell_apart(hsgd_sweep_axis *axis, hsgd_error *err)
{
    bool again = true;
    while (again) {
        again = false;
        for (size_t i = 0; i < axis->num_values; i++) {
            char *longer;
            if (!taken(axis, i))
                continue;
            if (asprintf(&longer, "%s-%zu", axis->part[i], i + 1) < 0)
                return hsgd_fail_memory(err, "the names of the points");
            free(axis->part[i]);
            axis->part[i] = longer;
            again = true;
        }
    }
    return HSGD_OK;
}

hsgd_status hsgd_sweep_name_axis(hsgd_sweep_axis *axis, const cJSON *values, const cJSON *labels, hsgd_error *err)
{
    axis->label = calloc(axis->num_values, sizeof *axis->label);
    axis->part = calloc(axis->num_values, sizeof *axis->part);
    axis->labelled = labels != NULL;
    if (!axis->label || !axis->part)
        return hsgd_fail_memory(err, "the names of the points");
    const cJSON *value = values->child, *label = labels ? labels->child : NULL;
    for (size_t i = 0; i < axis->num_values; i++, value = value->next, label = label ? label->next : NULL) {
        hsgd_status status = name_value(axis, i, value, label, err);
        if (status)
            return status;
    }
    return tell_apart(axis, err);
}

const char *hsgd_sweep_title(char *out, size_t size, const hsgd_sweep_axis *axis, size_t value)
{
    if (axis->labelled)
        snprintf(out, size, "%s", axis->label[value]);
    else
        snprintf(out, size, "%s = %s", axis->name, axis->label[value]);
    return out;
}

/* Append to a text that is owned; NULL stays NULL. */
static char *append(char *text, const char *separator, const char *more)
{
    char *longer = NULL;
    if (text && asprintf(&longer, "%s%s%s", text, *text ? separator : "", more) < 0)
        longer = NULL;
    free(text);
    return longer;
}

hsgd_status hsgd_sweep_name_point(hsgd_sweep_point *point, const hsgd_sweep *sweep, hsgd_error *err)
{
    char title[256];
    point->title = strdup("");
    point->folder = strdup("");
    for (size_t a = 0; a < sweep->num_axes; a++) {
        const hsgd_sweep_axis *axis = &sweep->axis[a];
        point->title = append(point->title, ", ", hsgd_sweep_title(title, sizeof title, axis, point->value[a]));
        point->folder = append(point->folder, "_", axis->part[point->value[a]]);
    }
    return point->title && point->folder ? HSGD_OK : hsgd_fail_memory(err, "the names of the points");
}
