//! Attributes and strings, on the side that calls the library.

use super::library::{damaged, kind, last_error, memory_type, refusal};
use super::limits;
use super::message::{Kind, RawAttribute, RawValue, Refusal, Type};
use hdf5::{Attribute, Container};
use hdf5_sys::h5::herr_t;
use hdf5_sys::h5a::H5Aread;
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::H5P_DEFAULT;
use hdf5_sys::h5t::{H5T_str_t, H5Tget_strpad, H5Tis_variable_str, H5Treclaim};
use std::ffi::{c_char, c_void};

/// Reads an attribute of numbers, truth values or strings; of anything else, its type and shape alone.
pub(super) fn attribute(attribute: &Attribute) -> Result<RawAttribute, Refusal> {
    let datatype = attribute.dtype().map_err(|e| damaged(&e))?;
    let shape = attribute.get_shape().map_err(|e| damaged(&e))?;
    let kind = kind(&datatype)?;
    let entries = shape.iter().try_fold(1usize, |product, side| product.checked_mul(*side));
    let fits = |n: &usize| n.checked_mul(datatype.size().max(8)).is_some_and(|b| b <= limits::ATTRIBUTE);
    let entries = entries.filter(fits).ok_or_else(|| {
        let what = format!("it has the shape {shape:?}, more than {} MB", limits::ATTRIBUTE >> 20);
        refusal(what, "store it as a dataset")
    })?;
    let read = |kind: hid_t, buffer: *mut c_void| -> herr_t {
        // SAFETY: the callers below make a buffer for all entries of the type they name.
        unsafe { H5Aread(attribute.id(), kind, buffer) }
    };
    let null = attribute.space().is_ok_and(|space| space.is_null());
    let value = match kind {
        _ if null => RawValue::Other,
        Type::Integer(_) | Type::Unsigned(_) => RawValue::Integers(values(entries, Kind::I64, read)?),
        Type::Float(_) => RawValue::Floats(values(entries, Kind::F64, read)?),
        Type::Boolean => {
            let bytes: Vec<u8> = values(entries, Kind::U8, read)?;
            RawValue::Booleans(bytes.into_iter().map(|byte| byte != 0).collect())
        }
        Type::Text(_) => RawValue::Texts(strings(attribute, read, entries)?),
        Type::Other(_) => RawValue::Other,
    };
    Ok(RawAttribute { shape, kind, value })
}

/// All numbers of an attribute, in a type of memory as large as `T`.
fn values<T: Copy + Default>(
    entries: usize,
    number: Kind,
    read: impl Fn(hid_t, *mut c_void) -> herr_t,
) -> Result<Vec<T>, Refusal> {
    debug_assert_eq!(size_of::<T>(), number.size());
    let mut values = vec![T::default(); entries];
    let kind = memory_type(number)?;
    if read(kind.id(), values.as_mut_ptr().cast()) < 0 {
        return Err(damaged(&last_error()));
    }
    Ok(values)
}

/// The strings that `read` puts into a buffer of `entries` of the type in the file.
pub(super) fn strings(
    container: &Container,
    read: impl Fn(hid_t, *mut c_void) -> herr_t,
    entries: usize,
) -> Result<Vec<String>, Refusal> {
    let datatype = container.dtype().map_err(|e| damaged(&e))?;
    if !matches!(kind(&datatype)?, Type::Text(_)) {
        return Err(refusal("it holds no strings", "store strings"));
    }
    let size = datatype.size();
    let bytes = entries.checked_mul(size).filter(|bytes| *bytes <= limits::TEXTS);
    let bytes = bytes.ok_or_else(|| refusal("too many strings were asked for at once", "ask for fewer"))?;
    // SAFETY: the type is open.
    let (variable, spaces) = unsafe {
        let padding = H5Tget_strpad(datatype.id());
        (H5Tis_variable_str(datatype.id()) > 0, padding == H5T_str_t::H5T_STR_SPACEPAD)
    };
    let mut total = 0;
    let mut text = |bytes: &[u8]| {
        total += bytes.len();
        if bytes.len() > limits::ATTRIBUTE || total > limits::TEXTS {
            return Err(refusal(
                "its text is too long",
                format!("store at most {} MB", limits::ATTRIBUTE >> 20),
            ));
        }
        // The bytes are checked here: HDF5 does not, and a damaged file may hold any.
        String::from_utf8(bytes.to_vec())
            .map_err(|_| refusal("this is not a string", "store one string in UTF-8"))
    };
    if !variable {
        let mut buffer = vec![0u8; bytes];
        if read(datatype.id(), buffer.as_mut_ptr().cast()) < 0 {
            return Err(damaged(&last_error()));
        }
        let cut = |entry: &[u8]| {
            let end = entry.iter().position(|byte| *byte == 0).unwrap_or(entry.len());
            let end = if spaces { entry[..end].trim_ascii_end().len() } else { end };
            text(&entry[..end])
        };
        return buffer.chunks(size.max(1)).map(cut).collect();
    }
    let mut buffer = vec![std::ptr::null_mut::<c_char>(); entries];
    if read(datatype.id(), buffer.as_mut_ptr().cast()) < 0 {
        return Err(damaged(&last_error()));
    }
    let found = buffer.iter().map(|pointer| {
        if pointer.is_null() {
            return Ok(String::new());
        }
        // SAFETY: the library made a string that ends in a zero byte.
        text(unsafe { std::ffi::CStr::from_ptr(*pointer) }.to_bytes())
    });
    let found = found.collect();
    let space = hdf5::Dataspace::try_new([entries]).map_err(|e| damaged(&e))?;
    // SAFETY: the library made these strings for this type and this many entries.
    unsafe { H5Treclaim(datatype.id(), space.id(), H5P_DEFAULT, buffer.as_mut_ptr().cast()) };
    found
}
