/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The experiment that runs when none is named: experiments/demo.json, compiled in. */
#ifndef HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H
#define HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H

extern const char hsgd_embedded_demo[];

#endif
