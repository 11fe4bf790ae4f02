#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Certificates of hsgd pep from the outside: the program's own check and a naive one in Python, which expands all workers in
# fractions and knows no symmetry, agree on certificates as they are written and on changed ones; exit codes; worst problems
# as files. Prints what cmocka would.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=$(realpath "${HSGD_PROGRAM:-build/hsgd}")
naive=$PWD/tests/experiments/naive_certificate.py
cd "$folder" || exit 1

exits() { # exits CODE COMMAND...
    want=$1; shift
    "$@" > out 2> err
    code=$?
    [ "$code" = "$want" ] || { echo "$*: exit code $code, not $want"; cat out err; return 1; }
}
says() { grep -q -- "$1" "$2" || { echo "no \"$1\" in:"; cat "$2"; return 1; }; }

both_prove_what_is_written() {
    exits 0 "$program" pep --periods 4,2 --steps 4 --variant descent --certificate two.json --instance two.csv &&
        says 'two.json, descent gap, checked in exact arithmetic' out && says 'theorem: S <= 5.1431[0-9]* Delta' out &&
        exits 0 "$program" pep --check two.json && says '^theorem: S <= 5.1431[0-9]* Delta + 0.0640' out && exits 0 "$naive" two.json &&
        exits 0 "$program" pep --periods 2 --steps 3 --variant descent --smoothness 3 --divergence-sq 0.5 --certificate one.json &&
        exits 0 "$program" pep --check one.json && exits 0 "$naive" one.json
}

# Each change to one.json, and whether the two checks agree. The first is none; the next three leave a proof.
both_agree_on_changes() {
    python3 - "$program" "$naive" << 'END'
import copy, json, subprocess, sys
from fractions import Fraction
program, naive = sys.argv[1:]
good = json.load(open("one.json"))
def scaled(text, factor):
    value = Fraction(text) * factor
    return f"{value.numerator}/{value.denominator}"
def change(path, factor):
    out, at = copy.deepcopy(good), None
    at = out
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = scaled(at[path[-1]], factor)
    return out
def without(key, index):
    out = copy.deepcopy(good)
    del out[key][index]
    return out
largest = max(range(len(good["divergence"])), key=lambda i: float(good["divergence"][i]["value"]))
more, less = Fraction(1001, 1000), Fraction(999, 1000)
cases = [(good, True), (change(["delta_coefficient"], more), True), (change(["divergence_coefficients", 0], more), True),
         (change(["smoothness"], Fraction(1)), True)]
cases += [(change(["delta_coefficient"], less), False), (change(["divergence_coefficients", 0], less), False),
          (change(["divergence", largest, "value"], less), False), (change(["smoothness"], more), False),
          (change(["step_size"], less), False), (change(["gap_multipliers", 0, "value"], less), False),
          (change(["interpolation", 0, "value"], more), False), (without("divergence", largest), False),
          (without("interpolation", 0), False), (change(["interpolation", 0, "value"], -1), False)]
for i, (case, proof) in enumerate(cases):
    json.dump(case, open("changed.json", "w"))
    codes = [subprocess.run(command + ["changed.json"], stdout=subprocess.DEVNULL).returncode
             for command in ([program, "pep", "--check"], [naive])]
    if codes != [0, 0] and proof or codes != [1, 1] and not proof:
        sys.exit(f"change {i}: exit codes {codes}")
END
}

exit_codes_are_those_of_the_contract() {
    sed 's/"delta_coefficient":.*/"delta_coefficient": "1",/' one.json > less.json
    sed 's/"step_size":.*/"step_size": 0.1,/' one.json > number.json
    exits 1 "$program" pep --check less.json && says 'not a proof: delta_coefficient is less' out &&
        exits 2 "$program" pep --check number.json && says 'number.json: step_size: 0.1: expected an exact number' err &&
        exits 2 "$program" pep --check absent.json && says 'absent.json: cannot be opened' err &&
        exits 2 "$program" pep --check one.json --steps 3 && says 'check goes with --json only' err &&
        exits 0 "$program" pep --check one.json --json && says '"proved":	true' out &&
        exits 0 "$program" pep --check - < one.json &&
        exits 2 "$program" pep --periods 2 --steps 2 --instance problem.txt && says 'problem.txt: expected a name that ends' err &&
        exits 2 "$program" pep --periods 2 --steps 2 --certificate . && says 'exists and is not a file' err &&
        exits 4 "$program" pep --periods 2 --steps 2 --certificate no/where.json && [ ! -e no ]
}

# From the columns alone: H-SGD with periods 4, 2 and gamma, and the mean of ||grad f(wbar^t)||^2.
the_worst_problem_is_a_run() {
    python3 - << 'END'
import csv, json
gamma = float(json.load(open("two.json"))["step_size"])
rows = list(csv.DictReader(open("two.csv")))
dim = sum(name.startswith("x_") for name in rows[0])
def vector(row, name):
    return [float(row[f"{name}_{i}"]) for i in range(1, dim + 1)]
def own(t):  # the workers' own models: the deepest point of the step
    here = [row for row in rows if int(row["step"]) == t]
    deepest = max(int(row["depth"]) for row in here)
    return [row for row in here if int(row["depth"]) == deepest]
def mean(vectors):
    return [sum(x) / len(vectors) for x in zip(*vectors)]
S = 0
for t in range(4):
    new = [[x - gamma * g for x, g in zip(vector(row, "x"), vector(row, "grad"))] for row in own(t)]
    if t + 1 == 2:
        new = [mean(new[:2])] * 2 + [mean(new[2:])] * 2
    if t + 1 < 4:
        for row, model in zip(own(t + 1), new):
            assert max(abs(a - b) for a, b in zip(vector(row, "x"), model)) < 1e-12, (t, row["worker"])
    roots = [vector(row, "grad") for row in rows if row["step"] == str(t) and row["depth"] == "0"]
    S += sum(g * g for g in mean(roots)) / 4
assert abs(S - 5.221396) < 5e-6, S
END
}

# The script draws what the data say: a path for every worker from the origin, and one for their average.
the_worst_problem_is_drawn() {
    exits 0 "$program" pep --periods 2 --steps 3 --variant descent --instance-figure drawn/here && says 'drawn/here/worst-problem.pdf' out &&
        [ "$(head -c 5 drawn/here/worst-problem.pdf)" = %PDF- ] && says '\$n = 2\$ workers' drawn/here/worst-problem.caption.tex &&
        [ "$(sed -n 1p drawn/here/worst-problem.dat | tr -d '\"')" = 'step grad_norm_sq mean_1 mean_2 worker_1_1 worker_1_2 worker_2_1 worker_2_2' ] &&
        [ "$(wc -l < drawn/here/worst-problem.dat)" = 5 ]
}

check both_prove_what_is_written both_prove_what_is_written
check both_agree_on_changes both_agree_on_changes
check exit_codes_are_those_of_the_contract exit_codes_are_those_of_the_contract
check the_worst_problem_is_a_run the_worst_problem_is_a_run
check the_worst_problem_is_drawn the_worst_problem_is_drawn
exit $failed
