/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How functions report that they could not do their job.
 *
 * A function that can fail returns an hsgd_status and takes, as its last argument, an hsgd_error that the caller owns
 * and that may be NULL. Nothing is global, so calls in different threads do not disturb each other. An outcome of the
 * mathematics (a diverged run, a violated bound) is not an error: it is data in the result. */
#ifndef HSGD_ANALYSIS_ERROR_H
#define HSGD_ANALYSIS_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_status {
    HSGD_OK = 0,
    HSGD_ERROR_INPUT,  /* an argument, a configuration or a data file is not legal; the message says what would be */
    HSGD_ERROR_MEMORY, /* an allocation failed */
    HSGD_ERROR_ENVIRONMENT, /* the disk, an external program or the system refused */
    HSGD_ERROR_NUMERIC,     /* a library routine did not converge or left its domain */
    HSGD_STOPPED            /* the caller asked to stop before the end */
} hsgd_status;

enum { HSGD_MESSAGE_SIZE = 1024 };

typedef struct hsgd_error {
    hsgd_status status;
    char message[HSGD_MESSAGE_SIZE]; /* one line, without a final newline; control characters are shown as '?', and
                                        the middle of what is too long as "..." */
} hsgd_error;

#if defined(__GNUC__)
#define HSGD_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#else
#define HSGD_PRINTF(format_index, first_argument)
#endif

/* Record a failure in err (may be NULL) and return status, so that a failure site is one line. */
hsgd_status hsgd_fail(hsgd_error *err, hsgd_status status, const char *format, ...) HSGD_PRINTF(3, 4);

/* The usual failure of an allocation; what names the thing that did not fit. */
hsgd_status hsgd_fail_memory(hsgd_error *err, const char *what);

/* Put the formatted text in front of the message of err (may be NULL): callers add the file and the place. */
void hsgd_error_prefix(hsgd_error *err, const char *format, ...) HSGD_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
