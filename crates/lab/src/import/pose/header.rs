//! What stands before the numbers of a `.pose` file: version, image size, components.

use super::layout::PoseComponent;
use crate::import::error::{ImportError, unexpected};

/// Most points that a layout may have, all components together. The largest known has 586.
const MAX_POINTS: usize = 10_000;

/// Bytes not yet read.
pub(super) struct ByteReader<'a>(pub(super) &'a [u8]);

impl<'a> ByteReader<'a> {
    pub(super) fn take(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], ImportError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ImportError::Truncated {
            what,
            expected: length as u64,
            found: self.0.len() as u64,
        })?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], ImportError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, ImportError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, ImportError> {
        let length = self.u16(what)?.into();
        let bytes = self.take(length, what)?;
        let found = || bytes.escape_ascii().to_string();
        str::from_utf8(bytes).map_err(|_| unexpected(what, "UTF-8", found()))
    }
}

/// What the file says about all frames.
pub(super) struct PoseHeader<'a> {
    /// 1 or 2: version 0.1 or 0.2.
    pub(super) version: u8,
    /// Image width and height in pixels.
    pub(super) size: (u32, u32),
    pub(super) components: Vec<PoseComponent<'a>>,
}

impl<'a> PoseHeader<'a> {
    pub(super) fn read(from: &mut ByteReader<'a>) -> Result<PoseHeader<'a>, ImportError> {
        let version = match f32::from_le_bytes(from.array("the version")?) {
            0.1 => 1,
            0.2 => 2,
            other => return Err(unexpected("version of the format", "0.1 or 0.2", other)),
        };
        let (width, height) = (from.u16("the image size")?, from.u16("the image size")?);
        let _depth = from.u16("the image size")?;
        let count = from.u16("the number of components")?;
        let mut components = Vec::new();
        let mut points_before = 0;
        for _ in 0..count {
            let name = from.text("a component's name")?;
            let format = from.text("a component's format")?;
            let points = usize::from(from.u16("a component's counts")?);
            let limbs = usize::from(from.u16("a component's counts")?);
            let colours = usize::from(from.u16("a component's counts")?);
            points_before += points;
            if points_before > MAX_POINTS {
                let most = format!("at most {MAX_POINTS}");
                return Err(unexpected("points of the layout", most, "more"));
            }
            let points = (0..points).map(|_| from.text("a point's name")).collect::<Result<_, _>>();
            components.push(PoseComponent { name, format, points: points? });
            from.take(limbs * 4, "a component's limbs")?;
            from.take(colours * 6, "a component's colours")?;
        }
        Ok(PoseHeader { version, size: (width.into(), height.into()), components })
    }
}
