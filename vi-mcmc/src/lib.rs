//! vi-mcmc
