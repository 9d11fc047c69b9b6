//! What is wrong with an estimator is named before anything runs: in benches and in experiments alike.

mod common;

use common::bench::{BITS, bench_refusal, parse_bench};
use common::refusal;

const BITS_HEAD: &str = "name = \"x\"\n[model]\nname = \"ising\"\nrows = 2\ncolumns = 2\ncoupling = 0.5\n";
const SCHOOLS_HEAD: &str =
    "name = \"x\"\n[data]\nset = \"eight_schools\"\n[model]\nname = \"eight_schools\"\n";

/// One estimator with these keys over a family, in a bench and in an experiment: both refuse it with these words.
fn refused(head: &str, family: &str, keys: &str, expected: &str) {
    let bench = format!(
        "{head}[family]\nname = \"{family}\"\n[[estimators]]\nname = \"e\"\n{keys}\n[points]\nby = \"e\"\n"
    );
    let run = format!("{head}[[methods]]\nname = \"e\"\nmethod = \"sgvi\"\nfamily = \"{family}\"\n{keys}\n");
    for message in [bench_refusal(&bench), refusal(&run)] {
        assert!(message.contains(expected), "{family}, {keys}:\n{message}\nexpected: {expected}");
        let named = message.contains("`e`") || message.contains("[family]");
        assert!(named && message.contains(".toml:"), "{message}");
    }
}

/// The same in an experiment alone.
fn refused_method(head: &str, family: &str, keys: &str, expected: &str) {
    let run = format!("{head}[[methods]]\nname = \"e\"\nmethod = \"sgvi\"\nfamily = \"{family}\"\n{keys}\n");
    let message = refusal(&run);
    assert!(message.contains(expected) && message.contains("`e`"), "{family}, {keys}:\n{message}");
}

#[test]
fn bounds_from_several_samples_are_for_runs_alone() {
    for (keys, expected) in [
        ("estimator = \"vimco\"\nn_importance = 1", "at least 2: a sample's baseline comes from the others"),
        ("estimator = \"iwae\"\nn_importance = 5", "64 with n_importance = 5, but it must be a multiple of"),
        ("estimator = \"dreg\"\nalpha = -0.5", "`alpha` of method `e` = -0.5, but it must be finite and ≥ 0"),
        ("estimator = \"dreg\"\nn_importans = 4", "did you mean `n_importance`?"),
        (
            "estimator = \"vimco\"\nvariables = [\"mu\"]\nrest = { estimator = \"pathwise\" }",
            "one that can be confined to some variables",
        ),
    ] {
        refused_method(SCHOOLS_HEAD, "mean-field", keys, expected);
    }
    let bench = format!(
        "{SCHOOLS_HEAD}[family]\nname = \"mean-field\"\n[[estimators]]\nname = \"e\"\nestimator = \"dreg\"\n\
         [points]\nby = \"e\"\n"
    );
    let message = bench_refusal(&bench);
    assert!(
        message.contains("one that ascends the ELBO: gradients of other bounds have another mean"),
        "{message}"
    );
}

#[test]
fn the_unchanged_bench_is_accepted() {
    let bench = parse_bench(BITS).expect("the bench is in order");
    assert_eq!((bench.estimators.len(), bench.settings.n_replicates), (5, 60));
    assert_eq!(bench.settings.n_blocks, Some(6));
}

#[test]
fn keys_that_belong_to_another_estimator_are_refused() {
    for (keys, expected) in [
        ("estimator = \"pathwise\"\nbaseline = \"none\"", "only the score function has a baseline"),
        ("estimator = \"score-function\"\ndecay = 0.5", "only the baseline `moving-average` has a decay"),
        ("estimator = \"disarm\"\nsampler = \"antithetic\"", "only the score function has a sampler"),
        ("estimator = \"score-function\"\nn_randomizations = 2", "only the sampler `quasi-monte-carlo`"),
        ("estimator = \"score-function\"\ndispersion = 2.0", "only the sampler `overdispersed`"),
        ("estimator = \"arm\"\nrao_blackwellized = true", "have a form with the terms of one block"),
        ("estimator = \"arm\"\nn_nodes = 3", "only `local-quadrature` has nodes"),
        (
            "estimator = \"arm\"\nentropy = \"closed-form\"",
            "only `pathwise` has a choice of the entropy's gradient",
        ),
        ("estimator = \"arm\"\nn_directions = 2", "only `controlled-pathwise` has directions"),
        ("estimator = \"arm\"\nn_importance = 2", "only `vimco`, `iwae` and `dreg` ascend a bound"),
        ("estimator = \"arm\"\nalpha = 0.5", "only `vimco`, `iwae` and `dreg` ascend a bound"),
        ("estimator = \"arm\"\nlimit = 3", "only `enumeration` has a limit"),
        ("estimator = \"arm\"\nn_reused_iterations = 3", "only `sample-reuse` uses past iterations"),
        ("estimator = \"score-funtion\"", "did you mean `score-function`?"),
        ("estimator = \"score-function\"\nbaselin = \"none\"", "did you mean `baseline`?"),
        ("estimator = \"score-function\"\nbaseline = \"leave-on-out\"", "did you mean `leave-one-out`?"),
    ] {
        refused(BITS_HEAD, "product", keys, expected);
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    for (keys, expected) in [
        ("estimator = \"score-function\"\nn_samples = 1", "at least 1, or 2 with a baseline"),
        ("estimator = \"disarm\"\nn_samples = 7", "`n_samples` of"),
        ("estimator = \"overdispersed-factors\"\nn_samples = 1", "at least 1, or 2 with a baseline"),
        (
            "estimator = \"score-function\"\nsampler = \"antithetic\"\nn_samples = 7",
            "7 samples in groups of 2, but n_samples a multiple of the group is needed",
        ),
        (
            "estimator = \"score-function\"\nsampler = \"quasi-monte-carlo\"\nn_samples = 12",
            "n_samples over n_randomizations a power of two",
        ),
        (
            "estimator = \"score-function\"\nsampler = \"overdispersed\"\ndispersion = 0.5",
            "dispersion = 0.5, but it must be finite and at least 1",
        ),
        (
            "estimator = \"score-function\"\nbaseline = \"moving-average\"\ndecay = 1.5",
            "decay = 1.5, but it must be in [0, 1)",
        ),
        ("estimator = \"enumeration\"\nlimit = 15", "16 points to enumerate, but the limit is 15"),
        (
            "estimator = \"sample-reuse\"\nbaseline = \"moving-average\"",
            "one that remembers nothing: the points come again by themselves",
        ),
        (
            "estimator = \"sample-reuse\"\nbaseline = \"control-variate\"\nn_reused_iterations = 3",
            "n_iterations at most 2 with this baseline",
        ),
        (
            "estimator = \"score-function\"\nbaseline = \"same-sample-control-variate\"\nrao_blackwellized = true",
            "the biased form is for contrast",
        ),
    ] {
        refused(BITS_HEAD, "product", keys, expected);
    }
}

#[test]
fn what_model_or_family_lacks_is_named() {
    let lacks = "model `ising` has no gradient, which ";
    for estimator in ["pathwise", "iwae", "dreg"] {
        refused_method(BITS_HEAD, "product", &format!("estimator = \"{estimator}\""), lacks);
    }
    refused(BITS_HEAD, "mean-field", "estimator = \"score-function\"", "cannot be moved there");
    for (family, keys, expected) in [
        (
            "student-t",
            "estimator = \"controlled-pathwise\"",
            "families whose members have: mean-field, full-rank, low-rank, block-diagonal",
        ),
        (
            "full-rank",
            "estimator = \"disarm\"",
            "family `full-rank` have no factors with finitely many values",
        ),
        (
            "full-rank",
            "estimator = \"score-function\"\nrao_blackwellized = true",
            "families whose members have: mean-field, block-diagonal, student-t, learned-student-t, product",
        ),
        (
            "mixture",
            "estimator = \"score-function\"\nsampler = \"overdispersed\"",
            "no proposal with heavier tails",
        ),
        ("student-t", "estimator = \"measure-valued\"", "no known decompositions"),
        (
            "student-t",
            "estimator = \"overdispersed-factors\"",
            "families whose members have: mean-field, block-diagonal, product",
        ),
        ("mean-field", "estimator = \"local-expectations\"", "families whose members have: product"),
        (
            "product",
            "estimator = \"measure-valued\"",
            "no decomposition into a pair of measures is known for",
        ),
        ("product", "estimator = \"local-quadrature\"", "needs factors with finitely many values"),
    ] {
        refused(SCHOOLS_HEAD, family, keys, expected);
    }
    // Not every model has local terms, nor a gradient.
    let garch = "name = \"x\"\n[data]\nset = \"garch\"\n[model]\nname = \"garch\"\ninitial_sd = 0.5\n";
    let local = "estimator = \"score-function\"\nrao_blackwellized = true";
    refused(garch, "mean-field", local, "model `garch` has no local terms of blocks, which ");
}

#[test]
fn parts_are_checked_too() {
    let part = |rest: &str, variables: &str| {
        format!("estimator = \"measure-valued\"\nn_samples = 2\n{variables}\n{rest}")
    };
    let score = "rest = { estimator = \"score-function\", n_samples = 8 }";
    for (keys, expected) in [
        (part(score, ""), "the names that this estimator is for"),
        (part("", "variables = [\"mu\"]"), "a table with the estimator of all other variables"),
        (part(score, "variables = [\"nu\"]"), "there is no variable `nu`"),
        (
            part("rest = { estimator = \"sample-reuse\" }", "variables = [\"mu\"]"),
            "neither `controlled-pathwise`, `sample-reuse`, nor",
        ),
        (
            part("rest = { estimator = \"score-function\", n_sample = 8 }", "variables = [\"mu\"]"),
            "did you mean `n_samples`?",
        ),
        (
            part(
                "rest = { estimator = \"score-function\", sampler = \"antithetic\", n_samples = 3 }",
                "variables = [\"mu\"]",
            ),
            "3 samples in groups of 2",
        ),
    ] {
        refused(SCHOOLS_HEAD, "mean-field", &keys, expected);
    }
}

fn replaced(from: &str, to: &str) -> String {
    assert!(BITS.contains(from), "{from}");
    BITS.replacen(from, to, 1)
}

#[test]
fn tables_of_a_bench_are_checked() {
    for (from, to, expected) in [
        ("[points]\nby = \"loo\"", "[points]\nby = \"lou\"", "did you mean `loo`?"),
        ("by = \"loo\"\n", "", "unless points are `given`"),
        ("max_iterations = 200", "max_iteration = 200", "did you mean `max_iterations`?"),
        ("max_iterations = 200", "use = [\"begin\"]", "unknown value in [points]: `begin`"),
        ("n_replicates = 60", "n_replicates = 5", "`n_replicates` of [bench] = 5, but it must be at least 8"),
        ("n_replicates = 60", "replicates = 60", "did you mean `n_replicates`?"),
        ("n_seeds = 3", "n_seeds = 1", "`race.n_seeds` of [bench] = 1, but it must be at least 2"),
        ("n_seeds = 3", "optimizer = \"adan\"", "did you mean `adam`?"),
        ("name = \"product\"", "name = \"produkt\"", "did you mean `product`?"),
        ("name = \"product\"", "name = \"product\"\nrank = 2", "`rank` of [family] = given with `product`"),
        ("name = \"loo\"", "name = \"naive\"", "two estimators are named `naive`"),
        ("estimator = \"disarm\"\n", "", "missing key `estimator` in [[estimators]] `disarm`"),
        ("[family]", "[famly]", "did you mean `family`?"),
        ("[points]", "[reference]\nkind = \"exakt\"\n[points]", "did you mean `exact`?"),
        ("[points]", "[reference]\nn_samples = 9\n[points]", "`paired`, when an estimator is described"),
        (
            "[points]",
            "[reference]\nkind = \"paired\"\nestimator = \"sample-reuse\"\n[points]",
            "an unbiased one: the others are judged by it",
        ),
        (
            "max_iterations = 200",
            "[[points.given]]\nname = \"a\"\nparams = [1.0]",
            "as many as the family has",
        ),
        ("[model]", "[data]\nset = \"kidiq\"\n[model]", "model `ising` reads no data: leave [data] away"),
        ("columns = 3", "column = 3", "did you mean `columns`?"),
        ("field = -0.4", "field = nan", "field = NaN"),
    ] {
        let message = bench_refusal(&replaced(from, to));
        assert!(message.contains(expected), "{to}:\n{message}\nexpected: {expected}");
        assert!(message.starts_with("bench.toml:"), "{message}");
    }
    let exact = format!(
        "{SCHOOLS_HEAD}[family]\nname = \"full-rank\"\n[[estimators]]\nname = \"e\"\nestimator = \"pathwise\"\n\
         [points]\nby = \"e\"\n[reference]\nkind = \"exact\"\n"
    );
    let message = bench_refusal(&exact);
    assert!(message.contains("no exact gradient is known for model `eight_schools` with family `full-rank`"));
}

#[test]
fn a_file_for_the_other_command_is_told() {
    let message = refusal(BITS);
    assert!(message.contains("belong to a file for `vi-lab estimators`"), "{message}");
    let message = bench_refusal(common::TINY);
    assert!(message.contains("belong to a file for `vi-lab run`"), "{message}");
}
