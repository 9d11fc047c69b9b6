//! The posteriors of posteriordb: values of the log joint, contracts, and what constructors refuse.

mod contracts;
mod data;
mod refusals;
mod values;
