/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configurations of commands that make many runs of one: the first byte says of which, "r" rate, "p" phase, "w" pep (the worst
 * case), anything else plan. What is accepted has points, and can be freed. */
#include "tests/fuzz/fuzz.h"

#include "experiments/pep_curves_private.h"
#include "experiments/phase_private.h"
#include "experiments/plan_private.h"
#include "experiments/rate.h"

static const char file[] = "fuzz.json";

static void read_rate(const char *text, size_t length)
{
    hsgd_rate_plan out;
    hsgd_error err;
    if (!fuzz_accepted(hsgd_rate_parse(&out, text, length, file, 0, &err), &err))
        return;
    fuzz_check(out.num_points > 0);
    hsgd_rate_plan_free(&out);
}

static void read_phase(const char *text, size_t length)
{
    hsgd_phase out;
    hsgd_error err;
    if (fuzz_accepted(hsgd_phase_parse(&out, text, length, file, 0, &err), &err))
        hsgd_phase_free(&out);
}

static void read_curves(const char *text, size_t length)
{
    hsgd_pep_curves out;
    hsgd_error err;
    if (fuzz_accepted(hsgd_pep_curves_parse(&out, text, length, file, &err), &err))
        hsgd_pep_curves_free(&out);
}

static void read_plan(const uint8_t *data, size_t size)
{
    hsgd_plan_setting out;
    hsgd_error err;
    if (fuzz_accepted(hsgd_plan_read(&out, fuzz_file(0, data, size), &err), &err))
        hsgd_plan_setting_free(&out);
}

void fuzz_study(const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    const char *text = (const char *)data + 1;
    switch (*data) {
    case 'r':
        read_rate(text, size - 1);
        break;
    case 'p':
        read_phase(text, size - 1);
        break;
    case 'w':
        read_curves(text, size - 1);
        break;
    default:
        read_plan(data + 1, size - 1);
    }
}
