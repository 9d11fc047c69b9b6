//! Factors of a conditionally conjugate model against draws from them.

use ndarray::Array1;

use super::conditional::{gibbs_sweep, realised_start};
use super::moments::{Moments, SIGMAS};
use crate::conjugate::ConditionallyConjugate;
use crate::exec::Exec;
use crate::key::StreamKey;

const N_DRAWS: u64 = 2000;
const N_SWEEPS: usize = 3;

pub(super) fn check<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) {
    let exec = Exec::local();
    let (mut q, mut stats) = model.init(key.fold_in(0), exec).unwrap_or_else(|e| panic!("init: {e}"));
    for _ in 0..N_SWEEPS {
        for &b in model.blocks() {
            model.condition(b, &stats, &mut q, exec).unwrap_or_else(|e| panic!("{e}"));
            model.expect(b, &q, &mut stats, exec);
        }
    }
    // The last conditioning of a block may not have been its last change: expect all of them once more.
    for &b in model.blocks() {
        model.expect(b, &q, &mut stats, exec);
    }
    check_entropy(model, &q, &stats, key.fold_in(1));
    for (i, &b) in model.blocks().iter().enumerate() {
        check_expectation(model, b, &q, &stats, key.fold_in(2).fold_in(i as u64));
    }
    check_reported_density(model, key.fold_in(3));
}

fn check_entropy<M: ConditionallyConjugate + ?Sized>(
    model: &M,
    q: &M::Factors,
    stats: &M::Stats,
    key: StreamKey,
) {
    let mut drawn = stats.clone();
    let mut surprise = Moments::default();
    for s in 0..N_DRAWS {
        let mut total = 0.0;
        for (i, &b) in model.blocks().iter().enumerate() {
            model.draw(b, q, key.fold_in(s).fold_in(i as u64), &mut drawn, Exec::local());
            total -= model.block_log_prob(b, q, &drawn);
        }
        surprise.push(total);
    }
    let entropy = model.entropy(q);
    assert!(
        surprise.agrees(entropy, 0.0),
        "entropy is {entropy}, −Σ_b log q_b at draws averages to {surprise}: more than {SIGMAS} errors apart"
    );
}

fn check_expectation<M: ConditionallyConjugate + ?Sized>(
    model: &M,
    b: M::Block,
    q: &M::Factors,
    stats: &M::Stats,
    key: StreamKey,
) {
    let expected = model.expected_log_joint(stats);
    let mut drawn = stats.clone();
    let mut joint = Moments::default();
    for s in 0..N_DRAWS {
        model.draw(b, q, key.fold_in(s), &mut drawn, Exec::local());
        joint.push(model.expected_log_joint(&drawn));
    }
    assert!(
        joint.agrees(expected, 0.0),
        "block {b:?}: the log joint at its expected statistics is {expected}, over draws of the block it averages \
         to {joint}: more than {SIGMAS} errors apart"
    );
}

/// Two settings of the factors that overlap: conditionals at two states of a Gibbs sampler.
fn check_reported_density<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) {
    let (mut q, mut stats) = realised_start(model, key.fold_in(0));
    gibbs_sweep(model, &mut q, &mut stats, key.fold_in(1));
    let first = q.clone();
    gibbs_sweep(model, &mut q, &mut stats, key.fold_in(2));
    let (here, there) = (Density { model, q: &first }, Density { model, q: &q });
    let from_here = here.overlap(&there, &stats, key.fold_in(3));
    let from_there = there.overlap(&here, &stats, key.fold_in(4));
    for (a, b, how) in
        [(from_here[0], from_there[0], "sample"), (from_here[1], from_there[1], "draw and realise")]
    {
        assert!(
            a.agrees(b.mean(), b.mcse()),
            "E_q[q′/(q + q′)] = {a}, E_q′[q/(q + q′)] = {b}: log_prob is not the density of {how}"
        );
    }
    for (drawn, sampled) in [(from_here[2], from_here[3]), (from_there[2], from_there[3])] {
        assert!(
            drawn.agrees(sampled.mean(), sampled.mcse()),
            "log_prob averages to {sampled} over sample, to {drawn} over draw and realise"
        );
    }
}

struct Density<'a, M: ConditionallyConjugate + ?Sized> {
    model: &'a M,
    q: &'a M::Factors,
}

impl<M: ConditionallyConjugate + ?Sized> Density<'_, M> {
    /// E_q[q′/(q + q′)] by `sample` and by `draw`, and E_q[log q] by `draw` and by `sample`.
    fn overlap(&self, other: &Self, stats: &M::Stats, key: StreamKey) -> [Moments; 4] {
        let mut out = [Moments::default(); 4];
        let mut stats = stats.clone();
        let mut z = Array1::from_elem(self.model.reported().dim(), f64::NAN);
        for s in 0..N_DRAWS {
            self.model.sample(self.q, &mut key.rng(s), &mut z);
            let [share, log_prob] = self.share(other, &z, "sample");
            out[0].push(share);
            out[3].push(log_prob);
            for (i, &b) in self.model.blocks().iter().enumerate() {
                self.model.draw(b, self.q, key.fold_in(s).fold_in(i as u64), &mut stats, Exec::local());
            }
            self.model.realise(&stats, &mut z);
            let [share, log_prob] = self.share(other, &z, "realise");
            out[1].push(share);
            out[2].push(log_prob);
        }
        out
    }

    /// q′/(q + q′) and log q at a point of q.
    fn share(&self, other: &Self, z: &Array1<f64>, how: &str) -> [f64; 2] {
        self.model.reported().check(z).unwrap_or_else(|e| panic!("{how}: {e}"));
        let (own, its) = (self.model.log_prob(self.q, z), other.model.log_prob(other.q, z));
        assert!(own.is_finite(), "{how}: log_prob is {own} at z = {z}");
        [crate::numerics::sigmoid_scalar(its - own), own]
    }
}
