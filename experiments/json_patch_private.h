/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changing one JSON document into another: what makes the points of a sweep out of one configuration. */
#ifndef HSGD_EXPERIMENTS_JSON_PATCH_PRIVATE_H
#define HSGD_EXPERIMENTS_JSON_PATCH_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/json_private.h"

/* The JSON merge patch of RFC 7396: members of objects are replaced one by one, null removes one, and anything that is no
 * object takes the place of what was there. target (may be NULL) is used up; free the result with cJSON_Delete. */
cJSON *hsgd_json_merge(cJSON *target, const cJSON *patch);

/* Put a copy of value at a place like "hierarchy.periods" or "targets[0].value" of the document; null removes the member.
 * Objects on the way are made where they are missing, elements of arrays have to be there. key is where the place was
 * read, for messages. */
hsgd_status hsgd_json_put_at(cJSON *document, const hsgd_json *key, const cJSON *value, hsgd_error *err);

#endif
