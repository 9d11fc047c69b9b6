//! Densities and entropies against values at 50 digits (`reference.py`).

use ndarray::{Array2, array};
use vi_families::{
    DiagonalGaussian, Dirichlet, ExponentialFamily, InverseWishart, MatrixGaussian, MvGaussian,
    RowCovariance, Wishart,
};

fn assert_close(what: &str, value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{what}: {value}, reference {expected}");
}

/// Two matrices, the second nearly singular.
fn values() -> [Array2<f64>; 2] {
    [array![[1.5, -0.5], [-0.5, 1.0]], array![[1e-8, 0.0], [0.0, 1e8]]]
}

/// dof, entropy, and `log_prob` at both of [`values`].
type MatrixCase = (f64, f64, [f64; 2]);

const WISHART: [MatrixCase; 5] = [
    (1.0625, -28.23610448391791, [-8.005846864435899, -145454549.78967656]),
    (1.5, -0.9833575649800963, [-5.404551450004127, -145454547.2371938]),
    (4.5, 3.935781172506548, [-3.056963066613234, -145454545.22432074]),
    (40.0, 7.782346255069904, [-69.60585640548965, -145454615.73401212]),
    (1e6, 23.03174456794334, [-11823431.392985327, -157389544.83392712]),
];

const INVERSE_WISHART: [MatrixCase; 5] = [
    (1.0625, 70.63701645644272, [-7.134440981883174, -25000006.206180645]),
    (1.5, 10.797702591148445, [-5.401203038271939, -25000004.42413005]),
    (4.5, -2.683158671364911, [-9.00600874050758, -25000007.694220425]),
    (40.0, -14.121771835293, [-145.99156542596464, -25000140.718979075]),
    (1e6, -59.86130977983581, [-13807559.775315383, -38695987.189942953]),
];

#[test]
fn wishart() {
    let scale = array![[0.5, 0.125], [0.125, 0.375]];
    // 64/11 times its adjugate.
    let inverse = array![[0.375, -0.125], [-0.125, 0.5]] * (64.0 / 11.0);
    for (dof, entropy, log_probs) in WISHART {
        for q in [
            Wishart::from_dof_scale(dof, &scale).unwrap(),
            Wishart::from_dof_inverse_scale(dof, &inverse).unwrap(),
        ] {
            assert_close("entropy", q.entropy(), entropy);
            for (z, log_prob) in values().iter().zip(log_probs) {
                assert_close("log_prob", q.log_prob(z), log_prob);
            }
        }
    }
}

#[test]
fn inverse_wishart() {
    let scale = array![[0.5, 0.125], [0.125, 0.375]];
    for (dof, entropy, log_probs) in INVERSE_WISHART {
        let q = InverseWishart::from_dof_scale(dof, &scale).unwrap();
        assert_close("entropy", q.entropy(), entropy);
        for (z, log_prob) in values().iter().zip(log_probs) {
            assert_close("log_prob", q.log_prob(z), log_prob);
        }
    }
}

#[test]
fn mv_gaussian() {
    let (mean, covariance) = (array![0.5, -1.0], array![[2.0, 0.625], [0.625, 0.5]]);
    // Divided by the determinant, 39/64.
    let precision = array![[0.5, -0.625], [-0.625, 2.0]] * (64.0 / 39.0);
    for q in [
        MvGaussian::from_mean_covariance(&mean, &covariance).unwrap(),
        MvGaussian::from_mean_precision(&mean, &precision).unwrap(),
    ] {
        assert_close("entropy", q.entropy(), 2.5902163477943328);
        for (z, log_prob) in [
            (array![1.0, 0.25], -3.6158573734353584),
            (array![0.5, -1.0], -1.5902163477943328),
            (array![0.0, 0.0], -3.846626604204589),
            (array![1e6, -3.0], -410258051289.28252),
            (array![-7.0, 0.125], -35.39790865548664),
        ] {
            assert_close("log_prob", q.log_prob(&z), log_prob);
        }
    }
}

#[test]
fn matrix_gaussian() {
    let rows = array![[1.0, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 1.0]];
    let rows = RowCovariance::from_covariance(&rows).unwrap();
    let mean = array![[1.0, 2.0], [-1.0, 0.0], [0.5, 4.0]];
    let columns = array![[2.0, 0.625], [0.625, 0.5]];
    let q = MatrixGaussian::from_mean_covariances(&mean, &rows, &columns).unwrap();
    assert_close("entropy", q.entropy(), 7.195284898479437);
    for (z, log_prob) in [
        (mean.clone(), -4.195284898479437),
        (Array2::zeros((3, 2)), -40.57135327454781),
        (array![[3.0, -2.0], [1.0, 1.0], [0.25, 0.75]], -81.64827635147088),
        (array![[1e5, 0.0], [0.0, -1e5], [0.0, 0.0]], -25981976108.947422),
        (array![[1.5, 2.5], [-1.5, 0.5], [0.5, 3.5]], -6.673917377111915),
    ] {
        assert_close("log_prob", q.log_prob(&z), log_prob);
    }
}

#[test]
fn dirichlet() {
    let z = array![0.25, 0.25, 0.5];
    for (concentration, log_prob, entropy) in [
        (array![0.5, 2.0, 3.5], 0.5881380655504631, -2.0582311419371571),
        (array![1.0, 1.0, 1.0], std::f64::consts::LN_2, -std::f64::consts::LN_2),
        (array![0.0009765625, 0.5, 2.0], -5.832963506647359, -1018.1128141457938),
        (array![1000.0, 2000.0, 1.0], -2236.22951285533, -10.343540491207951),
        (array![1e8, 1e8, 1e8], -16989884.180306314, -18.32933440476885),
    ] {
        let q = Dirichlet::from_concentration(&concentration).unwrap();
        assert_close("log_prob", q.log_prob(&z), log_prob);
        assert_close("entropy", q.entropy(), entropy);
    }
}

#[test]
fn dirichlets_of_high_concentration_are_told_apart() {
    // To the second order in the change δ of α₁, KL = ½ δ² (ψ′(α₁) − ψ′(Σα)).
    let member = |a: f64| Dirichlet::from_concentration(&array![a, 2e9, 1e9]).unwrap();
    let trigamma = vi_families::special::trigamma;
    let expected = 0.5 * 1e8 * (trigamma(1e9) - trigamma(4e9));
    let kl = member(1e9).kl(&member(1e9 + 1e4));
    assert!((kl / expected - 1.0).abs() < 2e-5, "{kl}, expected {expected}");
}

#[test]
fn wisharts_of_many_degrees_of_freedom_are_told_apart() {
    // To the second order in the change δ of ν, KL = ½ (δ/2)² ψ′_p(ν/2).
    let scale = array![[0.5, 0.125], [0.125, 0.375]];
    let (a, b) = (1e9, 1e9 + 1e4);
    let member = |dof: f64| Wishart::from_dof_scale(dof, &scale).unwrap();
    let curvature = vi_families::special::multivariate_trigamma(2, 0.5 * a);
    let expected = (b - a) * (b - a) / 8.0 * curvature;
    let kl = member(a).kl(&member(b));
    assert!((kl / expected - 1.0).abs() < 2e-5, "{kl}, expected {expected}");
}

#[test]
fn diagonal_gaussian() {
    let q =
        DiagonalGaussian::from_mean_variance(&array![0.5, -1.0, 2.0], &array![0.25, 1e-4, 900.0]).unwrap();
    assert_close("entropy", q.entropy(), 2.3596956147281369);
    for (z, log_prob) in [
        (array![0.5, -1.0, 2.0], -0.8596956147281369),
        (array![0.0, 0.0, 0.0], -5001.361917836951),
        (array![1e-8, 3.0, -40.0], -80002.33969559472),
        (array![1e8, 1.0, 1.0], -19999999800020001.0),
        (array![0.3, 0.7, 2.1], -14450.939701170284),
    ] {
        assert_close("log_prob", q.log_prob(&z), log_prob);
    }
}
