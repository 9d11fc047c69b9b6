//! Fits without settings reach the best Gaussians of fifteen posteriors.

use vi_core::{Exec, Posterior, StreamKey, Unconstrained};
use vi_diagnostics::psis;
use vi_sgvi::MultiPathfinder;
use vi_tests::best_gaussians::{Best, Family, OPTIMA, Optimum, is_khat_close, mean_and_sd, model, reach};

fn assert_reached(optimum: &Optimum, family: Family, best: Best, seed: u64) {
    let what = format!("{}, {family:?}, seed {seed}", optimum.name);
    let reached = reach(optimum, family, seed).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(reached.outcome.converged(), "{what}: {}", reached.outcome.reason);
    assert!(reached.is_closed(), "{what}: the gap is {:?}", reached.gap);
    // Nor better than the best: 5 standard errors, a false alarm in 3e-7.
    assert!(reached.gap.0 > -5.0 * reached.gap.1, "{what}: the gap is {:?}", reached.gap);
    assert!(reached.sd_off <= 0.1, "{what}: a standard deviation is off by {}", reached.sd_off);
    let khats: Vec<f64> = reached.log_ratios.iter().map(|r| psis(r).unwrap().khat).collect();
    let khat = mean_and_sd(&khats);
    assert!(is_khat_close(khat, best.khat), "{what}: k-hat is {khat:?}, that of the best {}", best.khat);
    // At the same draws nothing of the noise is left.
    for (ratios, khat) in reached.log_ratios_of_best.iter().zip(&khats) {
        let best = psis(ratios).unwrap().khat;
        assert!(
            (khat - best).abs() <= 0.1,
            "{what}: k-hat is {khat}, that of the best at the same draws {best}"
        );
    }
}

fn named(name: &str) -> &'static Optimum {
    OPTIMA.iter().find(|o| o.name == name).unwrap()
}

/// The cheapest, in the time of a debug build.
#[test]
fn a_correlation_of_almost_one_and_a_gaussian_process() {
    for name in ["kilpisjarvi", "gp_regr"] {
        let optimum = named(name);
        assert_reached(optimum, Family::MeanField, optimum.mean_field, 1);
        assert_reached(optimum, Family::FullRank, optimum.full_rank, 1);
    }
}

#[test]
#[ignore = "long: run in release"]
fn every_best_gaussian_is_reached_without_settings() {
    for optimum in &OPTIMA {
        assert_reached(optimum, Family::MeanField, optimum.mean_field, 1);
        assert_reached(optimum, Family::FullRank, optimum.full_rank, 1);
    }
}

/// Smoothed weights take the place of raw ones, and k-hat says what they are worth: enough for a regression, whose
/// log evidence is −1877.0393 + log 2 (a one-dimensional integral), and too little for eight schools.
#[test]
fn several_pathfinders_with_smoothed_weights() {
    let key = StreamKey::from_seed(2);
    let regression = Unconstrained::new(model("kidscore_momhsiq")).unwrap();
    let fit = MultiPathfinder::default().fit(&regression, key, Exec::local()).unwrap();
    let smoothed = psis(fit.log_ratios()).unwrap();
    assert!(smoothed.khat < 0.7, "{}", smoothed.khat);
    assert!((smoothed.log_mean_ratio + 1_877.039_3 - std::f64::consts::LN_2).abs() < 0.05);
    let best = named("kidscore_momhsiq").full_rank;
    for (summary, sd) in fit.with_log_weights(&smoothed.log_weights).summaries(4000, key).iter().zip(best.sd)
    {
        assert!((summary.sd / sd - 1.0).abs() < 0.1, "{summary:?}: the standard deviation is {sd}");
    }
    let schools = Unconstrained::new(model("eight_schools_noncentered")).unwrap();
    let fit = MultiPathfinder::default().fit(&schools, key, Exec::local()).unwrap();
    let khat = psis(fit.log_ratios()).unwrap().khat;
    assert!(khat > 0.7, "{khat}");
}
