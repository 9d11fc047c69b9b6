//! Joint distributions of a location and its precision or (co)variance: the conjugate priors of Gaussians.

mod normal_gamma;
mod normal_inverse_gamma;
mod normal_inverse_wishart;
mod normal_wishart;
pub(in crate::distributions) mod twin;

pub use normal_gamma::NormalGamma;
pub use normal_inverse_gamma::NormalInverseGamma;
pub use normal_inverse_wishart::NormalInverseWishart;
pub use normal_wishart::NormalWishart;
