//! The log likelihood by enumeration of the hidden bits.

use ndarray::{Array1, ArrayRef1};
use vi_core::numerics::{log_sum_exp, sum_softplus};
use vi_core::{PlateError, check_model_params};

use super::{Parts, SigmoidBeliefNetwork};

/// Hidden bits that [`SigmoidBeliefNetwork::log_likelihoods`] takes at most.
pub const MAX_ENUMERATED: usize = 12;

impl SigmoidBeliefNetwork {
    /// log p_θ(x_n) = log Σ_z p_θ(x_n, z) of every datum (N); `None` above [`MAX_ENUMERATED`] hidden bits.
    ///
    /// What does not depend on the datum, log p(z) − Σ_d softplus(η_d(z)), is computed once for every z.
    ///
    /// # Errors
    /// [`PlateError`] names the element of θ that is not finite.
    pub fn log_likelihoods(&self, model_params: &ArrayRef1<f64>) -> Result<Option<Array1<f64>>, PlateError> {
        check_model_params(&self.model, model_params)?;
        let (n_hidden, n_pixels) = (self.n_hidden(), self.n_pixels());
        if n_hidden > MAX_ENUMERATED {
            return Ok(None);
        }
        let theta = model_params.to_vec();
        let theta = ndarray::aview1(&theta);
        let parts = Parts::of(&theta, n_hidden, n_pixels);
        let rows: Vec<&[f64]> = parts.weight.chunks_exact(n_pixels).collect();
        let log_normalizer = sum_softplus(parts.hidden_bias);
        let mut eta = vec![0.0; n_pixels];
        let of_states: Vec<f64> = (0..1_usize << n_hidden)
            .map(|state| {
                eta.copy_from_slice(parts.pixel_bias);
                let mut log_p = -log_normalizer;
                for h in (0..n_hidden).filter(|h| state >> h & 1 == 1) {
                    log_p += parts.hidden_bias[h];
                    eta.iter_mut().zip(rows[h]).for_each(|(eta, w)| *eta += w);
                }
                log_p - sum_softplus(&eta)
            })
            .collect();
        let mut terms = vec![0.0; of_states.len()];
        let log_likelihood = |x: ndarray::ArrayView1<'_, f64>| {
            let pull: Vec<f64> = rows.iter().map(|w| x.iter().zip(*w).map(|(x, w)| x * w).sum()).collect();
            // Σ_h z_h pull_h, each state from the one without its lowest bit.
            terms[0] = x.iter().zip(parts.pixel_bias).map(|(x, c)| x * c).sum();
            for state in 1..terms.len() {
                terms[state] = terms[state & (state - 1)] + pull[state.trailing_zeros() as usize];
            }
            let log_joints: Vec<f64> = terms.iter().zip(&of_states).map(|(t, s)| t + s).collect();
            log_sum_exp(&log_joints)
        };
        Ok(Some(self.pixels.rows().into_iter().map(log_likelihood).collect()))
    }
}
