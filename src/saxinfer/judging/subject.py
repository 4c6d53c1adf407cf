"""Which estimator is meant: the shipped one of a model, or one in a folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from saxinfer.inference import DEFAULT_METHOD, METHODS
from saxinfer.inference.card import load_estimator
from saxinfer.judging.error import CalibrationError
from saxinfer.structures import MODELS, get_structure

__all__ = ["Subject"]

# Method that the estimator of a card belongs to, by the card's schema.
OWNERS: Final = {"saxinfer/estimator/1": DEFAULT_METHOD, "saxinfer/trees/1": "xgboost"}


@dataclass(frozen=True)
class Subject:
    """A way from a curve of a model to a posterior.

    Attributes:
        model: Name of the structure.
        method: One of ``METHODS``.
        folder: Where the estimator is; None for the shipped one.
        estimator: Its short hash.
    """

    model: str
    method: str
    folder: Path | None
    estimator: str

    @classmethod
    def named(cls, text: str, method: str | None = None) -> "Subject":
        """Finds the estimator of a model's name, or of a folder with a card.

        Args:
            text: The name, or the folder.
            method: How to use it; None for what the card says.

        Raises:
            CalibrationError: If there is none, or it is of another method.
            ImportError: If an extra is missing; says which.
            ValueError: If it is stale.
        """
        if method is not None and method not in METHODS:
            raise CalibrationError(
                f"Unknown method '{method}'. Known methods: {', '.join(METHODS)}."
            )
        if _is_model(text):
            return cls._shipped(text, method or DEFAULT_METHOD)
        folder = Path(text)
        card = _card(folder)
        owner = OWNERS[card["schema"]]
        if method not in (None, owner):
            raise CalibrationError(
                f"{folder} holds an estimator of the method '{owner}', but the method "
                f"'{method}' is asked for. Leave --method out."
            )
        model = str(card["model"])
        return cls(model, owner, folder.absolute(), _hash(model, owner, folder))

    @classmethod
    def _shipped(cls, model: str, method: str) -> "Subject":
        if method != DEFAULT_METHOD:
            raise CalibrationError(
                f"no estimator of the method '{method}' comes with the package. Train "
                f"one with 'saxinfer train {model} --method {method} -o DIR' and name "
                "its folder in place of the model."
            )
        return cls(model, method, None, _hash(model, method, None))


def _is_model(name: str) -> bool:
    """Whether it is the name of a model, those made from others included."""
    try:
        get_structure(name)
    except ValueError:
        return False
    return True


def _card(folder: Path) -> dict[str, Any]:
    """The card in a folder.

    Raises:
        CalibrationError: If there is none that can be read.
    """
    place = folder / "card.json"
    if not place.is_file():
        raise CalibrationError(
            f"'{folder}' is neither a model ({', '.join(MODELS)}) nor a folder with an "
            "estimator's card.json. Name either."
        )
    try:
        card = json.loads(place.read_text())
        known = card["schema"] in OWNERS and _is_model(str(card["model"]))
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise CalibrationError(
            f"{place} is not the card of an estimator that this version knows. Make "
            f"the estimator again with 'saxinfer train MODEL -o {folder}'."
        )
    found: dict[str, Any] = card
    return found


def _hash(model: str, method: str, folder: Path | None) -> str:
    if method == "xgboost":
        from saxinfer.inference.trees.card import load_trees

        return load_trees(model, folder).hash
    return load_estimator(model, folder).hash
