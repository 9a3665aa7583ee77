//! Solutions from files.

use super::{Evaluation, POINTS, Panel, Quantity, Target, field_pairs};
use crate::config::{Number, ReferenceConfig};
use crate::measured::trajectory;
use crate::problem::Problem;
use crate::{Error, Result};
use resolvent_datasets::dataset::{Batch, Dataset, Points, Role};
use resolvent_datasets::reference::{Settings, write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Where a solution is.
pub(super) enum Place<'a> {
    /// In this file.
    File(&'a Path),
    /// In the file the reference names, or in one that is made in this folder.
    Named(&'a Path),
}

/// Against a file, or against a reference solution that is computed first.
pub(super) fn evaluation(problem: &Problem, r: &ReferenceConfig, place: Place<'_>) -> Result<Evaluation> {
    let made;
    let path = match (place, &r.file) {
        (Place::File(path), _) => path,
        (Place::Named(_), Some(file)) => file,
        (Place::Named(folder), None) => {
            made = make(r, r.name.as_deref().unwrap_or_default(), folder)?;
            &made
        }
    };
    let (scope, domain) = (problem.scope(), problem.domain());
    let dim = domain.dimension();
    let dataset = Dataset::open(path)?;
    let description = dataset.description();
    let known: Vec<&str> = description.fields.iter().map(|f| f.name.as_str()).collect();
    let pairs = field_pairs(&r.fields, &known, scope.unknowns(), path)?;
    let names: Vec<&str> = pairs.iter().map(|p| p.0.as_str()).collect();
    let selection = trajectory(&dataset, r.trajectory);
    let mut stream = Points::<f64>::new(&dataset, &names, &selection, 0)?;
    let places: Option<Vec<usize>> =
        scope.coordinates().iter().map(|c| stream.coordinates().iter().position(|k| k == c)).collect();
    let Some(places) = places.filter(|p| p.len() == stream.coordinates().len()) else {
        let what = format!(
            "{}: the solution has the coordinates {}, but the equation {}",
            path.display(),
            stream.coordinates().join(", "),
            scope.coordinates().join(", ")
        );
        let mend = "name them alike; `resolvent data convert` renames axes".into();
        return Err(Error::Training { what, mend });
    };
    let mut batch = Batch::default();
    stream.draw(stream.per_epoch().min(POINTS), &mut batch)?;
    // What lies outside the domain is not part of the problem.
    let point = |c: &[f64]| places.iter().map(|p| c[*p]).collect::<Vec<f64>>();
    let (mut inside, mut values) = (vec![], vec![]);
    let width = stream.width();
    for (c, v) in batch.coordinates.chunks_exact(dim).zip(batch.values.chunks_exact(width)) {
        let x = point(c);
        if domain.contains(&x) && v.iter().all(|v| v.is_finite()) {
            inside.push(x);
            values.push(v);
        }
    }
    if inside.is_empty() {
        let what = format!("{}: no point of it lies in the domain", path.display());
        return Err(Error::Training { what, mend: "check the intervals of [domain]".into() });
    }
    if width != pairs.len() {
        let what = format!("{}: a field has several components", path.display());
        return Err(Error::Training { what, mend: "compare with fields of one component".into() });
    }
    let points = (0..dim).flat_map(|axis| inside.iter().map(move |x| x[axis])).collect();
    let mut fields = vec![];
    for (i, (field, text)) in pairs.iter().enumerate() {
        let exact = Some(values.iter().map(|v| v[i]).collect());
        let name = if field == text { field.clone() } else { text.clone() };
        fields.push(Target { name, quantity: Quantity::Formula(scope.formula(&[text])?), exact });
    }
    let floating = pairs.iter().map(|p| r.up_to_constant.contains(&p.0)).collect();
    let panel = panel(problem, &dataset, &names, r.trajectory)?;
    let spectral = problem.config().log.spectral;
    let mut own = Evaluation { fields, domain: domain.clone(), points, floating, panel, spectral };
    own.derive(&names, &r.derived)?;
    Ok(own)
}

/// The plane of a grid that is shown, with its values; the plane of the domain, without, where the data are no grid.
fn panel(problem: &Problem, dataset: &Dataset, names: &[&str], trajectory: usize) -> Result<Panel> {
    let domain = problem.domain();
    let description = dataset.description();
    let field = description.field(names[0])?;
    let axes = description.field_axes(field)?;
    let place = |name: &str| domain.names().iter().position(|n| n == name);
    let grid: Option<Vec<Option<usize>>> = axes
        .iter()
        .map(|a| match a.role {
            Role::Trajectory => Some(None),
            Role::Time | Role::Space if a.coordinates.len() == 1 => place(&a.coordinates[0].name).map(Some),
            _ => None,
        })
        .collect();
    let mut plane = Panel::of(domain);
    let Some(grid) = grid else {
        plane.exact = vec![None; names.len()];
        return Ok(plane);
    };
    // The whole of an axis that is shown; of others, the entry nearest to where the plane lies.
    let mut shown: Vec<(usize, Vec<f64>)> = vec![];
    let mut region = vec![];
    for (axis, place) in axes.iter().zip(&grid) {
        let Some(place) = *place else {
            region.push(trajectory..trajectory + 1);
            continue;
        };
        let values = &axis.coordinates[0].values;
        if plane.axes.iter().any(|a| *a == domain.names()[place]) {
            region.push(0..axis.len);
            shown.push((place, values.clone()));
        } else {
            let at = plane.points[place * plane.count()];
            let nearest = |i: &usize| ((values[*i] - at).abs() * 1e12) as u64;
            let i = (0..axis.len).min_by_key(nearest).unwrap_or(0);
            region.push(i..i + 1);
        }
    }
    let order: Vec<usize> = plane.axes.iter().filter_map(|a| place(a)).collect();
    let swapped = shown.len() == 2 && shown[1].0 != order[0];
    let sides: Vec<usize> = shown.iter().map(|s| s.1.len()).collect();
    let coordinates =
        order.iter().filter_map(|a| shown.iter().find(|s| s.0 == *a).map(|s| s.1.clone())).collect();
    plane = Panel::on(domain, order, coordinates);
    for name in names {
        let values = dataset.read::<f64>(name, &region)?;
        // Rows go up, entries across; the file's last axis is the fastest.
        let values = match (sides.as_slice(), swapped) {
            ([first, second], true) => {
                (0..second * first).map(|p| values[p % first * second + p / first]).collect()
            }
            _ => values,
        };
        plane.exact.push(Some(values));
    }
    Ok(plane)
}

/// The file of a reference solution, made where it is not there yet.
fn make(r: &ReferenceConfig, name: &str, folder: &Path) -> Result<PathBuf> {
    let mut settings = Settings::of(name)?;
    for (key, value) in &r.settings {
        let text = match value {
            Number::Value(v) => v.to_string(),
            Number::Text(text) => text.clone(),
        };
        settings = settings.set(key, &text)?;
    }
    let path = folder.join("reference.h5");
    // A run's settings do not change, so a file that is there is theirs.
    if !path.exists() {
        write(&settings, &path, &|_| ControlFlow::Continue(()))?;
    }
    Ok(path)
}
