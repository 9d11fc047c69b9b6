//! Progress of a bench: a line for every estimator.

use vi_sgvi::bench;

use crate::progress::Progress;

/// The line of the estimator that is at work.
pub(super) struct Lines {
    quiet: bool,
    current: Option<Line>,
}

struct Line {
    candidate: String,
    stage: String,
    progress: Progress,
}

impl Lines {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, current: None }
    }

    pub(super) fn show(&mut self, p: bench::Progress<'_>) {
        let quiet = self.quiet;
        if self.current.as_ref().is_none_or(|line| line.candidate != p.candidate) {
            self.finish();
            let (candidate, stage) = (p.candidate.to_owned(), String::new());
            let progress = Progress::new(p.candidate, quiet);
            self.current = Some(Line { candidate, stage, progress });
        }
        let Some(line) = &mut self.current else { return };
        if line.stage != p.stage {
            p.stage.clone_into(&mut line.stage);
            line.progress.extend(p.n_total);
        }
        line.progress.tick(|| format!("{}: {} of {}", p.stage, p.n_done, p.n_total));
    }

    fn finish(&mut self) {
        if let Some(line) = self.current.take() {
            line.progress.finish("done".to_owned());
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.finish();
    }
}
