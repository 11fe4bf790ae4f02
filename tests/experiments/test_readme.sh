#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The outputs in the README are what the program prints, and its list of commands is complete. Rounding errors depend on the
# machine and are left out.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
stable() { grep -v -e 'identity:' -e '^  in '; }
sed -n '/^demo: /,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" run --output "$folder/demo" | stable > "$folder/printed"
compare() { # compare NAME: the files expected and printed
    if [ -s "$folder/expected" ] && diff "$folder/expected" "$folder/printed"; then
        echo "[       OK ] $1"
    else
        echo "[  FAILED  ] $1"
        exit 1
    fi
}
compare the_first_output_in_the_readme_is_true
part() { sed -n "/^$1: /,/^\$/p" "$2" | grep -v -e '^```' -e '^$' -e 'L of drift'; }
"${HSGD_PROGRAM:-build/hsgd}" verify --output "$folder/demo" > "$folder/report"
for title in Assumptions 'Proof ladder'; do
    part "$title" README.md | sed 's/ *$//'
done > "$folder/expected"
for title in Assumptions 'Proof ladder'; do
    part "$title" "$folder/report" | sed 's/ *$//'
done > "$folder/printed"
compare the_report_in_the_readme_is_true
# Every command stands in the list with its options; those of `run` are not repeated for others.
program=${HSGD_PROGRAM:-build/hsgd}
sed -n '/^## Commands/,/^## /p' README.md > "$folder/commands"
: > "$folder/expected"
for command in $("$program" --help | sed -n 's/^  hsgd \([a-z][a-z]*\).*/\1/p'); do
    echo "hsgd $command"
    "$program" "$command" --help | sed -n 's/^  \(--[a-z-]*\) .*/\1/p'
done | sort -u > "$folder/expected"
while read -r line; do grep -qF -e "$line" "$folder/commands" && echo "$line"; done < "$folder/expected" > "$folder/printed"
compare the_commands_in_the_readme_are_complete
# The sweep: its configuration stands in the README, too.
sed -n "/^cat > effect-of-G.json/,/^EOF/p" README.md | sed -e 1d -e '$d' > "$folder/effect-of-G.json"
sed -n '/^effect-of-G: /,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" sweep "$folder/effect-of-G.json" --output "$folder/sweep" 2> "$folder/messages" | stable > "$folder/printed"
compare the_sweep_in_the_readme_is_true
# The rate of convergence, with its configuration in experiments/; the last line names the files.
sed -n '/^rate: S over/,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" rate experiments/rate.json --output "$folder/rate" | stable > "$folder/printed"
compare the_rate_in_the_readme_is_true

# Bounds of the reader's own.
table() { sed -n '/^  bound  /,/^  verdicts/p'; }
sed -n '/^## Your own bound/,/^## What/p' README.md | table > "$folder/expected"
"$program" run experiments/user-bound.json --output "$folder/own" | table > "$folder/printed"
compare the_own_bound_in_the_readme_is_true
sed 's/2\*delta/0.5*delta/' experiments/user-bound.json > "$folder/wrong.json"
echo '  mine violated: the whole interval lies above the bound' > "$folder/expected"
"$program" run "$folder/wrong.json" --output "$folder/own" | sed -n 's/^  mine  .*  \(violated.*\)/  mine \1/p' > "$folder/printed"
compare a_wrong_bound_in_the_readme_is_found_out

sed -n '/^phase: /,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" phase experiments/phase.json --output "$folder/phase" | stable > "$folder/printed"
compare the_phase_diagram_in_the_readme_is_true

# The plan: its configuration stands in the README as in the file, and the output is that of the file.
sed -n '/^{ "name": "plan"/,/^```/p' README.md | grep -v '^```' | tr -d ' \n' > "$folder/expected"
tr -d ' \n' < experiments/plan.json > "$folder/printed"
compare the_plan_in_the_readme_is_that_of_the_file
sed -n '/^plan: plans for/,/^```/p' README.md | grep -v '^```' | stable > "$folder/expected"
"${HSGD_PROGRAM:-build/hsgd}" plan experiments/plan.json --output "$folder/plan" | stable > "$folder/printed"
compare the_plan_in_the_readme_is_true

# The LaTeX document, in the folder that the command above it makes.
if ! command -v pdflatex >/dev/null; then
    echo "skipped: pdflatex is not installed"
    exit 0
fi
options=$(sed -n 's|^build/hsgd plot build/demo ||p' README.md)
# shellcheck disable=SC2086 # several words
"${HSGD_PROGRAM:-build/hsgd}" plot "$folder/demo" $options > /dev/null || exit 1
sed -n '/^```latex/,/^```/p' README.md | grep -v '^```' > "$folder/demo/paper.tex"
if [ "$(wc -l < "$folder/demo/paper.tex")" -ge 8 ] &&
    (cd "$folder/demo" && pdflatex -interaction=nonstopmode -halt-on-error paper.tex > /dev/null) &&
    [ -s "$folder/demo/paper.pdf" ] &&
    ! grep -e Overfull -e Underfull -e 'Missing character' -e Warning -e undefined "$folder/demo/paper.log"; then
    echo "[       OK ] the_document_in_the_readme_compiles"
else
    echo "[  FAILED  ] the_document_in_the_readme_compiles"
    exit 1
fi
