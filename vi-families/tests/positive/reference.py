"""Writes `values.rs`: log densities, entropies, CDFs and survival functions of the distributions on (0, inf), by
mpmath at 40 digits. Densities, CDFs and survival functions are typed in here; entropies are integrated.

    python reference.py > values.rs
    python reference.py predictive > predictive_values.rs
"""

import sys

from mpmath import mp, mpf, quad, log, exp, sqrt, pi, gammainc, inf, gamma, erfc, betainc, linspace

mp.dps = 40


def exponential(r):
    return lambda x: r * exp(-r * x), lambda x: 1 - exp(-r * x), lambda x: exp(-r * x), [1 / r, 10 / r], 0


def rayleigh(s):
    t = lambda x: x * x / (2 * s * s)
    return lambda x: x / s**2 * exp(-t(x)), lambda x: 1 - exp(-t(x)), lambda x: exp(-t(x)), [s, 4 * s], 0


def pareto(m, a):
    return (
        lambda x: a * m**a / x ** (a + 1),
        lambda x: 1 - (m / x) ** a,
        lambda x: (m / x) ** a,
        [2 * m, 10 * m, 1000 * m],
        m,
    )


def weibull(k, s):
    t = lambda x: (x / s) ** k
    return (
        lambda x: k / s * (x / s) ** (k - 1) * exp(-t(x)),
        lambda x: 1 - exp(-t(x)),
        lambda x: exp(-t(x)),
        [s / 1000, s, 4 * s],
        0,
    )


def gamma_family(a, b):
    return (
        lambda x: b**a / gamma(a) * x ** (a - 1) * exp(-b * x),
        lambda x: gammainc(a, 0, b * x, regularized=True),
        lambda x: gammainc(a, b * x, inf, regularized=True),
        [a / b / 100, a / b, 10 * (a + 1) / b],
        0,
    )


def inverse_gamma(a, b):
    return (
        lambda x: b**a / gamma(a) * x ** (-a - 1) * exp(-b / x),
        lambda x: gammainc(a, b / x, inf, regularized=True),
        lambda x: gammainc(a, 0, b / x, regularized=True),
        [b / (a + 1), 3 * b / a, 100 * b / a],
        0,
    )


def chi_squared(n):
    return gamma_family(n / 2, mpf(1) / 2)


def half_normal(s):
    return (
        lambda x: sqrt(2 / pi) / s * exp(-x * x / (2 * s * s)),
        lambda x: 1 - erfc(x / s / sqrt(2)),
        lambda x: erfc(x / s / sqrt(2)),
        [s, 4 * s],
        0,
    )


def log_normal(m, s):
    t = lambda x: (log(x) - m) / s
    return (
        lambda x: exp(-t(x) ** 2 / 2) / (x * s * sqrt(2 * pi)),
        lambda x: erfc(-t(x) / sqrt(2)) / 2,
        lambda x: erfc(t(x) / sqrt(2)) / 2,
        [exp(m + s * j) for j in (-6, -3, 0, 3, 6)],
        0,
    )


def inverse_gaussian(m, l):
    phi = lambda t: erfc(-t / sqrt(2)) / 2
    w = lambda x: sqrt(l / x) * (x / m - 1)
    v = lambda x: sqrt(l / x) * (x / m + 1)
    return (
        lambda x: sqrt(l / (2 * pi * x**3)) * exp(-l * (x - m) ** 2 / (2 * m * m * x)),
        lambda x: phi(w(x)) + exp(2 * l / m) * phi(-v(x)),
        lambda x: phi(-w(x)) - exp(2 * l / m) * phi(-v(x)),
        [l / 30, m * l / (m + l) / 2, m, 4 * m, m * (1 + 100 * m / l)],
        0,
    )


def half_student_t(nu, s):
    c = 2 * gamma((nu + 1) / 2) / (gamma(nu / 2) * sqrt(nu * pi) * s)
    return (
        lambda x: c * (1 + x * x / (nu * s * s)) ** (-(nu + 1) / 2),
        lambda x: betainc(mpf(1) / 2, nu / 2, 0, x * x / (x * x + nu * s * s), regularized=True),
        lambda x: betainc(nu / 2, mpf(1) / 2, 0, nu * s * s / (x * x + nu * s * s), regularized=True),
        None,
        0,
    )


def lomax(a, s):
    return (
        lambda x: a / s * (1 + x / s) ** (-a - 1),
        lambda x: 1 - (1 + x / s) ** -a,
        lambda x: (1 + x / s) ** -a,
        None,
        0,
    )


def compound_gamma(k, a, s):
    c = gamma(k + a) / gamma(k) / gamma(a)
    return (
        lambda x: c / s * (x / s) ** (k - 1) * (1 + x / s) ** (-k - a),
        lambda x: betainc(k, a, 0, x / (x + s), regularized=True),
        lambda x: betainc(a, k, 0, s / (x + s), regularized=True),
        None,
        0,
    )


def log_lomax(m, a, s):
    y = lambda x: log(x / m)
    density, cdf, survival, _, _ = lomax(a, s)
    return (
        lambda x: density(y(x)) / x,
        lambda x: cdf(y(x)),
        lambda x: survival(y(x)),
        None,
        m,
    )


def burr(c, k, s):
    return (
        lambda x: c * k / s * (x / s) ** (c - 1) * (1 + (x / s) ** c) ** (-k - 1),
        lambda x: 1 - (1 + (x / s) ** c) ** -k,
        lambda x: (1 + (x / s) ** c) ** -k,
        None,
        0,
    )


def student_cdf(t, nu):
    tail = betainc(nu / 2, mpf(1) / 2, 0, nu / (nu + t * t), regularized=True) / 2
    return 1 - tail if t > 0 else tail


def log_student_t(nu, m, s):
    c = gamma((nu + 1) / 2) / (gamma(nu / 2) * sqrt(nu * pi) * s)
    t = lambda x: (log(x) - m) / s
    return (
        lambda x: c * (1 + t(x) ** 2 / nu) ** (-(nu + 1) / 2) / x,
        lambda x: student_cdf(t(x), nu),
        lambda x: student_cdf(-t(x), nu),
        None,
        0,
    )


def double_lomax(m, a, s):
    t = lambda x: (1 + abs(x - m) / s) ** -a / 2
    return (
        lambda x: a / (2 * s) * (1 + abs(x - m) / s) ** (-a - 1),
        lambda x: 1 - t(x) if x > m else t(x),
        lambda x: t(x) if x > m else 1 - t(x),
        None,
        0,
    )


def inverse_gaussian_mixture(m, a, b):
    """Over the gamma prior of the shape of an inverse Gaussian, by quadrature: the definition, no closed form."""

    def density(x):
        d = (x - m) ** 2 / (2 * m * m * x)
        f = lambda l: sqrt(l / (2 * pi * x**3)) * exp(-l * (d + b)) * b**a / gamma(a) * l ** (a - 1)
        top = (a + mpf(1) / 2) / (d + b)
        return quad(f, [0, top / 100, top / 4, top, 4 * top, 20 * top, inf])

    return density, None, None, None, 0


def show(x):
    """All the digits that a double has, 17 where it needs them."""
    return repr(float(x))


CASES = [
    ("EXPONENTIAL", exponential, [("0.3", [0, "0.1", 1, 5, 200]), ("250", ["1e-9", "0.004", "0.5"])]),
    ("RAYLEIGH", rayleigh, [("1.5", ["1e-8", "0.3", "1.5", 6, 30]), ("0.02", ["0.01", "0.05"])]),
    ("PARETO", pareto, [("2 1.5", [2, "2.0000001", "2.5", 10, "1e9"]), ("0.1 30", ["0.11", "0.3"])]),
    ("WEIBULL", weibull, [("1.5 2", ["1e-7", "0.3", 2, 9, 40]), ("0.6 0.5", ["1e-4", "0.5", 20])]),
    ("GAMMA", gamma_family, [("2.5 3", ["1e-6", "0.2", "0.7", 3, 30]), ("0.3 0.5", ["1e-9", "0.5", 12])]),
    (
        "INVERSE_GAMMA",
        inverse_gamma,
        [("2.5 3", ["0.05", "0.7", 1, 12, "1e5"]), ("0.3 0.5", ["0.01", 1, "1e9"])],
    ),
    ("CHI_SQUARED", chi_squared, [("3.7", ["1e-6", "0.4", 3, 15, 90]), ("0.5", ["1e-8", "0.5", 9])]),
    ("HALF_NORMAL", half_normal, [("1.5", [0, "1e-8", "0.3", 4, 30]), ("0.02", ["0.01", "0.05"])]),
    ("LOG_NORMAL", log_normal, [("0.5 1.2", ["1e-6", "0.3", 2, 30, "1e5"]), ("-3 0.1", ["0.03", "0.07"])]),
    (
        "INVERSE_GAUSSIAN",
        inverse_gaussian,
        [
            ("1.5 0.8", ["0.01", "0.2", 1, "1.5", 4, 60]),
            ("2 400", ["1.5", 2, "2.6"]),
            ("3 0.01", ["1e-4", "0.5", 3, 400, 20000]),
            ("3 1e-8", ["1e-9", "0.5", 300, "1e8"]),
        ],
    ),
]

PREDICTIVE = [
    ("HALF_STUDENT_T", half_student_t, [("3 1.5", [0, "1e-7", "0.5", 4, "1e6"]), ("0.8 0.1", ["0.1", 30])]),
    ("LOMAX", lomax, [("2.5 3", [0, "1e-8", "0.5", 4, "1e6"]), ("0.3 0.1", ["0.1", 30])]),
    (
        "COMPOUND_GAMMA",
        compound_gamma,
        [("2.5 3.5 2", ["1e-8", "0.5", 2, 40, "1e6"]), ("0.3 0.8 5", ["1e-6", "0.1", 30])],
    ),
    ("LOG_LOMAX", log_lomax, [("2 3 0.5", [2, "2.000001", 3, 40, "1e9"]), ("0.1 1.5 2", ["0.2", 3])]),
    ("BURR", burr, [("1.5 2.5 3", ["1e-8", "0.5", 3, 40, "1e6"]), ("0.6 4 0.1", ["0.001", "0.1", 30])]),
    (
        "LOG_STUDENT_T",
        log_student_t,
        [("3 0.5 1.5", ["1e-9", "0.1", 1, "1.7", 40, "1e8"]), ("0.8 -2 0.1", ["0.1", 30])],
    ),
    ("DOUBLE_LOMAX", double_lomax, [("-1 2.5 3", ["-1e5", -4, -1, 0, 50]), ("2 0.4 0.1", ["1.9", "1e4"])]),
    (
        "INVERSE_GAUSSIAN_MIXTURE",
        inverse_gaussian_mixture,
        [("1.5 2.5 3", ["0.01", "0.3", "1.5", 7, 900]), ("0.2 0.6 0.1", ["0.05", "0.2", 3])],
    ),
]

if sys.argv[1:] == ["predictive"]:
    CASES = PREDICTIVE
    print("//! Values of predictive distributions by mpmath; written by `reference.py predictive`.\n")
else:
    print("//! Values by mpmath; written by `reference.py`.\n")
print("use super::Case;\n")
for name, family, members in CASES:
    print(f"pub(crate) const {name}: &[Case] = &[")
    for parameters, points in members:
        theta = [mpf(float(p)) for p in parameters.split()]
        density, cdf, survival, pieces, lower = family(*theta)
        entropy = mpf("nan")
        if pieces:
            # In log x, where all integrands are smooth, and negligible beyond e^±400.
            nodes = [-400, -100, -50, *linspace(-25, 25, 51), 50, 100, 400]
            mass = quad(lambda u: density(lower + exp(u)) * exp(u), nodes)
            assert abs(mass - 1) < mpf(10) ** -15, (name, parameters, mass)
            f = lambda u: (lambda p: -p * log(p) * exp(u) if p > 0 else mpf(0))(density(lower + exp(u)))
            entropy = quad(f, nodes)
        rust = [f"{float(t)!r}" for t in theta]
        shown = show(entropy) if entropy == entropy else "f64::NAN"
        print(f"    Case {{ parameters: &[{', '.join(rust)}], entropy: {shown}, points: &[")
        for point in points:
            x = mpf(float(str(point)))
            # At the double, not at the decimal number: the steepest functions tell them apart.
            p = density(x)
            lp = show(log(p)) if p > 0 else "f64::NEG_INFINITY"
            c = show(cdf(x)) if cdf else "f64::NAN"
            s = show(survival(x)) if survival else "f64::NAN"
            print(f"        ({float(x)!r}, {lp}, {c}, {s}),")
        print("    ] },")
    print("];\n")
