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
