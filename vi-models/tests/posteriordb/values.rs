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
            ([25.7, 5.9, 0.56, 18.0], -1877.482440038299875),
            ([20.0, 3.0, 0.6, 25.0], -1922.5267330502495589),
            ([-4.0, 1.0, 0.1, 3.5], -121205.32895266028202),
        ],
    );
    assert_values(
        "blr",
        &data::blr(),
        1.0,
        &[
            ([1.0; 6], -164.37843125295991202),
            ([0.9, 1.1, 1.0, 0.95, 1.05, 12.0], -818.26318494409450119),
            ([3.0, -2.0, 0.5, 0.25, -1.0, 30.0], -41304.186221273812753),
        ],
    );
    assert_values(
        "logearn",
        &data::logearn(),
        1.0,
        &[
            ([8.4, 0.017, -0.08, 0.0074, 0.88], -1538.7144261976013139),
            ([9.0, 0.01, 0.2, 0.002, 1.5], -1787.7825283758449382),
            ([0.0, 0.1, 1.0, -0.1, 4.0], -4259.3243638527354868),
        ],
    );
    // Level and slope cancel here, (α − α̂)² N = 10⁶ against a sum of squares of 10².
    assert_values(
        "kilpisjarvi",
        &data::kilpisjarvi(),
        1e3,
        &[
            ([-61.6, 0.0178, 1.1], -96.833683424860668557),
            ([9.3, 0.0, 2.0], -113.24366413246626243),
            ([100.0, -0.02, 15.0], -245.5261837627174958),
        ],
    );
    assert_values(
        "nes",
        &data::nes(),
        1.0,
        &[
            ([0.8, 0.79, -1.1, -0.45, -0.7, -0.5, 0.25, -0.1, 0.24, 1.8], -946.00139491611682406),
            ([0.0, 0.5, 0.5, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 3.0], -1064.9065523225555495),
            ([4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0], -1048.2277997519581924),
        ],
    );
    assert_values(
        "diamonds",
        &data::diamonds(),
        1.0,
        &[
            ([1.0, 0.5, 8.0, 0.4], -17.067133565557603006),
            ([0.2, -0.3, 5.0, 2.0], -27.519865215822016976),
            ([-1.5, 2.0, -20.0, 8.0], -70.208509296039423575),
        ],
    );
    assert_values(
        "arK",
        &data::autoregression(),
        1.0,
        &[
            ([0.0, 0.69, 0.44, 0.1, -0.04, -0.3, 0.15], 76.12098676801361885),
            ([0.5, 0.1, 0.2, 0.3, 0.4, -0.5, 1.0], -232.36081450212609355),
            ([-2.0, 1.0, -1.0, 1.0, -1.0, 1.0, 3.0], -459.63032707947208991),
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
            ([5.05, 1.4, 0.55, 0.6], -448.06973144376627196),
            ([4.0, 0.3, 0.9, 0.2], -749.37034358682807248),
            ([7.0, 3.0, 0.1, 0.95], -561.11528400586659997),
        ],
    );
    assert_values(
        "gp_regr",
        &data::gp_regression(),
        1.0,
        &[
            ([6.8, 2.3, 1.7], -29.510595799245449826),
            ([3.0, 0.5, 0.2], -117.49750122998290943),
            ([12.0, 5.0, 4.0], -45.312959140159093392),
        ],
    );
    // Pivots go down to 1e-10 and are differences of numbers of size α²: the last columns of L keep five digits.
    assert_values(
        "gp_pois_regr",
        &data::gp_poisson(),
        1e3,
        &[
            (
                [6.0, 2.5, 1.5, 0.4, -0.1, -0.3, 1.1, 1.8, 1.1, -0.05, -0.5, -0.25, -0.04],
                -87.657747594261131995,
            ),
            ([4.0, 1.0, 0.5, -0.5, 0.25, -0.25, 1.0, -1.0, 0.1, 0.2, 0.3, 0.4, -0.5], -973.38426475720769302),
            ([9.0, 3.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], -818.52994266031692538),
        ],
    );
    assert_values(
        "low_dim_gauss_mix",
        &data::two_normals(),
        1.0,
        &[
            ([-2.7, 2.9, 1.03, 1.02, 0.62], -2103.0865911414518053),
            ([-1.0, 0.5, 2.0, 0.5, 0.3], -3775.9959742574260237),
            ([1.0, 4.0, 0.7, 3.0, 0.9], -5387.4096814126693217),
        ],
    );
    // The script begins with weight 1 for each state, as the program of posteriordb.
    let states = std::f64::consts::LN_2;
    assert_values(
        "hmm_example",
        &data::hidden_markov(),
        1.0,
        &[
            ([0.67, 0.33, 0.07, 0.93, 3.0, 8.8], -166.88532908148777527 - states),
            ([0.2, 0.8, 0.5, 0.5, 1.0, 5.0], -815.21458934251727334 - states),
            ([0.99, 0.01, 0.6, 0.4, 6.0, 12.0], -494.22520611855760899 - states),
        ],
    );
    // 3200 steps, each with its rounding.
    assert_values(
        "one_comp_mm_elim_abs",
        &data::one_compartment(),
        1e2,
        &[
            ([0.76, 0.7, 0.85, 0.13], -36.27694888947922043),
            ([0.3, 2.0, 0.4, 0.5], -61.26492154124366504),
            ([2.0, 0.1, 1.5, 1.0], -72.362527238524177683),
        ],
    );
}
