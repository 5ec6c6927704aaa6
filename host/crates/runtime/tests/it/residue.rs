//! No instance sees a byte of an earlier one: not in its memory, not in its tables, not in its globals.

use std::sync::Arc;

use windlass_runtime::MemoryReuse;

use crate::bench::{Bench, guest_bytes, output};

/// How many jobs leave a pattern, each followed by one that looks for it. Many more than there are slots.
const ROUNDS: usize = 1_200;

/// How many jobs run at once.
const SLOTS: u32 = 3;

async fn bench(memory_reuse: MemoryReuse) -> Bench {
    let bench = Bench::bounded(|settings| (settings.slots, settings.memory_reuse) = (SLOTS, memory_reuse));
    bench.put("residue.wasm", &guest_bytes("hostile/residue"));
    bench.runtime.load_all().await;
    bench
}

#[tokio::test]
async fn the_pattern_is_found_by_the_instance_that_left_it() {
    // Otherwise the next tests could not fail.
    let bench = bench(MemoryReuse::Auto).await;
    let (outcome, _) = bench.run("residue", r#"{"do":"both"}"#).await;
    assert_eq!(output(&outcome), "[9,9,1,9]");
}

#[tokio::test]
async fn an_instance_sees_no_byte_of_the_thousands_before_it() {
    marks_are_not_found(MemoryReuse::Off).await;
}

#[tokio::test]
async fn an_instance_whose_memory_was_kept_sees_no_byte_of_the_thousands_before_it() {
    marks_are_not_found(MemoryReuse::Auto).await;
}

async fn marks_are_not_found(memory_reuse: MemoryReuse) {
    let bench = Arc::new(bench(memory_reuse).await);
    let mut lanes = Vec::new();
    for lane in 0..SLOTS as usize {
        let bench = Arc::clone(&bench);
        lanes.push(tokio::spawn(async move {
            // The lanes are out of step, so that one marks while another looks.
            for round in lane..lane + ROUNDS / SLOTS as usize {
                let marks = round % 2 == 0;
                for args in if marks { [MARK, SCAN] } else { [SCAN, MARK] } {
                    let (outcome, _) = bench.run("residue", args).await;
                    let expected = if args == SCAN { "[0,0,0,0]" } else { output(&outcome) };
                    assert_eq!(output(&outcome), expected, "round {round}: bytes of an earlier job are there");
                }
            }
        }));
    }
    for lane in lanes {
        lane.await.unwrap();
    }
}

const MARK: &str = r#"{"do":"mark"}"#;
const SCAN: &str = r#"{"do":"scan"}"#;
