"""A calibration that cannot be made says so in one sentence."""

from saxinfer.judging import CalibrationError


def test_it_is_no_defect_and_no_refusal() -> None:
    assert issubclass(CalibrationError, Exception)
    assert not issubclass(CalibrationError, ValueError)
