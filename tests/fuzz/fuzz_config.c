/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configuration that is accepted is written with its defaults, reads back, and is then written in the same way. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "experiments/config.h"

void fuzz_config(const uint8_t *data, size_t size)
{
    hsgd_config config, again;
    hsgd_error err;
    if (!fuzz_accepted(hsgd_config_parse(&config, (const char *)data, size, "fuzz.json", &err), &err))
        return;
    char *text = hsgd_config_to_json(&config);
    fuzz_check(text);
    fuzz_check(fuzz_accepted(hsgd_config_parse(&again, text, strlen(text), "fuzz.json", &err), &err));
    char *second = hsgd_config_to_json(&again);
    fuzz_check(second && strcmp(text, second) == 0);
    cJSON_free(text);
    cJSON_free(second);
    hsgd_config_free(&config);
    hsgd_config_free(&again);
}
