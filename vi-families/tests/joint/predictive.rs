//! Student-t distributions: values against 50-digit ones (`predictive.py`), draws against densities.

use ndarray::{Array1, Array2, array};
use vi_core::StreamKey;
use vi_families::{MvStudentT, StudentT};

use crate::reference::assert_close;

#[test]
fn student_t_log_densities_and_entropies() {
    // Location, scale, dof, x; log p(x), entropy.
    let rows: [(f64, f64, f64, f64, [f64; 2]); 8] = [
        (1.5, 0.5, 3.0, 1.1, [-0.6944844550246434, 1.0803303913033455]),
        (0.0, 1.0, 1.0, 1e200, [-922.1787670834676, 2.5310242469692907]),
        (0.0, 1.0, 0.01, -3.0, [-6.438393075266053, 103.31076107581876]),
        (-2.0, 10.0, 1e-05, 10000000000.0, [-35.23219530438701, 100009.05905605009]),
        (0.0, 1.0, 30.5, 12.0, [-28.398253201811276, 1.451988156383542]),
        (0.0, 2.0, 10000.0, 7.0, [-7.733974337378376, 2.1121857162644515]),
        (0.0, 1.0, 100000000.0, 5.0, [-13.418937098204918, 1.4189385432046728]),
        (0.0, 0.001, 1000000000000000.0, 0.004, [-2.01118325422248, -5.488816745777464]),
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

#[test]
fn student_t_distribution_functions_and_quantiles() {
    // Dof, t; P(T ≤ t), P(T > t).
    let rows: [(f64, f64, [f64; 2]); 22] = [
        (0.01, 2.5, [0.5191647595072846, 0.4808352404927154]),
        (0.05, -1e200, [4.485631048063482e-11, 0.9999999999551437]),
        (0.5, 0.001, [0.5002696761657561, 0.4997303238342438]),
        (1.0, 1000000000000.0, [0.9999999999996817, 3.1830988618379067e-13]),
        (1.0, -0.7, [0.30559988778578523, 0.6944001122142148]),
        (2.5, -4.0, [0.019506487920659125, 0.9804935120793409]),
        (3.0, 1e-9, [0.5000000003675525, 0.4999999996324474]),
        (4.0, 100.0, [0.9999999700199895, 2.998001049496231e-8]),
        (10.5, -3.5, [0.0026618150701518454, 0.9973381849298482]),
        (30.0, 12.0, [0.999999999999721, 2.790092707599628e-13]),
        (200.0, -1.5, [0.06759566061351749, 0.9324043393864825]),
        (500.0, 30.0, [1.0, 3.607144444214009e-114]),
        (29999.0, 20.0, [1.0, 1.0393441528794033e-88]),
        (30000.0, -20.0, [1.0392985407212544e-88, 1.0]),
        (30000.0, 30.0, [1.0, 3.7269369212001526e-195]),
        (30000.0, 0.5, [0.6914606276098914, 0.30853937239010865]),
        (10000.0, 8.0, [0.9999999999999993, 6.910604364532691e-16]),
        (10000.0, -0.01, [0.4960107434246779, 0.5039892565753221]),
        (1000000.0, 5.0, [0.9999997133001065, 2.866998935445371e-7]),
        (100000000.0, -12.0, [1.7765754821344812e-33, 1.0]),
        (1000000000000.0, 3.0, [0.9986501019683367, 0.0013498980316633334]),
        (1e17, -6.0, [9.865876450377016e-10, 0.9999999990134123]),
    ];
    for (dof, t, [cdf, survival]) in rows {
        let q = StudentT::from_location_scale_dof(0.0, 1.0, dof).unwrap();
        let relative = |what: &str, value: f64, expected: f64| {
            let error = (value - expected).abs();
            assert!(error <= 1e-12 * expected, "{what} of t({dof}) at {t}: {value}, reference {expected}");
        };
        relative("cdf", q.cdf(t), cdf);
        relative("survival", q.survival(t), survival);
        relative("mirror", q.survival(-t), cdf);
        // Back, from the smaller tail: the other has lost the digits of t.
        let (back, slope) = (q.quantile(cdf.min(survival)).abs(), q.log_prob(t).exp() * t.abs());
        let growth = 1.0 + cdf.min(survival) / slope;
        let error = (back - t.abs()).abs();
        assert!(error <= 1e-13 * growth * t.abs(), "quantile of t({dof}): {back}, not {t}");
    }
}

#[test]
fn student_t_quantiles_at_the_ends() {
    let q = StudentT::from_location_scale_dof(1.5, 2.0, 3.0).unwrap();
    assert_eq!((q.quantile(0.0), q.quantile(0.5), q.quantile(1.0)), (f64::NEG_INFINITY, 1.5, f64::INFINITY));
    assert_eq!((q.cdf(f64::NEG_INFINITY), q.cdf(1.5), q.cdf(f64::INFINITY)), (0.0, 0.5, 1.0));
    assert!(q.quantile(-0.1).is_nan() && q.quantile(1.1).is_nan() && q.quantile(f64::NAN).is_nan());
    assert!(q.cdf(f64::NAN).is_nan() && q.survival(f64::NAN).is_nan());
    for dof in [1e-300, 1e-3, 0.5, 7.0, 1e6, 1e18, 1e300] {
        let q = StudentT::from_location_scale_dof(0.0, 1.0, dof).unwrap();
        let quantiles = [1e-300, 1e-17, 0.01, 0.0999, 0.1001, 0.3, 0.499].map(|p| q.quantile(p));
        assert!(quantiles.windows(2).all(|w| w[0] <= w[1]), "t({dof}): quantiles {quantiles:?} do not rise");
        assert!(quantiles.iter().all(|x| *x < 0.0 && !x.is_nan()), "t({dof}): {quantiles:?}");
    }
}

/// Location, scale, dof, x.
type Plane = (Array1<f64>, Array2<f64>, f64, Array1<f64>);

fn planes() -> [Plane; 5] {
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
        [-3.26640342788965, 3.520877413495022],
        [-43.80751980083295, 18.94944884206645],
        [-30.24944809777648, 2.9494488440664504],
        [-2.824297464932668, 4.4172946057457425],
        [-1.1447298858494002, 1.8378770664093456],
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
