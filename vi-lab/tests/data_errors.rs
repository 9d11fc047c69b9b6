//! What is wrong in a data file is said with the file, the row and the column.

mod common;

use std::fs;
use std::path::Path;

use common::with_data;
use ndarray::array;
use ndarray_npy::WriteNpyExt;
use vi_lab::Experiment;

/// The message of an experiment on a file with this content.
fn refusal(file: &str, content: &[u8], keys: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join(file), content).expect("a data file");
    match load(directory.path(), file, keys) {
        Ok(_) => panic!("the data were accepted"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        }
    }
}

fn load(directory: &Path, file: &str, keys: &str) -> Result<Experiment, vi_lab::LabError> {
    Experiment::parse(&with_data(&format!("file = \"{file}\"\n{keys}")), "test.toml", directory)
}

const RESPONSE: &str = "response = \"y\"";

#[test]
fn a_value_that_is_no_finite_number_is_named_with_row_and_column() {
    for bad in ["NaN", "inf", "NA", ""] {
        let content = format!("y,x\n1,2\n3,4\n5,{bad}\n");
        let message = refusal("a.csv", content.as_bytes(), RESPONSE);
        assert!(
            message.ends_with(&format!("a.csv: row 3, column `x`: `{bad}` is not a finite number")),
            "{message}"
        );
    }
    let message = refusal("a.json", br#"{"N": 2, "y": [1, "NaN"], "x": [1, 2]}"#, RESPONSE);
    assert!(message.ends_with("a.json: row 2, column `y`: `NaN` is not a finite number"), "{message}");
    let mut npy = Vec::new();
    array![[1.0, 2.0], [3.0, f64::NAN]].write_npy(&mut npy).expect("an NPY file");
    let message = refusal("a.npy", &npy, "response = \"x1\"");
    assert!(message.ends_with("a.npy: row 2, column `x2`: `NaN` is not a finite number"), "{message}");
}

#[test]
fn a_row_of_another_length_is_named_with_its_line() {
    let message = refusal("a.csv", b"y,x\n1,2\n3,4,5\n", RESPONSE);
    assert!(message.ends_with("a.csv: line 3 has 3 columns, expected 2"), "{message}");
    let message = refusal("a.csv", b"y,x\n1\n", RESPONSE);
    assert!(message.ends_with("a.csv: line 2 has 1 column, expected 2"), "{message}");
    let message = refusal("a.json", br#"{"y": [1, 2, 3], "x": [1, 2]}"#, RESPONSE);
    assert!(message.ends_with("a.json: column `x` has 2 rows, `y` has 3"), "{message}");
}

#[test]
fn an_empty_file_is_refused() {
    for (file, content) in
        [("a.csv", ""), ("a.csv", "y,x\n"), ("a.json", ""), ("a.json", "{}"), ("a.npy", "")]
    {
        let message = refusal(file, content.as_bytes(), RESPONSE);
        assert!(message.ends_with(&format!("{file}: no data: the file has no rows")), "{message}");
    }
}

#[test]
fn a_missing_column_is_told_with_the_nearest_one() {
    let message = refusal("a.csv", b"score,x\n1,2\n", "response = \"scor\"");
    assert!(message.contains("no column `scor`; did you mean `score`?"), "{message}");
    let message = refusal("a.csv", b"score,x\n1,2\n", "");
    assert!(message.contains("model `linear_regression` needs `response` in [data]"), "{message}");
}

#[test]
fn a_regression_without_covariates_is_refused_by_the_name_of_its_file() {
    for keys in [RESPONSE, "response = \"y\"\nintercept = true"] {
        let message = refusal("a.csv", b"y\n1\n3\n", keys);
        assert!(message.contains("a.csv: no covariate columns: "), "{message}");
    }
    let message = refusal("a.csv", b"y,x\n1,2\n3,4\n", "response = \"y\"\ncovariates = []");
    assert!(message.contains("a.csv: no covariate columns: "), "{message}");
}

#[test]
fn a_constant_column_cannot_be_standardised() {
    let message = refusal("a.csv", b"y,x\n1,2\n3,2\n", "response = \"y\"\nstandardise = true");
    assert!(message.ends_with("a.csv: column `x` is constant (2) and cannot be standardised"), "{message}");
}

#[test]
fn a_file_that_is_not_there_or_not_what_it_says_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let message = load(directory.path(), "gone.csv", RESPONSE).expect_err("no such file").to_string();
    assert!(message.starts_with("cannot read ") && message.contains("gone.csv"), "{message}");
    let message = refusal("a.npy", b"y,x\n1,2\n", RESPONSE);
    assert!(message.contains("a.npy: not a valid NPY file"), "{message}");
    let message = refusal("a.json", b"[1, 2]", RESPONSE);
    assert!(
        message.contains("a.json: not a valid Stan JSON file: the outermost value is not an object"),
        "{message}"
    );
    let message = refusal("a.txt", b"y,x\n1,2\n", RESPONSE);
    assert!(message.contains("the ending `txt` is not known"), "{message}");
    let message = refusal("a.csv", b"y,x\n1,\xff\xfe\n", RESPONSE);
    assert!(message.contains("a.csv: not a valid CSV file"), "{message}");
}

#[test]
fn one_data_set_in_three_formats_is_one_model() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (y, x) = ([1.5, -0.25, 3.0], [0.5, 2.0, 1.0]);
    fs::write(directory.path().join("a.csv"), "y, x\n1.5, 0.5\n-0.25, 2\n3, 1\n").expect("a CSV file");
    fs::write(directory.path().join("a.json"), format!("{{\"N\": 3, \"y\": {y:?}, \"x\": {x:?}}}"))
        .expect("JSON");
    let mut npy = Vec::new();
    array![[1.5, 0.5], [-0.25, 2.0], [3.0, 1.0]].write_npy(&mut npy).expect("an NPY file");
    fs::write(directory.path().join("a.npy"), npy).expect("an NPY file");
    let z = array![0.3, -0.7, 1.4];
    let values = [("a.csv", "y"), ("a.json", "y"), ("a.npy", "x1")].map(|(file, response)| {
        let keys = format!("response = \"{response}\"\nstandardise = true\nintercept = true");
        load(directory.path(), file, &keys).expect("sound data").study.log_joint().log_joint(&z)
    });
    assert!(values[0].is_finite());
    assert!(values.iter().all(|v| v.to_bits() == values[0].to_bits()), "{values:?}");
}

/// The message of an experiment with this data and model on a file.
fn refused(content: &str, keys: &str, model: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("a.csv"), content).expect("a data file");
    fs::write(directory.path().join("two.txt"), "one\ntwo\n").expect("a vocabulary");
    fs::write(directory.path().join("gap.txt"), "one\n\nthree\n").expect("a vocabulary");
    let text = format!(
        "name = \"x\"\n[data]\nfile = \"a.csv\"\n{keys}\n[model]\n{model}\n[[methods]]\nmethod = \"cavi\"\n"
    );
    match Experiment::parse(&text, "test.toml", directory.path()) {
        Ok(_) => panic!("the data were accepted"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        }
    }
}

#[test]
fn what_is_wrong_with_keys_of_classical_models_is_told() {
    let table = "x,y\n1,2\n3,\n5,6\n";
    let list = "r,c,v\na,p,1\nb,q,2\na,q,2.5\n";
    let words = "d,w,n\n1,1,2\n1,3,4\n2,2,1\n";
    let pca = "name = \"principal_components\"\nn_factors = 1";
    let lda = "name = \"latent_dirichlet\"\nn_topics = 2";
    for (content, keys, model, wanted) in [
        (table, "", pca, "a.csv: row 2, column `y`: a value is missing (``); write `missing = true`"),
        ("x,y\n1,\n3,NA\n", "missing = true", pca, "a.csv: column `y` has no value at all"),
        ("x,y\n1,2\n3,inf\n", "missing = true", pca, "row 2, column `y`: `inf` is not a finite number"),
        ("x,y\n1,2\n3,\n", "missing = true\nstandardise = true", pca, "column `y` is constant (2)"),
        (table, "missing = \"yes\"", pca, "invalid type: string \"yes\""),
        (
            table,
            "response = \"x\"\nmissing = true",
            "name = \"linear_regression\"",
            "does not use the key `missing`",
        ),
        (
            list,
            "entries = [\"r\", \"c\"]",
            pca,
            "`entries` of [data] names three columns, row, column and value, not r, c",
        ),
        (list, "entries = [\"r\", \"c\", \"w\"]", pca, "no column `w`"),
        (
            list,
            "entries = [\"r\", \"c\", \"v\"]\nstandardise = true",
            pca,
            "`entries` of [data] = given with `standardise`",
        ),
        (&format!("{list}a,p,3\n"), "entries = [\"r\", \"c\", \"v\"]", pca, "given once"),
        (
            list,
            "entries = [\"r\", \"c\", \"v\"]",
            "name = \"poisson_factorisation\"\nn_factors = 2",
            "sparse_counts: ",
        ),
        (table, "missing = true", "name = \"factor_analysis\"\nn_factors = 0", "n_factors = 0"),
        (table, "missing = true", "name = \"factor_analysis\"\nn_factor = 1", "did you mean `n_factors`?"),
        (
            table,
            "missing = true",
            "name = \"matrix_factorisation\"\nn_factors = 1\npriors = { scores = 1 }",
            "unknown key `scores`",
        ),
        (words, "vocabulary = \"two.txt\"", lda, "two.txt: word `3` is no number of a line from 1 to 2"),
        (words, "vocabulary = \"gap.txt\"", lda, "gap.txt: line 2 is empty"),
        (words, "vocabulary = \"gone.txt\"", lda, "cannot read "),
        (
            "k,t\n1,2\n",
            "response = \"k\"",
            "name = \"poisson_gamma\"",
            "model `poisson_gamma` needs `exposure` in [data]",
        ),
        (
            "k,t\n1.5,2\n",
            "response = \"k\"\nexposure = \"t\"",
            "name = \"poisson_gamma\"",
            "count[0, 0] = 1.5",
        ),
        (
            "y,g\n1,2\n",
            "response = \"y\"",
            "name = \"hierarchical_normal\"",
            "needs `group` in [data]: the column that says",
        ),
        (
            "y,g\n1,2\n",
            "response = \"y\"\ngrup = \"g\"",
            "name = \"hierarchical_normal\"",
            "did you mean `group`?",
        ),
        ("y,x\n1,2\n2,1\n", "response = \"y\"", "name = \"probit_regression\"", "probit_regression: "),
        (
            "y,x\n1,2\n2,1\n",
            "response = \"y\"",
            "name = \"multinomial_regression\"\nn_classes = 2",
            "multinomial_regression: y[1, 0] = 2",
        ),
        (
            "y,x\n1,2\n2,1\n",
            "response = \"y\"",
            "name = \"multinomial_regression\"",
            "missing field `n_classes`",
        ),
        (
            "y,x\n1,2\n2,1\n",
            "response = \"y\"",
            "name = \"spike_and_slab\"\npriors = { slab_precision = -1.0 }",
            "slab_precision = -1",
        ),
        (
            "y,x\n1,2\n2,1\n",
            "response = \"y\"",
            "name = \"ard_regression\"\npriors = { relevance_rat = 1.0 }",
            "did you mean `relevance_rate`?",
        ),
    ] {
        let message = refused(content, keys, model);
        assert!(message.contains(wanted), "{keys} {model}: {message}");
    }
}
