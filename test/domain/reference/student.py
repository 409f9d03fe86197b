"""Writes student.json: quantiles of the normal and Student's t distributions as scipy says them.

Run with scipy installed: python student.py
"""
import json
from pathlib import Path

from scipy import stats

PROBABILITIES = [0.5, 0.6, 0.8, 0.9, 0.95, 0.975, 0.99, 0.996, 0.999, 0.9999]
DEGREES = [1, 2, 3, 4, 5, 8, 15, 29, 100, 1611]

Path(__file__).with_suffix(".json").write_text(json.dumps({
    "probabilities": PROBABILITIES,
    "normal": [stats.norm.ppf(p) for p in PROBABILITIES],
    "degrees": DEGREES,
    "student": [[stats.t.ppf(p, d) for p in PROBABILITIES] for d in DEGREES],
}, indent=1) + "\n")
