"""Files become curves, or sentences that begin with their name."""

from pathlib import Path

from saxinfer.cli.inputs import Unreadable, read_background, read_curves
from saxinfer.curve import Curve


def test_curves_and_failures_keep_the_order_of_the_files(
    two_curves: tuple[Path, Path], bad_file: Path
) -> None:
    first, second = two_curves
    gone = first.with_name("gone.dat")
    one, bad, none, two = read_curves(
        [first, bad_file, gone, second], q_unit="", entry="", background=None
    )
    assert isinstance(one, Curve)
    assert isinstance(two, Curve)
    assert isinstance(bad, Unreadable)
    assert isinstance(none, Unreadable)
    assert bad.sentence.startswith("bad.dat: ")
    assert none.sentence == "gone.dat: no such file or directory."


def test_no_background_is_none_and_a_bad_one_is_said(bad_file: Path) -> None:
    assert read_background("", q_unit="") is None
    assert isinstance(read_background(str(bad_file), q_unit=""), Unreadable)


def test_the_unit_of_q_is_passed_on(curve_file: Path) -> None:
    (plain,) = read_curves([curve_file], q_unit="", entry="", background=None)
    (scaled,) = read_curves([curve_file], q_unit="1/A", entry="", background=None)
    assert isinstance(plain, Curve)
    assert isinstance(scaled, Curve)
    assert float(scaled.q[0] / plain.q[0]) == 10
