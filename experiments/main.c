/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/cli.h"

int main(int argc, char **argv)
{
    return hsgd_cli(argc, argv);
}
