//! PDEBench, one group for each trajectory: `0000`, `0001`, … with `data` (t, x[, y], v), `grid/x`, `grid/y`, `grid/t`, and the
//! text attribute `config`, whose numbers are parameters: one for all where they agree.
//!
//! # Reference
//! As in the module of the other PDEBench layout: arXiv:2210.07182.

use super::{Layout, Opened, Reader, coordinate, expect, precision, storage};
use crate::Result;
use crate::dataset::numbers::Stacked;
use crate::dataset::{Axis, Field, Parameter, ParameterValue};
use crate::foreign::{MemberKind, Source};

pub(super) const LAYOUT: Layout = Layout {
    name: "pdebench groups",
    summary: "PDEBench, one group for each trajectory",
    reader: Reader::Hdf5 { recognises, open },
};

fn groups(source: &Source) -> Result<Vec<String>> {
    let members = source.members("")?.into_iter();
    let numbered = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    Ok(members.filter(|m| m.kind == MemberKind::Group && numbered(&m.name)).map(|m| m.name).collect())
}

fn recognises(source: &Source) -> Result<bool> {
    let Some(first) = groups(source)?.into_iter().next() else { return Ok(false) };
    Ok(source.find(&format!("{first}/data"))? == Some(MemberKind::Dataset))
}

fn open(source: &Source) -> Result<Opened> {
    let mut opened = Opened::of(source.path());
    let groups = groups(source)?;
    let mut datasets = Vec::with_capacity(groups.len());
    for group in &groups {
        let path = format!("{group}/data");
        let dataset = source.dataset(&path)?.ok_or_else(|| {
            crate::Error::malformed(
                source.path(),
                format!("`{path}`"),
                "there is no such dataset",
                "give each group its `data`",
            )
        })?;
        datasets.push(dataset);
    }
    let shape = datasets[0].shape().to_vec();
    for dataset in &datasets {
        expect(dataset, &shape, "the shape of the first group's")?;
    }
    let first = &groups[0];
    let mut axes = vec![Axis::trajectory(groups.len())];
    for (name, file) in [("t", "t"), ("x", "x"), ("y", "y"), ("z", "z")] {
        if let Some(c) = coordinate(source, &format!("{first}/grid/{file}"), name)? {
            axes.push(if name == "t" { Axis::time(&c.values) } else { Axis::space(name, &c.values) });
        }
    }
    // The last axis counts the components; one alone is dropped.
    let mut dropped = Vec::new();
    let coordinates = axes.len() - 1;
    if shape.len() == coordinates + 1 {
        match shape[coordinates] {
            1 => dropped.push(coordinates),
            n => axes.push(Axis::component(n)),
        }
    }
    let lens: Vec<usize> = axes[1..].iter().map(|a| a.len).chain(dropped.iter().map(|_| 1)).collect();
    expect(&datasets[0], &lens, "the axes t, x, y of `grid`, and one for the components")?;
    let (precision, mut storage) = (precision(&datasets[0]), storage(&datasets[0]));
    if let Some(chunk) = &mut storage.chunk {
        dropped.iter().for_each(|at| {
            chunk.remove(*at);
        });
        chunk.insert(0, 1);
    }
    let names = axes.iter().map(|a| a.name.clone()).collect();
    opened.description.axes = axes;
    opened
        .push(Field { name: "data".into(), precision, axes: names, storage }, Stacked { datasets, dropped });
    let mut all: Vec<(String, Vec<f64>)> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let Some(config) = source.text(group, "config").ok().flatten() else { continue };
        for (name, value) in numbers_of_yaml(&config) {
            match all.iter_mut().find(|(n, _)| *n == name) {
                Some((_, values)) if values.len() == at => values.push(value),
                None if at == 0 => all.push((name, vec![value])),
                _ => {}
            }
        }
    }
    for (name, values) in all.into_iter().filter(|(_, v)| v.len() == groups.len()) {
        let same = values.iter().all(|v| *v == values[0]);
        let value =
            if same { ParameterValue::Global(values[0]) } else { ParameterValue::PerTrajectory(values) };
        opened.description.parameters.push(Parameter { name, value });
    }
    opened.push_attributes(source, "")?;
    Ok(opened)
}

/// The numbers of block mappings, under their names joined with dots; anything else is passed over.
fn numbers_of_yaml(text: &str) -> Vec<(String, f64)> {
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let content = line.split(" #").next().unwrap_or("");
        let indent = content.len() - content.trim_start().len();
        let Some((key, value)) = content.trim().split_once(':') else { continue };
        if key.is_empty() || key.starts_with(['#', '-', '"', '\'', '{', '[']) {
            continue;
        }
        while open.last().is_some_and(|(i, _)| *i >= indent) {
            open.pop();
        }
        let value = value.trim();
        if value.is_empty() {
            open.push((indent, key.into()));
        } else if let Ok(v) = value.parse::<f64>()
            && v.is_finite()
        {
            let mut name: String = open.iter().map(|(_, k)| format!("{k}.")).collect();
            name.push_str(key);
            found.push((name, v));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_nested_mappings() {
        let text = "# sim\nsim:\n  name: radial\n  n: 128  # cells\n  inner:\n    nu: 1e-3\n  t: 5.0\nlist:\n- 3\nseed: 7\n";
        let found = numbers_of_yaml(text);
        let expected = [("sim.n", 128.0), ("sim.inner.nu", 1e-3), ("sim.t", 5.0), ("seed", 7.0)];
        assert_eq!(found, expected.map(|(n, v)| (n.to_owned(), v)));
    }
}
