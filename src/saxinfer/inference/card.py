"""Estimators on disk: weights (safetensors, half precision) and a card beside them.

A third file, ``domain.safetensors``, says where the features of the estimator's own
curves lie (:mod:`saxinfer.inference.domain`). It is made from the weights as they are
stored, by :func:`survey_estimator`; without it an estimator loads, and cannot tell
whether a curve is like those that it was trained on.

The card states what the estimator was trained for and how. It holds the priors and
closed-form values at sixteen fixed points of the coordinates that the network speaks
of; when the code has moved on from any, the estimator is stale and refuses to load.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from saxinfer.inference.domain import (
    FILE,
    SURVEYED,
    Surroundings,
    read_surroundings,
    survey,
    write_surroundings,
)
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.instrument.nuisance import TRAINING
from saxinfer.parameter import ParameterSpace
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

__all__ = [
    "ESTIMATORS",
    "Estimator",
    "fingerprint",
    "load_estimator",
    "refuse_stale",
    "survey_estimator",
    "write_estimator",
]

ESTIMATORS = Path(__file__).parent.parent / "estimators"

FIXED_POINTS = 16


@dataclass(frozen=True, eq=False)
class Estimator:
    """A trained network with the short hash of its weights.

    Attributes:
        network: The network.
        hash: Of the stored weights.
        card: What it was trained for and how.
        surroundings: Where the features of its own curves lie; None if not known.
    """

    network: PosteriorNetwork
    hash: str
    card: dict[str, object]
    surroundings: Surroundings | None = None


def fingerprint(
    structure: Structure, nuisances: ParameterSpace = TRAINING
) -> dict[str, object]:
    """What tells whether an estimator still fits: priors, closed-form values.

    Args:
        structure: The model it was trained for.
        nuisances: Priors of the instruments it was trained with.
    """
    generator = torch.Generator().manual_seed(20)
    latent = torch.randn(
        FIXED_POINTS, len(structure.space), generator=generator, dtype=torch.float64
    )
    theta = structure.space.theta_from_latent(structure.latent(latent))
    q = torch.tensor([0.02, 0.2, 1.0, 4.0], dtype=torch.float64)
    return {
        "parameters": _table(structure.space),
        "nuisances": _table(nuisances),
        "unseen": list(structure.unseen),
        "log_intensity": structure.intensity(q, theta).log().tolist(),
    }


def _table(space: ParameterSpace) -> list[list[object]]:
    """What the prior of each parameter is made of."""
    return [[p.name, p.unit, p.low, p.high, p.prior, p.base, p.width] for p in space]


def write_estimator(
    out: Path,
    structure: Structure,
    network: PosteriorNetwork,
    *,
    recipe: dict[str, float],
    losses: list[float],
    entries: Mapping[str, object] | None = None,
) -> None:
    """Writes ``weights.safetensors`` and ``card.json``.

    Args:
        out: Folder of both.
        structure: The model.
        network: What was trained.
        recipe: What it was trained with.
        losses: Of each step.
        entries: What else the card says, or says otherwise.
    """
    weights = {k: v.half().contiguous() for k, v in network.state_dict().items()}
    save_file(weights, out / "weights.safetensors")
    card = {
        "schema": "saxinfer/estimator/1",
        "model": structure.name,
        "command": (
            f"saxinfer train {structure.name} -o DIR "
            f"--steps {recipe['steps']} --seed {recipe['seed']}"
        ),
        "recipe": recipe,
        "instruments": "standard and hard tier, half each (saxinfer.instrument.tiers)",
        "final_loss": sum(losses[-200:]) / max(1, len(losses[-200:])),
        "torch": torch.__version__.split("+")[0],
        **(entries or {}),
        "fingerprint": fingerprint(structure),
    }
    (out / "card.json").write_text(json.dumps(card, indent=1) + "\n")


@cache
def load_estimator(model: str, folder: Path | None = None) -> Estimator:
    """The estimator of a model: the shipped one, or one trained by the user.

    Raises:
        ValueError: If there is none, or if it is stale.
    """
    structure = get_structure(model)
    place = folder or ESTIMATORS / model
    if not (place / "weights.safetensors").exists():
        raise ValueError(
            f"no trained estimator for '{model}' in {place}. Make one with "
            f"'saxinfer train {model} -o {place}'."
        )
    card = json.loads((place / "card.json").read_text())
    refuse_stale(card, structure, place)
    state = load_file(place / "weights.safetensors")
    network = PosteriorNetwork(structure)
    like = network.state_dict()
    network.load_state_dict({k: v.to(like[k].dtype) for k, v in state.items()})
    network.eval().requires_grad_(False)
    content = (place / "weights.safetensors").read_bytes()
    short = hashlib.sha256(content).hexdigest()[:12]
    return Estimator(network, short, card, read_surroundings(place, short))


def survey_estimator(
    model: str,
    folder: Path | None = None,
    most: int = SURVEYED["centre"],
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> None:
    """Writes ``domain.safetensors`` beside the weights of a trained estimator.

    The same weights give the same file; nothing is trained.

    Args:
        model: Name of the structure.
        folder: Of the estimator; the shipped one by default.
        most: Largest number of curves of each tier and use.
        progress: Called after every few curves with curves done, all curves, and a
            note.

    Raises:
        ValueError: If there is no estimator, or if it is stale.
    """
    place = folder or ESTIMATORS / model
    load_estimator.cache_clear()
    found = load_estimator(model, folder)
    surroundings = survey(get_structure(model), found.network, most, progress)
    write_surroundings(place, surroundings, found.hash)
    path = place / "card.json"
    card = json.loads(path.read_text())
    card["domain"] = {
        "file": FILE,
        "curves": {use: min(count, most) for use, count in SURVEYED.items()},
        "command": f"saxinfer train {model} -o DIR --domain-only",
    }
    path.write_text(json.dumps(card, indent=1) + "\n")
    load_estimator.cache_clear()


def refuse_stale(
    card: dict[str, Any],
    structure: Structure,
    place: Path,
    *,
    nuisances: ParameterSpace = TRAINING,
    options: str = "",
) -> None:
    """Compares a card with what the code computes today.

    Args:
        card: As it was read.
        structure: The model that it is to be used for.
        place: Folder of the card.
        nuisances: Priors of the instruments that it should have been trained with.
        options: Of ``saxinfer train``, to make it again.

    Raises:
        ValueError: If they differ.
    """
    now = json.loads(json.dumps(fingerprint(structure, nuisances)))
    then = dict(card["fingerprint"])
    old, new = (torch.tensor(f.pop("log_intensity")) for f in (then, now))
    same = then == now and torch.allclose(old, new, rtol=0, atol=5e-3)
    if not same:
        raise ValueError(
            f"the estimator in {place} was trained for other priors or another "
            f"closed form of '{structure.name}'. Train it again with "
            f"'saxinfer train {structure.name}{options} -o {place}'."
        )
