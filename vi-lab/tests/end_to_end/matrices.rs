//! Matrices by their factors: from tables with holes and from lists of entries.

use std::fs;
use std::path::Path;

use vi_lab::Interrupt;

use crate::common::run;
use crate::findings::found;

fn written(directory: &Path, name: &str, text: &str) -> String {
    let file = directory.join(name);
    fs::write(&file, text).expect("a file");
    format!("file = {:?}", file.display().to_string())
}

const METHODS: &str = "[[methods]]\nmethod = \"cavi\"\nmax_iterations = 5000\nn_draws = 200\n\
                       [[methods]]\nmethod = \"gibbs\"\nn_chains = 2\nn_warmup = 50\nn_draws = 100\n";

#[test]
fn factor_analysis_finds_what_columns_share() {
    let (findings, _) = found(
        "[data]\nset = \"breast_cancer\"\ncolumns = [\"mean_radius\", \"mean_perimeter\", \"mean_texture\"]\n\
         standardise = true\n[model]\nname = \"factor_analysis\"\nn_factors = 1\n\
         [[methods]]\nmethod = \"cavi\"\nn_draws = 200\n",
    );
    let cell = |row: usize, column: usize| -> f64 {
        findings[1].rows[row][column].replace('\u{2212}', "-").parse().expect("a number")
    };
    // Radius and perimeter correlate at 0.998, texture with them at a third: it keeps most of its variance as noise.
    assert!(cell(0, 1).abs() > 0.95 && cell(1, 1).abs() > 0.95, "{:?}", findings[1].rows);
    assert!(cell(2, 1).abs() < 0.45 && cell(2, 2) > 0.85 && cell(0, 2) < 0.2, "{:?}", findings[1].rows);
}

/// y_nd = u_n v_d, seen in two entries of three.
#[test]
fn a_matrix_of_rank_one_has_one_factor_and_is_found_sooner_with_expansion() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let value = |n: usize, d: usize| {
        ((n as f64) * 0.7 - 4.0) * ((d as f64) - 2.5) + 0.05 * ((n * 7 + d * 3) as f64).sin()
    };
    let entries: String = (0..14)
        .flat_map(|n| (0..6).map(move |d| (n, d)))
        .filter(|(n, d)| (n + d) % 3 != 0)
        .map(|(n, d)| format!("{n},{d},{}\n", value(n, d)))
        .collect();
    let file = written(directory.path(), "entries.csv", &format!("user,item,rating\n{entries}"));
    let head = format!(
        "[data]\n{file}\nentries = [\"user\", \"item\", \"rating\"]\n\
         [model]\nname = \"matrix_factorisation\"\nn_factors = 2\n"
    );
    let slow = "[[methods]]\nname = \"plain\"\nmethod = \"cavi\"\nexpansion = false\nmax_iterations = 5000\nn_draws = 100\n";
    let (findings, outcome) = found(&format!("{head}{METHODS}{slow}"));
    let share: f64 = findings[0].rows[0][1].trim_end_matches(" %").parse().expect("a share");
    assert!(share > 95.0, "{:?}", findings[0].rows);
    assert_eq!((outcome.summary.model.n_data, findings[1].rows.len()), (14, 6));
    let [expanding, _, plain] = outcome.results.as_slice() else { panic!("three methods") };
    assert!(expanding.converged && expanding.iterations < plain.iterations);
    // What is missing may be told as an empty cell too, and the model is the same.
    let cell =
        |n: usize, d: usize| if (n + d).is_multiple_of(3) { String::new() } else { value(n, d).to_string() };
    let row = |n: usize| (0..6).map(|d| cell(n, d)).collect::<Vec<_>>().join(",");
    let table = (0..14).map(row).collect::<Vec<_>>().join("\n");
    let file = written(directory.path(), "table.csv", &format!("0,1,2,3,4,5\n{table}\n"));
    let head = head.replace("entries = [\"user\", \"item\", \"rating\"]", "missing = true");
    let (_, rest) = head.split_once("\nmissing").expect("a key");
    let (_, dense) = found(&format!("[data]\n{file}\nmissing{rest}{METHODS}"));
    let bound = |r: &vi_lab::MethodResult| r.elbo.expect("a bound").value.to_bits();
    assert_eq!(bound(expanding), bound(&dense.results[0]));
}

/// Counts in two blocks: the columns of a factor are those of a block, in a list as in a table with a hole.
#[test]
fn factors_of_counts_have_their_columns() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let count = |n: usize, d: usize| if n.is_multiple_of(2) == (d < 2) { 4 + (n * 3 + d * 5) % 7 } else { 0 };
    let list: String = (0..16)
        .flat_map(|n| (0..4).map(move |d| (n, d)))
        .filter(|(n, d)| count(*n, *d) > 0)
        .map(|(n, d)| format!("{n},c{d},{}\n", count(n, d)))
        .collect();
    let file = written(directory.path(), "list.csv", &format!("row,column,count\n{list}"));
    let model = "[model]\nname = \"poisson_factorisation\"\nn_factors = 2\n";
    let (findings, _) =
        found(&format!("[data]\n{file}\nentries = [\"row\", \"column\", \"count\"]\n{model}{METHODS}"));
    let mut blocks: Vec<Vec<char>> = findings[0]
        .rows
        .iter()
        .map(|row| row[2].split(", ").take(2).filter_map(|cell| cell.chars().nth(1)).collect())
        .collect();
    blocks.iter_mut().for_each(|b: &mut Vec<char>| b.sort_unstable());
    blocks.sort();
    assert_eq!(blocks, [['0', '1'], ['2', '3']], "{:?}", findings[0].rows);

    let cell = |n: usize, d: usize| if (n, d) == (3, 3) { String::new() } else { count(n, d).to_string() };
    let row = |n: usize| (0..4).map(|d| cell(n, d)).collect::<Vec<_>>().join(",");
    let table = (0..16).map(row).collect::<Vec<_>>().join("\n");
    let file = written(directory.path(), "table.csv", &format!("c0,c1,c2,c3\n{table}\n"));
    let (_, outcome) = found(&format!("[data]\n{file}\nmissing = true\n{model}{METHODS}"));
    assert!(outcome.results[0].converged, "{}", outcome.results[0].stop_reason);
}

/// Two clusters on a diagonal; a datum with one value is in the cluster of that value.
#[test]
fn a_mixture_takes_missing_values_when_it_is_told_to() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let row = |i: usize| {
        let centre = if i.is_multiple_of(2) { -3.0 } else { 3.0 };
        let (x, y) = (centre + (i as f64).sin() * 0.5, centre + (i as f64 * 1.7).cos() * 0.5);
        match i {
            4 => format!(",{y}"),
            7 => format!("{x},NaN"),
            _ => format!("{x},{y}"),
        }
    };
    let table = (0..30).map(row).collect::<Vec<_>>().join("\n");
    let file = written(directory.path(), "holes.csv", &format!("x,y\n{table}\n"));
    let model = "[model]\nname = \"gaussian_mixture\"\nn_components = 2\n[model.priors]\ncovariance = \"diagonal\"\n\
                 weights = \"stick_breaking\"\n";
    let data = format!("[data]\n{file}\nstandardise = true\n");
    let (findings, outcome) = found(&format!("{data}missing = true\n{model}{METHODS}"));
    assert_eq!(findings[0].rows.len(), 2, "{:?}", findings[0].rows);
    assert!(outcome.results[0].converged);
    let message = crate::common::refusal(&format!("name = \"x\"\n{data}{model}{METHODS}"));
    let wanted = "holes.csv: row 5, column `x`: a value is missing (``); write `missing = true` in [data] if that is meant";
    assert!(message.ends_with(wanted), "{message}");
    let interrupt = Interrupt::new();
    let again = run(
        &format!("name = \"found\"\n{data}missing = true\n{model}{METHODS}"),
        directory.path(),
        1,
        false,
        &interrupt,
    );
    assert_eq!(again.results[0].elbo, outcome.results[0].elbo);
}
