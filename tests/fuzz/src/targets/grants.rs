//! See [`windlass_fuzz::grants`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windlass_fuzz::grants(bytes));
