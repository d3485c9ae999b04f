//! The code that runs before `main`, and lets any program be a worker.

use std::ffi::OsString;

/// Called by the C library's start-up code before `main`.
#[cfg(feature = "auto-init")]
type Constructor = extern "C" fn();

/// Stands in the table of functions that are called before `main`.
///
/// [`keep`] names it from the path that starts workers, or a linker might drop it as unused.
#[cfg(feature = "auto-init")]
#[used]
// SAFETY: the section holds pointers to functions of just this signature.
#[unsafe(link_section = ".CRT$XCU")]
static BEFORE_MAIN: Constructor = before_main;

/// Makes the linker keep the constructor in every program that can start a worker.
pub(crate) fn keep() {
    #[cfg(feature = "auto-init")]
    std::hint::black_box(&raw const BEFORE_MAIN);
}

#[cfg(feature = "auto-init")]
extern "C" fn before_main() {
    crate::spawn::bootstrap::before_main(run_later_constructors);
}

/// Removes a variable from the environment and returns what it was.
///
/// Called while the program has one thread: before `main`, or first thing in it.
pub(crate) fn take_variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    // SAFETY: no other thread of ours runs yet; and this system's environment has a lock of its own.
    unsafe { std::env::remove_var(name) };
    Some(value)
}

/// Whether the system distrusts whoever started this program: there is no such thing here.
pub(crate) fn is_secure() -> bool {
    false
}

/// Runs the constructors that stand behind ours: registries of other crates and statics of other languages are filled
/// by them, and a worker never returns to the code that would have called them.
#[cfg(feature = "auto-init")]
fn run_later_constructors() {
    unsafe extern "C" {
        /// Stands behind the last entry of the table.
        static __xc_z: Option<Constructor>;
    }
    let (ours, end) = ((&raw const BEFORE_MAIN) as usize, (&raw const __xc_z) as usize);
    for place in (ours..end).step_by(size_of::<Constructor>()).skip(1) {
        // SAFETY: the table reaches to there, and holds pointers to functions, or nulls, with which it is padded.
        if let Some(constructor) = unsafe { (place as *const Option<Constructor>).read() } {
            constructor();
        }
    }
    run_table_of_gcc();
}

/// That of gcc's own, which is for C++: called only once, by whoever comes first.
#[cfg(all(feature = "auto-init", target_env = "gnu"))]
fn run_table_of_gcc() {
    unsafe extern "C" {
        fn __main();
    }
    // SAFETY: it may be called at any time after the C library has begun, which it has.
    unsafe { __main() };
}

#[cfg(all(feature = "auto-init", not(target_env = "gnu")))]
fn run_table_of_gcc() {}
