//! What several restarts found: every optimum once, with how often it was found.

use serde::{Deserialize, Serialize};

/// Where at least one restart ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimum {
    /// The highest ELBO among its restarts, in nats.
    pub elbo: f64,
    /// The restarts that ended here, from 0, the one with the highest ELBO first: how many of them there are says how often
    /// it is found.
    pub restarts: Vec<usize>,
    /// How many of these converged. Where none did, it may be a place on the way.
    pub n_converged: usize,
}

impl Optimum {
    /// The share of `n_restarts` restarts that ended here.
    pub fn frequency(&self, n_restarts: usize) -> f64 {
        self.restarts.len() as f64 / n_restarts as f64
    }
}

/// Groups ends by their ELBO, the highest first: an end belongs to the first optimum whose ELBO is within `same` · (1 + |ELBO|).
///
/// `ends` are the last ELBO of every restart and whether it converged.
///
/// By ELBO and not by factors, because a permutation of labels is the same optimum for all that a user reads; two optima
/// with equal bounds are taken for one.
pub fn group_optima(ends: &[(f64, bool)], same: f64) -> Vec<Optimum> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    // Stable: of equal bounds the earlier restart is the better one.
    order.sort_by(|&a, &b| ends[b].0.total_cmp(&ends[a].0));
    let mut optima: Vec<Optimum> = Vec::new();
    for r in order {
        let (elbo, converged) = ends[r];
        let near = |o: &&mut Optimum| o.elbo - elbo <= same * (1.0 + o.elbo.abs());
        match optima.last_mut().filter(near) {
            Some(optimum) => {
                optimum.restarts.push(r);
                optimum.n_converged += usize::from(converged);
            }
            None => optima.push(Optimum { elbo, restarts: vec![r], n_converged: usize::from(converged) }),
        }
    }
    optima
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_grouped_by_their_bound_and_the_first_of_equals_leads() {
        let ends = [(-10.0, true), (-7.0, true), (-7.0, false), (-10.0 - 1e-9, true), (-10.1, true)];
        let optima = group_optima(&ends, 1e-6);
        let found: Vec<_> = optima.iter().map(|o| (o.elbo, o.restarts.clone(), o.n_converged)).collect();
        assert_eq!(found, [(-7.0, vec![1, 2], 1), (-10.0, vec![0, 3], 2), (-10.1, vec![4], 1)]);
        assert_eq!(optima[1].frequency(5), 0.4);
    }

    #[test]
    fn a_chain_of_near_ends_is_not_one_optimum() {
        let ends: Vec<(f64, bool)> = (0..4).map(|i| (-0.6 * f64::from(i), true)).collect();
        let optima = group_optima(&ends, 0.7);
        assert_eq!(optima.iter().map(|o| o.restarts.len()).collect::<Vec<_>>(), [2, 2]);
    }
}
