/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first two bytes are the rows and columns that the picture of the other bytes is brought to. It is read twice, in this size
 * and as one pixel: new pixels cover equal parts of the picture, so that their mean is that pixel. What libjpeg objects to is
 * its way through the file; nothing else says how far the bytes got, for it is not compiled with counters. */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/image.h"

enum { SIDES = 24, COUNTERS = 512 };

#ifdef __clang__
__attribute__((section("__libfuzzer_extra_counters")))
#endif
static uint8_t way[COUNTERS];

static void count_way(const char *message)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *c = message; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619U;
    way[hash % COUNTERS] = 1;
}

static double mean_of(const uint8_t *value, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += value[i];
    return sum / (double)count;
}

/* Each side is rounded to a whole number, by half of one at most. */
static void check_means(const uint8_t *picture, size_t pixels, const uint8_t pixel[HSGD_IMAGE_CHANNELS])
{
    for (size_t c = 0; c < HSGD_IMAGE_CHANNELS; c++)
        fuzz_check(fabs(mean_of(picture + c * pixels, pixels) - pixel[c]) <= 1);
}

void fuzz_jpeg(const uint8_t *data, size_t size)
{
    hsgd_error err;
    uint8_t pixel[HSGD_IMAGE_CHANNELS];
    double bytes;
    if (size < 2 || !hsgd_image_is_there())
        return;
    size_t rows = data[0] % SIDES + 1U, columns = data[1] % SIDES + 1U;
    const char *path = fuzz_file(0, data + 2, size - 2);
    uint8_t *picture = malloc(HSGD_IMAGE_CHANNELS * rows * columns); /* to the byte: sanitizers see what lies beyond */
    fuzz_check(picture);
    if (fuzz_accepted(hsgd_image_read_jpeg(picture, path, rows, columns, &bytes, &err), &err)) {
        fuzz_check(hsgd_image_read_jpeg(pixel, path, 1, 1, NULL, &err) == HSGD_OK);
        fuzz_check(bytes == (double)size - 2 || (data[2] == 0x1f && bytes > 0)); /* compressed once more */
        check_means(picture, rows * columns, pixel);
    } else
        count_way(strrchr(err.message, ':') ? strrchr(err.message, ':') : err.message);
    free(picture);
}
