//! The program as its users meet it: exit codes, what goes to which stream, what is left on disk.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::TINY;
use serde_json::Value;

const METHODS: [&str; 14] = [
    "cavi",
    "svi",
    "sgvi",
    "advise",
    "laplace",
    "pathfinder",
    "multi_pathfinder",
    "batch_and_match",
    "gaussian_score_matching",
    "deterministic_advi",
    "svgd",
    "nuts",
    "gibbs",
    "random_walk",
];

fn vi_lab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vi-lab")).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

/// The experiment of one quick method, in a file.
fn quick(directory: &Path) -> String {
    let path = directory.join("quick.toml");
    let (head, _) = TINY.split_once("[[methods]]\nname = \"full-rank\"").expect("a second method");
    fs::write(&path, head).expect("an experiment file");
    path.display().to_string()
}

/// Bad input: exit code 2, a message on standard error, nothing on standard output, no backtrace.
fn complaint(arguments: &[&str]) -> String {
    let output = vi_lab(arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty());
    assert!(message.starts_with("vi-lab: ") && !message.contains("panicked"), "{message}");
    message
}

#[test]
fn a_run_prints_its_table_and_leaves_its_files() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let out = directory.path().join("out");
    let experiment = quick(directory.path());
    let output = vi_lab(&["run", &experiment, "--out", &out.display().to_string(), "--seed", "11"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for word in ["cavi", "exact", "log evidence", "theta[1]", "tau", "seed 11", "report.html"] {
        assert!(table.contains(word), "no `{word}` in\n{table}");
    }
    assert!(output.stderr.is_empty(), "progress is for terminals: {}", text(&output.stderr));
    for file in ["summary.json", "manifest.json", "report.html", "traces/cavi.csv", "draws/cavi.csv"] {
        assert!(out.join(file).is_file(), "no {file}");
    }
    assert!(!out.join("checkpoints").exists(), "a finished run needs no checkpoints");
    let quiet =
        vi_lab(&["run", &experiment, "--out", &out.display().to_string(), "--quiet", "--threads", "1"]);
    assert!(quiet.status.success() && quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[test]
fn an_output_directory_that_is_not_writable_is_told_before_any_work() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("file");
    fs::write(&file, "in the way").expect("a file");
    let out = file.join("out").display().to_string();
    let message = complaint(&["run", &quick(directory.path()), "--out", &out]);
    assert!(message.contains(&format!("output directory {out} is not writable: ")), "{message}");
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), "in the way");
}

#[test]
fn an_experiment_that_cannot_be_read_is_told() {
    let message = complaint(&["run", "no-such-file.toml"]);
    assert!(message.contains("cannot read no-such-file.toml: "), "{message}");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let message = complaint(&["run", &directory.path().display().to_string()]);
    assert!(message.contains("cannot read "), "{message}");
    let path = directory.path().join("bad.toml");
    fs::write(&path, "name = \"x\"\nseed = [\n").expect("an experiment file");
    let message = complaint(&["run", &path.display().to_string()]);
    assert!(message.contains("bad.toml:"), "{message}");
}

#[test]
fn usage_errors_have_the_same_exit_code() {
    for arguments in [&["run"][..], &["runn", "x.toml"], &["run", "x.toml", "--threads", "0"]] {
        assert_eq!(vi_lab(arguments).status.code(), Some(2));
    }
}

#[test]
fn lists_name_everything_that_experiments_can() {
    let json = |command: &str| -> Value {
        let output = vi_lab(&[command, "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let names = |value: &Value| -> Vec<String> {
        let rows = value.as_array().expect("a list").iter();
        rows.map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    };
    let models = json("models");
    assert_eq!(
        names(&models),
        [
            "ard_regression",
            "autoregression",
            "eight_schools",
            "factor_analysis",
            "garch",
            "gaussian_mixture",
            "gaussian_process_poisson",
            "gaussian_process_regression",
            "gaussian_regression",
            "hidden_markov",
            "hierarchical_normal",
            "ising",
            "latent_dirichlet",
            "linear_regression",
            "logearn_interaction",
            "logistic_regression",
            "matrix_factorisation",
            "multinomial_regression",
            "nes",
            "normal_mean_precision",
            "one_compartment",
            "poisson_factorisation",
            "poisson_gamma",
            "principal_components",
            "probit_regression",
            "sigmoid_belief_network",
            "spike_and_slab",
            "student_t_regression",
            "two_normals"
        ]
    );
    for model in models.as_array().expect("a list") {
        let conjugate = [
            "ard_regression",
            "eight_schools",
            "factor_analysis",
            "gaussian_mixture",
            "hierarchical_normal",
            "latent_dirichlet",
            "linear_regression",
            "logistic_regression",
            "matrix_factorisation",
            "multinomial_regression",
            "normal_mean_precision",
            "poisson_factorisation",
            "poisson_gamma",
            "principal_components",
            "probit_regression",
            "student_t_regression",
        ];
        let other_data = ["eight_schools", "hierarchical_normal", "normal_mean_precision"];
        let name = model["name"].as_str().expect("a name");
        let methods = if ["ising", "sigmoid_belief_network"].contains(&name) {
            serde_json::json!(["sgvi", "advise"])
        } else if name == "spike_and_slab" {
            serde_json::json!(["cavi", "sgvi", "advise", "gibbs"])
        } else if conjugate.contains(&name) {
            let has = |m: &&str| *m != "svi" || !other_data.contains(&name);
            METHODS.into_iter().filter(has).collect::<Vec<_>>().into()
        } else {
            let others = METHODS.iter().filter(|m| !["cavi", "svi", "gibbs"].contains(m));
            others.copied().collect::<Vec<_>>().into()
        };
        assert_eq!(model["methods"], methods);
        assert!(model["default_priors"].is_object() && model["example"]["parameters"].is_array());
    }
    assert_eq!(
        names(&json("families")),
        [
            "mean-field",
            "full-rank",
            "low-rank",
            "block-diagonal",
            "mixture",
            "student-t",
            "learned-student-t",
            "product"
        ]
    );
    let families = json("families");
    assert_eq!(families[0]["samplers"][3], "overdispersed");
    assert_eq!(
        families[1]["estimators"],
        serde_json::json!([
            "score-function",
            "pathwise",
            "controlled-pathwise",
            "vimco",
            "iwae",
            "dreg",
            "sample-reuse"
        ])
    );
    let methods = json("methods");
    assert_eq!(methods[2]["estimators"][11]["name"], "disarm");
    assert_eq!(methods[2]["default_settings"]["n_samples"], 64);
    assert_eq!(names(&methods), METHODS);
    assert_eq!(methods[11]["default_settings"]["n_chains"], 4);
    assert_eq!(methods[1]["default_settings"]["rate"]["robbins_monro"]["forgetting"], 0.7);
    assert_eq!(methods[0]["keys"][2]["needs"], "moves of components");
    let capabilities = |name: &str| {
        let found = models.as_array().expect("a list").iter().find(|m| m["name"] == name);
        found.expect("a model")["capabilities"].clone()
    };
    assert!(
        capabilities("gaussian_mixture").as_array().expect("a list").contains(&"moves of components".into())
    );
    assert!(
        capabilities("principal_components")
            .as_array()
            .expect("a list")
            .contains(&"parameter expansion".into())
    );
    assert_eq!((&methods[4]["needs_gradient"], &methods[3]["needs_gradient"]), (&true.into(), &false.into()));
    for command in ["models", "families", "methods"] {
        let plain = text(&vi_lab(&[command]).stdout);
        assert!(names(&json(command)).iter().all(|name| plain.contains(name.as_str())), "{plain}");
    }
}

#[test]
fn a_bench_prints_its_table_or_its_document() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("bits.toml");
    fs::write(&path, common::bench::BITS).expect("a bench file");
    let (path, out) = (path.display().to_string(), directory.path().join("out"));
    let options = ["estimators", &path, "--out", &out.display().to_string(), "--threads", "1"];
    let output = vi_lab(&options);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for word in ["bits: ising, 6 coordinates", "exact, enumeration", "naive", "verdict", "report.html"] {
        assert!(table.contains(word), "no `{word}` in\n{table}");
    }
    let output = vi_lab(&[&options[..], &["--json", "--seed", "9"]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    assert_eq!(document["seed"], 9);
    assert_eq!(document["report"]["estimators"][3]["name"], "disarm");
    let quiet = vi_lab(&[&options[..], &["--quiet"]].concat());
    assert!(quiet.status.success() && quiet.stdout.is_empty() && quiet.stderr.is_empty());
    let message = complaint(&["run", &path]);
    assert!(message.contains("belong to a file for `vi-lab estimators`"), "{message}");
}

/// A sampler that would warm up for hours, stopped by SIGINT before its first draw.
///
/// Nothing here has a deadline: a program that does not react is found by whoever runs the tests.
#[cfg(unix)]
#[test]
fn ctrl_c_saves_what_is_done_and_says_how_to_go_on() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let quick = fs::read_to_string(quick(directory.path())).expect("an experiment file");
    let path = directory.path().join("long.toml");
    let endless = "[[methods]]\nmethod = \"gibbs\"\nn_chains = 1\nn_warmup = 2000000000\n";
    fs::write(&path, format!("{quick}\n{endless}")).expect("an experiment file");
    let out = directory.path().join("out");
    let mut child = Command::new(env!("CARGO_BIN_EXE_vi-lab"))
        .arg("run")
        .arg(&path)
        .arg("--out")
        .arg(&out)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The sampler saves its chain now and then: then it is at work.
    while !out.join("checkpoints/gibbs.chain-1.checkpoint").exists() {
        assert!(child.try_wait().expect("a child can be asked").is_none(), "the program ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
    let output = child.wait_with_output().expect("the program ended");
    assert_eq!(output.status.code(), Some(130));
    let table = text(&output.stdout);
    assert!(table.contains("go on with: vi-lab run ") && table.contains("--resume --out "), "{table}");
    let summary = fs::read(out.join("summary.json")).expect("what is done is saved");
    let summary: Value = serde_json::from_slice(&summary).expect("JSON");
    assert_eq!(summary["methods"][0]["converged"], true);
    let gibbs = &summary["methods"][1];
    assert_eq!(gibbs["stop_reason"], "interrupted");
    assert_eq!(gibbs["parameters"], serde_json::json!([]), "nothing was drawn");
    assert!(out.join("checkpoints/experiment.checkpoint").is_file());
}
