/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document has the members that every reader takes for granted (experiments/results.schema.json). */
#include "experiments/check_private.h"

#include "experiments/embedded_private.h"
#include "experiments/json_schema_private.h"

static const char *const definition[HSGD_NUM_FOLDER_KINDS] = {
    [HSGD_FOLDER_RUN] = "run",     [HSGD_FOLDER_SWEEP] = "sweep", [HSGD_FOLDER_PHASE] = "phase",
    [HSGD_FOLDER_RATE] = "rate",   [HSGD_FOLDER_HUNT] = "hunt",   [HSGD_FOLDER_PLAN] = "plan",
    [HSGD_FOLDER_TRAIN] = "train", [HSGD_FOLDER_PEP] = "pep",
};

hsgd_status hsgd_check_schema(hsgd_check *check, hsgd_error *err)
{
    hsgd_error reason;
    cJSON *schema = cJSON_Parse(hsgd_embedded_results_schema);
    if (!schema)
        return hsgd_fail_memory(err, "the schema");
    hsgd_status status = hsgd_json_schema_check(schema, definition[check->kind], check->document, &reason);
    cJSON_Delete(schema);
    if (status == HSGD_ERROR_INPUT)
        hsgd_check_say(check, HSGD_CHECK_FAILS, "schema", "%s", reason.message);
    else if (!status)
        hsgd_check_say(check, HSGD_CHECK_HOLDS, "schema", "%s fits results.schema.json", hsgd_folder_file(check->kind));
    return status && status != HSGD_ERROR_INPUT ? hsgd_fail(err, status, "%s", reason.message) : HSGD_OK;
}
