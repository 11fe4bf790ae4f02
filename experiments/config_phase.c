/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the key "phase": axes as in a sweep, and what is compared. */
#include <stdlib.h>
#include <string.h>

#include "experiments/phase_private.h"
#include "experiments/sweep_private.h"

static const char *const quantity_name[] = {"S", "dispersion", "loss", "worst-case", "worst-case-levels", NULL};
static const char *const method_name[] = {"auto", "exact", "monte-carlo", NULL};
static const char *const expected_name[] = {"nothing", "holds", NULL};
static const char *const illegal_name[] = {"refuse", "skip", NULL};

const char *hsgd_phase_quantity_name(size_t quantity)
{
    return quantity < HSGD_NUM_PHASE_QUANTITIES ? quantity_name[quantity] : NULL;
}

/* Of the words, the one that stands there; the first where the key is absent. */
static hsgd_status read_word(size_t *out, const hsgd_json *section, const char *key, const char *const *words,
                             hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(section, key);
    *out = 0;
    return at.value ? hsgd_json_choice(&at, words, out, err) : HSGD_OK;
}

static hsgd_status read_settings(void *context, const hsgd_json *section, hsgd_error *err)
{
    static const double most_s = 1e9;
    hsgd_phase_settings *out = context;
    hsgd_json budget = hsgd_json_member(section, "budget_s"), visited = hsgd_json_member(section, "max_groupings");
    size_t quantity, method, expected = 0, illegal = 0;
    hsgd_status status = read_word(&quantity, section, "quantity", quantity_name, err);
    if (!status)
        status = read_word(&method, section, "method", method_name, err);
    if (!status)
        status = read_word(&expected, section, "expect", expected_name, err);
    if (!status)
        status = read_word(&illegal, section, "illegal_points", illegal_name, err);
    if (status)
        return status;
    *out = (hsgd_phase_settings){.quantity = (hsgd_phase_quantity)quantity,
                                 .method = (hsgd_phase_method)method,
                                 .expect_holds = expected == 1,
                                 .skip_illegal = illegal == 1,
                                 .budget_s = 600,
                                 .max_visited = 1000};
    if (budget.value)
        status = hsgd_json_number(&budget, 0, most_s, &out->budget_s, err);
    if (!status && visited.value)
        status = hsgd_json_count(&visited, 1, 100000000, &out->max_visited, err);
    return status;
}

static const char *const keys[] = {"axes",           "quantity", "method",        "expect",
                                   "illegal_points", "budget_s", "max_groupings", NULL};
static const char *const figures[] = {"phase", NULL};

static hsgd_grid_section section_of(hsgd_phase *phase)
{
    return (hsgd_grid_section){.name = "phase",
                               .keys = keys,
                               .max_points = HSGD_MAX_PHASE_POINTS,
                               .figures = figures,
                               .skip_illegal = &phase->settings.skip_illegal,
                               .read = read_settings,
                               .context = &phase->settings};
}

static hsgd_status begin_points(hsgd_phase *phase, hsgd_error *err)
{
    if (!(phase->grid.confidence > 0)) {
        hsgd_fail(err, HSGD_ERROR_INPUT, "%s: phase: the points have different levels of confidence", phase->file);
        hsgd_phase_free(phase);
        return HSGD_ERROR_INPUT;
    }
    phase->point = calloc(phase->grid.num_points, sizeof *phase->point);
    if (phase->point)
        return HSGD_OK;
    hsgd_phase_free(phase);
    return hsgd_fail_memory(err, "the points");
}

hsgd_status hsgd_phase_read(hsgd_phase *out, const char *path, size_t seeds, hsgd_error *err)
{
    *out = (hsgd_phase){.file = path};
    const hsgd_grid_section section = section_of(out);
    hsgd_status status = hsgd_grid_read(&out->grid, &section, path, seeds, err);
    return status ? status : begin_points(out, err);
}

hsgd_status hsgd_phase_parse(hsgd_phase *out, const char *text, size_t length, const char *file, size_t seeds,
                             hsgd_error *err)
{
    *out = (hsgd_phase){.file = file};
    const hsgd_grid_section section = section_of(out);
    hsgd_status status = hsgd_grid_parse(&out->grid, &section, text, length, file, seeds, err);
    return status ? status : begin_points(out, err);
}

void hsgd_phase_free(hsgd_phase *phase)
{
    if (!phase)
        return;
    hsgd_sweep_free(&phase->grid);
    free(phase->point);
    *phase = (hsgd_phase){.file = NULL};
}
