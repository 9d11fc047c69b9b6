//! Progress on the terminal: one line per method.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a line changes at most.
const PERIOD: Duration = Duration::from_millis(100);

/// The line of one method; nothing is shown when standard error is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    last: Mutex<Option<Instant>>,
}

impl Progress {
    /// A line for `name`.
    pub(crate) fn new(name: &str, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            let template = "{prefix:>18} {bar:28.cyan/blue} {pos}/{len} {elapsed:>4}  {wide_msg}";
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("━╸─"));
            bar.set_prefix(name.to_owned());
            bar
        });
        Self { bar, last: Mutex::new(None) }
    }

    /// Sets the number of iterations to be done at most.
    pub(crate) fn start(&self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
    }

    /// Adds to the number of iterations to be done.
    pub(crate) fn extend(&self, n: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(bar.length().unwrap_or(0) + n);
        }
    }

    /// Counts iterations that an earlier session did.
    pub(crate) fn skip(&self, n: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(n);
        }
    }

    /// One more iteration is done; `message` is formed only when it is time to show it.
    pub(crate) fn tick(&self, message: impl FnOnce() -> String) {
        let Some(bar) = &self.bar else { return };
        bar.inc(1);
        // Chains share the line: who finds it busy leaves it to the other.
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.is_none_or(|t| t.elapsed() >= PERIOD) {
            *last = Some(Instant::now());
            bar.set_message(message());
        }
    }

    /// Leaves the line with its last word.
    pub(crate) fn finish(&self, message: String) {
        if let Some(bar) = &self.bar {
            bar.abandon_with_message(message);
        }
    }
}
