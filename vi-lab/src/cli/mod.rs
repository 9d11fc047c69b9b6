//! The commands of `vi-lab`.

mod list;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::bench::{BenchDocument, run_estimators};
use crate::config::{EstimatorBench, Experiment};
use crate::error::LabError;
use crate::interrupt::Interrupt;
use crate::run::{RunOptions, RunOutcome, run};
use crate::table;

/// Variational inference next to Markov chain Monte Carlo: one model, several methods, one comparison.
#[derive(Debug, Parser)]
#[command(name = "vi-lab", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment file and write summary.json, report.html, traces and draws.
    Run(RunArgs),
    /// Compare the gradient estimators of a bench file and write estimators.json and report.html.
    Estimators(EstimatorsArgs),
    /// List the models, the methods that each has, and an example of each.
    Models(ListArgs),
    /// List the variational families.
    Families(ListArgs),
    /// List the methods with their default settings, and the gradient estimators.
    Methods(ListArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The experiment file.
    #[arg(value_name = "EXPERIMENT.toml")]
    experiment: PathBuf,
    /// Where results go; results/<experiment name> by default.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The seed, instead of the one in the file.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads; as many as the machine has by default. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Show no progress and no table.
    #[arg(long)]
    quiet: bool,
    /// Go on from the checkpoints of an interrupted run of the same experiment and seed.
    #[arg(long)]
    resume: bool,
}

#[derive(Debug, Args)]
struct EstimatorsArgs {
    /// The bench file.
    #[arg(value_name = "EXPERIMENT.toml")]
    experiment: PathBuf,
    /// Print estimators.json instead of the table.
    #[arg(long)]
    json: bool,
    /// Where results go; results/<name of the bench> by default.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The seed, instead of the one in the file.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads; as many as the machine has by default. Results, seconds excepted, do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Show no progress and no table.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// The exit code of a run that was interrupted, as shells have it (128 + SIGINT).
pub const INTERRUPTED: u8 = 130;

impl Cli {
    /// Runs the command and returns the exit code of the process.
    ///
    /// # Errors
    /// [`LabError`], whose message is for people and whose [`LabError::exit_code`] is for shells.
    pub fn execute(&self, out: &mut dyn Write) -> Result<u8, LabError> {
        let text = match &self.command {
            Command::Run(args) => return args.execute(out),
            Command::Estimators(args) => return args.execute(out),
            Command::Models(args) => list::models(args.json)?,
            Command::Families(args) => list::families(args.json)?,
            Command::Methods(args) => list::methods(args.json)?,
        };
        print(out, &text)?;
        Ok(0)
    }
}

impl RunArgs {
    fn execute(&self, out: &mut dyn Write) -> Result<u8, LabError> {
        let mut experiment = Experiment::load(&self.experiment)?;
        experiment.seed = self.seed.unwrap_or(experiment.seed);
        let options = RunOptions {
            out: self.out.clone(),
            threads: self.threads.map(usize::from),
            quiet: self.quiet,
            resume: self.resume,
        };
        let outcome = run(&experiment, &options, &on_ctrl_c())?;
        if !self.quiet {
            print(out, &self.account(&experiment, &outcome))?;
        }
        Ok(if outcome.interrupted { INTERRUPTED } else { 0 })
    }

    fn account(&self, experiment: &Experiment, outcome: &RunOutcome) -> String {
        let model = &outcome.summary.model;
        let title = format!(
            "{}: {} on {} data, {} coordinates, seed {}",
            experiment.name, model.name, model.n_data, model.dim, outcome.summary.seed
        );
        let mut text = table::render(&title, &outcome.results, outcome.summary.exact.as_ref());
        text += &format!("report: {}\n", outcome.directory.join("report.html").display());
        if outcome.interrupted {
            text += &format!("interrupted; go on with: vi-lab run {} --resume", self.experiment.display());
            for (flag, value) in [
                ("--out", self.out.as_ref().map(|p| p.display().to_string())),
                ("--seed", self.seed.map(|s| s.to_string())),
            ] {
                text += &value.map_or(String::new(), |v| format!(" {flag} {v}"));
            }
            text.push('\n');
        }
        text
    }
}

impl EstimatorsArgs {
    fn execute(&self, out: &mut dyn Write) -> Result<u8, LabError> {
        let mut bench = EstimatorBench::load(&self.experiment)?;
        bench.experiment.seed = self.seed.unwrap_or(bench.experiment.seed);
        let options = RunOptions {
            out: self.out.clone(),
            threads: self.threads.map(usize::from),
            quiet: self.quiet,
            resume: false,
        };
        let outcome = run_estimators(&bench, &options, &on_ctrl_c())?;
        match &outcome.document {
            Some(document) if self.json => print(out, &document.to_json()?)?,
            Some(document) if !self.quiet => {
                let report = outcome.directory.join("report.html");
                print(out, &format!("{}report: {}\n", table_of(document), report.display()))?;
            }
            None if !self.quiet => print(out, "interrupted before the points were found\n")?,
            _ => {}
        }
        let failed = outcome.document.as_ref().is_some_and(|d| !d.report.failures.is_empty());
        Ok(if outcome.interrupted { INTERRUPTED } else { u8::from(failed) })
    }
}

/// The table on the terminal.
fn table_of(document: &BenchDocument) -> String {
    let BenchDocument { experiment, model, family, report, seed, .. } = document;
    format!(
        "{experiment}: {}, {} coordinates, {} family of {} parameters, seed {seed}\n{report}",
        model.name, model.dim, family.name, family.n_params
    )
}

/// Raised by the first ctrl-C; the second one kills.
fn on_ctrl_c() -> Arc<Interrupt> {
    let interrupt = Arc::new(Interrupt::new());
    let raised = Arc::clone(&interrupt);
    // A second handler in one process is refused: then ctrl-C keeps what it does already.
    let _ = ctrlc::set_handler(move || {
        if raised.is_raised() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        raised.raise();
    });
    interrupt
}

/// A reader who has gone away (`vi-lab models | head`) is no error.
fn print(out: &mut dyn Write, text: &str) -> Result<(), LabError> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(LabError::Write { path: "standard output".into(), source: e })
        }
        _ => Ok(()),
    }
}
