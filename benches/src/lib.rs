//! Criterion benches of the workspace; they are in `benches/`, and this library is empty.
