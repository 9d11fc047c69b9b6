//! Densities and entropies against 50-digit values (`reference.py`), which also pin the normalisation that no
//! check inside a family can see.

use ndarray::{Array1, Array2, array};
use vi_families::{
    ExponentialFamily, FamilyError, NormalGamma, NormalInverseGamma, NormalInverseWishart, NormalWishart,
};

/// 1e-12 relative to the value and to the largest term of its sum.
pub(crate) fn assert_close(what: &str, value: f64, expected: f64, size: f64) {
    let bound = 1e-12 * expected.abs().max(1e-3 * size);
    assert!((value - expected).abs() <= bound, "{what}: {value}, reference {expected}");
}

/// Mean, count, shape, rate or scale, μ, τ or σ²; log p as precision and as variance, both entropies.
type GammaRow = (f64, f64, f64, f64, f64, f64, [f64; 4]);

#[test]
fn gamma_twins() {
    let rows: [GammaRow; 5] = [
        (
            1.5,
            4.0,
            2.5,
            3.0,
            1.1,
            0.7,
            [-0.801293389324837, -1.0801008685495854, 1.5548547974931053, 2.3457660935388382],
        ),
        (
            -2.0,
            0.25,
            0.125,
            0.5,
            3.0,
            1e-06,
            [1.4626653653481951, -3624981.2679428123, 1.4573929128624414, 16.84808387833426],
        ),
        (
            0.0,
            1.0,
            1.0,
            1.0,
            0.0,
            1.0,
            [-1.9189385332046727, -1.9189385332046727, 2.707546365655439, 3.861977695458505],
        ),
        (
            1000.0,
            0.001,
            60.0,
            0.002,
            1010.0,
            25000.0,
            [-1259.2485802603817, -1184.5709459062725, 9.3976582410358, -11.20353411857566],
        ),
        (
            0.1,
            100000.0,
            10000.0,
            30000.0,
            0.101,
            0.34,
            [7.07242531121361, -56451.0797140594, -8.073070330147926, -5.87574575114504],
        ),
    ];
    for (m, k, a, b, mu, v, [precision, variance, first, second]) in rows {
        let q = NormalGamma::from_mean_count_shape_rate(m, k, a, b).unwrap();
        let size = a * b.ln().abs() + a * a.ln().abs();
        assert_close("NormalGamma", q.log_prob(&(mu, v)), precision, size);
        assert_close("NormalGamma entropy", q.entropy(), first, size);
        let q = NormalInverseGamma::from_mean_count_shape_scale(m, k, a, b).unwrap();
        assert_close("NormalInverseGamma", q.log_prob(&(mu, v)), variance, size);
        assert_close("NormalInverseGamma entropy", q.entropy(), second, size);
    }
}

/// Mean, count, dof, scale, μ, Λ or Σ.
type WishartRow = (Array1<f64>, f64, f64, Array2<f64>, Array1<f64>, Array2<f64>);

fn wishart_rows() -> [WishartRow; 5] {
    let (w, z) = (array![[0.5, 0.1], [0.1, 0.3]], array![[1.5, -0.4], [-0.4, 0.9]]);
    let w3 = array![[2.0, 0.5, -0.25], [0.5, 1.0, 0.125], [-0.25, 0.125, 0.75]];
    let z3 = array![[1.0, -0.5, 0.25], [-0.5, 2.0, 0.0], [0.25, 0.0, 0.5]];
    [
        (array![0.5, -1.0], 4.0, 4.5, w.clone(), array![1.0, 0.25], z.clone()),
        (array![0.5, -1.0], 0.01, 1.0625, w.clone(), array![-3.0, 2.0], z.clone()),
        (array![0.0, 0.0], 1.0, 200.0, w, array![0.0, 0.0], z),
        (array![1.0, 2.0, 3.0], 2.5, 3.5, w3, array![1.5, 2.0, 2.0], z3),
        (array![7.0], 3.0, 0.5, array![[0.25]], array![6.5], array![[1e-3]]),
    ]
}

#[test]
fn wishart_twins() {
    let values = [
        [-5.604884993862648, -14.915963767811743, 4.959576096619879, -3.6254766036244126],
        [-14.425121279078976, -13.67803669163989, -3.6388348819912495, 93.26817320199655],
        [-646.6766032720079, -1071.7755539842679, 8.466702254968107, -25.24415154695535],
        [-9.881763490240195, -12.21488493163054, 13.513480512379594, 9.630932441050415],
        [0.24019570131682522, -490.0889435607699, 1.0042179399446562, 6.686536284457406],
    ];
    for ((m, k, nu, w, mu, z), [precision, covariance, first, second]) in
        wishart_rows().into_iter().zip(values)
    {
        let z = (mu, z);
        let q = NormalWishart::from_mean_count_dof_scale(&m, k, nu, &w).unwrap();
        assert_close("NormalWishart", q.log_prob(&z), precision, nu);
        assert_close("NormalWishart entropy", q.entropy(), first, nu);
        let q = NormalInverseWishart::from_mean_count_dof_scale(&m, k, nu, &w).unwrap();
        assert_close("NormalInverseWishart", q.log_prob(&z), covariance, nu);
        assert_close("NormalInverseWishart entropy", q.entropy(), second, nu);
    }
}

#[test]
fn outside_the_support_the_log_density_is_minus_infinity() {
    let q = NormalGamma::from_mean_count_shape_rate(0.0, 1.0, 0.5, 1.0).unwrap();
    let inverse = NormalInverseGamma::from(q.clone());
    for v in [0.0, -1.0, f64::INFINITY] {
        let values = (q.log_prob(&(0.5, v)), inverse.log_prob(&(0.5, v)));
        assert_eq!(values, (f64::NEG_INFINITY, f64::NEG_INFINITY));
    }
    let identity = Array2::eye(2);
    let q = NormalWishart::from_mean_count_dof_scale(&array![0.0, 0.0], 1.0, 3.0, &identity).unwrap();
    let inverse = NormalInverseWishart::from(q.clone());
    for z in
        [array![[1.0, 2.0], [2.0, 1.0]], array![[1.0, 0.5], [0.4, 1.0]], array![[f64::NAN, 0.0], [0.0, 1.0]]]
    {
        let z = (array![0.0, 0.0], z);
        assert_eq!((q.log_prob(&z), inverse.log_prob(&z)), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    }
}

#[test]
fn values_of_mismatched_shapes_are_outside_the_support() {
    let q = NormalWishart::from_mean_count_dof_scale(&array![0.0, 0.0], 1.0, 3.0, &Array2::eye(2)).unwrap();
    let inverse = NormalInverseWishart::from(q.clone());
    for z in [
        (array![0.0], Array2::eye(2)),
        (array![0.0, 0.0], Array2::eye(3)),
        (array![0.0, 0.0], Array2::zeros((3, 2))),
        (array![0.0, 0.0], Array2::zeros((2, 3))),
        (Array1::zeros(0), Array2::zeros((0, 0))),
    ] {
        assert_eq!((q.log_prob(&z), inverse.log_prob(&z)), (f64::NEG_INFINITY, f64::NEG_INFINITY));
        assert!(NormalWishart::fit([&z, &z]).is_err() && NormalInverseWishart::fit([&z, &z]).is_err());
    }
}

#[test]
fn parametrisations_of_the_variance_agree() {
    let one = NormalInverseGamma::from_mean_count_dof_variance(1.0, 2.0, 5.0, 3.0).unwrap();
    assert_eq!(one, NormalInverseGamma::from_mean_count_shape_scale(1.0, 2.0, 2.5, 7.5).unwrap());
    let e = NormalInverseGamma::from_mean_count_dof_variance(1.0, 2.0, 5.0, 0.0).unwrap_err();
    assert_eq!(e.to_string(), "NormalInverseGamma: variance = 0, but it must be finite and > 0");
}

#[test]
fn errors_name_the_family_the_parameter_and_its_value() {
    let message = |e: FamilyError| e.to_string();
    let e = NormalInverseGamma::from_mean_count_shape_scale(0.0, 1.0, 1.0, -2.0).unwrap_err();
    assert_eq!(message(e), "NormalInverseGamma: scale = -2, but it must be finite and > 0");
    let (m, indefinite) = (array![0.0, 0.0], array![[1.0, 2.0], [2.0, 1.0]]);
    let e = NormalInverseWishart::from_mean_count_dof_scale(&m, 1.0, 3.0, &indefinite).unwrap_err();
    assert_eq!(message(e), "NormalInverseWishart: scale is not positive definite (pivot 1 is -3)");
    let e = NormalInverseWishart::from_mean_count_dof_scale(&m, 1.0, 1.0, &Array2::eye(2)).unwrap_err();
    let dof = "dof = 1, but it must be finite and > p − 1, p the order of the scale";
    assert_eq!(message(e), format!("NormalInverseWishart: {dof}"));
    let e = NormalWishart::from_mean_count_dof_scale(&m, 1.0, 1.0, &Array2::eye(2)).unwrap_err();
    assert_eq!(message(e), format!("NormalWishart: {dof}"));
    let e = NormalInverseWishart::from_natural(&array![1.0, 2.0, 3.0]).unwrap_err();
    assert_eq!(message(e), "NormalInverseWishart: natural parameter has length 3, expected 4");
}
