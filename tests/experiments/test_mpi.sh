#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# mpirun -n K hsgd run, for K = 1 .. 4 and one or two threads each, writes what one process writes, byte for byte: on uneven
# trees, one level, groups of one, with variants, proof terms, maxima, metrics and random grouping. What is wrong is said once,
# in one line, with the rank if it is one of them. A run that was stopped, or lost a process, goes on with another K to the
# same bytes. More processes than cores, as root, without any network but this host.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=${HSGD_PROGRAM:-$PWD/$build/hsgd}
case $program in /*) ;; *) program=$PWD/$program ;; esac
if ! command -v mpirun > /dev/null || ! grep -q HSGD_MPI "$build/flags"; then
    echo "[  SKIPPED ] mpi: this build has no MPI"
    exit 0
fi
export HWLOC_HIDE_ERRORS=2 # a container may hide the processors
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_plm=isolated OMPI_MCA_btl=self,vader
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_rmaps_base_oversubscribe=1 # MPICH's mpirun does so by itself
export OMP_WAIT_POLICY=passive             # threads of different processes share the cores
export SOURCE_DATE_EPOCH=1700000000        # the same run writes the same bytes: a fixed date, no word on threads and processes
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # MPI keeps some memory to the end
ranks() { n=$1; shift; timeout 250 mpirun -n "$n" "$@"; }

config() { # config NAME HIERARCHY REST
    printf '{"name": "%s", "hierarchy": %s, "problem": {"type": "quadratic", "dimension": 8, "curvature_range": [0.05, 1], ' \
           "$1" "$2" > "$folder/$1.json"
    printf '"level_divergence": [%s], "noise_variance": 0.7}, "initial": {"scale": 1}, "figures": [], %s}\n' "$3" "$4" \
           >> "$folder/$1.json"
}
optimizer='"optimizer": {"step_size_fraction": 0.9, "steps": 40}'
config uneven '{"tree": {"period": 12, "children": [{"period": 6, "workers": 5}, {"period": 4, "workers": 3},
    {"period": 3, "children": [{"period": 1, "workers": 2}, {"period": 3, "workers": 4}]}, {"period": 12, "workers": 1}]}}' \
    '0.8, 0.5, 0.3' "$optimizer, \"seeds\": 5"
config flat '{"fanout": [150], "periods": [6]}' 0.8 "$optimizer, \"seeds\": 1, \"first_seed\": 3, \"variant\":
    {\"momentum\": 0.5, \"momentum_at_averages\": \"average\", \"participation\": 0.4}"
config ones '{"fanout": [5, 1], "periods": [6, 3]}' '0.8, 0' "$optimizer, \"seeds\": 1, \"grouping\": \"random\", \"groupings\": 2"
config moving '{"fanout": [4, 2, 3], "periods": [8, 4, 2]}' '0.8, 0.5, 0.3' "$optimizer, \"seeds\": 1, \"variant\":
    {\"momentum\": 0.5, \"regroup\": true, \"group_step_size\": 0.9}"
awk 'BEGIN { srand(4); for (i = 0; i < 240; i++) { y = i % 2; printf y ? "+1" : "-1";
     for (k = 1; k <= 6; k++) printf " %d:%.3f", k, rand() + (y ? 0.3 : 0); print "" } }' > "$folder/data.libsvm"
cat > "$folder/data.json" <<'END'
{"name": "data", "hierarchy": {"fanout": [3, 4], "periods": [8, 2]}, "problem": {"type": "logistic",
 "data": {"format": "libsvm", "path": "data.libsvm", "test_fraction": 0.25}},
 "optimizer": {"step_size": 0.5, "steps": 30, "batch_size": 2}, "evaluate_every": 4, "seeds": 1, "figures": []}
END
# Groups of groups that are divided, too: more ranks than the root has children.
config deep '{"fanout": [2, 7, 15], "periods": [80, 20, 4]}' '0.8, 0.5, 0.3' \
    '"optimizer": {"step_size_fraction": 0.9, "steps": 90}, "seeds": 1'
sed 's/"fanout.*8, 2]/"fanout": [2, 6, 15], "periods": [120, 30, 10]/; s/"steps": 30, "batch_size": 2/"steps": 50, "batch_size": 1/
     s/"evaluate_every": 4/"measure_every": 3/' "$folder/data.json" > "$folder/deepdata.json"

same_files() { # same_files FOLDER FOLDER
    for file in result.json series.csv nodes.csv; do cmp "$1/$file" "$2/$file" || return 1; done
}
# With --verify every check is made as well: maxima over all nodes, f*, the grouping lemma.
same_bytes() { # same_bytes COMMAND NAME K THREADS
    [ -d "$folder/$2-$1" ] || "$program" "$1" "$folder/$2.json" --quiet --threads 1 --output "$folder/$2-$1"
    ranks "$3" "$program" "$1" "$folder/$2.json" --quiet --threads "$4" --output "$folder/$2-$1-$3" 2> "$folder/message"
    [ -s "$folder/$2-$1-$3/result.json" ] || { cat "$folder/message"; return 1; }
    same_files "$folder/$2-$1" "$folder/$2-$1-$3"
}
uneven_trees() { same_bytes run uneven 1 2 && same_bytes run uneven 2 1 && same_bytes run uneven 3 2 && same_bytes run uneven 4 1; }
divided_groups() {
    same_bytes run deep 3 2 && same_bytes run deep 4 1 && same_bytes verify deepdata 3 1 &&
        ! grep 'nothing to do' "$folder/message"
}

# One line of hsgd's own; mpirun adds some.
says() { # says TEXT CODE COMMAND...
    text=$1 code=$2; shift 2
    "$@" > "$folder/printed" 2> "$folder/message"; got=$?
    [ "$got" -eq "$code" ] && [ ! -s "$folder/printed" ] && [ "$(grep -c '^hsgd: ' "$folder/message")" -eq 1 ] &&
        grep -q "^hsgd: .*$text" "$folder/message" || { echo "exit code $got"; cat "$folder/message"; false; }
}
# as_rank R ARGUMENTS -- OTHERS: a script that gives rank R other arguments.
cat > "$folder/as_rank" <<'END'
#!/bin/sh
rank=$1 program=$2 config=$3 other=$4 out=$5
[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = "$rank" ] && config=$other
exec "$program" run "$config" --quiet --output "$out"
END
chmod +x "$folder/as_rank"
bad_configuration() { sed 's/"seeds"/"seedz"/' "$folder/flat.json" > "$folder/bad.json"
                      says 'bad.json: seedz: 1: unknown key' 2 ranks 3 "$program" run "$folder/bad.json" --output "$folder/x"; }
missing_file() { says 'rank 1 on .*: .*nowhere.json: cannot be opened' 2 ranks 2 "$folder/as_rank" 1 "$program" \
                      "$folder/flat.json" "$folder/nowhere.json" "$folder/x" && [ ! -e "$folder/x" ]; }
other_configuration() { says 'rank 1 on .*: .* configuration or the data here differs' 2 ranks 2 "$folder/as_rank" 1 \
                             "$program" "$folder/flat.json" "$folder/moving.json" "$folder/x"; }
other_commands() { says 'bound: 2 processes were started, which share no work of it' 2 ranks 2 "$program" bound "$folder/flat.json"; }
no_folder() { says 'rank 0 on .*: /proc/x: the output folder cannot be made' 4 ranks 2 "$program" run "$folder/flat.json" \
                   --output /proc/x; }
without_mpi() {
    # shellcheck disable=SC2046,SC2086 # lists of flags
    cc -std=c11 -I. ${SANITIZE:-} -o "$folder/hsgd" "$build/experiments/main.o" -x c experiments/team_mpi_missing.c experiments/train_mpi_missing.c \
       -x none "$build/libhsgd.a" $(sed -n 's/.* \(-lcjson.*-lm\) .*/\1/p' "$build/flags" | sed 's/-L[^ ]*mpi[^ ]*//g; s/-lmpi[^ ]*//') \
       -fopenmp -pthread &&
        says '2 processes were started, but this build has no MPI' 2 ranks 2 "$folder/hsgd" run "$folder/flat.json" --output "$folder/x" &&
        "$folder/hsgd" run "$folder/flat.json" --quiet --output "$folder/alone"; [ -s "$folder/alone/result.json" ]
}
config two '{"fanout": [2, 3], "periods": [6, 3]}' '0.8, 0.5' "$optimizer, \"seeds\": 1"
idle_ranks_are_told() {
    ranks 3 "$program" run "$folder/two.json" --output "$folder/two" > "$folder/printed" 2> "$folder/message"
    grep -q '^hsgd: note: 1 of 3 processes has nothing to do' "$folder/message" || { cat "$folder/message"; false; }
}

config long '{"fanout": [4, 2, 20], "periods": [200, 20, 2]}' '0.8, 0.5, 0.3' "\"optimizer\": {\"step_size_fraction\": 0.9,
    \"steps\": 6000}, \"measure_every\": 100, \"seeds\": 1, \"variant\": {\"momentum\": 0.5, \"regroup\": true, \"group_step_size\": 0.9}"
stopped() { # by a signal that reaches one process only; nothing is lost
    "$program" run "$folder/long.json" --quiet --output "$folder/long"
    ranks 3 "$folder/signal" TERM 1 "$program" "$folder/long.json" "$folder/stopped" 2> "$folder/message"
    grep -q '^hsgd: stopped at .* --resume' "$folder/message" || { cat "$folder/message"; return 1; }
    ranks 2 "$program" run "$folder/long.json" --quiet --resume --output "$folder/stopped" 2> "$folder/message"
    same_files "$folder/long" "$folder/stopped" && [ ! -e "$folder/stopped/checkpoint" ]
}
# One of the ranks gets a signal when the first checkpoint is there.
cat > "$folder/signal" <<'END'
#!/bin/sh
signal=$1 rank=$2 program=$3 config=$4 out=$5
if [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = "$rank" ]; then
    self=$$
    (while kill -0 $self && ! ls "$out"/checkpoint/*.state; do sleep 0.02; done; kill -"$signal" $self) > /dev/null 2>&1 &
fi
exec "$program" run "$config" --checkpoint-every 0.05 --output "$out"
END
chmod +x "$folder/signal"
# A round would take an hour, and still nobody waits for its end.
config hours '{"fanout": [3, 20], "periods": [400000000, 500]}' '0.8, 0.5' '"optimizer": {"step_size": 0.01, "steps": 400000000},
    "measure_every": 10000, "seeds": 1, "bounds": []'
within_a_round() {
    ranks 3 "$folder/signal" TERM 1 "$program" "$folder/hours.json" "$folder/hours" 2> "$folder/message"
    grep -q '^hsgd: stopped at .* --resume' "$folder/message" || { cat "$folder/message"; return 1; }
    ranks 2 "$program" run "$folder/hours.json" --quiet --resume --time-budget 1 --output "$folder/hours" 2> "$folder/message"
    grep -q '^hsgd: stopped at .* (the time budget); the checkpoint is in' "$folder/message" || { cat "$folder/message"; return 1; }
}
killed() {
    ranks 3 "$folder/signal" KILL 1 "$program" "$folder/long.json" "$folder/killed" > "$folder/printed" 2> "$folder/message"
    grep -q '^hsgd: the run ended.*; the checkpoint is in .*/killed/checkpoint; go on with: mpirun -n 3 .* --resume' \
         "$folder/message" && [ ! -e "$folder/killed/result.json" ] || { cat "$folder/message"; return 1; }
    ranks 2 "$program" run "$folder/long.json" --quiet --resume --output "$folder/killed" 2> "$folder/message"
    same_files "$folder/long" "$folder/killed"
}

switch_is_off() { ! "${MAKE:-make}" -n NO_MPI=1 BUILD="$folder/build" all | grep -e '-lmpi' -e 'HSGD_MPI'; }

check uneven_trees_and_seeds_are_the_same uneven_trees
check divided_groups_are_the_same divided_groups
check every_check_is_the_same same_bytes verify uneven 3 1
check one_level_with_momentum_and_partial_participation_is_the_same same_bytes run flat 4 2
check groups_of_one_under_random_grouping_are_the_same same_bytes run ones 3 1
check workers_that_move_are_the_same same_bytes run moving 3 1
check metrics_on_data_are_the_same same_bytes run data 2 2
check a_bad_configuration_is_one_line bad_configuration
check a_rank_without_the_file_is_named missing_file
check a_rank_with_another_configuration_is_named other_configuration
check other_commands_are_refused other_commands
check a_folder_that_cannot_be_made_is_said_once no_folder
check a_build_without_mpi_says_so without_mpi
check the_switch_leaves_mpi_out switch_is_off
check processes_without_work_are_told idle_ranks_are_told
check a_stopped_run_goes_on stopped
check a_run_stops_within_a_round within_a_round
check a_run_that_lost_a_process_goes_on killed
exit $failed
