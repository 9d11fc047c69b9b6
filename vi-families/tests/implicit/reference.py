"""Derivatives of quantiles at fixed probability with mpmath, as typed into table.rs: python reference.py > table.rs."""

from mpmath import mp, mpf, gammainc, betainc, beta, gamma, exp, log, diff, quad, cos, pi, besseli, erfc, sqrt, linspace

mp.dps = 40


def printed(x):
    return mp.nstr(x, 25, min_fixed=-4, max_fixed=12)


def table(name, doc, width, rows):
    print(f"/// {doc}\n#[rustfmt::skip]\npub(crate) const {name}: [[f64; {width}]; {len(rows)}] = [")
    for row in rows:
        inputs, values = row
        print("    [" + ", ".join([repr(float(v)) for v in inputs] + [printed(v) for v in values]) + "],")
    print("];\n")


def gamma_row(a, x):
    a, x = mpf(a), mpf(x)
    slope = diff(lambda t: gammainc(t, 0, x, regularized=True) if x < a else -gammainc(t, x, mp.inf, regularized=True), a)
    return (a, x), [-slope / (x ** (a - 1) * exp(-x) / gamma(a))]


def beta_row(a, b, x):
    a, b, x = mpf(a), mpf(b), mpf(x)
    density = x ** (a - 1) * (1 - x) ** (b - 1) / beta(a, b)
    # The nearer tail, so that differences keep their digits.
    if x < a / (a + b):
        tail = lambda s, t: betainc(s, t, 0, x, regularized=True)
    else:
        tail = lambda s, t: -betainc(t, s, 0, 1 - x, regularized=True)
    da = diff(lambda s: tail(s, b), a)
    db = diff(lambda t: tail(a, t), b)
    return (a, b, x), [-da / density, -db / density]


def von_mises_row(kappa, theta):
    kappa, theta = mpf(kappa), mpf(theta)
    points = linspace(0, theta, 9)

    def mass(k):
        return quad(lambda s: exp(k * (cos(s) - 1)), points) / (2 * pi * besseli(0, k) * exp(-k))

    return (kappa, theta), [-diff(mass, kappa) / (exp(kappa * (cos(theta) - 1)) / (2 * pi * besseli(0, kappa) * exp(-kappa)))]


def truncated_row(location, variance, lower, upper, z):
    location, variance, lower, upper, z = map(mpf, (location, variance, lower, upper, z))

    def cdf(m, v):
        phi = lambda s: erfc((m - s) / sqrt(2 * v))
        return (phi(z) - phi(lower)) / (phi(upper) - phi(lower))

    total = erfc((location - upper) / sqrt(2 * variance)) - erfc((location - lower) / sqrt(2 * variance))
    density = exp(-(z - location) ** 2 / (2 * variance)) / sqrt(2 * pi * variance) / (total / 2)
    by_location = diff(lambda m: cdf(m, variance), location)
    by_variance = diff(lambda v: cdf(location, v), variance)
    return (location, variance, lower, upper, z), [-by_location / density, -by_variance / density]


print("//! Values of mpmath 1.3 at 40 digits, printed by `reference.py`.\n")
table("GAMMA", "shape a, x, ∂x/∂a at rate 1.", 3, [gamma_row(*r) for r in [
    (0.01, 1e-40), (0.01, 0.5), (0.01, 3.0), (0.5, 1e-10), (0.5, 0.3), (0.5, 4.0), (1.0, 0.7), (1.0, 30.0), (2.0, 1e-5), (2.0, 2.5),
    (2.0, 12.0), (7.5, 6.0), (7.5, 20.0), (19.5, 10.0), (19.5, 20.25), (19.5, 60.0), (20.5, 3.0), (20.5, 20.0), (20.5, 45.0), (100.0, 80.0),
    (100.0, 99.75), (100.0, 150.0), (1000.0, 900.0), (1000.0, 1000.0), (1000.0, 1200.0)]])
table("BETA", "a, b, x, ∂x/∂a, ∂x/∂b.", 5, [beta_row(*r) for r in [
    (0.05, 0.05, 1e-9), (0.05, 0.05, 0.4), (0.05, 0.05, 0.9), (0.5, 0.5, 0.3), (0.5, 3.0, 0.6), (1.0, 1.0, 0.25), (2.0, 0.3, 0.7), (2.0, 0.3, 0.99), (2.0, 5.0, 0.1), (2.0, 5.0, 0.7),
    (5.0, 2.0, 0.6), (15.0, 3.0, 0.7), (15.0, 3.0, 0.97), (30.0, 1.5, 0.9), (30.0, 25.0, 0.5), (30.0, 25.0, 0.75), (0.2, 60.0, 0.001), (0.2, 60.0, 0.05), (0.2, 60.0, 0.3), (0.25, 150.0, 0.5), (195.0, 99.0, 0.9375), (200.0, 300.0, 0.35), (200.0, 300.0, 0.45)]])
table("VON_MISES", "κ, θ, ∂θ/∂κ.", 3, [von_mises_row(*r) for r in [
    (0.01, 0.5), (0.01, 2.5), (1.0, 0.3), (1.0, 1.5), (1.0, 3.0), (5.0, 0.2), (5.0, 1.0), (5.0, 2.75), (100.0, 0.05), (100.0, 0.4), (1000.0, 0.02), (1000.0, 0.1)]])
table("TRUNCATED_GAUSSIAN", "location, variance, lower, upper, z, ∂z/∂location, ∂z/∂variance.", 7, [truncated_row(*r) for r in [
    (0.0, 1.0, -1.0, 2.0, -0.75), (0.0, 1.0, -1.0, 2.0, 0.5), (0.0, 1.0, -1.0, 2.0, 1.75), (1.5, 0.25, 0.0, 1.0, 0.25), (1.5, 0.25, 0.0, 1.0, 0.9375), (-6.0, 1.0, 0.0, 3.0, 0.0625),
    (-6.0, 1.0, 0.0, 3.0, 1.5), (0.0, 4.0, -20.0, 20.0, 3.0), (0.0, 4.0, -20.0, 20.0, -0.125)]])
