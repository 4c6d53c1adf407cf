"""The data, the fit and the posterior samples of one curve in one NXcanSAS file.

The measured curve is the only SASdata group, so that every NXcanSAS reader opens the
file as that curve; what was inferred lies beside it, in a collection of its own:

    entry (SASentry)
        data (SASdata)             Q, I, Idev, Qdev as fitted; q in 1/nm
        process (SASprocess)       program, date, model, settings, verdict
        fit (NXcollection)
            curve (NXdata)         q, median, low, high, sigma, residuals
            posterior (NXdata)     samples, weights, names, units, kinds
            document               the JSON of the fit

References:
    NeXus application definition NXcanSAS 1.1,
    https://manual.nexusformat.org/classes/applications/NXcanSAS.html
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from saxinfer.inference.base import Fit
from saxinfer.report.document import document, dumped
from saxinfer.report.wording import from_trees

__all__ = ["write_nxcansas"]


def write_nxcansas(fit: Fit, path: Path) -> None:
    """Writes one fit as NXcanSAS.

    Raises:
        OSError: If the file cannot be written.
    """
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        file.attrs["creator"] = f"saxinfer {fit.provenance.saxinfer}"
        entry = _group(file, "entry", "NXentry", canSAS_class="SASentry", version="1.1")
        entry.attrs["default"] = "data"
        entry["definition"] = "NXcanSAS"
        entry["title"] = fit.curve.name or Path(fit.curve.file).stem or "curve"
        entry["run"] = Path(fit.curve.file).name or "simulated"
        _write_data(entry, fit)
        _write_process(entry, fit)
        collection = _group(entry, "fit", "NXcollection")
        _write_band(collection, fit)
        _write_posterior(collection, fit)
        collection["document"] = dumped([document(fit)])


def _group(parent: Any, name: str, nx_class: str, **attributes: str) -> Any:  # noqa: ANN401
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    group.attrs.update(attributes)
    return group


def _column(group: Any, name: str, values: Any, unit: str, **attributes: str) -> None:  # noqa: ANN401
    data = group.create_dataset(name, data=np.asarray(values, dtype=np.float64))
    data.attrs["units"] = unit
    data.attrs.update(attributes)


def _write_data(entry: Any, fit: Fit) -> None:  # noqa: ANN401
    curve = fit.curve
    group = _group(
        entry,
        "data",
        "NXdata",
        canSAS_class="SASdata",
        signal="I",
        I_axes="Q",
        axes="Q",
    )
    group.attrs["Q_indices"] = np.array([0])
    unit = curve.intensity_unit
    width = {} if curve.resolution is None else {"resolutions": "Qdev"}
    error = {} if curve.sigma is None else {"uncertainties": "Idev"}
    _column(group, "Q", curve.q, "1/nm", **width)
    _column(group, "I", curve.intensity, unit, **error)
    if curve.sigma is not None:
        _column(group, "Idev", curve.sigma, unit)
    if curve.resolution is not None:
        _column(group, "Qdev", curve.resolution, "1/nm")


def _write_process(entry: Any, fit: Fit) -> None:  # noqa: ANN401
    made = fit.provenance
    group = _group(entry, "process", "NXprocess", canSAS_class="SASprocess")
    group["name"] = "saxinfer"
    group["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    group["description"] = f"Model {fit.model} fitted by {fit.method}"
    terms = {
        "version": made.saxinfer,
        "estimator": made.estimator,
        "seed": made.seed,
        "command": made.command,
        "verdict": fit.quality.verdict,
        **made.settings,
    }
    for count, (name, value) in enumerate(terms.items(), start=1):
        group[f"term{count}"] = f"{name} = {value}"


def _write_band(collection: Any, fit: Fit) -> None:  # noqa: ANN401
    unit = fit.curve.intensity_unit
    group = _group(collection, "curve", "NXdata", signal="median", axes="q")
    _column(group, "q", fit.curve.q, "1/nm")
    for name in ("median", "low", "high", "sigma"):
        _column(group, name, getattr(fit.band, name), unit)
    _column(group, "residuals", fit.band.residuals, "1")


def _write_posterior(collection: Any, fit: Fit) -> None:  # noqa: ANN401
    posterior = fit.posterior
    group = _group(collection, "posterior", "NXdata", signal="samples")
    # One leading axis: readers that list a group row by row meet one row.
    samples = np.asarray(posterior.samples, dtype=np.float64)[None]
    stored = group.create_dataset("samples", data=samples, compression="gzip")
    stored.attrs["axes"] = "posterior, sample, quantity"
    _column(group, "weights", posterior.weights[None], "1")
    group.attrs["names"] = [q.name for q in posterior]
    group.attrs["units"] = [q.unit for q in posterior]
    group.attrs["kinds"] = [q.kind for q in posterior]
    if from_trees(posterior):
        group.attrs["joint"] = "unknown: each column is shuffled by itself"
