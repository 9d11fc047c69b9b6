//! Starts of the iteration.

use ndarray::{Array2, ArrayRef2};
use rand_distr::{Distribution, Gamma};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, StreamKey};

use super::documents::Follow;
use super::words::slice_mut;
use super::{DocumentStart, DocumentUpdate};
use super::{LatentDirichletAllocation, LatentDirichletBlock, LatentDirichletFactors, LatentDirichletStats};

/// Shape and rate of the Gamma variates of a random start: 1 ± 0.1, as Hoffman, Blei & Bach have them.
const SHARPNESS: f64 = 100.0;

impl LatentDirichletAllocation {
    /// The start with these topics λ (K, V), and documents that follow from γ = 1.
    ///
    /// # Errors
    /// [`ConjugateError`] unless λ is finite and positive.
    ///
    /// # Panics
    /// If the shape is not (K, V).
    pub fn start_from_topics(
        &self,
        topics: &ArrayRef2<f64>,
        exec: Exec<'_>,
    ) -> Result<(LatentDirichletFactors, LatentDirichletStats), ConjugateError> {
        assert_eq!(topics.dim(), (self.n_topics(), self.n_words()), "latent_dirichlet: topics are (K, V)");
        if let Some(((k, v), value)) = topics.indexed_iter().find(|(_, l)| !(l.is_finite() && **l > 0.0)) {
            let (block, parameter) = (format!("{:?}", LatentDirichletBlock::Topics), format!("λ[{k}, {v}]"));
            return Err(ConjugateError::Domain { block, parameter, value: *value });
        }
        let (factors, stats) = self.start(&topics.t().to_owned(), exec);
        self.check(LatentDirichletBlock::Documents, &factors)?;
        Ok((factors, stats))
    }

    /// λ (V, K) of a random start. Word v is drawn from `key.rng(v)`.
    pub(super) fn random_topics(&self, key: StreamKey, exec: Exec<'_>) -> Array2<f64> {
        let k = self.n_topics();
        let gamma = Gamma::new(SHARPNESS, 1.0 / SHARPNESS).expect("positive constants");
        let mut topics = Array2::zeros((self.n_words(), k));
        exec.for_each_chunk(slice_mut(&mut topics), k, |items, rows| {
            for (v, row) in items.zip(rows.chunks_exact_mut(k)) {
                let mut rng = key.rng(v as u64);
                row.iter_mut().for_each(|lambda| *lambda = gamma.sample(&mut rng));
            }
        });
        topics
    }

    /// The start with topics λ (V, K).
    pub(super) fn start(
        &self,
        topics: &ArrayRef2<f64>,
        exec: Exec<'_>,
    ) -> (LatentDirichletFactors, LatentDirichletStats) {
        let (mut factors, mut stats) =
            (LatentDirichletFactors::zeros(self), LatentDirichletStats::zeros(self));
        factors.topics.set_to(topics, exec);
        self.expect(LatentDirichletBlock::Topics, &factors, &mut stats, exec);
        let update = self.document_update.unwrap_or_default();
        let update = DocumentUpdate { start: DocumentStart::Fresh, ..update };
        self.condition_assignments(&stats.topics.logs, Follow::Each(update), &mut factors, exec);
        self.expect(LatentDirichletBlock::Documents, &factors, &mut stats, exec);
        (factors, stats)
    }

    /// That the factors of a block are finite.
    pub(super) fn check(
        &self,
        block: LatentDirichletBlock,
        factors: &LatentDirichletFactors,
    ) -> Result<(), ConjugateError> {
        let (parameter, value) = match block {
            LatentDirichletBlock::Topics => ("the entropy of the topics", factors.topics.entropy),
            LatentDirichletBlock::Proportions => {
                ("the entropy of the proportions", factors.proportions_entropy)
            }
            _ => ("Σ n log Z", factors.log_normalizer + factors.proportions_entropy),
        };
        if value.is_finite() {
            return Ok(());
        }
        let (block, parameter) = (format!("{block:?}"), parameter.to_owned());
        Err(ConjugateError::Domain { block, parameter, value })
    }
}
