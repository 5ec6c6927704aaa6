//! See [`windlass_fuzz::enqueue`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windlass_fuzz::enqueue(bytes));
