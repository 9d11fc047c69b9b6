//! What is read from a file meets the same checks as what a constructor is given.

use serde::{Serialize, Serializer};

/// Deserialises a type from fields of these names and types, by a check whose error becomes the format's.
///
/// `check` sees the fields as variables and gives a `Result<Self, FamilyError>`. Fields that the type computes from the
/// others are neither written (`#[serde(skip)]`) nor named here.
macro_rules! deserialize_checked {
    ($family:ident { $($field:ident: $kind:ty),+ } => $check:expr) => {
        impl<'de> serde::Deserialize<'de> for $family {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                struct Fields {
                    $($field: $kind),+
                }
                let Fields { $($field),+ } = Fields::deserialize(deserializer)?;
                let check = || -> Result<Self, FamilyError> { $check };
                check().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use deserialize_checked;

/// An infinite bound as none: JSON has no infinity.
pub(crate) fn infinite_as_none<S: Serializer>(bound: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    bound.is_finite().then_some(*bound).serialize(serializer)
}
