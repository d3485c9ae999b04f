//! The code that runs before `main`, and lets any program be a worker.

use std::ffi::OsString;
#[cfg(feature = "auto-init")]
use std::ffi::{c_char, c_int};

/// Called by the system's loader before `main`, with the program's arguments.
#[cfg(feature = "auto-init")]
type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

/// Stands in the table of functions that the loader calls before `main`.
///
/// [`keep`] names it from the path that starts workers, or a linker might drop it as unused.
#[cfg(feature = "auto-init")]
#[used]
// SAFETY: the section holds pointers to functions of just this signature.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs"))]
static BEFORE_MAIN: Constructor = before_main;

/// Makes the linker keep the constructor in every program that can start a worker.
pub(crate) fn keep() {
    #[cfg(feature = "auto-init")]
    std::hint::black_box(&raw const BEFORE_MAIN);
}

#[cfg(feature = "auto-init")]
extern "C" fn before_main(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    crate::spawn::bootstrap::before_main(|| run_later_constructors(argc, argv, envp));
}

/// Removes a variable from the environment and returns what it was.
///
/// Called while the program has one thread: before `main`, or first thing in it.
pub(crate) fn take_variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    // SAFETY: no other thread runs yet that could read the environment meanwhile.
    unsafe { std::env::remove_var(name) };
    Some(value)
}

/// Whether the system distrusts whoever started this program: a setuid program, say.
#[cfg(target_os = "macos")]
pub(crate) fn is_secure() -> bool {
    // SAFETY: has no requirement.
    unsafe { libc::issetugid() != 0 }
}

/// Whether the system distrusts whoever started this program: a setuid program, say.
#[cfg(target_os = "linux")]
pub(crate) fn is_secure() -> bool {
    // SAFETY: reads a value that the kernel passed at the start; there is none it could not be asked for.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Runs the constructors that stand behind ours: registries of other crates and statics of other languages are filled
/// by them, and a worker never returns to the loader that would have called them.
#[cfg(all(feature = "auto-init", target_os = "macos"))]
fn run_later_constructors(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    let Some(image) = super::Image::of_this_program() else { return };
    let ours = before_main as *const () as usize;
    for place in image.constructors.iter().skip_while(|&&place| place != ours).skip(1) {
        // SAFETY: the linker lists functions to be called before `main` there, of just this signature; they were found in
        // this very program, which is not unloaded.
        let constructor: Constructor = unsafe { std::mem::transmute::<usize, Constructor>(*place) };
        constructor(argc, argv, envp);
    }
}

/// Runs the constructors that stand behind ours: registries of other crates and statics of other languages are filled
/// by them, and a worker never returns to the loader that would have called them.
#[cfg(all(feature = "auto-init", target_os = "linux"))]
fn run_later_constructors(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
    let Some(image) = super::Image::of_this_program() else { return };
    let table = image.constructors.clone();
    let ours = (&raw const BEFORE_MAIN) as usize;
    if !table.contains(&ours) {
        // The linker put ours elsewhere, so nothing is known of an order.
        return;
    }
    for place in (ours..table.end).step_by(size_of::<Constructor>()).skip(1) {
        // SAFETY: the linker says that the table reaches to here, and it holds pointers to functions, or nulls.
        let constructor = unsafe { (place as *const Option<Constructor>).read() };
        // A table may be padded with -1 as well as with null.
        if let Some(constructor) = constructor.filter(|&constructor| constructor as usize != usize::MAX) {
            constructor(argc, argv, envp);
        }
    }
}
