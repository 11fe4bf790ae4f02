/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A formula that passes the check can be evaluated; it names the variables that the check says it does, and no others count. */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bounds/expression.h"

enum { VARIABLES = 3 };

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

void fuzz_expression(const uint8_t *data, size_t size)
{
    hsgd_variable variable[VARIABLES] = {{"gamma", 0.25}, {"T", 100}, {"D_1", 2.385}};
    bool used[VARIABLES];
    double value, other;
    hsgd_error err;
    char *text = calloc(size + 1, 1);
    fuzz_check(text);
    if (size)
        memcpy(text, data, size);
    if (fuzz_accepted(hsgd_expression_check(text, variable, VARIABLES, "gamma, T, D_1", used, &err), &err)) {
        fuzz_check(hsgd_expression_eval(&value, text, variable, VARIABLES, &err) == HSGD_OK);
        for (size_t i = 0; i < VARIABLES; i++)
            variable[i].value += used[i] ? 0 : 1;
        fuzz_check(hsgd_expression_eval(&other, text, variable, VARIABLES, &err) == HSGD_OK);
        fuzz_check(same(value, other));
    }
    free(text);
}
