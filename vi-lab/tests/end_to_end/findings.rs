//! What reports say in words of the model.

use std::fs;

use vi_lab::{Interrupt, RunOutcome};

use crate::common::{parse, run};

/// What was found by the first method of an experiment with this data, model and output, and the outcome.
pub(super) fn found(text: &str) -> (Vec<vi_lab::Finding>, RunOutcome) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let text = format!("name = \"found\"\n{text}");
    let outcome = run(&text, directory.path(), 2, false, &Interrupt::new());
    let study = parse(&text).expect("the experiment is in order").study;
    let findings = study.findings(&outcome.results[0].parameters);
    let report = fs::read_to_string(directory.path().join("report.html")).expect("the report");
    assert!(report.contains("What was found") && report.contains(&findings[0].title));
    (findings, outcome)
}

/// Days 1, 3, 4 and 21 of the stack losses are those that robust analyses agree on.
#[test]
fn a_robust_regression_names_its_outliers() {
    let (findings, _) = found(
        "[data]\nset = \"stackloss\"\nstandardise = true\nstandardise_response = true\nintercept = true\n\
         [model]\nname = \"student_t_regression\"\n[model.priors]\ndof = [1.0, 2.0, 4.0]\n\
         [[methods]]\nmethod = \"cavi\"\nn_draws = 500\n",
    );
    let mut days: Vec<&str> = findings[0].rows[..4].iter().map(|row| row[0].as_str()).collect();
    days.sort_unstable();
    assert_eq!(days, ["1", "21", "3", "4"]);
    let p: f64 = findings[1].rows.iter().map(|row| row[1].parse::<f64>().expect("a probability")).sum();
    assert!((p - 1.0).abs() < 2e-3, "{p}");
}

/// Two columns that are one but for noise have one factor, on both of them; a second one is switched off.
#[test]
fn components_that_the_data_do_not_have_are_switched_off() {
    let (findings, _) = found(
        "[data]\nset = \"old_faithful\"\nstandardise = true\n\
         [model]\nname = \"principal_components\"\nn_factors = 2\n\
         [[methods]]\nmethod = \"cavi\"\nmax_iterations = 5000\nn_draws = 200\n",
    );
    let [relevance, loadings] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((relevance.rows[0][3].as_str(), relevance.rows[1][3].as_str()), ("", "switched off"));
    assert_eq!(loadings.header.len(), 3, "{:?}", loadings.header);
    let loading = |d: usize| loadings.rows[d][1].parse::<f64>().expect("a loading");
    // The largest eigenvalue of the correlations is 1.9008, the other 0.0992: two loadings of √(½ (1.9008 − 0.0992)).
    assert!((loading(0).abs() - 0.949).abs() < 0.02 && loading(0) * loading(1) > 0.0, "{:?}", loadings.rows);
}

/// Two topics of two words each that share none, and summaries as short as they were asked to be.
#[test]
fn topics_have_their_words_and_summaries_their_limit() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut rows = String::from("document,word,count\n");
    for document in 0..12 {
        let words = if document % 3 == 0 { ["whale", "ship"] } else { ["ball", "dance"] };
        words.iter().for_each(|word| rows += &format!("{document},{word},{}\n", 5 + document));
    }
    let file = data.path().join("words.csv");
    fs::write(&file, rows).expect("a file");
    let (findings, outcome) = found(&format!(
        "[data]\nfile = {:?}\n[model]\nname = \"latent_dirichlet\"\nn_topics = 2\n\
         [[methods]]\nmethod = \"cavi\"\nn_restarts = 4\nn_draws = 100\n\
         [output]\ndraws = \"none\"\nmax_parameters = 3\n",
        file.display().to_string()
    ));
    let [first, second] = findings[0].rows.as_slice() else { panic!("{:?}", findings[0].rows) };
    // Of 2 · Σ (5 + d) words, those of documents 0, 3, 6 and 9 are of the sea: 76 of 252.
    assert!(first[2].starts_with("ball") || first[2].starts_with("dance"), "{first:?}");
    assert!(second[2].starts_with("whale") || second[2].starts_with("ship"), "{second:?}");
    let share: f64 = second[1].trim_end_matches(" %").parse().expect("a share");
    assert!((share - 100.0 * 76.0 / 252.0).abs() < 3.0, "{share}");
    assert_eq!(outcome.summary.methods[0].parameters.len(), 3);
    assert_eq!(outcome.results[0].parameters.len(), 2 * 4 + 12 * 2);
}

/// Two topics of two words each, called by the lines of a vocabulary.
#[test]
fn topics_are_told_in_the_words_of_the_vocabulary() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut rows = String::from("document,word,count\n");
    for document in 0..12 {
        let words = if document % 3 == 0 { [1, 3] } else { [2, 5] };
        words.iter().for_each(|word| rows += &format!("{document},{word},{}\n", 5 + document));
    }
    fs::write(data.path().join("counts.csv"), rows).expect("a file");
    fs::write(data.path().join("words.txt"), "whale\nball\nship\nunused\ndance\n").expect("a file");
    let (findings, outcome) = found(&format!(
        "[data]\nfile = {:?}\nvocabulary = {:?}\n[model]\nname = \"latent_dirichlet\"\nn_topics = 2\n\
         [[methods]]\nmethod = \"cavi\"\nn_restarts = 4\nn_draws = 100\n\
         [[methods]]\nmethod = \"svi\"\nbatch_size = 4\nn_epochs = 40\nn_draws = 100\n",
        data.path().join("counts.csv").display().to_string(),
        data.path().join("words.txt").display().to_string()
    ));
    let mut topics: Vec<Vec<&str>> =
        findings[0].rows.iter().map(|row| row[2].split(", ").take(2).collect()).collect();
    topics.iter_mut().for_each(|words| words.sort_unstable());
    topics.sort();
    assert_eq!(topics, [["ball", "dance"], ["ship", "whale"]], "{:?}", findings[0].rows);
    let (best, svi) = (&outcome.summary.methods[0], &outcome.summary.methods[1]);
    assert!(
        svi.elbo.expect("a bound") <= best.elbo.expect("a bound") + 1e-3,
        "minibatches reach no better optimum"
    );
}

#[test]
fn the_words_of_the_novel_belong_to_its_numbers() {
    let (column, words) =
        vi_lab::built_in("pride_and_prejudice").and_then(|s| s.vocabulary).expect("its words");
    let words: Vec<&str> = words.lines().collect();
    assert_eq!((column, words.len()), ("word", 1495));
    assert!(["darcy", "elizabeth", "jane"].iter().all(|word| words.contains(word)));
    // Topics of built-in data are told in words without being asked.
    let study = parse(
        "name = \"x\"\n[data]\nset = \"pride_and_prejudice\"\n[model]\nname = \"latent_dirichlet\"\nn_topics = 2\n\
         [[methods]]\nmethod = \"cavi\"\n",
    );
    let study = study.expect("in order").study;
    let figures: Vec<vi_diagnostics::Summary> = study
        .reported()
        .names()
        .iter()
        .map(|name| vi_diagnostics::Summary {
            name: name.clone(),
            mean: if name == "topics[1,300]" { 0.5 } else { 1e-4 },
            sd: 0.0,
            q05: 0.0,
            q50: 0.0,
            q95: 0.0,
            mcse_mean: None,
            ess_bulk: None,
            ess_tail: None,
            rhat: None,
        })
        .collect();
    let findings = study.findings(&figures);
    let row = findings[0].rows.iter().find(|row| row[0] == "1").expect("a topic");
    let shown: Vec<&str> = row[2].split(", ").collect();
    assert_eq!((shown.len(), shown[0]), (8, words[299]));
}
