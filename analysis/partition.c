/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary    m  num_samples      n  num_workers      C  num_classes
 *
 * Every attempt draws from a stream of its own, (seed, partition, 0, attempt), so that an attempt does not depend on
 * how many numbers the ones before it took. */
#include "analysis/partition.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "analysis/dataset_private.h"
#include "analysis/random.h"

/* Nothing that failed a million times is worth another try, and a typing error must not run for hours. */
#define MAX_RETRIES ((size_t)1000000)

/* Outside of these the gamma draws leave the range of a double; anyone who means "equal" or "all" is far inside. */
#define MIN_ALPHA 1e-100
#define MAX_ALPHA 1e100
#define MAX_SIGMA 1e100

/* ---- names and defaults ---- */

static const char *const scheme_names[] = {
    [HSGD_PARTITION_IID] = "iid",           [HSGD_PARTITION_BY_LABEL] = "by-label",
    [HSGD_PARTITION_SHARDS] = "shards",     [HSGD_PARTITION_DIRICHLET] = "dirichlet",
    [HSGD_PARTITION_QUANTITY] = "quantity", [HSGD_PARTITION_NATURAL] = "natural",
};
enum { NUM_SCHEMES = sizeof scheme_names / sizeof *scheme_names };
_Static_assert(NUM_SCHEMES == HSGD_PARTITION_NATURAL + 1, "each scheme has a name");

const char *hsgd_partition_scheme_name(hsgd_partition_scheme scheme)
{
    return (size_t)scheme < NUM_SCHEMES ? scheme_names[scheme] : "unknown";
}

int hsgd_partition_scheme_parse(const char *name, hsgd_partition_scheme *scheme)
{
    for (size_t i = 0; i < NUM_SCHEMES; i++)
        if (strcmp(name, scheme_names[i]) == 0) {
            *scheme = (hsgd_partition_scheme)i;
            return 0;
        }
    return -1;
}

void hsgd_partition_defaults(hsgd_partition_options *options)
{
    *options = (hsgd_partition_options){.scheme = HSGD_PARTITION_IID,
                                        .alpha = 0.5,
                                        .sigma = 1,
                                        .shards_per_worker = 2,
                                        .min_samples = 1,
                                        .max_retries = 100,
                                        .seed = 1};
}

/* ---- checks ---- */

static hsgd_status check_options(const hsgd_partition_options *o, hsgd_error *err)
{
    if ((size_t)o->scheme >= NUM_SCHEMES)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "scheme: %d is not known", (int)o->scheme);
    if (o->min_samples < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "min_samples: 0 is not legal; each worker needs at least 1 sample");
    if (o->max_retries > MAX_RETRIES)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "max_retries: %zu is not in 0..%zu", o->max_retries, MAX_RETRIES);
    if (o->scheme == HSGD_PARTITION_DIRICHLET && !(o->alpha >= MIN_ALPHA && o->alpha <= MAX_ALPHA))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "alpha: %g is not in %g..%g", o->alpha, MIN_ALPHA, MAX_ALPHA);
    if (o->scheme == HSGD_PARTITION_QUANTITY && !(o->sigma >= 0 && o->sigma <= MAX_SIGMA))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "sigma: %g is not in 0..%g", o->sigma, MAX_SIGMA);
    if (o->scheme == HSGD_PARTITION_SHARDS && o->shards_per_worker < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "shards_per_worker: 0 is not legal; at least 1");
    return HSGD_OK;
}

static hsgd_status check_sizes(size_t m, size_t n, const hsgd_partition_options *o, hsgd_error *err)
{
    if (n < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "0 workers; at least 1 is needed");
    if (m > UINT32_MAX)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu samples are too many to shuffle; at most %lu", m,
                         (unsigned long)UINT32_MAX);
    if (n > m / o->min_samples)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%zu samples are too few for %zu workers with at least %zu each; at most %zu workers fit", m,
                         n, o->min_samples, m / o->min_samples);
    if (o->scheme == HSGD_PARTITION_SHARDS && o->shards_per_worker > m / n)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%zu samples are too few for %zu workers with %zu shards each; shards_per_worker can be at "
                         "most %zu",
                         m, n, o->shards_per_worker, m / n);
    return HSGD_OK;
}

static hsgd_status check_users(const hsgd_dataset *data, size_t n, hsgd_error *err)
{
    if (!data->user_start)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "scheme: \"natural\" needs data with users, which these have not");
    if (data->num_users < n)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu users are too few for %zu workers; each needs at least one",
                         data->num_users, n);
    return HSGD_OK;
}

/* ---- one attempt ---- */

typedef struct attempt {
    const hsgd_dataset *data;
    const hsgd_partition_options *options;
    hsgd_partition *out;
    gsl_rng *rng;        /* of this attempt */
    size_t *sorted;      /* (m) shuffled samples, class after class */
    size_t *class_start; /* (C + 1) offsets into sorted */
    size_t *shard; /* (n shards_per_worker, or users) the order in which they are dealt; unused by other schemes */
    double *share; /* (2 n) shares of the workers, then room for the parameters of the Dirichlet draw */
} attempt;

/* First element of share i when count elements are cut into equal shares; their sizes differ by at most one. */
static size_t equal_cut(size_t count, size_t shares, size_t i)
{
    size_t rest = count % shares;
    return i * (count / shares) + (i < rest ? i : rest);
}

static void equal_starts(hsgd_partition *out)
{
    for (size_t j = 0; j <= out->num_workers; j++)
        out->start[j] = equal_cut(out->num_samples, out->num_workers, j);
}

static void shuffle_samples(attempt *a)
{
    for (size_t i = 0; i < a->out->num_samples; i++)
        a->out->order[i] = i;
    gsl_ran_shuffle(a->rng, a->out->order, a->out->num_samples, sizeof *a->out->order);
}

/* Counting sort of the shuffled samples: inside a class they stay in random order. */
static void sort_by_class(attempt *a)
{
    const uint32_t *label = a->data->label;
    size_t m = a->out->num_samples, classes = a->out->num_classes;
    size_t *next = a->class_start; /* one past its place while counting */
    memset(next, 0, (classes + 1) * sizeof *next);
    for (size_t i = 0; i < m; i++)
        next[label[i] + 1]++;
    for (size_t c = 0; c < classes; c++)
        next[c + 1] += next[c];
    for (size_t i = 0; i < m; i++)
        a->sorted[next[label[a->out->order[i]]]++] = a->out->order[i];
    memmove(next + 1, next, classes * sizeof *next); /* each offset has advanced to the next class's */
    next[0] = 0;
}

static void draw_by_label(attempt *a)
{
    sort_by_class(a);
    memcpy(a->out->order, a->sorted, a->out->num_samples * sizeof *a->sorted);
    equal_starts(a->out);
}

static void draw_shards(attempt *a)
{
    hsgd_partition *out = a->out;
    size_t per_worker = a->options->shards_per_worker, shards = out->num_workers * per_worker, filled = 0;
    sort_by_class(a);
    for (size_t i = 0; i < shards; i++)
        a->shard[i] = i;
    gsl_ran_shuffle(a->rng, a->shard, shards, sizeof *a->shard);
    out->start[0] = 0;
    for (size_t i = 0; i < shards; i++) {
        size_t begin = equal_cut(out->num_samples, shards, a->shard[i]);
        size_t size = equal_cut(out->num_samples, shards, a->shard[i] + 1) - begin;
        memcpy(out->order + filled, a->sorted + begin, size * sizeof *a->sorted);
        filled += size;
        out->start[i / per_worker + 1] = filled;
    }
}

/* The end of a share when the shares up to it add up to the fraction `sum` of count. A common offset in [0, 1) decides
 * how the cuts are rounded; rounding never loses an element. */
static size_t fraction_cut(double sum, size_t count, double offset, bool is_last)
{
    double cut = floor(sum * (double)count + offset);
    return is_last || cut > (double)count ? count : (size_t)cut;
}

/* The samples of each class are cut at the cumulative sums of a Dirichlet(alpha, ..., alpha) draw over the workers.
 * A random offset makes the expected count of every worker exactly its share of the class; with a fixed one, classes
 * of a few samples would always end up in the same place. (gsl_ran_dirichlet works with logarithms when all gamma
 * variates underflow, so tiny alphas are fine.) */
static void draw_class_counts(attempt *a)
{
    size_t n = a->out->num_workers, classes = a->out->num_classes;
    double *alpha = a->share + n;
    for (size_t j = 0; j < n; j++)
        alpha[j] = a->options->alpha;
    for (size_t c = 0; c < classes; c++) {
        size_t count = a->class_start[c + 1] - a->class_start[c], begin = 0;
        double sum = 0;
        gsl_ran_dirichlet(a->rng, n, alpha, a->share);
        double offset = gsl_rng_uniform(a->rng);
        for (size_t j = 0; j < n; j++) {
            sum += a->share[j];
            size_t end = fraction_cut(sum, count, offset, j + 1 == n);
            a->out->histogram[j * classes + c] = end - begin;
            begin = end;
        }
    }
}

static void draw_dirichlet(attempt *a)
{
    hsgd_partition *out = a->out;
    size_t classes = out->num_classes, filled = 0;
    sort_by_class(a);
    draw_class_counts(a);
    size_t *next = a->class_start;
    for (size_t j = 0; j < out->num_workers; j++) {
        out->start[j] = filled;
        for (size_t c = 0; c < classes; c++) {
            size_t count = out->histogram[j * classes + c];
            memcpy(out->order + filled, a->sorted + next[c], count * sizeof *a->sorted);
            next[c] += count;
            filled += count;
        }
    }
    out->start[out->num_workers] = filled;
}

/* Each worker gets min_samples; the rest is split in proportion to exp(sigma z_j), z_j standard normal. Only ratios
 * matter, so the largest exponent is taken out first and no sigma overflows. */
static void draw_quantity(attempt *a)
{
    size_t n = a->out->num_workers, least = a->options->min_samples, rest = a->out->num_samples - n * least;
    double largest = -INFINITY, total = 0, sum = 0;
    for (size_t j = 0; j < n; j++) {
        a->share[j] = gsl_ran_gaussian_ziggurat(a->rng, a->options->sigma);
        largest = fmax(largest, a->share[j]);
    }
    for (size_t j = 0; j < n; j++) {
        a->share[j] = exp(a->share[j] - largest);
        total += a->share[j];
    }
    a->out->start[0] = 0;
    for (size_t j = 0; j < n; j++) {
        sum += a->share[j];
        a->out->start[j + 1] = (j + 1) * least + fraction_cut(sum / total, rest, 0.5, j + 1 == n);
    }
}

static void draw_natural(attempt *a)
{
    hsgd_partition *out = a->out;
    const size_t *user_start = a->data->user_start;
    size_t n = out->num_workers, users = a->data->num_users, filled = 0;
    for (size_t u = 0; u < users; u++)
        a->shard[u] = u;
    if (!a->options->users_in_order)
        gsl_ran_shuffle(a->rng, a->shard, users, sizeof *a->shard);
    out->start[0] = 0;
    for (size_t j = 0; j < n; j++) {
        for (size_t i = equal_cut(users, n, j); i < equal_cut(users, n, j + 1); i++)
            for (size_t s = user_start[a->shard[i]]; s < user_start[a->shard[i] + 1]; s++)
                out->order[filled++] = s;
        out->start[j + 1] = filled;
    }
}

static void draw(attempt *a)
{
    shuffle_samples(a);
    switch (a->options->scheme) {
    case HSGD_PARTITION_IID:
        equal_starts(a->out);
        return;
    case HSGD_PARTITION_BY_LABEL:
        draw_by_label(a);
        return;
    case HSGD_PARTITION_SHARDS:
        draw_shards(a);
        return;
    case HSGD_PARTITION_DIRICHLET:
        draw_dirichlet(a);
        return;
    case HSGD_PARTITION_QUANTITY:
        draw_quantity(a);
        return;
    case HSGD_PARTITION_NATURAL:
        draw_natural(a);
        return;
    }
}

/* ---- all attempts ---- */

static size_t smallest_share(const hsgd_partition *p)
{
    size_t smallest = p->num_samples;
    for (size_t j = 0; j < p->num_workers; j++)
        if (p->start[j + 1] - p->start[j] < smallest)
            smallest = p->start[j + 1] - p->start[j];
    return smallest;
}

static hsgd_status fail_retries(const attempt *a, hsgd_error *err)
{
    const hsgd_partition_options *o = a->options;
    size_t m = a->out->num_samples, n = a->out->num_workers;
    if (o->scheme == HSGD_PARTITION_DIRICHLET)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "dirichlet partition: with alpha %g, %zu workers and %zu samples, each of %zu draws left a "
                         "worker with fewer than min_samples = %zu; a larger alpha, fewer workers or a smaller "
                         "min_samples would help",
                         o->alpha, n, m, o->max_retries + 1, o->min_samples);
    if (o->scheme == HSGD_PARTITION_NATURAL)
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "natural partition: with %zu users and %zu workers, each of %zu draws left a worker with fewer "
            "than min_samples = %zu; fewer workers or a smaller min_samples would help",
            a->data->num_users, n, o->max_retries + 1, o->min_samples);
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "%s partition: with %zu shards per worker, %zu workers and %zu samples, each of %zu draws left a "
                     "worker with fewer than min_samples = %zu; fewer shards, fewer workers or a smaller min_samples "
                     "would help",
                     hsgd_partition_scheme_name(o->scheme), o->shards_per_worker, n, m, o->max_retries + 1,
                     o->min_samples);
}

static hsgd_status draw_until_large_enough(attempt *a, hsgd_error *err)
{
    for (size_t retry = 0; retry <= a->options->max_retries; retry++) {
        const hsgd_stream stream = {.seed = a->options->seed, .purpose = HSGD_PURPOSE_PARTITION, .step = retry};
        a->rng = hsgd_stream_rng(&stream);
        if (!a->rng)
            return hsgd_fail_memory(err, "the partition");
        draw(a);
        gsl_rng_free(a->rng);
        a->out->retries = retry;
        if (smallest_share(a->out) >= a->options->min_samples)
            return HSGD_OK;
    }
    return fail_retries(a, err);
}

static void count_classes(hsgd_partition *p, const uint32_t *label)
{
    memset(p->histogram, 0, p->num_workers * p->num_classes * sizeof *p->histogram);
    for (size_t j = 0; j < p->num_workers; j++)
        for (size_t i = p->start[j]; i < p->start[j + 1]; i++)
            p->histogram[j * p->num_classes + label[p->order[i]]]++;
}

static hsgd_status allocate(attempt *a, const hsgd_dataset *data, size_t n, hsgd_error *err)
{
    hsgd_partition *out = a->out;
    *out = (hsgd_partition){.num_workers = n, .num_samples = data->num_samples, .num_classes = data->num_classes};
    size_t shards = a->options->scheme == HSGD_PARTITION_SHARDS    ? n * a->options->shards_per_worker
                    : a->options->scheme == HSGD_PARTITION_NATURAL ? data->num_users
                                                                   : 0;
    out->order = calloc(data->num_samples, sizeof *out->order);
    out->start = calloc(n + 1, sizeof *out->start);
    if (data->num_classes <= SIZE_MAX / sizeof *out->histogram / n)
        out->histogram = calloc(n * data->num_classes, sizeof *out->histogram);
    a->sorted = calloc(data->num_samples, sizeof *a->sorted);
    a->class_start = calloc(data->num_classes + 1, sizeof *a->class_start);
    a->shard = calloc(shards + 1, sizeof *a->shard);
    a->share = calloc(2 * n, sizeof *a->share);
    if (out->order && out->start && out->histogram && a->sorted && a->class_start && a->shard && a->share)
        return HSGD_OK;
    return hsgd_fail_memory(err, "the partition");
}

hsgd_status hsgd_partition_build(hsgd_partition *out, const hsgd_dataset *data, size_t num_workers,
                                 const hsgd_partition_options *options, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check_options(options, err);
    if (!status && options->scheme == HSGD_PARTITION_NATURAL) /* says more than a lack of samples */
        status = check_users(data, num_workers, err);
    if (!status)
        status = check_sizes(data->num_samples, num_workers, options, err);
    if (status)
        return status;
    attempt a = {.data = data, .options = options, .out = out};
    status = allocate(&a, data, num_workers, err);
    if (!status)
        status = draw_until_large_enough(&a, err);
    if (!status)
        count_classes(out, data->label);
    else
        hsgd_partition_free(out);
    free(a.sorted);
    free(a.class_start);
    free(a.shard);
    free(a.share);
    return status;
}

/* ---- the rest of a partition's life ---- */

static void copy_permuted(hsgd_partition *to, const hsgd_partition *from, const size_t *place)
{
    size_t classes = from->num_classes;
    for (size_t j = 0; j < from->num_workers; j++) {
        size_t begin = from->start[place[j]], count = from->start[place[j] + 1] - begin;
        memcpy(to->order + to->start[j], from->order + begin, count * sizeof *to->order);
        memcpy(to->histogram + j * classes, from->histogram + place[j] * classes, classes * sizeof *to->histogram);
        to->start[j + 1] = to->start[j] + count;
    }
}

hsgd_status hsgd_partition_permute(hsgd_partition *partition, const size_t *place, hsgd_error *err)
{
    hsgd_status status = hsgd_check_permutation(place, partition->num_workers, "place", err);
    if (status)
        return status;
    hsgd_partition fresh = *partition;
    fresh.order = calloc(fresh.num_samples, sizeof *fresh.order);
    fresh.start = calloc(fresh.num_workers + 1, sizeof *fresh.start);
    fresh.histogram = calloc(fresh.num_workers * fresh.num_classes, sizeof *fresh.histogram);
    if (!fresh.order || !fresh.start || !fresh.histogram) {
        hsgd_partition_free(&fresh);
        return hsgd_fail_memory(err, "permuting the workers");
    }
    copy_permuted(&fresh, partition, place);
    hsgd_partition_free(partition);
    *partition = fresh;
    return HSGD_OK;
}

void hsgd_partition_free(hsgd_partition *partition)
{
    if (!partition)
        return;
    free(partition->order);
    free(partition->start);
    free(partition->histogram);
    memset(partition, 0, sizeof *partition);
}
