/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters that are accepted can be given to every bound, built-in or the file's own; a bound that applies has a value. */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

#include "experiments/params.h"

static void evaluate(const hsgd_bound *bound, const hsgd_bound_params *params)
{
    hsgd_bound_value value;
    hsgd_bound_eval(bound, params, &value);
    fuzz_check(value.num_terms <= HSGD_MAX_TERMS);
    fuzz_check(strlen(value.reason) < HSGD_REASON_SIZE);
    fuzz_check(value.applicable == !*value.reason);
    fuzz_check(!value.applicable || !isnan(value.value));
}

void fuzz_params(const uint8_t *data, size_t size)
{
    hsgd_bound_params params;
    hsgd_bound_list bounds;
    hsgd_error err;
    if (!fuzz_accepted(hsgd_params_read_bounds(&params, &bounds, fuzz_file(0, data, size), &err), &err))
        return;
    for (size_t i = 0; i < bounds.count; i++)
        evaluate(bounds.bound[i], &params);
    hsgd_bound_params_free(&params);
    hsgd_bound_list_free(&bounds);
}
