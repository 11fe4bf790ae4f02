/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bands around the means over seeds, from the columns of series.csv that stand for them. */
#include <math.h>
#include <stdio.h>

#include "analysis/statistics.h"
#include "experiments/folder_private.h"

static const double *find(const hsgd_series *series, const char *name, const char *ending)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s", name, ending);
    return hsgd_series_column(series, full);
}

/* From standard errors, which may be missing: then there is no band. */
static void from_errors(const hsgd_bands *bands, const hsgd_band_place *out, const double *se)
{
    for (size_t row = 0; se && row < bands->series->num_rows; row++)
        out->below[row * out->stride] =
            bands->kind == HSGD_BAND_SE
                ? se[row]
                : hsgd_half_width((hsgd_estimate){0, se[row], bands->seeds}, bands->confidence, 1);
}

/* Folders of earlier versions lack these columns. One run has no band. */
static hsgd_status from_runs(const hsgd_bands *bands, const hsgd_band_place *out, const char *name, const double *mean,
                             hsgd_error *err)
{
    const double *sd = find(bands->series, name, "_sd"), *low = find(bands->series, name, "_min"),
                 *high = find(bands->series, name, "_max");
    if (!mean || bands->runs < 2)
        return HSGD_OK;
    if (!sd || !low || !high)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%s/series.csv: the columns %s_sd, _min and _max are missing; run the experiment again, or "
                         "take the band ci, se or none",
                         bands->dir, name);
    for (size_t row = 0; row < bands->series->num_rows; row++) {
        out->below[row * out->stride] = bands->kind == HSGD_BAND_SD ? sd[row] : mean[row] - low[row];
        if (bands->kind == HSGD_BAND_RANGE)
            out->above[row * out->stride] = high[row] - mean[row];
    }
    return HSGD_OK;
}

hsgd_status hsgd_folder_band(const hsgd_bands *bands, const hsgd_band_place *out, const char *name, hsgd_error *err)
{
    for (size_t row = 0; row < bands->series->num_rows; row++)
        out->below[row * out->stride] = out->above[row * out->stride] = NAN;
    switch (bands->kind) {
    case HSGD_BAND_CI:
    case HSGD_BAND_SE:
        from_errors(bands, out, find(bands->series, name, "_se"));
        return HSGD_OK;
    case HSGD_BAND_SD:
    case HSGD_BAND_RANGE:
        return from_runs(bands, out, name, find(bands->series, name, ""), err);
    default:
        return HSGD_OK;
    }
}
