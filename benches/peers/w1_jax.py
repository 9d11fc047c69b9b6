"""Hand-written JAX program: coordinate ascent on the same full-covariance normal-Wishart/Dirichlet mixture.
All K whitenings as ONE gemm per chunk of rows: X[c,D] @ P[D,K*D]; statistics as (R^T X) and (R_k*X)^T X by one batched gemm; E and M fused in one pass.
 usage: python w1_jax.py --n 100000 --d 10 --k 10 --dtype f64 --threads 2"""
from common import *
T = early_threads()
p = argparse.ArgumentParser()
p.add_argument("--n", type=int, default=100000); p.add_argument("--d", type=int, default=10); p.add_argument("--k", type=int, default=10); p.add_argument("--threads", type=int, default=2)
p.add_argument("--reps", type=int, default=3); p.add_argument("--iters", type=int, default=3); p.add_argument("--dtype", default="f64"); p.add_argument("--chunk", type=int, default=2000)
a = p.parse_args()
import numpy as np, jax, jax.numpy as jnp
from jax.scipy.special import digamma
jax.config.update("jax_enable_x64", True)
dt = jnp.float64 if a.dtype == "f64" else jnp.float32
Xn, _ = gmm_data(a.n, a.d, a.k); N, D = Xn.shape; K = a.k; c = a.chunk; m0 = Xn.mean(0); W0inv = np.cov(Xn.T); a0, b0, nu0 = 1.0 / K, 1.0, float(D)
Xc = jnp.asarray((Xn - m0).reshape(N // c, c, D), dt)
iu = jnp.arange(D)
def stats_to_par(Nk, sx, S2):
    al = a0 + Nk; be = b0 + Nk; nu = nu0 + Nk; xb = sx / Nk[:, None]; m = sx / be[:, None]
    Sk = S2 - Nk[:, None, None] * xb[:, :, None] * xb[:, None, :]
    Winv = W0inv + Sk + (b0 * Nk / be)[:, None, None] * xb[:, :, None] * xb[:, None, :] + 1e-6 * jnp.eye(D) * nu[:, None, None]
    L = jnp.linalg.cholesky(Winv); P = jnp.swapaxes(jax.scipy.linalg.solve_triangular(L, jnp.broadcast_to(jnp.eye(D), L.shape), lower=True), 1, 2) * jnp.sqrt(nu)[:, None, None]
    ld = -2 * jnp.log(jnp.diagonal(L, axis1=1, axis2=2)).sum(1); Eld = digamma(0.5 * (nu[:, None] - iu)).sum(1) + D * jnp.log(2.0) + ld
    cst = digamma(al) - digamma(al.sum()) + 0.5 * (Eld - D * jnp.log(2 * jnp.pi) - D / be)
    return m, P, cst
def pass_(st):
    m, P, cst = stats_to_par(*st); Pf = jnp.swapaxes(P, 0, 1).reshape(D, K * D).astype(dt); mP = jnp.einsum("kd,kde->ke", m, P).astype(dt); cs = cst.astype(dt)
    def body(acc, x):
        y = (x @ Pf).reshape(-1, K, D) - mP; lp = cs - 0.5 * (y * y).sum(2); mx = lp.max(1, keepdims=True); e = jnp.exp(lp - mx); s = e.sum(1, keepdims=True); r = e / s
        Nk, sx, S2, L = acc; rx = (r[:, :, None] * x[:, None, :]).reshape(-1, K * D)
        return (Nk + r.sum(0), sx + r.T @ x, S2 + (rx.T @ x).reshape(K, D, D), L + (mx + jnp.log(s)).sum()), None
    z = (jnp.zeros(K), jnp.zeros((K, D)), jnp.zeros((K, D, D)), jnp.zeros(()))
    (Nk, sx, S2, L), _ = jax.lax.scan(body, z, Xc); return (Nk + 1e-12, sx, S2), L
f = jax.jit(pass_)
r = np.random.default_rng(0); R = r.random((N, K)); R /= R.sum(1, keepdims=True); Xz = Xn - m0
st0 = (jnp.asarray(R.sum(0)), jnp.asarray(R.T @ Xz), jnp.asarray(np.stack([(Xz * R[:, [k]]).T @ Xz for k in range(K)])))
t = time.perf_counter(); st, L = jax.block_until_ready(f(st0)); comp = time.perf_counter() - t; start_clock(); ts = []
for rep in range(a.reps):
    st = st0; t = time.perf_counter()
    for _ in range(a.iters): st, L = f(st)
    jax.block_until_ready(st); ts.append((time.perf_counter() - t) / a.iters)
emit(workload="W1", peer="jax-hand-" + a.dtype, data="synth", N=N, D=D, K=K, cov="full", threads=T, reps=a.reps, sec_per_iter=med(ts), all=ts, compile_s=comp, data_mb=round(Xn.nbytes / 2**20, 1), final_obj=float(L), gflops=4.0 * N * K * D * D / med(ts) / 1e9)
