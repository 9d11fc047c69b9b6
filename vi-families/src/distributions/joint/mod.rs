//! Joint distributions of a location and its precision or (co)variance: the conjugate priors of Gaussians.

mod normal_gamma;
mod normal_wishart;

pub use normal_gamma::NormalGamma;
pub use normal_wishart::NormalWishart;
