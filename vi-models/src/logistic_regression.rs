//! logistic_regression
