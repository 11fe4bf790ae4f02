#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The README's first output is what the program prints. Rounding errors of identities depend on the machine and are left out.
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d "${TMPDIR:-/tmp}/hsgd-readme.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
stable() { grep -v -e 'identity:' -e '^  in '; }
sed -n '/^demo: /,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" run --output "$folder/demo" | stable > "$folder/printed"
if [ -s "$folder/expected" ] && diff "$folder/expected" "$folder/printed"; then
    echo '[       OK ] the_first_output_in_the_readme_is_true'
else
    echo '[  FAILED  ] the_first_output_in_the_readme_is_true'
    exit 1
fi
