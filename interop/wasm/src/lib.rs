//! Checks test vectors inside WebAssembly, with the same code as the native tests. `run.mjs` is the other half.
//!
//! The module imports nothing: text goes in through [`input`], [`run`] checks it, and [`output_ptr`] and [`output_len`] give
//! the report. A vector that fails panics, which in WebAssembly is a trap; the report then holds the panic's message.

#[path = "../../../crates/core/tests/support/rng.rs"]
mod rng;
#[path = "../../../crates/core/tests/support/vectors.rs"]
#[allow(dead_code, reason = "there is no file system here, so `load` is not called")]
mod vectors;

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static OUTPUT: Mutex<String> = Mutex::new(String::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn say(line: &str) {
    let _ = writeln!(lock(&OUTPUT), "{line}");
}

/// Makes room for an input of `length` octets and tells where it goes.
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    let mut input = lock(&INPUT);
    input.clear();
    input.resize(length, 0);
    input.as_mut_ptr()
}

/// Where the report begins.
#[unsafe(no_mangle)]
pub extern "C" fn output_ptr() -> *const u8 {
    lock(&OUTPUT).as_ptr()
}

/// How many octets the report has.
#[unsafe(no_mangle)]
pub extern "C" fn output_len() -> usize {
    lock(&OUTPUT).len()
}

/// Checks every vector of the input, a JSON text, and returns how many there were. The report has the algorithm of each that
/// passed, a line each.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> usize {
    lock(&OUTPUT).clear();
    std::panic::set_hook(Box::new(|panic| say(&panic.to_string())));
    let text = String::from_utf8(lock(&INPUT).clone()).expect("UTF-8");
    let vectors = vectors::parse(&text).expect("test vectors");
    for vector in &vectors {
        vectors::check(vector);
        say(&vector.algorithm);
    }
    vectors.len()
}
