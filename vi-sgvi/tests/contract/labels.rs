//! What is labelled biased is biased. That all others are not labelled is checked where they are shown to be unbiased.
//!
//! Reuse of samples inside a run and quadrature of what is no polynomial are labelled too; that they are biased is shown in the tests of
//! samplers and factors.

use vi_families::ProductFamily;
use vi_sgvi::{GradientEstimator, LocalQuadrature, SameSampleControlVariate, SampleReuse, ScoreFunction};

use crate::case::{Case, Target};
use crate::common::{Spins, params_of};

#[test]
fn coefficients_from_the_same_samples_are_biased_and_say_so() {
    let model = Spins::five_bits();
    let family = model.family();
    let case = Case::new("five bits, labelled", &model, &family, params_of(&family));
    for (s, n_replicates) in [(2, 2_000), (3, 4_000), (10, 8_000)] {
        let whole = ScoreFunction::new(s, SameSampleControlVariate);
        let local = whole.rao_blackwellized();
        assert!(labelled(&whole) && labelled(&local));
        case.is_found_out(&whole, s, n_replicates);
        case.is_found_out(&local, s, n_replicates);
    }
}

fn labelled<E: GradientEstimator<Target, ProductFamily>>(estimator: &E) -> bool {
    estimator.bias().is_some()
}

#[test]
fn labels() {
    assert!(labelled(&SampleReuse::leave_one_out(4, 2)));
    assert!(labelled(&LocalQuadrature::new(4, 3)));
}
