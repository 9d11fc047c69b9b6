"""A sweep of a Gaussian mixture beside scikit-learn and a hand-vectorised JAX program: ratios within a round.

usage: python compare_mixture.py [--rounds 2] [--only REGEX] [--bench "cargo bench -p vi-benches --bench mixture --"]

A round runs the bench `mixture` for a shape and, after it, the peers on the same shape with 1 and 2 threads; ratios are to
the better of theirs and to ours on 2 threads. GFLOP/s are 4 N K P over the whole sweep. With --memory, instead: the most memory
that the process of one bench ever held (2 threads; the harness, the data, the start and the checks of the first sweep included),
over the data and one N×K matrix. What is less than this program holds itself cannot be told.
"""
import argparse, json, os, re, shlex, subprocess, sys

from compare import HERE, ROOT, criterion, environment, run, spread

SHAPES = [("full", 100_000, 2, 10), ("full", 100_000, 10, 10), ("full", 100_000, 10, 50), ("full", 100_000, 50, 10),
          ("full", 100_000, 50, 50), ("full", 1_000_000, 10, 10), ("diagonal", 100_000, 10, 10),
          ("diagonal", 100_000, 50, 50)]
JAX = {("full", 100_000, 10, 10), ("full", 100_000, 50, 50)}
CARGO = "cargo bench -p vi-benches --bench mixture --"


def peer(script, *arguments):
    lines = run([sys.executable, script, *arguments], HERE).splitlines()
    return json.loads([line for line in lines if line.startswith("{")][-1])


def peak(cargo, name):
    """MiB of the bench `name`, whose process also holds what the harness needs."""
    command = shlex.split(cargo) + ["--profile-time", "1", f"^{name}$"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)}: status {status}")
    return usage.ru_maxrss / 1024


def memory(cargo, shapes):
    print("MiB at the peak of the process; in units of data and one N×K matrix")
    for covariance, n, d, k in shapes:
        held = peak(cargo, f"mixture_{covariance}/{n}x{d}_K{k}_2_threads")
        size = 8 * n * (d + k) / 2**20
        print(f"  {covariance}, {n}×{d}, K = {k}: {held:.1f} of {size:.1f}: {held / size:.2f}")


def features(covariance, d):
    return d + d * (d + 1) // 2 + 1 if covariance == "full" else 2 * d + 1


def one_round(cargo, shapes):
    bench = shlex.split(cargo) + ["--noplot", "--warm-up-time", "0.5", "--measurement-time", "2"]
    run(bench + ["mixture_gemm_1024"], ROOT)
    times = {("gemm", t): 2 * 1024**3 * t / criterion("mixture_gemm_1024", f"{t}_threads") / 1e9 for t in (1, 2)}
    for shape in shapes:
        covariance, n, d, k = shape
        run(bench + [f"^mixture_{covariance}/{n}x{d}_K{k}(_lean)?_"], ROOT)
        for t in (1, 2):
            times[shape, f"vi, {t} threads"] = criterion(f"mixture_{covariance}", f"{n}x{d}_K{k}_{t}_threads")
            try:
                times[shape, f"vi lean, {t} threads"] = criterion(f"mixture_{covariance}", f"{n}x{d}_K{k}_lean_{t}_threads")
            except FileNotFoundError:
                pass
        size = ["--n", str(n), "--d", str(d), "--k", str(k)]
        iterations = "2" if n * k * d * d > 5e8 else "5"
        for t in (1, 2):
            found = peer("w1_gmm.py", *size, "--cov", "diag" if covariance == "diagonal" else covariance, "--iters",
                         iterations, "--reps", "1" if n * k * d * d > 5e8 else "3", "--threads", str(t))
            times[shape, f"scikit-learn, {t} threads"] = found["sec_per_iter"]
            if shape in JAX:
                found = peer("w1_jax.py", *size, "--threads", str(t), "--iters", "2")
                times[shape, f"jit f64, {t} threads"] = found["sec_per_iter"]
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--bench", default=CARGO)
    parser.add_argument("--memory", action="store_true", help="only the memory")
    arguments = parser.parse_args()
    shapes = [s for s in SHAPES if re.search(arguments.only, "{}/{}x{}_K{}".format(*s))]
    if arguments.memory:
        return memory(arguments.bench, shapes)
    rounds = [one_round(arguments.bench, shapes) for _ in range(arguments.rounds)]
    print("GFLOP/s of 1024×1024 products: " + ", ".join(
        f"{t} threads {spread([r['gemm', t] for r in rounds], 1)}" for t in (1, 2)))
    for shape in shapes:
        covariance, n, d, k = shape
        ours = [r[shape, "vi, 2 threads"] for r in rounds]
        print(f"\n{covariance}, {n}×{d}, K = {k}: milliseconds a sweep; times as long as vi on 2 threads; GFLOP/s")
        for key in (key for key in rounds[0] if key[0] == shape):
            theirs = [r[key] for r in rounds]
            rate = [4e-9 * n * k * features(covariance, d) / t for t in theirs]
            print(f"  {key[1]:24} {spread([t * 1e3 for t in theirs]):28} {spread([t / o for t, o in zip(theirs, ours)]):24}"
                  f" {spread(rate, 1) if key[1].startswith('vi') else ''}")
        best = [min(v for key, v in r.items() if key[0] == shape and key[1].startswith("scikit")) for r in rounds]
        print(f"  scikit-learn's best: {spread([b / o for b, o in zip(best, ours)])} times as long")


if __name__ == "__main__":
    main()
