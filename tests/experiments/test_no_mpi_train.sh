#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A program built without MPI says so in one line, with exit code 4, where it is asked to train, and looks for no file before. Only the
# file that differs is compiled: it comes before the library. NO_MPI=1 leaves MPI out of the compiler's commands.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
link() {
    # shellcheck disable=SC2046,SC2086 # lists of flags
    cc -std=c11 -I. ${SANITIZE:-} -o "$folder/hsgd" "$build/experiments/main.o" -x c experiments/train_mpi_missing.c -x none \
       "$build/libhsgd.a" $(sed -n 's/.* \(-lcjson.*-lm\) .*/\1/p' "$build/flags") -fopenmp -pthread
}
says_so() {
    "$folder/hsgd" train --mpi "$folder/none.json" > "$folder/printed" 2> "$folder/message"
    [ $? -eq 4 ] && [ ! -s "$folder/printed" ] && [ "$(wc -l < "$folder/message")" -eq 1 ] &&
        grep -q 'train: needs MPI, which this build does not have; install libopenmpi-dev and build again' "$folder/message" ||
        { cat "$folder/message"; false; }
}
switch_is_off() { ! "${MAKE:-make}" -n NO_MPI=1 BUILD="$folder/build" all | grep -e '-lmpi' -e '-DHSGD_MPI'; }

check link_without_mpi link
check missing_mpi_is_said_in_one_line says_so
check the_switch_leaves_mpi_out switch_is_off
exit $failed
