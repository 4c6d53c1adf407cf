"""An estimator judged on many curves: a fit each, kept as soon as it is done.

    experiment.json   what the folder holds
    fits/             one file a fit

Every number follows from the :class:`Study` alone, whatever the number of processes and
of interruptions. A finished study may go on to more curves: the first are the same.
"""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from saxinfer.curve import Curve
from saxinfer.inference import METHODS, FitOptions, run
from saxinfer.inference.refine import Effort
from saxinfer.instrument.tiers import Tier
from saxinfer.judging.belief import Belief
from saxinfer.judging.calibration import FEWEST, Calibration
from saxinfer.judging.draws import FITTING, drawn, prior_of, seed_of
from saxinfer.judging.error import CalibrationError
from saxinfer.judging.judged import JudgedCurve, judged
from saxinfer.judging.processes import in_processes
from saxinfer.version import VERSION

__all__ = ["SCHEMA", "Study", "begin", "calibrate"]

SCHEMA = "saxinfer/calibration/1"

MANIFEST, FITS = "experiment.json", "fits"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Study:
    """What is judged, and by which curves.

    Attributes:
        model: Name of the structure.
        tier: Instruments of the curves.
        curves: Number of curves.
        seed: Of curves, fits and ranks.
        method: One of ``METHODS``.
        estimator: Folder of the estimator; None for the shipped one.
        effort: How much work a fit may take.

    Raises:
        CalibrationError: If there are too few curves, or no such method.
    """

    model: str
    tier: Tier = "standard"
    curves: int = 200
    seed: int = 0
    method: str = "npe+refine"
    estimator: Path | None = None
    effort: Effort = field(default_factory=Effort)

    def __post_init__(self) -> None:
        if self.curves < FEWEST:
            raise CalibrationError(
                f"tests of fewer than {FEWEST} curves tell nothing, got {self.curves}. "
                "Ask for more with --curves."
            )
        if self.method not in METHODS:
            raise CalibrationError(
                f"Unknown method '{self.method}'. Known methods: {', '.join(METHODS)}."
            )

    def options(self, command: str = "") -> FitOptions:
        """Of every fit."""
        return FitOptions(
            command=command,
            estimator=self.estimator,
            effort=self.effort,
            method=self.method,
        )

    def described(self) -> dict[str, object]:
        """What determines all numbers, as stored."""
        first = run(
            drawn(self.model, self.tier, self.seed, 0).curve,
            self.model,
            options=self.options(),
        )
        return {"estimator": first.provenance.estimator}


def begin(folder: Path, study: Study, estimator: str, *, resume: bool) -> None:
    """Takes a folder for a study, or makes sure that it holds the same one.

    Args:
        folder: Where the study is kept.
        study: What is to be judged.
        estimator: Short hash of the estimator.
        resume: Whether to go on where a run was stopped, or with more curves.

    Raises:
        CalibrationError: If it holds a study and is not to be resumed, or another one.
        OSError: If it cannot be written.
    """
