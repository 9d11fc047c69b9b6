//! When coordinate ascent has converged.

use vi_core::{StopReason, StopRule};

use crate::kernel::CaviInfo;

/// Stops after a sweep that changed the ELBO by no more than `relative · (1 + |ELBO|)`, unless more is still to come
/// ([`CaviInfo::can_converge`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElboTolerance {
    /// The tolerance, relative to `1 + |ELBO|`.
    pub relative: f64,
}

impl StopRule<CaviInfo> for ElboTolerance {
    fn check(&self, _t: u64, info: &CaviInfo) -> Option<StopReason> {
        let bound = self.relative * (1.0 + info.elbo.abs());
        (info.can_converge && info.change.abs() <= bound).then(|| StopReason::Converged {
            rule: format!("ELBO changed by {:.1e} nats, at most {bound:.1e} allowed", info.change),
        })
    }
}
