//! Conditionals, log joint and draws belong to one joint distribution.

use ndarray::arr2;
use vi_core::testing::{check_conditional, check_conditional_against, check_gradient, check_predictive};
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::latent_dirichlet::{
    DocumentUpdate, LatentDirichletAllocation, LatentDirichletBlock, LatentDirichletPriors,
};

use crate::corpora::{State, dense, pride_and_prejudice, priors, seven, sweep};

fn key() -> StreamKey {
    StreamKey::from_seed(5)
}

#[test]
fn complete_conditionals() {
    let model = LatentDirichletAllocation::new(seven(), 3, priors(0.8, 0.6)).unwrap().with_single_updates();
    check_conditional(&model, key());
    check_conditional_against(&model, &[LatentDirichletBlock::Assignments], 20, key());
}

/// Counts of hundreds are shared out topic by topic.
#[test]
fn complete_conditionals_with_large_counts() {
    let counts = dense(&arr2(&[[300.0, 40.0, 7.0], [0.0, 400.0, 20.0]]));
    let model = LatentDirichletAllocation::new(counts, 2, priors(0.8, 0.6)).unwrap().with_single_updates();
    check_conditional(&model, key());
    check_conditional_against(&model, &[LatentDirichletBlock::Assignments], 20, key());
}

#[test]
fn gradient_and_predictive_density() {
    let model = LatentDirichletAllocation::new(seven(), 3, priors(1.8, 1.6)).unwrap();
    check_gradient(&model, 10, key());
    check_predictive(&model, key());
}

/// Draws of documents are those of assignments and proportions, one after the other.
#[test]
fn documents_are_drawn_by_their_two_conditionals() {
    let model = LatentDirichletAllocation::new(seven(), 3, LatentDirichletPriors::default()).unwrap();
    let exec = Exec::local();
    let (mut q, mut stats): State = model.init(key(), exec).unwrap();
    for block in model.blocks() {
        model.draw(*block, &q, key(), &mut stats, exec);
    }
    let (mut other_q, mut other) = (q.clone(), stats.clone());
    model.condition(LatentDirichletBlock::Documents, &stats, &mut q, exec).unwrap();
    model.draw(LatentDirichletBlock::Documents, &q, key(), &mut stats, exec);
    for (tag, block) in [(0, LatentDirichletBlock::Assignments), (1, LatentDirichletBlock::Proportions)] {
        model.condition(block, &other, &mut other_q, exec).unwrap();
        model.draw(block, &other_q, key().fold_in(tag), &mut other, exec);
    }
    assert_eq!(stats, other);
    assert_eq!(stats.document_counts().sum(), model.counts().total());
    assert_eq!(stats.topic_counts().sum(), model.counts().total());
}

/// However early the iteration of a document ends.
#[test]
fn no_block_lowers_the_bound_from_the_last_factors() {
    for (tolerance, max_iterations) in [(1e-3, 100), (10.0, 100), (0.0, 1), (0.0, 3)] {
        let update = DocumentUpdate { tolerance, max_iterations, ..Default::default() };
        let model =
            LatentDirichletAllocation::new(pride_and_prejudice(), 7, LatentDirichletPriors::default());
        let model = model.unwrap().with_document_update(update).unwrap();
        let mut state = model.init(key(), Exec::local()).unwrap();
        let mut elbo = model.elbo(&state.0, &state.1);
        for _ in 0..6 {
            for block in model.blocks() {
                model.condition(*block, &state.1, &mut state.0, Exec::local()).unwrap();
                model.expect(*block, &state.0, &mut state.1, Exec::local());
                let next = model.elbo(&state.0, &state.1);
                assert!(next >= elbo - 1e-10 * elbo.abs(), "{block:?}, {tolerance}: {elbo} to {next}");
                elbo = next;
            }
        }
        assert!(sweep(&model, &mut state) > elbo);
    }
}
