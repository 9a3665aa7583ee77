//! Structured operators as matrices, and matrices recognised as structured operators.

use super::faces::Faces;
use super::rows::{Extent, Rows, Row};
use super::Stencil;
use rayon::prelude::*;
