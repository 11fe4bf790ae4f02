#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The completion that the program prints, asked as bash asks it: commands, options, words, files and folders, and no more than
# what the program takes. Prints what cmocka would.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
program=$(realpath "${HSGD_PROGRAM:-build/hsgd}")
cd "$folder" || exit 1
"$program" --bash-completion > hsgd.bash || exit 1
mkdir 'a folder' drawn results
touch 'my run.json' other.json readme.txt results/deep.json
# shellcheck source=/dev/null
source ./hsgd.bash || exit 1

# offers WORD...: what is offered for the last word, with commas between; files come in the order of the file system.
offers() {
    COMP_WORDS=(hsgd "$@"); COMP_CWORD=$#; COMPREPLY=()
    _hsgd
    local IFS=,
    printf '%s' "${COMPREPLY[*]}"
}
sorted() { tr , '\n' <<< "$1" | sort; }
expect() { # expect OFFERED WORD...
    local want=$1 got; shift
    got=$(offers "$@")
    [[ $(sorted "$got") == "$(sorted "$want")" ]] || { echo "hsgd $*: offers \"$got\", not \"$want\""; return 1; }
}
commands() { "$program" --help | sed -n 's/^  hsgd \([a-z][a-z]*\).*/\1/p'; }
options() { "$program" "$1" --help | sed -n 's/^  \(--[a-z-]*\) .*/\1/p'; }

it_is_registered() { [[ $(complete -p hsgd) == 'complete -F _hsgd hsgd' ]]; }
commands_are_those_of_the_help() {
    expect "$(commands | paste -sd,),--help,--version,--man-page,--bash-completion" '' && expect run ru && expect '' x
}
options_are_those_of_the_help() {
    local command
    for command in $(commands); do
        expect "$(options "$command" | paste -sd, | sed 's/.$/&,/')--help" "$command" - || return 1
    done
    expect --seeds run --se
}
# Each word that is offered is taken, and no other. (No gnuplot: what it would draw does not matter here.)
words_are_those_that_are_legal() {
    local word words
    words=$("$program" plot --help | sed -n 's/^  --format \([a-z|]*\).*/\1/p' | tr '|' ,)
    expect "$words" plot results --format '' && expect png plot --format pn && expect svg plot --format = s &&
        expect "$words" plot --format = || return 1
    "$program" run --output drawn --seeds 2 --quiet
    for word in ${words//,/ }; do PATH=/nonexistent "$program" plot drawn --format "$word" 2>&1 | grep -v 'gnuplot is not' && return 1; done
    ! "$program" plot drawn --format gif && ! "$program" plot drawn --format pd
}
configurations_are_json_files() {
    expect 'my run.json,other.json,a folder,drawn,results' run '' && expect results/deep.json verify results/ &&
        expect 'my run.json' exact m && expect 'a folder,drawn,results' run --output ''
}
folders_are_folders() { expect 'a folder,drawn,results' plot '' && expect results plot re; }
numbers_are_left_to_the_user() { expect '' run --seeds '' && expect '' sandwich --fanout ''; }
an_option_stands_once() {
    [[ ,$(offers run --output d -), != *,--output,* && ,$(offers run --output d -), == *,--quiet,* ]] && expect '' run --quiet --q
}
switches_take_nothing() { expect 'my run.json' run --quiet m && expect --fanout,--periods,--json,--help sandwich ''; }

check it_is_registered it_is_registered
check commands_are_those_of_the_help commands_are_those_of_the_help
check options_are_those_of_the_help options_are_those_of_the_help
check words_are_those_that_are_legal words_are_those_that_are_legal
check configurations_are_json_files configurations_are_json_files
check folders_are_folders folders_are_folders
check numbers_are_left_to_the_user numbers_are_left_to_the_user
check an_option_stands_once an_option_stands_once
check switches_take_nothing switches_take_nothing
exit $failed
