#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The notebooks are true: copies of them, executed with nothing but the installed program in an empty folder and with an
# empty HOME, raise no error (the cells assert what the text claims) and print what is committed. Prints what cmocka would,
# for tests/run-all.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${HSGD_BUILD:-build}
tools=$PWD/tests/notebooks
/usr/bin/python3 -c 'import nbclient, ipykernel' 2>/dev/null || { echo "[  SKIPPED ] notebooks_run_from_a_clean_state"; exit 0; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/hsgd-notebooks.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0
check() { # check NAME COMMAND...
    name=$1; shift
    if output=$("$@" 2>&1); then echo "[       OK ] $name"; else echo "[  FAILED  ] $name"; echo "$output"; failed=1; fi
}
execute_copies() {
    mkdir "$folder/home" "$folder/work" &&
        "${MAKE:-make}" -s install BUILD="$build" DESTDIR= PREFIX="$folder/prefix" &&
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

check notebooks_run_from_a_clean_state execute_copies
check outputs_are_those_committed same_outputs
exit $failed
