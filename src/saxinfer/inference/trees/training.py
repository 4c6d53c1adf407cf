"""Growing the trees of a model: the baseline's ``saxinfer train``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from saxinfer.inference.trees.boosting import Boosting, fit_trees
from saxinfer.inference.trees.card import refuse_others, write_trees
from saxinfer.inference.trees.labelled import Labelled, from_library, simulated
from saxinfer.inference.trees.regressor import xgboost_version
from saxinfer.structures import get_structure

__all__ = ["CURVES", "train_trees"]

CURVES = 10_000
"""Curves that are simulated by default: as many as the paper has."""

Progress = Callable[[int, int, str], None]


def train_trees(
    model: str,
    out: Path,
    *,
    boosting: Boosting | None = None,
    curves: int | None = None,
    library: Path | None = None,
    progress: Progress = lambda done, total, note: None,
) -> None:
    """Grows trees and writes them with their card; nothing is left half-written.

    Args:
        model: Name of the structure.
        out: Folder to write; made if missing, and taken back if nothing came.
        boosting: How to grow them; its seed is that of the simulations as well.
        curves: How many to learn from: 10,000, or all of the library, by default.
        library: Library to learn from instead of simulating.
        progress: Called now and then with work done, all work, and a note.

    Raises:
        ImportError: If xgboost, or what reads a library, is missing.
        OSError: If it cannot be written.
        ValueError: If there are too few curves, if the library is one of another
            model, or if the folder holds another estimator.
    """
    boosting = boosting or Boosting()
    structure = get_structure(model)
    refuse_others(out)
    # Better now than after the simulations.
    xgboost_version()
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    try:
        if library is None:
            count = CURVES if curves is None else curves
            learnt = simulated(structure, count, boosting.seed, progress)
        else:
            learnt = from_library(library, structure, curves, progress)
        trees = fit_trees(
            learnt.x,
            learnt.y,
            np.array([[each.prior_low, each.prior_high] for each in learnt.quantities]),
            logarithmic=tuple(each.logarithmic for each in learnt.quantities),
            boosting=boosting,
            progress=progress,
        )
        command = _command(model, learnt, boosting, library)
        write_trees(out, structure, trees, learnt, command)
    finally:
        for folder in made:
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()


def _command(
    model: str, learnt: Labelled, boosting: Boosting, library: Path | None
) -> str:
    """What makes the same trees again."""
    parts = [f"saxinfer train {model} --method xgboost -o DIR"]
    if library is not None:
        parts.append(f"--library {library.name}")
    parts.append(f"--curves {len(learnt.x)} --seed {boosting.seed}")
    if boosting.grid_search:
        parts.append("--grid-search")
    return " ".join(parts)
