# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run with failing allocations: every command, as small as it can be."""
import dataclasses


@dataclasses.dataclass
class Case:
    name: str
    arguments: list
    files: dict = dataclasses.field(default_factory=dict)  # name: text, or what becomes JSON
    before: list = dataclasses.field(default_factory=list)  # calls of the program that make the inputs
    stdin: str = None
    environment: dict = dataclasses.field(default_factory=dict)
    whole: tuple = ()  # files that are old or whole after a failure, besides the document of the folder
    kept: tuple = ()  # inputs that no failure may touch
    partial: bool = False  # after a failure the document says itself what is missing


QUADRATIC = {"type": "quadratic", "dimension": 3, "curvature_range": [0.1, 1], "level_divergence": [1, 0.5], "noise_variance": 1}
RUN = {"hierarchy": {"fanout": [2, 2], "periods": [4, 2]}, "seeds": 2, "problem": QUADRATIC,
       "optimizer": {"step_size": 0.05, "steps": 8}, "figures": ["convergence"]}

CASES = [
    Case("sandwich", ["sandwich", "--fanout", "2,2", "--periods", "4,2", "--json"]),
    Case("run", ["run", "c.json", "--threads", "2", "--output", "o"], {"c.json": RUN}),
]
