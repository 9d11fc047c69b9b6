"""Writes `values.rs`: log probabilities, entropies, CDFs and survival functions of the distributions of counts, by
mpmath at 50 digits. All are sums of the probabilities typed in here.

    python reference.py > values.rs && rustfmt values.rs
"""

import sys

from mpmath import mp, mpf, log, exp, loggamma, inf

mp.dps = 50

TINY = mpf(10) ** -30


def log_binomial(n, k):
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def probability(name, p):
    """log p(k) and the largest count."""
    if name == "GEOMETRIC":
        (s,) = p
        return lambda k: log(s) + k * log(1 - s), inf
    if name == "POISSON":
        (r,) = p
        return lambda k: k * log(r) - r - loggamma(k + 1), inf
    if name == "BINOMIAL":
        n, s = p
        return lambda k: log_binomial(n, k) + k * log(s) + (n - k) * log(1 - s), n
    if name == "NEGATIVE_BINOMIAL":
        r, s = p
        return lambda k: loggamma(k + r) - loggamma(k + 1) - loggamma(r) + r * log(s) + k * log(1 - s), inf
    if name == "BETA_BINOMIAL":
        n, a, b = p
        return lambda k: log_binomial(n, k) + log_beta(k + a, n - k + b) - log_beta(a, b), n
    if name == "BETA_NEGATIVE_BINOMIAL":
        r, a, b = p
        return (
            lambda k: loggamma(k + r) - loggamma(k + 1) - loggamma(r) + log_beta(r + a, k + b) - log_beta(a, b),
            inf,
        )


def ratio(name, p):
    """p(k + 1) / p(k)."""
    if name == "POISSON":
        return lambda k: p[0] / (k + 1)
    if name == "BINOMIAL":
        return lambda k: (p[0] - k) * p[1] / ((k + 1) * (1 - p[1]))
    return lambda k: (k + p[0]) * (1 - p[1]) / (k + 1)


def cdf(name, p, k):
    """The shorter tail as a sum, the other as the rest."""
    if name == "GEOMETRIC":
        return 1 - (1 - p[0]) ** (k + 1), (1 - p[0]) ** (k + 1)
    if name.startswith("BETA"):
        return mpf("nan"), mpf("nan")
    log_p, last = probability(name, p)
    if k >= last:
        return mpf(1), mpf(0)
    r = ratio(name, p)
    mean = {"POISSON": p[0], "BINOMIAL": p[0] * p[-1], "NEGATIVE_BINOMIAL": p[0] * (1 - p[-1]) / p[-1]}[name]
    total = mpf(0)
    if k < mean:
        term = exp(log_p(k))
        while k >= 0 and term > TINY * total:
            total += term
            k -= 1
            if k >= 0:
                term /= r(k)
        return total, 1 - total
    k += 1
    term = exp(log_p(k))
    while k <= last and term > TINY * total:
        total += term
        term *= r(k)
        k += 1
    return 1 - total, total


def entropy(name, p, log_p, last):
    """Direct sum outward from zero; for large Poisson rates the series in 1/rate."""
    if name == "POISSON" and p[0] > 10**4:
        r = p[0]
        return log(2 * mp.pi * mp.e * r) / 2 - 1 / (12 * r) - 1 / (24 * r**2) - 19 / (360 * r**3) - 9 / (80 * r**4)
    if name == "GEOMETRIC":
        s = p[0]
        return -log(s) - (1 - s) / s * log(1 - s)
    if name.startswith("BETA"):
        return mpf("nan")
    total, k, previous = mpf(0), 0, mpf(-1)
    mass = mpf(0)
    while k <= last:
        l = log_p(mpf(k))
        term = -l * exp(l)
        total += term
        mass += exp(l)
        if 1 - mass < TINY and abs(term) < TINY * abs(total):
            break
        k += 1
    return total


CASES = {
    "GEOMETRIC": [
        (["0.3"], [0, 1, 5, 40, 1000]),
        (["0.999999999"], [0, 1, 2, 3, 10]),
        (["1e-12"], [0, 1, 10**6, 10**12, 10**14]),
    ],
    "POISSON": [
        (["3.5"], [0, 1, 3, 10, 60]),
        (["1e-9"], [0, 1, 2, 5, 30]),
        (["250.75"], [0, 200, 250, 260, 500]),
        (["1e9"], [10**9 - 10**5, 10**9, 10**9 + 1, 10**9 + 2 * 10**5, 2 * 10**9]),
    ],
    "BINOMIAL": [
        (["10", "0.3"], [0, 1, 3, 9, 10]),
        (["1", "1e-10"], [0, 1]),
        (["500", "0.015625"], [0, 1, 8, 100, 500]),
        (["3000", "0.75"], [0, 2000, 2250, 2400, 3000]),
        (["1000000000000", "1e-11"], [0, 3, 10, 40, 200]),
    ],
    "NEGATIVE_BINOMIAL": [
        (["2.5", "0.3"], [0, 1, 5, 30, 200]),
        (["0.001", "0.0625"], [0, 1, 5, 30, 200]),
        (["40", "0.125"], [0, 100, 280, 500, 1000]),
        (["1000", "0.75"], [0, 250, 333, 400, 600]),
        (["150", "0.0625"], [1000, 2000, 2250, 2500, 4000]),
        (["10000000000", "0.999999999"], [0, 1, 10, 20, 60]),
    ],
    "BETA_BINOMIAL": [
        (["10", "2", "0.5"], [0, 1, 5, 9, 10]),
        (["1000000", "1e8", "3e8"], [0, 200000, 250000, 260000, 1000000]),
        (["50", "0.001", "1000"], [0, 1, 2, 20, 50]),
    ],
    "BETA_NEGATIVE_BINOMIAL": [
        (["1", "2", "0.5"], [0, 1, 5, 100, 10**6]),
        (["2.5", "1e7", "4e6"], [0, 1, 2, 10, 50]),
        (["300", "0.75", "20"], [0, 100, 8000, 10**6, 10**12]),
    ],
}

# n, probabilities or concentrations, counts.
VECTORS = {
    "MULTINOMIAL": [
        ("12", ["0.25", "0.625", "0.125"], [[3, 8, 1], [12, 0, 0], [0, 0, 12], [4, 4, 4], [0, 10, 2]]),
        ("1000000", ["0.25", "0.5", "0.25"], [[250000, 500000, 250000], [251000, 499500, 249500]]),
    ],
    "DIRICHLET_MULTINOMIAL": [
        ("12", ["0.5", "2", "4"], [[3, 8, 1], [12, 0, 0], [0, 0, 12], [4, 4, 4]]),
        ("1000000", ["1e8", "2e8", "1e8"], [[250000, 500000, 250000], [251000, 499500, 249500]]),
    ],
}


def log_vector(name, n, p, z):
    total = loggamma(n + 1) - sum(loggamma(k + 1) for k in z)
    if name == "MULTINOMIAL":
        return total + sum(k * log(q) for k, q in zip(z, p))
    a = sum(p)
    return total + loggamma(a) - loggamma(n + a) + sum(loggamma(k + q) - loggamma(q) for k, q in zip(z, p))


def multinomial_entropy(n, p):
    """Over all counts of small n, NaN above."""
    if n > 100:
        return mpf("nan")
    logs = [log_vector("MULTINOMIAL", n, p, (mpf(i), mpf(j), n - i - j)) for i in range(int(n) + 1)
            for j in range(int(n) + 1 - i)]
    return -sum(l * exp(l) for l in logs)


def number(x):
    if mp.isnan(x):
        return "f64::NAN"
    f = float(x)
    if f == float("inf"):
        return "f64::INFINITY"
    if f == float("-inf"):
        return "f64::NEG_INFINITY"
    return repr(f)


def main():
    print("//! Written by `reference.py`.\n")
    print("use super::{Case, VectorCase};")
    for name, cases in CASES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        print(f"\npub(crate) const {name}: &[Case] = &[")
        for parameters, points in cases:
            # The doubles nearest to the decimal fractions, exactly.
            p = [mpf(float(s)) for s in parameters]
            log_p, last = probability(name, p)
            print("    Case {")
            print(f"        parameters: &[{', '.join(repr(float(s)) for s in parameters)}],")
            print(f"        entropy: {number(entropy(name, p, log_p, last))},")
            print("        points: &[")
            for k in points:
                c, s = cdf(name, p, mpf(k))
                row = ", ".join([repr(float(k)), number(log_p(mpf(k))), number(c), number(s)])
                print(f"            ({row}),")
            print("        ],\n    },")
            print(f"{name} {parameters}", file=sys.stderr)
        print("];")
    for name, cases in VECTORS.items():
        print(f"\npub(crate) const {name}: &[VectorCase] = &[")
        for n, parameters, points in cases:
            p = [mpf(float(s)) for s in parameters]
            print(f"    VectorCase {{ n: {n}, parameters: &[{', '.join(repr(float(s)) for s in parameters)}],")
            entropy_ = multinomial_entropy(mpf(n), p) if name == "MULTINOMIAL" else mpf("nan")
            print(f"        entropy: {number(entropy_)}, points: &[")
            for z in points:
                l = number(log_vector(name, mpf(n), p, [mpf(k) for k in z]))
                print(f"            (&[{', '.join(repr(float(k)) for k in z)}], {l}),")
            print("        ] },")
        print("];")


main()
