/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every harness demands. */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_require(bool condition, const char *text, const char *file, int line)
{
    if (condition)
        return;
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, text);
    abort();
}

bool fuzz_accepted(hsgd_status status, const hsgd_error *err)
{
    if (status == HSGD_OK)
        return true;
    fuzz_check(status == HSGD_ERROR_INPUT || status == HSGD_ERROR_MEMORY);
    fuzz_check(err->status == status);
    fuzz_check(strlen(err->message) > 0 && strlen(err->message) < HSGD_MESSAGE_SIZE);
    for (const char *c = err->message; *c; c++)
        fuzz_check((unsigned char)*c >= 0x20 && *c != 0x7f);
    return false;
}

static void check_sparse(const hsgd_dataset *d)
{
    fuzz_check(d->row_start[0] == 0);
    for (size_t s = 0; s < d->num_samples; s++) {
        fuzz_check(d->row_start[s] <= d->row_start[s + 1]);
        for (size_t i = d->row_start[s]; i < d->row_start[s + 1]; i++) {
            fuzz_check(d->column[i] < d->num_features && isfinite(d->value[i]));
            fuzz_check(i == d->row_start[s] || d->column[i - 1] < d->column[i]);
        }
    }
}

static void check_dense(const hsgd_dataset *d)
{
    for (size_t i = 0; i < d->num_samples * d->num_features; i++)
        fuzz_check(isfinite(d->dense ? d->dense[i] : d->byte_value[d->byte[i]]));
}

static void check_users(const hsgd_dataset *d)
{
    for (size_t k = 0; k < d->num_users; k++)
        fuzz_check(d->user_start[k] < d->user_start[k + 1]);
    fuzz_check(d->user_start[0] == 0 && d->user_start[d->num_users] == d->num_samples);
}

void fuzz_check_dataset(hsgd_dataset *d)
{
    fuzz_check(d->num_samples > 0 && d->num_features > 0 && d->num_classes > 0);
    fuzz_check(!!d->dense + !!d->byte + !!d->value == 1);
    if (d->value)
        check_sparse(d);
    else
        check_dense(d);
    for (size_t s = 0; s < d->num_samples; s++)
        fuzz_check(d->label[s] < d->num_classes);
    for (size_t c = 0; c + 1 < d->num_classes; c++)
        fuzz_check(d->class_value[c] < d->class_value[c + 1]);
    if (d->num_users)
        check_users(d);
    hsgd_dataset_free(d);
}
