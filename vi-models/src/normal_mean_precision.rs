//! normal_mean_precision
