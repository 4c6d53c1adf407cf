"""Mirrors src/saxinfer/inference/trees/card.py."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saxinfer.inference.trees import card as cards
from saxinfer.inference.trees.boosting import Boosting, Size, Trees, fit_trees
from saxinfer.inference.trees.card import (
    SCHEMA,
    TrainedTrees,
    load_trees,
    refuse_others,
    write_trees,
)
from saxinfer.inference.trees.labelled import Labelled, simulated
from saxinfer.structures import get_structure

SPHERE = get_structure("sphere")
SMALL = Boosting(size=Size(rounds=5, depth=3), levels=(0.05, 0.5, 0.95))
COMMAND = "saxinfer train sphere --method xgboost -o DIR"


@pytest.fixture(scope="module")
def grown() -> tuple[Trees, Labelled]:
    learnt = simulated(SPHERE, 40, 1)
    bounds = [[q.prior_low, q.prior_high] for q in learnt.quantities]
    logs = tuple(q.logarithmic for q in learnt.quantities)
    trees = fit_trees(
        learnt.x, learnt.y, np.array(bounds), logarithmic=logs, boosting=SMALL
    )
    return trees, learnt


@pytest.fixture
def written(grown: tuple[Trees, Labelled], tmp_path: Path) -> Path:
    out = tmp_path / "trees"
    out.mkdir()
    write_trees(out, SPHERE, *grown, COMMAND)
    return out


def change(folder: Path, edit: Callable[[Any], None]) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text())
    edit(card)
    path.write_text(json.dumps(card))


def test_trees_come_back_with_their_quantities_and_prior(
    written: Path, grown: tuple[Trees, Labelled]
) -> None:
    trees, learnt = grown
    found: TrainedTrees = load_trees("sphere", written)
    assert (found.trees.predict(learnt.x) == trees.predict(learnt.x)).all()
    assert (found.trees.quantiles(learnt.x) == trees.quantiles(learnt.x)).all()
    assert found.quantities == learnt.quantities
    assert (found.prior.numpy() == learnt.y).all()
    assert len(found.hash) == 12


def test_the_card_says_what_the_trees_are(written: Path) -> None:
    card = json.loads((written / "card.json").read_text())
    assert card["schema"] == SCHEMA
    assert card["model"] == "sphere"
    assert card["command"] == COMMAND
    assert card["recipe"]["size"] == {"rounds": 5, "rate": 0.1, "depth": 3}
    assert card["curves"] == 40
    assert card["calibration_curves"] == 8
    assert card["errors"] == "as drawn with each instrument"
    assert card["fingerprint"]["parameters"][0][0] == "radius_mean"
    assert str(written) not in (written / "card.json").read_text()
    others = {file.suffix for file in written.iterdir() if file.name != "card.json"}
    assert others == {".ubj", ".safetensors"}


STALE = r"trained for other priors .* of 'sphere'\. .*'saxinfer train sphere --method"


@pytest.mark.parametrize("part", ["parameters", "nuisances", "log_intensity"])
def test_stale_trees_are_refused(written: Path, part: str) -> None:
    def edit(card: Any) -> None:
        card["fingerprint"][part][0][3] += 0.1

    change(written, edit)
    with pytest.raises(ValueError, match=STALE):
        load_trees("sphere", written)


def test_trees_of_another_model_are_refused(written: Path) -> None:
    with pytest.raises(ValueError, match=r"closed form of 'core_shell_sphere'"):
        load_trees("core_shell_sphere", written)


def test_without_a_folder_it_is_said_how_to_train(tmp_path: Path) -> None:
    how = r"'saxinfer train sphere --method xgboost -o DIR' and name them with --est"
    with pytest.raises(ValueError, match=how):
        load_trees("sphere")
    with pytest.raises(ValueError, match=r"no trained trees for 'sphere' in .*none"):
        load_trees("sphere", tmp_path / "none")


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "saxinfer/estimator/1"}'])
def test_what_is_no_card_of_trees_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(ValueError, match=r"no trained trees for 'sphere'"):
        load_trees("sphere", tmp_path)
    with pytest.raises(ValueError, match=r"estimator of another kind"):
        refuse_others(tmp_path)


def test_trees_written_anew_are_read_anew(
    written: Path, grown: tuple[Trees, Labelled]
) -> None:
    assert load_trees("sphere", written) is load_trees("sphere", written)
    before = load_trees("sphere", written)
    write_trees(written, SPHERE, *grown, "another command")
    os.utime(written / "card.json", ns=(1, 1))
    after = load_trees("sphere", written)
    assert after.card["command"] == "another command"
    assert after.hash == before.hash


def test_a_disk_that_fills_up_leaves_the_old_trees(
    written: Path, grown: tuple[Trees, Labelled], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {file.name: file.read_bytes() for file in written.iterdir()}

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cards, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        write_trees(written, SPHERE, *grown, COMMAND)
    assert {file.name: file.read_bytes() for file in written.iterdir()} == before


def test_a_stop_between_the_files_leaves_no_half_written_estimator(
    written: Path, grown: tuple[Trees, Labelled], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(written)
    written.mkdir()
    moved: list[Path] = []
    replace = Path.replace

    def stopped(self: Path, target: Path) -> Path:
        if len(moved) == 3:
            raise KeyboardInterrupt
        moved.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_trees(written, SPHERE, *grown, COMMAND)
    with pytest.raises(ValueError, match="no trained trees"):
        load_trees("sphere", written)
