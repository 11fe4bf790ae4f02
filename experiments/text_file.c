/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/text_file_private.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "analysis/open_file.h"

hsgd_status hsgd_text_file_read(char **out, const char *path, hsgd_error *err)
{
    FILE *file;
    size_t size = 0;
    *out = NULL;
    hsgd_status status = hsgd_open_stream(&file, path, err);
    if (status)
        return status;
    errno = 0;
    bool read = getdelim(out, &size, '\0', file) >= 0; /* no text has a zero byte */
    int reason = errno;
    bool failed = ferror(file) != 0, more = read && !feof(file);
    fclose(file);
    if (failed)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", path, strerror(reason));
    if (more)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: has a zero byte, which no text has", path);
    return read ? HSGD_OK
                : hsgd_fail(err, reason == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT, "%s: %s", path,
                            reason ? strerror(reason) : "the file is empty");
}
