//! The model by its complete conditionals.

use ndarray::ArrayRef1;
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};

use super::documents::{Given, draw_topics_of_sticks, log_prob_discrete};
use super::sticks::StickStats;
use super::{HierarchicalDirichletFactors, HierarchicalDirichletProcess, HierarchicalDirichletStats};
use crate::latent_dirichlet::{DocumentStart, dot, slice};

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HierarchicalDirichletBlock {
    /// β, all topics.
    Topics,
    /// w, the weights of the topics in the corpus.
    Weights,
    /// (c_d, π_d, z_d) of all documents, q(c_d), q(π_d) and q(z_d) in turn until they change little. It is no complete
    /// conditional of one block: a draw is one of each in turn.
    Documents,
    /// c, the topics of all sticks.
    Indicators,
    /// π, the sticks of all documents.
    Proportions,
    /// z, all tokens.
    Assignments,
}

use HierarchicalDirichletBlock::{Assignments, Documents, Indicators, Proportions, Topics, Weights};

const BY_DOCUMENT: [HierarchicalDirichletBlock; 3] = [Topics, Weights, Documents];
const ONE_BY_ONE: [HierarchicalDirichletBlock; 5] = [Topics, Weights, Indicators, Proportions, Assignments];

impl HierarchicalDirichletProcess {
    /// What documents are worked out with.
    pub(super) fn given<'a>(&self, stats: &'a HierarchicalDirichletStats) -> Given<'a> {
        Given { log_weights: stats.weights.log_weights(0), log_topics: &stats.topics.logs }
    }

    /// The counts of the topics' tokens, when sticks or assignments have changed.
    fn count_topics(&self, stats: &mut HierarchicalDirichletStats, exec: Exec<'_>) {
        self.documents.topic_counts(&stats.documents, &mut stats.topics.counts, exec);
        stats.topics.sum_term(exec);
    }

    fn check(
        &self,
        block: HierarchicalDirichletBlock,
        q: &HierarchicalDirichletFactors,
    ) -> Result<(), ConjugateError> {
        let (parameter, value) = match block {
            Topics => ("the entropy of the topics", q.topics.entropy),
            Weights => ("the entropy of the weights", q.weights.entropy()),
            _ => ("the entropy of the documents' factors", q.documents.entropy()),
        };
        if value.is_finite() {
            return Ok(());
        }
        let (block, parameter) = (format!("{block:?}"), parameter.to_owned());
        Err(ConjugateError::Domain { block, parameter, value })
    }
}

/// Reported in (topics, weights, proportions, indicators), the proportions and indicators being those of sticks; assignments
/// are left out, and their density is that of the tokens in order.
impl ConditionallyConjugate for HierarchicalDirichletProcess {
    type Block = HierarchicalDirichletBlock;
    type Stats = HierarchicalDirichletStats;
    type Factors = HierarchicalDirichletFactors;

    fn blocks(&self) -> &[HierarchicalDirichletBlock] {
        if self.document_update.is_some() { &BY_DOCUMENT } else { &ONE_BY_ONE }
    }

    fn is_exact(&self, block: HierarchicalDirichletBlock) -> bool {
        block != Documents
    }

    /// Topics begin at documents that are far from each other, and sticks at the topics of which a document has most.
    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(HierarchicalDirichletFactors, HierarchicalDirichletStats), ConjugateError> {
        Ok(self.start_from_topics(&self.seeds(key), exec))
    }

    fn condition(
        &self,
        block: HierarchicalDirichletBlock,
        stats: &HierarchicalDirichletStats,
        q: &mut HierarchicalDirichletFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let (documents, given, local) = (&self.documents, self.given(stats), &stats.documents);
        match block {
            Topics => q.topics.condition(self.priors.topics, &stats.topics, exec),
            Weights => {
                let sticks = local.n_sticks.as_slice().expect("one piece");
                q.weights.condition(self.priors.corpus, sticks, exec);
            }
            // Draws are made one by one: there is nothing to iterate.
            Documents if local.realised => {}
            Documents => {
                let update = self.document_update.unwrap_or_default();
                if update.start == DocumentStart::Fresh {
                    q.documents = documents.infer(given, update, exec).0;
                } else {
                    documents.iterate(given, update, &mut q.documents, &mut local.clone(), exec);
                }
            }
            Indicators => documents.condition_indicators(given, local, &mut q.documents, |_| true, exec),
            Proportions => documents.condition_proportions(local, &mut q.documents, exec),
            Assignments => documents.condition_assignments(given, local, &mut q.documents, |_| true, exec),
        }
        self.check(block, q)
    }

    fn expect(
        &self,
        block: HierarchicalDirichletBlock,
        q: &HierarchicalDirichletFactors,
        stats: &mut HierarchicalDirichletStats,
        exec: Exec<'_>,
    ) {
        match block {
            Topics => stats.topics.expect(&q.topics, exec),
            Weights => stats.weights.expect(&q.weights, self.priors.corpus, exec),
            Documents => {
                self.documents.expect(&q.documents, &mut stats.documents, exec);
                self.count_topics(stats, exec);
            }
            Indicators => {
                self.documents.expect_indicators(&q.documents, &mut stats.documents, exec);
                self.count_topics(stats, exec);
            }
            Proportions => self.documents.expect_proportions(&q.documents, &mut stats.documents, exec),
            Assignments => {
                self.documents.expect_assignments(&q.documents, &mut stats.documents, exec);
                self.count_topics(stats, exec);
            }
        }
    }

    fn draw(
        &self,
        block: HierarchicalDirichletBlock,
        q: &HierarchicalDirichletFactors,
        key: StreamKey,
        stats: &mut HierarchicalDirichletStats,
        exec: Exec<'_>,
    ) {
        match block {
            Topics => stats.topics.draw(&q.topics, key, exec),
            Weights => stats.weights.draw(&q.weights, self.priors.corpus, key, exec),
            Documents => {
                let mut q = q.clone();
                for (i, block) in [Indicators, Proportions, Assignments].into_iter().enumerate() {
                    // Realised statistics have finite conditionals.
                    let _ = self.condition(block, stats, &mut q, exec);
                    self.draw(block, &q, key.fold_in(i as u64), stats, exec);
                }
            }
            Indicators => {
                self.documents.draw_indicators(&q.documents, key, &mut stats.documents, exec);
                self.count_topics(stats, exec);
            }
            Proportions => self.documents.draw_proportions(&q.documents, key, &mut stats.documents, exec),
            Assignments => {
                self.documents.draw_assignments(&q.documents, key, &mut stats.documents, exec);
                self.count_topics(stats, exec);
            }
        }
    }

    fn block_log_prob(
        &self,
        block: HierarchicalDirichletBlock,
        q: &HierarchicalDirichletFactors,
        stats: &HierarchicalDirichletStats,
    ) -> f64 {
        let local = &stats.documents;
        match block {
            Topics => q.topics.log_prob(&stats.topics),
            Weights => q.weights.log_prob(&stats.weights),
            Documents => {
                [Indicators, Proportions, Assignments].iter().map(|b| self.block_log_prob(*b, q, stats)).sum()
            }
            Indicators => log_prob_discrete(&q.documents.indicators, &local.indicators),
            Proportions => q.documents.proportions.log_prob(&local.proportions),
            Assignments => log_prob_discrete(&q.documents.assignments, &local.pairs),
        }
    }

    fn expected_log_joint(&self, stats: &HierarchicalDirichletStats) -> f64 {
        let local = &stats.documents;
        let sticks = local.n_sticks.as_slice().expect("one piece");
        self.prior.log_prob_topics(stats.topics.sum_logs)
            + stats.topics.term
            + stats.weights.log_prior()
            + dot(sticks, stats.weights.log_weights(0))
            + local.proportions.log_prior()
            + local.term
    }

    fn entropy(&self, q: &HierarchicalDirichletFactors) -> f64 {
        q.topics.entropy + q.weights.entropy() + q.documents.entropy()
    }

    fn reported(&self) -> &ParameterSpace {
        &self.parameters
    }

    /// Probabilities below the smallest normal number are written as that, to stay inside the simplex.
    fn realise(&self, stats: &HierarchicalDirichletStats, z: &mut ArrayRef1<f64>) {
        let (k, t, local) = (self.n_topics(), self.n_sticks(), &stats.documents);
        let proportions = (0..self.n_documents()).flat_map(|d| local.proportions.log_weights(d));
        let logs = stats.topics.by_topic().chain(stats.weights.log_weights(0)).chain(proportions);
        let probabilities = logs.map(|log| log.exp().max(f64::MIN_POSITIVE));
        let indicators = slice(&local.indicators)
            .chunks_exact(k * t)
            .flat_map(|row| (0..t).map(|t0| (0..k).find(|j| row[j * t + t0] > 0.5).unwrap_or(0) as f64));
        z.iter_mut().zip(probabilities.chain(indicators)).for_each(|(z, value)| *z = value);
    }

    fn sample(&self, q: &HierarchicalDirichletFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let [_, at_weights, at_proportions, at_indicators] = self.offsets();
        let (k, v, t, d) = (self.n_topics(), self.n_words(), self.n_sticks(), self.n_documents());
        let mut write = |start: usize, logs: &[f64]| {
            for (i, log) in logs.iter().enumerate() {
                z[start + i] = log.exp().max(f64::MIN_POSITIVE);
            }
        };
        q.topics.sample(rng, |j, logs| write(j * v, logs));
        let (mut logs, mut rest) = (vec![0.0; k.max(t)], vec![0.0; k.max(t)]);
        q.weights.sample(0, rng, &mut logs[..k], &mut rest[..k - 1]);
        write(at_weights, &logs[..k]);
        for n in 0..d {
            q.documents.proportions.sample(n, rng, &mut logs[..t], &mut rest[..t - 1]);
            write(at_proportions + n * t, &logs[..t]);
        }
        for n in 0..d {
            let phi = q.documents.topics_of_sticks(n, k * t);
            draw_topics_of_sticks(phi, t, rng, |t0, j| z[at_indicators + n * t + t0] = j as f64);
        }
    }

    fn log_prob(&self, q: &HierarchicalDirichletFactors, z: &ArrayRef1<f64>) -> f64 {
        let parts = self.split(z);
        let (k, t) = (self.n_topics(), self.n_sticks());
        let logs = |values: &[f64]| values.iter().map(|v| v.ln()).collect::<Vec<_>>();
        let weights = StickStats::of_logs(k, &logs(parts.weights));
        let proportions = StickStats::of_logs(t, &logs(parts.proportions));
        let mut log_q = q.topics.log_density(&parts.topics.mapv(f64::ln));
        log_q += q.weights.log_prob(&weights) + q.documents.proportions.log_prob(&proportions);
        for (d, row) in parts.indicators.chunks_exact(t).enumerate() {
            let phi = q.documents.topics_of_sticks(d, k * t);
            log_q += row.iter().enumerate().map(|(t0, c)| phi[*c as usize * t + t0].ln()).sum::<f64>();
        }
        log_q
    }
}
