//! Which estimator has the least noise on a model of your own, and which one gets furthest on an equal budget?
//!
//! Counts of a radioactive source: y_i ~ Poisson(rate), log rate ~ N(0, 2²).
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ndarray::ArrayRef1;
use vi_core::{Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::MeanFieldGaussian;
use vi_sgvi::bench::{BenchSettings, Candidate, RaceSettings, Reference, compare, points_of_fit};
use vi_sgvi::{ScoreFunction, SgviSettings};

const COUNTS: [f64; 8] = [4.0, 7.0, 3.0, 5.0, 6.0, 2.0, 8.0, 5.0];

struct Source(ParameterSpace);

impl LogJoint for Source {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    /// Up to the constants of the prior and of the counts.
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        COUNTS.iter().map(|y| y * z[0] - z[0].exp()).sum::<f64>() - z[0] * z[0] / 8.0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = Source(ParameterSpace::new([Parameter::scalar("log_rate", Support::Real)])?);
    let family = MeanFieldGaussian::new(model.parameters())?;
    let key = StreamKey::from_seed(1);
    let candidates = [
        Candidate::new(ScoreFunction::naive(16)),
        Candidate::new(ScoreFunction::moving_average(16)),
        Candidate::new(ScoreFunction::leave_one_out(16)),
        Candidate::new(ScoreFunction::control_variate(16)),
    ];
    let settings = SgviSettings { n_iterations: 1000, ..SgviSettings::default() };
    let points = points_of_fit(&model, &family, &candidates[2], &settings, key, Exec::local())?;
    let reference = Reference::Paired(Candidate::new(ScoreFunction::leave_one_out(1000)));
    let race = RaceSettings { budget: 4000.0, ..RaceSettings::default() };
    let settings = BenchSettings { race: Some(race), ..BenchSettings::default() };
    print!("{}", compare(&model, &family, &candidates, &points, &reference, &settings, key)?);
    Ok(())
}
