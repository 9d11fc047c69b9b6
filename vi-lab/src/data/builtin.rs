//! Data sets that are part of the program, so that it works wherever it stands.

/// A built-in data set; its source and licence are in `data/README.md`.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its name in `[data] set = "…"`.
    pub name: &'static str,
    /// The file's name, whose ending tells the format.
    pub file: &'static str,
    /// The file's content.
    pub text: &'static str,
    /// The column that is the response unless the experiment says otherwise.
    pub response: Option<&'static str>,
    /// The column of known standard errors unless the experiment says otherwise.
    pub standard_errors: Option<&'static str>,
}

/// All built-in data sets.
pub const BUILT_IN: [BuiltIn; 4] = [
    BuiltIn {
        name: "eight_schools",
        file: "eight_schools.json",
        text: include_str!("../../../data/eight_schools.json"),
        response: Some("y"),
        standard_errors: Some("sigma"),
    },
    BuiltIn {
        name: "old_faithful",
        file: "old_faithful.csv",
        text: include_str!("../../../data/old_faithful.csv"),
        response: None,
        standard_errors: None,
    },
    BuiltIn {
        name: "breast_cancer",
        file: "breast_cancer.csv",
        text: include_str!("../../../data/breast_cancer.csv"),
        response: Some("benign"),
        standard_errors: None,
    },
    BuiltIn {
        name: "kidiq",
        file: "kidiq.csv",
        text: include_str!("../../../data/kidiq.csv"),
        response: Some("kid_score"),
        standard_errors: None,
    },
];

/// The built-in data set of this name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|s| s.name == name)
}
