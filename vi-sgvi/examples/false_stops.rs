//! How often stop rules stop too early, and how often too late, on targets whose optimum is known.
//!
//! ```text
//! cargo run --release -p vi-sgvi --example false_stops -- 200
//! ```
//! A mean-field Gaussian is fitted to every target from many seeds by the score function, under three rules: windows of the trace
//! (`ElboPlateau` with Adam, the default settings), `SgviSettings::black_box`, and `SgviSettings::stationary`. The gap of what
//! a run reports is computed without Monte Carlo, by quadrature.
//!
//! A stop is *false* if the run says that it converged while the gap is larger than the bound. It is *late* if the run took more
//! than five times the log joints after which the gap of its average stayed below the bound, and it is late at the end of the
//! budget, too. No rule can be in time where runs arrive before it first looks.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use rayon::prelude::*;
use vi_core::{
    Exec, GaussianExpectation, LogJoint, Observer, ObserverError, Outcome, Parameter, ParameterSpace, Role,
    StopReason, StopRule, StreamKey, Support, run,
};
use vi_families::MeanFieldGaussian;
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::{AnyOptimizer, LeaveOneOut, ScoreFunction, Sgvi, SgviInfo, SgviSettings};

/// A gap up to which a run has arrived, in nats.
const BOUND: f64 = 0.1;

/// Iterations between two looks at the gap.
const EVERY: u64 = 20;

/// A model over z ∈ ℝᴰ whose ELBO at a mean-field Gaussian is known.
trait Target: LogJoint {
    fn name(&self) -> String;
    /// E_q[log p(x, z)] for λ = (locations, log scales).
    fn expected_log_joint(&self, params: &ArrayRef1<f64>) -> f64;
}

fn elbo(target: &dyn Target, params: &ArrayRef1<f64>) -> f64 {
    let d = target.dim();
    let entropy: f64 = (0..d).map(|i| params[d + i] + 0.5 * (2.0 * std::f64::consts::PI).ln() + 0.5).sum();
    target.expected_log_joint(params) + entropy
}

fn space(d: usize) -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("z", d, Support::Real)]).expect("a vector is a space")
}

/// ∫ f(m + s x) N(x) dx by the trapezoidal rule, which for such integrands errs less than rounding.
fn expectation(m: f64, s: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (n, half_width) = (160, 9.0);
    let step = 2.0 * half_width / f64::from(n);
    let term = |i: i32| {
        let x = -half_width + step * f64::from(i);
        (-0.5 * x * x).exp() * f(m + s * x)
    };
    (0..=n).map(term).sum::<f64>() * step / (2.0 * std::f64::consts::PI).sqrt()
}

/// Two coordinates with mean (1, −2), unit variances and a correlation.
struct Correlated {
    space: ParameterSpace,
    rho: f64,
}

impl Correlated {
    fn new(rho: f64) -> Self {
        Self { space: space(2), rho }
    }
    fn log_norm(&self) -> f64 {
        -(2.0 * std::f64::consts::PI).ln() - 0.5 * (1.0 - self.rho * self.rho).ln()
    }
    /// The quadratic form of the precision.
    fn form(&self, x: f64, y: f64) -> f64 {
        (x * x - 2.0 * self.rho * x * y + y * y) / (1.0 - self.rho * self.rho)
    }
}

impl LogJoint for Correlated {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_norm() - 0.5 * self.form(z[0] - 1.0, z[1] + 2.0)
    }
}

impl Target for Correlated {
    fn name(&self) -> String {
        format!("Gaussian, correlation {}", self.rho)
    }
    fn expected_log_joint(&self, p: &ArrayRef1<f64>) -> f64 {
        let spread = ((2.0 * p[2]).exp() + (2.0 * p[3]).exp()) / (1.0 - self.rho * self.rho);
        self.log_norm() - 0.5 * (self.form(p[0] - 1.0, p[1] + 2.0) + spread)
    }
}

/// Three independent Student's t with 3 degrees of freedom, scales 1, 3 and 0.3.
struct HeavyTails(ParameterSpace);

const SCALES: [f64; 3] = [1.0, 3.0, 0.3];
const CENTRES: [f64; 3] = [1.0, -2.0, 0.5];

impl HeavyTails {
    fn log_density(d: usize, z: f64) -> f64 {
        let x = (z - CENTRES[d]) / SCALES[d];
        // Γ(2) / (Γ(3/2) √(3π)) = 2 / (π √3).
        let log_norm = (2.0 / (std::f64::consts::PI * 3f64.sqrt())).ln() - SCALES[d].ln();
        log_norm - 2.0 * (x * x / 3.0).ln_1p()
    }
}

impl LogJoint for HeavyTails {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (0..3).map(|d| Self::log_density(d, z[d])).sum()
    }
}

impl Target for HeavyTails {
    fn name(&self) -> String {
        "Student's t, 3 degrees of freedom".to_owned()
    }
    fn expected_log_joint(&self, p: &ArrayRef1<f64>) -> f64 {
        (0..3).map(|d| expectation(p[d], p[3 + d].exp(), |z| Self::log_density(d, z))).sum()
    }
}

/// Logistic regression: 50 data, an intercept and two slopes.
struct Logistic(LogisticRegression);

impl Logistic {
    fn new() -> Self {
        let x = Array2::from_shape_fn((50, 2), |(i, j)| ((i * (j + 2)) as f64).sin());
        let positive = |i: usize| (2.0 * i as f64).sin() + (i as f64).cos() > 0.3;
        let y = Array1::from_shape_fn(50, |i| f64::from(u8::from(positive(i))));
        let data = RegressionData::with_intercept(x, y).expect("finite data");
        Self(LogisticRegression::new(data, LogisticRegressionPriors::default()).expect("valid priors"))
    }
}

impl LogJoint for Logistic {
    fn parameters(&self) -> &ParameterSpace {
        self.0.parameters()
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.0.log_joint(z)
    }
    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.0.log_joint_batch(z, out);
    }
}

impl Target for Logistic {
    fn name(&self) -> String {
        "logistic regression, 50×3".to_owned()
    }
    fn expected_log_joint(&self, p: &ArrayRef1<f64>) -> f64 {
        let (location, log_scale) = p.view().split_at(Axis(0), 3);
        let (mut by_mean, mut by_sd) = (Array1::zeros(3), Array1::zeros(3));
        self.0.expected_under_gaussians(&location, &log_scale.mapv(f64::exp), &mut by_mean, &mut by_sd)
    }
}

/// The largest ELBO, by a pattern search: every element of λ by itself, then the whole move once more.
fn optimum(target: &dyn Target) -> f64 {
    let mut params = Array1::<f64>::zeros(2 * target.dim());
    let mut best = elbo(target, &params);
    let mut steps = Array1::from_elem(params.len(), 0.5);
    let mut last = params.clone();
    for _ in 0..200_000 {
        let mut moved = false;
        for i in 0..params.len() {
            for sign in [1.0, -1.0] {
                let old = params[i];
                params[i] = old + sign * steps[i];
                let value = elbo(target, &params);
                if value > best {
                    (best, moved) = (value, true);
                    steps[i] *= 1.5;
                    break;
                }
                params[i] = old;
                if sign < 0.0 {
                    steps[i] *= 0.6;
                }
            }
        }
        let ahead = &params + &(&params - &last);
        last.assign(&params);
        let value = elbo(target, &ahead);
        if value > best {
            best = value;
            params = ahead;
        }
        if !moved && steps.iter().all(|&s: &f64| s < 1e-9) {
            break;
        }
    }
    best
}

/// Watches the gap of the average.
struct Watch<'a, 'm> {
    kernel: &'a Kernel<'m>,
    target: &'a dyn Target,
    optimum: f64,
    /// Log joints after which the gap was not above the bound any more, as far as is known.
    arrived: Option<u64>,
}

type Kernel<'m> = Sgvi<'m, dyn Target + 'm, MeanFieldGaussian, ScoreFunction<LeaveOneOut>, AnyOptimizer>;

impl<'m> Observer<Kernel<'m>> for Watch<'_, 'm> {
    fn observe(
        &mut self,
        t: u64,
        state: &<Kernel<'m> as vi_core::Kernel>::State,
        _info: &SgviInfo,
    ) -> Result<(), ObserverError> {
        if (t + 1).is_multiple_of(EVERY) {
            let gap = self.optimum - elbo(self.target, &self.kernel.averaged_params(state));
            if gap > BOUND || gap.is_nan() {
                self.arrived = None;
            } else if self.arrived.is_none() {
                self.arrived = Some(state.evaluations.n_log_joint);
            }
        }
        Ok(())
    }
}

/// How one run ended.
struct End {
    outcome: Outcome,
    gap: f64,
    n_log_joint: u64,
    arrived: Option<u64>,
}

fn fit(target: &dyn Target, optimum: f64, settings: &SgviSettings, seed: u64) -> End {
    let family = MeanFieldGaussian::new(target.parameters()).expect("all of ℝᴰ");
    let kernel: Kernel<'_> = settings
        .kernel(target, &family, settings.score_function(), Exec::local())
        .expect("settings are valid");
    let mut state = kernel.init();
    let mut watch = Watch { kernel: &kernel, target, optimum, arrived: None };
    let stop: &dyn StopRule<SgviInfo> = match &settings.stationarity {
        Some(rule) => rule,
        None => &settings.tolerance,
    };
    let key = StreamKey::from_seed(seed).role(Role::Step);
    let outcome = run(&kernel, &mut state, key, 0..settings.n_iterations, stop, &mut [&mut watch])
        .unwrap_or_else(|e| panic!("{}, seed {seed}: {e}", target.name()));
    let arrived = watch.arrived;
    let gap = optimum - elbo(target, &kernel.averaged_params(&state));
    End { outcome, gap, n_log_joint: state.evaluations.n_log_joint, arrived }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[allow(clippy::print_stdout, reason = "an example that prints its table")]
fn main() {
    let n_seeds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20);
    let targets: [Box<dyn Target>; 4] = [
        Box::new(Correlated::new(0.9)),
        Box::new(Correlated::new(0.999)),
        Box::new(Logistic::new()),
        Box::new(HeavyTails(space(3))),
    ];
    let plateau = SgviSettings { n_iterations: 20_000, ..SgviSettings::default() };
    let black_box = SgviSettings { n_iterations: 20_000, ..SgviSettings::black_box() };
    let rules =
        [("trace, Adam", plateau), ("black_box", black_box), ("stationary", SgviSettings::stationary())];
    println!(
        "{n_seeds} seeds; arrived: gap ≤ {BOUND} nat; false: converged with a larger gap; late: > 5 × the log joints to arrive\n"
    );
    println!(
        "| target | rule | converged | budget | diverged | false | late | gap, median | largest | log joints, median | to arrive, median |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for target in &targets {
        let target = &**target;
        let optimum = optimum(target);
        for (name, settings) in &rules {
            let ends: Vec<End> =
                (0..n_seeds).into_par_iter().map(|seed| fit(target, optimum, settings, seed)).collect();
            let count = |holds: &dyn Fn(&End) -> bool| ends.iter().filter(|e| holds(e)).count();
            let converged = |e: &End| e.outcome.converged();
            let late = |e: &End| e.arrived.is_some_and(|n| e.n_log_joint > 5 * n);
            let gaps = || ends.iter().map(|e| e.gap);
            println!(
                "| {} | {name} | {} | {} | {} | {} | {} | {:.4} | {:.4} | {} | {} |",
                target.name(),
                count(&converged),
                count(&|e| e.outcome.reason == StopReason::Budget),
                count(&|e| e.outcome.reason.is_diverged()),
                count(&|e| converged(e) && (e.gap > BOUND || e.gap.is_nan())),
                count(&late),
                median(gaps().collect()),
                gaps().fold(f64::NEG_INFINITY, f64::max),
                median(ends.iter().map(|e| e.n_log_joint as f64).collect()),
                median(ends.iter().filter_map(|e| e.arrived.map(|n| n as f64)).collect()),
            );
        }
    }
}
