"""Writes drift.json: small samples and what scipy and scikit-learn say of them.

Run with numpy, scipy and scikit-learn installed: python drift.py
"""
import json
from pathlib import Path

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, chi2_contingency, ks_2samp, wasserstein_distance
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(11)


def numbers():
    pairs = [
        (rng.normal(0, 1, 40), rng.normal(0, 1, 60)),
        (rng.normal(0, 1, 200), rng.normal(0.4, 1.5, 150)),
        (rng.integers(0, 8, 90), rng.integers(1, 9, 31)),  # ties
        (rng.lognormal(3, 1, 35), rng.lognormal(3.2, 1, 500)),
        (np.arange(30), np.arange(30) + 100),
    ]
    return [{
        "a": np.asarray(a, float).tolist(), "b": np.asarray(b, float).tolist(),
        "wasserstein": wasserstein_distance(a, b),
        "ks": ks_2samp(a, b, method="exact").statistic, "p": ks_2samp(a, b, method="exact").pvalue,
    } for a, b in pairs]


def large():
    """Too large to count paths in a moment: statistics and their exact probabilities."""
    out = []
    for n, m, shift in [(5000, 4000, 0.03), (9000, 2000, 0.05), (8000, 8000, 0.0)]:
        r = ks_2samp(rng.normal(0, 1, n), rng.normal(shift, 1, m), method="exact")
        out.append({"n": n, "m": m, "ks": r.statistic, "p": r.pvalue})
    return out


def counts():
    pairs = [([50, 30, 20], [40, 45, 15]), ([500, 1, 9, 90], [450, 12, 0, 138]), ([12, 8], [20, 60]), ([100] * 25, [90, 110] * 12 + [100])]
    return [{
        "a": a, "b": b, "jensenShannon": float(jensenshannon(a, b, base=2)),
        "statistic": chi2_contingency([a, b], correction=False).statistic, "p": chi2_contingency([a, b], correction=False).pvalue,
    } for a, b in pairs]


def tails():
    return [{"x": x, "freedom": k, "p": float(chi2.sf(x, k))} for k in (1, 2, 3, 7, 12, 31, 100) for x in (0.01, 0.7, 3.84, 12.5, 60.0, 180.0)]


def auc():
    truth = rng.choice(3, 80, p=[0.5, 0.3, 0.2])
    scores = (rng.normal(0, 1, (80, 3)) + 0.9 * np.eye(3)[truth]).round(1)  # ties
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    value = sum((truth == c).mean() * roc_auc_score(truth == c, p[:, c]) for c in range(3))
    assert abs(value - roc_auc_score(truth, p, multi_class="ovr", average="weighted")) < 1e-12
    return {"truth": truth.tolist(), "scores": p.tolist(), "auc": value}


if __name__ == "__main__":
    out = {"numbers": numbers(), "large": large(), "counts": counts(), "tails": tails(), "auc": auc()}
    Path(__file__).with_name("drift.json").write_text(json.dumps(out) + "\n")
