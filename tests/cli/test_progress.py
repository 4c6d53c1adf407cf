"""Mirrors src/saxinfer/cli/progress.py."""

import pytest

from saxinfer.cli.progress import Pace, Twentieths


@pytest.mark.parametrize(
    ("per", "says"),
    [
        ("second", "10 a second, 0:01:05 left"),
        ("minute", "600 a minute, 0:01:05 left"),
    ],
)
def test_pace_counts_neither_what_was_there_nor_the_first_results(
    monkeypatch: pytest.MonkeyPatch, per: str, says: str
) -> None:
    clock = iter([0.0, 40.0, 45.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    pace = Pace(per)  # type: ignore[arg-type]
    assert pace.told(200, 1000) == "starting"
    assert pace.told(300, 1000) == "starting"
    assert pace.told(350, 1000) == says


def test_a_line_is_due_once_for_each_twentieth_and_again_in_the_next_stage() -> None:
    lines = Twentieths()
    assert sum(lines.due(n, 1000) for n in range(1001)) == 21
    assert sum(lines.due(n, 1000) for n in range(1001)) == 21
