"""``saxinfer train --method label-free``: what was asked for becomes a training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from saxinfer.cli.plain import WrongUseError

__all__ = ["Wanted", "learn_label_free"]


@dataclass(frozen=True)
class Wanted:
    """What was asked for; None for what was not.

    Attributes:
        curves: Files, folders or libraries.
        q_unit: Unit of q in the files; empty where they state it.
        start: Estimator to go on from.
        terms: Weights of terms, ``name=weight`` each.
        plan: Further entries of a plan.
        course: How it is watched.
        resume: Whether to go on from a checkpoint.
    """

    curves: tuple[str, ...]
    q_unit: str
    start: Path | None
    terms: tuple[str, ...]
    plan: Mapping[str, int | str | None]
    course: Mapping[str, int | None]
    resume: bool


def learn_label_free(
    model: str,
    output: Path,
    wanted: Wanted,
    report: Callable[[int, int, str], None],
) -> list[str]:
    """Reads the curves and learns from them.

    Args:
        model: Name of the model.
        output: Folder of the estimator.
        wanted: What was asked for.
        report: Told of the progress.

    Returns:
        What to tell when it is done.

    Raises:
        WrongUseError: If no curves were named, or a library cannot be read.
        ImportError: If what reads a library is missing.
        OSError: If a file does not exist.
        ValueError: If a term is unknown, or nothing can be learnt.
    """
    from dataclasses import replace

    from saxinfer.inference.label_free.curves import read_unlabelled
    from saxinfer.inference.label_free.gradient import refuse_without_gradient
    from saxinfer.inference.label_free.plan import Plan, adapting, terms_from_texts
    from saxinfer.inference.label_free.training import train_label_free
    from saxinfer.inference.recipe import Course
    from saxinfer.library import LibraryError
    from saxinfer.structures import get_structure

    refuse_without_gradient(get_structure(model))
    if not wanted.curves:
        raise WrongUseError(
            "Learning without labels needs curves. Name files, folders or a library of "
            "'saxinfer simulate' with --curves."
        )
    plan = Plan() if wanted.start is None else adapting(Plan())
    asked = {name: value for name, value in wanted.plan.items() if value is not None}
    terms = terms_from_texts(list(wanted.terms))
    plan = replace(plan, **asked, **terms)  # type: ignore[arg-type]
    course = Course(
        accelerator="cpu",
        **{name: value for name, value in wanted.course.items() if value is not None},
    )
    try:
        curves = read_unlabelled(
            [Path(each) for each in wanted.curves], q_unit=wanted.q_unit
        )
    except LibraryError as error:
        raise WrongUseError(str(error)) from None
    trained = train_label_free(
        model,
        output,
        curves,
        plan=plan,
        course=course,
        start=wanted.start,
        resume=wanted.resume,
        progress=report,
    )
    return trained.sentences()
