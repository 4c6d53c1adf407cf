"""An estimator judged on many curves: a fit each, kept as soon as it is done.

    experiment.json   what the folder holds
    fits/             one file a fit

Every number follows from the :class:`Study` alone, whatever the number of processes and
of interruptions. A finished study may go on to more curves; the first are the same.
"""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from saxinfer.crew import Crew, CrewError
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.refine import Effort
from saxinfer.instrument.tiers import Tier
from saxinfer.judging.belief import Belief
from saxinfer.judging.calibration import FEWEST, Calibration
from saxinfer.judging.draws import FITTING, drawn, prior_of, seed_of
from saxinfer.judging.error import CalibrationError
from saxinfer.judging.judged import JudgedCurve, judged
from saxinfer.judging.subject import Subject
from saxinfer.version import VERSION

__all__ = ["SCHEMA", "Study", "Trial", "begin", "calibrate"]

SCHEMA = "saxinfer/calibration/1"

MANIFEST, FITS = "experiment.json", "fits"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Study:
    """What is judged, and by which curves.

    Attributes:
        subject: The estimator.
        tier: Instruments of the curves.
        curves: Number of curves.
        seed: Of curves, fits and ranks.
        effort: How much work a fit may take.

    Raises:
        CalibrationError: If there are too few curves.
    """

    subject: Subject
    tier: Tier = "standard"
    curves: int = 200
    seed: int = 0
    effort: Effort = field(default_factory=Effort)

    def __post_init__(self) -> None:
        if self.curves < FEWEST:
            raise CalibrationError(
                f"tests of fewer than {FEWEST} curves tell nothing, got {self.curves}. "
                "Ask for more with --curves."
            )

    def described(self) -> dict[str, Any]:
        """What determines all numbers, as stored."""
        return {
            "schema": SCHEMA,
            "saxinfer": VERSION,
            "model": self.subject.model,
            "method": self.subject.method,
            "estimator": self.subject.estimator,
            "tier": self.tier,
            "seed": self.seed,
            "effort": repr(self.effort),
            "curves": self.curves,
        }


@dataclass(frozen=True)
class Trial:
    """All that a process needs to know to judge one curve."""

    study: Study
    row: int

    def judged(self) -> JudgedCurve:
        """Draws the curve, fits it and ranks the truth."""
        study = self.study
        subject, seed = study.subject, study.seed
        prior = prior_of(subject.model)
        options = FitOptions(
            estimator=subject.folder, effort=study.effort, method=subject.method
        )
        own = seed_of(seed, self.row, FITTING)

        def posterior_of(curve: Curve) -> Belief:
            return Belief.of(
                run(curve, subject.model, options=options, seed=own), prior
            )

        draw = drawn(subject.model, study.tier, seed, self.row)
        return judged(posterior_of, draw, prior, seed)


def begin(folder: Path, study: Study, *, resume: bool) -> None:
    """Takes a folder for a study, or makes sure that it holds the same one.

    Args:
        folder: Where the study is kept.
        study: What is to be judged.
        resume: Whether to go on where a run was stopped, or to more curves.

    Raises:
        CalibrationError: If it holds a study and is not to be resumed, or another one.
        OSError: If it cannot be written.
    """
    place, asked = folder / MANIFEST, study.described()
    if place.exists():
        held = _read(place)
        _refuse_other(folder, held, asked)
        if not resume:
            raise CalibrationError(
                f"{folder} holds this calibration already. Add --resume to go on with "
                "it, or name another folder with -o."
            )
        if held["curves"] == asked["curves"]:
            return
    folder.mkdir(parents=True, exist_ok=True)
    _write(place, json.dumps(asked, indent=1) + "\n")


def calibrate(
    study: Study,
    folder: Path,
    *,
    crew: Crew | None = None,
    progress: Progress = lambda done, total: None,
) -> Calibration:
    """Judges those of the curves that are not yet in the folder.

    Args:
        study: What to do.
        folder: Where everything is kept, taken with :func:`begin`.
        crew: Who fits them; a process a core if None.
        progress: Told how many of the curves are done, of how many.

    Raises:
        CalibrationError: If a worker was killed, or hardly any curve could be fitted.
    """
    fits = folder / FITS
    fits.mkdir(parents=True, exist_ok=True)
    places = [fits / f"{row:06d}.json" for row in range(study.curves)]
    done = {
        row: JudgedCurve.from_json(place.read_text())
        for row, place in enumerate(places)
        if place.exists()
    }
    missing = [Trial(study, row) for row in range(study.curves) if row not in done]
    progress(len(done), study.curves)
    try:
        with (
            (crew or Crew()).ready() as team,
            closing(team(Trial.judged, missing)) as results,
        ):
            for found in results:
                _write(places[found.row], found.as_json())
                done[found.row] = found
                progress(len(done), study.curves)
    except CrewError as error:
        raise CalibrationError(
            f"{error} What was finished is kept; go on with --resume."
        ) from None
    return _complete(study, [done[row] for row in range(study.curves)])


def _complete(study: Study, curves: list[JudgedCurve]) -> Calibration:
    """Refuses to say anything of next to nothing."""
    found = Calibration(prior_of(study.subject.model).columns, tuple(curves))
    if len(found.fitted) < FEWEST:
        refused = [curve.refused for curve in curves if curve.refused]
        raise CalibrationError(
            f"of {len(curves)} curves {len(refused)} could not be fitted, and fewer "
            f"than {FEWEST} are left; the first was refused because: {refused[0]}"
        )
    return found


def _read(place: Path) -> dict[str, Any]:
    try:
        held = json.loads(place.read_text())
    except ValueError:
        held = None
    return held if isinstance(held, dict) else {}


def _write(place: Path, text: str) -> None:
    """Writes a file, whole or not at all."""
    beside = place.with_suffix(".part")
    beside.write_text(text)
    beside.replace(place)


def _refuse_other(folder: Path, held: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raises a CalibrationError if a folder holds another study, or more curves."""
    for name, value in asked.items():
        same = held.get(name) == value
        if name == "curves":
            same = isinstance(held.get(name), int) and held[name] <= value
        if not same:
            raise CalibrationError(
                f"{folder} holds another calibration ({name}: it has "
                f"{held.get(name)}, but {value} is asked for). Name another folder "
                "with -o."
            )
