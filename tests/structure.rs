//! What may know what: the core is pure, and no library knows the daemon's sockets.

use std::collections::BTreeSet;
use std::process::Command;

use crate::common::paths::{of_file, sources};
use crate::common::root;

/// The packages that a crate is built from.
fn packages(of: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["tree", "--locked", "--offline", "--prefix=none", "-e=normal"]);
    let output = cargo.args(["-p", of]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let names = lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned);
    let names: BTreeSet<String> = names.collect();
    assert!(names.contains(of), "{names:?}");
    names
}

#[test]
fn the_core_is_built_from_few_packages_and_no_library_from_sockets() {
    let core = packages("signd-core");
    assert!(core.len() < 40, "{}: {core:?}", core.len());
    for name in ["clap", "mcap", "ort", "parquet"] {
        assert!(!core.contains(name), "signd-core is built from {name}");
    }
    for library in ["signd-core", "signd-engine", "signd-lab"] {
        for name in ["axum", "hyper", "tokio", "zmq"] {
            assert!(!packages(library).contains(name), "{library} is built from {name}");
        }
    }
}

#[test]
fn the_core_names_no_file_socket_thread_process_or_clock() {
    const IMPURE: [&str; 6] = ["env", "fs", "net", "os", "process", "thread"];
    for file in sources("crates/core/src") {
        for path in of_file(&file) {
            let impure = path[0] == "std" && path.get(1).is_some_and(|of| IMPURE.contains(&&**of));
            let clock = path.iter().any(|name| ["Instant", "SystemTime"].contains(&&**name));
            assert!(!impure && !clock, "{} names {}", file.display(), path.join("::"));
        }
    }
}
