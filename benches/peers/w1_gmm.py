"""Coordinate ascent on a Bayesian Gaussian mixture by scikit-learn's BayesianGaussianMixture.
 usage: python w1_gmm.py --n 10000 --d 10 --k 10 --cov full --iters 10 --threads 1
Per-iteration seconds = e_step + m_step + bound, timestamped inside one fit (init excluded)."""
from common import *
T = early_threads()
import numpy as np

def elbo_full(X, alpha, beta, m, Wchol_prec, nu, a0, b0, m0, S0, nu0, chunk=100000):
    """Exact ELBO of Normal-Wishart/Dirichlet VB-GMM with q(z) optimal given the rest.
    E[Lambda_k] = nu_k W_k ; Wchol_prec: upper P_k with W_k*nu_k = P P^T (sklearn precisions_cholesky_ convention).
    S0: prior covariance so that W0^-1 = nu0?? sklearn: covariance_prior is W0^-1 itself (scatter)."""
    from scipy.special import digamma, gammaln, logsumexp, multigammaln
    N, D = X.shape; K = len(alpha)
    Elpi = digamma(alpha) - digamma(alpha.sum())
    L = 0.0
    ld = np.array([2 * np.sum(np.log(np.diag(Wchol_prec[k]))) - D * np.log(nu[k]) for k in range(K)])  # log|W_k|
    Eld = np.array([digamma(0.5 * (nu[k] - np.arange(D))).sum() for k in range(K)]) + D * np.log(2) + ld
    for s in range(0, N, chunk):
        x = X[s:s + chunk]; lp = np.empty((len(x), K))
        for k in range(K):
            y = (x - m[k]) @ Wchol_prec[k]
            lp[:, k] = Elpi[k] + 0.5 * (Eld[k] - D * np.log(2 * np.pi) - D / beta[k] - (y * y).sum(1))
        L += logsumexp(lp, axis=1).sum()
    # KL Dirichlet
    kl = gammaln(alpha.sum()) - gammaln(alpha).sum() - gammaln(K * a0) + K * gammaln(a0) + ((alpha - a0) * Elpi).sum()
    logB = lambda ldW, n: -0.5 * n * ldW - (0.5 * n * D * np.log(2) + multigammaln(n / 2, D))
    ldW0 = -np.linalg.slogdet(S0)[1]
    for k in range(K):
        P = Wchol_prec[k]; ELam = P @ P.T; dm = (m[k] - m0)
        kl += 0.5 * (D * np.log(beta[k] / b0) - D + D * b0 / beta[k] + b0 * dm @ ELam @ dm)
        kl += logB(ld[k], nu[k]) - logB(ldW0, nu0) + 0.5 * (nu[k] - nu0) * Eld[k] - 0.5 * nu[k] * D + 0.5 * np.trace(S0 @ ELam)
    return float(L - kl)

def run_sklearn(X, a):
    from sklearn.mixture import BayesianGaussianMixture
    class Timed(BayesianGaussianMixture):
        def _e_step(self, X, **kw):
            t = time.perf_counter(); r = super()._e_step(X, **kw); self._t.append(("e", time.perf_counter() - t)); return r
        def _m_step(self, X, r, **kw):
            t = time.perf_counter(); super()._m_step(X, r, **kw); self._t.append(("m", time.perf_counter() - t))
        def _compute_lower_bound(self, *x, **kw):
            t = time.perf_counter(); r = super()._compute_lower_bound(*x, **kw); self._t.append(("b", time.perf_counter() - t)); return r
    per, tot, es, ms, lb, elbo, nit = [], [], [], [], None, None, None
    import warnings; warnings.filterwarnings("ignore")
    for rep in range(a.reps):
        g = Timed(n_components=a.k, covariance_type=a.cov, weight_concentration_prior_type="dirichlet_distribution",
                  max_iter=a.iters, tol=a.tol, init_params=a.init, random_state=rep if a.vary_seed else 0, reg_covar=1e-6)
        g._t = []
        t = time.perf_counter(); g.fit(X); tot.append(time.perf_counter() - t)
        e = [v for n, v in g._t if n == "e"][:-1]; m = [v for n, v in g._t if n == "m"]; b = [v for n, v in g._t if n == "b"]
        per.append(med(e) + med(m) + med(b)); es.append(med(e)); ms.append(med(m)); nit = g.n_iter_
    lb = float(g.lower_bound_)
    if a.cov == "full" and a.elbo:
        elbo = elbo_full(X, g.weight_concentration_, g.mean_precision_, g.means_, g.precisions_cholesky_, g.degrees_of_freedom_,
                         g.weight_concentration_prior_, g.mean_precision_prior_, g.mean_prior_, g.covariance_prior_, g.degrees_of_freedom_prior_)
    return dict(sec_per_iter=med(per), all=per, sec_e=med(es), sec_m=med(ms), sec_total=med(tot), n_iter=nit, sklearn_lower_bound=lb, elbo_exact=elbo,
                prior="alpha0=1/K beta0=1 m0=mean(X) nu0=D W0inv=cov(X)")

if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--n", type=int, default=10000); p.add_argument("--d", type=int, default=10)
    p.add_argument("--k", type=int, default=10); p.add_argument("--cov", default="full"); p.add_argument("--iters", type=int, default=10)
    p.add_argument("--reps", type=int, default=3); p.add_argument("--threads", type=int, default=2); p.add_argument("--init", default="random")
    p.add_argument("--tol", type=float, default=0.0); p.add_argument("--data", default="synth"); p.add_argument("--elbo", type=int, default=0)
    p.add_argument("--vary-seed", type=int, default=0)
    a = p.parse_args()
    if a.data == "synth": X, _ = gmm_data(a.n, a.d, a.k)
    else:
        from sklearn import datasets
        X = getattr(datasets, "load_" + a.data)(return_X_y=True)[0].astype(float)
        if a.data == "digits":
            from sklearn.decomposition import PCA
            X = PCA(20, random_state=0).fit_transform(X)
        if a.data == "breast_cancer": X = (X - X.mean(0)) / X.std(0)
    start_clock()
    r = run_sklearn(X, a)
    emit(workload="W1", peer="sklearn", data=a.data, N=X.shape[0], D=X.shape[1], K=a.k, cov=a.cov, threads=T, reps=a.reps, init=a.init, tol=a.tol, data_mb=round(X.nbytes / 2**20, 1), **r)
