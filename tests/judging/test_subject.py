"""The estimator that is meant is found, and what is none is refused."""

import json
import shutil
from pathlib import Path

import pytest

from saxinfer.inference.card import ESTIMATORS, load_estimator
from saxinfer.judging import CalibrationError
from saxinfer.judging.subject import Subject


def test_a_models_name_means_the_shipped_estimator() -> None:
    found = Subject.named("sphere")
    assert (found.model, found.method, found.folder) == ("sphere", "npe+refine", None)
    assert found.estimator == load_estimator("sphere").hash


def test_a_folder_means_the_estimator_of_its_card(tmp_path: Path) -> None:
    shutil.copytree(ESTIMATORS / "sphere", tmp_path / "own")
    found = Subject.named(str(tmp_path / "own"))
    assert (found.model, found.method) == ("sphere", "npe+refine")
    assert found.folder == tmp_path / "own"
    assert found.estimator == load_estimator("sphere").hash


@pytest.mark.parametrize(
    ("text", "method", "words"),
    [
        ("cube", None, "'cube' is neither a model .* nor a folder with"),
        ("sphere", "xgboost", "train sphere --method xgboost -o DIR"),
        ("sphere", "magic", "Unknown method 'magic'. Known methods: npe"),
    ],
)
def test_what_is_none_is_refused(text: str, method: str | None, words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        Subject.named(text, method)


@pytest.mark.parametrize(
    ("card", "method", "words"),
    [
        ("no json", None, "is not the card of an estimator"),
        ('{"schema": "other/1", "model": "sphere"}', None, "is not the card"),
        (
            '{"schema": "saxinfer/trees/1", "model": "sphere"}',
            "npe+refine",
            "holds an estimator of the method 'xgboost'",
        ),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    tmp_path: Path, card: str, method: str | None, words: str
) -> None:
    (tmp_path / "card.json").write_text(card)
    with pytest.raises(CalibrationError, match=words):
        Subject.named(str(tmp_path), method)


def test_a_stale_estimator_is_refused(tmp_path: Path) -> None:
    shutil.copytree(ESTIMATORS / "sphere", tmp_path / "old")
    card = json.loads((tmp_path / "old" / "card.json").read_text())
    card["fingerprint"]["parameters"][0][2] = 0.123
    (tmp_path / "old" / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="trained for other priors"):
        Subject.named(str(tmp_path / "old"))
