//! Plugins that say too much.

use serde_json::json;

use super::yard::Yard;

/// How many steps of an attempt are kept in a job's history.
const STEPS: usize = 10_000;

#[tokio::test]
async fn a_gigabyte_of_output_and_a_million_lines_are_cut_and_told() {
    let yard = Yard::of(&["flood_stdout", "flood_log"]).await;
    let (stdout, log) =
        tokio::join!(yard.run_for("flood_stdout", json!({}), 600_000), yard.run_for("flood_log", json!({}), 600_000));
    assert_eq!((stdout.state.as_str(), stdout.output), ("completed", json!({ "written": 1 << 30 })));
    assert_eq!((log.state.as_str(), log.output), ("completed", json!({ "lines": 1_000_000 })));
    // One line that is cut, and many lines of which as many are kept as come at a bearable rate, at most a MiB.
    let kept = yard.daemon.job_log(&stdout.id).await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].len() < 9_000 && kept[0].ends_with(" … (cut)"), "{} bytes", kept[0].len());
    let last = last_line(&yard, &log.id).await;
    let marks = ["The log is cut here", "lines were dropped here: more than 1,000 a second"];
    assert!(marks.iter().any(|mark| last.contains(mark)), "{last}");
    yard.close().await;
}

/// The last line of a job's log, page by page.
async fn last_line(yard: &Yard, id: &str) -> String {
    let (mut after, mut last, mut bytes) = (0, String::new(), 0);
    loop {
        let (status, page) = yard.daemon.get(&format!("/api/v1/jobs/{id}/logs?limit=1000&after={after}")).await;
        assert_eq!(status, 200, "{page}");
        let lines = page["lines"].as_array().unwrap();
        let Some(line) = lines.last() else { break };
        bytes += lines.iter().map(|line| line["text"].as_str().unwrap().len()).sum::<usize>();
        after = line["seq"].as_u64().unwrap();
        last = line["text"].as_str().unwrap().to_owned();
    }
    assert!(bytes <= 1 << 20, "{bytes} bytes are kept");
    last
}

#[tokio::test]
async fn a_million_reports_of_progress_are_merged_and_the_last_is_seen() {
    let yard = Yard::of(&["flood_progress"]).await;
    let ending = yard.run_for("flood_progress", json!({}), 600_000).await;
    assert_eq!((ending.state.as_str(), ending.output), ("completed", json!({ "reports": 1_000_000 })));
    let job = yard.daemon.job(&ending.id).await;
    assert_eq!((&job["task_step"], &job["status_info"]), (&json!(1_000_000), &json!("Step 1000000")));
    let events = std::fs::metadata(yard.daemon.path().join("windlass.db")).unwrap().len();
    // Ten thousand steps are rows of about a hundred bytes; a million would be a hundred times that.
    assert!(events < (STEPS * 1_000) as u64, "the database has {events} bytes");
    yard.close().await;
}

#[tokio::test]
async fn an_output_of_any_size_is_refused_without_a_copy_of_it() {
    let yard = Yard::of(&["flood_output"]).await;
    for (mib, kind, text) in [
        (2, "output_too_large", "it returned 2.1 MiB, more than the 1 MiB that an output may have"),
        (1_024, "out_of_memory", "it wanted more memory than its limit of 256 MiB"),
    ] {
        let ending = yard.run_for("flood_output", json!({ "mib": mib }), 20_000).await;
        assert_eq!((ending.state.as_str(), ending.kind.as_str()), ("discarded", kind), "{}", ending.message);
        assert!(ending.message.contains(text), "{}", ending.message);
    }
    yard.close().await;
}

#[tokio::test]
async fn an_output_larger_than_a_call_may_carry_is_told_as_that() {
    let yard = Yard::of(&["flood_output"]).await;
    let ending = yard.run_for("flood_output", json!({ "mib": 70 }), 20_000).await;
    assert_eq!(
        (ending.state.as_str(), ending.kind.as_str()),
        ("discarded", "hostcall_too_large"),
        "{}",
        ending.message
    );
    yard.close().await;
}
