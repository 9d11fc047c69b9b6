"""BayesPy's PCA example on the data of vi-models/tests/factor_models/bayespy_pca.json: seconds per iteration.

Needs `pip install bayespy`. Run: python pca_bayespy.py
"""

import json
import pathlib
import time

import numpy as np
from bayespy.inference import VB
from bayespy.inference.vmp.transformations import RotateGaussianARD, RotationOptimizer
from bayespy.nodes import Gamma, GaussianARD, SumMultiply

K = 10
FILE = pathlib.Path(__file__).parents[2] / "vi-models/tests/factor_models/bayespy_pca.json"
FROZEN = json.loads(FILE.read_text())
Y, LOADINGS = np.array(FROZEN["y"]), np.array(FROZEN["loadings"])


def build():
    x = GaussianARD(0, 1, plates=(1, Y.shape[1]), shape=(K,))
    alpha = Gamma(1e-5, 1e-5, plates=(K,))
    c = GaussianARD(0, alpha, plates=(Y.shape[0], 1), shape=(K,))
    tau = Gamma(1e-5, 1e-5)
    y = GaussianARD(SumMultiply("d,d->", x, c), tau)
    y.observe(Y)
    c.initialize_from_value(LOADINGS[:, None, :])
    return VB(y, x, c, alpha, tau), x, c, alpha


for rotated, n in [(False, 100), (True, 15)]:
    seconds = []
    for _ in range(5):
        q, x, c, alpha = build()
        if rotated:
            rotation = RotationOptimizer(RotateGaussianARD(x), RotateGaussianARD(c, alpha), K)
            q.set_callback(rotation.rotate)
        start = time.perf_counter()
        q.update(repeat=n, verbose=False)
        seconds.append((time.perf_counter() - start) / n)
    name = "rotated" if rotated else "plain"
    print(f"{name}: {min(seconds):.6f} s an iteration (best of 5), bound {q.L[n - 1]:.4f}")
