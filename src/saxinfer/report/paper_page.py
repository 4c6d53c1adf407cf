"""The page, tables and figures of the paper's experiment, in one folder.

index.html         everything, embedded
scores.csv         every score
predictions.csv    truth, predictions and intervals of every test curve
*.png              the figures
"""

from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from saxinfer.paper.data import MODEL, SCALES, Scale
from saxinfer.paper.experiment import Outcome, scale_error
from saxinfer.paper.scores import TELLS, Score
from saxinfer.report.folder import written_beside
from saxinfer.report.page import rendered
from saxinfer.report.paper_findings import IN_WORDS, findings, untold
from saxinfer.report.wording import in_words, number, unit_in_print, unit_in_table
from saxinfer.structures import get_structure
from saxinfer.version import VERSION

__all__ = ["paper_page", "predictions_table", "scores_table", "write_paper"]

FIGURES = ("scatter_absolute", "scatter_unknown", "overview", "examples")


def write_paper(outcome: Outcome, folder: Path, command: str) -> Path:
    """Writes page, tables and figures; returns where the page is.

    Raises:
        OSError: If the folder cannot be written.
    """
    from saxinfer.report.figures import image_source
    from saxinfer.report.figures.paper import write_png

    drawn = dict(zip(FIGURES, _figures(outcome), strict=True))
    sources = {name: image_source(figure) for name, figure in drawn.items()}
    with written_beside(folder) as staged:
        for name, figure in drawn.items():
            write_png(figure, staged / f"{name}.png")
        scores_table(outcome).to_csv(staged / "scores.csv", index=False)
        predictions_table(outcome).to_csv(staged / "predictions.csv", index=False)
        page = paper_page(outcome, sources, command)
        (staged / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def scores_table(outcome: Outcome) -> pd.DataFrame:
    """Every score a row, with units, and whether the column is identifiable."""
    table = pd.DataFrame([vars(score) for score in outcome.scores])
    hidden = {scale: untold(outcome, scale) for scale in SCALES}
    table["identifiable"] = [
        score.column not in hidden[score.scale] for score in outcome.scores
    ]
    return table


def predictions_table(outcome: Outcome) -> pd.DataFrame:
    """A row for each test curve, input and column; what was not fitted is empty."""
    curves = outcome.curves
    rows = outcome.split.test
    parts = []
    for scale in SCALES:
        trees = outcome.predictions["baseline", scale].of(rows)
        fits = outcome.predictions["ours", scale]
        for place, column in enumerate(curves.columns):
            table = pd.DataFrame(
                {
                    "curve": rows,
                    "scale": scale,
                    "column": column.name,
                    "unit": column.unit,
                    "truth": curves.truth[rows, place],
                    "trees": trees.value[:, place],
                    "trees_q05": trees.low[:, place],
                    "trees_q95": trees.high[:, place],
                }
            )
            ours = {
                "posterior_mean": fits.value[:, place],
                "posterior_q05": fits.low[:, place],
                "posterior_q95": fits.high[:, place],
            }
            parts.append(table.join(pd.DataFrame(ours, index=fits.rows), on="curve"))
    return pd.concat(parts, ignore_index=True)


def paper_page(outcome: Outcome, sources: dict[str, str], command: str) -> str:
    """The page, figures embedded.

    Args:
        outcome: What to tell.
        sources: Figures by name, as sources of images.
        command: Command line that makes it again.
    """
    found = findings(outcome)
    return rendered(
        "paper.html",
        experiment=outcome.experiment,
        findings=found,
        met=sum(each.met for each in found),
        tables=[(IN_WORDS[scale], _rows(outcome, scale)) for scale in SCALES],
        untold=[
            (IN_WORDS[scale], in_words(name), reason)
            for scale in SCALES
            for name, reason in untold(outcome, scale).items()
        ],
        tells=TELLS,
        coverage_error=outcome.scores[0].coverage_error,
        figures=sources,
        split=outcome.split,
        data=_data(outcome),
        tuning=outcome.tuning,
        sizes=_sizes(outcome),
        fits=[(IN_WORDS[scale], _fits(outcome, scale)) for scale in SCALES],
        command=command,
        version=VERSION,
    )


def _figures(outcome: Outcome) -> list[Any]:
    from saxinfer.report.figures import paper

    return [
        *(paper.scatter_figure(outcome, scale) for scale in SCALES),
        paper.overview_figure(outcome),
        paper.example_figure(outcome),
    ]


def _rows(outcome: Outcome, scale: Scale) -> list[dict[str, Any]]:
    """Lines of the table of one input."""
    hidden = untold(outcome, scale)
    return [
        {
            "name": in_words(column.name),
            "unit": unit_in_table(column.unit),
            "weak": column.name in hidden,
            "baseline": _printed(outcome.score("baseline", scale, column.name)),
            "ours": _printed(outcome.score("ours", scale, column.name)),
        }
        for column in outcome.curves.columns
    ]


def _printed(score: Score) -> dict[str, str]:
    return {
        "r2": f"{score.r2:.3f}".replace("-", "−"),
        "r2_error": f"± {score.r2_error:.3f}",
        "rmse": number(score.rmse, 2),
        "outside": f"{100 * score.outside:.1f}",
        "coverage": f"{score.coverage:.2f}",
        "width": number(score.width, 2),
        "limit": "" if score.limit is None else number(score.limit, 2),
    }


def _data(outcome: Outcome) -> list[tuple[str, str]]:
    """How the data set was made, in words."""
    experiment, curves, split = outcome.experiment, outcome.curves, outcome.split
    recipe, q = experiment.recipe, curves.q
    assert recipe.box is not None
    box, grid = recipe.box, recipe.box.grid
    speckle = curves.sigma[split.fitted] / curves.closed_form(split.fitted)
    least, most = 100 * np.median(speckle, 0)[[-1, 0]]
    return [
        (
            "Curves",
            f"{recipe.count:,} settings from the prior; drawn of each: {box.average}; "
            f"seed {recipe.seed}",
        ),
        (
            "Split",
            f"{len(split.train):,} to learn from, {len(split.test):,} held out, "
            f"{len(split.fitted):,} of these fitted; rows at random, seed "
            f"{experiment.seed}",
        ),
        (
            "Box",
            f"{grid.pixels} × {grid.pixels} pixels of {grid.pixel:g} nm, periodic, "
            f"{grid.edge:g} nm wide; Nyquist {grid.nyquist:.4g} nm⁻¹",
        ),
        *(
            ("Prior narrowed", _window(name, ends))
            for name, ends in experiment.windows.items()
        ),
        (
            "q",
            f"{len(q)} rings from {q[0]:.3g} to {q[-1]:.3g} nm⁻¹, "
            f"{q[-1] / grid.nyquist:.2g} of Nyquist; the closest are "
            f"{np.diff(q).min():.2g} nm⁻¹ apart, wavevectors {grid.step:.2g} nm⁻¹",
        ),
        ("Speckle", f"{most:.0f} % of the intensity at low q, {least:.1f} % at high q"),
        (
            "Scale",
            f"whole curves are {100 * scale_error(experiment, curves, split):.2g} % "
            "(root mean square) off their closed forms, beyond the speckle, as the "
            "phases in a box are not quite those of the ensemble; measured on curves "
            "to learn from",
        ),
    ]


def _window(name: str, ends: tuple[float, float]) -> str:
    space = get_structure(MODEL).space
    unit = unit_in_print(space.parameters[space.names.index(name)].unit)
    full = space.bounds(name)
    text = f"{in_words(name)} from {ends[0]:.4g} to {ends[1]:.4g} {unit}"
    return f"{text} (the model allows {full[0]:g} to {full[1]:g} {unit})"


def _sizes(outcome: Outcome) -> list[tuple[str, ...]]:
    """Lines of the grid search: best size, R² with it and with the paper's."""
    columns, tuning = outcome.curves.columns, outcome.tuning
    if tuning is None:
        return []
    return [
        (
            in_words(column.name),
            str(size.rounds),
            f"{size.rate:g}",
            str(size.depth),
            f"{r2:.3f}",
            f"{outcome.score('baseline', 'absolute', column.name, 'test').r2:.3f}",
        )
        for column, size, r2 in zip(columns, tuning.sizes, tuning.r2, strict=True)
    ]


def _fits(outcome: Outcome, scale: Scale) -> str:
    """How the fits of one input went, in a sentence."""
    fits = outcome.fits[scale]
    good = [fit for fit in fits if not fit.refused]
    verdicts = Counter(fit.verdict.replace("_", " ") for fit in good)
    said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    text = (
        f"{len(good)} of {len(fits)} curves fitted; verdicts: {said}. Median "
        f"{median(fit.seconds for fit in good):.1f} s and "
        f"{median(fit.effective for fit in good):.0f} effective samples a fit."
    )
    refused = [fit.refused for fit in fits if fit.refused]
    return text + (f" Not fitted, the first because: {refused[0]}" if refused else "")
