#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The outputs in the README are what the program prints. Rounding errors depend on the machine and are left out.
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d "${TMPDIR:-/tmp}/hsgd-readme.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
stable() { grep -v -e 'identity:' -e '^  in '; }
sed -n '/^demo: /,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" run --output "$folder/demo" | stable > "$folder/printed"
compare() { # compare NAME: the files expected and printed
    if [ -s "$folder/expected" ] && diff "$folder/expected" "$folder/printed"; then
        echo "[       OK ] $1"
    else
        echo "[  FAILED  ] $1"
        exit 1
    fi
}
compare the_first_output_in_the_readme_is_true
part() { sed -n "/^$1: /,/^\$/p" "$2" | grep -v -e '^```' -e '^$' -e 'L of drift'; }
"${HSGD_PROGRAM:-build/hsgd}" verify --output "$folder/demo" > "$folder/report"
for title in Assumptions 'Proof ladder'; do
    part "$title" README.md | sed 's/ *$//'
done > "$folder/expected"
for title in Assumptions 'Proof ladder'; do
    part "$title" "$folder/report" | sed 's/ *$//'
done > "$folder/printed"
compare the_report_in_the_readme_is_true
# The sweep: its configuration stands in the README, too.
sed -n "/^cat > effect-of-G.json/,/^EOF/p" README.md | sed -e 1d -e '$d' > "$folder/effect-of-G.json"
sed -n '/^effect-of-G: /,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" sweep "$folder/effect-of-G.json" --output "$folder/sweep" 2> "$folder/messages" | stable > "$folder/printed"
compare the_sweep_in_the_readme_is_true
