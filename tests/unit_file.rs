//! The systemd unit: what it says is known to systemd, and what it allows is little.
//!
//! That the daemon works under it is tried by `make test-boot`.

use std::process::{Command, Output};

use crate::common::root;

/// The version of systemd here, if it is.
fn version() -> Option<u32> {
    let Ok(output) = Command::new("systemd-analyze").arg("--version").output() else {
        eprintln!("SKIPPED: systemd-analyze is not installed, so the unit is not checked");
        return None;
    };
    // "systemd 257 (257.9-1~deb13u1)"
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = told.split_whitespace().nth(1).and_then(|word| word.split('.').next());
    Some(number.and_then(|number| number.parse().ok()).expect("a version"))
}

/// `systemd-analyze` on the unit, its daemon being the one that was just built, with the drop-in that
/// the package adds for this systemd.
fn analyze(arguments: &[&str]) -> Option<Output> {
    let version = version()?;
    let folder = tempfile::tempdir().expect("folder");
    let unit = std::fs::read_to_string(root().join("systemd/signd.service")).expect("the unit");
    assert!(unit.contains("=/usr/bin/signd run ") && unit.contains("=/usr/bin/signd check "));
    let here = unit.replace("/usr/bin/signd", env!("CARGO_BIN_EXE_signd"));
    let path = folder.path().join("signd.service");
    std::fs::write(&path, here).expect("writes");
    if version >= 254 {
        let drop_ins = folder.path().join("signd.service.d");
        std::fs::create_dir(&drop_ins).expect("folder");
        let back_off = root().join("systemd/back-off.conf");
        std::fs::copy(back_off, drop_ins.join("back-off.conf")).expect("copies");
    }
    let output = Command::new("systemd-analyze").args(arguments).arg(&path).output();
    Some(output.expect("systemd-analyze runs"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn systemd_knows_every_setting() {
    // Its man pages come with the package only.
    let Some(output) = analyze(&["verify", "--man=no"]) else { return };
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(said(&output), "", "an unknown setting is a warning");
}

#[test]
fn the_unit_is_exposed_by_one_point_two_at_most() {
    let security = ["security", "--offline=yes", "--no-pager", "--threshold=12"];
    let Some(output) = analyze(&security) else { return };
    assert!(output.status.success(), "{}", said(&output));
    let told = said(&output);
    eprintln!("{}", told.lines().find(|line| line.contains("Overall")).unwrap_or("no figure"));
}
