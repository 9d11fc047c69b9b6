//! Integrals in two dimensions, and means of dependent draws.

use ndarray::{Array1, Array3, ArrayRef1, s};
use vi_core::testing::Moments;
use vi_core::{
    ConditionallyConjugate, Draws, Exec, GradLogJoint, Parameter, ParameterSpace, StreamKey, Support,
};
use vi_diagnostics::summarise;
use vi_mcmc::{Control, McmcSettings, Nuts, NutsSettings, sample};

/// Points u, v of a grid with their log weights; the trapezoidal rule converges exponentially for functions that vanish at the
/// ends.
pub(crate) struct Grid {
    points: Vec<(f64, f64, f64)>,
    top: f64,
    log_cell: f64,
}

impl Grid {
    /// log f on `n` × `n` cells of a rectangle.
    pub(crate) fn new(
        (u0, u1): (f64, f64),
        (v0, v1): (f64, f64),
        n: usize,
        log_f: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let (du, dv) = ((u1 - u0) / n as f64, (v1 - v0) / n as f64);
        let mut points = Vec::new();
        for i in 0..=n {
            for j in 0..=n {
                let (u, v) = (u0 + du * i as f64, v0 + dv * j as f64);
                points.push((u, v, log_f(u, v)));
            }
        }
        let top = points.iter().map(|p| p.2).fold(f64::NEG_INFINITY, f64::max);
        Self { points, top, log_cell: (du * dv).ln() }
    }

    /// log ∫∫ f.
    pub(crate) fn log_integral(&self) -> f64 {
        let sum: f64 = self.points.iter().map(|p| (p.2 - self.top).exp()).sum();
        self.top + sum.ln() + self.log_cell
    }

    /// ∫∫ g f / ∫∫ f.
    pub(crate) fn mean(&self, g: impl Fn(f64, f64) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (u, v, log) in &self.points {
            let weight = (log - self.top).exp();
            total += weight;
            sum += weight * g(*u, *v);
        }
        sum / total
    }
}

/// Means of functions of the reported variables over a Gibbs chain, with errors by 100 batches.
pub(crate) fn gibbs_means<M: ConditionallyConjugate>(
    model: &M,
    n_per_batch: u64,
    key: StreamKey,
    f: impl Fn(&ArrayRef1<f64>) -> Vec<f64>,
) -> Vec<Moments> {
    let (mut q, mut stats) = model.init(key, Exec::local()).unwrap();
    let mut z = Array1::zeros(model.reported().dim());
    let mut out: Vec<Moments> = Vec::new();
    // The first batch is a warm-up.
    for batch in 0..=100 {
        let mut sums: Vec<f64> = Vec::new();
        for t in 0..n_per_batch {
            for (b, &block) in model.blocks().iter().enumerate() {
                model.condition(block, &stats, &mut q, Exec::local()).unwrap();
                let key = key.fold_in(batch * n_per_batch + t).fold_in(b as u64);
                model.draw(block, &q, key, &mut stats, Exec::local());
            }
            model.realise(&stats, &mut z);
            let values = f(&z);
            sums.resize(values.len(), 0.0);
            sums.iter_mut().zip(values).for_each(|(s, v)| *s += v / n_per_batch as f64);
        }
        out.resize_with(sums.len(), Moments::default);
        if batch > 0 {
            out.iter_mut().zip(sums).for_each(|(m, s)| m.push(s));
        }
    }
    out
}

/// Within 5 errors, which a right mean leaves with probability 2.5·10⁻⁶ (t distribution with 99 degrees of freedom).
pub(crate) fn assert_agrees(what: &str, mean: &Moments, exact: f64) {
    let (value, error) = (mean.mean(), mean.mcse());
    assert!((value - exact).abs() <= 5.0 * error, "{what}: {value} ± {error}, exactly {exact}");
}

/// Means of functions of the variables over four chains of NUTS, with their errors.
pub(crate) fn nuts_means<M: GradLogJoint>(
    model: &M,
    n_draws: usize,
    key: StreamKey,
    f: impl Fn(&ArrayRef1<f64>) -> Vec<f64>,
) -> Vec<(f64, f64)> {
    let settings = McmcSettings { n_chains: 4, n_warmup: 400, n_draws, ..McmcSettings::default() };
    let sampler = Nuts::new(model, NutsSettings::default()).unwrap();
    let fit = sample(&sampler, &settings, key, Control::none()).unwrap();
    let draws = fit.all_draws().values();
    let width = f(&draws.slice(s![0, 0, ..])).len();
    let mut values = Array3::zeros((4, draws.dim().1, width));
    for (mut to, from) in values.lanes_mut(ndarray::Axis(2)).into_iter().zip(draws.lanes(ndarray::Axis(2))) {
        to.assign(&Array1::from(f(&from)));
    }
    let space = ParameterSpace::new([Parameter::vector("f", width, Support::Real)]).unwrap();
    let summaries = summarise(&Draws::new(space, values));
    summaries.iter().map(|s| (s.mean, s.mcse_mean.unwrap())).collect()
}

/// Within 5 errors of the exact values: false-alarm probability 6·10⁻⁷ each.
pub(crate) fn assert_nuts_agrees<M: GradLogJoint>(
    model: &M,
    n_draws: usize,
    exact: &[f64],
    f: impl Fn(&ArrayRef1<f64>) -> Vec<f64>,
) {
    for (i, ((mean, error), exact)) in
        nuts_means(model, n_draws, StreamKey::from_seed(9), f).into_iter().zip(exact).enumerate()
    {
        assert!((mean - exact).abs() <= 5.0 * error, "NUTS, {i}: {mean} ± {error}, exactly {exact}");
    }
}
