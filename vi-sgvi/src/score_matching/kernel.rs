//! The kernel: draw a batch, evaluate its scores, match.

use std::fmt;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::linalg::{Cholesky, LinalgError, gemm};
use vi_core::{ElboEstimate, Exec, GradLogJoint, Kernel, StopReason, StopRule, StreamKey};
use vi_families::{FullRankGaussian, VariationalFamily, fill_standard_normal};

use super::rule::{MatchRule, WhitenedGaussian};
use crate::error::{SgviError, require};
use crate::estimator::Evaluations;
use crate::scores::Scores;
use crate::window::{Compare, ElboPlateau, Window, WindowComparison, WindowState};

/// Fits a Gaussian with full covariance by matching scores.
///
/// ```text
/// z_b ~ q_t = N(m_t, L_t L_tᵀ),  g_b = ∇ log p(x, z_b),  b = 1 … B;     q_{t+1} = rule(z, g)
/// ```
/// Requirements: `M: GradLogJoint` over real variables (wrap a constrained model in [`vi_core::Unconstrained`]). Cost per
/// iteration: B gradients, and what the [`MatchRule`] says. Run it with [`vi_core::run`] and the stop rule [`ElboPlateau`]
/// on the ELBO estimates that the batches give for nothing, or in one call with [`super::fit_score_matching`].
pub struct ScoreMatching<'a, M: ?Sized, R> {
    model: &'a M,
    family: FullRankGaussian,
    rule: R,
    n_batch: usize,
    window: Window,
    exec: Exec<'a>,
}

impl<M: ?Sized, R: fmt::Debug> fmt::Debug for ScoreMatching<'_, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScoreMatching")
            .field("rule", &self.rule)
            .field("n_batch", &self.n_batch)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// All that [`ScoreMatching`] carries from one iteration to the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScoreMatchingState {
    /// m (D).
    pub mean: Array1<f64>,
    /// L (D, D), lower triangular with a positive diagonal: the covariance is LLᵀ.
    pub factor: Array2<f64>,
    /// Iterations done, on which the schedule of a rule depends.
    pub n_steps: u64,
    /// The ELBO estimate of every iteration, in nats.
    pub elbo_trace: Vec<f64>,
    /// Evaluations of the model so far.
    pub evaluations: Evaluations,
    window: WindowState,
    #[serde(skip)]
    scratch: Scratch,
}

/// Carries nothing from one step to the next.
#[derive(Clone, Debug, Default)]
struct Scratch {
    noise: Array2<f64>,
    points: Array2<f64>,
    scores: Scores,
}

/// What an iteration of [`ScoreMatching`] reports, of the q from which it drew its batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreMatchingInfo {
    /// The ELBO, from the draws of the batch; with one draw its error is infinite.
    pub elbo: ElboEstimate,
    /// The score-based divergence (1/B) Σ_b ‖∇ log q(z_b) − ∇ log p(x, z_b)‖²_Σ, zero when q is the posterior.
    pub score_divergence: f64,
    /// At the end of the second and every later window: how its mean ELBO compares with that of the one before.
    pub window: Option<WindowComparison>,
}

impl StopRule<ScoreMatchingInfo> for ElboPlateau {
    fn check(&self, _t: u64, info: &ScoreMatchingInfo) -> Option<StopReason> {
        self.compare(info.window?)
    }
}

impl<'a, M: GradLogJoint + ?Sized, R: MatchRule> ScoreMatching<'a, M, R> {
    /// A kernel with `n_batch` draws per iteration on the threads of the current pool.
    ///
    /// # Errors
    /// [`SgviError::Family`] names a variable that is not real; [`SgviError::Setting`] a setting outside its domain.
    pub fn new(model: &'a M, rule: R, n_batch: usize) -> Result<Self, SgviError> {
        rule.check()?;
        require(n_batch >= 1, "n_batch", n_batch as f64, "≥ 1")?;
        let family = FullRankGaussian::new(model.parameters())?;
        Ok(Self { model, family, rule, n_batch, window: Window::default(), exec: Exec::local() })
    }

    /// Compares other windows of the ELBO trace.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain, or `window.compare` when it is not the trace: there is
    /// no average of iterates here.
    pub fn with_window(self, window: Window) -> Result<Self, SgviError> {
        window.validate()?;
        if let Compare::Averages { n_samples } = window.compare {
            require(
                false,
                "window.compare.averages.n_samples",
                n_samples as f64,
                "absent: compare the trace",
            )?;
        }
        Ok(Self { window, ..self })
    }

    /// Runs on other ranks and threads; the bits of the result stay the same.
    #[must_use]
    pub fn with_exec(self, exec: Exec<'a>) -> Self {
        Self { exec, ..self }
    }

    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// The family of q.
    pub fn family(&self) -> &FullRankGaussian {
        &self.family
    }

    /// Threads and ranks.
    pub fn exec(&self) -> Exec<'a> {
        self.exec
    }

    /// The state before the first iteration, at the standard Gaussian.
    pub fn init(&self) -> ScoreMatchingState {
        let d = self.model.dim();
        self.start(Array1::zeros(d), Array2::eye(d))
    }

    /// The state before the first iteration, at the Gaussian with this mean (D) and covariance (D, D).
    ///
    /// # Errors
    /// [`SgviError::Family`] when the covariance is not positive definite or the mean is not finite.
    ///
    /// # Panics
    /// If a length is not D.
    pub fn init_at(
        &self,
        mean: &ArrayRef1<f64>,
        covariance: &ArrayRef2<f64>,
    ) -> Result<ScoreMatchingState, SgviError> {
        let params = self.family.params_from_mean_covariance(mean, covariance)?;
        let factor = self.family.bind(&params)?.factor().clone();
        Ok(self.start(mean.to_owned(), factor))
    }

    fn start(&self, mean: Array1<f64>, factor: Array2<f64>) -> ScoreMatchingState {
        ScoreMatchingState {
            mean,
            factor,
            n_steps: 0,
            elbo_trace: Vec::new(),
            evaluations: Evaluations::default(),
            window: WindowState::new(self.window),
            scratch: Scratch::default(),
        }
    }

    /// λ of q as a member of [`FullRankGaussian`] (P).
    pub fn params(&self, state: &ScoreMatchingState) -> Array1<f64> {
        let rows = (0..self.model.dim()).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let packed = rows.map(|(i, j)| {
            let l = state.factor[[i, j]];
            if i == j { l.ln() } else { l }
        });
        state.mean.iter().copied().chain(packed).collect()
    }

    /// Draws ε and z = m + Lε.
    fn draw(&self, key: StreamKey, state: &mut ScoreMatchingState) {
        let (n, d) = (self.n_batch, self.model.dim());
        let Scratch { noise, points, .. } = &mut state.scratch;
        if noise.dim() != (n, d) {
            (*noise, *points) = (Array2::zeros((n, d)), Array2::zeros((n, d)));
        }
        let rows = noise.as_slice_mut().expect("a new array is contiguous");
        self.exec.for_each_chunk(rows, d, |items, rows| {
            for (b, row) in items.zip(rows.chunks_exact_mut(d)) {
                fill_standard_normal(&mut key.rng(b as u64), row);
            }
        });
        gemm(1.0, noise, &state.factor.t(), 0.0, points);
        *points += &state.mean;
    }

    /// The ELBO from log p and log q at the draws.
    fn elbo(state: &ScoreMatchingState) -> ElboEstimate {
        let Scratch { noise, scores, .. } = &state.scratch;
        let d = state.mean.len() as f64;
        let log_det: f64 = state.factor.diag().iter().map(|l| l.ln()).sum();
        let constant = log_det + 0.5 * d * std::f64::consts::TAU.ln();
        let ratios: Array1<f64> = scores
            .log_joint
            .iter()
            .zip(noise.rows())
            .map(|(log_joint, e)| log_joint + 0.5 * e.dot(&e) + constant)
            .collect();
        match ratios.len() {
            1 => ElboEstimate { value: ratios[0], mcse: f64::INFINITY, n_samples: 1 },
            _ => ElboEstimate::from_log_ratios(&ratios),
        }
    }

    fn step_here(
        &self,
        key: StreamKey,
        state: &mut ScoreMatchingState,
    ) -> Result<ScoreMatchingInfo, SgviError> {
        self.draw(key, state);
        let Scratch { noise, points, scores } = &mut state.scratch;
        scores.evaluate(self.model, points, self.exec)?;
        scores.check(self.model, points)?;
        let mut whitened = Array2::zeros(points.dim());
        gemm(1.0, &scores.grad, &state.factor, 0.0, &mut whitened);
        let mismatch = &whitened + &*noise;
        let score_divergence = mismatch.iter().map(|v| v * v).sum::<f64>() / self.n_batch as f64;
        let matched = self
            .rule
            .update(state.n_steps, noise, &whitened)
            .map_err(|source| SgviError::Match { rule: self.rule.name(), source })?;
        let elbo = Self::elbo(state);
        self.advance(state, &matched)?;
        state.n_steps += 1;
        state.evaluations += Evaluations { n_gradient: self.n_batch as u64, ..Evaluations::default() };
        state.elbo_trace.push(elbo.value);
        let windows = state.window.push(self.window, elbo.value, None);
        let window = windows.map(|(earlier, later)| later.against(&earlier));
        Ok(ScoreMatchingInfo { elbo, score_divergence, window })
    }

    /// m ← m + Lδ, L ← L chol(S); the state stays as it was when there is an error.
    fn advance(&self, state: &mut ScoreMatchingState, matched: &WhitenedGaussian) -> Result<(), SgviError> {
        let name = |i: usize| self.model.parameters().names()[i].clone();
        // L is lower triangular: row i of the factor of S belongs to coordinate i of z.
        let root = Cholesky::factor(&matched.covariance).map_err(|error| match error {
            LinalgError::NotPositiveDefinite { pivot, value } => {
                SgviError::CovarianceLost { coordinate: name(pivot), value }
            }
            source => SgviError::Match { rule: self.rule.name(), source },
        })?;
        let mean = &state.mean + &state.factor.dot(&matched.shift);
        if let Some(i) = mean.iter().position(|m| !m.is_finite()) {
            let parameter = format!("location({})", name(i));
            return Err(SgviError::NonFiniteParameter { parameter, value: mean[i] });
        }
        let mut factor = Array2::zeros(state.factor.dim());
        gemm(1.0, &state.factor, root.l(), 0.0, &mut factor);
        for (i, row) in factor.rows().into_iter().enumerate() {
            let broken = row.iter().find(|l| !l.is_finite()).or((row[i] <= 0.0).then_some(&row[i]));
            if let Some(&value) = broken {
                return Err(SgviError::CovarianceLost { coordinate: name(i), value });
            }
        }
        (state.mean, state.factor) = (mean, factor);
        Ok(())
    }
}

impl<M: GradLogJoint + ?Sized, R: MatchRule> Kernel for ScoreMatching<'_, M, R> {
    type State = ScoreMatchingState;
    type Info = ScoreMatchingInfo;
    type Error = SgviError;

    fn step(&self, key: StreamKey, state: &mut ScoreMatchingState) -> Result<ScoreMatchingInfo, SgviError> {
        self.exec.enter(|| self.step_here(key, state))
    }
}
