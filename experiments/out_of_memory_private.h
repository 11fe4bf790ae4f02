/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the program does where a library is out of memory and has no way to say so. */
#ifndef HSGD_EXPERIMENTS_OUT_OF_MEMORY_PRIVATE_H
#define HSGD_EXPERIMENTS_OUT_OF_MEMORY_PRIVATE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Once, before anything else: from now on such a library ends the program with one line and HSGD_EXIT_ENVIRONMENT. */
void hsgd_out_of_memory_prepare(void);

/* Once, after everything else: the exit code that follows is our own. */
void hsgd_out_of_memory_done(void);

#ifdef __cplusplus
}
#endif

#endif
