//! A device: its context, its stream, and the functions of its kernels.

use crate::kernel::Launch;
use crate::memory::failed;
use crate::{Error, Result, driver};
use cust::context::{Context, CurrentContext};
use cust::device::{Device, DeviceAttribute};
use cust::event::{Event, EventFlags};
use cust::function::Function;
use cust::module::Module;
use cust::stream::{Stream, StreamFlags};
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// A device that work can be given to. All work goes through one stream and is done in the order it is given.
pub struct Gpu {
    ordinal: u32,
    name: String,
    capability: (u32, u32),
    multiprocessors: u32,
    memory: usize,
    context: Context,
    stream: Stream,
    /// Modules that were loaded, by family. They stay for as long as the program runs.
    modules: Mutex<HashMap<&'static str, &'static Module>>,
    functions: RwLock<HashMap<&'static str, Function<'static>>>,
    pub(crate) counters: Counters,
}

/// How often the host and the device had to do with each other.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub up: AtomicU64,
    pub down: AtomicU64,
    pub launches: AtomicU64,
    pub synchronizations: AtomicU64,
}

/// What went between host and device since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes copied to the device.
    pub up: u64,
    /// Bytes copied from the device.
    pub down: u64,
    /// Kernels launched.
    pub launches: u64,
    /// How often the host waited for the device.
    pub synchronizations: u64,
}

impl std::ops::Sub for Counts {
    type Output = Self;
    /// What came since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            up: self.up - earlier.up,
            down: self.down - earlier.down,
            launches: self.launches - earlier.launches,
            synchronizations: self.synchronizations - earlier.synchronizations,
        }
    }
}

thread_local! {
    /// The device whose context this thread has.
    static CURRENT: Cell<Option<u32>> = const { Cell::new(None) };
}

impl Gpu {
    /// How many devices this machine has.
    ///
    /// # Errors
    /// [`Error::NoDevice`] without a driver, or when the driver does not work.
    pub fn count_devices() -> Result<u32> {
        if !driver::present() {
            return Err(Error::NoDevice { why: "there is no CUDA driver (libcuda.so.1)".into() });
        }
        let count = cust::init(cust::CudaFlags::empty()).and_then(|()| Device::num_devices());
        count.map_err(|e| {
            let Error::Driver { code, text, .. } = failed("starting the driver", e) else { unreachable!() };
            Error::NoDevice { why: format!("the CUDA driver does not start (error {code}: {text})") }
        })
    }

    /// Opens a device, counted from 0. It is opened once: who asks again gets the same one.
    ///
    /// # Errors
    /// [`Error::NoDevice`]; [`Error::Driver`].
    pub fn open(ordinal: u32) -> Result<Arc<Self>> {
        static OPEN: Mutex<Vec<Arc<Gpu>>> = Mutex::new(Vec::new());
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gpu) = open.iter().find(|gpu| gpu.ordinal == ordinal) {
            return Ok(gpu.clone());
        }
        let count = Self::count_devices()?;
        if ordinal >= count {
            let why = match count {
                0 => "the CUDA driver finds no device".into(),
                _ => format!("device {ordinal} was asked for, and there are {count}, counted from 0"),
            };
            return Err(Error::NoDevice { why });
        }
        let gpu = Arc::new(Self::new(ordinal).map_err(|e| failed("opening the device", e))?);
        CURRENT.set(Some(ordinal));
        open.push(gpu.clone());
        Ok(gpu)
    }

    fn new(ordinal: u32) -> cust::error::CudaResult<Self> {
        let device = Device::get_device(ordinal)?;
        let context = Context::new(device)?;
        CurrentContext::set_current(&context)?;
        let attribute = |a| device.get_attribute(a).map(|v| v.max(0) as u32);
        Ok(Self {
            ordinal,
            name: device.name()?,
            capability: (
                attribute(DeviceAttribute::ComputeCapabilityMajor)?,
                attribute(DeviceAttribute::ComputeCapabilityMinor)?,
            ),
            multiprocessors: attribute(DeviceAttribute::MultiprocessorCount)?,
            memory: device.total_memory()?,
            stream: Stream::new(StreamFlags::NON_BLOCKING, None)?,
            context,
            modules: Mutex::default(),
            functions: RwLock::default(),
            counters: Counters::default(),
        })
    }

    /// What it calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Its number among the devices of the machine.
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }
    /// Its compute capability, such as (9, 0).
    pub fn capability(&self) -> (u32, u32) {
        self.capability
    }
    /// How many multiprocessors it has.
    pub fn multiprocessors(&self) -> u32 {
        self.multiprocessors
    }
    /// Its memory in bytes.
    pub fn memory(&self) -> usize {
        self.memory
    }
    /// The version of CUDA that the driver is of, such as (12, 4).
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub fn driver_version(&self) -> Result<(u32, u32)> {
        let version =
            cust::CudaApiVersion::get().map_err(|e| failed("asking for the driver's version", e))?;
        Ok((version.major().max(0) as u32, version.minor().max(0) as u32))
    }
    /// How many bytes of its memory are free.
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub fn free_memory(&self) -> Result<usize> {
        self.enter()?;
        Ok(cust::memory::mem_get_info().map_err(|e| failed("asking for free memory", e))?.0)
    }

    /// Makes it the device of this thread.
    pub(crate) fn enter(&self) -> Result<()> {
        if CURRENT.get() != Some(self.ordinal) {
            CurrentContext::set_current(&self.context).map_err(|e| failed("entering the device", e))?;
            CURRENT.set(Some(self.ordinal));
        }
        Ok(())
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Waits until all work given so far is done.
    ///
    /// # Errors
    /// [`Error::Driver`] when some of it failed.
    pub fn synchronize(&self) -> Result<()> {
        self.enter()?;
        self.count(|c| &c.synchronizations, 1);
        self.stream.synchronize().map_err(|e| failed("work on the device", e))
    }

    /// How long the device takes for what `work` gives it, by its own clock.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Driver`].
    pub fn elapsed(&self, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        self.enter()?;
        let event = || Event::new(EventFlags::DEFAULT).map_err(|e| failed("making an event", e));
        let record = |e: &Event| e.record(&self.stream).map_err(|e| failed("recording an event", e));
        let (start, end) = (event()?, event()?);
        record(&start)?;
        work()?;
        record(&end)?;
        self.synchronize()?;
        let milliseconds = end.elapsed_time_f32(&start).map_err(|e| failed("reading the clock", e))?;
        Ok(Duration::from_secs_f64(f64::from(milliseconds.max(0.0)) * 1e-3))
    }

    pub(crate) fn count(&self, which: impl Fn(&Counters) -> &AtomicU64, by: u64) {
        which(&self.counters).fetch_add(by, Ordering::Relaxed);
    }

    /// What went between host and device since it was opened.
    pub fn counts(&self) -> Counts {
        let of = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let c = &self.counters;
        Counts {
            up: of(&c.up),
            down: of(&c.down),
            launches: of(&c.launches),
            synchronizations: of(&c.synchronizations),
        }
    }

    /// Gives a kernel to the device. A grid without blocks is nothing to do.
    ///
    /// # Safety
    /// `arguments` point to values of the types of the kernel's parameters, and the kernel stays within the memory that they
    /// tell of.
    pub(crate) unsafe fn launch(
        &self,
        (family, ptx): (&'static str, &str),
        name: &'static str,
        launch: Launch,
        arguments: &[*mut c_void],
    ) -> Result<()> {
        if launch.grid.contains(&0) {
            return Ok(());
        }
        self.enter()?;
        let known = self.functions.read().unwrap_or_else(PoisonError::into_inner);
        let function = match known.get(name) {
            Some(_) => known,
            None => {
                drop(known);
                self.load(family, ptx, name)?;
                self.functions.read().unwrap_or_else(PoisonError::into_inner)
            }
        };
        let [x, y, z] = launch.grid;
        let [bx, by, bz] = launch.block;
        // SAFETY: the caller's.
        let launched =
            unsafe { self.stream.launch(&function[name], (x, y, z), (bx, by, bz), launch.shared, arguments) };
        self.count(|c| &c.launches, 1);
        launched.map_err(|e| failed("a launch", e))
    }

    fn load(&self, family: &'static str, ptx: &str, name: &'static str) -> Result<()> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let module = match modules.get(family) {
            Some(module) => *module,
            None => {
                let module = Module::from_ptx(ptx, &[]).map_err(|e| failed("loading kernels", e))?;
                let module: &'static Module = Box::leak(Box::new(module));
                modules.insert(family, module);
                module
            }
        };
        let function = module.get_function(name).map_err(|e| failed("finding a kernel", e))?;
        self.functions.write().unwrap_or_else(PoisonError::into_inner).insert(name, function);
        Ok(())
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GPU {} ({})", self.ordinal, self.name)
    }
}
