//! An evaluation on the terminal, as JSON and as a page.

pub mod json;
pub mod terminal;
