# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README says is seen in the figures of the paper, checked on shortened runs of the same experiment files.

    python3 paper_orders.py PROGRAM FOLDER-OF-EXPERIMENTS WORK

Prints what cmocka would. Every claim is about neighbours in an order: their confidence intervals must not touch."""
import json
import os
import subprocess
import sys

program, experiments, work = sys.argv[1:]
STEPS, SEEDS = 160, 8


def shorten(config):
    config["optimizer"]["steps"] = STEPS
    config["seeds"] = SEEDS
    config["figures"] = ["sandwich"] if "sweep" not in config else []
    config["evaluate_every"] = 10
    return config


def run(name, change=lambda config: None):
    """The folder with the results of a shortened experiment."""
    with open(f"{experiments}/paper-{name}.json") as file:
        config = shorten(json.load(file))
    change(config)
    path, folder = f"{work}/{name}.json", f"{work}/{name}"
    with open(path, "w") as file:
        json.dump(config, file)
    command = [program, "sweep", "--jobs", "2"] if "sweep" in config else [program, "run"]
    code = subprocess.run(command + [path, "--output", folder, "--quiet"], check=False).returncode
    if code not in (0, 3):
        raise AssertionError(f"{name}: exit code {code}")
    return folder


def read(path):
    with open(path) as file:
        return json.load(file)


def points(name):
    """Title and result of every point of a sweep, in the order of the file."""
    folder = run(name)
    for point in read(f"{folder}/sweep.json")["points"]:
        yield point["title"], read(os.path.join(folder, point["folder"], "result.json"))


def increases(values):
    """values: (title, {mean, ci}) must increase, and no two neighbouring intervals touch."""
    values = list(values)
    for (a, low), (b, high) in zip(values, values[1:]):
        if not low["ci"][1] < high["ci"][0]:
            raise AssertionError(f"{a}: {low['mean']:.4g} {low['ci']} is not below {b}: {high['mean']:.4g} {high['ci']}")
    if len(values) < 3:
        raise AssertionError(f"only {len(values)} points")


def accuracy(metrics):
    return metrics["hsgd"]["final"]["test_accuracy"]


def s_of(results):
    return [(title, result["measured"]["S"]) for title, result in results]


def s_increases(name):
    increases(s_of(points(name)))


def s_decreases(name):
    increases(reversed(s_of(points(name))))


def s_increases_and_accuracy_falls(name):
    results = list(points(name))
    increases(s_of(results))
    ends = [results[-1], results[len(results) // 2], results[0]]
    increases([(title, accuracy(result["metrics"])) for title, result in ends])


def the_sandwich(name):
    result = read(run(name) + "/result.json")
    inner, outer = (result["measured_references"][key]["S"] for key in ("local-sgd-inner", "local-sgd-outer"))
    increases([("I", inner), ("H-SGD", result["measured"]["S"]), ("G", outer)])
    metrics = result["metrics"]
    final = [(key, metrics[key]["final"]["test_accuracy"]) for key in ("local-sgd-outer", "hsgd", "local-sgd-inner")]
    increases(final)


def hsgd_is_first_in_time(name):
    """H-SGD is the first to reach an accuracy, in modelled seconds; the others are later in every run, or never there."""
    def lower(config):
        config["targets"] = [{"quantity": "test_accuracy", "value": 0.35}]
        config["evaluate_every"] = 2
    target = read(run(name, lower) + "/result.json")["targets"][0]
    times = {key: target[key]["times_of_runs_s"] for key in ("hsgd", "local-sgd-inner", "local-sgd-outer")}
    slowest = max(times.pop("hsgd"))
    for key, seconds in times.items():
        if len(seconds) < SEEDS or not all(slowest < (s or float("inf")) for s in seconds):
            raise AssertionError(f"{key} needs {seconds}, H-SGD up to {slowest}")


CLAIMS = [
    ("sandwich", the_sandwich),
    ("groups", s_increases_and_accuracy_falls),
    ("local-period", s_increases_and_accuracy_falls),
    ("global-period", s_increases_and_accuracy_falls),
    ("grouping", s_increases),
    ("levels", s_decreases),
    ("unequal", s_increases),
    ("participation", s_increases),
    ("time", hsgd_is_first_in_time),
]

failed = False
for claimed, holds in CLAIMS:
    try:
        holds(claimed)
        print(f"[       OK ] {claimed.replace('-', '_')}_is_as_the_readme_says")
    except AssertionError as reason:
        print(f"[  FAILED  ] {claimed.replace('-', '_')}_is_as_the_readme_says\n{reason}")
        failed = True
listed = {"paper-" + name for name, _ in CLAIMS}
there = {file[:-5] for file in os.listdir(experiments) if file.startswith("paper-")}
if listed == there:
    print("[       OK ] every_experiment_of_the_paper_is_checked")
else:
    print(f"[  FAILED  ] every_experiment_of_the_paper_is_checked\n{sorted(listed ^ there)}")
    failed = True
sys.exit(failed)
