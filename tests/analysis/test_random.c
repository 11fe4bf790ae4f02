/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layout against Random123's published known answers (kat_vectors, philox 4x32 10), the distributions against GSL's
 * distribution functions. Seeds are fixed; each statistical check states how often a perfect generator would fail it.
 */
#include "tests/test.h"
#include "tests/analysis/paths.h"

#include <Random123/philox.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>

#include "analysis/random.h"
#include "analysis/random_private.h"

enum { TOP = 8 * sizeof(size_t) - 1 }; /* the highest bit of a size */
/* Of two indices each, that a size can name: beyond all blocks, or half of them where sizes have 32 bits. */
static const size_t LAST_BLOCK = SIZE_MAX / 2;

/* False-alarm probability of one statistical check, both sides together; fewer than 50 are made here, so 5e-8 over the
 * whole file (sums are normal by the central limit theorem). */
static const double ALARM = 1e-9;

static const hsgd_stream ugly = {0x9e3779b97f4a7c15, HSGD_PURPOSE_NOISE, 40507, 0x00123456789abcde};

/* z would be standard normal. */
#define assert_standard_normal(z) assert_at_most(fabs(z), gsl_cdf_ugaussian_Qinv(ALARM / 2), 0)

/* Pearson's statistic of counts that should all be equal. */
static void check_equal_cells(const size_t *count, size_t cells, size_t draws, int line)
{
    double expected = (double)draws / (double)cells, chi_sq = 0;
    for (size_t c = 0; c < cells; c++)
        chi_sq += ((double)count[c] - expected) * ((double)count[c] - expected) / expected;
    double p = gsl_cdf_chisq_Q(chi_sq, (double)(cells - 1));
    if (p > ALARM / 2 && p < 1 - ALARM / 2)
        return;
    print_error("chi-square %g with %zu cells: p = %g\n", chi_sq, cells, p);
    _fail(__FILE__, line);
}
#define assert_equal_cells(count, cells, draws) check_equal_cells((count), (cells), (draws), __LINE__)

/* ---- the layout ---- */

/* With bound 2^63 an index is the 64-bit word shifted right once, so the published words can be read off:
 * counter = (first/2, step low, worker, purpose << 24 | step bits 32..55), key = (seed low, seed high). */
static void known_answers_of_random123(void **state)
{
    (void)state;
    const struct {
        uint32_t block;
        hsgd_stream stream;
        uint64_t word[2];
    } known[] = {
        {0, {0, (hsgd_purpose)0, 0, 0}, {0x6627e8d5e169c58d, 0xbc57ac4c9b00dbd8}},
        {0xffffffff,
         {UINT64_MAX, (hsgd_purpose)255, UINT32_MAX, 0x00ffffffffffffff},
         {0x408f276d41c83b0e, 0xa20bc7c66d5451fd}},
        {0x243f6a88,
         {0x299f31d0a4093822, (hsgd_purpose)3, 0x13198a2e, 0x0070734485a308d3},
         {0xd16cfe0994fdcceb, 0x5001e42024126ea1}},
    };
    for_each_path(path)
    {
        for (size_t i = 0; i < 3; i++) {
            size_t index[2];
            if (known[i].block > LAST_BLOCK)
                continue;
            hsgd_uniform_indices(&known[i].stream, 2 * (size_t)known[i].block, (size_t)1 << TOP, index, 2);
            assert_int_equal(index[0], known[i].word[0] >> (64 - TOP));
            assert_int_equal(index[1], known[i].word[1] >> (64 - TOP));
        }
    }
}

/* Block `block` of a stream, by Random123 itself. */
static philox4x32_ctr_t words_of(const hsgd_stream *s, uint32_t block)
{
    philox4x32_key_t key = {{(uint32_t)(s->seed & 0xffffffff), (uint32_t)(s->seed >> 32)}};
    uint32_t high = (uint32_t)s->purpose * 16777216u + (uint32_t)(s->step >> 32);
    philox4x32_ctr_t counter = {{block, (uint32_t)(s->step & 0xffffffff), s->worker, high}};
    return philox4x32(counter, key);
}

/* Every lane of every path; the block number wraps after 2^32 blocks. */
static void words_are_those_of_random123(void **state)
{
    (void)state;
    enum { BLOCKS = 70 };
    const uint32_t first[] = {0, 1, 12345, UINT32_MAX - 2, UINT32_MAX - 40};
    for_each_path(path)
    {
        for (size_t f = 0; f < 5; f++) {
            size_t index[2 * BLOCKS];
            if (first[f] > LAST_BLOCK)
                continue;
            hsgd_uniform_indices(&ugly, 2 * (size_t)first[f], (size_t)1 << TOP, index, 2 * BLOCKS);
            for (uint32_t b = 0; b < BLOCKS; b++) {
                philox4x32_ctr_t w = words_of(&ugly, first[f] + b);
                assert_int_equal(index[2 * b], ((uint64_t)w.v[0] << 32 | w.v[1]) >> (64 - TOP));
                assert_int_equal(index[2 * b + 1], ((uint64_t)w.v[2] << 32 | w.v[3]) >> (64 - TOP));
            }
        }
    }
}

static void generator_hands_out_the_words_in_order(void **state)
{
    (void)state;
    gsl_rng *rng = hsgd_stream_rng(&ugly), *other = hsgd_stream_rng(&ugly);
    assert_non_null(rng);
    assert_int_equal(gsl_rng_min(rng), 0);
    assert_int_equal(gsl_rng_max(rng), 0xffffffffUL);
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(gsl_rng_get(rng), words_of(&ugly, i / 4).v[i % 4]);
        assert_close(gsl_rng_uniform(other), words_of(&ugly, i / 4).v[i % 4] / 4294967296.0, 0); /* no shared state */
    }
    gsl_rng_free(rng);
    gsl_rng_free(other);
}

/* The pair of two words, word for word as analysis/random_private.h defines it, in long double. Returns the radius. */
static long double box_muller(uint32_t v, uint32_t w, long double pair[2])
{
    long double radius = sqrtl(-2 * logl((v + 0.5L) / 4294967296.0L));
    long double angle = acosl(-1) / 2 * (((w - w % 4) + 2) / 4294967296.0L - 0.5L), sign = w & 1 ? -1 : 1;
    pair[w & 2 ? 1 : 0] = sign * radius * cosl(angle);
    pair[w & 2 ? 0 : 1] = sign * radius * sinl(angle);
    return radius;
}

/* The largest error of a block's four normals over its pair's radius: words 0, 1 give normals 0, 1 and words 2, 3 give
 * 2, 3. Promised: 1.5e-13. */
static double box_muller_error(const double out[4], const uint32_t word[4], double deviation)
{
    long double worst = 0;
    for (int p = 0; p < 4; p += 2) {
        long double want[2], radius = box_muller(word[p], word[p + 1], want);
        for (int i = 0; i < 2; i++) {
            long double error = fabsl(out[p + i] - deviation * want[i]) / (deviation * radius);
            worst = error <= worst ? worst : error; /* NaN stays */
        }
    }
    return (double)worst;
}

static void normals_are_box_muller_of_the_words(void **state)
{
    (void)state;
    enum { COUNT = 400000 };
    double *out = malloc(COUNT * sizeof *out);
    for_each_path(path)
    {
        double worst = 0;
        hsgd_normals(&ugly, 2.385, out, COUNT);
        for (uint32_t b = 0; b < COUNT / 4; b++)
            worst = fmax(worst, box_muller_error(out + 4 * b, words_of(&ugly, b).v, 2.385));
        if (getenv("HSGD_TEST_VERBOSE"))
            print_message("normals, %s: %.3g of the radius\n", path_name[path], worst);
        assert_at_most(worst, 1.5e-13, 0);
    }
    free(out);
}

/* Words where something changes: the ends, and where 3/4 2^k is passed; beside them, words in arithmetic progression. */
static void fill_hard_words(uint32_t *word, size_t count)
{
    size_t n = 0;
    for (uint32_t k = 0; k < 32; k++)
        for (uint32_t d = 0; d < 5; d++) {
            word[n++] = ((uint32_t)1 << k) + d - 2;
            word[n++] = ((uint32_t)3 << 30 >> k) + d - 2;
        }
    for (; n < count; n++)
        word[n] = (uint32_t)n * 2654435769u;
}

static void hard_words_give_accurate_normals(void **state)
{
    (void)state;
    enum { WORDS = 1200 };
    uint32_t word[WORDS];
    fill_hard_words(word, WORDS);
    for_each_path(path)
    {
        double worst = 0;
        for (size_t i = 0; i < WORDS; i++)
            for (size_t j = 0; j < WORDS; j += 16) {
                uint32_t words[8][4];
                double out[32];
                for (size_t n = 0; n < 16; n++) {
                    words[n / 2][n % 2 * 2] = word[i];
                    words[n / 2][n % 2 * 2 + 1] = word[j + n];
                }
                HSGD_PICK_PATH(hsgd_random_kernels)->normals_of_words((const uint32_t(*)[4])words, out);
                for (size_t b = 0; b < 8; b++)
                    worst = fmax(worst, box_muller_error(out + 4 * b, words[b], 1));
            }
        if (getenv("HSGD_TEST_VERBOSE"))
            print_message("hard words, %s: %.3g of the radius\n", path_name[path], worst);
        assert_at_most(worst, 1.5e-13, 0);
    }
}

/* Bit 0 of the angle word is the sign, bit 1 swaps, and its other bits mirrored change the sign of the sine: to the bit,
 * so that odd moments vanish over all words. */
static void pairs_are_symmetric(void **state)
{
    (void)state;
    for_each_path(path)
    {
        for (uint32_t i = 0; i < 4000; i++) {
            uint32_t v = i * 2654435769u, w = i * 2246822519u & 0xfffffffc, words[8][4] = {{0}};
            const uint32_t angle[] = {w, w | 1, w | 2, w | 3, w ^ 0xfffffffc};
            double out[32];
            for (size_t b = 0; b < 5; b++) {
                words[b][0] = v;
                words[b][1] = angle[b];
            }
            HSGD_PICK_PATH(hsgd_random_kernels)->normals_of_words((const uint32_t(*)[4])words, out);
            double x = out[0], y = out[1];
            assert_true(x > fabs(y));
            assert_true(out[4] == -x && out[5] == -y);
            assert_true(out[8] == y && out[9] == x);
            assert_true(out[12] == -y && out[13] == -x);
            assert_true(out[16] == x && out[17] == -y);
        }
    }
}

/* The bits of 100,003 normals, FNV-1a over their bytes from the lowest; gcc 12 and clang 14 agreed on it with -O0 to -O3
 * on all paths. Every result of the project hangs on these bits: a new value here is a new version of all numbers. */
static void normals_never_change(void **state)
{
    (void)state;
    enum { COUNT = 100003 };
    double *out = malloc(COUNT * sizeof *out);
    for_each_path(path)
    {
        uint64_t hash = 0xcbf29ce484222325;
        hsgd_normals(&ugly, 1, out, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t bits;
            memcpy(&bits, &out[i], sizeof bits);
            for (int byte = 0; byte < 8; byte++)
                hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3;
        }
        assert_true(hash == 0xfc6736d03168b722);
    }
    free(out);
}

/* All counts up to several vectors of the widest path, at all places relative to a cache line. */
static void the_same_bits_on_every_path(void **state)
{
    (void)state;
    enum { MOST = 150, LONG = 100003, GUARD = 24 };
    double *portable = malloc(LONG * sizeof *portable), *all = malloc(LONG * sizeof *all), out[MOST + GUARD];
    size_t *portable_index = malloc(LONG * sizeof *portable_index), *all_index = malloc(LONG * sizeof *all_index);
    size_t index[MOST + GUARD];
    const size_t bound = SIZE_MAX / 3 - 977;
    for_each_path(path)
    {
        bool first_path = path == HSGD_PATH_PORTABLE;
        hsgd_normals(&ugly, 1.3, first_path ? portable : all, LONG);
        hsgd_uniform_indices(&ugly, 6, bound, first_path ? portable_index : all_index, LONG);
        if (!first_path) {
            assert_memory_equal(all, portable, LONG * sizeof *all);
            assert_memory_equal(all_index, portable_index, LONG * sizeof *all_index);
        }
        for (size_t count = 0; count <= MOST; count++) {
            size_t at = count % 9;
            memset(out, 0xee, sizeof out);
            memset(index, 0xee, sizeof index);
            hsgd_normals(&ugly, 1.3, out + at, count);
            hsgd_uniform_indices(&ugly, 6, bound, index + at, count);
            assert_memory_equal(out + at, portable, count * sizeof *out);
            assert_memory_equal(index + at, portable_index, count * sizeof *index);
            for (size_t i = 0; i < MOST + GUARD; i++)
                if (i < at || i >= at + count) { /* nothing written beside them */
                    assert_memory_equal(out + i, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
                    assert_memory_equal(index + i, "\xee\xee\xee\xee\xee\xee\xee\xee", sizeof *index);
                }
        }
    }
    free(portable);
    free(all);
    free(portable_index);
    free(all_index);
}

static void check_rows(hsgd_stream first, size_t workers, size_t dim)
{
    enum { MOST = 300 };
    double *rows = malloc((workers * dim + 1) * sizeof *rows), row[MOST];
    assert_true(rows && dim <= MOST);
    rows[workers * dim] = -99.5;
    hsgd_worker_normals(&first, workers, 0.31, rows, dim);
    assert_true(rows[workers * dim] == -99.5);
    for (size_t w = 0; w < workers; w++, first.worker++) {
        hsgd_normals(&first, 0.31, row, dim);
        assert_memory_equal(rows + w * dim, row, dim * sizeof *row);
    }
    free(rows);
}

/* Rows of many workers in one call: those of one call per worker, on every path; worker numbers wrap like any uint32_t.
 * The last ones fill the buffer that is used where rows end within a block: more than once, or not at all. */
static void rows_of_workers_are_their_streams(void **state)
{
    (void)state;
    const size_t long_dim[] = {1, 2, 3, 7, 99, 101, 251, 252, 253, 255, 256, 257, 299};
    for_each_path(path)
    {
        for (size_t dim = 0; dim <= 70; dim++)
            for (size_t workers = 0; workers <= 13; workers += 1 + dim % 3)
                check_rows((hsgd_stream){77, HSGD_PURPOSE_NOISE, dim % 2 ? UINT32_MAX - 2 : 5, 12}, workers, dim);
        for (size_t i = 0; i < sizeof long_dim / sizeof *long_dim; i++)
            for (size_t workers = 2; workers < 700; workers = 5 * workers / 2)
                check_rows((hsgd_stream){31, HSGD_PURPOSE_NOISE, UINT32_MAX - 20, 4}, workers, long_dim[i]);
    }
}

/* Every bit of every field matters, and no two of the streams share a word. */
static void every_bit_of_the_stream_counts(void **state)
{
    (void)state;
    enum { STREAMS = 1 + 64 + 32 + 56 + 8 };
    hsgd_stream s[STREAMS];
    double word[2 * STREAMS];
    size_t n = 0;
    s[n++] = ugly;
    for (int bit = 0; bit < 64; bit++, n++) {
        s[n] = ugly;
        s[n].seed ^= (uint64_t)1 << bit;
    }
    for (int bit = 0; bit < 32; bit++, n++) {
        s[n] = ugly;
        s[n].worker ^= (uint32_t)1 << bit;
    }
    for (int bit = 0; bit < 56; bit++, n++) {
        s[n] = ugly;
        s[n].step ^= (uint64_t)1 << bit;
    }
    for (int bit = 0; bit < 8; bit++, n++) {
        s[n] = ugly;
        s[n].purpose = (hsgd_purpose)((unsigned)s[n].purpose ^ 1u << bit);
    }
    for (size_t i = 0; i < n; i++) {
        word[2 * i] = (double)hsgd_uniform_53_bits(&s[i], 0);
        word[2 * i + 1] = (double)hsgd_uniform_53_bits(&s[i], 1);
    }
    gsl_sort(word, 1, 2 * n);
    for (size_t i = 1; i < 2 * n; i++) /* a collision by chance: 322^2/2 / 2^53 = 6e-12 */
        assert_true(word[i] > word[i - 1]);
}

/* ---- normals ---- */

static void a_count_is_a_prefix_of_a_longer_one(void **state)
{
    (void)state;
    double longest[20], out[20];
    hsgd_normals(&ugly, 0.7, longest, 20);
    for (size_t count = 0; count < 20; count++) {
        for (size_t i = 0; i < 20; i++)
            out[i] = -99.5;
        hsgd_normals(&ugly, 0.7, out, count);
        assert_memory_equal(out, longest, count * sizeof *out);
        for (size_t i = count; i < 20; i++)
            assert_true(out[i] == -99.5); /* nothing written past the end */
    }
}

/* 2000 streams of 501 numbers: mean 0, variance 1, third moment 0, fourth 3, with variances 1, 2, 15 and 96 per number;
 * then the whole distribution. P(sup |F_n - F| > e) <= 2 exp(-2 n e^2) for every n (Massart 1990). */
static void normals_are_normal(void **state)
{
    (void)state;
    enum { STREAMS = 2000, EACH = 501, ALL = STREAMS * EACH };
    double *x = malloc(ALL * sizeof *x), power[5] = {0}, largest = 0;
    for (uint32_t i = 0; i < STREAMS; i++) {
        hsgd_stream s = {1234567, HSGD_PURPOSE_NOISE, i % 40, i / 40};
        hsgd_normals(&s, 1, x + i * EACH, EACH);
    }
    for (size_t i = 0; i < ALL; i++)
        for (int k = 1; k <= 4; k++)
            power[k] += pow(x[i], k);
    assert_standard_normal(power[1] / sqrt(ALL));
    assert_standard_normal((power[2] - ALL) / sqrt(2.0 * ALL));
    assert_standard_normal(power[3] / sqrt(15.0 * ALL));
    assert_standard_normal((power[4] - 3.0 * ALL) / sqrt(96.0 * ALL));
    gsl_sort(x, 1, ALL);
    for (size_t i = 0; i < ALL; i++) {
        double f = gsl_cdf_ugaussian_P(x[i]);
        largest = fmax(largest, fmax((double)(i + 1) / ALL - f, f - (double)i / ALL));
    }
    assert_at_most(largest, sqrt(log(2 / ALARM) / (2.0 * ALL)), 0);
    /* the tails: beyond 4 standard deviations 6.3e-5 of the numbers, Poisson with mean 63.5 */
    unsigned far = 0;
    for (size_t i = 0; i < ALL; i++)
        far += fabs(x[i]) > 4;
    double mean = ALL * 2 * gsl_cdf_ugaussian_Q(4);
    assert_true(gsl_cdf_poisson_P(far, mean) > ALARM / 2 && gsl_cdf_poisson_Q(far, mean) > ALARM / 2);
    free(x);
}

/* Even moments up to the sixth, and products of the two members x, y of a pair. Variances per number or pair, from
 * E x^2k = (2k - 1)!!: x^2: 3 - 1, x^4: 105 - 9, x^6: 10395 - 225; xy: 1, x^3 y: 15, x^2 y^2: 9 - 1, x^4 y^2: 105 3 - 9. */
static void moments_of_pairs(void **state)
{
    (void)state;
    enum { ALL = 1000000, PAIRS = ALL / 2 };
    double *x = malloc(ALL * sizeof *x), even[3] = {0}, mixed[4] = {0};
    hsgd_normals(&ugly, 1, x, ALL);
    for (size_t i = 0; i < ALL; i++) {
        double sq = x[i] * x[i];
        even[0] += sq - 1;
        even[1] += sq * sq - 3;
        even[2] += sq * sq * sq - 15;
    }
    for (size_t i = 0; i < ALL; i += 2) {
        double y = x[i + 1], sq = x[i] * x[i];
        mixed[0] += x[i] * y;
        mixed[1] += sq * x[i] * y;
        mixed[2] += sq * y * y - 1;
        mixed[3] += sq * sq * y * y - 3;
    }
    const double even_var[] = {2, 96, 10170}, mixed_var[] = {1, 15, 8, 306};
    for (int k = 0; k < 3; k++)
        assert_standard_normal(even[k] / sqrt(even_var[k] * ALL));
    for (int k = 0; k < 4; k++)
        assert_standard_normal(mixed[k] / sqrt(mixed_var[k] * PAIRS));
    free(x);
}

/* Streams that differ in one field only are uncorrelated, numbers and squares: n products of independent standard
 * normals have variance n, and those of (x^2 - 1)/sqrt(2) too. */
static void streams_are_uncorrelated(void **state)
{
    (void)state;
    enum { PAIRS = 400, EACH = 250, ALL = PAIRS * EACH };
    const hsgd_stream step[] = {
        {0, 0, 0, 1}, {0, 0, 1, 0}, {1, 0, 0, 0}, {0, 0, 0, (uint64_t)1 << 32}, {(uint64_t)1 << 32, 0, 0, 0},
        {0, 1, 0, 0}};
    for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
        double product = 0, square = 0, neighbour = 0, x[EACH], y[EACH];
        for (uint32_t r = 0; r < PAIRS; r++) {
            hsgd_stream a = {77, HSGD_PURPOSE_NOISE, 3 + 7 * r, 5 + 1000 * (uint64_t)r}, b = a;
            b.seed += step[i].seed;
            b.worker += step[i].worker;
            b.step += step[i].step;
            b.purpose = step[i].purpose ? HSGD_PURPOSE_PROBLEM : a.purpose;
            hsgd_normals(&a, 1, x, EACH);
            hsgd_normals(&b, 1, y, EACH);
            for (size_t k = 0; k < EACH; k++) {
                product += x[k] * y[k];
                square += (x[k] * x[k] - 1) * (y[k] * y[k] - 1) / 2;
                neighbour += x[k] * x[(k + 1) % EACH];
            }
        }
        assert_standard_normal(product / sqrt(ALL));
        assert_standard_normal(square / sqrt(ALL));
        assert_standard_normal(neighbour / sqrt(ALL));
    }
}

/* ---- indices ---- */

static void indices_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    size_t *index = malloc(DRAWS * sizeof *index), count[1000], pair[49];
    const size_t bounds[] = {1, 2, 3, 7, 10, 64, 97, 1000};
    for (size_t b = 0; b < 8; b++) {
        size_t bound = bounds[b];
        hsgd_stream s = {31, HSGD_PURPOSE_BATCH, 17, b};
        hsgd_uniform_indices(&s, 0, bound, index, DRAWS);
        memset(count, 0, sizeof count);
        memset(pair, 0, sizeof pair);
        for (size_t i = 0; i < DRAWS; i++) {
            assert_true(index[i] < bound);
            count[index[i]]++;
            if (bound == 7 && i % 2)
                pair[7 * index[i - 1] + index[i]]++;
        }
        if (bound > 1)
            assert_equal_cells(count, bound, DRAWS);
        if (bound == 7)
            assert_equal_cells(pair, 49, DRAWS / 2);
    }
    free(index);
}

/* Bounds near 2^64, where a remainder would favour the low half: with 3 * 2^62, by 2 to 1. */
static void indices_of_large_bounds(void **state)
{
    (void)state;
    enum { DRAWS = 60000, CELLS = 12 };
    static size_t index[DRAWS];
    const size_t bounds[] = {SIZE_MAX / 4 * 3, SIZE_MAX, ((size_t)1 << (TOP + 1) / 2) + 12345, ((size_t)1 << TOP) + 77};
    for (size_t b = 0; b < 4; b++) {
        size_t count[CELLS] = {0};
        hsgd_stream s = {8, HSGD_PURPOSE_PARTITION, 0, 4 + b};
        hsgd_uniform_indices(&s, 0, bounds[b], index, DRAWS);
        for (size_t i = 0; i < DRAWS; i++) {
            assert_true(index[i] < bounds[b]);
            size_t cell = (size_t)((double)index[i] / (double)bounds[b] * CELLS);
            count[cell < CELLS ? cell : CELLS - 1]++;
        }
        assert_equal_cells(count, CELLS, DRAWS);
    }
}

/* word times bound over 2^64: by the compiler's 128-bit product where it has one, else bound is below 2^32. */
static size_t high_half(uint64_t word, size_t bound)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    return (size_t)((wide)word * bound >> 64);
#else
    return (size_t)(((word >> 32) * bound + ((word & 0xffffffff) * bound >> 32)) >> 32);
#endif
}

static void indices_are_the_high_half_of_a_product(void **state)
{
    (void)state;
    const size_t bounds[] = {1,
                             2,
                             1000,
                             0xffffffff,
                             (size_t)1 << (TOP + 1) / 2,
                             SIZE_MAX,
                             0x80000001,
                             SIZE_MAX - 999,
                             (size_t)0xffffffff00000001,
                             (size_t)0x123456789abcdef};
    for_each_path(path)
    {
        for (size_t b = 0; b < 10; b++) {
            size_t index[2000];
            hsgd_uniform_indices(&ugly, 0, bounds[b], index, 2000);
            for (uint32_t i = 0; i < 2000; i++) {
                philox4x32_ctr_t w = words_of(&ugly, i / 2);
                uint64_t word = (uint64_t)w.v[i % 2 * 2] << 32 | w.v[i % 2 * 2 + 1];
                assert_true(index[i] == high_half(word, bounds[b]));
            }
        }
    }
}

/* Also where a size_t has 32 bits. */
static void fifty_three_bits_are_the_high_ones_of_a_word(void **state)
{
    (void)state;
    size_t high[100], all[100];
    hsgd_uniform_indices(&ugly, 0, (size_t)1 << 21, high, 100);
    hsgd_uniform_indices(&ugly, 0, SIZE_MAX / 2048 + 1, all, 100);
    for (size_t i = 0; i < 100; i++) {
        uint64_t bits = hsgd_uniform_53_bits(&ugly, i);
        assert_true(bits >> 53 == 0);
        assert_true(bits >> 32 == high[i]);
        assert_true(bits == all[i] || TOP < 63);
    }
}

static void first_continues_the_same_sequence(void **state)
{
    (void)state;
    size_t all[301], part[301];
    hsgd_uniform_indices(&ugly, 0, 12345, all, 301);
    for (size_t first = 0; first < 300; first += 2)
        for (size_t count = 0; count <= 301 - first; count += 1 + first % 7) {
            memset(part, 0xee, sizeof part);
            hsgd_uniform_indices(&ugly, first, 12345, part, count);
            assert_memory_equal(part, all + first, count * sizeof *part);
            if (count < 301)
                assert_true(part[count] == (size_t)0xeeeeeeeeeeeeeeee);
        }
}

/* ---- GSL's distributions on top ---- */

static void generator_serves_gsl_distributions(void **state)
{
    (void)state;
    enum { DRAWS = 100000 };
    gsl_rng *rng = hsgd_stream_rng(&(hsgd_stream){99, HSGD_PURPOSE_USER, 3, 14});
    static double u[DRAWS], g[DRAWS];
    size_t order_count[24] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        u[i] = gsl_rng_uniform(rng);
        g[i] = gsl_ran_gamma(rng, 0.37, 2.2);
        int a[4] = {0, 1, 2, 3};
        gsl_ran_shuffle(rng, a, 4, sizeof *a);
        size_t code = (size_t)a[0] * 6; /* Lehmer code */
        code += (size_t)(a[1] - (a[1] > a[0])) * 2 + (a[2] > a[3]);
        order_count[code]++;
    }
    gsl_sort(u, 1, DRAWS);
    gsl_sort(g, 1, DRAWS);
    double far_u = 0, far_g = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        double middle = ((double)i + 0.5) / DRAWS;
        far_u = fmax(far_u, fabs(u[i] - middle));
        far_g = fmax(far_g, fabs(gsl_cdf_gamma_P(g[i], 0.37, 2.2) - middle));
    }
    double allowed = sqrt(log(2 / ALARM) / (2.0 * DRAWS)); /* Massart 1990, as above */
    assert_at_most(far_u, allowed, 0);
    assert_at_most(far_g, allowed, 0);
    assert_equal_cells(order_count, 24, DRAWS);
    gsl_rng_free(rng);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_of_random123),
        cmocka_unit_test(generator_hands_out_the_words_in_order),
        cmocka_unit_test(words_are_those_of_random123),
        cmocka_unit_test(normals_are_box_muller_of_the_words),
        cmocka_unit_test(hard_words_give_accurate_normals),
        cmocka_unit_test(pairs_are_symmetric),
        cmocka_unit_test(normals_never_change),
        cmocka_unit_test(the_same_bits_on_every_path),
        cmocka_unit_test(rows_of_workers_are_their_streams),
        cmocka_unit_test(every_bit_of_the_stream_counts),
        cmocka_unit_test(a_count_is_a_prefix_of_a_longer_one),
        cmocka_unit_test(moments_of_pairs),
        cmocka_unit_test(normals_are_normal),
        cmocka_unit_test(streams_are_uncorrelated),
        cmocka_unit_test(indices_are_uniform),
        cmocka_unit_test(indices_of_large_bounds),
        cmocka_unit_test(indices_are_the_high_half_of_a_product),
        cmocka_unit_test(fifty_three_bits_are_the_high_ones_of_a_word),
        cmocka_unit_test(first_continues_the_same_sequence),
        cmocka_unit_test(generator_serves_gsl_distributions),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
