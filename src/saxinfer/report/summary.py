"""The table of many fits: one row a curve, units in the headings."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from saxinfer.report.document import Document

__all__ = ["summary_csv"]

COLUMNS = ("median", "q05", "q95")


def summary_csv(documents: Sequence[Document]) -> str:
    """CSV text with medians, 90 % intervals and verdicts; failures have a row too."""
    rows = [_row(found) for found in documents]
    headings: dict[str, None] = {}
    for row in rows:
        headings.update(dict.fromkeys(row))
    # The sentence on a failure stands last, whichever row has it first.
    ordered = [name for name in headings if name != "error"] + ["error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, ordered, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(found: Document) -> dict[str, Any]:
    if "error" in found:
        return {"file": found["file"], "error": found["error"]}
    quality, free = found["quality"], found["model_free"]
    row: dict[str, Any] = {
        "file": found["file"],
        "entry": found["entry"]["index"],
        "name": found["entry"]["name"],
        "model": found["model"],
        "verdict": quality["verdict"],
        "reasons": " ".join(quality["reasons"]),
        "chi2_reduced [1]": quality["chi2_reduced"],
        "p_value [1]": quality["p_value"],
    }
    if "models" in found:
        probability = found["models"][found["model"]]["probability"]
        row |= {"best": found["best"], "probability [1]": _short(probability)}
    for block in ("parameters", "derived", "nuisance"):
        for name, values in found[block].items():
            unit = values["unit"]
            for column in COLUMNS:
                row[f"{name} {column} [{unit}]"] = _short(values[column])
            if block != "nuisance":
                row[f"{name} constrained"] = values["constrained"]
    row["guinier_rg [nm]"] = _short(free["guinier_rg"])
    row["peak_q [1/nm]"] = _short(free["peak_q"])
    row["porod_slope [1]"] = _short(free["porod_slope"])
    return row


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
