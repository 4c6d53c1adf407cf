"""The paper's baseline: boosted trees, with intervals that a held-out part made honest.

Another way from a curve to values and intervals; it knows nothing of correlations, nor
of how well one curve is described.
"""
