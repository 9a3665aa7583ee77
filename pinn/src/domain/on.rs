//! The text that says where a condition holds.

use super::piece::{Fixed, Piece, Place, Rule};
use super::shape::Shape;
use super::surface::Surface;
use super::vanishing::Factor;
use super::{Domain, Part};
use crate::error::choices;
use crate::expression::Scope;
use crate::{Error, Result};
use std::sync::Arc;

/// How near a number must be to the end of an interval to mean it.
const SNAP: f64 = 1e-9;

/// What one item of a text says.
#[derive(Default)]
struct Item {
    pieces: Vec<Piece>,
    offset: Option<Vec<f64>>,
    interior: bool,
}

/// A text with the domain it is about.
struct Reader<'a> {
    domain: &'a Domain,
    text: &'a str,
}

pub fn part(domain: &Domain, text: &str) -> Result<Part> {
    let reader = Reader { domain, text };
    let mut all = Item::default();
    let items: Vec<&str> = text.split(',').flat_map(|s| s.split(" and ")).map(str::trim).collect();
    for item in &items {
        let mut item = reader.item(item)?;
        if items.len() > 1 && (item.interior || item.offset.is_some()) {
            return reader.refuse(
                "the interior or a periodic pair is joined to another part",
                "make it a condition of its own",
            );
        }
        // What two items have in common belongs to the first.
        for piece in &mut item.pieces {
            reader.yield_to(&all.pieces, piece);
        }
        item.pieces.retain(|p| !all.pieces.iter().any(|q| (&q.place, q.fixed) == (&p.place, p.fixed)));
        all.pieces.append(&mut item.pieces);
        all.offset = item.offset;
    }
    let region = domain.region.clone();
    let mut part = Part::new(text, domain.dimension(), region, domain.others(), all.pieces)?;
    part.offset = all.offset;
    Ok(part)
}

impl Reader<'_> {
    fn item(&self, item: &str) -> Result<Item> {
        let periodic = item.strip_prefix("periodic ").map(str::trim);
        match (item, item.split_once('='), periodic) {
            ("interior", ..) => Ok(Item { interior: true, ..self.pieces(vec![(Place::Interior, None)]) }),
            ("boundary", ..) => self.boundary(),
            ("initial", ..) => match self.domain.time {
                Some(axis) => self.plane(axis, self.domain.bounds[axis][0]),
                None => self.refuse("there is no time", "name the time among the coordinates, such as `t`"),
            },
            (_, Some((name, value)), _) => self.plane(self.axis(name.trim())?, self.number(value.trim())?),
            (.., Some(name)) => self.pair(self.axis(name)?),
            (name, ..) => self.named(name),
        }
    }

    fn pieces(&self, places: Vec<(Place, Option<Fixed>)>) -> Item {
        let others = self.domain.others();
        let piece = |(place, fixed)| Piece::new(place, fixed, &self.domain.region, &others);
        Item { pieces: places.into_iter().map(piece).collect(), ..Item::default() }
    }

    /// The surface of the shape, and the faces of the box that are left.
    fn boundary(&self) -> Result<Item> {
        let region = &self.domain.region;
        if region.cloud().is_some_and(|c| !c.boundary.is_empty()) {
            return Ok(self.pieces(vec![(Place::Given, None)]));
        }
        if region.cloud().is_some() {
            return self.refuse("the cloud has no boundary points", "give them with their normals");
        }
        let mut item = Item::default();
        if let Some(shape) = region.shape() {
            item = self.surface(shape, false);
        }
        for (i, &axis) in region.axes.iter().enumerate().filter(|(i, _)| !region.periodic[*i]) {
            for (at, up) in [(region.bounds[i][0], false), (region.bounds[i][1], true)] {
                let face = Place::Surface(region.plane(i, at, up), Rule::Boundary);
                let mut pieces = self.pieces(vec![(face, None)]).pieces;
                for piece in &mut pieces {
                    self.yield_to(&item.pieces, piece);
                    piece.factor = Some(self.factor(axis, at));
                }
                item.pieces.append(&mut pieces);
            }
        }
        if item.pieces.is_empty() {
            return self
                .refuse("the domain has no boundary in space", "all its coordinates are periodic or time");
        }
        Ok(item)
    }

    /// The surface of a shape that is part of the whole one.
    fn surface(&self, shape: &Shape, flipped: bool) -> Item {
        let region = &self.domain.region;
        let factor = Arc::new(Factor::Shape { shape: shape.clone(), outside: flipped });
        // All of it counts where it is the whole boundary.
        let within = |(s, b): (&[f64; 2], &[f64; 2])| b[0] <= s[0] && s[1] <= b[1];
        let certain = region.shape().is_some_and(|s| std::ptr::eq(s, shape) && s.is_simple())
            && !region.periodic.contains(&true)
            && shape.bounds().iter().zip(&region.bounds).all(within);
        let (mut item, mut leaves) = (Item::default(), vec![]);
        shape.leaves(flipped, &mut |leaf, flipped| leaves.push((leaf, flipped)));
        for (leaf, flipped) in leaves {
            let surfaces = Surface::of(leaf, flipped, &region.bounds);
            let places = surfaces.into_iter().map(|s| (Place::Surface(s, Rule::Boundary), None)).collect();
            let mut pieces = self.pieces(places).pieces;
            for piece in &mut pieces {
                self.yield_to(&item.pieces, piece);
                (piece.factor, piece.certain) = (Some(factor.clone()), certain);
            }
            item.pieces.append(&mut pieces);
        }
        item
    }

    fn named(&self, name: &str) -> Result<Item> {
        let mut shapes: Vec<&Shape> = vec![];
        if let Some(shape) = self.domain.region.shape() {
            shape.visit(&mut |s| shapes.extend(s.name().map(|_| s)));
        }
        let Some(shape) = shapes.iter().find(|s| s.name() == Some(name)) else {
            let mut known: Vec<String> = ["interior", "boundary", "initial"].map(String::from).into();
            known.extend(shapes.iter().filter_map(|s| s.name()).map(String::from));
            for (coordinate, [lower, _]) in self.domain.names.iter().zip(&self.domain.bounds) {
                known.extend([format!("{coordinate} = {lower}"), format!("periodic {coordinate}")]);
            }
            let needs = choices(name, known.iter().map(String::as_str));
            return Err(Error::Part { text: self.text.into(), what: format!("there is no `{name}`"), needs });
        };
        // Its sense is the one it has in the whole.
        let (whole, mut flipped) = (self.domain.region.shape().unwrap_or(shape), false);
        sense(whole, shape, false, &mut flipped);
        Ok(self.surface(shape, flipped))
    }

    /// Where a coordinate has one value.
    fn plane(&self, axis: usize, at: f64) -> Result<Item> {
        let (domain, region) = (self.domain, &self.domain.region);
        let [lower, upper] = domain.bounds[axis];
        let near = |end: f64| (at - end).abs() <= SNAP * (upper - lower);
        let at = if near(lower) {
            lower
        } else if near(upper) {
            upper
        } else {
            at
        };
        if !(lower <= at && at <= upper) {
            let what = format!("`{}` is {at}, outside [{lower}, {upper}]", domain.names[axis]);
            return self.refuse(&what, "choose a value of the interval");
        }
        let up = at != lower;
        let place = match region.axes.iter().position(|a| *a == axis) {
            None => (Place::Interior, Some(Fixed { axis, at, up })),
            Some(_) if region.cloud().is_some() => {
                return self
                    .refuse("the faces of a cloud are not known", "use `boundary` with boundary points");
            }
            Some(i) => {
                let rule = if at == lower || at == upper { Rule::Inner } else { Rule::Within };
                (Place::Surface(region.plane(i, at, up), rule), None)
            }
        };
        let mut item = self.pieces(vec![place]);
        item.pieces.iter_mut().for_each(|piece| piece.factor = Some(self.factor(axis, at)));
        Ok(item)
    }

    fn pair(&self, axis: usize) -> Result<Item> {
        let (domain, region) = (self.domain, &self.domain.region);
        let [lower, upper] = domain.bounds[axis];
        let place = match region.axes.iter().position(|a| *a == axis) {
            None => (Place::Interior, Some(Fixed { axis, at: lower, up: false })),
            Some(_) if region.cloud().is_some() => {
                return self
                    .refuse("the faces of a cloud are not known", "make a coordinate beside it periodic");
            }
            Some(i) => (Place::Surface(region.plane(i, lower, false), Rule::Pair(i)), None),
        };
        let mut offset = vec![0.0; domain.dimension()];
        offset[axis] = upper - lower;
        Ok(Item { offset: Some(offset), ..self.pieces(vec![place]) })
    }

    fn factor(&self, axis: usize, at: f64) -> Arc<Factor> {
        Arc::new(Factor::Plane { axis, at, bounds: self.domain.bounds[axis] })
    }

    /// Lets earlier pieces have the points that they share with this one.
    fn yield_to(&self, earlier: &[Piece], piece: &mut Piece) {
        let Place::Surface(own, _) = &piece.place else { return };
        let shared = earlier.iter().filter_map(|p| match &p.place {
            Place::Surface(s, _) if s.coincides(own, self.domain.region.nudge) => Some(s.clone()),
            _ => None,
        });
        piece.rivals.extend(shared);
    }

    fn axis(&self, name: &str) -> Result<usize> {
        self.domain.axis(name).map_err(|error| match error {
            Error::Domain { what, needs } => Error::Part { text: self.text.into(), what, needs },
            other => other,
        })
    }

    fn number(&self, text: &str) -> Result<f64> {
        let value = text.parse().or_else(|_| {
            let (mut value, function) = ([f64::NAN], Scope::new(&[], &[])?.function(text)?);
            function.evaluate(&[], &mut value).map(|()| value[0])
        });
        match value {
            Ok(v) if v.is_finite() => Ok(v),
            Ok(v) => self.refuse(&format!("`{text}` is {v}"), "give a number such as 0.5 or 2*pi"),
            Err::<f64, Error>(e) => Err(e),
        }
    }

    fn refuse<T>(&self, what: &str, needs: &str) -> Result<T> {
        Err(Error::Part { text: self.text.into(), what: what.into(), needs: needs.into() })
    }
}

/// Whether the inside of `shape` is outside the whole.
fn sense(whole: &Shape, shape: &Shape, flipped: bool, found: &mut bool) {
    use super::shape::Geometry::{Difference, Intersection, Union};
    if std::ptr::eq(whole, shape) {
        *found = flipped;
        return;
    }
    match &whole.geometry {
        Union(shapes) | Intersection(shapes) => shapes.iter().for_each(|s| sense(s, shape, flipped, found)),
        Difference(of, without) => {
            sense(of, shape, flipped, found);
            without.iter().for_each(|s| sense(s, shape, !flipped, found));
        }
        _ => {}
    }
}
