//! Tells the program which compiler and which commit it was built from. Neither is needed to build.

use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = output(Command::new(rustc).arg("--version")).unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=VI_LAB_RUSTC={version}");
    // Changes that are not committed are not looked for: cargo would not build anew when they come or go.
    println!("cargo::rustc-env=VI_LAB_GIT={}", commit().unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    // In a linked worktree this is not `.git` at the top.
    let Some(git) = output(Command::new("git").args(["rev-parse", "--absolute-git-dir"])) else { return };
    for file in ["HEAD", "logs/HEAD"] {
        let path = Path::new(&git).join(file);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

/// The commit of this file's repository; a copy that merely lies inside another repository has none.
fn commit() -> Option<String> {
    output(Command::new("git").args(["ls-files", "--error-unmatch", "build.rs"]))?;
    output(Command::new("git").args(["describe", "--always", "--abbrev=12"]))
}

fn output(command: &mut Command) -> Option<String> {
    let out = command.output().ok().filter(|o| o.status.success())?;
    let line = String::from_utf8(out.stdout).ok()?.lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}
