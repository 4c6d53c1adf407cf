"""What makes a network, and how its training is watched and where it runs.

The recipe decides the weights: the same one gives the same, bit for bit, on one CPU.
The course does not, but for the two ways that it says.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch

__all__ = [
    "ACCELERATORS",
    "RECIPES",
    "Course",
    "Recipe",
    "recipe_for",
    "share_of_rate",
]

ACCELERATORS = ("auto", "cpu", "gpu")


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"The {name} must be 1 or more, got {number}.")


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to train.

    Attributes:
        steps: Number of gradient steps.
        batch: Curves a step.
        rate: Largest learning rate; it warms up and falls along a cosine.
        seed: Seed of weights, parameters, instruments and noise.

    Raises:
        ValueError: If a number is out of its range.
    """

    steps: int = 5000
    batch: int = 384
    rate: float = 1.5e-3
    seed: int = 1

    def __post_init__(self) -> None:
        _check_positive(steps=self.steps, batch=self.batch)
        if self.seed < 0:
            raise ValueError(f"The seed must not be negative, got {self.seed}.")


def share_of_rate(step: int, steps: int, warm: int) -> float:
    """Share of the largest learning rate: a warm-up, then a cosine to zero.

    Args:
        step: Steps done.
        steps: All steps.
        warm: Steps of the warm-up.

    References:
        Loshchilov & Hutter, ICLR 2017.

    Example:
        >>> [round(share_of_rate(step, 100, 10), 3) for step in (0, 9, 50, 100)]
        [0.1, 0.98, 0.5, 0.0]
    """
    rising = min(1.0, (step + 1) / warm)
    return rising * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))


# What the shipped estimators were trained with, where it differs from the default.
RECIPES = {
    "core_shell_sphere": Recipe(steps=7000),
    "cellulose": Recipe(steps=9000),
    "three_phase": Recipe(steps=7000),
    "lnp": Recipe(steps=9000),
}


def recipe_for(
    model: str, *, steps: int | None = None, seed: int | None = None
) -> Recipe:
    """The shipped recipe of a model, with another length or seed if given."""
    recipe = RECIPES.get(model, Recipe())
    return replace(
        recipe,
        steps=recipe.steps if steps is None else steps,
        seed=recipe.seed if seed is None else seed,
    )


@dataclass(frozen=True)
class Course:
    """How a training is watched, and on what it runs.

    With a patience the training may end early, and keeps the best weights instead of
    the last. The shipped networks had none: the learning rate falls to zero along the
    recipe, the loss fell with it to the last step, and a patience would not have
    stopped them. On several devices each simulates curves of its own, and the weights
    are others.

    Attributes:
        every: Steps between two validations, each with a checkpoint.
        patience: Validations in a row without a better figure that end the training;
            None for never.
        devices: Processors that share each batch.
        accelerator: Their kind, one of ``ACCELERATORS``; ``auto`` takes a GPU if there
            is one.

    Raises:
        ValueError: If a number is out of its range, or if the kind is unknown.
    """

    every: int = 500
    patience: int | None = None
    devices: int = 1
    accelerator: str = "auto"

    def __post_init__(self) -> None:
        _check_positive(every=self.every, devices=self.devices)
        if self.patience is not None:
            _check_positive(patience=self.patience)
        if self.accelerator not in ACCELERATORS:
            raise ValueError(
                f"Unknown accelerator '{self.accelerator}'. Known accelerators: "
                f"{', '.join(ACCELERATORS)}."
            )

    def kind(self) -> Literal["cpu", "cuda", "mps"]:
        """What of this machine it runs on.

        Raises:
            ValueError: If there are no GPUs, or not as many.
        """
        counts: dict[Literal["cuda", "mps"], int] = {
            "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
            "mps": int(torch.backends.mps.is_available()),
        }
        found = [kind for kind, count in counts.items() if count]
        if self.accelerator == "cpu" or (self.accelerator == "auto" and not found):
            return "cpu"
        if not found:
            raise ValueError(
                "The accelerator was to be a GPU, but PyTorch sees none here. Leave "
                "it out, or install a PyTorch for your GPU."
            )
        if counts[found[0]] < self.devices:
            raise ValueError(
                f"{self.devices} GPUs were asked for, but PyTorch sees "
                f"{counts[found[0]]} here. Ask for fewer devices."
            )
        return found[0]
