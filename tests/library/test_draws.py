"""Parameters depend on the seed and the index, and on nothing else."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from saxinfer.library.draws import NOISE, PARAMETERS, drawn_parameters, stream
from saxinfer.library.error import LibraryError
from saxinfer.structures import get_structure

SPACE = get_structure("cellulose").space


def test_an_index_has_one_stream_for_each_purpose() -> None:
    first = stream(1, 2, PARAMETERS).random()
    assert stream(1, 2, PARAMETERS).random() == first
    others = (stream(2, 2, PARAMETERS), stream(1, 3, PARAMETERS), stream(1, 2, NOISE))
    assert first not in [other.random() for other in others]


def test_no_curve_knows_of_the_others() -> None:
    many = drawn_parameters(SPACE, 5, range(40))
    some = drawn_parameters(SPACE, 5, range(30, 40))
    # Curves of other blocks may differ in the last bits of vector arithmetic.
    assert torch.allclose(many[30:], some, rtol=1e-13, atol=0)


def test_draws_follow_the_prior() -> None:
    theta = drawn_parameters(SPACE, 8, range(2000)).numpy()
    # log-uniform from 0.05 to 1; false alarm once in a thousand.
    share = np.log(theta[:, SPACE.names.index("mu")] / 0.05) / np.log(20)
    assert kstest(share, "uniform").pvalue > 1e-3


def test_draws_lie_within_windows_that_depend_on_one_another() -> None:
    space = SPACE.narrow("sld_grf2", 0.5, 0.6).narrow("phi_grf1", 0.3, 0.32)
    theta = drawn_parameters(space, 1, range(300))
    assert bool(space.admits(theta).all())
    loose = space.theta_from_latent(
        torch.randn(300, 8, generator=torch.Generator().manual_seed(1)).double()
    )
    assert not bool(space.admits(loose).all())


def test_fixing_one_parameter_leaves_the_others() -> None:
    free = drawn_parameters(SPACE, 2, range(10))
    fixed = drawn_parameters(SPACE.narrow("alpha_mean", 2.0, 2.0), 2, range(10))
    assert bool((fixed[:, 0] == 2).all())
    assert torch.allclose(free[:, 2:], fixed[:, 2:], rtol=1e-13, atol=0)


def test_all_parameters_can_be_fixed() -> None:
    space = get_structure("sphere").space.narrow("radius_mean", 4, 4)
    theta = drawn_parameters(space.narrow("radius_std", 1, 1), 0, range(3))
    assert theta.tolist() == [[4, 1]] * 3


def test_windows_that_leave_nothing_are_said_to() -> None:
    space = SPACE.narrow("sld_grf1", 0.1, 0.5).narrow("sld_grf2", 0.5, 0.5)
    with pytest.raises(LibraryError, match="no point within the ranges of -p"):
        drawn_parameters(space, 0, range(250))
