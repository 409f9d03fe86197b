"""Checks ONNX files with ONNX's own checker and runs them: JSON on standard input and output.

In:  [{"file": path, "feeds": {input: {"type": ..., "dims": [...], "data": [...]}}}]; a float that is not finite is a string.
Out: [{output: {"dims": [...], "data": [...]}}] with the file's metadata under "metadata".
"""
import json
import sys

import numpy as np
import onnx
import onnxruntime

STANDARD = {"", "ai.onnx", "ai.onnx.ml"}


def array(feed):
    if feed["type"] == "string":
        return np.array(feed["data"], dtype=object).reshape(feed["dims"])
    return np.array([float(x) for x in feed["data"]], dtype=feed["type"]).reshape(feed["dims"])


def check(case):
    model = onnx.load(case["file"])
    onnx.checker.check_model(model, full_check=True)
    foreign = {node.domain for node in model.graph.node} - STANDARD
    assert not foreign, f"operators of {foreign}"

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(case["file"], options)
    names = [output.name for output in session.get_outputs()]
    results = session.run(names, {name: array(feed) for name, feed in case["feeds"].items()})
    return {
        "metadata": session.get_modelmeta().custom_metadata_map,
        "outputs": {name: {"dims": list(r.shape), "data": r.ravel().tolist()} for name, r in zip(names, results)},
    }


json.dump([check(case) for case in json.load(sys.stdin)], sys.stdout)
