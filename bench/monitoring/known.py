"""Reads {kind, classes, features, reference, chunks} from a JSON file; writes NannyML's verdicts on the same chunks, as JSON.

Needs requirements.txt. Chunks are given by a column, so both see the very same rows; thresholds and calculators are NannyML's defaults.
"""
import json
import sys

import pandas as pd
import nannyml as nml

given = json.load(open(sys.argv[1]))
reference, analysis = pd.DataFrame(given["reference"]), pd.DataFrame(given["analysis"])
metrics, features = given["metrics"], given["features"]
for frame in (reference, analysis):
    frame["at"] = pd.to_datetime(frame["at"], unit="ms")
    for column in given["categories"]:
        frame[column] = frame[column].astype("category" if column in features else "object")
# Chunks are named by their number, and told apart by a column of periods.
for frame in (reference, analysis):
    frame["chunk_time"] = pd.to_datetime("2000-01-01") + pd.to_timedelta(frame["chunk"], unit="D")
common = dict(timestamp_column_name="chunk_time", chunk_period="D")

if given["kind"] == "classification":
    common_performance = dict(y_pred="label", y_pred_proba="late", y_true="truth", problem_type="classification_binary", metrics=metrics, **common)
    estimator = nml.CBPE(**common_performance)
else:
    estimator = nml.DLE(feature_column_names=features, y_pred="value", y_true="truth", metrics=metrics, **common)
    common_performance = dict(y_pred="value", y_true="truth", problem_type="regression", metrics=metrics, **common)
estimator.fit(reference)
estimated = estimator.estimate(analysis).filter(period="analysis").to_df()
calculator = nml.PerformanceCalculator(**common_performance)
calculator.fit(reference)
realised = calculator.calculate(analysis).filter(period="analysis").to_df()
watched = features + (["label"] if given["kind"] == "classification" else ["value"])
drift = nml.UnivariateDriftCalculator(column_names=watched, continuous_methods=["kolmogorov_smirnov", "jensen_shannon"], categorical_methods=["jensen_shannon"], **common)
drift.fit(reference)
moved = drift.calculate(analysis).filter(period="analysis").to_df()

out = {"chunks": [], "drift": {}}
for i in range(len(estimated)):
    row = {"metrics": {}}
    for m in metrics:
        e, r = estimated[m].iloc[i], realised[m].iloc[i]
        row["metrics"][m] = dict(estimated=float(e["value"]), estimatedAlert=bool(e["alert"]), realised=float(r["value"]), alert=bool(r["alert"]),
                                 lower=None if pd.isna(r["lower_threshold"]) else float(r["lower_threshold"]), upper=None if pd.isna(r["upper_threshold"]) else float(r["upper_threshold"]))
    row["drift"] = {c: {method: dict(value=float(moved[c][method]["value"].iloc[i]), alert=bool(moved[c][method]["alert"].iloc[i]))
                        for method in moved[c].columns.get_level_values(0).unique()} for c in watched}
    out["chunks"].append(row)
json.dump(out, open(sys.argv[2], "w"))
