#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of hsgd with an allocation that fails, at every place in turn, until a run finds no place that has not failed.

Each run is to end with exit code 4 and one line that says that memory is short, or, where the program can do without, with
exactly what it does otherwise: the same code, words and files. Never by a signal, never without an end. What it leaves behind
is either whole or does not look like a result, and what main allocated it has freed.

    allocations.py PROGRAM ALLOCATOR.so [--only NAME,NAME] [--depth N] [--jobs N] [--every] [--lasting] [--keep]

--depth: frames that tell two places apart. --every: every single allocation instead of every place. --lasting: after the
first failure there is no memory at all any more.
"""
import argparse
import bisect
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from cases import CASES

HERE = os.path.dirname(os.path.abspath(__file__))
TIME_LIMIT_S = 60
SHORT = re.compile(r"memory|allocate", re.IGNORECASE)
LEFTOVER = re.compile(r"\.tmp-\d+-\d+$|^\.hsgd")
DOCUMENTS = {"result.json", "sweep.json", "phase.json", "rate.json", "hunt.json", "plan.json", "train.json", "pep.json"}
# Numbers of a clock.
CLOCK = re.compile(rb'("(?:[a-z_]*time_s|[a-z_]*_seconds|elapsed_s|evaluations_per_s)":\s*)[-+.e0-9]+')
SECONDS = re.compile(rb"\b[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)? s\b")
# What Open MPI adds where a rank ends all others.
MPI_ABORT = re.compile(r"^-{60,}\nMPI_ABORT was invoked.*?^-{60,}\n", re.MULTILINE | re.DOTALL)
# Pools that live as long as the program.
POOLS = ("libgomp", "libopenblas", "libdnnl", "ld-linux", "libmpi", "libopen-")


class Symbols:
    """Names of functions for "module+offset"."""

    def __init__(self, program):
        self.program = program
        self.tables = {}

    def table(self, module):
        if module not in self.tables:
            path, flag = (self.program, "-n") if module == os.path.basename(self.program) else (None, None)
            rows = []
            if path:
                text = subprocess.run(["nm", flag, path], capture_output=True, text=True, check=False).stdout
                for line in text.splitlines():
                    words = line.split()
                    if len(words) == 3 and words[1] in "tTwW":
                        rows.append((int(words[0], 16), words[2]))
            self.tables[module] = rows
        return self.tables[module]

    def name(self, frame):
        module, offset = frame.rsplit("+", 1)
        rows = self.table(module)
        at = bisect.bisect_right(rows, (int(offset, 16), "\x7f")) - 1
        return rows[at][1] if at >= 0 else module

    def stack(self, text):
        names = []
        for frame in text.split():
            name = self.name(frame)
            if not names or names[-1] != name:
                names.append(name)
        return " < ".join(names)


def read_tree(folder, timed=False):
    """Path: bytes of every file below a folder, with what a clock says left out; timed: only whether it is JSON, as it is to be."""
    files = {}
    for base, folders, names in os.walk(folder):
        for name in names + [f for f in folders if LEFTOVER.search(f)]:
            path = os.path.join(base, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path) or os.path.isdir(path):
                files[key] = b""
                continue
            with open(path, "rb") as file:
                files[key] = without_clock(file.read())
            if timed and name != "model.csv":
                files[key] = files[key] if name.endswith(".json") and not is_json(files[key]) else b""
    return files


def is_json(data):
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def without_clock(data):
    return SECONDS.sub(b"T s", CLOCK.sub(rb"\1T", data))


class Case:
    def __init__(self, case, settings):
        self.case = case
        self.settings = settings
        self.folder = os.path.join(settings.folder, case.name)
        self.inputs = os.path.join(self.folder, "inputs")
        self.work = os.path.join(self.folder, "work")
        self.sites = os.path.join(settings.folder, "sites." + case.arguments[0])  # cases of one command have many in common
        self.left = os.path.join(self.folder, "left")
        self.complaints = {}
        self.runs = self.refused = self.done_without = 0

    # ---- one run ----

    def call(self, folder, arguments, extra=None, stdin=None):
        environment = dict(os.environ, SOURCE_DATE_EPOCH="1700000000", OMP_WAIT_POLICY="passive", LC_ALL="C",
                           MALLOC_PERTURB_="165", PATH=HERE + ":" + os.environ["PATH"], **self.case.environment, **(extra or {}))
        try:
            done = subprocess.run([self.settings.program] + arguments, cwd=folder, env=environment, stdin=subprocess.DEVNULL
                                  if stdin is None else None, input=stdin, capture_output=True, timeout=TIME_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            return None, b"", ""
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

    def prepare(self):
        """The folder of the inputs, with what other commands leave there first."""
        os.makedirs(self.inputs)
        for name, content in self.case.files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            with open(os.path.join(self.inputs, name), "w", encoding="utf-8") as file:
                file.write(text)
        for arguments in self.case.before:
            code, out, err = self.call(self.inputs, arguments)
            if code not in (0, 1, 3):
                raise RuntimeError(f"{self.case.name}: {arguments} ended with {code}: {err}")
        self.old = read_tree(self.inputs, self.case.timed)

    def run(self, extra):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.inputs, self.work)
        if os.path.exists(self.left):
            os.remove(self.left)
        variables = dict(extra, HSGD_FAULT_PROGRAM=self.settings.program, HSGD_FAULT_SITES=self.sites, HSGD_FAULT_LEFT=self.left,
                         HSGD_FAULT_DEPTH=str(self.settings.depth), LD_PRELOAD=self.settings.allocator)
        stdin = self.case.stdin.encode() if self.case.stdin is not None else None
        code, out, err = self.call(self.work, self.case.arguments, variables, stdin)
        left = None
        if os.path.exists(self.left):
            with open(self.left, encoding="utf-8") as file:
                left = file.read().splitlines()
        self.runs += 1
        return code, without_clock(out), err, read_tree(self.work, self.case.timed), left

    # ---- what is demanded ----

    def judge(self, code, out, err, tree, left, in_gsl=False):
        """The complaints about a run in which an allocation was refused; in_gsl: within GSL, which then loses the others."""
        if code is None:
            return [f"no end within {TIME_LIMIT_S} s"]
        if code < 0:
            return [f"ended by signal {-code}: {err.strip()[:200]}"]
        found = []
        code0, out0, err0, tree0, left0 = self.reference
        if code == code0 and code != 4:
            if out != out0 and not any(text.encode() in out for text in self.case.instead):
                found.append("ended well, but standard output differs")
            if err != err0:
                found.append(f"ended well, but said {err.strip()[:200]!r}")
            # a hidden folder that could not be read stays until the next command sweeps it away
            differing = sorted(k for k in tree.keys() | tree0.keys() if tree.get(k) != tree0.get(k) and ".render-" not in k)
            if differing:
                found.append("ended well, but these files differ: " + " ".join(differing[:6]))
        elif code == 4:
            new = MPI_ABORT.sub("", err.replace("\nlibgomp: ", "libgomp: "))
            for line in err0.splitlines(keepends=True):  # notes that the run has anyway
                new = new.replace(line, "", 1)
            lines = new.splitlines()
            if not lines or (len(lines) != 1 and not self.case.partial) or not all(SHORT.search(line) for line in lines):
                found.append(f"exit code 4, but standard error is {new.strip()[:300]!r}")
            found += self.judge_files(tree, tree0)
        else:
            found.append(f"exit code {code} instead of {code0} or 4: {err.strip()[:200]}")
        leaks = [] if left is None else sorted(set(self.leaks(left)) - set(self.leaks(left0 or [])))
        kept = {self.library_frames(line) for line in left0 or []}
        leaks = [line for line in leaks if self.library_frames(line) not in kept]  # first used elsewhere
        leaks = [line for line in leaks if not self.is_kept_by_libc(line) and not (in_gsl and line.startswith("libgsl"))]
        found += [f"not freed: {self.settings.symbols.stack(line)}" for line in leaks[:3]]
        return found

    @staticmethod
    def leaks(left):
        return [line for line in left if not any(line.startswith(pool) for pool in POOLS)]

    def library_frames(self, line):
        """Frames in front of the program's first, of two libraries at least (muParser's tables come from C++'s); else the line."""
        own = os.path.basename(self.settings.program) + "+"
        frames = line.split()
        count = next((i for i, frame in enumerate(frames) if frame.startswith(own)), 0)
        return tuple(frames[:count]) if count > 1 else line

    def is_kept_by_libc(self, line):
        """The buffer of a standard stream, or the time zone: first needed elsewhere than without failures."""
        own = [self.settings.symbols.name(frame) for frame in line.split() if frame.startswith(os.path.basename(self.settings.program))]
        return line.startswith("libc.so") and own and any(word in own[0] for word in ("print", "put", "find_date", "cli", "keep_begin"))

    def judge_files(self, tree, tree0):
        """After a failure: no temporary files, and every document there is one of before or that of a whole run."""
        found = []
        for path in sorted(tree):
            name = os.path.basename(path)
            if LEFTOVER.search(name) or any(LEFTOVER.search(part) for part in path.split("/")):
                found.append(f"left {path}")
            elif path in self.case.whole or (name in DOCUMENTS and not self.case.partial):
                if tree[path] not in (self.old.get(path), tree0.get(path)) and not self.is_whole(tree, path):
                    found.append(f"{path} is neither the old one nor a whole new one")
        for path in self.case.kept:
            if tree.get(path) != self.old.get(path):
                found.append(f"{path} was there before and is lost")
        return found

    @staticmethod
    def is_whole(tree, path):
        """A document that only lists fewer figures: all that it lists is there."""
        try:
            document = json.loads(tree[path])
        except ValueError:
            return False
        folder = os.path.dirname(path)
        return all(os.path.join(folder, name) in tree for name in document.get("files", []))

    # ---- the loop ----

    def new_sites(self, before):
        with open(self.sites, encoding="utf-8") as file:
            return file.read().splitlines()[before:]

    def complain(self, found, stack):
        for text in found:
            self.complaints.setdefault(text, []).append(stack)

    def loop(self):
        begin_s = time.time()
        self.prepare()
        open(self.sites, "a", encoding="utf-8").close()
        never = {"HSGD_FAULT_AT": str(2**62)}
        self.reference = self.run(never)
        if self.reference[0] not in (0, 1, 3):
            raise RuntimeError(f"{self.case.name}: without failures: {self.reference[0]}: {self.reference[2]}")
        again = self.run(never)
        if again[:4] != self.reference[:4]:
            names = [k for k in again[3].keys() | self.reference[3].keys() if again[3].get(k) != self.reference[3].get(k)]
            raise RuntimeError(f"{self.case.name}: two runs without failures differ: {names} {again[2]}")
        known, number = len(self.new_sites(0)), 0
        while True:
            number += 1
            extra = {"HSGD_FAULT_AT": str(number)} if self.settings.every else {}
            if self.settings.lasting:
                extra["HSGD_FAULT_LASTS"] = "1"
            outcome = self.run(extra)
            fresh = self.new_sites(known)
            known += len(fresh)
            if not fresh:
                break
            self.refused += bool(fresh)
            if outcome[0] == self.reference[0]:
                self.done_without += 1
            found = self.judge(*outcome, in_gsl=any(line.startswith("libgsl") for line in fresh))
            stack = " AND ".join(self.settings.symbols.stack(line.split("|")[-1]) for line in fresh)
            self.complain(found, stack)
            if found and self.settings.keep:
                shutil.copytree(self.work, os.path.join(self.folder, f"run-{self.runs}"), dirs_exist_ok=True)
        found = self.judge(*outcome)  # nothing failed: this run has to succeed
        if outcome[0] != self.reference[0]:
            found.append(f"nothing failed, and the exit code is {outcome[0]}")
        if not known:
            found.append("no allocation was ever refused: the allocator was not there")
        self.complain(found, "(no allocation failed)")
        self.time_s = time.time() - begin_s
        return self


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("allocator")
    parser.add_argument("--only", default="")
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--lasting", action="store_true")
    parser.add_argument("--keep", action="store_true")
    settings = parser.parse_args()
    settings.program = os.path.realpath(settings.program)
    settings.allocator = os.path.realpath(settings.allocator)
    settings.symbols = Symbols(settings.program)
    return settings


def try_case(case, settings):
    """Prints what came of it; 1: it failed."""
    try:
        done = Case(case, settings).loop()
    except (OSError, RuntimeError) as error:
        print(f"[  FAILED  ] memory_{case.name}: {error}", flush=True)
        return 1
    lines = [f"[{'  FAILED  ' if done.complaints else '       OK '}] memory_{case.name}: {done.refused} places, "
             f"{done.done_without} of them done without ({done.time_s:.1f} s)"]
    for text, stacks in done.complaints.items():
        lines += [f"    {text}"] + [f"        at {stack}" for stack in stacks[:4]]
        if len(stacks) > 4:
            lines.append(f"        and {len(stacks) - 4} more places")
    print("\n".join(lines), flush=True)
    return int(bool(done.complaints))


def main():
    settings = parse_arguments()
    settings.folder = tempfile.mkdtemp(prefix="hsgd-faults.")
    wanted = set(filter(None, settings.only.split(",")))
    unknown = wanted - {case.name for case in CASES}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    groups = {}
    for case in CASES:
        if not wanted or case.name in wanted:
            groups.setdefault(case.arguments[0], []).append(case)
    try:
        with concurrent.futures.ThreadPoolExecutor(settings.jobs) as pool:
            failed = max(pool.map(lambda group: max([try_case(case, settings) for case in group]), groups.values()))
    finally:
        if not settings.keep:
            shutil.rmtree(settings.folder, ignore_errors=True)
        else:
            print(settings.folder)
    return failed


if __name__ == "__main__":
    sys.exit(main())
