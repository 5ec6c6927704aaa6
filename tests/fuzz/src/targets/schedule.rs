//! See [`windlass_fuzz::schedule`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windlass_fuzz::schedule(bytes));
