#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execute notebooks in place, two at a time, each in a kernel of its own:  execute.py NOTEBOOK...

Afterwards a file says nothing about when, where and with which versions it was executed, so that it changes only where
its text or its outputs do. The status is 1 if a cell raised an error; its traceback is printed."""
import concurrent.futures
import os
import pathlib
import sys

import nbclient
import nbformat

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
TIME_LIMIT_S = 300  # for one cell, and for a kernel to start; far more than any takes


def joined(outputs):
    """Printed text comes in pieces that depend on timing; one piece is left."""
    kept = []
    for output in outputs:
        if kept and output.output_type == "stream" and output.get("name") == kept[-1].get("name"):
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def without_traces(notebook):
    """Keep what a reader sees."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat_minor = 4  # the last one without random names of cells
    for cell in notebook.cells:
        cell.pop("id", None)
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = nbformat.from_dict({})
    return notebook


def execute(path):
    """None, or what went wrong."""
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(pathlib.Path(path).resolve().parent)}}
    client = nbclient.NotebookClient(notebook, timeout=TIME_LIMIT_S, startup_timeout=TIME_LIMIT_S,
                                     kernel_name=KERNEL["name"], record_timing=False, resources=place)
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        return str(error)
    nbformat.write(without_traces(notebook), path)
    return None


if __name__ == "__main__":
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # the kernel's debugger would warn on standard error
    failed = False
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        for path, error in zip(sys.argv[1:], pool.map(execute, sys.argv[1:])):
            if error:
                failed = True
                print(f"{path}: {error}")
    sys.exit(failed)
