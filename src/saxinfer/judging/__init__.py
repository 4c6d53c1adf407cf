"""Judging any way from a curve to a posterior, ours among them.

:func:`judge` takes a function and curves whose parameters are known;
:mod:`saxinfer.judging.study` judges an estimator on many curves, resumably.
"""

from saxinfer.judging.belief import Belief
from saxinfer.judging.calibration import Calibration
from saxinfer.judging.draws import Draw, Prior, drawn, prior_of
from saxinfer.judging.error import CalibrationError
from saxinfer.judging.judge import judge
from saxinfer.judging.judged import JudgedCurve, judged

__all__ = [
    "Belief",
    "Calibration",
    "CalibrationError",
    "Draw",
    "JudgedCurve",
    "Prior",
    "drawn",
    "judge",
    "judged",
    "prior_of",
]
