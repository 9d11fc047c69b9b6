//! Every sampler × every baseline × both localities, on coupled bits.

use ndarray::array;
use vi_core::{LogJoint, StreamKey};
use vi_families::{ProductFamily, ProductMember};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{
    Antithetic, Baseline, ControlVariate, LeaveOneOut, MovingAverage, NoBaseline, Overdispersed,
    QuasiMonteCarlo, Sampler, ScoreFunction,
};

use crate::common::{Ising, exact_gradient_by_enumeration};

fn check<B: Baseline + Clone, S: for<'a> Sampler<ProductMember<'a>> + Clone>(
    baseline: &B,
    sampler: &S,
    s: usize,
) {
    let model = Ising::five_bits();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    let params = array![0.3, -0.7, 0.9, 0.1, -0.2];
    let exact = exact_gradient_by_enumeration(&model, &family, &params);
    let key = StreamKey::from_seed(27_180).fold_in(s as u64);
    let whole = ScoreFunction::new(s, baseline.clone()).with_sampler(sampler.clone());
    check_estimator::<Ising, ProductFamily, _>(&whole, &model, &family, &params, &exact, 300, key);
    check_estimator::<Ising, ProductFamily, _>(
        &whole.rao_blackwellized(),
        &model,
        &family,
        &params,
        &exact,
        300,
        key,
    );
}

fn every_baseline<S: for<'a> Sampler<ProductMember<'a>> + Clone>(sampler: &S, sizes: &[usize]) {
    for (i, s) in sizes.iter().enumerate() {
        check(&NoBaseline, sampler, *s);
        check(&MovingAverage::default(), sampler, *s);
        // The first size is one group only.
        if i > 0 {
            check(&LeaveOneOut, sampler, *s);
            check(&ControlVariate, sampler, *s);
        }
    }
}

#[test]
fn antithetic_pairs() {
    every_baseline(&Antithetic, &[2, 4, 10, 100]);
}

#[test]
fn quasi_monte_carlo() {
    every_baseline(&QuasiMonteCarlo { n_randomizations: 1 }, &[2]);
    every_baseline(&QuasiMonteCarlo { n_randomizations: 3 }, &[3, 12, 96]);
}

#[test]
fn overdispersed_proposals() {
    every_baseline(&Overdispersed::new(1.0).unwrap(), &[1, 3]);
    every_baseline(&Overdispersed::new(1.5).unwrap(), &[1, 2, 3, 10, 100]);
}
