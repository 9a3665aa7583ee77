//! The functions of the driver that `resolvent-ptx` calls, for one emulated device.

use crate::{MEMORY, launch, memory};
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};

const SUCCESS: i32 = 0;
const INVALID_VALUE: i32 = 1;
const OUT_OF_MEMORY: i32 = 2;
const INVALID_DEVICE: i32 = 101;
const NOT_FOUND: i32 = 500;

/// A loaded module: the text of its PTX.
struct Module(CString);

type Pointer = *mut c_void;

unsafe extern "C" fn init(_flags: c_uint) -> i32 {
    SUCCESS
}
unsafe extern "C" fn driver_version(version: *mut c_int) -> i32 {
    // SAFETY: the caller's pointer; so below.
    unsafe { *version = 12_000 };
    SUCCESS
}
unsafe extern "C" fn device_count(count: *mut c_int) -> i32 {
    // SAFETY: as above.
    unsafe { *count = 1 };
    SUCCESS
}
unsafe extern "C" fn device(device: *mut c_int, ordinal: c_int) -> i32 {
    if ordinal != 0 {
        return INVALID_DEVICE;
    }
    // SAFETY: as above.
    unsafe { *device = 0 };
    SUCCESS
}
unsafe extern "C" fn device_name(name: *mut c_char, room: c_int, _device: c_int) -> i32 {
    const NAME: &CStr = c"emulator";
    if (room as usize) < NAME.count_bytes() + 1 {
        return INVALID_VALUE;
    }
    // SAFETY: there is room for it.
    unsafe { std::ptr::copy_nonoverlapping(NAME.as_ptr(), name, NAME.count_bytes() + 1) };
    SUCCESS
}
unsafe extern "C" fn device_memory(bytes: *mut usize, _device: c_int) -> i32 {
    // SAFETY: as above.
    unsafe { *bytes = MEMORY };
    SUCCESS
}
unsafe extern "C" fn device_attribute(value: *mut c_int, attribute: c_int, _device: c_int) -> i32 {
    let found = match attribute {
        16 => 4, // multiprocessors
        75 => 7, // compute capability
        76 => 0,
        _ => 0,
    };
    // SAFETY: as above.
    unsafe { *value = found };
    SUCCESS
}
unsafe extern "C" fn retain(context: *mut Pointer, _device: c_int) -> i32 {
    // SAFETY: as above.
    unsafe { *context = std::ptr::without_provenance_mut(1) };
    SUCCESS
}
unsafe extern "C" fn release(_device: c_int) -> i32 {
    SUCCESS
}
unsafe extern "C" fn set_current(_context: Pointer) -> i32 {
    SUCCESS
}
unsafe extern "C" fn synchronize() -> i32 {
    SUCCESS
}
unsafe extern "C" fn error_string(_error: c_int, text: *mut *const c_char) -> i32 {
    // SAFETY: as above.
    unsafe { *text = c"an error of the emulated device".as_ptr() };
    SUCCESS
}
unsafe extern "C" fn load(module: *mut Pointer, image: *const c_void) -> i32 {
    // SAFETY: PTX ends in 0.
    let text = unsafe { CStr::from_ptr(image.cast()) }.to_owned();
    // SAFETY: as above.
    unsafe { *module = Box::into_raw(Box::new(Module(text))).cast() };
    SUCCESS
}
unsafe extern "C" fn load_with(
    module: *mut Pointer,
    image: *const c_void,
    _count: c_uint,
    _options: Pointer,
    _values: Pointer,
) -> i32 {
    // SAFETY: the caller's.
    unsafe { load(module, image) }
}
unsafe extern "C" fn unload(module: Pointer) -> i32 {
    // SAFETY: from `load`, and not used again.
    drop(unsafe { Box::from_raw(module.cast::<Module>()) });
    SUCCESS
}
unsafe extern "C" fn module_function(function: *mut Pointer, module: Pointer, name: *const c_char) -> i32 {
    // SAFETY: from `load`, and a name that ends in 0.
    let (module, name) = unsafe { (&*module.cast::<Module>(), CStr::from_ptr(name)) };
    let entry = [b".entry ", name.to_bytes(), b"("].concat();
    let has = module.0.as_bytes().windows(entry.len()).any(|w| w == entry);
    match launch::find(name).filter(|_| has) {
        Some(found) => {
            // SAFETY: as above.
            unsafe { *function = found };
            SUCCESS
        }
        None => NOT_FOUND,
    }
}
unsafe extern "C" fn create_stream(stream: *mut Pointer, _flags: c_uint, _priority: c_int) -> i32 {
    // SAFETY: as above.
    unsafe { *stream = std::ptr::without_provenance_mut(2) };
    SUCCESS
}
unsafe extern "C" fn stream_synchronize(_stream: Pointer) -> i32 {
    SUCCESS
}
unsafe extern "C" fn destroy_stream(_stream: Pointer) -> i32 {
    SUCCESS
}
unsafe extern "C" fn memory_info(free: *mut usize, total: *mut usize) -> i32 {
    // SAFETY: as above.
    unsafe { (*free, *total) = (MEMORY - memory::used().min(MEMORY), MEMORY) };
    SUCCESS
}
unsafe extern "C" fn allocate(address: *mut usize, bytes: usize) -> i32 {
    match memory::allocate(bytes) {
        Some(found) => {
            // SAFETY: as above.
            unsafe { *address = found };
            SUCCESS
        }
        None => OUT_OF_MEMORY,
    }
}
unsafe extern "C" fn free(address: usize) -> i32 {
    if memory::free(address) { SUCCESS } else { INVALID_VALUE }
}
unsafe extern "C" fn allocate_host(pointer: *mut Pointer, bytes: usize) -> i32 {
    // SAFETY: `malloc` of some bytes.
    unsafe { *pointer = libc::malloc(bytes) };
    SUCCESS
}
unsafe extern "C" fn free_host(pointer: Pointer) -> i32 {
    // SAFETY: from `allocate_host`.
    unsafe { libc::free(pointer) };
    SUCCESS
}
/// Copies `bytes`, when what lies on the device is within an allocation.
fn copy(to: usize, from: usize, bytes: usize, device: &[usize]) -> i32 {
    if device.iter().any(|address| !memory::contains(*address, bytes)) {
        return INVALID_VALUE;
    }
    // SAFETY: what is on the device was checked; the rest is the caller's.
    unsafe { std::ptr::copy(from as *const u8, to as *mut u8, bytes) };
    SUCCESS
}
unsafe extern "C" fn up(to: usize, from: *const c_void, bytes: usize) -> i32 {
    copy(to, from as usize, bytes, &[to])
}
unsafe extern "C" fn up_later(to: usize, from: *const c_void, bytes: usize, _stream: Pointer) -> i32 {
    copy(to, from as usize, bytes, &[to])
}
unsafe extern "C" fn down(to: Pointer, from: usize, bytes: usize) -> i32 {
    copy(to as usize, from, bytes, &[from])
}
unsafe extern "C" fn down_later(to: Pointer, from: usize, bytes: usize, _stream: Pointer) -> i32 {
    copy(to as usize, from, bytes, &[from])
}
unsafe extern "C" fn across(to: usize, from: usize, bytes: usize) -> i32 {
    copy(to, from, bytes, &[to, from])
}
unsafe extern "C" fn across_later(to: usize, from: usize, bytes: usize, _stream: Pointer) -> i32 {
    copy(to, from, bytes, &[to, from])
}
#[allow(clippy::too_many_arguments)]
unsafe extern "C" fn launch_kernel(
    function: Pointer,
    gx: c_uint,
    gy: c_uint,
    gz: c_uint,
    bx: c_uint,
    by: c_uint,
    bz: c_uint,
    shared: c_uint,
    _stream: Pointer,
    arguments: *mut Pointer,
    _extra: *mut Pointer,
) -> i32 {
    let (grid, block) = ([gx, gy, gz], [bx, by, bz]);
    let threads = u64::from(bx) * u64::from(by) * u64::from(bz);
    // The limits of every device from sm_70 on.
    if grid.contains(&0) || !(1..=1024).contains(&threads) || bz > 64 || gy > 65_535 || gz > 65_535 {
        return INVALID_VALUE;
    }
    // SAFETY: the caller's.
    unsafe { launch::run(function, grid, block, shared, arguments) }
}
unsafe extern "C" fn create_event(event: *mut Pointer, _flags: c_uint) -> i32 {
    // SAFETY: as above.
    unsafe { *event = std::ptr::without_provenance_mut(3) };
    SUCCESS
}
unsafe extern "C" fn event(_event: Pointer) -> i32 {
    SUCCESS
}
unsafe extern "C" fn record_event(_event: Pointer, _stream: Pointer) -> i32 {
    SUCCESS
}
unsafe extern "C" fn elapsed(milliseconds: *mut f32, _start: Pointer, _end: Pointer) -> i32 {
    // SAFETY: as above. Time on an emulated device means nothing.
    unsafe { *milliseconds = 1.0 };
    SUCCESS
}

/// The function of that name; null for those that are not needed.
pub fn find(name: &CStr) -> Pointer {
    let Ok(name) = name.to_str() else { return std::ptr::null_mut() };
    match name {
        "cuInit" => init as Pointer,
        "cuDriverGetVersion" => driver_version as Pointer,
        "cuDeviceGetCount" => device_count as Pointer,
        "cuDeviceGet" => device as Pointer,
        "cuDeviceGetName" => device_name as Pointer,
        "cuDeviceTotalMem_v2" => device_memory as Pointer,
        "cuDeviceGetAttribute" => device_attribute as Pointer,
        "cuDevicePrimaryCtxRetain" => retain as Pointer,
        "cuDevicePrimaryCtxRelease_v2" => release as Pointer,
        "cuCtxSetCurrent" => set_current as Pointer,
        "cuCtxSynchronize" => synchronize as Pointer,
        "cuGetErrorString" => error_string as Pointer,
        "cuModuleLoadData" => load as Pointer,
        "cuModuleLoadDataEx" => load_with as Pointer,
        "cuModuleUnload" => unload as Pointer,
        "cuModuleGetFunction" => module_function as Pointer,
        "cuStreamCreateWithPriority" => create_stream as Pointer,
        "cuStreamSynchronize" => stream_synchronize as Pointer,
        "cuStreamDestroy_v2" => destroy_stream as Pointer,
        "cuMemGetInfo_v2" => memory_info as Pointer,
        "cuMemAlloc_v2" => allocate as Pointer,
        "cuMemFree_v2" => free as Pointer,
        "cuMemAllocHost_v2" => allocate_host as Pointer,
        "cuMemFreeHost" => free_host as Pointer,
        "cuMemcpyHtoD_v2" => up as Pointer,
        "cuMemcpyHtoDAsync_v2" => up_later as Pointer,
        "cuMemcpyDtoH_v2" => down as Pointer,
        "cuMemcpyDtoHAsync_v2" => down_later as Pointer,
        "cuMemcpyDtoD_v2" => across as Pointer,
        "cuMemcpyDtoDAsync_v2" => across_later as Pointer,
        "cuLaunchKernel" => launch_kernel as Pointer,
        "cuEventCreate" => create_event as Pointer,
        "cuEventRecord" => record_event as Pointer,
        "cuEventSynchronize" | "cuEventQuery" | "cuEventDestroy_v2" => event as Pointer,
        "cuEventElapsedTime" => elapsed as Pointer,
        _ => std::ptr::null_mut(),
    }
}
