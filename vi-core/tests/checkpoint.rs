//! Checkpoints: exact resume, and no damaged or foreign file is ever taken for a state.

use std::path::Path;

use ndarray::{Array1, Array2};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use vi_core::checkpoint::{self, CheckpointError, Checkpointer, FORMAT_VERSION, Header};
use vi_core::{Kernel, NeverStop, RunError, StopReason, StopRule, StreamKey, run};

/// A random walk that keeps NaN payloads, signed zeros and arrays in its state.
#[derive(Debug)]
struct Walk;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct WalkState {
    x: Array1<f64>,
    history: Vec<f64>,
    product: Array2<f64>,
    odd: [f64; 3],
}

#[derive(Debug, thiserror::Error)]
#[error("x left the real line")]
struct Lost;

impl Kernel for Walk {
    type State = WalkState;
    type Info = f64;
    type Error = Lost;
    fn step(&self, key: StreamKey, state: &mut WalkState) -> Result<f64, Lost> {
        let mut rng = key.rng(0);
        state.x.mapv_inplace(|x| 0.9 * x + rng.random::<f64>() - 0.5);
        state.history.push(state.x[0]);
        state.product = &state.product * 0.5 + state.x.sum();
        if state.x.sum().is_finite() { Ok(state.x[0]) } else { Err(Lost) }
    }
}

fn start() -> WalkState {
    let odd = [f64::from_bits(0x7ff8_0000_dead_beef), -0.0, f64::from_bits(1)];
    WalkState { x: Array1::linspace(0.0, 1.0, 5), history: Vec::new(), product: Array2::eye(2), odd }
}

fn bits(state: &WalkState) -> Vec<u64> {
    let values = state.x.iter().chain(&state.history).chain(&state.product).chain(&state.odd);
    values.map(|v| v.to_bits()).collect()
}

fn header() -> Header {
    Header::new("walk", checkpoint::fingerprint(&("test", 7u64)))
}

fn key() -> StreamKey {
    StreamKey::from_seed(7)
}

fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_resumed_run_ends_in_the_bits_of_an_unbroken_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("walk.checkpoint");
    let mut whole = start();
    run(&Walk, &mut whole, key(), 0..100, &NeverStop, &mut []).unwrap();

    let mut first = start();
    let mut checkpointer = Checkpointer::new(&path, header(), 0);
    run(&Walk, &mut first, key(), 0..40, &NeverStop, &mut [&mut checkpointer]).unwrap();
    let (t, mut second): (u64, WalkState) = checkpoint::read(&path, &header()).unwrap();
    assert_eq!(t, 40);
    assert_eq!(bits(&first), bits(&second));
    run(&Walk, &mut second, key(), t..100, &NeverStop, &mut []).unwrap();
    assert_eq!(bits(&second), bits(&whole));
    assert_eq!(files(directory.path()), ["walk.checkpoint"], "only the checkpoint is left");
}

#[test]
fn a_checkpoint_is_written_every_n_iterations_and_at_the_end() {
    struct StopAt(u64);
    impl<I> StopRule<I> for StopAt {
        fn check(&self, t: u64, _info: &I) -> Option<StopReason> {
            (t == self.0).then_some(StopReason::Interrupted)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("walk.checkpoint");
    let mut checkpointer = Checkpointer::new(&path, header(), 10);
    assert_eq!(checkpointer.path(), path);
    let mut state = start();
    run(&Walk, &mut state, key(), 0..100, &StopAt(24), &mut [&mut checkpointer]).unwrap();
    assert_eq!(checkpoint::inspect(&path).unwrap(), (header(), 25), "the end of the run");

    // A run that fails leaves the last periodic checkpoint.
    let mut state = start();
    state.x[0] = f64::INFINITY;
    std::fs::remove_file(&path).unwrap();
    let mut checkpointer = Checkpointer::new(&path, header(), 1);
    let error = run(&Walk, &mut state, key(), 0..100, &NeverStop, &mut [&mut checkpointer]).unwrap_err();
    assert_eq!(error.to_string(), "iteration 0: x left the real line");
    assert!(!path.exists(), "a state that failed is not one to go on from");
}

#[test]
fn every_single_damaged_byte_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("walk.checkpoint");
    checkpoint::write(&path, &header(), 3, &start()).unwrap();
    let good = std::fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        checkpoint::read::<WalkState>(&path, &header())
    };
    assert!(read(&good).is_ok());
    for i in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[i] ^= flip;
            assert!(read(&bad).is_err(), "byte {i} changed by {flip:#x}");
        }
        assert!(read(&good[..i]).is_err(), "cut to {i} bytes");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(matches!(read(&longer), Err(CheckpointError::Length { .. })));
}

#[test]
fn errors_say_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.checkpoint");
    let shown = path.display();
    let message = |header: &Header| checkpoint::read::<WalkState>(&path, header).unwrap_err().to_string();

    assert!(message(&header()).starts_with(&format!("checkpoint {shown}: cannot read it: ")));
    std::fs::write(&path, "{\"schema\": 1, \"methods\": []}").unwrap();
    assert_eq!(message(&header()), format!("{shown} is not a checkpoint"));
    std::fs::write(&path, "").unwrap();
    assert_eq!(message(&header()), format!("{shown} is not a checkpoint"));

    checkpoint::write(&path, &header(), 3, &start()).unwrap();
    assert_eq!(
        message(&Header::new("sgvi", header().fingerprint)),
        format!("checkpoint {shown}: holds a state of kind `walk`, expected `sgvi`")
    );
    let other = message(&Header::new("walk", 1));
    let found = header().fingerprint;
    assert_eq!(
        other,
        format!(
            "checkpoint {shown}: fingerprint {found:016x}, expected 0000000000000001: it belongs to another experiment"
        )
    );

    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = FORMAT_VERSION as u8 + 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(message(&header()), format!("checkpoint {shown}: format version 2, expected 1"));
    bytes[8] = FORMAT_VERSION as u8;
    bytes.pop();
    std::fs::write(&path, &bytes).unwrap();
    let n = bytes.len();
    assert_eq!(message(&header()), format!("checkpoint {shown}: {n} bytes, expected {}", n + 1));
}

#[test]
fn another_type_of_state_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.checkpoint");
    checkpoint::write(&path, &header(), 3, &(1u8, 2u8)).unwrap();
    let error = checkpoint::read::<WalkState>(&path, &header()).unwrap_err();
    assert!(matches!(error, CheckpointError::State { action: "deserialise", .. }), "{error}");
}

/// A state that begins like another and has more behind it is another state.
#[test]
fn bytes_left_over_are_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.checkpoint");
    checkpoint::write(&path, &header(), 3, &(1u8, 2u8)).unwrap();
    let error = checkpoint::read::<u8>(&path, &header()).unwrap_err().to_string();
    assert!(error.ends_with(": 1 bytes are left over behind the state: it is of another type"), "{error}");
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_other() {
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("refused"))
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.checkpoint");
    checkpoint::write(&path, &header(), 3, &1u8).unwrap();
    assert!(matches!(
        checkpoint::write(&path, &header(), 4, &Refuses),
        Err(CheckpointError::State { action: "serialise", .. })
    ));
    assert_eq!(checkpoint::read::<u8>(&path, &header()).unwrap(), (3, 1));

    // The rename cannot replace a directory: the temporary file has to go all the same.
    let taken = directory.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    let error = checkpoint::write(&taken, &header(), 3, &1u8).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("checkpoint {}: cannot rename a temporary file to it", taken.display()))
    );
    assert_eq!(files(directory.path()), ["a.checkpoint", "taken"]);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // A file in the place of a directory: not even the superuser can write there.
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let path = file.join("a.checkpoint");
    let mut checkpointer = Checkpointer::new(&path, header(), 5);
    let error = run(&Walk, &mut start(), key(), 0..10, &NeverStop, &mut [&mut checkpointer]).unwrap_err();
    assert!(matches!(error, RunError::Observer { iteration: 4, .. }));
    let expected = format!(
        "iteration 4: checkpoint {}: cannot create a temporary file in its directory: ",
        path.display()
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn a_relative_path_without_a_directory_is_the_current_one() {
    let name = format!("vi-core-test-{}.checkpoint", std::process::id());
    let path = Path::new(&name);
    checkpoint::write(path, &header(), 1, &1u8).unwrap();
    let read = checkpoint::read::<u8>(path, &header());
    std::fs::remove_file(path).unwrap();
    assert_eq!(read.unwrap(), (1, 1));
}

#[cfg(unix)]
#[test]
fn a_checkpoint_has_the_permissions_of_an_ordinary_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (path, ordinary) = (directory.path().join("a.checkpoint"), directory.path().join("b"));
    checkpoint::write(&path, &header(), 1, &1u8).unwrap();
    std::fs::write(&ordinary, "").unwrap();
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&ordinary));
}

#[test]
fn fingerprints_tell_experiments_apart_and_never_change() {
    assert_ne!(checkpoint::fingerprint("a"), checkpoint::fingerprint("b"));
    assert_eq!(checkpoint::fingerprint("a"), checkpoint::fingerprint(&String::from("a")));
    // FNV-1a of no bytes is its offset basis: changing the function would orphan every checkpoint.
    assert_eq!(checkpoint::fingerprint(&()), 0xcbf2_9ce4_8422_2325);
    assert_eq!(checkpoint::fingerprint(&b'a'), 0xaf63_dc4c_8601_ec8c);
}
