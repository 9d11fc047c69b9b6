"""Writes values.rs: log density, P(z <= x) and P(z > x), and entropies, with 60 digits of mpmath."""

import mpmath as mp

mp.mp.dps = 60


def number(x):
    x = float(x)
    return {"inf": "f64::INFINITY", "-inf": "f64::NEG_INFINITY"}.get(repr(x), repr(x))


def rows(name, doc, members):
    """members: (parameters, entropy, [(x, log density, cdf, survival)])."""
    n = len(members[0][0])
    print(f"\n/// {doc}")
    print(f"pub(crate) const {name}: &[Member<{n}>] = &[")
    for parameters, entropy, points in members:
        print("    Member {")
        print(f"        parameters: [{', '.join(number(p) for p in parameters)}],")
        print(f"        entropy: {number(entropy)},")
        print("        points: &[")
        for point in points:
            print(f"            ({', '.join(number(v) for v in point)}),")
        print("        ],\n    },")
    print("];")


def laplace():
    def member(loc, b, xs):
        loc, b = mp.mpf(loc), mp.mpf(b)
        points = []
        for x in map(mp.mpf, xs):
            d = (x - loc) / b
            tail = mp.exp(-abs(d)) / 2
            cdf, survival = (tail, 1 - tail) if d < 0 else (1 - tail, tail)
            points.append((x, -abs(d) - mp.log(2 * b), cdf, survival))
        return (loc, b), 1 + mp.log(2 * b), points

    rows("LAPLACE", "Location and scale.", [
        member(0.5, 2.0, [-30.0, -1.0, 0.5, 0.75, 3.0, 900.0]),
        member(-2.0, 1e-3, [-2.5, -2.001, -1.9999]),
    ])


def continuous_bernoulli():
    def member(eta, xs):
        eta = mp.mpf(eta)
        log_a = mp.log(mp.expm1(eta) / eta) if eta else mp.mpf(0)
        mean = 1 / (1 - mp.exp(-eta)) - 1 / eta if eta else mp.mpf(1) / 2
        points = []
        for x in map(mp.mpf, xs):
            cdf = mp.expm1(eta * x) / mp.expm1(eta) if eta else x
            points.append((x, eta * x - log_a, cdf, 1 - cdf))
        return (eta,), log_a - eta * mean, points

    rows("CONTINUOUS_BERNOULLI", "The logit of lambda.", [
        member(0.0, [0.0, 0.25, 1.0]),
        member(1e-7, [0.25, 0.875]),
        member(-0.5, [1e-10, 0.5, 0.875]),
        member(1.9999, [0.0, 0.125, 0.75]),
        member(2.0001, [0.125, 0.75, 1.0]),
        member(-40.0, [0.0, 1e-3, 0.5]),
        member(600.0, [0.5, 0.75, 0.9990234375]),
    ])


def von_mises():
    def member(mu, kappa, xs):
        mu, kappa = mp.mpf(mu), mp.mpf(kappa)
        # exp(kappa (cos - 1)), split where it changes most.
        f = lambda z: mp.exp(kappa * (mp.cos(z - mu) - 1))
        pi = mp.mpf(3.141592653589793)
        sd = 1 / mp.sqrt(kappa + 1)
        cuts = sorted({mu + turn * 2 * mp.pi + k * sd for turn in (-1, 0, 1) for k in range(-40, 41, 2)})

        def mass(a, b):
            if a >= b:
                return mp.mpf(0)
            # mpmath stops at an absolute error.
            scale = max(f(a), f(b))
            return scale * mp.quad(lambda z: f(z) / scale, [a, *[c for c in cuts if a < c < b], b])

        log_total = mp.log(2 * mp.pi * mp.besseli(0, kappa)) - kappa
        points = []
        for x in map(mp.mpf, xs):
            log_density = kappa * (mp.cos(x - mu) - 1) - log_total
            total = mp.exp(log_total)
            points.append((x, log_density, mass(-pi, x) / total, mass(x, pi) / total))
        ratio = mp.besseli(1, kappa) / mp.besseli(0, kappa)
        return (mu, kappa), log_total + kappa * (1 - ratio), points

    rows("VON_MISES", "Mean direction and concentration.", [
        member(0.0, 0.0, [-3.0, 0.0, 1.0]),
        member(1.0, 0.5, [-3.0, -2.125, 0.0, 1.0, 3.0]),
        member(-2.5, 4.0, [-3.140625, -2.5, 0.0, 0.640625, 3.0]),
        member(0.25, 300.0, [-0.75, 0.0, 0.25, 0.5, 1.5]),
        member(3.0, 1e6, [2.99, 3.0, 3.001]),
    ])


def von_mises_fisher():
    """Rows of p, kappa, E[cos], entropy, and log density at cos = 1/2."""
    print("\n/// Dimension, κ, A_p(κ), entropy, log density where cos is ½.")
    print("pub(crate) const VON_MISES_FISHER: &[(usize, f64, f64, f64, f64)] = &[")
    for p, kappa in (2, 1e-3), (2, 3.0), (3, 0.5), (3, 50.0), (5, 12.0), (10, 1e-6), (10, 7.5), (60, 200.0), (4, 1e6), (1000, 800.0), (3, 1e-9):
        nu, k = mp.mpf(p) / 2 - 1, mp.mpf(kappa)
        log_a = (nu + 1) * mp.log(2 * mp.pi) + mp.log(mp.besseli(nu, k)) - nu * mp.log(k)
        a = mp.besseli(nu + 1, k) / mp.besseli(nu, k)
        print(f"    ({p}, {number(k)}, {number(a)}, {number(log_a - k * a)}, {number(k / 2 - log_a)}),")
    print("];")


def truncated_gaussian():
    def member(m, s, lower, upper, xs):
        m, s = mp.mpf(m), mp.mpf(s)
        lower, upper = mp.mpf(lower), mp.mpf(upper)
        # Differences of the smaller tails, with digits to spare.
        mp.mp.dps = 400

        def mass(a, b):
            a, b = (a - m) / s, (b - m) / s
            if a > 0:
                a, b = -b, -a
            return mp.ncdf(b) - mp.ncdf(a)

        total = mass(lower, upper)
        log_density = lambda z: mp.npdf(z, m, s) / total
        points = [(x, mp.log(log_density(x)), mass(lower, x) / total, mass(x, upper) / total) for x in map(mp.mpf, xs)]
        alpha, beta = (lower - m) / s, (upper - m) / s
        edge = lambda t: mp.mpf(0) if mp.isinf(t) else t * mp.npdf(t)
        entropy = mp.log(mp.sqrt(2 * mp.pi * mp.e) * s * total) + (edge(alpha) - edge(beta)) / (2 * total)
        mp.mp.dps = 60
        return (m, s, lower, upper), entropy, points

    inf = mp.inf
    rows("TRUNCATED_GAUSSIAN", "Location, scale and bounds.", [
        member(0.5, 2.0, -1.0, 3.0, [-0.9999, -0.5, 0.5, 2.0, 2.9999]),
        member(-1.0, 0.5, 0.25, inf, [0.2501, 0.5, 1.0, 5.0]),
        member(-1000.0, 1.0, 0.0, inf, [1e-9, 1e-3, 0.01]),
        member(10.0, 1.0, -inf, 0.5, [-20.0, -1.0, 0.25, 0.4999]),
        member(0.0, 1.0, -inf, inf, [-37.0, -1.0, 0.0, 8.0]),
        member(-30.0, 1.0, 0.0, 2.0, [1e-3, 0.5, 1.999]),
        member(3.0, 1.0, 0.0, 1e-7, [1e-9, 5e-8]),
        member(1.0, 0.01, 0.0, 2.0, [0.5, 1.0, 1.02]),
        member(0.0, 1.0, 8.0, 8.5, [8.03125, 8.25, 8.5 - 2.0**-20]),
    ])


def gaussian():
    def member(m, s, xs):
        m, s = mp.mpf(m), mp.mpf(s)
        points = [(x, mp.log(mp.npdf(x, m, s)), mp.ncdf((x - m) / s), mp.ncdf((m - x) / s)) for x in map(mp.mpf, xs)]
        return (m, s), mp.log(s * mp.sqrt(2 * mp.pi * mp.e)), points

    rows("GAUSSIAN", "Mean and standard deviation.", [
        member(0.0, 1.0, [-37.5, -8.0, -1.0, 0.0, 0.5, 5.0, 36.0]),
        member(1.5, 0.25, [-5.0, 1.25, 1.5, 2.0, 3.0]),
    ])


def beta():
    def member(a, b, xs):
        a, b = mp.mpf(a), mp.mpf(b)
        log_b = mp.log(mp.beta(a, b))
        points = []
        for x in map(mp.mpf, xs):
            cdf = mp.betainc(a, b, 0, x, regularized=True)
            survival = mp.betainc(a, b, x, 1, regularized=True)
            points.append((x, (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x) - log_b, cdf, survival))
        entropy = log_b - (a - 1) * mp.digamma(a) - (b - 1) * mp.digamma(b) + (a + b - 2) * mp.digamma(a + b)
        return (a, b), entropy, points

    rows("BETA", "Shapes.", [
        member(0.5, 0.5, [1e-6, 0.25, 0.5, 0.999]),
        member(2.0, 5.0, [1e-12, 0.125, 0.5, 0.99]),
        member(1.0, 1.0, [0.25, 0.75]),
        member(300.0, 20.0, [0.5, 0.9375, 0.99]),
        member(0.01, 3.0, [1e-100, 0.5]),
    ])


print("//! Written by `reference.py`.")
print("""
/// What mpmath says of one member.
pub(crate) struct Member<const N: usize> {
    pub(crate) parameters: [f64; N],
    pub(crate) entropy: f64,
    /// x, log density, P(z ≤ x), P(z > x).
    pub(crate) points: &'static [(f64, f64, f64, f64)],
}""")
laplace()
continuous_bernoulli()
von_mises()
von_mises_fisher()
truncated_gaussian()
gaussian()
beta()
