#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of hsgd while calls of the system fail (failing_calls.c): the first, the second, and so on until none is left.

    failing_calls.py LIBRARY [--every N] [--reasons REASON,..] [COMMAND...]

LIBRARY: failing_calls.so. REASON is one of

    ENOSPC, EIO     one call fails
    full            it and all later ones that need room on a disk fail
    EINTR           one call is interrupted
    signals         every second call is interrupted, chosen at random, three times; then SIGALRM comes every half a millisecond

--every N: of the calls of a command every N-th alone (of long ones fewer), beginning with a different one for each. What must be: an interrupted call
changes nothing. Where another one fails, the command ends with the bytes of an undisturbed one, or with exit code 4 (2 where a
file that was named cannot be read) and one line that says the file and the reason; what can be read as a result then is one,
nothing temporary is left, and what the command was to work on is as before."""
import argparse
import os
import pathlib
import re
import shutil
import sys
import tempfile

from commands import COMMANDS, call, complaint, difference, files, write_configs

REASONS = {"ENOSPC": ("ENOSPC", "FAULTS_AT", "No space left on device"),
           "full": ("ENOSPC", "FAULTS_FROM", "No space left on device"),
           "EIO": ("EIO", "FAULTS_AT", "Input/output error"),
           "EINTR": ("EINTR", "FAULTS_AT", "Interrupted system call")}
ROOM = ["ENOSPC", "full"]
SIGNALS = [{"FAULTS_REASON": "EINTR", "FAULTS_SHARE": "0.5", "FAULTS_SEED": seed, "FAULTS_LOG": "log"} for seed in "123"] + [
    {"FAULTS_TIMER_US": "500"}]


def prepare(command):
    """o_0, the folder as it is before: empty, or with what the command works on, or with an older result of another run."""
    shutil.rmtree("o_0", ignore_errors=True)
    os.mkdir("o_0")
    for arguments in command.before:
        assert call(arguments, "o_0").returncode in (0, 3)


def begin_anew(out):
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree("o_0", out)


def file_names(log):
    """Those of the files that the failed calls were about, without what temporary files have more; "" for none."""
    paths = [line.split(" ", 2)[2] for line in log.splitlines()]
    names = [re.sub(r"\.tmp-\d+-\d+$", "", os.path.basename(path)) for path in paths]
    return ["" if re.match(r"\.render-|memfd:|pipe:|$", name) else name for name in names]


def without_seconds(text, out):
    """What a command printed, with the name of one folder for all."""
    return re.sub(r"[0-9.e-]+ s\b", "some s", text.replace(out, "o_1"))


def judge(command, result, whole, log, reason, out):
    """What is wrong; "" for nothing."""
    if result.returncode == whole.returncode:
        if re.search(r"unlink|rmdir|(readdir|fdopendir|openat) .*/\.render-", log):
            for folder in pathlib.Path(out).glob("**/.render-*"):  # of gnuplot's work; it stays until the next call
                shutil.rmtree(folder)
        if reason != "EINTR" and re.search(r"\.tmp-\d+-\d+$", log, re.M) and "/checkpoint/" not in log:
            return "takes no notice"
        wrong = difference(out, "o_1")
        if wrong:
            return f"ends like an undisturbed one, with another {wrong}"
        if without_seconds(result.stdout, out) != without_seconds(whole.stdout, "o_1"):
            return "prints something else"
        if reason == "EINTR" and without_seconds(result.stderr, out) != without_seconds(whole.stderr, "o_1"):
            return "says something else"
        return ""
    if reason == "EINTR":
        return "does not end like an undisturbed one"
    if command.name == "check" and result.returncode == 1 and REASONS[reason][2] in result.stdout:
        return ""  # a file that cannot be opened is a finding
    lines = [line for line in result.stderr.splitlines() if line.startswith("hsgd: ") and not re.search(" note: | warning: ", line)]
    if result.returncode not in (2, 4):
        return "has the wrong exit code"
    if len(lines) != 1:
        return "does not say one line"
    if "left no result and gave no reason" in lines[0]:
        return ""  # of a point that was run, and cannot be read; it will be run again
    if REASONS[reason][2] not in lines[0]:
        return "does not say the reason"
    if not any(name in lines[0] for name in file_names(log)):
        return "does not name the file " + file_names(log)[0]
    left = [name for name in files(out) if ".tmp-" in name or "/.render-" in "/" + name]
    if left and reason != "EIO":
        return "leaves " + " ".join(left)
    return complaint(out, "o_1", "o_0")


def go_on(command, out):
    """What is wrong with the folder when the same command has gone on from there, or begun again; "" for nothing."""
    result = call(command.arguments + (["--resume"] if command.resumes else []), out)
    if result.returncode not in (0, 3):
        return f"nothing goes on from there: {result.stderr}"
    wrong = difference(out, "o_1")
    return wrong and f"what goes on from there ends with another {wrong}"


def undisturbed(command):
    prepare(command)
    begin_anew("o_1")
    whole = call(command.arguments, "o_1")
    assert whole.returncode in (0, 3), whole.stderr
    return whole


def disturbed(command, library, **how):
    """A call while others fail; what failed is in the file log, if anything did."""
    begin_anew("o_2")
    if os.path.exists("log"):
        os.unlink("log")
    return call(command.arguments, "o_2", LD_PRELOAD=library, ASAN_OPTIONS="verify_asan_link_order=0", **how)


def try_signals(library, command, whole):
    failures = 0
    for how in SIGNALS:
        result = disturbed(command, library, **how)
        wrong = judge(command, result, whole, "", "EINTR", "o_2")
        if "FAULTS_LOG" in how and not os.path.exists("log"):
            wrong = "is not interrupted"
        if wrong:
            failures += 1
            print(f"{command.name}, {how}: {wrong}\n  exit code {result.returncode}: {result.stderr.strip()}")
    return len(SIGNALS), failures


def try_calls(library, command, whole, reason, every, first):
    error, which, _ = REASONS[reason]
    failures, at = 0, first
    while True:
        result = disturbed(command, library, FAULTS_REASON=error, FAULTS_LOG="log", FAULTS_CHILDREN="0", **{which: str(at)})
        if not os.path.exists("log"):
            wrong = judge(command, result, whole, "", "EINTR", "o_2")
            if at == first:
                wrong = "is the only one"
            if wrong:
                print(f"{command.name}, {reason}: a run in which nothing failed {wrong}: {result.stderr}")
            return (at - first) // every, failures + bool(wrong)
        with open("log") as file:
            log = file.read()
        wrong = judge(command, result, whole, log, reason, "o_2")
        if not wrong and reason != "EINTR":
            wrong = go_on(command, "o_2")
        if wrong:
            failures += 1
            print(f"{command.name}, {reason} at call {log.splitlines()[0]}: {wrong}\n"
                  f"  exit code {result.returncode}: {result.stderr.strip()}")
        at += every


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--reasons", default=",".join(list(REASONS) + ["signals"]))
    parser.add_argument("commands", nargs="*", default=[])
    given = parser.parse_args()
    library, failures, tried = os.path.abspath(given.library), 0, 0
    with tempfile.TemporaryDirectory(prefix="hsgd-faults-") as folder:
        os.chdir(folder)
        write_configs()
        for i, name in enumerate(given.commands or COMMANDS):
            command = COMMANDS[name]
            whole = undisturbed(command)
            reasons = [reason for reason in given.reasons.split(",") if not command.reads_only or reason not in ROOM]
            every = given.every * command.every
            for j, reason in enumerate(reasons):
                calls, bad = (try_signals(library, command, whole) if reason == "signals" else
                              try_calls(library, command, whole, reason, every, 1 + (i + 7 * j) % every))
                failures += bad
                tried += calls
        os.chdir("/")
    print(f"{tried} calls failed, {failures} of them in a wrong way")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
