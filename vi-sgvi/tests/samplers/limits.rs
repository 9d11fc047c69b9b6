//! What a sampler cannot do is an error that says what; bits do not depend on ranks.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::{Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::special::normal_cdf;
use vi_families::{MeanFieldGaussian, VariationalFamily};
use vi_sgvi::{
    Elbo, GradientEstimator, Memory, Overdispersed, QuasiMonteCarlo, SamplePlan, Sampler, ScoreFunction,
    SgviError,
};

use crate::common::{GaussianTarget, Model, on_ranks};

fn estimate<M: LogJoint, E>(estimator: &E, model: &M, exec: Exec<'_>) -> Result<Vec<u64>, SgviError>
where
    E: for<'a> GradientEstimator<M, MeanFieldGaussian>,
{
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = Array1::from_elem(2 * model.dim(), 0.1);
    let mut grad = Array1::zeros(params.len());
    let elbo = Elbo::new(model, &family).unwrap();
    let key = StreamKey::from_seed(3);
    let value = estimator.estimate(elbo, &params, key, exec, &mut Memory::default(), &mut grad)?;
    Ok(grad.iter().chain([&value.value]).map(|v| v.to_bits()).collect())
}

fn message<E>(estimator: &E) -> String
where
    E: for<'a> GradientEstimator<GaussianTarget, MeanFieldGaussian>,
{
    estimate(estimator, &GaussianTarget::correlated(), Exec::local()).unwrap_err().to_string()
}

#[test]
fn numbers_that_do_not_fit_are_named() {
    let loo = ScoreFunction::leave_one_out;
    assert!(message(&loo(7).antithetic()).contains("7 samples in groups of 2"));
    assert!(message(&loo(2).antithetic()).contains("at least 4 samples"));
    assert!(message(&loo(16).quasi_monte_carlo(1)).contains("at least 32 samples"));
    assert!(
        message(&loo(24).quasi_monte_carlo(2)).contains("groups of 12, but n_samples over n_randomizations")
    );
    assert!(message(&loo(25).quasi_monte_carlo(2)).contains("power of two"));
    assert!(message(&loo(1 << 18).quasi_monte_carlo(2)).contains("up to 65536"));
    assert!(message(&loo(8).quasi_monte_carlo(0)).contains("n_randomizations = 0"));
    let control = ScoreFunction::control_variate(256).quasi_monte_carlo(2);
    assert!(message(&control).contains("divisor of 64"));
    for invalid in [0.5, f64::NAN, f64::INFINITY] {
        let message = Overdispersed::new(invalid).unwrap_err().to_string();
        assert!(message.contains("dispersion") && message.contains("at least 1"), "{message}");
    }
}

#[test]
fn there_are_sobol_points_of_256_dimensions_and_no_more() {
    fn log_joint(z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z.dot(z)
    }
    for (d, fits) in [(QuasiMonteCarlo::MAX_UNIFORMS, true), (257, false)] {
        let space = ParameterSpace::new([Parameter::vector("z", d, Support::Real)]).unwrap();
        let model = Model { space, log_joint };
        let result = estimate(&ScoreFunction::leave_one_out(8).quasi_monte_carlo(2), &model, Exec::local());
        assert_eq!(result.is_ok(), fits, "{d}");
        if let Err(error) = result {
            let message = error.to_string();
            assert!(message.contains("257 uniforms") && message.contains("256"), "{message}");
        }
    }
}

/// Every randomisation of 64 points has one in each of 64 intervals of any coordinate, and of the first two one in each of
/// 8 × 8 cells: neither shift nor jitter breaks the net. Over many keys a point is uniform: the mean of 4000 has standard
/// error 0.0046, and six coordinates lie within five of them with a false alarm in 3e5 keys.
#[test]
fn sobol_points_fill_the_cube_evenly_and_each_is_uniform() {
    let d = 6;
    let space = ParameterSpace::new([Parameter::vector("z", d, Support::Real)]).unwrap();
    let family = MeanFieldGaussian::new(&space).unwrap();
    let params = Array1::zeros(2 * d);
    let q = family.bind(&params).unwrap();
    let sampler = QuasiMonteCarlo { n_randomizations: 3 };
    let uniforms = |key: StreamKey, n: usize, samples: std::ops::Range<usize>| {
        let mut z = Array2::zeros((samples.len(), d));
        sampler.plan(&q, key, n).unwrap().draw_batch(samples, &mut z);
        z.mapv(normal_cdf)
    };
    for seed in 0..20 {
        for r in 0..3 {
            let u = uniforms(StreamKey::from_seed(seed), 3 * 64, 64 * r..64 * (r + 1));
            for column in u.columns() {
                let mut seen = [0; 64];
                column.iter().for_each(|u| seen[(u * 64.0) as usize] += 1);
                assert_eq!(seen, [1; 64]);
            }
            let mut seen = [0; 64];
            u.rows().into_iter().for_each(|u| seen[8 * (u[0] * 8.0) as usize + (u[1] * 8.0) as usize] += 1);
            assert_eq!(seen, [1; 64]);
        }
    }
    let mut mean = Array1::<f64>::zeros(d);
    for seed in 0..4000 {
        mean += &(uniforms(StreamKey::from_seed(seed), 12, 5..6).row(0).to_owned() / 4000.0);
    }
    assert!(mean.iter().all(|m| (m - 0.5).abs() < 5.0 * 0.0046), "{mean}");
}

#[test]
fn values_that_are_not_finite_are_reported_with_the_point() {
    fn nan(z: &ArrayRef1<f64>) -> f64 {
        if z[0] > 0.0 { f64::NAN } else { -0.5 * z[0] * z[0] }
    }
    fn impossible(z: &ArrayRef1<f64>) -> f64 {
        if z[0] > 0.0 { f64::NEG_INFINITY } else { -0.5 * z[0] * z[0] }
    }
    for log_joint in [nan as fn(&ArrayRef1<f64>) -> f64, impossible] {
        let space = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
        let model = Model { space, log_joint };
        let plain = ScoreFunction::leave_one_out(64);
        let errors = [
            estimate(&plain.antithetic(), &model, Exec::local()),
            estimate(&plain.quasi_monte_carlo(2), &model, Exec::local()),
            estimate(&plain.with_sampler(Overdispersed::new(1.5).unwrap()), &model, Exec::local()),
        ];
        for error in errors.map(Result::unwrap_err) {
            let SgviError::NonFiniteLogJoint { value, z, .. } = error else { panic!("{error}") };
            // The point shown is the one at which the model failed.
            assert!(!value.is_finite() && z.0[0].1 > 0.0, "{value} at {z}");
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_ranks() {
    let model = GaussianTarget::correlated();
    let plain = ScoreFunction::leave_one_out(256);
    let all = |exec: Exec<'_>| {
        [
            estimate(&plain.antithetic(), &model, exec).unwrap(),
            estimate(&plain.quasi_monte_carlo(2), &model, exec).unwrap(),
            estimate(&plain.with_sampler(Overdispersed::new(1.5).unwrap()), &model, exec).unwrap(),
        ]
    };
    let one = all(Exec::local());
    for n_ranks in [2, 3] {
        for bits in on_ranks(n_ranks, all) {
            assert_eq!(bits, one, "{n_ranks} ranks");
        }
    }
}
