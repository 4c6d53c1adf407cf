r"""Learning from curves alone: physics says how well an answer explains a curve.

The network of :mod:`saxinfer.inference.npe` makes a density q(z | x) over the latent
numbers of structure and instrument from a curve x. Instead of a known truth, the closed
form and the instrument judge what is drawn from it: z becomes parameters, these become
a curve, and that is as likely as the measured one says. The loss is the negative
evidence lower bound,

.. math:: -\mathcal L(x) = -\mathrm E_{q(z|x)}
          \left[ \ln p(x | z) + \ln p(z) - \ln q(z | x) \right] ,

whose gradient flows back through likelihood, instrument and closed form into the
network. Labels appear nowhere. The same loss on one curve, without a network, is
:mod:`~saxinfer.inference.label_free.single`.

References:
    Kingma & Welling, ICLR 2014 (the bound, gradients through samples). Burda, Grosse &
    Salakhutdinov, ICLR 2016 (importance-weighted bound). Roeder, Wu & Duvenaud, NeurIPS
    2017, and Tucker, Lawson, Gu & Maddison, ICLR 2019 (gradients of less variance).
    Bornschein & Bengio, ICLR 2015 (wake and sleep phases). Raissi, Perdikaris &
    Karniadakis, J. Comput. Phys. 378, 686 (2019): physics-informed learning.
"""
