/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clocks, memory, child processes. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double clock_s(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double bench_now_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

double bench_cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

/* A line "KEY: 123 kB" of /proc/self/status; 0 where there is none. ru_maxrss would do for the peak, but a child
 * inherits the one of its parent. */
static double status_bytes(const char *key)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kilobytes = strtod(line + strlen(key) + 1, NULL);
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

double bench_peak_bytes(void)
{
    return status_bytes("VmHWM");
}

double bench_resident_bytes(void)
{
    return status_bytes("VmRSS");
}

/* ---- children ---- */

static void run_child(const char *const *argv, int in, int out)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execvp(argv[0], (char *const *)(const void *)argv);
    _exit(127);
}

bool bench_child_start(bench_child *child, const char *const *argv)
{
    int to[2], from[2];
    *child = (bench_child){.pid = -1};
    if (pipe2(to, O_CLOEXEC))
        return false;
    if (pipe2(from, O_CLOEXEC)) {
        close(to[0]);
        close(to[1]);
        return false;
    }
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0)
        run_child(argv, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    child->to = fdopen(to[1], "w");
    child->from = fdopen(from[0], "r");
    return child->pid > 0 && child->to && child->from;
}

cJSON *bench_child_ask(bench_child *child, const char *command)
{
    char *line = NULL;
    size_t size = 0;
    if (!child->from)
        return NULL;
    if (command)
        fprintf(child->to, "%s\n", command);
    fflush(child->to);
    cJSON *answer = getline(&line, &size, child->from) > 0 ? cJSON_Parse(line) : NULL;
    free(line);
    return answer;
}

void bench_child_stop(bench_child *child)
{
    if (child->to)
        fclose(child->to); /* the end of its input ends it */
    if (child->from)
        fclose(child->from);
    if (child->pid > 0)
        waitpid(child->pid, NULL, 0);
    *child = (bench_child){.pid = -1};
}

double bench_process_s(const char *const *argv)
{
    int status = 0;
    double begin_s = bench_now_s();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        execvp(argv[0], (char *const *)(const void *)argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return NAN;
    return bench_now_s() - begin_s;
}

/* ---- times ---- */

void bench_times_add(bench_times *times, double second)
{
    size_t i = times->count;
    if (i == sizeof times->second / sizeof *times->second || isnan(second))
        return;
    for (; i > 0 && times->second[i - 1] > second; i--) /* kept sorted */
        times->second[i] = times->second[i - 1];
    times->second[i] = second;
    times->count++;
}

double bench_times_median(const bench_times *times)
{
    size_t half = times->count / 2;
    if (times->count == 0)
        return NAN;
    return times->count % 2 ? times->second[half] : (times->second[half - 1] + times->second[half]) / 2;
}

double bench_times_min(const bench_times *times)
{
    return times->count ? times->second[0] : NAN;
}

double bench_times_max(const bench_times *times)
{
    return times->count ? times->second[times->count - 1] : NAN;
}

cJSON *bench_times_to_json(const bench_times *times)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "median", bench_times_median(times));
    cJSON_AddNumberToObject(json, "min", bench_times_min(times));
    cJSON_AddNumberToObject(json, "max", bench_times_max(times));
    cJSON_AddItemToObject(json, "all", cJSON_CreateDoubleArray(times->second, (int)times->count));
    return json;
}
