//! The banner and the size line.

use super::lines::{Lines, shown};
use crate::Result;

const BANNER: &str =
    "%%MatrixMarket matrix coordinate|array real|integer|pattern general|symmetric|skew-symmetric";
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Coordinate,
    Array,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symmetry {
    General,
    Symmetric,
    Skew,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub layout: Layout,
    pub pattern: bool,
    pub symmetry: Symmetry,
    pub rows: usize,
    pub cols: usize,
    /// How many entries the file stores.
    pub entries: usize,
}

impl Header {
    /// Reads both, and checks that the rest of the file can hold as many entries as they promise.
    pub fn read(lines: &mut Lines) -> Result<Self> {
        let (layout, pattern, symmetry) = banner(lines)?;
        let meaning = if layout == Layout::Coordinate { "rows columns entries" } else { "rows columns" };
        let Some(line) = lines.data() else {
            return Err(lines.error("the file ends before its size line", format!("add a line `{meaning}`")));
        };
        let (rows, cols, entries) = match layout {
            Layout::Coordinate => {
                let words: [&str; 3] = lines.words(line, meaning)?;
                (lines.count(words[0])?, lines.count(words[1])?, lines.count(words[2])?)
            }
            Layout::Array => {
                let words: [&str; 2] = lines.words(line, meaning)?;
                let (rows, cols) = (lines.count(words[0])?, lines.count(words[1])?);
                let entries = match symmetry {
                    Symmetry::General => rows.saturating_mul(cols),
                    Symmetry::Symmetric => rows.saturating_mul(rows.saturating_add(1)) / 2,
                    Symmetry::Skew => rows.saturating_mul(rows.saturating_sub(1)) / 2,
                };
                (rows, cols, entries)
            }
        };
        if rows == 0 || cols == 0 {
            return Err(lines.error(format!("the matrix is {rows} × {cols}"), "it needs a row and a column"));
        }
        if rows > u32::MAX as usize || cols > u32::MAX as usize {
            return Err(lines.error(
                format!("the matrix is {rows} × {cols}, more than a 32-bit index counts"),
                "mend the size line, or use a smaller matrix",
            ));
        }
        if symmetry != Symmetry::General && rows != cols {
            return Err(lines.error(
                format!("a matrix of {rows} × {cols} cannot be symmetric"),
                "write `general` in the first line, or mend the sizes",
            ));
        }
        // The shortest entries are `1 1`, `1 1 1` and `1`, each with an end of line; the last may lack it.
        let shortest = match (layout, pattern) {
            (Layout::Coordinate, true) => 4,
            (Layout::Coordinate, false) => 6,
            (Layout::Array, _) => 2,
        };
        let room = (lines.remaining() + 1) / shortest;
        if entries > room {
            return Err(lines.error(
                format!(
                    "the size line promises {entries} entries, but the rest of the file has room for at most {room}"
                ),
                "mend the size line, or copy the file again: it may be cut off",
            ));
        }
        Ok(Self { layout, pattern, symmetry, rows, cols, entries })
    }
}

fn banner(lines: &mut Lines) -> Result<(Layout, bool, Symmetry)> {
    let line = lines.raw().unwrap_or_default();
    lines.number = 1;
    let mend = format!("the first line must read `{BANNER}`");
    let Ok(line) = std::str::from_utf8(line) else {
        return Err(lines.error("this is not a Matrix Market file", mend));
    };
    let line = line.to_ascii_lowercase();
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    if words.first() != Some(&"%%matrixmarket") {
        return Err(lines.error("this is not a Matrix Market file", mend));
    }
    let [_, object, layout, field, symmetry] = words[..] else {
        return Err(lines.error(format!("the first line has {} words instead of 5", words.len()), mend));
    };
    if object != "matrix" {
        return Err(lines.error(format!("it holds a `{}`, not a matrix", shown(object)), mend));
    }
    let layout = match layout {
        "coordinate" => Layout::Coordinate,
        "array" => Layout::Array,
        other => return Err(lines.error(format!("`{}` is no layout", shown(other)), mend)),
    };
    let pattern = match field {
        "real" | "double" | "integer" => false,
        "pattern" if layout == Layout::Coordinate => true,
        "pattern" => return Err(lines.error("an array cannot be a pattern", mend)),
        "complex" => {
            return Err(
                lines.error("the matrix is complex", "only real matrices can be read: split it first")
            );
        }
        other => return Err(lines.error(format!("`{}` is no field", shown(other)), mend)),
    };
    let symmetry = match symmetry {
        "general" => Symmetry::General,
        "symmetric" => Symmetry::Symmetric,
        "skew-symmetric" if pattern => {
            return Err(lines.error("a pattern cannot be skew-symmetric: it has no signs", mend));
        }
        "skew-symmetric" => Symmetry::Skew,
        "hermitian" => {
            return Err(
                lines.error("the matrix is hermitian", "write `symmetric` in the first line if it is real")
            );
        }
        other => return Err(lines.error(format!("`{}` is no symmetry", shown(other)), mend)),
    };
    Ok((layout, pattern, symmetry))
}
