//! Every variational family from the experiment file to posterior summaries, and what is wrong with its keys.

mod common;

use common::{refusal, run};
use vi_lab::Interrupt;

const HEAD: &str =
    "name = \"families\"\nseed = 3\n\n[data]\nset = \"eight_schools\"\n\n[model]\nname = \"eight_schools\"\n";

/// Family, its own keys, estimator.
const FAMILIES: [(&str, &str, &str); 10] = [
    ("low-rank", "", "pathwise"),
    ("low-rank", "rank = 3", "score-function"),
    ("block-diagonal", "", "pathwise"),
    ("block-diagonal", "blocks = [4, 6]", "pathwise"),
    ("mixture", "", "score-function"),
    ("mixture", "n_components = 3", "score-function"),
    ("student-t", "dof = 4.0", "pathwise"),
    ("student-t", "", "score-function"),
    ("learned-student-t", "", "score-function"),
    ("learned-student-t", "dof = 20.0", "score-function"),
];

fn method(index: usize, family: &str, keys: &str, estimator: &str) -> String {
    format!(
        "\n[[methods]]\nname = \"m{index}\"\nmethod = \"sgvi\"\nfamily = \"{family}\"\n{keys}\n\
         estimator = \"{estimator}\"\nn_samples = 8\nmax_iterations = 40\nn_draws = 200\n"
    )
}

#[test]
fn every_family_is_fitted_and_summarised() {
    let methods = FAMILIES.iter().enumerate().map(|(i, (family, keys, e))| method(i, family, keys, e));
    let text = HEAD.to_owned() + &methods.collect::<String>();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let outcome = run(&text, directory.path(), 2, false, &Interrupt::new());
    assert_eq!(outcome.summary.methods.len(), FAMILIES.len());
    for (method, (family, keys, _)) in outcome.summary.methods.iter().zip(FAMILIES) {
        assert!(method.elbo.is_some_and(f64::is_finite), "{family} {keys}: ELBO {:?}", method.elbo);
        assert_eq!(method.parameters.len(), 10, "{family} {keys}");
        assert!(method.parameters.iter().all(|p| p.mean.is_finite() && p.sd > 0.0), "{family} {keys}");
    }
    // The keys reach the families: other values, other fits.
    let elbo = |i: usize| outcome.summary.methods[i].elbo;
    for (i, j) in [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)] {
        assert_ne!(elbo(i), elbo(j), "{:?} and {:?}", FAMILIES[i], FAMILIES[j]);
    }
}

#[test]
fn keys_out_of_their_domain_are_named_with_their_value() {
    for (family, keys, expected) in [
        ("low-rank", "rank = 0", "`rank` of method `m0` = 0 with dimension 10, but it must be between 1 and"),
        ("low-rank", "rank = 11", "`rank` of method `m0` = 11 with dimension 10"),
        ("block-diagonal", "blocks = [4, 5]", "`blocks` of method `m0` = [4, 5] with dimension 10"),
        ("block-diagonal", "blocks = [0, 10]", "add up to the dimension"),
        ("mixture", "n_components = 0", "`n_components` of method `m0` = 0, but it must be at least 1"),
        ("student-t", "dof = 0.0", "`dof` of method `m0` = 0, but it must be between 0.1 and 10⁸"),
        ("learned-student-t", "dof = nan", "`dof` of method `m0` = NaN"),
        ("mean-field", "rank = 2", "only `low-rank` has a rank"),
        ("low-rank", "blocks = [10]", "only `block-diagonal` has blocks"),
        ("student-t", "n_components = 2", "only `mixture` has components"),
        ("mixture", "dof = 3.0", "have degrees of freedom"),
        ("mixture", "n_component = 3", "did you mean `n_components`?"),
        ("low-rnk", "", "did you mean `low-rank`?"),
    ] {
        let message = refusal(&(HEAD.to_owned() + &method(0, family, keys, "score-function")));
        assert!(message.contains(expected), "{family} {keys}: {message}");
    }
}

#[test]
fn families_without_transport_have_no_pathwise_gradient() {
    for family in ["mixture", "learned-student-t"] {
        let message = refusal(&(HEAD.to_owned() + &method(0, family, "", "pathwise")));
        assert!(
            message.contains(&format!("family `{family}`")) && message.contains("moved noise"),
            "{message}"
        );
    }
}
