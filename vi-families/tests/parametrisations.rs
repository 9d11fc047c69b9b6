//! Every parametrisation there and back, and garbage in each of them.

mod common;

use common::{config, positive_definite, vector};
use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, array};
use proptest::prelude::*;
use vi_families::*;

fn close(what: &str, value: f64, expected: f64) {
    assert!(
        (value - expected).abs() <= 1e-11 * expected.abs().max(1e-3),
        "{what} is {value}, not {expected}"
    );
}

fn close_all<'a>(
    what: &str,
    values: impl IntoIterator<Item = &'a f64>,
    expected: impl IntoIterator<Item = &'a f64>,
) {
    let (values, expected): (Vec<_>, Vec<_>) = (values.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(values.len(), expected.len(), "{what}");
    let size = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for (v, e) in values.iter().zip(&expected) {
        assert!((*v - *e).abs() <= 1e-11 * size, "{what} is {values:?}, not {expected:?}");
    }
}

/// Numbers between e^−2.5 and e^2.5, evenly on the log scale.
fn positive() -> impl Strategy<Value = f64> {
    (-2.5..2.5f64).prop_map(f64::exp)
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn of_positive_numbers(m in positive(), v in positive()) {
        let q = Gamma::from_mean_variance(m, v).unwrap();
        close("mean of Gamma", q.mean(), m);
        close("variance of Gamma", q.variance(), v);
        let q = Gamma::from_mean_shape(m, v).unwrap();
        close("mean of Gamma", q.mean(), m);
        close("shape of Gamma", q.shape(), v);
        let q = InverseGamma::from_mean_variance(m, v).unwrap();
        close("mean of InverseGamma", q.mean(), m);
        close("variance of InverseGamma", q.variance(), v);
        let q = InverseGamma::from_scaled_inverse_chi_squared(m, v).unwrap();
        close("dof of InverseGamma", q.dof(), m);
        close("squared scale of InverseGamma", q.squared_scale(), v);
        close("harmonic mean of InverseGamma", 1.0 / q.expected_reciprocal(), v);
        let q = HalfNormal::from_mean(m).unwrap();
        close("mean of HalfNormal", q.mean(), m);
        let q = HalfNormal::from_variance(v).unwrap();
        close("variance of HalfNormal", q.variance(), v);
        let q = Rayleigh::from_mean(m).unwrap();
        close("mean of Rayleigh", q.mean(), m);
        let q = Rayleigh::from_variance(v).unwrap();
        close("variance of Rayleigh", q.variance(), v);
    }

    /// The same law under another name has the same density.
    #[test]
    fn related_families(a in positive(), b in positive(), z in positive()) {
        let chi_squared = ChiSquared::from_dof(a).unwrap();
        close("χ² as Gamma", Gamma::from(chi_squared.clone()).log_prob(&z), chi_squared.log_prob(&z));
        let exponential = Exponential::from_rate(a).unwrap();
        close("exponential as Gamma", Gamma::from(exponential.clone()).log_prob(&z), exponential.log_prob(&z));
        let gamma = Gamma::from_shape_rate(a, b).unwrap();
        let inverse = InverseGamma::from(gamma.clone());
        close("law of the reciprocal", inverse.log_prob(&(1.0 / z)), gamma.log_prob(&z) + 2.0 * z.ln());
        prop_assert_eq!(Gamma::from(inverse), gamma);
        // dof · s² / x for x ~ χ²(dof).
        let scaled = InverseGamma::from_scaled_inverse_chi_squared(a, b).unwrap();
        let expected = chi_squared.log_prob(&(a * b / z)) + (a * b / z / z).ln();
        close("scaled inverse χ²", scaled.log_prob(&z), expected);
    }

    #[test]
    fn of_intervals_and_the_line(m in 0.01..0.99f64, x in -5.0..5.0f64, v in positive(), share in 0.01..0.99f64) {
        let q = Beta::from_mean_concentration(m, v).unwrap();
        close("mean of Beta", q.mean(), m);
        close("concentration of Beta", q.concentration(), v);
        let variance = share * m * (1.0 - m);
        let q = Beta::from_mean_variance(m, variance).unwrap();
        close("mean of Beta", q.mean(), m);
        close("variance of Beta", q.variance(), variance);
        let q = Gaussian::from_canonical(x, v).unwrap();
        close("precision · mean of Gaussian", q.precision_mean(), x);
        close("precision of Gaussian", q.precision(), v);
        let q = Laplace::from_location_variance(x, v).unwrap();
        close("variance of Laplace", q.variance(), v);
        close("mean of ContinuousBernoulli", ContinuousBernoulli::from_mean(m).unwrap().mean(), m);
    }

    #[test]
    fn of_counts(m in positive(), v in positive(), x in -5.0..5.0f64) {
        close("logit of Geometric", Geometric::from_logit(x).unwrap().logit(), x);
        let q = NegativeBinomial::from_logit(v, x).unwrap();
        close("logit of NegativeBinomial", q.logit(), x);
        close("successes of NegativeBinomial", q.n_successes(), v);
        let q = NegativeBinomial::from_mean_dispersion(m, v).unwrap();
        close("mean of NegativeBinomial", q.mean(), m);
        close("dispersion of NegativeBinomial", q.dispersion(), v);
        close("variance of NegativeBinomial", q.variance(), m + v * m * m);
        let q = NegativeBinomial::from_mean_variance(m, m + v).unwrap();
        close("mean of NegativeBinomial", q.mean(), m);
        close("variance of NegativeBinomial", q.variance(), m + v);
    }

    #[test]
    fn of_vectors(m in vector(3), s in positive_definite(3), d in prop::collection::vec(positive(), 3), r in 0.0..0.99f64) {
        let q = MvGaussian::from_mean_covariance(&m, &s).unwrap();
        let again = MvGaussian::from_mean_cholesky(&m, &q.cholesky().unwrap()).unwrap();
        close_all("covariance", again.covariance(), &s);
        let again = MvGaussian::from_canonical(&q.precision_mean(), q.precision()).unwrap();
        close_all("mean", again.mean(), &m);
        close_all("covariance", again.covariance(), &s);
        close_all("factor", &again.cholesky().unwrap(), &q.cholesky().unwrap());
        let d = Array1::from(d);
        let q = DiagonalGaussian::from_canonical(&m, &d).unwrap();
        close_all("precision · mean", &q.precision_mean(), &m);
        close_all("precision", &q.precision(), &d);
        let mean = &d / d.sum();
        let q = Dirichlet::from_mean_concentration(&mean, d[0]).unwrap();
        close_all("mean of Dirichlet", &q.mean(), &mean);
        close("concentration of Dirichlet", q.total_concentration(), d[0]);
        let q = Dirichlet::symmetric(3, d[0]).unwrap();
        close_all("symmetric concentration", q.concentration(), &[d[0]; 3]);
        let direction = &m / m.dot(&m).sqrt();
        let q = VonMisesFisher::from_mean_direction_resultant_length(&m, r).unwrap();
        close("resultant length", q.resultant_length(), r);
        close_all("direction", &q.mean_direction().unwrap(), &direction);
        let q = VonMisesFisher::from_mean(&(r * &direction)).unwrap();
        close_all("mean of VonMisesFisher", &q.expected_value().unwrap(), &(r * &direction));
    }

    #[test]
    fn of_matrices(m in vector(3), s in positive_definite(3), count in positive(), more in positive()) {
        let q = Wishart::from_dof_mean(2.0 + more, &s).unwrap();
        close_all("mean of Wishart", &q.mean(), &s);
        let q = InverseWishart::from_dof_mean(4.0 + more, &s).unwrap();
        close_all("mean of InverseWishart", &q.mean().unwrap(), &s);
        close("dof of InverseWishart", Wishart::from(q).dof(), 4.0 + more);
        let q = NormalWishart::from_mean_count_dof_expected_precision(&m, count, 2.0 + more, &s).unwrap();
        close_all("expected precision", &q.expected_precision(), &s);
        let again = NormalWishart::from_mean_count_dof_inverse_scale(&m, count, q.dof(), q.inverse_scale()).unwrap();
        close_all("scale of NormalWishart", again.scale(), q.scale());
        let q = NormalInverseWishart::from_mean_count_dof_expected_covariance(&m, count, 4.0 + more, &s).unwrap();
        close_all("expected covariance", &q.expected_covariance().unwrap(), &s);
        let again =
            NormalInverseWishart::from_mean_count_dof_inverse_scale(&m, count, q.dof(), q.inverse_scale()).unwrap();
        close_all("scale of NormalInverseWishart", again.scale(), q.scale());
        prop_assert_eq!(NormalInverseWishart::from(NormalWishart::from(q.clone())), q);
    }

    #[test]
    fn of_a_location_with_its_precision(m in -5.0..5.0f64, count in positive(), a in positive(), b in positive()) {
        let q = NormalGamma::from_mean_count_shape_scale(m, count, a, b).unwrap();
        close("scale of NormalGamma", q.scale(), b);
        let q = NormalGamma::from_mean_count_dof_expected_precision(m, count, a, b).unwrap();
        close("dof of NormalGamma", q.dof(), a);
        close("expected precision", q.expected_precision(), b);
        let twin = NormalInverseGamma::from(q.clone());
        prop_assert_eq!(NormalGamma::from(twin), q);
        let q = NormalInverseGamma::from_mean_count_dof_variance(m, count, a, b).unwrap();
        close("dof of NormalInverseGamma", q.dof(), a);
        close("squared scale of NormalInverseGamma", q.squared_scale(), b);
    }
}

/// Huge, tiny, signed zeros, infinities, NaN, and plain values.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0f64,
        2 => 0.0..1.0f64,
        2 => any::<f64>(),
        1 => Just(0.0),
        1 => -1e-300..1e-300f64
    ]
}

/// An error that names its family, or a member with finite η and θ that its θ gives again.
fn sound<F: Parametric>(member: Result<F, FamilyError>) {
    match member {
        Err(error) => assert!(error.to_string().starts_with(F::NAME), "{error}"),
        Ok(member) => {
            let (eta, theta) = (member.natural(), member.parameters());
            assert!(eta.iter().chain(&theta).all(|v| v.is_finite()), "{member:?}: η = {eta}, θ = {theta}");
            assert!(!member.entropy().is_nan(), "{member:?}");
            let _ = member.with_parameters(&theta);
        }
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn garbage_in_numbers(a in anything(), b in anything(), c in anything(), d in anything()) {
        sound(Gamma::from_mean_variance(a, b));
        sound(Gamma::from_mean_shape(a, b));
        sound(InverseGamma::from_mean_variance(a, b));
        sound(InverseGamma::from_scaled_inverse_chi_squared(a, b));
        sound(HalfNormal::from_mean(a));
        sound(HalfNormal::from_variance(a));
        sound(Rayleigh::from_mean(a));
        sound(Rayleigh::from_variance(a));
        sound(Beta::from_mean_concentration(a, b));
        sound(Beta::from_mean_variance(a, b));
        sound(Gaussian::from_canonical(a, b));
        sound(Laplace::from_location_variance(a, b));
        sound(ContinuousBernoulli::from_mean(a));
        sound(Geometric::from_logit(a));
        sound(NegativeBinomial::from_logit(a, b));
        sound(NegativeBinomial::from_mean_dispersion(a, b));
        sound(NegativeBinomial::from_mean_variance(a, b));
        sound(NormalGamma::from_mean_count_shape_scale(a, b, c, d));
        sound(NormalGamma::from_mean_count_dof_expected_precision(a, b, c, d));
    }

    #[test]
    fn garbage_in_vectors(
        v in prop::collection::vec(anything(), 0..4), w in prop::collection::vec(anything(), 0..4), x in anything(),
    ) {
        let (v, w) = (Array1::from(v), Array1::from(w));
        sound(DiagonalGaussian::from_canonical(&v, &w));
        sound(Dirichlet::from_mean_concentration(&v, x));
        sound(Dirichlet::from_mean_concentration(&(&v / v.sum()), x));
        sound(Dirichlet::symmetric(v.len(), x));
        sound(VonMisesFisher::from_mean_direction_resultant_length(&v, x));
        sound(VonMisesFisher::from_mean(&v));
    }

    #[test]
    fn garbage_in_matrices(
        v in prop::collection::vec(anything(), 0..4), entries in prop::collection::vec(anything(), 9),
        (rows, columns) in (0usize..4, 0usize..4), symmetric in any::<bool>(), x in anything(), dof in anything(),
    ) {
        let v = Array1::from(v);
        let a = if symmetric {
            Array2::from_shape_fn((rows, rows), |(i, j)| (0..3).map(|k| entries[3 * i + k] * entries[3 * j + k]).sum())
        } else {
            Array2::from_shape_fn((rows, columns), |(i, j)| entries[3 * i + j])
        };
        garbage_in_a_matrix(&v, &a, x, dof);
        let lower = Array2::from_shape_fn(a.dim(), |(i, j)| if i < j { 0.0 } else { a[[i, j]] });
        sound(MvGaussian::from_mean_cholesky(&v, &lower));
    }
}

fn garbage_in_a_matrix(v: &ArrayRef1<f64>, a: &ArrayRef2<f64>, x: f64, dof: f64) {
    sound(MvGaussian::from_mean_cholesky(v, a));
    if let Ok(q) = MvGaussian::from_canonical(v, a) {
        let _ = q.cholesky();
        sound(Ok(q));
    }
    sound(Wishart::from_dof_mean(dof, a));
    sound(InverseWishart::from_dof_mean(dof, a));
    sound(NormalWishart::from_mean_count_dof_expected_precision(v, x, dof, a));
    sound(NormalInverseWishart::from_mean_count_dof_expected_covariance(v, x, dof, a));
    sound(NormalInverseWishart::from_mean_count_dof_inverse_scale(v, x, dof, a));
}

#[test]
fn errors_name_the_parameter_and_its_value() {
    fn says<F: std::fmt::Debug>(member: Result<F, FamilyError>, expected: &str) {
        assert_eq!(member.unwrap_err().to_string(), expected);
    }
    let (eye, flipped) = (Array2::<f64>::eye(2), -Array2::<f64>::eye(2));
    says(Gamma::from_mean_variance(1.0, -2.0), "Gamma: variance = -2, but it must be finite and > 0");
    says(
        Beta::from_mean_concentration(1.5, 2.0),
        "Beta: mean = 1.5, but it must be strictly between 0 and 1",
    );
    says(
        Beta::from_mean_variance(0.5, 0.25),
        "Beta: variance = 0.25, but it must be below mean · (1 − mean)",
    );
    says(
        Beta::from_mean_variance(f64::NAN, 0.25),
        "Beta: mean = NaN, but it must be strictly between 0 and 1",
    );
    says(
        NegativeBinomial::from_mean_variance(2.0, 1.5),
        "NegativeBinomial: variance − mean = -0.5, but it must be finite and > 0",
    );
    says(
        InverseWishart::from_dof_mean(3.0, &eye),
        "InverseWishart: dof = 3, but it must be > p + 1 for a finite mean, p the order of the matrix",
    );
    says(
        NormalWishart::from_mean_count_dof_expected_precision(&array![0.0, 0.0], 1.0, 3.0, &flipped),
        "NormalWishart: expected_precision is not positive definite (pivot 0 is -1)",
    );
    says(
        MvGaussian::from_mean_cholesky(&array![0.0, 0.0], &array![[1.0, 0.5], [0.0, 1.0]]),
        "MvGaussian: cholesky[0,1] = 0.5, but it must be 0 above the diagonal",
    );
    says(
        Dirichlet::from_mean_concentration(&array![0.5, 0.6], 1.0),
        "Dirichlet: Σ mean = 1.1, but it must be 1",
    );
    says(
        VonMisesFisher::from_mean(&array![3.0, 4.0]),
        "VonMisesFisher: length of the mean = 5, but it must be in [0, 1)",
    );
    // Any variance is possible beside a given mean, but only with a shape above 2.
    let heavy = InverseGamma::from_mean_variance(1.0, 1e6).unwrap();
    assert!(heavy.shape() > 2.0 && heavy.variance().is_finite());
    assert_eq!(InverseGamma::from_shape_scale(2.0, 1.0).unwrap().variance(), f64::INFINITY);
}
