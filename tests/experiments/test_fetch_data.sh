#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# experiments/fetch-data against mirrors on the loopback interface that fail in every way mirrors do: only right files get
# their names, messages say what is wrong, and what came is not fetched twice. No network. Prints what cmocka would.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v python3 >/dev/null 2>&1 && command -v curl >/dev/null 2>&1 || { echo "    skipped: no python3 or no curl"; exit 0; }
work=$(mktemp -d "${TMPDIR:-/tmp}/hsgd-fetch.XXXXXX") || exit 1
mkdir "$work/served"
python3 tests/experiments/mirror.py "$work/served" "$work/log" > "$work/port" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
at=http://127.0.0.1:$(cat "$work/port")
no_proxy=127.0.0.1; export no_proxy
failed=0
case_number=0

# ---- what is served ----

# Two labels as IDX; a text; archives. Incompressible, so that half of a file is a fair part of it.
{ printf '\000\000\010\001\000\001\000\000'; head -c 65536 /dev/urandom; } > "$work/served/labels"
gzip -nc "$work/served/labels" > "$work/served/labels.gz"
gzip -1nc "$work/served/labels" > "$work/again.gz"
yes '+1 1:0.5 2:3' | head -n 4000 > "$work/served/rows"
mkdir "$work/in" && cp "$work/served/rows" "$work/in/rows.bin"
tar -czf "$work/served/set.tar.gz" -C "$work" in
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").write(sys.argv[2], "gzip/rows.txt")' \
    "$work/served/set.zip" "$work/served/rows"
sum() { sha256sum < "$work/served/$1" | cut -d ' ' -f 1; }

# ---- running and checking ----

fetch() { # fetch CHECK SHAPE FILE MIRROR...: one file from the mirrors into a folder of its own
    case_number=$((case_number + 1))
    data=$work/data$case_number
    again "$@"
}
again() { # the same into the folder of before
    check=$1 shape=$2 file=$3; shift 3
    echo "# a comment" > "$work/table"
    echo "other $file none any $at/absent/" >> "$work/table"
    echo "set $file $check $shape $*" >> "$work/table"
    : > "$work/log"
    HSGD_DATA_TABLE=$work/table HSGD_DATA_DIR=$data experiments/fetch-data set > "$work/out" 2>&1
    code=$?
}
report() { # report NAME PROBLEM: an empty problem is success
    if [ -z "$2" ]; then echo "[       OK ] $1"; return; fi
    echo "[  FAILED  ] $1"
    echo "$2"; echo "--- what it said (exit code $code):"; cat "$work/out"; echo "--- requests:"; cat "$work/log"
    failed=1
}
# Conditions on the last run; each prints what does not hold.
succeeded() { # succeeded FILE: exit code 0, and the file is the served one
    [ "$code" -eq 0 ] || echo "exit code $code"
    cmp -s "$work/served/$(basename "$1")" "$data/$1" || echo "$1 is not the served file"
    [ ! -e "$data/$1.part" ] || echo "the part is still there"
}
refused() { # refused FILE TEXT: exit code 4, no file, the text in the output
    [ "$code" -eq 4 ] || echo "exit code $code"
    [ ! -e "$data/$1" ] || echo "$1 is there"
    said "$2"
}
said() { grep -qF -e "$1" "$work/out" || echo "it did not say \"$1\""; }
requests() { # requests LINE...: exactly these
    printf '%s\n' "$@" | cmp -s - "$work/log" || { echo "requests are not:"; printf '%s\n' "$@"; }
}
nothing_kept() { [ ! -e "$data/$1.part" ] || echo "a part is kept"; }

# ---- right files ----

gz_sum=$(sum labels.gz)
fetch sha256:"$gz_sum" idx:65536 labels.gz "$at/good/"
report a_file_with_its_checksum "$(succeeded labels.gz; requests 'good labels.gz - 200')"
again sha256:"$gz_sum" idx:65536 labels.gz "$at/good/"
report what_is_there_is_not_fetched_again "$(succeeded labels.gz; said 'is there and right'; [ ! -s "$work/log" ] || cat "$work/log")"
fetch md5:"$(md5sum < "$work/served/labels.gz" | cut -d ' ' -f 1)" any deep/er/labels.gz "$at/good/labels.gz"
report md5_and_folders "$(succeeded deep/er/labels.gz)"
fetch content-sha256:"$(sum labels)" idx:65536 labels.gz "$at/good/"
cp "$work/again.gz" "$data/labels.gz"
again content-sha256:"$(sum labels)" idx:65536 labels.gz "$at/good/"
report a_file_that_was_compressed_anew "$([ $code -eq 0 ] || echo "exit code $code"; said 'is there and right')"
fetch none lines:4000 rows "$at/good/"
report without_a_checksum_by_its_structure "$(succeeded rows)"

# ---- archives ----

fetch sha256:"$(sum set.tar.gz)" any set.tar.gz "$at/good/"
report tar_files_are_unpacked "$(succeeded set.tar.gz; cmp "$data/in/rows.bin" "$work/served/rows" 2>&1)"
fetch none any sub/set.zip "$at/good/"
report zip_files_are_unpacked_without_their_folders "$(succeeded sub/set.zip; cmp "$data/sub/rows.txt" "$work/served/rows" 2>&1)"

# ---- wrong files ----

fetch none any labels.gz "$at/html/"
report an_html_page_saved_as_gz "$(refused labels.gz 'an HTML page instead of the data'; nothing_kept labels.gz)"
fetch none any labels.gz "$at/cut/"
report a_truncated_gzip_file "$(refused labels.gz 'truncated or damaged'; nothing_kept labels.gz)"
fetch none any set.zip "$at/cut/"
report a_truncated_zip_file "$(refused set.zip 'not a whole zip file')"
fetch none lines:4000 rows "$at/cut/"
report a_truncated_text "$(refused rows 'lines, expected 4000')"
fetch sha256:"$(sum rows)" lines:4000 rows "$at/other/"
report a_wrong_checksum "$(refused rows "expected $(sum rows)"; nothing_kept rows)"
fetch md5:00000000000000000000000000000000 any rows "$at/good/"
report a_wrong_md5 "$(refused rows 'expected 00000000000000000000000000000000')"
fetch content-sha256:"$gz_sum" any labels.gz "$at/good/"
report a_wrong_checksum_of_the_content "$(refused labels.gz "expected $gz_sum")"
fetch none idx:65536x1 labels.gz "$at/good/"
report an_idx_file_of_another_kind "$(refused labels.gz 'not an IDX file of 2 dimensions of bytes (magic number 2049)')"
fetch none idx:65535 labels.gz "$at/good/"
report an_idx_file_of_another_size "$(refused labels.gz 'an IDX file of 65536 items, expected 65535')"
head -c 1000 "$work/served/labels" | gzip -c > "$work/served/short.gz"
fetch none idx:65536 short.gz "$at/good/"
report an_idx_file_that_is_too_short "$(refused short.gz '1000 bytes, but 65536 items take 65544')"
: > "$work/served/empty"
fetch none any empty "$at/good/"
report an_empty_file "$(refused empty 'an empty file')"
fetch none any rows "$at/good/"
echo 'my own notes' > "$data/rows"
again none lines:4000 rows "$at/good/"
report a_wrong_file_that_was_there_stays "$([ $code -eq 4 ] || echo "exit code $code"; said 'remove it to fetch it again'
    grep -q 'my own notes' "$data/rows" || echo 'it is gone')"

# ---- mirrors ----

# Nobody listens on port 1.
fetch sha256:"$gz_sum" any labels.gz http://127.0.0.1:1/ "$at/absent/" "$at/broken/" "$at/html/" "$at/cut/" "$at/other/" "$at/good/"
report the_first_mirror_that_works_is_taken "$(succeeded labels.gz; said 'HTTP status 404'; said 'HTTP status 503'
    requests 'absent labels.gz - 404' 'broken labels.gz - 503' 'html labels.gz - 200' 'cut labels.gz - 200' \
        'other labels.gz - 200' 'good labels.gz - 200')"
fetch sha256:"$gz_sum" any labels.gz http://127.0.0.1:1/ "$at/broken/"
report no_mirror_works "$(refused labels.gz 'no mirror gave it')"

# ---- parts ----

all=$(wc -c < "$work/served/labels.gz")
half=$((all / 2))
part() { # part FILE BYTES: as if an earlier call had been interrupted
    mkdir -p "$data" && head -c "$2" "$work/served/$1" > "$data/$1.part"
}
fetch sha256:"$gz_sum" any labels.gz "$at/breaks-off/"
report a_connection_that_breaks_off "$(refused labels.gz "$half bytes are kept, call again to continue")"
again sha256:"$gz_sum" any labels.gz "$at/good/"
report the_next_call_continues "$(succeeded labels.gz; requests "good labels.gz bytes=$half- 206")"
fetch sha256:"$gz_sum" any labels.gz "$at/breaks-off/" "$at/absent/" "$at/good/"
report the_next_mirror_continues "$(succeeded labels.gz
    requests 'breaks-off labels.gz - 200' "absent labels.gz bytes=$half- 404" "good labels.gz bytes=$half- 206")"
case_number=$((case_number + 1)); data=$work/data$case_number
part labels.gz "$half"
again sha256:"$gz_sum" any labels.gz "$at/no-ranges/"
report a_mirror_that_cannot_continue "$(succeeded labels.gz; said 'the mirror cannot continue a file'
    requests "no-ranges labels.gz bytes=$half- 200" 'no-ranges labels.gz - 200')"
case_number=$((case_number + 1)); data=$work/data$case_number
part labels.gz "$all"
again sha256:"$gz_sum" any labels.gz "$at/good/"
report a_part_that_is_complete "$(succeeded labels.gz; requests "good labels.gz bytes=$all- 416")"
case_number=$((case_number + 1)); data=$work/data$case_number
mkdir -p "$data" && head -c 1000 /dev/zero > "$data/labels.gz.part"
again sha256:"$gz_sum" any labels.gz "$at/good/"
report a_part_of_something_else "$(succeeded labels.gz; said 'from the beginning'
    requests 'good labels.gz bytes=1000- 206' 'good labels.gz - 200')"

# ---- usage ----

HSGD_DATA_TABLE=$work/table experiments/fetch-data nothing > "$work/out" 2>&1; code=$?
report an_unknown_data_set "$([ $code -eq 2 ] || echo "exit code $code"; said '"nothing" is not a data set; there are other, set')"
experiments/fetch-data > "$work/out" 2>&1; code=$?
report the_list_of_data_sets "$([ $code -eq 2 ] || echo "exit code $code"
    said 'mnist, fashion-mnist, emnist, cifar10, cifar100, a9a')"

# Every line of the table that comes with the program: five fields at least, legal checks and shapes, absolute URLs.
sums='(content-)?sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}|none' shapes='any|idx:[0-9]+(x[0-9]+)*|lines:[0-9]+'
grep -Evn -e '^(#|$)' -e "^[a-z0-9-]+ [^ /][^ ]* ($sums) ($shapes)( https?://[^ ]+)+\$" experiments/data-sets.txt > "$work/out"
grep -n ' none any ' experiments/data-sets.txt >> "$work/out"
code=0
report the_table_is_well_formed "$(cat "$work/out")"

# The files that come with the project's data are right by the table.
data=${HSGD_DATA_DIR:-../shared/data}
if [ -e "$data/a9a.t" ] && [ -e "$data/t10k-images-idx3-ubyte.gz" ]; then
    grep -E ' (a9a\.t|t10k-)' experiments/data-sets.txt | grep -v '^fashion' | sed 's/^[a-z0-9]* /there /' > "$work/table"
    : > "$work/log"
    HSGD_DATA_TABLE=$work/table HSGD_DATA_DIR=$data experiments/fetch-data there > "$work/out" 2>&1
    code=$?
    report the_table_knows_the_files_at_hand "$([ $code -eq 0 ] || echo "exit code $code"
        [ "$(grep -c 'is there and right' "$work/out")" -eq 3 ] || echo 'not three files')"
else
    echo "    skipped: no data in $data (HSGD_DATA_DIR)"
fi
exit $failed
