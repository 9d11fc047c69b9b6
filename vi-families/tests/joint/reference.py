"""Prints the reference values of reference.rs (mpmath, 50 digits)."""

import mpmath as mp

mp.mp.dps = 50
f = lambda v: repr(float(v))


def log_normal(x, m, variance):
    return -mp.log(2 * mp.pi * variance) / 2 - (x - m) ** 2 / (2 * variance)


def log_multigamma(p, a):
    return mp.mpf(p * (p - 1)) / 4 * mp.log(mp.pi) + sum(mp.loggamma(a - mp.mpf(i) / 2) for i in range(p))


def gammas():
    """log p(μ, τ), log p(μ, σ² = 1/τ as given) and both entropies."""
    rows = [
        (1.5, 4.0, 2.5, 3.0, 1.1, 0.7),
        (-2.0, 0.25, 0.125, 0.5, 3.0, 1e-6),
        (0.0, 1.0, 1.0, 1.0, 0.0, 1.0),
        (1e3, 1e-3, 60.0, 2e-3, 1.01e3, 2.5e4),
        (0.1, 1e5, 1e4, 3e4, 0.101, 0.34),
    ]
    for row in rows:
        m, k, a, b, mu, v = map(mp.mpf, row)
        log_gamma = a * mp.log(b) - mp.loggamma(a) + (a - 1) * mp.log(v) - b * v
        log_inverse = a * mp.log(b) - mp.loggamma(a) - (a + 1) * mp.log(v) - b / v
        expected_log = mp.digamma(a) - mp.log(b)
        entropy = a - mp.log(b) + mp.loggamma(a) + (1 - a) * mp.digamma(a)
        joint = entropy + (1 + mp.log(2 * mp.pi) - mp.log(k) - expected_log) / 2
        values = (
            log_gamma + log_normal(mu, m, 1 / (k * v)),
            log_inverse + log_normal(mu, m, v / k),
            joint,
            joint - 2 * expected_log,
        )
        print("    (" + ", ".join(repr(x) for x in row) + ", [" + ", ".join(map(f, values)) + "]),")


def wisharts():
    """log p(μ, Z) for Z as precision and as covariance, with the same matrix as scale, and both entropies."""
    w2, z2 = [[0.5, 0.1], [0.1, 0.3]], [[1.5, -0.4], [-0.4, 0.9]]
    w3 = [[2.0, 0.5, -0.25], [0.5, 1.0, 0.125], [-0.25, 0.125, 0.75]]
    z3 = [[1.0, -0.5, 0.25], [-0.5, 2.0, 0.0], [0.25, 0.0, 0.5]]
    rows = [
        ([0.5, -1.0], 4.0, 4.5, w2, [1.0, 0.25], z2),
        ([0.5, -1.0], 0.01, 1.0625, w2, [-3.0, 2.0], z2),
        ([0.0, 0.0], 1.0, 200.0, w2, [0.0, 0.0], z2),
        ([1.0, 2.0, 3.0], 2.5, 3.5, w3, [1.5, 2.0, 2.0], z3),
        ([7.0], 3.0, 0.5, [[0.25]], [6.5], [[1e-3]]),
    ]
    for m, k, nu, w, mu, z in rows:
        p = len(m)
        m, mu, w, z, k, nu = mp.matrix(m), mp.matrix(mu), mp.matrix(w), mp.matrix(z), mp.mpf(k), mp.mpf(nu)
        d = mu - m
        half = nu / 2
        psi = sum(mp.digamma(half - mp.mpf(i) / 2) for i in range(p))
        trace = lambda a: sum(a[i, i] for i in range(p))
        scaled = lambda a: (d.T * a * d)[0]

        def log_wishart(log_det_w, trace_part):
            return (
                (nu - p - 1) / 2 * mp.log(mp.det(z)) - trace_part / 2
                - half * (p * mp.log(2) + log_det_w) - log_multigamma(p, half)
            )

        log_det_w, log_det_z = mp.log(mp.det(w)), mp.log(mp.det(z))
        precision = log_wishart(log_det_w, trace(w ** -1 * z))
        precision += (p * mp.log(k / (2 * mp.pi)) + log_det_z - k * scaled(z)) / 2
        covariance = (
            half * log_det_w - half * p * mp.log(2) - log_multigamma(p, half)
            - (nu + p + 1) / 2 * log_det_z - trace(w * z ** -1) / 2
            + (p * mp.log(k / (2 * mp.pi)) - log_det_z - k * scaled(z ** -1)) / 2
        )

        def entropy(log_det_scale):
            """Of the Wishart with scale of this log determinant and its Gaussian, and E log |Λ|."""
            expected = psi + p * mp.log(2) + log_det_scale
            wishart = half * (p * mp.log(2) + log_det_scale) + log_multigamma(p, half)
            wishart += -(nu - p - 1) / 2 * expected + half * p
            return wishart + (p * (1 + mp.log(2 * mp.pi) - mp.log(k)) - expected) / 2, expected

        first, _ = entropy(log_det_w)
        second, expected = entropy(-log_det_w)
        print("        [" + ", ".join(map(f, (precision, covariance, first, second - (p + 1) * expected))) + "],")


gammas()
wisharts()
