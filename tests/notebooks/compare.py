#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are the committed notebooks fit to be read, and do they say what an execution elsewhere printed?

    compare.py COMMITTED...             every cell with code has been executed, in order, without an error; the file is
                                        small, and tidy as execute.py leaves it
    compare.py COMMITTED EXECUTED       the same cells with the same outputs

Words must agree to the letter. Numbers may differ by rounding (other processors, other versions of BLAS): by 1e-6
relatively, or by one unit of the last printed digit; what is below 1e-12 in both is rounding. Whole numbers must agree.
Of figures only their presence is compared: gnuplot's versions draw differently."""
import json
import pathlib
import re
import sys

import nbformat

from execute import without_traces

LARGEST_BYTES = 250_000
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w])")


def unit_of_last_digit(text):
    digits, _, exponent = text.lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))


def same_number(a, b):
    if a == b:
        return True
    if not re.search(r"[.eE]", a + b):
        return False
    x, y = float(a), float(b)
    if abs(x) < 1e-12 and abs(y) < 1e-12:
        return True
    allowed = max(1e-6 * abs(x), 1.001 * unit_of_last_digit(a), 1.001 * unit_of_last_digit(b))
    return abs(x - y) <= allowed


def same_text(a, b):
    """Columns may move where a number gets longer."""
    words = [re.sub(r"\s+", " ", NUMBER.sub("#", text)) for text in (a, b)]
    return words[0] == words[1] and all(map(same_number, NUMBER.findall(a), NUMBER.findall(b)))


def outputs(cell):
    """(kind, text) of everything below a cell; text is None for a figure."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield output.name, output.text
        elif output.output_type == "error":
            yield "error", output.ename
        else:
            for kind, content in sorted(output.data.items()):
                figure = kind.startswith("image/") or (kind == "text/html" and content.startswith("<img"))
                yield kind, None if figure else str(content)


def faults(path):
    """What is wrong with a committed file."""
    text = pathlib.Path(path).read_text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    if len(text.encode()) > LARGEST_BYTES:
        yield f"{len(text.encode())} bytes, more than {LARGEST_BYTES}"
    if nbformat.writes(without_traces(nbformat.from_dict(notebook))).rstrip() != text.rstrip():
        yield "not as `make notebooks` leaves it"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        if cell.execution_count != number:
            yield f"cell with code {number} has the execution count {cell.execution_count}"
        if any(kind in ("error", "stderr") for kind, _ in outputs(cell)):
            yield f"cell with code {number} shows an error"
    for trace in re.findall(r"/(?:tmp|home|root|build)/[^\s\"\\]*", json.dumps(notebook)):
        yield f"a path of the machine it was executed on: {trace}"


def differences(committed, executed):
    ours, theirs = (nbformat.read(path, as_version=4).cells for path in (committed, executed))
    if [cell.source for cell in ours] != [cell.source for cell in theirs]:
        yield "not the same cells"
        return
    for cell, other in zip(ours, theirs):
        if cell.cell_type != "code":
            continue
        a, b = list(outputs(cell)), list(outputs(other))
        same_kinds = [kind for kind, _ in a] == [kind for kind, _ in b]
        if not same_kinds or not all(x == y or same_text(x, y) for (_, x), (_, y) in zip(a, b)):
            yield f"the cell\n{cell.source}\n-- committed:\n{a}\n-- executed:\n{b}"


if __name__ == "__main__":
    if sys.argv[2:] and pathlib.Path(sys.argv[1]).name == pathlib.Path(sys.argv[2]).name:
        found = [f"{sys.argv[1]}: {what}" for what in differences(*sys.argv[1:3])]
    else:
        found = [f"{path}: {what}" for path in sys.argv[1:] for what in faults(path)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
