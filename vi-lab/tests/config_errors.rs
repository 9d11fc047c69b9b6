//! What is wrong in an experiment file is said by name, with its place and what was probably meant.

mod common;

use common::{TINY, parse, refusal};

fn replaced(from: &str, to: &str) -> String {
    assert!(TINY.contains(from));
    TINY.replacen(from, to, 1)
}

#[test]
fn the_unchanged_experiment_is_accepted() {
    let experiment = parse(TINY).expect("the experiment is in order");
    assert_eq!((experiment.name.as_str(), experiment.seed, experiment.methods.len()), ("tiny", 7, 6));
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_valid_one() {
    let message = refusal(&replaced("max_iterations = 60", "max_iteration = 60"));
    assert!(
        message.starts_with("test.toml:21:1: unknown key `max_iteration` in [[methods]] `full-rank`"),
        "{message}"
    );
    assert!(message.contains("did you mean `max_iterations`?"), "{message}");

    let message = refusal(&replaced("seed = 7", "sed = 7"));
    assert!(
        message.starts_with("test.toml:3:1: unknown key `sed` in the experiment; did you mean `seed`?"),
        "{message}"
    );

    let message = refusal(&replaced("set = ", "sett = "));
    assert!(message.contains("unknown key `sett` in [data]; did you mean `set`?"), "{message}");

    let message = refusal(&replaced(
        "[[methods]]\nmethod = \"cavi\"",
        "[model.prior]\ntau_scale = 1.0\n[[methods]]\nmethod = \"cavi\"",
    ));
    assert!(message.contains("unknown key `prior` in [model]; did you mean `priors`?"), "{message}");

    let message = refusal(&replaced(
        "[[methods]]\nmethod = \"cavi\"",
        "[model.priors]\ntau_scal = 1.0\n[[methods]]\nmethod = \"cavi\"",
    ));
    assert!(
        message.contains("unknown key `tau_scal` in [model.priors]; did you mean `tau_scale`?"),
        "{message}"
    );

    let message = refusal(&TINY.replace("[[methods]]", "[[method]]"));
    assert!(message.contains("unknown key `method` in the experiment; did you mean `methods`?"), "{message}");
}

#[test]
fn unknown_names_are_told_with_the_nearest_known_one() {
    let message = refusal(&replaced("name = \"eight_schools\"", "name = \"eight_shools\""));
    assert!(
        message.starts_with("test.toml:9:8: unknown model `eight_shools`; did you mean `eight_schools`?"),
        "{message}"
    );

    let message = refusal(&replaced("set = \"eight_schools\"", "set = \"eightschools\""));
    assert!(message.contains("unknown data set `eightschools`; did you mean `eight_schools`?"), "{message}");

    let message = refusal(&replaced("method = \"gibbs\"", "method = \"gibs\""));
    assert!(message.contains("unknown method `gibs`; did you mean `gibbs`?"), "{message}");

    let message = refusal(&replaced("family = \"full-rank\"", "family = \"fullrank\""));
    assert!(message.contains("`fullrank`; did you mean `full-rank`?"), "{message}");

    let message = refusal(&replaced("n_samples = 4", "n_samples = 4\noptimizer = \"adan\""));
    assert!(message.contains("`adan`; did you mean `adam`?"), "{message}");
}

#[test]
fn a_negative_scale_is_refused_with_its_value() {
    let message = refusal(&replaced("[[methods]]", "[model.priors]\ntau_scale = -5.0\n[[methods]]"));
    assert!(message.starts_with("test.toml:8:1: eight_schools: "), "{message}");
    assert!(message.contains("tau_scale = -5"), "{message}");
}

#[test]
fn settings_outside_their_domain_are_refused_before_anything_runs() {
    let message = refusal(&replaced("n_samples = 4", "n_samples = 0"));
    assert!(
        message.contains("`n_samples` of method `full-rank` = 0, but it must be at least 1"),
        "{message}"
    );
    let message = refusal(&replaced("n_samples = 8", "n_samples = 1"));
    assert!(message.contains("or 2 with a baseline"), "{message}");
    let message = refusal(&replaced("n_chains = 2", "n_chains = 2\ntarget_accept = 1.5"));
    assert!(message.contains("= 1.5, but it must be in (0, 1)"), "{message}");
    let message = refusal(&replaced("n_samples = 4", "n_samples = \"four\""));
    assert!(
        message.contains("invalid type: string \"four\"") && message.contains("| n_samples = \"four\""),
        "{message}"
    );
    let message = refusal(&replaced("name = \"tiny\"", "name = \"../tiny\""));
    assert!(message.contains("letters, digits"), "{message}");
}

#[test]
fn numbers_of_the_wrong_kind_are_refused_in_words() {
    for bad in ["-1", "1.5"] {
        let message = refusal(&replaced("seed = 7", &format!("seed = {bad}")));
        assert!(message.contains(&format!("`{bad}`, expected a whole number ≥ 0 in ")), "{message}");
        assert!(message.ends_with(&format!("| seed = {bad}")), "{message}");
    }
    let message = refusal(&replaced("n_chains = 2", "n_chains = -2"));
    assert!(message.contains("expected a whole number ≥ 0"), "{message}");
}

#[test]
fn a_variable_that_a_family_has_no_factor_for_is_named() {
    let message = refusal(
        "name = \"x\"\n[data]\nset = \"old_faithful\"\n[model]\nname = \"gaussian_mixture\"\nn_components = 2\n\
         [[methods]]\nname = \"factors\"\nmethod = \"sgvi\"\nfamily = \"product\"\n\
         estimator = \"score-function\"\n",
    );
    assert!(
        message.contains("family `product` of method `factors` has no factor for the variable `precision`"),
        "{message}"
    );
    assert!(message.contains("whose support is ") && message.ends_with("use `mean-field` or `full-rank`"));
}

#[test]
fn estimators_and_families_that_do_not_go_together_are_refused() {
    let message = refusal(&replaced("n_samples = 4", "n_samples = 4\nestimator = \"disarm\""));
    assert!(
        message.contains("no factors with finitely many values, which method `full-rank` needs"),
        "{message}"
    );
    let message = refusal(&replaced("n_samples = 4", "n_samples = 4\nbaseline = \"none\""));
    assert!(message.contains("only the score function has a baseline"), "{message}");
}

#[test]
fn a_form_that_the_model_lacks_names_model_method_and_what_it_has() {
    let text = "name = \"x\"\n[data]\nset = \"kidiq\"\n[model]\nname = \"linear_regression\"\n\
                [[methods]]\nmethod = \"nuts\"\nparametrisation = \"non-centred\"\n";
    let message = refusal(text);
    assert!(message.contains("model `linear_regression` has no form of this `parametrisation`"), "{message}");
    assert!(message.contains("method `nuts` needs"), "{message}");
    assert!(message.ends_with("methods that it has: cavi, svi, sgvi, advise, laplace, pathfinder, multi_pathfinder, batch_and_match, \
         gaussian_score_matching, deterministic_advi, svgd, nuts, gibbs, random_walk"), "{message}");
}

#[test]
fn missing_and_doubled_parts_are_refused() {
    let message = refusal(&replaced("name = \"tiny\"\n", ""));
    assert!(message.contains("missing field `name`"), "{message}");
    let message = refusal(&replaced("[data]\nset = \"eight_schools\"\n", ""));
    assert!(message.contains("missing table `[data]`"), "{message}");
    let message = refusal(&replaced("name = \"score\"", "name = \"full-rank\""));
    assert!(message.contains("two methods are named `full-rank`"), "{message}");
    let message = refusal("name = \"x\"\n[data]\nset = \"kidiq\"\n[model]\nname = \"linear_regression\"\n");
    assert!(message.contains("at least one method"), "{message}");
    let message = refusal("name = \"x\"\nname = \"y\"\n");
    assert!(message.starts_with("test.toml:2:1: duplicate key"), "{message}");
    let message = refusal(&replaced("set = \"eight_schools\"", "set = \"eight_schools\"\nfile = \"a.csv\""));
    assert!(message.contains("either a built-in `set` or a `file`"), "{message}");
}

#[test]
fn a_data_key_that_the_model_does_not_use_is_refused() {
    let set = "set = \"eight_schools\"";
    // Responses on another scale than their standard errors would be another model.
    let message = refusal(&replaced(set, &format!("{set}\nstandardise_response = true")));
    assert_eq!(
        message,
        "test.toml:7:1: model `eight_schools` does not use the key `standardise_response` of [data]; besides \
         `set` and `file` it uses: response, standard_errors"
    );
    let on = |set: &str, key: &str, model: &str| {
        refusal(&format!(
            "name = \"x\"\n[data]\nset = \"{set}\"\n{key}\n[model]\nname = \"{model}\"\n\
             [[methods]]\nmethod = \"cavi\"\n"
        ))
    };
    for (set, key, model) in [
        ("eight_schools", "covariates = [\"y\"]", "eight_schools"),
        ("eight_schools", "intercept = false", "eight_schools"),
        ("old_faithful", "response = \"waiting\"", "gaussian_mixture"),
        ("kidiq", "standard_errors = \"mom_iq\"", "linear_regression"),
        ("kidiq", "columns = [\"mom_iq\"]", "linear_regression"),
        ("breast_cancer", "standardise_response = true", "logistic_regression"),
        ("kidiq", "standardise = true", "normal_mean_precision"),
    ] {
        let message = on(set, key, model);
        let (name, _) = key.split_once(' ').expect("a key and its value");
        let wanted = format!("test.toml:4:1: model `{model}` does not use the key `{name}` of [data]");
        assert!(message.starts_with(&wanted), "{message}");
    }
}

/// An experiment on Old Faithful whose only method has these lines.
fn mixture(method: &str) -> String {
    format!(
        "name = \"x\"\n[data]\nset = \"old_faithful\"\n[model]\nname = \"gaussian_mixture\"\nn_components = 2\n\
         [[methods]]\n{method}\n"
    )
}

#[test]
fn keys_of_coordinate_ascent_outside_their_domain_are_refused() {
    for (keys, wanted) in [
        (
            "damping = { rate = 0.0 }",
            "`damping.rate` of method `cavi` = 0, but it must be above 0 and at most 1",
        ),
        ("damping = { rate = 1.5 }", "`damping.rate` of method `cavi` = 1.5"),
        ("annealing = { start = 2.0 }", "`annealing.start` of method `cavi` = 2, but it must be above 0"),
        ("annealing = { sweeps_each = 0 }", "`annealing.sweeps_each` of method `cavi` = 0"),
        ("annealing = { perturbation = 1.0 }", "`annealing.perturbation` of method `cavi` = 1"),
        (
            "moves = { min_gain = 0.0 }",
            "`moves.min_gain` of method `cavi` = 0, but it must be finite and > 0",
        ),
        ("moves = { n_refine = 0 }", "`moves.n_refine` of method `cavi` = 0"),
        ("same_optimum = -1.0", "`same_optimum` of method `cavi` = -1, but it must be finite and ≥ 0"),
        ("n_restarts = 0", "`n_restarts` of method `cavi` = 0, but it must be at least 1"),
        ("check_stationary = \"always\"", "unknown value in [[methods]] `cavi`: `always`"),
        ("moves = {}\ndamping = {}", "`moves` of method `cavi` = given with `damping`"),
        ("moves = {}\nannealing = {}", "`moves` of method `cavi` = given with `annealing`"),
        ("annealing = { n_temperature = 3 }", "did you mean `n_temperatures`?"),
        ("move = {}", "unknown key `move` in [[methods]] `cavi`; did you mean `moves`?"),
    ] {
        let message = refusal(&mixture(&format!("method = \"cavi\"\n{keys}")));
        assert!(message.contains(wanted), "{keys}: {message}");
    }
}

#[test]
fn keys_of_stochastic_ascent_outside_their_domain_are_refused() {
    for (keys, wanted) in [
        ("batch_size = 0", "`batch_size` of method `svi` = 0, but it must be at least 1"),
        ("n_epochs = 0", "`n_epochs` of method `svi` = 0"),
        ("tolerance = -1.0", "`tolerance` of method `svi` = -1"),
        ("n_draws = 1", "`n_draws` of method `svi` = 1, but it must be at least 2"),
        ("rate = { robbins_monro = { forgetting = 0.5 } }", "`rate.forgetting` of method `svi` = 0.5"),
        ("rate = { robbins_monro = { delay = -1.0 } }", "`rate.delay` of method `svi` = -1"),
        ("rate = { adaptive = { n_initial = 0 } }", "`rate.n_initial` of method `svi` = 0"),
        ("rate = { constant = { rate = 0.0 } }", "`rate.rate` of method `svi` = 0"),
        ("rate = { adaptiv = {} }", "`adaptiv`; did you mean `adaptive`?"),
        ("batchsize = 10", "unknown key `batchsize` in [[methods]] `svi`; did you mean `batch_size`?"),
        ("n_restarts = 3", "unknown key `n_restarts`"),
    ] {
        let message = refusal(&mixture(&format!("method = \"svi\"\n{keys}")));
        assert!(message.contains(wanted), "{keys}: {message}");
    }
}

#[test]
fn what_a_model_lacks_for_a_key_or_a_method_is_told_before_anything_runs() {
    let cavi = |keys: &str| replaced("n_restarts = 3", keys);
    for (keys, lacks) in [
        (
            "moves = {}",
            "model `eight_schools` has no moves of components, which `moves` of method `cavi` needs",
        ),
        ("expansion = true", "model `eight_schools` has no parameter expansion, which `expansion` of method"),
    ] {
        let message = refusal(&cavi(keys));
        assert!(message.starts_with("test.toml:11:1: ") && message.contains(lacks), "{message}");
    }
    let on = |set: &str, model: &str, keys: &str| {
        format!("name = \"x\"\n[data]\nset = \"{set}\"\n[model]\nname = \"{model}\"\n[[methods]]\n{keys}\n")
    };
    let message = refusal(&on("coagulation", "hierarchical_normal", "method = \"cavi\"\nannealing = {}"));
    assert!(message.contains("has no natural parameters of its factors, which `annealing` of"), "{message}");
    let message = refusal(&on("coagulation", "hierarchical_normal", "method = \"svi\""));
    assert!(
        message
            .contains("has no exchangeable data, which method `svi` needs; methods that it has: cavi, sgvi"),
        "{message}"
    );
    parse(&cavi("damping = { rate = 0.7 }\nannealing = {}")).expect("the model has natural parameters");
    parse(&on("kidiq", "linear_regression", "method = \"svi\"")).expect("the model has exchangeable data");
}
