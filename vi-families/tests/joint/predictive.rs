//! Student-t distributions: values against 50-digit ones (`predictive.py`), draws against densities.

use ndarray::{Array1, Array2, array};
use vi_core::StreamKey;
use vi_families::{MvStudentT, StudentT};

use crate::reference::assert_close;

#[test]
fn student_t_log_densities_and_entropies() {
    // Location, scale, dof, x; log p(x), entropy.
    let rows: [(f64, f64, f64, f64, [f64; 2]); 8] = [
        (1.5, 0.5, 3.0, 1.1, [-0.69448445502464345, 1.0803303913033456]),
        (0.0, 1.0, 1.0, 1e200, [-922.17876708346767, 2.5310242469692908]),
        (0.0, 1.0, 0.01, -3.0, [-6.4383930752660531, 103.31076107581876]),
        (-2.0, 10.0, 1e-05, 10000000000.0, [-35.232195304387009, 100009.05905605009]),
        (0.0, 1.0, 30.5, 12.0, [-28.398253201811276, 1.4519881563835419]),
        (0.0, 2.0, 10000.0, 7.0, [-7.7339743373783759, 2.1121857162644514]),
        (0.0, 1.0, 100000000.0, 5.0, [-13.418937098204918, 1.4189385432046728]),
        (0.0, 0.001, 1000000000000000.0, 0.004, [-2.01118325422248, -5.4888167457774633]),
    ];
    for (m, s, dof, x, [log_prob, entropy]) in rows {
        let q = StudentT::from_location_scale_dof(m, s, dof).unwrap();
        assert_close("log_prob", q.log_prob(x), log_prob, 1.0);
        assert_close("entropy", q.entropy(), entropy, 1.0);
    }
    let q = StudentT::from_location_scale_dof(0.0, 1.0, 3.0).unwrap();
    assert_eq!(q.log_prob(f64::INFINITY), f64::NEG_INFINITY);
    assert!(q.log_prob(f64::NAN).is_nan());
}

fn planes() -> [(Array1<f64>, Array2<f64>, f64, Array1<f64>); 5] {
    let s = array![[2.0, 0.5], [0.5, 0.75]];
    let s3 = array![[2.0, 0.5, -0.25], [0.5, 1.0, 0.125], [-0.25, 0.125, 0.75]];
    [
        (array![0.5, -1.0], s.clone(), 3.5, array![1.0, 0.25]),
        (array![0.5, -1.0], s.clone(), 0.125, array![1e6, -1e8]),
        (array![0.0, 0.0], s, 1e9, array![5.0, -4.0]),
        (array![1.0, 2.0, 3.0], s3, 40.0, array![1.0, 2.0, 3.0]),
        (array![7.0], array![[0.25]], 1.0, array![6.5]),
    ]
}

#[test]
fn multivariate_student_t_log_densities_and_entropies() {
    let values: [[f64; 2]; 5] = [
        [-3.2664034278896497, 3.5208774134950218],
        [-43.807519800832948, 18.94944884206645],
        [-30.249448097776479, 2.9494488440664504],
        [-2.8242974649326678, 4.4172946057457427],
        [-1.1447298858494002, 1.8378770664093455],
    ];
    for ((m, s, dof, x), [log_prob, entropy]) in planes().into_iter().zip(values) {
        let q = MvStudentT::from_location_scale_dof(&m, &s, dof).unwrap();
        assert_close("log_prob", q.log_prob(&x), log_prob, 1.0);
        assert_close("entropy", q.entropy(), entropy, 1.0);
        assert!((q.scale() - &s).iter().all(|d| d.abs() < 1e-15));
    }
}

#[test]
fn in_one_dimension_both_agree() {
    let line = StudentT::from_location_scale_dof(7.0, 0.5, 2.5).unwrap();
    let plane = MvStudentT::from_location_scale_dof(&array![7.0], &array![[0.25]], 2.5).unwrap();
    for x in [-1e200, -3.0, 6.5, 7.0, 1e9] {
        assert_close("log_prob", plane.log_prob(&array![x]), line.log_prob(x), 1.0);
    }
    assert_close("entropy", plane.entropy(), line.entropy(), 1.0);
    assert_close("variance", plane.variance().unwrap()[0], line.variance(), 1.0);
    assert_eq!(plane.marginal(0), line);
}

/// The mean of `f` over draws is `expected`, to 5.4 standard errors (6 false alarms in 10⁸).
fn assert_average(what: &str, values: impl Iterator<Item = f64>, expected: f64) {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for v in values {
        n += 1.0;
        sum += v - expected;
        squares += (v - expected).powi(2);
    }
    let z = sum / squares.sqrt();
    assert!(z.abs() <= 5.4, "{what}: {} over draws is {z} se from {expected}", sum / n + expected);
}

const N: u64 = 20_000;

#[test]
fn student_t_draws_follow_the_density() {
    for (m, s, dof) in [(1.5, 2.0, 0.4), (-3.0, 0.1, 1.0), (0.0, 1.0, 5.5), (10.0, 3.0, 1e5)] {
        let q = StudentT::from_location_scale_dof(m, s, dof).unwrap();
        let draws = || (0..N).map(|i| q.sample(&mut StreamKey::from_seed(8).rng(i)));
        assert_average("−log p", draws().map(|x| -q.log_prob(x)), q.entropy());
        assert_average("sign", draws().map(|x| (x - m).signum()), 0.0);
        if dof > 4.0 {
            assert_average("square", draws().map(|x| (x - q.mean()).powi(2)), q.variance());
        }
    }
}

#[test]
fn multivariate_student_t_draws_follow_the_density() {
    let (m, s) = (array![0.5, -1.0], array![[2.0, 0.5], [0.5, 0.75]]);
    for dof in [0.7, 5.5] {
        let q = MvStudentT::from_location_scale_dof(&m, &s, dof).unwrap();
        let draws = || (0..N).map(|i| q.sample(&mut StreamKey::from_seed(9).rng(i)));
        assert_average("−log p", draws().map(|x| -q.log_prob(&x)), q.entropy());
        for i in 0..2 {
            let marginal = q.marginal(i);
            assert_average("marginal", draws().map(|x| -marginal.log_prob(x[i])), marginal.entropy());
        }
        if let Some(covariance) = q.covariance() {
            assert_average("product", draws().map(|x| (x[0] - m[0]) * (x[1] - m[1])), covariance[[0, 1]]);
            assert_eq!(q.variance().unwrap(), covariance.diag());
        }
    }
}

#[test]
fn moments_that_do_not_exist_and_bad_parameters() {
    let q = |dof| StudentT::from_location_scale_dof(0.0, 1.0, dof).unwrap();
    assert!(q(1.0).mean().is_nan() && q(1.0).variance().is_nan());
    assert_eq!((q(2.0).mean(), q(2.0).variance()), (0.0, f64::INFINITY));
    let (zero, one) = (array![0.0], array![[1.0]]);
    let q = |dof| MvStudentT::from_location_scale_dof(&zero, &one, dof).unwrap();
    assert_eq!((q(1.0).mean(), q(2.0).covariance(), q(2.0).variance()), (None, None, None));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-310] {
        assert!(StudentT::from_location_scale_dof(0.0, bad, 1.0).is_err());
        assert!(StudentT::from_location_scale_dof(0.0, 1.0, bad).is_err());
        assert!(MvStudentT::from_location_scale_dof(&zero, &one, bad).is_err());
    }
    assert!(MvStudentT::from_location_scale_dof(&zero, &array![[f64::NAN]], 1.0).is_err());
    assert!(MvStudentT::from_location_scale_dof(&array![0.0, 1.0], &one, 1.0).is_err());
    assert!(MvStudentT::from_location_scale_dof(&Array1::zeros(0), &Array2::zeros((0, 0)), 1.0).is_err());
    assert!(StudentT::from_location_scale_dof(f64::NAN, 1.0, 1.0).is_err());
}
