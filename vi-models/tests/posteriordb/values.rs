//! Log joints against `reference_values.py`, which writes every model out density by density in 40 digits.

use ndarray::{Array1, Axis};
use vi_core::LogJoint;

use crate::data;

/// Alone and as a batch, to 10⁻¹² of the larger of 1 and the value times `slack`.
fn assert_values<const D: usize>(name: &str, model: &dyn LogJoint, slack: f64, values: &[([f64; D], f64)]) {
    assert_eq!(model.dim(), D, "{name}");
    for (z, expected) in values {
        let z = Array1::from(z.to_vec());
        let mut batch = Array1::zeros(1);
        model.log_joint_batch(&z.view().insert_axis(Axis(0)), &mut batch);
        for value in [model.log_joint(&z), batch[0]] {
            let error = (value - expected).abs() / expected.abs().max(1.0);
            assert!(error < 1e-12 * slack, "{name} at {z}: {value}, expected {expected}");
        }
    }
}

#[test]
fn regressions() {
    assert_values(
        "kidscore",
        &data::kidscore(),
        1.0,
        &[
            ([25.7, 5.9, 0.56, 18.0], -1877.4824400383),
            ([20.0, 3.0, 0.6, 25.0], -1922.5267330502495),
            ([-4.0, 1.0, 0.1, 3.5], -121205.32895266027),
        ],
    );
    assert_values(
        "blr",
        &data::blr(),
        1.0,
        &[
            ([1.0; 6], -164.3784312529599),
            ([0.9, 1.1, 1.0, 0.95, 1.05, 12.0], -818.2631849440945),
            ([3.0, -2.0, 0.5, 0.25, -1.0, 30.0], -41304.18622127381),
        ],
    );
    assert_values(
        "logearn",
        &data::logearn(),
        1.0,
        &[
            ([8.4, 0.017, -0.08, 0.0074, 0.88], -1538.7144261976014),
            ([9.0, 0.01, 0.2, 0.002, 1.5], -1787.782528375845),
            ([0.0, 0.1, 1.0, -0.1, 4.0], -4259.324363852736),
        ],
    );
    // Level and slope cancel here, (α − α̂)² N = 10⁶ against a sum of squares of 10².
    assert_values(
        "kilpisjarvi",
        &data::kilpisjarvi(),
        1e3,
        &[
            ([-61.6, 0.0178, 1.1], -96.83368342486067),
            ([9.3, 0.0, 2.0], -113.24366413246626),
            ([100.0, -0.02, 15.0], -245.5261837627175),
        ],
    );
    assert_values(
        "nes",
        &data::nes(),
        1.0,
        &[
            ([0.8, 0.79, -1.1, -0.45, -0.7, -0.5, 0.25, -0.1, 0.24, 1.8], -946.0013949161169),
            ([0.0, 0.5, 0.5, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 3.0], -1064.9065523225556),
            ([4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0], -1048.2277997519582),
        ],
    );
    assert_values(
        "diamonds",
        &data::diamonds(),
        1.0,
        &[
            ([1.0, 0.5, 8.0, 0.4], -17.067133565557604),
            ([0.2, -0.3, 5.0, 2.0], -27.519865215822016),
            ([-1.5, 2.0, -20.0, 8.0], -70.20850929603942),
        ],
    );
    assert_values(
        "arK",
        &data::autoregression(),
        1.0,
        &[
            ([0.0, 0.69, 0.44, 0.1, -0.04, -0.3, 0.15], 76.12098676801362),
            ([0.5, 0.1, 0.2, 0.3, 0.4, -0.5, 1.0], -232.3608145021261),
            ([-2.0, 1.0, -1.0, 1.0, -1.0, 1.0, 3.0], -459.63032707947207),
        ],
    );
}

#[test]
fn series_processes_and_mixtures() {
    assert_values(
        "garch11",
        &data::garch(),
        1.0,
        &[
            ([5.05, 1.4, 0.55, 0.6], -448.0697314437663),
            ([4.0, 0.3, 0.9, 0.2], -749.3703435868281),
            ([7.0, 3.0, 0.1, 0.95], -561.1152840058666),
        ],
    );
    assert_values(
        "gp_regr",
        &data::gp_regression(),
        1.0,
        &[
            ([6.8, 2.3, 1.7], -29.51059579924545),
            ([3.0, 0.5, 0.2], -117.49750122998292),
            ([12.0, 5.0, 4.0], -45.312959140159094),
        ],
    );
    // Pivots go down to 1e-10 and are differences of numbers of size α²: the last columns of L keep five digits.
    assert_values(
        "gp_pois_regr",
        &data::gp_poisson(),
        1e3,
        &[
            ([6.0, 2.5, 1.5, 0.4, -0.1, -0.3, 1.1, 1.8, 1.1, -0.05, -0.5, -0.25, -0.04], -87.65774759426114),
            ([4.0, 1.0, 0.5, -0.5, 0.25, -0.25, 1.0, -1.0, 0.1, 0.2, 0.3, 0.4, -0.5], -973.3842647572077),
            ([9.0, 3.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], -818.5299426603169),
        ],
    );
    assert_values(
        "low_dim_gauss_mix",
        &data::two_normals(),
        1.0,
        &[
            ([-2.7, 2.9, 1.03, 1.02, 0.62], -2103.0865911414517),
            ([-1.0, 0.5, 2.0, 0.5, 0.3], -3775.995974257426),
            ([1.0, 4.0, 0.7, 3.0, 0.9], -5387.40968141267),
        ],
    );
    // The script begins with weight 1 for each state, as the program of posteriordb.
    let states = std::f64::consts::LN_2;
    assert_values(
        "hmm_example",
        &data::hidden_markov(),
        1.0,
        &[
            ([0.67, 0.33, 0.07, 0.93, 3.0, 8.8], -166.88532908148778 - states),
            ([0.2, 0.8, 0.5, 0.5, 1.0, 5.0], -815.2145893425172 - states),
            ([0.99, 0.01, 0.6, 0.4, 6.0, 12.0], -494.2252061185576 - states),
        ],
    );
    // 3200 steps, each with its rounding.
    assert_values(
        "one_comp_mm_elim_abs",
        &data::one_compartment(),
        1e2,
        &[
            ([0.76, 0.7, 0.85, 0.13], -36.27694888947922),
            ([0.3, 2.0, 0.4, 0.5], -61.264921541243666),
            ([2.0, 0.1, 1.5, 1.0], -72.36252723852418),
        ],
    );
}
