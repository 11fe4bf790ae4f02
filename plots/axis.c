/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ranges of the data, and axes that always have readable labels.
 *
 * The ranges are computed here and not by gnuplot: it warns about constant series, and labels a log axis at powers of
 * ten only, of which a narrow range may have none. */
#include "plots/script_private.h"

#include <math.h>

/* All in powers of ten. */
#define LARGEST_POWER 306.0 /* what is beyond is off the axis, lest ticks overflow */
#define NARROWEST 0.78      /* of an axis; below log10(5.05) it might show fewer than two of the ticks 1, 2, 5 */
#define LABEL_125 2.2       /* narrower: ticks at 1, 2 and 5 times powers of ten; wider: powers only */
#define MARGIN 0.04         /* free space above and below the curves, as a share of the axis */

hsgd_range hsgd_range_empty(void)
{
    return (hsgd_range){.low = INFINITY, .high = -INFINITY};
}

bool hsgd_range_positive(const hsgd_range *range)
{
    return range->low <= range->high;
}

void hsgd_range_add(hsgd_range *range, double value)
{
    if (!isfinite(value))
        return;
    range->any = true;
    if (value > 0) {
        range->low = fmin(range->low, value);
        range->high = fmax(range->high, value);
    }
}

hsgd_range hsgd_range_of(const double *data, size_t count, size_t stride)
{
    hsgd_range range = hsgd_range_empty();
    for (size_t i = 0; data && i < count; i++)
        hsgd_range_add(&range, data[i * stride]);
    return range;
}

void hsgd_range_merge(hsgd_range *range, hsgd_range other)
{
    range->any |= other.any;
    range->low = fmin(range->low, other.low);
    range->high = fmax(range->high, other.high);
}

bool hsgd_band_shows(const double *mean, const double *half_width, size_t count, size_t stride)
{
    for (size_t i = 0; half_width && i < count * stride; i += stride)
        if (isfinite(mean[i]) && mean[i] > 0 && isfinite(half_width[i]) && half_width[i] > 0)
            return true;
    return false;
}

/* Ticks at 1, 2 and 5 times the powers of ten inside low..high. */
static void write_ticks_125(hsgd_script *s, char axis, double low, double high)
{
    fprintf(s->stream, "set %ctics (", axis);
    const char *separator = "";
    for (int power = (int)floor(log10(low)) - 1; power <= (int)ceil(log10(high)); power++)
        for (int digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3) {
            double tick = digit * pow(10, power);
            if (tick < low || tick > high)
                continue;
            hsgd_number label;
            fprintf(s->stream, "%s'%s' %de%d", separator, hsgd_text_number(&label, s->format, tick), digit, power);
            separator = ", ";
        }
    fputs(")\n", s->stream);
}

static double clamp_power(double power, double largest)
{
    return fmax(-largest, fmin(power, largest));
}

static double log_axis(hsgd_script *s, char axis, hsgd_range range)
{
    s->log_axis = hsgd_range_positive(&range);
    if (!s->log_axis) {
        fprintf(
            s->stream,
            "unset logscale %c; set format %c '%%g'; set %ctics auto; set %crange [-0.05:1] # nothing is positive\n",
            axis, axis, axis, axis);
        return -0.05;
    }
    /* In powers of ten, so that nothing overflows. */
    double low = clamp_power(log10(range.low), LARGEST_POWER), high = clamp_power(log10(range.high), LARGEST_POWER);
    double margin = fmax(MARGIN * (high - low), (NARROWEST - (high - low)) / 2);
    low = pow(10, clamp_power(low - margin, LARGEST_POWER + 1));
    high = pow(10, clamp_power(high + margin, LARGEST_POWER + 1));
    fprintf(s->stream, "set logscale %c; set format %c '%s'; set %crange [%.4g:%.4g]\n", axis, axis,
            hsgd_script_pick(s, "10^{%T}", "$10^{%T}$"), axis, low, high);
    if (log10(high) - log10(low) < LABEL_125)
        write_ticks_125(s, axis, low, high);
    else
        fprintf(s->stream, "set %ctics auto\n", axis);
    return low;
}

double hsgd_script_log_axis(hsgd_script *s, hsgd_range range)
{
    return log_axis(s, 'y', range);
}

double hsgd_script_log_x_axis(hsgd_script *s, hsgd_range range)
{
    return log_axis(s, 'x', range);
}

double hsgd_tick_distance(double span)
{
    double power = pow(10, floor(log10(span / 2.5)));
    double digit = span / 2.5 / power;
    return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

hsgd_unit hsgd_script_unit(const hsgd_script *s, bool time, double largest)
{
    const hsgd_unit seconds[] = {
        {1e-6, hsgd_script_pick(s, "µs", "$\\mu$s")}, {1e-3, "ms"}, {1, "s"}, {3600, "h"}, {86400, "d"}};
    static const hsgd_unit bytes[] = {{1, "B"}, {1e3, "kB"}, {1e6, "MB"}, {1e9, "GB"}, {1e12, "TB"}, {1e15, "PB"}};
    const hsgd_unit *list = time ? seconds : bytes;
    size_t count = time ? sizeof seconds / sizeof *seconds : sizeof bytes / sizeof *bytes, best = 0;
    for (size_t i = 1; i < count; i++)
        if (largest >= 2 * list[i].size)
            best = i;
    return list[best];
}

void hsgd_script_step_axis(hsgd_script *s, double first, double last)
{
    /* One row, or steps that are not numbers: gnuplot cannot draw an empty range. */
    if (!(first < last)) {
        first = isfinite(first) ? first - 1 : 0;
        last = first + 2;
    }
    fprintf(s->stream, "set xrange [%.17g:%.17g]; set xtics %.3g\n", first, last, hsgd_tick_distance(last - first));
}
