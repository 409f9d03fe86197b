"""What scikit-learn itself says of rows: the example's pipeline, fitted anew on the very rows that Shoal gave its trainer.

In: {"trainer": folder of trainer.py, "job": the activity's input, "rows": {feature: [values]}}. Out: [main output of each row].
"""
import json
import sys

import numpy as np
import pandas as pd

given = json.load(sys.stdin)
sys.path.insert(0, given["trainer"])
import trainer  # noqa: E402

job = given["job"]
model, features = job["model"], job["features"]
data = pd.read_parquet(job["data"]["path"])
y = trainer.target_of(data, model)
pipeline = trainer.make_pipeline(trainer.encoder(features), trainer.learner(model, job["params"]))
pipeline.fit(trainer.inputs_of(data, features), y)

rows = pd.DataFrame({
    f["name"]: given["rows"][f["name"]] if f["element"] == "string" or f["type"] == "vector" else np.array(given["rows"][f["name"]], dtype=float)
    for f in features
})
said = trainer.answers(pipeline, trainer.inputs_of(rows, features), model, trainer.classes_of(y, model))
json.dump([np.asarray(answer).tolist() for answer in said], sys.stdout)
