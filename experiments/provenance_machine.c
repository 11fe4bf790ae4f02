/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On what the numbers were worked out. */
#include "experiments/provenance_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "analysis/stream.h"
#include "analysis/vector.h"

enum { PROCESSOR_SIZE = 128, FEATURES_SIZE = 512, CPUINFO_SIZE = 16384 /* that of the first processor, and more */ };

/* What follows the colon of a line of /proc/cpuinfo, if the line begins like this; NULL otherwise. Cuts the line's end off. */
static char *value_of(char *line, const char *beginning)
{
    char *value = strncmp(line, beginning, strlen(beginning)) == 0 ? strchr(line, ':') : NULL;
    if (!value)
        return NULL;
    value[strcspn(value, "\n")] = '\0';
    return value + 1 + strspn(value + 1, " \t");
}

/* Features that decide how arithmetic is done; the others (of virtual memory, say) do not matter to a number. */
static bool is_arithmetic(const char *feature)
{
    static const char *const beginning[] = {"sse", "ssse", "avx", "fma", "f16c", "amx", "asimd", "sve", "neon", "fp"};
    for (size_t i = 0; i < sizeof beginning / sizeof *beginning; i++)
        if (strncmp(feature, beginning[i], strlen(beginning[i])) == 0 && strcmp(feature, "fpu") != 0)
            return true;
    return false;
}

/* Those of a list with blanks between; cuts the list. */
static void keep_arithmetic(char out[FEATURES_SIZE], char *list)
{
    size_t used = 0;
    char *rest = NULL;
    for (char *feature = strtok_r(list, " ", &rest); feature; feature = strtok_r(NULL, " ", &rest))
        if (is_arithmetic(feature) && used + strlen(feature) + 2 < FEATURES_SIZE)
            used += (size_t)snprintf(out + used, FEATURES_SIZE - used, "%s%s", used ? " " : "", feature);
}

/* As much of a file as there is room for; "" where it cannot be read. In no memory of its own: a result must not say less
 * about its machine because that was short of it. */
static void read_beginning(char *text, size_t size, const char *path)
{
    int file = hsgd_open_again(path, O_RDONLY | O_CLOEXEC, 0);
    size_t length = 0;
    for (ssize_t got; file >= 0 && (got = read(file, text + length, size - 1 - length)) != 0;) {
        if (got < 0 && errno != EINTR)
            break;
        length += got > 0 ? (size_t)got : 0;
    }
    text[length] = '\0';
    if (file >= 0)
        close(file);
}

/* Those of the first processor; "" where the system does not say. */
static void find_processor(char name[PROCESSOR_SIZE], char features[FEATURES_SIZE])
{
    char text[CPUINFO_SIZE], *rest = text;
    read_beginning(text, sizeof text, "/proc/cpuinfo");
    *name = *features = '\0';
    for (char *line, *value; !(*name && *features) && (line = strsep(&rest, "\n"));)
        if (!*name && (value = value_of(line, "model name")))
            snprintf(name, PROCESSOR_SIZE, "%s", value);
        else if (!*features && ((value = value_of(line, "flags")) || (value = value_of(line, "Features"))))
            keep_arithmetic(features, value);
}

static void add_system(cJSON *object)
{
    struct utsname system;
    char text[256] = "";
    if (uname(&system) == 0)
        snprintf(text, sizeof text, "%.80s %.80s %.80s", system.sysname, system.release, system.machine);
    cJSON_AddStringToObject(object, "system", text);
}

void hsgd_provenance_add_machine(cJSON *object)
{
    char processor[PROCESSOR_SIZE], features[FEATURES_SIZE];
    find_processor(processor, features);
    cJSON_AddStringToObject(object, "processor", processor);
    cJSON_AddStringToObject(object, "cpu_features", features);
    add_system(object);
    cJSON_AddStringToObject(object, "vector_path", hsgd_vector_path_name());
    cJSON_AddStringToObject(object, "compiler", hsgd_built_by);
    cJSON_AddStringToObject(object, "compiler_flags", hsgd_built_flags);
    cJSON_AddItemToObject(object, "libraries", hsgd_libraries_to_json());
}
