#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs that are stopped by a budget, by signals and by kill -9, at many places and again and again, end with the bytes of a run
# that was not (result.json, series.csv and nodes.csv; the date is fixed): with random places, variants, proof terms, metrics,
# and with other threads. Damaged and foreign checkpoints are refused in one line; where no room is left the older one stays.
# Where a round takes minutes, a kill loses no more than the interval, and a signal ends the run in a moment.
# HSGD_KILLS is how often the last run is killed (10). Prints what cmocka would, for tests/run-all.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=${HSGD_PROGRAM:-build/hsgd}
export SOURCE_DATE_EPOCH=0 OMP_WAIT_POLICY=passive
data=$(realpath "${HSGD_DATA_DIR:-../shared/data}" 2>/dev/null)
quadratic='"problem": { "type": "quadratic", "dimension": 12, "curvature_range": [0.1, 1], "level_divergence": [1, 0.5], "noise_variance": 1 }'
mnist='"problem": { "type": "softmax", "partition": { "scheme": "dirichlet", "alpha": 0.3, "seed": 2 }, "data": { "format": "idx",
    "images": "'$data'/t10k-images-idx3-ubyte.gz", "labels": "'$data'/t10k-labels-idx1-ubyte.gz", "test_fraction": 0.1 } }'
config() { # config NAME STEPS SEEDS OPTIMIZER MEMBERS
    printf '{ "name": "%s", "hierarchy": { "fanout": [4, 5], "periods": [20, 5] }, "figures": [], "seeds": %s,
        "optimizer": { "step_size": 0.02, "steps": %s%s }, %s }' "$1" "$3" "$2" "$4" "$5" > "$folder/$1.json"
}
config plain 4000 3 '' "$quadratic"
config slow 16000 3 '' "$quadratic"
config places 3000 2 '' "$quadratic, \"grouping\": \"random\", \"groupings\": 2"
config variants 3000 2 '' "$quadratic, \"variant\": { \"momentum\": 0.5, \"momentum_at_averages\": \"average\", \"participation\": 0.5, \"regroup\": true, \"group_step_size\": 0.9 }"
config metrics 400 2 ', "batch_size": 4' "$mnist, \"measure_every\": 10, \"evaluate_every\": 2"
rounds() { # rounds NAME DIMENSION STEPS: of which all are in one round
    printf '{ "hierarchy": { "fanout": [2, 500], "periods": [%s, 500] }, "seeds": 1, "optimizer": { "step_size": 0.01, "steps": %s }, "measure_every": 400, "figures": [], "bounds": [],
        "problem": { "type": "quadratic", "dimension": %s, "curvature_range": [0.1, 1], "level_divergence": [1, 1], "noise_variance": 1 } }' 1000000 "$3" "$2" > "$folder/$1.json"
}
rounds long 1000 1000000
rounds round 20 20000
rate='"rate": { "over": "steps", "step_size": { "rule": "sqrt(n/T)", "constant": 0.25 }, "fit_from": 500, "values":'
config sampled 1 4 '' "$quadratic, \"bounds\": [\"hsgd-fixed\"], $rate [500, 1000, 2000, 3000], \"method\": \"sampled\" }"
config exact 1 4 '' "$quadratic, \"bounds\": [\"hsgd-fixed\"], $rate [500, 1000, 2000, 90000] }"
config phase 1500 2 '' "$quadratic, \"phase\": { \"method\": \"monte-carlo\", \"axes\": [ { \"name\": \"G\", \"key\": \"hierarchy.periods[0]\", \"values\": [5, 10, 15, 20] }, { \"name\": \"s\", \"key\": \"optimizer.step_size\", \"values\": [0.01, 0.02] } ] }"

same() { # same FOLDER FOLDER
    for file in result.json series.csv nodes.csv; do cmp "$folder/$1/$file" "$folder/$2/$file" || return 1; done
    [ ! -e "$folder/$2/checkpoint" ] || { echo "the checkpoint of $2 is still there"; return 1; }
}
run() { command=$1 name=$2 out=$3; shift 3; "$program" "$command" "$folder/$name.json" --output "$folder/$out" --quiet "$@"; }
# Budgets that grow, so that the last one is enough on any machine; some stops come while nothing has begun.
stop_again_and_again() { # stop_again_and_again COMMAND NAME FIRST-BUDGET
    stops=0
    run "$1" "$2" "$2-whole" --threads 2
    while [ ! -e "$folder/$2-pieces/result.json" ]; do
        stops=$((stops + 1))
        run "$1" "$2" "$2-pieces" --resume --threads $((stops % 3 + 1)) --checkpoint-every 0.05 --time-budget "$(echo "$stops" | awk -v first="$3" '{ print first * 1.5 ^ ($1 - 1) }')" 2> "$folder/err"
        code=$?
        [ -e "$folder/$2-pieces/result.json" ] && break
        [ "$code" -eq 3 ] && grep -q '^hsgd: stopped .* (the time budget); .* with: .* --resume' "$folder/err" || { echo "exit code $code:"; cat "$folder/err"; return 1; }
        [ "$stops" -lt 100 ] || return 1
    done
    [ "$stops" -ge 2 ] || { echo "stopped only $stops times"; return 1; }
    same "$2-whole" "$2-pieces"
}
plain_runs_go_on() { stop_again_and_again verify plain 0.01; }
random_places_go_on() { stop_again_and_again run places 0.01; }
variants_go_on() { stop_again_and_again run variants 0.01; }
metrics_go_on() {
    [ -e "$data/t10k-images-idx3-ubyte.gz" ] || { echo "skipped: no MNIST"; return 0; }
    stop_again_and_again run metrics 0.1
}
# background NAME FOLDER [OPTIONS]: $process is the program itself, which shells let ignore SIGINT.
background() {
    name=$1 out=$2; shift 2
    env --default-signal=INT "$program" run "$folder/$name.json" --output "$folder/$out" --quiet "$@" 2> "$folder/err" & process=$!
}
# interrupt SIGNAL FOLDER: once a checkpoint is there, which is $state
interrupt() {
    state=$folder/$2/checkpoint/main-seed-1.state
    background slow "$2" --checkpoint-every 0.02 --threads 1
    for _ in $(seq 200); do [ -e "$state" ] && break; sleep 0.01; done
    kill -"$1" "$process"; wait "$process" # "slow" is slow enough not to be done by now
}
# The command that is printed goes on, to the letter; a run that is complete is not made again.
signals_end_a_run_cleanly() {
    for signal in INT TERM HUP; do
        rm -rf "$folder/signal"
        interrupt "$signal" signal; code=$?
        [ "$code" -eq 3 ] && [ "$(wc -l < "$folder/err")" -eq 1 ] && grep -q "^hsgd: stopped at [0-9.]* % of the run (SIG$signal); the checkpoint is in $folder/signal/checkpoint; go on with: " "$folder/err" ||
            { echo "exit code $code:"; cat "$folder/err"; return 1; }
        sh -c "$(sed 's/.*go on with: //' "$folder/err")" && same slow-whole signal || return 1
    done
    "$program" run "$folder/slow.json" --output "$folder/signal" --resume > "$folder/out" 2> "$folder/err" && [ ! -s "$folder/out" ] &&
        grep -q "^hsgd: $folder/signal holds all results of this run already; nothing is run" "$folder/err" && same slow-whole signal || { cat "$folder/err"; return 1; }
    "$program" run "$folder/slow.json" --output "$folder/signal" --resume --seeds 2 2>&1 > "$folder/out" | grep -q 'note: .* holds no checkpoint; the run begins at the beginning' && [ -s "$folder/out" ]
}
# If it comes before the window at hand is over, which takes half a second.
a_second_signal_ends_at_once() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        background long long
        sleep 0.3; kill -TERM "$process"; sleep 0.05; kill -INT "$process" 2> /dev/null; wait "$process"; code=$?
        [ "$code" -le 128 ] || return 0
        [ "$code" -eq 3 ] || break
    done
    echo "exit code $code"; return 1
}
# in_seconds MOST COMMAND: until it is true.
in_seconds() {
    for _ in $(seq $(($1 * 20))); do eval "$2" && return; sleep 0.05; done
    return 1
}
# The first checkpoint comes after a second, and when it is killed later there is one that is not much older. Some seconds
# are for machines with other things to do; a round takes minutes.
state_of_long=$folder/rounds/checkpoint/main-seed-1.state
kills_in_a_long_round_lose_an_interval() {
    background long rounds --checkpoint-every 1
    in_seconds 20 '[ -e "$state_of_long" ]' || { kill -KILL "$process"; echo "no checkpoint within a round"; return 1; }
    sleep 2; kill -KILL "$process"; wait "$process"
    age=$(($(date +%s) - $(stat -c %Y "$state_of_long")))
    [ "$age" -le 5 ] || { echo "the checkpoint is $age s old"; return 1; }
    cp "$state_of_long" "$folder/killed.state"
}
# Goes on from there, and a little further each time.
signals_do_not_wait_for_the_round() {
    for signal in INT TERM; do
        background long rounds --resume
        sleep 1.5; kill -"$signal" "$process"
        in_seconds 10 '! kill -0 $process 2> /dev/null' || { kill -KILL "$process"; echo "SIG$signal waits"; return 1; }
        wait "$process"; code=$?
        [ "$code" -eq 3 ] && grep -q "^hsgd: stopped at [0-9.]* % of the run (SIG$signal)" "$folder/err" && ! cmp -s "$state_of_long" "$folder/killed.state" ||
            { echo "exit code $code:"; cat "$folder/err"; return 1; }
        cp "$state_of_long" "$folder/killed.state"
    done
    timeout -k 5 20 "$program" run "$folder/long.json" --output "$folder/rounds" --resume --time-budget 1 2> "$folder/err"
    [ $? -eq 3 ] && grep -q 'stopped at [0-9.]* % of the run (the time budget)' "$folder/err"
}
# A second or so in one round; with other threads.
long_rounds_go_on() {
    run run round round-whole
    stops=0
    until run run round round --resume --threads $((stops % 3 + 1)) --time-budget "$(echo "$stops" | awk '{ print 0.2 * 1.5 ^ $1 }')" 2> "$folder/err"; do
        stops=$((stops + 1))
        [ "$stops" -lt 30 ] || { cat "$folder/err"; return 1; }
    done
    [ "$stops" -ge 1 ] && same round-whole round
}
refused() { # refused MESSAGE [COMMAND [OPTIONS]]
    message=$1 command=${2:-run}; shift $(($# < 2 ? 1 : 2))
    run "$command" slow refused --resume "$@" > "$folder/out" 2> "$folder/err"; code=$?
    if [ "$code" -ne 2 ] || [ "$(wc -l < "$folder/err")" -ne 1 ] || ! grep -q -e "^hsgd: $folder/refused/checkpoint/main-seed-[0-9]*.state: $message" "$folder/err"; then
        echo "exit code $code instead of 2 with \"$message\":"; cat "$folder/err"; return 1
    fi
}
wrong_checkpoints_are_refused() {
    interrupt TERM refused
    state=$(echo "$folder"/refused/checkpoint/main-seed-?.state) good=$folder/good.state
    cp "$state" "$good"; size=$(wc -c < "$good")
    for length in 1 15 16 40 100 1000 $((size - 65)) $((size - 1)); do
        head -c "$length" "$good" > "$state"; refused 'the checkpoint is cut short\|the checkpoint has [0-9]* bytes; expected ' || return 1
    done
    for place in 3 17 24 33 41 60 300 1000 $((size / 2)) $((size - 80)) $((size - 3)); do
        cp "$good" "$state"
        printf '~' | dd of="$state" bs=1 seek="$place" conv=notrunc 2> "$folder/err" && refused 'the checkpoint \|not a checkpoint' || return 1
    done
    : > "$state"; refused 'not a checkpoint of hsgd' || return 1
    cp "$folder/plain.json" "$state"; refused 'not a checkpoint of hsgd' || return 1
    cp "$good" "$state"
    refused 'the checkpoint belongs to another run: "command run", this one has "command verify"' verify &&
        refused 'the checkpoint belongs to another run: "configuration [0-9a-f]*", this one has "configuration ' run --seeds 2 &&
        run run slow refused --resume && same slow-whole refused
}
# A file size limit in place of a full disk: the write fails in the same way.
a_full_disk_leaves_the_older_one_whole() {
    interrupt TERM full
    cp -r "$folder/full/checkpoint" "$folder/kept"
    for budget in 0.2 0.5 1.2 3; do # on a busy machine the first ones may be over before the run begins
        (trap '' XFSZ; ulimit -f 8; run run slow full --resume --checkpoint-every 0.02 --time-budget "$budget") 2> "$folder/err"; code=$?
        [ "$code" -eq 3 ] || break
    done
    [ "$code" -eq 4 ] && grep -q '^hsgd: warning: no checkpoint: cannot write .*: File too large$' "$folder/err" && diff -r "$folder/full/checkpoint" "$folder/kept" ||
        { echo "exit code $code:"; cat "$folder/err"; return 1; }
    run run slow full --resume && same slow-whole full
}
# Whatever fails later, an older result does not stand beside new numbers.
a_result_is_whole() {
    mkdir -p "$folder/half/series.csv/in-the-way" && cp "$folder/run-whole/result.json" "$folder/half/" || return 1
    run run plain half 2> "$folder/err"
    [ $? -eq 4 ] && [ ! -e "$folder/half/result.json" ]
}
# points COMMAND NAME: as stop_again_and_again, for commands that work out many points; the first budget is 0.
points() {
    "$program" "$1" "$folder/$2.json" --output "$folder/$2-whole" --quiet
    for stops in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        "$program" "$1" "$folder/$2.json" --output "$folder/$2-pieces" --quiet --resume --threads $((stops % 3 + 1)) --time-budget "$(echo "$stops" | awk '{ print 0.03 * ($1 - 1) ^ 1.5 }')" 2> "$folder/err"; code=$?
        [ -e "$folder/$2-pieces/$1.json" ] && break
        [ "$code" -eq 3 ] && grep -q '^hsgd: stopped \(after\|before\) .* (the time budget); go on with: .* --resume' "$folder/err" || { cat "$folder/err"; return 1; }
    done
    cmp "$folder/$2-whole/$1.json" "$folder/$2-pieces/$1.json" && cmp "$folder/$2-whole/$1.csv" "$folder/$2-pieces/$1.csv" && [ "$stops" -gt 1 ] && [ ! -e "$folder/$2-pieces/checkpoint" ]
}
rates_go_on() { points rate sampled && points rate exact; }
phases_go_on() { points phase phase; }
# The trials that predict its time would take minutes, for they are in rounds that do.
phases_end_before_they_begin() {
    sed '$s/ }$/, "phase": { "method": "monte-carlo", "axes": [ { "name": "s", "key": "optimizer.step_size", "values": [0.01, 0.02] } ] } }/' "$folder/long.json" > "$folder/phase-of-long.json"
    timeout -k 5 20 "$program" phase "$folder/phase-of-long.json" --output "$folder/phase-of-long" --quiet --time-budget 1 2> "$folder/err"; code=$?
    [ "$code" -eq 3 ] && grep -q '^hsgd: stopped before the first of 2 points (the time budget); go on with: ' "$folder/err" && [ ! -e "$folder/phase-of-long" ] ||
        { echo "exit code $code:"; cat "$folder/err"; return 1; }
}
hunts_end_cleanly() {
    env --default-signal=INT "$program" hunt experiments/hunt.json --output "$folder/hunt" --quiet 2> "$folder/err" & process=$!
    sleep 0.2; kill -INT "$process"; wait "$process"
    [ $? -eq 3 ] && grep -q '^hsgd: stopped after [0-9]* evaluations; nothing is kept of a hunt' "$folder/err" && [ ! -e "$folder/hunt" ]
}
# At random moments; each loses what was done since the last checkpoint, so the run comes to its end.
kills_do_no_harm() {
    kills=0
    while [ "$kills" -lt "${HSGD_KILLS:-10}" ]; do
        background plain killed --resume --checkpoint-every 0.01
        sleep "$(awk -v seed="$kills" 'BEGIN { srand(seed + 17); print 0.02 + 0.25 * rand() }')"
        kill -KILL "$process" 2> /dev/null; wait "$process" 2> /dev/null; code=$?
        kills=$((kills + 1))
        [ "$code" -eq 137 ] && continue
        [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || { cat "$folder/err"; return 1; }
        same run-whole killed && rm -r "$folder/killed" || return 1
    done
    run run plain killed --resume && same run-whole killed
}
run run slow slow-whole
run run plain run-whole || [ $? -eq 3 ] || failed=1
check plain_runs_go_on plain_runs_go_on
check random_places_go_on random_places_go_on
check variants_go_on variants_go_on
check metrics_go_on metrics_go_on
check signals_end_a_run_cleanly signals_end_a_run_cleanly
check a_second_signal_ends_at_once a_second_signal_ends_at_once
check kills_in_a_long_round_lose_an_interval kills_in_a_long_round_lose_an_interval
check signals_do_not_wait_for_the_round signals_do_not_wait_for_the_round
check long_rounds_go_on long_rounds_go_on
check wrong_checkpoints_are_refused wrong_checkpoints_are_refused
check a_full_disk_leaves_the_older_one_whole a_full_disk_leaves_the_older_one_whole
check a_result_is_whole a_result_is_whole
check rates_go_on rates_go_on
check phases_go_on phases_go_on
check phases_end_before_they_begin phases_end_before_they_begin
check hunts_end_cleanly hunts_end_cleanly
check kills_do_no_harm kills_do_no_harm
exit $failed
