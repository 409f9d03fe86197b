"""Writes metrics.json: small inputs and what scikit-learn and sktime say of them.

Run with numpy, scikit-learn and sktime installed: python metrics.py
"""
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_absolute_error, mean_squared_error, r2_score
from sktime.performance_metrics.forecasting import mean_absolute_percentage_error, mean_absolute_scaled_error

rng = np.random.default_rng(7)


def regression():
    truth = 10 ** rng.normal(7, 1, 40)
    value = truth * 10 ** rng.normal(0.1, 0.4, 40)
    low, high = value / 3, value * 3
    y, p = np.log10(truth), np.log10(value)
    return {
        "truth": truth.tolist(), "value": value.tolist(), "low": low.tolist(), "high": high.tolist(),
        "expected": {
            "rmse": mean_squared_error(y, p) ** 0.5, "mae": mean_absolute_error(y, p), "r2": r2_score(y, p),
            "rmse_own": mean_squared_error(truth, value) ** 0.5, "mae_own": mean_absolute_error(truth, value),
            "coverage": float(np.mean((truth >= low) & (truth <= high))),
        },
    }


def calibration_error(confidence, correct, bins=15):
    """Guo et al. (2017), as in their published code: bins (lower, upper]."""
    edges = np.linspace(0, 1, bins + 1)
    error = 0.0
    for lower, upper in zip(edges[:-1], edges[1:]):
        inside = (confidence > lower) & (confidence <= upper)
        if inside.any():
            error += abs(confidence[inside].mean() - correct[inside].mean()) * inside.mean()
    return error


def classification():
    classes = ["a", "b", "c", "d"]  # d is never true
    truth = rng.choice(3, 60, p=[0.6, 0.3, 0.1])
    logits = rng.normal(0, 1.5, (60, 4)) + 1.5 * np.eye(4)[truth]
    probabilities = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    predicted = probabilities.argmax(1)
    confidence = probabilities.max(1).astype(float)
    return {
        "classes": classes, "truth": [classes[t] for t in truth], "label": [classes[p] for p in predicted],
        "probability": confidence.tolist(), "probabilities": probabilities.astype(float).ravel().tolist(),
        "expected": {
            "accuracy": accuracy_score(truth, predicted), "macro_f1": f1_score(truth, predicted, average="macro"),
            "log_loss": log_loss(truth, probabilities.astype(float) / probabilities.astype(float).sum(1, keepdims=True), labels=range(4)),
            "calibration_error": calibration_error(confidence, predicted == truth),
        },
    }


def forecast():
    season, horizon = 4, 3
    history = (50 + 10 * np.sin(np.arange(24) * np.pi / 2) + rng.normal(0, 3, 24)).round(3)
    truth = (50 + rng.normal(0, 8, horizon)).round(3)
    value = (truth + rng.normal(0, 4, horizon)).round(3)
    return {
        "season": season, "history": history.tolist(), "truth": truth.tolist(), "value": value.tolist(),
        "expected": {
            "mase": mean_absolute_scaled_error(truth, value, y_train=history, sp=season),
            "smape": mean_absolute_percentage_error(truth, value, symmetric=True),
            "rmse": mean_squared_error(truth, value) ** 0.5,
        },
    }


if __name__ == "__main__":
    out = {"regression": regression(), "classification": classification(), "forecast": forecast()}
    Path(__file__).with_name("metrics.json").write_text(json.dumps(out, indent=1) + "\n")
