//! Natural parameters of factors, and exchangeable data.

use ndarray::Array1;

use crate::conjugate::ConditionallyConjugate;
use crate::exchangeable::{Batch, Exchangeable};
use crate::exec::Exec;
use crate::key::{Role, StreamKey};
use crate::natural::NaturalFactors;

/// Relative rounding error allowed.
const RELATIVE: f64 = 1e-9;
const N_DRAWS: u64 = 4;
const N_SWEEPS: usize = 3;

/// A state of coordinate ascent after some sweeps, and the one a sweep later.
fn two_states<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) -> [(M::Factors, M::Stats); 2] {
    let exec = Exec::local();
    let (mut q, mut stats) = model.init(key, exec).unwrap_or_else(|e| panic!("init: {e}"));
    let mut before = None;
    for _ in 0..=N_SWEEPS {
        before = Some((q.clone(), stats.clone()));
        for &block in model.blocks() {
            model.condition(block, &stats, &mut q, exec).unwrap_or_else(|e| panic!("{e}"));
            model.expect(block, &q, &mut stats, exec);
        }
    }
    let before = before.unwrap_or_else(|| (q.clone(), stats.clone()));
    [before, (q, stats)]
}

fn assert_near(what: &str, a: &Array1<f64>, b: &Array1<f64>, relative: f64) {
    let scale = a.iter().chain(b).fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= relative * (1.0 + scale), "{what}: {x} and {y} in place {i}");
    }
}

/// Checks the natural parameters of a model's factors.
///
/// 1. Setting what was read changes nothing.
/// 2. Mixing is geometric: log q_{(η + η′)/2}(z) − ½ log q_η(z) − ½ log q_η′(z) does not depend on z. It fails for
///    parameters that are not linear in natural ones, as a precision and a mean.
/// 3. The optimum at inverse temperature ½ is a member with half of η.
///
/// # Panics
/// With the block and the numbers that disagree; if a conditional cannot be formed.
pub fn check_natural<M: NaturalFactors + ?Sized>(model: &M, key: StreamKey) {
    let exec = Exec::local();
    let [(old, _), (new, stats)] = two_states(model, key.role(Role::Init));
    for &block in model.blocks() {
        let n = model.n_natural(block);
        if n == 0 {
            continue;
        }
        let read = |q: &M::Factors| {
            let mut eta = Array1::from_elem(n, f64::NAN);
            model.natural(block, q, &mut eta);
            eta
        };
        let set = |eta: &Array1<f64>| {
            let mut q = new.clone();
            model.set_natural(block, eta, &mut q).unwrap_or_else(|e| panic!("{block:?}: {e}"));
            q
        };
        // Away from each other, or a mean of the two could not be told from anything else.
        let (a, b) = (read(&new), 0.5 * &(&read(&old) + &read(&new)) * 0.8);
        assert_near(&format!("{block:?} read back"), &a, &read(&set(&a)), RELATIVE);
        let (other, middle) = (set(&b), set(&(0.5 * &(&a + &b))));
        let gaps: Vec<f64> = (0..N_DRAWS)
            .map(|s| {
                let mut z = stats.clone();
                model.draw(block, &new, key.role(Role::Evaluate).fold_in(s), &mut z, exec);
                let log_q = |q| model.block_log_prob(block, q, &z);
                log_q(&middle) - 0.5 * (log_q(&new) + log_q(&other))
            })
            .collect();
        let scale = gaps.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
        let same =
            gaps.iter().all(|g| (g - gaps[0]).abs() <= 10.0 * RELATIVE * (1.0 + scale + a.len() as f64));
        assert!(same, "{block:?}: mixing η does not mix log densities: {gaps:?}");
        let mut tempered = new.clone();
        let outcome = model.condition_tempered(block, 0.5, &stats, &mut tempered, exec);
        outcome.unwrap_or_else(|e| panic!("{block:?} at β = ½: {e}"));
        let mut cold = new.clone();
        model.condition(block, &stats, &mut cold, exec).unwrap_or_else(|e| panic!("{e}"));
        assert_near(&format!("{block:?} at β = ½"), &(0.5 * &read(&cold)), &read(&tempered), RELATIVE);
    }
}

/// Checks what stochastic variational inference needs of a model.
///
/// 1. On all data and at rate 1 a step is a sweep of coordinate ascent that begins with the local blocks, to 1e-12.
/// 2. λ̂ of batches averages to λ̂ of all data: it fails when a batch is not counted N/|B| times, or the prior is.
/// 3. `global_elbo` is the ELBO of `complete`, and the globals of `complete` are those that went in.
///
/// # Panics
/// With the block and the numbers that disagree; if a conditional cannot be formed.
pub fn check_exchangeable<M: Exchangeable + ?Sized>(model: &M, key: StreamKey) {
    let [(q, stats), (next_q, next_stats)] = two_states(model, key);
    compare_step(model, &model.globals(&q, &stats), &model.globals(&next_q, &next_stats));
}

/// [`check_exchangeable`] for a model that iterates to the optimum of its local factors, where one sweep of coordinate
/// ascent goes part of the way: the sweep begins at [`Exchangeable::complete`], with the local factors at rest.
///
/// The iteration of the model has to go on until rounding ends it.
///
/// # Panics
/// As [`check_exchangeable`].
pub fn check_exchangeable_at_rest<M: Exchangeable + ?Sized>(model: &M, key: StreamKey) {
    let exec = Exec::local();
    let [(q, stats), _] = two_states(model, key);
    let start = model.globals(&q, &stats);
    let (mut q, mut stats) = model.complete(&start, exec).unwrap_or_else(|e| panic!("complete: {e}"));
    for &block in model.blocks() {
        model.condition(block, &stats, &mut q, exec).unwrap_or_else(|e| panic!("{e}"));
        model.expect(block, &q, &mut stats, exec);
    }
    compare_step(model, &start, &model.globals(&q, &stats));
}

/// A step on all data at rate 1 leads from `start` to `end`; batches average to it; `complete` is consistent.
fn compare_step<M: Exchangeable + ?Sized>(model: &M, start: &M::Globals, end: &M::Globals) {
    let exec = Exec::local();
    let n = model.n_data();
    let all: Vec<usize> = (0..n).collect();
    let read = |block, globals: &M::Globals| {
        let mut eta = Array1::from_elem(model.n_global_natural(block), f64::NAN);
        model.global_natural(block, globals, &mut eta);
        eta
    };
    let target = |block, indices: &[usize], globals: &M::Globals| {
        let found = model.local_step(start, Batch::new(indices, n), exec);
        let found = found.unwrap_or_else(|e| panic!("local step: {e}"));
        let mut eta = Array1::from_elem(model.n_global_natural(block), f64::NAN);
        model
            .global_conditional(block, &found, globals, &mut eta)
            .unwrap_or_else(|e| panic!("{block:?}: {e}"));
        eta
    };
    let mut globals = start.clone();
    for &block in model.global_blocks() {
        let whole = target(block, &all, &globals);
        let size = (1..=n / 2).rev().find(|b| n.is_multiple_of(*b)).unwrap_or(n);
        let mut mean = Array1::zeros(whole.len());
        for batch in all.chunks(size) {
            mean += &(target(block, batch, &globals) * (size as f64 / n as f64));
        }
        assert_near(&format!("λ̂ of {block:?} over batches of {size}"), &whole, &mean, RELATIVE);
        model.set_global_natural(block, &whole, &mut globals).unwrap_or_else(|e| panic!("{block:?}: {e}"));
        assert_near(&format!("{block:?} after a step"), &read(block, end), &read(block, &globals), 1e-12);
    }
    let (q, stats) = model.complete(&globals, exec).unwrap_or_else(|e| panic!("complete: {e}"));
    let (whole, direct) = (model.elbo(&q, &stats), model.global_elbo(&globals, exec));
    let direct = direct.unwrap_or_else(|e| panic!("global_elbo: {e}"));
    assert!((whole - direct).abs() <= RELATIVE * (1.0 + whole.abs()), "ELBO {whole} and {direct}");
    for &block in model.global_blocks() {
        let again = read(block, &model.globals(&q, &stats));
        assert_near(&format!("{block:?} of complete"), &read(block, &globals), &again, RELATIVE);
    }
}
