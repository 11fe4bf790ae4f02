#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The manual page that the program prints: two formatters find nothing wrong with it, it has every command, option, key, bound
# and figure, with dashes that can be copied into a shell, and its examples run. Prints what cmocka would.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=$(realpath "${HSGD_PROGRAM:-build/hsgd}")
page=$folder/hsgd.1
"$program" --man-page > "$page" || exit 1
# As it is read: words as wide as they like, no hyphenation, no overprinting.
{ echo .nh; cat "$page"; } | groff -man -Tutf8 -k -rLL=200n -P-cbou > "$folder/text" 2>/dev/null

mandoc_is_content() { output=$(mandoc -Tlint -Wall "$page"); echo "$output"; [ -z "$output" ]; }
groff_is_content() { output=$(groff -man -Tutf8 -k -ww -z "$page" 2>&1); echo "$output"; [ -z "$output" ]; }
has() { grep -qF -- "$1" "$folder/text" || { echo "not in the page: $1"; return 1; }; }
every_section() {
    for section in NAME SYNOPSIS DESCRIPTION COMMANDS CONFIGURATION FIGURES BOUNDS FILES 'EXIT STATUS' ENVIRONMENT EXAMPLES 'SEE ALSO'; do
        grep -qx "$section" "$folder/text" || { echo "no section $section"; return 1; }
    done
}
# What --help lists is what must be there, in the words of --help.
commands() { "$program" --help | sed -n 's/^  hsgd \([a-z][a-z]*\).*/\1/p'; }
every_command_and_option() {
    [ "$(commands | wc -l)" -ge 6 ] || return 1
    for command in $(commands); do
        has "hsgd $command" || return 1
        "$program" "$command" --help | sed -n 's/^  \(--[a-z-]*\( [A-Z][^ ]*\| [a-z]*|[^ ]*\)*\)  *[a-z].*/\1/p' > "$folder/options"
        while read -r option; do has "$option" || return 1; done < "$folder/options"
    done
}
every_key() {
    python3 -c '
import json
def keys(value):
    if isinstance(value, dict):
        yield from value.get("properties", {})
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(item)
print("\n".join(sorted(set(keys(json.load(open("experiments/config.schema.json")))))))' > "$folder/keys"
    [ "$(wc -l < "$folder/keys")" -gt 60 ] || return 1
    while read -r key; do
        grep -qE "^ +([][a-z_.]+\.)?$key( |\$)" "$folder/text" || { echo "no key $key"; return 1; }
    done < "$folder/keys"
}
no_key_twice() { twice=$(sed -n '/^CONFIGURATION/,/^FIGURES/p' "$folder/text" | grep -v '^       [^ ]*[.][^ ]* "' | grep -oE '^       [a-z][][a-z_.]*' | sort | uniq -d); echo "$twice"; [ -z "$twice" ]; }
every_bound_and_figure() {
    for name in hsgd-fixed-recursive mll-sgd-2021 convergence ladder S-bytes accuracy-time sweep-map HSGD_DATA_DIR OMP_NUM_THREADS; do
        has "$name" || return 1
    done
}
# Hyphens in the place of dashes cannot be pasted into a shell.
dashes_are_those_of_the_keyboard() { grep -qF 'S\-bytes,' "$page" && has 'hsgd run --output demo' && has '--dry-run' && ! grep -n '[‐−]-\|-[‐−]\| [‐−][a-z]' "$folder/text"; }
examples_run() {
    sed -n '/^\.EX/,/^\.EE/p' "$page" | grep -v '^\.' | sed 's/\\-/-/g; s/\\(ha/^/g' > "$folder/examples"
    [ "$(wc -l < "$folder/examples")" -ge 4 ] || return 1
    mkdir "$folder/bin" && ln -s "$program" "$folder/bin/hsgd" && cd "$folder" && PATH=$folder/bin:$PATH sh -e examples
}

check mandoc_is_content mandoc_is_content
check groff_is_content groff_is_content
check every_section_is_there every_section
check every_command_and_option_is_there every_command_and_option
check every_key_is_there every_key
check no_key_stands_twice no_key_twice
check every_bound_and_figure_is_there every_bound_and_figure
check dashes_are_those_of_the_keyboard dashes_are_those_of_the_keyboard
check examples_run examples_run
exit $failed
