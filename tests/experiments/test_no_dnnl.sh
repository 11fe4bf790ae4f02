#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A program built without oneDNN says so in one line, with exit code 4, where a configuration asks for a convolutional network,
# and looks for no data before; other problems run. Only the file that differs is compiled: it comes before the library, so that
# nothing of oneDNN is taken from there. NO_DNNL=1 leaves every mention of oneDNN out of the compiler's commands.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
link() {
    # shellcheck disable=SC2046,SC2086 # lists of flags
    cc -std=c11 -I. ${SANITIZE:-} -o "$folder/hsgd" "$build/experiments/main.o" -x c analysis/convnet_missing.c -x none \
       "$build/libhsgd.a" $(sed -n 's/.* \(-lcjson.*-lm\) .*/\1/p' "$build/flags" | sed 's/-ldnnl//') -fopenmp -pthread
}
says_so() {
    sed 's/t10k-images/no-such-file/' experiments/mnist-cnn.json > "$folder/c.json"
    "$folder/hsgd" run "$folder/c.json" --output "$folder/out" > "$folder/printed" 2> "$folder/message"
    [ $? -eq 4 ] && [ ! -s "$folder/printed" ] && [ "$(wc -l < "$folder/message")" -eq 1 ] &&
        grep -q 'c.json: problem.type: "cnn" needs oneDNN, which this build does not have; install libdnnl-dev and build again' \
             "$folder/message" || { cat "$folder/message"; false; }
}
others_run() { "$folder/hsgd" run experiments/demo.json --seeds 2 --quiet --output "$folder/out"; [ $? -ne 4 ] && [ -s "$folder/out/result.json" ]; }
switch_is_off() { ! "${MAKE:-make}" -n NO_DNNL=1 BUILD="$folder/build" all | grep -i -e '-ldnnl' -e 'HSGD_DNNL'; }
# A compiler that finds no header at all.
is_looked_for() { ! "${MAKE:-make}" -n CC='cc -nostdinc' BUILD="$folder/build" all | grep -i -e '-ldnnl' -e 'HSGD_DNNL'; }

check link_without_onednn link
check missing_onednn_is_said_in_one_line says_so
check other_problems_run others_run
check the_switch_leaves_onednn_out switch_is_off
check where_onednn_is_not_the_build_goes_without is_looked_for
exit $failed
