#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The experiment files: each is read and predicted (those whose data are here), those for the figures of the paper need no
# data, and what the README says of them is so on shortened runs (paper_orders.py). Prints what cmocka would.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=${HSGD_PROGRAM:-build/hsgd}
command_for() {
    for command in sweep phase rate; do
        ! grep -q "\"$command\":" "$1" || { echo "$command"; return; }
    done
    echo run
}
# One file: predicted, or refused because of data or libraries that are not here, in one line that says so.
predicted() {
    "$program" "$(command_for "$1")" "$1" --dry-run > "$folder/out" 2> "$folder/err" && return 0
    [ "$(wc -l < "$folder/err")" -eq 1 ] && grep -qE 'HSGD_DATA_DIR|oneDNN|libjpeg' "$folder/err" && return 0
    echo "$1:"; cat "$folder/err"; return 1
}
# A dry run of CIFAR-10 reads all of it and tries some steps of VGG-11; the rest of the files cost nothing. A plan simulates
# nothing, and worst cases over step sizes have no dry run.
every_file_is_predicted() {
    for file in experiments/*.json; do
        case $file in *.schema.json | *vgg-11.json | */plan.json | */worst-case-step-size.json) continue ;; esac
        predicted "$file" || return 1
    done
}
no_data_are_needed() {
    for file in experiments/paper-*.json; do
        HSGD_DATA_DIR=/nonexistent "$program" "$(command_for "$file")" "$file" --dry-run || return 1
    done
}
# One that is meant for the other command is told so.
the_other_command_is_named() {
    ! "$program" run experiments/paper-groups.json --output "$folder/none" 2> "$folder/err" && grep -q 'hsgd sweep' "$folder/err"
}
every_file_is_in_the_readme() {
    for file in experiments/paper-*.json experiments/phase*.json; do
        grep -qF -e "$(basename "$file")" README.md || { echo "the README does not mention $file"; return 1; }
    done
}

check every_file_is_predicted every_file_is_predicted
check no_data_are_needed no_data_are_needed
check the_other_command_is_named the_other_command_is_named
check every_file_is_in_the_readme every_file_is_in_the_readme
python3 tests/experiments/paper_orders.py "$program" experiments "$folder" || failed=1
exit $failed
