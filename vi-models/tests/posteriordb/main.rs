//! The posteriors of posteriordb: values of the log joint, contracts, and what constructors refuse.

mod contracts;
mod data;
mod far_out;
mod mean_field;
mod refusals;
mod values;
