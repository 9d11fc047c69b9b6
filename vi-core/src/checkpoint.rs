//! Checkpoints: a kernel's state on disk, written so that a crash leaves the old file or the new one.
//!
//! ```text
//! magic "vi-chkpt" | format version u32 | body length u64 | body | CRC-32 of all before it
//! body = postcard(kind, fingerprint, t, state)
//! ```
//! Integers are little-endian. Floating-point numbers are stored by their bits, so a resumed run goes on from
//! exactly the state that was written. All randomness is named by (key, iteration): no generator is saved.
//!
//! ```
//! use vi_core::checkpoint::{self, Header};
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("run.checkpoint");
//! let header = Header::new("toy", checkpoint::fingerprint(&("my experiment", 1u64)));
//! checkpoint::write(&path, &header, 40, &vec![1.0, f64::NAN])?;
//! let (t, state): (u64, Vec<f64>) = checkpoint::read(&path, &header)?;
//! assert_eq!((t, state[0]), (40, 1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kernel::{Kernel, Observer, ObserverError, StopReason};

/// The version of the file format that this crate reads and writes.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"vi-chkpt";
const BODY_START: usize = MAGIC.len() + 4 + 8;
const CRC_LEN: usize = 4;

/// What a checkpoint is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The kind of state, for instance the name of the method.
    pub kind: String,
    /// A number that differs between experiments: see [`fingerprint`].
    pub fingerprint: u64,
}

impl Header {
    /// A header.
    pub fn new(kind: impl Into<String>, fingerprint: u64) -> Self {
        Self { kind: kind.into(), fingerprint }
    }
}

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refused.
    #[error("checkpoint {}: cannot {action}: {source}", path.display())]
    Io {
        /// The checkpoint.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The file does not begin like a checkpoint.
    #[error("{} is not a checkpoint", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// The file was written in another format.
    #[error("checkpoint {}: format version {found}, expected {expected}", path.display())]
    Version {
        /// The checkpoint.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The version that can be read.
        expected: u32,
    },
    /// The file has fewer or more bytes than it says.
    #[error("checkpoint {}: {found} bytes, expected {expected}", path.display())]
    Length {
        /// The checkpoint.
        path: PathBuf,
        /// Bytes in the file.
        found: u64,
        /// Bytes that it should have.
        expected: u64,
    },
    /// The bytes are not those that were written.
    #[error("checkpoint {}: checksum {found:08x}, expected {expected:08x}", path.display())]
    Checksum {
        /// The checkpoint.
        path: PathBuf,
        /// The checksum of the bytes in the file.
        found: u32,
        /// The checksum that was written.
        expected: u32,
    },
    /// The state is of another kind.
    #[error("checkpoint {}: holds a state of kind `{found}`, expected `{expected}`", path.display())]
    Kind {
        /// The checkpoint.
        path: PathBuf,
        /// The kind in the file.
        found: String,
        /// The kind asked for.
        expected: String,
    },
    /// The checkpoint belongs to another experiment.
    #[error(
        "checkpoint {}: fingerprint {found:016x}, expected {expected:016x}: it belongs to another experiment",
        path.display()
    )]
    Fingerprint {
        /// The checkpoint.
        path: PathBuf,
        /// The fingerprint in the file.
        found: u64,
        /// The fingerprint asked for.
        expected: u64,
    },
    /// The state asked for is only the beginning of the one in the file.
    #[error("checkpoint {}: {n_bytes} bytes are left over behind the state: it is of another type", path.display())]
    LeftOver {
        /// The checkpoint.
        path: PathBuf,
        /// Bytes behind the state.
        n_bytes: usize,
    },
    /// The state could not be turned into bytes or back.
    #[error("checkpoint {}: cannot {action} the state: {source}", path.display())]
    State {
        /// The checkpoint.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The serialiser's error.
        source: postcard::Error,
    },
}

/// A 64-bit fingerprint of what an experiment is (its settings, data, seed): FNV-1a of the serialised value.
///
/// Against mistakes, not against malice.
///
/// # Panics
/// If the value cannot be serialised, for instance a sequence of unknown length.
pub fn fingerprint<T: Serialize + ?Sized>(value: &T) -> u64 {
    match postcard::to_stdvec(value) {
        Ok(bytes) => bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| {
            (hash ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3)
        }),
        Err(e) => panic!("fingerprint: the value cannot be serialised: {e}"),
    }
}

/// Writes `state` as it stands before iteration `t`: to a temporary file beside `path`, synced, then renamed.
///
/// # Errors
/// [`CheckpointError::Io`] or [`CheckpointError::State`]; a checkpoint that was there before is then untouched.
pub fn write<S: Serialize + ?Sized>(
    path: &Path,
    header: &Header,
    t: u64,
    state: &S,
) -> Result<(), CheckpointError> {
    let body = postcard::to_stdvec(&(header, t, state)).map_err(|source| CheckpointError::State {
        path: path.to_owned(),
        action: "serialise",
        source,
    })?;
    let mut bytes = Vec::with_capacity(BODY_START + body.len() + CRC_LEN);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    replace(path, &bytes)
}

/// Reads a state back, and the iteration to go on with.
///
/// # Errors
/// [`CheckpointError`] when the file is damaged, or is not of this kind and this experiment.
pub fn read<S: DeserializeOwned>(path: &Path, header: &Header) -> Result<(u64, S), CheckpointError> {
    let bytes = std::fs::read(path).map_err(io_error(path, "read it"))?;
    let (found, t, state) = open(path, &bytes)?;
    if found.kind != header.kind {
        let (path, expected) = (path.to_owned(), header.kind.clone());
        return Err(CheckpointError::Kind { path, found: found.kind, expected });
    }
    if found.fingerprint != header.fingerprint {
        let (path, expected) = (path.to_owned(), header.fingerprint);
        return Err(CheckpointError::Fingerprint { path, found: found.fingerprint, expected });
    }
    let (state, rest) = postcard::take_from_bytes(state).map_err(state_error(path))?;
    if !rest.is_empty() {
        return Err(CheckpointError::LeftOver { path: path.to_owned(), n_bytes: rest.len() });
    }
    Ok((t, state))
}

/// Reads what a checkpoint is of and the iteration to go on with, whatever its state.
///
/// # Errors
/// [`CheckpointError`] when the file is damaged.
pub fn inspect(path: &Path) -> Result<(Header, u64), CheckpointError> {
    let bytes = std::fs::read(path).map_err(io_error(path, "read it"))?;
    open(path, &bytes).map(|(header, t, _)| (header, t))
}

/// Checks everything that can be checked without knowing the state; returns the state's bytes.
fn open<'a>(path: &Path, bytes: &'a [u8]) -> Result<(Header, u64, &'a [u8]), CheckpointError> {
    let path = path.to_owned();
    if !bytes.starts_with(&MAGIC[..MAGIC.len().min(bytes.len())]) || bytes.is_empty() {
        return Err(CheckpointError::NotACheckpoint { path });
    }
    let found = bytes.len() as u64;
    let Some(version) = bytes.get(MAGIC.len()..).and_then(|b| b.first_chunk()) else {
        return Err(CheckpointError::Length { path, found, expected: (BODY_START + CRC_LEN) as u64 });
    };
    let version = u32::from_le_bytes(*version);
    if version != FORMAT_VERSION {
        return Err(CheckpointError::Version { path, found: version, expected: FORMAT_VERSION });
    }
    let Some(length) = bytes.get(MAGIC.len() + 4..).and_then(|b| b.first_chunk()) else {
        return Err(CheckpointError::Length { path, found, expected: (BODY_START + CRC_LEN) as u64 });
    };
    let expected = u64::from_le_bytes(*length).saturating_add((BODY_START + CRC_LEN) as u64);
    let Some((content, crc)) = bytes.split_last_chunk::<CRC_LEN>().filter(|_| found == expected) else {
        return Err(CheckpointError::Length { path, found, expected });
    };
    let (found, expected) = (crc32fast::hash(content), u32::from_le_bytes(*crc));
    if found != expected {
        return Err(CheckpointError::Checksum { path, found, expected });
    }
    let (header, rest) = postcard::take_from_bytes(&content[BODY_START..]).map_err(state_error(&path))?;
    let (t, state) = postcard::take_from_bytes(rest).map_err(state_error(&path))?;
    Ok((header, t, state))
}

/// Puts `bytes` at `path` in one step: whoever opens `path` sees the old content or all of the new.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".checkpoint-");
    // The permissions of any new file (the umask applies), not those of a private temporary one.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Dropped on every early return, which removes the file.
    let mut file =
        builder.tempfile_in(directory).map_err(io_error(path, "create a temporary file in its directory"))?;
    file.write_all(bytes).map_err(io_error(path, "write it"))?;
    file.as_file().sync_all().map_err(io_error(path, "sync it"))?;
    file.persist(path).map_err(|e| io_error(path, "rename a temporary file to it")(e.error))?;
    // The rename is on disk only when the directory is. Elsewhere than on Unix a directory cannot be opened.
    #[cfg(unix)]
    std::fs::File::open(directory)
        .and_then(|d| d.sync_all())
        .map_err(io_error(path, "sync its directory"))?;
    Ok(())
}

fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_owned();
    move |source| CheckpointError::Io { path, action, source }
}

fn state_error(path: &Path) -> impl Fn(postcard::Error) -> CheckpointError {
    let path = path.to_owned();
    move |source| CheckpointError::State { path: path.clone(), action: "deserialise", source }
}

/// An observer that writes a checkpoint every `n` iterations and when the run ends.
#[derive(Clone, Debug)]
pub struct Checkpointer {
    path: PathBuf,
    header: Header,
    every: u64,
    written: Option<u64>,
}

impl Checkpointer {
    /// Writes to `path` after iterations `every − 1`, `2·every − 1`, …; `every = 0` writes at the end only.
    pub fn new(path: impl Into<PathBuf>, header: Header, every: u64) -> Self {
        Self { path: path.into(), header, every, written: None }
    }

    /// Where it writes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write<S: Serialize>(&mut self, next: u64, state: &S) -> Result<(), ObserverError> {
        if self.written != Some(next) {
            write(&self.path, &self.header, next, state)?;
            self.written = Some(next);
        }
        Ok(())
    }
}

impl<K: Kernel + ?Sized> Observer<K> for Checkpointer
where
    K::State: Serialize,
{
    fn observe(&mut self, t: u64, state: &K::State, _info: &K::Info) -> Result<(), ObserverError> {
        if self.every > 0 && (t + 1).is_multiple_of(self.every) {
            self.write(t + 1, state)?;
        }
        Ok(())
    }

    fn finish(&mut self, next: u64, state: &K::State, _reason: &StopReason) -> Result<(), ObserverError> {
        self.write(next, state)
    }
}
