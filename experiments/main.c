/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>

#include "experiments/cli.h"

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a reader that stopped reading is a failed write, not our end */
    return hsgd_cli(argc, argv);
}
