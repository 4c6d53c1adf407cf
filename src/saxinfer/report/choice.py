"""What is said of a model that was chosen: schema ``saxinfer/identify/1``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from saxinfer.inference.base import Fit
from saxinfer.inference.identify import (
    NONE,
    FoundPhase,
    PhaseValue,
    best_of,
    is_toss_up,
    nested,
    phases_of,
)
from saxinfer.report.wording import either, number, rounded

__all__ = [
    "SCHEMA",
    "ModelLine",
    "PhaseLine",
    "choice_words",
    "chosen",
    "headline",
    "identification",
    "identified",
    "likely",
    "model_lines",
    "phase_lines",
]

SCHEMA: Final = "saxinfer/identify/1"

# Of the document of a fit, what the choice of its model takes over.
SHARED: Final = ("file", "entry", "best", "models", "nested", "phases", "notes")

UNDECIDED: Final = (
    "{simple} is a special case of {wide}, and neither is ruled out: the curve does "
    "not say whether it takes more than {simple}."
)
FAILS: Final = (
    "{top} is the most probable, but does not pass its check; what passes: {others}."
)
TOSS_UP: Final = (
    "The evidences of {first} and {second} are as good as equal within their Monte "
    "Carlo errors: another seed may turn them round."
)


def chosen(fit: Fit) -> dict[str, Any]:
    """What the document of a fit holds besides, if its model was chosen."""
    best = best_of(fit)
    return {
        "best": best,
        "models": {
            rival.model: {
                "prior": rival.prior,
                "probability": rival.probability,
                "log_evidence": rival.evidence.log,
                "log_evidence_sd": rival.evidence.sd,
                "verdict": rival.verdict,
                "passes": rival.passes,
            }
            for rival in fit.rivals
        },
        "nested": [
            {"special_case": pair.simple, "of": pair.wide, "undecided": pair.undecided}
            for pair in nested(fit)
        ],
        "phases": [] if best == NONE else [_phase(p) for p in phases_of(fit)],
        "notes": _notes(fit),
    }


def identified(found: Mapping[str, Any]) -> dict[str, Any]:
    """From the document of a fit, or of a failure, to that of the identification."""
    if "error" in found:
        return {**found, "schema": SCHEMA}
    chosen_model = {name: found[name] for name in SHARED}
    rest = {name: found[name] for name in ("data", "files", "provenance")}
    absent = {
        path: why
        for path, why in found["absent"].items()
        if path.partition(".")[0].partition("[")[0] in chosen_model
    }
    return {"schema": SCHEMA, **chosen_model, **rest, "absent": absent}


def identification(documents: Sequence[Mapping[str, Any]]) -> str:
    """The identifications of some fitted curves as JSON text."""
    said = [identified(found) for found in documents]
    return json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False)


def likely(probability: float) -> str:
    """A probability in words that never claim certainty.

    Example:
        >>> likely(0.8349), likely(0.99999), likely(1e-30)
        ('83.5 %', '> 99.9 %', '< 0.1 %')
    """
    if probability > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if probability < 0.001 else f"{100 * probability:.1f} %"


def _notes(fit: Fit) -> list[str]:
    """What has to be said along with the probabilities."""
    top, passing = fit.rivals[0], [r.model for r in fit.rivals if r.passes]
    notes = []
    if passing and not top.passes:
        notes.append(FAILS.format(top=top.model, others=", ".join(passing)))
    if is_toss_up(fit):
        notes.append(TOSS_UP.format(first=top.model, second=fit.rivals[1].model))
    notes += [
        UNDECIDED.format(simple=pair.simple, wide=pair.wide)
        for pair in nested(fit)
        if pair.undecided
    ]
    return notes


def _phase(found: FoundPhase) -> dict[str, Any]:
    phase = found.phase
    return {
        "name": phase.name,
        "fraction": _value(found.fraction, "1", phase.fraction),
        "contrast": _value(found.contrast, "1", phase.contrast),
        "length": _value(found.length, "nm", phase.length),
    }


def _value(found: PhaseValue | None, unit: str, meaning: str) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "unit": unit,
        "meaning": meaning,
        **asdict(found.summary),
        "fixed": found.fixed,
        "solutions": [{"median": m, "share": share} for m, share in found.solutions],
    }


@dataclass(frozen=True)
class ModelLine:
    """One line of the table of models, as printed."""

    model: str
    prior: str
    probability: str
    evidence: str
    verdict: str
    passes: str


@dataclass(frozen=True)
class PhaseLine:
    """One line of the table of phases, as printed; meanings stand below the values."""

    name: str
    fraction: tuple[str, str]
    contrast: tuple[str, str]
    length: tuple[str, str]


def headline(found: Mapping[str, Any]) -> str:
    """The answer in one line.

    Args:
        found: Document of a fit whose model was chosen.
    """
    models = found["models"]
    top = next(iter(models))
    if found["best"] == NONE:
        closest = f": {top} does not pass" if len(models) == 1 else ""
        closest = closest or f": no model passes; the most probable is {top}"
        return f"None of these{closest}"
    if len(models) == 1:
        return f"{top} passes; no other model was tried"
    share = likely(models[top]["probability"]).replace(">", "more than")
    return f"{top}, with a probability of {share}"


def choice_words(found: Mapping[str, Any]) -> tuple[str, str]:
    """The answer as a cell of a table, and what is said below it.

    Args:
        found: Document of a fit whose model was chosen.
    """
    top, one = next(iter(found["models"].items()))
    if found["best"] == NONE:
        return NONE, f"closest: {top}"
    return top, likely(one["probability"])


def model_lines(found: Mapping[str, Any]) -> list[ModelLine]:
    """All models, the most probable first; evidences are less that of the first."""
    models = found["models"]
    top = next(iter(models.values()))
    return [
        ModelLine(
            model=name,
            prior=likely(one["prior"]),
            probability=likely(one["probability"]),
            evidence=_evidence(one, top),
            verdict=one["verdict"].replace("_", " "),
            passes="yes" if one["passes"] else "no",
        )
        for name, one in models.items()
    ]


def phase_lines(found: Mapping[str, Any]) -> list[PhaseLine]:
    """The phases of the best model; none if there is none."""
    return [
        PhaseLine(
            phase["name"],
            *(_printed(phase[part]) for part in ("fraction", "contrast", "length")),
        )
        for phase in found["phases"]
    ]


def _evidence(one: Mapping[str, Any], top: Mapping[str, Any]) -> str:
    """Log evidence less that of the first, and its own standard error."""
    error = number(one["log_evidence_sd"], 1)
    difference = one["log_evidence"] - top["log_evidence"]
    # A true minus is as wide as a plus.
    told = f"{difference:+.2f}".replace("-", "−") if one is not top else "0"
    return f"{told} ± {error}"


def _printed(value: Mapping[str, Any] | None) -> tuple[str, str]:
    """A value with its interval and unit, in brackets if it is assumed; its meaning."""
    if value is None:
        return "–", ""
    unit = "" if value["unit"] == "1" else f" {value['unit']}"
    several = [(one["median"], one["share"]) for one in value["solutions"]]
    if len(several) > 1:
        return f"{either(several)}{unit}", value["meaning"]
    spread = (value["q95"] - value["q05"]) / 2
    median, low, high = (rounded(value[k], spread) for k in ("median", "q05", "q95"))
    if value["fixed"]:
        return f"{median}{unit}", value["meaning"]
    told = f"{median} ({low} to {high}){unit}"
    return told if value["constrained"] else f"[{told}]", value["meaning"]
