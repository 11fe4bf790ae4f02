/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every seed and every find of the fuzzers once more, with the ordinary compiler: all keep the promises of their harness, in
 * bounded time and memory. A target is a process of its own, so that one that dies says which file did it. */
#include "tests/test.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gsl/gsl_errno.h>

#include "tests/fuzz/fuzz.h"

enum { SECONDS_PER_TARGET = 60, MEMORY_BYTES = 1 << 30, MAX_TARGETS = 64, PATH_SIZE = 512 };

static char *current; /* the file that is read, seen by both processes */

static uint8_t *read_input(const char *path, size_t *size)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_true(file && fstat(fileno(file), &info) == 0);
    *size = (size_t)info.st_size;
    uint8_t *data = malloc(*size + 1); /* to the byte but for the empty file: sanitizers see what lies beyond */
    data = realloc(data, *size ? *size : 1);
    assert_true(data && fread(data, 1, *size, file) == *size);
    fclose(file);
    return data;
}

static size_t run_folder(const fuzz_target *target, const char *kind)
{
    char folder[PATH_SIZE / 2];
    size_t count = 0, size;
    snprintf(folder, sizeof folder, "tests/fuzz/%s/%s", kind, target->name);
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries && (entry = readdir(entries));) {
        if (*entry->d_name == '.')
            continue;
        snprintf(current, PATH_SIZE, "%s/%.200s", folder, entry->d_name);
        uint8_t *data = read_input(current, &size);
        target->run(data, size);
        free(data);
        count++;
    }
    if (entries)
        closedir(entries);
    return count;
}

static void bound_resources(void)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS_PER_TARGET, SECONDS_PER_TARGET});
#ifndef __SANITIZE_ADDRESS__ /* whose shadow is larger than any limit */
    setrlimit(RLIMIT_DATA, &(struct rlimit){MEMORY_BYTES, MEMORY_BYTES});
#endif
}

static void replay(void **state)
{
    const fuzz_target *target = *state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bound_resources();
        size_t seeds = run_folder(target, "corpus");
        run_folder(target, "finds");
        fflush(NULL);
        exit(seeds > 0 ? 0 : 3); /* with what the harness cleans up, and the search for leaks */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
        fail_msg("tests/fuzz/corpus/%s has no file", target->name);
    fail_msg("%s ended with status 0x%x", current, (unsigned)status);
}

int main(void)
{
    struct CMUnitTest test[MAX_TARGETS] = {{0}};
    gsl_set_error_handler_off();
    current = mmap(NULL, PATH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (current == MAP_FAILED || fuzz_num_targets > MAX_TARGETS)
        return 1;
    for (size_t i = 0; i < fuzz_num_targets; i++)
        test[i] = (struct CMUnitTest){fuzz_targets[i].name, replay, NULL, NULL, (void *)&fuzz_targets[i]};
    return _cmocka_run_group_tests("replay", test, fuzz_num_targets, NULL, NULL);
}
