//! A model of one's own: a Gaussian of two dependent coordinates, one block each; and the same with a slip in
//! one update, which the kernel finds.
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::ArrayRef1;
use vi_cavi::{CaviSettings, fit};
use vi_core::{
    ConditionallyConjugate, ConjugateError, Exec, Parameter, ParameterSpace, StreamKey, StreamRng, Support,
};
use vi_families::{ExponentialFamily, Gaussian};

/// z ~ N(0, P⁻¹) with P = [[2, c], [c, 1]].
struct Pair {
    coupling: f64,
    /// Forgets to divide the mean by the precision: the slip.
    slip: bool,
    space: ParameterSpace,
}

const PRECISIONS: [f64; 2] = [2.0, 1.0];

impl ConditionallyConjugate for Pair {
    type Block = usize;
    /// (E[z_i], E[z_i²]).
    type Stats = [(f64, f64); 2];
    type Factors = [Gaussian; 2];

    fn blocks(&self) -> &[usize] {
        &[0, 1]
    }

    fn init(&self, key: StreamKey, _: Exec<'_>) -> Result<(Self::Factors, Self::Stats), ConjugateError> {
        let wide = Gaussian::from_mean_sd(0.0, 3.0).expect("valid constants");
        let start = [0, 1]
            .map(|i| Gaussian::from_mean_sd(wide.sample(&mut key.rng(i)), 1.0).expect("a draw is finite"));
        let stats = [moments(&start[0]), moments(&start[1])];
        Ok((start, stats))
    }

    /// q(z_b) = N(−c E[z_other] / P_bb, 1/P_bb).
    fn condition(
        &self,
        b: usize,
        stats: &Self::Stats,
        q: &mut Self::Factors,
        _: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let shift = -self.coupling * stats[1 - b].0;
        let mean = if self.slip { shift } else { shift / PRECISIONS[b] };
        q[b] = Gaussian::from_mean_precision(mean, PRECISIONS[b]).map_err(|_| ConjugateError::Domain {
            block: b.to_string(),
            parameter: "mean".to_owned(),
            value: mean,
        })?;
        Ok(())
    }

    fn expect(&self, b: usize, q: &Self::Factors, stats: &mut Self::Stats, _: Exec<'_>) {
        stats[b] = moments(&q[b]);
    }

    fn draw(&self, b: usize, q: &Self::Factors, key: StreamKey, stats: &mut Self::Stats, _: Exec<'_>) {
        let z = q[b].sample(&mut key.rng(0));
        stats[b] = (z, z * z);
    }

    fn block_log_prob(&self, b: usize, q: &Self::Factors, stats: &Self::Stats) -> f64 {
        q[b].log_prob(&stats[b].0)
    }

    fn expected_log_joint(&self, [(x, xx), (y, yy)]: &Self::Stats) -> f64 {
        let log_det = (PRECISIONS[0] * PRECISIONS[1] - self.coupling.powi(2)).ln();
        let square = PRECISIONS[0] * xx + 2.0 * self.coupling * x * y + PRECISIONS[1] * yy;
        0.5 * (log_det - square) - std::f64::consts::TAU.ln()
    }

    fn entropy(&self, q: &Self::Factors) -> f64 {
        q.iter().map(Gaussian::entropy).sum()
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &Self::Stats, z: &mut ArrayRef1<f64>) {
        z.iter_mut().zip(stats).for_each(|(z, s)| *z = s.0);
    }

    fn sample(&self, q: &Self::Factors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        z.iter_mut().zip(q).for_each(|(z, q)| *z = q.sample(rng));
    }

    fn log_prob(&self, q: &Self::Factors, z: &ArrayRef1<f64>) -> f64 {
        z.iter().zip(q).map(|(z, q)| q.log_prob(z)).sum()
    }
}

fn moments(q: &Gaussian) -> (f64, f64) {
    (q.mean(), q.expected_square())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let space = || ParameterSpace::new([Parameter::vector("z", 2, Support::Real)]);
    let key = StreamKey::from_seed(1);

    let right = Pair { coupling: 1.2, slip: false, space: space()? };
    let result = fit(&right, &CaviSettings::default(), key, Exec::local())?;
    // The target is normalised, so log p(x) = 0 and the ELBO is −KL(q ‖ p) = ½ log(1 − c²/2).
    println!("ELBO {:.9}, in closed form {:.9}", result.elbo(), 0.5 * (1.0 - 1.2f64.powi(2) / 2.0).ln());

    let wrong = Pair { slip: true, ..right };
    match fit(&wrong, &CaviSettings::default(), key, Exec::local()) {
        Ok(_) => println!("the wrong update went through"),
        Err(error) => println!("with the slip: {error}"),
    }
    Ok(())
}
