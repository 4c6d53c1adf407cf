"""Whether posteriors are what they say: statistics of ranks, truths and samples.

Nothing here knows where a posterior came from. A truth is drawn from the prior, a curve
from the truth, and samples from a method that sees the curve; if the method returns the
exact posterior, the truth is one more sample of it, and its rank among the samples is
uniform, whatever the curve. All of this is a test of that.
"""

from saxinfer.calibration.accuracy import Accuracy
from saxinfer.calibration.assessment import Assessment, Check
from saxinfer.calibration.binned import Bin, binned
from saxinfer.calibration.proportion import Proportion
from saxinfer.calibration.ranks import SAMPLES, VALUES, ranks_of, thinned
from saxinfer.calibration.tarp import joint_rank
from saxinfer.calibration.uniformity import UniformRanks, holm

__all__ = [
    "SAMPLES",
    "VALUES",
    "Accuracy",
    "Assessment",
    "Bin",
    "Check",
    "Proportion",
    "UniformRanks",
    "binned",
    "holm",
    "joint_rank",
    "ranks_of",
    "thinned",
]
