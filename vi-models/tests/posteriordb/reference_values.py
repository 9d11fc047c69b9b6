#!/usr/bin/env python3
"""Log joints of the models of posteriordb, density by density, in 40 digits.

Prints what values.rs has typed in. Run: python3 vi-models/tests/posteriordb/reference_values.py
Needs mpmath. The densities are normalised ones (half-priors carry log 2), on the natural scale.
"""

import json
from pathlib import Path

from mpmath import mp, mpf, log, exp, pi, gamma, sqrt, matrix, cholesky, lu_solve

mp.dps = 40
DATA = Path(__file__).resolve().parents[3] / "data"


def read(name):
    return json.loads((DATA / name).read_text())


def normal(x, mean, sd):
    return -((x - mean) / sd) ** 2 / 2 - log(sd) - log(2 * pi) / 2


def student_t(x, dof, location, scale):
    t = (x - location) / scale
    constant = log(gamma((dof + 1) / mpf(2)) / gamma(dof / mpf(2)) / sqrt(dof * pi) / scale)
    return constant - (dof + 1) / mpf(2) * log(1 + t * t / dof)


def half_normal(x, scale):
    return log(mpf(2)) + normal(x, 0, scale)


def half_cauchy(x, scale):
    return log(2 / (pi * scale * (1 + (x / scale) ** 2)))


def gamma_density(x, shape, rate):
    return shape * log(mpf(rate)) - log(gamma(shape)) + (shape - 1) * log(x) - rate * x


def regression(rows, y, beta, sigma):
    total = mpf(0)
    for row, target in zip(rows, y):
        total += normal(mpf(target), sum(mpf(x) * b for x, b in zip(row, beta)), sigma)
    return total


def kidscore(z):
    lines = (DATA / "kidiq.csv").read_text().split("\n")[1:-1]
    cells = [[mpf(c) for c in line.split(",")] for line in lines]
    beta, sigma = z[:3], z[3]
    rows = [[1, c[1], c[2]] for c in cells]
    return regression(rows, [c[0] for c in cells], beta, sigma) + half_cauchy(sigma, mpf("2.5"))


def blr(z):
    d = read("sblrc.json")
    beta, sigma = z[:5], z[5]
    prior = sum(normal(b, 0, 10) for b in beta) + half_normal(sigma, 10)
    return regression(d["X"], d["y"], beta, sigma) + prior


def logearn(z):
    d = read("earnings.json")
    rows = [[1, h, m, h * m] for h, m in zip(d["height"], d["male"])]
    return regression(rows, [log(mpf(e)) for e in d["earn"]], z[:4], z[4])


def kilpisjarvi(z):
    d = read("kilpisjarvi_mod.json")
    rows = [[1, x] for x in d["x"]]
    prior = normal(z[0], mpf(d["pmualpha"]), mpf(d["psalpha"])) + normal(z[1], mpf(d["pmubeta"]), mpf(d["psbeta"]))
    return regression(rows, d["y"], z[:2], z[2]) + prior


def nes(z):
    d = read("nes2000.json")
    rows = []
    for n in range(d["N"]):
        age = d["age_discrete"][n]
        groups = [int(age == 2), int(age == 3), int(age == 4)]
        rows.append([1, d["real_ideo"][n], d["race_adj"][n], *groups, d["educ1"][n], d["gender"][n], d["income"][n]])
    return regression(rows, d["partyid7"], z[:9], z[9])


# Six rows of a made-up design: the published one is too big to stand beside the program.
DIAMONDS_X = [[1, 0.5, 2], [1, 1.5, -1], [1, -0.5, 0.25], [1, 2.5, 1], [1, 0, -2], [1, 1, 0.5]]
DIAMONDS_Y = [8.1, 9.2, 7.4, 10.3, 6.9, 8.8]


def diamonds(z):
    n = len(DIAMONDS_Y)
    means = [sum(mpf(r[j]) for r in DIAMONDS_X) / n for j in (1, 2)]
    rows = [[r[1] - means[0], r[2] - means[1], 1] for r in DIAMONDS_X]
    prior = normal(z[0], 0, 1) + normal(z[1], 0, 1) + student_t(z[2], 3, 8, 10)
    prior += log(mpf(2)) + student_t(z[3], 3, 0, 10)
    return regression(rows, DIAMONDS_Y, z[:3], z[3]) + prior


def autoregression(z):
    y = read("arK.json")["y"]
    rows = [[1] + [y[t - k] for k in range(1, 6)] for t in range(5, len(y))]
    prior = sum(normal(b, 0, 10) for b in z[:6]) + half_cauchy(z[6], mpf("2.5"))
    return regression(rows, y[5:], z[:6], z[6]) + prior


def garch(z):
    """In (mu, alpha0, alpha1, beta1 / (1 - alpha1))."""
    d = read("garch.json")
    y = [mpf(v) for v in d["y"]]
    mu, alpha0, alpha1 = z[:3]
    beta1 = z[3] * (1 - alpha1)
    variance = mpf(d["sigma1"]) ** 2
    total = normal(y[0], mu, sqrt(variance))
    for before, now in zip(y, y[1:]):
        variance = alpha0 + alpha1 * (before - mu) ** 2 + beta1 * variance
        total += normal(now, mu, sqrt(variance))
    return total + log(1 - alpha1)


def kernel(x, rho, alpha):
    n = len(x)
    return matrix(n, n), [[alpha**2 * exp(-(mpf(a) - b) ** 2 / (2 * rho**2)) for b in x] for a in x]


def gp_regression(z):
    d = read("gp_pois_regr.json")
    rho, alpha, sigma = z
    k, values = kernel(d["x"], rho, alpha)
    n = len(d["x"])
    for i in range(n):
        for j in range(n):
            k[i, j] = values[i][j] + (sigma if i == j else 0)
    y = matrix([mpf(v) for v in d["y"]])
    factor = cholesky(k)
    log_det = 2 * sum(log(factor[i, i]) for i in range(n))
    quadratic = (y.T * lu_solve(k, y))[0]
    prior = gamma_density(rho, 25, 4) + half_normal(alpha, 2) + half_normal(sigma, 1)
    return -(n * log(2 * pi) + log_det + quadratic) / 2 + prior


def gp_poisson_regression(z):
    d = read("gp_pois_regr.json")
    rho, alpha, f_tilde = z[0], z[1], z[2:]
    k, values = kernel(d["x"], rho, alpha)
    n = len(d["x"])
    for i in range(n):
        for j in range(n):
            k[i, j] = values[i][j] + (mpf("1e-10") if i == j else 0)
    f = cholesky(k) * matrix(f_tilde)
    total = gamma_density(rho, 25, 4) + half_normal(alpha, 2)
    for i, count in enumerate(d["k"]):
        total += count * f[i] - exp(f[i]) - log(gamma(count + 1)) + normal(f_tilde[i], 0, 1)
    return total


def two_normal_mixture(z):
    mu1, mu2, sigma1, sigma2, theta = z
    total = log(mpf(2)) + normal(mu1, 0, 2) + normal(mu2, 0, 2) + half_normal(sigma1, 2) + half_normal(sigma2, 2)
    total += log(gamma(10) / gamma(5) ** 2) + 4 * log(theta) + 4 * log(1 - theta)
    for y in read("low_dim_gauss_mix.json")["y"]:
        y = mpf(y)
        total += log(theta * exp(normal(y, mu1, sigma1)) + (1 - theta) * exp(normal(y, mu2, sigma2)))
    return total


def hidden_markov(z):
    """In (theta[1,1], theta[1,2], theta[2,1], theta[2,2], mu[1], mu[2])."""
    transition = [z[:2], z[2:4]]
    mu = z[4:]
    y = [mpf(v) for v in read("hmm_example.json")["y"]]
    weight = [exp(normal(y[0], m, 1)) for m in mu]
    for value in y[1:]:
        weight = [
            exp(normal(value, mu[j], 1)) * sum(weight[i] * transition[i][j] for i in range(2)) for j in range(2)
        ]
    return log(sum(weight)) + normal(mu[0], 3, 1) + normal(mu[1], 10, 1)


def one_compartment(z):
    """Runge-Kutta of order 4 with 40 steps from each measurement to the next."""
    d = read("one_comp_mm_elim_abs.json")
    k_a, k_m, v_m, sigma = z
    dose, volume = mpf(d["D"]), mpf(d["V"])

    def slope(t, c):
        inflow = exp(-k_a * t) * dose * k_a / volume if t > 0 else mpf(0)
        return inflow - v_m / volume * c / (k_m + c)

    total = sum(half_cauchy(v, 1) for v in z)
    t, c = mpf(d["t0"]), mpf(0)
    for end, measured in zip(d["times"], d["C_hat"]):
        h = (mpf(end) - t) / 40
        start = t
        for step in range(40):
            t = start + step * h
            k1 = slope(t, c)
            k2 = slope(t + h / 2, c + h * k1 / 2)
            k3 = slope(t + h / 2, c + h * k2 / 2)
            k4 = slope(t + h, c + h * k3)
            c += h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
        t = mpf(end)
        total += normal(log(mpf(measured)), log(c), sigma) - log(mpf(measured))
    return total


POINTS = {
    kidscore: [[25.7, 5.9, 0.56, 18.0], [20.0, 3.0, 0.6, 25.0], [-4.0, 1.0, 0.1, 3.5]],
    blr: [[1, 1, 1, 1, 1, 1], [0.9, 1.1, 1.0, 0.95, 1.05, 12.0], [3, -2, 0.5, 0.25, -1, 30.0]],
    logearn: [[8.4, 0.017, -0.08, 0.0074, 0.88], [9, 0.01, 0.2, 0.002, 1.5], [0, 0.1, 1, -0.1, 4]],
    kilpisjarvi: [[-61.6, 0.0178, 1.1], [9.3, 0.0, 2.0], [100, -0.02, 15]],
    nes: [
        [0.8, 0.79, -1.1, -0.45, -0.7, -0.5, 0.25, -0.1, 0.24, 1.8],
        [0, 0.5, 0.5, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 3.0],
        [4, 0, 0, 0, 0, 0, 0, 0, 0, 2.0],
    ],
    diamonds: [[1.0, 0.5, 8.0, 0.4], [0.2, -0.3, 5.0, 2.0], [-1.5, 2, -20, 8]],
    autoregression: [
        [0, 0.69, 0.44, 0.1, -0.04, -0.3, 0.15],
        [0.5, 0.1, 0.2, 0.3, 0.4, -0.5, 1],
        [-2, 1, -1, 1, -1, 1, 3],
    ],
    garch: [[5.05, 1.4, 0.55, 0.6], [4, 0.3, 0.9, 0.2], [7, 3, 0.1, 0.95]],
    gp_regression: [[6.8, 2.3, 1.7], [3, 0.5, 0.2], [12, 5, 4]],
    gp_poisson_regression: [
        [6.0, 2.5, 1.5, 0.4, -0.1, -0.3, 1.1, 1.8, 1.1, -0.05, -0.5, -0.25, -0.04],
        [4.0, 1.0] + [0.5, -0.5, 0.25, -0.25, 1.0, -1.0, 0.1, 0.2, 0.3, 0.4, -0.5],
        [9.0, 3.0] + [0.1] * 11,
    ],
    two_normal_mixture: [[-2.7, 2.9, 1.03, 1.02, 0.62], [-1, 0.5, 2, 0.5, 0.3], [1, 4, 0.7, 3, 0.9]],
    hidden_markov: [
        [0.67, 0.33, 0.07, 0.93, 3.0, 8.8],
        [0.2, 0.8, 0.5, 0.5, 1.0, 5.0],
        [0.99, 0.01, 0.6, 0.4, 6.0, 12.0],
    ],
    one_compartment: [[0.76, 0.7, 0.85, 0.13], [0.3, 2.0, 0.4, 0.5], [2.0, 0.1, 1.5, 1.0]],
}

if __name__ == "__main__":
    for model, points in POINTS.items():
        print(model.__name__)
        for point in points:
            # The points are doubles: what is typed in Rust is what is evaluated here.
            print("   ", point, float(model([mpf(x) for x in point])))
