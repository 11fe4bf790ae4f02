#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The notebooks are true: copies of them, executed with nothing but the installed program in an empty folder and with an
# empty HOME, raise no error (they assert what they claim) and print what is committed. And the comparison can fail: it
# notices deliberate changes. Prints what cmocka would, for tests/run-all.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${HSGD_BUILD:-build}
tools=$PWD/tests/notebooks
folder=$(mktemp -d "${TMPDIR:-/tmp}/hsgd-notebooks.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0
check() { # check NAME COMMAND...
    name=$1; shift
    if output=$("$@" 2>&1); then echo "[       OK ] $name"; else echo "[  FAILED  ] $name"; echo "$output"; failed=1; fi
}
execute_copies() {
    mkdir "$folder/home" "$folder/work" &&
        "${MAKE:-make}" -s install BUILD="$build" PREFIX="$folder/prefix" &&
        cp notebooks/*.ipynb notebooks/*.py "$folder/work" &&
        env -i HOME="$folder/home" TMPDIR="$folder" PATH="$folder/prefix/bin:/usr/bin:/bin" CFLAGS="${SANITIZE:-}" \
            LC_ALL=C.UTF-8 OMP_WAIT_POLICY=passive "$tools/execute.py" "$folder"/work/*.ipynb
}
same_outputs() {
    code=0
    for notebook in notebooks/*.ipynb; do
        "$tools/compare.py" "$notebook" "$folder/work/${notebook#notebooks/}" || code=1
    done
    return $code
}
# noticed OLD NEW: a copy of the first notebook with this change is refused.
noticed() {
    mkdir -p "$folder/changed"
    sed "s/$1/$2/" notebooks/01-first-run.ipynb > "$folder/changed/01-first-run.ipynb"
    ! cmp -s notebooks/01-first-run.ipynb "$folder/changed/01-first-run.ipynb" &&
        ! "$tools/compare.py" notebooks/01-first-run.ipynb "$folder/changed/01-first-run.ipynb"
}
forgiven() { ! noticed "$@"; }

check committed_notebooks_are_executed_small_and_tidy "$tools/compare.py" notebooks/*.ipynb
check comparison_notices_a_number noticed 'S = 0.58916,' 'S = 0.58918,'
check comparison_notices_a_whole_number noticed '16 seeds\\n' '17 seeds\\n'
check comparison_notices_a_word noticed 'holds\\n"' 'violated\\n"'
check comparison_forgives_the_last_digit forgiven 'S = 0.58916,' 'S = 0.58917,'
check notebooks_run_from_a_clean_state execute_copies
check outputs_are_those_committed same_outputs
exit $failed
