"""Prints the reference values typed into reference.rs and special/main.rs (mpmath, scipy)."""

import mpmath as mp
import numpy as np
from scipy import stats
from scipy.special import multigammaln

mp.mp.dps = 40


def special():
    for x in "1e-100 1e-5 0.1 0.5 1.0001 1.3 1.75 2.5 3.25 7.75 9.999 10.5 47.125 1000.5 1234567.25".split():
        v = mp.mpf(float(x))
        values = mp.loggamma(v), mp.digamma(v), mp.polygamma(1, v)
        print(f"    ({x}, " + ", ".join(mp.nstr(f, 26) for f in values) + "),")
    for x in 1.4616321449683622, 1.46163, 1.46164:
        print(f"({x!r}, {mp.nstr(mp.digamma(mp.mpf(x)), 26)}),")
    for a, b in (0.5, 0.25), (1e-3, 2.0), (3.5, 40.25), (120.5, 0.125), (12.25, 15.5), (1e6, 2e6), (1e10, 3.5):
        v = mp.loggamma(mp.mpf(a)) + mp.loggamma(mp.mpf(b)) - mp.loggamma(mp.mpf(a) + mp.mpf(b))
        print(f"    ({a!r}, {b!r}, {mp.nstr(v, 26)}),")
    for p, a in (1, 0.75), (2, 0.75), (3, 5.5), (5, 2.25), (10, 47.125):
        at = [mp.mpf(a) - mp.mpf(i) / 2 for i in range(p)]
        log_gamma = mp.mpf(p * (p - 1)) / 4 * mp.log(mp.pi) + sum(map(mp.loggamma, at))
        rest = sum(map(mp.digamma, at)), sum(mp.polygamma(1, x) for x in at)
        print(f"    ({p}, {a!r}, " + ", ".join(mp.nstr(f, 26) for f in (log_gamma, *rest)) + "),")


def densities():
    m, s = np.array([0.5, -1.0]), np.array([[2.0, 0.6], [0.6, 0.5]])
    lam, w = np.array([[1.5, -0.4], [-0.4, 0.9]]), np.array([[0.5, 0.1], [0.1, 0.3]])
    rows = {
        "gaussian": (stats.norm(1.5, 0.3).logpdf(1.1), stats.norm(1.5, 0.3).entropy()),
        "gamma": (stats.gamma(2.5, scale=1 / 3).logpdf(0.7), stats.gamma(2.5, scale=1 / 3).entropy()),
        "inverse_gamma": (stats.invgamma(2.5, scale=3).logpdf(0.7), stats.invgamma(2.5, scale=3).entropy()),
        "beta": (stats.beta(2.5, 0.75).logpdf(0.3), stats.beta(2.5, 0.75).entropy()),
        "dirichlet": (
            stats.dirichlet([0.5, 2.0, 3.5]).logpdf([0.2, 0.3, 0.5]),
            stats.dirichlet([0.5, 2.0, 3.5]).entropy(),
        ),
        "bernoulli": (stats.bernoulli(0.3).logpmf(1), stats.bernoulli(0.3).entropy()),
        "categorical": (
            stats.multinomial(1, [0.2, 0.3, 0.5]).logpmf([0, 1, 0]),
            stats.multinomial(1, [0.2, 0.3, 0.5]).entropy(),
        ),
        "mv_gaussian": (
            stats.multivariate_normal(m, s).logpdf([1.0, 0.25]),
            stats.multivariate_normal(m, s).entropy(),
        ),
        "wishart": (stats.wishart(4.5, w).logpdf(lam), stats.wishart(4.5, w).entropy()),
        "normal_gamma": (
            stats.gamma(2.5, scale=1 / 3).logpdf(0.7) + stats.norm(1.5, 1 / np.sqrt(4 * 0.7)).logpdf(1.1),
        ),
        "normal_wishart": (
            stats.wishart(4.5, w).logpdf(lam)
            + stats.multivariate_normal(m, np.linalg.inv(4 * lam)).logpdf([1.0, 0.25]),
        ),
    }
    for name, values in rows.items():
        print(name, *(repr(float(v)) for v in values))


special()
densities()

# Bernoulli: p, log p(true), log p(false), entropy; categorical: weights, log p of first and last, entropy.
for p in [1e-12, 0.02, 0.4, 0.97, 0.999999]:
    q = mp.mpf(p)
    print("Bernoulli", p, *(float(v) for v in (mp.log(q), mp.log1p(-q), -q * mp.log(q) - (1 - q) * mp.log1p(-q))))
for w in [[1, 2, 4], [1e-8, 1, 2], [5, 5, 5], [1e6, 1, 1], [0.3, 0.2, 0.2]]:
    q = [mp.mpf(x) / sum(mp.mpf(y) for y in w) for x in w]
    print("Categorical", w, *(float(v) for v in (mp.log(q[0]), mp.log(q[-1]), -sum(x * mp.log(x) for x in q))))
