//! PDEBench, one array for all trajectories: `tensor` (N, t, x) in 1-D; `tensor` (N, 1, x, y) and `nu` for Darcy flow;
//! `density`, `pressure`, `Vx`, … (N, t, x[, y, z]) for fluids. Coordinates are `x-coordinate`, …; `t-coordinate` often has
//! one entry more than there are times. Root attributes are parameters.
//!
//! # Reference
//! M. Takamoto, T. Praditia, R. Leiteritz, D. MacKinlay, F. Alesiani, D. Pflüger, M. Niepert, "PDEBench: an extensive
//! benchmark for scientific machine learning", NeurIPS 2022, arXiv:2210.07182.

use super::{Layout, Opened, Reader, coordinate};
use crate::Result;
use crate::dataset::{Axis, Coordinate, Role};
use crate::foreign::{MemberKind, Source};

pub(super) const LAYOUT: Layout = Layout {
    name: "pdebench",
    summary: "PDEBench, one array for all trajectories",
    reader: Reader::Hdf5 { recognises, open },
};

fn recognises(source: &Source) -> Result<bool> {
    Ok(source.members("")?.iter().any(|m| m.name == "x-coordinate"))
}

fn open(source: &Source) -> Result<Opened> {
    let mut opened = Opened::of(source.path());
    let mut space: Vec<Coordinate> = Vec::new();
    for name in ["x", "y", "z"] {
        space.extend(coordinate(source, &format!("{name}-coordinate"), name)?);
    }
    let mut time = coordinate(source, "t-coordinate", "t")?;
    let mut trajectories: Option<usize> = None;
    let mut times = false;
    for member in source.members("")? {
        if member.kind != MemberKind::Dataset || member.name.ends_with("-coordinate") {
            continue;
        }
        let Some(dataset) = source.dataset(&member.name)? else { continue };
        let shape = dataset.shape().to_vec();
        let d = space.len();
        // (N, t, space), (N, space); one entry in the place of t is no time.
        let fits = (shape.len() == d + 2 || shape.len() == d + 1)
            && shape[shape.len() - d..].iter().zip(&space).all(|(n, c)| *n == c.values.len());
        if !fits {
            let sides: Vec<usize> = space.iter().map(|c| c.values.len()).collect();
            let what = format!("its shape is {shape:?}, the coordinates have {sides:?} entries");
            return Err(dataset.error(what, "give it the axes trajectory, t and those of the coordinates"));
        }
        if let Some(n) = trajectories.filter(|n| *n != shape[0]) {
            let what = format!("it has {} trajectories, other arrays {n}", shape[0]);
            return Err(dataset.error(what, "give all arrays the same trajectories"));
        }
        trajectories = Some(shape[0]);
        let mut axes = vec!["trajectory".to_owned()];
        let mut dropped = Vec::new();
        if shape.len() == d + 2 {
            match &mut time {
                _ if shape[1] == 1 => dropped.push(1),
                Some(t) if t.values.len() == shape[1] + 1 && !times => {
                    t.values.pop();
                    let n = shape[1];
                    opened.remarks.push(format!(
                        "`t-coordinate` has one entry more than the {n} times; it is left out"
                    ));
                }
                Some(t) if t.values.len() == shape[1] => {}
                Some(t) => {
                    let what = format!("it has {} times, `t-coordinate` has {}", shape[1], t.values.len());
                    return Err(dataset.error(what, "give each time a coordinate"));
                }
                None => time = Some(Coordinate { name: "t".into(), values: Vec::new() }),
            }
            if dropped.is_empty() {
                if !times && time.as_ref().is_some_and(|t| t.values.is_empty()) {
                    opened.description.axes.push(Axis {
                        name: "t".into(),
                        role: Role::Time,
                        len: shape[1],
                        coordinates: Vec::new(),
                    });
                    opened.remarks.push("there is no `t-coordinate`".into());
                } else if !times {
                    opened.description.axes.extend(time.as_ref().map(|t| Axis::time(&t.values)));
                }
                times = true;
                axes.push("t".into());
            }
        }
        axes.extend(space.iter().map(|c| c.name.clone()));
        opened.push_stored(&member.name, dataset, axes, dropped);
    }
    opened.description.axes.extend(space.iter().map(|c| Axis::space(&c.name, &c.values)));
    opened.description.axes.insert(0, Axis::trajectory(trajectories.unwrap_or(0)));
    opened.push_attributes(source, "")?;
    Ok(opened)
}
