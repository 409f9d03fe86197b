"""Writes labels.json: small sets of predictions and labels, and what cleanlab and scipy say of them.

Run with numpy, scipy and cleanlab (2.9) installed: python labels.py
Where rounding meets ties, cleanlab lets numpy's sort decide, which differs by processor: here a stable one does.
"""
import json
from pathlib import Path

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from cleanlab.regression.rank import get_label_quality_scores as get_number_quality
from scipy.stats import median_abs_deviation, spearmanr

sort = np.argsort
np.argsort = lambda *args, **options: sort(*args, **{**options, "kind": "stable"})

rng = np.random.default_rng(11)


def classification(rows, shares, flipped, sharpness):
    """A model of some skill, and labels of which a share was flipped to another class at random."""
    classes = len(shares)
    truth = rng.choice(classes, rows, p=shares)
    logits = rng.normal(0, 1, (rows, classes)) + sharpness * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probabilities = probabilities.round(6)
    labels = np.where(rng.random(rows) < flipped, (truth + rng.integers(1, max(2, classes), rows)) % classes, truth)
    joint = compute_confident_joint(labels, probabilities, calibrate=True)
    issues = find_label_issues(labels, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
    return {
        "classes": classes, "labels": labels.tolist(), "probabilities": probabilities.ravel().tolist(),
        "expected": {
            "thresholds": get_confident_thresholds(labels, probabilities).tolist(),
            "joint": joint.tolist(),
            "suspects": np.flatnonzero(issues).tolist(),
            "self_confidence": get_label_quality_scores(labels, probabilities, method="self_confidence").tolist(),
            "normalized_margin": get_label_quality_scores(labels, probabilities, method="normalized_margin").tolist(),
        },
    }


def regression():
    predictions = rng.normal(0, 2, 80)
    labels = predictions + 0.3 * rng.standard_t(3, 80)
    labels[::20] += 4
    residuals = labels - predictions
    scale = median_abs_deviation(residuals, scale="normal")
    centred = residuals - np.median(residuals)
    return {
        "labels": labels.tolist(), "predictions": predictions.tolist(),
        "expected": {
            "scale": scale, "scores": (centred / scale).tolist(),
            "quality": get_number_quality(centred / scale, np.zeros(80), method="residual").tolist(),
            "rank_correlation": spearmanr(labels, predictions).statistic,
        },
    }


if __name__ == "__main__":
    out = {
        "classification": {
            "three classes, a good model": classification(200, [0.5, 0.3, 0.2], 0.1, 3),
            "two classes": classification(120, [0.6, 0.4], 0.15, 2),
            "a weak model": classification(240, [0.4, 0.3, 0.2, 0.1], 0.1, 0.7),
            "rare classes": classification(150, [0.52, 0.42, 0.02, 0.02, 0.02], 0.05, 1.5),
            "shuffled labels": classification(160, [0.4, 0.35, 0.25], 0.67, 2),
        },
        "regression": regression(),
    }
    Path(__file__).with_name("labels.json").write_text(json.dumps(out) + "\n")
