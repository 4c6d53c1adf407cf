"""Is the model that identify names the true one, as often as it says?

    python benchmarks/identification.py [--models A,B,...] [--tier standard]
                                        [--curves 100] [--seed 40000] [--workers 2]
                                        [--out FILE.jsonl]
    python benchmarks/identification.py --files FILE... [--out FILE.jsonl]

draws curves of each model from its prior and a tier of standard instruments, none of
them seen in training, and identifies each among all the models by the same path as a
measured file. It prints, with binomial standard errors:

- which model was called what;
- how often the most probable model is the true one, against the mean of the
  probabilities that were stated (bins of them too: the expected calibration error);
- the same where the best model is at least twenty times as probable as the next;
- how often none of the models passes the check, which is then a false alarm;
- for the nested pairs, how often they were told apart.

With --files, the first curve of each file is identified instead, and what it was called
is listed; where a file does not say the unit of q, it is taken for 1/Å. One line a
curve is written to FILE; a run that was stopped goes on from there. Curves take turns:
the first of each model come first.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import saxinfer as sx
from saxinfer.crew.processes import in_processes
from saxinfer.curve import Curve
from saxinfer.inference.identify import best_of, identify
from saxinfer.instrument.tiers import Tier
from saxinfer.judging.draws import FITTING, drawn, seed_of
from saxinfer.structures import MODELS, get_structure

# How much more probable the best model must be than the next to be sure.
SURE = 20.0
BINS = 10


@dataclass(frozen=True)
class Job:
    """One curve, drawn or from a file, and the models that it may be of."""

    models: tuple[str, ...]
    truth: str
    tier: Tier
    seed: int
    row: int
    file: str = ""

    @property
    def key(self) -> str:
        """What tells it from others."""
        if self.file:
            return f"{self.file} {self.row} among {','.join(self.models)}"
        where = f"{self.truth} {self.tier} {self.seed} {self.row}"
        return f"{where} among {','.join(self.models)}"

    def curve(self) -> Curve:
        """The curve."""
        if self.file:
            return sx.load(self.file, q_unit=_asked(self.file))[self.row]
        return drawn(self.truth, self.tier, self.seed, self.row).curve


def _asked(file: str) -> str | None:
    """1/Å where the file does not say the unit of q."""
    try:
        sx.load(file)
    except Exception as error:
        return "1/A" if "--q-unit" in str(error) or "q_unit" in str(error) else None
    return None


def judged(job: Job) -> dict[str, Any]:
    """What the curve is called."""
    start = time.process_time()
    row: dict[str, Any] = {"key": job.key, "truth": job.truth, "file": job.file}
    try:
        fit = identify(
            job.curve(), job.models, seed=seed_of(job.seed, job.row, FITTING)
        )
    except Exception as error:
        return row | {"refused": str(error)}
    return row | {
        "best": best_of(fit),
        "rivals": [
            {
                "model": rival.model,
                "probability": rival.probability,
                "log_evidence": rival.evidence.log,
                "log_evidence_sd": rival.evidence.sd,
                "verdict": rival.verdict,
                "passes": rival.passes,
            }
            for rival in fit.rivals
        ],
        "reasons": list(fit.quality.reasons),
        "seconds": time.process_time() - start,
    }


def measured(path: Path, jobs: list[Job], workers: int) -> list[dict[str, Any]]:
    """All results, those of an earlier run included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: dict[str, dict[str, Any]] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            rows[row["key"]] = row
    left = [job for job in jobs if job.key not in rows]
    start = time.perf_counter()
    with (
        path.open("a") as file,
        closing(in_processes(judged, left, workers)) as results,
    ):
        for count, row in enumerate(results, 1):
            rows[row["key"]] = row
            file.write("\n" + json.dumps(row))
            file.flush()
            rate = count / (time.perf_counter() - start)
            rest = (len(left) - count) / rate / 60
            print(
                f"\r{count} of {len(left)}, {60 * rate:.1f} a minute, {rest:.0f} min "
                "left ",
                end="",
                file=sys.stderr,
            )
    print(file=sys.stderr)
    return [rows[job.key] for job in jobs if job.key in rows]


def share(hits: list[bool]) -> str:
    """A share with its binomial standard error (Wilson's), in per cent."""
    if not hits:
        return "–"
    count, part = len(hits), sum(hits) / len(hits)
    error = math.sqrt(part * (1 - part) / count + 1 / (4 * count**2)) / (1 + 1 / count)
    return f"{100 * part:.1f} ± {100 * error:.1f} of {count}"


def top(row: dict[str, Any]) -> dict[str, Any]:
    """The most probable model of a curve."""
    found: dict[str, Any] = row["rivals"][0]
    return found


def print_tables(rows: list[dict[str, Any]], models: tuple[str, ...]) -> None:
    """Everything that is promised above."""
    done = [row for row in rows if "refused" not in row]
    print(f"| true model | {' | '.join(models)} | none passes |")
    print("|" + "---|" * (len(models) + 2))
    for truth in models:
        called = Counter(top(r)["model"] for r in done if r["truth"] == truth)
        none = sum(r["best"] == "none" for r in done if r["truth"] == truth)
        cells = " | ".join(str(called[name]) for name in models)
        print(f"| {truth} | {cells} | {none} |")
    right = [top(row)["model"] == row["truth"] for row in done]
    stated = [top(row)["probability"] for row in done]
    print(f"\nmost probable is true: {share(right)} %")
    print(f"mean of the highest probability: {100 * sum(stated) / len(stated):.1f} %")
    print(f"expected calibration error: {_calibration_error(right, stated):.3f}")
    sure = [
        hit
        for hit, row in zip(right, done, strict=True)
        if top(row)["probability"] >= SURE * row["rivals"][1]["probability"]
    ]
    print(f"where it is {SURE:g} times as probable as the next: {share(sure)} %")
    false = [row["best"] == "none" for row in done]
    print(f"none of these, falsely: {share(false)} %")
    for wider in models:
        for simple in get_structure(wider).special_cases:
            if simple in models:
                _print_pair(done, simple, wider)
    seconds = sorted(row["seconds"] for row in done)
    print(f"seconds of a processor, median: {seconds[len(seconds) // 2]:.0f}")
    for why, count in Counter(r["refused"] for r in rows if "refused" in r).items():
        print(f"refused, {count}: {why}")


def _calibration_error(right: list[bool], stated: list[float]) -> float:
    """Mean distance of the stated probability from the share that is right, by bins."""
    total = 0.0
    for number in range(BINS):
        inside = [
            (hit, p)
            for hit, p in zip(right, stated, strict=True)
            if min(int(BINS * p), BINS - 1) == number
        ]
        total += abs(sum(hit - p for hit, p in inside))
    return total / len(right)


def _print_pair(rows: list[dict[str, Any]], simple: str, wider: str) -> None:
    """How often a special case and the wider model were told apart."""
    told = []
    for row in rows:
        if row["truth"] not in (simple, wider):
            continue
        log = {rival["model"]: rival["log_evidence"] for rival in row["rivals"]}
        other = wider if row["truth"] == simple else simple
        told.append(log[row["truth"]] - log[other])
    right = share([gap > 0 for gap in told])
    sure = share([abs(gap) > math.log(SURE) for gap in told])
    print(f"{simple} in {wider}: right {right} %, decided twenty to one {sure} %")


def print_files(rows: list[dict[str, Any]]) -> None:
    """What each measured curve is called."""
    print("| file | called | most probable | probability | verdict |")
    print("|---|---|---|---|---|")
    for row in rows:
        name = Path(row["file"]).name
        if "refused" in row:
            print(f"| {name} | not fitted: {row['refused']} | | | |")
            continue
        best = top(row)
        print(
            f"| {name} | {row['best']} | {best['model']} | {best['probability']:.3f} "
            f"| {best['verdict']} |"
        )


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--tier", choices=("standard", "hard"), default="standard")
    parser.add_argument("--curves", type=int, default=100)
    parser.add_argument("--seed", type=int, default=40000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--files", type=Path, nargs="*")
    parser.add_argument("--out", type=Path, default=Path("runs/identification.jsonl"))
    asked = parser.parse_args()
    models = tuple(asked.models.split(","))
    if asked.files:
        jobs = [
            Job(models, "", asked.tier, asked.seed, 0, str(file))
            for file in asked.files
        ]
        print_files(measured(asked.out, jobs, asked.workers))
        return
    jobs = [
        Job(models, truth, asked.tier, asked.seed, row)
        for row in range(asked.curves)
        for truth in models
    ]
    rows = measured(asked.out, jobs, asked.workers)
    print(f"{asked.tier} tier, seed {asked.seed}, {len(rows)} curves\n")
    print_tables(rows, models)


if __name__ == "__main__":
    main()
