"""Reads {kind, metrics, features, categories, reference, analysis} from a JSON file; writes NannyML's verdicts on the same chunks, as JSON.

Needs requirements.txt. Chunks are given by a column, so both see the very same rows; thresholds and calculators are NannyML's defaults.
"""
import json
import sys
import time

import pandas as pd
import nannyml as nml

given = json.load(open(sys.argv[1]))
reference, analysis = pd.DataFrame(given["reference"]), pd.DataFrame(given["analysis"])
metrics, features = given["metrics"], given["features"]
for frame in (reference, analysis):
    for column in given["categories"]:
        frame[column] = frame[column].astype("category")
    if "label" in frame:
        frame["said"] = frame["label"].astype(str).astype("category")
        frame["probability"] = frame["late"].where(frame["label"] == 1, 1 - frame["late"])
    # Chunks are named by their number, and told apart by a column of periods.
    frame["chunk_time"] = pd.to_datetime("2000-01-01") + pd.to_timedelta(frame["chunk"], unit="D")
common = dict(timestamp_column_name="chunk_time", chunk_period="D")
classes = given["kind"] == "classification"

started = time.perf_counter()
if classes:
    performance = dict(y_pred="label", y_pred_proba="late", y_true="truth", problem_type="classification_binary", metrics=metrics, **common)
    estimator = nml.CBPE(**performance)
else:
    performance = dict(y_pred="value", y_true="truth", problem_type="regression", metrics=metrics, **common)
    estimator = nml.DLE(feature_column_names=features, y_pred="value", y_true="truth", metrics=metrics, **common)
watched = features + (["said", "probability"] if classes else ["value"])
drift = nml.UnivariateDriftCalculator(column_names=watched, continuous_methods=["kolmogorov_smirnov"], categorical_methods=["jensen_shannon"], **common)


def fitted(calculator, run):
    calculator.fit(reference)
    return getattr(calculator, run)(analysis).filter(period="analysis").to_df()


estimated, realised, moved = fitted(estimator, "estimate"), fitted(nml.PerformanceCalculator(**performance), "calculate"), fitted(drift, "calculate")
seconds = time.perf_counter() - started


def metric(m, i):
    e, r = estimated[m].iloc[i], realised[m].iloc[i]
    bound = lambda name: None if pd.isna(r[name]) else float(r[name])
    return dict(estimated=float(e["value"]), realised=float(r["value"]), lower=bound("lower_threshold"), upper=bound("upper_threshold"))


def column(c, i):
    method = moved[c].columns.get_level_values(0)[0]
    of = moved[c][method].iloc[i]
    return dict(method=method, value=float(of["value"]), alert=bool(of["alert"]))


chunks = [dict(metrics={m: metric(m, i) for m in metrics}, drift={c: column(c, i) for c in watched}) for i in range(len(estimated))]
json.dump(dict(chunks=chunks, seconds=seconds), open(sys.argv[2], "w"))
