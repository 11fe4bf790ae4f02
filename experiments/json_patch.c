/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/json_patch_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- merge patches ---- */

cJSON *hsgd_json_merge(cJSON *target, const cJSON *patch)
{
    if (!cJSON_IsObject(patch)) {
        cJSON_Delete(target);
        return cJSON_Duplicate(patch, true);
    }
    if (!cJSON_IsObject(target)) {
        cJSON_Delete(target);
        target = cJSON_CreateObject();
    }
    for (const cJSON *member = patch->child; member; member = member->next) {
        cJSON *old = cJSON_DetachItemFromObjectCaseSensitive(target, member->string);
        if (cJSON_IsNull(member))
            cJSON_Delete(old);
        else
            cJSON_AddItemToObject(target, member->string, hsgd_json_merge(old, member));
    }
    return target;
}

/* ---- places ---- */

/* No configuration is deeper, and what is much deeper cannot be read again. */
enum { MAX_PARTS = 32 };

/* One step of a path: a member's name, or the number of an element. */
typedef struct part {
    char name[HSGD_JSON_PATH_SIZE];
    size_t index;
    bool is_index;
} part;

/* Cut the next part off the text. False where the text is no path. */
static bool next_part(part *out, const char **text)
{
    const char *c = *text;
    out->is_index = *c == '[';
    if (out->is_index) {
        char *end;
        if (c[1] < '0' || c[1] > '9')
            return false;
        out->index = strtoul(c + 1, &end, 10);
        if (*end++ != ']' || out->index > 1000000000)
            return false;
        c = end;
    } else {
        size_t length = strcspn(c, ".[");
        if (length == 0 || length >= sizeof out->name)
            return false;
        memcpy(out->name, c, length);
        out->name[length] = '\0';
        c += length;
    }
    if (*c == '.' && (c[1] == '\0' || c[1] == '.' || c[1] == '['))
        return false;
    *text = c + (*c == '.');
    return true;
}

static cJSON *find(const cJSON *in, const part *p)
{
    if (!p->is_index)
        return cJSON_GetObjectItemCaseSensitive(in, p->name);
    return cJSON_IsArray(in) ? cJSON_GetArrayItem(in, (int)p->index) : NULL;
}

/* The value takes the place of the last part. */
static void put(cJSON *in, const part *p, const cJSON *value)
{
    if (p->is_index) {
        cJSON_ReplaceItemInArray(in, (int)p->index, cJSON_Duplicate(value, true));
        return;
    }
    cJSON *old = cJSON_GetObjectItemCaseSensitive(in, p->name);
    if (cJSON_IsNull(value))
        cJSON_Delete(cJSON_DetachItemViaPointer(in, old));
    else if (old)
        cJSON_ReplaceItemInObjectCaseSensitive(in, p->name, cJSON_Duplicate(value, true));
    else
        cJSON_AddItemToObject(in, p->name, cJSON_Duplicate(value, true));
}

/* What the parts so far lead to has to take the next one. */
static hsgd_status check_part(const cJSON *in, const part *p, const hsgd_json *key, hsgd_error *err)
{
    if (!p->is_index)
        return cJSON_IsObject(in) ? HSGD_OK
                                  : hsgd_json_fail(key, err, "\"%s\" would be inside of what is no object", p->name);
    if (cJSON_IsArray(in) && p->index < (size_t)cJSON_GetArraySize(in))
        return HSGD_OK;
    return hsgd_json_fail(key, err, "the configuration has no element [%zu] there to change", p->index);
}

hsgd_status hsgd_json_put_at(cJSON *document, const hsgd_json *key, const cJSON *value, hsgd_error *err)
{
    const char *rest;
    part p;
    size_t parts = 0;
    hsgd_status status = hsgd_json_text(key, &rest, err);
    for (cJSON *in = document; !status;) {
        if (++parts > MAX_PARTS)
            return hsgd_json_fail(key, err, "expected a place of at most %d parts", MAX_PARTS);
        if (!next_part(&p, &rest))
            return hsgd_json_fail(key, err, "expected a place like hierarchy.periods or targets[0].value");
        status = check_part(in, &p, key, err);
        if (status)
            break;
        if (!*rest) {
            put(in, &p, value);
            break;
        }
        cJSON *next = find(in, &p);
        in = next ? next : cJSON_AddObjectToObject(in, p.name);
    }
    return status;
}
