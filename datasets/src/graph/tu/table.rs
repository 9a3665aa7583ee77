//! Lines of numbers separated by commas.

use super::on_line;
use crate::Result;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Numbers in rows of equal length.
pub(super) struct Table<T> {
    pub path: PathBuf,
    pub columns: usize,
    pub values: Vec<T>,
}

impl<T: Copy> Table<T> {
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    pub fn row(&self, i: usize) -> &[T] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// Refuses another number of rows.
    pub fn expect(&self, rows: usize, what: &str) -> Result<()> {
        if self.rows() == rows {
            return Ok(());
        }
        let line = self.rows().min(rows) + 1;
        let text = format!("there are {} lines instead of {rows}", self.rows());
        Err(on_line(&self.path, line, text, format!("give it one for each {what}")))
    }
}

/// Reads a table; `columns` of 0 takes what the first line has. Blank lines may stand at the end.
pub(super) fn table<T: FromStr + Copy>(
    path: &Path,
    bytes: &[u8],
    columns: usize,
    kind: &str,
    good: impl Fn(&T) -> bool,
) -> Result<Table<T>>
where
    T::Err: Display,
{
    let (mut columns, mut values) = (columns, Vec::new());
    let mut end = None;
    for (at, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            end = end.or(Some(at + 1));
            continue;
        }
        if let Some(blank) = end {
            return Err(on_line(path, blank, "it is blank, but more follow", "drop blank lines"));
        }
        let before = values.len();
        for word in line.split(|b| *b == b',') {
            let word = std::str::from_utf8(word.trim_ascii()).unwrap_or("not text");
            let value = word.parse().ok().filter(&good).ok_or_else(|| {
                let word: String = word.chars().take(40).collect();
                on_line(path, at + 1, format!("`{word}` is no {kind}"), format!("write each as a {kind}"))
            })?;
            values.push(value);
            if columns > 0 && values.len() - before > columns {
                break;
            }
        }
        let found = values.len() - before;
        if columns == 0 {
            columns = found;
        }
        if found != columns {
            let what = if found > columns { "more" } else { "fewer" };
            let what = format!("there are {what} than {columns} numbers");
            return Err(on_line(path, at + 1, what, format!("write {columns}, separated by commas")));
        }
    }
    Ok(Table { path: path.into(), columns, values })
}
