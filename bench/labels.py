"""Reads {classes, labels, probabilities} from standard input, as JSON; writes the rows that cleanlab finds suspect, as JSON.

Needs numpy and cleanlab (2.9). Where rounding meets ties, cleanlab lets numpy's sort decide, which differs by processor: here a stable one does.
"""
import json
import sys

import numpy as np
from cleanlab.filter import find_label_issues

sort = np.argsort
np.argsort = lambda *args, **options: sort(*args, **{**options, "kind": "stable"})

given = json.load(sys.stdin)
probabilities = np.asarray(given["probabilities"]).reshape(-1, given["classes"])
issues = find_label_issues(np.asarray(given["labels"]), probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
json.dump(np.flatnonzero(issues).tolist(), sys.stdout)
