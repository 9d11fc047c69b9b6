"""Latent Dirichlet allocation by scikit-learn on the corpus that the bench `lda` writes, beside that bench.

usage: python w2_lda.py --corpus target/lda_corpus.txt --k 20 --passes 20 --threads 2 [--peer sklearn-batch|sklearn-online]

alpha = eta = 1/K, inner tolerance 1e-3, at most 100 inner iterations. Prints seconds a pass (an E and an M step over all documents,
the median over repetitions of the mean over passes) and the bound per token on the whole corpus, reached with a tight E step (1e-5,
at most 300): scikit-learn's `_approx_bound`, which is the ELBO with every constant.
"""
from common import *
T = early_threads()
import numpy as np, scipy.sparse as sp
from scipy.special import psi
from sklearn.decomposition import LatentDirichletAllocation as LDA

p = argparse.ArgumentParser()
p.add_argument("--corpus", required=True)
p.add_argument("--peer", default="sklearn-batch")
p.add_argument("--k", type=int, default=20)
p.add_argument("--passes", type=int, default=20)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--reps", type=int, default=3)
p.add_argument("--batch", type=int, default=256)
a = p.parse_args()
with open(a.corpus) as f:
    n, v, _ = map(int, f.readline().split())
    t = np.loadtxt(f, dtype=np.int64)
X = sp.csr_matrix((t[:, 2].astype(float), (t[:, 0], t[:, 1])), shape=(n, v))
K, tokens = a.k, X.sum()
prior = dict(n_components=K, doc_topic_prior=1 / K, topic_word_prior=1 / K)


def bound(components):
    m = LDA(**prior, max_doc_update_iter=300, mean_change_tol=1e-5, random_state=0)
    m.fit(X[:2])
    m.components_ = np.ascontiguousarray(components)
    m.exp_dirichlet_component_ = np.exp(psi(components) - psi(components.sum(1))[:, None])
    gamma, _ = m._e_step(X, cal_sstats=False, random_init=False)
    return float(m._approx_bound(X, gamma, sub_sampling=False) / tokens)


class Timed(LDA):
    def _em_step(self, *args, **kwargs):
        start = time.perf_counter()
        out = super()._em_step(*args, **kwargs)
        self.seconds = getattr(self, "seconds", 0.0) + time.perf_counter() - start
        return out


seconds, bounds = [], []
start_clock()
for rep in range(a.reps):
    m = Timed(**prior, learning_method=a.peer.split("-")[1], max_iter=a.passes, batch_size=a.batch, learning_decay=0.7,
              learning_offset=10.0, evaluate_every=-1, max_doc_update_iter=100, mean_change_tol=1e-3, n_jobs=T, random_state=rep)
    m.fit(X)
    seconds.append(m.seconds / a.passes)
    last = m
emit(workload="W2", peer=a.peer, K=K, passes=a.passes, threads=T, sec_per_pass=med(seconds), all=seconds,
     bound_per_token=bound(last.components_), tokens=int(tokens))
