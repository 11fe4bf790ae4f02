#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workloads W1 to W4 in NumPy, as well as we can write them: an honest rival for the engine.

    rival.py FOLDER    FOLDER holds what `bench --serve NAME --dump FOLDER` left there; commands come on standard input
                       (bench.h), one answer in JSON per line

What makes it fast, and which choices were measured:
  threads    a pool over blocks of groups; NumPy lets go of its lock inside every large operation. OpenBLAS gets one
             thread per caller, so that both cores do different blocks instead of sharing small products.
  windows    between two averages of the root the groups know nothing of each other, so a block runs a whole window while
             it is in cache. Measurements follow per window: all points of a window (wbar, the group's averages, the
             worker's models) go through one matrix product, which has hundreds of columns instead of ten.
  numbers    float64 everywhere. SFC64 fills arrays with normals at almost twice the rate of NumPy's Philox; every block has a
             generator of its own.
  quadratic  in units of gamma sigma/sqrt(d), w <- (1 - gamma h) w + gamma b - gamma xi takes three operations in place. The
             divergences of a quadratic do not depend on w, and the mean of its gradients is the gradient at the mean:
             both are used, so the rival does less than the engine, which evaluates every gradient.
  second     moments as mean ||x||^2 - ||mean x||^2 in one pass, which is good enough for the numbers here (the engine
             uses a stable update instead).
  sparse     mini-batches of a9a: gather the 14 weights of a row (np.take), add up gradients with np.bincount, for all
             workers of a block at once; this beats dense rows of 122 and np.add.at. Passes over all samples use dense
             products, which beat np.add.reduceat.
Left out, in NumPy's favour: the smoothness seen along the path, running maxima, checks of identities, weights."""
import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded

import gzip
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np


BLOCK_WORKERS = 256  # rows of a quadratic that are advanced together: 3 arrays of 200 kB stay in the second-level cache


def generators(seed, count):
    return [np.random.Generator(np.random.SFC64(s)) for s in np.random.SeedSequence(seed).spawn(count)]


def dot_rows(x):
    """||x||^2 along the last axis."""
    return np.einsum("...d,...d->...", x, x)


class Pool:
    """As many threads as asked for; tasks are handed out one at a time."""

    def __init__(self, threads):
        self.executor = ThreadPoolExecutor(threads) if threads > 1 else None

    def map(self, function, items):
        return list(self.executor.map(function, items)) if self.executor else [function(i) for i in items]


# ---- quadratics ----


class Quadratic:
    def __init__(self, problem, load):
        self.groups, self.size = problem["fanout"]
        self.outer, self.inner = problem["periods"]
        self.steps, self.gamma, self.dim = problem["steps"], problem["step_size"], problem["dim"]
        assert problem["measure_every"] == 1
        self.sigma = np.sqrt(problem["noise_sq"] / self.dim)
        self.unit = self.gamma * self.sigma  # models are kept in this unit
        self.curvature, self.initial = load("curvature.f8"), load("initial.f8")
        self.shrink = 1 - self.gamma * self.curvature
        self.drive = load("linear.f8").reshape(self.groups, self.size, self.dim)
        self.drive /= self.sigma  # gamma b in units

    def run(self, pool, seed):
        n, d = self.groups * self.size, self.dim
        self.model = np.empty((self.groups, self.size, d))
        self.model[:] = self.initial / self.unit
        self.worker_noise = np.zeros((self.groups, self.size))
        self.group_sum = np.empty((self.outer, self.groups, d))
        each = max(1, BLOCK_WORKERS // self.size)  # groups of a task
        tasks = [slice(g, min(g + each, self.groups)) for g in range(0, self.groups, each)]
        self.generator = dict(zip([t.start for t in tasks], generators(seed, len(tasks))))
        self.local = threading.local()
        divergence, mean_linear = self.divergences(pool, tasks)
        rows = []
        for begin in range(0, self.steps, self.outer):
            count = min(self.outer, self.steps - begin)
            parts = pool.map(lambda task: self.window(task, count), tasks)
            wbar = self.record(rows, parts, count, n, mean_linear)
            if count == self.outer:
                pool.map(lambda task: self.restart(task, wbar), tasks)
        final = self.model.mean(axis=(0, 1)) * self.unit
        return self.summary(rows, divergence, mean_linear, final)

    def divergences(self, pool, tasks):
        """The gradients differ by the linear terms, wherever they are taken."""

        def one(task):
            drive = self.drive[task]
            return drive.sum(axis=1), np.vdot(drive, drive)

        parts = pool.map(one, tasks)
        groups = np.concatenate([p[0] for p in parts]) / self.size
        mean = groups.mean(axis=0)
        within = sum(p[1] for p in parts) / (self.groups * self.size) - dot_rows(groups).mean()
        between = dot_rows(groups - mean).mean()
        return [self.sigma**2 * between, self.sigma**2 * within], self.sigma * mean

    def restart(self, task, wbar):
        self.model[task] = wbar

    def blocks(self, task):
        """Whole groups, or parts of a group that is too large for the cache; the parts are equal."""
        if self.size <= BLOCK_WORKERS:
            return [(task, slice(0, self.size))]
        parts = -(-self.size // BLOCK_WORKERS)
        edges = [self.size * i // parts for i in range(parts + 1)]
        return [(task, slice(a, b)) for a, b in zip(edges, edges[1:])]

    def window(self, task, count):
        """Advance some groups by a window; returns sums of ||w||^2 and of the noise per step."""
        norm, noise = np.zeros(count), np.zeros((count, self.dim))
        self.group_sum[:count, task] = 0
        for segment in range(0, count, self.inner):
            end = min(segment + self.inner, count)
            for block in self.blocks(task):
                self.advance(block, segment, end, norm, noise)
            if end - segment == self.inner and end < self.outer:
                self.average(task)
        return norm, noise

    def average(self, task):
        model = self.model[task]
        model[:] = model.mean(axis=1, keepdims=True)

    def buffer(self, shape):
        if getattr(self.local, "shape", None) != shape:
            self.local.shape, self.local.noise = shape, np.empty(shape)
        return self.local.noise

    def advance(self, block, begin, end, norm, noise):
        task, workers = block
        w, drive, worker_noise = self.model[task, workers], self.drive[task, workers], self.worker_noise[task, workers]
        z, draw = self.buffer(w.shape), self.generator[task.start].standard_normal
        flat_w, flat_z, ones = w.reshape(-1), z.reshape(-1, self.dim), np.ones(w.shape[0] * w.shape[1])
        assert np.shares_memory(flat_w, w)  # views, no copies
        for t in range(begin, end):
            norm[t] += np.dot(flat_w, flat_w)
            self.group_sum[t, task] += np.add.reduce(w, axis=1)
            draw(out=z)
            noise[t] += ones @ flat_z
            worker_noise += dot_rows(z)
            np.multiply(w, self.shrink, out=w)
            np.add(w, drive, out=w)
            np.subtract(w, z, out=w)

    def record(self, rows, parts, count, n, mean_linear):
        """Everything that follows from the sums of one window; returns the last average of all models."""
        norm = sum(p[0] for p in parts) / n
        noise = sum(p[1] for p in parts) * (self.sigma / n)
        groups = self.group_sum[:count] / self.size
        wbar = groups.mean(axis=1)
        gradient = self.curvature * (self.unit * wbar) - mean_linear
        for t in range(count):
            within = norm[t] - dot_rows(groups[t]).mean()
            between = dot_rows(groups[t] - wbar[t]).mean()
            rows.append((dot_rows(gradient[t]), self.unit**2 * between, self.unit**2 * within, self.loss(wbar[t], mean_linear),
                         dot_rows(noise[t]), gradient[t] @ noise[t]))
        return self.model.mean(axis=(0, 1)) if count == self.outer else None

    def loss(self, w, mean_linear, in_units=True):
        w = w * self.unit if in_units else w
        return (0.5 * self.curvature * w - mean_linear) @ w

    def summary(self, rows, divergence, mean_linear, final):
        mean = np.mean(rows, axis=0)
        noise_sq = self.worker_noise.mean() * self.sigma**2 / self.steps
        return {"S": mean[0], "initial_loss": rows[0][3], "final_loss": self.loss(final, mean_linear, False),
                "divergence": divergence, "dispersion": [mean[1], mean[2]], "noise_sq": noise_sq,
                "mean_gradient_sq": mean[0], "drift_error_sq": 0.0}


# ---- linear models on data ----


def read_idx(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        raw = file.read()
    axes = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def read_libsvm(path):
    """Class indices and a list of column indices per row; all values must be 1."""
    label, column = [], []
    for line in open(path):
        word = line.split()
        label.append(float(word[0]) > 0)
        assert all(float(w.split(":")[1]) == 1 for w in word[1:])
        column.append([int(w.split(":")[0]) - 1 for w in word[1:]])
    return np.array(label, int), column


class LinearModel:
    """Shapes   model (workers, outputs * features)   X (samples, features), sorted by worker
    R: measured steps of a window, whose models are kept in (workers, R, dim)."""

    def __init__(self, problem, load):
        self.groups, self.size = problem["fanout"]
        self.outer, self.inner = problem["periods"]
        self.steps, self.gamma, self.batch = problem["steps"], problem["step_size"], problem["batch_size"]
        self.every, self.full = problem["measure_every"], problem["measured"]
        self.weight = problem["regularizer_weight"] if problem["regularizer"] == "nonconvex" else 0.0
        assert problem["regularizer"] in ("none", "nonconvex")
        order, self.start = load("order.u8", np.uint64).astype(int), load("start.u8", np.uint64).astype(int)
        self.samples = np.diff(self.start)
        self.read(problem, order)
        self.inverse = np.repeat(1.0 / self.samples, self.samples)  # 1/m_j per sample
        self.rows = len(range(0, min(self.outer, self.steps), self.every))
        self.initial = np.zeros(self.dim)  # the workloads start at the origin

    # -- what differs: softmax --

    chunk = 1  # workers whose samples are measured together
    num_blocks = 8  # of groups that are advanced together: small ones stay in cache

    def read(self, problem, order):
        images = read_idx(problem["data"])
        self.X = images.reshape(len(images), -1)[order] / 255.0
        self.y = read_idx(problem["labels"])[order].astype(int)
        self.features, self.outputs = self.X.shape[1], int(self.y.max()) + 1
        self.dim = self.features * self.outputs

    def residual(self, z, y, with_loss):
        """z (K, outputs, m) becomes dloss/dz; returns the losses (with_loss, m) of the first points."""
        at = np.arange(z.shape[2])
        z -= np.maximum.reduce(z, axis=1)[:, None]
        own = z[:with_loss, y, at]
        np.exp(z, out=z)
        total = np.add.reduce(z, axis=1)
        z /= total[:, None]
        z[:, y, at] -= 1
        return np.log(total[:with_loss]) - own

    def draw(self, rng, first, last, count):
        """Batches of some workers for `count` steps: sample indices (count, workers, batch)."""
        m, start = self.samples[first:last, None], self.start[first:last, None]
        return (rng.random((count, last - first, self.batch)) * m).astype(int) + start

    def gradient(self, batch, model, out, space):
        """Stochastic gradients (workers, dim) at the models (workers, dim), for batch = indices (workers, batch)."""
        k = len(model)
        x, z = space
        np.take(self.X, batch, axis=0, out=x, mode="clip")
        np.matmul(x, model.reshape(k, self.outputs, -1).transpose(0, 2, 1), out=z)
        z -= z.max(axis=2, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=2, keepdims=True) * self.batch
        z.reshape(-1, self.outputs)[np.arange(batch.size), self.y[batch.ravel()]] -= 1 / self.batch
        np.matmul(z.transpose(0, 2, 1), x, out=out.reshape(k, self.outputs, -1))

    def make_space(self, k):
        return np.empty((k, self.batch, self.features)), np.empty((k, self.batch, self.outputs))

    flat_models = False  # gradient() can read models that are not contiguous

    # -- the regulariser --

    def add_regularizer(self, gradient, points):
        if self.weight == 0:
            return
        scale = np.square(points)
        scale += 1
        np.square(scale, out=scale)
        np.divide(points, scale, out=scale)
        scale *= 2 * self.weight
        gradient += scale

    def regularizer(self, points):
        square = points * points
        return self.weight * (square / (1 + square)).sum(axis=-1) if self.weight else 0.0

    # -- one run --

    def run(self, pool, seed):
        n, d = self.groups * self.size, self.dim
        self.model = np.tile(self.initial, (n, 1))
        self.kept = np.empty((n, self.rows, d))
        self.kept_gradient = np.empty((n, self.rows, d)) if self.full else None
        self.average = np.empty((self.groups, self.rows, d))
        self.norm = np.zeros((self.groups, self.rows))
        self.generator, self.local = generators(seed, self.groups), threading.local()
        order = sorted(range(self.groups), key=lambda g: self.start[g * self.size] - self.start[(g + 1) * self.size])
        each = -(-self.groups // self.num_blocks)
        blocks = [slice(g, min(g + each, self.groups)) for g in range(0, self.groups, each)]
        rows = []
        for begin in range(0, self.steps, self.outer):
            end = min(begin + self.outer, self.steps)
            measured = [t for t in range(begin, end) if t % self.every == 0]
            pool.map(lambda block: self.window(block, begin, end), blocks)
            if measured:
                self.measure(pool, order, rows, len(measured))
            if end % self.outer == 0:
                self.model[:] = self.model.mean(axis=0)
        wbar = self.model.mean(axis=0)[None]
        final = self.at_mean(pool.map(lambda g: self.measure_group(g, wbar, False), order), wbar)
        mean = {key: np.mean([row[key] for row in rows], axis=0) for key in rows[0]}
        for key in ("divergence", "dispersion", "divergence_at_nodes"):
            if key in mean:
                mean[key] = mean[key].tolist()
        mean.update(initial_loss=rows[0]["loss"], final_loss=final["loss"][0])
        mean.pop("loss")
        return mean

    def window(self, block, begin, end):
        """Advance some groups; models and gradients of measured steps are kept."""
        first, last = block.start * self.size, block.stop * self.size
        cur, tmp = self.model[first:last], self.space("tmp", (last - first, self.dim))
        batches = self.draw(self.generator[block.start], first, last, end - begin)
        space = self.batch_space(last - first)
        at = cur
        row = 0
        for t in range(begin, end):
            out = tmp
            if t % self.every == 0:
                kept = self.kept[first:last, row]
                if at is cur:
                    kept[:] = cur
                self.average[block, row] = self.group_mean(kept)
                self.norm[block.start, row] = dot_rows(kept).sum()
                out = self.kept_gradient[first:last, row] if self.full else tmp
                row += 1
            self.gradient(batches[t - begin], at, out, space)
            self.add_regularizer(out, at)
            # the models of the next step go where they will be kept
            after = self.kept[first:last, row] if self.next_is_kept(t, end) else cur
            np.multiply(out, self.gamma, out=tmp)
            np.subtract(at, tmp, out=after)
            if (t + 1) % self.inner == 0 and (t + 1) % self.outer:
                after.reshape(-1, self.size, self.dim)[:] = self.group_mean(after)[:, None]
            at = after

    def group_mean(self, model):
        return np.add.reduce(model.reshape(-1, self.size, self.dim), axis=1) / self.size

    def next_is_kept(self, t, end):
        return not self.flat_models and t + 1 < end and (t + 1) % self.every == 0

    def space(self, name, shape):
        """Memory of this thread under a name."""
        spaces = self.local.__dict__
        if name not in spaces or spaces[name].shape != shape:
            spaces[name] = np.empty(shape)
        return spaces[name]

    def batch_space(self, k):
        if not hasattr(self.local, "batch"):
            self.local.batch = self.make_space(k)
        return self.local.batch

    # -- measurements --

    def measure(self, pool, order, rows, count):
        """The rows of a window, from the kept models."""
        wbar = self.average[:, :count].mean(axis=0)
        parts = pool.map(lambda g: self.measure_group(g, wbar, self.full), order)
        result = self.at_mean(parts, wbar)
        groups = self.average[:, :count]
        between = dot_rows(groups - wbar).mean(axis=0)
        within = self.norm[:, :count].sum(axis=0) / (self.groups * self.size) - dot_rows(groups).mean(axis=0)
        result["dispersion"] = np.stack([between, within])
        if self.full:
            self.at_models(parts, result)
        for r in range(count):
            rows.append({key: value[..., r] for key, value in result.items()})

    def measure_group(self, g, wbar, everywhere):
        """Gradients of the group's workers at wbar (R, dim) and, if wanted, at the group's averages and at their models:
        sums over the workers of gradients and of their squared norms, and of the noise."""
        count, sets = len(wbar), 3 if everywhere else 1
        first, last = g * self.size, (g + 1) * self.size
        shared = np.concatenate([wbar, self.average[g, :count]]) if everywhere else wbar
        total, norm = np.zeros((sets, count, self.dim)), np.zeros((sets, count))
        noise, noise_sq, loss = np.zeros((count, self.dim)) if everywhere else None, np.zeros(count), np.zeros(count)
        for a in range(first, last, self.chunk):
            b = min(a + self.chunk, last)
            gradient = self.full_gradients(a, b, shared, count, sets, loss)
            total += gradient[0] if b - a == 1 else gradient.sum(axis=0)
            norm += dot_rows(gradient).sum(axis=0)
            if everywhere:
                difference = gradient[:, 2]
                np.subtract(self.kept_gradient[a:b, :count], difference, out=difference)
                noise += difference[0] if b - a == 1 else difference.sum(axis=0)
                noise_sq += dot_rows(difference).sum(axis=0)
        return total, norm, loss, noise, noise_sq

    def full_gradients(self, a, b, shared, count, sets, loss):
        """(workers, sets, R, dim) gradients of workers a .. b - 1; adds their losses at the first R points."""
        low, high, outputs, p = self.start[a], self.start[b], self.outputs, self.features
        x, y = self.X[low:high], self.y[low:high]
        z = self.space("z", (sets * count * outputs, high - low))
        split = len(shared) * outputs
        np.matmul(shared.reshape(split, p), x.T, out=z[:split])
        gradient = self.space("gradient", (b - a, sets, count, self.dim))
        for j in range(a, b) if sets == 3 else ():
            own = slice(self.start[j] - low, self.start[j + 1] - low)
            np.matmul(self.kept[j, :count].reshape(-1, p), x[own].T, out=z[split:, own])
        losses = self.residual(z.reshape(sets * count, outputs, high - low), y, count)
        loss += losses @ self.inverse[low:high]
        z *= self.inverse[low:high]
        for j in range(a, b):
            own = slice(self.start[j] - low, self.start[j + 1] - low)
            np.matmul(z[:, own], x[own], out=gradient[j - a].reshape(-1, p))
        if self.weight:
            self.add_regularizer(gradient[:, : len(shared) // count], shared.reshape(-1, count, self.dim))
            if sets == 3:
                self.add_regularizer(gradient[:, 2], self.kept[a:b, :count])
        return gradient

    def at_mean(self, parts, wbar):
        n = self.groups * self.size
        groups = np.stack([p[0][0] for p in parts]) / self.size
        gradient = groups.mean(axis=0)
        between = dot_rows(groups - gradient).mean(axis=0)
        within = sum(p[1][0] for p in parts) / n - dot_rows(groups).mean(axis=0)
        self.mean_gradient = gradient
        return {"S": dot_rows(gradient), "loss": sum(p[2] for p in parts) / n + self.regularizer(wbar),
                "divergence": np.stack([between, within])}

    def at_models(self, parts, result):
        n = self.groups * self.size
        within = sum(p[1][1] / self.size - dot_rows(p[0][1] / self.size) for p in parts) / self.groups
        mean = sum(p[0][2] for p in parts) / n
        noise = sum(p[3] for p in parts) / n
        result["divergence_at_nodes"] = np.stack([result["divergence"][0], within])
        result["mean_gradient_sq"] = dot_rows(mean)
        result["drift_error_sq"] = dot_rows(mean - self.mean_gradient)
        result["noise_sq"] = sum(p[4] for p in parts) / n
        result["mean_noise_sq"] = dot_rows(noise)
        result["gradient_dot_noise"] = (noise * self.mean_gradient).sum(axis=-1)


class Logistic(LinearModel):
    """Sparse mini-batches; one feature more than there are, always 0, fills up short rows."""

    chunk = 8
    num_blocks = 1  # calls are so short that two threads would wait for the interpreter: one large block is faster
    flat_models = True

    def read(self, problem, order):
        label, column = read_libsvm(problem["data"])
        self.outputs, width = 1, max(map(len, column))
        self.features = max(map(max, column)) + 2
        self.dim = self.features
        padded = np.full((len(column), width), self.features - 1)
        for i, row in enumerate(column):
            padded[i, : len(row)] = row
        self.column, label = padded[order], label[order]
        self.X = np.zeros((len(column), self.features))
        np.put_along_axis(self.X, self.column, 1.0, axis=1)
        self.X[:, -1] = 0
        self.y = np.where(label, 1.0, -1.0)

    def residual(self, z, y, with_loss):
        z = z[:, 0]
        z *= y
        margin = z[:with_loss]
        losses = np.log1p(np.exp(-np.abs(margin))) + np.maximum(-margin, 0)
        np.exp(z, out=z)
        z += 1
        np.divide(-y, z, out=z)
        return losses

    def draw(self, rng, first, last, count):
        """Positions in the block's models (workers * features) of the nonzeros, and the labels."""
        index = super().draw(rng, first, last, count)
        at = self.column[index]
        at += (np.arange(last - first) * self.features)[:, None, None]
        return list(zip(at, self.y[index]))

    def gradient(self, batch, model, out, space):
        at, y = batch
        z = model.reshape(-1).take(at).sum(axis=2)
        z *= y
        np.exp(z, out=z)
        z += 1
        z *= -self.batch
        np.divide(y, z, out=z)
        weights = np.repeat(z.ravel(), at.shape[2])
        out[:] = np.bincount(at.ravel(), weights, minlength=out.size).reshape(out.shape)
        out[:, -1] = 0

    def make_space(self, k):
        return None


# ---- the protocol ----


def blas_name():
    found = {os.path.realpath(line.split()[-1]) for line in open("/proc/self/maps") if "blas" in line and "/" in line}
    return ", ".join(sorted(os.path.basename(f) + " in " + os.path.basename(os.path.dirname(f)) for f in found))


def peak_bytes():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return 1024 * int(line.split()[1])
    return 0


def put(answer):
    print(json.dumps(answer, default=float), flush=True)


def main(folder):
    with open(os.path.join(folder, "problem.json")) as file:
        problem = json.load(file)

    def load(name, dtype=np.float64):
        return np.fromfile(os.path.join(folder, name), dtype)

    begin = time.perf_counter()
    kind = {"quadratic": Quadratic, "softmax": LinearModel, "logistic": Logistic}[problem["kind"]]
    rival = kind(problem, load)
    np.matmul(np.ones((64, 64)), np.ones((64, 64)))  # loads the BLAS
    put({"ready": True, "numpy": np.__version__, "blas": blas_name(), "build_s": time.perf_counter() - begin})
    for line in sys.stdin:
        _, threads, seed = line.split()
        pool = Pool(int(threads))
        begin, begin_cpu = time.perf_counter(), time.process_time()
        with np.errstate(over="ignore"):
            answer = rival.run(pool, int(seed))
        answer.update(seconds=time.perf_counter() - begin, cpu_s=time.process_time() - begin_cpu, peak_bytes=peak_bytes())
        put(answer)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
