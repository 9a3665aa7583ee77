//! The symbols of the CUDA driver that `cust` links against, each forwarded to `libcuda.so.1`, which is opened on first use.
//!
//! So one binary runs with and without a driver: where there is none, every call answers `CUDA_ERROR_NO_DEVICE`. Codes that
//! are newer than the enumeration of `cust_raw` become `CUDA_ERROR_UNKNOWN`, since an enumeration may hold no other value; the
//! code itself is kept for messages ([`last_code`]).
//!
//! `RESOLVENT_CUDA_DRIVER` names another library to open.
#![allow(non_snake_case, missing_docs, clippy::missing_safety_doc, clippy::too_many_arguments)]

mod symbols;

use cust_raw::CUresult;
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Finds a function of the driver by its name; null when it has none.
pub type Lookup = fn(&CStr) -> *mut c_void;

static DRIVER: OnceLock<Option<Lookup>> = OnceLock::new();

/// Takes functions from `lookup` instead of from the driver of this machine. Only before anything of this crate was used;
/// `false` when it is too late.
///
/// # Safety
/// What `lookup` finds under the name of a function of the driver has its signature, for as long as the program runs.
pub unsafe fn install(lookup: Lookup) -> bool {
    DRIVER.set(Some(lookup)).is_ok()
}

/// Whether there is a driver on this machine; it may still have no device.
pub fn present() -> bool {
    driver().is_some()
}

fn driver() -> Option<Lookup> {
    *DRIVER.get_or_init(|| library().map(|_| from_library as Lookup))
}

/// The driver's library, opened once.
fn library() -> Option<*mut c_void> {
    static LIBRARY: OnceLock<usize> = OnceLock::new();
    let handle = *LIBRARY.get_or_init(|| {
        let named = std::env::var("RESOLVENT_CUDA_DRIVER").ok().and_then(|name| CString::new(name).ok());
        let names: Vec<CString> =
            named.map_or_else(|| vec![c"libcuda.so.1".into(), c"libcuda.so".into()], |name| vec![name]);
        // SAFETY: the names end in 0; the library of a driver may be opened at any time.
        let open = |name: &CString| unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        names.iter().map(open).find(|handle| !handle.is_null()).map_or(0, |handle| handle as usize)
    });
    (handle != 0).then_some(handle as *mut c_void)
}

fn from_library(name: &CStr) -> *mut c_void {
    // SAFETY: an open library and a name that ends in 0.
    library().map_or(null_mut(), |handle| unsafe { libc::dlsym(handle, name.as_ptr()) })
}

/// The function of that name, kept in `slot` once found.
fn function(slot: &AtomicPtr<c_void>, name: &CStr) -> Result<*mut c_void, CUresult> {
    let known = slot.load(Ordering::Acquire);
    if !known.is_null() {
        return Ok(known);
    }
    let found = driver().ok_or(CUresult::CUDA_ERROR_NO_DEVICE)?(name);
    if found.is_null() {
        return Err(CUresult::CUDA_ERROR_NOT_SUPPORTED);
    }
    slot.store(found, Ordering::Release);
    Ok(found)
}

thread_local! {
    static LAST: Cell<i32> = const { Cell::new(0) };
}

/// The last code other than 0 that a call of this thread returned, as the driver gave it.
pub fn last_code() -> i32 {
    LAST.get()
}

/// The codes that the enumeration of `cust_raw` has.
const KNOWN: &[i32] = &[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 34, 100, 101, 102, 200, 201, 202, 205, 206, 207, 208, 209, 210, 211, 212, 213,
    214, 215, 216, 217, 218, 219, 220, 221, 222, 223, 224, 300, 301, 302, 303, 304, 400, 401, 500, 600, 700,
    701, 702, 703, 704, 705, 708, 709, 710, 711, 712, 713, 714, 715, 716, 717, 718, 719, 720, 800, 801, 802,
    803, 804, 805, 806, 807, 808, 809, 900, 901, 902, 903, 904, 905, 906, 907, 908, 909, 910, 911, 999,
];

fn known(code: i32) -> CUresult {
    if code != 0 {
        LAST.set(code);
    }
    if KNOWN.binary_search(&code).is_ok() {
        // SAFETY: `CUresult` is a 32-bit enumeration with a variant of this value.
        unsafe { std::mem::transmute::<i32, CUresult>(code) }
    } else {
        CUresult::CUDA_ERROR_UNKNOWN
    }
}

/// What an error is called. Answers without a driver too, since `cust` panics where this fails.
///
/// # Safety
/// As of the driver's function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorString(error: CUresult, text: *mut *const c_char) -> CUresult {
    static SLOT: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
    type Signature = unsafe extern "C" fn(CUresult, *mut *const c_char) -> i32;
    match function(&SLOT, c"cuGetErrorString") {
        // SAFETY: the driver's function has this signature; the arguments are the caller's.
        Ok(f) => known(unsafe { std::mem::transmute::<*mut c_void, Signature>(f)(error, text) }),
        Err(_) => {
            let answer = if error == CUresult::CUDA_ERROR_NO_DEVICE {
                c"no CUDA driver (libcuda.so.1) on this machine"
            } else {
                c"a CUDA error, and no driver to name it"
            };
            // SAFETY: the caller's pointer.
            unsafe { *text = answer.as_ptr() };
            CUresult::CUDA_SUCCESS
        }
    }
}

/// Defines functions of the driver that forward to it.
macro_rules! forward {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?);)*) => {
        $(
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name($($argument: $type),*) -> CUresult {
                static SLOT: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
                const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => unreachable!(),
                };
                type Signature = unsafe extern "C" fn($($type),*) -> i32;
                match function(&SLOT, NAME) {
                    // SAFETY: the driver's function has this signature; the arguments are the caller's.
                    Ok(f) => known(unsafe { std::mem::transmute::<*mut c_void, Signature>(f)($($argument),*) }),
                    Err(code) => {
                        LAST.set(code as i32);
                        code
                    }
                }
            }
        )*
    };
}
use forward;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kept_and_those_unknown_to_the_enumeration_become_one() {
        assert!(KNOWN.is_sorted());
        assert_eq!(known(0), CUresult::CUDA_SUCCESS);
        assert_eq!((known(700), last_code()), (CUresult::CUDA_ERROR_ILLEGAL_ADDRESS, 700));
        assert_eq!((known(221), last_code()), (CUresult::CUDA_ERROR_JIT_COMPILER_NOT_FOUND, 221));
        assert_eq!((known(10_000), last_code()), (CUresult::CUDA_ERROR_UNKNOWN, 10_000));
    }
}
