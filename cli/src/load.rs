//! From what the command line names to a system that can be solved.

use crate::arguments::{Member, Solve};
use crate::console::Console;
use crate::failure::Failure;
use resolvent_benches::memory;
use resolvent_datasets::{Family, LinearSystem, Parameters, Placed, RhsKind};
use std::path::Path;

/// A system, and what it is called.
pub struct Loaded {
    /// Laid out for its operator, with a right-hand side.
    pub system: Placed,
    /// The family, or the file.
    pub name: String,
    /// Cells along each side, when it is of a family.
    pub n: Option<usize>,
    /// The seed, where one was used.
    pub seed: Option<u64>,
}

/// Bytes of memory an unknown of a family needs while it is made and solved: scene, operator, hierarchy, vectors.
const BYTES: u64 = 140;

/// Refuses a problem that the machine cannot hold, before the system begins to swap or kills the process.
pub fn check_room(family: &Family, n: usize, dim: usize) -> Result<(), Failure> {
    let Some(available) = memory::available() else { return Ok(()) };
    let needed = (n as u64).checked_pow(dim as u32).and_then(|cells| cells.checked_mul(BYTES));
    match needed {
        Some(needed) if needed <= available => Ok(()),
        _ => {
            let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
            Err(Failure::resource(format!(
                "{} at n = {n} in {dim}-D needs about {:.0} GiB of memory, but {:.1} GiB are free; use a smaller n",
                family.name,
                needed.map_or(f64::INFINITY, gib),
                gib(available)
            )))
        }
    }
}

/// A member of a family, checked before anything large is allocated.
pub fn parameters(family: &Family, n: usize, member: &Member) -> Result<Parameters, Failure> {
    let parameters = Parameters::new(n).seed(member.seed).frame(member.frame);
    let dim = member.dim.unwrap_or(family.dims[0]);
    let parameters = parameters.dim(dim);
    family.check(parameters)?;
    check_room(family, n, dim)?;
    Ok(parameters)
}

/// What `solve` is asked to solve.
pub fn load(a: &Solve, console: &Console) -> Result<Loaded, Failure> {
    if let Some(name) = &a.source.problem {
        let family = Family::named(name)?;
        let problem = family.problem(parameters(family, a.n, &a.member)?)?;
        let kind = a.member.rhs_kind.unwrap_or(family.rhs[0]);
        let system = Placed::from_problem(&problem, kind)?;
        return Ok(Loaded { system, name: name.clone(), n: Some(a.n), seed: Some(a.member.seed) });
    }
    let file = match (&a.source.matrix, &a.source.system) {
        (Some(file), _) | (None, Some(file)) => file,
        (None, None) => {
            return Err(Failure::usage("name a system: --problem NAME, --matrix A.mtx or --system FILE.h5"));
        }
    };
    if a.member.rhs_kind.is_some_and(|kind| kind != RhsKind::Noise) {
        return Err(Failure::usage(
            "a system from a file has only `--rhs-kind noise`, or its own right-hand side",
        ));
    }
    from_file(file, a.rhs.as_deref(), a.member.seed, a.member.rhs_kind.is_some(), console)
}

/// A system from a file, with its own right-hand side unless noise is wanted or it has none.
pub fn from_file(
    file: &Path,
    rhs: Option<&Path>,
    seed: u64,
    noise: bool,
    console: &Console,
) -> Result<Loaded, Failure> {
    let mut system = LinearSystem::read_with_rhs(file, rhs)?.place()?;
    if let Some(remark) = &system.remark {
        console.remark(&format!("{}: {remark}", file.display()));
    }
    let mut used = None;
    if noise || system.rhs.is_none() {
        if !noise {
            console.remark(&format!("{}: no right-hand side; seeded noise is used", file.display()));
        }
        system.rhs = Some(system.noise(seed)?);
        used = Some(seed);
    }
    Ok(Loaded { system, name: file.display().to_string(), n: None, seed: used })
}
