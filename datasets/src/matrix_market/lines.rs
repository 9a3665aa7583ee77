//! The lines of a text file, with numbers for messages.

use crate::{Error, Result};
use std::path::Path;

/// Lines with data: neither blank nor, from the second line on, a comment.
pub(super) struct Lines<'a> {
    pub path: &'a Path,
    bytes: &'a [u8],
    at: usize,
    /// The number of the last line returned, from 1.
    pub number: usize,
}

impl<'a> Lines<'a> {
    pub fn new(path: &'a Path, bytes: &'a [u8]) -> Self {
        Self { path, bytes, at: 0, number: 0 }
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next line as it stands.
    pub fn raw(&mut self) -> Option<&'a [u8]> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        self.number += 1;
        Some(rest[..end].trim_ascii())
    }

    /// The next line with data.
    pub fn data(&mut self) -> Option<&'a [u8]> {
        loop {
            let line = self.raw()?;
            if !line.is_empty() && line[0] != b'%' {
                return Some(line);
            }
        }
    }

    /// An error on the last line returned.
    pub fn error(&self, what: impl Into<String>, mend: impl Into<String>) -> Error {
        Error::malformed(self.path, format!("line {}", self.number), what, mend)
    }

    /// The words of a line, exactly `N`.
    pub fn words<const N: usize>(&self, line: &'a [u8], meaning: &str) -> Result<[&'a str; N]> {
        let mut words = line.split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty());
        let mut found = [""; N];
        for (at, word) in found.iter_mut().enumerate() {
            let next = words.next().ok_or_else(|| {
                self.error(
                    format!("{at} of {N} numbers are there"),
                    format!("the line must read `{meaning}`"),
                )
            })?;
            *word = std::str::from_utf8(next)
                .map_err(|_| self.error("this is not text", format!("the line must read `{meaning}`")))?;
        }
        if words.next().is_some() {
            return Err(self.error(
                format!("more than {N} numbers are there"),
                format!("the line must read `{meaning}`"),
            ));
        }
        Ok(found)
    }

    /// A count.
    pub fn count(&self, word: &str) -> Result<usize> {
        word.parse().map_err(|_| {
            self.error(
                format!("`{}` is no count", shown(word)),
                "write a whole number without sign that fits 64 bits",
            )
        })
    }

    /// A finite number; an exponent may be written with D, as Fortran does.
    pub fn real(&self, word: &str) -> Result<f64> {
        let value = word.parse::<f64>().or_else(|e| {
            if word.contains(['d', 'D']) { word.replace(['d', 'D'], "e").parse() } else { Err(e) }
        });
        match value {
            Ok(v) if v.is_finite() => Ok(v),
            Ok(_) => {
                Err(self
                    .error(format!("the value is {}", shown(word)), "every value must be a finite number"))
            }
            Err(_) => Err(self
                .error(format!("`{}` is no number", shown(word)), "write a decimal number such as -1.5e-3")),
        }
    }

    /// An index from 1 to `n`, returned from 0.
    pub fn index(&self, word: &str, n: usize, which: &str) -> Result<u32> {
        match word.parse::<usize>() {
            Ok(i) if (1..=n).contains(&i) => Ok((i - 1) as u32),
            _ => Err(self.error(
                format!("the {which} is `{}`", shown(word)),
                format!("{which}s run from 1 to {n}, as the size line says"),
            )),
        }
    }
}

/// A word short enough for a message, with what a terminal would obey written as an escape.
pub(super) fn shown(word: &str) -> String {
    let (most, dots) = if word.chars().count() <= 40 { (40, "") } else { (37, "...") };
    let mut text = String::new();
    for c in word.chars().take(most) {
        if c.is_ascii_graphic() || c.is_alphanumeric() {
            text.push(c);
        } else {
            text.extend(c.escape_unicode());
        }
    }
    text + dots
}
