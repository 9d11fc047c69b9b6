//! Concentrations that make the bound largest.

use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::latent_dirichlet::{
    Concentration, LatentDirichletAllocation, LatentDirichletPriors, Proportions,
};

use crate::corpora::{priors, simulated, sweep};

/// No neighbouring concentration has a larger bound, and in turns with sweeps the bound never falls.
#[test]
fn best_priors_are_a_maximum_and_never_lower_the_bound() {
    for proportions in [Proportions::Symmetric, Proportions::Each] {
        let mut model = LatentDirichletAllocation::new(simulated(150, 40, 4), 5, priors(2.0, 2.0)).unwrap();
        let mut state = model.init(StreamKey::from_seed(2), Exec::local()).unwrap();
        let first = sweep(&model, &mut state);
        let mut elbo = first;
        for _ in 0..15 {
            let best = model.best_priors(&state.1, proportions).unwrap();
            model = model.with_priors(&best).unwrap();
            let at_best = model.elbo(&state.0, &state.1);
            assert!(at_best >= elbo - 1e-9 * elbo.abs(), "{proportions:?}: {elbo} to {at_best}");
            for factor in [0.9, 1.1] {
                let scaled = match best.proportions.clone().unwrap() {
                    Concentration::Symmetric(alpha) => Concentration::Symmetric(alpha * factor),
                    Concentration::Each(mut alpha) => {
                        alpha[1] *= factor;
                        Concentration::Each(alpha)
                    }
                };
                for near in [
                    LatentDirichletPriors { proportions: Some(scaled), ..best.clone() },
                    LatentDirichletPriors { topics: best.topics.map(|eta| eta * factor), ..best.clone() },
                ] {
                    let near = model.clone().with_priors(&near).unwrap();
                    assert!(near.elbo(&state.0, &state.1) < at_best, "{proportions:?}");
                }
            }
            elbo = sweep(&model, &mut state);
            assert!(elbo >= at_best - 1e-9 * at_best.abs(), "{proportions:?}: {at_best} to {elbo}");
        }
        assert!(elbo > first + 100.0);
    }
}

/// The top of a function with one top between e^low and e^high, by golden sections.
fn maximise(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let golden = 0.5 * (5_f64.sqrt() - 1.0);
    while high - low > 1e-9 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if f(a.exp()) > f(b.exp()) {
            high = b;
        } else {
            low = a;
        }
    }
    (0.5 * (low + high)).exp()
}

/// Newton's method finds what golden sections on the whole bound find, which know nothing of its derivatives: to 2·10⁻⁴, as near
/// its top a bound of thousands of nats tells concentrations apart.
#[test]
fn best_priors_are_those_of_a_numeric_maximisation() {
    let model = LatentDirichletAllocation::new(simulated(60, 20, 4), 3, priors(2.0, 2.0)).unwrap();
    let mut state = model.init(StreamKey::from_seed(2), Exec::local()).unwrap();
    (0..5).for_each(|_| assert!(sweep(&model, &mut state).is_finite()));
    let bound = |alpha: Concentration, eta: f64| {
        let priors = LatentDirichletPriors { proportions: Some(alpha), topics: Some(eta) };
        model.clone().with_priors(&priors).unwrap().elbo(&state.0, &state.1)
    };
    let close = |name: &str, found: f64, expected: f64| {
        assert!((found / expected - 1.0).abs() < 2e-4, "{name}: {found}, by golden sections {expected}");
    };
    let symmetric = model.best_priors(&state.1, Proportions::Symmetric).unwrap();
    let each = model.best_priors(&state.1, Proportions::Each).unwrap();
    let (Some(Concentration::Symmetric(alpha)), Some(Concentration::Each(alphas))) =
        (symmetric.proportions, each.proportions)
    else {
        panic!("one for all and one for each");
    };
    let (alpha_of, eta) = (Concentration::Symmetric, symmetric.topics.unwrap());
    close("α", alpha, maximise(|a| bound(alpha_of(a), 1.0), -7.0, 5.0));
    close("η", eta, maximise(|eta| bound(alpha_of(1.0), eta), -7.0, 5.0));
    let mut found = vec![1.0; 3];
    for _ in 0..30 {
        for k in 0..3 {
            let at = |a: f64| {
                let mut alphas = found.clone();
                alphas[k] = a;
                bound(Concentration::Each(alphas), 1.0)
            };
            found[k] = maximise(at, -7.0, 5.0);
        }
    }
    alphas.iter().zip(&found).for_each(|(alpha, expected)| close("α_k", *alpha, *expected));
}
