//! The model by its complete conditionals.

use ndarray::{ArrayRef1, ArrayView2};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::special::log_gamma;

use super::documents::Follow;
use super::draws::log_dirichlet_variate;
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
            Topics => self.condition_topics(stats, &mut factors.topics, exec),
            Documents => {
                // Drawn proportions are given: there is nothing to iterate.
                let each = Follow::Each(self.document_update.unwrap_or_default());
                let follow = if stats.realised { given } else { each };
                self.condition_assignments(&stats.log_topics, follow, factors, exec);
            }
            Proportions => self.condition_proportions(&stats.document_counts, factors, exec),
            Assignments => self.condition_assignments(&stats.log_topics, given, factors, exec),
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
            Topics => self.expect_topics(&factors.topics, stats, exec),
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
            Topics => self.draw_topics(&factors.topics, key, stats, exec),
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
            Topics => {
                let rows = factors.topics.rows.rows().into_iter().zip(stats.log_topics.rows());
                let words = rows.map(|(lambda, logs)| {
                    let terms = lambda.iter().zip(logs).take(k);
                    terms.map(|(lambda, log)| (lambda - 1.0) * log - log_gamma(*lambda)).sum::<f64>()
                });
                words.sum::<f64>() + factors.topics.totals.iter().map(|t| log_gamma(*t)).sum::<f64>()
            }
            Documents => {
                self.block_log_prob(Assignments, factors, stats)
                    + self.block_log_prob(Proportions, factors, stats)
            }
            Proportions => {
                let rows = factors.proportions();
                let rows = rows.rows().into_iter().zip(stats.log_proportions.rows());
                rows.map(|(gamma, logs)| log_density(&gamma, &logs)).sum()
            }
            Assignments => {
                let documents = slice(&factors.documents).chunks_exact(layout.document_width());
                let documents = documents.zip(slice(&stats.document_counts).chunks_exact(k));
                let of_documents = documents.map(|(row, m)| dot(m, layout.document_logs(row)));
                let words = slice(&factors.words).chunks_exact(layout.word_width());
                let words = words.zip(slice(&stats.topic_counts).chunks_exact(k + 1));
                let of_words = words.map(|(row, c)| dot(&c[..k], layout.word_logs(row)));
                of_documents.sum::<f64>() + of_words.sum::<f64>() - factors.log_normalizer
            }
        }
    }

    fn expected_log_joint(&self, stats: &LatentDirichletStats) -> f64 {
        self.prior.log_prob_topics(stats.sum_log_topics)
            + self.prior.log_prob_proportions(self.n_documents(), &stats.sum_log_proportions)
            + stats.document_term
            + stats.topic_term
    }

    fn entropy(&self, factors: &LatentDirichletFactors) -> f64 {
        factors.topics.entropy + factors.proportions_entropy + factors.assignments_entropy
    }

    fn reported(&self) -> &ParameterSpace {
        &self.parameters
    }

    /// Probabilities below the smallest normal number are written as that, to stay inside the simplex.
    fn realise(&self, stats: &LatentDirichletStats, z: &mut ArrayRef1<f64>) {
        let k = self.layout.n_topics;
        let topics = (0..k).flat_map(|j| stats.log_topics.column(j).into_iter());
        for (z, log) in z.iter_mut().zip(topics.chain(&stats.log_proportions)) {
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
        let mut logs = vec![0.0; v.max(k)];
        for (j, lambda) in factors.topics.concentration().rows().into_iter().enumerate() {
            log_dirichlet_variate(&lambda.to_vec(), rng, &mut logs[..v]);
            write(j * v, &logs[..v]);
        }
        for (d, gamma) in factors.proportions().rows().into_iter().enumerate() {
            log_dirichlet_variate(gamma.to_slice().expect("rows are contiguous"), rng, &mut logs[..k]);
            write(k * v + d * k, &logs[..k]);
        }
    }

    fn log_prob(&self, factors: &LatentDirichletFactors, z: &ArrayRef1<f64>) -> f64 {
        let log_z = z.mapv(f64::ln);
        let (topics, proportions) = self.split(&log_z);
        let density = |q: ArrayView2<'_, f64>, z: ArrayView2<'_, f64>| {
            q.rows().into_iter().zip(z.rows()).map(|(q, z)| log_density(&q, &z)).sum::<f64>()
        };
        density(factors.topics.concentration(), topics) + density(factors.proportions(), proportions)
    }
}

/// log Dirichlet(z | concentration), given log z.
fn log_density(concentration: &ArrayRef1<f64>, logs: &ArrayRef1<f64>) -> f64 {
    let terms = concentration.iter().zip(logs).map(|(a, l)| (a - 1.0) * l - log_gamma(*a));
    terms.sum::<f64>() + log_gamma(concentration.sum())
}
