//! The paths that a source file names, as `crate::wire::landmarks` or `std::time::Instant`.
//!
//! What `use` lists in braces is spelt out. Comments, strings and code under `#[cfg(test)]` name none.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A path's segments, `*` among them.
pub type Segments = Vec<String>;

/// The source files below a folder, without those that hold tests alone.
pub fn sources(folder: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![super::root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "{folder}");
    files
}

/// All paths of a file.
pub fn of_file(path: &Path) -> Vec<Segments> {
    let text = std::fs::read_to_string(path).expect("reads");
    let tokens = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found = Vec::new();
    collect(tokens, &[], &mut found);
    found
}

/// Adds the paths of these tokens, which stand in the braces behind `prefix::`.
fn collect(tokens: TokenStream, prefix: &[String], found: &mut Vec<Segments>) {
    let mut path = prefix.to_vec();
    // Whether the path goes on: behind `::`, and at the beginning of each item in braces.
    let (mut open, mut colon) = (true, false);
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let (was_open, was_colon) = (open, std::mem::take(&mut colon));
        open = false;
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                open = was_colon;
                colon = !was_colon && mark.spacing() == Spacing::Joint;
            }
            TokenTree::Ident(name) if was_open => path.push(name.to_string()),
            TokenTree::Ident(name) => {
                end(std::mem::replace(&mut path, vec![name.to_string()]), prefix, found);
            }
            TokenTree::Group(list)
                if was_open && !path.is_empty() && list.delimiter() == Delimiter::Brace =>
            {
                collect(list.stream(), &std::mem::take(&mut path), found);
            }
            TokenTree::Group(group) => {
                end(std::mem::take(&mut path), prefix, found);
                if group.to_string().replace(' ', "") == "[cfg(test)]" {
                    tokens.find(ends_item);
                } else {
                    collect(group.stream(), &[], found);
                }
            }
            TokenTree::Punct(mark) => {
                if was_open && mark.as_char() == '*' {
                    path.push("*".to_owned());
                }
                end(std::mem::take(&mut path), prefix, found);
                if mark.as_char() == ',' {
                    (path, open) = (prefix.to_vec(), true);
                }
            }
            TokenTree::Literal(_) => end(std::mem::take(&mut path), prefix, found),
        }
    }
    end(path, prefix, found);
}

/// Keeps a path that has ended.
fn end(path: Segments, prefix: &[String], found: &mut Vec<Segments>) {
    if path.len() > prefix.len() {
        found.push(path);
    }
}

/// The last token of a function, a module or a declaration.
fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        _ => false,
    }
}
