//! The file of a dataset before its fields are filled: everything but their numbers.

use super::{Axis, Description, Field, ParameterValue, Precision, SCHEMA, VERSION};
use crate::system_file::{label, timeless_group};
use hdf5::{Dataset, Group};

/// How large a chunk is that nobody chose, in bytes.
const CHUNK: usize = 1 << 20;
/// Chunks that are not yet full wait here before they are packed, in bytes.
const CACHE: usize = 64 << 20;
/// A prime, about a hundred places for each chunk in the cache.
const SLOTS: usize = 6421;

/// Writes it and returns the fields, in the order of the description.
pub(super) fn lay_out(root: &Group, description: &Description) -> hdf5::Result<Vec<Dataset>> {
    label(root, "schema", SCHEMA)?;
    root.new_attr::<i64>().create("schema_version")?.write_scalar(&VERSION)?;
    label(root, "name", &description.name)?;
    let group = timeless_group(root, "coordinates")?;
    for axis in &description.axes {
        axis.coordinates.iter().try_for_each(|c| {
            let dataset = group.new_dataset::<f64>().shape(c.values.len()).create(c.name.as_str())?;
            dataset.write_raw(&c.values)?;
            label(&dataset, "axis", &axis.name)
        })?;
    }
    let group = timeless_group(root, "parameters")?;
    for p in &description.parameters {
        match &p.value {
            ParameterValue::Global(v) => {
                group.new_dataset::<f64>().create(p.name.as_str())?.write_scalar(v)?;
            }
            ParameterValue::PerTrajectory(v) => {
                group.new_dataset::<f64>().shape(v.len()).create(p.name.as_str())?.write_raw(v)?;
            }
        }
    }
    let group = timeless_group(root, "boundary_conditions")?;
    description.boundary_conditions.iter().try_for_each(|(name, text)| label(&group, name, text))?;
    provenance(root, description)?;
    let group = timeless_group(root, "fields")?;
    description.fields.iter().map(|f| field(&group, description, f)).collect()
}

fn provenance(root: &Group, description: &Description) -> hdf5::Result<()> {
    let (group, p) = (timeless_group(root, "provenance")?, &description.provenance);
    for (name, text) in [("command", &p.command), ("created_by", &p.created_by)] {
        text.as_ref().map_or(Ok(()), |text| label(&group, name, text))?;
    }
    if let Some(seed) = p.seed {
        group.new_attr::<u64>().create("seed")?.write_scalar(&seed)?;
    }
    if let Some(accuracy) = p.accuracy {
        group.new_attr::<f64>().create("accuracy")?.write_scalar(&accuracy)?;
    }
    p.notes.iter().try_for_each(|(name, text)| label(&group, name, text))
}

fn field(group: &Group, description: &Description, field: &Field) -> hdf5::Result<Dataset> {
    let axes: Vec<&Axis> = field.axes.iter().filter_map(|name| description.axis(name)).collect();
    let shape: Vec<usize> = axes.iter().map(|a| a.len).collect();
    let storage = &field.storage;
    let empty = shape.is_empty() || shape.contains(&0);
    let builder = group.new_dataset_builder().chunk_cache(SLOTS, CACHE, 1.0);
    let builder = match field.precision {
        Precision::F32 => builder.empty::<f32>(),
        Precision::F64 => builder.empty::<f64>(),
    };
    let mut builder = builder.shape(&shape[..]).no_chunk();
    if (storage.chunk.is_some() || storage.gzip.is_some()) && !empty {
        let chunk = storage.chunk.clone().unwrap_or_else(|| chunk(&shape, field.precision.size()));
        let chunk: Vec<usize> = chunk.iter().zip(&shape).map(|(c, n)| (*c).min(*n)).collect();
        builder = builder.chunk(&chunk[..]);
        if storage.shuffle {
            builder = builder.shuffle();
        }
        if let Some(level) = storage.gzip {
            builder = builder.deflate(level.clamp(1, 9));
        }
    }
    let dataset = builder.create(field.name.as_str())?;
    label(&dataset, "axes", &field.axes.join(","))?;
    Ok(dataset)
}

/// As much of the last axes as fits a chunk.
fn chunk(shape: &[usize], size: usize) -> Vec<usize> {
    let mut room = CHUNK / size;
    let mut chunk: Vec<usize> = shape
        .iter()
        .rev()
        .map(|n| {
            let side = room.clamp(1, *n);
            room /= side;
            side
        })
        .collect();
    chunk.reverse();
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_about_a_megabyte() {
        assert_eq!(chunk(&[100, 512, 512], 8), [1, 256, 512]);
        assert_eq!(chunk(&[1000, 201, 1024], 4), [1, 201, 1024]);
        assert_eq!(chunk(&[201, 64], 8), [201, 64]);
        assert_eq!(chunk(&[3, 1 << 20], 8), [1, 1 << 17]);
    }
}
