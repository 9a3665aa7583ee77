//! Mutants of valid files are read or refused: the process lives, memory and time are bounded.
//!
//! ```sh
//! RESOLVENT_MUTANTS=100000 cargo test --release -p resolvent-datasets --test foreign_mutants -- --ignored --nocapture
//! ```

use resolvent_datasets::foreign::{MemberKind, Source, Type};
use resolvent_datasets::{Error, Result, system_file};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[path = "foreign/mutant.rs"]
mod mutant;
#[path = "foreign/valid.rs"]
mod valid;

use mutant::{Random, mutate};

/// Reads all there is, and goes on after what is refused; the first refusal.
fn read_all(path: &Path) -> Result<()> {
    let source = Source::open(path)?;
    let mut first = None;
    let mut note = |refused: Result<()>| first = first.take().or(refused.err());
    let members = source.walk()?;
    for (name, kind) in members.iter().map(|m| (m.name.as_str(), m.kind)).chain([("", MemberKind::Group)]) {
        if !matches!(kind, MemberKind::Group | MemberKind::Dataset) {
            continue;
        }
        match source.attribute_names(name) {
            Ok(names) => names.iter().for_each(|a| note(source.attribute(name, a).map(drop))),
            Err(e) => note(Err(e)),
        }
        if kind == MemberKind::Dataset {
            note(source.dataset(name).and_then(|dataset| match dataset {
                Some(d) if matches!(d.kind(), Type::Text(_)) => {
                    let all: Vec<_> = d.shape().iter().map(|n| 0..*n).collect();
                    d.texts(&all).map(drop)
                }
                Some(d) if d.kind().is_number() => d.read_all::<f64>().map(drop),
                _ => Ok(()),
            }));
        }
    }
    first.map_or(Ok(()), Err)
}

/// A thread whose worker loops for ever only waits for its end.
const THREADS: usize = 4;

/// The longest of a mutant.
#[derive(Clone, Copy, Default)]
struct Longest {
    clock: Duration,
    /// What this process and its workers computed meanwhile, which on a machine that does other work is less.
    computed: Duration,
}

/// What came of many mutants.
#[derive(Default)]
struct Tally {
    refused: AtomicUsize,
    longest: Mutex<Longest>,
    /// How often each kind of reason was given.
    deaths: Mutex<BTreeMap<String, usize>>,
}

fn usage(who: libc::c_int) -> libc::rusage {
    // SAFETY: all zeros is a value of this structure, which the call fills.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    unsafe { libc::getrusage(who, &mut usage) };
    usage
}

/// What this process and the workers that have ended computed so far.
fn processor() -> Duration {
    let of = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    let both = [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].map(usage);
    both.iter().map(|u| of(u.ru_utime) + of(u.ru_stime)).sum()
}

fn run(mutants: usize, seed: u64) -> Tally {
    // In memory where that can be: thousands of files are written.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let files = valid::files(folder.path());
    let contents: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    files.iter().for_each(|path| read_all(path).unwrap());
    let (tally, next) = (Tally::default(), AtomicUsize::new(0));
    let one = |number: usize, path: &Path| {
        let mut random = Random(seed.wrapping_mul(1 << 32).wrapping_add(number as u64));
        let kind = number % contents.len();
        let mut content = contents[kind].clone();
        mutate(&mut content, &mut random);
        std::fs::write(path, &content).unwrap();
        let (started, computed) = (Instant::now(), processor());
        let mut result = read_all(path);
        if files[kind].ends_with("system.h5") {
            result = result.and_then(|()| system_file::read(path).map(drop));
        }
        let (took, computed) = (started.elapsed(), processor() - computed);
        let mut longest = tally.longest.lock().unwrap();
        *longest = Longest { clock: took.max(longest.clock), computed: computed.max(longest.computed) };
        drop(longest);
        if took > Duration::from_secs(5) {
            println!("{number} took {took:.1?}, {computed:.1?} of processor time: {result:?}");
        }
        if let Err(e) = result {
            let text = e.to_string();
            assert!(!text.contains('\n') && text.contains("mutant"), "{number}: {text}");
            let Error::Malformed { what, .. } = &e else { panic!("{number}: {text}") };
            tally.refused.fetch_add(1, Ordering::Relaxed);
            if what.contains("it crashes the HDF5 library") || what.contains("reading it takes more") {
                *tally.deaths.lock().unwrap().entry(what.clone()).or_default() += 1;
            }
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (folder, next, one) = (folder.path(), &next, &one);
            scope.spawn(move || {
                let path = folder.join(format!("mutant {thread}.h5"));
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= mutants {
                        break;
                    }
                    one(number, &path);
                }
            });
        }
    });
    tally
}

#[test]
fn a_few_hundred_mutants_are_read_or_refused() {
    let tally = run(400, 1);
    let refused = tally.refused.into_inner();
    assert!((40..400).contains(&refused), "{refused} of 400 mutants were refused");
}

#[test]
#[ignore = "takes minutes; RESOLVENT_MUTANTS says how many"]
fn many_mutants_are_read_or_refused() {
    let mutants = std::env::var("RESOLVENT_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let seed = std::env::var("RESOLVENT_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let started = Instant::now();
    let tally = run(mutants, seed);
    let (refused, longest) = (tally.refused.into_inner(), tally.longest.into_inner().unwrap());
    let [own, worker] = [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].map(|who| usage(who).ru_maxrss / 1024);
    println!("mutants {mutants}, refused {refused}, read {}", mutants - refused);
    let Longest { clock, computed } = longest;
    println!("longest {clock:.2?}, {computed:.2?} of processor time; total {:.0?}", started.elapsed());
    println!("peak memory: {own} MB in the reader, {worker} MB in a worker");
    println!("workers that died: {:?}", tally.deaths.into_inner().unwrap());
    assert!(clock < Duration::from_secs(10), "{clock:?}, {computed:?} of processor time");
    assert!(own + worker < 1024, "{own} MB and {worker} MB");
}
