//! The benchmark of streams on the terminal, as JSON and as an HTML page.

pub mod html;
pub mod json;
pub mod terminal;
