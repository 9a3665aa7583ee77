//! The process that calls the HDF5 library on a foreign file, and what it may use.
//!
//! It is a fork of this one, taken while no other thread is inside the library, so that every user of this crate gets it
//! without a second program. It keeps a socket and the file, ends without running anything else of the parent's, and
//! dies alone when the library crashes, runs for ever or asks for too much memory.

use super::library::Library;
use super::limits;
use super::message::{Answer, Reply, Request};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Once;
use std::time::{Duration, Instant};

/// Bytes of one half of the window; the worker fills one while the other is copied out.
pub(super) const HALF: usize = 4 << 20;
/// The longest message, in bytes.
const MESSAGE: usize = 64 << 20;

/// The parent's end.
pub(super) struct Worker {
    socket: UnixStream,
    process: libc::pid_t,
    window: Window,
    /// How much longer it may keep its parent waiting.
    patience: Duration,
}

/// Memory that both processes see.
struct Window(NonNull<u8>);

// SAFETY: it is plain memory; who may touch which half is agreed over the socket.
unsafe impl Send for Window {}

/// Why a worker gives no answer.
#[derive(Clone, Debug)]
pub(super) enum Death {
    /// It used up its processor time.
    Processor,
    /// It kept its parent waiting for more than [`limits::WAIT`] seconds.
    Wait,
    /// A signal ended it, most likely a crash.
    Signal(i32),
    /// It ended or sent nonsense.
    Ended,
}

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Processor => {
                f.write_str("reading it takes more computing than a file of its size may need")
            }
            Self::Wait => write!(f, "reading it takes more than {} s", limits::WAIT),
            Self::Signal(signal) => write!(f, "it crashes the HDF5 library (signal {signal})"),
            Self::Ended => f.write_str("it ends the HDF5 library"),
        }
    }
}

/// What a worker says first: it holds no file of its parent's.
const READY: u8 = 1;

impl Worker {
    /// Forks a worker.
    ///
    /// # Errors
    /// What the system says when it has no process, socket or memory to give.
    pub fn start() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let window = Window::new()?;
        // Nobody else is in the library while it is used without locking, as the child does, and while its state is
        // copied; the child is the one that holds its lock.
        hdf5::sync::sync(|| {
            warm_up();
            // SAFETY: the child calls `serve` alone, which never returns.
            let forked = match unsafe { libc::fork() } {
                -1 => Err(io::Error::last_os_error()),
                0 => serve(&theirs, &window),
                process => Ok(process),
            };
            // Until the child has let go of the files of this process, it shares their locks; meanwhile nobody opens one.
            forked.and_then(|process| {
                drop(theirs);
                let patience = Duration::from_secs(limits::WAIT);
                ours.set_read_timeout(Some(patience))?;
                let worker = Self { socket: ours, process, window, patience };
                (&worker.socket).read_exact(&mut [0])?;
                Ok(worker)
            })
        })
    }

    /// Sends a request. The answers come in the order of the requests.
    pub fn send(&mut self, request: &Request) -> Result<(), Death> {
        let sent = serde_json::to_vec(request).map_err(io::Error::other);
        sent.and_then(|bytes| send(&mut self.socket, &bytes)).map_err(|e| self.death(&e))
    }

    /// Waits for an answer, for as long as what is left of its patience; data that came earn some back.
    pub fn receive(&mut self) -> Result<Reply, Death> {
        let started = Instant::now();
        // No patience at all would be told the system as no limit at all.
        let reply = self.socket.set_read_timeout(Some(self.patience.max(Duration::from_millis(1))));
        let reply = reply.and_then(|()| receive(&mut self.socket));
        let reply = reply.and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other));
        let earned = match &reply {
            Ok(Ok(Answer::Numbers(bytes))) => Duration::from_micros(*bytes as u64 * 1_000_000 / limits::PACE),
            _ => Duration::ZERO,
        };
        let left = (self.patience + earned).saturating_sub(started.elapsed());
        self.patience = left.min(Duration::from_secs(limits::WAIT));
        reply.map_err(|e| self.death(&e))
    }

    /// Copies what an answered request put into a half of the window.
    pub fn copy(&self, half: usize, from: usize, to: &mut [u8]) {
        assert!(half < 2 && from + to.len() <= HALF, "the window ends");
        // SAFETY: the range is inside the window by the line above. The worker does not write to a half that was
        // answered for; were it to, these would be other numbers, for which any bits are valid.
        unsafe {
            self.window.0.as_ptr().add(half * HALF + from).copy_to_nonoverlapping(to.as_mut_ptr(), to.len())
        }
    }

    /// Ends the worker and says what was wrong with it.
    fn death(&mut self, error: &io::Error) -> Death {
        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            self.end();
            return Death::Wait;
        }
        match self.end() {
            Some(status) if libc::WIFSIGNALED(status) => match libc::WTERMSIG(status) {
                libc::SIGPROF => Death::Processor,
                signal => Death::Signal(signal),
            },
            _ => Death::Ended,
        }
    }

    /// Waits for a process that is ending, or ends it; how it ended.
    fn end(&mut self) -> Option<i32> {
        if self.process == 0 {
            return None;
        }
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let mut status = 0;
        // A worker whose socket is closed ends by itself, unless the library holds it.
        for pause in [0, 1, 2, 5, 20] {
            // SAFETY: the process is a child of this one that was not waited for yet.
            match unsafe { libc::waitpid(self.process, &mut status, libc::WNOHANG) } {
                0 => std::thread::sleep(Duration::from_millis(pause)),
                found => return self.reaped(found, status),
            }
        }
        // SAFETY: as above; a child that was not waited for keeps its number.
        let found = unsafe {
            libc::kill(self.process, libc::SIGKILL);
            libc::waitpid(self.process, &mut status, 0)
        };
        self.reaped(found, status)
    }

    fn reaped(&mut self, found: libc::pid_t, status: i32) -> Option<i32> {
        let process = std::mem::replace(&mut self.process, 0);
        (found == process).then_some(status)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.process != 0 {
            // SAFETY: a child that was not waited for keeps its number. It has nothing to save.
            unsafe {
                libc::kill(self.process, libc::SIGKILL);
                libc::waitpid(self.process, std::ptr::null_mut(), 0);
            }
        }
    }
}

impl Window {
    fn new() -> io::Result<Self> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANON);
        // SAFETY: a new mapping, of nothing.
        let place = unsafe { libc::mmap(std::ptr::null_mut(), 2 * HALF, protection, flags, -1, 0) };
        match NonNull::new(place.cast::<u8>()) {
            Some(start) if place != libc::MAP_FAILED => Ok(Self(start)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, which nothing refers to any more.
        unsafe { libc::munmap(self.0.as_ptr().cast(), 2 * HALF) };
    }
}

/// Uses each part of the library once, so that what it sets up at the first use is not half done at the fork. The
/// caller holds the library's lock.
fn warm_up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A failure here is met again, and told, when a file is read.
        let _ = super::warm::warm_up();
    });
}

/// What the child does: it answers until the socket closes.
fn serve(socket: &UnixStream, window: &Window) -> ! {
    // No panic hook is set: another thread of the parent may have held its lock at the fork. What a panic prints goes
    // nowhere.
    let served = catch_unwind(AssertUnwindSafe(|| {
        let mut socket = isolate(socket)?;
        socket.write_all(&[READY])?;
        let (mut library, mut used, mut most) = (None, 0, limits::REQUEST);
        loop {
            let request: Request = serde_json::from_slice(&receive(&mut socket)?)?;
            let half = match &request {
                Request::Numbers { half, .. } => half & 1,
                Request::Open { path } => {
                    most = limits::computing(std::fs::metadata(path).map_or(0, |m| m.len()));
                    0
                }
                _ => 0,
            };
            // SAFETY: the parent does not touch this half until it is answered for.
            let half = unsafe { std::slice::from_raw_parts_mut(window.0.add(half * HALF).as_ptr(), HALF) };
            let before = processor();
            timer(match request {
                Request::Numbers { .. } => limits::REQUEST,
                Request::Texts { .. } => most,
                _ => limits::METADATA.saturating_sub(used).clamp(1, most),
            });
            let reply = answer(&mut library, &request, half);
            timer(0);
            if !request.moves_data() {
                used += processor().saturating_sub(before);
            }
            send(&mut socket, &serde_json::to_vec(&reply)?)?;
        }
        #[expect(unreachable_code, reason = "names the type of the closure")]
        io::Result::Ok(())
    }));
    // SAFETY: ends the process at once; nothing of the parent's is flushed, closed or dropped.
    unsafe { libc::_exit(i32::from(served.is_err())) }
}

fn answer(library: &mut Option<Library>, request: &Request, window: &mut [u8]) -> Reply {
    if let Request::Open { path } = request {
        *library = Some(Library::open(path)?);
        // From here on there is no file to open: no link, no plugin, no file beside this one.
        limit(libc::RLIMIT_NOFILE, 0);
    }
    match library {
        Some(library) => library.answer(request, window),
        None => Err(super::library::refusal("it is not open", "open it first")),
    }
}

/// Leaves behind what the parent has: its files, its output, its signals, its memory to come.
fn isolate(socket: &UnixStream) -> io::Result<UnixStream> {
    // SAFETY: calls of the system on this process, which has one thread.
    unsafe {
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_DFL);
        }
        // What is typed at a terminal is for the parent to handle.
        for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGPIPE] {
            libc::signal(signal, libc::SIG_IGN);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        let kept = libc::dup(socket.as_raw_fd());
        if nothing < 0 || kept < 0 {
            return Err(io::Error::last_os_error());
        }
        for standard in 0..3 {
            libc::dup2(nothing, standard);
        }
        libc::dup2(kept, 3);
        close_from(4);
    }
    limit(libc::RLIMIT_CORE, 0);
    limit(libc::RLIMIT_FSIZE, 0);
    #[cfg(target_os = "linux")]
    limit(libc::RLIMIT_AS, mapped() + limits::MEMORY);
    // SAFETY: the descriptor was opened above and is owned by nothing else.
    Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(3) })
}

/// Closes all descriptors from `first` on.
fn close_from(first: RawFd) {
    #[cfg(target_os = "linux")]
    // SAFETY: this process uses none of them; the numbers are in order.
    if unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) } == 0 {
        return;
    }
    // SAFETY: as above; one that is not open is an error that does no harm.
    unsafe {
        (first..libc::sysconf(libc::_SC_OPEN_MAX).clamp(0, 65_536) as RawFd).for_each(|f| _ = libc::close(f))
    }
}

/// Bytes of address space in use.
#[cfg(target_os = "linux")]
fn mapped() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(1 << 18);
    // SAFETY: asks for a constant.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

fn limit(resource: Resource, most: u64) {
    let limit = libc::rlimit { rlim_cur: most as _, rlim_max: most as _ };
    // SAFETY: lowers a limit of this process.
    unsafe { libc::setrlimit(resource, &limit) };
}

/// Has the system end this process after so many milliseconds of computing; 0: never.
fn timer(milliseconds: u64) {
    let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let value =
        libc::timeval { tv_sec: (milliseconds / 1000) as _, tv_usec: (milliseconds % 1000 * 1000) as _ };
    let timer = libc::itimerval { it_interval: none, it_value: value };
    // SAFETY: sets a timer of this process, whose signal ends it.
    unsafe { libc::setitimer(libc::ITIMER_PROF, &timer, std::ptr::null_mut()) };
}

/// Milliseconds of computing so far.
fn processor() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

/// Sends a length and bytes.
fn send(socket: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    let mut message = Vec::with_capacity(4 + bytes.len());
    message.extend((bytes.len() as u32).to_le_bytes());
    message.extend(bytes);
    socket.write_all(&message)
}

/// Receives what [`send`] sends.
fn receive(socket: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MESSAGE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    socket.read_exact(&mut bytes)?;
    Ok(bytes)
}
