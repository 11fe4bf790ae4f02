#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is different on a cluster. Two hosts (tests/two-hosts: network namespaces, joined by a wire) with two processes each
# write what one process writes, byte for byte, and their messages do take the wire. A process that dies on the other host, or
# the first one of all, ends the run with a line that says how to go on; nothing half-written is left, and the run goes on
# from its checkpoint to the same bytes, on fewer hosts. A run that is told to stop waits for the process that is late.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=${HSGD_PROGRAM:-$PWD/$build/hsgd}
case $program in /*) ;; *) program=$PWD/$program ;; esac
if ! command -v mpirun > /dev/null || ! grep -q HSGD_MPI "$build/flags"; then
    echo "[  SKIPPED ] cluster: this build has no MPI"
    exit 0
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export HWLOC_HIDE_ERRORS=2          # a container may hide the processors
export OMP_WAIT_POLICY=passive      # threads of different processes share the cores
export SOURCE_DATE_EPOCH=1700000000 # a fixed date, no word on threads and processes
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # MPI keeps some memory to the end
here() { OMPI_MCA_plm=isolated OMPI_MCA_btl=self,vader timeout 100 mpirun "$@"; }
hosts() { timeout 100 tests/two-hosts mpirun "$@"; }

config() { # config NAME HIERARCHY DIMENSION STEPS REST
    printf '{"name": "%s", "hierarchy": %s, "problem": {"type": "quadratic", "dimension": %s, "curvature_range": [0.05, 1],
             "level_divergence": [0.8, 0.5], "noise_variance": 0.7}, "initial": {"scale": 1}, "figures": [],
             "optimizer": {"step_size": 0.002, "steps": %s}, %s}\n' "$1" "$2" "$3" "$4" "$5" > "$folder/$1.json"
}
run() { "$program" run "$folder/$1.json" --quiet --output "$folder/$1"; [ -s "$folder/$1/result.json" ]; }
same_files() { for file in result.json series.csv nodes.csv; do cmp "$folder/$1/$file" "$folder/$2/$file" || return 1; done; }

# Five seeds: one for each process alone, and one that all of them share, over the wire.
config small '{"tree": {"period": 12, "children": [{"period": 6, "workers": 5}, {"period": 4, "workers": 3},
    {"period": 3, "workers": 2}, {"period": 12, "workers": 1}]}}' 900 40 '"seeds": 5'
both_hosts_write_the_same() {
    # shellcheck disable=SC2016 # for the shell on host one
    timeout 100 tests/two-hosts sh -c 'mpirun -n 4 hostname | sort | uniq -c | tr -s " \n" " "
        mpirun -n 4 "$1" run "$2/small.json" --quiet --output "$2/small-hosts" 2>&1
        awk '\''/wire:/ { print; print ($2 > 100000 && $10 > 100000) ? "by wire" : "not by wire" }'\'' /proc/net/dev' \
        - "$program" "$folder" > "$folder/printed"
    cat "$folder/printed"
    grep -q '^ 2 host-one 2 host-two' "$folder/printed" && grep -q '^by wire' "$folder/printed" && run small && same_files small small-hosts
}

# A process gets a signal when the first checkpoint is there.
cat > "$folder/signal" << 'END'
#!/bin/sh
signal=$1 rank=$2 every_s=$3 program=$4 config=$5 out=$6
if [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = "$rank" ]; then
    self=$$
    (while kill -0 $self && ! ls "$out"/checkpoint/*.state; do sleep 0.02; done; kill -"$signal" $self) > /dev/null 2>&1 &
fi
exec "$program" run "$config" --quiet --checkpoint-every "$every_s" --output "$out"
END
chmod +x "$folder/signal"
config long '{"fanout": [4, 6], "periods": [8, 4]}' 8 40000 '"measure_every": 1000, "seeds": 1, "variant": {"momentum": 0.5}'
# goes_on_after_death WHERE PROCESSES RANK
goes_on_after_death() {
    rm -rf "$folder/broken"
    "$1" -n "$2" "$folder/signal" KILL "$3" 0.05 "$program" "$folder/long.json" "$folder/broken" > "$folder/printed" 2> "$folder/message"
    code=$?
    cat "$folder/message"
    [ "$code" -eq 137 ] || { echo "exit code $code"; return 1; }
    [ "$(grep -c '^hsgd: ' "$folder/message")" -eq 1 ] && [ ! -s "$folder/printed" ] &&
        grep -q "^hsgd: the run ended.*; the checkpoint is in $folder/broken/checkpoint; go on with: mpirun -n $2 .* --resume" \
            "$folder/message" && [ ! -e "$folder/broken/result.json" ] && [ ! -e "$folder/broken/series.csv" ] &&
        "$program" run "$folder/long.json" --quiet --resume --output "$folder/broken" && same_files long broken &&
        [ ! -e "$folder/broken/checkpoint" ]
}

# The second process stands still while the first one is told to stop, which waits for it.
cat > "$folder/late" << 'END'
#!/bin/sh
self=$$
(while kill -0 $self && ! ls "$3"/checkpoint/*.state; do sleep 0.02; done
 if [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ]; then sleep 0.4; kill -TERM $self; else kill -STOP $self; sleep 1.4; kill -TERM $self; kill -CONT $self; fi) > /dev/null 2>&1 &
exec "$1" run "$2" --quiet --checkpoint-every 0.05 --output "$3"
END
chmod +x "$folder/late"
config late '{"fanout": [2, 20], "periods": [600, 300]}' 20000 60000 '"measure_every": 600, "bounds": [], "seeds": 1'
who_is_late_is_not_dead() {
    here -n 2 "$folder/late" "$program" "$folder/late.json" "$folder/late-run" > "$folder/printed" 2> "$folder/message"
    grep -q '^hsgd: stopped at .* (SIGTERM); the checkpoint is in' "$folder/message" || { cat "$folder/message"; false; }
}

# OpenBLAS takes other kernels in one of the processes, as it does on another processor.
other_kernels_are_told() {
    awk 'BEGIN { for (i = 0; i < 40; i++) print i % 2, "1:" i % 7, "2:" i % 3 }' > "$folder/d.txt"
    printf '{"hierarchy": {"fanout": [2, 2], "periods": [4, 2]}, "problem": {"type": "logistic", "data": {"format": "libsvm",
        "path": "d.txt"}}, "optimizer": {"step_size": 0.1, "steps": 8}, "seeds": 1, "figures": []}' > "$folder/kernels.json"
    for kernels in Haswell Prescott; do
        here -n 1 env OPENBLAS_CORETYPE=Haswell "$program" run "$folder/kernels.json" --quiet --output "$folder/kernels" \
            : -n 1 env OPENBLAS_CORETYPE="$kernels" "$program" run "$folder/kernels.json" --quiet --output "$folder/kernels" \
            2> "$folder/message-$kernels" > "$folder/printed"
    done
    if ! grep -q '^hsgd: ' "$folder/message-Haswell" &&
        { [ "$(uname -m)" != x86_64 ] || ! grep -q lopenblas "$build/flags" ||
          grep -q '^hsgd: note: rank 1 on .*: what computes .* differs from what rank 0 has' "$folder/message-Prescott"; }; then return; fi
    cat "$folder"/message-*
    return 1
}

check other_kernels_are_told other_kernels_are_told
check who_is_late_is_not_dead who_is_late_is_not_dead
run long
check the_first_process_dies goes_on_after_death here 2 0
tests/two-hosts true 2> "$folder/message"
case $? in
77) echo "not tested: $(cat "$folder/message")" ;;
*)
    check both_hosts_write_the_same both_hosts_write_the_same
    check a_process_dies_on_the_other_host goes_on_after_death hosts 4 3
    ;;
esac
exit $failed
