//! vi-models
