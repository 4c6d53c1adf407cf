"""The paper's experiment: its data set, its baseline, and the posterior beside it.

Three stages, each kept in the folder as it is finished, the data set and the fits
piece by piece: a run that was killed goes on where it was. Every number follows from
the :class:`Experiment` alone, whatever the number of processes and of interruptions.

    experiment.json   what the folder holds
    library.zarr      the data set, unless an existing one is used
    baseline/         predictions of the trees for each input, and the grid search
    fits/             one file a fit and input

References:
    Chakraborty, Accelerated phase identification using deep learning for retrieving
    physical parameters from SAXS data (2025), sections 2.1.1 and 3.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from saxinfer.crew import Crew
from saxinfer.inference import LARGEST_SCALE_ERROR, FitOptions
from saxinfer.inference.card import load_estimator
from saxinfer.library import Recipe, make_library
from saxinfer.library.drawn_curves import rings_of
from saxinfer.paper.baseline import Tuning, baseline, tuned
from saxinfer.paper.data import (
    MODEL,
    SCALES,
    Experiment,
    ExperimentError,
    LabelledCurves,
    Scale,
    Split,
    read_curves,
)
from saxinfer.paper.fits import (
    FitJob,
    FittedCurve,
    fit_curves,
    predictions_of,
)
from saxinfer.paper.scores import Learner, Predictions, Score, scores_of
from saxinfer.version import VERSION

__all__ = ["SCHEMA", "Outcome", "begin", "reproduce", "scale_error"]

SCHEMA = "saxinfer/paper/1"

MANIFEST = "experiment.json"

# Curves that tell how well the scale is known.
MOST_LOOKED_AT = 1000

# Scores of fewer curves mean nothing.
FEWEST_FITS = 3

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything that is to be told of the experiment.

    Attributes:
        experiment: What was done.
        curves: The data set.
        split: Which curves were learnt from, held out and fitted.
        predictions: Of either method for either input: the trees' for all test
            curves, ours for those that were fitted.
        scores: Of both on the fitted curves, and of the trees on all test curves.
        tuning: What the paper's grid search finds; None if it was left out.
        fits: How each fit went, by input.
    """

    experiment: Experiment
    curves: LabelledCurves
    split: Split
    predictions: Mapping[tuple[Learner, Scale], Predictions]
    scores: tuple[Score, ...]
    tuning: Tuning | None
    fits: Mapping[Scale, tuple[FittedCurve, ...]]

    def score(
        self, learner: Learner, scale: Scale, column: str, sample: str = "fitted"
    ) -> Score:
        """One of the scores.

        Raises:
            KeyError: If there is none.
        """
        wanted = (learner, scale, column, sample)
        for found in self.scores:
            if (found.learner, found.scale, found.column, found.sample) == wanted:
                return found
        raise KeyError(f"no score of {', '.join(wanted)}.")


def begin(
    folder: Path, experiment: Experiment, options: FitOptions, *, resume: bool
) -> None:
    """Takes a folder for an experiment, or makes sure that it holds the same one.

    Raises:
        ExperimentError: If it holds an experiment and is not to be resumed, or
            another one.
        OSError: If it cannot be written.
    """
    asked = _described(experiment, options)
    place = folder / MANIFEST
    if place.exists():
        _refuse_other(folder, json.loads(place.read_text()), asked)
        if not resume:
            raise ExperimentError(
                f"{folder} holds this experiment already. Add --resume to go on with "
                "it, or name another folder with -o."
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    beside = place.with_suffix(".part")
    beside.write_text(json.dumps(asked, indent=1) + "\n")
    beside.replace(place)


def reproduce(
    experiment: Experiment,
    folder: Path,
    options: FitOptions,
    *,
    library: Path | None = None,
    crew: Crew | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Outcome:
    """Does whatever of the experiment is not yet in the folder, and scores it.

    Args:
        experiment: What to do.
        folder: Where everything is kept, taken with :func:`begin`.
        options: How to fit; the prior's ranges and the scale are those of the
            experiment.
        library: The data set, if it exists already.
        crew: Who does it; a process a core if None.
        progress: Told the stage, how much of it is done, and of how much.

    Raises:
        ExperimentError: If a worker was killed, or hardly any curve could be fitted.
        ImportError: If an extra is missing; says which.
        LibraryError: If the data set cannot be made.
    """
    work = _Work(experiment, folder, options, crew or Crew(), progress)
    curves = read_curves(library or work.data_set())
    split = Split.of(experiment)
    trees, tuning = work.trees(curves, split), work.tuning(curves, split)
    fits = work.fits(curves, split)
    predictions: dict[tuple[Learner, Scale], Predictions] = {}
    scores: list[Score] = []
    for scale in SCALES:
        ours = predictions_of(fits[scale])
        predictions["baseline", scale] = trees[scale]
        predictions["ours", scale] = ours
        scores += _scores(curves, trees[scale], ours, scale)
    return Outcome(experiment, curves, split, predictions, tuple(scores), tuning, fits)


@dataclass(frozen=True)
class _Work:
    """The stages, with what is the same for all of them."""

    experiment: Experiment
    folder: Path
    options: FitOptions
    crew: Crew
    progress: Progress

    def data_set(self) -> Path:
        """Makes the library, or finishes it."""
        place = self.folder / "library.zarr"
        make_library(
            self.experiment.recipe,
            place,
            self.crew,
            resume=True,
            command=self.options.command,
            progress=partial(self.progress, "data set"),
        )
        return place

    def trees(self, curves: LabelledCurves, split: Split) -> dict[Scale, Predictions]:
        """The baseline for each input."""
        folder = self.folder / "baseline"
        folder.mkdir(exist_ok=True)
        return {
            scale: baseline(
                curves,
                split,
                scale,
                folder / f"{scale}.npz",
                seed=self.experiment.seed,
                progress=partial(self.progress, f"trees, {scale} scale"),
            )
            for scale in SCALES
        }

    def tuning(self, curves: LabelledCurves, split: Split) -> Tuning | None:
        """The grid search."""
        if not self.experiment.grid_search:
            return None
        return tuned(
            curves,
            split,
            self.folder / "baseline" / "tuning.json",
            seed=self.experiment.seed,
            progress=partial(self.progress, "grid search"),
        )

    def fits(
        self, curves: LabelledCurves, split: Split
    ) -> dict[Scale, tuple[FittedCurve, ...]]:
        """The posteriors for each input.

        Raises:
            ExperimentError: If hardly any curve could be fitted.
        """
        found: dict[Scale, tuple[FittedCurve, ...]] = {}
        error = scale_error(self.experiment, curves, split)
        for scale in SCALES:
            options = options_for(self.experiment, scale, error, self.options)
            seed = self.experiment.seed
            found[scale] = fit_curves(
                [
                    FitJob.of(curves, row, options, seed)
                    for row in split.fitted.tolist()
                ],
                self.folder / "fits" / scale,
                self.crew,
                partial(self.progress, f"fits, {scale} scale"),
            )
            refused = [fit for fit in found[scale] if fit.refused]
            if len(found[scale]) - len(refused) < FEWEST_FITS:
                raise ExperimentError(
                    f"of {len(found[scale])} curves {len(refused)} could not be "
                    f"fitted, the first because: {refused[0].refused}"
                )
        return found


def scale_error(experiment: Experiment, curves: LabelledCurves, split: Split) -> float:
    """How well the scale is known, as the curves to learn from show it [1]."""
    box = experiment.recipe.box
    assert box is not None
    speckle = rings_of(experiment.recipe).speckle / math.sqrt(box.average)
    found = curves.scale_error(split.train[:MOST_LOOKED_AT], speckle)
    return min(found, LARGEST_SCALE_ERROR)


def options_for(
    experiment: Experiment, scale: Scale, error: float, options: FitOptions
) -> FitOptions:
    """Options of the fits: the prior of the data set, and its scale known or not.

    Args:
        experiment: What the fits are part of.
        scale: Whether it is known.
        error: How well, if it is [1].
        options: All other options.
    """
    absolute = scale == "absolute"
    return replace(
        options,
        windows=experiment.windows,
        absolute=absolute,
        scale_error=error if absolute else 0.0,
    )


def _scores(
    curves: LabelledCurves, trees: Predictions, ours: Predictions, scale: Scale
) -> tuple[Score, ...]:
    """Both methods on the same curves, and the trees on all that were held out."""
    score = partial(scores_of, curves, scale=scale)
    return (
        *score(trees.of(ours.rows), learner="baseline", sample="fitted"),
        *score(ours, learner="ours", sample="fitted"),
        *score(trees, learner="baseline", sample="test"),
    )


def _described(experiment: Experiment, options: FitOptions) -> dict[str, object]:
    """What determines all numbers, as stored."""
    return {
        "schema": SCHEMA,
        "saxinfer": VERSION,
        "recipe": experiment.recipe.as_json(),
        "test_curves": experiment.test_curves,
        "seed": experiment.seed,
        "estimator": load_estimator(MODEL, options.estimator).hash,
        "options": repr(replace(options, command="", estimator=None)),
    }


def _refuse_other(
    folder: Path, held: Mapping[str, object], asked: Mapping[str, object]
) -> None:
    """Raises an ExperimentError if a folder holds another experiment."""
    for name, value in asked.items():
        if held.get(name) == value:
            continue
        said = f"{name}: it has {held.get(name)}, but {value} is asked for"
        if name == "recipe":
            said = Recipe.from_json(str(value)).difference(str(held["recipe"]))
        if name == "options":
            said = "its fits were made with other options"
        raise ExperimentError(
            f"{folder} holds another experiment ({said}). Name another folder with -o."
        )
