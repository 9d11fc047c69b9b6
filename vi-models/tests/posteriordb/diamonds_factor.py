#!/usr/bin/env python3
"""The triangular factor of posteriordb's diamonds data, which are too big to stand beside the program.

Reads diamonds.json (https://github.com/stan-dev/posteriordb, BSD-3-Clause) and prints the upper-triangular R, 26 x 26, of
(X_c, 1, y) = QR, where X_c are columns 2 to 25 of X, centred. A regression on the rows of R, and on rows of zeros up to
N = 5000, has the sums of squares, and so the likelihood, of the data. Run: python3 diamonds_factor.py diamonds.json
Needs NumPy.
"""

import json
import sys

import numpy as np

data = json.load(open(sys.argv[1]))
x = np.array(data["X"], dtype=np.longdouble)[:, 1:]
y = np.array(data["Y"], dtype=np.longdouble)
columns = np.column_stack([x - x.mean(axis=0), np.ones(len(y)), y]).astype(float)
r = np.linalg.qr(columns, mode="r")
print(json.dumps({"N": len(y), "R": [[float(v) for v in row[i:]] for i, row in enumerate(r)]}))
