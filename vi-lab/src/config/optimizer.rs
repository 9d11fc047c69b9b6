//! An optimizer as a name (`"adam"`) or as a table with its settings (`{ adam = { … } }`).

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use vi_sgvi::{Adam, AnyOptimizer, RmsProp, Sgd};

pub(super) fn name_or_table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AnyOptimizer, D::Error> {
    deserializer.deserialize_any(NameOrTable)
}

/// The names alone, so that a wrong one is told like any other wrong value.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Sgd,
    RmsProp,
    Adam,
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = AnyOptimizer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an optimizer or a table with its settings")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<AnyOptimizer, E> {
        Ok(match Name::deserialize(StrDeserializer::<E>::new(name))? {
            Name::Sgd => AnyOptimizer::Sgd(Sgd::default()),
            Name::RmsProp => AnyOptimizer::RmsProp(RmsProp::default()),
            Name::Adam => AnyOptimizer::Adam(Adam::default()),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnyOptimizer, A::Error> {
        AnyOptimizer::deserialize(MapAccessDeserializer::new(map))
    }
}
