#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Pages of hsgd report in a browser (check_pages.py says what is checked): one about bounds, one about data on many workers with
# many classes, one with a name that would break a page that does not escape it,
# one of a sweep with all kinds of figures but one.
# shellcheck source=tests/preamble.sh
. "$(dirname "$0")/../preamble.sh" || exit 1
hsgd=${HSGD_PROGRAM:-build/hsgd}

python=
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import selenium' 2>/dev/null && python=$candidate && break
done
if [ -z "$python" ] || ! command -v chromium >/dev/null; then
    echo "[  SKIPPED ] pages_in_a_browser"
    echo "skipped: chromium, chromium-driver or python3-selenium is not installed"
    exit 0
fi

"$hsgd" verify experiments/demo-3level.json --seeds 3 --quiet --output "$folder/bounds"
cat > "$folder/data.json" <<'JSON'
{ "name": "data", "hierarchy": { "fanout": [8, 5, 5], "periods": [8, 4, 2] },
  "problem": { "type": "softmax", "data": { "format": "synthetic", "alpha": 1, "beta": 1, "features": 5, "classes": 40, "max_samples": 90 } },
  "grouping": "group-noniid", "optimizer": { "step_size": 0.05, "steps": 16, "batch_size": 2 }, "seeds": 3, "evaluate_every": 1,
  "targets": [ { "quantity": "train_accuracy", "value": 0.05 } ], "communication": {} }
JSON
cat > "$folder/name.json" <<'JSON'
{ "name": "<script>alert(1)</script> <b onclick=\"x\">'&amp; </title></style>\nAVeryLongNameWithoutAnyBlankThatWouldNotFitOnAPhoneIfItWereNotBroken中é",
  "hierarchy": { "fanout": [2, 2], "periods": [4, 2] }, "optimizer": { "step_size": 0.3, "steps": 12 },
  "problem": { "type": "quadratic", "dimension": 2, "curvature_range": [0.5, 1], "level_divergence": [1, 1], "noise_variance": 1 } }
JSON
for name in data name; do
    "$hsgd" run "$folder/$name.json" --quiet --output "$folder/$name"
done
cat > "$folder/sweep.json" <<'JSON'
{ "name": "sweep", "hierarchy": { "fanout": [2, 3], "periods": [4, 2] }, "optimizer": { "step_size": 0.1, "steps": 16 }, "seeds": 3,
  "problem": { "type": "quadratic", "dimension": 2, "curvature_range": [0.5, 1], "level_divergence": [1, 1], "noise_variance": 1 },
  "sweep": { "axes": [ { "name": "G", "key": "hierarchy.periods[0]", "values": [2, 4, 8] },
    { "name": "rate", "key": "optimizer.step_size", "values": [0.02, 0.1, 0.2] } ] } }
JSON
"$hsgd" sweep "$folder/sweep.json" --quiet --output "$folder/sweep"
for name in bounds data name sweep; do
    "$hsgd" report "$folder/$name" >/dev/null || { echo "[  FAILED  ] report"; exit 1; }
done
# shellcheck disable=SC2086 # two words or none
HOME=$folder "$python" tests/experiments/check_pages.py ${PICTURES:+--pictures "$PICTURES"} \
    "$folder/bounds/report.html" "$folder/data/report.html" "$folder/name/report.html" "$folder/sweep/report.html"
