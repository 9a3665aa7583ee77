//! An open dataset.

use super::layout::{self, Opened};
use super::numbers::Numbers;
use super::{Description, Field, Real, Region};
use crate::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A dataset in a file of any known layout. Numbers stay in the file until they are read.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("points.csv");
/// std::fs::write(&path, "x,y,u\n0,0,1.5\n1,0,2.5\n")?;
/// use resolvent_datasets::dataset::Dataset;
/// let dataset = Dataset::open(&path)?;
/// assert_eq!(dataset.description().fields[0].name, "u");
/// assert_eq!(dataset.read::<f64>("u", &[1..2])?, [2.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Dataset {
    path: PathBuf,
    layout: &'static str,
    description: Description,
    numbers: Vec<Arc<dyn Numbers>>,
    remarks: Vec<String>,
}

impl Dataset {
    /// Opens a file of any layout in [`LAYOUTS`](super::LAYOUTS).
    ///
    /// # Errors
    /// [`Error::Open`](crate::Error::Open); [`Error::Malformed`](crate::Error::Malformed) naming the place, also for a layout
    /// that is not known; [`Error::Description`](crate::Error::Description); [`Error::Memory`](crate::Error::Memory).
    pub fn open(path: &Path) -> Result<Self> {
        let (layout, Opened { description, numbers, remarks }) = layout::open(path)?;
        description.check()?;
        Ok(Self { path: path.into(), layout: layout.name, description, numbers, remarks })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of its layout.
    pub fn layout(&self) -> &'static str {
        self.layout
    }

    /// What it holds.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Axes, coordinates and fields may be renamed and given; lengths stay.
    pub(crate) fn description_mut(&mut self) -> &mut Description {
        &mut self.description
    }

    /// What a reader should know of how the file was understood.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Reads a region of a field, in C order.
    ///
    /// # Errors
    /// [`Error::NoField`](crate::Error::NoField), [`Error::Region`](crate::Error::Region),
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Malformed`](crate::Error::Malformed) when the file is damaged.
    pub fn read<T: Real>(&self, field: &str, region: &Region) -> Result<Vec<T>> {
        let (f, numbers) = self.find(field)?;
        let len = self.description.check_region(f, region)?;
        let mut values = crate::error::allocate("a region of a field", len, T::default())?;
        numbers.read(region, T::values(&mut values))?;
        Ok(values)
    }

    pub(crate) fn find(&self, field: &str) -> Result<(&Field, &Arc<dyn Numbers>)> {
        let f = self.description.field(field)?;
        let at = self.description.fields.iter().position(|g| g.name == f.name).unwrap_or(0);
        Ok((f, &self.numbers[at]))
    }
}
