//! What earlier runs left in an output directory and what must not stand beside the results of this one.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use crate::config::Experiment;
use crate::error::LabError;
use crate::output::OutputDirectory;

const DOCUMENTS: [&str; 4] = ["summary.json", "estimators.json", "report.html", "manifest.json"];

/// Removes the results of earlier runs: the documents, and the traces and draws of the methods that the old
/// summary and the old checkpoints name. Every other file is the user's and stays.
///
/// # Errors
/// [`LabError::Write`] names what cannot be removed.
pub(crate) fn remove_results(experiment: &Experiment, output: &OutputDirectory) -> Result<(), LabError> {
    let mut methods: BTreeSet<String> = experiment.methods.iter().map(|m| m.name.clone()).collect();
    methods.extend(summarised(output));
    methods.extend(saved(output)?);
    remove_documents(output)?;
    for name in methods {
        remove_file(&output.path(format!("traces/{name}.csv")))?;
        for ending in ["csv", "npy", "names.json"] {
            remove_file(&output.path(format!("draws/{name}.{ending}")))?;
        }
    }
    Ok(())
}

/// Removes the documents of earlier runs.
///
/// # Errors
/// [`LabError::Write`] names what cannot be removed.
pub(crate) fn remove_documents(output: &OutputDirectory) -> Result<(), LabError> {
    DOCUMENTS.iter().try_for_each(|document| remove_file(&output.path(document)))
}

/// The methods of the old summary; none when there is none that can be read.
fn summarised(output: &OutputDirectory) -> Vec<String> {
    let bytes = std::fs::read(output.path("summary.json")).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let methods = summary["methods"].as_array().into_iter().flatten();
    let names = methods.filter_map(|m| m["name"].as_str());
    // A summary may have been edited: what is no plain file name is no method of ours.
    names.filter(|name| !name.contains(['/', '\\'])).map(str::to_owned).collect()
}

/// The methods of a run that ended before its summary: their results were saved first.
fn saved(output: &OutputDirectory) -> Result<Vec<String>, LabError> {
    let directory = output.path("checkpoints");
    let mut names = Vec::new();
    for path in checkpoints(&directory)? {
        let file = path.file_name().and_then(|f| f.to_str()).unwrap_or_default();
        let method = [".result.checkpoint", ".elapsed.checkpoint"].iter().find_map(|e| file.strip_suffix(e));
        names.extend(method.map(str::to_owned));
    }
    Ok(names)
}

/// Removes all checkpoints, and their directory when nothing else is in it.
///
/// # Errors
/// [`LabError::Write`] names what cannot be removed.
pub(crate) fn remove_checkpoints(output: &OutputDirectory) -> Result<(), LabError> {
    let directory = output.path("checkpoints");
    for path in checkpoints(&directory)? {
        remove_file(&path)?;
    }
    // Someone else's file keeps the directory; that is no error.
    let _ = std::fs::remove_dir(&directory);
    Ok(())
}

/// Only what was written here: the directory is the user's.
fn checkpoints(directory: &Path) -> Result<Vec<std::path::PathBuf>, LabError> {
    let failed = |source| LabError::Write { path: directory.to_owned(), source };
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|e| e == "checkpoint") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn remove_file(path: &Path) -> Result<(), LabError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(LabError::Write { path: path.to_owned(), source: e })
        }
        _ => Ok(()),
    }
}
