"""Bench and peers in turn on this machine, and the ratios of their times.

usage: python compare.py [--rounds 3] [--bench "cargo bench -p vi-benches --bench score_function --"]

A round runs the bench `score_function` and, after it, every peer on the same workload; ratios are taken within a round.
"""
import argparse, json, os, pathlib, shlex, statistics, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHAPES = {"569x31": "breast_cancer", "10000x100": "synth:10000:100"}
CARGO = "cargo bench -p vi-benches --bench score_function --"
GEMM = """
import sys; sys.argv = ["gemm", "--threads", "{threads}"]
from common import *
early_threads()
import numpy as np
a = np.random.default_rng(0).normal(size=(1024, 1024)); b = a.copy(); c = np.empty_like(a); ts = []
for _ in range(30):
    t = time.perf_counter(); np.matmul(a, b, out=c); ts.append(time.perf_counter() - t)
print(2 * 1024**3 / st.median(ts) / 1e9)
"""


def environment():
    """Without the settings that make a current OpenBLAS choose an old kernel."""
    env = dict(os.environ, QUIET_WAIT=os.environ.get("QUIET_WAIT", "5"))
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        env.pop(name, None)
    env["PEERS_RESULTS"] = os.path.join(tempfile.gettempdir(), "vi_peers.jsonl")
    return env


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return done.stdout


def peer(script, *arguments):
    """Seconds for a gradient, and the cores that other processes used meanwhile."""
    lines = run([sys.executable, script, *arguments, "--budget", "1"], HERE).splitlines()
    result = json.loads([line for line in lines if line.startswith("{")][-1])
    return result["sec_per_iter"], result["ext_cores"]


def criterion(group, name):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    with open(target / "criterion" / group / name / "new" / "estimates.json") as f:
        return json.load(f)["median"]["point_estimate"] * 1e-9


def one_round(cargo):
    run(shlex.split(cargo) + ["--noplot", "--sample-size", "20", "--warm-up-time", "0.5", "--measurement-time", "2",
                              "leave_one_out|gemm"], ROOT)
    times, busy = {}, 0.0
    for threads in (1, 2):
        times["gemm", "vi", threads] = 2 * 1024**3 * threads / criterion("gemm_1024", f"{threads}_threads") / 1e9
        times["gemm", "OpenBLAS", threads] = float(run([sys.executable, "-c", GEMM.format(threads=threads)], HERE))
    for shape, data in SHAPES.items():
        for samples in (256, 4096):
            for threads in (1, 2):
                times[shape, samples, f"vi f64, {threads} threads"] = criterion(
                    f"leave_one_out_{shape}_S{samples}", f"{threads}_threads")
        common = ("--model", "logreg", "--data", data, "--threads", "2")
        for name, script, arguments in (
            ("jit f32", "w4_score.py", ("--S", "256")),
            ("jit f64", "w4_score.py", ("--S", "256", "--dtype", "f64")),
            ("NumPyro", "w4_numpyro.py", ("--S", "256")),
            ("NumPy f64", "w4_numpy.py", ("--S", "256")),
            ("jit f32, chunks of 512", "w4_score.py", ("--S", "4096", "--chunk", "512")),
        ):
            seconds, cores = peer(script, *common, *arguments)
            times[shape, int(arguments[1]), name] = seconds
            busy = max(busy, cores)
    return times, busy


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bench", default=CARGO)
    arguments = parser.parse_args()
    rounds = []
    for i in range(arguments.rounds):
        times, busy = one_round(arguments.bench)
        rounds.append(times)
        print(f"round {i + 1}: other processes used up to {busy:.2f} cores", flush=True)

    print("\nGFLOP/s of 1024×1024 products, median (least–most)")
    for _, who, threads in (key for key in rounds[0] if key[0] == "gemm"):
        print(f"  {who:9} {threads} threads  {spread([r['gemm', who, threads] for r in rounds], 1)}")
    for shape in SHAPES:
        n, d = map(int, shape.split("x"))
        for samples in (256, 4096):
            ours = [r[shape, samples, "vi f64, 2 threads"] for r in rounds]
            print(f"\n{shape}, S = {samples}: milliseconds a gradient; times as long as vi f64 on 2 threads")
            for key in (k for k in rounds[0] if k[:2] == (shape, samples)):
                theirs = [r[key] for r in rounds]
                ratios = [t / o for t, o in zip(theirs, ours)]
                print(f"  {key[2]:24} {spread([t * 1e3 for t in theirs], 3):26} {spread(ratios)}")
            rate = [2 * n * d * samples / o / 1e9 for o in ours]
            print(f"  flops of the product over the whole time: {spread(rate, 1)} GFLOP/s")


if __name__ == "__main__":
    main()
