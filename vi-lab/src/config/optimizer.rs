//! An optimizer as a name (`"adam"`) or as a table with its settings (`{ adam = { … } }`).

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use vi_sgvi::{AdaGrad, Adam, AnyOptimizer, Dog, Dowg, Momentum, NaturalGradient, RmsProp, Sgd};

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
    Natural,
    Momentum,
    AdaGrad,
    Dog,
    Dowg,
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
            Name::Natural => AnyOptimizer::Natural(NaturalGradient::default()),
            Name::Momentum => AnyOptimizer::Momentum(Momentum::default()),
            Name::AdaGrad => AnyOptimizer::AdaGrad(AdaGrad::default()),
            Name::Dog => AnyOptimizer::Dog(Dog::default()),
            Name::Dowg => AnyOptimizer::Dowg(Dowg::default()),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnyOptimizer, A::Error> {
        AnyOptimizer::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Method {
        #[serde(deserialize_with = "name_or_table")]
        optimizer: AnyOptimizer,
    }

    #[test]
    fn natural_gradients_have_a_name_and_a_table() {
        let read = |text: &str| toml::from_str::<Method>(text).unwrap().optimizer;
        let default = NaturalGradient::default();
        assert_eq!(read("optimizer = \"natural\""), AnyOptimizer::Natural(default));
        let table = read("optimizer = { natural = { damping = { absolute = 0.5 } } }");
        let damping = vi_families::Damping { relative: 0.0, absolute: 0.5 };
        assert_eq!(table, AnyOptimizer::Natural(NaturalGradient { damping, ..default }));
    }
}
