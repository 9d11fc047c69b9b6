"""Reference values of reference.rs, computed at 50 digits and rounded to doubles."""

from mpmath import det, digamma, log, loggamma, matrix, mp, mpf, pi

mp.dps = 50


def show(name, *values):
    print(name, *(repr(float(v)) for v in values))


def diagonal_gaussian(m, v, z):
    m, v, z = ([mpf(x) for x in a] for a in (m, v, z))
    lp = sum(-(log(2 * pi * b) + (c - a) ** 2 / b) / 2 for a, b, c in zip(m, v, z))
    show("DiagonalGaussian", lp, sum((1 + log(2 * pi * b)) / 2 for b in v))


for z in (["0.5", "-1", "2"], ["0", "0", "0"], ["1e-8", "3", "-40"], ["1e8", "1", "1"], ["0.3", "0.7", "2.1"]):
    diagonal_gaussian(["0.5", "-1", "2"], ["0.25", "1e-4", "900"], z)


def mat(rows):
    return matrix([[mpf(x) for x in row] for row in rows])


def multigamma(p, a):
    return mpf(p * (p - 1)) / 4 * log(pi) + sum(loggamma(a - mpf(i) / 2) for i in range(p))


def multidigamma(p, a):
    return sum(digamma(a - mpf(i) / 2) for i in range(p))


def trace(a):
    return sum(a[i, i] for i in range(a.rows))


def wishart(dof, w, lam):
    """Log density at lam and entropy, over the lower triangle."""
    dof, p = mpf(dof), w.rows
    const = -dof / 2 * (p * log(2) + log(det(w))) - multigamma(p, dof / 2)
    log_prob = const + (dof - p - 1) / 2 * log(det(lam)) - trace(w**-1 * lam) / 2
    mean_log_det = multidigamma(p, dof / 2) + p * log(2) + log(det(w))
    return log_prob, -const - (dof - p - 1) / 2 * mean_log_det + dof * p / 2


def inverse_wishart(dof, psi, sigma):
    """By its own density, not through the Wishart of the inverse."""
    dof, p = mpf(dof), psi.rows
    const = dof / 2 * (log(det(psi)) - p * log(2)) - multigamma(p, dof / 2)
    log_prob = const - (dof + p + 1) / 2 * log(det(sigma)) - trace(psi * sigma**-1) / 2
    mean_log_det = log(det(psi)) - p * log(2) - multidigamma(p, dof / 2)
    return log_prob, -const + (dof + p + 1) / 2 * mean_log_det + dof * p / 2


def mv_gaussian(m, c, z):
    p, d = m.rows, z - m
    square = (d.T * c**-1 * d)[0]
    log_det = log(det(c))
    return -(p * log(2 * pi) + log_det + square) / 2, (p * (1 + log(2 * pi)) + log_det) / 2


def matrix_gaussian(m, u, v, z):
    n, p, d = m.rows, m.cols, z - m
    log_det = p * log(det(u)) + n * log(det(v))
    square = trace(v**-1 * d.T * u**-1 * d)
    return -(n * p * log(2 * pi) + log_det + square) / 2, (n * p * (1 + log(2 * pi)) + log_det) / 2


def dirichlet(a, z):
    total, k = sum(a), len(a)
    log_b = sum(loggamma(x) for x in a) - loggamma(total)
    entropy = log_b + (total - k) * digamma(total) - sum((x - 1) * digamma(x) for x in a)
    return sum((x - 1) * log(y) for x, y in zip(a, z)) - log_b, entropy


W = mat([["0.5", "0.125"], ["0.125", "0.375"]])
for dof in ["1.0625", "1.5", "4.5", "40", "1e6"]:
    for lam in [[["1.5", "-0.5"], ["-0.5", "1"]], [["1e-8", "0"], ["0", "1e8"]]]:
        show(f"Wishart {dof} {lam}", *wishart(dof, W, mat(lam)))
        show(f"InverseWishart {dof} {lam}", *inverse_wishart(dof, W, mat(lam)))

M, C = mat([["0.5"], ["-1"]]), mat([["2", "0.625"], ["0.625", "0.5"]])
for z in [["1", "0.25"], ["0.5", "-1"], ["0", "0"], ["1e6", "-3"], ["-7", "0.125"]]:
    show(f"MvGaussian {z}", *mv_gaussian(M, C, mat([[x] for x in z])))

U, MEAN = mat([["1", "0.5", "0.25"], ["0.5", "1", "0.5"], ["0.25", "0.5", "1"]]), mat([["1", "2"], ["-1", "0"], ["0.5", "4"]])
for z in [
    [["1", "2"], ["-1", "0"], ["0.5", "4"]],
    [["0", "0"], ["0", "0"], ["0", "0"]],
    [["3", "-2"], ["1", "1"], ["0.25", "0.75"]],
    [["1e5", "0"], ["0", "-1e5"], ["0", "0"]],
    [["1.5", "2.5"], ["-1.5", "0.5"], ["0.5", "3.5"]],
]:
    show(f"MatrixGaussian {z}", *matrix_gaussian(MEAN, U, C, mat(z)))

for a in [["0.5", "2", "3.5"], ["1", "1", "1"], ["0.0009765625", "0.5", "2"], ["1000", "2000", "1"], ["1e8", "1e8", "1e8"]]:
    show(f"Dirichlet {a}", *dirichlet([mpf(x) for x in a], [mpf("0.25"), mpf("0.25"), mpf("0.5")]))
