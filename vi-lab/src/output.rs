//! Files that are either whole or not there: written beside their place, synced, then renamed into it.

use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray_npy::WriteNpyExt;
use vi_core::Draws;

use crate::error::LabError;
use crate::result::TraceColumns;

/// The directory that a run writes to.
#[derive(Clone, Debug)]
pub struct OutputDirectory {
    root: PathBuf,
}

/// What the probe writes: enough to notice a full disk, not a quota of a few bytes.
const PROBE_BYTES: usize = 64 * 1024;

impl OutputDirectory {
    /// Makes the directory and proves, by writing to it, that results can be left there.
    ///
    /// # Errors
    /// [`LabError::Output`] names the directory and what the system says.
    pub fn create(root: &Path) -> Result<Self, LabError> {
        Self::create_with(root, &["traces", "draws", "checkpoints"])
    }

    /// The same with other directories below it.
    ///
    /// # Errors
    /// As for [`OutputDirectory::create`].
    pub fn create_with(root: &Path, below: &[&str]) -> Result<Self, LabError> {
        let failed = |source| LabError::Output { path: root.to_owned(), source };
        std::fs::create_dir_all(root).map_err(failed)?;
        for directory in below {
            std::fs::create_dir_all(root.join(directory)).map_err(failed)?;
        }
        let mut probe = tempfile::NamedTempFile::new_in(root).map_err(failed)?;
        probe.write_all(&[0; PROBE_BYTES]).and_then(|()| probe.as_file().sync_all()).map_err(failed)?;
        Ok(Self { root: root.to_owned() })
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below it.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes a file whole or not at all.
    ///
    /// # Errors
    /// [`LabError::Write`] names the file.
    pub fn write(&self, relative: impl AsRef<Path>, bytes: &[u8]) -> Result<(), LabError> {
        let path = self.path(relative);
        write_atomically(&path, bytes).map_err(|source| LabError::Write { path, source })
    }

    /// Writes `traces/<name>.csv`.
    ///
    /// # Errors
    /// [`LabError::Write`] names the file.
    pub fn write_trace(&self, name: &str, trace: &TraceColumns) -> Result<(), LabError> {
        let mut text = trace.names.join(",") + "\n";
        for i in 0..trace.n_rows() {
            let row: Vec<String> = trace.columns.iter().map(|c| number(c[i])).collect();
            text += &row.join(",");
            text.push('\n');
        }
        self.write(format!("traces/{name}.csv"), text.as_bytes())
    }

    /// Writes `draws/<name>.csv`: chain and draw counted from 1, then one column per coordinate.
    ///
    /// # Errors
    /// [`LabError::Write`] names the file.
    pub fn write_draws_csv(&self, name: &str, draws: &Draws) -> Result<(), LabError> {
        let relative = format!("draws/{name}.csv");
        let failed = |e: csv::Error| LabError::Write { path: self.path(&relative), source: e.into() };
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header =
            ["chain", "draw"].into_iter().chain(draws.parameters().names().iter().map(String::as_str));
        writer.write_record(header).map_err(failed)?;
        for (c, chain) in draws.values().outer_iter().enumerate() {
            for (i, z) in chain.outer_iter().enumerate() {
                let counters = [(c + 1).to_string(), (i + 1).to_string()];
                writer
                    .write_record(counters.into_iter().chain(z.iter().map(|&v| number(v))))
                    .map_err(failed)?;
            }
        }
        let bytes = writer
            .into_inner()
            .map_err(|e| LabError::Write { path: self.path(&relative), source: e.into_error() })?;
        self.write(&relative, &bytes)
    }

    /// Writes `draws/<name>.npy`, (chains, draws, D), and `draws/<name>.names.json`.
    ///
    /// # Errors
    /// [`LabError::Write`] names the file.
    pub fn write_draws_npy(&self, name: &str, draws: &Draws) -> Result<(), LabError> {
        let relative = format!("draws/{name}.npy");
        let mut bytes = Vec::new();
        draws.values().write_npy(&mut bytes).map_err(|e| LabError::Write {
            path: self.path(&relative),
            source: std::io::Error::other(e.to_string()),
        })?;
        self.write(&relative, &bytes)?;
        let names = serde_json::to_vec(draws.parameters().names())
            .map_err(|e| LabError::Render { what: "the names of draws", message: e.to_string() })?;
        self.write(format!("draws/{name}.names.json"), &names)
    }
}

/// A document of JSON for people and programs.
pub(crate) fn pretty<T: serde::Serialize>(value: &T) -> Result<String, LabError> {
    let failed = |e: serde_json::Error| LabError::Render { what: "JSON", message: e.to_string() };
    Ok(serde_json::to_string_pretty(value).map_err(failed)? + "\n")
}

/// The shortest decimal that reads back to the same bits.
fn number(x: f64) -> String {
    format!("{x:?}")
}

fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    make_readable(&file)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Temporary files are made for their owner alone; results are for everyone whom the directory lets in.
#[cfg(unix)]
fn make_readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
