#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A part of `make faults` that takes less than a minute: some commands, with fewer places told apart. Prints what cmocka would,
# for tests/run-all.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
if [ -n "${SANITIZE:-}" ]; then
    echo "[  SKIPPED ] memory_is_short"
    echo "not tested: a failing allocator in the place of the sanitizers' own"
    exit 0
fi
tests/faults/run-faults --depth 0 --only bound,sandwich,exact,run-figures,plot || failed=1
exit $failed
