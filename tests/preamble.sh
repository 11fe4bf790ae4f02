# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the scripts tests/*/test_*.sh begin with. The current folder becomes that of the repository; $folder is a new empty one
# that goes away at the end; `check` prints what cmocka would, for tests/run-all. A script ends with: exit $failed
# shellcheck disable=SC2034 # build, folder and failed are for the scripts
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${HSGD_BUILD:-build}
folder=$(mktemp -d "${TMPDIR:-/tmp}/hsgd-${0##*/}.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0
check() { # check NAME COMMAND...
    check_name=$1; shift
    if check_output=$("$@" 2>&1); then
        echo "[       OK ] $check_name"
    else
        echo "[  FAILED  ] $check_name"; echo "$check_output"; failed=1
    fi
}
