#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Some of what `make kills` does: kills at random moments, calls of the system that fail or are interrupted, standard streams that are
# closed, and a disk that is full. Prints what cmocka would, for tests/run-all.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
HSGD_PROGRAM=$(realpath "${HSGD_PROGRAM:-$build/hsgd}")
export HSGD_PROGRAM TMPDIR="$folder"
# Where writing to the disk takes no time.
shm=$(mktemp -d /dev/shm/hsgd-faults.XXXXXX 2> /dev/null) && export TMPDIR="$shm"
trap 'rm -rf "$folder" "$shm"' EXIT
library=$build/tests/faults/failing_calls.so
[ -e "$library" ] || make -s BUILD="$build" "$library" || exit 1
check kills_do_no_harm tests/faults/kills.py 20 1 run sweep plot
check calls_without_room_do_no_harm tests/faults/failing_calls.py "$library" run rerun sweep --every 11 --reasons ENOSPC,full
check a_broken_disk_does_no_harm tests/faults/failing_calls.py "$library" run plan --every 31 --reasons EIO
check signals_do_not_disturb tests/faults/failing_calls.py "$library" run sweep report --reasons signals
check streams_may_be_closed tests/faults/streams.py 'loud run' sdpa
if refused=$(tests/faults/full_disk.py --possible); then
    check a_full_disk_does_no_harm tests/faults/full_disk.py --rooms 4,32 run rerun sweep
else
    echo "$refused"
fi
exit $failed
