#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# `make install` into an empty folder: the example compiles against it with pkg-config, shared and static, as C and with the
# headers as C++; the installed program runs, and loads the example plug-in, compiled as its first lines say. Prints what cmocka would, for tests/run-all.
# shellcheck disable=SC2046,SC2086 # lists of flags
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
prefix=$folder
example=experiments/examples/own_objective.c
hsgd_flags() { PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config "$@" hsgd; }
compile_shared() { cc -Wall -Wextra -Werror ${SANITIZE:-} -o "$prefix/shared" $example $(hsgd_flags --cflags --libs) -lm; }
compile_static() {
    cc -Wall -Wextra -Werror ${SANITIZE:-} -o "$prefix/static" $example $(hsgd_flags --cflags) "$prefix/lib/libhsgd.a" \
       $(hsgd_flags --static --libs | sed 's/-lhsgd//')
}
# Without what POSIX and GNU add to the C library's headers.
headers_are_plain_c11() { echo '#include <hsgd.h>' | cc -x c -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only $(hsgd_flags --cflags) -; }
headers_are_cpp_safe() { echo '#include <hsgd.h>' | c++ -x c++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only $(hsgd_flags --cflags) -; }
# The example's table: three bounds, each with its verdict.
runs_and_holds() { LD_LIBRARY_PATH="$prefix/lib" "$1" | tee "$prefix/out" && [ "$(grep -c ' holds$' "$prefix/out")" -eq 3 ]; }
# The recipe of the README; the numbers are those of the README, too.
plugin_compiles_and_runs() {
    mkdir "$prefix/plugin" && cp "$prefix"/share/hsgd/examples/plugin.* "$prefix/plugin" && cd "$prefix/plugin" || return 1
    sed -i 's/"seeds"/"figures": [], "seeds"/' plugin.json # others draw figures
    cc -shared -fPIC -O2 -Wall -Wextra -Werror ${SANITIZE:-} -o my.so plugin.c $(hsgd_flags --cflags) -lm &&
        "$prefix/bin/hsgd" run plugin.json --output out > printed || return 1
    cd "$OLDPWD" && sed -n '/^sigmoid: /,/^```/p' README.md | grep -v '^```' > "$prefix/plugin/expected" && [ -s "$prefix/plugin/expected" ] &&
        while IFS= read -r line; do grep -qxF -e "$line" "$prefix/plugin/printed" || { echo "not printed: $line"; return 1; }; done < "$prefix/plugin/expected"
}
program_runs() { [ "$("$prefix/bin/hsgd" --version)" = "hsgd $(sed -n 's/^VERSION *:= *//p' Makefile)" ]; }
# Where man and bash look for them by themselves.
page_and_completion_are_found() {
    "$prefix/bin/hsgd" --man-page | cmp - "$prefix/share/man/man1/hsgd.1" &&
        "$prefix/bin/hsgd" --bash-completion | cmp - "$prefix/share/bash-completion/completions/hsgd"
}
uninstall_leaves_nothing() {
    "${MAKE:-make}" -s uninstall BUILD="$build" PREFIX="$prefix" && [ -z "$(find "$prefix" -name '*hsgd*' ! -path "$prefix")" ]
}

check install_into_an_empty_folder "${MAKE:-make}" -s install BUILD="$build" PREFIX="$prefix"
check program_runs program_runs
check page_and_completion_are_found page_and_completion_are_found
check plugin_compiles_and_runs plugin_compiles_and_runs
check example_compiles_with_the_shared_library compile_shared
check example_runs_with_the_shared_library runs_and_holds "$prefix/shared"
check example_compiles_with_the_static_library compile_static
check example_runs_with_the_static_library runs_and_holds "$prefix/static"
check headers_are_plain_c11 headers_are_plain_c11
check headers_are_cpp_safe headers_are_cpp_safe
check uninstall_leaves_nothing uninstall_leaves_nothing
exit $failed
