//! What every method gets besides its model and its settings.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_core::checkpoint::{self, Header};
use vi_core::{Kernel, Observer, ObserverError, Outcome, StopOnFlag, StopReason, StopRule, StreamKey, run};

use crate::error::LabError;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::study::Study;

/// How much work a crash can cost at most.
const CHECKPOINT_PERIOD: Duration = Duration::from_secs(5);

/// A method's name, key, checkpoints and line on the terminal.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) name: &'a str,
    /// The method's own key: no other method of the experiment changes its numbers.
    pub(crate) key: StreamKey,
    /// The key under which every result is judged.
    pub(crate) evaluation_key: StreamKey,
    pub(crate) study: &'a dyn Study,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
    pub(crate) checkpoints: PathBuf,
    pub(crate) fingerprint: u64,
    pub(crate) resume: bool,
    /// When this session began to fit.
    pub(crate) started: Instant,
    /// Seconds that earlier sessions fitted.
    pub(crate) earlier_s: f64,
}

/// A run of a kernel over all sessions.
#[derive(Debug)]
pub(crate) struct Done<S> {
    pub(crate) state: S,
    pub(crate) outcome: Outcome,
}

impl Context<'_> {
    /// Wall-clock time of fitting so far, over all sessions.
    pub(crate) fn elapsed_s(&self) -> f64 {
        self.earlier_s + self.started.elapsed().as_secs_f64()
    }

    /// Wraps an error of the method.
    pub(crate) fn failed(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LabError {
        LabError::method(self.name, source)
    }

    /// The file of a part (a restart, a chain) of this method.
    pub(crate) fn path(&self, part: &str) -> PathBuf {
        self.checkpoints.join(format!("{}.{part}.checkpoint", self.name))
    }

    pub(crate) fn header(&self, kind: &str) -> Header {
        Header::new(format!("{}/{kind}", self.name), self.fingerprint)
    }

    /// What was saved of a part, and the iteration to go on with.
    pub(crate) fn saved<S: DeserializeOwned>(&self, part: &str) -> Result<Option<(u64, S)>, LabError> {
        let path = self.path(part);
        if !(self.resume && path.exists()) {
            return Ok(None);
        }
        checkpoint::read(&path, &self.header(part)).map(Some).map_err(|source| LabError::Resume { source })
    }

    /// Saves a part.
    pub(crate) fn save<S: Serialize>(&self, part: &str, t: u64, state: &S) -> Result<(), LabError> {
        Ok(checkpoint::write(&self.path(part), &self.header(part), t, state)?)
    }

    /// Runs a kernel from where it was left off, or from `init`; saves it now and then and at the end.
    ///
    /// A part that had ended is not run again, so that resuming adds no iteration to it.
    pub(crate) fn run<K: Kernel>(
        &self,
        job: &Job<'_, K>,
        init: impl FnOnce() -> Result<K::State, K::Error>,
    ) -> Result<Done<K::State>, LabError>
    where
        K::State: Serialize + DeserializeOwned,
    {
        let saved = self.saved::<(Option<Outcome>, K::State)>(&job.part)?;
        let (start, mut state) = match saved {
            Some((_, (Some(outcome), state))) if outcome.reason != StopReason::Interrupted => {
                return Ok(Done { state, outcome });
            }
            Some((t, (_, state))) => (t, state),
            None => (0, init().map_err(|e| self.failed(e))?),
        };
        self.progress.skip(start);
        let mut keeper = Keeper { context: self, job, last: Instant::now() };
        let stop = (job.stop, StopOnFlag(self.interrupt.flag()));
        let range = start..job.budget.max(start);
        let outcome = run(job.kernel, &mut state, job.key, range, &stop, &mut [&mut keeper])
            .map_err(|e| self.failed(e))?;
        Ok(Done { state, outcome })
    }
}

/// A kernel to be run.
pub(crate) struct Job<'j, K: Kernel> {
    /// Names the checkpoint within the method: a restart, a chain.
    pub(crate) part: String,
    pub(crate) kernel: &'j K,
    /// The key of the iterations.
    pub(crate) key: StreamKey,
    /// Iterations at most.
    pub(crate) budget: u64,
    pub(crate) stop: &'j dyn StopRule<K::Info>,
    /// What to show after an iteration.
    pub(crate) message: &'j dyn Fn(u64, &K::Info) -> String,
}

/// Counts iterations, shows them, and saves the state every few seconds and at the end.
struct Keeper<'c, 'j, K: Kernel> {
    context: &'c Context<'c>,
    job: &'c Job<'j, K>,
    last: Instant,
}

impl<K: Kernel> Observer<K> for Keeper<'_, '_, K>
where
    K::State: Serialize,
{
    fn observe(&mut self, t: u64, state: &K::State, info: &K::Info) -> Result<(), ObserverError> {
        self.context.interrupt.tick();
        self.context.progress.tick(|| (self.job.message)(t, info));
        if self.last.elapsed() >= CHECKPOINT_PERIOD {
            self.context.save(&self.job.part, t + 1, &(None::<Outcome>, state))?;
            self.last = Instant::now();
        }
        Ok(())
    }

    fn finish(&mut self, next: u64, state: &K::State, reason: &StopReason) -> Result<(), ObserverError> {
        let outcome = Outcome { next, reason: reason.clone() };
        self.context.save(&self.job.part, next, &(Some(outcome), state))?;
        Ok(())
    }
}
