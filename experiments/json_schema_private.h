/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A document against a JSON Schema, of which this is a part: type, enum, const, required, properties, additionalProperties, items,
 * minItems, maxItems, minimum, maximum, exclusiveMinimum, minLength, maxLength, oneOf, anyOf, and
 * $ref to "#/$defs/...". Words that only describe are passed over; any other word is an error, so that no rule is lost. */
#ifndef HSGD_EXPERIMENTS_JSON_SCHEMA_PRIVATE_H
#define HSGD_EXPERIMENTS_JSON_SCHEMA_PRIVATE_H

#include <cjson/cJSON.h>

#include "analysis/error.h"

/* definition: which of the schema's $defs; NULL: the schema itself. HSGD_ERROR_INPUT: the document does not fit, and the message
 * begins with the place in it; HSGD_ERROR_ENVIRONMENT: the schema has a word that is not known here. */
hsgd_status hsgd_json_schema_check(const cJSON *schema, const char *definition, const cJSON *document, hsgd_error *err);

#endif
