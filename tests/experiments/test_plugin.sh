#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Plug-ins from outside: the example as logistic regression gives the numbers of the built-in one, with the same bits for any
# number of threads; what is wrong about a shared object, its gradients or its parameters is refused in one line; a plug-in
# may return NaN; figures and pages need none; sweeps notice another one. Prints what cmocka would, for tests/run-all.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=${HSGD_PROGRAM:-build/hsgd}
numbers=tests/experiments/plugin_numbers.py
export SOURCE_DATE_EPOCH=0 OMP_WAIT_POLICY=passive
# shellcheck disable=SC2086 # several words
compile() { output=$1 source=$2; shift 2; cc -shared -fPIC -O1 -Wall -Wextra -Werror ${SANITIZE:-} -I. -o "$folder/$output" "$source" "$@" -lm; }
defects() { output=$1; shift; compile "$output" tests/experiments/plugins/defects.c "$@"; }
compile_all() {
    compile my.so experiments/examples/plugin.c && defects defects.so -fvisibility=hidden && defects old.so -DOLD && defects nameless.so -DNAMELESS &&
        defects no-loss.so -DNO_LOSS && echo "int main;" > "$folder/text.so" && python3 "$numbers" make "$folder"
}
run() { "$program" run "$1" --quiet --threads 1 --output "$folder/$2"; }
# Batches of 3, full gradients, and large batches under random places.
same_numbers_as_the_built_in_problem() {
    for batch in 3 0 70; do
        for name in built-in plugin; do
            run "$folder/$name-$batch.json" "$name-$batch"
            [ $? -le 3 ] || return 1
        done
        python3 "$numbers" same "$folder/built-in-$batch" "$folder/plugin-$batch" || return 1
    done
}
same_bits_for_any_number_of_threads() {
    for threads in 1 2 3; do
        "$program" run "$folder/plugin-3.json" --quiet --threads "$threads" --output "$folder/threads-$threads" || [ $? -eq 3 ] || return 1
        for file in series.csv nodes.csv result.json; do
            cmp "$folder/threads-1/$file" "$folder/threads-$threads/$file" || return 1
        done
    done
}
# Found next to the configuration, wherever the program is run; with its text and its digest in the result.
provenance_is_recorded() {
    (cd / && "$folder/../${folder##*/}/run" "$folder/plugin-3.json") || [ $? -eq 3 ] || return 1
    digest=$(sha256sum "$folder/my.so" | cut -d ' ' -f 1)
    for text in '"name":	"linear classification"' '"version":	"1.0"' '"interface":	1' "\"path\":	\"$folder/my.so\"" "\"sha256\":	\"$digest\""; do
        grep -qF "$text" "$folder/elsewhere/result.json" || { echo "no $text in result.json"; return 1; }
    done
}
config() { # config PATH PARAMETERS [OTHER MEMBERS]
    printf '{ "hierarchy": { "fanout": [2, 2], "periods": [4, 2] }, "seeds": 2, "figures": [], %s
        "optimizer": { "step_size": 0.1, "steps": 40, "batch_size": 2 },
        "problem": { "type": "plugin", "path": "%s", "parameters": %s } }' "${3:-}" "$1" "$2" > "$folder/config.json"
}
refused() { # refused PATH PARAMETERS MESSAGE [OTHER MEMBERS]: in one line, and with the file's name
    config "$1" "$2" "${4:-}"
    run "$folder/config.json" refused > "$folder/out" 2> "$folder/err"; code=$?
    if [ "$code" -ne 2 ] || [ "$(wc -l < "$folder/err")" -ne 1 ] || ! grep -qF -e "config.json: $3" "$folder/err"; then
        echo "$1 $2: exit code $code instead of 2 with \"$3\":"; cat "$folder/err"; return 1
    fi
}
wrong_shared_objects_are_refused() {
    refused none.so '{}' "problem.path: $folder/none.so: cannot be loaded: No such file" &&
        refused . '{}' "problem.path: $folder: is not a file" &&
        refused text.so '{}' "problem.path: $folder/text.so: is no shared object that can be loaded: " &&
        refused nameless.so '{}' "problem.path: $folder/nameless.so: has no symbol hsgd_plugin" &&
        refused old.so '{}' "problem.path: $folder/old.so: hsgd_plugin.interface: 0, but this hsgd speaks version 1" &&
        refused no-loss.so '{}' "problem.path: $folder/no-loss.so: hsgd_plugin.loss: NULL, but the function is required" &&
        refused '' '{}' 'problem.path: "": expected the name'
}
# The truth is minus what the plug-in says; the coordinate 5 of worker 2 is 2 r/(1 + r^2) with r = -1/2.
wrong_gradients_are_refused() {
    refused defects.so '{ "defect": "gradient" }' "problem.path: $folder/defects.so: worker 2, coordinate 5: the gradient at the starting point is 0.8, but differences of the loss" &&
        grep -qE ' give -0\.(8|80000000[0-9]|79999999[0-9])$' "$folder/err" || { cat "$folder/err"; return 1; }
    refused defects.so '{ "defect": "bias" }' "problem.path: $folder/defects.so: worker 1: 8192 stochastic gradients of batch size 2 at the starting point have the mean "
}
wrong_parameters_are_refused() {
    refused defects.so '{ "defekt": "bias" }' 'problem.parameters.defekt: unknown key' &&
        refused defects.so '{ "defect": [1, "x"] }' 'problem.parameters.defect: [1,"x"]: the plug-in wants a text here' &&
        refused defects.so '{ "defect": "create" }' 'problem.parameters: defect: "create" is not to be had' &&
        refused my.so '{ "flip": "a" }' 'problem.parameters.flip: "a": the plug-in wants a number here' &&
        refused my.so '{ "samples": [[1, 2], "a"] }' 'problem.parameters.samples: [[1,2],"a"]: the plug-in wants an array of numbers here' &&
        refused my.so '{ "samples": [[1, 2]] }' 'problem.parameters: samples: 2 numbers; expected 4 workers times 50 samples' &&
        refused my.so '[]' 'problem.parameters: []: expected an object' &&
        refused my.so '{}' 'grouping: "group-iid": a plug-in has no labels' '"grouping": "group-iid",' &&
        refused my.so '{}' 'evaluate_every: 1: a plug-in has no labels' '"evaluate_every": 1,' &&
        refused my.so '{}' 'constants.divergence: "certified": no bounds are proved' '"constants": { "divergence": "certified" },'
}
# It is right near the start and NaN far away, where large steps lead; then the run has diverged, and that is the result.
nan_is_a_diverged_run() {
    config defects.so '{ "defect": "nan" }'
    run "$folder/config.json" near || [ $? -eq 3 ] || return 1
    grep -q '"diverged_seeds":	0' "$folder/near/result.json" || return 1
    sed 's/0\.1, "steps"/40, "steps"/' "$folder/config.json" > "$folder/far.json"
    run "$folder/far.json" far || [ $? -eq 3 ] || return 1
    grep -q '"diverged_seeds":	2' "$folder/far/result.json" || return 1
    config defects.so '{ "defect": "nan", "L": 2, "noise_sq": 0.035 }' '"initial": { "point": [9, 9, 9, 9, 9, 9, 9] },'
    run "$folder/config.json" start || [ $? -eq 3 ] || return 1
    grep -q '"diverged_at":	0' "$folder/start/result.json" || return 1
    refused defects.so '{ "defect": "nan" }' 'initial: gradients near the starting point are not finite' '"initial": { "point": [9, 9, 9, 9, 9, 9, 9] },'
}
# Where the plug-in begins, unless the configuration says where: 7 log(1 + (w - 0)^2) for worker 0 and so on at w = 2, 0 and 3.
begins_where_it_says() {
    for case in 2: 0:'"initial": { "scale": 0 },' 3:'"initial": { "point": [3, 3, 3, 3, 3, 3, 3] },'; do
        config defects.so '{ "begin": 2, "L": 2, "noise_sq": 0.035 }' "${case#*:}"
        run "$folder/config.json" begins || [ $? -eq 3 ] || return 1
        python3 -c 'import csv, math, sys
w = float(sys.argv[2]); want = sum(7 * math.log1p((w - j / 4) ** 2) for j in range(4)) / 4
got = float(next(csv.DictReader(open(sys.argv[1])))["loss"])
sys.exit(0 if math.isclose(got, want, rel_tol=1e-12) else "%r is not %r" % (got, want))' "$folder/begins/series.csv" "${case%%:*}" || return 1
    done
}
# L is 2, and noise of 7 coordinates with variance 0.01/2 is 0.035; what is said to be less is contradicted by the run.
lies_about_constants_are_found() {
    for constants in 0:'"L": 2, "noise_sq": 0.035' 1:'"L": 0.5, "noise_sq": 0.035' 1:'"L": 2, "noise_sq": 0.01'; do
        config defects.so "{ ${constants#?:} }"
        sed -i 's/"seeds": 2/"seeds": 16/' "$folder/config.json"
        run "$folder/config.json" lies; code=$?
        [ "$code" -eq "${constants%%:*}" ] || { echo "$constants: exit code $code"; return 1; }
    done
}
# The plug-in gives no constants: L and sigma^2 are estimates, and bounds that need Delta say why they are not there.
unknown_constants_are_said() {
    config defects.so '{}'
    "$program" verify "$folder/config.json" --output "$folder/unknown" > "$folder/out" || [ $? -eq 3 ] || return 1
    "$program" run "$folder/config.json" --output "$folder/unknown" > "$folder/out" || [ $? -eq 3 ] || return 1
    grep -q 'L = .* (estimate), sigma^2 = .* (estimate), f\* and Delta not known$' "$folder/out" &&
        grep -q 'hsgd-fixed-recursive .* not applicable: f is not bounded below, or not known to be, so Delta is infinite$' "$folder/out"
}
# What was measured is shown without the code that was run; and it can be predicted with it.
figures_and_pages_need_no_plugin() {
    config my.so '{ "features": 3 }' '"name": "x",'
    sed -i 's/"figures": \[\]/"figures": ["divergence"]/' "$folder/config.json"
    "$program" run "$folder/config.json" --dry-run | grep -q '^about .* 2 runs of 40 steps' || return 1
    run "$folder/config.json" shown || [ $? -eq 3 ] || return 1
    mv "$folder/my.so" "$folder/away.so"
    "$program" report "$folder/shown" && grep -q 'objective of the plug-in linear classification' "$folder/shown/report.html" &&
        grep -q 'on an objective of a plug-in (linear classification 1.0)' "$folder/shown/divergence.caption.tex" &&
        ! run "$folder/config.json" again 2> "$folder/err"; code=$?
    mv "$folder/away.so" "$folder/my.so"
    return "$code"
}
# Points of a sweep are kept while configuration and shared object are those of before.
kept() { "$program" sweep "$folder/config.json" --quiet --output "$folder/swept" || [ $? -eq 3 ]; find "$folder/swept/points" -name series.csv ! -newermt @1 | wc -l; }
sweeps_notice_another_plugin() {
    config my.so '{ "features": 3 }' '"name": "s", "sweep": { "axes": [ { "name": "w", "key": "problem.parameters.weight", "values": [0, 0.1] } ] },'
    [ "$(kept)" -eq 0 ] && touch -d @0 "$folder"/swept/points/*/series.csv && [ "$(kept)" -eq 2 ] || return 1
    compile my.so experiments/examples/plugin.c -g3 && [ "$(kept)" -eq 0 ]
}

printf '#!/bin/sh\nexec "%s" run "$1" --quiet --output "%s"\n' "$(realpath "$program")" "$folder/elsewhere" > "$folder/run" && chmod +x "$folder/run"
check compile_all compile_all
check same_numbers_as_the_built_in_problem same_numbers_as_the_built_in_problem
check same_bits_for_any_number_of_threads same_bits_for_any_number_of_threads
check provenance_is_recorded provenance_is_recorded
check wrong_shared_objects_are_refused wrong_shared_objects_are_refused
check wrong_gradients_are_refused wrong_gradients_are_refused
check wrong_parameters_are_refused wrong_parameters_are_refused
check nan_is_a_diverged_run nan_is_a_diverged_run
check begins_where_it_says begins_where_it_says
check lies_about_constants_are_found lies_about_constants_are_found
check unknown_constants_are_said unknown_constants_are_said
check figures_and_pages_need_no_plugin figures_and_pages_need_no_plugin
check sweeps_notice_another_plugin sweeps_notice_another_plugin
exit $failed
