//! HDF5 files of our own, while they are written.
//!
//! HDF5 locks a file that it has open. Such a lock belongs to every process that has the descriptor, and a program that
//! another thread starts inherits it: the file would stay locked for as long as that program runs. So the descriptor
//! is closed when a program is started, and the lock is let go of when the file is closed here, whoever still has it.

use hdf5_sys::h5f::H5Fget_vfd_handle;
use hdf5_sys::h5p::H5P_DEFAULT;
use rustix::fs::{FlockOperation, flock};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use std::ops::Deref;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

/// A file that is open for writing; it is closed and unlocked when dropped.
pub(crate) struct OwnFile {
    // Dropped in this order.
    file: hdf5::File,
    lock: Lock,
}

/// A second descriptor of a file, which outlives the library's.
struct Lock(Option<OwnedFd>);

impl OwnFile {
    /// A new file whose bytes do not depend on when it is made: its root group has no times.
    pub fn create(place: &Path) -> hdf5::Result<Self> {
        Self::options().with_fcpl(|p| p.obj_track_times(false)).create(place).map(Self::of)
    }

    /// A file that an earlier run left.
    pub fn reopen(place: &Path) -> hdf5::Result<Self> {
        Self::options().open_rw(place).map(Self::of)
    }

    /// What is written goes to the file as it is: a buffer would read back what lies around it first.
    fn options() -> hdf5::FileBuilder {
        let mut options = hdf5::File::with_options();
        let _ = options.with_fapl(|p| p.sieve_buf_size(0));
        options
    }

    fn of(file: hdf5::File) -> Self {
        let mut handle = std::ptr::null_mut();
        let lock = hdf5::sync::sync(|| {
            // SAFETY: the file is open, and the driver of files opened by name has an `int` for its handle.
            let found = unsafe { H5Fget_vfd_handle(file.id(), H5P_DEFAULT, &mut handle) } >= 0;
            if !found || handle.is_null() {
                return None;
            }
            // SAFETY: as above; the descriptor is the library's, and open as long as the file is.
            let descriptor = unsafe { BorrowedFd::borrow_raw(*handle.cast::<i32>()) };
            fcntl_setfd(descriptor, FdFlags::CLOEXEC).ok()?;
            fcntl_dupfd_cloexec(descriptor, 0).ok()
        });
        Self { file, lock: Lock(lock) }
    }

    /// Closes the file and everything of it that is still open.
    ///
    /// # Errors
    /// What the library could not write.
    pub fn close(self) -> hdf5::Result<()> {
        let Self { file, lock } = self;
        let closed = file.close();
        drop(lock);
        closed
    }
}

impl Deref for OwnFile {
    type Target = hdf5::File;

    fn deref(&self) -> &hdf5::File {
        &self.file
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(descriptor) = &self.0 {
            // A system without such locks has nothing to let go of.
            let _ = flock(descriptor, FlockOperation::NonBlockingUnlock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    /// Shares the file with somebody for longer than it is open here, as a fork or a program started meanwhile does.
    #[test]
    fn a_closed_file_is_free_whoever_inherited_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        let free = || {
            let other = File::open(&path).unwrap();
            flock(&other, FlockOperation::NonBlockingLockExclusive).is_ok()
        };
        for close in [true, false] {
            let file = OwnFile::create(&path).unwrap();
            let inherited = file.lock.0.as_ref().unwrap().try_clone().unwrap();
            assert!(!free(), "the library locks what it writes");
            if close {
                file.close().unwrap()
            } else {
                drop(file)
            }
            assert!(free());
            drop(inherited);
        }
    }
}
