//! A normal latent variable of every datum: gradients in closed form, and the maximum-likelihood θ.
//!
//! ```text
//! z_n ~ N(0, 1),   x_n ~ N(b + a z_n, 1)        θ = (a, b);   x_n ~ N(b, 1 + a²) exactly
//! ```

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, array};
use vi_core::testing::check_plate;
use vi_core::{
    Exec, Parameter, ParameterSpace, PlateError, PlateLogJoint, PlateModel, StreamKey, Support,
    check_model_params,
};
use vi_families::GaussianPlate;
use vi_sgvi::testing::check_plate_estimator;
use vi_sgvi::{PlateElbo, PlateScoreFunction, PlateSettings, Table, fit_plate};

use crate::network::{differences, normal};

struct Factor {
    x: Array1<f64>,
    local: ParameterSpace,
    theta: ParameterSpace,
}

impl Factor {
    fn new(x: Array1<f64>) -> Self {
        let local = ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap();
        let names = ["slope", "mean"].map(|name| Parameter::scalar(name, Support::Real));
        Self { x, local, theta: ParameterSpace::new(names).unwrap() }
    }

    /// λ = (m, log s) of every datum.
    fn elbo(&self, theta: &ArrayRef1<f64>, params: &ArrayRef1<f64>) -> f64 {
        let (a, b) = (theta[0], theta[1]);
        let term = |(n, x): (usize, &f64)| {
            let (m, s) = (params[2 * n], params[2 * n + 1].exp());
            let misfit = (x - b - a * m).powi(2) + a * a * s * s;
            0.5 - 0.5 * (misfit + m * m + s * s + LOG_TWO_PI) + s.ln()
        };
        self.x.iter().enumerate().map(term).sum()
    }
}

const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;

struct At<'a>(&'a Factor, [f64; 2]);

impl PlateModel for Factor {
    type Cache = ();
    type At<'a> = At<'a>;
    fn n_data(&self) -> usize {
        self.x.len()
    }
    fn local_parameters(&self) -> &ParameterSpace {
        &self.local
    }
    fn model_parameters(&self) -> &ParameterSpace {
        &self.theta
    }
    fn init_model_params(&self, _: StreamKey) -> Array1<f64> {
        array![0.5, 0.0]
    }
    fn at<'a>(&'a self, theta: &'a ArrayRef1<f64>, (): &'a mut ()) -> Result<At<'a>, PlateError> {
        check_model_params(&self.theta, theta)?;
        Ok(At(self, [theta[0], theta[1]]))
    }
}

impl PlateLogJoint for At<'_> {
    fn n_model_params(&self) -> usize {
        2
    }
    fn log_joint_points(&self, data: &[usize], z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        let mut ignored = Array1::zeros(2);
        self.log_joint_points_and_add_grad(data, z, 0.0, out, &mut ignored);
    }
    fn log_joint_points_and_add_grad(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) {
        let Self(model, [a, b]) = self;
        let n_points = z.nrows() / data.len();
        for (r, out) in out.iter_mut().enumerate() {
            let z = z[[r, 0]];
            let misfit = model.x[data[r / n_points]] - b - a * z;
            *out = -0.5 * (misfit * misfit + z * z) - LOG_TWO_PI;
            grad[0] += weight * misfit * z;
            grad[1] += weight * misfit;
        }
    }
}

/// 12 elements of λ and θ: fails with probability 6.8e-6 over all keys.
#[test]
fn gradients_are_those_of_the_closed_form() {
    let model = Factor::new(array![0.3, -1.2, 2.5, 0.7, -0.1]);
    check_plate(&model, StreamKey::from_seed(1));
    let family = GaussianPlate::for_space(&model.local).unwrap();
    let table = Table::new(5, &family);
    let elbo = PlateElbo::new(&model, &family, &table).unwrap();
    let (theta, params) = (array![0.8, -0.4], normal(10, 6) * 0.5);
    let exact_model = differences(&theta, |theta| model.elbo(theta, &params));
    let exact = differences(&params, |params| model.elbo(&theta, params));
    for s in [2, 3, 10] {
        let key = StreamKey::from_seed(20 + s as u64);
        let estimator = PlateScoreFunction::leave_one_out(s);
        check_plate_estimator(&estimator, elbo, &theta, &params, &exact_model, &exact, 4000, key);
        let estimator = PlateScoreFunction::control_variate(s);
        check_plate_estimator(&estimator, elbo, &theta, &params, &exact_model, &exact, 4000, key);
    }
}

/// Variational EM finds the maximum of the likelihood, b the mean and 1 + a² the variance of the data, since q can be
/// exact: to 0.03, far above what the noise of the last steps leaves.
#[test]
fn variational_em_finds_the_maximum_likelihood() {
    let x = normal(100, 8) * 2.0 + 1.5;
    let mean = x.mean().unwrap();
    let variance = x.mapv(|x| (x - mean).powi(2)).mean().unwrap();
    let model = Factor::new(x);
    let family = GaussianPlate::for_space(&model.local).unwrap();
    let table = Table::new(100, &family);
    let elbo = PlateElbo::new(&model, &family, &table).unwrap();
    let settings = PlateSettings {
        n_iterations: 3000,
        averaging: vi_sgvi::Averaging::Tail,
        tolerance: vi_sgvi::ElboPlateau { absolute: 0.0, relative: 0.0 },
        ..PlateSettings::default()
    };
    let estimator = PlateScoreFunction::leave_one_out(8);
    let fit = fit_plate(elbo, estimator, &settings, StreamKey::from_seed(9), Exec::local()).unwrap();
    let (a, b) = (fit.model_params[0], fit.model_params[1]);
    assert!((b - mean).abs() < 0.03, "b = {b}, the mean is {mean}");
    assert!(
        (1.0 + a * a - variance).abs() < 0.03 * variance,
        "1 + a² = {}, the variance is {variance}",
        1.0 + a * a
    );
    let exact = -50.0 * (variance.ln() + LOG_TWO_PI + 1.0);
    let gap = exact - fit.elbo.value;
    assert!(gap > -4.0 * fit.elbo.mcse && gap < 1.0, "ELBO {:?}, log likelihood {exact}", fit.elbo);
    assert!(!fit.outcome.converged());
    let q = Array2::from_shape_vec((100, 2), fit.params.to_vec()).unwrap();
    let worst = (0..100).map(|n| {
        let exact = a * (model.x[n] - b) / (1.0 + a * a);
        (q[[n, 0]] - exact).abs()
    });
    assert!(worst.fold(0.0, f64::max) < 0.2, "posterior means");
}
