//! vi-diagnostics
