"""Special functions with mpmath at 50 digits.

python reference.py table > table.rs       the rows kept in the tests
python reference.py sweep [factor]         worst errors over random points, as in special-functions.md;
                                           evaluates through `cargo test --test special -- --ignored`
"""

import random
import subprocess
import sys
from mpmath import mp, mpf, inf
import mpmath as m

mp.dps = 50
rnd = random.Random(7)


def log_uniform(low, high):
    return 10 ** rnd.uniform(low, high)


def tail(slope, scale, log_weight):
    """∫₀^∞ exp(log_weight(s)) ds for a decreasing weight."""
    points = [0] + [scale * 2**k for k in range(-2, 9)]
    return m.quad(lambda s: m.exp(log_weight(s)), points)


def gamma_tail(a, x, sign):
    """P (sign = −1) or Q (sign = 1), for large a through the tail in log x."""
    if a < 2000:
        return m.gammainc(a, 0, x, regularized=True) if sign < 0 else m.gammainc(a, x, inf, regularized=True)
    slope = sign * (x - a)
    if slope < -10 * m.sqrt(a):
        return 1 - gamma_tail(a, x, -sign)
    scale = min(4 / m.sqrt(a), 20 / abs(slope)) if slope else 4 / m.sqrt(a)
    density = m.exp(a * m.log(x) - x - m.loggamma(a))
    return density * tail(slope, scale, lambda s: a * sign * s - x * m.expm1(sign * s))


def beta_tail(a, b, x):
    """I_x(a, b), for large a and b through the tail in logit x."""
    if a + b < 2000:
        return m.betainc(a, b, 0, x, regularized=True)
    if min(a, b) < 1 or a < b * x / (1 - x):
        return 1 - m.betainc(b, a, 0, 1 - x, regularized=True) if min(a, b) < 1 else 1 - beta_tail(b, a, 1 - x)
    slope = a * (1 - x) - b * x
    scale = min(4 / m.sqrt((a + b) * x * (1 - x)), 20 / slope) if slope > 0 else 4 / m.sqrt((a + b) * x * (1 - x))
    density = m.exp(a * m.log(x) + b * m.log1p(-x) - m.loggamma(a) - m.loggamma(b) + m.loggamma(a + b))
    return density * tail(slope, scale, lambda s: -a * s - (a + b) * m.log1p(x * m.expm1(-s)))


def gamma_point():
    a = log_uniform(-6, 4) if rnd.random() < 0.8 else log_uniform(4, 9)
    x = log_uniform(-6, 3) if rnd.random() < 0.3 and a < 1e4 else max(a + rnd.uniform(-12, 12) * a**0.5, log_uniform(-8, 1))
    return a, x


def beta_point():
    top = 3 if rnd.random() < 0.8 else 7
    a, b = log_uniform(-4 if top == 3 else 1, top), log_uniform(-4 if top == 3 else 1, top)
    if top == 3 and rnd.random() < 0.5:
        return a, b, rnd.choice([rnd.random(), log_uniform(-12, 0)])
    mean = a / (a + b)
    x = mean + rnd.uniform(-8, 8) * (mean * (1 - mean) / (a + b + 1)) ** 0.5
    return a, b, min(max(x, 1e-12), 1 - 1e-12)


def bessel_point():
    if rnd.random() < 0.2:
        return rnd.choice([0.0, 0.5, 1.0, 7.25]), log_uniform(4, 300)
    return rnd.choice([0.0, 0.5, 1.0, log_uniform(-3, 5), log_uniform(-1, 2)]), log_uniform(-5, 4)


def probability():
    return rnd.random() if rnd.random() < 0.6 else log_uniform(-200, 0)


def in_probability(tail_of, density_of):
    """The relative error of a quantile from that of its probability."""

    def error(args, got):
        if got < mpf(10) ** -300 or got == 1:
            return None
        *shapes, p = map(mpf, args)
        return abs(tail_of(*shapes, got) - p) / (density_of(*shapes, got) * got)

    return error


def gamma_density(a, x):
    return m.exp((a - 1) * m.log(x) - x - m.loggamma(a))


def beta_density(a, b, x):
    return m.exp((a - 1) * m.log(x) + (b - 1) * m.log1p(-x) - m.log(m.beta(a, b)))


def normal_cdf(x):
    return m.erfc(-x / m.sqrt(mpf(2))) / 2


def relative(got, expected):
    return abs(got - expected) / abs(expected)


def relative_from_one(got, expected):
    return abs(got - expected) / max(abs(expected), 1)


def log_minus_digamma(x):
    with m.workdps(50 + max(0, int(m.log10(x)))):
        return m.log(x) - m.psi(0, x)


def digamma_difference(x, d):
    with m.workdps(90):
        return m.psi(0, x + d) - m.psi(0, x)


def log_beta(a, b):
    with m.workdps(80):
        return m.loggamma(a) + m.loggamma(b) - m.loggamma(a + b)


def multivariate_point():
    p = rnd.randint(1, 20)
    return p, (p - 1) / 2 + rnd.choice([log_uniform(-6, 8), log_uniform(-2, 2)])


def multivariate_log_gamma(p, a):
    return p * (p - 1) / 4 * m.log(m.pi) + sum(m.loggamma(a - mpf(i) / 2) for i in range(int(p)))


def multivariate_polygamma(order):
    return lambda p, a: sum(m.psi(order, a - mpf(i) / 2) for i in range(int(p)))


def softplus(x):
    return m.log1p(m.exp(x)) if x < 0 else x + m.log1p(m.exp(-x))


# name: (points, one random point, its value, error measure), or an error function of arguments and result.
FUNCTIONS = {
    "log_gamma": (2000, lambda: (rnd.choice([log_uniform(-300, 300), log_uniform(-2, 2), rnd.uniform(0.5, 3)]),), m.loggamma, relative),
    "digamma": (2000, lambda: (rnd.choice([log_uniform(-300, 300), log_uniform(-2, 2), rnd.uniform(0.5, 12)]),), lambda x: m.psi(0, x), relative),
    "trigamma": (2000, lambda: (rnd.choice([log_uniform(-150, 300), log_uniform(-2, 2)]),), lambda x: m.psi(1, x), relative),
    "tetragamma": (2000, lambda: (rnd.choice([log_uniform(-100, 150), log_uniform(-2, 2)]),), lambda x: m.psi(2, x), relative),
    "digamma_difference": (2000, lambda: (rnd.choice([log_uniform(-10, 8), log_uniform(-2, 2)]), log_uniform(-12, 8)), digamma_difference, relative),
    "log_minus_digamma": (2000, lambda: (rnd.choice([log_uniform(-100, 30), log_uniform(-2, 2)]),), log_minus_digamma, relative),
    "inverse_digamma": (1000, lambda: (rnd.choice([rnd.uniform(-20, 20), -log_uniform(0, 100), rnd.uniform(0, 700)]),), None, lambda args, got: abs(m.psi(0, got) - mpf(args[0])) / m.psi(1, got) / got),
    "log_beta": (2000, lambda: (log_uniform(-20, 9), log_uniform(-20, 9)), log_beta, relative_from_one),
    "log_factorial": (500, lambda: (int(log_uniform(0, 15)) + 1,), lambda n: m.loggamma(n + 1), relative_from_one),
    "log_binomial": (1000, lambda: (lambda n: (n, rnd.randint(0, n) if rnd.random() < 0.7 else min(n, int(log_uniform(0, 4)))))(int(log_uniform(0, 12))), lambda n, k: m.loggamma(n + 1) - m.loggamma(k + 1) - m.loggamma(n - k + 1), relative_from_one),
    "log_bessel_i": (1000, bessel_point, lambda nu, x: m.log(m.besseli(nu, x, maxterms=10**6)), relative_from_one),
    "log_scaled_bessel_i": (500, bessel_point, lambda nu, x: m.log(m.besseli(nu, x, maxterms=10**6)) - x if x < 1e5 else m.log(m.besseli(nu, x) * m.exp(-x)), relative_from_one),
    "bessel_i_ratio": (1000, bessel_point, lambda nu, x: m.besseli(nu + 1, x, maxterms=10**6) / m.besseli(nu, x, maxterms=10**6), relative),
    "scaled_exponential_integral": (2000, lambda: (rnd.choice([log_uniform(-100, 3), log_uniform(-2, 2)]),), lambda x: m.exp(x) * m.e1(x), relative),
    "erfcx": (2000, lambda: (rnd.choice([rnd.uniform(-26, 30), log_uniform(0, 10)]),), lambda x: m.exp(x * x) * m.erfc(x), relative),
    "normal_cdf": (2000, lambda: (rnd.uniform(-37, 8),), normal_cdf, relative),
    "normal_log_cdf": (2000, lambda: (rnd.choice([rnd.uniform(-40, 30), -log_uniform(0, 6)]),), lambda x: m.log1p(-normal_cdf(-x)) if x > 0 else m.log(normal_cdf(x)), relative),
    "normal_quantile": (2000, lambda: (rnd.choice([rnd.random(), log_uniform(-300, 0), 0.5 + log_uniform(-16, -2)]),), None, lambda args, got: abs((normal_cdf(got) - mpf(args[0])) / m.npdf(got) / got) if got else mpf(0)),
    "regularized_gamma_lower": (1500, gamma_point, lambda a, x: gamma_tail(a, x, -1), relative),
    "regularized_gamma_upper": (1500, gamma_point, lambda a, x: gamma_tail(a, x, 1), relative),
    "inverse_regularized_gamma_lower": (600, lambda: (log_uniform(-3, 3), probability()), None, in_probability(lambda a, x: gamma_tail(a, x, -1), gamma_density)),
    "inverse_regularized_gamma_upper": (600, lambda: (log_uniform(-3, 3), probability()), None, in_probability(lambda a, x: gamma_tail(a, x, 1), gamma_density)),
    "regularized_beta": (1500, beta_point, beta_tail, relative),
    "regularized_beta_upper": (1500, beta_point, lambda a, b, x: beta_tail(b, a, 1 - x), relative),
    "multivariate_log_gamma": (1000, multivariate_point, multivariate_log_gamma, relative_from_one),
    "multivariate_digamma": (1000, multivariate_point, multivariate_polygamma(0), relative_from_one),
    "multivariate_trigamma": (1000, multivariate_point, multivariate_polygamma(1), relative),
    "numerics::exp": (2000, lambda: (rnd.uniform(-690, 700),), m.exp, relative),
    "numerics::log": (2000, lambda: (rnd.choice([log_uniform(-300, 300), rnd.uniform(0.5, 2)]),), m.log, relative),
    "numerics::log1p": (2000, lambda: (rnd.choice([log_uniform(-300, 300), -log_uniform(-15, -0.001), rnd.uniform(-0.9, 1)]),), m.log1p, relative),
    "numerics::softplus": (2000, lambda: (rnd.choice([rnd.uniform(-690, 700), rnd.uniform(-5, 5)]),), softplus, relative),
    "numerics::sigmoid": (2000, lambda: (rnd.choice([rnd.uniform(-690, 700), rnd.uniform(-5, 5)]),), lambda x: 1 / (1 + m.exp(-x)), relative),
    "numerics::log_gamma": (2000, lambda: (rnd.choice([log_uniform(-300, 300), log_uniform(-2, 2), rnd.uniform(0.5, 3)]),), m.loggamma, relative),
    "numerics::digamma": (2000, lambda: (rnd.choice([log_uniform(-300, 300), log_uniform(-2, 2), rnd.uniform(0.5, 12)]),), lambda x: m.psi(0, x), relative),
    "numerics::trigamma": (2000, lambda: (rnd.choice([log_uniform(-150, 300), log_uniform(-2, 2)]),), lambda x: m.psi(1, x), relative),
    "inverse_regularized_beta": (600, lambda: (log_uniform(-2, 3), log_uniform(-2, 3), probability()), None, in_probability(beta_tail, beta_density)),
}

# Rows of the table: edges and the borders between methods.
EDGES = {
    "log_gamma": [(1e-300,), (1e300,), (0.5,), (1e8,)],
    "digamma": [(1e-300,), (1e300,), (0.5,), (9.75,), (10.25,)],
    "trigamma": [(1e-150,), (0.3,), (9.75,), (10.25,), (1e300,)],
    "tetragamma": [(1e-100,), (0.3,), (2.5,), (9.75,), (10.25,), (1e100,)],
    "digamma_difference": [(0.01, 1e-9), (5.0, 1e-10), (12.0, 1e-12), (3.0, 1e5), (1e8, 2.0), (1e-10, 5.0)],
    "log_minus_digamma": [(1e-30,), (0.3,), (2.5,), (9.9,), (100.0,), (1e20,)],
    "log_beta": [(1e8, 1e8), (1e-300, 1e-300), (1e-300, 5.0), (1e8, 1e-8), (3.0, 1e-9)],
    "log_factorial": [(0,), (1,), (3,), (20,), (21,), (170,), (1000000,)],
    "log_binomial": [(6, 2), (100, 50), (1000000, 3), (1000000, 500), (61, 9), (7, 7)],
    "log_bessel_i": [(0.0, 1e-5), (0.0, 3.0), (0.0, 6.5), (0.0, 1e300), (1.5, 50.0), (0.5, 2000.0), (24.5, 20.0), (30.0, 30.0), (1000.0, 20.0), (100000.0, 5000.0), (3.0, 1e-300)],
    "bessel_i_ratio": [(0.0, 1e-5), (0.0, 3.0), (0.0, 29.5), (0.0, 30.5), (0.5, 2000.0), (24.5, 20.0), (30.0, 75.0), (1000.0, 20.0), (0.0, 1e300)],
    "scaled_exponential_integral": [(1e-300,), (0.3,), (0.99,), (1.0,), (2.5,), (100.0,), (1e8,)],
    "erfcx": [(-5.0,), (0.0,), (0.5,), (9.99,), (10.0,), (1e10,)],
    "normal_cdf": [(-37.0,), (-10.0,), (-1.5,), (0.0,), (5.0,)],
    "normal_log_cdf": [(-1e6,), (-10.0,), (-0.5,), (0.5,), (20.0,)],
    "regularized_gamma_lower": [(0.5, 0.3), (2.0, 5.0), (1e-5, 0.3), (20.0, 18.0), (30.0, 4.0), (30.0, 20.0), (30.0, 35.0), (1000.0, 500.0), (1e6, 999000.0), (0.1, 1e-200)],
    "regularized_gamma_upper": [(0.5, 0.3), (2.0, 600.0), (1e-5, 0.3), (1e-6, 1e-8), (1e-5, 1.1), (20.0, 22.0), (30.0, 60.0), (1000.0, 1800.0), (1e6, 1001000.0)],
    "regularized_beta": [(0.5, 0.5, 0.3), (2.0, 3.0, 0.9), (0.001, 0.3, 0.2), (50.0, 60.0, 0.3), (3.0, 1000.0, 0.001), (1000.0, 3.0, 0.99), (200.0, 30.0, 0.8), (1e6, 2e6, 0.332)],
    "multivariate_log_gamma": [(1, 0.3), (2, 0.50001), (5, 2.25), (10, 47.125), (20, 1e6), (3, 1e8)],
    "multivariate_digamma": [(1, 0.3), (2, 0.50001), (5, 2.25), (10, 47.125), (20, 1e6), (3, 1e8)],
    "multivariate_trigamma": [(1, 0.3), (2, 0.50001), (5, 2.25), (10, 47.125), (20, 1e6), (3, 1e8)],
    "numerics::exp": [(-700.5,), (-1e-9,), (0.3,), (709.5,)],
    "numerics::log": [(1e-300,), (0.999,), (1.0001,), (1e300,)],
    "numerics::log1p": [(-0.9999,), (-1e-12,), (1e-300,), (0.7,), (1e300,)],
    "numerics::softplus": [(-600.0,), (-1.5,), (0.3,), (40.0,), (800.0,)],
    "numerics::sigmoid": [(-600.0,), (-1.5,), (0.3,), (40.0,)],
    "numerics::log_gamma": [(1e-300,), (0.3,), (0.9999,), (2.0001,), (7.5,), (1e8,), (1e300,)],
    "numerics::digamma": [(1e-300,), (0.3,), (1.4616,), (9.75,), (10.25,), (1e300,)],
    "numerics::trigamma": [(1e-150,), (0.3,), (9.75,), (10.25,), (1e300,)],
    "regularized_beta_upper": [(0.5, 0.5, 0.3), (2.0, 3.0, 0.9), (1e-8, 3.0, 0.1), (1e-4, 2.0, 1e-12), (50.0, 60.0, 0.6), (3.0, 1000.0, 0.01), (600.0, 0.04, 0.998)],
}


def print_table():
    print("//! Name, arguments (the missing ones zero) and value: mpmath 1.3 at 50 digits, printed by `reference.py table`.\n")
    rows = [(name, p, FUNCTIONS[name][2](*map(mpf, p))) for name, points in EDGES.items() for p in points]
    print(f"#[rustfmt::skip]\npub(crate) const ROWS: [(&str, [f64; 3], f64); {len(rows)}] = [")
    for name, p, value in rows:
        args = ", ".join(repr(float(v)) for v in list(p) + [0] * (3 - len(p)))
        print(f'    ("{name}", [{args}], {m.nstr(value, 25, min_fixed=-4, max_fixed=12)}),')
    print("];")


def evaluate(lines):
    command = ["cargo", "test", "-q", "-p", "vi-families", "--test", "special", "--", "--ignored", "--nocapture", "evaluate"]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return [mpf(line[2:].lower()) for line in done.stdout.splitlines() if line.startswith("= ")]


def sweep(factor, only):
    for name, (n, point, value, error) in FUNCTIONS.items():
        if only and name not in only:
            continue
        points = [point() for _ in range(int(n * factor))]
        results = evaluate([name + " " + " ".join(repr(float(v)) for v in p) for p in points])
        errors = []
        for p, got in zip(points, results, strict=True):
            if value is None:
                e = error(p, got)
            else:
                expected = value(*map(mpf, p))
                if expected != 0 and not mpf(10) ** -300 < abs(expected) < mpf(10) ** 307:
                    continue
                e = error(got, expected) if expected else abs(got)
            if e is not None:
                errors.append((e if e == e else inf, p))
        worst, where = max(errors)
        median = sorted(errors)[len(errors) // 2][0]
        print(f"| {name} | {len(errors)} | {m.nstr(worst, 2)} | {m.nstr(median, 2)} | {', '.join(f'{float(v):.4g}' for v in where)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "table":
        print_table()
    else:
        sweep(float(sys.argv[2]) if len(sys.argv) > 2 else 1.0, sys.argv[3:])
