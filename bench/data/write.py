"""Writes digits.csv.gz and breast-cancer.csv.gz: two data sets with clean labels, as scikit-learn ships them.

Run with scikit-learn installed: python write.py
"""
import gzip
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_digits

for name, data in {"digits": load_digits(), "breast-cancer": load_breast_cancer()}.items():
    header = ",".join(["id", *(str(n).replace(" ", "_") for n in data.feature_names), "label"])
    rows = (",".join([str(i), *(f"{v:g}" for v in x), str(data.target_names[y])]) for i, (x, y) in enumerate(zip(data.data, data.target)))
    text = "\n".join([header, *rows, ""])
    # No time in the header: the same bytes every time.
    Path(__file__).with_name(f"{name}.csv.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
