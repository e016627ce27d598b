//! No file and no folder imports itself through others: within each crate they can be read in an order in
//! which each knows only earlier ones.
//!
//! Counted is what begins with `crate`, `super` or `self`. That a folder's `mod.rs` passes on what its
//! own files hold is no import.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::common::paths::{Segments, of_file, sources};
use crate::common::root;

/// What each file of a crate imports. The crate's root has the empty path.
type Imports = BTreeMap<Segments, BTreeSet<Segments>>;

/// The module that a file is.
fn module(folder: &str, file: &Path) -> Segments {
    let below = file.strip_prefix(root().join(folder)).expect("below").with_extension("");
    let mut module: Segments =
        below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| ["lib", "mod"].contains(&&**last)) {
        module.pop();
    }
    module
}

/// The module in which the path ends that this one names, if it is another one of the crate.
fn target(modules: &BTreeSet<Segments>, from: &Segments, path: &Segments) -> Option<Segments> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    let (base, rest) = match path[0].as_str() {
        "crate" => (&[][..], &path[1..]),
        "self" => (&from[..], &path[1..]),
        "super" => (&from[..from.len().checked_sub(ups)?], &path[ups..]),
        _ => return None,
    };
    // `pub(crate)` and `pub(super)` name no module.
    let mut to = (!rest.is_empty()).then(|| [base, rest].concat())?;
    while !to.is_empty() && !modules.contains(&to) {
        to.pop();
    }
    (!to.is_empty() && to != *from).then_some(to)
}

/// The modules to which one leads, through any number of others.
fn reached(imports: &Imports, from: &Segments) -> BTreeSet<Segments> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        next.extend(imports[module].iter().filter(|to| seen.insert((*to).clone())));
    }
    seen
}

/// The same with each folder beside `lib.rs` as one room.
fn folders(files: &Imports) -> Imports {
    let folder = |module: &Segments| module.iter().take(1).cloned().collect::<Segments>();
    let mut folders = Imports::new();
    for (from, all) in files {
        let (from, all) = (folder(from), all.iter().map(folder));
        let others: Vec<Segments> = all.filter(|to| *to != from).collect();
        folders.entry(from).or_default().extend(others);
    }
    folders
}

/// The imports that close a circle, in words.
fn circles(imports: &Imports) -> Vec<String> {
    let mut circles = Vec::new();
    for (from, all) in imports {
        let closing = all.iter().filter(|to| reached(imports, to).contains(from));
        circles.extend(closing.map(|to| format!("{} -> {}", from.join("::"), to.join("::"))));
    }
    circles
}

#[test]
fn no_file_and_no_folder_imports_itself_through_others() {
    for folder in [
        "src",
        "crates/core/src",
        "crates/engine/src",
        "crates/lab/src",
        "crates/lab/src/bin/animated_signer",
    ] {
        let files = sources(folder);
        let modules = files.iter().map(|file| module(folder, file)).collect();
        let imports = files.iter().map(|file| {
            let from = module(folder, file);
            let to =
                of_file(file).iter().filter_map(|path| target(&modules, &from, path)).collect();
            (from, to)
        });
        let imports: Imports = imports.collect();
        for (what, imports) in [("files", &imports), ("folders", &folders(&imports))] {
            let circles = circles(imports);
            assert!(circles.is_empty(), "{what} in {folder} in circles:\n{}", circles.join("\n"));
        }
    }
}
