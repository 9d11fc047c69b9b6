//! eight_schools
