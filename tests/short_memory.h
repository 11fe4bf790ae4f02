/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions of the library whose allocations fail, one after the other: each has to say so, and to leave nothing behind. The
 * Makefile links these in the place of the allocator's, for the library's own calls (not those of GSL and others). */
#ifndef HSGD_TESTS_SHORT_MEMORY_H
#define HSGD_TESTS_SHORT_MEMORY_H

#include "tests/test.h"

#include <pthread.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
int __wrap_asprintf(char **out, const char *format, ...) HSGD_PRINTF(2, 3);
void __wrap_free(void *block);
int __wrap_fsync(int file);

enum { MOST_BLOCKS = 1 << 14 };

/* What was allocated since the watch began and is not freed yet. Blocks of other origin are freed as always. */
static struct {
    pthread_mutex_t lock;
    bool on, lasting, refused;
    unsigned long number, refuse_at; /* of the allocations since then, from 1 */
    size_t num_blocks;
    struct {
        const void *address;
        unsigned long number;
    } block[MOST_BLOCKS];
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_refused(void)
{
    pthread_mutex_lock(&watch.lock);
    bool refuse = false;
    if (watch.on) {
        watch.number++;
        refuse = watch.number == watch.refuse_at || (watch.lasting && watch.number > watch.refuse_at);
        watch.refused |= refuse;
    }
    pthread_mutex_unlock(&watch.lock);
    return refuse;
}

static void *note(void *block)
{
    pthread_mutex_lock(&watch.lock);
    if (watch.on && block && watch.num_blocks < MOST_BLOCKS) {
        watch.block[watch.num_blocks].address = block;
        watch.block[watch.num_blocks++].number = watch.number;
    }
    pthread_mutex_unlock(&watch.lock);
    return block;
}

/* Mostly one of the last. */
static void forget(const void *block)
{
    pthread_mutex_lock(&watch.lock);
    for (size_t i = watch.on ? watch.num_blocks : 0; i-- > 0;)
        if (watch.block[i].address == block) {
            watch.block[i] = watch.block[--watch.num_blocks];
            break;
        }
    pthread_mutex_unlock(&watch.lock);
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : note(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : note(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (is_refused())
        return NULL;
    forget(old);
    return note(__real_realloc(old, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_refused() ? NULL : note(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text)
{
    return is_refused() ? NULL : note(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t length)
{
    return is_refused() ? NULL : note(__real_strndup(text, length));
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    if (is_refused())
        return -1;
    va_start(arguments, format);
    int length = vasprintf(out, format, arguments);
    va_end(arguments);
    if (length >= 0)
        note(*out);
    return length;
}

void __wrap_free(void *block)
{
    forget(block);
    __real_free(block);
}

/* The disk would take most of the time. */
int __wrap_fsync(int file)
{
    (void)file;
    return 0;
}

/* ---- the loop ---- */

/* Everything from opening to freeing; what is reported is the first failure. */
typedef hsgd_status (*lifetime)(hsgd_error *err);

static inline hsgd_status watch_one(lifetime of, unsigned long refuse_at, bool lasting, hsgd_error *err)
{
    *err = (hsgd_error){0};
    watch.number = watch.num_blocks = 0;
    watch.refused = false;
    watch.refuse_at = refuse_at;
    watch.lasting = lasting;
    watch.on = true;
    hsgd_status status = of(err);
    watch.on = false;
    return status;
}

/* Refuse the first allocation, the second one and so on, and with `lasting` all that follow, until one run needs no more. How many
 * runs did without what they were refused is told. */
static inline unsigned long refuse_each(lifetime of, bool lasting)
{
    hsgd_error err;
    unsigned long did_without = 0;
    assert_ok(of(&err), err); /* what is made once and kept is not a leak */
    for (unsigned long at = 1;; at++) {
        hsgd_status status = watch_one(of, at, lasting, &err);
        if (watch.num_blocks)
            fail_msg("allocation %lu refused: %zu blocks are left, the first from allocation %lu", at, watch.num_blocks,
                     watch.block[0].number);
        if (!watch.refused) {
            assert_ok(status, err);
            return did_without;
        }
        if (status == HSGD_OK)
            did_without++;
        else if ((status != HSGD_ERROR_MEMORY &&
                  status != HSGD_ERROR_ENVIRONMENT) || /* the latter: a stream's ENOMEM */
                 !strstr(err.message, "memory") ||
                 strchr(err.message, '\n'))
            fail_msg("allocation %lu refused: status %d, \"%s\"", at, (int)status, err.message);
    }
}

/* Either way; so many allocations, counted over both, may be done without. */
static inline void check_lifetime(lifetime of, unsigned long done_without)
{
    assert_int_equal(refuse_each(of, false) + refuse_each(of, true), done_without);
}

#endif
