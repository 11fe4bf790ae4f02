# SPDX-License-Identifier: GPL-3.0-or-later
"""What the notebooks share: call the installed program `hsgd` and read what it wrote.

    r = run(config)                  hsgd run in a temporary folder; the configuration is a Python dict. With the key
                                     "sweep": hsgd sweep, and r.points are the runs of its grid
    print(r.text)                    what the program printed; r.errors, r.code its exit code
    r.result, r.series, r.nodes      result.json (sweep.json) as a dict; the tables as {column: list of numbers}
    r.figure("convergence")          one of its figures
    ask("exact", config)             the JSON that hsgd bound, hsgd exact or hsgd sandwich prints
    table(["t", "S"], rows)          print rows as an aligned table
"""
import csv
import json
import math
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.parse

HSGD = shutil.which("hsgd")
if not HSGD:
    raise FileNotFoundError("There is no program hsgd on PATH: run `make install`, or start Jupyter with "
                            "`PATH=$PWD/build:$PATH jupyter notebook`.")
_folders = tempfile.TemporaryDirectory(prefix="hsgd-notebook-")  # removed when the kernel stops


class Run:
    """A folder of results, and what the program said while it made them."""

    def __init__(self, folder, finished=None):
        self.folder = folder
        if finished:
            self.code, self.text, self.errors = finished.returncode, finished.stdout.rstrip(), finished.stderr.rstrip()
        if (folder / "result.json").exists():
            self.result = json.loads((folder / "result.json").read_text())
            self.series, self.nodes = _columns(folder / "series.csv"), _columns(folder / "nodes.csv")
            self.bound = {bound["id"]: bound for bound in self.result["bounds"]}
        elif (folder / "sweep.json").exists():
            self.result = json.loads((folder / "sweep.json").read_text())
            self.points = [Run(folder / point["folder"]) for point in self.result["points"]]

    def figure(self, name):
        words = [HSGD, "plot", self.folder, "--format", "svg", "--width", "5"]
        subprocess.run(words, check=True, capture_output=True)
        return Figure(name, (self.folder / (name + ".svg")).read_text())


class Figure:
    """An SVG, half as large again as in print, on white for dark pages. Some viewers show SVG, others HTML."""

    def __init__(self, name, svg):
        self.name = name
        for side in "width", "height":
            svg = re.sub(rf'{side}="(\d+)"', lambda size: f'{side}="{int(size[1]) * 3 // 2}"', svg, count=1)
        svg = re.sub(r"(?<= d=')[^']*", lambda path: _thinned(path[0]), re.sub(r">\s+<", ">\n<", svg))
        self.svg = svg[svg.index("<svg"):].replace("<svg", '<svg style="background: white"', 1)

    def __repr__(self):
        return f"figure {self.name}"

    def _repr_svg_(self):
        return self.svg

    def _repr_html_(self):
        words = urllib.parse.quote(self.svg.replace('"', "'"), safe=" '=:;,/()+")
        return f'<img alt="{self.name}" src="data:image/svg+xml,{words}">'


def run(config, command=None, *options):
    """hsgd run, sweep or verify with this configuration. Look at .code: nothing is raised where a check fails."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=_folders.name))
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    command = command or ("sweep" if "sweep" in config else "run")
    words = [HSGD, command, "config.json", "--output", "results", *options]
    return Run(folder / "results", subprocess.run(words, cwd=folder, capture_output=True, text=True))


def ask(command, *arguments):
    """The JSON of `hsgd COMMAND ... --json`; a dict among the arguments is handed over as the program's input."""
    given = [json.dumps(a) for a in arguments if isinstance(a, dict)]
    words = ["-" if isinstance(a, dict) else str(a) for a in arguments]
    finished = subprocess.run([HSGD, command, *words, "--json"], input="".join(given), capture_output=True, text=True)
    if finished.returncode not in (0, 1):  # 1 is a result too: something is violated
        raise RuntimeError(finished.stderr.strip())
    return json.loads(finished.stdout)


def table(header, rows):
    """Numbers with five digits, the first column to the left, the others to the right."""
    cells = [[f"{x:.5g}" if isinstance(x, float) else str(x) for x in row] for row in [header, *rows]]
    width = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        print("  ".join([row[0].ljust(width[0]), *(c.rjust(w) for c, w in zip(row[1:], width[1:]))]).rstrip())


def _thinned(path):
    """Small files: coordinates to a tenth of a point, and no two points of a curve nearer than a point."""
    kept, last = [], (math.inf, math.inf)
    for word in re.sub(r"(\.\d)\d+", r"\1", path).split():
        place = tuple(map(float, re.findall(r"[-\d.]+", word)))
        if word[0] != "L" or math.dist(place, last) >= 1:
            kept.append(word)
            last = place if len(place) == 2 else last
    return " ".join(kept)


def _columns(path):
    with open(path) as file:
        rows = list(csv.reader(file))
    return {name: [float(row[i]) if row[i] else None for row in rows[1:]] for i, name in enumerate(rows[0])}
