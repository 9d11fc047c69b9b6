"""Gradients on the 1797 digits, discrete and Gamma latents, beside NumPy and JAX: ratios within a round.

usage: python compare_digits.py [--rounds 3]

A round runs the benches `plate` and `count_factors` on 1 and 2 threads and, after them, every peer on the same workload.
"""
import argparse, os

from compare import ROOT, criterion, peer, run, spread

NETWORK = "gradient_sigmoid_belief_network_1797x64_H64_S16"
COUNTS = "gradient_gamma_poisson_1797x64_K20_S16"
# workload: bench, criterion group, names of ours (the first is what ratios are taken to), model of the peers
WORKLOADS = {
    "sigmoid belief network, H = 64, S = 16": (
        "plate", NETWORK, ["leave_one_out", "control_variate", "disarm"], "sbn"),
    "Gamma–Poisson, K = 20, S = 16": (
        "count_factors", COUNTS,
        ["fixed_weights_shape_1", "fixed_weights_shape_0.9", "fixed_weights_shape_1.1", "learned_weights_shape_1.1"],
        "gammapois"),
}
PEERS = [
    ("NumPy f64", "w4_numpy.py", ("--dtype", "f64")),
    ("NumPy f32", "w4_numpy.py", ("--dtype", "f32")),
    ("jit f64", "w4_score.py", ("--dtype", "f64")),
    ("jit f32", "w4_score.py", ("--dtype", "f32")),
]


def one_round():
    times, busy = {}, 0.0
    for workload, (bench, group, names, model) in WORKLOADS.items():
        for threads in (1, 2):
            os.environ["RAYON_NUM_THREADS"] = str(threads)
            run(["cargo", "bench", "-p", "vi-benches", "--bench", bench, "--", "--noplot", "--sample-size", "20",
                 "--warm-up-time", "0.5", "--measurement-time", "2", f"^{group}/"], ROOT)
            for name in names:
                times[workload, f"vi {name}, {threads} threads"] = criterion(group, name)
        for name, script, arguments in PEERS:
            common = ("--model", model, "--S", "16", "--threads", "2")
            times[workload, name], cores = peer(script, *common, *arguments)
            busy = max(busy, cores)
    return times, busy


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = []
    for i in range(parser.parse_args().rounds):
        times, busy = one_round()
        rounds.append(times)
        print(f"round {i + 1}: other processes used up to {busy:.2f} cores", flush=True)
    for workload, (_, _, names, _) in WORKLOADS.items():
        ours = [r[workload, f"vi {names[0]}, 2 threads"] for r in rounds]
        print(f"\n{workload}: milliseconds a gradient; times as long as vi {names[0]} on 2 threads")
        for key in (k for k in rounds[0] if k[0] == workload):
            theirs = [r[key] for r in rounds]
            ratios = [t / o for t, o in zip(theirs, ours)]
            print(f"  {key[1]:44} {spread([t * 1e3 for t in theirs]):24} {spread(ratios)}")


if __name__ == "__main__":
    main()
