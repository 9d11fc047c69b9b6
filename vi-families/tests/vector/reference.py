"""Reference values of reference.rs, at 50 digits."""

from mpmath import mp, mpf, log, pi, matrix, det

mp.dps = 50


def show(name, *values):
    print(name, *(mp.nstr(v, 17) for v in values))


def diagonal_gaussian(m, v, z):
    m, v, z = ([mpf(x) for x in a] for a in (m, v, z))
    lp = sum(-(log(2 * pi * b) + (c - a) ** 2 / b) / 2 for a, b, c in zip(m, v, z))
    show("DiagonalGaussian", lp, sum((1 + log(2 * pi * b)) / 2 for b in v))


for z in (["0.5", "-1", "2"], ["0", "0", "0"], ["1e-8", "3", "-40"], ["1e8", "1", "1"], ["0.3", "0.7", "2.1"]):
    diagonal_gaussian(["0.5", "-1", "2"], ["0.25", "1e-4", "900"], z)
