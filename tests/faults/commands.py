# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of hsgd as the tests of faults call them, and what may be said of their folders."""
import json
import os
import pathlib
import re
import subprocess

PROGRAM = os.path.abspath(os.environ.get("HSGD_PROGRAM", "build/hsgd"))
DOCUMENTS = ["result.json", "sweep.json", "phase.json", "rate.json", "hunt.json", "plan.json", "train.json", "pep.json"]

TREE = {"fanout": [2, 2], "periods": [4, 2]}
QUADRATIC = {"type": "quadratic", "dimension": 3, "curvature_range": [0.1, 1], "level_divergence": [1, 1],
             "noise_variance": 1}
EXPERIMENT = {"name": "c", "hierarchy": TREE, "problem": QUADRATIC, "seeds": 2, "figures": ["convergence"],
              "optimizer": {"step_size": 0.01, "steps": 16}}
# Long enough to be killed in the middle, with checkpoints as often as possible.
LONG = EXPERIMENT | {"seeds": 3, "optimizer": {"step_size": 0.01, "steps": 6000}, "measure_every": 10,
                     "figures": ["convergence", "terms"]}
CONFIGS = {
    "run": EXPERIMENT,
    "long": LONG,
    "old": EXPERIMENT | {"name": "old", "optimizer": {"step_size": 0.02, "steps": 8}},
    "tikz": EXPERIMENT | {"figure_style": {"format": "tikz"}},
    "sweep": EXPERIMENT | {"figures": ["sweep"], "sweep": {"axes": [
        {"name": "I", "key": "hierarchy.periods[1]", "values": [1, 2]}]}},
    "phase": EXPERIMENT | {"figures": ["phase"], "phase": {"method": "monte-carlo", "axes": [
        {"name": "G", "key": "hierarchy.periods[0]", "values": [4, 8]},
        {"name": "s", "key": "optimizer.step_size", "values": [0.01, 0.02]}]}},
    "rate": EXPERIMENT | {"figures": ["all"], "bounds": ["hsgd-fixed"], "rate": {
        "over": "steps", "values": [50, 100, 200], "method": "sampled", "fit_from": 50,
        "step_size": {"rule": "sqrt(n/T)", "constant": 0.05}}},
    "hunt": {"name": "hunt", "hierarchy": TREE, "optimizer": {"step_size": 0.05, "steps": 20},
             "problem": {"type": "quadratic", "curvature": [1], "linear": [[0], [0], [0], [0]]},
             "hunt": {"bound": "hsgd-fixed-recursive", "free": ["linear", "step_size"], "budget": {"evaluations": 20}}},
    "plan": {"name": "plan", "workers": 4, "network": [2, 2], "dimension": 10, "max_period": 8, "budget_seconds": 36,
             "communication": {"levels": ["wan-100", "lan"], "compute_s_per_step": 0.01}, "bound": "hsgd-random-sharp",
             "constants": {"L": 1, "sigma_sq": 10, "delta": 4, "global_divergence_sq": 1.5}, "levels": {"max": 2}},
    "pep": {"name": "pep", "hierarchy": {"fanout": [2], "periods": [2]}, "optimizer": {"step_size": 0.1, "steps": 2},
            "problem": QUADRATIC | {"level_divergence": [1], "noise_variance": 0},
            "pep": {"from": 0.1, "to": 1, "points": 3, "axes": [
                {"name": "T", "key": "optimizer.steps", "values": [2]}]}},
}


class Command:
    """One call of hsgd. arguments: with {out} for the folder that it writes to. before: calls that make what it works on.
    resumes: it goes on with --resume. reads_only: results are on standard output. every: of its many calls of the system so few are
    tried."""

    def __init__(self, name, arguments, before=(), resumes=False, reads_only=False, every=1):
        self.name, self.arguments, self.before = name, arguments.split(), [line.split() for line in before]
        self.resumes, self.reads_only, self.every = resumes, reads_only, every


COMMANDS = {command.name: command for command in [
    Command("run", "run run.json --output {out} --threads 1", resumes=True),
    Command("rerun", "run run.json --output {out} --threads 1", before=["run old.json --output {out} --quiet"], resumes=True),
    Command("long", "run long.json --output {out} --threads 1 --checkpoint-every 0.04", resumes=True, every=9),
    Command("verify", "verify run.json --output {out} --threads 1", resumes=True),
    Command("tikz", "run tikz.json --output {out} --threads 1"),
    Command("sweep", "sweep sweep.json --output {out} --jobs 1 --threads 1 --quiet", resumes=True),
    Command("phase", "phase phase.json --output {out} --threads 1", resumes=True),
    Command("rate", "rate rate.json --output {out} --threads 1", resumes=True),
    Command("hunt", "hunt hunt.json --output {out} --threads 1"),
    Command("plan", "plan plan.json --output {out} --threads 1"),
    Command("pep", "pep --periods 2 --steps 2 --certificate {out}/proof.json --instance {out}/instance.json "
                   "--instance-figure {out}"),
    Command("sdpa", "pep --periods 2 --steps 2 --variant descent --sdpa {out}/program.dat-s"),
    Command("pep-curves", "pep pep.json --output {out}"),
    Command("plot", "plot {out}", before=["run run.json --output {out} --quiet"]),
    Command("report", "report {out}", before=["run run.json --output {out} --quiet"]),
    Command("check", "check {out}", before=["run run.json --output {out} --quiet"], reads_only=True),
    Command("diff", "diff {out} {out}", before=["run run.json --output {out} --quiet"], reads_only=True),
]}


def environment(**more):
    return os.environ | {"SOURCE_DATE_EPOCH": "0", "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1",
                         "OPENBLAS_NUM_THREADS": "1"} | more


def line(arguments, out):
    return [PROGRAM] + [argument.format(out=out) for argument in arguments]


def write_config(name, config):
    pathlib.Path(name + ".json").write_text(json.dumps(config))


def write_configs():
    for name, config in CONFIGS.items():
        write_config(name, config)


def call(arguments, out, **more):
    return subprocess.run(line(arguments, out), env=environment(**more), capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)


def files(folder):
    """What lies below it, but for folders."""
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*")
                  if path.is_symlink() or not path.is_dir())


def content(folder, name):
    """The bytes of a file, without the date that gnuplot writes into PDF and TikZ."""
    text = pathlib.Path(folder, name).read_bytes()
    if name.endswith(".pdf"):
        return re.sub(rb"/CreationDate \(D:[^)]*\)", b"", text)
    return re.sub(rb"\n%% [A-Z][a-z]{2} [A-Z][a-z]{2} .*\n", b"\n", text) if name.endswith(".tex") else text


def difference(folder, other):
    """The first file in which two folders differ, as text; "" for none."""
    a, b = files(folder), files(other)
    if a != b:
        return "files: " + " ".join(sorted(set(a) ^ set(b)))
    for name in a:
        if content(folder, name) != content(other, name):
            return "content of " + name
    return ""


def complaint(folder, *wholes):
    """What is wrong with a folder whatever happened to the command that wrote it; "" for nothing: what hsgd check takes for a
    whole result is that of one of the other folders, with all files that it lists."""
    for name in DOCUMENTS:
        path = pathlib.Path(folder, name)
        if not path.exists():
            continue
        try:
            document = json.loads(path.read_text())
        except ValueError as error:
            return f"{path}: {error}"
        if call(["check", "{out}"], folder).returncode not in (0, 3):
            continue
        if name == "sweep.json" and any(point["state"] != "done" for point in document["points"]):
            continue  # it says itself that there is more to come
        same = [whole for whole in wholes if os.path.exists(os.path.join(whole, name)) and
                all(content(folder, file["name"]) == content(whole, file["name"])
                    for file in document["provenance"]["output_files"])]
        if not same:
            return f"hsgd check takes {folder} for whole, which it is not"
    return ""
