"""Prints the reference values of student_t.rs (mpmath, 50 digits)."""

import mpmath as mp

mp.mp.dps = 50
f = lambda v: repr(float(v))


def student_t():
    """log t_ν(z; m, s) and its entropy, the latter by quadrature of −p log p."""
    rows = [
        (0.1, 0.0, 1.0, 0.0),
        (0.5, -1.0, 2.5, 40.0),
        (1.0, 0.0, 1.0, 1e10),
        (3.0, 1.5, 0.01, 1.52),
        (30.0, 1.0, 100.0, -350.0),
        (1e6, 0.0, 1.0, 3.0),
    ]
    for row in rows:
        dof, m, s, z = map(mp.mpf, row)

        def log_density(y):
            return (
                mp.loggamma((dof + 1) / 2)
                - mp.loggamma(dof / 2)
                - mp.log(dof * mp.pi) / 2
                - (dof + 1) / 2 * mp.log1p(y * y / dof)
            )

        entropy = mp.log(s) + (dof + 1) / 2 * (mp.digamma((dof + 1) / 2) - mp.digamma(dof / 2))
        entropy += mp.log(dof) / 2 + mp.log(mp.beta(dof / 2, mp.mpf(1) / 2))
        if dof >= 1:
            # y = sinh(t) brings the tails near.
            integrand = lambda t: -mp.exp(log_density(mp.sinh(t))) * log_density(mp.sinh(t)) * mp.cosh(t)
            by_quadrature = mp.log(s) + 2 * mp.quad(integrand, [0, 1, 2, 4, 8, 16, 32, 64, 128])
            assert abs(by_quadrature - entropy) < 1e-20, (row, entropy, by_quadrature)
        value = log_density((z - m) / s) - mp.log(s)
        print("    (" + ", ".join(repr(x) for x in row) + f", {f(value)}, {f(entropy)}),")


student_t()
