//! Fits without settings reach the best Gaussians of fifteen posteriors.

use vi_core::{Exec, Posterior, StreamKey, Unconstrained};
use vi_diagnostics::psis;
use vi_sgvi::{MultiPathfinder, Pathfinder};
use vi_tests::best_gaussians::{Best, Family, OPTIMA, Optimum, is_khat_close, mean_and_sd, reach};

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

/// Smoothed weights take the place of raw ones, and k-hat says what they are worth.
#[test]
fn several_pathfinders_with_smoothed_weights() {
    let model = vi_tests::best_gaussians::model("kidscore_momhsiq");
    let model = Unconstrained::new(model).unwrap();
    let key = StreamKey::from_seed(2);
    let fit = MultiPathfinder::default().fit(&model, key, Exec::local()).unwrap();
    let smoothed = psis(fit.log_ratios()).unwrap();
    eprintln!("{} {:?} {:?}", smoothed.khat, smoothed.log_mean_ratio, fit.best().elbo);
    let fit = fit.with_log_weights(&smoothed.log_weights);
    let summaries = fit.summaries(4000, key);
    eprintln!("{summaries:?}");
    let model = Unconstrained::new(vi_tests::best_gaussians::model("eight_schools_noncentered")).unwrap();
    for n in [1000, 20000] {
        let path = Pathfinder { n_draws: n, ..Pathfinder::default() };
        let fit = MultiPathfinder { n_paths: 4, path }.fit(&model, key, Exec::local()).unwrap();
        let smoothed = psis(fit.log_ratios()).unwrap();
        eprintln!(
            "8s {} {:?} {:?} ess {}",
            smoothed.khat,
            smoothed.log_mean_ratio,
            fit.best().elbo,
            smoothed.ess
        );
        for p in fit.paths.iter().flatten() {
            eprintln!(
                "{:?} {:?} {:?} {}",
                p.elbo,
                p.iteration,
                p.ascent.as_ref().map(|o| o.reason.to_string()),
                p.gaussian.mean()
            );
        }
        let fit = fit.with_log_weights(&smoothed.log_weights);
        eprintln!("{:?}", fit.summaries(4000, key)[8]);
    }
}
