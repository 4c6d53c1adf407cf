"""The neural posterior on the test curves: a fit each, kept as soon as it is done.

Each fit is seeded by its row, so that a result depends neither on who else is at work
nor on the order in which fits finish.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saxinfer.crew import Crew, CrewError
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.base import Fit
from saxinfer.paper.data import MODEL, ExperimentError, LabelledCurves
from saxinfer.paper.scores import Predictions

__all__ = ["FitJob", "FittedCurve", "fit_curves", "predictions_of"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FittedCurve:
    """What is kept of one fit: for each column its marginal, and how the fit went.

    Attributes:
        row: Row of the curve in the data set.
        mean: Posterior means.
        low: 5 % quantiles.
        high: 95 % quantiles.
        least: Smallest of all samples.
        most: Largest of all samples.
        verdict: Of the fit.
        effective: Effective posterior samples.
        seconds: Wall time.
        refused: Why there is no fit; all else is empty then.
        sd: Posterior standard deviations; none in fits of earlier versions.
    """

    row: int
    mean: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    least: tuple[float, ...] = ()
    most: tuple[float, ...] = ()
    verdict: str = ""
    effective: float = 0.0
    seconds: float = 0.0
    refused: str = ""
    sd: tuple[float, ...] = ()

    @classmethod
    def of(cls, row: int, fit: Fit) -> "FittedCurve":
        """The marginals of a fit's ten columns."""
        posterior = fit.posterior
        names = [quantity.name for quantity in posterior.of_kind("parameter")]
        found = [posterior.summary(name) for name in names]
        samples = [posterior.column(name) for name in names]
        return cls(
            row=row,
            mean=tuple(each.mean for each in found),
            low=tuple(each.q05 for each in found),
            high=tuple(each.q95 for each in found),
            least=tuple(float(each.min()) for each in samples),
            most=tuple(float(each.max()) for each in samples),
            sd=tuple(each.sd for each in found),
            verdict=fit.quality.verdict,
            effective=fit.quality.effective_samples,
            seconds=fit.provenance.seconds,
        )

    @classmethod
    def from_json(cls, text: str) -> "FittedCurve":
        """What :func:`fit_curves` keeps."""
        fields: dict[str, Any] = json.loads(text)
        for name in ("mean", "low", "high", "least", "most", "sd"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)


@dataclass(frozen=True, eq=False)
class FitJob:
    """All that a process needs to know for one fit."""

    row: int
    curve: Curve
    options: FitOptions
    seed: int

    @classmethod
    def of(
        cls, curves: LabelledCurves, row: int, options: FitOptions, seed: int
    ) -> "FitJob":
        """The fit of one row of the data set, in an experiment of some seed."""
        curve = Curve(
            q=torch.from_numpy(curves.q),
            intensity=torch.from_numpy(curves.intensity[row]),
            sigma=torch.from_numpy(curves.sigma[row]),
            name=f"curve {row}",
            intensity_unit="nm³",
        )
        # Neighbouring seeds must not share the fits of neighbouring rows.
        (own,) = np.random.SeedSequence((seed, row)).generate_state(1)
        return cls(row, curve, options, int(own))


def fit_curves(
    jobs: Sequence[FitJob],
    folder: Path,
    crew: Crew | None = None,
    progress: Progress = lambda done, total: None,
) -> tuple[FittedCurve, ...]:
    """Fits those of the curves that are not yet in the folder.

    Args:
        jobs: Which curves, and how.
        folder: Keeps one file a fit; made if it does not exist.
        crew: Who fits them; a process a core if None.
        progress: Told how many of the fits are done, of how many.

    Raises:
        ExperimentError: If a worker was killed; what was finished is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {job.row: folder / f"{job.row:06d}.json" for job in jobs}
    done = {
        row: FittedCurve.from_json(place.read_text())
        for row, place in places.items()
        if place.exists()
    }
    missing = [job for job in jobs if job.row not in done]
    progress(len(done), len(jobs))
    try:
        with (crew or Crew()).ready() as team, closing(team(_fitted, missing)) as fits:
            for found in fits:
                _keep(found, places[found.row])
                done[found.row] = found
                progress(len(done), len(jobs))
    except CrewError as error:
        raise ExperimentError(
            f"{error} What was finished is kept; go on with --resume."
        ) from None
    return tuple(done[job.row] for job in jobs)


def predictions_of(fits: Sequence[FittedCurve]) -> Predictions:
    """Posterior means, 90 % intervals and extremes of the fits that came about."""
    good = [fit for fit in fits if not fit.refused]

    def columns(part: str) -> np.ndarray:
        return np.array([getattr(fit, part) for fit in good], dtype=float)

    return Predictions(
        rows=np.array([fit.row for fit in good], dtype=int),
        value=columns("mean"),
        low=columns("low"),
        high=columns("high"),
        least=columns("least"),
        most=columns("most"),
        sd=columns("sd") if all(fit.sd for fit in good) else None,
    )


def _keep(found: FittedCurve, place: Path) -> None:
    """Writes one fit, whole or not at all."""
    beside = place.with_suffix(".part")
    beside.write_text(json.dumps(asdict(found)))
    beside.replace(place)


def _fitted(job: FitJob) -> FittedCurve:
    """Fits one curve; that it was refused is a result as well."""
    try:
        fit = run(job.curve, MODEL, options=job.options, seed=job.seed)
    except ValueError as error:
        return FittedCurve(job.row, refused=" ".join(str(error).split()))
    return FittedCurve.of(job.row, fit)
