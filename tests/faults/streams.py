#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of hsgd with standard streams that are closed, full or have no reader any more.

    streams.py [COMMAND...]

What must be: no signal ends it; the files are those of an undisturbed call, so that no message is in any of them; the exit code
is 4, and one line says why, where something was to be printed and could not be, else it is that of an undisturbed call."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from commands import COMMANDS, Command, call, difference, environment, line, write_configs

SHELL = {"closed output": ('"$@" >&-', "Bad file descriptor"),
         "full output": ('"$@" > /dev/full', "No space left on device"),
         "no reader": ('(sleep 0.05; exec "$@") | :', "Broken pipe"),
         "closed errors": ('"$@" 2>&-', None),
         "full errors": ('"$@" 2> /dev/full', None),
         "closed input": ('"$@" <&-', None),
         "all closed": ('"$@" <&- >&- 2>&-', ""),
         "output and errors closed": ('"$@" >&- 2>&-', ""),
         "input and errors closed": ('"$@" <&- 2>&-', None)}

PRINT = [Command(name, name) for name in ["--help", "--version", "--man-page", "--bash-completion"]] + [
    Command("run --help", "run --help"),
    Command("loud run", "run run.json --output {out}"),
    Command("bound", "bound {out}/plan-params.json", before=["plan plan.json --output {out} --quiet"]),
    Command("exact", "exact run.json --json"),
    Command("sandwich", "sandwich --fanout 8,8 --periods 20,5"),
    Command("dry run", "run run.json --dry-run"),
    Command("refusal", "run none.json"),
    Command("usage", "run --none")]


def try_stream(command, whole, name):
    """What is wrong; "" for nothing."""
    script, reason = SHELL[name]
    shutil.rmtree("o_2", ignore_errors=True)
    shutil.copytree("o_0", "o_2")
    script = "set -o pipefail; " + script
    result = subprocess.run(["bash", "-c", script, "hsgd"] + line(command.arguments, "o_2"), env=environment(),
                            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    code = 4 if whole.stdout and reason is not None else whole.returncode
    if result.returncode != code:
        return f"exit code {result.returncode}, expected {code}; it says {result.stderr}"
    if code != whole.returncode and reason and result.stderr.count(
            f"hsgd: standard output cannot be written: {reason}\n") != 1:
        return f"it says {result.stderr!r} instead of {reason}"
    if re.sub("o_2", "o_1", result.stdout) != whole.stdout and reason is None and not re.search(" s\\b", whole.stdout):
        return f"it prints {result.stdout!r} instead of {whole.stdout!r}"
    return difference("o_2", "o_1")


def numbers_of_closed_streams():
    """What stands at 0, 1 and 2 of a program that was started without standard streams: no file that it writes to."""
    process = subprocess.Popen(line("run long.json --output {out} --quiet".split(), "o_3"), env=environment(),
                               preexec_fn=lambda: [os.close(number) for number in range(3)])
    found, give_up = [], time.monotonic() + 20
    while found != ["/dev/null"] * 3 and time.monotonic() < give_up and process.poll() is None:
        try:
            found = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
        except OSError:
            pass  # not open, or at an end
    process.kill()
    process.wait()
    return found


def main():
    failures, tried = 0, 0
    commands = {command.name: command for command in PRINT} | COMMANDS
    with tempfile.TemporaryDirectory(prefix="hsgd-streams-") as folder:
        os.chdir(folder)
        write_configs()
        found = numbers_of_closed_streams()
        if found != ["/dev/null"] * 3:
            failures += 1
            print(f"started without standard streams: their numbers go to {found}")
        for command in (commands[name] for name in sys.argv[1:] or commands):
            shutil.rmtree("o_0", ignore_errors=True)
            os.mkdir("o_0")
            for arguments in command.before:
                call(arguments, "o_0")
            shutil.rmtree("o_1", ignore_errors=True)
            shutil.copytree("o_0", "o_1")
            whole = call(command.arguments, "o_1")
            for name in SHELL:
                tried += 1
                wrong = try_stream(command, whole, name)
                if wrong:
                    failures += 1
                    print(f"{command.name}, {name}: {wrong}")
        os.chdir("/")
    print(f"{tried} calls with broken streams, {failures} of them wrong")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
