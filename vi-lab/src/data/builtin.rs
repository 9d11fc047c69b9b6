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
pub const BUILT_IN: [BuiltIn; 17] = [
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
        name: "digits",
        file: "digits.csv",
        text: include_str!("../../../data/digits.csv"),
        response: Some("digit"),
        standard_errors: None,
    },
    BuiltIn {
        name: "kidiq",
        file: "kidiq.csv",
        text: include_str!("../../../data/kidiq.csv"),
        response: Some("kid_score"),
        standard_errors: None,
    },
    BuiltIn {
        name: "stackloss",
        file: "stackloss.csv",
        text: include_str!("../../../data/stackloss.csv"),
        response: Some("stack_loss"),
        standard_errors: None,
    },
    BuiltIn {
        name: "pride_and_prejudice",
        file: "pride_and_prejudice.csv",
        text: include_str!("../../../data/pride_and_prejudice.csv"),
        response: None,
        standard_errors: None,
    },
    of_posteriordb("earnings", "earnings.json", include_str!("../../../data/earnings.json"), "earn"),
    of_posteriordb(
        "kilpisjarvi",
        "kilpisjarvi_mod.json",
        include_str!("../../../data/kilpisjarvi_mod.json"),
        "y",
    ),
    of_posteriordb("nes2000", "nes2000.json", include_str!("../../../data/nes2000.json"), "partyid7"),
    of_posteriordb("sblrc", "sblrc.json", include_str!("../../../data/sblrc.json"), "y"),
    of_posteriordb("arK", "arK.json", include_str!("../../../data/arK.json"), "y"),
    of_posteriordb("garch", "garch.json", include_str!("../../../data/garch.json"), "y"),
    of_posteriordb("gp_pois_regr", "gp_pois_regr.json", include_str!("../../../data/gp_pois_regr.json"), "y"),
    of_posteriordb(
        "low_dim_gauss_mix",
        "low_dim_gauss_mix.json",
        include_str!("../../../data/low_dim_gauss_mix.json"),
        "y",
    ),
    of_posteriordb("hmm_example", "hmm_example.json", include_str!("../../../data/hmm_example.json"), "y"),
    of_posteriordb(
        "one_comp_mm_elim_abs",
        "one_comp_mm_elim_abs.json",
        include_str!("../../../data/one_comp_mm_elim_abs.json"),
        "C_hat",
    ),
];

/// A set of posteriordb with a response.
const fn of_posteriordb(
    name: &'static str,
    file: &'static str,
    text: &'static str,
    response: &'static str,
) -> BuiltIn {
    BuiltIn { name, file, text, response: Some(response), standard_errors: None }
}

/// The built-in data set of this name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|s| s.name == name)
}
