//! Pictures with what is to be seen in them.

use crate::plot::{Figure, Sheet};

/// A heading and what is below it.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub heading: &'static str,
    /// What is said before the pictures, as plain text; why there is none, for instance.
    pub text: String,
    pub illustrations: Vec<Illustration>,
}

/// A picture and its caption.
#[derive(Clone, Debug)]
pub(super) struct Illustration {
    /// Of its file, without the ending.
    pub name: String,
    /// What one sees and what to look for, as plain text.
    pub caption: String,
    pub drawing: Drawing,
}

/// One chart, or several pictures.
#[derive(Clone, Debug)]
pub(super) enum Drawing {
    Chart(Figure),
    Sheet(Sheet),
}

impl Illustration {
    pub fn chart(name: &str, figure: Figure, caption: impl Into<String>) -> Self {
        Self { name: name.into(), caption: caption.into(), drawing: Drawing::Chart(figure) }
    }

    pub fn sheet(name: impl Into<String>, sheet: Sheet, caption: impl Into<String>) -> Self {
        Self { name: name.into(), caption: caption.into(), drawing: Drawing::Sheet(sheet) }
    }

    pub fn svg(&self) -> Result<String, String> {
        match &self.drawing {
            Drawing::Chart(figure) => figure.svg(),
            Drawing::Sheet(sheet) => sheet.svg(),
        }
    }
}
