//! Held-out tokens, top words, refusals.

use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::ModelError;
use vi_models::latent_dirichlet::{
    Concentration, DocumentUpdate, LatentDirichletAllocation, LatentDirichletFactors, LatentDirichletPriors,
};
use vi_models::sparse_counts::SparseCounts;

use crate::corpora::{priors, seven, simulated, sweep};

fn fitted(k: usize) -> (LatentDirichletAllocation, LatentDirichletFactors) {
    let model = LatentDirichletAllocation::new(simulated(200, 40, 1), k, priors(0.3, 0.1)).unwrap();
    let best = (0..3).map(|seed| {
        let mut state = model.init(StreamKey::from_seed(seed), Exec::local()).unwrap();
        let elbo = (0..60).map(|_| sweep(&model, &mut state)).last().unwrap();
        (elbo, state.0)
    });
    let best = best.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1;
    (model, best)
}

/// Of documents that the model has not seen. The words' frequencies alone give 39.9 here, close to the 40 words that there are.
#[test]
fn topics_predict_held_out_tokens_of_new_documents() {
    let (kept, held) = simulated(100, 40, 2).thin(0.5, StreamKey::from_seed(3)).unwrap();
    let perplexity = |k| {
        let (model, q) = fitted(k);
        model.held_out_score(q.topics(), &kept, &held, Exec::local()).unwrap().perplexity()
    };
    let four = perplexity(4);
    // The true parameters reach 32.2: a token is one of the ten words of the document's own topic with probability 0.56.
    assert!((31.0..36.0).contains(&four), "{four}");
    assert!(four < perplexity(2) - 1.0);
}

#[test]
fn topics_are_found_and_named() {
    let (model, q) = fitted(4);
    let names: Vec<String> = (0..40).map(|v| format!("word{v}")).collect();
    let model = model.with_vocabulary(names).unwrap();
    let mut found = Vec::new();
    for topic in model.top_words(q.topics(), 10) {
        assert!(topic.windows(2).all(|w| w[0].probability >= w[1].probability));
        let own = topic[0].word % 4;
        assert!(topic.iter().all(|w| w.word % 4 == own && w.name == format!("word{}", w.word)), "{topic:?}");
        found.push(own);
    }
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3]);
}

#[test]
fn what_is_refused_is_named() {
    let new = |k, priors| LatentDirichletAllocation::new(seven(), k, priors).unwrap_err();
    let text = |e: ModelError| e.to_string();
    assert_eq!(text(new(1, priors(1.0, 1.0))), "latent_dirichlet: n_topics = 1, but it must be at least 2");
    assert_eq!(
        text(new(2, priors(1.0, -1.0))),
        "latent_dirichlet: topics = -1, but it must be finite and > 0"
    );
    let each = LatentDirichletPriors { proportions: Some(Concentration::Each(vec![1.0, 0.0])), topics: None };
    assert_eq!(
        text(new(2, each.clone())),
        "latent_dirichlet: proportions[1] = 0, but it must be finite and > 0"
    );
    assert!(matches!(new(3, each), ModelError::Length { expected: 3, actual: 2, .. }));
    let model = LatentDirichletAllocation::new(seven(), 2, priors(1.0, 1.0)).unwrap();
    let update = DocumentUpdate { tolerance: f64::NAN, ..Default::default() };
    assert!(
        text(model.clone().with_document_update(update).unwrap_err()).contains("document_update.tolerance")
    );
    assert!(model.clone().with_vocabulary(vec!["one".to_owned()]).is_err());
    let (q, _) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
    let other = SparseCounts::from_entries(7, 5, [(0, 0, 1.0)]).unwrap();
    assert!(matches!(
        model.held_out_score(q.topics(), &other, &other, Exec::local()),
        Err(ModelError::Length { expected: 6, actual: 5, .. })
    ));
}
