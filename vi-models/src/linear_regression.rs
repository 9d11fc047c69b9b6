//! linear_regression
