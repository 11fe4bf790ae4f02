#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a certificate of hsgd pep the naive way: worker by worker, in fractions, from the algorithm.

Every worker of a tree with two children everywhere has an unknown gradient at every point. Models are lists of
coefficients of these unknowns; points whose models agree are one. The slack is one large quadratic form, without any use
of symmetry. Prints "proved" or "not proved: REASON"."""
import json
import sys
from fractions import Fraction


def rational(text):
    return Fraction(text)


class Workers:
    """n = 2^M workers; unknown (j, p) is the gradient of worker j at point p."""

    def __init__(self, periods, steps, gamma):
        self.levels, self.n, self.steps = len(periods), 2 ** len(periods), steps
        self.points, self.position = [], []
        models = [{} for _ in range(self.n)]
        for t in range(steps + 1):
            for depth in range(self.levels + 1 if t < steps else 1):
                means = self.average(models, depth)
                if depth == 0 or means != self.position[-1]:
                    self.points.append((t, depth))
                    self.position.append(means)
            last = len(self.points) - 1
            for j in range(self.n):
                models[j] = dict(models[j])
                models[j][(j, last)] = models[j].get((j, last), 0) - gamma
            for depth, period in enumerate(periods):
                if (t + 1) % period == 0:
                    models = self.average(models, depth)
                    break

    def below(self, depth):
        return 2 ** (self.levels - depth)

    def average(self, models, depth):
        size, out = self.below(depth), []
        for first in range(0, self.n, size):
            total = {}
            for model in models[first:first + size]:
                for key, value in model.items():
                    total[key] = total.get(key, 0) + value
            mean = {key: value / size for key, value in total.items() if value}
            out += [mean] * size
        return out

    def point(self, t, depth):
        """The point of wbar_u^t, u of this depth: the deepest that is not below it."""
        return max(p for p, (s, d) in enumerate(self.points) if s == t and d <= depth)

    def index(self, j, p):
        return j * len(self.points) + p


class Form:
    """A symmetric matrix of fractions."""

    def __init__(self, size):
        self.entry = [[Fraction(0)] * size for _ in range(size)]

    def add(self, factor, x, y, index):
        """factor times <x, y>, symmetrised."""
        for a, value_a in x.items():
            for b, value_b in y.items():
                i, k = index(*a), index(*b)
                self.entry[i][k] += factor * value_a * value_b / 2
                self.entry[k][i] += factor * value_a * value_b / 2

    def is_semidefinite(self):
        rows, matrix = list(range(len(self.entry))), self.entry
        while rows:
            pivot = max(rows, key=lambda i: matrix[i][i])
            if matrix[pivot][pivot] <= 0:
                return all(matrix[i][k] == 0 for i in rows for k in rows)
            rows.remove(pivot)
            for i in rows:
                ratio = matrix[i][pivot] / matrix[pivot][pivot]
                if ratio:
                    for k in rows:
                        matrix[i][k] -= ratio * matrix[pivot][k]
        return True


def minus(x, y):
    out = dict(x)
    for key, value in y.items():
        out[key] = out.get(key, 0) - value
    return out


def plus(x, y):
    return minus(x, {key: -value for key, value in y.items()})


def check(file):
    if file["zero_levels"] or file["criterion"] != "mean" or file["gap"] != "descent":
        sys.exit("only means and descent gaps without zero levels")
    smoothness, steps = rational(file["smoothness"]), file["steps"]
    w = Workers(file["periods"], steps, rational(file["step_size"]))
    slack = Form(w.n * len(w.points))
    balance = [[Fraction(0)] * len(w.points) for _ in range(w.n)]

    for pair in file["interpolation"]:
        a, b = w.points.index(tuple(pair["higher"])), w.points.index(tuple(pair["lower"]))
        factor = rational(pair["value"]) / w.n
        if factor < 0:
            return "a multiplier is negative"
        for j in range(w.n):
            g, h, x, y = {(j, a): Fraction(1)}, {(j, b): Fraction(1)}, w.position[a][j], w.position[b][j]
            balance[j][a] += factor
            balance[j][b] -= factor
            slack.add(factor, h, minus(x, y), w.index)
            # 1/(2(1 - mu/L)) ( |g-h|^2/L + mu |x-y|^2 - 2 (mu/L) <h-g, y-x> ) with mu = -L (Taylor, Hendrickx, Glineur)
            slack.add(factor / (4 * smoothness), minus(g, h), minus(g, h), w.index)
            slack.add(-factor * smoothness / 4, minus(x, y), minus(x, y), w.index)
            slack.add(factor / 2, minus(h, g), minus(y, x), w.index)

    total = [Fraction(0)] * w.levels
    for item in file["divergence"]:
        level, value = item["level"], rational(item["value"])
        if value < 0:
            return "a multiplier is negative"
        total[level - 1] += value
        p = w.point(item["step"], level - 1)
        gradients = [{(j, p): Fraction(1)} for j in range(w.n)]
        deviation = [minus(x, y) for x, y in zip(w.average(gradients, level), w.average(gradients, level - 1))]
        for j in range(w.n):
            slack.add(value / w.n, deviation[j], deviation[j], w.index)
    gap = sum(rational(item["value"]) for item in file["gap_multipliers"])
    if rational(file["delta_coefficient"]) < gap or gap < 0:
        return "delta_coefficient"
    if any(rational(c) < t for c, t in zip(file["divergence_coefficients"], total)):
        return "divergence_coefficients"
    for j in range(w.n):
        balance[j][0] -= gap / w.n
        balance[j][w.point(steps, 0)] += gap / w.n
    if any(value for row in balance for value in row):
        return "function values do not cancel"
    for t in range(steps):
        p = w.point(t, 0)
        mean = {(j, p): Fraction(1, w.n) for j in range(w.n)}
        slack.add(Fraction(-1, steps), mean, mean, w.index)
    return "" if slack.is_semidefinite() else "the slack is not positive semidefinite"


def main():
    with open(sys.argv[1], encoding="utf-8") as stream:
        reason = check(json.load(stream))
    print("proved" if not reason else "not proved: " + reason)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
