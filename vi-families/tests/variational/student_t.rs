//! The Student-t mean fields: the whole contract over drawn λ, values, the Gaussian limit, and errors.

use crate::common::config;
use crate::{params, reals};
use ndarray::{Array1, array, s};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::testing::{check_reparameterized, check_variational_family};
use vi_families::{
    LearnedStudentTMeanField, MeanFieldGaussian, StudentTMeanField, VariationalDistribution,
    VariationalFamily,
};

fn key() -> StreamKey {
    StreamKey::from_seed(32)
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn fixed_degrees_of_freedom(
        dof in prop_oneof![Just(0.7), Just(1.0), Just(3.0), Just(1e4)],
        d in prop_oneof![Just(1usize), Just(5)],
        lambda in params(10, 1.5),
    ) {
        let family = StudentTMeanField::new(&reals(d), dof).unwrap();
        let lambda = [lambda.slice(s![..2 * d]).to_owned()];
        check_variational_family(&family, &lambda, key());
        check_reparameterized(&family, &lambda, key());
    }

    #[test]
    fn learned_degrees_of_freedom(lambda in params(6, 1.5), log_dof in prop::collection::vec(-1.0..5.0, 3)) {
        let family = LearnedStudentTMeanField::new(&reals(3), 5.0).unwrap();
        let lambda: Array1<f64> = lambda.into_iter().chain(log_dof).collect();
        check_variational_family(&family, &[lambda], key());
    }
}

/// ν, m, s, z, log density, entropy; printed by reference.py.
const VALUES: [(f64, f64, f64, f64, f64, f64); 6] = [
    (0.1, 0.0, 1.0, 0.0, -1.909920741368282, 12.228957898730015),
    (0.5, -1.0, 2.5, 40.0, -6.9439990104514, 4.583018147978009),
    (1.0, 0.0, 1.0, 1e10, -47.196431745730314, 2.5310242469692908),
    (3.0, 1.5, 0.01, 1.52, 1.9096856155901724, -2.8316926141248004),
    (30.0, 1.0, 100.0, -350.0, -10.865444428294822, 6.057713515775299),
    (1e6, 0.0, 1.0, 3.0, -5.418923033305922, 1.4189395332049227),
];

#[test]
fn values_to_twelve_digits() {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
    for (dof, m, s, z, log_prob, entropy) in VALUES {
        let family = StudentTMeanField::new(&reals(1), dof).unwrap();
        let lambda = family.params_from_location_scale(&array![m], &array![s]);
        let q = family.bind(&lambda).unwrap();
        assert!(
            close(q.log_prob(&array![z]), log_prob),
            "ν = {dof}: {}, not {log_prob}",
            q.log_prob(&array![z])
        );
        assert!(close(q.entropy().unwrap(), entropy), "ν = {dof}: {:?}, not {entropy}", q.entropy());
        let learned = LearnedStudentTMeanField::new(&reals(1), 1.0).unwrap();
        let lambda = learned.params_from_location_scale_dof(&array![m], &array![s], &array![dof]);
        assert!(close(learned.bind(&lambda).unwrap().log_prob(&array![z]), log_prob), "ν = {dof}");
    }
}

#[test]
fn many_degrees_of_freedom_are_the_gaussian() {
    let lambda = array![0.3, -1.0, 0.2, -0.4];
    let student = StudentTMeanField::new(&reals(2), 1e8).unwrap();
    let gaussian = MeanFieldGaussian::new(&reals(2)).unwrap();
    let (q, p) = (student.bind(&lambda).unwrap(), gaussian.bind(&lambda).unwrap());
    for z in [array![0.0, 0.0], array![2.0, -3.0]] {
        assert!((q.log_prob(&z) - p.log_prob(&z)).abs() < 1e-6);
    }
    assert!((q.entropy().unwrap() - p.entropy().unwrap()).abs() < 1e-7);
}

#[test]
fn far_tails_have_a_density_and_a_score() {
    let family = LearnedStudentTMeanField::new(&reals(1), 1.0).unwrap();
    let lambda = family.init();
    let q = family.bind(&lambda).unwrap();
    for z in [1e200, -1e300] {
        // 1/(π z²) of the Cauchy law.
        let expected = -(std::f64::consts::PI.ln() + 2.0 * f64::abs(z).ln());
        assert!((q.log_prob(&array![z]) / expected - 1.0).abs() < 1e-14);
        let mut score = Array1::zeros(3);
        q.add_score(&array![z], 1.0, &mut score);
        assert!((score[0] / (2.0 / z) - 1.0).abs() < 1e-12 && (score[1] - 1.0).abs() < 1e-14, "{score}");
        assert!(score[2].is_finite());
    }
}

#[test]
fn errors_name_the_parameter_and_its_value() {
    for dof in [0.0, -1.0, 0.09, 1e9, f64::NAN, f64::INFINITY] {
        let e = StudentTMeanField::new(&reals(1), dof).unwrap_err().to_string();
        assert!(e.starts_with("StudentTMeanField: dof = "), "{e}");
        assert!(LearnedStudentTMeanField::new(&reals(1), dof).is_err());
    }
    let family = LearnedStudentTMeanField::new(&reals(2), 3.0).unwrap();
    let e = family.bind(&array![0.0, 0.0, 0.0, 0.0, 1.0, -20.0]).unwrap_err().to_string();
    assert_eq!(
        e,
        "LearnedStudentTMeanField: log_dof(theta[2]) = -20, but it must be such that the degrees of freedom are \
         between 0.1 and 1e8"
    );
    for dof in [0.1, 1e8] {
        let family = LearnedStudentTMeanField::new(&reals(1), dof).unwrap();
        assert!(family.bind(&family.init()).is_ok());
    }
}
