//! No memory is given back with a password that was drawn in it.

#![cfg(feature = "generate")]
#![allow(unsafe_code, reason = "an allocator that looks at what is given back")]
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::{Engine, Generator, Policy, Recipe, Subject};

/// Two bytes that stand together nowhere but in passwords of this test.
const BYTES: [u8; 2] = [b'Q', b'~'];
/// That many of them in a row are a part of a password.
const PART: usize = 12;

static FOUND: AtomicUsize = AtomicUsize::new(0);

struct Looking;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // So that nothing is found in memory that was never written.
        // SAFETY: as asked for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: all of it was zero at first, and is not yet given back.
        let bytes = unsafe { std::slice::from_raw_parts(memory, layout.size()) };
        if bytes.windows(PART).any(|part| part.iter().all(|byte| BYTES.contains(byte))) {
            FOUND.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: it came from there.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

#[test]
fn what_was_drawn_is_wiped_before_memory_is_given_back() {
    let rules = "schema = 1\nname = 'test'\n[[rule]]\nkind = 'repeat'\nmax-run = 5";
    let engine = Engine::builder().build(&rules.parse::<Policy>().unwrap()).unwrap();
    let recipe = Recipe::characters("Q~", 20).unwrap();
    let generator = Generator::new(&engine, &Subject::default(), recipe).unwrap();
    for _ in 0..100 {
        drop(generator.generate().unwrap());
    }
    assert_eq!(FOUND.load(Ordering::Relaxed), 0);
    // The test would notice.
    let copy = generator.generate().unwrap().to_owned();
    drop(copy);
    assert_eq!(FOUND.load(Ordering::Relaxed), 1);
}
