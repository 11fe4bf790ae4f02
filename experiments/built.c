/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the Makefile knows about this build. */
#include "built.h"

#include "experiments/provenance_private.h"

#ifdef __clang__
const char hsgd_built_by[] = __VERSION__;
#else
const char hsgd_built_by[] = "gcc " __VERSION__;
#endif
const char hsgd_built_flags[] = HSGD_COMPILER_FLAGS;
const char hsgd_built_commit[] = HSGD_COMMIT;
