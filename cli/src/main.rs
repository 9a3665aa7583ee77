//! `resolvent`: solves linear systems and Poisson problems, trains networks that solve equations, benchmarks methods, and makes
//! and checks data.

mod arguments;
mod bench;
mod console;
mod data;
mod device;
mod doctor;
mod eval;
mod failure;
mod interrupt;
mod load;
mod manual;
mod reference;
mod report;
mod set;
mod solve;
mod train;

use arguments::{Arguments, Command};
use clap::Parser;
use console::Console;
use failure::Failure;
use std::process::ExitCode;

/// Counts what is allocated: `bench` reports the memory of every method.
#[global_allocator]
static ALLOCATOR: resolvent_benches::memory::Counting = resolvent_benches::memory::Counting;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Console::new(arguments.quiet, arguments.json);
    match run(&arguments, &console) {
        Ok(code) => code.into(),
        Err(failure) => {
            console.fail(&failure);
            failure.code.into()
        }
    }
}

fn run(arguments: &Arguments, console: &Console) -> Result<failure::Code, Failure> {
    if let Some(threads) = arguments.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads.get()));
        pool.build_global()
            .map_err(|e| Failure::resource(format!("{threads} threads cannot be started: {e}")))?;
    }
    match &arguments.command {
        Command::Solve(a) => solve::run(a, console),
        Command::Bench(a) => bench::run(&a.what, console),
        Command::Train(a) => train::run(a, console),
        Command::Eval(a) => eval::run(a, console),
        Command::Data(a) => data::run(&a.what, console),
        Command::Report(a) => report::run(a, console),
        Command::Doctor => doctor::run(console),
        Command::Completions(a) => manual::completions(a.shell, console),
        Command::Man(a) => manual::man(a.out.as_deref(), console),
    }
}
