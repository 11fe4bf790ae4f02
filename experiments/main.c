/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "analysis/stream.h"
#include "experiments/cli.h"

/* The numbers of standard streams that are closed would go to the next files, and what is said into results. Reading the first
 * and writing the second fails as before. */
static void occupy_standard_streams(void)
{
    static const int way[] = {[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_WRONLY};
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFD) < 0 && errno == EBADF)
            open("/dev/null", way[i]); /* takes the lowest number that is free */
}

#ifdef __GLIBC__
/* Signals do not disturb it, and at the end it knows why a write failed. Returns that of the C library. */
static FILE *replace_standard_output(void)
{
    static char buffer[BUFSIZ];
    FILE *before = stdout, *stream = hsgd_stream_of(STDOUT_FILENO, "w");
    if (stream)
        stdout = stream;
    setvbuf(stdout, buffer, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof buffer);
    return before;
}

/* The address sanitizer does not see what a stream of our own holds, and takes it for a leak if it is open at the end. */
static void put_back_standard_output(FILE *before)
{
    FILE *ours = stdout;
    stdout = before;
    if (ours != before)
        fclose(ours); /* what it held is written: hsgd_cli_finish */
}
#else
static FILE *replace_standard_output(void)
{
    return stdout;
}
static void put_back_standard_output(FILE *before)
{
    (void)before;
}
#endif

int main(int argc, char **argv)
{
    occupy_standard_streams();
    FILE *before = replace_standard_output();
    signal(SIGPIPE, SIG_IGN); /* a reader that stopped reading is a failed write, not our end */
    int code = hsgd_cli(argc, argv);
    put_back_standard_output(before);
    return code;
}
