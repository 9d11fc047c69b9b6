//! The model by its complete conditionals.

use ndarray::ArrayRef1;
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};

use super::documents::Follow;
use super::draws::log_dirichlet_variate;
use super::topics::log_densities;
use super::words::{dot, slice};
use super::{LatentDirichletAllocation, LatentDirichletFactors, LatentDirichletStats};

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatentDirichletBlock {
    /// β, all topics.
    Topics,
    /// (θ_d, z_d) of all documents, q(θ_d) and q(z_d) in turn until neither changes. It is no complete conditional of one
    /// block: a draw is one of the assignments and, given these, one of the proportions.
    Documents,
    /// θ, all documents.
    Proportions,
    /// z, all tokens.
    Assignments,
}

use LatentDirichletBlock::{Assignments, Documents, Proportions, Topics};

/// Topics first: from given documents a sweep is "M step, then E step".
const BY_DOCUMENT: [LatentDirichletBlock; 2] = [Topics, Documents];
const ONE_BY_ONE: [LatentDirichletBlock; 3] = [Topics, Proportions, Assignments];

/// Reported in (topics, proportions); assignments are left out, and their density is that of the tokens in order.
impl ConditionallyConjugate for LatentDirichletAllocation {
    type Block = LatentDirichletBlock;
    type Stats = LatentDirichletStats;
    type Factors = LatentDirichletFactors;

    fn blocks(&self) -> &[LatentDirichletBlock] {
        if self.document_update.is_some() { &BY_DOCUMENT } else { &ONE_BY_ONE }
    }

    fn is_exact(&self, block: LatentDirichletBlock) -> bool {
        block != Documents
    }

    /// λ_vk ~ Gamma(shape 100, rate 100), and documents that follow.
    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(LatentDirichletFactors, LatentDirichletStats), ConjugateError> {
        Ok(self.start(&self.random_topics(key, exec), exec))
    }

    fn condition(
        &self,
        block: LatentDirichletBlock,
        stats: &LatentDirichletStats,
        factors: &mut LatentDirichletFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let given = Follow::Given(&stats.log_proportions);
        match block {
            Topics => factors.topics.condition(self.prior.topics, &stats.topics, exec),
            Documents => {
                // Drawn proportions are given: there is nothing to iterate.
                let each = Follow::Each(self.document_update.unwrap_or_default());
                let follow = if stats.realised { given } else { each };
                self.condition_assignments(&stats.topics.logs, follow, factors, exec);
            }
            Proportions => self.condition_proportions(&stats.document_counts, factors, exec),
            Assignments => self.condition_assignments(&stats.topics.logs, given, factors, exec),
        }
        self.check(block, factors)
    }

    fn expect(
        &self,
        block: LatentDirichletBlock,
        factors: &LatentDirichletFactors,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        match block {
            Topics => stats.topics.expect(&factors.topics, exec),
            Documents => {
                self.expect_assignments(factors, stats, exec);
                self.expect_proportions(factors, stats, exec);
            }
            Proportions => self.expect_proportions(factors, stats, exec),
            Assignments => self.expect_assignments(factors, stats, exec),
        }
    }

    fn draw(
        &self,
        block: LatentDirichletBlock,
        factors: &LatentDirichletFactors,
        key: StreamKey,
        stats: &mut LatentDirichletStats,
        exec: Exec<'_>,
    ) {
        let (k, width) = (self.layout.n_topics, self.layout.document_width());
        match block {
            Topics => stats.topics.draw(&factors.topics, key, exec),
            Documents => {
                self.draw_assignments(factors, key.fold_in(0), stats, exec);
                let concentration = &stats.document_counts + &self.prior.alpha_array();
                let rows = slice(&concentration);
                self.draw_proportions(|d| &rows[d * k..][..k], key.fold_in(1), stats, exec);
            }
            Proportions => {
                let rows = slice(&factors.documents);
                self.draw_proportions(|d| &rows[d * width..][..k], key, stats, exec);
            }
            Assignments => self.draw_assignments(factors, key, stats, exec),
        }
    }

    fn block_log_prob(
        &self,
        block: LatentDirichletBlock,
        factors: &LatentDirichletFactors,
        stats: &LatentDirichletStats,
    ) -> f64 {
        let (layout, k) = (self.layout, self.layout.n_topics);
        match block {
            Topics => factors.topics.log_prob(&stats.topics),
            Documents => {
                self.block_log_prob(Assignments, factors, stats)
                    + self.block_log_prob(Proportions, factors, stats)
            }
            Proportions => log_densities(&factors.proportions(), &stats.log_proportions),
            Assignments => {
                let documents = slice(&factors.documents).chunks_exact(layout.document_width());
                let documents = documents.zip(slice(&stats.document_counts).chunks_exact(k));
                let of_documents = documents.map(|(row, m)| dot(m, layout.document_logs(row)));
                let words = slice(&factors.words).chunks_exact(layout.word_width());
                let words = words.zip(slice(&stats.topics.counts).chunks_exact(k + 1));
                let of_words = words.map(|(row, c)| dot(&c[..k], layout.word_logs(row)));
                of_documents.sum::<f64>() + of_words.sum::<f64>() - factors.log_normalizer
            }
        }
    }

    fn expected_log_joint(&self, stats: &LatentDirichletStats) -> f64 {
        self.prior.log_prob_topics(stats.topics.sum_logs)
            + self.prior.log_prob_proportions(self.n_documents(), &stats.sum_log_proportions)
            + stats.document_term
            + stats.topics.term
    }

    fn entropy(&self, factors: &LatentDirichletFactors) -> f64 {
        factors.topics.entropy + factors.proportions_entropy + factors.assignments_entropy
    }

    fn reported(&self) -> &ParameterSpace {
        &self.parameters
    }

    /// Probabilities below the smallest normal number are written as that, to stay inside the simplex.
    fn realise(&self, stats: &LatentDirichletStats, z: &mut ArrayRef1<f64>) {
        for (z, log) in z.iter_mut().zip(stats.topics.by_topic().chain(&stats.log_proportions)) {
            *z = log.exp().max(f64::MIN_POSITIVE);
        }
    }

    fn sample(&self, factors: &LatentDirichletFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let (k, v) = (self.n_topics(), self.n_words());
        let mut write = |start: usize, logs: &[f64]| {
            for (i, log) in logs.iter().enumerate() {
                z[start + i] = log.exp().max(f64::MIN_POSITIVE);
            }
        };
        factors.topics.sample(rng, |j, logs| write(j * v, logs));
        let mut logs = vec![0.0; k];
        for (d, gamma) in factors.proportions().rows().into_iter().enumerate() {
            log_dirichlet_variate(gamma.to_slice().expect("rows are contiguous"), rng, &mut logs);
            write(k * v + d * k, &logs);
        }
    }

    fn log_prob(&self, factors: &LatentDirichletFactors, z: &ArrayRef1<f64>) -> f64 {
        let log_z = z.mapv(f64::ln);
        let (topics, proportions) = self.split(&log_z);
        factors.topics.log_density(&topics) + log_densities(&factors.proportions(), &proportions)
    }
}
