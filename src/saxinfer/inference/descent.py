"""Gradient descent of a network on one device, or on several that share each batch.

Lightning Fabric moves the network to where it learns and, on several devices, starts a
process for each and averages their gradients. Each simulates curves of its own, from a
stream of its own: that of the first follows from the seed as on one device, those of
the others from the seed and their number. On one CPU a recipe gives the same weights,
bit for bit, as the plain loop of PyTorch would.

This module is the only door to ``lightning``, which is in the extra ``train``.

References:
    Kingma & Ba, ICLR 2015, and Loshchilov & Hutter, ICLR 2019 (AdamW); the latter,
    ICLR 2017 (cosine schedule). Pascanu, Mikolov & Bengio, ICML 2013 (clipping).
"""

import hashlib
import logging
import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from torch import Generator, Tensor

from saxinfer.inference.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.inference.recipe import Course, Recipe, share_of_rate
from saxinfer.inference.training_curves import kind_of_step, simulate
from saxinfer.inference.validation import best_of, is_exhausted, validation_curves
from saxinfer.structures import get_structure

__all__ = ["Task", "descend", "stream_seed"]

# Lightning tells of processes that it starts; each of them imports this module anew.
for _part in ("lightning.fabric", "lightning.pytorch"):
    logging.getLogger(_part).setLevel(logging.ERROR)

# Steps between two words on the progress.
TELLING = 50

# Norm that a batch's gradient is cut to.
STEEPEST = 5.0

# Steps of the warm-up.
WARM = 200

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Task:
    """What is to be trained, how, and where it goes.

    Attributes:
        model: Name of the structure.
        out: Folder of the checkpoint.
        recipe: What makes the network.
        course: How it is watched, and on what it runs.
        resume: Go on from the checkpoint, if there is one.
    """

    model: str
    out: Path
    recipe: Recipe
    course: Course
    resume: bool


def descend(task: Task, tell: Tell) -> None:
    """Trains until the recipe or the patience ends; what came of it is the checkpoint.

    Args:
        task: What to train.
        tell: Called after every few steps with steps done, all steps, and a note.

    Raises:
        ValueError: If there are no such devices.
    """
    course = task.course
    fabric = Fabric(
        accelerator=course.kind(),
        devices=course.devices,
        strategy="auto" if course.devices == 1 else "ddp_spawn",
        # One machine, also where a batch system has set the scene for several.
        plugins=[LightningEnvironment()],
    )
    if course.devices == 1:
        fabric.launch(partial(_walk, task=task, tell=tell))
    else:
        _share(fabric, task, tell)


def _share(fabric: Fabric, task: Task, tell: Tell) -> None:
    """Walks in processes, and passes on here what the first of them tells."""
    heard, said = multiprocessing.get_context("spawn").Pipe(duplex=False)

    def listen() -> None:
        # Over when nobody is left who could say anything.
        with suppress(EOFError):
            while True:
                tell(*heard.recv())

    listener = Thread(target=listen, daemon=True)
    listener.start()
    others = set(multiprocessing.active_children())
    try:
        # Bound: Lightning looks into arguments, and into no frozen dataclass.
        fabric.launch(partial(_walk, task=task, tell=_Messenger(said)))
    except BaseException:
        # Left alone they would go on, and this process wait for them at its end.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        said.close()
        listener.join()


@dataclass(frozen=True)
class _Messenger:
    """Tells another process."""

    said: Any

    def __call__(self, done: int, total: int, note: str) -> None:
        self.said.send((done, total, note))


def _walk(fabric: Fabric, task: Task, tell: Tell) -> None:
    """What each device's process does."""
    walk, steps = _Walk(fabric, task), task.recipe.steps
    while walk.done < steps and not walk.exhausted:
        walk.advance()
        if walk.done % TELLING == 0 and fabric.is_global_zero:
            tell(walk.done, steps, walk.note())
        if walk.done % task.course.every == 0 or walk.done == steps:
            walk.look()
            walk.keep()


class _Walk:
    """A network on its way down.

    Attributes:
        done: Steps done.
        losses: Mean loss of each [nat].
        validation: Steps done and figure [nat] of each validation.
    """

    def __init__(self, fabric: Fabric, task: Task) -> None:
        self.fabric, self.task, recipe = fabric, task, task.recipe
        self.structure = get_structure(task.model)
        # One seed on all devices: they start from the same weights.
        torch.manual_seed(recipe.seed)
        self.network = PosteriorNetwork(self.structure)
        seed = stream_seed(recipe.seed, fabric.global_rank)
        self.generator = Generator().manual_seed(seed)
        self.shared: Any = fabric.setup_module(self.network)
        self.shared.mark_forward_method("log_density")
        plain = torch.optim.AdamW(self.network.parameters(), lr=recipe.rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            plain, lambda step: share_of_rate(step, recipe.steps, WARM)
        )
        self.done, self.losses = 0, list[float]()
        self.validation, self.best = list[tuple[int, float]](), dict[str, Tensor]()
        if task.resume:
            self._go_on(plain)
        self.plain = plain
        self.optimizer: Any = fabric.setup_optimizers(plain)
        self.judge = (
            validation_curves(self.structure, fabric.device)
            if fabric.is_global_zero
            else None
        )

    def _go_on(self, plain: torch.optim.Optimizer) -> None:
        """Takes up what a checkpoint holds, if there is one."""
        fabric, task = self.fabric, self.task
        found = read_checkpoint(task.out, task.recipe, fabric.world_size)
        if found is None:
            return
        self.network.load_state_dict(found.network)
        plain.load_state_dict(found.optimizer)
        self.schedule.load_state_dict(found.schedule)
        # Copied: PyTorch crashes on a state that lies within a larger tensor.
        self.generator.set_state(found.generators[fabric.global_rank].clone())
        self.done, self.losses = found.step, found.losses
        self.validation, self.best = found.validation, found.best

    @property
    def exhausted(self) -> bool:
        """Whether the patience has ended."""
        figures = [figure for _, figure in self.validation]
        return is_exhausted(figures, self.task.course.patience)

    def advance(self) -> None:
        """Takes one step down, on curves that nobody has seen."""
        tier, points = kind_of_step(self.done)
        batch = self.task.recipe.batch // self.fabric.world_size
        drawn = simulate(self.structure, tier, batch, points, self.generator)
        latent, features = (part.to(self.fabric.device) for part in drawn)
        loss = -self.shared.log_density(latent, features).mean()
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        norm = self.fabric.clip_gradients(
            self.shared, self.optimizer, max_norm=STEEPEST, error_if_nonfinite=False
        )
        # One curve beyond numbers must not spoil the rest.
        if norm is not None and bool(norm.isfinite()):
            self.optimizer.step()
        self.schedule.step()
        mean = self.fabric.all_reduce(loss.detach(), reduce_op="mean")
        self.losses.append(float(torch.as_tensor(mean)))
        self.done += 1

    def note(self) -> str:
        """What there is to tell."""
        recent = self.losses[-TELLING:]
        said = f"loss {sum(recent) / len(recent):.3f}"
        if self.validation:
            said += f", validation {self.validation[-1][1]:.3f}"
        return said

    def look(self) -> None:
        """Validates; on one device for all."""
        found = self.judge.figure(self.network) if self.judge else 0.0
        self.validation.append((self.done, float(self.fabric.broadcast(found))))
        best = best_of([figure for _, figure in self.validation])
        if self.validation[best][0] == self.done:
            state = self.network.state_dict()
            self.best = {name: part.cpu().clone() for name, part in state.items()}

    def keep(self) -> None:
        """Writes the checkpoint, if the devices still agree."""
        digests = self._of_all(torch.tensor([digest(self.network)]))
        refuse_apart(digests[:, 0].tolist())
        generators = self._of_all(self.generator.get_state())
        if not self.fabric.is_global_zero:
            return
        checkpoint = Checkpoint(
            recipe=dict(vars(self.task.recipe)),
            devices=self.fabric.world_size,
            step=self.done,
            losses=self.losses,
            validation=self.validation,
            generators=generators,
            network=self.network.state_dict(),
            best=self.best,
            optimizer=self.plain.state_dict(),
            schedule=self.schedule.state_dict(),
        )
        write_checkpoint(self.task.out, checkpoint)

    def _of_all(self, row: Tensor) -> Tensor:
        """Rows of whole numbers, one of each device."""
        rows = row.new_zeros(self.fabric.world_size, len(row))
        rows[self.fabric.global_rank] = row
        summed = self.fabric.all_reduce(rows.to(self.fabric.device), reduce_op="sum")
        found: Tensor = torch.as_tensor(summed).cpu()
        return found


def stream_seed(seed: int, rank: int) -> int:
    """Seed of the curves that a device draws; that of the first is the seed itself.

    Example:
        >>> stream_seed(1, 0), stream_seed(1, 1)
        (1, 4042681867674859579)
    """
    if rank == 0:
        return seed
    stream = np.random.SeedSequence(seed, spawn_key=(rank,))
    return int(stream.generate_state(1, np.uint64)[0])


def digest(network: torch.nn.Module) -> int:
    """A number that tells whether weights are the same, to the last bit."""
    summed = hashlib.sha256()
    for part in network.state_dict().values():
        summed.update(part.detach().cpu().numpy().tobytes())
    return int.from_bytes(summed.digest()[:7])


def refuse_apart(digests: list[int]) -> None:
    """Raises RuntimeError if the weights of devices that should be equal are not."""
    if len(set(digests)) > 1:
        raise RuntimeError(
            f"the weights of {len(digests)} devices should be equal, but are not; "
            "train on one device"
        )
