"""A trainer for Shoal in Python: scikit-learn learns, skl2onnx writes the ONNX file.

    python trainer.py --address localhost:7233 --task-queue python-trainer

runs a Temporal worker with one activity, `train_scikit_learn`. temporal.yaml names it as a model's trainer:

    trainer: { taskQueue: python-trainer, activity: train_scikit_learn, params: { trees: 200 }, heartbeat: 2m }

What goes in and what comes out is described in docs/trainers.md.
"""
import argparse
import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from skl2onnx.sklapi import CastTransformer
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

ONNX_TYPE = {"float32": FloatTensorType, "float64": DoubleTensorType, "string": StringTensorType}


@activity.defn(name="train_scikit_learn")
def train(job: dict) -> dict:
    if job["contract"] != 1:
        raise ApplicationError(f"This trainer keeps contract 1, not {job['contract']}.", non_retryable=True)
    model, features = job["model"], job["features"]
    if model["task"] not in ("regression", "classification"):
        raise ApplicationError(f"This trainer can't train a model for {model['task']}.", non_retryable=True)

    data = pd.read_parquet(job["data"]["path"])
    x, y, fold = inputs_of(data, features), target_of(data, model), data["__fold"].to_numpy().astype(int)
    pipeline = make_pipeline(encoder(features), learner(model, job["params"]))

    activity.heartbeat("cross-fitting")
    predictions = [None] * len(data)
    for k in sorted(set(fold)):
        held = np.flatnonzero(fold == k)
        for row, said in zip(held, answers(clone(pipeline).fit(x[fold != k], y[fold != k]), x.iloc[held], model, classes_of(y, model))):
            predictions[row] = said
        activity.heartbeat(f"fold {k} of {model['folds']}")
    pipeline.fit(x, y)
    activity.heartbeat("exporting")

    # A folder of this attempt alone: another attempt may still be writing its own.
    folder = Path(tempfile.mkdtemp(dir=job["folder"]))
    (folder / "model.onnx").write_bytes(export(pipeline, features, model))
    name = job["output"]
    pd.DataFrame({"__key": data["__key"], name: predictions}).to_parquet(folder / "outputs.parquet")
    return {
        "contract": 1,
        "onnx": f"{folder.name}/model.onnx",
        "outputs": f"{folder.name}/outputs.parquet",
        "classes": classes_of(y, model),
        "metrics": metrics_of(y, predictions, model),
        "packages": {name: version(name) for name in ("scikit-learn", "skl2onnx", "onnx")},
    }


def inputs_of(data: pd.DataFrame, features: list) -> pd.DataFrame:
    """The features as the ONNX file will get them, side by side; a vector takes as many columns as it is wide."""
    columns = {}
    for feature in features:
        values = data[feature["name"]]
        if feature["element"] == "string":
            columns[feature["name"]] = values.astype(object)
        elif feature["type"] == "vector":
            for i, part in enumerate(np.stack(values.to_numpy()).astype(np.float32).T):
                columns[f"{feature['name']}.{i}"] = part
        else:
            columns[feature["name"]] = values.astype(feature["element"])
    return pd.DataFrame(columns)


def target_of(data: pd.DataFrame, model: dict) -> np.ndarray:
    y = data["__target"].to_numpy()
    return np.log10(y) if model.get("scale") == "log10" else y


def encoder(features: list) -> ColumnTransformer:
    at, groups = 0, {"float32": [], "float64": [], "string": []}
    for feature in features:
        width = feature.get("width") or 1
        groups[feature["element"]] += range(at, at + width)
        at += width
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    return ColumnTransformer([(name, step, columns) for name, step, columns in (
        ("numbers", impute, groups["float32"]),
        ("dates", make_pipeline(CastTransformer(dtype=np.float32), clone(impute)), groups["float64"]),
        ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), groups["string"]),
    ) if columns])


def learner(model: dict, params: dict):
    make = GradientBoostingRegressor if model["task"] == "regression" else GradientBoostingClassifier
    return make(
        n_estimators=params.get("trees", 200), max_depth=params.get("depth", 3), learning_rate=params.get("rate", 0.1),
        max_features=params.get("features"), random_state=model["seed"],
    )


def classes_of(y: np.ndarray, model: dict):
    return sorted(set(y)) if model["task"] == "classification" else None


def answers(fitted, x: pd.DataFrame, model: dict, classes) -> list:
    """The main output of each row, in the target's own unit."""
    if model["task"] == "regression":
        z = fitted.predict(x)
        return list(10.0 ** z if model["scale"] == "log10" else z)
    # A fold may lack a rare class, which the others have.
    probabilities = np.zeros((len(x), len(classes)), dtype=np.float32)
    probabilities[:, [classes.index(name) for name in fitted.classes_]] = fitted.predict_proba(x)
    return list(probabilities)


def metrics_of(y: np.ndarray, predictions: list, model: dict) -> dict:
    """For the card: Shoal measures by itself on rows that it has kept back."""
    if model["task"] == "regression":
        z = np.log10(predictions) if model["scale"] == "log10" else predictions
        return {"cross-validated r2": float(r2_score(y, z))}
    classes = classes_of(y, model)
    return {"cross-validated accuracy": float(accuracy_score(y, [classes[np.argmax(p)] for p in predictions]))}


def export(pipeline, features: list, model: dict) -> bytes:
    """One file that takes raw columns, each [rows, width], and gives `value`, or `label` and `probabilities`."""
    inputs = [(f["name"], ONNX_TYPE[f["element"]]([None, f.get("width") or 1])) for f in features]
    if model["task"] == "classification":
        width = len(pipeline.classes_)
        outputs = [("label", StringTensorType([None])), ("probabilities", FloatTensorType([None, width]))]
        return to_onnx(pipeline, initial_types=inputs, final_types=outputs, options={"zipmap": False}).SerializeToString()
    if model["scale"] == "linear":
        return to_onnx(pipeline, initial_types=inputs, final_types=[("value", FloatTensorType([None, 1]))]).SerializeToString()
    file = to_onnx(pipeline, initial_types=inputs, final_types=[("log10", FloatTensorType([None, 1]))])
    graph = file.graph
    graph.initializer.append(onnx.numpy_helper.from_array(np.float32(10), "ten"))
    graph.node.append(onnx.helper.make_node("Pow", ["ten", "log10"], ["value"]))
    graph.output[0].name = "value"
    return file.SerializeToString()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="localhost:7233")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--task-queue", default="python-trainer")
    options = parser.parse_args()
    client = await Client.connect(options.address, namespace=options.namespace)
    with ThreadPoolExecutor(max_workers=2) as threads:
        worker = Worker(client, task_queue=options.task_queue, activities=[train], activity_executor=threads, max_concurrent_activities=2)
        print(f"Waiting for trainings on {options.task_queue}", flush=True)
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
