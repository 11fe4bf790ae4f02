/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the time of the linear models goes.
 *
 * Scores and gradients are sums of rows of a matrix whose rows are `width` numbers long: rows of W' for scores, residuals
 * for gradients. A list's sum runs in two chains, over its even and its odd entries, in the order of the list; for one
 * output (widths 1 and 4) in four. So a column's sum does not depend on the columns next to it. Losses are computed with
 * one sample per lane. */
#include "analysis/linear_model_private.h"

#include "analysis/vector_math_private.h"

/* ---- rows of numbers, in whole registers or, where those do not fit the width, in fours ---- */

#if HSGD_LANES == 8
typedef double four __attribute__((vector_size(32)));
#else
typedef hsgd_vd four; /* whole registers always fit */
#endif

enum { FOUR = HSGD_LINEAR_FOUR, FOUR_LANES = sizeof(four) / sizeof(double) };

/* Fours per list and pass over its entries, at most: with two chains each they still fit the registers. */
#if HSGD_LANES == 8
enum { MAX_FOURS = 10 };
#else
enum { MAX_FOURS = 5 };
#endif

/* Entries whose rows are added to memory at the same time. */
enum { TOGETHER = HSGD_LANES == 8 ? 4 : 2 };

/* Some columns of a row. Only one of the two is used. */
typedef struct row_sum {
    hsgd_vd whole[MAX_FOURS * FOUR / HSGD_LANES];
    four part[MAX_FOURS * FOUR / FOUR_LANES];
} row_sum;

HSGD_INLINE bool is_whole(size_t fours)
{
    return fours * FOUR % HSGD_LANES == 0;
}

HSGD_INLINE four load_four(const double *x)
{
    four v;
    memcpy(&v, x, sizeof v);
    return v;
}

HSGD_INLINE void store_four(double *x, four v)
{
    memcpy(x, &v, sizeof v);
}

/* Call on every register of a row: at is where it starts, v the register in row_sum r, load and store fit it. */
#define FOR_ROW(fours, body)                                                                                           \
    do {                                                                                                               \
        if (is_whole(fours))                                                                                           \
            HSGD_UNROLL for (size_t k = 0; k < (fours)*FOUR / HSGD_LANES; k++)                                         \
                body(whole[k], k *HSGD_LANES, hsgd_load, hsgd_store);                                                  \
        else                                                                                                           \
            HSGD_UNROLL for (size_t k = 0; k < (fours)*FOUR / FOUR_LANES; k++)                                         \
                body(part[k], k *FOUR_LANES, load_four, store_four);                                                   \
    } while (0)

HSGD_INLINE void clear_row(row_sum *sum, size_t fours)
{
#define BODY(v, at, load, store) sum->v = (__typeof__(sum->v)){0}
    FOR_ROW(fours, BODY);
#undef BODY
}

HSGD_INLINE void load_row(row_sum *sum, const double *x, size_t fours)
{
#define BODY(v, at, load, store) sum->v = load(x + (at))
    FOR_ROW(fours, BODY);
#undef BODY
}

HSGD_INLINE void store_row(double *out, const row_sum *sum, size_t fours)
{
#define BODY(v, at, load, store) store(out + (at), sum->v)
    FOR_ROW(fours, BODY);
#undef BODY
}

/* sum += x row */
HSGD_INLINE void add_product(row_sum *sum, double x, const double *row, size_t fours)
{
#define BODY(v, at, load, store) sum->v += x * load(row + (at))
    FOR_ROW(fours, BODY);
#undef BODY
}

HSGD_INLINE void add_row(row_sum *sum, const row_sum *other, size_t fours)
{
#define BODY(v, at, load, store) sum->v += other->v
    FOR_ROW(fours, BODY);
#undef BODY
}

/* out += sum */
HSGD_INLINE void add_to_memory(double *out, const row_sum *sum, size_t fours)
{
#define BODY(v, at, load, store) store(out + (at), load(out + (at)) + sum->v)
    FOR_ROW(fours, BODY);
#undef BODY
}

/* sum = out + x row */
HSGD_INLINE void product_plus_memory(row_sum *sum, const double *out, double x, const row_sum *row, size_t fours)
{
#define BODY(v, at, load, store) sum->v = load(out + (at)) + x * row->v
    FOR_ROW(fours, BODY);
#undef BODY
}

/* ---- lists ---- */

/* How a list's entries are stored; constants where they are used, so that each case gets code of its own. */
typedef enum values { ONE, CODED, DOUBLE } values;
typedef enum indices { NEAR, FAR } indices;

/* Lists without what is written meanwhile: stores to a gradient might change an hsgd_lists, for all a compiler knows, and
 * every entry would load its pointers again. */
typedef struct view {
    size_t parts, together; /* parts of a row, and those that are taken as one list */
    const size_t *start;
    const uint16_t *near;
    const uint32_t *far;
    const uint8_t *code;
    const double *value, *dictionary;
} view;

static view view_of(const hsgd_lists *lists, size_t together)
{
    return (view){lists->parts, together,    lists->start, lists->near,
                  lists->far,   lists->code, lists->value, lists->dictionary};
}

HSGD_INLINE size_t index_of(const view *lists, size_t e, indices kind)
{
    return kind == NEAR ? lists->near[e] : lists->far[e];
}

HSGD_INLINE double value_of(const view *lists, size_t e, values kind)
{
    return kind == ONE ? 1 : kind == CODED ? lists->dictionary[lists->code[e]] : lists->value[e];
}

HSGD_INLINE void add_entry(row_sum *sum, const view *lists, size_t e, const double *w, size_t width, size_t fours,
                           values v, indices i)
{
    add_product(sum, value_of(lists, e, v), w + index_of(lists, e, i) * width, fours);
}

/* The sum of one list is left in sum[0]. chains: 2 or 4. */
HSGD_INLINE void sum_list(row_sum *sum, size_t chains, const view *lists, size_t list, const double *w, size_t width,
                          size_t fours, values v, indices i)
{
    HSGD_UNROLL for (size_t k = 0; k < chains; k++) clear_row(&sum[k], fours);
    size_t e = lists->start[list], end = lists->start[list + lists->together];
    for (; e + chains <= end; e += chains)
        HSGD_UNROLL for (size_t k = 0; k < chains; k++) add_entry(&sum[k], lists, e + k, w, width, fours, v, i);
    for (; e < end; e++)
        add_entry(&sum[0], lists, e, w, width, fours, v, i);
    HSGD_UNROLL for (size_t half = chains / 2; half; half /= 2) HSGD_UNROLL for (size_t k = 0; k < half; k++)
        add_row(&sum[k], &sum[k + half], fours);
}

HSGD_INLINE double sum_list_1(const view *lists, size_t list, const double *w, values v, indices i)
{
    double sum[4] = {0};
    size_t e = lists->start[list], end = lists->start[list + lists->together];
    for (; e + 4 <= end; e += 4)
        HSGD_UNROLL for (size_t k = 0; k < 4; k++) sum[k] += value_of(lists, e + k, v) * w[index_of(lists, e + k, i)];
    for (; e < end; e++)
        sum[0] += value_of(lists, e, v) * w[index_of(lists, e, i)];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* Call body(fours, v, i) with the constants of the case at hand: `fours` numbers of four, storage as in lists. */
#define WITH_STORAGE(body, fours)                                                                                      \
    do {                                                                                                               \
        if (lists->near && lists->code)                                                                                \
            body(fours, CODED, NEAR);                                                                                  \
        else if (lists->near)                                                                                          \
            body(fours, DOUBLE, NEAR);                                                                                 \
        else if (lists->code)                                                                                          \
            body(fours, CODED, FAR);                                                                                   \
        else                                                                                                           \
            body(fours, DOUBLE, FAR);                                                                                  \
    } while (0)

#define WITH_FOURS(body, fours)                                                                                        \
    do {                                                                                                               \
        if ((fours) == 2)                                                                                              \
            WITH_STORAGE(body, 2);                                                                                     \
        else if ((fours) == 3)                                                                                         \
            WITH_STORAGE(body, 3);                                                                                     \
        else if ((fours) == 4)                                                                                         \
            WITH_STORAGE(body, 4);                                                                                     \
        else                                                                                                           \
            WITH_MANY_FOURS(body, fours);                                                                              \
    } while (0)

#if HSGD_LANES == 8
#define WITH_MANY_FOURS(body, fours)                                                                                   \
    do {                                                                                                               \
        if ((fours) == 6)                                                                                              \
            WITH_STORAGE(body, 6);                                                                                     \
        else if ((fours) == 8)                                                                                         \
            WITH_STORAGE(body, 8);                                                                                     \
        else                                                                                                           \
            WITH_STORAGE(body, 10);                                                                                    \
    } while (0)
#else
#define WITH_MANY_FOURS(body, fours) WITH_STORAGE(body, 5)
#endif

/* The same for the widths of one output, 1 and 4, where values may all be 1. */
#define WITH_ONE_OUTPUT(body)                                                                                          \
    do {                                                                                                               \
        if (!lists->code && !lists->value && lists->near)                                                              \
            body(1, ONE, NEAR);                                                                                        \
        else if (!lists->code && !lists->value)                                                                        \
            body(1, ONE, FAR);                                                                                         \
        else                                                                                                           \
            WITH_STORAGE(body, 1);                                                                                     \
    } while (0)

#define WIDTH_OF(fours) ((size_t)(fours)*FOUR)

/* Width in chunks of at most MAX_FOURS fours, as even as they get in whole registers (or in fours, for a width that is no
 * multiple of eight and fits one chunk). */
#define FOR_CHUNKS(at, fours)                                                                                          \
    for (size_t unit = width % HSGD_LANES || HSGD_LANES < FOUR ? FOUR : HSGD_LANES, all = width / unit,                \
                most = WIDTH_OF(MAX_FOURS) / unit, chunks = (all + most - 1) / most, chunk = 0, at = 0, fours = 0;     \
         chunk < chunks && (at = all * chunk / chunks * unit,                                                          \
                           fours = (all * (chunk + 1) / chunks - all * chunk / chunks) * unit / FOUR, 1);              \
         chunk++)

/* One output at several points takes a width of 4 and as many chains as at one point. */
#define WITH_WIDTH(body_1, body_4, body)                                                                               \
    do {                                                                                                               \
        if (width == 1)                                                                                                \
            WITH_ONE_OUTPUT(body_1);                                                                                   \
        else if (width == FOUR)                                                                                        \
            WITH_ONE_OUTPUT(body_4);                                                                                   \
        else                                                                                                           \
            FOR_CHUNKS(at, fours)                                                                                      \
        WITH_FOURS(body, fours);                                                                                       \
    } while (0)

/* A width that one short chunk fills is a constant, too: the multiplication by it leaves a port to the arithmetic. */
#define IS_CHUNK(fours) ((fours) <= 3 && width == WIDTH_OF(fours))

/* The list of a part of the s-th data row. */
HSGD_INLINE size_t list_of(const view *lists, size_t part, const size_t *row, size_t first, size_t s)
{
    return (row ? row[s] : first + s) * lists->parts + part;
}

HSGD_INLINE void scores_of_chunk(double *z, bool add, const view *lists, size_t part, const size_t *row, size_t first,
                                 size_t count, const double *w, size_t width, size_t chains, size_t fours, values v,
                                 indices i)
{
    for (size_t s = 0; s < count; s++) {
        row_sum sum[4];
        sum_list(sum, chains, lists, list_of(lists, part, row, first, s), w, width, fours, v, i);
        if (add)
            add_to_memory(z + s * width, &sum[0], fours);
        else
            store_row(z + s * width, &sum[0], fours);
    }
}

HSGD_INLINE void scores_1(double *z, bool add, const view *lists, size_t part, const size_t *row, size_t first,
                          size_t count, const double *w, values v, indices i)
{
    for (size_t s = 0; s < count; s++)
        z[s] = (add ? z[s] : 0) + sum_list_1(lists, list_of(lists, part, row, first, s), w, v, i);
}

static void scores(double *z, bool add, const hsgd_lists *stored, size_t part, size_t parts, const size_t *row,
                   size_t first, size_t count, const double *w, size_t width)
{
    const view seen = view_of(stored, parts), *lists = &seen;
#define BODY_1(fours, v, i) scores_1(z, add, lists, part, row, first, count, w, v, i)
#define BODY_4(fours, v, i) scores_of_chunk(z, add, lists, part, row, first, count, w, FOUR, 4, fours, v, i)
#define BODY_AT(fours, v, i, width)                                                                                    \
    scores_of_chunk(z + at, add, lists, part, row, first, count, w + at, width, 2, fours, v, i)
#define BODY(fours, v, i) IS_CHUNK(fours) ? BODY_AT(fours, v, i, WIDTH_OF(fours)) : BODY_AT(fours, v, i, width)
    WITH_WIDTH(BODY_1, BODY_4, BODY);
#undef BODY
#undef BODY_AT
#undef BODY_4
#undef BODY_1
}

HSGD_INLINE void collect_chunk(double *g, bool add, const uint32_t *column, const view *lists, size_t first,
                               size_t count, const double *r, size_t width, size_t chains, size_t fours, values v)
{
    for (size_t l = first; l < first + count; l++) {
        row_sum sum[4];
        double *out = g + column[l] * width;
        sum_list(sum, chains, lists, l, r, width, fours, v, NEAR);
        if (add)
            add_to_memory(out, &sum[0], fours);
        else
            store_row(out, &sum[0], fours);
    }
}

HSGD_INLINE void collect_1(double *g, bool add, const uint32_t *column, const view *lists, size_t first, size_t count,
                           const double *r, values v)
{
    for (size_t l = first; l < first + count; l++)
        g[column[l]] = (add ? g[column[l]] : 0) + sum_list_1(lists, l, r, v, NEAR);
}

static void collect(double *g, bool add, const uint32_t *column, const hsgd_lists *stored, size_t first, size_t count,
                    const double *r, size_t width)
{
    const view seen = view_of(stored, 1), *lists = &seen;
#define BODY_1(fours, v, i) collect_1(g, add, column, lists, first, count, r, v)
#define BODY_4(fours, v, i) collect_chunk(g, add, column, lists, first, count, r, FOUR, 4, fours, v)
#define BODY_AT(fours, v, width) collect_chunk(g + at, add, column, lists, first, count, r + at, width, 2, fours, v)
#define BODY(fours, v, i) IS_CHUNK(fours) ? BODY_AT(fours, v, WIDTH_OF(fours)) : BODY_AT(fours, v, width)
    WITH_WIDTH(BODY_1, BODY_4, BODY);
#undef BODY
#undef BODY_AT
#undef BODY_4
#undef BODY_1
}

/* From entry e on, `together` entries: their rows of g are different, so all are loaded before the first is stored, and no
 * load waits to know where a store goes. */
HSGD_INLINE void scatter_some(double *g, const view *lists, size_t e, size_t together, const row_sum *own, size_t width,
                              size_t fours, values v, indices i)
{
    row_sum sum[TOGETHER];
    double *out[TOGETHER];
    HSGD_UNROLL for (size_t k = 0; k < together; k++)
    {
        out[k] = g + index_of(lists, e + k, i) * width;
        product_plus_memory(&sum[k], out[k], value_of(lists, e + k, v), own, fours);
    }
    HSGD_UNROLL for (size_t k = 0; k < together; k++) store_row(out[k], &sum[k], fours);
}

HSGD_INLINE void scatter_chunk(double *g, const view *lists, size_t part, const size_t *row, size_t first, size_t count,
                               const double *r, size_t width, size_t fours, values v, indices i)
{
    for (size_t s = 0; s < count; s++) {
        size_t list = list_of(lists, part, row, first, s), e = lists->start[list],
               end = lists->start[list + lists->together];
        row_sum own;
        load_row(&own, r + s * width, fours);
        for (; e + TOGETHER <= end; e += TOGETHER)
            scatter_some(g, lists, e, TOGETHER, &own, width, fours, v, i);
        for (; e < end; e++)
            scatter_some(g, lists, e, 1, &own, width, fours, v, i);
    }
}

HSGD_INLINE void scatter_1(double *g, const view *lists, size_t part, const size_t *row, size_t first, size_t count,
                           const double *r, values v, indices i)
{
    for (size_t s = 0; s < count; s++) {
        size_t list = list_of(lists, part, row, first, s), end = lists->start[list + lists->together];
        for (size_t e = lists->start[list]; e < end; e++)
            g[index_of(lists, e, i)] += value_of(lists, e, v) * r[s];
    }
}

static void scatter(double *g, const hsgd_lists *stored, size_t part, size_t parts, const size_t *row, size_t first,
                    size_t count, const double *r, size_t width)
{
    const view seen = view_of(stored, parts), *lists = &seen;
#define BODY_1(fours, v, i) scatter_1(g, lists, part, row, first, count, r, v, i)
#define BODY_4(fours, v, i) scatter_chunk(g, lists, part, row, first, count, r, FOUR, fours, v, i)
#define BODY_AT(fours, v, i, width) scatter_chunk(g + at, lists, part, row, first, count, r + at, width, fours, v, i)
#define BODY(fours, v, i) IS_CHUNK(fours) ? BODY_AT(fours, v, i, WIDTH_OF(fours)) : BODY_AT(fours, v, i, width)
    WITH_WIDTH(BODY_1, BODY_4, BODY);
#undef BODY
#undef BODY_AT
#undef BODY_4
#undef BODY_1
}

/* ---- transposes, four by four ---- */

/* The rows of a matrix of 4 x 4 become its columns. */
HSGD_INLINE void transpose(double *out0, double *out1, double *out2, double *out3, const double *in0, const double *in1,
                           const double *in2, const double *in3)
{
#if HSGD_LANES == 2
    double a[4], b[4], c[4], d[4];
    memcpy(a, in0, sizeof a);
    memcpy(b, in1, sizeof b);
    memcpy(c, in2, sizeof c);
    memcpy(d, in3, sizeof d);
    memcpy(out0, (double[]){a[0], b[0], c[0], d[0]}, sizeof a);
    memcpy(out1, (double[]){a[1], b[1], c[1], d[1]}, sizeof a);
    memcpy(out2, (double[]){a[2], b[2], c[2], d[2]}, sizeof a);
    memcpy(out3, (double[]){a[3], b[3], c[3], d[3]}, sizeof a);
#else
    __m256d a = _mm256_loadu_pd(in0), b = _mm256_loadu_pd(in1), c = _mm256_loadu_pd(in2), d = _mm256_loadu_pd(in3);
    __m256d low_ab = _mm256_unpacklo_pd(a, b), high_ab = _mm256_unpackhi_pd(a, b);
    __m256d low_cd = _mm256_unpacklo_pd(c, d), high_cd = _mm256_unpackhi_pd(c, d);
    _mm256_storeu_pd(out0, _mm256_permute2f128_pd(low_ab, low_cd, 0x20));
    _mm256_storeu_pd(out1, _mm256_permute2f128_pd(high_ab, high_cd, 0x20));
    _mm256_storeu_pd(out2, _mm256_permute2f128_pd(low_ab, low_cd, 0x31));
    _mm256_storeu_pd(out3, _mm256_permute2f128_pd(high_ab, high_cd, 0x31));
#endif
}

/* Features that are transposed at once, four columns at a time: few enough that their lines are still in the first-level
 * cache when the next four columns come. */
enum { STRIP = 16 };

/* out (count, width), four columns of it, from four arrays (count). */
HSGD_INLINE void widen_strip(double *out, const double *const *column, size_t count, size_t width)
{
    const double *a = column[0], *b = column[1], *c = column[2], *d = column[3];
    size_t f = 0;
    for (; f + 4 <= count; f += 4) {
        double *o = out + f * width;
        transpose(o, o + width, o + 2 * width, o + 3 * width, a + f, b + f, c + f, d + f);
    }
    for (; f < count; f++)
        memcpy(out + f * width, (double[]){a[f], b[f], c[f], d[f]}, 4 * sizeof *out);
}

static size_t strip_length(size_t from, size_t end)
{
    return end - from < STRIP ? end - from : STRIP;
}

static void widen(double *out, const double *const *point, size_t outputs, size_t columns, size_t p, size_t first,
                  size_t end, size_t width, size_t from, size_t to)
{
    static const double zeros[STRIP];
    for (size_t f = first; f < end; f += STRIP)
        for (size_t c = from; c < to; c += 4) {
            const double *column[4];
            for (size_t k = 0; k < 4; k++)
                column[k] = c + k < columns ? point[(c + k) / outputs] + (c + k) % outputs * p + f : zeros;
            widen_strip(out + f * width + c, column, strip_length(f, end), width);
        }
}

/* Four arrays (count) from four columns of g (count, width). */
HSGD_INLINE void narrow_strip(double *const *column, const double *g, size_t count, size_t width)
{
    double *a = column[0], *b = column[1], *c = column[2], *d = column[3];
    size_t f = 0;
    for (; f + 4 <= count; f += 4) {
        const double *in = g + f * width;
        transpose(a + f, b + f, c + f, d + f, in, in + width, in + 2 * width, in + 3 * width);
    }
    for (; f < count; f++) {
        a[f] = g[f * width];
        b[f] = g[f * width + 1];
        c[f] = g[f * width + 2];
        d[f] = g[f * width + 3];
    }
}

static void narrow(double *out, const double *g, size_t columns, size_t p, size_t first, size_t end, size_t width)
{
    double unwanted[STRIP];
    for (size_t f = first; f < end; f += STRIP)
        for (size_t c = 0; c < columns; c += 4) {
            double *column[4];
            for (size_t k = 0; k < 4; k++)
                column[k] = c + k < columns ? out + (c + k) * p + f : unwanted;
            narrow_strip(column, g + f * width + c, strip_length(f, end), width);
        }
}

/* ---- losses ---- */

static uint32_t label_of(hsgd_labels labels, size_t sample)
{
    return labels.label[labels.row ? labels.row[sample] : sample];
}

/* The sum of count numbers, in eight lanes; zeros are appended in place up to a multiple of 8. */
static double sum_losses(double *loss, size_t count)
{
    hsgd_sum8 sum = {0};
    for (size_t i = count; i % 8; i++)
        loss[i] = 0;
    for (size_t i = 0; i < count; i += 8)
        HSGD_UNROLL for (size_t k = 0; k < 8 / HSGD_LANES; k++) sum.part[k] += hsgd_load(loss + i + k * HSGD_LANES);
    return hsgd_sum8_total(&sum);
}

/* Labels as numbers, for up to HSGD_LANES samples; 0 in the other lanes. Whole vectors are made without a detour through
 * memory, which would have to wait for the stores of single lanes. */
HSGD_INLINE hsgd_vd load_labels(hsgd_labels labels, size_t first, size_t count)
{
    typedef uint32_t narrow_labels __attribute__((vector_size(4 * HSGD_LANES)));
    narrow_labels label = {0};
    if (count < HSGD_LANES)
        for (size_t l = 0; l < count; l++)
            label[l] = label_of(labels, first + l);
    else if (!labels.row)
        memcpy(&label, labels.label + first, sizeof label);
    else
        HSGD_UNROLL for (size_t l = 0; l < HSGD_LANES; l++) label[l] = label_of(labels, first + l);
    return __builtin_convertvector(label, hsgd_vd);
}

/* With margin = s z and tail = exp(-|margin|), which never overflows: loss log(1 + tail) - min(margin, 0), and d loss / dz
 * = -s tail/(1 + tail) where the margin is positive, -s/(1 + tail) where not. The scores become scale * residuals. */
HSGD_INLINE hsgd_vd logistic_of_lanes(hsgd_vd *z, hsgd_vd label, double scale, bool want_loss)
{
    hsgd_vd sign = 2.0 * label - 1.0, margin = sign * *z, tail = hsgd_exp(-hsgd_abs(margin));
    hsgd_vi right = margin > 0.0;
    *z = -sign * hsgd_select(right, tail, hsgd_splat(1)) / (1.0 + tail) * scale;
    return want_loss ? hsgd_select(right, hsgd_splat(0), -margin) + hsgd_log1p_unit(tail) : tail;
}

HSGD_INLINE void logistic_of_all(double *z, hsgd_labels labels, size_t count, double scale, double *loss)
{
    size_t i = 0;
    for (; i + HSGD_LANES <= count; i += HSGD_LANES) {
        hsgd_vd score = hsgd_load(z + i);
        hsgd_vd value = logistic_of_lanes(&score, load_labels(labels, i, HSGD_LANES), scale, loss);
        hsgd_store(z + i, score);
        if (loss)
            hsgd_store(loss + i, value);
    }
    if (i < count) {
        hsgd_vd score = hsgd_load_part(z + i, count - i, 0);
        hsgd_vd value = logistic_of_lanes(&score, load_labels(labels, i, count - i), scale, loss);
        hsgd_store_part(z + i, score, count - i);
        if (loss)
            hsgd_store_part(loss + i, value, count - i);
    }
}

static double logistic(double *z, hsgd_labels labels, size_t count, double scale, double *loss)
{
    if (!loss) {
        logistic_of_all(z, labels, count, scale, NULL);
        return 0;
    }
    logistic_of_all(z, labels, count, scale, loss);
    return sum_losses(loss, count);
}

/* One sample per lane: t (outputs, 8), scores at first and then scale * residuals; label: the classes.
 *
 * With e_c = exp(z_c - top), others = the sum of e_c over the other classes and rest = the sum without one top class
 * (whose e_c is 1): the residual of the label is p - 1 = -others/sum, and the loss log(1 + rest) + (top - z_label).
 * Neither subtracts numbers that are nearly equal, so a sample that is fitted well keeps a loss and a gradient above 0.
 */
HSGD_INLINE hsgd_vd softmax_of_lanes(double *t, hsgd_vd label, size_t outputs, double scale, bool want_loss)
{
    hsgd_vd top = hsgd_load(t), best = hsgd_splat(0), own = top, rest = hsgd_splat(0), others = rest;
    for (size_t c = 1; c < outputs; c++) {
        hsgd_vd z = hsgd_load(t + c * 8);
        hsgd_vi above = z > top;
        top = hsgd_select(above, z, top);
        best = hsgd_select(above, hsgd_splat((double)c), best);
        own = hsgd_select(label == (double)c, z, own);
    }
    for (size_t c = 0; c < outputs; c++) {
        hsgd_vd e = hsgd_exp(hsgd_load(t + c * 8) - top);
        rest += hsgd_select(best == (double)c, hsgd_splat(0), e);
        others += hsgd_select(label == (double)c, hsgd_splat(0), e);
        hsgd_store(t + c * 8, e);
    }
    hsgd_vd factor = scale / (1.0 + rest);
    for (size_t c = 0; c < outputs; c++) {
        hsgd_vd e = hsgd_select(label == (double)c, -others, hsgd_load(t + c * 8));
        hsgd_store(t + c * 8, e * factor);
    }
    return want_loss ? hsgd_log1p(rest) + (top - own) : rest;
}

/* Eight rows of z, or `here` of them, to the columns of work (width, 8) and back; the other columns become 0. */
static void samples_to_lanes(double *work, const double *z, size_t here, size_t width)
{
    for (size_t c = 0; c < width && here == 8; c += 4)
        for (size_t l = 0; l < 8; l += 4) {
            double *to = work + c * 8 + l;
            const double *from = z + l * width + c;
            transpose(to, to + 8, to + 16, to + 24, from, from + width, from + 2 * width, from + 3 * width);
        }
    for (size_t c = 0; c < width && here < 8; c++)
        for (size_t l = 0; l < 8; l++)
            work[c * 8 + l] = l < here ? z[l * width + c] : 0;
}

static void lanes_to_samples(double *z, const double *work, size_t here, size_t width)
{
    for (size_t c = 0; c < width && here == 8; c += 4)
        for (size_t l = 0; l < 8; l += 4) {
            double *to = z + l * width + c;
            const double *from = work + c * 8 + l;
            transpose(to, to + width, to + 2 * width, to + 3 * width, from, from + 8, from + 16, from + 24);
        }
    for (size_t l = 0; l < here && here < 8; l++)
        for (size_t c = 0; c < width; c++)
            z[l * width + c] = work[c * 8 + l];
}

static void softmax(double *z, hsgd_labels labels, size_t count, size_t outputs, size_t num_points, size_t width,
                    double scale, double *total, double *loss, double *work)
{
    size_t room = (count + 7) / 8 * 8; /* of one point in loss */
    for (size_t i = 0; i < count; i += 8) {
        size_t here = count - i < 8 ? count - i : 8;
        double label[8] = {0};
        for (size_t l = 0; l < here; l++)
            label[l] = label_of(labels, i + l);
        samples_to_lanes(work, z + i * width, here, width);
        for (size_t q = 0; q < num_points; q++)
            for (size_t k = 0; k < 8; k += HSGD_LANES) {
                hsgd_vd sum = softmax_of_lanes(work + q * outputs * 8 + k, hsgd_load(label + k), outputs, scale, total);
                if (total)
                    hsgd_store(loss + q * room + i + k, sum);
            }
        lanes_to_samples(z + i * width, work, here, width);
    }
    for (size_t q = 0; q < num_points && total; q++)
        total[q] += sum_losses(loss + q * room, count);
}

const hsgd_linear_model_kernels HSGD_ON_PATH(hsgd_linear_model_kernels) = {widen,   narrow,   scores, collect,
                                                                           scatter, logistic, softmax};
