"""Mirrors src/saxinfer/inference/effort.py."""

from saxinfer.inference.effort import Effort, Rounds, Sketches


def test_the_numbers_fit_together() -> None:
    effort = Effort()
    assert effort.walkers % 2 == 0
    assert effort.first <= effort.starts
    assert effort.worth <= effort.sketches.plenty
    sketches = effort.sketches
    assert sketches.new <= sketches.exact <= sketches.draws
    # A harder posterior gets more of everything.
    assert effort.more_rounds.most > effort.rounds.most
    assert effort.more_loose.new > effort.loose.new
    assert effort.more_loose.roughly > effort.loose.roughly


def test_two_efforts_share_nothing() -> None:
    assert Effort() == Effort()
    assert Effort(rounds=Rounds(1, 2, 3.0)) != Effort()
    assert Effort(sketches=Sketches(most=1)) != Effort()


def test_a_glance_searches_as_well_and_samples_less() -> None:
    effort, glance = Effort(), Effort().glance()
    searching = ("scan", "first", "starts", "wide_scan", "sketches", "demand")
    assert all(getattr(glance, n) == getattr(effort, n) for n in searching)
    assert glance.attempts < effort.attempts
    assert glance.steps < effort.steps
    assert glance.rounds.most < effort.rounds.most
    assert glance.more_loose.most == 0 < effort.more_loose.most


def test_a_skim_searches_next_to_the_proposals_only() -> None:
    effort, skim = Effort(), Effort().skim()
    assert skim.skimming
    assert not effort.skimming
    assert skim.starts == skim.first == effort.first
    assert skim.believed < effort.believed


def test_a_survey_is_a_skim_that_searches_the_whole_prior() -> None:
    effort, survey = Effort(), Effort().survey()
    assert survey.starts == effort.starts > effort.first
    assert survey.believed == effort.believed
    assert survey.skimming
    assert survey.rounds == effort.skim().rounds
