#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The committed notebooks can be read as they are: every cell was executed, without an error, and the files are small and say
# nothing about the machine. And the comparison of outputs, on which test_execution.sh rests, sees deliberate changes and
# forgives rounding. Prints what cmocka would, for tests/run-all.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
compare=tests/notebooks/compare.py
first=notebooks/01-first-run.ipynb
/usr/bin/python3 -c 'import nbformat' 2>/dev/null || { echo "[  SKIPPED ] committed_notebooks"; exit 0; }
changed=$folder/01-first-run.ipynb
change() { sed "$1" "$first" > "$changed" && ! cmp -s "$first" "$changed"; } # change SCRIPT: a copy of the first notebook
refused() { change "$1" && ! "$compare" "$changed"; }              # as a file to be committed
different() { change "$1" && ! "$compare" "$first" "$changed"; }   # as outputs of an execution
same() { change "$1" && "$compare" "$first" "$changed"; }

check committed_notebooks_are_executed_small_and_tidy "$compare" notebooks/*.ipynb
check cell_that_was_not_executed_is_refused refused '0,/"execution_count": 3/s//"execution_count": null/'
check error_among_the_outputs_is_refused refused '0,/"name": "stdout"/s//"name": "stderr"/'
check path_of_the_machine_is_refused refused 's,^   "  in results: ,&/tmp/x ,;s,in results: ,in /tmp/results: ,'
check version_in_the_metadata_is_refused refused 's/^   "name": "python"$/&,"version": "3.11.2"/'
check other_number_is_seen different 's/S = 0.58916,/S = 0.58918,/'
check other_whole_number_is_seen different 's/batch size 0, 16 seeds/batch size 0, 17 seeds/'
check other_word_is_seen different 's/holds\\n"/violated\\n"/'
check lost_figure_is_seen different 's,"image/svg+xml","image/other",'
check figure_drawn_otherwise_is_forgiven same 's,Produced by GNUPLOT 5[^<%]*,Produced by GNUPLOT 7,'
check rounding_in_the_last_digit_is_forgiven same 's/S = 0.58916,/S = 0.58917,/'
check rounding_noise_is_forgiven same 's/relative error [0-9.]*e-16/relative error 9.1e-16/'
exit $failed
