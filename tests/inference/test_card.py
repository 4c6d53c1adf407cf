"""Mirrors src/saxinfer/inference/card.py."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator

from saxinfer.inference.card import (
    load_estimator,
    survey_estimator,
    write_estimator,
)
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures import MODELS

RECIPE = {"steps": 3, "batch": 8, "rate": 1e-3, "seed": 4}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """An untrained estimator for spheres."""
    torch.manual_seed(0)
    sphere = MODELS["sphere"]
    network = PosteriorNetwork(sphere)
    write_estimator(tmp_path, sphere, network, recipe=RECIPE, losses=[3.0, 1.0])
    return tmp_path


def change(folder: Path, edit: Any) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text())
    edit(card)
    path.write_text(json.dumps(card))


def test_an_estimator_comes_back_as_it_was_written(written: Path) -> None:
    torch.manual_seed(0)
    first = PosteriorNetwork(MODELS["sphere"]).eval()
    found = load_estimator("sphere", written)
    seen = torch.randn(1, CHANNELS, BINS, generator=Generator().manual_seed(0))
    latent = torch.zeros(1, first.features)
    with torch.no_grad():
        one, other = (n.log_density(latent, seen) for n in (first, found.network))
    # Weights are kept in half precision, three digits.
    assert float(one) == pytest.approx(float(other), rel=1e-2)
    assert not any(p.requires_grad for p in found.network.parameters())


def test_the_hash_is_that_of_the_weights(written: Path, tmp_path: Path) -> None:
    first = load_estimator("sphere", written).hash
    assert re.fullmatch(r"[0-9a-f]{12}", first)
    other = tmp_path / "other"
    other.mkdir()
    torch.manual_seed(1)
    sphere = MODELS["sphere"]
    network = PosteriorNetwork(sphere)
    write_estimator(other, sphere, network, recipe=RECIPE, losses=[1.0])
    assert load_estimator("sphere", other).hash != first


def test_the_card_says_how_to_make_it_again(written: Path) -> None:
    card = json.loads((written / "card.json").read_text())
    assert card["schema"] == "saxinfer/estimator/1"
    assert card["model"] == "sphere"
    assert card["command"] == "saxinfer train sphere -o DIR --steps 3 --seed 4"
    assert card["recipe"] == RECIPE
    assert card["final_loss"] == 2.0
    assert str(written) not in (written / "card.json").read_text()


def test_a_missing_estimator_is_refused_with_how_to_make_one(tmp_path: Path) -> None:
    sentence = r"no trained estimator for 'sphere' in .*'saxinfer train sphere -o"
    with pytest.raises(ValueError, match=sentence):
        load_estimator("sphere", tmp_path)


STALE = r"trained for other priors or another closed form of 'sphere'\. Train it"


def test_an_estimator_for_another_prior_is_refused(written: Path) -> None:
    def edit(card: Any) -> None:
        card["fingerprint"]["parameters"][0][3] = 100

    change(written, edit)
    with pytest.raises(ValueError, match=STALE):
        load_estimator("sphere", written)


@pytest.mark.parametrize("part", ["nuisances", "unseen"])
def test_an_estimator_for_other_coordinates_or_nuisances_is_refused(
    written: Path, part: str
) -> None:
    def edit(card: Any) -> None:
        card["fingerprint"][part] = [["other"]]

    change(written, edit)
    with pytest.raises(ValueError, match=STALE):
        load_estimator("sphere", written)


def test_an_estimator_for_another_closed_form_is_refused(written: Path) -> None:
    def edit(card: Any) -> None:
        card["fingerprint"]["log_intensity"][5][2] += 0.02

    change(written, edit)
    with pytest.raises(ValueError, match=STALE):
        load_estimator("sphere", written)


def test_a_closed_form_that_moved_by_rounding_is_not_stale(written: Path) -> None:
    def edit(card: Any) -> None:
        card["fingerprint"]["log_intensity"][5][2] += 1e-4

    change(written, edit)
    assert load_estimator("sphere", written).card["model"] == "sphere"


def test_an_estimator_of_another_model_is_refused(written: Path) -> None:
    with pytest.raises(ValueError, match=r"closed form of 'core_shell_sphere'"):
        load_estimator("core_shell_sphere", written)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="Known models: sphere"):
        load_estimator("cube")


def test_an_estimator_without_a_survey_loads_and_says_so(written: Path) -> None:
    assert load_estimator("sphere", written).surroundings is None


def test_a_survey_is_found_beside_the_weights_it_was_made_with(written: Path) -> None:
    before = load_estimator("sphere", written).hash
    survey_estimator("sphere", written, most=32)
    found = load_estimator("sphere", written)
    assert found.surroundings is not None
    assert found.hash == before
    assert json.loads((written / "card.json").read_text())["domain"]["file"] == (
        "domain.safetensors"
    )
    first = (written / "domain.safetensors").read_bytes()
    survey_estimator("sphere", written, most=32)
    assert (written / "domain.safetensors").read_bytes() == first


def test_a_survey_of_other_weights_is_not_used(written: Path) -> None:
    survey_estimator("sphere", written, most=32)
    torch.manual_seed(7)
    sphere = MODELS["sphere"]
    network = PosteriorNetwork(sphere)
    write_estimator(written, sphere, network, recipe=RECIPE, losses=[1.0])
    load_estimator.cache_clear()
    assert load_estimator("sphere", written).surroundings is None
