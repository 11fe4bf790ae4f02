#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill hsgd at random moments, from its first instruction to its last, and go on with --resume, again and again.

    kills.py KILLS SEED [COMMAND...]

After every kill: what can be read as a result is one. When a command has ended by itself: its folder is that of an undisturbed
one, to the byte (PDF but for its date), with nothing temporary in it. Of the signals, SIGKILL comes most often; after SIGTERM
and SIGINT the program may end by itself (exit code 3), or be done. Some kills are of gnuplot. Some calls are not killed, but made
to stand still for a moment, which changes nothing."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from commands import COMMANDS, LONG, Command, call, complaint, difference, environment, line, write_config, write_configs

SWEEP = LONG | {"figures": ["sweep"], "optimizer": {"step_size": 0.01, "steps": 1000}, "sweep": {"axes": [
    {"name": "I", "key": "hierarchy.periods[1]", "values": [1, 2, 4]}]}}
OWN = {command.name: command for command in [
    Command("run", "run long.json --output {out} --threads 2 --checkpoint-every 0.04 --quiet", resumes=True),
    Command("verify", "verify long.json --output {out} --threads 1 --checkpoint-every 0.04 --quiet", resumes=True),
    Command("sweep", "sweep grid.json --output {out} --jobs 2 --threads 1 --quiet", resumes=True)]}
OTHERS = ["phase", "rate", "hunt", "plan", "pep", "pep-curves", "plot", "report"]


def descendants(process):
    """The processes that this one has started, and those that they have, with their names."""
    found = []
    for task in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found.append((int(child), pathlib.Path(f"/proc/{child}/comm").read_text().strip()))
                found += descendants(int(child))
        except (OSError, ValueError):
            pass  # it has just ended
    return found


def kill_gnuplot(process, give_up):
    """SIGKILL to the next gnuplot that it starts; False where there was none."""
    while process.poll() is None and time.monotonic() < give_up:
        for child, name in descendants(process.pid):
            if name.startswith("gnuplot"):
                try:
                    os.kill(child, signal.SIGKILL)
                    return True
                except OSError:
                    pass
        time.sleep(0.001)
    return False


def is_over(session):
    """Are all processes of a session gone? Points of a sweep that was killed are told to end, which takes a moment."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = entry.read_text().rsplit(") ", 1)[1].split()[:4]
        except OSError:
            continue
        if int(of) == session and state != "Z":
            return False
    return True


class Disturbed:
    """One command with its folders: "o_0" before it, "o_1" after an undisturbed call, "o_2" where it is killed."""

    def __init__(self, command, chance):
        self.command, self.chance, self.kills, self.ends = command, chance, 0, 0
        for folder in ("o_0", "o_1", "o_2"):
            shutil.rmtree(folder, ignore_errors=True)
        os.mkdir("o_0")
        for arguments in command.before:
            call(arguments, "o_0")
        shutil.copytree("o_0", "o_1")
        begin = time.monotonic()
        self.whole = call(command.arguments, "o_1")
        self.duration = time.monotonic() - begin
        assert self.whole.returncode in (0, 3), self.whole.stderr
        self.begin()

    def begin(self):
        shutil.rmtree("o_2", ignore_errors=True)
        shutil.copytree("o_0", "o_2")

    def arguments(self):
        return line(self.command.arguments + (["--resume"] if self.command.resumes else []), "o_2")

    def disturb(self):
        """Begin or go on, and kill it; returns what is wrong, "" for nothing."""
        number = self.chance.choices([signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, "gnuplot"],
                                     [10, 3, 2, 2, 2])[0]
        moment = self.chance.uniform(0, 1.1 * self.duration)
        process = subprocess.Popen(self.arguments(), env=environment(), stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        if number == "gnuplot":
            killed = kill_gnuplot(process, time.monotonic() + 60)
        else:
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                pass
            killed = process.poll() is None
            if killed:
                process.send_signal(number)
            if number == signal.SIGSTOP:
                time.sleep(0.02)
                process.send_signal(signal.SIGWINCH)
                process.send_signal(signal.SIGCONT)
                killed = False
        said = process.communicate(timeout=60)[1]
        while not is_over(process.pid):
            time.sleep(0.01)
        self.kills += killed
        code = process.returncode
        if number == "gnuplot" and killed:
            if code != 4 or "gnuplot was ended by signal 9" not in said:
                return f"gnuplot is killed: exit code {code}, {said}"
        elif code == self.whole.returncode and "stopped" not in said:
            self.ends += 1
            wrong = difference("o_2", "o_1")
            self.begin()
            return wrong and f"ends with another {wrong}"
        elif not killed or code not in (-number, 3):
            return f"signal {number}: exit code {code}, {said}"
        return complaint("o_2", "o_1", "o_0")

    def conclude(self):
        """Let it end in peace."""
        said = subprocess.run(self.arguments(), env=environment(), capture_output=True, text=True, timeout=120)
        if said.returncode != self.whole.returncode:
            return f"ends with {said.returncode}: {said.stderr}"
        wrong = difference("o_2", "o_1")
        return wrong and f"ends with another {wrong}"


def main():
    kills, seed = int(sys.argv[1]), int(sys.argv[2])
    chance, failures, counts = random.Random(seed), 0, []
    commands = OWN | {name: COMMANDS[name] for name in OTHERS}
    names = sys.argv[3:] or list(commands)
    with tempfile.TemporaryDirectory(prefix="hsgd-kills-") as folder:
        os.chdir(folder)
        write_configs()
        write_config("grid", SWEEP)
        for i, name in enumerate(names):
            disturbed, tries = Disturbed(commands[name], chance), 0
            wanted = kills * (i + 1) // len(names) - kills * i // len(names)
            while disturbed.kills < wanted and tries < 10 * wanted + 10:
                tries += 1
                wrong = disturbed.disturb()
                if wrong:
                    failures += 1
                    print(f"{name}, seed {seed}, call {tries}: {wrong}")
                    disturbed.begin()
            wrong = disturbed.conclude()
            if wrong:
                failures += 1
                print(f"{name}, seed {seed}, at the end: {wrong}")
            counts.append(f"{name} {disturbed.kills} of {tries}")
        os.chdir("/")
    print("killed: " + ", ".join(counts) + f"; {failures} in a wrong way")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
