/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cJSON drops what it cannot allocate without a word; a result with holes is worse than none. GMP aborts. C++ throws what C
 * cannot catch (muParser). OpenMP and OpenBLAS say it in a line of their own and end the program with 1, which is our word
 * for a check that is violated. */
#include "experiments/out_of_memory_private.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <gmp.h>

#include "experiments/cli.h"
#include "plots/output.h"

_Noreturn void hsgd_out_of_memory(const char *what)
{
    fprintf(stderr, "hsgd: out of memory for %s\n", what);
    hsgd_output_abandon_all();
    exit(HSGD_EXIT_ENVIRONMENT);
}

/* ---- cJSON ---- */

static void *allocate_json(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        hsgd_out_of_memory("a JSON document");
    return memory;
}

/* ---- GMP ---- */

static void *allocate_number(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        hsgd_out_of_memory("an exact number");
    return memory;
}

static void *enlarge_number(void *old, size_t old_size, size_t size)
{
    (void)old_size;
    void *memory = realloc(old, size);
    if (!memory)
        hsgd_out_of_memory("an exact number");
    return memory;
}

static void free_number(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

/* ---- C++ ---- */

static void end_in_cpp(void)
{
    hsgd_out_of_memory("a library");
}

/* std::set_new_handler, which has no name in C. */
static void set_new_handler(void (*handler)(void))
{
    void (*(*set)(void (*)(void)))(void) = NULL;
    *(void **)&set = dlsym(RTLD_DEFAULT, "_ZSt15set_new_handlerPFvvE");
    if (set)
        set(handler);
}

/* ---- libraries that call exit ---- */

static bool done;

/* Nothing of theirs is to be written any more. */
static void correct_exit_code(int code, void *context)
{
    (void)context;
    if (code == EXIT_FAILURE && !done) {
        hsgd_output_abandon_all();
        _exit(HSGD_EXIT_ENVIRONMENT);
    }
}

void hsgd_out_of_memory_prepare(void)
{
    cJSON_Hooks hooks = {allocate_json, free};
    cJSON_InitHooks(&hooks);
    mp_set_memory_functions(allocate_number, enlarge_number, free_number);
    set_new_handler(end_in_cpp);
    on_exit(correct_exit_code, NULL);
}

void hsgd_out_of_memory_done(void)
{
    done = true;
}
