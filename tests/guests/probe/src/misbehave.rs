//! What no plugin should do.

use std::hint::black_box;

use serde_json::{Value, json};

pub(crate) fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

pub(crate) fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

pub(crate) fn eat_memory() -> Value {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(vec![1; 1024 * 1024]);
        black_box(&eaten);
    }
}

pub(crate) fn print(lines: u32, length: usize) -> Value {
    let text = "x".repeat(length);
    for line in 0..lines {
        if line % 10 == 9 {
            eprintln!("{line} {text}");
        } else {
            println!("{line} {text}");
        }
    }
    json!({ "lines": lines })
}
