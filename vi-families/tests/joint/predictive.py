"""Prints the reference values of predictive.rs (mpmath, 50 digits)."""

import mpmath as mp

mp.mp.dps = 50
f = lambda v: repr(float(v))


def log_prob(m, s, nu, x):
    """Of p = len(m) coordinates with scale matrix s."""
    p = len(m)
    d = mp.matrix(x) - mp.matrix(m)
    q = (d.T * s ** -1 * d)[0]
    constant = mp.loggamma((nu + p) / 2) - mp.loggamma(nu / 2) - mp.log(mp.det(s)) / 2
    return constant - p * mp.log(nu * mp.pi) / 2 - (nu + p) / 2 * mp.log1p(q / nu)


def entropy(m, s, nu):
    p = len(m)
    at_mode = log_prob(m, s, nu, m)
    return (nu + p) / 2 * (mp.digamma((nu + p) / 2) - mp.digamma(nu / 2)) - at_mode


def line():
    rows = [
        (1.5, 0.5, 3.0, 1.1),
        (0.0, 1.0, 1.0, 1e200),
        (0.0, 1.0, 0.01, -3.0),
        (-2.0, 10.0, 1e-5, 1e10),
        (0.0, 1.0, 30.5, 12.0),
        (0.0, 2.0, 1e4, 7.0),
        (0.0, 1.0, 1e8, 5.0),
        (0.0, 1e-3, 1e15, 0.004),
    ]
    for row in rows:
        m, s, nu, x = map(mp.mpf, row)
        s = mp.matrix([[s * s]])
        values = log_prob([m], s, nu, [x]), entropy([m], s, nu)
        print("    (" + ", ".join(repr(x) for x in row) + ", [" + ", ".join(map(f, values)) + "]),")


def planes():
    s2 = [[2.0, 0.5], [0.5, 0.75]]
    s3 = [[2.0, 0.5, -0.25], [0.5, 1.0, 0.125], [-0.25, 0.125, 0.75]]
    rows = [
        ([0.5, -1.0], s2, 3.5, [1.0, 0.25]),
        ([0.5, -1.0], s2, 0.125, [1e6, -1e8]),
        ([0.0, 0.0], s2, 1e9, [5.0, -4.0]),
        ([1.0, 2.0, 3.0], s3, 40.0, [1.0, 2.0, 3.0]),
        ([7.0], [[0.25]], 1.0, [6.5]),
    ]
    for m, s, nu, x in rows:
        s, nu = mp.matrix(s), mp.mpf(nu)
        print("        [" + ", ".join(map(f, (log_prob(m, s, nu, x), entropy(m, s, nu)))) + "],")


def distribution_functions():
    rows = [
        (0.01, 2.5), (0.05, -1e200), (0.5, 1e-3), (1.0, 1e12), (1.0, -0.7), (2.5, -4.0), (3.0, 1e-9), (4.0, 100.0),
        (10.5, -3.5), (30.0, 12.0), (200.0, -1.5),
        (500.0, 30.0), (29999.0, 20.0), (30000.0, -20.0), (30000.0, 30.0), (30000.0, 0.5), (1e4, 8.0), (1e4, -0.01), (1e6, 5.0), (1e8, -12.0), (1e12, 3.0),
        (1e17, -6.0),
    ]
    for nu, t in rows:
        square, half = mp.mpf(t) ** 2, mp.mpf(nu) / 2
        x = 2 * half / (2 * half + square)
        if nu < 1e5:
            # DLMF 8.17.8.
            factor = x ** half * mp.sqrt(1 - x) / (half * mp.beta(half, 0.5))
            tail = factor * mp.hyp2f1(half + 0.5, 1, half + 1, x) / 2
        else:
            # The integral of the density, which the series reaches slowly.
            density = lambda u: mp.exp(-(half + 0.5) * mp.log1p(u * u / nu))
            constant = mp.exp(mp.loggamma(half + 0.5) - mp.loggamma(half)) / mp.sqrt(mp.pi * nu)
            points = [abs(mp.mpf(t)) + k * mp.mpf(0.125) for k in range(160)]
            tail = constant * mp.quad(density, points)
        values = (1 - tail, tail) if t > 0 else (tail, 1 - tail)
        print(f"        ({nu!r}, {t!r}, [" + ", ".join(map(f, values)) + "]),")


line()
planes()
distribution_functions()
