#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of hsgd that writes, on a disk that has room for some of it only: a small tmpfs.

    full_disk.py [--rooms KIB,..] [COMMAND...]
    full_disk.py --possible

--rooms: free KiB beside what the command works on, unless told from none up to where the command is done. It runs in a mount
namespace of its own; --possible says whether there can be one. What must be: exit code 4 with one line that says why, or all is
done; what can be read as a result then is one, nothing temporary is left, and what was there before is as it was or counts
no more. With room again, what goes on from there ends with the bytes of an undisturbed call.

failing_calls.py lets single calls fail; here it is the system that says when, in the middle of a file, too, and to gnuplot."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

from commands import COMMANDS, call, complaint, difference, files, write_configs
from failing_calls import go_on, undisturbed, without_seconds

ROOMS = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024]
DISK = "disk"
OUT = "disk/o_2"
ALL_ROOM = "16m"


def mount(options):
    """What the system says against it; "" for nothing."""
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", DISK], capture_output=True, text=True).stderr.strip()


def set_size(size):
    wrong = mount(f"remount,size={size}")
    assert not wrong, wrong


def leave_room(kib):
    """Less than all: tmpfs counts whole pages, and none for folders."""
    disk = os.statvfs(DISK)
    used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize // 1024
    set_size(f"{max(used + kib, os.sysconf('SC_PAGE_SIZE') // 1024)}k")  # 0 would be no limit
    if used + kib == 0:
        with open(DISK + "/full", "wb") as file:
            file.write(bytes(disk.f_frsize))


def begin(command, kib):
    """The folder of the command, and a full disk around it."""
    set_size(ALL_ROOM)
    for name in os.listdir(DISK):
        path = os.path.join(DISK, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    shutil.copytree("o_0", OUT)
    leave_room(kib)


def same_files(old, new):
    """Is each file of a folder in the other, as it was?"""
    return set(files(old)) <= set(files(new)) and all(
        open(os.path.join(old, name), "rb").read() == open(os.path.join(new, name), "rb").read() for name in files(old))


def judge(command, result, whole):
    """What is wrong; "" for nothing."""
    if result.returncode == whole.returncode:
        wrong = difference(OUT, "o_1")
        if wrong:
            return f"ends like an undisturbed one, with another {wrong}"
        same = without_seconds(result.stdout, OUT) == without_seconds(whole.stdout, "o_1")
        return "" if same else "prints something else"
    if result.returncode != 4:
        return "has the wrong exit code"
    lines = [line for line in result.stderr.splitlines()
             if line.startswith("hsgd: ") and not re.search(" note: | warning: |: failed: ", line)]  # but points of a sweep
    if len(lines) != 1 or "No space left on device" not in lines[0]:
        return "does not say why in one line"
    left = [name for name in files(OUT) if ".tmp-" in name or "/.render-" in "/" + name]
    if left:
        return "leaves " + " ".join(left)
    intact = files("o_0") and call(["check", "{out}"], OUT).returncode == 0
    if intact and not same_files("o_0", OUT) and difference(OUT, "o_1"):
        return "an older result is said to be whole, but is another one"
    return complaint(OUT, "o_1", "o_0")


def try_room(command, whole, kib):
    """What is wrong, and whether the command was done."""
    begin(command, kib)
    result = call(command.arguments, OUT)
    wrong = judge(command, result, whole)
    set_size(ALL_ROOM)
    if not wrong:
        wrong = go_on(command, OUT)
    if wrong:
        print(f"{command.name}, {kib} KiB: {wrong}\n  exit code {result.returncode}: {result.stderr.strip()}")
    return bool(wrong), result.returncode == whole.returncode


def try_command(command, rooms):
    """How many times it was tried, how many of them its disk was full, and how many went wrong."""
    whole, tried, full, failures = undisturbed(command), 0, 0, 0
    for kib in rooms or ROOMS:
        wrong, done = try_room(command, whole, kib)
        tried, full, failures = tried + 1, full + (not done), failures + wrong
        if done and not rooms:
            break
    if not full:
        print(f"{command.name}: the disk was never full")
    return tried, full, failures + (not full)


def say_impossible(reason):
    print(f"not tested: no small tmpfs can be mounted here: {reason}")


def enter_namespace():
    """Begin again with mounts of its own, as root or as what may call itself root there. Why not; "" where it is done."""
    if os.environ.get("HSGD_OWN_MOUNTS"):
        return ""
    how = ["unshare", "--mount"] + (["--map-root-user"] if os.geteuid() else []) + ["--"]
    try:
        refused = subprocess.run(how + ["true"], capture_output=True, text=True)
    except OSError as error:
        return f"unshare: {error.strerror}"
    if refused.returncode:
        return refused.stderr.strip()
    os.environ["HSGD_OWN_MOUNTS"] = "1"
    os.execvp("unshare", how + [sys.executable] + sys.argv)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=lambda text: [int(kib) for kib in text.split(",")])
    parser.add_argument("--possible", action="store_true")
    parser.add_argument("commands", nargs="*", default=[])
    given, totals = parser.parse_args(), [0, 0, 0]
    refused = enter_namespace()
    if refused:
        say_impossible(refused)
        return given.possible
    with tempfile.TemporaryDirectory(prefix="hsgd-disk-") as folder:
        os.chdir(folder)
        os.mkdir(DISK)
        refused = mount(f"size={ALL_ROOM},mode=0755")
        if refused or given.possible:
            os.chdir("/")
            subprocess.run(["umount", os.path.join(folder, DISK)], stderr=subprocess.DEVNULL)
            say_impossible(refused) if refused else print("a small tmpfs can be mounted here")
            return bool(refused) and given.possible
        write_configs()
        for name in given.commands or [name for name in COMMANDS if not COMMANDS[name].reads_only]:
            totals = [a + b for a, b in zip(totals, try_command(COMMANDS[name], given.rooms))]
        os.chdir("/")
        subprocess.run(["umount", os.path.join(folder, DISK)], check=True)
    print(f"{totals[0]} calls on small disks, {totals[1]} of which were full, {totals[2]} in a wrong way")
    return totals[2] > 0


if __name__ == "__main__":
    sys.exit(main())
