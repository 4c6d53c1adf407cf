"""Boosted trees on disk: models, tables, and a card beside them.

The card is what :mod:`saxinfer.inference.card` holds for networks: what the trees were
grown for and how, with priors and closed-form values by which stale ones are noticed.
It is written last, so that a folder with a card is complete.
"""

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from safetensors.numpy import load_file, save_file
from torch import Tensor

from saxinfer.inference.card import fingerprint, refuse_stale
from saxinfer.inference.trees.boosting import Trees
from saxinfer.inference.trees.labelled import Labelled, quantities_of
from saxinfer.inference.trees.regressor import xgboost_version
from saxinfer.instrument.nuisance import MEASURED_SIGMA
from saxinfer.posterior import Quantity
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

__all__ = ["SCHEMA", "TrainedTrees", "load_trees", "refuse_others", "write_trees"]

SCHEMA: Final = "saxinfer/trees/1"

CARD, PRIOR = "card.json", "prior.safetensors"

OPTIONS: Final = " --method xgboost"

# Draws of the training curves' values that are kept as the prior.
DRAWS = 4096


@dataclass(frozen=True, eq=False)
class TrainedTrees:
    """Trees of one model with the short hash of their files.

    Attributes:
        trees: The regressors.
        quantities: What their columns are.
        prior: Values of curves that were learnt from.
        hash: Of all files.
        card: How they were made.
    """

    trees: Trees
    quantities: tuple[Quantity, ...]
    prior: Float[Tensor, "draw quantity"]
    hash: str
    card: dict[str, Any]


def write_trees(
    out: Path, structure: Structure, trees: Trees, learnt: Labelled, command: str
) -> None:
    """Writes the folder of an estimator: all of it, or nothing.

    Args:
        out: Where; it must exist.
        structure: The model.
        trees: What was grown.
        learnt: The curves it was grown from.
        command: What makes it again.

    Raises:
        OSError: If it cannot be written.
    """
    staged = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
    try:
        trees.save(staged)
        save_file({"prior": np.ascontiguousarray(learnt.y[:DRAWS])}, staged / PRIOR)
        text = json.dumps(_card(structure, trees, learnt, command), indent=1)
        (staged / CARD).write_text(text + "\n")
        # Whatever was there before counts for nothing from here on.
        (out / CARD).unlink(missing_ok=True)
        for old in out.glob("*.ubj"):
            old.unlink()
        for file in sorted(staged.iterdir(), key=lambda path: path.name == CARD):
            file.replace(out / file.name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def refuse_others(out: Path) -> None:
    """Raises a ValueError if a folder holds an estimator of another kind."""
    if (out / CARD).exists() and _card_in(out) is None:
        raise ValueError(
            f"{out} holds an estimator of another kind, which trees would spoil. Name "
            "another folder with -o."
        )


def _card(
    structure: Structure, trees: Trees, learnt: Labelled, command: str
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "model": structure.name,
        "command": command,
        "recipe": asdict(trees.boosting),
        "sizes": [asdict(size) for size in trees.sizes],
        "seed": trees.boosting.seed,
        "curves": len(learnt.x),
        "calibration_curves": len(trees.strangeness),
        "source": learnt.source,
        "errors": learnt.errors,
        "quantities": [
            [each.name, each.prior_low, each.prior_high] for each in learnt.quantities
        ],
        "xgboost": xgboost_version(),
        "fingerprint": fingerprint(structure, MEASURED_SIGMA),
    }


def load_trees(model: str, folder: Path | None = None) -> TrainedTrees:
    """The trees of a model, as a user trained them.

    Raises:
        ImportError: If xgboost is missing.
        ValueError: If there are none, or if they are stale.
    """
    structure = get_structure(model)
    again = f"'saxinfer train {model}{OPTIONS} -o"
    if folder is None:
        raise ValueError(
            f"no trained trees come with the package. Train some with {again} DIR' "
            "and name them with --estimator DIR."
        )
    card = _card_in(folder)
    if card is None:
        raise ValueError(
            f"no trained trees for '{model}' in {folder}. Make some with "
            f"{again} {folder}'."
        )
    refuse_stale(card, structure, folder, nuisances=MEASURED_SIGMA, options=OPTIONS)
    return _read(model, folder, (folder / CARD).stat().st_mtime_ns)


@cache
def _read(model: str, folder: Path, stamp: int) -> TrainedTrees:
    """Reads trees; ``stamp`` tells those of one training from those of another."""
    card = _card_in(folder)
    assert card is not None
    known = {each.name: each for each in quantities_of(get_structure(model))}
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.ubj"), *folder.glob("*.safetensors")]):
        digest.update(file.read_bytes())
    return TrainedTrees(
        trees=Trees.load(folder),
        quantities=tuple(
            replace(known[name], prior_low=low, prior_high=high)
            for name, low, high in card["quantities"]
        ),
        prior=torch.from_numpy(load_file(folder / PRIOR)["prior"]),
        hash=digest.hexdigest()[:12],
        card=card,
    )


def _card_in(folder: Path) -> dict[str, Any] | None:
    """The card of trees in a folder; None if it holds none."""
    try:
        card = json.loads((folder / CARD).read_text())
    except (OSError, ValueError):
        return None
    is_ours = isinstance(card, dict) and card.get("schema") == SCHEMA
    return card if is_ours else None
