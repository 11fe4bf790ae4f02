#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The notebooks are true: copies of them, executed with nothing but the installed program in an empty folder and with an
# empty HOME, raise no error (the cells assert what the text claims) and print what is committed. Prints what cmocka would,
# for tests/run-all.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
tools=$PWD/tests/notebooks
/usr/bin/python3 -c 'import nbclient, ipykernel' 2>/dev/null || { echo "[  SKIPPED ] notebooks_run_from_a_clean_state"; exit 0; }
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
    return "$code"
}

check notebooks_run_from_a_clean_state execute_copies
check outputs_are_those_committed same_outputs
exit $failed
