/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "parameters" of a plug-in (analysis/plugin.h), from JSON. */
#ifndef HSGD_EXPERIMENTS_PLUGIN_PARAMETERS_PRIVATE_H
#define HSGD_EXPERIMENTS_PLUGIN_PARAMETERS_PRIVATE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "analysis/error.h"
#include "analysis/plugin.h"

typedef struct hsgd_parameter_reader {
    hsgd_plugin_parameters interface; /* what the plug-in gets */
    const char *text;                 /* borrowed */
    cJSON *object;
    bool *asked;          /* for each member in turn */
    hsgd_error complaint; /* the first value of a wrong type; HSGD_OK: none */
} hsgd_parameter_reader;

/* text: a JSON object. It and *out must stay where they are while they are in use. Free with ..._free, also on failure. */
hsgd_status hsgd_plugin_parameters_open(hsgd_parameter_reader *out, const char *text, hsgd_error *err);
void hsgd_plugin_parameters_free(hsgd_parameter_reader *reader);

/* What the plug-in could not have: values of a wrong type. */
hsgd_status hsgd_plugin_parameters_check_types(const hsgd_parameter_reader *reader, hsgd_error *err);

/* And what it never asked for, as a misspelt key. */
hsgd_status hsgd_plugin_parameters_check_asked(const hsgd_parameter_reader *reader, hsgd_error *err);

#endif
