"""Where a training stands, as one file: what is needed to go on as if never stopped.

A checkpoint is written beside the one before and takes its place at once, so that a
kill at any moment leaves one or the other, whole.
"""

import io
import pickle
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from saxinfer.inference.recipe import Recipe

__all__ = ["FILE", "Checkpoint", "read_checkpoint", "write_checkpoint"]

FILE = "checkpoint.pt"

# What a file that is no checkpoint, or half of one, raises.
BROKEN = (EOFError, KeyError, OSError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a training stands.

    Attributes:
        recipe: What is being made: the fields of a recipe.
        devices: Number of devices that share each batch.
        step: Steps done.
        losses: Mean negative log density of each step's batch [nat].
        validation: Steps done and figure [nat] of each validation.
        generators: State of each device's source of randomness.
        network: Weights.
        best: Weights that had the best figure.
        optimizer: State of the optimiser.
        schedule: State of the learning rate.
        kept: What else a way of training has to remember.
    """

    recipe: dict[str, Any]
    devices: int
    step: int
    losses: list[float]
    validation: list[tuple[int, float]]
    generators: UInt8[Tensor, "device byte"]
    network: dict[str, Any]
    best: dict[str, Any]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    kept: dict[str, Any] = field(default_factory=dict)


def write_checkpoint(out: Path, checkpoint: Checkpoint) -> None:
    """Writes ``checkpoint.pt``."""
    partial = out / "checkpoint.partial"
    torch.save(dict(vars(checkpoint)), partial)
    partial.replace(out / FILE)


def read_checkpoint(out: Path, recipe: Recipe, devices: int) -> Checkpoint | None:
    """What was written, or None if nothing was.

    Args:
        out: Folder of the estimator.
        recipe: The one to go on with.
        devices: Number of devices to go on with.

    Raises:
        ValueError: If it cannot be read, or belongs to another recipe or to another
            number of devices.
    """
    path = out / FILE
    if not path.exists():
        return None
    # Read first: PyTorch calls a broken file by the names of a file system's errors.
    content = io.BytesIO(path.read_bytes())
    try:
        state = torch.load(content, map_location="cpu", weights_only=True)
        # Those written before there was anything else to remember have nothing.
        found = Checkpoint(
            **{each.name: state[each.name] for each in fields(Checkpoint)[:-1]},
            kept=state.get("kept", {}),
        )
    except (*BROKEN, pickle.UnpicklingError):
        raise ValueError(
            f"{path} is no checkpoint of this version. Remove it, or leave --resume "
            "out to start anew."
        ) from None
    wanted = {**vars(recipe), "devices": devices}
    then = {**found.recipe, "devices": found.devices}
    for name, value in wanted.items():
        if then.get(name) != value:
            raise ValueError(
                f"{path} was made with {name} {then.get(name)}, but {value} was asked "
                "for. Ask for the same, or leave --resume out to start anew."
            )
    return found
