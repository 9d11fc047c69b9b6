//! gaussian_mixture
