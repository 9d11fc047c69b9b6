"""Parameters of scikit-learn's BayesianGaussianMixture on Old Faithful after 20 sweeps, for `scikit_learn.rs`.

usage: python vi-models/tests/mixtures/reference.py     (numbers in the test: scikit-learn 1.9.1)

Its own updates where they are coordinate ascent. They are not in three places, which `Exact` puts right:
- diagonal and spherical: E log|Lambda| is that of a Wishart matrix instead of Gamma precisions (no difference for D = 1);
- dirichlet_process: the last stick has a Beta law too, so that expected weights do not sum to one; here v_K = 1.
"""
import pathlib, sys, warnings
import numpy as np, sklearn
from scipy.special import digamma
from sklearn.mixture import BayesianGaussianMixture
from sklearn.mixture._gaussian_mixture import _estimate_log_gaussian_prob

warnings.filterwarnings("ignore")
K, SWEEPS = 3, 20
ROOT = pathlib.Path(__file__).resolve().parents[3]


class Exact(BayesianGaussianMixture):
    def _estimate_log_weights(self, xp=None):
        if self.weight_concentration_prior_type != "dirichlet_process":
            return super()._estimate_log_weights()
        a, b = (v[:-1] for v in self.weight_concentration_)
        total = digamma(a + b)
        return np.hstack((digamma(a) - total, 0)) + np.hstack((0, np.cumsum(digamma(b) - total)))

    def _estimate_log_prob(self, X, xp=None):
        if self.covariance_type in ("full", "tied"):
            return super()._estimate_log_prob(X)
        d, dof = X.shape[1], self.degrees_of_freedom_
        log_gauss = _estimate_log_gaussian_prob(X, self.means_, self.precisions_cholesky_, self.covariance_type)
        shape = 0.5 * dof * (d if self.covariance_type == "spherical" else 1)
        return log_gauss + 0.5 * d * (digamma(shape) - np.log(shape) - 1 / self.mean_precision_)


def run(cls, X, covariance, weights):
    d = X.shape[1]
    b = {"full": np.diag([0.5, 0.8][:d]), "tied": np.diag([0.5, 0.8][:d]), "diag": np.array([0.5, 0.8][:d]),
         "spherical": 0.6}[covariance]
    g = cls(n_components=K, covariance_type=covariance, weight_concentration_prior_type=weights, reg_covar=0, max_iter=1,
            weight_concentration_prior=0.5, mean_precision_prior=0.7, mean_prior=np.zeros(d),
            degrees_of_freedom_prior=3.0, covariance_prior=b, random_state=0)
    g.fit(X)
    labels = np.empty(len(X), int)
    labels[np.argsort(X[:, 0], kind="stable")] = np.arange(len(X)) * K // len(X)
    g._initialize(X, np.eye(K)[labels])
    for _ in range(SWEEPS - 1):
        g._m_step(X, g._e_step(X)[1])
    w = g.weight_concentration_
    first = w if weights == "dirichlet_distribution" else w[0][:-1]
    second = [] if weights == "dirichlet_distribution" else w[1][:-1]
    dof = np.atleast_1d(g.degrees_of_freedom_)
    cov = g.covariances_
    scatter = cov * dof.reshape((-1,) + (1,) * (cov.ndim - 1)) if covariance != "tied" else cov * dof * K
    return first, second, g.means_, np.atleast_1d(scatter), dof * (K if covariance == "tied" else 1)


def text(values):
    return "&[" + ", ".join(repr(float(v)) for v in np.ravel(values)) + "]"


X = np.loadtxt(ROOT / "data" / "old_faithful.csv", delimiter=",", skiprows=1)
X = (X - X.mean(0)) / X.std(0)
print(f"// scikit-learn {sklearn.__version__}", file=sys.stderr)
ours = {"full": "Full", "tied": "Tied", "diag": "Diagonal", "spherical": "Spherical"}
for weights, prior in (("dirichlet_distribution", "Dirichlet"), ("dirichlet_process", "StickBreaking")):
    for covariance in ours:
        for d in (2, 1):
            exact = prior == "StickBreaking" or (d == 2 and covariance in ("diag", "spherical"))
            if d == 1 and (exact or covariance in ("full", "tied")):
                continue
            first, second, mean, scatter, dof = run(Exact if exact else BayesianGaussianMixture, X[:, :d].copy(),
                                                    covariance, weights)
            print(f"    Case {{ covariance: {ours[covariance]}, weights: {prior}, d: {d}, first: {text(first)},\n"
                  f"        second: {text(second)}, mean: {text(mean)},\n"
                  f"        inverse_scale: {text(scatter)}, dof: {text(dof)} }},")
