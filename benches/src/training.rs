//! The pictures and the page of a training run.
//!
//! A [`Report`] reads the folder that [`resolvent_pinn::run::train`] writes, whether the run has ended or not, and writes into
//! it:
//!
//! | file | what |
//! |:--|:--|
//! | `plots/*.svg` | one picture each: fields, losses, weights, errors, gradients, curvature, learning rate |
//! | `report.html` | all of it on one page, which needs no other file |

mod curves;
mod fields;
mod gradients;
mod graphs;
mod illustration;
mod page;
mod record;
mod thinning;

use crate::folder::{Error, write};
use illustration::Section;
use record::Record;
use std::fs;
use std::path::{Path, PathBuf};

/// What a run has written, to be shown.
///
/// ```no_run
/// use resolvent_benches::training::Report;
/// let page = Report::read("runs/helmholtz".as_ref())?.write()?;
/// println!("{}", page.display());
/// # Ok::<(), resolvent_benches::folder::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    path: PathBuf,
    record: Record,
}

impl Report {
    /// Reads a folder. Of its files only `config.toml` must be there; lines and files that cannot be understood are left out,
    /// and the page says so.
    ///
    /// # Errors
    /// [`Error::Read`] without a readable `config.toml`, [`Error::Configuration`] for one that is no configuration.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Ok(Self { path: folder.into(), record: Record::read(folder)? })
    }

    /// Writes the pictures and the page. Returns the page.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Draw`].
    pub fn write(&self) -> Result<PathBuf, Error> {
        let plots = self.path.join("plots");
        fs::create_dir_all(&plots).map_err(|source| Error::Write { path: plots.clone(), source })?;
        let sections = self.sections();
        let mut drawn = vec![];
        for section in &sections {
            for illustration in &section.illustrations {
                let path = plots.join(format!("{}.svg", illustration.name));
                let svg = illustration.svg().map_err(|what| Error::Draw { path: path.clone(), what })?;
                write(&path, &svg)?;
                drawn.push(svg);
            }
        }
        let path = self.path.join("report.html");
        write(&path, &page::page(&self.record, &sections, &drawn))?;
        Ok(path)
    }

    /// Everything there is to show, in order.
    fn sections(&self) -> Vec<Section> {
        let record = &self.record;
        if record.about.graphs {
            let (losses, errors, rate) =
                (curves::losses(record), curves::errors(record), curves::rate(record));
            return vec![graphs::section(record), losses, errors, rate];
        }
        vec![
            fields::section(record),
            curves::losses(record),
            curves::weights(record),
            curves::errors(record),
            gradients::densities(record),
            gradients::curvature(record),
            curves::rate(record),
        ]
    }
}

#[cfg(test)]
mod tests;
