"""Prints the reference values of the tests of conjugate pairs (mpmath, 50 digits)."""

import mpmath as mp

mp.mp.dps = 50
f = lambda v: repr(float(v))


def log_integral(p, k):
    """log of the integral of exp(k cos) over the unit sphere in p dimensions, by quadrature of the angle."""
    area = 2 * mp.pi ** (mp.mpf(p - 1) / 2) / mp.gamma(mp.mpf(p - 1) / 2)
    width = min(mp.pi, 40 / mp.sqrt(1 + k))
    points = [width * j / 16 for j in range(17)] + ([mp.pi] if width < mp.pi else [])
    return mp.log(area * mp.quad(lambda d: mp.sin(d) ** (p - 2) * mp.exp(k * (mp.cos(d) - 1)), points)) + k


def directions():
    """log p(x) of a direction at an angle d to the mean of the mixing law; the parameters are doubles."""
    for p in (2, 3, 7):
        for k, k0, d in [(2.5, 1.25, 0.75), (0.0, 3.0, 1.0), (4.0, 0.0, 2.0), (1e-8, 1e-8, 0.5), (800.0, 50.0, 0.1),
                         (1e4, 1e4, 0.03), (3.0, 3.0, 3.125), (1e6, 0.5, 1.5)]:
            a, b, d = mp.mpf(k), mp.mpf(k0), mp.mpf(d)
            r = mp.sqrt(a * a + b * b + 2 * a * b * mp.cos(d))
            print(f"    ({p}, {k!r}, {k0!r}, {float(d)!r}, {f(log_integral(p, r) - log_integral(p, a) - log_integral(p, b))}),")


def regression():
    """Mean and covariance of the coefficients and log evidence, by the gain of the Kalman filter."""
    x = mp.matrix([[1, 0.5], [1, -2], [1, 3.25]])
    y, m = mp.matrix([0.3, 4.5, -2]), mp.matrix([0.5, -1])
    s = mp.matrix([[2, 0.5], [0.5, 0.75]])
    w = x * s * x.T + mp.eye(3) / 2
    gain, d = s * x.T * w ** -1, y - x * m
    evidence = -(3 * mp.log(2 * mp.pi) + mp.log(mp.det(w)) + (d.T * w ** -1 * d)[0]) / 2
    print([f(v) for v in m + gain * d], [f(v) for v in s - gain * x * s], f(evidence))


directions()
regression()
