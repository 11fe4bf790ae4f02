#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Each command once on small input, and each that draws once more where gnuplot is not: it says so in one line with exit code 4,
# the results are those of the first time, scripts and data of the figures are there, and no old drawing passes for a new one.
# Two of them with several threads: they write the same.
# tests/matrix/run does this for every build; HSGD_SWEEPS=0: without sweeps, which start the program anew.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=${HSGD_PROGRAM:-$PWD/$build/hsgd}
case $program in /*) ;; *) program=$PWD/$program ;; esac
export OMP_WAIT_POLICY=passive SOURCE_DATE_EPOCH=1700000000 HWLOC_HIDE_ERRORS=2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_plm=isolated OMPI_MCA_btl=self,vader
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_rmaps_base_oversubscribe=1

config() { # config NAME OPTIMIZER REST
    printf '{"name": "%s", "hierarchy": {"fanout": [2, 2], "periods": [4, 2]}, "problem": {"type": "quadratic", "curvature": [1, 0.5],
           "linear": [[1, 1], [1, -1], [-1, 1], [-1, -1]], "noise_variance": 0.5}, "initial": {"point": [1, 0]},
           "optimizer": {%s}, "seeds": 4, %s}\n' "$1" "$2" "$3" > "$folder/$1.json"
}
steps='"step_size": 0.01, "steps": 40'
axis='{"name": "G", "key": "hierarchy.periods[0]", "values": [4, 8]}'
config run "$steps" '"bounds": ["all"]'
config verify "$steps" '"bounds": ["all"]'
config sweep "$steps" "\"sweep\": {\"axes\": [$axis]}"
config phase "$steps" "\"bounds\": [], \"phase\": {\"axes\": [$axis, {\"name\": \"steps\", \"key\": \"optimizer.steps\", \"values\": [40, 80]}]}"
config rate "$steps" '"bounds": ["hsgd-fixed-sharp"], "rate": {"over": "steps", "values": [40, 80, 160],
                      "step_size": {"rule": "sqrt(n/T)", "constant": 0.05}}'
config hunt "$steps" '"hunt": {"bound": "hsgd-fixed-recursive", "free": ["linear"], "budget": {"evaluations": 60}}'
config pep '"step_size": 0.1, "steps": 2' '"pep": {"from": 0.1, "to": 0.4, "points": 3,
                      "axes": [{"name": "T", "key": "optimizer.steps", "values": [2]}]}'
sed -i 's/0\.5}, "initial/0}, "initial/' "$folder/pep.json" "$folder/hunt.json" # gradients are exact there
cat > "$folder/plan.json" <<'END'
{"name": "plan", "workers": 4, "network": [2, 2], "communication": {"levels": ["wan-100", "lan"], "compute_s_per_step": 0.01},
 "dimension": 1000000, "constants": {"L": 1, "sigma_sq": 10, "delta": 4, "global_divergence_sq": 1.5},
 "bound": "hsgd-random-sharp", "levels": {"max": 2}, "max_period": 8, "budget_seconds": 36000}
END
awk 'BEGIN { for (i = 0; i < 40; i++) print (i % 2 ? "+1" : "-1") " 1:" (i * 7 % 11) " 2:" (i * 3 % 5) }' > "$folder/data.libsvm"
cat > "$folder/train.json" <<'END'
{"name": "train", "hierarchy": {"fanout": [2], "periods": [2]}, "problem": {"type": "logistic",
 "data": {"format": "libsvm", "path": "data.libsvm"}}, "optimizer": {"step_size": 0.1, "steps": 20, "batch_size": 4}, "seeds": 1}
END
cat > "$folder/params.json" <<'END'
{"hierarchy": {"fanout": [2, 2], "periods": [4, 2]}, "step_size": 0.01, "steps": 100, "L": 1, "sigma_sq": 1, "delta": 1,
 "level_divergence_sq": [1, 1]}
END

sweeps() { [ "${HSGD_SWEEPS:-1}" = 1 ]; }
ends_with() { # ends_with CODE ARGUMENTS...: so does hsgd; what it says is kept
    expected=$1; shift
    "$program" "$@" > "$folder/printed" 2> "$folder/message"
    code=$?
    [ "$code" -eq "$expected" ] || { echo "exit code $code, not $expected: hsgd $*"; cat "$folder/message"; return 1; }
}
prints() { ends_with "$@" && [ ! -s "$folder/message" ] && [ -s "$folder/printed" ]; } # prints CODE ARGUMENTS...

# ---- with gnuplot ----

leaves() { # leaves COMMAND CODE DOCUMENT: into the folder of its name
    ends_with "$2" "$1" "$folder/$1.json" --quiet --output "$folder/$1" && [ -s "$folder/$1/$3" ] && ls "$folder/$1"/*.pdf
}
ends_with_mpi() { # ends_with_mpi CODE: hsgd train, of two processes; MPI keeps some memory to the end
    ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" LSAN_OPTIONS="${LSAN_OPTIONS:+$LSAN_OPTIONS:}detect_leaks=0" \
        timeout 100 mpirun -n 2 "$program" train --mpi "$folder/train.json" --probes 3 --quiet --output "$folder/train" \
        > "$folder/printed" 2> "$folder/message"
    [ $? -eq "$1" ] || { cat "$folder/message"; return 1; }
}
trains() { ends_with_mpi 0 && [ -s "$folder/train/train.json" ] && [ -s "$folder/train/train.pdf" ]; }
draws_again() { rm "$folder"/run/*.pdf; ends_with 0 plot "$folder/run" && [ -s "$folder/run/convergence.pdf" ]; }
draws_instance() { ends_with 0 pep --periods 2,1 --steps 2 --instance-figure "$folder/instance" && [ -s "$folder/instance/worst-problem.pdf" ]; }
makes_page() { ends_with 0 report "$folder/run" && grep -q '<svg' "$folder/run/report.html"; }
same_bits() { # of one thread and of three: all but who did it when, and drawings
    for threads in 1 3; do
        ends_with 0 "$1" "$folder/$1.json" --threads "$threads" --quiet --output "$folder/$1-$threads" || return 1
    done
    diff -r -x '*.pdf' -I '"date":' -I '"threads":' -I '"document_sha256":' "$folder/$1-1" "$folder/$1-3"
}
differ() { prints 1 diff "$folder/run" "$folder/verify"; }

# ---- without ----

# Said in one line; no drawing is left from the first time; each script has its data.
is_said() { # is_said DIR
    [ "$(grep -c '^hsgd: ' "$folder/message")" -eq 1 ] &&
        grep -q '^hsgd: gnuplot is not installed; on Debian: apt-get install gnuplot-nox$' "$folder/message" &&
        ! ls "$1"/*.pdf 2> "$folder/ls" || { cat "$folder/message"; return 1; }
    for script in "$1"/*.gp; do [ -s "$script" ] && [ -s "${script%.gp}.dat" ] || { echo "$script"; return 1; }; done
}
document() { grep -v -e '"files"' -e 'document_sha256' "$1"; } # document FILE: without what may differ
undrawn() { # undrawn COMMAND DOCUMENT: over the folder of the first time; the document says the same but for its list of files
    document "$folder/$1/$2" > "$folder/before"
    rm "$folder/$1"/*.gp "$folder/$1/$2"
    ends_with 4 "$1" "$folder/$1.json" --quiet --output "$folder/$1" && is_said "$folder/$1" &&
        document "$folder/$1/$2" | diff "$folder/before" -
}
plots_undrawn() { rm "$folder/$1"/*.gp && ends_with 4 plot "$folder/$1" && is_said "$folder/$1"; }
trains_undrawn() { rm "$folder/train"/*.gp "$folder/train/train.json" && ends_with_mpi 4 && [ -s "$folder/train/train.json" ] && is_said "$folder/train"; }
instance_undrawn() {
    ends_with 4 pep --periods 2,1 --steps 2 --instance-figure "$folder/instance" && is_said "$folder/instance" && grep -q 'worst case' "$folder/printed"
}
no_page() { rm -f "$folder/run/report.html"; ends_with 4 report "$folder/run" && is_said "$folder/run" && [ ! -e "$folder/run/report.html" ]; }

check run_leaves_results_and_figures leaves run 0 result.json
check verify_leaves_results_and_figures leaves verify 3 result.json
sweeps && check sweep_leaves_results_and_figures leaves sweep 0 sweep.json
check phase_leaves_results_and_figures leaves phase 0 phase.json
check rate_leaves_results_and_figures leaves rate 3 rate.json
check hunt_leaves_results_and_figures leaves hunt 0 hunt.json
check plan_leaves_results_and_figures leaves plan 0 plan.json
check pep_leaves_results_and_figures leaves pep 0 pep.json
check pep_draws_its_worst_problem draws_instance
check plot_draws_again draws_again
check report_makes_a_page makes_page
check run_has_the_same_bits_for_any_threads same_bits run
sweeps && check sweep_has_the_same_bits_for_any_threads same_bits sweep
check check_finds_nothing_wrong prints 0 check "$folder/run"
check diff_finds_differences differ
check exact_prints_moments prints 0 exact "$folder/run.json"
check bound_prints_bounds prints 0 bound "$folder/params.json"
check sandwich_prints_rationals prints 0 sandwich --fanout 2,2 --periods 4,2
if grep -q HSGD_MPI "$build/flags"; then check train_leaves_times_and_a_figure trains; fi

# A PATH with all programs but one.
mkdir "$folder/programs"
echo "$PATH" | tr : '\n' | while read -r part; do ln -s "$part"/* "$folder/programs/" 2> /dev/null; done
rm -f "$folder"/programs/gnuplot*
# shellcheck disable=SC2123 # the real one
PATH=$folder/programs

sweeps && check sweep_without_gnuplot_leaves_results undrawn sweep sweep.json
for part in run:result verify:result phase:phase rate:rate hunt:hunt plan:plan pep:pep; do
    check "${part%:*}_without_gnuplot_leaves_results" undrawn "${part%:*}" "${part#*:}.json"
done
check pep_without_gnuplot_prints_its_table instance_undrawn
check plot_without_gnuplot_leaves_scripts plots_undrawn run
sweeps && check plot_of_a_sweep_without_gnuplot_leaves_scripts plots_undrawn sweep
check report_without_gnuplot_leaves_no_page no_page
check check_without_gnuplot_finds_nothing_wrong prints 0 check "$folder/run"
if grep -q HSGD_MPI "$build/flags"; then check train_without_gnuplot_leaves_times trains_undrawn; fi
exit $failed
