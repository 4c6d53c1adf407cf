"""Mirrors src/saxinfer/inference/checkpoint.py."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator

from saxinfer.inference.checkpoint import (
    FILE,
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from saxinfer.inference.recipe import Recipe

RECIPE = Recipe(steps=9, batch=4, seed=3)


@pytest.fixture
def checkpoint() -> Checkpoint:
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(3, 2)).sum().backward()
    optimizer.step()
    return Checkpoint(
        recipe=dict(vars(RECIPE)),
        devices=1,
        step=5,
        losses=[3.0, 2.5],
        validation=[(5, 2.25)],
        generators=Generator().manual_seed(1).get_state()[None],
        network=layer.state_dict(),
        best=layer.state_dict(),
        optimizer=optimizer.state_dict(),
        schedule={"last_epoch": 5},
    )


def test_what_is_written_is_read(tmp_path: Path, checkpoint: Checkpoint) -> None:
    write_checkpoint(tmp_path, checkpoint)
    found = read_checkpoint(tmp_path, RECIPE, 1)
    assert found is not None
    assert (found.step, found.losses, found.validation) == (5, [3.0, 2.5], [(5, 2.25)])
    assert torch.equal(found.generators, checkpoint.generators)
    assert torch.equal(found.network["weight"], checkpoint.network["weight"])
    then, now = (state.optimizer["state"][0] for state in (checkpoint, found))
    assert torch.equal(then["exp_avg"], now["exp_avg"])
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_where_nothing_was_written_there_is_none(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path, RECIPE, 1) is None


def test_a_checkpoint_takes_the_place_of_the_last(
    tmp_path: Path, checkpoint: Checkpoint
) -> None:
    write_checkpoint(tmp_path, checkpoint)
    write_checkpoint(tmp_path, replace(checkpoint, step=7))
    found = read_checkpoint(tmp_path, RECIPE, 1)
    assert found is not None
    assert found.step == 7


@pytest.mark.parametrize(
    ("recipe", "devices", "words"),
    [
        (replace(RECIPE, steps=10), 1, "made with steps 9, but 10 was asked for"),
        (replace(RECIPE, seed=4), 1, "made with seed 3, but 4 was asked for"),
        (RECIPE, 2, "made with devices 1, but 2 was asked for"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(
    tmp_path: Path, checkpoint: Checkpoint, recipe: Recipe, devices: int, words: str
) -> None:
    write_checkpoint(tmp_path, checkpoint)
    with pytest.raises(ValueError, match=words):
        read_checkpoint(tmp_path, recipe, devices)


def test_what_is_no_checkpoint_is_refused_in_one_sentence(
    tmp_path: Path, checkpoint: Checkpoint
) -> None:
    write_checkpoint(tmp_path, checkpoint)
    whole = (tmp_path / FILE).read_bytes()
    torch.save({"network": {}, "step": 3}, tmp_path / "other")
    other = (tmp_path / "other").read_bytes()
    for content in (b"", b"no checkpoint", whole[: len(whole) // 2], other):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(ValueError, match="is no checkpoint of this version"):
            read_checkpoint(tmp_path, RECIPE, 1)
