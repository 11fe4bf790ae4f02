# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run with failing allocations: every command, as small as it can be."""
import copy
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
    instead: tuple = ()  # what is printed may have one of these in the place of something else
    timed: bool = False  # all numbers but those of model.csv are a clock's
    partial: bool = False  # after a failure the document says itself what is missing


def changed(config, **members):
    out = copy.deepcopy(config)
    out.update(members)
    return out


QUADRATIC = {"type": "quadratic", "dimension": 3, "curvature_range": [0.1, 1], "level_divergence": [1, 0.5], "noise_variance": 1}
RUN = {"hierarchy": {"fanout": [2, 2], "periods": [4, 2]}, "seeds": 2, "problem": QUADRATIC,
       "optimizer": {"step_size": 0.05, "steps": 8}, "figures": ["convergence"]}
SPARSE = "".join(f"{(-1) ** i:+d} {i % 3 + 1}:{1 + i % 5 / 4} {i % 2 + 5}:{0.5 - i % 7 / 8}\n" for i in range(40))
CSV = "".join(f"{i % 3},{i % 5 / 4},{i % 7 / 3},{(i * i) % 11 / 5}\n" for i in range(40))
DATA = {"format": "libsvm", "path": "sparse.txt", "test_fraction": 0.2}
LOGISTIC = changed(RUN, problem={"type": "logistic", "data": DATA, "partition": {"scheme": "by-label"},
                                 "regularizer": {"type": "l2", "weight": 0.01}},
                   optimizer={"step_size": 0.1, "steps": 8, "batch_size": 2}, evaluate_every=4, grouping="group-noniid",
                   targets=[{"quantity": "loss", "value": 0.69}], communication={"levels": ["wan-10", "lan"], "compute_s_per_step": 0.02},
                   figures=["loss-time", "accuracy"])
CNN = changed(RUN, seeds=1, figures=[], optimizer={"step_size": 0.05, "steps": 4, "batch_size": 2}, problem={
    "type": "cnn", "shape": [1, 4, 4], "architecture": [{"conv": 2, "kernel": 3, "stride": 1, "padding": 1}, "relu",
                                                        {"maxpool": 2, "stride": 2}, {"dense": 3}],
    "data": {"format": "mixture", "features": 16, "classes": 3, "samples_per_class": 8}, "partition": {"scheme": "iid"}})
MLP = changed(RUN, seeds=1, figures=[], grouping="random", problem={
    "type": "mlp", "hidden": [4], "activation": "tanh", "precision": "single",
    "data": {"format": "synthetic", "alpha": 0.7, "beta": 0.9, "features": 5, "users": 8, "max_samples": 60, "classes": 3},
    "partition": {"scheme": "natural"}, "regularizer": {"type": "nonconvex", "weight": 0.01}}, initial={"scale": 0.5},
    optimizer={"step_size": 0.1, "steps": 6, "batch_size": 2}, variant={"momentum": 0.5, "decay": {"type": "cosine"}, "participation": 0.5})
SOFTMAX = changed(RUN, seeds=1, figures=[], grouping="group-iid", problem={
    "type": "softmax", "data": {"format": "csv", "path": "dense.csv", "scaling": "standard", "intercept": True},
    "partition": {"scheme": "dirichlet", "alpha": 0.8}}, constants={"divergence": "certified", "f_star": "solve"},
    optimizer={"step_size": 0.1, "steps": 6, "batch_size": 2})
PARAMS = {"hierarchy": {"fanout": [2, 2], "periods": [4, 2]}, "step_size": 0.01, "steps": 100, "L": 1, "sigma_sq": 1, "delta": 1,
          "level_divergence_sq": [1, 0.5], "user_bounds": [
              {"id": "mine", "of": "S", "expression": "2*delta/(gamma*T) + gamma*L*sigma_sq/n", "valid_if": "gamma <= 1/L"}]}
SWEEP = changed(RUN, seeds=1, sweep={"axes": [{"name": "G", "key": "hierarchy.periods[0]", "values": [4, 8]}]})
PHASE = changed(RUN, figures=["phase"], phase={"method": "monte-carlo", "axes": [{"name": "G", "key": "hierarchy.periods[0]", "values": [2, 4]}]})
PHASE_EXACT = changed(RUN, figures=["phase"], phase={"axes": [{"name": "G", "key": "hierarchy.periods[0]", "values": [2, 4]}]})
RATE = changed(RUN, rate={"over": "steps", "values": [4, 8, 16], "method": "sampled"})
RATE_EXACT = changed(RUN, rate={"over": "steps", "values": [4, 8, 16]})
HUNT = {"hierarchy": {"fanout": [2, 2], "periods": [4, 2]},
        "problem": {"type": "quadratic", "curvature": [1], "linear": [[0], [1], [0], [0.3]]},
        "optimizer": {"step_size": 0.05, "steps": 10},
        "hunt": {"bound": "hsgd-fixed-recursive", "free": ["worker_curvature", "linear", "step_size"], "budget": {"evaluations": 20}}}
PLAN = {"workers": 4, "network": [2, 2], "communication": {"levels": ["wan-100", "lan"], "compute_s_per_step": 0.01}, "dimension": 10,
        "constants": {"L": 1, "sigma_sq": 10, "delta": 4, "global_divergence_sq": 1.5}, "bound": "hsgd-random-recursive",
        "levels": {"max": 2}, "max_period": 4, "budget_seconds": 60}
PEP = changed(RUN, seeds=1, figures=["pep"], problem={"type": "quadratic", "curvature": [1, 1], "linear": [[1, 1], [1, -1], [-1, 1], [-1, -1]],
                                     "noise_variance": 0}, initial={"point": [1.4142135623730951, 0]},
              optimizer={"step_size": 0.1, "steps": 2}, hierarchy={"fanout": [2, 2], "periods": [2, 1]},
              pep={"from": 0.1, "to": 0.2, "points": 3, "axes": [{"name": "T", "key": "optimizer.steps", "values": [2]}]})
del PEP["figures"], PEP["seeds"]
# One rank, which needs no mpirun.
TRAIN = changed(RUN, seeds=1, figures=[], hierarchy={"fanout": [1, 1], "periods": [4, 2]}, problem=changed(QUADRATIC, level_divergence=[0, 0]))
ONE_RANK = {"OMPI_MCA_plm": "isolated", "OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_btl": "self", "OMPI_MCA_hwloc_base_binding_policy": "none"}
RUN_O = ["run", "c.json", "--quiet", "--threads", "1", "--output", "o"]

CASES = [
    Case("help", ["run", "--help"]),
    Case("manual", ["--man-page"]),
    Case("completion", ["--bash-completion"]),
    Case("sandwich", ["sandwich", "--fanout", "2,2", "--periods", "4,2", "--json"]),
    Case("bound", ["bound", "p.json"], {"p.json": PARAMS}),
    Case("bound-json", ["bound", "-", "--json"], stdin='{"hierarchy":{"tree":{"period":4,"children":[{"period":2,"workers":2,"divergence_sq":1},'
         '{"period":4,"workers":1,"divergence_sq":2}],"divergence_sq":1}},"step_size":0.01,"steps":100,"L":1,"sigma_sq":1,"delta":1}'),
    Case("exact", ["exact", "c.json", "--json"], {"c.json": changed(RUN, grouping="random")}),
    Case("run", ["run", "c.json", "--threads", "2", "--output", "o"], {"c.json": RUN}),
    Case("run-again", ["run", "d.json", "--quiet", "--threads", "1", "--output", "o"], {"c.json": RUN, "d.json": changed(RUN, seeds=1, figures=[])}, [RUN_O]),
    Case("run-figures", ["run", "c.json", "--quiet", "--threads", "1", "--output", "o"], {"c.json": changed(RUN, figures=["all"], seeds=1)}),
    Case("run-logistic", ["run", "c.json", "--quiet", "--threads", "2", "--output", "o"], {"c.json": LOGISTIC, "sparse.txt": SPARSE}),
    Case("run-cnn", ["run", "c.json", "--quiet", "--threads", "1", "--output", "o"], {"c.json": CNN}),
    Case("run-mlp", ["run", "c.json", "--quiet", "--threads", "1", "--output", "o"], {"c.json": MLP}),
    Case("run-softmax", ["run", "c.json", "--quiet", "--threads", "1", "--output", "o"], {"c.json": SOFTMAX, "dense.csv": CSV}),
    Case("verify", ["verify", "c.json", "--markdown", "--threads", "1", "--output", "o"], {"c.json": changed(RUN, figures=[])}),
    Case("plot", ["plot", "o", "--format", "svg"], {"c.json": changed(RUN, figures=["all"])}, [RUN_O], kept=("o/result.json", "o/series.csv")),
    Case("report", ["report", "o"], {"c.json": RUN}, [RUN_O], whole=("o/report.html",), kept=("o/result.json", "o/series.csv")),
    Case("check", ["check", "o"], {"c.json": RUN}, [RUN_O], kept=("o/result.json", "o/series.csv")),
    Case("diff", ["diff", "o", "p"], {"c.json": RUN}, [RUN_O, RUN_O[:-1] + ["p", "--seeds", "3"]], kept=("o/result.json", "p/result.json")),
    Case("sweep", ["sweep", "c.json", "--jobs", "1", "--threads", "1", "--quiet", "--output", "o"], {"c.json": changed(SWEEP, figures=[])}, partial=True),
    Case("phase", ["phase", "c.json", "--threads", "1", "--quiet", "--output", "o"], {"c.json": PHASE}),
    Case("phase-exact", ["phase", "c.json", "--threads", "1", "--json", "--output", "o"], {"c.json": PHASE_EXACT}),
    Case("rate", ["rate", "c.json", "--threads", "1", "--output", "o"], {"c.json": RATE}),
    Case("rate-exact", ["rate", "c.json", "--threads", "1", "--json", "--output", "o"], {"c.json": RATE_EXACT}),
    Case("hunt", ["hunt", "c.json", "--threads", "1", "--output", "o"], {"c.json": HUNT}),
    Case("plan", ["plan", "p.json", "--threads", "1", "--output", "o"], {"p.json": PLAN}),
    Case("train", ["train", "--mpi", "c.json", "--quiet", "--output", "o"], {"c.json": TRAIN}, environment=ONE_RANK, timed=True),
    Case("pep", ["pep", "--periods", "2,1", "--steps", "2", "--certificate", "c.json", "--instance", "i.json"], whole=("c.json", "i.json")),
    Case("pep-check", ["pep", "--check", "c.json"], before=[["pep", "--periods", "2,1", "--steps", "2", "--certificate", "c.json"]],
         kept=("c.json",), instead=("(2 by factors, 1 by elimination)",)),
    Case("pep-curves", ["pep", "c.json", "--output", "o"], {"c.json": PEP}),
]
