//! `signd`: landmark frames in, sign-language label events out.

pub mod frame;
