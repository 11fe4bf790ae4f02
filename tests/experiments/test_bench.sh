#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The benchmark program at a tiny size: every workload runs, the JSON has what it should, and NumPy computes the same numbers
# where it is installed. Nothing here looks at times.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
bench() { "$build/tests/bench/bench" --tiny --runs 1 --folder "$folder" --program "$build/hsgd" "$@"; }
has() { # has FILE KEY...: every key is there
    file=$1; shift
    for key in "$@"; do grep -q "\"$key\":" "$file" || { echo "no $key in $file"; return 1; }; done
}
names() { sed -n 's/^.*"name":[[:space:]]*"\(W[^"]*\)".*/\1/p' "$folder/bench.json" | tr '\n' ' '; }
quadratics_run() {
    bench --workloads W2,W4,W5,W6 > "$folder/out" 2>&1 || { cat "$folder/out"; return 1; }
    [ "$(names)" = 'W2 W4 W5 W6 W6 ' ] || { names; return 1; }
}
json_is_complete() {
    has "$folder/bench.json" limits gemm_flops_per_s sparse_flops_per_s normals_per_s triad_bytes_per_s all_threads_s \
        one_thread_s speed_up median min max peak_bytes binding share process_s
}
table_names_the_limit() { grep -Eq '^W2 .* %, mostly (normals|arithmetic)' "$folder/out"; }
rival_agrees() { # where NumPy is there
    grep -q 'NumPy is not there' "$folder/out" && return 0
    has "$folder/bench.json" numpy ratio target_ratio same_results && ! grep '"same_results":[[:space:]]*false' "$folder/bench.json"
}
data_run() {
    bench --workloads W1,W1b,W3 > "$folder/out" 2>&1 || { cat "$folder/out"; return 1; }
    [ "$(names)" = 'W1 W1b W3 ' ] || { names; return 1; }
}
wrong_options_are_refused() { bench --threads 0; [ $? -eq 2 ]; }
growth_has_slopes() {
    bench --growth > "$folder/out" 2>&1 || { cat "$folder/out"; return 1; }
    [ "$(grep -c '"standard_error"' "$folder/growth.json")" -eq 16 ] && [ -s "$folder/growth.gp" ] && [ -s "$folder/growth.pdf" ]
}

check bench_runs_the_quadratics_and_latencies quadratics_run
check bench_json_is_complete json_is_complete
check bench_table_names_the_limit_that_binds table_names_the_limit
check numpy_computes_the_same_on_quadratics rival_agrees
data=${HSGD_DATA_DIR:-../shared/data}
if [ -f "$data/a9a.t" ] && [ -f "$data/t10k-images-idx3-ubyte.gz" ]; then
    check bench_runs_the_data_workloads data_run
    check numpy_computes_the_same_on_data rival_agrees
else
    echo "[  SKIPPED ] bench_runs_the_data_workloads"
    echo "    skipped: no data in $data (HSGD_DATA_DIR)"
fi
check bench_refuses_wrong_options wrong_options_are_refused
check bench_growth_fits_slopes growth_has_slopes
exit $failed
