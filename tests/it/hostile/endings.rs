//! Plugins that compute for ever, trap, or take memory.

use serde_json::json;

use super::yard::Yard;

#[tokio::test]
async fn every_way_to_trap_is_told_as_a_trap_with_its_reason() {
    let cases = [
        ("abort", "trap", "unreachable"),
        ("call_mismatch", "trap", "indirect call type mismatch"),
        ("call_null", "trap", "uninitialized element"),
        ("call_out_of_bounds", "trap", "undefined element"),
        ("divide_by_zero", "trap", "integer divide by zero"),
        ("divide_too_far", "trap", "integer overflow"),
        ("error_of_no_kind", "trap", "unexpected discriminant: 77"),
        ("exit_badly", "trap", "it exited with status 1 instead of returning"),
        ("exit_well", "trap", "it exited with status 0 instead of returning"),
        ("float_to_integer", "trap", "invalid conversion to integer"),
        ("output_not_utf8", "trap", "invalid utf-8"),
        ("output_out_of_bounds", "trap", "out of bounds of memory"),
        ("panic_aloud", "trap", "the hold is on fire"),
        ("read_out_of_bounds", "trap", "out of bounds memory access"),
        ("realloc_out_of_bounds", "trap", "beyond end of memory"),
        ("recurse", "trap", "call stack exhausted"),
        ("result_of_no_kind", "trap", "invalid expected discriminant"),
        ("result_out_of_bounds", "trap", "pointer out of bounds"),
        ("result_unaligned", "trap", "not aligned"),
        ("start_traps", "trap", "unreachable"),
        ("unreachable", "trap", "unreachable"),
        ("write_out_of_bounds", "trap", "out of bounds memory access"),
    ];
    let yard = Yard::of(&cases.map(|(task, ..)| task)).await;
    // Twice, because a trap could spoil what the next instance gets.
    for _ in 0..2 {
        yard.expect(&cases, 10_000).await;
    }
    yard.close().await;
}

#[tokio::test]
async fn what_computes_or_waits_for_ever_is_stopped_when_its_time_is_over() {
    let forever = ["spin", "spin_in_host_calls", "wait_in_host_call", "start_spins", "realloc_spins"];
    let cases = forever.map(|task| (task, "timeout", "took longer than its limit of 500 ms"));
    let yard = Yard::of(&forever).await;
    // More of them than there are slots: each must give its slot back.
    for _ in 0..3 {
        yard.expect(&cases, 500).await;
    }
    yard.close().await;
}

#[tokio::test]
async fn what_computes_or_waits_for_ever_can_be_cancelled() {
    let forever = ["spin", "spin_in_host_calls", "wait_in_host_call", "start_spins", "realloc_spins"];
    let yard = Yard::of(&forever).await;
    for task in forever {
        let id = yard.daemon.enqueue_job(json!({ "task": task, "args": {}, "timeout_ms": 600_000 })).await;
        yard.daemon.until(&id, |job| job["state"] == "running").await;
        yard.daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
        let job = yard.daemon.finished(&id).await;
        assert_eq!(job["state"], "cancelled", "{job}");
    }
    yard.close().await;
}

#[tokio::test]
async fn what_takes_memory_gets_its_share_and_no_more() {
    let cases = [
        ("eat_in_small_bites", "out_of_memory", "it wanted more memory than its limit of 256 MiB"),
        ("grow_at_once", "out_of_memory", "it wanted more memory than its limit of 256 MiB"),
        ("grow_page_by_page", "out_of_memory", "it wanted more memory than its limit of 256 MiB"),
        ("grow_table", "out_of_memory", "it wanted more than the 200000 elements that a table can have here"),
    ];
    let yard = Yard::of(&[&cases.map(|(task, ..)| task)[..], &["grow_and_go_on"]].concat()).await;
    for _ in 0..3 {
        yard.expect(&cases, 20_000).await;
        // One that takes no for an answer ends well: its two pages, and 16 more as often as 4,096 allow.
        let ending = yard.run("grow_and_go_on", json!({})).await;
        assert_eq!((ending.state.as_str(), ending.output), ("completed", json!({ "pages": 4_082 })));
    }
    yard.close().await;
}

#[tokio::test]
async fn a_snooze_of_half_a_billion_years_can_be_cancelled() {
    let yard = Yard::of(&["snooze_for_ever"]).await;
    let id = yard.daemon.enqueue_job(json!({ "task": "snooze_for_ever", "args": {} })).await;
    yard.daemon.until(&id, |job| job["state"] == "scheduled").await;
    yard.daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
    assert_eq!(yard.daemon.finished(&id).await["state"], "cancelled");
    yard.close().await;
}
