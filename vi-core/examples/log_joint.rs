//! A model of one's own: its gradient checked, explored by a small kernel, traced, stopped and resumed.
//!
//! `cargo run -p vi-core --example log_joint --features testing`
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use vi_core::checkpoint::{self, Header};
use vi_core::testing::{check_batch, check_gradient, check_kernel};
use vi_core::{
    Checkpointer, Every, GradLogJoint, Kernel, LogJoint, NeverStop, Parameter, ParameterError,
    ParameterSpace, Role, StreamKey, Support, Trace, Unconstrained, run,
};

/// Failures of ten pumps (Gaver & O'Muircheartaigh 1987): y_n ~ Poisson(rate · t_n), rate ~ Exponential(1), up
/// to a constant.
#[derive(Debug)]
struct Pumps {
    space: ParameterSpace,
    failures: f64,
    hours: f64,
}

impl Pumps {
    fn new() -> Result<Self, ParameterError> {
        let y = [5.0, 1.0, 5.0, 14.0, 3.0, 19.0, 1.0, 1.0, 4.0, 22.0];
        let t = [94.3, 15.7, 62.9, 126.0, 5.24, 31.4, 1.05, 1.05, 2.1, 10.5];
        let space = ParameterSpace::new([Parameter::scalar("rate", Support::Positive)])?;
        Ok(Self { space, failures: y.iter().sum(), hours: t.iter().sum() })
    }
}

impl LogJoint for Pumps {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.failures * z[0].ln() - (self.hours + 1.0) * z[0]
    }
}

impl GradLogJoint for Pumps {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad[0] = self.failures / z[0] - (self.hours + 1.0);
        self.log_joint(z)
    }
}

/// Langevin steps with a Metropolis test on ℝᴰ.
#[derive(Debug)]
struct Langevin<'a> {
    model: &'a Unconstrained<Pumps>,
    step: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    u: Array1<f64>,
    grad: Array1<f64>,
    log_joint: f64,
    n_accepted: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("log joint is NaN at u = {0}")]
struct NotANumber(Array1<f64>);

impl Langevin<'_> {
    fn at(&self, u: Array1<f64>, n_accepted: u64) -> Result<State, NotANumber> {
        let mut grad = Array1::zeros(u.len());
        let log_joint = self.model.log_joint_and_grad(&u, &mut grad);
        if log_joint.is_nan() { Err(NotANumber(u)) } else { Ok(State { u, grad, log_joint, n_accepted }) }
    }

    /// log q(to | from) up to a constant.
    fn log_move(&self, from: &State, to: &State) -> f64 {
        let drift = &from.u + &(self.step * &from.grad);
        -(&to.u - &drift).mapv(|d| d * d).sum() / (4.0 * self.step)
    }
}

impl Kernel for Langevin<'_> {
    type State = State;
    type Info = ();
    type Error = NotANumber;

    fn step(&self, key: StreamKey, state: &mut State) -> Result<(), NotANumber> {
        let mut rng = key.rng(0);
        let noise = Array1::from_shape_simple_fn(state.u.len(), || rng.sample::<f64, _>(StandardNormal));
        let proposal = &state.u + &(self.step * &state.grad) + &((2.0 * self.step).sqrt() * &noise);
        let proposal = self.at(proposal, state.n_accepted + 1)?;
        let log_ratio = proposal.log_joint - state.log_joint + self.log_move(&proposal, state)
            - self.log_move(state, &proposal);
        if rng.random::<f64>().ln() < log_ratio {
            *state = proposal;
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = StreamKey::from_seed(1);
    let model = Unconstrained::new(Pumps::new()?)?;
    check_gradient(&model, 20, key.role(Role::Evaluate));
    check_batch(&model, key.role(Role::Evaluate));
    println!("gradient and batch of {:?} agree with differences and rows", model.parameters().names());

    let kernel = Langevin { model: &model, step: 0.01 };
    let start = kernel.at(Array1::zeros(1), 0)?;
    check_kernel(&kernel, &start, key.role(Role::Step), 50);
    println!("the kernel ends in the same bits on 1, 2, 3 and 7 threads, and when it is resumed");

    let directory = tempfile::tempdir()?;
    let path = directory.path().join("pumps.checkpoint");
    let header = Header::new("langevin", checkpoint::fingerprint(&("pumps", 1u64)));
    let mut checkpointer = Checkpointer::new(&path, header.clone(), 1000);
    let mut state = start;
    run(&kernel, &mut state, key.role(Role::Step), 0..2000, &NeverStop, &mut [&mut checkpointer])?;

    let (t, mut state): (u64, State) = checkpoint::read(&path, &header)?;
    println!("resumed before iteration {t}, {} steps accepted", state.n_accepted);
    let rate = Trace::<Langevin<'_>>::new().column("rate", |state, _| state.u[0].exp());
    let mut rate = Every::new(5, rate);
    run(&kernel, &mut state, key.role(Role::Step), t..t + 20_000, &NeverStop, &mut [&mut rate])?;
    let rate = rate.inner().table().column("rate").unwrap_or_default();
    let mean = rate.iter().sum::<f64>() / rate.len() as f64;
    // The posterior is Gamma(1 + Σ y_n, 1 + Σ t_n).
    let exact = (model.inner().failures + 1.0) / (model.inner().hours + 1.0);
    println!("E[rate | x] = {mean:.4} from {} draws, exactly {exact:.4}", rate.len());
    Ok(())
}
