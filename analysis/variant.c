/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/variant.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "analysis/random.h"

bool hsgd_variant_samples_workers(const hsgd_variant *variant)
{
    return variant->participation < 1 || variant->participants > 0 || variant->with_replacement;
}

bool hsgd_variant_differs(const hsgd_variant *variant, const char **what)
{
    const char *subject = variant->decay != HSGD_DECAY_NONE       ? "a decaying step size"
                          : variant->warmup_steps > 0             ? "a warm-up"
                          : variant->momentum > 0                 ? "momentum"
                          : hsgd_variant_samples_workers(variant) ? "partial participation"
                          : variant->regroup                      ? "regrouping at every round"
                          : variant->group_step_size != 1 || variant->global_step_size != 1 ? "a step size of averages"
                                                                                            : NULL;
    if (what)
        *what = subject;
    return subject != NULL;
}

bool hsgd_variant_only_samples(const hsgd_variant *variant)
{
    hsgd_variant rest = *variant;
    rest.participation = 1;
    rest.participants = 0;
    return hsgd_variant_samples_workers(variant) && !hsgd_variant_differs(&rest, NULL);
}

/* ---- in words ---- */

typedef struct sentence {
    char *text;
    size_t length;
} sentence;

static void say(sentence *s, const char *format, ...) HSGD_PRINTF(2, 3);
static void say(sentence *s, const char *format, ...)
{
    size_t left = HSGD_VARIANT_TEXT_SIZE - s->length;
    va_list arguments;
    va_start(arguments, format);
    int begin = snprintf(s->text + s->length, left, "%s", s->length ? ", " : "");
    int more = vsnprintf(s->text + s->length + begin, left - (size_t)begin, format, arguments);
    va_end(arguments);
    s->length += (size_t)(begin + more);
}

static void say_decay(sentence *s, const hsgd_variant *v)
{
    if (v->decay == HSGD_DECAY_INVERSE)
        say(s, "step size / (1 + t/%g)", v->decay_scale);
    if (v->decay == HSGD_DECAY_INVERSE_SQRT)
        say(s, "step size / sqrt(1 + t/%g)", v->decay_scale);
    if (v->decay == HSGD_DECAY_STEPS)
        say(s, "step size * %g every %g steps", v->decay_factor, v->decay_scale);
    if (v->decay == HSGD_DECAY_COSINE)
        say(s, "cosine decay of the step size");
}

void hsgd_variant_describe(const hsgd_variant *variant, char text[HSGD_VARIANT_TEXT_SIZE])
{
    static const char *const rule[] = {"kept", "reset", "averaged"};
    const char *how = variant->with_replacement ? "with replacement" : "each at most once";
    sentence s = {text, 0};
    text[0] = '\0';
    say_decay(&s, variant);
    if (variant->warmup_steps > 0)
        say(&s, "%zu warm-up steps", variant->warmup_steps);
    if (variant->momentum > 0)
        say(&s, "momentum %g, %s at averages", variant->momentum, rule[variant->momentum_rule]);
    if (variant->participants > 0)
        say(&s, "%zu workers of every group take part in a round, %s", variant->participants, how);
    else if (hsgd_variant_samples_workers(variant))
        say(&s, "%g %% of every group take part in a round, %s", 100 * variant->participation, how);
    if (variant->regroup)
        say(&s, "new groups at every global round");
    if (variant->group_step_size != 1)
        say(&s, "group step size %g", variant->group_step_size);
    if (variant->global_step_size != 1)
        say(&s, "global step size %g", variant->global_step_size);
}

/* ---- step sizes ---- */

static double decayed(const hsgd_variant *variant, double t, double steps)
{
    switch (variant->decay) {
    case HSGD_DECAY_INVERSE:
        return 1 / (1 + t / variant->decay_scale);
    case HSGD_DECAY_INVERSE_SQRT:
        return 1 / sqrt(1 + t / variant->decay_scale);
    case HSGD_DECAY_STEPS:
        return pow(variant->decay_factor, floor(t / variant->decay_scale));
    case HSGD_DECAY_COSINE:
        return 0.5 * (1 + cos(acos(-1) * t / steps));
    case HSGD_DECAY_NONE:
        break;
    }
    return 1;
}

size_t hsgd_variant_message_vectors(const hsgd_variant *variant)
{
    return variant && variant->momentum > 0 && variant->momentum_rule == HSGD_MOMENTUM_AVERAGED ? 2 : 1;
}

double hsgd_variant_step_factor(const hsgd_variant *variant, size_t t, size_t steps)
{
    double warm = t < variant->warmup_steps ? ((double)t + 1) / (double)variant->warmup_steps : 1;
    return warm * decayed(variant, (double)t, (double)steps);
}

/* ---- participants ---- */

size_t hsgd_variant_group_size(const hsgd_variant *variant, size_t size)
{
    double rounded = variant->participants > 0 ? (double)variant->participants
                                               : fmax(1, round(variant->participation * (double)size));
    return !variant->with_replacement && rounded > (double)size ? size : (size_t)rounded;
}

/* The i-th number of the round's stream, uniform below bound. */
static size_t draw_below(const hsgd_stream *stream, size_t i, size_t bound)
{
    size_t index;
    hsgd_uniform_indices(stream, 2 * i, bound, &index, 1);
    return index;
}

/* Uniformly `count` of them, by the first swaps of a shuffle. */
static void draw_each_once(double *weight, const double *share, size_t size, size_t count, const hsgd_stream *stream,
                           size_t *order)
{
    double total = 0;
    for (size_t j = 0; j < size; j++) {
        order[j] = j;
        weight[j] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        size_t other = i + draw_below(stream, i, size - i), chosen = order[other];
        order[other] = order[i];
        weight[chosen] = share ? share[chosen] : 1;
    }
    for (size_t j = 0; j < size; j++) /* in order, so that the sum does not hang on the draw's */
        total += weight[j];
    for (size_t j = 0; j < size; j++)
        weight[j] /= total;
}

/* The first entry of an increasing sequence that is above x, at most the last one. */
static size_t first_above(const double *sequence, size_t size, double x)
{
    size_t low = 0, high = size - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sequence[middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void draw_with_replacement(double *weight, const double *share, size_t size, size_t count,
                                  const hsgd_stream *stream, double *cumulative)
{
    double sum = 0;
    for (size_t j = 0; j < size; j++) {
        weight[j] = 0;
        cumulative[j] = sum += share ? share[j] : 1;
    }
    for (size_t i = 0; i < count; i++) {
        double x = sum * ((double)hsgd_uniform_53_bits(stream, 2 * i) * 0x1p-53);
        weight[first_above(cumulative, size, x)] += 1 / (double)count;
    }
}

void hsgd_variant_draw(double *weight, const hsgd_variant *variant, const double *share, size_t first, size_t size,
                       uint64_t seed, size_t t, size_t *order, double *cumulative)
{
    const hsgd_stream stream = {seed, HSGD_PURPOSE_PARTICIPATION, (uint32_t)first, t};
    size_t count = hsgd_variant_group_size(variant, size);
    if (variant->with_replacement)
        draw_with_replacement(weight, share, size, count, &stream, cumulative);
    else
        draw_each_once(weight, share, size, count, &stream, order);
}

/* A shuffle (Fisher and Yates). */
void hsgd_variant_regroup(size_t *placement, size_t num_workers, uint64_t seed, size_t t)
{
    const hsgd_stream stream = {seed, HSGD_PURPOSE_REGROUPING, 0, t};
    for (size_t i = 0; i < num_workers; i++) {
        size_t other = i + draw_below(&stream, i, num_workers - i), worker = placement[i];
        placement[i] = placement[other];
        placement[other] = worker;
    }
}

/* ---- what is legal ---- */

static hsgd_status check_step_sizes(const hsgd_variant *v, hsgd_error *err)
{
    bool scaled = v->decay == HSGD_DECAY_INVERSE || v->decay == HSGD_DECAY_INVERSE_SQRT || v->decay == HSGD_DECAY_STEPS;
    if (scaled && !(v->decay_scale > 0 && isfinite(v->decay_scale)))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "decay.scale: %g is not a positive finite number of steps",
                         v->decay_scale);
    if (v->decay == HSGD_DECAY_STEPS && !(v->decay_factor > 0 && v->decay_factor <= 1))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "decay.factor: %g is not in (0, 1]", v->decay_factor);
    if (!(v->group_step_size > 0 && isfinite(v->group_step_size)))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "group_step_size: %g is not a positive finite number",
                         v->group_step_size);
    if (!(v->global_step_size > 0 && isfinite(v->global_step_size)))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "global_step_size: %g is not a positive finite number",
                         v->global_step_size);
    return HSGD_OK;
}

hsgd_status hsgd_variant_check(const hsgd_variant *variant, hsgd_error *err)
{
    if (!(variant->momentum >= 0 && variant->momentum < 1))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "momentum.factor: %g is not in [0, 1)", variant->momentum);
    if (!(variant->participation > 0 && variant->participation <= 1))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "participation.fraction: %g is not in (0, 1]", variant->participation);
    return check_step_sizes(variant, err);
}
