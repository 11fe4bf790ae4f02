/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the program does where a library, or a report half printed, is out of memory and has no way to say so. */
#ifndef HSGD_EXPERIMENTS_OUT_OF_MEMORY_PRIVATE_H
#define HSGD_EXPERIMENTS_OUT_OF_MEMORY_PRIVATE_H

/* Once, before anything else: from now on such a library ends the program with one line and HSGD_EXIT_ENVIRONMENT. */
void hsgd_out_of_memory_prepare(void);

/* End the program so, for something of ours that nobody could be told about; what: that there was no memory for. */
_Noreturn void hsgd_out_of_memory(const char *what);

/* Once, after everything else: the exit code that follows is our own. */
void hsgd_out_of_memory_done(void);

#endif
