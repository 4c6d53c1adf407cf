"""The page, tables and figures of a calibration, in one folder.

index.html   everything, embedded
ranks.csv    every curve: its noise and window, the rank of each truth, the verdict
scores.csv   every column: tests, coverage, errors, for all fits and for good ones
*.png        the figures
"""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, Final

import pandas as pd

from saxinfer.calibration import SAMPLES, Assessment, Proportion
from saxinfer.calibration.assessment import SURE
from saxinfer.calibration.coverage import LEVEL
from saxinfer.calibration.uniformity import DRAWS
from saxinfer.inference.verdict import LARGEST_ERROR
from saxinfer.judging import Calibration
from saxinfer.judging.calibration import CONDITIONS
from saxinfer.judging.study import SCHEMA, Study
from saxinfer.report.calibration_findings import findings
from saxinfer.report.folder import written_beside
from saxinfer.report.page import rendered
from saxinfer.report.wording import in_words, number, unit_in_table
from saxinfer.version import VERSION

__all__ = [
    "calibration_document",
    "calibration_page",
    "ranks_table",
    "scores_table",
    "write_calibration",
]

# What instruments of a tier add, and whether fits know how often.
TIERS: Final = {
    "standard": (
        "Standard tier: background, model error and the errors' factor are drawn from "
        "narrower ranges than the prior that fits use, because they cannot know how "
        "good an instrument was. So even the exact posterior is not exactly calibrated "
        "on these curves; it is on those of the hard tier."
    ),
    "hard": (
        "Hard tier: all that the instrument adds is drawn from the very prior that "
        "fits use, so that the exact posterior is exactly calibrated."
    ),
}


def write_calibration(
    calibration: Calibration, study: Study, folder: Path, command: str
) -> Path:
    """Writes page, tables and figures; returns where the page is.

    Raises:
        OSError: If the folder cannot be written.
    """
    from saxinfer.report.figures import image_source
    from saxinfer.report.figures.paper import write_png

    drawn = _figures(calibration)
    sources = {name: image_source(figure) for name, figure in drawn.items()}
    with written_beside(folder) as staged:
        for name, figure in drawn.items():
            write_png(figure, staged / f"{name}.png")
        ranks_table(calibration).to_csv(staged / "ranks.csv", index=False)
        scores_table(calibration).to_csv(staged / "scores.csv", index=False)
        page = calibration_page(calibration, study, sources, command)
        (staged / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def ranks_table(calibration: Calibration) -> pd.DataFrame:
    """Every curve a row; of refused ones only what is known without a fit."""
    names = [column.name for column in calibration.columns]
    rows = []
    for curve in calibration.curves:
        row = asdict(curve)
        row["reasons"] = " ".join(curve.reasons)
        for part in ("truth", "mean", "sd", "ranks"):
            values = row.pop(part) or (None,) * len(names)
            head = "rank" if part == "ranks" else part
            row |= {f"{head}_{n}": v for n, v in zip(names, values, strict=True)}
        row["rank_joint"] = row.pop("joint")
        rows.append(row)
    table = pd.DataFrame(rows)
    whole = [name for name in table if str(name).startswith("rank_")]
    return table.astype(dict.fromkeys(whole, "Int64"))


def scores_table(calibration: Calibration) -> pd.DataFrame:
    """Every column a row, and the joint posterior, for all fits and for good ones."""
    parts = {"all": calibration.assessment}
    if calibration.assessment_of_good is not None:
        parts["good"] = calibration.assessment_of_good
    rows: list[dict[str, Any]] = []
    for name, part in parts.items():
        found = _scores(calibration, part)
        rows += [{"fits": name, "column": column, **row} for column, row in found]
    return pd.DataFrame(rows)


def _scores(
    calibration: Calibration, part: Assessment
) -> list[tuple[str, dict[str, Any]]]:
    """What is told of each column, and of the joint posterior."""
    of_all = part is calibration.assessment
    errors = calibration.accuracy() if of_all else ()
    found = []
    for place, column in enumerate(calibration.columns):
        check, inside = part.checks[place], part.inside()[place]
        low, high = inside.interval()
        row = {
            "unit": column.unit,
            "curves": part.count,
            "ks_distance": check.distance,
            "ks_p": check.p_value,
            "ks_p_holm": check.adjusted,
            "coverage_gap": check.gap,
            "coverage_within_band": check.within,
            "coverage_90": inside.share,
            "coverage_90_low": low,
            "coverage_90_high": high,
        }
        found.append((column.name, row | (asdict(errors[place]) if errors else {})))
    if part.joint_check is not None:
        joint = {
            "unit": "1",
            "curves": part.count,
            "ks_distance": part.joint_check.distance,
            "ks_p": part.joint_check.p_value,
            "ks_p_holm": part.joint_check.adjusted,
            "coverage_gap": part.joint_check.gap,
            "coverage_within_band": part.joint_check.within,
        }
        found.append(("joint", joint))
    return found


def calibration_document(
    calibration: Calibration, study: Study, page: Path
) -> dict[str, Any]:
    """All numbers as plain data; what is not known is null."""
    scores = json.loads(scores_table(calibration).to_json(orient="records"))
    verdicts = Counter(curve.verdict for curve in calibration.fitted if curve.verdict)
    return {
        **study.described(),
        "schema": SCHEMA,
        "page": str(page),
        "fitted": len(calibration.fitted),
        "findings": [asdict(each) for each in findings(calibration)],
        "scores": scores,
        "bins": _bin_documents(calibration),
        "verdicts": dict(verdicts),
        "false_alarms": _alarm_documents(calibration),
        "refusals": [
            {"reason": reason, "curves": list(rows)}
            for reason, rows in calibration.refusals()
        ],
    }


def _bin_documents(calibration: Calibration) -> list[dict[str, Any]]:
    return [
        {
            "condition": condition,
            "low": each.low if each.low > 0 else None,
            "high": each.high if each.high < float("inf") else None,
            "column": column.name,
            **_proportion(part),
        }
        for condition in CONDITIONS
        for each in calibration.bins(condition)
        for column, part in zip(calibration.columns, each.inside, strict=True)
    ]


def _alarm_documents(calibration: Calibration) -> list[dict[str, Any]]:
    if not calibration.has_verdicts:
        return []
    kinds = [("any", ""), ("poor", "poor"), ("out_of_domain", "out_of_domain")]
    found = [(name, calibration.false_alarms(verdict)) for name, verdict in kinds]
    every = [*found, *calibration.reasons()]
    return [
        {"alarm": name, **_proportion(part)} for name, part in every if part is not None
    ]


def _proportion(part: Proportion) -> dict[str, Any]:
    low, high = part.interval()
    share = {"share": part.share, "low_95": low, "high_95": high}
    return {"count": part.count, "of": part.of, **share}


def calibration_page(
    calibration: Calibration, study: Study, sources: dict[str, str], command: str
) -> str:
    """The page, figures embedded.

    Args:
        calibration: What to tell.
        study: How it was made.
        sources: Figures by name, as sources of images.
        command: Command line that makes it again.
    """
    found = findings(calibration)
    return rendered(
        "calibration.html",
        study=study,
        model=study.subject.model,
        tier=TIERS[study.tier],
        calibration=calibration,
        findings=found,
        held=sum(each.holds is True for each in found),
        failed=sum(each.holds is False for each in found),
        tests=_tests(calibration),
        rows=_rows(calibration, calibration.assessment),
        good=calibration.assessment_of_good,
        good_rows=_rows(calibration, calibration.assessment_of_good),
        errors=_errors(calibration),
        alarms=_alarms(calibration),
        largest_error=f"{100 * LARGEST_ERROR:g} %",
        refusals=calibration.refusals(),
        went=_went(calibration),
        figures=sources,
        samples=SAMPLES,
        sure=f"{100 * SURE:g} %",
        level=f"{100 * LEVEL:g} %",
        draws=f"{DRAWS:,}",
        command=command,
        version=VERSION,
    )


def _figures(calibration: Calibration) -> dict[str, Any]:
    from saxinfer.report.figures import calibration as drawings

    joint = drawings.joint_figure(calibration)
    return {
        "coverage": drawings.coverage_figure(calibration),
        "ranks": drawings.rank_figure(calibration),
        **({} if joint is None else {"joint": joint}),
        "conditions": drawings.condition_figure(calibration),
    }


def _tests(calibration: Calibration) -> int:
    """Number of tests that a perfect method fails once in a hundred times each."""
    parts = (calibration.assessment, calibration.assessment_of_good)
    each = [2 if part.joint is None else 3 for part in parts if part is not None]
    return sum(each) + 1


def _rows(calibration: Calibration, part: Assessment | None) -> list[dict[str, Any]]:
    """Lines of the table of tests."""
    if part is None:
        return []
    rows = []
    for place, column in enumerate(calibration.columns):
        check, inside = part.checks[place], part.inside()[place]
        rows.append(
            {
                "name": in_words(column.name),
                "p": _p(check.p_value),
                "adjusted": _p(check.adjusted),
                "uniform": check.adjusted >= 1 - SURE,
                "gap": f"{check.gap:.3f}",
                "within": check.within,
                "coverage": f"{inside.share:.3f}",
                "interval": _interval(inside, 3),
            }
        )
    return rows


def _errors(calibration: Calibration) -> list[tuple[str, ...]]:
    """Lines of the table of errors."""
    pairs = zip(calibration.columns, calibration.accuracy(), strict=True)
    return [
        (
            in_words(column.name),
            unit_in_table(column.unit),
            number(found.rmse, 3),
            number(found.mean_sd, 3),
            number(found.ratio, 3),
            "–" if found.r2 is None else f"{found.r2:.3f}".replace("-", "−"),
        )
        for column, found in pairs
    ]


def _alarms(calibration: Calibration) -> list[tuple[str, str, str, str]]:
    """Lines of the table of false alarms."""
    named = {
        "": "any verdict but good",
        "poor": "poor",
        "out_of_domain": "out of domain",
    }
    kinds = [(words, calibration.false_alarms(kind)) for kind, words in named.items()]
    every = [*kinds, *calibration.reasons()] if calibration.has_verdicts else []
    return [
        (words, f"{part.count}", f"{100 * part.share:.1f}", _interval(part, 1, 100))
        for words, part in every
        if part is not None
    ]


def _interval(part: Proportion, places: int, factor: float = 1) -> str:
    low, high = (f"{factor * end:.{places}f}" for end in part.interval())
    return f"{low} to {high}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _went(calibration: Calibration) -> str:
    """How the fits went, in a sentence."""
    fits = calibration.fitted
    verdicts = Counter(fit.verdict.replace("_", " ") for fit in fits if fit.verdict)
    said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    parts = [f"median {median(fit.seconds for fit in fits):.2g} s a fit, one thread"]
    effective = [fit.effective for fit in fits if fit.effective is not None]
    if effective:
        parts.append(f"median {median(effective):.0f} effective samples")
    if said:
        parts.insert(0, f"verdicts: {said}")
    return f"{len(fits)} of {len(calibration.curves)} curves fitted; " + "; ".join(
        parts
    )
