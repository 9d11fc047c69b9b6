//! ARM and DisARM: two coupled points, for factors with finitely many values.

use ndarray::{ArrayRef1, ArrayViewMut1};
use rand::RngExt;
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{FactorizedDistribution, VariationalDistribution, VariationalFamily};

use super::{FactorSet, PartialEstimator, factor_name, whole_gradient};
use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::estimator::{Evaluations, Memory};
use crate::workspace::{Columns, Workspace, matrix_mut};
use vi_core::scratch;

/// What the difference of the two points weighs in one bit.
pub trait PairWeights: Send + Sync {
    /// The estimator in words.
    const NAME: &'static str;
    /// The weight of f(z) − f(z̃) in the gradient by the logit of a bit that is 1 with probability `p`, drawn as
    /// `u ≥ 1 − p` for z and as `u < p` for z̃; `None` where the point does not depend on it.
    fn weight(&self, p: f64, u: f64, bits: [Option<bool>; 2]) -> f64;
}

/// The weight u − ½ of ARM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArmWeights;

impl PairWeights for ArmWeights {
    const NAME: &'static str = "ARM";

    fn weight(&self, _p: f64, u: f64, _bits: [Option<bool>; 2]) -> f64 {
        u - 0.5
    }
}

/// The weight of DisARM: that of ARM averaged over all u that give the same pair of points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisArmWeights;

impl PairWeights for DisArmWeights {
    const NAME: &'static str = "DisARM";

    fn weight(&self, p: f64, _u: f64, bits: [Option<bool>; 2]) -> f64 {
        match bits {
            [Some(bit), Some(twin)] if bit == twin => 0.0,
            [Some(bit), Some(_)] => 0.5 * p.max(1.0 - p) * if bit { 1.0 } else { -1.0 },
            [Some(bit), None] => 0.5 * (f64::from(u8::from(bit)) - p),
            [None, Some(twin)] => -0.5 * (f64::from(u8::from(twin)) - p),
            [None, None] => 0.0,
        }
    }
}

/// Two coupled points per draw: the bits of z are 1 where u ≥ 1 − p, those of z̃ where u < p.
///
/// ```text
/// ĝ = (1/n) Σ (f(z) − f(z̃)) Σ_c w_c ∇_λ logit p_c,   f = log p(x, z) − log q(z)
///
/// ARM      w = u − ½
/// DisARM   w = ½ σ(|logit|) (b − b̃)
/// ```
/// log q inside f is treated as fixed, because E[∇ log q] = 0. A factor with K > 2 values is broken like a stick into
/// K − 1 bits: bit c says whether the value is c, given that it is none of those before. Bits that neither point
/// reaches have weight 0 (they are independent of both); for bits that only one point reaches, DisARM averages over
/// the other, which leaves ½ (b − p). The logits are log q_i(c) − log Σ_{k>c} q_i(k), so any parametrisation will do.
///
/// Requirements: a product whose factors have finitely many values; the factors may differ in their number. Cost: two
/// log joints per pair, whatever the number of factors; memory O(n·D).
///
/// Sources: Yin & Zhou 2019, theorem 1, <https://arxiv.org/abs/1807.11143>; Dong, Mnih & Tucker 2020, eq. 6,
/// <https://arxiv.org/abs/2006.10680> (the same as U2G, Yin, Ho, Yan, Qian & Zhou 2020,
/// <https://arxiv.org/abs/2006.07976>); stick-breaking: Dong, Mnih & Tucker 2021, <https://arxiv.org/abs/2106.08056>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoupledBits<W> {
    /// The number of pairs of points.
    pub n_pairs: usize,
    /// What the difference of a pair weighs.
    pub weights: W,
}

/// Augment-REINFORCE-merge: [`CoupledBits`] with the uniform variates as weights.
pub type Arm = CoupledBits<ArmWeights>;
/// ARM with the uniform variates integrated out: [`CoupledBits`] with never more variance than [`Arm`].
pub type DisArm = CoupledBits<DisArmWeights>;

impl Arm {
    /// ARM with this number of pairs.
    pub fn new(n_pairs: usize) -> Self {
        Self { n_pairs, weights: ArmWeights }
    }
}

impl DisArm {
    /// DisARM with this number of pairs.
    pub fn new(n_pairs: usize) -> Self {
        Self { n_pairs, weights: DisArmWeights }
    }
}

/// The probabilities of the values of a factor, then for each the probability of it and all after it.
struct Stick<'a> {
    probabilities: &'a [f64],
    tails: &'a [f64],
}

impl Stick<'_> {
    fn n_bits(&self) -> usize {
        self.tails.len() - 1
    }

    /// The probability that bit `c` is 1.
    fn bit(&self, c: usize) -> f64 {
        if self.tails[c] > 0.0 { (self.probabilities[c] / self.tails[c]).min(1.0) } else { 1.0 }
    }

    /// The values of both points.
    fn draw(&self, mut uniform: impl FnMut() -> f64) -> [usize; 2] {
        let mut values = [self.n_bits(); 2];
        for c in 0..self.n_bits() {
            let (u, p) = (uniform(), self.bit(c));
            if u >= 1.0 - p && values[0] > c {
                values[0] = c;
            }
            if u < p && values[1] > c {
                values[1] = c;
            }
        }
        values
    }
}

/// Overwrites `table` with the sticks of the factors one after the other.
fn fill_sticks<Q: FactorizedDistribution>(q: &Q, factors: FactorSet<'_>, table: &mut Vec<f64>) {
    table.clear();
    scratch::with(q.dim(), |row| {
        let mut z = ArrayViewMut1::from(row);
        for i in factors.factors(q) {
            let n_values = q.n_values(i).unwrap_or(0);
            let start = table.len();
            for k in 0..n_values {
                q.set_value(i, k, &mut z);
                table.push(q.log_prob_factor(i, &z).exp());
            }
            table.resize(start + 2 * n_values, 0.0);
            let mut tail = 0.0;
            for k in (0..n_values).rev() {
                tail += table[start + k];
                table[start + n_values + k] = tail;
            }
        }
    });
}

/// Calls `f(factor, its stick)` for every factor of the set.
fn for_each_stick<Q: FactorizedDistribution>(
    q: &Q,
    factors: FactorSet<'_>,
    mut table: &[f64],
    mut f: impl FnMut(usize, &Stick<'_>),
) {
    for i in factors.factors(q) {
        let n_values = q.n_values(i).unwrap_or(0);
        let (stick, rest) = table.split_at(2 * n_values);
        let (probabilities, tails) = stick.split_at(n_values);
        table = rest;
        f(i, &Stick { probabilities, tails });
    }
}

/// One pair of points: everything outside the set is the same draw from q in both.
struct Pairs<'a, Q> {
    q: &'a Q,
    factors: FactorSet<'a>,
    table: &'a [f64],
    key: StreamKey,
    uniforms: StreamKey,
}

impl<Q: FactorizedDistribution> Pairs<'_, Q> {
    fn draw(&self, pair: usize, z: &mut ArrayRef1<f64>, twin: &mut ArrayRef1<f64>) {
        self.q.sample(&mut self.key.rng(pair as u64), z);
        twin.assign(z);
        let mut rng = self.uniforms.rng(pair as u64);
        for_each_stick(self.q, self.factors, self.table, |i, stick| {
            let [value, other] = stick.draw(|| rng.random());
            self.q.set_value(i, value, z);
            self.q.set_value(i, other, twin);
        });
    }

    /// out (P) += weight · Σ_i Σ_c w_c ∇ logit of bit c of factor i.
    fn add<W: PairWeights>(
        &self,
        weights: &W,
        pair: usize,
        weight: f64,
        z: &mut ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        let mut rng = self.uniforms.rng(pair as u64);
        for_each_stick(self.q, self.factors, self.table, |i, stick| {
            let mut sum = 0.0;
            scratch::with(2 * stick.n_bits() + 1, |scratch| {
                let (uniforms, bit_weights) = scratch.split_at_mut(stick.n_bits());
                uniforms.fill_with(|| rng.random());
                let mut used = uniforms.iter().copied();
                let values = stick.draw(|| used.next().unwrap_or(0.0));
                let last = values[0].max(values[1]);
                for c in 0..stick.n_bits() {
                    let bit = |v: usize| (c <= v).then_some(c == v);
                    let bits = [bit(values[0]), bit(values[1])];
                    bit_weights[c] =
                        if c <= last { weights.weight(stick.bit(c), uniforms[c], bits) } else { 0.0 };
                }
                bit_weights[stick.n_bits()] = 0.0;
                // ∇ logit_c = ∇ log q(c) − Σ_{k>c} q(k)/tail_{c+1} ∇ log q(k)
                for (k, w) in bit_weights.iter().enumerate() {
                    let coefficient = w - stick.probabilities[k] * sum;
                    if coefficient != 0.0 {
                        self.q.set_value(i, k, z);
                        self.q.add_score_factor(i, z, weight * coefficient, out);
                    }
                    if *w != 0.0 && stick.tails[k + 1] > 0.0 {
                        sum += w / stick.tails[k + 1];
                    }
                }
            });
        });
    }
}

impl<M, F, W> PartialEstimator<M, F> for CoupledBits<W>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    for<'a> F::Member<'a>: FactorizedDistribution,
    W: PairWeights,
{
    type State = ();

    fn estimate_factors(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        factors: FactorSet<'_>,
        key: StreamKey,
        exec: Exec<'_>,
        memory: &mut Memory,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError> {
        let (model, n) = (elbo.model(), 2 * self.n_pairs);
        if n == 0 {
            return Err(SgviError::TooFewSamples { estimator: W::NAME, minimum: 1, actual: 0 });
        }
        let q = elbo.family().bind(params)?;
        assert_eq!(grad.len(), q.n_params(), "grad: length is not the number of variational parameters");
        if let Some(i) = factors.factors(&q).find(|i| q.n_values(*i).is_none()) {
            let factor = factor_name(model, q.factor(i));
            return Err(SgviError::NotFinitelyMany { estimator: W::NAME.to_owned(), factor });
        }
        let (workspace, columns, d) = (&mut memory.workspace, Columns::default(), q.dim());
        let mut table = std::mem::take(&mut workspace.extra);
        fill_sticks(&q, factors, &mut table);
        let pairs = Pairs { q: &q, factors, table: &table, key, uniforms: key.fold_in(0) };

        workspace.reserve(n, d, columns);
        exec.map_chunks(n, &mut workspace.values, &mut workspace.rows, |points, values, rows| {
            for (pair, rows) in (points.start / 2..points.end / 2).zip(rows.chunks_mut(2 * d)) {
                let (z, twin) = rows.split_at_mut(d);
                pairs.draw(pair, &mut ArrayViewMut1::from(z), &mut ArrayViewMut1::from(twin));
            }
            let z = matrix_mut(rows, d);
            let [log_joint, log_q, ..] = columns.split(values);
            model.log_joint_batch(&z, &mut ArrayViewMut1::from(log_joint));
            q.log_prob_batch(&z, &mut ArrayViewMut1::from(log_q));
        })?;
        let estimate = workspace.log_ratios(n, 2, columns, model, |point, z| {
            let mut other = z.to_owned();
            if point % 2 == 0 {
                pairs.draw(point / 2, z, &mut other)
            } else {
                pairs.draw(point / 2, &mut other, z)
            }
        })?;

        let Workspace { log_ratios, partials, .. } = workspace;
        exec.sum_in(n, grad, partials, |points, partial| {
            scratch::with(d, |row| {
                let mut z = ArrayViewMut1::from(row);
                for pair in points.start / 2..points.end / 2 {
                    let difference = log_ratios[2 * pair] - log_ratios[2 * pair + 1];
                    if difference != 0.0 {
                        let weight = difference / self.n_pairs as f64;
                        pairs.add(&self.weights, pair, weight, &mut z, partial);
                    }
                }
            });
        })?;
        workspace.extra = table;
        Ok(estimate)
    }

    fn partial_cost(&self, _elbo: Elbo<'_, M, F>, _factors: FactorSet<'_>) -> Evaluations {
        Evaluations { n_log_joint: 2 * self.n_pairs as u64, ..Evaluations::default() }
    }
    fn partial_name(&self) -> String {
        W::NAME.to_owned()
    }
}

whole_gradient!(CoupledBits<W>, W);
