//! vi-cavi
