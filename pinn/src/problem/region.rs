//! The domain of a configuration.

use super::number;
use crate::config::{Config, ShapeConfig};
use crate::{Domain, Error, PointCloud, Result, Shape};
use resolvent_datasets::dataset::{Dataset, Role};
use std::path::Path;

/// Intervals in the order of the coordinates, and what confines them.
pub(super) fn domain(config: &Config) -> Result<Domain> {
    let d = &config.domain;
    let coordinates = &config.equation.coordinates;
    let refuse = |what: String, needs: String| Err(Error::Domain { what, needs });
    if let Some(name) = d.intervals.keys().find(|name| !coordinates.contains(name)) {
        let known = coordinates.iter().map(String::as_str).chain(["periodic", "time", "shape", "cloud"]);
        let nearest = known.min_by_key(|k| strsim::damerau_levenshtein(k, name)).unwrap_or_default();
        return refuse(
            format!("there is no coordinate or key `{name}`"),
            format!("did you mean `{nearest}`?"),
        );
    }
    let mut intervals = vec![];
    for name in coordinates {
        let Some([low, high]) = d.intervals.get(name) else {
            return refuse(format!("`{name}` has no interval"), format!("give one: {name} = [0, 1]"));
        };
        intervals.push((name.as_str(), number(low)?, number(high)?));
    }
    let mut domain = Domain::new(&intervals)?;
    if let Some(time) = &d.time {
        domain = domain.with_time((time != "none").then_some(time))?;
    }
    if !d.periodic.is_empty() {
        domain = domain.with_periodic(&d.periodic.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    if let Some(s) = &d.shape {
        domain = domain.with_shape(&[], shape(s)?)?;
    }
    if let Some(path) = &d.cloud {
        let time = domain.time();
        let space = coordinates.iter().enumerate().filter(|(axis, _)| Some(*axis) != time);
        let space: Vec<&str> = space.map(|(_, name)| name.as_str()).collect();
        domain = domain.with_cloud(&[], cloud(path, &space)?)?;
    }
    Ok(domain)
}

fn shape(s: &ShapeConfig) -> Result<Shape> {
    let all = |list: &[ShapeConfig]| list.iter().map(shape).collect::<Result<Vec<_>>>();
    let given = [
        s.cuboid.is_some(),
        s.center.is_some() || s.radius.is_some(),
        s.polygon.is_some(),
        s.normal.is_some() || s.offset.is_some(),
        s.union.is_some(),
        s.intersection.is_some(),
        s.difference.is_some(),
    ];
    let refuse = |what: &str, needs: &str| Err(Error::Domain { what: what.into(), needs: needs.into() });
    if given.iter().filter(|g| **g).count() != 1 {
        return refuse(
            "a shape is not one thing",
            "give one of box, center with radius, polygon, normal with offset, union, intersection, difference",
        );
    }
    let made = if let Some([low, high]) = &s.cuboid {
        Shape::cuboid(low, high)?
    } else if let Some(vertices) = &s.polygon {
        Shape::polygon(vertices)?
    } else if let Some(list) = &s.union {
        Shape::union(all(list)?)?
    } else if let Some(list) = &s.intersection {
        Shape::intersection(all(list)?)?
    } else if let Some(list) = &s.difference {
        let Some((first, rest)) = list.split_first() else {
            return refuse("a difference of nothing", "give what is kept, then what is taken away");
        };
        Shape::difference(shape(first)?, all(rest)?)?
    } else {
        match (&s.center, s.radius, &s.normal, s.offset) {
            (Some(center), Some(radius), ..) => Shape::ball(center, radius)?,
            (_, _, Some(normal), Some(offset)) => Shape::half_space(normal, offset)?,
            _ => return refuse("half of a shape", "give center with radius, or normal with offset"),
        }
    };
    match &s.name {
        Some(name) => made.named(name),
        None => Ok(made),
    }
}

/// The points of a dataset, in the order of `space`.
fn cloud(path: &Path, space: &[&str]) -> Result<PointCloud> {
    let dataset = Dataset::open(path)?;
    let refuse = |what: &str| {
        let what = format!("{}: {what}", path.display());
        let needs = format!("give a file with an axis of points that have {}", space.join(" and "));
        Err(Error::Domain { what, needs })
    };
    let Some(axis) = dataset.description().axis_of(Role::Points) else {
        return refuse("it has no cloud of points");
    };
    let mut columns = vec![];
    for name in space {
        let Some(c) = axis.coordinates.iter().find(|c| c.name == *name) else {
            return refuse(&format!("its points have no `{name}`"));
        };
        columns.push(&c.values);
    }
    let points = (0..axis.len).flat_map(|p| columns.iter().map(move |c| c[p])).collect();
    PointCloud::new(space.len(), points)
}
