/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for a line, which comes if all is well; the end of input without one is the end of who should have written it. */
static const char watch[] =
    "read -r word || if [ -n \"$(ls -A \"$3\" 2> /dev/null)\" ]; then printf '%s\\n' \"$1\" >&2; "
    "else printf '%s\\n' \"$2\" >&2; fi";

/* In a session of its own: what kills the group of this process leaves it alone. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    int failed = posix_spawnattr_init(attributes);
    return failed ? failed : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID);
}

/* Returns 0 or an error number. */
static int spawn(pid_t *child, char *const *arguments, int input)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (!failed)
        failed = set_attributes(&attributes);
    if (!failed) {
        failed = posix_spawn(child, "/bin/sh", &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

hsgd_status hsgd_witness_begin(hsgd_witness *out, const char *kept, const char *nothing, const char *folder,
                               hsgd_error *err)
{
    /* posix_spawn does not write into them */
    char *const arguments[] = {"sh", "-c", (char *)watch, "sh", (char *)kept, (char *)nothing, (char *)folder, NULL};
    int pipe_end[2];
    if (pipe2(pipe_end, O_CLOEXEC) != 0)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "no pipe to another process: %s", strerror(errno));
    int failed = spawn(&out->process, arguments, pipe_end[0]);
    close(pipe_end[0]);
    out->line = pipe_end[1];
    if (failed) {
        close(out->line);
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "/bin/sh cannot be started: %s", strerror(failed));
    }
    pthread_mutex_init(&out->lock, NULL);
    out->begun = true;
    return HSGD_OK;
}

void hsgd_witness_end(hsgd_witness *witness)
{
    if (!witness->begun)
        return;
    pthread_mutex_lock(&witness->lock);
    if (witness->line >= 0) {
        while (write(witness->line, "\n", 1) < 0 && errno == EINTR)
            ; /* where it is gone, it says nothing either */
        close(witness->line);
        witness->line = -1;
        while (waitpid(witness->process, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    pthread_mutex_unlock(&witness->lock);
}
