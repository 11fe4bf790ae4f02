/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What clang's analyzer must know: it reads one file at a time, and would take it that a failure may be HSGD_OK, and that what is
 * not there may be a number. */
#include "analysis/error.h"

#include <cjson/cJSON.h>

#define hsgd_fail(err, status, ...) ((void)(hsgd_fail)(err, status, __VA_ARGS__), (hsgd_status)(status))
#define hsgd_fail_memory(err, what) ((void)(hsgd_fail_memory)(err, what), HSGD_ERROR_MEMORY)

#define cJSON_IsNumber(item) ((item) && (cJSON_IsNumber)(item))
#define cJSON_IsString(item) ((item) && (cJSON_IsString)(item))
#define cJSON_IsArray(item) ((item) && (cJSON_IsArray)(item))
#define cJSON_IsObject(item) ((item) && (cJSON_IsObject)(item))
