#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""For test_plugin.sh. `make FOLDER`: the same samples for the built-in logistic regression (LEAF users that are workers,
in order) and for the example plug-in, with a configuration for each. `same A B`: do two result folders agree in S, and in
every column of series.csv that both have, up to rounding?"""
import csv, json, math, os, random, sys

WORKERS, SAMPLES, FEATURES = 8, 12, 5


def make(folder):
    random.seed(2)
    users, rows = {}, []
    for j in range(WORKERS):
        x = [[random.gauss(0.2 * j, 1) for _ in range(FEATURES)] for _ in range(SAMPLES)]
        y = [int(random.gauss(0, 1) + x[i][0] > 0.5) for i in range(SAMPLES)]
        users["u%d" % j] = {"x": x, "y": y}
        rows += [x[i] + [1 if y[i] else -1] for i in range(SAMPLES)]
    leaf = {"users": list(users), "num_samples": [SAMPLES] * WORKERS, "user_data": users}
    json.dump(leaf, open(os.path.join(folder, "leaf.json"), "w"))
    built_in = {"type": "logistic", "data": {"format": "leaf", "path": "leaf.json"},
                "partition": {"scheme": "natural", "user_order": "in-order"}, "regularizer": {"type": "l2", "weight": 0.01}}
    plugin = {"type": "plugin", "path": "my.so",
              "parameters": {"loss": "logistic", "features": FEATURES, "samples_per_worker": SAMPLES, "weight": 0.01,
                             "samples": rows}}
    for batch_size, grouping in (3, "given"), (0, "given"), (70, "random"):
        for name, problem in ("built-in", built_in), ("plugin", plugin):
            config = {"name": name, "hierarchy": {"fanout": [4, 2], "periods": [6, 3]}, "problem": problem,
                      "grouping": grouping, "initial": {"scale": 0.5}, "seeds": 3, "figures": [],
                      "optimizer": {"step_size": 0.1, "steps": 90, "batch_size": batch_size}}
            json.dump(config, open(os.path.join(folder, "%s-%d.json" % (name, batch_size)), "w"))


def read(folder):
    with open(os.path.join(folder, "series.csv")) as file:
        rows = list(csv.DictReader(file))
    return json.load(open(os.path.join(folder, "result.json"))), rows


# Bounds and what they are compared with rest on L and sigma^2, which the two know differently well.
def is_measured(column):
    return not any(word in column for word in ("bound", "inner", "outer", "ratio"))


def same(a, b):
    (result_a, rows_a), (result_b, rows_b) = read(a), read(b)
    for name in "S", "S_round", "S_min":
        x, y = result_a["measured"][name]["mean"], result_b["measured"][name]["mean"]
        if not math.isclose(x, y, rel_tol=1e-12):
            sys.exit("%s is %r and %r" % (name, x, y))
    assert len(rows_a) == len(rows_b) > 50
    columns = [c for c in rows_a[0] if c in rows_b[0] and is_measured(c)]
    assert {"loss", "grad_norm_sq", "divergence_level_2", "dispersion_level_1"} <= set(columns), columns
    for row_a, row_b in zip(rows_a, rows_b):
        for c in columns:
            if row_a[c] != row_b[c] and not math.isclose(float(row_a[c]), float(row_b[c]), rel_tol=1e-9, abs_tol=1e-13):
                sys.exit("step %s: %s is %s and %s" % (row_a["step"], c, row_a[c], row_b[c]))


{"make": make, "same": same}[sys.argv[1]](*sys.argv[2:])
