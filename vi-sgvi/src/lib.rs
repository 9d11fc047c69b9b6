//! vi-sgvi
