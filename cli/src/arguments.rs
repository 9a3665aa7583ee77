//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use resolvent::plan::{Method, Precision, Preconditioner};
use resolvent_datasets::RhsKind;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

const EXIT_CODES: &str = "Exit codes: 0 done, 2 usage, 3 not converged, 4 breakdown or not finite, 5 bad input, \
6 file or memory, 130 interrupted, 1 a bug of ours.";

/// Solves linear systems and Poisson problems, benchmarks methods, makes and checks data.
#[derive(Debug, Parser)]
#[command(name = "resolvent", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Show no progress.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Threads to work with [default: all of the machine's].
    #[arg(long, global = true, value_name = "T")]
    pub threads: Option<NonZeroU16>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Solve one system.
    #[command(after_help = "Examples:\n  \
        resolvent solve --problem spheres --n 64\n  \
        resolvent solve --matrix A.mtx --rhs b.mtx --output x.mtx\n  \
        resolvent solve --system system.h5 --precond mic --plot residual.svg --json")]
    Solve(Solve),
    /// Compare methods: tables, pictures and a page.
    Bench(Bench),
    /// Train a network that solves an equation or proposes directions, a solver of graphs, or a multigrid cycle.
    #[command(after_help = "Examples:\n  \
        resolvent train helmholtz --set train.steps=2000\n  \
        resolvent train burgers.toml --out runs/burgers\n  \
        resolvent train --resume runs/burgers\n  resolvent train --list")]
    Train(Train),
    /// Measure the errors of a trained run, or write what it has learnt.
    #[command(after_help = "Examples:\n  resolvent eval runs/burgers\n  \
        resolvent eval runs/burgers --data burgers.h5\n  resolvent eval runs/burgers --output u.vti --n 200")]
    Eval(Eval),
    /// Make, show and check data.
    Data(Data),
    /// Write the page and the pictures of a folder that `train` or `bench` wrote.
    #[command(
        after_help = "Examples:\n  resolvent report runs/helmholtz\n  resolvent report runs/bench-spheres"
    )]
    Report(Report),
    /// Say what this build and this machine can do.
    #[command(after_help = "Example:\n  resolvent doctor --json")]
    Doctor,
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example:\n  resolvent completions bash > ~/.local/share/bash-completion/completions/resolvent"
    )]
    Completions(Completions),
    /// Print the manual page, or write one for every command into a folder.
    #[command(after_help = "Example:\n  resolvent man | man -l -")]
    Man(Man),
}

/// What the system is.
#[derive(Debug, Args)]
#[group(id = "source", required = true, multiple = false)]
pub struct Source {
    /// A problem family: box, neumann, smoke, gyroid, dam, spheres, channels or aniso.
    #[arg(long, value_name = "NAME")]
    pub problem: Option<String>,
    /// A matrix in a Matrix Market file.
    #[arg(long, value_name = "A.mtx")]
    pub matrix: Option<PathBuf>,
    /// A system in an HDF5 file.
    #[arg(long, value_name = "FILE.h5")]
    pub system: Option<PathBuf>,
}

/// Which member of a family.
#[derive(Debug, Args)]
pub struct Member {
    /// 2 or 3 dimensions [default: the family's].
    #[arg(long, value_name = "D")]
    pub dim: Option<usize>,
    /// The seed of the scene and of the right-hand side.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// The frame of a scene that moves.
    #[arg(long, value_name = "T", default_value_t = 0)]
    pub frame: u32,
    /// noise, smooth, manufactured or flow [default: the family's first].
    #[arg(long, value_name = "KIND", value_parser = RhsKind::from_str)]
    pub rhs_kind: Option<RhsKind>,
}

#[derive(Debug, Args)]
pub struct Solve {
    #[command(flatten)]
    pub source: Source,
    /// Cells along each side of the family's box.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub n: usize,
    #[command(flatten)]
    pub member: Member,
    /// A right-hand side in a Matrix Market file [default: the system's own, else seeded noise].
    #[arg(long, value_name = "b.mtx", conflicts_with = "problem")]
    pub rhs: Option<PathBuf>,
    /// A starting point: an earlier output, .h5 or .mtx.
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
    /// The method: auto, cg, fcg, minres, gmres, fgmres, bicgstab, lsqr, direct, directions (of a network), or hybrid (a network's
    /// directions besides the preconditioner's, where they pay).
    #[arg(long, value_name = "NAME", default_value_t, value_parser = Method::from_str)]
    pub method: Method,
    /// Its preconditioner: auto, none, jacobi, spai0, scaling, mic, ict, ilu, chebyshev, multigrid or learned (grids), or amg.
    #[arg(long, value_name = "NAME", default_value_t, value_parser = Preconditioner::from_str)]
    pub precond: Preconditioner,
    /// The network of `--method directions` or `hybrid`, or other numbers for `--precond learned`, as `resolvent train` writes them.
    #[arg(long, value_name = "FILE.safetensors")]
    pub model: Option<PathBuf>,
    /// Of `--method hybrid`: what a direction of the network costs, in steps without it, in the place of the clock; results then are
    /// the same each time.
    #[arg(long, value_name = "STEPS", value_parser = tolerance)]
    pub price: Option<f64>,
    /// End when the residual is below this part of the right-hand side.
    #[arg(long, value_name = "R", default_value_t = 1e-8, value_parser = tolerance)]
    pub rtol: f64,
    /// Or when it is below this.
    #[arg(long, value_name = "A", default_value_t = 0.0, value_parser = tolerance)]
    pub atol: f64,
    /// End after this many steps.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub max_steps: usize,
    /// End after this many seconds.
    #[arg(long, value_name = "S", value_parser = tolerance)]
    pub max_seconds: Option<f64>,
    /// Of the preconditioner: mixed (f32 where that is faster) or f64. The iteration is in f64.
    #[arg(long, value_name = "P", default_value_t, value_parser = Precision::from_str)]
    pub precision: Precision,
    /// Where to work.
    #[arg(long, value_name = "WHERE", default_value = "cpu")]
    pub device: Device,
    /// Write x: .h5, .mtx, or, on a grid, .vti for ParaView.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the residual of every step as CSV.
    #[arg(long, value_name = "FILE.csv")]
    pub history: Option<PathBuf>,
    /// Draw the residual of every step: .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Device {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
}

#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    pub what: BenchWhat,
}

#[derive(Debug, Subcommand)]
pub enum BenchWhat {
    /// Several methods on a problem family at several sizes.
    #[command(after_help = "Examples:\n  \
        resolvent bench poisson\n  \
        resolvent bench poisson --problem gyroid --sizes 32,64,128 --methods cg,mic,multigrid --repeat 5 --rhs 10")]
    Poisson(BenchPoisson),
    /// Several methods on one system from a file.
    #[command(after_help = "Examples:\n  \
        resolvent bench system A.mtx --rhs b.mtx\n  resolvent bench system system.h5 --methods cg,jacobi,mic")]
    System(BenchSystem),
}

#[derive(Debug, Args)]
pub struct BenchPoisson {
    /// The family.
    #[arg(long, value_name = "NAME", default_value = "spheres")]
    pub problem: String,
    /// Cells along each side.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "32,64,128", num_args = 1..)]
    pub sizes: Vec<usize>,
    #[command(flatten)]
    pub member: Member,
    #[command(flatten)]
    pub how: BenchHow,
}

#[derive(Debug, Args)]
pub struct BenchSystem {
    /// A Matrix Market or HDF5 file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A right-hand side in a Matrix Market file [default: the system's own, else seeded noise].
    #[arg(long = "rhs", value_name = "b.mtx")]
    pub right: Option<PathBuf>,
    /// The seed of noise.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub how: BenchHowOne,
}

/// How methods are compared.
#[derive(Debug, Args)]
pub struct BenchHow {
    /// Right-hand sides solved with one set-up.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub rhs: usize,
    #[command(flatten)]
    pub how: BenchHowOne,
}

/// How methods are compared on one right-hand side.
#[derive(Debug, Args)]
pub struct BenchHowOne {
    /// Any of cg, jacobi, chebyshev, mic, multigrid, multigrid-f64, learned, amg, direct, dcdm, linear, hybrid [default: those that fit].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', num_args = 1..)]
    pub methods: Vec<String>,
    /// The networks of dcdm, linear and hybrid, as `resolvent train` writes them: each that of the method it is called as, or of
    /// the one before `=`.
    #[arg(long, value_name = "[METHOD=]FILE.safetensors,…", value_delimiter = ',', num_args = 1..)]
    pub model: Vec<String>,
    /// Repeat each this often; medians are reported.
    #[arg(long, value_name = "R", default_value_t = 5)]
    pub repeat: usize,
    /// Repeat a case no more after this many seconds.
    #[arg(long, value_name = "S", default_value_t = 4.0, value_parser = tolerance)]
    pub budget: f64,
    /// End a solve when the true residual is below this part of the right-hand side.
    #[arg(long, value_name = "R", default_value_t = 1e-8, value_parser = tolerance)]
    pub rtol: f64,
    /// End a solve after this many steps.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub max_steps: usize,
    /// The folder for tables, pictures and the page [default: runs/bench-NAME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Keep the measurements of an interrupted run in that folder and go on.
    #[arg(long)]
    pub resume: bool,
    /// Where to work.
    #[arg(long, value_name = "WHERE", default_value = "cpu")]
    pub device: Device,
}

#[derive(Debug, Args)]
pub struct Train {
    /// A configuration, or the name of an equation that `--list` shows.
    #[arg(value_name = "CONFIG.toml")]
    pub config: Option<PathBuf>,
    /// The folder of the run [default: runs/NAME].
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder from its last checkpoint.
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// Let the configuration differ from that of the run: more steps, another rate.
    #[arg(long, requires = "resume")]
    pub changed: bool,
    /// Change a value of the configuration, such as train.steps=1000; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// List the equations that are known by name.
    #[arg(long, conflicts_with_all = ["config", "resume", "out"])]
    pub list: bool,
}

#[derive(Debug, Args)]
pub struct Eval {
    /// The folder of the run.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// A file with the solution: our schema, PDEBench, The Well, MATLAB, NumPy or CSV; for a solver of graphs another set [default: what the configuration names].
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Write the learnt solution on a grid: .h5, or .vti for ParaView.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Points of that grid along each coordinate.
    #[arg(long, value_name = "N", default_value_t = 101)]
    pub n: usize,
    /// Measure errors over two coordinates in the spectral norm of their matrices, too.
    #[arg(long)]
    pub spectral: bool,
}

#[derive(Debug, Args)]
pub struct Data {
    #[command(subcommand)]
    pub what: DataWhat,
}

#[derive(Debug, Subcommand)]
pub enum DataWhat {
    /// Make a system of a problem family, a reference solution, or a set of graphs or operators. Interrupted, the last two
    /// go on with the same command.
    #[command(after_help = "Examples:\n  \
        resolvent data make gyroid --n 32 --out gyroid.h5\n  resolvent data make box --n 16 --dim 2 --out box.mtx\n  \
        resolvent data make burgers --set nu=0.01/pi --out burgers.h5\n  \
        resolvent data make turbulence --n 256 --seed 1 --samples 4 --out turbulence.h5\n  \
        resolvent data make pore-network --samples 500 --set pores=50..100 --out pores.h5")]
    Make(DataMake),
    /// Show what is in a file: a system, a set, PDEBench, The Well, MATLAB, NumPy, CSV or our own schema.
    #[command(after_help = "Examples:\n  \
        resolvent data inspect gyroid.h5\n  resolvent data inspect 1D_Burgers_Sols_Nu0.01.hdf5 --plot u.svg")]
    Inspect(DataInspect),
    /// Say what is wrong with a file; exit code 5 when it cannot be solved, or trained on, as it is.
    #[command(
        after_help = "Examples:\n  resolvent data check gyroid.h5\n  resolvent data check burgers_shock.mat"
    )]
    Check(DataFile),
    /// Write data of any layout in our schema (.h5), or a field on a grid as VTK image data (.vti).
    #[command(after_help = "Examples:\n  \
        resolvent data convert burgers_shock.mat burgers.h5\n  \
        resolvent data convert u.npy u.h5 --axes t,x --range t=0:1 --range x=-1:1 --gzip 4\n  \
        resolvent data convert u.h5 u.vti --time 10")]
    Convert(DataConvert),
    /// List the problem families, the reference solutions and the sets, with their settings.
    #[command(after_help = "Example:\n  resolvent data list")]
    List,
}

#[derive(Debug, Args)]
pub struct DataMake {
    /// The family, the reference solution or the set, as `data list` names it.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Cells along each side, or points stored [default: 32, or the solution's].
    #[arg(long, value_name = "N")]
    pub n: Option<usize>,
    #[command(flatten)]
    pub member: Member,
    /// A setting of a reference solution or a set, such as nu=0.01/pi; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// How many trajectories of a reference solution, those after the first random, or samples of a set.
    #[arg(long, value_name = "K")]
    pub samples: Option<usize>,
    /// Where to write it: .h5 or .mtx.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct DataInspect {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Draw a plane of the first field: .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DataConvert {
    /// The file to read.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where to write it: .h5 or .vti.
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// Names of the axes, such as trajectory,t,x.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub axes: Vec<String>,
    /// Coordinates at equal distances along an axis.
    #[arg(long = "range", value_name = "NAME=FROM:TO", value_parser = range)]
    pub ranges: Vec<(String, f64, f64)>,
    /// Pack with deflate of this level.
    #[arg(long, value_name = "1-9", value_parser = clap::value_parser!(u8).range(1..=9))]
    pub gzip: Option<u8>,
    /// The trajectory of a .vti.
    #[arg(long, value_name = "I", default_value_t = 0)]
    pub trajectory: usize,
    /// The time of a .vti, as a number of its axis.
    #[arg(long, value_name = "I", default_value_t = 0)]
    pub time: usize,
}

#[derive(Debug, Args)]
pub struct DataFile {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Report {
    /// The folder.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// A folder for the pages of all commands.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if v.is_finite() && v >= 0.0 => Ok(v),
        _ => Err("a finite number that is not negative is needed, such as 1e-8".into()),
    }
}

fn range(text: &str) -> Result<(String, f64, f64), String> {
    let parts = text.split_once('=').and_then(|(name, ends)| Some((name, ends.split_once(':')?)));
    let number = |word: &str| word.parse::<f64>().ok().filter(|v| v.is_finite());
    match parts.map(|(name, (from, to))| (name, number(from), number(to))) {
        Some((name, Some(from), Some(to))) if from < to => Ok((name.into(), from, to)),
        _ => Err("a name and two growing numbers are needed, such as x=-1:1".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn leaves(command: &clap::Command, path: &str) {
            let mut any = false;
            for c in command.get_subcommands().filter(|c| c.get_name() != "help") {
                leaves(c, &format!("{path} {}", c.get_name()));
                any = true;
            }
            if !any {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Example") && help.contains("resolvent "), "{path}: {help}");
            }
        }
        leaves(&Arguments::command(), "resolvent");
    }
}
