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
    /// The column of known exposures unless the experiment says otherwise.
    pub exposure: Option<&'static str>,
    /// The column of groups unless the experiment says otherwise.
    pub group: Option<&'static str>,
    /// The column whose numbers are words, and the words line by line.
    pub vocabulary: Option<(&'static str, &'static str)>,
}

/// All built-in data sets.
pub const BUILT_IN: [BuiltIn; 19] = [
    BuiltIn {
        standard_errors: Some("sigma"),
        ..with_response(
            "eight_schools",
            "eight_schools.json",
            include_str!("../../../data/eight_schools.json"),
            "y",
        )
    },
    set("old_faithful", "old_faithful.csv", include_str!("../../../data/old_faithful.csv")),
    with_response(
        "breast_cancer",
        "breast_cancer.csv",
        include_str!("../../../data/breast_cancer.csv"),
        "benign",
    ),
    with_response("digits", "digits.csv", include_str!("../../../data/digits.csv"), "digit"),
    with_response("kidiq", "kidiq.csv", include_str!("../../../data/kidiq.csv"), "kid_score"),
    with_response("stackloss", "stackloss.csv", include_str!("../../../data/stackloss.csv"), "stack_loss"),
    BuiltIn {
        group: Some("diet"),
        ..with_response(
            "coagulation",
            "coagulation.csv",
            include_str!("../../../data/coagulation.csv"),
            "seconds",
        )
    },
    BuiltIn {
        exposure: Some("hours"),
        ..with_response("pumps", "pumps.csv", include_str!("../../../data/pumps.csv"), "failures")
    },
    BuiltIn {
        vocabulary: Some(("word", include_str!("../../../data/pride_and_prejudice_words.txt"))),
        ..set(
            "pride_and_prejudice",
            "pride_and_prejudice.csv",
            include_str!("../../../data/pride_and_prejudice.csv"),
        )
    },
    with_response("earnings", "earnings.json", include_str!("../../../data/earnings.json"), "earn"),
    with_response(
        "kilpisjarvi",
        "kilpisjarvi_mod.json",
        include_str!("../../../data/kilpisjarvi_mod.json"),
        "y",
    ),
    with_response("nes2000", "nes2000.json", include_str!("../../../data/nes2000.json"), "partyid7"),
    with_response("sblrc", "sblrc.json", include_str!("../../../data/sblrc.json"), "y"),
    with_response("arK", "arK.json", include_str!("../../../data/arK.json"), "y"),
    with_response("garch", "garch.json", include_str!("../../../data/garch.json"), "y"),
    with_response("gp_pois_regr", "gp_pois_regr.json", include_str!("../../../data/gp_pois_regr.json"), "y"),
    with_response(
        "low_dim_gauss_mix",
        "low_dim_gauss_mix.json",
        include_str!("../../../data/low_dim_gauss_mix.json"),
        "y",
    ),
    with_response("hmm_example", "hmm_example.json", include_str!("../../../data/hmm_example.json"), "y"),
    with_response(
        "one_comp_mm_elim_abs",
        "one_comp_mm_elim_abs.json",
        include_str!("../../../data/one_comp_mm_elim_abs.json"),
        "C_hat",
    ),
];

/// A set of columns that play no part of their own.
const fn set(name: &'static str, file: &'static str, text: &'static str) -> BuiltIn {
    BuiltIn {
        name,
        file,
        text,
        response: None,
        standard_errors: None,
        exposure: None,
        group: None,
        vocabulary: None,
    }
}

/// A set with a response.
const fn with_response(
    name: &'static str,
    file: &'static str,
    text: &'static str,
    response: &'static str,
) -> BuiltIn {
    BuiltIn { response: Some(response), ..set(name, file, text) }
}

/// The built-in data set of this name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|s| s.name == name)
}
