/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/checksum.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "analysis/open_file.h"

enum { PIECE = 1 << 18 }; /* a larger one leaves the second level of the caches */

struct hsgd_checksum {
    struct sha256_ctx state;
    uint8_t piece[PIECE];
};

hsgd_checksum *hsgd_checksum_alloc(void)
{
    hsgd_checksum *checksum = malloc(sizeof *checksum);
    if (checksum)
        sha256_init(&checksum->state);
    return checksum;
}

void hsgd_checksum_free(hsgd_checksum *checksum)
{
    free(checksum);
}

void hsgd_checksum_add(hsgd_checksum *checksum, const void *data, size_t size)
{
    sha256_update(&checksum->state, size, data);
}

hsgd_status hsgd_checksum_add_file(hsgd_checksum *checksum, const char *path, double *bytes, hsgd_error *err)
{
    int file;
    hsgd_status status = hsgd_open_file(&file, path, err);
    if (status)
        return status;
    ssize_t got;
    double sum = 0;
    while ((got = read(file, checksum->piece, PIECE)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0) {
            hsgd_checksum_add(checksum, checksum->piece, (size_t)got);
            sum += (double)got;
        }
    int reason = got < 0 ? errno : 0;
    close(file);
    if (bytes)
        *bytes = sum;
    return reason ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", path, strerror(reason)) : HSGD_OK;
}

void hsgd_checksum_finish(hsgd_checksum *checksum, char out[HSGD_CHECKSUM_SIZE])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&checksum->state, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}
