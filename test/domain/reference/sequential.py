"""Writes sequential.json: data, and the wealth and confidence sequences that Python finds for them.

Wealth against a mean is that of confseq (Howard & Waudby-Smith), the authors' own implementation. Ends of confidence sequences are by
scipy's root finder on wealth written anew with numpy, from the formulas rather than from our code.

Run with numpy < 2, scipy and confseq installed: python sequential.py
"""
import json
from pathlib import Path

import numpy as np
from confseq.betting import betting_mart
from scipy.optimize import brentq

BETS = np.array([0.96, 0.48, 0.24, 0.12, 0.06, 0.03])
SPREAD = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
rng = np.random.default_rng(11)


def wealth():
    cases = []
    for a, b, m, n in [(2, 3, 0.4, 200), (2, 3, 0.3, 200), (0.5, 0.5, 0.5, 500), (1, 30, 0.1, 90)]:
        x = rng.beta(a, b, n)
        bet = lambda c, most: lambda x, m: np.full(len(x), c / most)
        log_mixture = lambda theta: np.log(sum(
            s * betting_mart(x, m, lambdas_fn_positive=bet(c, m), lambdas_fn_negative=bet(c, 1 - m), convex_comb=True, theta=theta, trunc_scale=1)[-1]
            for s, c in zip(SPREAD, BETS)))
        cases.append({"x": x.tolist(), "mean": m, "above": log_mixture(1), "below": log_mixture(0)})
    return cases


def log_wealth(gains):
    return np.log(SPREAD @ np.exp(np.log1p(BETS[:, None] * gains[None, :]).sum(axis=1))) if len(gains) else 0.0


def running(values, guess):
    """The mean before each, together with a guess that counts as ten."""
    present = ~np.isnan(values)
    sums = np.concatenate([[0], np.cumsum(np.where(present, values, 0))[:-1]])
    counts = np.concatenate([[0], np.cumsum(present)[:-1]])
    return (sums + 10 * guess) / (counts + 10)


def evidence(y1, y0, w, high, typical, effect, measure):
    m0 = running(np.minimum(y0, high), typical)
    m1 = running(np.minimum(y1, high), m0)
    if measure == "ratio":
        r = 1 + effect
        g1 = lambda y: np.minimum(y / max(r, 1), high)
        g0 = lambda y: np.minimum(y, high) * min(r, 1)
        top0, offset = high * min(r, 1), 0
    else:
        g1 = g0 = lambda y: y
        top0, offset = high, effect
    paired = np.isnan(w)
    taken = ~np.isnan(y1)
    f1, f0 = g1(m1), g0(m0)
    d1 = np.where(taken, g1(np.nan_to_num(y1)) - f1, 0)
    d0 = np.where(~taken, g0(np.nan_to_num(y0)) - f0, 0)
    value = np.where(paired, g1(np.nan_to_num(y1)) - g0(np.nan_to_num(y0)) - offset, f1 - f0 - offset + d1 / w - d0 / (1 - w))
    least = np.where(paired, -top0 - offset, f1 - f0 - offset - np.maximum(f1 / w, (top0 - f0) / (1 - w)))
    most = np.where(paired, high - offset, f1 - f0 - offset + np.maximum((high - f1) / w, f0 / (1 - w)))
    return value, least, most, paired


def both_games(y1, y0, w, high, typical, effect, measure, side):
    value, least, most, paired = evidence(y1, y0, w, high, typical, effect, measure)
    gains = value / -least if side == "above" else -value / most
    return log_wealth(gains[paired]) + log_wealth(gains[~paired])


def comparison(name, measure, y1, y0, w, high, typical, alpha=0.05):
    at = lambda side: lambda effect: both_games(y1, y0, w, high, typical, effect, measure, side) - np.log(1 / alpha)
    bounds = (-0.9, 5) if measure == "ratio" else (-0.9, 0.9)
    end = lambda side: brentq(at(side), *bounds, xtol=1e-9) if at(side)(bounds[0]) * at(side)(bounds[1]) < 0 else None
    number = lambda a: [None if np.isnan(v) else float(v) for v in a]
    return {
        "name": name, "measure": measure, "candidate": number(y1), "reference": number(y0), "weight": number(w), "high": high, "typical": typical,
        "alpha": alpha, "claims": [{"side": side, "effect": e, "logWealth": float(both_games(y1, y0, w, high, typical, e, measure, side))}
                                   for side in ("above", "below") for e in (0, 0.05, 0.3)],
        "lowEnd": end("above"), "highEnd": end("below"),
    }


def route(y1, y0, w):
    to = rng.random(len(w)) < w
    return np.where(np.isnan(w) | to, y1, np.nan), np.where(np.isnan(w) | ~to, y0, np.nan), w


def comparisons():
    n = 400
    hard = rng.normal(size=n)
    errors = lambda: np.abs(0.9 * hard + 0.4 * rng.normal(size=n))
    shadow, steps = np.full(n, np.nan), np.concatenate([np.full(150, np.nan), np.full(150, 0.1), np.full(100, 0.5)])
    fails = lambda p: (rng.random(n) < p).astype(float)
    return [
        comparison("paired errors", "ratio", *route(1.2 * errors(), errors(), shadow), 2.0, 0.6),
        comparison("errors through steps", "ratio", *route(1.6 * errors(), errors(), steps), 2.0, 0.6),
        comparison("a better candidate", "ratio", *route(0.6 * errors(), errors(), steps), 2.0, 0.6),
        comparison("no failure", "difference", *route(fails(0), fails(0), shadow), 1.0, 0.0),
        comparison("failures through steps", "difference", *route(fails(0.1), fails(0.01), steps), 1.0, 0.0),
    ]


path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"wealth": wealth(), "comparisons": comparisons()}) + "\n")
