//! Text with one point a line: a line of names, then numbers between commas. The columns `t`, `x`, `y`, `z` are the
//! coordinates of a cloud, all others fields on it.

use super::{Layout, Opened, Reader};
use crate::dataset::numbers::Held;
use crate::dataset::{Axis, Coordinate, Field, Precision};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

pub(super) const LAYOUT: Layout = Layout {
    name: "csv",
    summary: "points in lines, named by the first",
    reader: Reader::Plain { recognises, open },
};

fn recognises(path: &Path, _: &[u8]) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"))
}

fn open(path: &Path) -> Result<Opened> {
    let bad =
        |line: usize, what: String, mend: &str| Error::malformed(path, format!("line {line}"), what, mend);
    let file = File::open(path).map_err(|e| Error::open(path, e))?;
    let mut lines = BufReader::new(file).lines().enumerate();
    let mut next = || match lines.next() {
        None => Ok(None),
        Some((at, Ok(line))) => Ok(Some((at + 1, line))),
        Some((at, Err(e))) => {
            Err(bad(at + 1, format!("it is no text ({e})"), "save the table as UTF-8 text"))
        }
    };
    let header = next()?.map(|(_, line)| line).unwrap_or_default();
    let names: Vec<String> =
        header.trim_start_matches('\u{feff}').split(',').map(|n| n.trim().trim_matches('"').into()).collect();
    if names.iter().any(|n| n.is_empty() || n.parse::<f64>().is_ok()) {
        return Err(bad(
            1,
            format!("`{header}` names no columns"),
            "begin with a line of names, such as `t,x,u`",
        ));
    }
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    while let Some((at, line)) = next()? {
        if line.trim().is_empty() {
            continue;
        }
        let mut found = 0;
        for (i, word) in line.split(',').enumerate() {
            let value = word.trim().parse::<f64>();
            let value = value.map_err(|_| {
                bad(at, format!("`{}` is no number", word.trim()), "write numbers with a point")
            })?;
            if let Some(column) = columns.get_mut(i) {
                column.push(value);
            }
            found = i + 1;
        }
        if found != names.len() {
            return Err(bad(
                at,
                format!("it has {found} numbers, the first line {} names", names.len()),
                "give each column a number",
            ));
        }
    }
    let mut opened = Opened::of(path);
    let mut points = Axis::points(columns[0].len(), &[]);
    let mut fields = Vec::new();
    for (name, values) in names.into_iter().zip(columns) {
        if ["t", "x", "y", "z"].contains(&name.as_str()) {
            points.coordinates.push(Coordinate { name, values });
        } else {
            fields.push((name, values));
        }
    }
    for (name, values) in fields {
        let field = Field::new(&name, Precision::F64, &["point"]);
        opened.push(field, Held { shape: vec![points.len], values });
    }
    opened.description.axes.push(points);
    Ok(opened)
}
