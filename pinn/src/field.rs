//! The solution a network has learnt, as a file.

use crate::problem::Problem;
use crate::simd::Real;
use crate::trainer::Trainer;
use crate::{Error, Propagator, Result, Term};
use resolvent_datasets::dataset::{Axis, Dataset, Description, Field, Precision, Writer};
use std::path::Path;

/// The most numbers of a field that is written.
const MOST: usize = 1 << 27;

/// Writes every unknown on a grid of `n` points along each coordinate: as HDF5 in the schema of `resolvent-datasets` (`.h5`), or
/// at the end of time as VTK image data (`.vti`). What lies outside the domain is NaN.
///
/// # Errors
/// [`Error::Training`] for another ending, or a grid that is too large; those of the file.
pub fn export<T: Real>(problem: &Problem, trainer: &Trainer<T>, n: usize, path: &Path) -> Result<()> {
    let domain = problem.domain();
    let dim = domain.dimension();
    let refuse = |what: String, mend: &str| Err(Error::Training { what, mend: mend.into() });
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !matches!(ending, "h5" | "vti") {
        return refuse(format!("{}: a field cannot be written so", path.display()), "use .h5 or .vti");
    }
    let count = u32::try_from(dim).ok().and_then(|d| n.checked_pow(d)).filter(|c| *c <= MOST && n >= 2);
    let Some(count) = count else {
        return refuse(
            format!("a grid of {n} points along each of {dim} coordinates"),
            "use fewer, at least 2",
        );
    };
    // Time first, as the schema has it.
    let mut order: Vec<usize> = domain.time().into_iter().collect();
    order.extend((0..dim).filter(|a| Some(*a) != domain.time()));
    let along = |axis: usize| -> Vec<f64> {
        let [low, high] = domain.bounds()[axis];
        (0..n).map(|i| low + (high - low) * i as f64 / (n - 1) as f64).collect()
    };
    let mut points = vec![0.0; dim * count];
    for (place, &axis) in order.iter().enumerate() {
        let (values, stride) = (along(axis), n.pow((dim - 1 - place) as u32));
        let row = &mut points[axis * count..(axis + 1) * count];
        row.iter_mut().enumerate().for_each(|(p, x)| *x = values[p / stride % n]);
    }
    let mut description = Description::new(&problem.config().name);
    // In a picture time is a direction like others: a line over time is a plane.
    let plane = ending == "vti" && dim == 2;
    for (place, &axis) in order.iter().enumerate() {
        let values = along(axis);
        description.axes.push(if plane {
            Axis::space(["x", "y"][place], &values)
        } else if Some(axis) == domain.time() {
            Axis::time(&values)
        } else {
            Axis::space(&domain.names()[axis], &values)
        });
    }
    let names: Vec<String> = description.axes.iter().map(|a| a.name.clone()).collect();
    let axes: Vec<&str> = names.iter().map(String::as_str).collect();
    for unknown in problem.scope().unknowns() {
        description.fields.push(Field::new(unknown, Precision::F64, &axes));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = folder.join(format!(".{}.field.h5", std::process::id()));
    let target = if ending == "h5" { path } else { &draft };
    let write = || -> Result<()> {
        let mut writer = Writer::create(target, &description)?;
        let parameters: Vec<f64> = trainer.parameters().iter().map(|p| p.f64()).collect();
        let mut propagator = Propagator::<f64>::new(trainer.network().clone())?;
        let region: Vec<std::ops::Range<usize>> = vec![0..n; dim];
        for unknown in problem.scope().unknowns() {
            let formula = problem.scope().formula(&[unknown])?;
            let mut values = vec![0.0; count];
            let term = Term { residual: &formula, points: &points, data: &[], weights: None };
            propagator.residuals(&parameters, term, &mut values)?;
            let mut x = vec![0.0; dim];
            for (p, value) in values.iter_mut().enumerate() {
                (0..dim).for_each(|axis| x[axis] = points[axis * count + p]);
                if !domain.contains(&x) {
                    *value = f64::NAN;
                }
            }
            writer.write(unknown, &region, &values)?;
        }
        writer.finish()?;
        Ok(())
    };
    let written = write().and_then(|()| match ending {
        "vti" => {
            let last = if domain.time().is_some() && dim > 2 { n - 1 } else { 0 };
            Ok(Dataset::open(&draft)?.export_vtk(path, 0, last)?)
        }
        _ => Ok(()),
    });
    // A draft that was not made cannot be removed.
    let _ = std::fs::remove_file(&draft);
    written
}
