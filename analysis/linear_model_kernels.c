/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the time of the linear models goes.
 *
 * Scores and gradients are sums of rows of a matrix whose rows are `width` numbers long: rows of W' for scores, residuals
 * for gradients. A list's sum runs in two accumulators, over its even and its odd entries (four for width 1), in the
 * order of the list. Losses are computed with one sample per lane. */
#include "analysis/linear_model_private.h"

#include "analysis/vector_math_private.h"

/* ---- four numbers at a time ---- */

#if HSGD_LANES == 2
typedef hsgd_vd piece;
#else /* also for AVX-512: with 10 outputs, three fours cost no more than two eights and take less cache */
typedef double piece __attribute__((vector_size(32)));
#endif
enum { PIECE = sizeof(piece) / sizeof(double), PIECES_OF_FOUR = HSGD_LINEAR_FOUR / PIECE };

/* Fours per list and pass over its entries, at most: with two accumulators each they still fit the registers. */
enum { MAX_FOURS = 5, MAX_PIECES = MAX_FOURS * PIECES_OF_FOUR };

HSGD_INLINE piece load_piece(const double *x)
{
    piece v;
    memcpy(&v, x, sizeof v);
    return v;
}

HSGD_INLINE void store_piece(double *x, piece v)
{
    memcpy(x, &v, sizeof v);
}

/* ---- lists ---- */

/* How a list's entries are stored; constants where they are used, so that each case gets code of its own. */
typedef enum values { ONE, CODED, DOUBLE } values;
typedef enum indices { NEAR, FAR } indices;

HSGD_INLINE size_t index_of(const hsgd_lists *lists, size_t e, indices kind)
{
    return kind == NEAR ? lists->near[e] : lists->far[e];
}

HSGD_INLINE double value_of(const hsgd_lists *lists, size_t e, values kind)
{
    return kind == ONE ? 1 : kind == CODED ? lists->dictionary[lists->code[e]] : lists->value[e];
}

HSGD_INLINE void add_entry(piece *sum, const hsgd_lists *lists, size_t e, const double *w, size_t width, size_t pieces,
                           values v, indices i)
{
    const double *row = w + index_of(lists, e, i) * width;
    double x = value_of(lists, e, v);
    HSGD_UNROLL for (size_t k = 0; k < pieces; k++) sum[k] += x * load_piece(row + k * PIECE);
}

HSGD_INLINE void sum_list(piece *sum, const hsgd_lists *lists, size_t list, const double *w, size_t width,
                          size_t pieces, values v, indices i)
{
    piece odd[MAX_PIECES];
    HSGD_UNROLL for (size_t k = 0; k < pieces; k++) sum[k] = odd[k] = (piece){0};
    size_t e = lists->start[list], end = lists->start[list + 1];
    for (; e + 2 <= end; e += 2) {
        add_entry(sum, lists, e, w, width, pieces, v, i);
        add_entry(odd, lists, e + 1, w, width, pieces, v, i);
    }
    if (e < end)
        add_entry(sum, lists, e, w, width, pieces, v, i);
    HSGD_UNROLL for (size_t k = 0; k < pieces; k++) sum[k] += odd[k];
}

HSGD_INLINE double sum_list_1(const hsgd_lists *lists, size_t list, const double *w, values v, indices i)
{
    double sum[4] = {0};
    size_t e = lists->start[list], end = lists->start[list + 1];
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
        if ((fours) == 1)                                                                                              \
            WITH_STORAGE(body, 1);                                                                                     \
        else if ((fours) == 2)                                                                                         \
            WITH_STORAGE(body, 2);                                                                                     \
        else if ((fours) == 3)                                                                                         \
            WITH_STORAGE(body, 3);                                                                                     \
        else if ((fours) == 4)                                                                                         \
            WITH_STORAGE(body, 4);                                                                                     \
        else                                                                                                           \
            WITH_STORAGE(body, 5);                                                                                     \
    } while (0)

#define WITH_WIDTH_1(body)                                                                                             \
    do {                                                                                                               \
        if (!lists->code && !lists->value && lists->near)                                                              \
            body(1, ONE, NEAR);                                                                                        \
        else if (!lists->code && !lists->value)                                                                        \
            body(1, ONE, FAR);                                                                                         \
        else                                                                                                           \
            WITH_STORAGE(body, 1);                                                                                     \
    } while (0)

/* Width in chunks of at most MAX_FOURS fours, as even as they get. */
#define FOR_CHUNKS(at, fours)                                                                                          \
    for (size_t all = width / HSGD_LINEAR_FOUR, chunks = (all + MAX_FOURS - 1) / MAX_FOURS, chunk = 0, at = 0,         \
                fours = 0;                                                                                             \
         chunk < chunks &&                                                                                             \
         (at = all * chunk / chunks * HSGD_LINEAR_FOUR, fours = all * (chunk + 1) / chunks - all * chunk / chunks, 1); \
         chunk++)

HSGD_INLINE void scores_of_chunk(double *z, const hsgd_lists *lists, const size_t *row, size_t first, size_t count,
                                 const double *w, size_t width, size_t fours, values v, indices i)
{
    for (size_t s = 0; s < count; s++) {
        piece sum[MAX_PIECES];
        sum_list(sum, lists, row ? row[s] : first + s, w, width, fours * PIECES_OF_FOUR, v, i);
        HSGD_UNROLL for (size_t k = 0; k < fours * PIECES_OF_FOUR; k++) store_piece(z + s * width + k * PIECE, sum[k]);
    }
}

HSGD_INLINE void scores_1(double *z, const hsgd_lists *lists, const size_t *row, size_t first, size_t count,
                          const double *w, values v, indices i)
{
    for (size_t s = 0; s < count; s++)
        z[s] = sum_list_1(lists, row ? row[s] : first + s, w, v, i);
}

static void scores(double *z, const hsgd_lists *lists, const size_t *row, size_t first, size_t count, const double *w,
                   size_t width)
{
#define BODY_1(fours, v, i) scores_1(z, lists, row, first, count, w, v, i)
#define BODY(fours, v, i) scores_of_chunk(z + at, lists, row, first, count, w + at, width, fours, v, i)
    if (width == 1)
        WITH_WIDTH_1(BODY_1);
    else
        FOR_CHUNKS(at, fours)
    WITH_FOURS(BODY, fours);
#undef BODY
#undef BODY_1
}

HSGD_INLINE void collect_chunk(double *g, const uint32_t *column, const hsgd_lists *lists, size_t first, size_t count,
                               const double *r, size_t width, size_t fours, values v)
{
    for (size_t l = first; l < first + count; l++) {
        piece sum[MAX_PIECES];
        double *out = g + column[l] * width;
        sum_list(sum, lists, l, r, width, fours * PIECES_OF_FOUR, v, NEAR);
        HSGD_UNROLL for (size_t k = 0; k < fours * PIECES_OF_FOUR; k++)
            store_piece(out + k * PIECE, load_piece(out + k * PIECE) + sum[k]);
    }
}

HSGD_INLINE void collect_1(double *g, const uint32_t *column, const hsgd_lists *lists, size_t first, size_t count,
                           const double *r, values v)
{
    for (size_t l = first; l < first + count; l++)
        g[column[l]] += sum_list_1(lists, l, r, v, NEAR);
}

static void collect(double *g, const uint32_t *column, const hsgd_lists *lists, size_t first, size_t count,
                    const double *r, size_t width)
{
#define BODY_1(fours, v, i) collect_1(g, column, lists, first, count, r, v)
#define BODY(fours, v, i) collect_chunk(g + at, column, lists, first, count, r + at, width, fours, v)
    if (width == 1)
        WITH_WIDTH_1(BODY_1);
    else
        FOR_CHUNKS(at, fours)
    WITH_FOURS(BODY, fours);
#undef BODY
#undef BODY_1
}

HSGD_INLINE void scatter_chunk(double *g, const hsgd_lists *lists, const size_t *row, size_t first, size_t count,
                               const double *r, size_t width, size_t fours, values v, indices i)
{
    for (size_t s = 0; s < count; s++) {
        size_t list = row ? row[s] : first + s;
        piece own[MAX_PIECES];
        HSGD_UNROLL for (size_t k = 0; k < fours * PIECES_OF_FOUR; k++) own[k] = load_piece(r + s * width + k * PIECE);
        for (size_t e = lists->start[list]; e < lists->start[list + 1]; e++) {
            double *out = g + index_of(lists, e, i) * width, x = value_of(lists, e, v);
            HSGD_UNROLL for (size_t k = 0; k < fours * PIECES_OF_FOUR; k++)
                store_piece(out + k * PIECE, load_piece(out + k * PIECE) + x * own[k]);
        }
    }
}

HSGD_INLINE void scatter_1(double *g, const hsgd_lists *lists, const size_t *row, size_t first, size_t count,
                           const double *r, values v, indices i)
{
    for (size_t s = 0; s < count; s++) {
        size_t list = row ? row[s] : first + s;
        for (size_t e = lists->start[list]; e < lists->start[list + 1]; e++)
            g[index_of(lists, e, i)] += value_of(lists, e, v) * r[s];
    }
}

static void scatter(double *g, const hsgd_lists *lists, const size_t *row, size_t first, size_t count, const double *r,
                    size_t width)
{
#define BODY_1(fours, v, i) scatter_1(g, lists, row, first, count, r, v, i)
#define BODY(fours, v, i) scatter_chunk(g + at, lists, row, first, count, r + at, width, fours, v, i)
    if (width == 1)
        WITH_WIDTH_1(BODY_1);
    else
        FOR_CHUNKS(at, fours)
    WITH_FOURS(BODY, fours);
#undef BODY
#undef BODY_1
}

/* ---- transposes, four by four ---- */

/* The rows of a matrix of 4 x 4 become its columns. Only the first in_rows rows are there, the others count as zeros; only
 * the first out_rows columns are wanted. */
HSGD_INLINE void transpose(double *out, size_t out_stride, size_t out_rows, const double *in, size_t in_stride,
                           size_t in_rows)
{
#if HSGD_LANES == 2
    double block[4][4] = {{0}};
    for (size_t r = 0; r < in_rows; r++)
        memcpy(block[r], in + r * in_stride, sizeof block[r]);
    for (size_t c = 0; c < out_rows; c++)
        for (size_t r = 0; r < 4; r++)
            out[c * out_stride + r] = block[r][c];
#else
    __m256d row[4], low[2], high[2];
    HSGD_UNROLL for (size_t r = 0; r < 4; r++) row[r] =
        r < in_rows ? _mm256_loadu_pd(in + r * in_stride) : _mm256_setzero_pd();
    HSGD_UNROLL for (size_t r = 0; r < 2; r++)
    {
        low[r] = _mm256_unpacklo_pd(row[2 * r], row[2 * r + 1]);
        high[r] = _mm256_unpackhi_pd(row[2 * r], row[2 * r + 1]);
    }
    row[0] = _mm256_permute2f128_pd(low[0], low[1], 0x20);
    row[1] = _mm256_permute2f128_pd(high[0], high[1], 0x20);
    row[2] = _mm256_permute2f128_pd(low[0], low[1], 0x31);
    row[3] = _mm256_permute2f128_pd(high[0], high[1], 0x31);
    HSGD_UNROLL for (size_t r = 0; r < 4; r++) if (r < out_rows) _mm256_storeu_pd(out + r * out_stride, row[r]);
#endif
}

/* The same where fewer than four columns are there. */
static void transpose_edge(double *out, size_t out_stride, size_t out_rows, size_t out_columns, const double *in,
                           size_t in_stride, size_t in_rows)
{
    for (size_t r = 0; r < out_rows; r++)
        for (size_t c = 0; c < out_columns; c++)
            out[r * out_stride + c] = c < in_rows ? in[c * in_stride + r] : 0;
}

static size_t at_most_4(size_t n)
{
    return n < 4 ? n : 4;
}

static void widen(double *out, const double *w, size_t outputs, size_t p, size_t width)
{
    for (size_t f = 0; f < p; f += 4)
        for (size_t c = 0; c < width; c += 4) {
            size_t rows = c < outputs ? at_most_4(outputs - c) : 0;
            if (f + 4 <= p)
                transpose(out + f * width + c, width, 4, w + c * p + f, p, rows);
            else
                transpose_edge(out + f * width + c, width, p - f, 4, w + c * p + f, p, rows);
        }
}

static void narrow(double *out, const double *g, size_t outputs, size_t p, size_t width)
{
    for (size_t f = 0; f < p; f += 4)
        for (size_t c = 0; c < outputs; c += 4) {
            size_t rows = at_most_4(outputs - c);
            if (f + 4 <= p)
                transpose(out + c * p + f, p, rows, g + f * width + c, width, 4);
            else
                transpose_edge(out + c * p + f, p, rows, p - f, g + f * width + c, width, p - f);
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

/* Labels as numbers, for up to HSGD_LANES samples; 0 in the other lanes. */
HSGD_INLINE hsgd_vd load_labels(hsgd_labels labels, size_t first, size_t count)
{
    double lane[HSGD_LANES] = {0};
    if (!labels.row && count >= HSGD_LANES) {
        typedef uint32_t narrow_labels __attribute__((vector_size(4 * HSGD_LANES)));
        narrow_labels label;
        memcpy(&label, labels.label + first, sizeof label);
        return __builtin_convertvector(label, hsgd_vd);
    }
    for (size_t l = 0; l < HSGD_LANES && l < count; l++)
        lane[l] = label_of(labels, first + l);
    return hsgd_load(lane);
}

/* With margin = s z and tail = exp(-|margin|), which never overflows: loss log(1 + tail) - min(margin, 0), and d loss / dz
 * = -s tail/(1 + tail) where the margin is positive, -s/(1 + tail) where not. The scores become scale * residuals. */
HSGD_INLINE hsgd_vd logistic_of_lanes(hsgd_vd *z, hsgd_vd label, double scale, bool want_loss)
{
    hsgd_vd sign = 2.0 * label - 1.0, margin = sign * *z, tail = hsgd_exp(-hsgd_abs(margin));
    hsgd_vi right = margin > 0.0;
    *z = -sign * hsgd_select(right, tail, hsgd_splat(1)) / (1.0 + tail) * scale;
    return want_loss ? hsgd_select(right, hsgd_splat(0), -margin) + hsgd_log1p(tail) : tail;
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

static double softmax(double *z, hsgd_labels labels, size_t count, size_t outputs, size_t width, double scale,
                      double *loss, double *work)
{
    for (size_t i = 0; i < count; i += 8) {
        size_t here = count - i < 8 ? count - i : 8;
        double label[8] = {0};
        for (size_t l = 0; l < here; l++)
            label[l] = label_of(labels, i + l);
        for (size_t c = 0; c < outputs; c++)
            for (size_t l = 0; l < 8; l++)
                work[c * 8 + l] = l < here ? z[(i + l) * width + c] : 0;
        for (size_t k = 0; k < 8; k += HSGD_LANES) {
            hsgd_vd sum = softmax_of_lanes(work + k, hsgd_load(label + k), outputs, scale, loss);
            if (loss)
                hsgd_store(loss + i + k, sum);
        }
        for (size_t l = 0; l < here; l++)
            for (size_t c = 0; c < outputs; c++)
                z[(i + l) * width + c] = work[c * 8 + l];
    }
    return loss ? sum_losses(loss, count) : 0;
}

const hsgd_linear_model_kernels HSGD_ON_PATH(hsgd_linear_model_kernels) = {widen,   narrow,   scores, collect,
                                                                           scatter, logistic, softmax};
