//! What is not defined is NaN or None, never a number that looks like an answer.

use ndarray::{Array2, Array3, array};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vi_core::{Draws, Parameter, ParameterSpace, Support};
use vi_diagnostics::{
    ess_bulk, ess_mean, ess_quantile, ess_tail, mcse_mean, mcse_quantile, mcse_sd, rhat, summarise,
    summarise_independent,
};

fn all(x: &Array2<f64>) -> [f64; 8] {
    [
        rhat(x),
        ess_bulk(x),
        ess_tail(x),
        ess_mean(x),
        ess_quantile(x, 0.5),
        mcse_mean(x),
        mcse_sd(x),
        mcse_quantile(x, 0.5),
    ]
}

#[test]
fn nothing_is_known_about_unusable_chains() {
    let mut with_nan = Array2::from_shape_fn((2, 10), |(c, i)| ((c + 3) * (i + 1) % 7) as f64);
    assert!(all(&with_nan).iter().all(|v| v.is_finite()));
    with_nan[(1, 3)] = f64::NAN;
    let mut with_infinity = with_nan.clone();
    with_infinity[(1, 3)] = f64::INFINITY;
    let too_short = array![[1.0, 2.0, 3.0], [2.0, 3.0, 1.0]];
    let none: Array2<f64> = Array2::zeros((0, 0));
    for x in [with_nan, with_infinity, too_short, none, Array2::from_elem((4, 100), 2.5)] {
        assert!(all(&x).iter().all(|v| v.is_nan()), "{:?} of {x}", all(&x));
    }
}

#[test]
fn chains_that_never_moved_from_different_starts() {
    let x = Array2::from_shape_fn((2, 100), |(c, _)| c as f64);
    assert_eq!(rhat(&x), f64::INFINITY);
    assert!(ess_bulk(&x) < 4.0, "{}", ess_bulk(&x));
}

#[test]
fn a_fair_coin_has_no_scale_to_fold() {
    let x = Array2::from_shape_fn((2, 100), |(c, i)| ((i * (i + 3) / 2 + c) % 2) as f64);
    assert!((0.9..1.2).contains(&rhat(&x)), "{}", rhat(&x));
}

#[test]
fn summaries_of_chains_and_of_independent_draws() {
    let space = ParameterSpace::new([
        Parameter::scalar("mu", Support::Real),
        Parameter::scalar("stuck", Support::Real),
    ])
    .unwrap();
    let values =
        Array3::from_shape_fn(
            (2, 50, 2),
            |(c, i, d)| {
                if d == 1 { 3.0 } else { ((i * 37 + 11 * c) % 50) as f64 / 50.0 }
            },
        );
    let draws = Draws::new(space, values);
    let rows = summarise(&draws);
    assert_eq!((rows[0].name.as_str(), rows[1].name.as_str()), ("mu", "stuck"));
    assert!((rows[0].mean - 0.49).abs() < 1e-12);
    assert_eq!(rows[0].rhat, Some(rhat(&draws.coordinate(0))));
    assert_eq!(rows[0].ess_tail, Some(ess_tail(&draws.coordinate(0))));
    assert_eq!((rows[1].mean, rows[1].sd, rows[1].q05), (3.0, 0.0, 3.0));
    assert_eq!(
        (rows[1].mcse_mean, rows[1].ess_bulk, rows[1].ess_tail, rows[1].rhat),
        (None, None, None, None)
    );

    let rows = summarise_independent(&draws);
    assert!((rows[0].mcse_mean.unwrap() - rows[0].sd / 10.0).abs() < 1e-15);
    assert_eq!((rows[0].rhat, rows[0].ess_bulk, rows[0].ess_tail), (None, None, None));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Rank-normalised diagnostics do not change under increasing maps, and R̂ not under the order of chains.
    #[test]
    fn rank_diagnostics_are_invariant(values in prop::collection::vec(-3.0..3.0f64, 40)) {
        let x = Array2::from_shape_vec((4, 10), values).unwrap();
        prop_assume!(ess_bulk(&x).is_finite());
        prop_assert_eq!(ess_bulk(&x).to_bits(), ess_bulk(&x.mapv(f64::exp)).to_bits());
        let mut swapped = x.clone();
        swapped.row_mut(0).assign(&x.row(3));
        swapped.row_mut(3).assign(&x.row(0));
        prop_assert!((rhat(&x) - rhat(&swapped)).abs() < 1e-12);
        prop_assert!((mcse_mean(&(&x * 10.0)) - 10.0 * mcse_mean(&x)).abs() < 1e-9);
    }
}
