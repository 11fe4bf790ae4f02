#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A program built without libjpeg says so in one line, with exit code 4, where a configuration asks for image files, and looks for
# no data before; LEAF data of numbers are read. Only the file that differs is compiled: it comes before the library, so that
# nothing of libjpeg is taken from there. NO_JPEG=1 leaves every mention of libjpeg out of the compiler's commands.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
link() {
    # shellcheck disable=SC2046,SC2086 # lists of flags
    cc -std=c11 -I. ${SANITIZE:-} -o "$folder/hsgd" "$build/experiments/main.o" -x c analysis/jpeg_missing.c -x none \
       "$build/libhsgd.a" $(sed -n 's/.* \(-lcjson.*-lm\) .*/\1/p' "$build/flags" | sed 's/-ljpeg//') -fopenmp -pthread
}
config() { # config DATA: a softmax problem on it
    echo '{"hierarchy": {"fanout": [2], "periods": [2]}, "problem": {"type": "softmax", "data": {"format": "leaf", '"$1"'}},
           "optimizer": {"step_size": 0.1, "steps": 4}, "seeds": 2, "bounds": [], "figures": []}' > "$folder/c.json"
}
says_so() {
    config '"path": "none", "images": "none"'
    "$folder/hsgd" run "$folder/c.json" --output "$folder/out" > "$folder/printed" 2> "$folder/message"
    [ $? -eq 4 ] && [ ! -s "$folder/printed" ] && [ "$(wc -l < "$folder/message")" -eq 1 ] &&
        grep -q 'c.json: problem.data.images: JPEG files need libjpeg, which this build does not have; install libjpeg-dev and' \
             "$folder/message" || { cat "$folder/message"; false; }
}
numbers_are_read() {
    echo '{"users": ["a", "b"], "num_samples": [1, 1], "user_data":
           {"a": {"x": [[1]], "y": [0]}, "b": {"x": [[2]], "y": [1]}}}' > "$folder/d.json"
    config '"path": "d.json"'
    "$folder/hsgd" run "$folder/c.json" --quiet --output "$folder/out" && [ -s "$folder/out/result.json" ]
}
switch_is_off() { ! "${MAKE:-make}" -n NO_JPEG=1 BUILD="$folder/build" all | grep -i -e '-ljpeg' -e 'HSGD_JPEG'; }
# A compiler that finds no header at all.
is_looked_for() { ! "${MAKE:-make}" -n CC='cc -nostdinc' BUILD="$folder/build" all | grep -i -e '-ljpeg' -e 'HSGD_JPEG'; }

check link_without_libjpeg link
check missing_libjpeg_is_said_in_one_line says_so
check leaf_data_of_numbers_are_read numbers_are_read
check the_switch_leaves_libjpeg_out switch_is_off
check where_libjpeg_is_not_the_build_goes_without is_looked_for
exit $failed
