"""The JSON of one fit: schema ``saxinfer/fit/1``.

A number that is not there is null, and ``absent`` says why, under the number's path:
``{"absent": {"quality.chi2_reduced": "the file has no error bars"}}``.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from saxinfer.inference.base import Fit
from saxinfer.inference.identify import NONE
from saxinfer.posterior import Posterior, Quantity
from saxinfer.report.choice import chosen
from saxinfer.report.wording import from_trees

__all__ = [
    "SCHEMA",
    "Document",
    "document",
    "dumped",
    "failure",
    "parameter_units",
    "trusted",
]

SCHEMA: Final = "saxinfer/fit/1"

Document = dict[str, Any]

NOT_SHOWN: Final[dict[str, str]] = {
    "guinier_rg": "the curve shows no Guinier region",
    "i0": "the curve shows no Guinier region",
    "peak_q": "the curve shows no interference peak beyond its errors",
    "peak_d": "the curve shows no interference peak beyond its errors",
    "porod_slope": "no power law stands out of the background at high q",
}
NOT_COMPUTED: Final[dict[str, str]] = {
    "chi2_reduced": "the file has no error bars to compare with",
    "p_value": "it was not computed",
}
# By path, of a fit by boosted trees.
NOT_OF_TREES: Final[dict[str, str]] = {
    "correlation.matrix": "boosted trees speak of each quantity alone",
    "evidence.log": "boosted trees have no likelihood",
    "evidence.sd": "boosted trees have no likelihood",
    "quality.effective_samples": "boosted trees draw no samples",
    "quality.p_value": "boosted trees have no likelihood",
    "quality.sampling_efficiency": "boosted trees draw no samples",
}
NO_INSTRUMENT: Final = (
    "boosted trees fit no instrument; the level of the drawn curve stands in "
    "provenance.settings"
)
NOT_FINITE: Final = "it is not a finite number for this posterior"


def document(fit: Fit, files: Mapping[str, str] | None = None) -> Document:
    """One fit as nested dictionaries of plain numbers and strings.

    Args:
        fit: The fit.
        files: Names of the files written for it, by kind ("report", "data").
    """
    found: Document = {
        "schema": SCHEMA,
        "file": fit.curve.file,
        "entry": {"index": fit.curve.entry, "name": fit.curve.name},
        "model": fit.model,
        "method": fit.method,
        "parameters": _quantities(fit.posterior, fit.posterior.of_kind("parameter")),
        "derived": _quantities(fit.posterior, fit.posterior.of_kind("derived")),
        "nuisance": _quantities(fit.posterior, fit.posterior.of_kind("nuisance")),
        "correlation": _correlation(fit.posterior),
        "model_free": asdict(fit.model_free),
        "quality": asdict(fit.quality),
        "evidence": asdict(fit.evidence),
        "data": _data(fit),
        "files": dict(files or {}),
        "provenance": asdict(fit.provenance),
    }
    if fit.rivals:
        found |= chosen(fit)
    absent: dict[str, str] = {}
    clean: Document = _without_nan(found, "", absent)
    if from_trees(fit.posterior):
        absent = {path: NOT_OF_TREES.get(path, why) for path, why in absent.items()}
        absent["nuisance"] = NO_INSTRUMENT
    return {**clean, "absent": absent}


def trusted(found: Document, name: str) -> bool:
    """Whether a parameter may be quoted: constrained, and the curve of the model."""
    in_domain = found["quality"]["verdict"] != "out_of_domain"
    answered = found.get("best") != NONE
    return bool(in_domain and answered and found["parameters"][name]["constrained"])


def parameter_units(documents: Sequence[Document]) -> dict[str, str]:
    """Units of all parameters that occur, in order."""
    units: dict[str, str] = {}
    for found in documents:
        for name, values in found.get("parameters", {}).items():
            units.setdefault(name, values["unit"])
    return units


def failure(file: str, sentence: str) -> Document:
    """What stands for a file that failed."""
    return {"schema": SCHEMA, "file": file, "error": sentence}


def dumped(documents: Sequence[Document]) -> str:
    """The list of documents as JSON text."""
    return json.dumps(list(documents), indent=2, ensure_ascii=False, allow_nan=False)


def _quantities(posterior: Posterior, chosen: tuple[Quantity, ...]) -> Document:
    return {
        quantity.name: {
            "unit": quantity.unit,
            "meaning": quantity.meaning,
            **asdict(posterior.summary(quantity.name)),
            "prior_low": quantity.prior_low,
            "prior_high": quantity.prior_high,
            "fixed": posterior.is_fixed(quantity.name),
            "solutions": [
                {"median": median, "share": share}
                for median, share in posterior.solutions(quantity.name)
            ],
        }
        for quantity in chosen
    }


def _correlation(posterior: Posterior) -> Document:
    names = tuple(q.name for q in posterior if q.kind != "derived")
    if from_trees(posterior):
        return {"names": list(names), "matrix": None}
    rows = posterior.correlation(names).tolist()
    return {
        "names": list(names),
        "matrix": [[round(value, 4) for value in row] for row in rows],
    }


def _data(fit: Fit) -> Document:
    curve = fit.curve
    return {
        "points": len(curve),
        "dropped": curve.dropped,
        "q_min": float(curve.q[0]),
        "q_max": float(curve.q[-1]),
        "q_unit": "1/nm",
        "q_unit_in_file": curve.q_unit,
        "intensity_unit": curve.intensity_unit,
        "sigma": fit.sigma_source,
        "warnings": [remark.text for remark in curve.remarks],
    }


def _without_nan(value: Any, path: str, absent: dict[str, str]) -> Any:  # noqa: ANN401
    """A copy with null for what is not there; the reasons go to ``absent``."""
    if isinstance(value, Mapping):
        return {
            key: _without_nan(item, f"{path}.{key}" if path else str(key), absent)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _without_nan(item, f"{path}[{i}]", absent) for i, item in enumerate(value)
        ]
    if isinstance(value, float) and not math.isfinite(value):
        absent[path] = NOT_FINITE
        return None
    if value is None:
        name = path.rpartition(".")[2]
        if path.startswith("phases["):
            absent[path] = "the model does not know it"
            return None
        absent[path] = {**NOT_SHOWN, **NOT_COMPUTED}.get(name, "it was not computed")
    return value
